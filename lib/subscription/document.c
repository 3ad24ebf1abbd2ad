#include <errno.h>

#include "subscription/table.h"

#define AGAIN_MS 1000 // when a document found no memory

uint32_t subscription_body_make(struct subscription_table *table, uint16_t type, struct slice bytes)
{
    return subscription_body_take(table, subscription_held(SUBSCRIPTION_HELD_ALONE, 0), type, bytes);
}

void subscription_fan_out(struct subscription_table *table, struct subscription_presentity *presentity)
{
    presentity->waited = false;
    presentity->fan_left = presentity->subscriptions_n;
    if (presentity->in_fan || presentity->fan_left == 0)
        return;
    presentity->in_fan = true;
    subscription_queue_append(table, SUBSCRIPTION_FAN, presentity);
}

static uint32_t take_form(struct subscription_table *table, const struct subscription_presentity *presentity,
                          uint16_t type, struct slice bytes)
{
    uint32_t slot = subscription_presentity_slot(table, presentity);

    return subscription_body_take(table, subscription_held(SUBSCRIPTION_HELD_AS_FORM, slot), type, bytes);
}

static void name(struct subscription_table *table, uint32_t reference, uint64_t tag, uint64_t base,
                 uint32_t version)
{
    struct subscription_body *body = (struct subscription_body *)subscription_block_at(table, reference);

    body->tag = tag;
    body->base = base;
    body->version = version;
}

static int replace(struct subscription_table *table, struct subscription_presentity *presentity, uint64_t tag,
                   uint16_t type, struct slice whole)
{
    if (whole.len > SUBSCRIPTION_BODY_MAX)
        return -E2BIG;
    uint32_t reference = take_form(table, presentity, type, whole);

    if (reference == 0)
        return -ENOSPC;
    presentity->tag = tag;
    presentity->version = (presentity->version != 0 ? presentity->version : presentity->since) + 1;
    name(table, reference, tag, 0, presentity->version);
    subscription_block_replace(table, &presentity->forms[0], reference);
    for (unsigned form = 1; form < SUBSCRIPTION_FORMS; form++)
        subscription_block_replace(table, &presentity->forms[form], 0);
    subscription_count(&table->counts.composed, 1);
    return 0;
}

int subscription_document_put(struct subscription_table *table, struct subscription_presentity *presentity,
                              uint64_t tag, uint16_t type, struct slice whole, uint64_t now_ms)
{
    bool is_new = tag != presentity->tag;
    int error = is_new ? replace(table, presentity, tag, type, whole) : 0;

    presentity->touched = false;
    if (error != 0)
        subscription_presentity_recompose(table, presentity, now_ms + AGAIN_MS, now_ms);
    if (presentity->waited || (is_new && error == 0))
        subscription_fan_out(table, presentity);
    return error;
}

int subscription_form_put(struct subscription_table *table, struct subscription_presentity *presentity,
                          unsigned form, uint16_t type, uint64_t base, struct slice bytes)
{
    subscription_block_replace(table, &presentity->forms[form], 0);
    if (bytes.len > SUBSCRIPTION_BODY_MAX)
        return -E2BIG;
    uint32_t reference = take_form(table, presentity, type, bytes);

    if (reference == 0)
        return -ENOSPC;
    name(table, reference, presentity->tag, base, presentity->version);
    __atomic_store_n(&presentity->forms[form], reference, __ATOMIC_RELEASE);
    return 0;
}
