#include "generator_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>

#define KERNEL_QUEUE  (4 * 1024 * 1024) // bytes; a window of a few thousand messages must fit
#define SEGMENTED_MAX 60000             // bytes of one segmented datagram, below UDP's own limit

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
    s->segments = true;
    for (unsigned i = 0; i < SOCKET_BATCH; i++) {
        s->in_parts[i] = (struct iovec){s->in_text[i], MESSAGE_MAX};
        s->in[i].msg_hdr = (struct msghdr){.msg_iov = &s->in_parts[i], .msg_iovlen = 1};
    }
    return 0;
}

void batch_socket_close(struct batch_socket *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void batch_socket_together(struct batch_socket *s, unsigned n)
{
    if (s->queued + n > SOCKET_BATCH)
        batch_socket_flush(s);
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
    s->out_len[s->queued++] = len;
}

// Brings messages of one length together, each length where it first appears, so that they can leave as one call.
static void arrange(struct batch_socket *s)
{
    unsigned placed = 0;

    for (unsigned i = 0; i < s->queued; i++) {
        size_t len = s->out_len[i];
        for (unsigned j = i; j < s->queued && len != 0; j++) {
            if (s->out_len[j] != len)
                continue;
            s->out_parts[placed++] = (struct iovec){s->out_text[j], len};
            if (j > i)
                s->out_len[j] = 0; // placed already
        }
    }
}

// One header for the messages from `first` on that have one length: the kernel walks its send path once for all of
// them (UDP_SEGMENT, Linux 4.18). Returns how many they are.
static unsigned prepare_run(struct batch_socket *s, unsigned first, unsigned header)
{
    size_t len = s->out_parts[first].iov_len, total = len;
    struct msghdr *out = &s->out[header].msg_hdr;
    unsigned n = 1;

    while (s->segments && first + n < s->queued && s->out_parts[first + n].iov_len == len &&
           (total += len) < SEGMENTED_MAX)
        n++;
    *out = (struct msghdr){.msg_iov = &s->out_parts[first], .msg_iovlen = n};
    if (n > 1) {
        struct cmsghdr *control = &s->out_control[header].header;
        uint16_t size = (uint16_t)len;
        *control = (struct cmsghdr){CMSG_LEN(sizeof(size)), SOL_UDP, UDP_SEGMENT};
        memcpy(CMSG_DATA(control), &size, sizeof(size));
        out->msg_control = control;
        out->msg_controllen = sizeof(s->out_control[header]);
    }
    return n;
}

// Sends the messages from `first` on. Returns how many the kernel took or refused.
static unsigned send_from(struct batch_socket *s, unsigned first)
{
    unsigned headers = 0, messages = 0;

    for (unsigned at = first; at < s->queued; headers++)
        at += prepare_run(s, at, headers);
    int n = sendmmsg(s->fd, s->out, headers, 0);
    if (n < 0 && errno == EINTR)
        return 0;
    if (n < 0 && (errno == EIO || errno == EINVAL) && s->segments) {
        // Kernels before 6.11 refuse segmentation where the device has no checksum offload.
        s->segments = false;
        return 0;
    }
    for (int i = 0; i < n; i++)
        messages += (unsigned)s->out[i].msg_hdr.msg_iovlen;
    s->sent += messages;
    if (n > 0)
        return messages;
    // ECONNREFUSED reports an earlier datagram's ICMP error: this run is skipped too, and the retransmission
    // timers bring it back.
    messages = (unsigned)s->out[0].msg_hdr.msg_iovlen;
    s->refused += messages;
    return messages;
}

void batch_socket_flush(struct batch_socket *s)
{
    arrange(s);
    for (unsigned done = 0; done < s->queued;)
        done += send_from(s, done);
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
