// mirror: the kernel's interfaces, routes and neighbours, followed over netlink into net_hops.
//
// One rtnetlink socket. It joins the groups first and dumps afterwards, so nothing falls between; the kernel keeps the
// order of both. Where events cannot tell the whole story (the socket overflowed, an interface went down and took its
// IPv4 routes along without a word, a nexthop object vanished) everything is read again, marked and swept, while the
// workers keep what they have.
//
// What is mirrored: the local and the main table; routes over twins and over VLAN interfaces on twins; addresses of the
// box on any interface (LOCAL); blackhole, unreachable, prohibit, broadcast and multicast (UNREACHABLE). Of a
// multipath route the first live next hop is used. Not honoured: policy rules, other tables, TOS, the MTU of a route.
//
// Owned by control; control thread only.
#ifndef CONTROL_MIRROR_H
#define CONTROL_MIRROR_H

#include "control/link.h"
#include "control/neighbours.h"
#include "control/routes.h"

struct control_mirror;

// News of a neighbour: `ready`, or the kernel gave up on it.
typedef void (*control_mirror_news)(void *owner, const struct control_neighbour *neighbour, bool ready);

struct control_mirror_setup {
    struct net_hops *hops;
    uint32_t candidates_max; // routes that may be known, those that do not win counted, too
    const struct memory *memory;
    control_mirror_news news; // may be NULL
    void *owner;
};

// control: wo, telemetry: ro
struct control_mirror_counters {
    uint64_t messages;  // of netlink
    uint64_t overflows; // of the socket
    uint64_t resyncs;
    uint64_t questions;                                         // neighbours that the kernel was asked for
    uint64_t refused_routes, refused_neighbours, refused_links; // found a table full
};

// In the network namespace of the calling thread. 0 or -errno.
int control_mirror_create(struct control_mirror **mirror, const struct control_mirror_setup *setup);
void control_mirror_destroy(struct control_mirror *mirror); // NULL is allowed

// Declares a twin, before the first read. 0, -ENOSPC.
int control_mirror_twin(struct control_mirror *mirror, int ifindex, uint16_t port);

// Reads everything once and waits for it, as long as the kernel is never silent for `silence_ms`. 0, -ETIMEDOUT, -errno
// of the socket.
int control_mirror_load(struct control_mirror *mirror, int silence_ms);

// The descriptor to watch, and what to call when it is readable: takes what is there, up to a bound.
int control_mirror_fd(const struct control_mirror *mirror);
void control_mirror_read(struct control_mirror *mirror);

// About every 50 ms: starts a resync that is due. About every 10 s: has used, stale neighbours verified.
void control_mirror_tick(struct control_mirror *mirror);
void control_mirror_verify(struct control_mirror *mirror);

// Asks the kernel to resolve a neighbour. 0, -ENODEV (no such interface), -errno of the socket.
int control_mirror_ask(struct control_mirror *mirror, const struct control_neighbour *neighbour);

void control_mirror_counters(const struct control_mirror *mirror, struct control_mirror_counters *counters);

#endif
