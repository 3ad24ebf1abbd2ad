#include "datapath/stage.h"

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
