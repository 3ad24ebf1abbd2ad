#include "generator_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#define KERNEL_QUEUE (4 * 1024 * 1024) // bytes; a window of a few thousand messages must fit

static socklen_t to_sockaddr(const struct endpoint *e, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof(*to));
    if (e->family == ENDPOINT_IP4) {
        struct sockaddr_in *in = (struct sockaddr_in *)to;
        in->sin_family = AF_INET;
        in->sin_port = htons(e->port);
        memcpy(&in->sin_addr, e->address, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(e->port);
    memcpy(&in6->sin6_addr, e->address, 16);
    return sizeof(*in6);
}

static void enlarge_queue(int fd, int forced, int limited)
{
    int bytes = KERNEL_QUEUE;

    // Beyond the limit with CAP_NET_ADMIN, up to it without.
    if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) != 0)
        (void)setsockopt(fd, SOL_SOCKET, limited, &bytes, sizeof(bytes));
}

static void point_batch(struct mmsghdr *headers, struct iovec *parts, char (*text)[MESSAGE_MAX])
{
    for (unsigned i = 0; i < SOCKET_BATCH; i++) {
        parts[i] = (struct iovec){text[i], MESSAGE_MAX};
        headers[i].msg_hdr.msg_iov = &parts[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
}

int batch_socket_open(struct batch_socket *s, const struct endpoint *local, const struct endpoint *server)
{
    struct sockaddr_storage address;

    memset(s, 0, sizeof(*s));
    s->fd = socket(local->family == ENDPOINT_IP4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return -errno;
    enlarge_queue(s->fd, SO_RCVBUFFORCE, SO_RCVBUF);
    enlarge_queue(s->fd, SO_SNDBUFFORCE, SO_SNDBUF);
    socklen_t len = to_sockaddr(local, &address);
    int rc = bind(s->fd, (struct sockaddr *)&address, len);
    if (rc == 0) {
        len = to_sockaddr(server, &address);
        rc = connect(s->fd, (struct sockaddr *)&address, len);
    }
    if (rc != 0) {
        rc = -errno;
        close(s->fd);
        s->fd = -1;
        return rc;
    }
    point_batch(s->out, s->out_parts, s->out_text);
    point_batch(s->in, s->in_parts, s->in_text);
    return 0;
}

void batch_socket_close(struct batch_socket *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

char *batch_socket_buffer(struct batch_socket *s)
{
    if (s->queued == SOCKET_BATCH)
        batch_socket_flush(s);
    return s->out_text[s->queued];
}

void batch_socket_queue(struct batch_socket *s, size_t len)
{
    if (len == 0)
        return;
    s->out_parts[s->queued].iov_len = len;
    s->queued++;
}

void batch_socket_flush(struct batch_socket *s)
{
    unsigned done = 0;

    while (done < s->queued) {
        int n = sendmmsg(s->fd, s->out + done, s->queued - done, 0);
        if (n > 0) {
            done += (unsigned)n;
            s->sent += (uint64_t)n;
        } else if (errno != EINTR) {
            // ECONNREFUSED reports an earlier datagram's ICMP error: this one is skipped too and its
            // retransmission timer brings it back.
            s->refused++;
            done++;
        }
    }
    s->queued = 0;
}

unsigned batch_socket_receive(struct batch_socket *s)
{
    int n = recvmmsg(s->fd, s->in, SOCKET_BATCH, MSG_DONTWAIT, NULL);

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            s->refused++;
        return 0;
    }
    s->received += (uint64_t)n;
    return (unsigned)n;
}
