#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/address.h"
#include "stream/log.h"
#include "stream/parts.h"
#include "stream/socket.h"

#define BACKLOG     4096
#define ACCEPTS_MAX 64  // of one socket, before others get their turn
#define PAUSE_MS    100 // that nobody is accepted when there is no descriptor at all
#define FILES_OTHER 512 // descriptors of everything else in the process

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

// Whoever says from where a connection is could say anything, and is asked before he is counted with anybody.
static bool may_say(const struct conf_listener *listener, const struct endpoint *peer)
{
    bool may = !listener->proxy_protocol || listener->balancers_n == 0;

    for (unsigned i = 0; i < listener->balancers_n && !may; i++)
        may = conf_network_has(&listener->balancers[i], peer);
    return may;
}

static void take_in(const struct stream_socket *socket, int fd, const struct endpoint *peer)
{
    struct stream *stream = socket->stream;
    const struct conf_listener *listener = &stream->conf->listeners[socket->listener];

    stream->counters.accepted[listener->transport]++;
    if (!may_say(listener, peer)) {
        stream->counters.ends[STREAM_END_PROXY_HEADER]++;
        close(fd);
        return;
    }
    struct connection *connection = stream_connection_create(stream, fd, peer, socket->listener, false);
    if (connection != NULL)
        stream_connection_settle(connection, stream_connection_advance(connection));
}

// No descriptor is left. Whoever knocks would go on knocking, and the event would fire for ever: the one in reserve
// lets him in and out again. Where even that does not help nobody is heard for a moment.
static void turn_away(const struct stream_socket *socket)
{
    struct stream *stream = socket->stream;

    if (stream->reserve >= 0)
        close(stream->reserve);
    int fd = accept4(socket->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        stream->counters.ends[STREAM_END_CROWDED]++;
        close(fd);
    }
    stream->reserve = open_reserve();
    if (fd >= 0 && stream->reserve >= 0)
        return;
    stream->paused_ms = stream->now_ms + PAUSE_MS;
    for (unsigned i = 0; i < stream->sockets_n; i++) {
        if (stream->sockets[i].fd >= 0)
            event_del(&stream->sockets[i].event);
    }
}

static void on_accept(evutil_socket_t fd, short what, void *argument)
{
    const struct stream_socket *socket = argument;
    union socket_address name;

    (void)what;
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        socklen_t len = sizeof(name);
        int accepted = accept4(fd, &name.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (accepted < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            turn_away(socket);
            return;
        }
        if (accepted < 0)
            continue; // that one was gone before it was here
        struct endpoint peer = stream_socket_address_endpoint(&name);
        take_in(socket, accepted, &peer);
    }
}

void stream_listen_again(struct stream *stream)
{
    stream->paused_ms = 0;
    if (stream->reserve < 0)
        stream->reserve = open_reserve();
    for (unsigned i = 0; i < stream->sockets_n; i++) {
        if (stream->sockets[i].fd >= 0)
            event_add(&stream->sockets[i].event, NULL);
    }
}

static int listen_on(struct stream_socket *socket)
{
    struct stream *stream = socket->stream;

    socket->fd = stream_socket_open(stream, socket->listener, false);
    if (socket->fd < 0)
        return socket->fd;
    if (listen(socket->fd, BACKLOG) != 0)
        return -errno;
    if (event_assign(&socket->event, stream->setup.base, socket->fd, EV_READ | EV_PERSIST, on_accept,
                     socket) != 0 ||
        event_add(&socket->event, NULL) != 0)
        return -ENOMEM;
    return 0;
}

int stream_listen(struct stream *stream)
{
    char text[ENDPOINT_TEXT_MAX];

    stream->reserve = open_reserve();
    for (unsigned i = 0; i < stream->sockets_n; i++) {
        const struct conf_listener *listener = &stream->conf->listeners[i];
        struct stream_socket *socket = &stream->sockets[i];
        *socket = (struct stream_socket){.stream = stream, .fd = -1, .listener = (uint8_t)i};
        int error = listener->transport == ENDPOINT_UDP ? 0 : listen_on(socket);
        if (error == 0)
            continue;
        unsigned len = endpoint_write(&listener->address, text);
        STREAM_LOG(ERR, "[listener %s] cannot listen on %.*s: %s%s", listener->name, (int)len, text,
                   strerror(-error), error == -EADDRINUSE ? "; another program does" : "");
        return error;
    }
    return 0;
}

void stream_unlisten(struct stream *stream)
{
    for (unsigned i = 0; i < stream->sockets_n; i++) {
        struct stream_socket *socket = &stream->sockets[i];
        if (socket->stream == NULL || socket->fd < 0)
            continue;
        if (event_initialized(&socket->event))
            event_del(&socket->event);
        close(socket->fd);
        socket->fd = -1;
    }
    if (stream->reserve >= 0)
        close(stream->reserve);
    stream->reserve = -1;
}

void stream_want_files(uint32_t connections)
{
    rlim_t wanted = (rlim_t)connections + FILES_OTHER;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    rlim_t before = limit.rlim_max;
    limit.rlim_cur = wanted;
    if (limit.rlim_max < wanted)
        limit.rlim_max = wanted; // takes CAP_SYS_RESOURCE
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return;
    limit.rlim_cur = limit.rlim_max = before;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    STREAM_LOG(WARNING,
               "[stream] connections_max = %u needs %llu open files, but this process may have %llu: raise "
               "its limit (LimitNOFILE=, ulimit -n), or more are turned away",
               connections, (unsigned long long)wanted, (unsigned long long)before);
}
