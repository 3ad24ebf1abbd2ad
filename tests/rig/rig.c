#include "rig.h"

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/datapath.h"

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "rig: %s: %s\n", what, rte_strerror(rte_errno));
    exit(1);
}

static bool huge_pages_free(void)
{
    FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
    unsigned long pages = 0;

    if (file == NULL)
        return false;
    bool some = fscanf(file, "%lu", &pages) == 1 && pages >= 256;
    fclose(file);
    return some;
}

// Leaves no files: --in-memory, or where --no-huge excludes it in EAL 22.11, --no-shconf.
static void start_eal(char *lcores, bool huge_pages)
{
    char *huge[] = {(char *)"--in-memory"};
    char *small[] = {(char *)"--no-shconf", (char *)"--no-huge", (char *)"-m", (char *)"1024"};
    char *arguments[10] = {(char *)"rig", lcores, (char *)"--no-pci", (char *)"--no-telemetry",
                           (char *)"--log-level=*:error"};
    int n = 5;

    for (unsigned i = 0; i < (huge_pages ? RTE_DIM(huge) : RTE_DIM(small)); i++)
        arguments[n++] = huge_pages ? huge[i] : small[i];
    need(rte_eal_init(n, arguments) >= 0, "EAL");
}

void rig_eal(unsigned workers)
{
    // Worker lcores only have to exist: all run on one core and sleep, the rig's caller turns the workers itself.
    char lcores[32];

    snprintf(lcores, sizeof(lcores), "--lcores=(0-%u)@0", workers);
    start_eal(lcores, false);
}

void rig_eal_parallel(unsigned workers)
{
    char lcores[64];
    int n = snprintf(lcores, sizeof(lcores), "--lcores=(0-1)@0");
    bool huge_pages = huge_pages_free();

    for (unsigned id = 1; id < workers && n < (int)sizeof(lcores); id++)
        n += snprintf(lcores + n, sizeof(lcores) - (size_t)n, ",%u@%u", id + 1, id);
    if (!huge_pages)
        fputs("no huge pages are free: expect more cycles for every cache miss\n", stderr);
    start_eal(lcores, huge_pages);
}

