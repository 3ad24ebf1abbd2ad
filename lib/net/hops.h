// hops: the table behind net/nexthop.h, shared by the reading half (nexthop.c), the hops themselves
// (hop_cells.c) and the prefixes that lead to them (hop_prefixes.c). Private to the room, threads as there.
#ifndef NET_HOPS_H
#define NET_HOPS_H

// A bulk look-up in the header has an array of variable length; it is not used here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wvla"
#include <rte_lpm.h>
#pragma GCC diagnostic pop
#include <rte_lpm6.h>

#include "net/nexthop.h"

#define NET_HOPS_LINKS_MAX 1024 // hops of no neighbour: on-link and local, one for each port and VLAN

// A hop with what control needs to keep it; one cache line.
struct net_hop_cell {
    struct net_hop hop;
    uint32_t next; // control: wo, workers: ro. In its bucket; kept while a reader may still stand on the cell
    uint32_t line; // control. In the list of the free, the retired, or the links
    uint32_t routes;  // control. Prefixes that lead here
    uint8_t in_use;   // control. Bits of enum net_hop_use; 0: free or retired
    uint64_t retired; // control. Token of the grace period
} __rte_cache_aligned;

enum net_hop_use {
    NET_HOP_USE_LINK = 1,      // stands in the list of links
    NET_HOP_USE_NEIGHBOUR = 2, // stands in its bucket
    NET_HOP_USE_KNOWN = 4,     // the kernel has it as a neighbour
};

struct net_hops {
    // workers: ro
    struct rte_lpm *lpm4;
    struct rte_lpm6 *lpm6;
    struct net_hop_cell *cells; // by number; the first is NET_HOP_NONE
    uint32_t *buckets;          // of the neighbours: numbers, 0 ends a chain
    uint64_t bucket_mask;
    uint64_t key[2]; // of the neighbours' hash: whoever shares a link with us chooses addresses
    uint32_t cells_n;
    uint32_t fallback4, fallback6; // the hops of the prefixes of length 0, which rte_lpm does not take

    // control
    struct rte_rcu_qsbr *qsbr;
    uint32_t free, links; // lists, by number; 0 ends
    uint32_t retired_first, retired_last;
    bool has_fallback4, has_fallback6;
    struct net_hops_usage usage;
};

static inline uint32_t net_hops_load(const uint32_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static inline void net_hops_store(uint32_t *at, uint32_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

// The two halves of the address multiplied under a secret key, and folded.
static inline uint32_t *net_hops_bucket(const struct net_hops *hops, const struct endpoint *address)
{
    uint64_t half[2];

    memcpy(half, address->address, sizeof(half));
    unsigned __int128 product = (unsigned __int128)(half[0] ^ hops->key[0]) * (half[1] ^ hops->key[1]);
    return &hops->buckets[((uint64_t)product ^ (uint64_t)(product >> 64)) & hops->bucket_mask];
}

static inline uint32_t net_hops_neighbour(const struct net_hops *hops, const struct endpoint *address,
                                          uint16_t port, uint16_t vlan)
{
    uint32_t hop = net_hops_load(net_hops_bucket(hops, address));

    while (hop != NET_HOP_NONE) {
        const struct net_hop_cell *cell = &hops->cells[hop];
        if (endpoint_same_address(&cell->hop.address, address) && cell->hop.port == port &&
            cell->hop.vlan == vlan)
            break;
        hop = net_hops_load(&cell->next);
    }
    return hop;
}

// A hop of its own kind, with no route to it yet, made where there is none; NET_HOP_NONE when the table is full. With
// no route and not known it goes with the next net_hop_release().
uint32_t net_hop_of_neighbour(struct net_hops *hops, const struct endpoint *address,
                              const struct net_hop *like);
uint32_t net_hop_of_link(struct net_hops *hops, const struct net_hop *like);

// Retires the hop when no prefix leads to it and the kernel does not know it as a neighbour. NET_HOP_NONE is allowed.
void net_hop_release(struct net_hops *hops, uint32_t hop);

#endif
