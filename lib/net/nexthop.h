// nexthop: the kernel's routes and neighbours, as the workers read them.
//
// Control mirrors them out of netlink; workers look a destination up and get a hop with everything that the Ethernet
// header needs. Prefixes stand in rte_lpm and rte_lpm6 (rte_fib of DPDK 22.11 takes half the memory, but loses count
// of its groups as routes come and go, until it takes no more). Where the longest prefix is on-link, a second
// table says which neighbour it is: as the kernel does it, so a neighbour never takes traffic that a route leads
// elsewhere, and one that disappears leaves its prefix behind. Hops are a table of constant size; a hop is filled
// before anything points at it and is used again only after a grace period.
//
// Threads: create, destroy and everything that changes: control. net_hops_find and net_hop_at: any registered
// reader, lock-free. Groups of rte_lpm are reclaimed after a grace period as well; those of rte_lpm6 at once, so a
// reader in the middle of a look-up may get the hop of another IPv6 prefix, for that one packet: a hop that exists,
// always.
//
// Cost of a look-up in cache: about 10 cycles for IPv4, 30 for IPv6; the tables take 2 x 64 MiB of address space, of
// which ordinary pages count as they are touched and huge pages at once. Adding or removing an IPv4 route searches
// the routes of its length.
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
    struct endpoint address;      // control: wo, workers: ro. The neighbour or gateway; NONE for a LINK hop
    struct rte_ether_addr mac;    // control: wo, workers: ro. Destination
    struct rte_ether_addr source; // control: wo, workers: ro. The port's own
    uint16_t port;                // control: wo, workers: ro. Index into conf->ports
    uint16_t mtu;                 // control: wo, workers: ro. Bytes of IP
    uint16_t vlan;                // control: wo, workers: ro. VLAN of the kernel's interface; 0: none
    uint8_t state;                // control: wo, workers: ro. enum net_hop_state, stored last, with release
    uint8_t used;                 // workers: store 1 where it is 0 (a shared line), control: reads, clears
};

struct net_hops;

struct net_hops_limits {
    uint32_t routes;     // per family, 1 … 4194304
    uint32_t neighbours; // both families, with gateways that are not neighbours yet, 1 … 1048576
};

// 0, -ENOMEM, -EINVAL. `qsbr` outlives it, and at net_hops_destroy() no reader is in it any more.
int net_hops_create(struct net_hops **hops, const struct net_hops_limits *limits, int node,
                    struct rte_rcu_qsbr *qsbr);
void net_hops_destroy(struct net_hops *hops);

// The hop of a destination by longest prefix. Never fails: NET_HOP_NONE is a hop, too.
uint32_t net_hops_find(const struct net_hops *hops, const struct endpoint *destination);

// The hop itself; `hop` is what net_hops_find gave (any other number gives NET_HOP_NONE's). Valid until the thread's
// next quiescent state. While a neighbour's MAC changes, a worker may send one frame to a mix of both.
struct net_hop *net_hop_at(const struct net_hops *hops, uint32_t hop);

// A route of the kernel: prefix/depth leads over a gateway (family NONE: on-link, LOCAL or UNREACHABLE by `kind`).
// A route over a gateway shares the hop of that neighbour on the same port and VLAN, and follows its state and MTU;
// a gateway unknown as neighbour gets a RESOLVING hop with its address. The gateway may be outside any on-link prefix.
// Adding what is there replaces it. 0, -ENOSPC (what was there stays), -EINVAL.
struct net_route {
    struct endpoint prefix;
    uint8_t depth; // bits
    uint8_t kind;  // enum net_hop_state: UNREACHABLE, LOCAL, LINK; READY for one with a gateway
    struct endpoint gateway;
    struct rte_ether_addr source;
    uint16_t port, mtu, vlan;
};
int net_hops_route_put(struct net_hops *hops, const struct net_route *route);
// 0, -ENOENT, -EINVAL.
int net_hops_route_remove(struct net_hops *hops, const struct endpoint *prefix, uint8_t depth);

// A neighbour with its MAC (`mac` NULL: known of, not resolved). One address on two ports or VLANs is two neighbours
// (IPv6 gateways like to be fe80::1 on every link). 0, -ENOSPC, -EINVAL.
int net_hops_neighbour_put(struct net_hops *hops, const struct endpoint *address,
                           const struct rte_ether_addr *mac, const struct rte_ether_addr *source,
                           uint16_t port, uint16_t mtu, uint16_t vlan);

// The neighbour's own hop, also where no look-up leads to it, or NET_HOP_NONE. Control thread.
uint32_t net_hops_neighbour_find(const struct net_hops *hops, const struct endpoint *address, uint16_t port,
                                 uint16_t vlan);

// Forgets the neighbour: look-ups fall back to its prefix, and a gateway of routes becomes RESOLVING. The first form
// takes the address away on every port and VLAN. 0, -ENOENT.
int net_hops_neighbour_remove(struct net_hops *hops, const struct endpoint *address);
int net_hops_neighbour_remove_on(struct net_hops *hops, const struct endpoint *address, uint16_t port,
                                 uint16_t vlan);

// Makes hops usable again whose grace period is over. Called from control's loop; never waits.
void net_hops_reclaim(struct net_hops *hops);

struct net_hops_usage {
    uint32_t routes4, routes6, neighbours, hops, hops_max; // hops: in use or in their grace period
};
void net_hops_usage(const struct net_hops *hops, struct net_hops_usage *usage);

// Every hop in use, for telemetry and for control's ageing: the number behind `hop`, 0 at the end (start with 0).
uint32_t net_hops_next(const struct net_hops *hops, uint32_t hop);

#endif
