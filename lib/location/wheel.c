#include "location/wheel.h"

static uint32_t *spoke(const struct location_wheel *wheel, uint64_t tick)
{
    return &wheel->spokes[tick % LOCATION_SPOKES];
}

void location_wheel_link(struct location_wheel *wheel, uint32_t slot, struct location_set *set, uint64_t tick)
{
    if (tick < wheel->due)
        tick = wheel->due;
    if (tick - wheel->due >= LOCATION_SPOKES)
        tick = wheel->due + LOCATION_SPOKES - 1;
    uint32_t *head = spoke(wheel, tick);

    set->tick = tick;
    wheel->links[slot] = (struct location_link){.next = *head};
    if (*head != 0)
        wheel->links[*head].prev = slot;
    *head = slot;
}

void location_wheel_unlink(struct location_wheel *wheel, uint32_t slot, const struct location_set *set)
{
    struct location_link link = wheel->links[slot];

    if (link.prev != 0)
        wheel->links[link.prev].next = link.next;
    else
        *spoke(wheel, set->tick) = link.next;
    if (link.next != 0)
        wheel->links[link.next].prev = link.prev;
}

uint32_t location_wheel_due(struct location_wheel *wheel, uint64_t now_ms)
{
    uint64_t now = now_ms / 1000;

    // After a leap of the clock one turn meets every list, and all of them are due.
    if (now >= wheel->due + LOCATION_SPOKES)
        wheel->due = now - LOCATION_SPOKES + 1;
    for (; wheel->due <= now; wheel->due++)
        if (*spoke(wheel, wheel->due) != 0)
            return *spoke(wheel, wheel->due);
    return 0;
}
