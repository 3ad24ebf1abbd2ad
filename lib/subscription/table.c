#include "subscription/table.h"

#include <errno.h>

#define SPOKES 16384 // of the wheel: what lies beyond 262 s gets there in steps

_Static_assert(offsetof(struct subscription, check) == MEMORY_LINE, "what fan-out looks at is one line");
_Static_assert(offsetof(struct subscription, own) == 2 * MEMORY_LINE,
               "and what a NOTIFY is built from another one");
_Static_assert(sizeof(struct subscription) == 3 * MEMORY_LINE, "three lines");
_Static_assert(sizeof(struct subscription_presentity) == 2 * MEMORY_LINE, "two lines");

struct layout {
    size_t subscriptions, siblings, publications, presentities, sources, keys, checks, origins, links, spokes;
    size_t pages, records, bytes;
    uint32_t keys_n, checks_n, pages_n;
};

static uint32_t pages_for(const struct subscription_limits *limits)
{
    uint64_t bytes = limits->bytes;

    if (bytes == 0)
        bytes = limits->subscriptions * SUBSCRIPTION_BYTES_TEXTS +
                limits->publications * SUBSCRIPTION_BYTES_BODY +
                limits->presentities * (SUBSCRIPTION_BYTES_BODY + SUBSCRIPTION_BYTES_NAME);
    uint64_t pages = bytes / ARENA_PAGE + arena_classes(ARENA_PAGE) + ARENA_PAGES_RESERVE + 1;

    return pages < ARENA_PAGES_MAX ? (uint32_t)pages : ARENA_PAGES_MAX;
}

static struct layout layout_of(const struct subscription_limits *limits)
{
    struct layout l = {
        .keys_n = memory_power_of_two(2 * limits->presentities),
        .checks_n = memory_power_of_two(limits->subscriptions),
        .pages_n = pages_for(limits),
    };
    uint64_t numbers = limits->subscriptions + limits->publications + limits->presentities + 1;
    size_t bytes = 0;

    memory_place(&bytes, 1, sizeof(struct subscription_table));
    l.subscriptions = memory_place(&bytes, limits->subscriptions + 1, sizeof(struct subscription));
    l.siblings = memory_place(&bytes, limits->subscriptions + 1, sizeof(struct list_link));
    l.publications = memory_place(&bytes, limits->publications + 1, sizeof(struct subscription_publication));
    l.presentities = memory_place(&bytes, limits->presentities + 1, sizeof(struct subscription_presentity));
    l.sources = memory_place(&bytes, limits->subscriptions + 1, sizeof(struct subscription_source));
    l.keys = memory_place(&bytes, l.keys_n, sizeof(uint64_t));
    l.checks = memory_place(&bytes, l.checks_n, sizeof(uint32_t));
    l.origins = memory_place(&bytes, l.checks_n, sizeof(uint32_t));
    l.links = memory_place(&bytes, numbers, sizeof(struct list_link));
    l.spokes = memory_place(&bytes, SPOKES, sizeof(uint32_t));
    l.pages = memory_place(&bytes, l.pages_n, sizeof(struct arena_page));
    l.records = memory_place(&bytes, l.pages_n, ARENA_PAGE);
    l.bytes = bytes + MEMORY_LINE;
    return l;
}

static bool is_in_bounds(uint64_t records)
{
    return records > 0 && records < SUBSCRIPTION_RECORDS_MAX;
}

static struct subscription_slots slots_of(uint64_t n)
{
    return (struct subscription_slots){.fresh = 1, .n = (uint32_t)n};
}

static void lay_out(struct subscription_table *table, char *at, const struct layout *l)
{
    table->subscriptions = (struct subscription *)(at + l->subscriptions);
    table->siblings = (struct list_link *)(at + l->siblings);
    table->publications = (struct subscription_publication *)(at + l->publications);
    table->presentities = (struct subscription_presentity *)(at + l->presentities);
    table->sources = (struct subscription_source *)(at + l->sources);
    table->keys = (uint64_t *)(at + l->keys);
    table->checks = (uint32_t *)(at + l->checks);
    table->origins = (uint32_t *)(at + l->origins);
    wheel_init(&table->wheel, (uint32_t *)(at + l->spokes), SPOKES, (struct list_link *)(at + l->links));
    arena_init(&table->blocks.arena, at + l->records, (struct arena_page *)(at + l->pages), l->pages_n,
               ARENA_PAGE);
}

