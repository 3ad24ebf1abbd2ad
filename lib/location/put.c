#include <errno.h>

#include "location/shard.h"

static int refuse(struct location_shard *shard)
{
    location_count(&shard->counts.refused, 1);
    return -ENOSPC;
}

static int insert(struct location_shard *shard, uint32_t reference, uint64_t tick, uint64_t now_ms)
{
    // The clock may have begun long ago: the first of a table is not to go the way there in steps.
    wheel_leap(&shard->wheel, now_ms / LOCATION_TICK_MS);
    uint32_t slot = location_shard_insert(shard, reference);

    if (slot == 0) {
        location_shard_give(shard, reference);
        return refuse(shard);
    }
    wheel_put(&shard->wheel, slot, &location_index_set(&shard->index, reference)->wheel_at, tick);
    return 0;
}

static void replace(struct location_shard *shard, uint32_t slot, uint32_t reference, uint64_t tick)
{
    const struct location_set *old = location_shard_set(shard, slot);
    struct location_set *set = location_index_set(&shard->index, reference);

    set->wheel_at = old->wheel_at;
    wheel_expect(&shard->wheel, slot, &set->wheel_at, tick);
    location_shard_replace(shard, slot, reference);
}

int location_put(struct location *location, struct hash128 key, struct slice aor,
                 const struct location_binding *bindings, unsigned n, uint64_t now_ms)
{
    struct location_shard *shard = location->shards[location_owner(location, key)];
    uint8_t order[LOCATION_CONTACTS_MAX];
    uint32_t slot = 0;

    if (n > LOCATION_CONTACTS_MAX)
        return -E2BIG;
    unsigned live = location_set_order(bindings, n, now_ms, order);
    size_t size = location_set_size(aor, bindings, order, live);

    if (size > LOCATION_SET_MAX)
        return -E2BIG;
    const struct location_set *old = location_index_find(&shard->index, key, &slot);

    if (live == 0) {
        if (old != NULL)
            location_shard_remove(shard, slot);
        return 0;
    }
    if (shard->counts.bindings - (old != NULL ? old->n : 0) + live > shard->bindings_max)
        return refuse(shard);
    uint32_t reference = location_shard_take(shard, size, true);

    if (reference == 0)
        return refuse(shard);
    struct location_set *set = location_index_set(&shard->index, reference);

    location_set_write(set, key, aor, bindings, order, live);
    uint64_t tick = wheel_tick(location_set_earliest(set, now_ms, &live), LOCATION_TICK_MS);

    if (old == NULL)
        return insert(shard, reference, tick, now_ms);
    replace(shard, slot, reference, tick);
    return 0;
}
