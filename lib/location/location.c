#include "location/location.h"

#include <errno.h>

#include "location/shard.h"

// A shard's part of the bindings, with room for the imbalance that hashing leaves: a sixteenth and 128 is more than
// five standard deviations whatever the number.
static uint64_t share(const struct location_limits *limits)
{
    uint64_t mean = (limits->bindings - 1) / limits->shards + 1;
    uint64_t roomy = mean + mean / 16 + 128;

    return roomy < limits->bindings ? roomy : limits->bindings;
}

static size_t table_bytes(unsigned shards)
{
    return sizeof(struct location) + shards * sizeof(struct location_shard *);
}

int location_create(struct location **location, const struct location_limits *limits,
                    const struct hash_key *key, struct rte_rcu_qsbr *qsbr, const struct memory *memory)
{
    if (limits->shards == 0 || limits->shards > LOCATION_SHARDS_MAX || limits->bindings == 0 ||
        limits->bindings / limits->shards >= LOCATION_SHARD_BINDINGS_MAX)
        return -EINVAL;
    struct location *made = memory->take(memory->owner, table_bytes(limits->shards), MEMORY_ANY_NODE);

    if (made == NULL)
        return -ENOMEM;
    made->key = *key;
    made->memory = *memory;
    made->shards_n = limits->shards;
    for (unsigned i = 0; i < limits->shards; i++) {
        int node = limits->nodes != NULL ? limits->nodes[i] : MEMORY_ANY_NODE;

        made->shards[i] = location_shard_create(share(limits), qsbr, memory, node);
        if (made->shards[i] == NULL) {
            location_destroy(made);
            return -ENOMEM;
        }
    }
    *location = made;
    return 0;
}

void location_destroy(struct location *location)
{
    if (location == NULL)
        return;
    struct memory memory = location->memory;

    for (unsigned i = 0; i < location->shards_n; i++)
        location_shard_destroy(location->shards[i], &memory);
    memory.give(memory.owner, location, table_bytes(location->shards_n));
}

struct hash128 location_key(const struct location *location, struct slice aor)
{
    return hash_sip13(&location->key, aor.at, aor.len);
}

unsigned location_owner(const struct location *location, struct hash128 key)
{
    return (unsigned)((key.high >> 32) * location->shards_n >> 32);
}

static const struct location_index *index_of(const struct location *location, struct hash128 key)
{
    return &location->shards[location_owner(location, key)]->index;
}

void location_prefetch_bucket(const struct location *location, struct hash128 key)
{
    __builtin_prefetch(location_index_bucket(index_of(location, key), key));
}

// The record that the key's bucket seems to lead to, and its slot. NULL: the key is not there, or in an overflow
// bucket, which is rare.
static const char *likely_record(const struct location_index *index, struct hash128 key, uint32_t *slot)
{
    const struct location_bucket *bucket = location_index_bucket(index, key);
    unsigned match = location_bucket_match(bucket, location_index_signature(key));

    if (match == 0)
        return NULL;
    unsigned i = (unsigned)__builtin_ctz(match);
    uint32_t reference = location_bucket_record(bucket, i);

    *slot = location_bucket_slot(index, bucket, i);
    return reference == 0 ? NULL : (const char *)location_index_set(index, reference);
}

void location_prefetch_record(const struct location *location, struct hash128 key)
{
    uint32_t slot;
    const char *record = likely_record(index_of(location, key), key, &slot);

    if (record == NULL)
        return;
    // All that a forward to one contact reads (location/set.h).
    __builtin_prefetch(record);
    __builtin_prefetch(record + 64);
}

void location_prefetch_put(const struct location *location, struct hash128 key)
{
    const struct location_shard *shard = location->shards[location_owner(location, key)];
    uint32_t slot;
    const char *record = likely_record(&shard->index, key, &slot);

    if (record == NULL)
        return;
    __builtin_prefetch(record, 1); // it is retired
    __builtin_prefetch(record + 64);
    __builtin_prefetch(record + 128);
    __builtin_prefetch(&shard->wheel.links[slot], 1);
}

const struct location_set *location_find(const struct location *location, struct hash128 key)
{
    uint32_t slot;

    return location_index_find(index_of(location, key), key, &slot);
}

void location_usage(const struct location *location, unsigned shard, struct location_usage *usage)
{
    const struct location_shard *s = location->shards[shard];
    const struct location_counts *counts = &s->counts;

    *usage = (struct location_usage){
        .aors = __atomic_load_n(&counts->aors, __ATOMIC_RELAXED),
        .bindings = __atomic_load_n(&counts->bindings, __ATOMIC_RELAXED),
        .aors_max = s->bindings_max, // one binding each
        .bindings_max = s->bindings_max,
        .bytes = __atomic_load_n(&counts->bytes, __ATOMIC_RELAXED),
        .bytes_max = s->bytes_max,
        .index_bytes = s->block_bytes - s->bytes_max,
        .deferred = __atomic_load_n(&counts->deferred, __ATOMIC_RELAXED),
        .refused = __atomic_load_n(&counts->refused, __ATOMIC_RELAXED),
    };
}

const struct location_set *location_walk(const struct location *location, unsigned shard, uint64_t *position,
                                         unsigned places)
{
    const struct location_index *index = &location->shards[shard]->index;
    uint64_t end = (uint64_t)index->all * LOCATION_SLOTS;

    for (; *position < end && places > 0; places--) {
        uint64_t at = (*position)++;
        uint32_t reference =
            location_bucket_record(&index->buckets[at / LOCATION_SLOTS], (unsigned)(at % LOCATION_SLOTS));

        if (reference != 0)
            return location_index_set(index, reference);
    }
    if (*position >= end)
        *position = LOCATION_WALK_END;
    return NULL;
}
