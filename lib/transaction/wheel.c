#include "transaction/wheel.h"

static uint32_t *spoke_of(const struct transaction_wheel *wheel, uint64_t tick)
{
    return &wheel->spokes[tick % TRANSACTION_SPOKES];
}

uint16_t transaction_wheel_put(struct transaction_wheel *wheel, uint32_t slot, uint64_t tick)
{
    if (tick < wheel->tick)
        tick = wheel->tick;
    if (tick - wheel->tick >= TRANSACTION_SPOKES)
        tick = wheel->tick + TRANSACTION_SPOKES - 1;
    uint32_t *head = spoke_of(wheel, tick);

    wheel->links[slot] = (struct transaction_link){.next = *head};
    if (*head != 0)
        wheel->links[*head].previous = slot;
    *head = slot;
    wheel->waiting++;
    return (uint16_t)(tick % TRANSACTION_SPOKES);
}

void transaction_wheel_remove(struct transaction_wheel *wheel, uint32_t slot, uint16_t spoke)
{
    struct transaction_link link = wheel->links[slot];

    if (link.previous != 0)
        wheel->links[link.previous].next = link.next;
    else
        wheel->spokes[spoke] = link.next;
    if (link.next != 0)
        wheel->links[link.next].previous = link.previous;
    wheel->waiting--;
}

uint32_t transaction_wheel_due(struct transaction_wheel *wheel, uint64_t now_ms)
{
    uint64_t now = now_ms / TRANSACTION_TICK_MS;

    if (wheel->waiting == 0 && wheel->tick <= now)
        wheel->tick = now + 1;
    // After a leap of the clock one turn meets every list, and all of them are due.
    if (now >= wheel->tick + TRANSACTION_SPOKES)
        wheel->tick = now - TRANSACTION_SPOKES + 1;
    for (; wheel->tick <= now; wheel->tick++) {
        uint32_t slot = *spoke_of(wheel, wheel->tick);

        if (slot != 0) {
            transaction_wheel_remove(wheel, slot, (uint16_t)(wheel->tick % TRANSACTION_SPOKES));
            return slot;
        }
    }
    return 0;
}
