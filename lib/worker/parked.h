// parked: the question that a parked message waits for, written behind the message.
//
// A worker that must know a name first gives the message to control (PACKET_RESOLVE on its punt ring). The name lies in
// the message or in a configuration that may be gone by then, so it travels in the buffer's tail room: no byte of the
// message changes, and its length stays. Whoever holds the mbuf may call these. Cost: a copy of the name.
#ifndef WORKER_PARKED_H
#define WORKER_PARKED_H

#include <rte_mbuf.h>
#include <string.h>

#include "base/slice.h"

#define PARKED_NAME_MAX 255
#define PARKED_TIMES_MAX \
    4 // packet->parks: a number, what it leads to, a second try of each; then it waits no more

// struct name_question in plain values.
struct parked {
    struct slice name; // points into the mbuf once read
    uint16_t port;
    uint8_t kind;
    uint8_t transport;
};

struct parked_head {
    uint16_t port;
    uint8_t kind, transport;
    uint8_t len; // bytes of name behind it
};

static inline char *parked_at(struct rte_mbuf *mbuf)
{
    return rte_pktmbuf_mtod_offset(mbuf, char *, rte_pktmbuf_data_len(mbuf));
}

// False: the mbuf has several segments, or no room behind its bytes, or the name is longer than PARKED_NAME_MAX.
static inline bool packet_park_write(struct rte_mbuf *mbuf, const struct parked *parked)
{
    struct parked_head head = {parked->port, parked->kind, parked->transport, (uint8_t)parked->name.len};

    if (mbuf->nb_segs != 1 || parked->name.len > PARKED_NAME_MAX ||
        rte_pktmbuf_tailroom(mbuf) < sizeof(head) + parked->name.len)
        return false;
    memcpy(parked_at(mbuf), &head, sizeof(head));
    if (parked->name.len > 0)
        memcpy(parked_at(mbuf) + sizeof(head), parked->name.at, parked->name.len);
    return true;
}

// What packet_park_write wrote, as long as nobody changed the mbuf.
static inline void packet_park_read(struct rte_mbuf *mbuf, struct parked *parked)
{
    struct parked_head head;

    memcpy(&head, parked_at(mbuf), sizeof(head));
    *parked = (struct parked){slice_of(parked_at(mbuf) + sizeof(head), head.len), head.port, head.kind,
                              head.transport};
}

#endif
