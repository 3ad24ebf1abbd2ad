#include "subscription/table.h"

static uint32_t slot_of(uint64_t edge)
{
    return (uint32_t)edge;
}

static uint64_t edge_to(uint32_t slot, struct hash128 key)
{
    return key.high << 32 | slot;
}

static bool leads_to(uint64_t edge, struct hash128 key)
{
    return (uint32_t)(edge >> 32) == (uint32_t)key.high;
}

static uint64_t *head_of(const struct subscription_table *table, struct hash128 key)
{
    return &table->keys[key.low & table->keys_mask];
}

// Any reader.
static struct subscription_presentity *find(const struct subscription_table *table, struct hash128 key)
{
    uint64_t edge = __atomic_load_n(head_of(table, key), __ATOMIC_ACQUIRE);

    while (slot_of(edge) != 0) {
        struct subscription_presentity *presentity = &table->presentities[slot_of(edge)];

        if (leads_to(edge, key) && hash128_equal(presentity->key, key))
            return presentity;
        edge = __atomic_load_n(&presentity->chain, __ATOMIC_ACQUIRE);
    }
    return NULL;
}

struct subscription_presentity *subscription_presentity_find(struct subscription_table *table,
                                                             struct hash128 key)
{
    return find(table, key);
}

const struct subscription_body *subscription_document_read(const struct subscription_table *table,
                                                           struct hash128 key)
{
    const struct subscription_presentity *presentity = find(table, key);

    if (presentity == NULL)
        return NULL;
    return subscription_body(table, __atomic_load_n(&presentity->forms[0], __ATOMIC_ACQUIRE));
}

void subscription_prefetch(const struct subscription_table *table, struct hash128 key)
{
    __builtin_prefetch(head_of(table, key));
}

// The presentity that a key's chain seems to lead to; NULL: none, or not the first, which is rare.
static const struct subscription_presentity *first_of(const struct subscription_table *table,
                                                      struct hash128 key)
{
    uint64_t edge = *head_of(table, key);

    return slot_of(edge) != 0 && leads_to(edge, key) ? &table->presentities[slot_of(edge)] : NULL;
}

void subscription_prefetch_presentity(const struct subscription_table *table, struct hash128 key)
{
    const char *at = (const char *)first_of(table, key);

    if (at == NULL)
        return;
    __builtin_prefetch(at, 1);
    __builtin_prefetch(at + 64, 1);
}

void subscription_prefetch_publication(const struct subscription_table *table, struct hash128 key)
{
    const struct subscription_presentity *presentity = first_of(table, key);

    if (presentity == NULL || presentity->publications == 0)
        return;
    uint32_t number = subscription_publication_number(table, presentity->publications);

    __builtin_prefetch(&table->publications[presentity->publications], 1);
    __builtin_prefetch(&table->wheel.links[number], 1);
}

static void prefetch_block(const struct subscription_table *table, uint32_t reference)
{
    if (reference != 0)
        __builtin_prefetch(subscription_block_at(table, reference), 1);
}

void subscription_prefetch_bodies(const struct subscription_table *table, struct hash128 key)
{
    const struct subscription_presentity *presentity = first_of(table, key);

    if (presentity == NULL)
        return;
    prefetch_block(table, presentity->owner);
    prefetch_block(table, presentity->forms[0]);
    if (presentity->publications != 0)
        prefetch_block(table, table->publications[presentity->publications].body);
}

struct subscription_presentity *subscription_presentity_at(struct subscription_table *table, uint32_t slot)
{
    return &table->presentities[slot];
}

static uint32_t take_owner(struct subscription_table *table, uint32_t slot, struct slice owner)
{
    uint32_t reference = subscription_block_take(table, subscription_held(SUBSCRIPTION_HELD_AS_OWNER, slot),
                                                 sizeof(struct subscription_block), owner.len);

    if (reference != 0)
        memcpy(subscription_block_at(table, reference) + 1, owner.at, owner.len);
    return reference;
}