static void make_port(struct rig *rig, unsigned port)
{
    char name[RTE_RING_NAMESIZE];

    for (unsigned queue = 0; queue < rig->queues; queue++) {
        snprintf(name, sizeof(name), "rig_rx%u_%u", port, queue);
        rig->rx[port][queue] = rte_ring_create(name, RIG_RING, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
        snprintf(name, sizeof(name), "rig_tx%u_%u", port, queue);
        rig->tx[port][queue] = rte_ring_create(name, RIG_RING, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
        need(rig->rx[port][queue] != NULL && rig->tx[port][queue] != NULL, "rings");
    }
    snprintf(name, sizeof(name), "rig%u", port); // the driver puts net_ring_ in front
    need(rte_eth_from_rings(name, rig->rx[port], rig->queues, rig->tx[port], rig->queues, 0) >= 0,
         "ring port");
}

void rig_start(struct rig *rig, const char *ini, unsigned queues)
{
    rig_start_with(rig, ini, queues, NULL);
}

void rig_start_with(struct rig *rig, const char *ini, unsigned queues, struct store *store)
{
    struct strowger *strowger = &rig->strowger;

    memset(rig, 0, sizeof(*rig));
    strowger->store = store;
    rig->queues = queues;
    rig->conf = conf_parse(ini, strlen(ini), "rig", stderr);
    need(rig->conf != NULL, "configuration");
    strowger->conf = rig->conf;
    strowger->workers_n = rte_lcore_count() - 1;
    for (unsigned port = 0; port < rig->conf->ports_n; port++)
        make_port(rig, port);
    need(start_store(strowger) == 0 && start_pools(strowger) == 0 && start_tables(strowger) == 0 &&
             start_ports(strowger) == 0 && start_workers(strowger) == 0 && start_presence(strowger) == 0 &&
             start_journals(strowger) == 0,
         "start");
    for (unsigned id = 0; id <= strowger->workers_n; id++)
        rte_rcu_qsbr_thread_register(strowger->qsbr, id);
    for (unsigned id = 0; id < strowger->workers_n; id++)
        rte_rcu_qsbr_thread_online(strowger->qsbr, id);
}

static bool pools_are_whole(const struct strowger *strowger)
{
    bool whole = true;

    for (unsigned node = 0; node < RTE_MAX_NUMA_NODES; node++) {
        struct rte_mempool *const pools[] = {strowger->pool[node], strowger->large[node],
                                             strowger->longest[node], strowger->indirect[node]};
        for (unsigned i = 0; i < RTE_DIM(pools); i++) {
            if (pools[i] == NULL || rte_mempool_full(pools[i]))
                continue;
            fprintf(stderr, "rig: %s lacks %u buffers\n", pools[i]->name, rte_mempool_in_use_count(pools[i]));
            whole = false;
        }
    }
    return whole;
}

void rig_drain(struct rig *rig)
{
    for (unsigned id = 0; !rig->drained && id < rig->strowger.workers_n; id++)
        datapath_drain(rig->strowger.workers[id]);
    rig->drained = true;
}

bool rig_stop(struct rig *rig)
{
    struct strowger *strowger = &rig->strowger;
    struct rte_mbuf *mbuf;

    for (unsigned port = 0; port < rig->conf->ports_n; port++) {
        for (unsigned queue = 0; queue < rig->queues; queue++) {
            while (rte_ring_dequeue(rig->rx[port][queue], (void **)&mbuf) == 0)
                rte_pktmbuf_free(mbuf);
        }
        while ((mbuf = rig_sent(rig, port)) != NULL)
            rte_pktmbuf_free(mbuf);
    }
    rig_drain(rig);
    stop_journals(strowger);
    stop_presence(strowger);
    stop_workers(strowger);
    bool whole = pools_are_whole(strowger);
    stop_ports(strowger);
    for (unsigned port = 0; port < rig->conf->ports_n; port++) {
        // A closed port's device stays on its bus, and with it its name.
        rte_vdev_uninit(rig->conf->ports[port].device);
        for (unsigned queue = 0; queue < rig->queues; queue++) {
            rte_ring_free(rig->rx[port][queue]);
            rte_ring_free(rig->tx[port][queue]);
        }
    }
    stop_tables(strowger);
    stop_pools(strowger);
    stop_store(strowger);
    return whole;
}

void rig_link(struct rig *rig, unsigned port)
{
    struct net_route route = {
        .kind = NET_HOP_LINK, .port = (uint16_t)port, .mtu = rig->conf->ports[port].mtu};

    route.source = rig->strowger.ports[port].mac;
    route.prefix.family = ENDPOINT_IP4;
    need(net_hops_route_put(rig->strowger.hops, &route) == 0, "route");
    route.prefix.family = ENDPOINT_IP6;
    need(net_hops_route_put(rig->strowger.hops, &route) == 0, "route");
}

void rig_gateway(struct rig *rig, unsigned port, const struct endpoint *gateway)
{
    struct net_route route = {.kind = NET_HOP_READY,
                              .port = (uint16_t)port,
                              .mtu = rig->conf->ports[port].mtu,
                              .source = rig->strowger.ports[port].mac,
                              .gateway = *gateway};

    route.gateway.port = 0;
    rig_neighbour(rig, port, gateway);
    route.prefix.family = ENDPOINT_IP4;
    need(net_hops_route_put(rig->strowger.hops, &route) == 0, "route");
    // One gateway serves both families, as with RFC 5549's next hops.
    route.prefix.family = ENDPOINT_IP6;
    need(net_hops_route_put(rig->strowger.hops, &route) == 0, "route");
}

void rig_neighbour(struct rig *rig, unsigned port, const struct endpoint *address)
{
    const struct rte_ether_addr mac = {{0x02, 0, 0, 0, 0, address->address[3]}};
    struct endpoint host = *address;

    host.port = 0;
    need(net_hops_neighbour_put(rig->strowger.hops, &host, &mac, &rig->strowger.ports[port].mac,
                                (uint16_t)port, rig->conf->ports[port].mtu, 0) == 0,
         "neighbour");
}

static void put_ip4(uint8_t *at, const struct endpoint *source, const struct endpoint *destination,
                    size_t len)
{
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

    memset(ip, 0, sizeof(*ip));
    ip->version_ihl = 0x45;
    ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + sizeof(*udp) + len));
    ip->time_to_live = 64;
    ip->next_proto_id = IPPROTO_UDP;
    memcpy(&ip->src_addr, source->address, 4);
    memcpy(&ip->dst_addr, destination->address, 4);
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

static void put_ip6(uint8_t *at, const struct endpoint *source, const struct endpoint *destination,
                    size_t len)
{
    struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

    memset(ip, 0, sizeof(*ip));
    ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
    ip->payload_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + len));
    ip->hop_limits = 64;
    ip->proto = IPPROTO_UDP;
    memcpy(ip->src_addr, source->address, 16);
    memcpy(ip->dst_addr, destination->address, 16);
    udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
}

