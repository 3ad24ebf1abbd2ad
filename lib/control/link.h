// link: which of the kernel's interfaces stand for which port.
//
// A twin is an interface of the kernel; VLAN interfaces on top of it are the same port with a tag. Everything that
// netlink says of addresses, routes and neighbours names an interface by its index; this table turns the index into
// port, tag, MAC and MTU. Other interfaces (the management port, loopback, VLAN on VLAN, bridges) are not in it.
// A plain value. Control thread only; a look-up is a scan of the few interfaces there are.
#ifndef CONTROL_LINK_H
#define CONTROL_LINK_H

#include <libmnl/libmnl.h>
#include <rte_ether.h>
#include <stdbool.h>

#define CONTROL_LINKS_MAX 256

struct control_link {
    int ifindex;
    uint16_t port; // index into conf->ports
    uint16_t vlan; // 0: the twin itself
    uint16_t mtu;  // bytes of IP
    struct rte_ether_addr mac;
    bool up;   // administratively, and with a carrier
    bool seen; // since the last mark
};

struct control_links {
    struct control_link at[CONTROL_LINKS_MAX];
    unsigned n;
    uint64_t refused; // VLAN interfaces that found the table full
};

// Declares the interface `ifindex` to be the twin of a port; the rest comes with control_links_apply. 0, -ENOSPC.
int control_links_twin(struct control_links *links, int ifindex, uint16_t port);

// Takes in one RTM_NEWLINK or RTM_DELLINK. True when the interface is one of ours and came, went, or changed in
// something that routes depend on: the kernel does not announce the routes that live and die with it (IPv4), so they
// must be read again.
bool control_links_apply(struct control_links *links, const struct nlmsghdr *message);

// Mark and sweep around a dump of all interfaces: what was not in it is gone.
void control_links_mark(struct control_links *links);
void control_links_sweep(struct control_links *links);

// NULL: not one of ours.
const struct control_link *control_links_find(const struct control_links *links, int ifindex);

// The interface of a port and tag, or NULL.
const struct control_link *control_links_of(const struct control_links *links, uint16_t port, uint16_t vlan);

#endif
