#include "control/routes.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_jhash.h>
#include <rte_random.h>

#include "control/log.h"

#define END 0 // candidates are numbered from 1, so zeroed memory is an empty table and is touched only in use

struct candidate {
    struct control_route route;
    uint32_t
        next; // in its bucket, or in the list of free ones; a prefix's candidates stand in order of arrival
    uint32_t round; // of the last mark at which it was put
    bool installed; // net_hops has it
    bool aged;
};

struct control_routes {
    struct net_hops *hops;
    const struct memory *memory;
    struct candidate *at;
    uint32_t *buckets;
    uint32_t max, mask, seed;
    uint32_t free;  // list of those that were used before
    uint32_t fresh; // the first that never was
    uint32_t round;
    struct control_routes_counters counters;
};

static size_t bucket_bytes(const struct control_routes *routes)
{
    return ((size_t)routes->mask + 1) * sizeof(*routes->buckets);
}

static size_t candidate_bytes(const struct control_routes *routes)
{
    return ((size_t)routes->max + 1) * sizeof(*routes->at);
}

int control_routes_create(struct control_routes **created, uint32_t max, struct net_hops *hops,
                          const struct memory *memory)
{
    if (max == 0 || max > UINT32_C(1) << 30)
        return -EINVAL;
    struct control_routes *routes = memory->take(memory->owner, sizeof(*routes), MEMORY_ANY_NODE);
    if (routes == NULL)
        return -ENOMEM;
    routes->hops = hops;
    routes->memory = memory;
    routes->max = max;
    routes->mask = rte_align32pow2(max) - 1;
    routes->seed = (uint32_t)rte_rand();
    routes->fresh = 1;
    routes->at = memory->take(memory->owner, candidate_bytes(routes), MEMORY_ANY_NODE);
    routes->buckets = memory->take(memory->owner, bucket_bytes(routes), MEMORY_ANY_NODE);
    if (routes->at == NULL || routes->buckets == NULL) {
        control_routes_destroy(routes);
        return -ENOMEM;
    }
    *created = routes;
    return 0;
}

void control_routes_destroy(struct control_routes *routes)
{
    if (routes == NULL)
        return;
    const struct memory *memory = routes->memory;
    memory->give(memory->owner, routes->buckets, bucket_bytes(routes));
    memory->give(memory->owner, routes->at, candidate_bytes(routes));
    memory->give(memory->owner, routes, sizeof(*routes));
}

static uint32_t *bucket_of(struct control_routes *routes, const struct net_route *net)
{
    uint32_t hash = rte_jhash(net->prefix.address, sizeof(net->prefix.address), routes->seed ^ net->depth);
    return &routes->buckets[(hash ^ net->prefix.family) & routes->mask];
}

static bool same_prefix(const struct net_route *a, const struct net_route *b)
{
    return a->depth == b->depth && endpoint_same_address(&a->prefix, &b->prefix);
}

static bool same_rank(const struct control_route *a, const struct control_route *b)
{
    return a->local == b->local && a->metric == b->metric && same_prefix(&a->net, &b->net);
}

static bool same_route(const struct control_route *a, const struct control_route *b)
{
    return same_rank(a, b) && a->ifindex == b->ifindex &&
           endpoint_same_address(&a->net.gateway, &b->net.gateway);
}

// What workers see of both is the same.
static bool same_effect(const struct net_route *a, const struct net_route *b)
{
    return a->kind == b->kind && a->port == b->port && a->mtu == b->mtu && a->vlan == b->vlan &&
           rte_is_same_ether_addr(&a->source, &b->source) && endpoint_same_address(&a->gateway, &b->gateway);
}

static bool better(const struct control_route *a, const struct control_route *b)
{
    return a->local != b->local ? a->local : a->metric < b->metric;
}

