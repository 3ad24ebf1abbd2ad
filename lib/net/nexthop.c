#include "net/nexthop.h"

#include <errno.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <sys/random.h>

#include "net/hops.h"

#define ROUTES_MAX     (1u << 22)
#define NEIGHBOURS_MAX (1u << 20)
#define GROUPS_MIN     256 // of 256 addresses, for prefixes longer than 24 bits
#define GROUPS_MAX     (1u << 16)

static inline uint32_t prefix4_find(const struct net_hops *hops, const struct endpoint *destination)
{
    uint32_t address, hop;

    memcpy(&address, destination->address, sizeof(address));
    if (likely(rte_lpm_lookup(hops->lpm4, rte_be_to_cpu_32(address), &hop) == 0))
        return hop;
    return net_hops_load(&hops->fallback4);
}

static inline uint32_t prefix6_find(const struct net_hops *hops, const struct endpoint *destination)
{
    uint32_t hop;

    if (likely(rte_lpm6_lookup(hops->lpm6, destination->address, &hop) == 0))
        return hop;
    return net_hops_load(&hops->fallback6);
}

uint32_t net_hops_find(const struct net_hops *hops, const struct endpoint *destination)
{
    uint32_t hop = NET_HOP_NONE;

    if (likely(destination->family == ENDPOINT_IP4))
        hop = prefix4_find(hops, destination);
    else if (destination->family == ENDPOINT_IP6)
        hop = prefix6_find(hops, destination);
    if (unlikely(hop >= hops->cells_n))
        return NET_HOP_NONE;
    const struct net_hop *link = &hops->cells[hop].hop;
    if (__atomic_load_n(&link->state, __ATOMIC_ACQUIRE) != NET_HOP_LINK)
        return hop;
    uint32_t neighbour = net_hops_neighbour(hops, destination, link->port, link->vlan);
    return neighbour != NET_HOP_NONE ? neighbour : hop;
}

struct net_hop *net_hop_at(const struct net_hops *hops, uint32_t hop)
{
    return &hops->cells[likely(hop < hops->cells_n) ? hop : NET_HOP_NONE].hop;
}

uint32_t net_hops_neighbour_find(const struct net_hops *hops, const struct endpoint *address, uint16_t port,
                                 uint16_t vlan)
{
    return net_hops_neighbour(hops, address, port, vlan);
}

uint32_t net_hops_next(const struct net_hops *hops, uint32_t hop)
{
    while (++hop < hops->cells_n) {
        if (hops->cells[hop].in_use != 0)
            return hop;
    }
    return NET_HOP_NONE;
}

void net_hops_usage(const struct net_hops *hops, struct net_hops_usage *usage)
{
    *usage = hops->usage;
}

static struct rte_lpm *make_lpm4(struct net_hops *hops, const struct net_hops_limits *limits, int node)
{
    // At worst each route is a longer one with its own group.
    uint32_t groups = RTE_MIN(limits->routes + GROUPS_MIN, GROUPS_MAX);
    struct rte_lpm_config config = {.max_rules = limits->routes, .number_tbl8s = groups};
    struct rte_lpm_rcu_config rcu = {.v = hops->qsbr, .mode = RTE_LPM_QSBR_MODE_DQ};
    char name[RTE_LPM_NAMESIZE];

    snprintf(name, sizeof(name), "hops4_%p", (void *)hops);
    struct rte_lpm *lpm = rte_lpm_create(name, node, &config);
    if (lpm != NULL && rte_lpm_rcu_qsbr_add(lpm, &rcu) != 0) {
        rte_lpm_free(lpm);
        lpm = NULL;
    }
    return lpm;
}

static struct rte_lpm6 *make_lpm6(struct net_hops *hops, const struct net_hops_limits *limits, int node)
{
    // A /64 has 5 groups on its path and shares most of them with its siblings; an address on its own has 13.
    uint32_t groups = RTE_MIN(2 * limits->routes + GROUPS_MIN, GROUPS_MAX);
    struct rte_lpm6_config config = {.max_rules = limits->routes, .number_tbl8s = groups};
    char name[RTE_LPM6_NAMESIZE];

    snprintf(name, sizeof(name), "hops6_%p", (void *)hops);
    return rte_lpm6_create(name, node, &config);
}

static void free_all(struct net_hops *hops)
{
    for (uint32_t hop = hops->cells_n - 1; hop > NET_HOP_NONE; hop--) {
        hops->cells[hop].line = hops->free;
        hops->free = hop;
    }
}

static int make_tables(struct net_hops *hops, const struct net_hops_limits *limits, int node)
{
    uint32_t buckets = rte_align32pow2(limits->neighbours);

    hops->bucket_mask = buckets - 1;
    hops->cells_n = 1 + limits->neighbours + NET_HOPS_LINKS_MAX;
    hops->usage.hops_max = hops->cells_n - 1;
    hops->cells =
        rte_zmalloc_socket("net_hops", hops->cells_n * sizeof(*hops->cells), RTE_CACHE_LINE_SIZE, node);
    hops->buckets =
        rte_zmalloc_socket("net_hops", buckets * sizeof(*hops->buckets), RTE_CACHE_LINE_SIZE, node);
    if (hops->cells == NULL || hops->buckets == NULL)
        return -ENOMEM;
    free_all(hops);
    hops->lpm4 = make_lpm4(hops, limits, node);
    hops->lpm6 = make_lpm6(hops, limits, node);
    return hops->lpm4 == NULL || hops->lpm6 == NULL ? -ENOMEM : 0;
}

int net_hops_create(struct net_hops **hops, const struct net_hops_limits *limits, int node,
                    struct rte_rcu_qsbr *qsbr)
{
    *hops = NULL;
    if (limits->routes == 0 || limits->routes > ROUTES_MAX || limits->neighbours == 0 ||
        limits->neighbours > NEIGHBOURS_MAX || qsbr == NULL)
        return -EINVAL;
    struct net_hops *made = rte_zmalloc_socket("net_hops", sizeof(*made), RTE_CACHE_LINE_SIZE, node);
    if (made == NULL)
        return -ENOMEM;
    made->qsbr = qsbr;
    if (getrandom(made->key, sizeof(made->key), 0) != sizeof(made->key) ||
        make_tables(made, limits, node) != 0) {
        net_hops_destroy(made);
        return -ENOMEM;
    }
    *hops = made;
    return 0;
}

void net_hops_destroy(struct net_hops *hops)
{
    if (hops == NULL)
        return;
    rte_lpm6_free(hops->lpm6);
    rte_lpm_free(hops->lpm4);
    rte_free(hops->buckets);
    rte_free(hops->cells);
    rte_free(hops);
}
