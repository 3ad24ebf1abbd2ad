// What roles keep and send beside the message in hand: a buffer is an mbuf of one segment with one reference for the
// role, and one more for each time that it is under way.
//
// A kept mbuf is sent as it is, with headers put in front of it in place, as long as nobody else holds it. While
// somebody does (a driver that frees its ring late, another worker's transmit queue, control that waits for a MAC),
// the bytes in front of the message are the frame on its way and must not be written: then a copy goes out. A copy
// costs a few hundred bytes once in a while; an indirect mbuf behind a header of its own would need two buffers and a
// port that takes segments.
#include "datapath/datapath.h"
#include "datapath/stage.h"
#include "net/encap.h"
#include "sip/edit.h"

#define SPARE_BYTES 512 // of a message of a role's own: nearly all

_Static_assert(RTE_PKTMBUF_HEADROOM >= NET_ENCAP_MAX, "a new message has room for its headers");

static struct rte_mbuf *mbuf_of(const struct buffer *buffer)
{
    return (struct rte_mbuf *)(uintptr_t)buffer;
}

static bool is_large(const struct rte_mbuf *mbuf)
{
    return mbuf->buf_len >= WORKER_LARGE_ROOM;
}

static struct slice message_of(const struct rte_mbuf *mbuf)
{
    const struct packet *packet = rte_mbuf_to_priv((struct rte_mbuf *)(uintptr_t)mbuf);

    return slice_of((const char *)mbuf->buf_addr + packet->kept_at, packet->kept_len);
}

// An empty buffer for so many bytes; NULL: none is left, or there is none so large.
static struct rte_mbuf *take(struct worker *worker, uint32_t bytes)
{
    struct rte_mempool *pools[] = {worker->pool, worker->large, worker->longest};

    for (unsigned i = 0; i < RTE_DIM(pools); i++) {
        if (pools[i] != NULL && bytes + RTE_PKTMBUF_HEADROOM <= rte_pktmbuf_data_room_size(pools[i]))
            return rte_pktmbuf_alloc(pools[i]);
    }
    return NULL;
}

// The message in `mbuf`, `len` bytes from its data on, is now kept.
static struct buffer *hold(struct worker *worker, struct rte_mbuf *mbuf)
{
    struct packet *packet = packet_of(mbuf);

    packet->kept_at = mbuf->data_off;
    packet->kept_len = mbuf->data_len;
    packet->kept_port = packet->port;
    packet->kept_indexed = false;
    worker->kept++;
    worker->kept_large += is_large(mbuf);
    return (struct buffer *)mbuf;
}

// Whether there is a place for one more. Calls that are known may go beyond their share as long as receiving does not
// suffer; large buffers are few and are needed to join segments.
static bool may_hold(const struct worker *worker, bool large)
{
    if (large && worker->kept_large >= worker->kept_large_max)
        return false;
    return !worker->pools_low || worker->kept < worker->kept_max;
}

// The same message in another buffer.
static struct rte_mbuf *duplicate(struct worker *worker, struct slice message, const struct packet *packet)
{
    struct rte_mbuf *copy = take(worker, message.len);

    if (copy == NULL)
        return NULL;
    memcpy(rte_pktmbuf_append(copy, (uint16_t)message.len), message.at, message.len);
    struct packet *to = packet_of(copy);
    to->arrival = packet->arrival;
    to->port = packet->port; // of one that is kept, outlet_send sets it right
    to->vlan = packet->vlan;
    to->vlan_outer = packet->vlan_outer;
    to->kept_arrived = packet->kept_arrived;
    return copy;
}

struct buffer *datapath_keep(struct worker *worker, struct rte_mbuf *mbuf)
{
    struct packet *packet = packet_of(mbuf);

    packet->kept_arrived = true;
    // A large buffer is not held for half a minute by what fits an ordinary one.
    bool shrinks =
        is_large(mbuf) && mbuf->data_len + RTE_PKTMBUF_HEADROOM <= rte_pktmbuf_data_room_size(worker->pool);
    if (may_hold(worker, is_large(mbuf) && !shrinks)) {
        struct slice message = slice_of(rte_pktmbuf_mtod(mbuf, const char *), mbuf->data_len);
        struct rte_mbuf *kept = shrinks ? duplicate(worker, message, packet) : mbuf;
        if (kept == mbuf)
            rte_mbuf_refcnt_update(mbuf, 1);
        if (kept != NULL)
            return hold(worker, kept);
    }
    worker->counters.kept_refused++;
    return NULL;
}

// An ordinary buffer that was last used half a minute ago is in no cache: its lines are asked for while the message
// before it is on its way.
static void prepare_spare(struct worker *worker)
{
    if (worker->spare == NULL)
        worker->spare = rte_pktmbuf_alloc(worker->pool);
    if (worker->spare == NULL)
        return;
    const char *packet = (const char *)packet_of(worker->spare);
    const char *bytes = rte_pktmbuf_mtod(worker->spare, const char *);

    for (unsigned at = 0; at < offsetof(struct packet, steered); at += RTE_CACHE_LINE_SIZE)
        __builtin_prefetch(packet + at, 1);
    for (unsigned at = 0; at < SPARE_BYTES; at += RTE_CACHE_LINE_SIZE)
        __builtin_prefetch(bytes + at, 1);
}

static struct rte_mbuf *take_spare(struct worker *worker)
{
    struct rte_mbuf *mbuf = worker->spare;

    worker->spare = NULL;
    return mbuf != NULL ? mbuf : rte_pktmbuf_alloc(worker->pool);
}

