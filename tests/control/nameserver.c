#include "nameserver.h"

#include "fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void note_question(struct nameserver *server, const char *question)
{
    size_t len = strlen(question);

    server->asked++;
    assert_true(server->log_n + len < sizeof(server->log));
    memcpy(server->log + server->log_n, question, len + 1);
    server->log_n += len;
}

// Reads what the server says up to a line that begins with `word`, and notes the questions on the way.
static void await(struct nameserver *server, const char *word, char line[512])
{
    do {
        assert_non_null(fgets(line, 512, server->words));
        if (strncmp(line, "asked ", 6) == 0)
            note_question(server, line + 6);
    } while (strncmp(line, word, strlen(word)) != 0);
}

void nameserver_open(struct nameserver *server)
{
    const char *source = getenv("STROWGER_SOURCE");
    char script[512], line[512];
    int in[2], out[2];

    assert_non_null(source);
    memset(server, 0, sizeof(*server));
    snprintf(script, sizeof(script), "%s/tests/e2e/nameserver.py", source);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int fd = 3; fd < 64; fd++) // its end of the test's pipes is the only one
            close(fd);
        execlp("python3", "python3", script, "--commands", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server->commands = fdopen(in[1], "w");
    server->words = fdopen(out[0], "r");
    await(server, "listening ", line);
    assert_int_equal(sscanf(line, "listening 127.0.0.1:%u", &server->port), 1);
}

void nameserver_close(struct nameserver *server)
{
    int status;

    fclose(server->commands);
    fclose(server->words);
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
}

static void tell(struct nameserver *server, const char *command)
{
    char line[512];

    fprintf(server->commands, "%s\n", command);
    fflush(server->commands);
    await(server, "done", line);
}

void nameserver_add(struct nameserver *server, const char *format, ...)
{
    char command[512] = "+";
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command + 1, sizeof(command) - 1, format, arguments);
    va_end(arguments);
    tell(server, command);
}

void nameserver_remove(struct nameserver *server, const char *name)
{
    char command[512];

    snprintf(command, sizeof(command), "-%s", name);
    tell(server, command);
}

unsigned nameserver_asked(struct nameserver *server)
{
    tell(server, "?"); // what was said before "done" is all
    return server->asked;
}

unsigned nameserver_asked_for(struct nameserver *server, const char *question)
{
    char line[512];
    unsigned n = 0;

    (void)nameserver_asked(server);
    snprintf(line, sizeof(line), "%s\n", question);
    for (const char *at = server->log; (at = strstr(at, line)) != NULL; at++)
        n += at == server->log || at[-1] == '\n';
    return n;
}
