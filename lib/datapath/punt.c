#include "datapath/stage.h"
#include "worker/parked.h"
#include "worker/verdict.h"

// False: control is behind, and the mbuf stays the caller's.
static bool give(struct worker *worker, struct rte_mbuf *mbuf, enum packet_errand errand)
{
    struct packet *packet = packet_of(mbuf);

    packet->errand = (uint8_t)errand;
    packet->arrival.worker = worker->id; // to whom it comes back
    if (rte_ring_enqueue(worker->punt, mbuf) != 0)
        return false;
    worker->counters.punt_high = RTE_MAX(worker->counters.punt_high, (uint64_t)rte_ring_count(worker->punt));
    return true;
}

static void refuse(struct worker *worker, struct rte_mbuf *mbuf, enum packet_errand errand)
{
    if (errand == PACKET_STREAM)
        datapath_unsent(worker, mbuf, DROP_STREAM_FULL);
    else
        worker_drop(worker, mbuf, errand == PACKET_FRAME ? DROP_PUNT_FULL : DROP_RESOLVE_FULL);
}

void datapath_punt(struct worker *worker, struct rte_mbuf *mbuf, enum packet_errand errand)
{
    uint16_t port = packet_of(mbuf)->port;
    bool frame = errand == PACKET_FRAME;

    if (frame && !worker->ports[port].has_twin)
        worker_drop(worker, mbuf, DROP_NO_TWIN);
    else if (!give(worker, mbuf, errand))
        refuse(worker, mbuf, errand);
    else if (frame)
        worker->counters.port[port].punted++;
}

bool datapath_park(struct worker *worker, struct rte_mbuf *mbuf, const struct verdict *verdict)
{
    const struct parked parked = {verdict->name, verdict->name_port, verdict->name_kind,
                                  verdict->name_transport};
    bool waits = packet_of(mbuf)->parks++ < PARKED_TIMES_MAX && packet_park_write(mbuf, &parked) &&
                 give(worker, mbuf, PACKET_RESOLVE);

    if (waits)
        worker->counters.parked++;
    else
        worker->counters.nameless++;
    return waits;
}
