// Control's side: begins handshakes, abandons them, takes them back.
#include "stream/handshake.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "stream/tls_tickets.h"

static int open_thread(struct handshake_thread *thread)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    TAILQ_INIT(&thread->given);
    TAILQ_INIT(&thread->active);
    TAILQ_INIT(&thread->leaving);
    thread->poll = epoll_create1(EPOLL_CLOEXEC);
    thread->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (thread->poll < 0 || thread->wake < 0 ||
        epoll_ctl(thread->poll, EPOLL_CTL_ADD, thread->wake, &event) != 0)
        return -errno;
    return 0;
}

// Signals are control's.
static int start_thread(struct handshake_thread *thread)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread->thread, NULL, stream_handshake_run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = error == 0;
    return -error;
}

static void free_list(struct handshake_list *list)
{
    for (struct handshake *each; (each = TAILQ_FIRST(list)) != NULL;) {
        TAILQ_REMOVE(list, each, link);
        stream_handshake_free(each);
    }
}

static void stop_thread(struct handshake_thread *thread)
{
    if (thread->started) {
        (void)eventfd_write(thread->wake, 1);
        pthread_join(thread->thread, NULL);
    }
    free_list(&thread->given);
    free_list(&thread->active);
    if (thread->wake >= 0)
        close(thread->wake);
    if (thread->poll >= 0)
        close(thread->poll);
}

int stream_handshakes_create(struct handshakes **created, unsigned threads)
{
    struct handshakes *handshakes = calloc(1, sizeof(*handshakes) + threads * sizeof(handshakes->threads[0]));
    int error = 0;

    if (handshakes == NULL)
        return -ENOMEM;
    // OpenSSL writes with write(2), and peers close.
    (void)signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&handshakes->lock, NULL);
    TAILQ_INIT(&handshakes->ended);
    handshakes->back = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (handshakes->back < 0)
        error = -errno;
    handshakes->tickets = stream_tls_tickets_create(clock_monotonic_ms());
    if (handshakes->tickets == NULL)
        error = -ENOMEM;
    for (unsigned i = 0; i < threads && error == 0; i++) {
        struct handshake_thread *thread = &handshakes->threads[handshakes->threads_n++];

        thread->handshakes = handshakes;
        thread->number = i;
        error = open_thread(thread);
        if (error == 0)
            error = start_thread(thread);
    }
    if (error != 0) {
        stream_handshakes_destroy(handshakes);
        return error;
    }
    *created = handshakes;
    return 0;
}

void stream_handshakes_destroy(struct handshakes *handshakes)
{
    if (handshakes == NULL)
        return;
    atomic_store(&handshakes->stopping, true);
    for (unsigned i = 0; i < handshakes->threads_n; i++)
        stop_thread(&handshakes->threads[i]);
    free_list(&handshakes->ended);
    if (handshakes->back >= 0)
        close(handshakes->back);
    stream_tls_tickets_destroy(handshakes->tickets);
    pthread_mutex_destroy(&handshakes->lock);
    free(handshakes);
}

int stream_handshakes_fd(const struct handshakes *handshakes)
{
    return handshakes->back;
}

unsigned stream_handshakes_count(const struct handshakes *handshakes)
{
    return handshakes->count;
}

void stream_handshake_free(struct handshake *handshake)
{
    SSL_free(handshake->session);
    close(handshake->fd);
    stream_tls_destroy(handshake->terms.tls);
    free(handshake);
}

static void set_terms(struct tls_terms *terms, const struct handshakes *handshakes, struct stream_tls *tls,
                      const struct connection *connection)
{
    terms->tls = stream_tls_keep(tls);
    terms->tickets = handshakes->tickets;
    terms->outgoing = connection->outgoing;
    terms->web = connection->peer.transport == ENDPOINT_WSS;
    terms->client_certificate = tls->client_certificate[connection->listener];
    if (connection->expected != NULL)
        snprintf(terms->expected, sizeof(terms->expected), "%s", connection->expected);
}

static struct handshake_thread *idlest(struct handshakes *handshakes)
{
    struct handshake_thread *found = &handshakes->threads[0];

    for (unsigned i = 1; i < handshakes->threads_n; i++) {
        if (handshakes->threads[i].load < found->load)
            found = &handshakes->threads[i];
    }
    return found;
}

struct handshake *stream_handshake_begin(struct handshakes *handshakes, struct stream_tls *tls,
                                         struct connection *connection)
{
    struct handshake *handshake = calloc(1, sizeof(*handshake));

    if (handshake == NULL)
        return NULL;
    handshake->connection = connection;
    handshake->fd = connection->fd;
    handshake->stage = HANDSHAKE_GIVEN;
    set_terms(&handshake->terms, handshakes, tls, connection);

    pthread_mutex_lock(&handshakes->lock);
    struct handshake_thread *thread = idlest(handshakes);
    bool first = TAILQ_EMPTY(&thread->given);
    handshake->thread = thread;
    thread->load++;
    TAILQ_INSERT_TAIL(&thread->given, handshake, link);
    pthread_mutex_unlock(&handshakes->lock);
    if (first)
        (void)eventfd_write(thread->wake, 1);
    handshakes->count++;
    return handshake;
}

void stream_handshake_abandon(struct handshakes *handshakes, struct handshake *handshake)
{
    struct handshake_thread *thread = handshake->thread;
    bool ours = true;

    handshakes->count--;
    pthread_mutex_lock(&handshakes->lock);
    switch (handshake->stage) {
    case HANDSHAKE_GIVEN:
        TAILQ_REMOVE(&thread->given, handshake, link);
        thread->load--;
        break;
    case HANDSHAKE_ENDED:
        TAILQ_REMOVE(&handshakes->ended, handshake, link);
        break;
    default:
        ours = false;
        handshake->abandoned = true;
        TAILQ_INSERT_TAIL(&thread->leaving, handshake, leave);
        break;
    }
    pthread_mutex_unlock(&handshakes->lock);
    if (ours)
        stream_handshake_free(handshake);
    else
        (void)eventfd_write(thread->wake, 1);
}

bool stream_handshakes_next(struct handshakes *handshakes, struct handshake_end *end)
{
    eventfd_t unused;

    pthread_mutex_lock(&handshakes->lock);
    struct handshake *handshake = TAILQ_FIRST(&handshakes->ended);
    if (handshake != NULL)
        TAILQ_REMOVE(&handshakes->ended, handshake, link);
    else
        (void)eventfd_read(handshakes->back, &unused);
    pthread_mutex_unlock(&handshakes->lock);
    if (handshake == NULL)
        return false;

    *end = handshake->end;
    free(handshake);
    handshakes->count--;
    return true;
}
