// wheel: which records to look at in which tick of SUBSCRIPTION_TICK_MS.
//
// Every record of the table, of whatever kind, has a number and a pair of links, so it stands on at most one of the
// wheel's lists, one list a tick, and nothing can make more entries than records. Lazy: what is put off stays where it
// is and moves on when its old time has come. What lies beyond the horizon (262 s) gets there in steps. Owner worker
// only; all O(1) but for the first sweep after a leap of the clock, which meets every list once.
#ifndef SUBSCRIPTION_WHEEL_H
#define SUBSCRIPTION_WHEEL_H

#include "subscription/subscription.h"

#define SUBSCRIPTION_SPOKES     16384 // a power of two
#define SUBSCRIPTION_WHEEL_NONE UINT16_MAX

struct subscription_link {
    uint32_t next, previous; // 0: none
};

struct subscription_wheel {
    uint32_t *spokes;                // first number of each list
    struct subscription_link *links; // by number, from 1; the one of 0 is never written
    uint64_t tick; // first that is not swept yet; what waits does so in this one and the next SPOKES - 1
    uint64_t waiting;
};

// The first tick that begins at `ms` or later.
static inline uint64_t subscription_wheel_tick(uint64_t ms)
{
    return (ms + SUBSCRIPTION_TICK_MS - 1) / SUBSCRIPTION_TICK_MS;
}

// Sees to it that `number` is looked at in `tick` or before; a place that is early enough stays. `at` is where the
// record keeps its place.
void subscription_wheel_expect(struct subscription_wheel *wheel, uint32_t number, uint16_t *at,
                               uint64_t tick);
void subscription_wheel_remove(struct subscription_wheel *wheel, uint32_t number, uint16_t *at);

// The next one whose tick has begun, still in its place; 0: none, and then all is swept up to `now_ms`.
uint32_t subscription_wheel_due(struct subscription_wheel *wheel, uint64_t now_ms);

#endif
