#include "gateway/health.h"

// What an event makes of a condition.
static struct gateway_condition after(struct gateway_condition condition, const struct conf_gateways *group,
                                      bool good, uint64_t now_ms)
{
    bool down = condition.health == GATEWAY_DOWN;

    if (good != down) { // it goes on as it is
        condition.row = 0;
        return condition;
    }
    condition.row++;
    if (condition.row < (down ? group->probe_up : group->probe_down))
        return condition;
    // Never before what another worker, whose clock is a little ahead, wrote.
    uint64_t since_ms = now_ms > condition.since_ms ? now_ms : condition.since_ms;
    return (struct gateway_condition){down ? GATEWAY_EASING : GATEWAY_DOWN, 0, since_ms};
}

static bool same(struct gateway_condition a, struct gateway_condition b)
{
    return a.health == b.health && a.row == b.row && a.since_ms == b.since_ms;
}

// Every worker may write, and each one's event counts: who was overtaken looks again. An answer from a gateway that is
// up, which is nearly all of them, writes nothing.
static void event(struct gateway_table *table, uint16_t slot, unsigned gateway, bool good, uint64_t now_ms)
{
    const struct conf_gateways *group = gateway_group_of(table, gateway);
    _Atomic uint64_t *health = &table->states->slots[slot].health;
    uint64_t packed = atomic_load_explicit(health, memory_order_relaxed);
    struct gateway_condition before, then;

    do {
        before = gateway_condition_at(packed, group, now_ms);
        then = after(before, group, good, now_ms);
        if (same(before, then))
            return;
    } while (!atomic_compare_exchange_weak_explicit(health, &packed, gateway_condition_pack(then),
                                                    memory_order_relaxed, memory_order_relaxed));
}

void gateway_heard(struct gateway_table *table, uint16_t slot, uint16_t worker, bool good, uint64_t now_ms)
{
    struct gateway_share *share = gateway_share_of(table->states, worker, slot);
    int gateway = gateway_of_slot(table, slot);

    gateway_count(good ? &share->good : &share->bad);
    if (gateway != CONF_NONE)
        event(table, slot, (unsigned)gateway, good, now_ms);
}

void gateway_call(struct gateway_states *states, uint16_t slot, uint16_t worker, int more)
{
    _Atomic int64_t *calls = &gateway_share_of(states, worker, slot)->calls;

    atomic_store_explicit(calls, atomic_load_explicit(calls, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

void gateway_probed(struct gateway_table *table, uint16_t slot, bool good, uint64_t now_ms)
{
    struct gateway_slot *state = &table->states->slots[slot];
    int gateway = gateway_of_slot(table, slot);

    gateway_count(&state->probes);
    if (!good)
        gateway_count(&state->probe_failures);
    if (gateway != CONF_NONE)
        event(table, slot, (unsigned)gateway, good, now_ms);
}

uint64_t gateway_probe_failures(const struct gateway_table *table, uint16_t slot)
{
    return atomic_load_explicit(&table->states->slots[slot].probe_failures, memory_order_relaxed);
}

static bool is_due(struct gateway_slot *slot, uint32_t probe_ms, uint64_t now_ms, unsigned spread)
{
    // The first ones come spread over a second, so that a start is no burst.
    if (slot->probe_at_ms == 0)
        slot->probe_at_ms = now_ms + spread % (probe_ms < 1000 ? probe_ms : 1000) + 1;
    if (slot->probe_at_ms > now_ms + probe_ms) // the interval was longer before a reload
        slot->probe_at_ms = now_ms + probe_ms;
    if (slot->probe_at_ms > now_ms)
        return false;
    slot->probe_at_ms = now_ms + probe_ms;
    return true;
}

uint16_t gateway_probe_next(struct gateway_table *table, uint16_t worker, uint64_t now_ms)
{
    struct gateway_prober *prober = &table->states->probers[worker];
    const uint16_t *own = table->probed + table->probed_by[worker];
    unsigned n = (unsigned)(table->probed_by[worker + 1] - table->probed_by[worker]);
    uint64_t next_ms = UINT64_MAX;

    if (prober->generation != table->generation)
        *prober = (struct gateway_prober){.generation = table->generation};
    if (now_ms < prober->next_ms)
        return GATEWAY_NONE;
    for (unsigned i = 0; i < n; i++) {
        uint16_t number = own[prober->at];
        struct gateway_slot *slot = &table->states->slots[number];
        prober->at = prober->at + 1 < n ? prober->at + 1 : 0;
        if (is_due(slot, gateway_group_of(table, table->gateway_of[number])->probe_ms, now_ms, number * 97u))
            return number;
        if (slot->probe_at_ms < next_ms)
            next_ms = slot->probe_at_ms;
    }
    prober->next_ms = next_ms;
    return GATEWAY_NONE;
}
