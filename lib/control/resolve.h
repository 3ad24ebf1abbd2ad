// resolve: datagrams that wait until the kernel knows the MAC of their next hop.
//
// A worker that finds a next hop without a MAC gives the datagram to control (PACKET_DATAGRAM on its punt ring).
// Control keeps a few per next hop, asks the kernel, and gives them back to the same worker's inject ring when the
// mirror says that the hop is ready; when the kernel gives up, or after three seconds, they are dropped and counted.
//
// Owned by control; control thread only. Bounded twice: CONTROL_RESOLVE_HOPS next hops, and packets for each. Memory is
// taken at creation. Cost: a scan of the hops that wait.
#ifndef CONTROL_RESOLVE_H
#define CONTROL_RESOLVE_H

#include <rte_mbuf.h>

#include "base/memory.h"
#include "control/neighbours.h"
#include "net/nexthop.h"
#include "worker/drop.h"

#define CONTROL_RESOLVE_HOPS 256
#define CONTROL_RESOLVE_MS   3000

struct control_resolve;

struct control_resolve_setup {
    const struct net_hops *hops;
    uint32_t packets_max; // for each next hop
    const struct memory *memory;
    // Asks the kernel. 0, or -errno when there is no use in waiting.
    int (*ask)(void *owner, const struct control_neighbour *neighbour);
    // Takes a datagram back to its worker, or drops it for a reason. The mbuf is the callee's.
    void (*release)(void *owner, struct rte_mbuf *mbuf, uint16_t worker);
    void (*drop)(void *owner, struct rte_mbuf *mbuf, enum drop reason);
    void *owner;
};

// 0, -ENOMEM, -EINVAL.
int control_resolve_create(struct control_resolve **resolve, const struct control_resolve_setup *setup);

// Drops what waits (DROP_STOPPING). NULL is allowed.
void control_resolve_destroy(struct control_resolve *resolve);

// A datagram of worker `worker` to `destination`. It waits for the next hop that the destination has now, or goes back
// at once when that has become ready meanwhile, or is dropped (no route any more; too many wait).
void control_resolve_put(struct control_resolve *resolve, struct rte_mbuf *mbuf,
                         const struct endpoint *destination, uint16_t worker, uint64_t now_ms);

// News from the mirror.
void control_resolve_hear(struct control_resolve *resolve, const struct control_neighbour *neighbour,
                          bool ready);

// Drops what has waited too long.
void control_resolve_tick(struct control_resolve *resolve, uint64_t now_ms);

// Next hops that are waited for.
uint32_t control_resolve_waiting(const struct control_resolve *resolve);

#endif
