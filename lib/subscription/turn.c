// What is due: presentities to compose, watchers to tell of a document, and what waits for a time.
#include "subscription/table.h"

#define RUN \
    64 // looks at one kind of work before the others have their turn, and at one presentity's watchers
#define AHEAD   4 // records that are prefetched before they are looked at
#define SOURCES 3

#define TEXT_LINES 6 // of a dialog's texts, of the usual lengths

enum step {
    STEP_IDLE, // there is no such work
    STEP_ON,   // a record was looked at, and there was nothing to do
    STEP_DUE,
};

void subscription_turn(struct subscription_table *table, unsigned budget)
{
    subscription_blocks_reclaim(table, budget);
    subscription_blocks_compact(table, budget);
    table->left = budget;
}

// Those who were touched.

static enum step step_touched(struct subscription_table *table, uint64_t now_ms, struct subscription_due *due)
{
    const struct list *queue = &table->queues[SUBSCRIPTION_TOUCHED];

    (void)now_ms;
    if (queue->first == 0)
        return STEP_IDLE;
    struct subscription_presentity *presentity = subscription_queue_take(table, SUBSCRIPTION_TOUCHED);

    __builtin_prefetch(&table->presentities[queue->first], 1);
    presentity->in_touched = false;
    if (presentity->unsettled > 0) // its release brings it back
        return STEP_ON;
    if (presentity->publications_n == 0 && presentity->subscriptions_n == 0) {
        // One that is still told of goes when that has come to its end.
        if (presentity->in_fan)
            subscription_presentity_touch(table, presentity);
        else
            subscription_presentity_remove(table, presentity);
        return STEP_ON;
    }
    if (!presentity->touched)
        return STEP_ON;
    presentity->touched = false;
    *due = (struct subscription_due){.kind = SUBSCRIPTION_DUE_COMPOSE, .presentity = presentity};
    return STEP_DUE;
}

// Those who watch.

static enum step say(struct subscription_table *table, struct subscription *subscription, uint64_t now_ms,
                     struct subscription_due *due)
{
    unsigned actions = subscription_step(table, subscription, now_ms);

    if (actions == 0)
        return STEP_ON;
    *due = (struct subscription_due){
        .kind = SUBSCRIPTION_DUE_WATCHER,
        .actions = actions,
        .presentity = &table->presentities[subscription->presentity],
        .subscription = subscription,
    };
    return STEP_DUE;
}

// What a NOTIFY is made from, and the neighbours on the wheel, which its timers will leave.
static inline __attribute__((always_inline)) void prefetch_rest(const struct subscription_table *table,
                                                                uint32_t slot)
{
    const struct list_link *links = table->wheel.links;

    if (slot == 0 || slot > table->subscription_slots.n || table->subscriptions[slot].text == 0)
        return;
    const char *texts = (const char *)subscription_block_at(table, table->subscriptions[slot].text);

    for (unsigned line = 0; line < TEXT_LINES; line++)
        __builtin_prefetch(texts + 64 * line);
    __builtin_prefetch(&links[links[slot].next], 1);
    __builtin_prefetch(&links[links[slot].previous], 1);
}

// Links lie close together, so they lead ahead to records, and those to the rest, before either is needed.
static inline __attribute__((always_inline)) void
prefetch_ahead(const struct subscription_table *table, const struct list_link *links, uint32_t number)
{
    uint32_t ahead = number;

    for (unsigned i = 0; i < AHEAD; i++) {
        ahead = links[ahead].next;
        if (i == AHEAD / 2 - 1)
            prefetch_rest(table, ahead);
    }
    subscription_prefetch_slot(table, ahead);
}

// Behind the others who have watchers to tell.
static void rotate(struct subscription_table *table)
{
    struct subscription_presentity *presentity = subscription_queue_take(table, SUBSCRIPTION_FAN);

    if (presentity->fan_left == 0)
        presentity->in_fan = false;
    else
        subscription_queue_append(table, SUBSCRIPTION_FAN, presentity);
}