struct rte_mbuf *rig_frame(struct rig *rig, const struct endpoint *source, const struct endpoint *destination,
                           const char *payload, size_t len, uint16_t vlan)
{
    bool ip6 = source->family == ENDPOINT_IP6;
    size_t l2 = sizeof(struct rte_ether_hdr) + (vlan != 0 ? sizeof(struct rte_vlan_hdr) : 0);
    size_t l3 = ip6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
    struct worker *worker = rig->strowger.workers[0];
    size_t whole = l2 + l3 + sizeof(struct rte_udp_hdr) + len;
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(
        whole + RTE_PKTMBUF_HEADROOM <= RTE_MBUF_DEFAULT_BUF_SIZE ? worker->pool : worker->large);

    need(mbuf != NULL, "buffer");
    uint8_t *at = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)whole);
    need(at != NULL, "frame length");
    struct rte_ether_hdr *eth = (struct rte_ether_hdr *)at;
    memset(eth, 0x02, sizeof(*eth));
    uint16_t type = rte_cpu_to_be_16(ip6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
    eth->ether_type = type;
    if (vlan != 0) {
        struct rte_vlan_hdr *tag = (struct rte_vlan_hdr *)(eth + 1);
        eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
        tag->vlan_tci = rte_cpu_to_be_16(vlan);
        tag->eth_proto = type;
    }
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(at + l2 + l3);
    udp->src_port = rte_cpu_to_be_16(source->port);
    udp->dst_port = rte_cpu_to_be_16(destination->port);
    udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + len));
    udp->dgram_cksum = 0;
    memcpy(udp + 1, payload, len);
    (ip6 ? put_ip6 : put_ip4)(at + l2, source, destination, len);
    return mbuf;
}

void rig_receive(struct rig *rig, unsigned port, unsigned queue, struct rte_mbuf *mbuf)
{
    need(rte_ring_enqueue(rig->rx[port][queue], mbuf) == 0, "receive ring");
}

void rig_turn(struct rig *rig)
{
    unsigned moved;

    do {
        moved = 0;
        for (unsigned id = 0; id < rig->strowger.workers_n; id++)
            moved += datapath_turn(rig->strowger.workers[id]);
        // What timers sent may lie with a worker that had its turn already.
        for (unsigned id = 0; id < rig->strowger.workers_n; id++)
            moved += rte_ring_count(rig->strowger.workers[id]->mailbox);
    } while (moved > 0);
}

void rig_hold_clock(struct rig *rig)
{
    // A millisecond of the loop's is now longer than any test.
    for (unsigned id = 0; id < rig->strowger.workers_n; id++)
        rig->strowger.workers[id]->tsc_hz = UINT64_MAX / 2;
}

void rig_pass(struct rig *rig, uint64_t ms)
{
    for (unsigned id = 0; id < rig->strowger.workers_n; id++) {
        struct worker *worker = rig->strowger.workers[id];
        worker->clock_ms += ms;
        worker->now.ms = worker->clock_ms;
        worker->now.unix_s = worker->unix_offset_s + worker->clock_ms / 1000;
    }
    rig_turn(rig);
}

struct rte_mbuf *rig_sent(struct rig *rig, unsigned port)
{
    struct rte_mbuf *mbuf;

    for (unsigned queue = 0; queue < rig->queues; queue++) {
        if (rte_ring_dequeue(rig->tx[port][queue], (void **)&mbuf) == 0)
            return mbuf;
    }
    return NULL;
}

bool rig_sent_datagram(struct rig *rig, unsigned port, struct endpoint *source, struct endpoint *destination,
                       char *text, size_t room)
{
    struct rte_mbuf *mbuf = rig_sent(rig, port);
    struct net_frame frame;

    if (mbuf == NULL)
        return false;
    // What leaves goes through the check of what comes in: a wrong checksum or length fails here.
    mbuf->ol_flags = 0;
    enum net_error error = net_decap(mbuf, &frame);
    if (error != NET_OK || frame.kind != NET_UDP || frame.payload_len >= room) {
        fprintf(stderr, "rig: a frame left that is no datagram: %s\n", drop_name((enum drop)error));
        rte_pktmbuf_free(mbuf);
        return false;
    }
    const char *bytes = rte_pktmbuf_read(mbuf, frame.payload, frame.payload_len, text);
    if (bytes != text)
        memcpy(text, bytes, frame.payload_len);
    text[frame.payload_len] = 0;
    *source = frame.source;
    *destination = frame.destination;
    rte_pktmbuf_free(mbuf);
    return true;
}

uint64_t rig_drops(const struct rig *rig, enum drop drop)
{
    uint64_t sum = 0;

    for (unsigned id = 0; id < rig->strowger.workers_n; id++)
        sum += rig->strowger.workers[id]->counters.drops[drop];
    return sum;
}

uint64_t rig_kept(const struct rig *rig)
{
    uint64_t sum = 0;

    for (unsigned id = 0; id < rig->strowger.workers_n; id++)
        sum += rig->strowger.workers[id]->kept;
    return sum;
}

uint64_t rig_transactions(const struct rig *rig)
{
    uint64_t sum = 0;

    for (unsigned id = 0; id < rig->strowger.workers_n; id++) {
        struct transaction_usage usage;
        transaction_usage(rig->strowger.workers[id]->role->transactions, &usage);
        sum += usage.records;
    }
    return sum;
}
