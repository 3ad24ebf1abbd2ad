// Subscriptions as records: how they come, how they are found, what texts they have, how they go.
#include <errno.h>

#include "subscription/table.h"

// The block of a dialog's texts.
struct texts {
    struct subscription_block head;
    uint16_t at[SUBSCRIPTION_TEXTS + 1]; // where each begins, and the last one ends
    char bytes[];
};

uint32_t subscription_slot(const struct subscription_table *table, const struct subscription *subscription)
{
    return (uint32_t)(subscription - table->subscriptions);
}

static uint32_t *head_of(const struct subscription_table *table, uint64_t check)
{
    return &table->checks[check & table->checks_mask];
}

struct subscription *subscription_find(struct subscription_table *table, uint64_t check)
{
    for (uint32_t slot = *head_of(table, check); slot != 0; slot = table->subscriptions[slot].chain)
        if (table->subscriptions[slot].check == check)
            return &table->subscriptions[slot];
    return NULL;
}

struct subscription *subscription_at(struct subscription_table *table, uint32_t slot, uint64_t check)
{
    if (slot == 0 || slot > table->subscription_slots.n)
        return NULL;
    struct subscription *subscription = &table->subscriptions[slot];

    return subscription->state != 0 && subscription->check == check ? subscription : NULL;
}

void subscription_prefetch_check(const struct subscription_table *table, uint64_t check)
{
    __builtin_prefetch(head_of(table, check));
}

void subscription_prefetch_slot(const struct subscription_table *table, uint32_t slot)
{
    const char *at = (const char *)&table->subscriptions[slot];

    if (slot > table->subscription_slots.n)
        return;
    __builtin_prefetch(at, 1);
    __builtin_prefetch(at + 64, 1);
    __builtin_prefetch(&table->wheel.links[slot], 1);
}

void subscription_prefetch_found(const struct subscription_table *table, uint64_t check)
{
    subscription_prefetch_slot(table, *head_of(table, check));
}

// Texts.

static uint32_t take_texts(struct subscription_table *table, uint32_t slot,
                           const struct slice text[SUBSCRIPTION_TEXTS])
{
    size_t len = 0;

    for (unsigned i = 0; i < SUBSCRIPTION_TEXTS; i++)
        len += text[i].len;
    uint32_t reference = subscription_block_take(table, subscription_held(SUBSCRIPTION_HELD_AS_TEXT, slot),
                                                 sizeof(struct texts), len);

    if (reference == 0)
        return 0;
    struct texts *texts = (struct texts *)subscription_block_at(table, reference);

    texts->at[0] = 0;
    for (unsigned i = 0; i < SUBSCRIPTION_TEXTS; i++) {
        if (text[i].len > 0)
            memcpy(texts->bytes + texts->at[i], text[i].at, text[i].len);
        texts->at[i + 1] = (uint16_t)(texts->at[i] + text[i].len);
    }
    return reference;
}

static bool is_too_long(const struct slice text[SUBSCRIPTION_TEXTS])
{
    uint64_t len = 0;

    for (unsigned i = 0; i < SUBSCRIPTION_TEXTS; i++)
        len += text[i].len;
    return len > SUBSCRIPTION_TEXT_MAX;
}

struct slice subscription_text(const struct subscription_table *table,
                               const struct subscription *subscription, enum subscription_text which)
{
    uint32_t reference = __atomic_load_n(&subscription->text, __ATOMIC_ACQUIRE);

    if (reference == 0)
        return SLICE("");
    const struct texts *texts = (const struct texts *)subscription_block_at(table, reference);

    return slice_of(texts->bytes + texts->at[which], (size_t)(texts->at[which + 1] - texts->at[which]));
}

int subscription_text_put(struct subscription_table *table, struct subscription *subscription,
                          enum subscription_text which, struct slice text)
{
    struct slice all[SUBSCRIPTION_TEXTS];

    for (unsigned i = 0; i < SUBSCRIPTION_TEXTS; i++)
        all[i] = subscription_text(table, subscription, i);
    if (slice_equal(all[which], text))
        return 0;
    all[which] = text;
    if (is_too_long(all))
        return -E2BIG;
    uint32_t reference = take_texts(table, subscription_slot(table, subscription), all);

    if (reference == 0)
        return -ENOSPC;
    subscription_block_replace(table, &subscription->text, reference);
    return 0;
}

// Siblings.

struct subscription *subscription_next(struct subscription_table *table,
                                       const struct subscription_presentity *presentity,
                                       const struct subscription *subscription)
{
    uint32_t slot = subscription == NULL ? presentity->subscriptions.first
                                         : table->siblings[subscription_slot(table, subscription)].next;

    return slot != 0 ? &table->subscriptions[slot] : NULL;
}

