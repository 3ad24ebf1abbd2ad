// neighbours: the kernel's neighbour table (ARP, ND), mirrored into net_hops.
//
// The kernel resolves, ages and verifies; this room only follows, and asks. A neighbour with a usable MAC is a READY
// hop; one without is none at all, so that its packets come to control, which asks for it (control/resolve.h).
// The kernel sees no traffic of the workers, so it would let a neighbour in use grow stale unnoticed: every now and
// then control asks it to verify those that the workers used.
// Owned by the mirror; control thread only.
#ifndef CONTROL_NEIGHBOURS_H
#define CONTROL_NEIGHBOURS_H

#include "base/memory.h"
#include "control/link.h"
#include "net/nexthop.h"

// Bytes of buffer that control_neighbours_question() needs.
#define CONTROL_QUESTION_MAX 128

enum control_neighbour_news {
    CONTROL_NEIGHBOUR_SAME = 0, // nothing that a waiting packet cares for
    CONTROL_NEIGHBOUR_READY,
    CONTROL_NEIGHBOUR_FAILED,
};

// A neighbour is an address on an interface: fe80::1 may be another one on every link.
struct control_neighbour {
    struct endpoint address; // port 0
    uint16_t port;           // index into conf->ports
    uint16_t vlan;           // 0: the twin itself
};

struct control_neighbour_shadow;

struct control_neighbours {
    struct net_hops *hops;
    const struct control_links *links;
    const struct memory *memory;
    struct control_neighbour_shadow *shadow; // what the kernel said last, by number of the hop
    uint32_t hops_max;
    uint8_t round;
    uint64_t refused; // neighbours that found net_hops full
};

// `links` and `hops` outlive it. 0, -ENOMEM.
int control_neighbours_open(struct control_neighbours *neighbours, struct net_hops *hops,
                            const struct control_links *links, const struct memory *memory);
void control_neighbours_close(struct control_neighbours *neighbours);

// Takes in one RTM_NEWNEIGH or RTM_DELNEIGH; says of whom there is news.
enum control_neighbour_news control_neighbours_apply(struct control_neighbours *neighbours,
                                                     const struct nlmsghdr *message,
                                                     struct control_neighbour *neighbour);

// Mark and sweep around a dump of all neighbours.
void control_neighbours_mark(struct control_neighbours *neighbours);
void control_neighbours_sweep(struct control_neighbours *neighbours);

// The next hop after `hop` (0: the first) that workers used since the last walk and that the kernel holds for stale;
// 0: no more. Clears `used` of every hop that it passes.
uint32_t control_neighbours_next_stale(struct control_neighbours *neighbours, uint32_t hop);

// Writes the request that makes the kernel resolve or verify an address on an interface. The message lies in
// `buffer`, CONTROL_QUESTION_MAX bytes, aligned for a struct nlmsghdr.
// Never for a permanent neighbour: Linux 5.16 and later take NTF_USE on one as a wish to make it temporary.
struct nlmsghdr *control_neighbours_question(void *buffer, const struct endpoint *address, int ifindex);

#endif
