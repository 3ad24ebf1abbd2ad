// table: the records and how they are found. Internal to the room; owner worker only, but for what readers do.
//
// Slots count from 1, so 0 is none, and fresh memory is an empty table: pages that were never used are never touched.
// Subscriptions, publications and presentities have one numbering on the wheel, in that order.
//
// Readers come in by the heads of the presentities' chains. A chain is made of edges, a slot and 32 bits of its key
// each, so a look-up mostly touches a head and the record that it looks for. A presentity's slot, like a block, is used
// again only after all readers have passed a quiescent state, and until then it still leads on along its chain.
#ifndef SUBSCRIPTION_TABLE_H
#define SUBSCRIPTION_TABLE_H

#include "base/arena.h"
#include "base/wheel.h"
#include "subscription/block.h"
#include "subscription/subscription.h"

struct subscription_source {
    uint64_t address; // an IPv4 address, or the first half of an IPv6 one
    uint32_t n;       // subscriptions; 0: the slot is free
    uint32_t chain;
    uint8_t family;
};

// What is there of a kind of record: slots that were used and are free, chained through a field of the record, then
// those that were never used.
struct subscription_slots {
    uint32_t fresh, n;
    uint32_t free;
};

enum subscription_queue {
    SUBSCRIPTION_TOUCHED, // to be composed again
    SUBSCRIPTION_FAN,     // whose document is on its way to those who watch
    SUBSCRIPTION_QUEUES,
};

struct subscription_table {
    struct subscription *subscriptions; // by slot, as the four below
    struct list_link *siblings;         // subscriptions of the same presentity
    struct subscription_publication *publications;
    struct subscription_presentity *presentities;
    struct subscription_source *sources;
    struct subscription_slots subscription_slots, publication_slots, presentity_slots, source_slots;

    uint64_t *keys;    // chain heads of presentities: edges
    uint32_t *checks;  // of subscriptions
    uint32_t *origins; // of sources
    uint32_t keys_mask, checks_mask, origins_mask;

    struct wheel wheel;
    struct subscription_blocks blocks;
    struct list queues[SUBSCRIPTION_QUEUES]; // of presentities, linked one way by their `behind`
    unsigned left;                           // looks at records in this turn
    unsigned whose, run; // turn.c: which kind of work is on, and for how many looks already

    struct subscription_timers timers;
    uint32_t watchers_max, per_source_max;
    struct hash_key key;
    struct subscription_usage counts; // worker: wo, any thread: ro
    struct memory memory;
    void *block;
    size_t block_bytes;
};

static inline void subscription_count(uint64_t *counter, int64_t by)
{
    __atomic_store_n(counter, *counter + (uint64_t)by, __ATOMIC_RELAXED);
}

// Deadlines.

static inline uint32_t subscription_deadline(uint64_t from_ms, uint32_t after_ms)
{
    uint32_t deadline = (uint32_t)from_ms + after_ms;

    return deadline != 0 ? deadline : 1;
}

static inline bool subscription_is_due(uint32_t deadline, uint64_t now_ms)
{
    return deadline != 0 && (int32_t)(deadline - (uint32_t)now_ms) <= 0;
}

// When that is, on the whole clock.
static inline uint64_t subscription_deadline_ms(uint32_t deadline, uint64_t now_ms)
{
    return now_ms + (uint64_t)(int64_t)(int32_t)(deadline - (uint32_t)now_ms);
}

// The numbers of the wheel.

static inline uint32_t subscription_publication_number(const struct subscription_table *table, uint32_t slot)
{
    return table->subscription_slots.n + slot;
}

static inline uint32_t subscription_presentity_number(const struct subscription_table *table, uint32_t slot)
{
    return table->subscription_slots.n + table->publication_slots.n + slot;
}

static inline uint32_t subscription_presentity_slot(const struct subscription_table *table,
                                                    const struct subscription_presentity *presentity)
{
    return (uint32_t)(presentity - table->presentities);
}

// Queues: first come, first served.

static inline void subscription_queue_append(struct subscription_table *table, enum subscription_queue queue,
                                             struct subscription_presentity *presentity)
{
    struct list *list = &table->queues[queue];
    uint32_t slot = subscription_presentity_slot(table, presentity);

    presentity->behind[queue] = 0;
    if (list->last != 0)
        table->presentities[list->last].behind[queue] = slot;
    else
        list->first = slot;
    list->last = slot;
}

// The first one, taken out; there is one.
static inline struct subscription_presentity *subscription_queue_take(struct subscription_table *table,
                                                                      enum subscription_queue queue)
{
    struct list *list = &table->queues[queue];
    struct subscription_presentity *presentity = &table->presentities[list->first];

    list->first = presentity->behind[queue];
    if (list->first == 0)
        list->last = 0;
    return presentity;
}

// Sees to it that the one with this number is looked at at `at_ms`, from 1, or before.
static inline void subscription_expect(struct subscription_table *table, uint32_t number, uint16_t *wheel_at,
                                       uint64_t at_ms)
{
    wheel_expect(&table->wheel, number, wheel_at, wheel_tick(at_ms, SUBSCRIPTION_TICK_MS));
}

// A slot; 0: none. Its chain field is to be read before, so what is free is given by `next_free`.
static inline uint32_t subscription_slot_take(struct subscription_slots *slots, uint32_t next_free)
{
    uint32_t slot = slots->free;

    if (slot != 0)
        slots->free = next_free;
    else if (slots->fresh <= slots->n)
        slot = slots->fresh++;
    return slot;
}

// presentity.c: takes it out of everything; nothing is published or watched there any more.
void subscription_presentity_remove(struct subscription_table *table,
                                    struct subscription_presentity *presentity);

// source.c: one more of this source. False: it has `bound`. *slot is what it is given back by; 0: not counted.
bool subscription_source_add(struct subscription_table *table, const struct endpoint *source, uint32_t bound,
                             uint32_t *slot);
void subscription_source_drop(struct subscription_table *table, uint32_t slot);

// document.c: all who watch it are looked at, whether something is news to them.
void subscription_fan_out(struct subscription_table *table, struct subscription_presentity *presentity);

// notify.c: what is due or possible now, and the next look on the wheel.
unsigned subscription_step(struct subscription_table *table, struct subscription *subscription,
                           uint64_t now_ms);
// Lets go of what the NOTIFY under way keeps.
void subscription_notify_drop(struct subscription_table *table, struct subscription *subscription);

#endif
