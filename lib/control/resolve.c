#include "control/resolve.h"

#include <errno.h>

struct waiting {
    struct rte_mbuf *mbuf;
    uint16_t worker;
};

// A next hop that is waited for.
struct pending {
    struct control_neighbour neighbour;
    uint64_t deadline_ms;
    uint32_t packets_n;
    uint32_t slot; // its packets are packets[slot * packets_max …]
};

struct control_resolve {
    struct control_resolve_setup setup;
    struct waiting *packets;
    uint32_t pending_n;
    struct pending pending[CONTROL_RESOLVE_HOPS]; // the first pending_n; the slots of the others are free
};

static size_t packet_bytes(const struct control_resolve *resolve)
{
    return (size_t)CONTROL_RESOLVE_HOPS * resolve->setup.packets_max * sizeof(*resolve->packets);
}

int control_resolve_create(struct control_resolve **created, const struct control_resolve_setup *setup)
{
    const struct memory *memory = setup->memory;

    if (setup->packets_max == 0)
        return -EINVAL;
    struct control_resolve *resolve = memory->take(memory->owner, sizeof(*resolve), MEMORY_ANY_NODE);
    if (resolve == NULL)
        return -ENOMEM;
    resolve->setup = *setup;
    resolve->packets = memory->take(memory->owner, packet_bytes(resolve), MEMORY_ANY_NODE);
    if (resolve->packets == NULL) {
        memory->give(memory->owner, resolve, sizeof(*resolve));
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < CONTROL_RESOLVE_HOPS; i++)
        resolve->pending[i].slot = i;
    *created = resolve;
    return 0;
}

static struct waiting *packets_of(struct control_resolve *resolve, const struct pending *pending)
{
    return &resolve->packets[(size_t)pending->slot * resolve->setup.packets_max];
}

// Takes the last one's place, and leaves its own slot behind for the next.
static void end_pending(struct control_resolve *resolve, struct pending *pending)
{
    struct pending *last = &resolve->pending[--resolve->pending_n];
    struct pending gone = *pending;

    *pending = *last;
    last->slot = gone.slot;
}

static void drop_pending(struct control_resolve *resolve, struct pending *pending, enum drop reason)
{
    struct pending gone = *pending;

    end_pending(resolve, pending);
    for (uint32_t i = 0; i < gone.packets_n; i++)
        resolve->setup.drop(resolve->setup.owner, packets_of(resolve, &gone)[i].mbuf, reason);
}

static void release_pending(struct control_resolve *resolve, struct pending *pending)
{
    struct pending gone = *pending;

    end_pending(resolve, pending);
    for (uint32_t i = 0; i < gone.packets_n; i++) {
        const struct waiting *one = &packets_of(resolve, &gone)[i];
        resolve->setup.release(resolve->setup.owner, one->mbuf, one->worker);
    }
}

void control_resolve_destroy(struct control_resolve *resolve)
{
    if (resolve == NULL)
        return;
    const struct memory *memory = resolve->setup.memory;
    while (resolve->pending_n > 0)
        drop_pending(resolve, &resolve->pending[0], DROP_STOPPING);
    memory->give(memory->owner, resolve->packets, packet_bytes(resolve));
    memory->give(memory->owner, resolve, sizeof(*resolve));
}

static struct pending *find(struct control_resolve *resolve, const struct control_neighbour *neighbour)
{
    for (uint32_t i = 0; i < resolve->pending_n; i++) {
        const struct control_neighbour *one = &resolve->pending[i].neighbour;
        if (endpoint_same_address(&one->address, &neighbour->address) && one->port == neighbour->port &&
            one->vlan == neighbour->vlan)
            return &resolve->pending[i];
    }
    return NULL;
}

// Starts to wait for a neighbour: DROP_NONE, or the reason why not.
static enum drop begin(struct control_resolve *resolve, const struct control_neighbour *neighbour,
                       uint64_t now_ms)
{
    if (resolve->pending_n == CONTROL_RESOLVE_HOPS)
        return DROP_RESOLVE_FULL;
    if (resolve->setup.ask(resolve->setup.owner, neighbour) != 0)
        return DROP_RESOLVE_FAILED;
    struct pending *pending = &resolve->pending[resolve->pending_n++];
    pending->neighbour = *neighbour;
    pending->deadline_ms = now_ms + CONTROL_RESOLVE_MS;
    pending->packets_n = 0;
    return DROP_NONE;
}

// Lets a datagram wait for a neighbour: DROP_NONE, or the reason why not.
static enum drop wait_for(struct control_resolve *resolve, const struct control_neighbour *neighbour,
                          const struct waiting *packet, uint64_t now_ms)
{
    struct pending *pending = find(resolve, neighbour);

    if (pending == NULL) {
        enum drop reason = begin(resolve, neighbour, now_ms);
        if (reason != DROP_NONE)
            return reason;
        pending = &resolve->pending[resolve->pending_n - 1];
    }
    if (pending->packets_n == resolve->setup.packets_max)
        return DROP_RESOLVE_FULL;
    packets_of(resolve, pending)[pending->packets_n++] = *packet;
    return DROP_NONE;
}

void control_resolve_put(struct control_resolve *resolve, struct rte_mbuf *mbuf,
                         const struct endpoint *destination, uint16_t worker, uint64_t now_ms)
{
    const struct control_resolve_setup *setup = &resolve->setup;
    const struct net_hop *hop = net_hop_at(setup->hops, net_hops_find(setup->hops, destination));
    struct control_neighbour neighbour = {*destination, hop->port, hop->vlan};
    const struct waiting packet = {mbuf, worker};
    enum drop reason = DROP_NO_ROUTE; // it went while the datagram was on the ring

    switch (hop->state) {
    case NET_HOP_READY:
        setup->release(setup->owner, mbuf, worker);
        return;
    case NET_HOP_RESOLVING:
        neighbour.address = hop->address;
        reason = wait_for(resolve, &neighbour, &packet, now_ms);
        break;
    case NET_HOP_LINK:
        neighbour.address.port = 0;
        reason = wait_for(resolve, &neighbour, &packet, now_ms);
        break;
    }
    if (reason != DROP_NONE)
        setup->drop(setup->owner, mbuf, reason);
}

void control_resolve_hear(struct control_resolve *resolve, const struct control_neighbour *neighbour,
                          bool ready)
{
    struct pending *pending = find(resolve, neighbour);

    if (pending == NULL)
        return;
    if (ready)
        release_pending(resolve, pending);
    else
        drop_pending(resolve, pending, DROP_RESOLVE_FAILED);
}

void control_resolve_tick(struct control_resolve *resolve, uint64_t now_ms)
{
    for (uint32_t i = resolve->pending_n; i > 0; i--) {
        if (now_ms >= resolve->pending[i - 1].deadline_ms)
            drop_pending(resolve, &resolve->pending[i - 1], DROP_RESOLVE_FAILED);
    }
}

uint32_t control_resolve_waiting(const struct control_resolve *resolve)
{
    return resolve->pending_n;
}
