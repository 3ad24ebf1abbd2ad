#include <rte_prefetch.h>

#include "datapath/stage.h"

#define PREFETCH_AHEAD 2    // messages
#define PREFETCH_BYTES 1024 // of a message: the head of nearly all
#define PREFETCH_INDEX 384  // bytes: the fixed part and 32 header lines

// The payload in one piece. A message in several segments, rare, is copied once into a large buffer.
static struct rte_mbuf *contiguous(struct worker *worker, struct rte_mbuf *mbuf)
{
    struct packet *packet = packet_of(mbuf);
    uint32_t whole = (uint32_t)packet->frame.payload + packet->frame.payload_len;

    if (mbuf->data_len >= whole)
        return mbuf;
    struct rte_mbuf *large = rte_pktmbuf_alloc(worker->large);
    if (large == NULL) {
        worker_drop(worker, mbuf, DROP_LINEARISE);
        return NULL;
    }
    // A datagram may be longer than any message: what is behind the longest one is of no interest to the parser.
    uint32_t len = RTE_MIN(whole, (uint32_t)rte_pktmbuf_tailroom(large));
    char *to = rte_pktmbuf_append(large, (uint16_t)len);
    const char *from = rte_pktmbuf_read(mbuf, 0, len, to);
    if (from != to)
        memcpy(to, from, len);
    struct packet *copy = packet_of(large);
    copy->frame = packet->frame;
    copy->arrival = packet->arrival;
    copy->port = packet->port;
    copy->vlan = packet->vlan;
    copy->vlan_outer = packet->vlan_outer;
    copy->frame.payload_len = (uint16_t)(len - copy->frame.payload);
    rte_pktmbuf_free(mbuf);
    worker->counters.linearised++;
    return large;
}

// Every SIP message begins with a letter or another printable byte, unless empty lines come first.
static bool may_be_keepalive(const struct rte_mbuf *mbuf)
{
    const struct packet *packet = rte_mbuf_to_priv((struct rte_mbuf *)(uintptr_t)mbuf);

    return packet->frame.payload_len == 0 ||
           *rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, packet->frame.payload) <= '\r';
}

// Indexes one message. False when nothing can be done with it and it was dropped.
static bool index_message(struct worker *worker, struct rte_mbuf *mbuf)
{
    struct packet *packet = packet_of(mbuf);
    const char *bytes = rte_pktmbuf_mtod_offset(mbuf, const char *, packet->frame.payload);
    uint32_t len = packet->frame.payload_len;
    bool too_long = len > worker->conf->message_max;

    // Of a message that is too long its head is read, so that it can be told so.
    enum sip_error error =
        sip_message_parse(&packet->message, bytes, RTE_MIN(len, worker->conf->message_max));
    if (too_long)
        error = SIP_ERROR_TOO_LONG;
    else if (error == SIP_OK)
        error = sip_message_check(&packet->message);
    packet->parsed = (uint8_t)error;
    if (error == SIP_OK)
        return true;
    worker->counters.parse_errors[error]++;
    if (packet->message.kind == 0) {
        worker_drop(worker, mbuf, DROP_PARSE);
        return false;
    }
    return true;
}

// A message is a dozen cache lines that the NIC wrote, and its index half a dozen that nobody touched since: waited for
// one by one they cost more than parsing does.
void datapath_prefetch(const struct rte_mbuf *mbuf)
{
    const struct packet *packet = rte_mbuf_to_priv((struct rte_mbuf *)(uintptr_t)mbuf);
    const char *bytes = rte_pktmbuf_mtod_offset(mbuf, const char *, packet->frame.payload);
    const char *steered = (const char *)&packet->steered;
    const char *index = (const char *)&packet->message;
    unsigned len = RTE_MIN((unsigned)packet->frame.payload_len, (unsigned)PREFETCH_BYTES);

    for (unsigned at = 0; at < len; at += RTE_CACHE_LINE_SIZE)
        rte_prefetch0(bytes + at);
    for (const char *at = steered; at < index + PREFETCH_INDEX; at += RTE_CACHE_LINE_SIZE)
        __builtin_prefetch(at, 1);
}

void datapath_parse(struct worker *worker, struct burst *burst)
{
    unsigned kept = 0;
    struct burst answers;

    answers.n = 0;
    for (unsigned i = 0; i < PREFETCH_AHEAD && i < burst->n; i++)
        datapath_prefetch(burst->mbuf[i]);
    for (unsigned i = 0; i < burst->n; i++) {
        if (i + PREFETCH_AHEAD < burst->n)
            datapath_prefetch(burst->mbuf[i + PREFETCH_AHEAD]);
        struct rte_mbuf *mbuf = contiguous(worker, burst->mbuf[i]);
        if (mbuf == NULL || (may_be_keepalive(mbuf) && datapath_keepalive(worker, mbuf, &answers)))
            continue;
        if (index_message(worker, mbuf))
            burst->mbuf[kept++] = mbuf;
    }
    burst->n = (uint16_t)kept;
    if (answers.n > 0)
        datapath_encap(worker, &answers);
}