// Makes net_hops follow the best candidate of a prefix, after any of them changed.
static int settle(struct control_routes *routes, const struct net_route *prefix)
{
    struct candidate *best = NULL, *installed = NULL;

    for (uint32_t i = *bucket_of(routes, prefix); i != END; i = routes->at[i].next) {
        struct candidate *one = &routes->at[i];
        if (!same_prefix(&one->route.net, prefix))
            continue;
        if (one->installed)
            installed = one;
        if (best == NULL || better(&one->route, &best->route))
            best = one;
    }
    if (best == NULL) {
        (void)net_hops_route_remove(routes->hops, &prefix->prefix, prefix->depth);
        return 0;
    }
    if (best == installed)
        return 0;
    int error = net_hops_route_put(routes->hops, &best->route.net);
    if (error != 0) {
        routes->counters.refused++;
        return error;
    }
    if (installed != NULL)
        installed->installed = false;
    best->installed = true;
    return 0;
}

static struct candidate *find(struct control_routes *routes, const struct control_route *route)
{
    for (uint32_t i = *bucket_of(routes, &route->net); i != END; i = routes->at[i].next) {
        if (same_route(&routes->at[i].route, route))
            return &routes->at[i];
    }
    return NULL;
}

// At the tail, so that candidates of one rank stay in the order in which the kernel announced them.
static struct candidate *append(struct control_routes *routes, const struct control_route *route)
{
    uint32_t *link = bucket_of(routes, &route->net);
    uint32_t taken = routes->free;

    if (taken != END)
        routes->free = routes->at[taken].next;
    else if (routes->fresh <= routes->max)
        taken = routes->fresh++;
    else
        return NULL;
    while (*link != END)
        link = &routes->at[*link].next;
    *link = taken;
    routes->at[taken] = (struct candidate){.route = *route, .next = END};
    routes->counters.candidates++;
    return &routes->at[taken];
}

int control_routes_put(struct control_routes *routes, const struct control_route *route)
{
    struct candidate *one = find(routes, route);

    if (one == NULL && (one = append(routes, route)) == NULL) {
        routes->counters.refused++;
        return -ENOSPC;
    }
    one->round = routes->round;
    one->aged = false;
    if (one->installed && !same_effect(&one->route.net, &route->net))
        one->installed = false; // so that settle() writes it again
    one->route = *route;
    return settle(routes, &route->net);
}

// Unlinks the candidate that `link` leads to.
static void unlink_at(struct control_routes *routes, uint32_t *link)
{
    uint32_t gone = *link;

    *link = routes->at[gone].next;
    routes->at[gone] = (struct candidate){.next = routes->free};
    routes->free = gone;
    routes->counters.candidates--;
}

void control_routes_remove(struct control_routes *routes, const struct control_route *route)
{
    for (uint32_t *link = bucket_of(routes, &route->net); *link != END; link = &routes->at[*link].next) {
        if (same_route(&routes->at[*link].route, route)) {
            unlink_at(routes, link);
            (void)settle(routes, &route->net);
            return;
        }
    }
}

void control_routes_age(struct control_routes *routes, const struct control_route *route)
{
    for (uint32_t i = *bucket_of(routes, &route->net); i != END; i = routes->at[i].next)
        routes->at[i].aged |= same_rank(&routes->at[i].route, route);
}

void control_routes_prune(struct control_routes *routes, const struct control_route *route)
{
    uint32_t *link = bucket_of(routes, &route->net);
    bool removed = false;

    while (*link != END) {
        if (routes->at[*link].aged && same_rank(&routes->at[*link].route, route)) {
            unlink_at(routes, link);
            removed = true;
        } else {
            link = &routes->at[*link].next;
        }
    }
    if (removed)
        (void)settle(routes, &route->net);
}

void control_routes_mark(struct control_routes *routes)
{
    routes->round++;
}

void control_routes_sweep(struct control_routes *routes)
{
    for (uint32_t bucket = 0; bucket <= routes->mask; bucket++) {
        uint32_t *link = &routes->buckets[bucket];
        while (*link != END) {
            struct candidate *one = &routes->at[*link];
            if (one->round == routes->round) {
                link = &one->next;
                continue;
            }
            struct net_route prefix = one->route.net;
            unlink_at(routes, link);
            (void)settle(routes, &prefix);
        }
    }
}

void control_routes_counters(const struct control_routes *routes, struct control_routes_counters *counters)
{
    *counters = routes->counters;
}
