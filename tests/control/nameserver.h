// nameserver: tests/e2e/nameserver.py as a child of the test, on a free port of 127.0.0.1.
#ifndef TESTS_CONTROL_NAMESERVER_H
#define TESTS_CONTROL_NAMESERVER_H

#include <stdio.h>
#include <sys/types.h>

struct nameserver {
    pid_t pid;
    FILE *commands, *words;
    unsigned port;
    unsigned asked;      // questions so far, as of the last nameserver_asked
    char log[64 * 1024]; // all of them, by line
    size_t log_n;
};

void nameserver_open(struct nameserver *server);
void nameserver_close(struct nameserver *server);

// A record or a fault, as nameserver.py has them.
__attribute__((format(printf, 2, 3))) void nameserver_add(struct nameserver *server, const char *format, ...);
void nameserver_remove(struct nameserver *server, const char *name);

// How many questions have come, and how many of them were "NAME TYPE udp|tcp".
unsigned nameserver_asked(struct nameserver *server);
unsigned nameserver_asked_for(struct nameserver *server, const char *question);

#endif
