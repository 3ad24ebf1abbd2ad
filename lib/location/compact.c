#include "location/shard.h"

static void abandon(struct location_shard *shard)
{
    arena_stay(&shard->arena, shard->leaving - 1);
    shard->leaving = 0;
}

// Moves the record at `reference` if it is published: it is copied, and readers of the old one keep it until their
// next quiescent state. False when there is no room.
static bool move(struct location_shard *shard, uint32_t reference)
{
    const struct location_set *set = location_index_set(&shard->index, reference);
    uint32_t slot;

    // A record that was given back or retired still has a key, but the index does not lead from it to here.
    if (location_index_find(&shard->index, set->key, &slot) != set)
        return true;
    size_t size = location_set_bytes(set);
    uint32_t copy = location_shard_take(shard, size, false);

    if (copy == 0)
        return false;
    memcpy(location_index_set(&shard->index, copy), set, size);
    location_shard_replace(shard, slot, copy);
    return true;
}

void location_shard_compact(struct location_shard *shard, unsigned budget)
{
    struct arena *arena = &shard->arena;

    if (shard->leaving == 0) {
        shard->leaving = arena_leave(arena);
        shard->leaving_at = 0;
    }
    if (shard->leaving == 0)
        return;
    const struct arena_page *page = &arena->pages[shard->leaving - 1];
    uint32_t units = arena->classes[page->class].size / ARENA_UNIT;
    uint32_t first = (uint32_t)((shard->leaving - 1) * ARENA_UNITS_A_PAGE + 1);

    for (; budget > 0; budget--) {
        // A page whose last record is given back leaves by itself, and may serve another class already.
        if (!page->leaving || shard->leaving_at >= page->carved) {
            shard->leaving = 0;
            return;
        }
        if (!move(shard, first + shard->leaving_at * units)) {
            abandon(shard);
            return;
        }
        shard->leaving_at++;
    }
}
