#include "datapath/stage.h"
#include "worker/parked.h"
#include "worker/verdict.h"

static enum drop drop_of(enum packet_errand errand)
{
    switch (errand) {
    case PACKET_FRAME:
        return DROP_PUNT_FULL;
    case PACKET_RESOLVE:
        return DROP_PARK_FULL;
    default:
        return DROP_RESOLVE_FULL;
    }
}

void datapath_punt(struct worker *worker, struct rte_mbuf *mbuf, enum packet_errand errand)
{
    struct packet *packet = packet_of(mbuf);

    if (errand == PACKET_FRAME && !worker->ports[packet->port].has_twin) {
        worker_drop(worker, mbuf, DROP_NO_TWIN);
        return;
    }
    packet->errand = (uint8_t)errand;
    packet->arrival.worker = worker->id; // to whom it comes back
    if (rte_ring_enqueue(worker->punt, mbuf) != 0) {
        worker_drop(worker, mbuf, drop_of(errand));
        return;
    }
    if (errand == PACKET_FRAME)
        worker->counters.port[packet->port].punted++;
    worker->counters.punt_high = RTE_MAX(worker->counters.punt_high, (uint64_t)rte_ring_count(worker->punt));
}

void datapath_park(struct worker *worker, struct rte_mbuf *mbuf, const struct verdict *verdict)
{
    const struct parked parked = {verdict->name, verdict->name_port, verdict->name_kind};
    struct packet *packet = packet_of(mbuf);

    if (packet->parks++ == PARKED_TIMES_MAX || !packet_park_write(mbuf, &parked)) {
        worker_drop(worker, mbuf, DROP_PARK_FULL);
        return;
    }
    worker->counters.parked++;
    datapath_punt(worker, mbuf, PACKET_RESOLVE);
}
