#include "control/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "control/attributes.h"

static struct control_link *find(struct control_links *links, int ifindex)
{
    for (unsigned i = 0; i < links->n; i++) {
        if (links->at[i].ifindex == ifindex)
            return &links->at[i];
    }
    return NULL;
}

const struct control_link *control_links_find(const struct control_links *links, int ifindex)
{
    return find((struct control_links *)(uintptr_t)links, ifindex);
}

const struct control_link *control_links_of(const struct control_links *links, uint16_t port, uint16_t vlan)
{
    for (unsigned i = 0; i < links->n; i++) {
        if (links->at[i].port == port && links->at[i].vlan == vlan)
            return &links->at[i];
    }
    return NULL;
}

int control_links_twin(struct control_links *links, int ifindex, uint16_t port)
{
    if (links->n == CONTROL_LINKS_MAX)
        return -ENOSPC;
    links->at[links->n++] = (struct control_link){.ifindex = ifindex, .port = port};
    return 0;
}

// The tag of an 802.1Q interface, or 0 for any other kind (an 802.1ad tag is not one that workers write).
static uint16_t vlan_of(const struct nlattr *info)
{
    const struct nlattr *kind[IFLA_INFO_MAX + 1] = {0}, *vlan[IFLA_VLAN_MAX + 1] = {0};

    if (info == NULL)
        return 0;
    control_attributes_nested(info, kind, IFLA_INFO_MAX);
    if (kind[IFLA_INFO_KIND] == NULL || mnl_attr_validate(kind[IFLA_INFO_KIND], MNL_TYPE_NUL_STRING) < 0 ||
        strcmp(mnl_attr_get_str(kind[IFLA_INFO_KIND]), "vlan") != 0 || kind[IFLA_INFO_DATA] == NULL)
        return 0;
    control_attributes_nested(kind[IFLA_INFO_DATA], vlan, IFLA_VLAN_MAX);
    if (!control_attribute_holds(vlan[IFLA_VLAN_ID], sizeof(uint16_t)))
        return 0;
    if (control_attribute_holds(vlan[IFLA_VLAN_PROTOCOL], sizeof(uint16_t)) &&
        mnl_attr_get_u16(vlan[IFLA_VLAN_PROTOCOL]) != htons(RTE_ETHER_TYPE_VLAN))
        return 0;
    return mnl_attr_get_u16(vlan[IFLA_VLAN_ID]);
}

// A VLAN interface that was not known, when it stands on a twin; NULL when it is none of ours.
static struct control_link *adopt(struct control_links *links, int ifindex,
                                  const struct nlattr *const *attributes)
{
    if (!control_attribute_holds(attributes[IFLA_LINK], sizeof(uint32_t)) ||
        attributes[IFLA_LINK_NETNSID] != NULL)
        return NULL;
    const struct control_link *parent = find(links, (int)mnl_attr_get_u32(attributes[IFLA_LINK]));
    uint16_t vlan = vlan_of(attributes[IFLA_LINKINFO]);
    if (parent == NULL || parent->vlan != 0 || vlan == 0)
        return NULL;
    if (links->n == CONTROL_LINKS_MAX) {
        links->refused++;
        return NULL;
    }
    struct control_link *link = &links->at[links->n++];
    *link = (struct control_link){.ifindex = ifindex, .port = parent->port, .vlan = vlan};
    return link;
}

static bool forget(struct control_links *links, int ifindex)
{
    struct control_link *link = find(links, ifindex);

    if (link == NULL)
        return false;
    *link = links->at[--links->n];
    return true;
}

bool control_links_apply(struct control_links *links, const struct nlmsghdr *message)
{
    const struct nlattr *attributes[IFLA_MAX + 1] = {0};

    if (!control_attributes_read(message, sizeof(struct ifinfomsg), attributes, IFLA_MAX))
        return false;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    if (info->ifi_family != AF_UNSPEC) // AF_BRIDGE speaks of the interface as a port of a bridge
        return false;
    if (message->nlmsg_type == RTM_DELLINK)
        return forget(links, info->ifi_index);

    struct control_link *link = find(links, info->ifi_index);
    bool adopted = link == NULL;
    if (adopted && (link = adopt(links, info->ifi_index, attributes)) == NULL)
        return false;
    struct control_link before = *link;
    link->seen = true;
    link->up = (info->ifi_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
    if (control_attribute_holds(attributes[IFLA_ADDRESS], RTE_ETHER_ADDR_LEN))
        memcpy(&link->mac, mnl_attr_get_payload(attributes[IFLA_ADDRESS]), RTE_ETHER_ADDR_LEN);
    if (control_attribute_holds(attributes[IFLA_MTU], sizeof(uint32_t)))
        link->mtu = (uint16_t)RTE_MIN(mnl_attr_get_u32(attributes[IFLA_MTU]), (uint32_t)UINT16_MAX);
    return adopted || before.up != link->up || before.mtu != link->mtu ||
           !rte_is_same_ether_addr(&before.mac, &link->mac);
}

void control_links_mark(struct control_links *links)
{
    for (unsigned i = 0; i < links->n; i++)
        links->at[i].seen = false;
}

void control_links_sweep(struct control_links *links)
{
    for (unsigned i = links->n; i > 0; i--) {
        if (!links->at[i - 1].seen)
            links->at[i - 1] = links->at[--links->n];
    }
}
