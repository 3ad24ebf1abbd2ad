#include "control/neighbours.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "control/attributes.h"

#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

struct control_neighbour_shadow {
    uint8_t state; // NUD_…; 0: the hop is no neighbour of the kernel's
    uint8_t round; // of the last mark at which the kernel named it
};

struct announcement {
    struct control_neighbour who;
    struct rte_ether_addr mac;
    const struct control_link *link;
    uint8_t state; // NUD_…; 0: removed
    bool usable;   // mac is valid
};

static size_t shadow_bytes(const struct control_neighbours *neighbours)
{
    return ((size_t)neighbours->hops_max + 1) * sizeof(*neighbours->shadow);
}

int control_neighbours_open(struct control_neighbours *neighbours, struct net_hops *hops,
                            const struct control_links *links, const struct memory *memory)
{
    struct net_hops_usage usage;

    net_hops_usage(hops, &usage);
    *neighbours = (struct control_neighbours){
        .hops = hops, .links = links, .memory = memory, .hops_max = usage.hops_max};
    neighbours->shadow = memory->take(memory->owner, shadow_bytes(neighbours), MEMORY_ANY_NODE);
    return neighbours->shadow == NULL ? -ENOMEM : 0;
}

void control_neighbours_close(struct control_neighbours *neighbours)
{
    if (neighbours->shadow != NULL)
        neighbours->memory->give(neighbours->memory->owner, neighbours->shadow, shadow_bytes(neighbours));
    neighbours->shadow = NULL;
}

// False for what is not a neighbour on one of our interfaces that a datagram could be sent to.
static bool read_neighbour(const struct control_neighbours *neighbours, const struct nlmsghdr *message,
                           struct announcement *one)
{
    const struct nlattr *attributes[NDA_MAX + 1] = {0};

    if (!control_attributes_read(message, sizeof(struct ndmsg), attributes, NDA_MAX))
        return false;
    const struct ndmsg *info = mnl_nlmsg_get_payload(message);
    one->link = control_links_find(neighbours->links, info->ndm_ifindex);
    if (one->link == NULL || (info->ndm_flags & NTF_PROXY) != 0 ||
        !control_attribute_address(attributes[NDA_DST], info->ndm_family, &one->who.address))
        return false;
    one->who.port = one->link->port;
    one->who.vlan = one->link->vlan;
    one->state = message->nlmsg_type == RTM_DELNEIGH ? 0 : (uint8_t)info->ndm_state;
    one->usable =
        (one->state & NUD_USABLE) != 0 && control_attribute_holds(attributes[NDA_LLADDR], RTE_ETHER_ADDR_LEN);
    if (one->usable) {
        memcpy(&one->mac, mnl_attr_get_payload(attributes[NDA_LLADDR]), RTE_ETHER_ADDR_LEN);
        // The kernel keeps multicast and broadcast addresses as neighbours, too: no SIP goes there.
        one->usable = rte_is_unicast_ether_addr(&one->mac);
    }
    return true;
}

static enum control_neighbour_news take_away(struct control_neighbours *neighbours,
                                             const struct announcement *one)
{
    const struct control_neighbour *who = &one->who;
    uint32_t hop = net_hops_neighbour_find(neighbours->hops, &who->address, who->port, who->vlan);

    if (hop != NET_HOP_NONE && neighbours->shadow[hop].state != 0) {
        neighbours->shadow[hop].state = 0;
        (void)net_hops_neighbour_remove_on(neighbours->hops, &who->address, who->port, who->vlan);
    }
    return (one->state & NUD_FAILED) != 0 ? CONTROL_NEIGHBOUR_FAILED : CONTROL_NEIGHBOUR_SAME;
}

enum control_neighbour_news control_neighbours_apply(struct control_neighbours *neighbours,
                                                     const struct nlmsghdr *message,
                                                     struct control_neighbour *neighbour)
{
    struct announcement one = {0};

    if (!read_neighbour(neighbours, message, &one))
        return CONTROL_NEIGHBOUR_SAME;
    *neighbour = one.who;
    if (!one.usable)
        return take_away(neighbours, &one);
    const struct control_link *link = one.link;
    if (net_hops_neighbour_put(neighbours->hops, &one.who.address, &one.mac, &link->mac, link->port,
                               link->mtu, link->vlan) != 0) {
        neighbours->refused++;
        return CONTROL_NEIGHBOUR_FAILED; // those who wait for it would wait in vain
    }
    uint32_t hop = net_hops_neighbour_find(neighbours->hops, &one.who.address, link->port, link->vlan);
    neighbours->shadow[hop] =
        (struct control_neighbour_shadow){.state = one.state, .round = neighbours->round};
    return CONTROL_NEIGHBOUR_READY;
}

void control_neighbours_mark(struct control_neighbours *neighbours)
{
    neighbours->round++;
}

void control_neighbours_sweep(struct control_neighbours *neighbours)
{
    for (uint32_t hop = net_hops_next(neighbours->hops, 0); hop != 0;
         hop = net_hops_next(neighbours->hops, hop)) {
        struct control_neighbour_shadow *shadow = &neighbours->shadow[hop];
        if (shadow->state == 0 || shadow->round == neighbours->round)
            continue;
        struct net_hop gone = *net_hop_at(neighbours->hops, hop);
        shadow->state = 0;
        (void)net_hops_neighbour_remove_on(neighbours->hops, &gone.address, gone.port, gone.vlan);
    }
}

uint32_t control_neighbours_next_stale(struct control_neighbours *neighbours, uint32_t hop)
{
    while ((hop = net_hops_next(neighbours->hops, hop)) != 0) {
        struct net_hop *one = net_hop_at(neighbours->hops, hop);
        bool used = one->used != 0;
        one->used = 0; // a store of the worker's lost in between costs one period
        if (used && neighbours->shadow[hop].state == NUD_STALE)
            return hop;
    }
    return 0;
}

struct nlmsghdr *control_neighbours_question(void *buffer, const struct endpoint *address, int ifindex)
{
    bool ip4 = address->family == ENDPOINT_IP4;
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

    message->nlmsg_type = RTM_NEWNEIGH;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
    struct ndmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
    info->ndm_family = ip4 ? AF_INET : AF_INET6;
    info->ndm_ifindex = ifindex;
    info->ndm_state = NUD_NONE;
    info->ndm_flags = NTF_USE;
    mnl_attr_put(message, NDA_DST, ip4 ? 4 : 16, address->address);
    return message;
}
