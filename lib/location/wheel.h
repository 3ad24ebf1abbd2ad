// wheel: which slots to look at in which second.
//
// Every index slot has a pair of links, so a slot in use stands on exactly one of the wheel's lists, one list a
// second, and nothing can make more entries than slots. Lazy: a refresh that lives longer leaves its slot where it
// is; when the second comes, the slot moves on to the one its record then asks for. An expiry beyond the horizon
// (68 minutes) gets there in steps. Owner worker only, all O(1).
#ifndef LOCATION_WHEEL_H
#define LOCATION_WHEEL_H

#include "location/set.h"

#define LOCATION_SPOKES 4096 // seconds; a power of two

struct location_link {
    uint32_t next, prev; // slots; 0: none
};

struct location_wheel {
    uint32_t *spokes;            // first slot of each list
    struct location_link *links; // by slot, from 1
    uint64_t due; // first tick that is not swept yet; all ticks are due to due + LOCATION_SPOKES - 1
};

// The first tick at which a binding that dies at `expires_ms` is dead.
static inline uint64_t location_wheel_tick(uint64_t expires_ms)
{
    return expires_ms / 1000 + (expires_ms % 1000 != 0);
}

// Puts the slot of `set` on the list of `tick`, or on the nearest one there is, and notes it in the set.
void location_wheel_link(struct location_wheel *wheel, uint32_t slot, struct location_set *set,
                         uint64_t tick);
void location_wheel_unlink(struct location_wheel *wheel, uint32_t slot, const struct location_set *set);

// Turns a wheel on which there is nothing to `now_ms`.
static inline void location_wheel_leap(struct location_wheel *wheel, uint64_t now_ms)
{
    if (wheel->due < now_ms / 1000)
        wheel->due = now_ms / 1000;
}

// The next slot that is due at `now_ms`, still linked; 0 when there is none, and then all is swept up to now.
uint32_t location_wheel_due(struct location_wheel *wheel, uint64_t now_ms);

#endif
