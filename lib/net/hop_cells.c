#include <errno.h>

#include "net/hops.h"

static void state_put(struct net_hop_cell *cell, enum net_hop_state state)
{
    __atomic_store_n(&cell->hop.state, (uint8_t)state, __ATOMIC_RELEASE);
}

void net_hops_reclaim(struct net_hops *hops)
{
    uint32_t hop;

    while ((hop = hops->retired_first) != NET_HOP_NONE) {
        struct net_hop_cell *cell = &hops->cells[hop];
        if (rte_rcu_qsbr_check(hops->qsbr, cell->retired, false) != 1)
            return;
        hops->retired_first = cell->line;
        memset(cell, 0, sizeof(*cell));
        cell->line = hops->free;
        hops->free = hop;
        hops->usage.hops--;
    }
    hops->retired_last = NET_HOP_NONE;
}

static uint32_t take(struct net_hops *hops)
{
    if (hops->free == NET_HOP_NONE)
        net_hops_reclaim(hops);
    uint32_t hop = hops->free;
    if (hop == NET_HOP_NONE)
        return NET_HOP_NONE;
    hops->free = hops->cells[hop].line;
    hops->cells[hop].line = NET_HOP_NONE;
    hops->usage.hops++;
    return hop;
}

// Nothing points at the hop any more, but a reader may still stand on it: it says what it said until the grace is over.
static void retire(struct net_hops *hops, uint32_t hop)
{
    struct net_hop_cell *cell = &hops->cells[hop];

    cell->in_use = 0;
    cell->line = NET_HOP_NONE;
    cell->retired = rte_rcu_qsbr_start(hops->qsbr);
    if (hops->retired_last == NET_HOP_NONE)
        hops->retired_first = hop;
    else
        hops->cells[hops->retired_last].line = hop;
    hops->retired_last = hop;
}

static void unlink_neighbour(struct net_hops *hops, uint32_t hop)
{
    uint32_t *at = net_hops_bucket(hops, &hops->cells[hop].hop.address);

    while (*at != hop)
        at = &hops->cells[*at].next;
    net_hops_store(at, hops->cells[hop].next);
    hops->usage.neighbours--;
}

static void unlink_link(struct net_hops *hops, uint32_t hop)
{
    uint32_t *at = &hops->links;

    while (*at != hop)
        at = &hops->cells[*at].line;
    *at = hops->cells[hop].line;
}

void net_hop_release(struct net_hops *hops, uint32_t hop)
{
    struct net_hop_cell *cell = &hops->cells[hop];

    if (hop == NET_HOP_NONE || cell->routes > 0 || (cell->in_use & NET_HOP_USE_KNOWN))
        return;
    if (cell->in_use & NET_HOP_USE_NEIGHBOUR)
        unlink_neighbour(hops, hop);
    else
        unlink_link(hops, hop);
    retire(hops, hop);
}

uint32_t net_hop_of_neighbour(struct net_hops *hops, const struct endpoint *address,
                              const struct net_hop *like)
{
    uint32_t hop = net_hops_neighbour(hops, address, like->port, like->vlan);

    if (hop != NET_HOP_NONE || hops->usage.neighbours == hops->cells_n - 1 - NET_HOPS_LINKS_MAX)
        return hop;
    hop = take(hops);
    if (hop == NET_HOP_NONE)
        return NET_HOP_NONE;
    struct net_hop_cell *cell = &hops->cells[hop];
    cell->hop = *like;
    cell->hop.address = *address;
    cell->hop.address.port = 0;
    cell->in_use = NET_HOP_USE_NEIGHBOUR;
    state_put(cell, NET_HOP_RESOLVING);
    uint32_t *bucket = net_hops_bucket(hops, address);
    cell->next = *bucket;
    net_hops_store(bucket, hop);
    hops->usage.neighbours++;
    return hop;
}

static bool same_link(const struct net_hop *a, const struct net_hop *b)
{
    return a->state == b->state && a->port == b->port && a->mtu == b->mtu && a->vlan == b->vlan &&
           rte_is_same_ether_addr(&a->source, &b->source);
}

uint32_t net_hop_of_link(struct net_hops *hops, const struct net_hop *like)
{
    uint32_t hop = hops->links;

    while (hop != NET_HOP_NONE && !same_link(&hops->cells[hop].hop, like))
        hop = hops->cells[hop].line;
    if (hop != NET_HOP_NONE)
        return hop;
    hop = take(hops);
    if (hop == NET_HOP_NONE)
        return NET_HOP_NONE;
    struct net_hop_cell *cell = &hops->cells[hop];
    cell->hop = *like;
    cell->in_use = NET_HOP_USE_LINK;
    cell->line = hops->links;
    hops->links = hop;
    return hop;
}

int net_hops_neighbour_put(struct net_hops *hops, const struct endpoint *address,
                           const struct rte_ether_addr *mac, const struct rte_ether_addr *source,
                           uint16_t port, uint16_t mtu, uint16_t vlan)
{
    struct net_hop like = {.source = *source, .port = port, .mtu = mtu, .vlan = vlan};

    if (address->family != ENDPOINT_IP4 && address->family != ENDPOINT_IP6)
        return -EINVAL;
    uint32_t hop = net_hop_of_neighbour(hops, address, &like);
    if (hop == NET_HOP_NONE)
        return -ENOSPC;
    struct net_hop_cell *cell = &hops->cells[hop];
    cell->in_use |= NET_HOP_USE_KNOWN;
    cell->hop.source = *source;
    cell->hop.mtu = mtu;
    if (mac != NULL)
        cell->hop.mac = *mac;
    state_put(cell, mac != NULL ? NET_HOP_READY : NET_HOP_RESOLVING);
    return 0;
}

static void forget(struct net_hops *hops, uint32_t hop)
{
    struct net_hop_cell *cell = &hops->cells[hop];

    cell->in_use &= (uint8_t)~NET_HOP_USE_KNOWN;
    state_put(cell, NET_HOP_RESOLVING);
    net_hop_release(hops, hop);
}

int net_hops_neighbour_remove_on(struct net_hops *hops, const struct endpoint *address, uint16_t port,
                                 uint16_t vlan)
{
    uint32_t hop = net_hops_neighbour(hops, address, port, vlan);

    if (hop == NET_HOP_NONE || !(hops->cells[hop].in_use & NET_HOP_USE_KNOWN))
        return -ENOENT;
    forget(hops, hop);
    return 0;
}

int net_hops_neighbour_remove(struct net_hops *hops, const struct endpoint *address)
{
    int error = -ENOENT;
    uint32_t next;

    for (uint32_t hop = *net_hops_bucket(hops, address); hop != NET_HOP_NONE; hop = next) {
        const struct net_hop_cell *cell = &hops->cells[hop];
        next = cell->next; // stays right when the cell is retired: only the one in front of it is changed
        if ((cell->in_use & NET_HOP_USE_KNOWN) && endpoint_same_address(&cell->hop.address, address)) {
            forget(hops, hop);
            error = 0;
        }
    }
    return error;
}
