// Who asks for how many subscriptions: one address, or as much of one as a stranger gets by the dozen.
#include "subscription/table.h"

static struct subscription_source source_of(const struct endpoint *endpoint)
{
    struct subscription_source source = {.family = endpoint->family};

    // A site has at least 64 bits of IPv6 addresses to itself (RFC 4291 2.5.4), so more would tell nothing.
    memcpy(&source.address, endpoint->address, sizeof(source.address));
    return source;
}

static uint32_t *head_of(const struct subscription_table *table, const struct subscription_source *source)
{
    uint64_t bytes[2] = {source->address, source->family};

    return &table->origins[hash_sip13(&table->key, bytes, sizeof(bytes)).low & table->origins_mask];
}

bool subscription_source_add(struct subscription_table *table, const struct endpoint *endpoint,
                             uint32_t bound, uint32_t *slot)
{
    struct subscription_slots *slots = &table->source_slots;
    struct subscription_source source = source_of(endpoint);

    *slot = 0;
    if (endpoint->family == ENDPOINT_NONE)
        return true;
    uint32_t *head = head_of(table, &source);

    for (uint32_t at = *head; at != 0; at = table->sources[at].chain) {
        struct subscription_source *known = &table->sources[at];

        if (known->address != source.address || known->family != source.family)
            continue;
        if (known->n >= bound)
            return false;
        known->n++;
        *slot = at;
        return true;
    }
    // There are as many as subscriptions, one of which is taken already.
    *slot = subscription_slot_take(slots, table->sources[slots->free].chain);
    source.n = 1;
    source.chain = *head;
    table->sources[*slot] = source;
    *head = *slot;
    subscription_count(&table->counts.sources, 1);
    return true;
}

void subscription_source_drop(struct subscription_table *table, uint32_t slot)
{
    struct subscription_source *source = &table->sources[slot];

    if (slot == 0 || --source->n > 0)
        return;
    uint32_t *at = head_of(table, source);

    while (*at != slot)
        at = &table->sources[*at].chain;
    *at = source->chain;
    source->chain = table->source_slots.free;
    table->source_slots.free = slot;
    subscription_count(&table->counts.sources, -1);
}
