#include <rte_ethdev.h>

#include "datapath/stage.h"

static void flush_port(struct worker *worker, unsigned port)
{
    struct worker_port *p = &worker->ports[port];
    struct counters_port *counters = &worker->counters.port[port];
    unsigned sent = 0;
    uint64_t bytes = 0;

    for (unsigned i = 0; i < p->tx_n; i++)
        bytes += p->tx[i]->pkt_len;
    // A queue that takes some is asked again: drivers clean their ring while they send.
    for (unsigned tries = 0; sent < p->tx_n && tries < 4; tries++)
        sent += rte_eth_tx_burst(p->id, p->tx_queue, p->tx + sent, (uint16_t)(p->tx_n - sent));
    for (unsigned i = sent; i < p->tx_n; i++) {
        bytes -= p->tx[i]->pkt_len;
        worker_drop(worker, p->tx[i], DROP_TX_FULL);
    }
    counters->tx_packets += sent;
    counters->tx_bytes += bytes;
    p->tx_n = 0;
}

void datapath_tx(struct worker *worker, unsigned port, struct rte_mbuf *mbuf)
{
    struct worker_port *p = &worker->ports[port];

    if (p->tx_queue == WORKER_NO_QUEUE) {
        packet_of(mbuf)->port = (uint16_t)port;
        datapath_hand_over(worker, p->tx_worker, mbuf, PACKET_FRAME);
        return;
    }
    p->tx[p->tx_n++] = mbuf;
    if (p->tx_n == RTE_DIM(p->tx))
        flush_port(worker, port);
}

void datapath_tx_flush(struct worker *worker)
{
    for (unsigned port = 0; port < worker->conf->ports_n; port++) {
        if (worker->ports[port].tx_n > 0)
            flush_port(worker, port);
    }
}
