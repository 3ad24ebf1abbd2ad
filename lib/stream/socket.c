#include "stream/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/address.h"

// A peer that has gone without a word is found by what it does not acknowledge in time, be it one of these probes.
#define PROBE_AFTER_S 120
#define PROBE_EVERY_S 30

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

// Accepted sockets inherit all of these (Linux).
static int tune(int fd, const struct conf *conf)
{
    int error = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);

    if (error == 0)
        error = set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (error == 0)
        error = set(fd, IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER_S);
    if (error == 0)
        error = set(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY_S);
    // What the kernel took and nobody acknowledges is as slow as what it does not take.
    if (error == 0)
        error = set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)(2 * conf->stream_message_ms));
    // Else it lets a peer that does not read have megabytes.
    if (error == 0)
        error = set(fd, SOL_SOCKET, SO_SNDBUF, (int)conf->stream_buffer_max);
    return error;
}

static int bind_to(int fd, struct endpoint address, bool ephemeral)
{
    union socket_address name;
    int error;

    if (address.family == ENDPOINT_IP6) {
        error = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        if (error == 0)
            error = set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
    } else {
        error = set(fd, IPPROTO_IP, IP_FREEBIND, 1);
    }
    // Ports of outgoing connections are chosen when the other side is known: the same one does for several.
    if (error == 0 && ephemeral)
        error = set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (error == 0 && !ephemeral)
        error = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error != 0)
        return error;
    if (ephemeral)
        address.port = 0;
    socklen_t len = stream_socket_address_of(&address, &name);
    return bind(fd, &name.any, len) == 0 ? 0 : -errno;
}

int stream_socket_open(const struct stream *stream, uint8_t listener, bool ephemeral)
{
    const struct endpoint *address = &stream->conf->listeners[listener].address;
    int fd = socket(address->family == ENDPOINT_IP6 ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    int error = tune(fd, stream->conf);
    if (error == 0)
        error = bind_to(fd, *address, ephemeral);
    if (error == 0)
        return fd;
    close(fd);
    return error;
}
