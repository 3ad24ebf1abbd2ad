#include <rte_prefetch.h>

#include "datapath/stage.h"
#include "location/location.h"

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
        if (packet->errand == PACKET_SERVE) {
            if (packet->steered.has_aor)
                location_prefetch_bucket(worker->location, packet->steered.aor);
            messages.mbuf[messages.n++] = mbufs[i];
        } else if (packet->errand == PACKET_DATAGRAM)
            datagrams.mbuf[datagrams.n++] = mbufs[i];
        else
            datapath_tx(worker, packet->port, mbufs[i]);
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