static void link_last(struct subscription_table *table, struct subscription_presentity *presentity,
                      uint32_t slot)
{
    list_append(&presentity->subscriptions, table->siblings, slot);
    presentity->subscriptions_n++;
}

static void unlink_from(struct subscription_table *table, struct subscription_presentity *presentity,
                        uint32_t slot)
{
    list_remove(&presentity->subscriptions, table->siblings, slot);
    presentity->subscriptions_n--;
    // The round of those who are told of a document goes on behind it.
    if (presentity->fan_at == slot)
        presentity->fan_at = table->siblings[slot].next;
}

// Coming and going.

static int refuse(struct subscription_table *table, uint64_t *counter, int error)
{
    subscription_count(&table->counts.refused, counter != &table->counts.refused);
    subscription_count(counter, 1);
    return error;
}

// What others may walk over is whole before it has a state.
static void fill(struct subscription_table *table, struct subscription *subscription,
                 const struct subscription_opening *opening, uint32_t presentity, uint32_t source,
                 uint32_t texts)
{
    *subscription = (struct subscription){
        .expires_ms = opening->expires_ms,
        .presentity = presentity,
        .wheel_at = WHEEL_NONE,
        .told = opening->restored ? opening->state : 0,
        .held = !opening->restored,
        .check = opening->check,
        .local_cseq = opening->local_cseq,
        .remote_cseq = opening->remote_cseq,
        .to = opening->to,
        .listener = opening->listener,
        .accept = opening->accept,
        .min_ms = opening->min_ms,
        .quiet_ms = opening->quiet_ms,
        .source = source,
        .chain = *head_of(table, opening->check),
    };
    *head_of(table, opening->check) = subscription_slot(table, subscription);
    __atomic_store_n(&subscription->text, texts, __ATOMIC_RELEASE);
    __atomic_store_n(&subscription->state, opening->state, __ATOMIC_RELEASE);
}

int subscription_open(struct subscription_table *table, struct subscription_presentity *presentity,
                      const struct subscription_opening *opening, uint64_t now_ms,
                      struct subscription **opened)
{
    struct subscription_slots *slots = &table->subscription_slots;
    struct subscription_usage *counts = &table->counts;
    uint32_t source, texts = 0;

    if (is_too_long(opening->text))
        return refuse(table, &counts->refused, -E2BIG);
    if (!opening->restored && presentity->subscriptions_n >= table->watchers_max)
        return refuse(table, &counts->refused_watchers, -EUSERS);
    uint32_t slot = subscription_slot_take(slots, table->subscriptions[slots->free].chain);

    if (slot == 0)
        return refuse(table, &counts->refused, -ENOSPC);
    struct subscription *subscription = &table->subscriptions[slot];
    int error = 0;

    if (!subscription_source_add(table, &opening->source,
                                 opening->restored ? UINT32_MAX : table->per_source_max, &source)) {
        error = refuse(table, &counts->refused_source, -EDQUOT);
    } else if ((texts = take_texts(table, slot, opening->text)) == 0) {
        subscription_source_drop(table, source);
        error = -ENOSPC;
    }
    if (error != 0) {
        subscription->chain = slots->free;
        slots->free = slot;
        return error;
    }
    fill(table, subscription, opening, subscription_presentity_slot(table, presentity), source, texts);
    link_last(table, presentity, slot);
    subscription_count(&counts->subscriptions, 1);
    subscription_count(&counts->pending, opening->state == SUBSCRIPTION_PENDING);
    subscription_refresh(table, subscription, opening->expires_ms, now_ms);
    *opened = subscription;
    return 0;
}

static void unchain(struct subscription_table *table, const struct subscription *subscription)
{
    uint32_t slot = subscription_slot(table, subscription);
    uint32_t *at = head_of(table, subscription->check);

    while (*at != slot)
        at = &table->subscriptions[*at].chain;
    *at = subscription->chain;
}

void subscription_close(struct subscription_table *table, struct subscription *subscription)
{
    struct subscription_presentity *presentity = &table->presentities[subscription->presentity];
    struct subscription_slots *slots = &table->subscription_slots;
    uint32_t slot = subscription_slot(table, subscription);

    subscription_notify_drop(table, subscription);
    wheel_remove(&table->wheel, slot, &subscription->wheel_at);
    unchain(table, subscription);
    unlink_from(table, presentity, slot);
    subscription_source_drop(table, subscription->source);
    subscription_count(&table->counts.subscriptions, -1);
    subscription_count(&table->counts.pending, -(subscription->state == SUBSCRIPTION_PENDING));
    __atomic_store_n(&subscription->state, 0, __ATOMIC_RELEASE);
    subscription_block_replace(table, &subscription->text, 0);
    subscription->chain = slots->free;
    slots->free = slot;
    if (presentity->subscriptions_n == 0)
        subscription_presentity_touch(table, presentity);
}
