#include <rte_prefetch.h>

#include "datapath/stage.h"
#include "service/service.h"

// A message for this worker. One that was steered under another policy (it waited for a name, or a reload came between)
// is steered anew: its domain has another number now, and perhaps another owner. False: that one has it.
static bool still_ours(struct worker *worker, struct rte_mbuf *mbuf)
{
    struct packet *packet = packet_of(mbuf);

    if (packet->generation == worker->generation)
        return true;
    datapath_steer_one(worker, packet);
    if (packet->steered.worker == worker->id)
        return true;
    datapath_hand_over(worker, packet->steered.worker, mbuf, PACKET_SERVE);
    return false;
}

// The kernel hears of it as well: it is its address.
static void hear_unreachable(struct worker *worker, struct rte_mbuf *mbuf)
{
    datapath_unreachable(worker, mbuf);
    datapath_punt(worker, mbuf, PACKET_FRAME);
}

static void hear_unsent(struct worker *worker, struct rte_mbuf *mbuf)
{
    const struct packet *packet = packet_of(mbuf);
    struct slice bytes = slice_of(rte_pktmbuf_mtod(mbuf, const char *), mbuf->data_len);

    if (service_unsent(worker->role, bytes, &packet->to, packet->listener, &worker->now))
        worker->counters.unreachable++;
    rte_pktmbuf_free(mbuf); // counted by whoever found no way for it
}

// Does what each packet's errand asks: a message is served, a datagram wants its headers, a frame leaves as it is.
static void carry_out(struct worker *worker, struct rte_mbuf *const *mbufs, unsigned n)
{
    struct burst datagrams = {.n = 0};
    struct burst messages = {.n = 0};

    // What comes from another core lies in that core's cache.
    for (unsigned i = 0; i < n; i++)
        rte_prefetch0(packet_of(mbufs[i]));
    for (unsigned i = 0; i < n; i++) {
        if (packet_of(mbufs[i])->errand == PACKET_SERVE)
            datapath_prefetch(mbufs[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        struct packet *packet = packet_of(mbufs[i]);
        switch (packet->errand) {
        case PACKET_SERVE:
            if (!still_ours(worker, mbufs[i]))
                break;
            datapath_prefetch_tables(worker, packet);
            messages.mbuf[messages.n++] = mbufs[i];
            break;
        case PACKET_DATAGRAM:
            datagrams.mbuf[datagrams.n++] = mbufs[i];
            break;
        case PACKET_UNREACHABLE:
            hear_unreachable(worker, mbufs[i]);
            break;
        case PACKET_UNSENT:
            hear_unsent(worker, mbufs[i]);
            break;
        case PACKET_TOUCH:
            service_touch(worker->role, packet->steered.aor);
            rte_pktmbuf_free(mbufs[i]);
            break;
        default:
            datapath_tx(worker, packet->port, mbufs[i]);
        }
    }
    datapath_serve(worker, &messages);
    datapath_encap(worker, &messages);
    datapath_encap(worker, &datagrams);
}

static unsigned take(struct rte_ring *ring, struct rte_mbuf **mbufs, uint64_t *high)
{
    *high = RTE_MAX(*high, (uint64_t)rte_ring_count(ring));
    return rte_ring_dequeue_burst(ring, (void **)mbufs, WORKER_BURST, NULL);
}

unsigned datapath_inject(struct worker *worker)
{
    struct rte_mbuf *mbufs[WORKER_BURST];
    unsigned n = take(worker->inject, mbufs, &worker->counters.inject_high);

    for (unsigned i = 0; i < n; i++) {
        if (packet_of(mbufs[i])->errand == PACKET_FRAME)
            worker->counters.port[packet_of(mbufs[i])->port].injected++;
    }
    carry_out(worker, mbufs, n);
    return n;
}

unsigned datapath_mailbox(struct worker *worker)
{
    struct rte_mbuf *mbufs[WORKER_BURST];
    unsigned n = take(worker->mailbox, mbufs, &worker->counters.mailbox_high);

    carry_out(worker, mbufs, n);
    return n;
}
