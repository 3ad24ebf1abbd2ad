// The thread's side: many handshakes at a time, each as far as its socket lets it.
#include <errno.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stream/handshake.h"

#define EVENTS 64 // sockets looked at before what was given and abandoned

// Who is connected is served before who wants to be, but a quarter of a core is theirs even where all is busy.
#define NICE 5

// Out of the thread's hands, to control's or to nobody's. What it keeps of the configuration it gives back.
static void give_back(struct handshake *handshake)
{
    struct handshake_thread *thread = handshake->thread;
    struct handshakes *handshakes = thread->handshakes;
    bool abandoned, first = false;

    if (handshake->watched != 0)
        (void)epoll_ctl(thread->poll, EPOLL_CTL_DEL, handshake->fd, NULL);
    stream_tls_destroy(handshake->terms.tls);
    handshake->terms.tls = NULL;

    pthread_mutex_lock(&handshakes->lock);
    TAILQ_REMOVE(&thread->active, handshake, link);
    thread->load--;
    abandoned = handshake->abandoned;
    if (abandoned) {
        TAILQ_REMOVE(&thread->leaving, handshake, leave);
    } else {
        first = TAILQ_EMPTY(&handshakes->ended);
        handshake->stage = HANDSHAKE_ENDED;
        TAILQ_INSERT_TAIL(&handshakes->ended, handshake, link);
    }
    // Under the lock, or control might have read the event before it stands for something.
    if (first)
        (void)eventfd_write(handshakes->back, 1);
    pthread_mutex_unlock(&handshakes->lock);
    if (abandoned)
        stream_handshake_free(handshake);
}

static void fail(struct handshake *handshake, enum stream_end end)
{
    SSL_free(handshake->session);
    handshake->session = NULL;
    handshake->end =
        (struct handshake_end){.connection = handshake->connection, .fd = handshake->fd, .end = end};
    give_back(handshake);
}

static void stand(struct handshake *handshake)
{
    SSL *session = handshake->session;
    bool verified = stream_tls_session_stands(session);

    handshake->end = (struct handshake_end){
        .connection = handshake->connection,
        .fd = handshake->fd,
        .session = session,
        .resumed = SSL_session_reused(session),
        .verified = verified,
    };
    give_back(handshake);
}

// What OpenSSL has against it.
static enum stream_end fault(void)
{
    enum stream_end end = STREAM_END_HANDSHAKE;

    for (unsigned long error; (error = ERR_get_error()) != 0;) {
        if (ERR_GET_LIB(error) != ERR_LIB_SSL)
            continue;
        switch (ERR_GET_REASON(error)) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            end = STREAM_END_CERTIFICATE;
            break;
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            end = STREAM_END_PEER;
            break;
        }
    }
    return end;
}

static enum stream_end broken(int error)
{
    return error == 0 || error == EPIPE ? STREAM_END_PEER : STREAM_END_RESET;
}

static void watch(struct handshake *handshake, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = handshake};
    int how = handshake->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (handshake->watched == events)
        return;
    if (epoll_ctl(handshake->thread->poll, how, handshake->fd, &event) != 0)
        fail(handshake, STREAM_END_CROWDED);
    else
        handshake->watched = events;
}

static void go_on(struct handshake *handshake)
{
    if (handshake->session == NULL)
        handshake->session = stream_tls_session_create(&handshake->terms, handshake->fd);
    if (handshake->session == NULL) {
        fail(handshake, STREAM_END_CROWDED);
        return;
    }

    ERR_clear_error();
    errno = 0;
    int done = SSL_do_handshake(handshake->session);
    int error = errno;
    if (done == 1) {
        stand(handshake);
        return;
    }
    switch (SSL_get_error(handshake->session, done)) {
    case SSL_ERROR_WANT_READ:
        watch(handshake, EPOLLIN);
        break;
    case SSL_ERROR_WANT_WRITE:
        watch(handshake, EPOLLOUT);
        break;
    case SSL_ERROR_ZERO_RETURN:
        fail(handshake, STREAM_END_PEER);
        break;
    case SSL_ERROR_SYSCALL:
        fail(handshake, broken(error));
        break;
    default:
        fail(handshake, fault());
        break;
    }
    ERR_clear_error();
}

// Next of those that are new; NULL: none.
static struct handshake *take(struct handshake_thread *thread)
{
    pthread_mutex_lock(&thread->handshakes->lock);
    struct handshake *handshake = TAILQ_FIRST(&thread->given);
    if (handshake != NULL) {
        TAILQ_REMOVE(&thread->given, handshake, link);
        TAILQ_INSERT_TAIL(&thread->active, handshake, link);
        handshake->stage = HANDSHAKE_ACTIVE;
    }
    pthread_mutex_unlock(&thread->handshakes->lock);
    return handshake;
}

static struct handshake *first_leaving(struct handshake_thread *thread)
{
    pthread_mutex_lock(&thread->handshakes->lock);
    struct handshake *handshake = TAILQ_FIRST(&thread->leaving);
    pthread_mutex_unlock(&thread->handshakes->lock);
    return handshake;
}

static void look(struct handshake_thread *thread)
{
    eventfd_t unused;

    (void)eventfd_read(thread->wake, &unused);
    for (struct handshake *handshake; (handshake = first_leaving(thread)) != NULL;)
        fail(handshake, STREAM_END_PEER);
    for (struct handshake *handshake; (handshake = take(thread)) != NULL;) {
        // A client has the first word, so a peer that says nothing costs no session.
        if (handshake->terms.outgoing)
            go_on(handshake);
        else
            watch(handshake, EPOLLIN);
    }
}

static void set_name(const struct handshake_thread *thread)
{
    char name[16];

    snprintf(name, sizeof(name), "strowger-tls%u", thread->number % 100);
    (void)pthread_setname_np(pthread_self(), name);
    // Of this thread alone, on Linux.
    (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICE);
}

void *stream_handshake_run(void *argument)
{
    struct handshake_thread *thread = argument;
    struct epoll_event events[EVENTS];

    set_name(thread);
    while (!atomic_load_explicit(&thread->handshakes->stopping, memory_order_relaxed)) {
        int n = epoll_wait(thread->poll, events, EVENTS, -1);
        bool woken = false;

        for (int i = 0; i < n; i++) {
            struct handshake *handshake = events[i].data.ptr;

            if (atomic_load_explicit(&thread->handshakes->stopping, memory_order_relaxed))
                break;
            if (handshake == NULL)
                woken = true;
            else
                go_on(handshake);
        }
        // After the events, of which one might be of a handshake that is freed here.
        if (woken)
            look(thread);
    }
    return NULL;
}
