#include "net/encap.h"

#include <rte_cycles.h>
#include <rte_prefetch.h>

#include "datapath/stage.h"
#include "net/fragment.h"
#include "net/nexthop.h"

#define TTL           64
#define DSCP_CS3      24  // signalling (RFC 4594 3.2)
#define FRAGMENTS_MAX 128 // of one datagram: the longest that there can be over an MTU of 576 has 119

static void send_fragments(struct worker *worker, struct rte_mbuf *mbuf, const struct net_hop *hop)
{
    struct rte_mbuf *fragments[FRAGMENTS_MAX];
    struct net_fragmentation how = {
        .direct = worker->pool,
        .indirect = worker->indirect,
        .tx_offloads = worker->ports[hop->port].tx_offloads,
        .id = worker->ip6_id++,
        .mtu = hop->mtu,
    };

    int n = net_fragment(mbuf, &how, fragments, FRAGMENTS_MAX);
    if (n < 0) {
        worker_drop(worker, mbuf, DROP_FRAGMENT_OUT);
        return;
    }
    worker->counters.fragmented++;
    for (int i = 0; i < n; i++)
        datapath_tx(worker, hop->port, fragments[i]);
}

static void send(struct worker *worker, struct rte_mbuf *mbuf, const struct net_hop *hop)
{
    struct packet *packet = packet_of(mbuf);
    // A tag belongs to its link: it is kept when the message leaves by the port it came in on.
    bool same_port = packet->port == hop->port;
    struct net_encap how = {
        .hop = hop,
        .source = &worker->conf->listeners[packet->listener].address,
        .destination = &packet->to,
        .tx_offloads = worker->ports[hop->port].tx_offloads,
        .id = &worker->ip4_id,
        .vlan = same_port ? packet->vlan : 0,
        .vlan_outer = same_port ? packet->vlan_outer : 0,
        .ttl = TTL,
        .dscp = DSCP_CS3,
    };

    int outcome = net_encap(mbuf, &how);
    if (outcome == 0)
        datapath_tx(worker, hop->port, mbuf);
    else if (outcome > 0)
        send_fragments(worker, mbuf, hop);
    else
        datapath_unsent(worker, mbuf, outcome == -EINVAL ? DROP_NO_ROUTE : DROP_EDIT_ROOM);
}

void datapath_encap(struct worker *worker, struct burst *burst)
{
    struct net_hop *hops[WORKER_BURST];
    uint64_t since = rte_rdtsc();
    unsigned datagrams = 0;

    for (unsigned i = 0; i < burst->n; i++) {
        struct rte_mbuf *mbuf = burst->mbuf[i];
        const struct endpoint *to = &packet_of(mbuf)->to;
        if (endpoint_is_stream(to)) { // the kernel's to carry
            datapath_punt(worker, mbuf, PACKET_STREAM);
            continue;
        }
        hops[datagrams] = net_hop_at(worker->hops, net_hops_find(worker->hops, to));
        rte_prefetch0(hops[datagrams]);
        burst->mbuf[datagrams++] = mbuf;
    }
    for (unsigned i = 0; i < datagrams; i++) {
        struct net_hop *hop = hops[i];
        switch (__atomic_load_n(&hop->state, __ATOMIC_ACQUIRE)) {
        case NET_HOP_READY:
            // Written once a while only: the line is shared with all workers.
            if (!hop->used)
                hop->used = 1;
            send(worker, burst->mbuf[i], hop);
            break;
        case NET_HOP_LINK:
        case NET_HOP_RESOLVING:
            // The kernel resolves what has no MAC yet; control keeps the datagram meanwhile.
            datapath_punt(worker, burst->mbuf[i], PACKET_DATAGRAM);
            break;
        default:
            if (packet_of(burst->mbuf[i])->to.family == ENDPOINT_NONE)
                datapath_punt(worker, burst->mbuf[i], PACKET_ANSWER);
            else
                datapath_unsent(worker, burst->mbuf[i], DROP_NO_ROUTE);
        }
    }
    counters_stage_add(&worker->counters.stage[STAGE_ENCAP], rte_rdtsc() - since, burst->n);
    burst->n = 0;
}
