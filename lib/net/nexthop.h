// nexthop: the kernel's routes and neighbours, as the workers read them.
//
// Control mirrors them out of netlink; workers look a destination up and get a hop with everything that the Ethernet
// header needs. One rte_fib / rte_fib6 holds both prefixes and neighbours (as /32 and /128), so a look-up is one
// probe. Hops are a table of constant size; a hop is filled before a prefix points at it and is used again only
// after a grace period.
//
// Threads: create, destroy and everything that changes: control. net_hops_find and net_hop_at: any registered
// reader, lock-free.
#ifndef NET_NEXTHOP_H
#define NET_NEXTHOP_H

#include <rte_ether.h>
#include <rte_rcu_qsbr.h>
#include <stdbool.h>

#include "base/endpoint.h"

#define NET_HOP_NONE 0 // the hop of "no route"; its state is NET_HOP_UNREACHABLE

enum net_hop_state {
    NET_HOP_UNREACHABLE = 0, // no route, or blackhole, unreachable, prohibit
    NET_HOP_LOCAL,           // an address of this box: for the kernel
    NET_HOP_LINK,            // on-link prefix: the destination itself must be resolved
    NET_HOP_RESOLVING,       // a neighbour without a MAC yet
    NET_HOP_READY,           // mac is valid
};

struct net_hop {
    struct endpoint address;         // control: wo, workers: ro. The neighbour or gateway; NONE for a LINK hop
    struct rte_ether_addr mac;       // control: wo, workers: ro. Destination
    struct rte_ether_addr source;    // control: wo, workers: ro. The port's own
    uint16_t port;                   // control: wo, workers: ro. DPDK port number
    uint16_t mtu;                    // control: wo, workers: ro. Bytes of IP
    uint16_t vlan;                   // control: wo, workers: ro. VLAN of the kernel's interface; 0: none
    uint8_t state;                   // control: wo, workers: ro. enum net_hop_state, stored last, with release
    uint8_t used;                    // workers: wo (plain store of 1), control: reads and clears
};

struct net_hops;

struct net_hops_limits {
    uint32_t routes;     // per family
    uint32_t neighbours; // both families
};

// 0, -ENOMEM, -EINVAL. `qsbr` outlives it.
int net_hops_create(struct net_hops **hops, const struct net_hops_limits *limits, int node,
                    struct rte_rcu_qsbr *qsbr);
void net_hops_destroy(struct net_hops *hops);

// The hop of a destination by longest prefix. Never fails: NET_HOP_NONE is a hop, too.
uint32_t net_hops_find(const struct net_hops *hops, const struct endpoint *destination);

// The hop itself; `hop` is what net_hops_find gave. Valid until the thread's next quiescent state.
struct net_hop *net_hop_at(const struct net_hops *hops, uint32_t hop);

// A route of the kernel: prefix/depth leads over a gateway (family NONE: on-link, LOCAL or UNREACHABLE by `kind`).
// A route over a gateway shares the hop of that neighbour, and follows its state. Adding what is there replaces it.
// 0, -ENOSPC, -EINVAL.
struct net_route {
    struct endpoint prefix;
    uint8_t depth;            // bits
    uint8_t kind;             // enum net_hop_state: UNREACHABLE, LOCAL, LINK; READY for one with a gateway
    struct endpoint gateway;
    struct rte_ether_addr source;
    uint16_t port, mtu, vlan;
};
int net_hops_route_put(struct net_hops *hops, const struct net_route *route);
int net_hops_route_remove(struct net_hops *hops, const struct endpoint *prefix, uint8_t depth);

// A neighbour with its MAC (`mac` NULL: known of, not resolved). 0, -ENOSPC.
int net_hops_neighbour_put(struct net_hops *hops, const struct endpoint *address, const struct rte_ether_addr *mac,
                           const struct rte_ether_addr *source, uint16_t port, uint16_t mtu, uint16_t vlan);
int net_hops_neighbour_remove(struct net_hops *hops, const struct endpoint *address);

// Frees hops whose grace period is over. Called from control's loop.
void net_hops_reclaim(struct net_hops *hops);

struct net_hops_usage {
    uint32_t routes4, routes6, neighbours, hops, hops_max;
};
void net_hops_usage(const struct net_hops *hops, struct net_hops_usage *usage);

// Every hop in use, for telemetry and for control's ageing: the number behind `hop`, 0 at the end (start with 0).
uint32_t net_hops_next(const struct net_hops *hops, uint32_t hop);

#endif
