#include <numa.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <string.h>

#include "start.h"

// Taken where the port offers them; what it does not offer is done in software.
#define RX_OFFLOADS \
    (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_SCATTER)
#define TX_OFFLOADS \
    (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
#define RSS_FIELDS                                                                                \
    (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 | \
     RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_UDP)

static int fail(const struct conf_port *port, int error, const char *what, const char *remedy)
{
    fprintf(stderr, "strowger: [port %s] device %s: %s: %s; %s\n", port->name, port->device, what,
            strerror(-error), remedy);
    return error;
}

static void list_devices(void)
{
    uint16_t id;
    unsigned n = 0;

    fputs("strowger: devices that EAL found:", stderr);
    RTE_ETH_FOREACH_DEV(id)
    {
        char name[RTE_ETH_NAME_MAX_LEN];
        if (rte_eth_dev_get_name_by_port(id, name) == 0)
            fprintf(stderr, "%s %s", n++ == 0 ? "" : ",", name);
    }
    fputs(n == 0 ? " none (see EAL's -a and --vdev)\n" : "\n", stderr);
}

static int setup_queues(struct strowger *strowger, const struct conf_port *port, uint16_t id, uint16_t queues,
                        const struct rte_eth_dev_info *info, const struct rte_eth_conf *eth)
{
    uint16_t rx_descriptors = port->rx_descriptors;
    uint16_t tx_descriptors = port->tx_descriptors;
    int error = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx_descriptors, &tx_descriptors);

    if (error != 0)
        return fail(port, error, "descriptor rings", "change rx_descriptors and tx_descriptors");
    unsigned lcore = rte_get_next_lcore(-1, 1, 0);
    for (uint16_t queue = 0; queue < queues; queue++) {
        struct rte_eth_rxconf rx = info->default_rxconf;
        struct rte_eth_txconf tx = info->default_txconf;
        int node = (int)rte_lcore_to_socket_id(lcore);
        rx.offloads = eth->rxmode.offloads;
        tx.offloads = eth->txmode.offloads;
        error = rte_eth_rx_queue_setup(id, queue, rx_descriptors, (unsigned)node, &rx, strowger->pool[node]);
        if (error == 0)
            error = rte_eth_tx_queue_setup(id, queue, tx_descriptors, (unsigned)node, &tx);
        if (error != 0)
            return fail(port, error, "queue set-up", "see EAL's message above");
        lcore = rte_get_next_lcore(lcore, 1, 0);
    }
    return 0;
}

static int configure(struct strowger *strowger, unsigned index)
{
    const struct conf_port *port = &strowger->conf->ports[index];
    struct worker_port *shared = &strowger->ports[index];
    struct rte_eth_dev_info info;
    struct rte_eth_conf eth = {0};
    uint16_t id;

    int error = rte_eth_dev_get_port_by_name(port->device, &id);
    if (error != 0) {
        error = fail(port, -ENODEV, "not found", "give it to EAL with -a or --vdev, or correct the name");
        list_devices();
        return error;
    }
    error = rte_eth_dev_info_get(id, &info);
    if (error != 0)
        return fail(port, error, "cannot be asked what it is", "see EAL's message above");
    // Fewer queues than workers: the others get their messages by steering alone.
    uint16_t pairs = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
    uint16_t queues = (uint16_t)RTE_MIN(strowger->workers_n, (unsigned)pairs);
    eth.rxmode.offloads = info.rx_offload_capa & RX_OFFLOADS;
    eth.txmode.offloads = info.tx_offload_capa & TX_OFFLOADS;
    eth.rxmode.mtu = port->mtu;
    if (queues > 1) {
        eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        eth.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & RSS_FIELDS;
    }
    if (info.max_mtu != 0 && port->mtu > info.max_mtu)
        return fail(port, -EINVAL, "the device does not take this mtu", "lower [port] mtu");
    error = rte_eth_dev_configure(id, queues, queues, &eth);
    if (error != 0)
        return fail(port, error, "cannot be configured", "see EAL's message above");
    strowger->queues[index] = queues;
    shared->id = id;
    shared->mtu = port->mtu;
    shared->tx_offloads = eth.txmode.offloads;
    shared->has_twin = port->twin != NULL;
    error = rte_eth_macaddr_get(id, &shared->mac);
    if (error != 0)
        return fail(port, error, "has no MAC address", "see EAL's message above");
    return setup_queues(strowger, port, id, queues, &info, &eth);
}

static void warn_of_nodes(const struct strowger *strowger, unsigned index)
{
    int port_node = rte_eth_dev_socket_id(strowger->ports[index].id);
    unsigned lcore;

    if (numa_available() < 0 || port_node < 0)
        return;
    RTE_LCORE_FOREACH_WORKER(lcore)
    {
        int node = numa_node_of_cpu(rte_lcore_to_cpu_id((int)lcore));
        if (node >= 0 && node != port_node)
            fprintf(stderr,
                    "strowger: warning: [port %s] sits on NUMA node %d and worker lcore %u on node %d: every "
                    "packet\n"
                    "strowger: warning: crosses between them; choose lcores of node %d with EAL's -l\n",
                    strowger->conf->ports[index].name, port_node, lcore, node, port_node);
    }
}

int start_ports(struct strowger *strowger)
{
    int error = 0;

    for (unsigned i = 0; i < strowger->conf->ports_n; i++) {
        error = configure(strowger, i);
        if (error != 0)
            goto undo;
        strowger->ports_configured = i + 1;
        warn_of_nodes(strowger, i);
    }
    for (unsigned i = 0; i < strowger->conf->ports_n; i++) {
        error = rte_eth_dev_start(strowger->ports[i].id);
        if (error != 0) {
            fail(&strowger->conf->ports[i], error, "cannot be started", "see EAL's message above");
            goto undo;
        }
        strowger->ports_started = i + 1;
        // Neighbour discovery comes by multicast (RFC 4861 7.1.1); a port that cannot be told has no filter.
        (void)rte_eth_allmulticast_enable(strowger->ports[i].id);
    }
    return 0;
undo:
    stop_ports(strowger);
    return error;
}

void stop_ports(struct strowger *strowger)
{
    while (strowger->ports_started > 0)
        rte_eth_dev_stop(strowger->ports[--strowger->ports_started].id);
    while (strowger->ports_configured > 0)
        rte_eth_dev_close(strowger->ports[--strowger->ports_configured].id);
}