struct subscription_presentity *subscription_presentity_open(struct subscription_table *table,
                                                             struct hash128 key, struct slice owner,
                                                             uint8_t package, uint64_t now_unix_s)
{
    struct subscription_slots *slots = &table->presentity_slots;
    struct subscription_presentity *presentity = find(table, key);

    if (presentity != NULL)
        return presentity;
    if (owner.len == 0 || owner.len > SUBSCRIPTION_TEXT_MAX)
        return NULL;
    uint32_t slot = subscription_slot_take(slots, table->presentities[slots->free].retired);

    if (slot == 0) {
        subscription_count(&table->counts.refused, 1);
        return NULL;
    }
    uint32_t name = take_owner(table, slot, owner);

    presentity = &table->presentities[slot];
    if (name == 0) {
        presentity->retired = slots->free;
        slots->free = slot;
        return NULL;
    }
    *presentity = (struct subscription_presentity){
        .key = key,
        .chain = *head_of(table, key),
        .owner = name,
        .since = (uint32_t)now_unix_s,
        .wheel_at = WHEEL_NONE,
        .package = package,
    };
    __atomic_store_n(&presentity->used, true, __ATOMIC_RELEASE);
    __atomic_store_n(head_of(table, key), edge_to(slot, key), __ATOMIC_RELEASE);
    subscription_count(&table->counts.presentities, 1);
    subscription_presentity_touch(table, presentity);
    return presentity;
}

// Readers may still be on their way along its chain, so that stays.
void subscription_presentity_remove(struct subscription_table *table,
                                    struct subscription_presentity *presentity)
{
    uint32_t slot = subscription_presentity_slot(table, presentity);
    uint64_t *edge = head_of(table, presentity->key);

    while (slot_of(*edge) != slot)
        edge = &table->presentities[slot_of(*edge)].chain;
    __atomic_store_n(edge, presentity->chain, __ATOMIC_RELEASE);
    wheel_remove(&table->wheel, subscription_presentity_number(table, slot), &presentity->wheel_at);
    __atomic_store_n(&presentity->used, false, __ATOMIC_RELEASE);
    for (unsigned form = 0; form < SUBSCRIPTION_FORMS; form++)
        subscription_block_replace(table, &presentity->forms[form], 0);
    subscription_block_replace(table, &presentity->owner, 0);
    subscription_presentity_retire(table, slot);
    subscription_count(&table->counts.presentities, -1);
}

void subscription_presentity_free(struct subscription_table *table, uint32_t slot)
{
    table->presentities[slot].retired = table->presentity_slots.free;
    table->presentity_slots.free = slot;
}

struct slice subscription_presentity_owner(const struct subscription_table *table,
                                           const struct subscription_presentity *presentity)
{
    uint32_t reference = __atomic_load_n(&presentity->owner, __ATOMIC_ACQUIRE);

    if (reference == 0)
        return SLICE("");
    const struct subscription_block *block = subscription_block_at(table, reference);

    return slice_of((const char *)(block + 1), block->len);
}

void subscription_presentity_touch(struct subscription_table *table,
                                   struct subscription_presentity *presentity)
{
    presentity->touched = true;
    if (presentity->in_touched)
        return;
    presentity->in_touched = true;
    subscription_queue_append(table, SUBSCRIPTION_TOUCHED, presentity);
}

bool subscription_touch(struct subscription_table *table, struct hash128 key)
{
    struct subscription_presentity *presentity = find(table, key);

    if (presentity == NULL)
        return false;
    subscription_presentity_touch(table, presentity);
    return true;
}

void subscription_presentity_hold(struct subscription_presentity *presentity)
{
    presentity->unsettled++;
}

void subscription_presentity_release(struct subscription_table *table, struct hash128 key)
{
    struct subscription_presentity *presentity = find(table, key);

    if (presentity == NULL || presentity->unsettled == 0)
        return;
    presentity->unsettled--;
    if (presentity->touched)
        subscription_presentity_touch(table, presentity);
}

void subscription_presentity_recompose(struct subscription_table *table,
                                       struct subscription_presentity *presentity, uint64_t at_ms,
                                       uint64_t now_ms)
{
    // A deadline reaches 24 days: who wants more is asked sooner.
    const uint64_t far_ms = UINT64_C(1) << 30;
    uint32_t slot = subscription_presentity_slot(table, presentity);

    if (at_ms == 0) {
        presentity->recompose_at = 0;
        return;
    }
    uint64_t after_ms = at_ms > now_ms ? at_ms - now_ms : 0;

    after_ms = after_ms < far_ms ? after_ms : far_ms;
    presentity->recompose_at = subscription_deadline(now_ms, (uint32_t)after_ms);
    subscription_expect(table, subscription_presentity_number(table, slot), &presentity->wheel_at,
                        now_ms + after_ms);
}
