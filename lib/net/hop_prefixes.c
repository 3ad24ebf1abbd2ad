#include <errno.h>

#include "net/hops.h"

#define DEPTH4_MAX 32
#define DEPTH6_MAX 128

static uint32_t host_order(const struct endpoint *prefix)
{
    uint32_t address;

    memcpy(&address, prefix->address, sizeof(address));
    return rte_be_to_cpu_32(address);
}

static bool prefix_valid(const struct endpoint *prefix, uint8_t depth)
{
    return (prefix->family == ENDPOINT_IP4 && depth <= DEPTH4_MAX) ||
           (prefix->family == ENDPOINT_IP6 && depth <= DEPTH6_MAX);
}

// Whether the prefix is there, and where it leads.
static bool prefix_get(const struct net_hops *hops, const struct endpoint *prefix, uint8_t depth,
                       uint32_t *hop)
{
    bool ip4 = prefix->family == ENDPOINT_IP4;

    *hop = NET_HOP_NONE;
    if (depth == 0) {
        *hop = ip4 ? hops->fallback4 : hops->fallback6;
        return ip4 ? hops->has_fallback4 : hops->has_fallback6;
    }
    if (ip4)
        return rte_lpm_is_rule_present(hops->lpm4, host_order(prefix), depth, hop) == 1;
    return rte_lpm6_is_rule_present(hops->lpm6, prefix->address, depth, hop) == 1;
}

static int prefix_put(struct net_hops *hops, const struct endpoint *prefix, uint8_t depth, uint32_t hop)
{
    bool ip4 = prefix->family == ENDPOINT_IP4;
    int error = 0;

    if (depth == 0) {
        net_hops_store(ip4 ? &hops->fallback4 : &hops->fallback6, hop);
        *(ip4 ? &hops->has_fallback4 : &hops->has_fallback6) = true;
    } else if (ip4) {
        error = rte_lpm_add(hops->lpm4, host_order(prefix), depth, hop);
    } else {
        error = rte_lpm6_add(hops->lpm6, prefix->address, depth, hop);
    }
    return error == 0 ? 0 : -ENOSPC;
}

static void prefix_remove(struct net_hops *hops, const struct endpoint *prefix, uint8_t depth)
{
    bool ip4 = prefix->family == ENDPOINT_IP4;

    if (depth == 0) {
        net_hops_store(ip4 ? &hops->fallback4 : &hops->fallback6, NET_HOP_NONE);
        *(ip4 ? &hops->has_fallback4 : &hops->has_fallback6) = false;
    } else if (ip4) {
        (void)rte_lpm_delete(hops->lpm4, host_order(prefix), depth);
    } else {
        (void)rte_lpm6_delete(hops->lpm6, prefix->address, depth);
    }
}

static uint32_t *routes_n(struct net_hops *hops, const struct endpoint *prefix)
{
    return prefix->family == ENDPOINT_IP4 ? &hops->usage.routes4 : &hops->usage.routes6;
}

static bool route_valid(const struct net_route *route)
{
    bool gateway = route->gateway.family != ENDPOINT_NONE;

    if (!prefix_valid(&route->prefix, route->depth))
        return false;
    return route->kind == NET_HOP_READY ? gateway : !gateway && route->kind <= NET_HOP_LINK;
}

// The hop that a route leads to; false when the table is full.
static bool hop_of(struct net_hops *hops, const struct net_route *route, uint32_t *hop)
{
    struct net_hop like = {.source = route->source,
                           .port = route->port,
                           .mtu = route->mtu,
                           .vlan = route->vlan,
                           .state = route->kind};

    *hop = NET_HOP_NONE;
    if (route->kind == NET_HOP_UNREACHABLE)
        return true;
    *hop = route->kind == NET_HOP_READY ? net_hop_of_neighbour(hops, &route->gateway, &like)
                                        : net_hop_of_link(hops, &like);
    return *hop != NET_HOP_NONE;
}

static void leave(struct net_hops *hops, uint32_t hop)
{
    if (hop == NET_HOP_NONE)
        return;
    hops->cells[hop].routes--;
    net_hop_release(hops, hop);
}

int net_hops_route_put(struct net_hops *hops, const struct net_route *route)
{
    uint32_t before, hop;

    if (!route_valid(route))
        return -EINVAL;
    bool replaces = prefix_get(hops, &route->prefix, route->depth, &before);
    if (!hop_of(hops, route, &hop))
        return -ENOSPC;
    if (hop != NET_HOP_NONE)
        hops->cells[hop].routes++;
    int error = prefix_put(hops, &route->prefix, route->depth, hop);
    if (error != 0) {
        leave(hops, hop);
        return error;
    }
    if (replaces)
        leave(hops, before);
    else
        (*routes_n(hops, &route->prefix))++;
    return 0;
}

int net_hops_route_remove(struct net_hops *hops, const struct endpoint *prefix, uint8_t depth)
{
    uint32_t before;

    if (!prefix_valid(prefix, depth))
        return -EINVAL;
    if (!prefix_get(hops, prefix, depth, &before))
        return -ENOENT;
    prefix_remove(hops, prefix, depth);
    leave(hops, before);
    (*routes_n(hops, prefix))--;
    return 0;
}
