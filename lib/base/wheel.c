#include "base/wheel.h"

static uint32_t *spoke_of(const struct wheel *wheel, uint64_t tick)
{
    return &wheel->spokes[tick & wheel->mask];
}

// A list of which only the first is known.
static void unlink_from(struct wheel *wheel, uint32_t *first, uint32_t number)
{
    struct list_link link = wheel->links[number];

    if (link.previous != 0)
        wheel->links[link.previous].next = link.next;
    else
        *first = link.next;
    if (link.next != 0)
        wheel->links[link.next].previous = link.previous;
    wheel->waiting--;
}

void wheel_put(struct wheel *wheel, uint32_t number, uint16_t *place, uint64_t tick)
{
    if (tick < wheel->tick)
        tick = wheel->tick;
    if (tick - wheel->tick > wheel->mask)
        tick = wheel->tick + wheel->mask;
    uint32_t *first = spoke_of(wheel, tick);

    wheel->links[number] = (struct list_link){.next = *first};
    if (*first != 0)
        wheel->links[*first].previous = number;
    *first = number;
    wheel->waiting++;
    *place = (uint16_t)(tick & wheel->mask);
}

void wheel_remove(struct wheel *wheel, uint32_t number, uint16_t *place)
{
    if (*place == WHEEL_NONE)
        return;
    unlink_from(wheel, &wheel->spokes[*place], number);
    *place = WHEEL_NONE;
}

uint32_t wheel_due(struct wheel *wheel, uint64_t now)
{
    wheel_leap(wheel, now);
    // After a leap of the clock one turn meets every list, and all of them are due.
    if (now > wheel->tick + wheel->mask)
        wheel->tick = now - wheel->mask;
    for (; wheel->tick <= now; wheel->tick++) {
        uint32_t *first = spoke_of(wheel, wheel->tick);
        uint32_t number = *first;

        if (number != 0) {
            unlink_from(wheel, first, number);
            return number;
        }
    }
    return 0;
}
