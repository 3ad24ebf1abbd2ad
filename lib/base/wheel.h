// wheel: which records to look at in which tick.
//
// Every record has a number, from 1, and a link apart from it (base/list.h), so it stands on at most one of the wheel's
// lists, one list a tick, and nothing can make more entries than records. Which list that is, its place, the record
// keeps itself, in 16 bits. Lazy: what is put off stays where it is, and whoever finds it there too early puts it where
// it then belongs. What lies beyond the horizon, as many ticks as there are spokes, gets there in steps.
//
// A tick is what the caller says it is: wheel_tick and a division of the clock give its number. A clock that goes back
// holds the wheel up until it has caught up.
//
// Memory is the caller's, zeroed; nothing is taken, nothing fails. One thread. All O(1), but for the first sweep after
// a leap of the clock, which meets every list once.
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include "base/list.h"

#define WHEEL_NONE       UINT16_MAX // the place of what is on no list
#define WHEEL_SPOKES_MAX 32768

struct wheel {
    uint32_t *spokes;        // first number of each list
    struct list_link *links; // by number; whoever prefetches what comes next reads them
    uint64_t tick; // first that is not swept yet; what waits does so in this one and the next `mask`
    uint32_t mask; // spokes - 1
    uint32_t waiting;
};

// `spokes`: `n` of them, a power of two up to WHEEL_SPOKES_MAX; `links`: one more than there are numbers. It stands at
// tick 0.
static inline void wheel_init(struct wheel *wheel, uint32_t *spokes, uint32_t n, struct list_link *links)
{
    *wheel = (struct wheel){.spokes = spokes, .links = links, .mask = n - 1};
}

// The first tick of `tick_ms` that begins at `ms` or later; `ms` is 1 up.
static inline uint64_t wheel_tick(uint64_t ms, uint64_t tick_ms)
{
    return (ms - 1) / tick_ms + 1;
}

// The tick that a place stands for; not of WHEEL_NONE.
static inline uint64_t wheel_tick_at(const struct wheel *wheel, uint16_t place)
{
    return wheel->tick + ((place - wheel->tick) & wheel->mask);
}

// Puts a number that is on no list on the one of `tick`, or on the nearest there is, ahead of those that are there
// already. `place` is where its record keeps its place.
void wheel_put(struct wheel *wheel, uint32_t number, uint16_t *place, uint64_t tick);

// Takes it out of its list, if it is on one.
void wheel_remove(struct wheel *wheel, uint32_t number, uint16_t *place);

// Sees to it that it is looked at in `tick` or before: a place that is early enough stays.
static inline void wheel_expect(struct wheel *wheel, uint32_t number, uint16_t *place, uint64_t tick)
{
    if (*place != WHEEL_NONE) {
        if (wheel_tick_at(wheel, *place) <= tick)
            return;
        wheel_remove(wheel, number, place);
    }
    wheel_put(wheel, number, place, tick);
}

// The next number whose tick is `now` or earlier, taken out: the caller notes WHEEL_NONE in its record. Its link still
// leads on to those that come next. One that is put at `now` or earlier meanwhile is given once more. 0: none, and all
// is swept up to `now`.
uint32_t wheel_due(struct wheel *wheel, uint64_t now);

// Turns a wheel on which nothing waits to `now`, as wheel_due does: where the clock began long before, the first one
// need not go the way there in steps.
static inline void wheel_leap(struct wheel *wheel, uint64_t now)
{
    if (wheel->waiting == 0 && wheel->tick <= now)
        wheel->tick = now + 1;
}

#endif