static struct rte_mbuf *write_edited(struct rte_mbuf *mbuf, struct slice source, struct sip_edits *edits,
                                     enum sip_error *error)
{
    uint32_t len;

    if (mbuf == NULL)
        return NULL;
    *error = sip_edits_write(edits, source, rte_pktmbuf_mtod(mbuf, char *), rte_pktmbuf_tailroom(mbuf), &len);
    if (*error != SIP_OK) {
        rte_pktmbuf_free(mbuf);
        return NULL;
    }
    mbuf->data_len = (uint16_t)len;
    mbuf->pkt_len = len;
    return mbuf;
}

static struct buffer *outlet_copy(void *owner, struct slice source, struct sip_edits *edits,
                                  const struct arrival *arrival)
{
    struct worker *worker = owner;
    struct rte_mbuf *mbuf = NULL;
    enum sip_error error = SIP_OK;

    if (may_hold(worker, false))
        mbuf = write_edited(take_spare(worker), source, edits, &error);
    if (error != SIP_OK && may_hold(worker, true))
        mbuf = write_edited(rte_pktmbuf_alloc(worker->large), source, edits, &error);
    if (error != SIP_OK && worker->longest != NULL && may_hold(worker, true))
        mbuf = write_edited(rte_pktmbuf_alloc(worker->longest), source, edits, &error);
    sip_edits_clear(edits);
    prepare_spare(worker);
    if (mbuf == NULL) {
        worker->counters.kept_refused++;
        return NULL;
    }
    struct packet *packet = packet_of(mbuf);
    packet->kept_arrived = arrival != NULL;
    if (arrival != NULL)
        packet->arrival = *arrival;
    packet->port = 0; // it came in by no port, so there is no tag to keep
    packet->vlan = packet->vlan_outer = 0;
    return hold(worker, mbuf);
}

static void count(struct counters *counters, uint16_t status)
{
    if (status == 0)
        counters->sent_requests++;
    else
        counters->sent_responses[status / 100 % COUNTERS_STATUS_CLASSES]++;
}

static void outlet_send(void *owner, struct buffer *buffer, const struct endpoint *to, uint8_t listener,
                        uint16_t status)
{
    struct worker *worker = owner;
    struct rte_mbuf *mbuf = mbuf_of(buffer);
    const struct packet *packet = packet_of(mbuf);

    count(&worker->counters, status);
    if (rte_mbuf_refcnt_read(mbuf) > 1) {
        worker->counters.sent_copies++;
        mbuf = duplicate(worker, message_of(mbuf), packet);
        if (mbuf == NULL) {
            worker->counters.drops[DROP_NO_MBUF]++;
            return;
        }
    } else {
        // Headers were put in front, and fragmenting took some of them off again.
        mbuf->data_off = packet->kept_at;
        mbuf->data_len = packet->kept_len;
        mbuf->pkt_len = packet->kept_len;
        rte_mbuf_refcnt_update(mbuf, 1);
    }
    packet_of(mbuf)->port = packet->kept_port;
    packet_of(mbuf)->to = *to;
    packet_of(mbuf)->listener = listener;
    worker->outgoing[worker->outgoing_n++] = mbuf;
    if (worker->outgoing_n == RTE_DIM(worker->outgoing))
        datapath_outlet_flush(worker);
}

static const struct sip_message *outlet_index(void *owner, struct buffer *buffer)
{
    struct packet *packet = packet_of(mbuf_of(buffer));
    struct slice bytes = message_of(mbuf_of(buffer));

    (void)owner;
    if (!packet->kept_indexed)
        packet->kept_indexed = sip_message_parse(&packet->message, bytes.at, bytes.len) == SIP_OK &&
                               sip_message_check(&packet->message) == SIP_OK;
    return packet->kept_indexed ? &packet->message : NULL;
}

static const struct arrival *outlet_arrival(void *owner, const struct buffer *buffer)
{
    const struct packet *packet = packet_of(mbuf_of(buffer));

    (void)owner;
    return packet->kept_arrived ? &packet->arrival : NULL;
}

static void outlet_release(void *owner, struct buffer *buffer)
{
    struct worker *worker = owner;

    if (buffer == NULL)
        return;
    worker->kept--;
    worker->kept_large -= is_large(mbuf_of(buffer));
    // One segment, and its `next` lies in another line than all that is asked for here.
    if (rte_mbuf_refcnt_read(mbuf_of(buffer)) == 1 && RTE_MBUF_DIRECT(mbuf_of(buffer)))
        rte_mbuf_raw_free(mbuf_of(buffer));
    else
        rte_pktmbuf_free(mbuf_of(buffer));
}

static bool outlet_room(void *owner, unsigned buffers)
{
    const struct worker *worker = owner;

    return !worker->pools_low && worker->kept + buffers <= worker->kept_max;
}

struct outlet datapath_outlet(struct worker *worker)
{
    return (struct outlet){.owner = worker,
                           .copy = outlet_copy,
                           .send = outlet_send,
                           .index = outlet_index,
                           .arrival = outlet_arrival,
                           .release = outlet_release,
                           .room = outlet_room};
}

void datapath_outlet_flush(struct worker *worker)
{
    struct burst burst = {.n = worker->outgoing_n};

    if (burst.n == 0)
        return;
    memcpy(burst.mbuf, worker->outgoing, burst.n * sizeof(burst.mbuf[0]));
    worker->outgoing_n = 0;
    datapath_encap(worker, &burst);
}
