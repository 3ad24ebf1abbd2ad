// routes: the kernel's routes as it announced them, and which of them holds for each prefix.
//
// The kernel knows several routes for one prefix: of the local and the main table, of different metric, over several
// gateways (every interface has its own fe80::/64). Workers want the one that wins. Each next hop of a route is one
// candidate here; the best one of its prefix (local before main, then lowest metric, then the one announced first) is
// what stands in net_hops, and when it goes, the next best takes its place.
//
// Reading all routes again is mark and sweep, so a resync never takes a route away that is still there.
//
// Owned by control; control thread only. Memory is taken at creation. Cost: one hash and a short chain.
#ifndef CONTROL_ROUTES_H
#define CONTROL_ROUTES_H

#include "base/memory.h"
#include "net/nexthop.h"

struct control_routes;

struct control_route {
    struct net_route net; // as workers are to see it
    uint32_t metric;
    int ifindex; // 0: none (blackhole)
    bool local;  // of the local table
};

struct control_routes_counters {
    uint32_t candidates;
    uint64_t refused; // candidates that found the table full, or net_hops refused the route
};

// `max` candidates. 0, -ENOMEM, -EINVAL.
int control_routes_create(struct control_routes **routes, uint32_t max, struct net_hops *hops,
                          const struct memory *memory);
void control_routes_destroy(struct control_routes *routes); // NULL is allowed; net_hops keeps what it has

// Adds a candidate or renews it. 0, -ENOSPC.
int control_routes_put(struct control_routes *routes, const struct control_route *route);

// Takes away the candidate with the same prefix, table, metric, interface and gateway, if there is one.
void control_routes_remove(struct control_routes *routes, const struct control_route *route);

// The kernel replaced a route: age() what stands for its prefix, table and metric, put() the new next hops, then
// prune() what was not among them. In between, workers keep the old one.
void control_routes_age(struct control_routes *routes, const struct control_route *route);
void control_routes_prune(struct control_routes *routes, const struct control_route *route);

// Mark and sweep: what was not put between the two is gone.
void control_routes_mark(struct control_routes *routes);
void control_routes_sweep(struct control_routes *routes);

void control_routes_counters(const struct control_routes *routes, struct control_routes_counters *counters);

#endif
