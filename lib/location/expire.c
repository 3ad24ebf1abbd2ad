#include "location/shard.h"

// Leaves out of the set in `slot` what is dead. Where there is no memory for the smaller set the whole one stays;
// readers skip its dead ones, and the slot comes up again.
static struct location_set *shrink(struct location_shard *shard, uint32_t slot, uint64_t now_ms)
{
    struct location_set *set = location_shard_set(shard, slot);
    struct location_binding bindings[LOCATION_CONTACTS_MAX];
    uint8_t order[LOCATION_CONTACTS_MAX];
    unsigned position = 0;
    unsigned n = 0;

    while (location_next(set, now_ms, &position, &bindings[n]))
        order[n] = (uint8_t)n, n++;
    struct slice aor = location_set_aor(set);
    uint32_t reference = location_shard_take(shard, location_set_size(aor, bindings, order, n), true);

    if (reference == 0)
        return set;
    struct location_set *smaller = location_index_set(&shard->index, reference);

    location_set_write(smaller, set->key, aor, bindings, order, n);
    location_shard_replace(shard, slot, reference);
    return smaller;
}

// Of a slot that was due. True when the address of record is gone.
static bool sweep(struct location_shard *shard, uint32_t slot, uint64_t now_ms)
{
    struct location_set *set = location_shard_set(shard, slot);
    unsigned live;
    uint64_t earliest = location_set_earliest(set, now_ms, &live);

    set->wheel_at = WHEEL_NONE;
    if (live == 0) {
        location_shard_remove(shard, slot);
        return true;
    }
    if (live < set->n)
        set = shrink(shard, slot, now_ms);
    wheel_put(&shard->wheel, slot, &set->wheel_at, wheel_tick(earliest, LOCATION_TICK_MS));
    return false;
}

unsigned location_expire(struct location *location, unsigned number, uint64_t now_ms, unsigned budget)
{
    struct location_shard *shard = location->shards[number];
    unsigned removed = 0;

    location_shard_reclaim(shard, budget);
    for (unsigned left = budget; left > 0; left--) {
        uint32_t slot = wheel_due(&shard->wheel, now_ms / LOCATION_TICK_MS);

        if (slot == 0)
            break;
        removed += sweep(shard, slot, now_ms);
    }
    location_shard_compact(shard, budget);
    return removed;
}
