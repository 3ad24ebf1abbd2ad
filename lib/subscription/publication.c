#include <errno.h>

#include "subscription/table.h"

uint32_t subscription_publication_slot(const struct subscription_table *table,
                                       const struct subscription_publication *publication)
{
    return (uint32_t)(publication - table->publications);
}

static void link_newest(struct subscription_table *table, struct subscription_publication *publication)
{
    struct subscription_presentity *presentity = &table->presentities[publication->presentity];
    uint32_t slot = subscription_publication_slot(table, publication);

    publication->order = 1;
    publication->previous = 0;
    publication->next = presentity->publications;
    if (publication->next != 0) {
        publication->order += table->publications[publication->next].order;
        table->publications[publication->next].previous = slot;
    }
    presentity->publications = slot;
}

static void unlink_from(struct subscription_table *table, const struct subscription_publication *publication)
{
    if (publication->previous != 0)
        table->publications[publication->previous].next = publication->next;
    else
        table->presentities[publication->presentity].publications = publication->next;
    if (publication->next != 0)
        table->publications[publication->next].previous = publication->previous;
}

static void expect(struct subscription_table *table, struct subscription_publication *publication)
{
    uint32_t slot = subscription_publication_slot(table, publication);

    subscription_expect(table, subscription_publication_number(table, slot), &publication->wheel_at,
                        publication->expires_ms);
}

static struct subscription_publication *refuse(struct subscription_table *table)
{
    subscription_count(&table->counts.refused, 1);
    return NULL;
}

struct subscription_publication *subscription_publish(struct subscription_table *table,
                                                      struct subscription_presentity *presentity,
                                                      uint64_t tag, uint16_t type, struct slice body,
                                                      uint64_t expires_ms)
{
    struct subscription_slots *slots = &table->publication_slots;

    if (presentity->publications_n >= SUBSCRIPTION_PUBLICATIONS_MAX || body.len > SUBSCRIPTION_BODY_MAX)
        return refuse(table);
    uint32_t slot = subscription_slot_take(slots, table->publications[slots->free].next);

    if (slot == 0)
        return refuse(table);
    struct subscription_publication *publication = &table->publications[slot];
    uint32_t reference =
        subscription_body_take(table, subscription_held(SUBSCRIPTION_HELD_AS_BODY, slot), type, body);

    if (reference == 0) {
        publication->next = slots->free;
        slots->free = slot;
        return NULL;
    }
    *publication = (struct subscription_publication){
        .tag = tag,
        .expires_ms = expires_ms,
        .presentity = subscription_presentity_slot(table, presentity),
        .body = reference,
        .wheel_at = WHEEL_NONE,
        .used = true,
    };
    link_newest(table, publication);
    presentity->publications_n++;
    expect(table, publication);
    subscription_presentity_touch(table, presentity);
    subscription_count(&table->counts.publications, 1);
    return publication;
}

struct subscription_publication *
subscription_publication_next(struct subscription_table *table,
                              const struct subscription_presentity *presentity,
                              const struct subscription_publication *publication)
{
    uint32_t slot = publication == NULL ? presentity->publications : publication->next;

    return slot != 0 ? &table->publications[slot] : NULL;
}

struct subscription_publication *
subscription_publication_find(struct subscription_table *table,
                              const struct subscription_presentity *presentity, uint64_t tag)
{
    struct subscription_publication *publication = NULL;

    while ((publication = subscription_publication_next(table, presentity, publication)) != NULL)
        if (publication->tag == tag)
            return publication;
    return NULL;
}

int subscription_publication_change(struct subscription_table *table,
                                    struct subscription_publication *publication, uint64_t tag, uint16_t type,
                                    const struct slice *body, uint64_t expires_ms)
{
    uint32_t slot = subscription_publication_slot(table, publication);

    if (body != NULL && body->len > SUBSCRIPTION_BODY_MAX)
        return -E2BIG;
    if (body != NULL) {
        uint32_t reference =
            subscription_body_take(table, subscription_held(SUBSCRIPTION_HELD_AS_BODY, slot), type, *body);

        if (reference == 0)
            return -ENOSPC;
        subscription_block_replace(table, &publication->body, reference);
        unlink_from(table, publication);
        link_newest(table, publication);
        subscription_presentity_touch(table, &table->presentities[publication->presentity]);
    }
    publication->tag = tag;
    publication->expires_ms = expires_ms;
    expect(table, publication);
    return 0;
}

void subscription_publication_place(struct subscription_table *table,
                                    struct subscription_publication *publication, uint32_t order)
{
    struct subscription_presentity *presentity = &table->presentities[publication->presentity];
    uint32_t slot = subscription_publication_slot(table, publication), before = 0, after;

    unlink_from(table, publication);
    for (after = presentity->publications; after != 0 && table->publications[after].order > order;
         after = table->publications[after].next)
        before = after;
    publication->order = order;
    publication->previous = before;
    publication->next = after;
    *(before != 0 ? &table->publications[before].next : &presentity->publications) = slot;
    if (after != 0)
        table->publications[after].previous = slot;
    subscription_presentity_touch(table, presentity);
}

void subscription_publication_close(struct subscription_table *table,
                                    struct subscription_publication *publication)
{
    struct subscription_presentity *presentity = &table->presentities[publication->presentity];
    uint32_t slot = subscription_publication_slot(table, publication);

    wheel_remove(&table->wheel, subscription_publication_number(table, slot), &publication->wheel_at);
    unlink_from(table, publication);
    presentity->publications_n--;
    subscription_block_replace(table, &publication->body, 0);
    publication->used = false;
    publication->next = table->publication_slots.free;
    table->publication_slots.free = slot;
    subscription_presentity_touch(table, presentity);
    subscription_count(&table->counts.publications, -1);
}
