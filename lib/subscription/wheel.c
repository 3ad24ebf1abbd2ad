#include "subscription/wheel.h"

static uint32_t *spoke_of(const struct subscription_wheel *wheel, uint64_t tick)
{
    return &wheel->spokes[tick % SUBSCRIPTION_SPOKES];
}

// The tick that a spoke in use stands for.
static uint64_t tick_at(const struct subscription_wheel *wheel, uint16_t spoke)
{
    return wheel->tick + ((spoke - wheel->tick) & (SUBSCRIPTION_SPOKES - 1));
}

static void put(struct subscription_wheel *wheel, uint32_t number, uint16_t *at, uint64_t tick)
{
    if (tick < wheel->tick)
        tick = wheel->tick;
    if (tick - wheel->tick >= SUBSCRIPTION_SPOKES)
        tick = wheel->tick + SUBSCRIPTION_SPOKES - 1;
    uint32_t *head = spoke_of(wheel, tick);

    wheel->links[number] = (struct subscription_link){.next = *head};
    if (*head != 0)
        wheel->links[*head].previous = number;
    *head = number;
    wheel->waiting++;
    *at = (uint16_t)(tick % SUBSCRIPTION_SPOKES);
}

void subscription_wheel_remove(struct subscription_wheel *wheel, uint32_t number, uint16_t *at)
{
    if (*at == SUBSCRIPTION_WHEEL_NONE)
        return;
    struct subscription_link link = wheel->links[number];

    if (link.previous != 0)
        wheel->links[link.previous].next = link.next;
    else
        wheel->spokes[*at] = link.next;
    if (link.next != 0)
        wheel->links[link.next].previous = link.previous;
    wheel->waiting--;
    *at = SUBSCRIPTION_WHEEL_NONE;
}

void subscription_wheel_expect(struct subscription_wheel *wheel, uint32_t number, uint16_t *at, uint64_t tick)
{
    if (*at != SUBSCRIPTION_WHEEL_NONE && tick_at(wheel, *at) <= tick)
        return;
    subscription_wheel_remove(wheel, number, at);
    put(wheel, number, at, tick);
}

uint32_t subscription_wheel_due(struct subscription_wheel *wheel, uint64_t now_ms)
{
    uint64_t now = now_ms / SUBSCRIPTION_TICK_MS;

    if (wheel->waiting == 0 && wheel->tick <= now)
        wheel->tick = now + 1;
    // After a leap of the clock one turn meets every list, and all of them are due.
    if (now >= wheel->tick + SUBSCRIPTION_SPOKES)
        wheel->tick = now - SUBSCRIPTION_SPOKES + 1;
    for (; wheel->tick <= now; wheel->tick++) {
        uint32_t number = *spoke_of(wheel, wheel->tick);

        if (number != 0)
            return number;
    }
    return 0;
}
