#include "datapath/stage.h"
#include "location/location.h"
#include "role/branch.h"
#include "role/presentity.h"
#include "subscription/subscription.h"
#include "transaction/transaction.h"

// Into one mailbox in one go: a ring with many producers costs by the call, not by the packet.
static void hand_over(struct worker *worker, unsigned to, struct rte_mbuf *const *mbufs, unsigned n)
{
    unsigned taken = rte_ring_enqueue_burst(worker->workers[to]->mailbox, (void *const *)mbufs, n, NULL);

    worker->counters.handed_over += taken;
    for (unsigned i = taken; i < n; i++)
        worker_drop(worker, mbufs[i], DROP_MAILBOX_FULL);
}

void datapath_hand_over(struct worker *worker, unsigned to, struct rte_mbuf *mbuf, enum packet_errand errand)
{
    packet_of(mbuf)->errand = (uint8_t)errand;
    hand_over(worker, to, &mbuf, 1);
}

// Sorts what belongs to others by its owner, and hands it over. There are few owners in a burst.
static void hand_over_all(struct worker *worker, struct burst *others)
{
    while (others->n > 0) {
        unsigned to = packet_of(others->mbuf[0])->steered.worker;
        struct rte_mbuf *its[WORKER_BURST];
        unsigned n = 0;
        unsigned left = 0;
        for (unsigned i = 0; i < others->n; i++) {
            if (packet_of(others->mbuf[i])->steered.worker == to)
                its[n++] = others->mbuf[i];
            else
                others->mbuf[left++] = others->mbuf[i];
        }
        hand_over(worker, to, its, n);
        others->n = (uint16_t)left;
    }
}

void datapath_steer_one(struct worker *worker, struct packet *packet)
{
    packet->generation = worker->generation;
    role_steer(worker->role, &packet->message, worker->workers_n, &packet->steered);
}

// Mostly it is presence that is published and watched.
static bool is_watched(const struct packet *packet)
{
    unsigned method = packet->message.method;

    return packet->message.kind == SIP_REQUEST && packet->steered.has_aor &&
           (method == SIP_METHOD_PUBLISH || method == SIP_METHOD_SUBSCRIBE);
}

static void prefetch_watched(const struct worker *worker, const struct packet *packet)
{
    const struct subscription_table *table = worker->role->subscriptions;
    const struct steered *steered = &packet->steered;

    if (packet->message.kind == SIP_RESPONSE && role_branch_is_notify(steered->slot))
        subscription_prefetch_slot(table, steered->slot & ~ROLE_BRANCH_NOTIFY);
    else if (is_watched(packet))
        subscription_prefetch(table, role_presentity_key(steered->aor, ROLE_PACKAGE_PRESENCE));
}

void datapath_prefetch_presentity(const struct worker *worker, const struct packet *packet)
{
    if (is_watched(packet))
        subscription_prefetch_presentity(worker->role->subscriptions,
                                         role_presentity_key(packet->steered.aor, ROLE_PACKAGE_PRESENCE));
}

void datapath_prefetch_tables(const struct worker *worker, const struct packet *packet)
{
    const struct steered *steered = &packet->steered;

    if (steered->has_aor)
        location_prefetch_bucket(worker->location, steered->aor);
    if (steered->has_transaction)
        transaction_prefetch(worker->role->transactions, steered->transaction);
    if (steered->slot != TRANSACTION_NONE)
        transaction_prefetch_slot(worker->role->transactions, steered->slot);
    if (worker->role->subscriptions != NULL)
        prefetch_watched(worker, packet);
}

void datapath_steer(struct worker *worker, struct burst *burst)
{
    struct burst others = {.n = 0};
    unsigned kept = 0;

    for (unsigned i = 0; i < burst->n; i++) {
        struct rte_mbuf *mbuf = burst->mbuf[i];
        struct packet *packet = packet_of(mbuf);

        datapath_steer_one(worker, packet);
        if (packet->steered.worker != worker->id) {
            packet->errand = PACKET_SERVE;
            others.mbuf[others.n++] = mbuf;
            continue;
        }
        datapath_prefetch_tables(worker, packet);
        burst->mbuf[kept++] = mbuf;
    }
    hand_over_all(worker, &others);
    burst->n = (uint16_t)kept;
}
