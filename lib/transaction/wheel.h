// wheel: which records to look at in which tick of TRANSACTION_TICK_MS.
//
// Every record has a pair of links, so it stands on at most one of the wheel's lists, one list a tick, and
// nothing can make more entries than records. The links stand apart from the records: to take one out of a
// list touches its neighbours' links, eight of which share a cache line, and not the neighbours. What lies
// beyond the horizon (65 s) gets there in steps. Owner worker only; all O(1) but for the first sweep after a
// leap of the clock, which meets every list once.
#ifndef TRANSACTION_WHEEL_H
#define TRANSACTION_WHEEL_H

#include "transaction/transaction.h"

#define TRANSACTION_SPOKES      8192 // a power of two
#define TRANSACTION_WHEEL_NONE  UINT16_MAX
#define TRANSACTION_WHEEL_AHEAD 4 // records that are prefetched before they are due

struct transaction_link {
    uint32_t next, previous; // slots; 0: none
};

struct transaction_wheel {
    uint32_t *spokes;               // first slot of each list
    struct transaction_link *links; // by slot, from 1; the one of slot 0 is never written
    uint64_t tick; // first that is not swept yet; what waits does so in this one and the next 8191
    uint64_t waiting;
};

// The first tick that begins at `ms` or later.
static inline uint64_t transaction_wheel_tick(uint64_t ms)
{
    return (ms + TRANSACTION_TICK_MS - 1) / TRANSACTION_TICK_MS;
}

// The tick that a spoke in use stands for.
static inline uint64_t transaction_wheel_tick_at(const struct transaction_wheel *wheel, uint16_t spoke)
{
    return wheel->tick + ((spoke - wheel->tick) & (TRANSACTION_SPOKES - 1));
}

// Puts a slot that is on no list on the one of `tick`, or on the nearest there is. Returns its spoke.
uint16_t transaction_wheel_put(struct transaction_wheel *wheel, uint32_t slot, uint64_t tick);
void transaction_wheel_remove(struct transaction_wheel *wheel, uint32_t slot, uint16_t spoke);

// The next slot whose tick has begun, removed; 0: none, and then all is swept up to `now_ms`.
uint32_t transaction_wheel_due(struct transaction_wheel *wheel, uint64_t now_ms);

#endif