static enum step step_fan(struct subscription_table *table, uint64_t now_ms, struct subscription_due *due)
{
    uint32_t first = table->queues[SUBSCRIPTION_FAN].first;
    struct subscription_presentity *presentity = &table->presentities[first];

    if (first == 0)
        return STEP_IDLE;

    if (presentity->fan_left > presentity->subscriptions_n)
        presentity->fan_left = presentity->subscriptions_n;
    if (presentity->fan_left == 0) {
        rotate(table);
        return STEP_ON;
    }
    if (presentity->fan_at == 0)
        presentity->fan_at = presentity->subscriptions.first;
    uint32_t slot = presentity->fan_at;

    prefetch_ahead(table, table->siblings, slot);
    presentity->fan_at = table->siblings[slot].next;
    presentity->fan_left--;
    if (presentity->fan_left % RUN == 0)
        rotate(table);
    return say(table, &table->subscriptions[slot], now_ms, due);
}

// What waits for a time.

static enum step step_presentity(struct subscription_table *table, uint32_t slot, uint64_t now_ms)
{
    struct subscription_presentity *presentity = &table->presentities[slot];
    uint32_t number = subscription_presentity_number(table, slot);

    if (subscription_is_due(presentity->recompose_at, now_ms)) {
        presentity->recompose_at = 0;
        subscription_presentity_touch(table, presentity);
    } else if (presentity->recompose_at != 0) {
        uint64_t at_ms = subscription_deadline_ms(presentity->recompose_at, now_ms);

        subscription_expect(table, number, &presentity->wheel_at, at_ms);
    }
    return STEP_ON;
}

static enum step step_publication(struct subscription_table *table, uint32_t slot, uint64_t now_ms,
                                  struct subscription_due *due)
{
    struct subscription_publication *publication = &table->publications[slot];
    uint32_t number = subscription_publication_number(table, slot);
    bool expired = publication->expires_ms <= now_ms;
    uint64_t at_ms = expired ? now_ms + table->timers.t1_ms : publication->expires_ms;

    subscription_expect(table, number, &publication->wheel_at, at_ms);
    if (!expired)
        return STEP_ON;
    *due = (struct subscription_due){
        .kind = SUBSCRIPTION_DUE_PUBLICATION,
        .presentity = &table->presentities[publication->presentity],
        .publication = publication,
    };
    return STEP_DUE;
}

static enum step step_time(struct subscription_table *table, uint64_t now_ms, struct subscription_due *due)
{
    uint32_t number = wheel_due(&table->wheel, now_ms / SUBSCRIPTION_TICK_MS);
    uint32_t subscriptions = table->subscription_slots.n;
    uint32_t others = subscriptions + table->publication_slots.n;

    if (number == 0)
        return STEP_IDLE;
    prefetch_ahead(table, table->wheel.links, number);
    if (number <= subscriptions) {
        struct subscription *subscription = &table->subscriptions[number];

        subscription->wheel_at = WHEEL_NONE;
        return say(table, subscription, now_ms, due);
    }
    if (number <= others) {
        table->publications[number - subscriptions].wheel_at = WHEEL_NONE;
        return step_publication(table, number - subscriptions, now_ms, due);
    }
    table->presentities[number - others].wheel_at = WHEEL_NONE;
    return step_presentity(table, number - others, now_ms);
}

bool subscription_due(struct subscription_table *table, uint64_t now_ms, struct subscription_due *due)
{
    static enum step (*const steps[SOURCES])(struct subscription_table *, uint64_t,
                                             struct subscription_due *) = {step_touched, step_fan, step_time};

    for (unsigned idle = 0; table->left > 0 && idle < SOURCES;) {
        enum step step = steps[table->whose](table, now_ms, due);

        if (step == STEP_IDLE || ++table->run >= RUN) {
            table->run = 0;
            table->whose = (table->whose + 1) % SOURCES;
        }
        if (step == STEP_IDLE) {
            idle++;
            continue;
        }
        idle = 0;
        table->left--;
        if (step == STEP_DUE)
            return true;
    }
    due->kind = SUBSCRIPTION_NOTHING;
    return false;
}
