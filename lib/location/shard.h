// shard: one worker's part of the table, all in one block of memory on the worker's node.
//
// Retired records and overflow buckets wait in two batches: `open` gathers what was unpublished since the last
// token, `waiting` has a token and is given back once all readers have reported a quiescent state since. So a token
// (an atomic on a line that all workers share) is taken once per batch, and not once per record.
//
// On the wheel every slot of the index has its number, so a slot in use stands on it exactly once.
#ifndef LOCATION_SHARD_H
#define LOCATION_SHARD_H

#include "base/wheel.h"
#include "location/index.h"

#define LOCATION_TICK_MS 1000 // of the wheel

// 32-bit references serve 429 million; the share of the imbalance comes on top of this.
#define LOCATION_SHARD_BINDINGS_MAX 400000000u

struct location_batch {
    uint32_t records; // chain through location_set.retired
    uint32_t
        buckets; // chain through the links of the bucket's first slot, which an empty bucket does not need
};

// Written by the owner worker with relaxed stores, read by anyone.
struct location_counts {
    uint64_t aors, bindings, bytes, deferred, refused;
};

struct location_shard {
    // Never changed after start: all that a reader touches here.
    struct location_index index;
    struct rte_rcu_qsbr *qsbr;
    uint64_t bindings_max;
    uint64_t bytes_max;
    void *block; // as taken
    size_t block_bytes;

    // The owner worker's.
    struct wheel wheel __attribute__((aligned(64)));
    struct location_batch open, waiting;
    uint64_t token;        // of `waiting`
    uint32_t free_buckets; // chained as in location_batch
    uint32_t leaving;      // page under evacuation: number + 1; 0: none
    uint32_t leaving_at;   // records of it that are done
    struct location_counts counts;
    struct arena arena;
};

struct location {
    struct hash_key key;
    struct memory memory;
    unsigned shards_n;
    struct location_shard *shards[];
};

// Returns the shard for at least one and at most a sixteenth over LOCATION_SHARD_BINDINGS_MAX bindings, or NULL when
// there is no memory.
struct location_shard *location_shard_create(uint64_t bindings, struct rte_rcu_qsbr *qsbr,
                                             const struct memory *memory, int node);
void location_shard_destroy(struct location_shard *shard, const struct memory *memory); // NULL is allowed

static inline void location_count(uint64_t *count, int64_t by)
{
    __atomic_store_n(count, *count + (uint64_t)by, __ATOMIC_RELAXED);
}

static inline struct location_set *location_shard_set(const struct location_shard *shard, uint32_t slot)
{
    return location_index_set(&shard->index, *location_index_slot(&shard->index, slot));
}

// A record of `size` bytes, unpublished; 0 when there is no memory.
uint32_t location_shard_take(struct location_shard *shard, size_t size, bool grow);

// Gives back a record that was never published.
void location_shard_give(struct location_shard *shard, uint32_t reference);

// Publishes `reference` in the place of the record in `slot`, which is retired. The wheel is not touched.
void location_shard_replace(struct location_shard *shard, uint32_t slot, uint32_t reference);

// Publishes the record of a key that is not there. Returns its slot, or 0 when the index is full.
uint32_t location_shard_insert(struct location_shard *shard, uint32_t reference);

// Takes the slot off the index and the wheel and retires its record.
void location_shard_remove(struct location_shard *shard, uint32_t slot);

// Gives back what no reader can hold any more, at most `budget` records.
void location_shard_reclaim(struct location_shard *shard, unsigned budget);

// Moves at most `budget` records out of sparse pages where the pool of pages runs low.
void location_shard_compact(struct location_shard *shard, unsigned budget);

#endif
