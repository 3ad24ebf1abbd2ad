#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "datapath/stage.h"

void datapath_rx(struct worker *worker, unsigned port, struct burst *burst)
{
    struct worker_port *p = &worker->ports[port];
    struct counters_port *counters = &worker->counters.port[port];

    if (p->rx_queue == WORKER_NO_QUEUE) {
        burst->n = 0;
        return;
    }
    burst->n = rte_eth_rx_burst(p->id, p->rx_queue, burst->mbuf, WORKER_BURST);
    counters->rx_packets += burst->n;
    for (unsigned i = 0; i < burst->n; i++) {
        struct rte_mbuf *mbuf = burst->mbuf[i];
        rte_prefetch0(rte_pktmbuf_mtod(mbuf, void *));
        rte_prefetch0(packet_of(mbuf));
        counters->rx_bytes += mbuf->pkt_len;
        packet_of(mbuf)->port = (uint16_t)port;
    }
}
