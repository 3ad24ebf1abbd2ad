#include "location/shard.h"

// Overflow buckets for a small table, where the average says little.
#define OVERFLOW_MIN 16
#define BUCKETS_MIN  8

#define SPOKES 4096 // of the wheel: what lies beyond 68 minutes gets there in steps

// Where the parts lie in the block, behind the shard itself.
struct layout {
    uint32_t hashed, all; // buckets
    uint32_t pages;
    size_t buckets, links, spokes, page_table, records;
    size_t bytes;
};

static struct layout layout_of(uint64_t bindings)
{
    struct layout l;
    uint64_t usable = bindings * LOCATION_BYTES_PER_BINDING;

    l.hashed = (uint32_t)((bindings + LOCATION_LOAD - 1) / LOCATION_LOAD);
    if (l.hashed < BUCKETS_MIN)
        l.hashed = BUCKETS_MIN;
    l.all = l.hashed + l.hashed / 8 + OVERFLOW_MIN;
    // One page for each class, the last and partly filled one, and the reserve for compaction come on top.
    l.pages = (uint32_t)((usable + ARENA_PAGE - 1) / ARENA_PAGE) + arena_classes(LOCATION_SET_MAX) +
              ARENA_PAGES_RESERVE;
    l.bytes = sizeof(struct location_shard);
    l.buckets = memory_place(&l.bytes, l.all, sizeof(struct location_bucket));
    l.links = memory_place(&l.bytes, (size_t)l.all * LOCATION_SLOTS + 1, sizeof(struct list_link));
    l.spokes = memory_place(&l.bytes, SPOKES, sizeof(uint32_t));
    l.page_table = memory_place(&l.bytes, l.pages, sizeof(struct arena_page));
    l.records = memory_place(&l.bytes, l.pages, ARENA_PAGE);
    return l;
}

_Static_assert(LOCATION_SHARD_BINDINGS_MAX / 16 * 17 / (ARENA_PAGE / LOCATION_BYTES_PER_BINDING) <
                   ARENA_PAGES_MAX - 100,
               "references reach every record");

static uint32_t *bucket_chain(struct location_shard *shard, uint32_t bucket)
{
    return &shard->wheel.links[bucket * LOCATION_SLOTS + 1].next;
}

static void chain_bucket(struct location_shard *shard, uint32_t *chain, uint32_t bucket)
{
    *bucket_chain(shard, bucket) = *chain;
    *chain = bucket;
}

static uint32_t unchain_bucket(struct location_shard *shard, uint32_t *chain)
{
    uint32_t bucket = *chain;

    if (bucket != 0)
        *chain = *bucket_chain(shard, bucket);
    return bucket;
}

struct location_shard *location_shard_create(uint64_t bindings, struct rte_rcu_qsbr *qsbr,
                                             const struct memory *memory, int node)
{
    struct layout l = layout_of(bindings);
    size_t bytes = l.bytes + MEMORY_LINE;
    char *block = memory->take(memory->owner, bytes, node);

    if (block == NULL)
        return NULL;
    char *at = memory_begin(block);
    struct location_shard *shard = (struct location_shard *)at;

    shard->index =
        (struct location_index){(struct location_bucket *)(at + l.buckets), at + l.records, l.hashed, l.all};
    shard->qsbr = qsbr;
    shard->bindings_max = bindings;
    shard->bytes_max = l.pages * ARENA_PAGE;
    shard->block = block;
    shard->block_bytes = bytes;
    wheel_init(&shard->wheel, (uint32_t *)(at + l.spokes), SPOKES, (struct list_link *)(at + l.links));
    arena_init(&shard->arena, at + l.records, (struct arena_page *)(at + l.page_table), l.pages,
               LOCATION_SET_MAX);
    for (uint32_t i = l.all; i-- > l.hashed;)
        chain_bucket(shard, &shard->free_buckets, i);
    return shard;
}

void location_shard_destroy(struct location_shard *shard, const struct memory *memory)
{
    if (shard != NULL)
        memory->give(memory->owner, shard->block, shard->block_bytes);
}

static void note_bytes(struct location_shard *shard)
{
    __atomic_store_n(&shard->counts.bytes, shard->arena.bytes, __ATOMIC_RELAXED);
}

uint32_t location_shard_take(struct location_shard *shard, size_t size, bool grow)
{
    uint32_t reference = arena_take(&shard->arena, size, grow);

    note_bytes(shard);
    return reference;
}

void location_shard_give(struct location_shard *shard, uint32_t reference)
{
    arena_give(&shard->arena, reference);
    note_bytes(shard);
}

static void retire(struct location_shard *shard, uint32_t reference)
{
    struct location_set *set = location_index_set(&shard->index, reference);

    set->retired = shard->open.records;
    shard->open.records = reference;
    location_count(&shard->counts.deferred, 1);
    location_count(&shard->counts.bindings, -(int64_t)set->n);
}

void location_shard_replace(struct location_shard *shard, uint32_t slot, uint32_t reference)
{
    uint32_t old = *location_index_slot(&shard->index, slot);

    location_count(&shard->counts.bindings, location_index_set(&shard->index, reference)->n);
    location_index_replace(&shard->index, slot, reference);
    retire(shard, old);
}

uint32_t location_shard_insert(struct location_shard *shard, uint32_t reference)
{
    const struct location_set *set = location_index_set(&shard->index, reference);
    uint32_t taken = unchain_bucket(shard, &shard->free_buckets);
    uint32_t spare = taken;
    uint32_t slot = location_index_insert(&shard->index, set->key, reference, &spare);

    if (spare != 0)
        chain_bucket(shard, &shard->free_buckets, spare);
    if (slot == 0)
        return 0;
    location_count(&shard->counts.aors, 1);
    location_count(&shard->counts.bindings, set->n);
    return slot;
}

void location_shard_remove(struct location_shard *shard, uint32_t slot)
{
    uint32_t reference = *location_index_slot(&shard->index, slot);
    struct location_set *set = location_index_set(&shard->index, reference);

    wheel_remove(&shard->wheel, slot, &set->wheel_at);
    uint32_t bucket = location_index_remove(&shard->index, set->key, slot);

    if (bucket != 0)
        chain_bucket(shard, &shard->open.buckets, bucket);
    retire(shard, reference);
    location_count(&shard->counts.aors, -1);
}

void location_shard_reclaim(struct location_shard *shard, unsigned budget)
{
    struct location_batch *waiting = &shard->waiting;

    if (waiting->records == 0) {
        if (shard->open.records == 0)
            return; // a bucket is never retired without a record
        *waiting = shard->open;
        shard->open = (struct location_batch){0};
        shard->token = rte_rcu_qsbr_start(shard->qsbr);
    }
    if (!rte_rcu_qsbr_check(shard->qsbr, shard->token, false))
        return;
    while (waiting->buckets != 0)
        chain_bucket(shard, &shard->free_buckets, unchain_bucket(shard, &waiting->buckets));
    int64_t given = 0;

    for (; given < budget && waiting->records != 0; given++) {
        uint32_t reference = waiting->records;

        waiting->records = location_index_set(&shard->index, reference)->retired;
        arena_give(&shard->arena, reference);
    }
    location_count(&shard->counts.deferred, -given);
    note_bytes(shard);
}
