// table: the records, their index, and what only lingers. Internal to the room; owner worker only.
//
// Slots count from 1, so 0 is none and fresh memory is an empty table: pages that were never used are never
// touched. The index is a chain of edges: a head, or the edge that leads on from a record, names the next
// record, 32 bits of its key, and whether the chain ends there. So a look-up mostly touches one edge and the record
// it looks for, and one edge alone when there is none.
#ifndef TRANSACTION_TABLE_H
#define TRANSACTION_TABLE_H

#include "base/wheel.h"
#include "sip/method.h"
#include "transaction/transaction.h"

struct transaction_edge {
    uint32_t tag;  // of the key of
    uint32_t slot; // 0: none; with TRANSACTION_EDGE_LAST when no edge leads on from there
};

#define TRANSACTION_EDGE_LAST (UINT32_C(1) << 31)

struct transaction_table {
    struct transaction *records;    // by slot
    struct transaction_edge *heads; // by key
    struct transaction_edge *edges; // by slot: to the next of the chain; of a free one to the next free
    struct list_link *lingering;    // by slot
    struct list linger;             // oldest first
    uint32_t heads_mask;
    uint32_t records_n;
    uint32_t fresh; // first slot that was never used
    uint32_t free;  // slots that were
    struct wheel wheel;

    struct transaction_branch *branches; // further ones; `next` links the free ones
    uint32_t branches_n, branches_fresh, branches_free;

    struct transaction_timers timers;
    uint32_t trying_ms; // until 100 is due (RFC 4320 4.1)

    struct transaction_usage counts; // worker: wo, any thread: ro
    struct memory memory;
    void *block;
};

// Where the deadline of a timer of `after_ms` lies; `from_ms` may be cut to 32 bits already.
static inline uint32_t transaction_deadline(uint64_t from_ms, uint32_t after_ms)
{
    uint32_t deadline = (uint32_t)from_ms + after_ms;

    return deadline != TRANSACTION_NEVER ? deadline : 1;
}

// The next one of a timer that fired: counted from when it should have, unless that has passed, too.
static inline uint32_t transaction_deadline_again(uint32_t fired, uint32_t interval, uint64_t now_ms)
{
    uint32_t again = transaction_deadline(fired, interval);

    return transaction_is_due(again, now_ms) ? transaction_deadline(now_ms, interval) : again;
}

// A, E, G: what is sent to `peer` is sent again, unless nothing is lost on the way (RFC 3261 17.1.1.2, 17.1.2.2,
// 17.2.1).
static inline uint32_t transaction_repeat_at(const struct endpoint *peer, uint64_t now_ms, uint32_t after_ms)
{
    return endpoint_is_stream(peer) ? TRANSACTION_NEVER : transaction_deadline(now_ms, after_ms);
}

// D, I, J, K: until when what `peer` sends again is absorbed. Where it sends nothing again, they are zero (17).
static inline uint32_t transaction_absorb_until(const struct endpoint *peer, uint64_t now_ms,
                                                uint32_t after_ms)
{
    return transaction_deadline(now_ms, endpoint_is_stream(peer) ? 0 : after_ms);
}

static inline bool transaction_is_invite(const struct transaction *transaction)
{
    return transaction->method == SIP_METHOD_INVITE;
}

// Twice the interval, at most T2.
static inline uint32_t transaction_doubled(const struct transaction_table *table, uint32_t interval)
{
    return interval < table->timers.t2_ms / 2 ? 2 * interval : table->timers.t2_ms;
}

static inline struct transaction_branch *transaction_branch_after(struct transaction_table *table,
                                                                  const struct transaction_branch *branch)
{
    return branch->next != TRANSACTION_NONE ? &table->branches[branch->next] : NULL;
}

// A counter that others read.
static inline void transaction_count(uint64_t *counter, int64_t by)
{
    __atomic_store_n(counter, *counter + (uint64_t)by, __ATOMIC_RELAXED);
}

// It is only there to absorb retransmissions, so it makes room when that is wanted.
static inline void transaction_linger(struct transaction_table *table, struct transaction *transaction)
{
    if (transaction->lingers)
        return;
    transaction->lingers = true;
    list_append(&table->linger, table->lingering, transaction_slot(table, transaction));
    transaction_count(&table->counts.lingering, 1);
}

// And not any more, where it did.
static inline void transaction_linger_not(struct transaction_table *table, struct transaction *transaction)
{
    if (!transaction->lingers)
        return;
    transaction->lingers = false;
    list_remove(&table->linger, table->lingering, transaction_slot(table, transaction));
    transaction_count(&table->counts.lingering, -1);
}

// What an event of this record may send or release. Buffers are not looked at.
static inline __attribute__((always_inline)) void
transaction_prefetch_kept(const struct transaction *transaction)
{
    __builtin_prefetch(transaction->first.request, 1);
    __builtin_prefetch(transaction->response, 1);
    __builtin_prefetch(transaction->original, 1);
}

#endif