int subscription_table_create(struct subscription_table **table, const struct subscription_limits *limits,
                              const struct subscription_timers *timers, const struct hash_key *key,
                              struct rte_rcu_qsbr *qsbr, const struct memory *memory)
{
    if (!is_in_bounds(limits->presentities) || !is_in_bounds(limits->publications) ||
        !is_in_bounds(limits->subscriptions) || limits->watchers == 0 || limits->per_source == 0)
        return -EINVAL;
    struct layout l = layout_of(limits);
    char *block = memory->take(memory->owner, l.bytes, limits->node);

    if (block == NULL)
        return -ENOMEM;
    char *at = memory_begin(block);
    struct subscription_table *made = (struct subscription_table *)at;
    size_t records_bytes = l.pages_n * ARENA_PAGE;

    *made = (struct subscription_table){
        .subscription_slots = slots_of(limits->subscriptions),
        .publication_slots = slots_of(limits->publications),
        .presentity_slots = slots_of(limits->presentities),
        .source_slots = slots_of(limits->subscriptions),
        .keys_mask = l.keys_n - 1,
        .checks_mask = l.checks_n - 1,
        .origins_mask = l.checks_n - 1,
        .blocks = {.qsbr = qsbr},
        .watchers_max = limits->watchers,
        .per_source_max = limits->per_source,
        .key = *key,
        .counts = {.presentities_max = limits->presentities,
                   .publications_max = limits->publications,
                   .subscriptions_max = limits->subscriptions,
                   .bytes_max = records_bytes,
                   .index_bytes = l.bytes - records_bytes},
        .memory = *memory,
        .block = block,
        .block_bytes = l.bytes,
    };
    lay_out(made, at, &l);
    subscription_table_time(made, timers);
    *table = made;
    return 0;
}

void subscription_table_destroy(struct subscription_table *table)
{
    if (table == NULL)
        return;
    struct memory memory = table->memory;

    memory.give(memory.owner, table->block, table->block_bytes);
}

void subscription_table_bound(struct subscription_table *table, uint32_t watchers, uint32_t per_source)
{
    table->watchers_max = watchers;
    table->per_source_max = per_source;
}

void subscription_table_time(struct subscription_table *table, const struct subscription_timers *timers)
{
    table->timers = *timers;
}

void subscription_usage(const struct subscription_table *table, struct subscription_usage *usage)
{
    const uint64_t *from = (const uint64_t *)&table->counts;
    uint64_t *to = (uint64_t *)usage;

    _Static_assert(sizeof(*usage) % sizeof(uint64_t) == 0, "all of them are counters");
    for (unsigned i = 0; i < sizeof(*usage) / sizeof(uint64_t); i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

// Walks.

// The number of the next place, from 1; 0: at the end, or that was all for this time.
static uint32_t next_place(uint64_t *position, unsigned *places, const struct subscription_slots *slots)
{
    // What was never used is at the end.
    uint32_t end = __atomic_load_n(&slots->fresh, __ATOMIC_RELAXED);

    if (*position + 1 >= end) {
        *position = SUBSCRIPTION_WALK_END;
        return 0;
    }
    if (*places == 0)
        return 0;
    --*places;
    return (uint32_t)++ * position;
}

const struct subscription *subscription_walk(const struct subscription_table *table, uint64_t *position,
                                             unsigned places)
{
    for (uint32_t slot; (slot = next_place(position, &places, &table->subscription_slots)) != 0;)
        if (__atomic_load_n(&table->subscriptions[slot].state, __ATOMIC_ACQUIRE) != 0)
            return &table->subscriptions[slot];
    return NULL;
}

const struct subscription_presentity *subscription_presentity_walk(const struct subscription_table *table,
                                                                   uint64_t *position, unsigned places)
{
    for (uint32_t slot; (slot = next_place(position, &places, &table->presentity_slots)) != 0;)
        if (__atomic_load_n(&table->presentities[slot].used, __ATOMIC_ACQUIRE))
            return &table->presentities[slot];
    return NULL;
}

const struct subscription_presentity *subscription_presentity_of(const struct subscription_table *table,
                                                                 const struct subscription *subscription)
{
    const struct subscription_presentity *presentity = &table->presentities[subscription->presentity];

    return __atomic_load_n(&presentity->used, __ATOMIC_ACQUIRE) ? presentity : NULL;
}
