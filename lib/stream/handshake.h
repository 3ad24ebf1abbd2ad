// handshake: how control and the threads of handshakes pass them to and fro. Private to handshake*.c; what others see
// is in stream/secure.h.
//
// One lock guards all lists and is held for a few instructions, thousands of times a second at most. Whoever holds a
// handshake by its stage owns the rest of it: a thread while it is ACTIVE, else control, or the list that it is in.
#ifndef STREAM_HANDSHAKE_H
#define STREAM_HANDSHAKE_H

#include <pthread.h>
#include <sys/queue.h>

#include "stream/tls.h"

enum handshake_stage {
    HANDSHAKE_GIVEN,  // by control, not taken yet
    HANDSHAKE_ACTIVE, // a thread has it
    HANDSHAKE_ENDED,  // waits for control
};

struct handshake {
    // lock
    TAILQ_ENTRY(handshake) link;  // of the list that the stage says
    TAILQ_ENTRY(handshake) leave; // of those that are ACTIVE and nobody waits for any more
    uint8_t stage;                // enum handshake_stage
    bool abandoned;

    // The owner's.
    struct handshake_thread *thread;
    struct connection *connection; // never looked at
    int fd;
    uint32_t watched; // EPOLLIN, EPOLLOUT: what the thread waits for; 0: nothing yet
    SSL *session;     // NULL: nothing came yet
    struct tls_terms terms;
    struct handshake_end end;
};

TAILQ_HEAD(handshake_list, handshake);

struct handshake_thread {
    struct handshakes *handshakes;
    pthread_t thread;
    int poll; // epoll
    int wake; // eventfd: something is in `given` or `leaving`, or the end has come
    unsigned number;
    bool started;

    // lock
    struct handshake_list given, active, leaving;
    unsigned load; // in `given` and `active`
};

struct handshakes {
    pthread_mutex_t lock;
    struct handshake_list ended;
    int back; // eventfd: something is in `ended`
    atomic_bool stopping;
    struct tls_tickets *tickets;
    unsigned count; // control's: begun, and neither abandoned nor taken back
    unsigned threads_n;
    struct handshake_thread threads[];
};

// The thread; its argument is a struct handshake_thread.
void *stream_handshake_run(void *argument);

// Frees it with its session and closes its socket. In no list.
void stream_handshake_free(struct handshake *handshake);

#endif
