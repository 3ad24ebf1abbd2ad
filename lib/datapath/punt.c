#include "datapath/stage.h"
#include "location/location.h"

void datapath_punt(struct worker *worker, struct rte_mbuf *mbuf, enum packet_errand errand)
{
    struct packet *packet = packet_of(mbuf);

    if (errand == PACKET_FRAME && !worker->ports[packet->port].has_twin) {
        worker_drop(worker, mbuf, DROP_NO_TWIN);
        return;
    }
    packet->errand = (uint8_t)errand;
    if (rte_ring_enqueue(worker->punt, mbuf) != 0) {
        worker_drop(worker, mbuf, errand == PACKET_FRAME ? DROP_PUNT_FULL : DROP_RESOLVE_FULL);
        return;
    }
    if (errand == PACKET_FRAME)
        worker->counters.port[packet->port].punted++;
    worker->counters.punt_high = RTE_MAX(worker->counters.punt_high, (uint64_t)rte_ring_count(worker->punt));
}

// Does what each packet's errand asks: a message is served, a datagram wants its headers, a frame leaves as it is.
static void carry_out(struct worker *worker, struct rte_mbuf *const *mbufs, unsigned n)
{
    struct burst datagrams = {.n = 0};
    struct burst messages = {.n = 0};

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
