// What phones send on the SIP port to keep a NAT's hole open, and what is no SIP at all. It is answered here, in the
// receive burst and in its own buffer: nothing of it concerns a role.
//
// Drops: KEEPALIVE, STUN, EDIT_ROOM.
#include "datapath/stage.h"
#include "net/stun.h"

#define PING     "\r\n\r\n" // RFC 5626 3.5.1: for streams, and sent over UDP all the same
#define PONG     "\r\n"
#define IDLE_MAX 4 // bytes of CR, LF and NUL, or none, that are somebody's way to keep a hole open

static bool is_idle(const char *bytes, unsigned len)
{
    if (len > IDLE_MAX)
        return false;
    for (unsigned i = 0; i < len; i++) {
        if (bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != 0)
            return false;
    }
    return true;
}

// Puts the answer where the datagram was, to go back by the way it came.
static void answer(struct worker *worker, struct rte_mbuf *mbuf, const void *bytes, unsigned len,
                   struct burst *answers)
{
    struct packet *packet = packet_of(mbuf);

    mbuf->data_off = (uint16_t)(mbuf->data_off + packet->frame.payload);
    mbuf->data_len = 0;
    mbuf->pkt_len = 0;
    char *to = rte_pktmbuf_append(mbuf, (uint16_t)len);
    if (to == NULL) {
        worker_drop(worker, mbuf, DROP_EDIT_ROOM);
        return;
    }
    memcpy(to, bytes, len);
    packet->to = packet->arrival.source;
    packet->listener = packet->arrival.listener;
    worker->counters.keepalives++;
    answers->mbuf[answers->n++] = mbuf;
}

static void serve_stun(struct worker *worker, struct rte_mbuf *mbuf, const char *bytes, unsigned len,
                       struct burst *answers)
{
    uint8_t text[NET_STUN_ANSWER_MAX];
    unsigned text_len;

    switch (net_stun_serve(bytes, len, &packet_of(mbuf)->arrival.source, text, &text_len)) {
    case NET_STUN_REQUEST:
        answer(worker, mbuf, text, text_len, answers);
        break;
    case NET_STUN_INDICATION:
        worker_drop(worker, mbuf, DROP_KEEPALIVE);
        break;
    default:
        worker_drop(worker, mbuf, DROP_STUN);
    }
}

bool datapath_keepalive(struct worker *worker, struct rte_mbuf *mbuf, struct burst *answers)
{
    const char *bytes = rte_pktmbuf_mtod_offset(mbuf, const char *, packet_of(mbuf)->frame.payload);
    unsigned len = packet_of(mbuf)->frame.payload_len;

    if (len == sizeof(PING) - 1 && memcmp(bytes, PING, len) == 0)
        answer(worker, mbuf, PONG, sizeof(PONG) - 1, answers);
    else if (is_idle(bytes, len))
        worker_drop(worker, mbuf, DROP_KEEPALIVE);
    else if (net_stun_begins((uint8_t)bytes[0]))
        serve_stun(worker, mbuf, bytes, len, answers);
    else
        return false; // a message may have empty lines in front (RFC 3261 7.5)
    return true;
}
