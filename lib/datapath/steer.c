#include "datapath/stage.h"
#include "location/location.h"
#include "role/role.h"

void datapath_hand_over(struct worker *worker, unsigned to, struct rte_mbuf *mbuf, enum packet_errand errand)
{
    packet_of(mbuf)->errand = (uint8_t)errand;
    if (rte_ring_enqueue(worker->workers[to]->mailbox, mbuf) != 0)
        worker_drop(worker, mbuf, DROP_MAILBOX_FULL);
    else
        worker->counters.handed_over++;
}

void datapath_steer(struct worker *worker, struct burst *burst)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < burst->n; i++) {
        struct rte_mbuf *mbuf = burst->mbuf[i];
        struct packet *packet = packet_of(mbuf);
        struct steered *steered = &packet->steered;

        role_steer(worker->role, &packet->message, worker->workers_n, steered);
        if (steered->worker != worker->id) {
            datapath_hand_over(worker, steered->worker, mbuf, PACKET_SERVE);
            continue;
        }
        if (steered->has_aor)
            location_prefetch_bucket(worker->location, steered->aor);
        burst->mbuf[kept++] = mbuf;
    }
    burst->n = (uint16_t)kept;
}
