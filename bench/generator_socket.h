// generator_socket: a connected UDP socket of the kernel's that sends and receives in batches.
//
// Messages are written straight into the batch's own buffers; a batch leaves with one call where the
// messages are of one size, with sendmmsg() otherwise. One thread.
#ifndef BENCH_GENERATOR_SOCKET_H
#define BENCH_GENERATOR_SOCKET_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/endpoint.h"
#include "generator_message.h"

#define SOCKET_BATCH 64

union segment_control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(uint16_t))];
};

struct batch_socket {
    int fd;
    bool segments;   // the kernel takes several equal messages in one call
    unsigned queued; // messages written and not yet sent
    uint64_t sent;   // messages the kernel took
    uint64_t received;
    uint64_t refused;                 // sends and receives that met an ICMP error or a full queue
    struct mmsghdr out[SOCKET_BATCH]; // one for each run of equal messages
    union segment_control out_control[SOCKET_BATCH];
    struct iovec out_parts[SOCKET_BATCH]; // in the order of sending
    size_t out_len[SOCKET_BATCH];         // in the order of queuing
    char out_text[SOCKET_BATCH][MESSAGE_MAX];
    struct mmsghdr in[SOCKET_BATCH];
    struct iovec in_parts[SOCKET_BATCH];
    char in_text[SOCKET_BATCH][MESSAGE_MAX];
};

// Binds to `local`, connects to `server`. 0 or -errno.
int batch_socket_open(struct batch_socket *s, const struct endpoint *local, const struct endpoint *server);
void batch_socket_close(struct batch_socket *s);

// MESSAGE_MAX bytes to write the next message into; flushes first when the batch is full.
char *batch_socket_buffer(struct batch_socket *s);
// The message written there is `len` bytes long and goes with the batch; 0 forgets it.
void batch_socket_queue(struct batch_socket *s, size_t len);
// The next n messages go in one batch, in their order unless their lengths make others go first. What is queued
// apart may overtake.
void batch_socket_together(struct batch_socket *s, unsigned n);
void batch_socket_flush(struct batch_socket *s);

// What has arrived, without waiting: the number of messages, each read with batch_socket_message().
unsigned batch_socket_receive(struct batch_socket *s);

static inline struct slice batch_socket_message(const struct batch_socket *s, unsigned i)
{
    return slice_of(s->in_text[i], s->in[i].msg_len);
}

#endif
