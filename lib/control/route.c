#include "control/route.h"

#include <linux/rtnetlink.h>

#include "control/attributes.h"

#define KIND_NONE 0xff // not for workers

// What a route of the kernel's means to a worker.
static uint8_t kind_of(unsigned char type)
{
    switch (type) {
    case RTN_UNICAST:
        return NET_HOP_LINK; // or READY, when there is a gateway
    case RTN_LOCAL:
    case RTN_ANYCAST: // this box is one of those that answer
        return NET_HOP_LOCAL;
    case RTN_BROADCAST: // nothing that SIP is sent to
    case RTN_MULTICAST:
    case RTN_BLACKHOLE:
    case RTN_UNREACHABLE:
    case RTN_PROHIBIT:
        return NET_HOP_UNREACHABLE;
    default:
        return KIND_NONE;
    }
}

// Everything but the next hop. False for routes that are not mirrored.
static bool read_route(const struct rtmsg *info, const struct nlattr *const *attributes,
                       struct control_route *route)
{
    uint32_t table = control_attribute_holds(attributes[RTA_TABLE], sizeof(uint32_t))
                         ? mnl_attr_get_u32(attributes[RTA_TABLE])
                         : info->rtm_table;
    uint8_t bits = info->rtm_family == AF_INET ? 32 : 128;

    if ((info->rtm_family != AF_INET && info->rtm_family != AF_INET6) || info->rtm_dst_len > bits)
        return false;
    if ((table != RT_TABLE_MAIN && table != RT_TABLE_LOCAL) || info->rtm_tos != 0 || info->rtm_src_len != 0 ||
        (info->rtm_flags & RTM_F_CLONED) != 0)
        return false;
    *route = (struct control_route){.local = table == RT_TABLE_LOCAL};
    route->net.kind = kind_of(info->rtm_type);
    route->net.depth = info->rtm_dst_len;
    if (control_attribute_holds(attributes[RTA_PRIORITY], sizeof(uint32_t)))
        route->metric = mnl_attr_get_u32(attributes[RTA_PRIORITY]);
    if (!control_attribute_address(attributes[RTA_DST], info->rtm_family, &route->net.prefix)) {
        if (info->rtm_dst_len != 0)
            return false;
        route->net.prefix.family = info->rtm_family == AF_INET ? ENDPOINT_IP4 : ENDPOINT_IP6; // default
    }
    return route->net.kind != KIND_NONE;
}

// The gateway of a next hop, which may be of the other family (RTA_VIA, RFC 8950); NONE for on-link.
static struct endpoint read_gateway(const struct nlattr *gateway, const struct nlattr *via, int family)
{
    struct endpoint address;

    if (control_attribute_holds(via, sizeof(struct rtvia))) {
        const struct rtvia *other = mnl_attr_get_payload(via);
        (void)control_address_of(other->rtvia_addr, mnl_attr_get_payload_len(via) - sizeof(*other),
                                 other->rtvia_family, &address);
        return address;
    }
    (void)control_attribute_address(gateway, family, &address);
    return address;
}

struct change {
    struct control_routes *routes;
    const struct control_links *links;
    bool added;
};

// Adds or removes one next hop of a route.
static void change_one(const struct change *change, const struct control_route *route, int ifindex,
                       const struct endpoint *gateway)
{
    const struct control_link *link = control_links_find(change->links, ifindex);
    struct control_route one = *route;

    one.ifindex = ifindex;
    if (one.net.kind == NET_HOP_LINK && gateway->family != ENDPOINT_NONE) {
        one.net.kind = NET_HOP_READY;
        one.net.gateway = *gateway;
    }
    if (!change->added) {
        control_routes_remove(change->routes, &one);
        return;
    }
    if (link != NULL) {
        one.net.source = link->mac;
        one.net.port = link->port;
        one.net.mtu = link->mtu;
        one.net.vlan = link->vlan;
    } else if (one.net.kind == NET_HOP_LINK || one.net.kind == NET_HOP_READY) {
        return; // over an interface that is no twin
    }
    (void)control_routes_put(change->routes, &one); // refusals are counted there
}

static void change_each(const struct change *change, const struct control_route *route,
                        const struct nlattr *multipath, int family)
{
    const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
    int left = mnl_attr_get_payload_len(multipath);

    while (left >= (int)sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) && hop->rtnh_len <= left) {
        const struct nlattr *attributes[RTA_MAX + 1] = {0};
        const struct nlattr *first = (const void *)RTNH_DATA(hop);
        int bytes = hop->rtnh_len - (int)RTNH_LENGTH(0);
        for (const struct nlattr *one = first; mnl_attr_ok(one, bytes);
             bytes -= MNL_ALIGN(one->nla_len), one = mnl_attr_next(one)) {
            if (mnl_attr_get_type(one) <= RTA_MAX)
                attributes[mnl_attr_get_type(one)] = one;
        }
        struct endpoint gateway = read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA], family);
        if (!change->added || (hop->rtnh_flags & RTNH_F_DEAD) == 0)
            change_one(change, route, hop->rtnh_ifindex, &gateway);
        left -= (int)RTNH_ALIGN(hop->rtnh_len);
        hop = RTNH_NEXT(hop);
    }
}

void control_route_apply(struct control_routes *routes, const struct control_links *links,
                         const struct nlmsghdr *message)
{
    const struct nlattr *attributes[RTA_MAX + 1] = {0};
    struct control_route route;

    if (!control_attributes_read(message, sizeof(struct rtmsg), attributes, RTA_MAX))
        return;
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    if (!read_route(info, attributes, &route))
        return;
    struct change change = {routes, links, message->nlmsg_type == RTM_NEWROUTE};
    bool replaced = change.added && (message->nlmsg_flags & NLM_F_REPLACE) != 0;
    if (replaced)
        control_routes_age(routes, &route);
    if (attributes[RTA_MULTIPATH] != NULL) {
        change_each(&change, &route, attributes[RTA_MULTIPATH], info->rtm_family);
    } else if (!change.added || (info->rtm_flags & RTNH_F_DEAD) == 0) {
        struct endpoint gateway =
            read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA], info->rtm_family);
        int ifindex = control_attribute_holds(attributes[RTA_OIF], sizeof(uint32_t))
                          ? (int)mnl_attr_get_u32(attributes[RTA_OIF])
                          : 0;
        change_one(&change, &route, ifindex, &gateway);
    }
    if (replaced)
        control_routes_prune(routes, &route);
}
