#include "subscription/table.h"

_Static_assert(offsetof(struct subscription_body, len) == offsetof(struct subscription_block, len),
               "a body begins as every block");
_Static_assert(SUBSCRIPTION_RECORDS_MAX == UINT32_C(1) << SUBSCRIPTION_SLOT_BITS, "a holder names any slot");
_Static_assert(sizeof(struct subscription_body) + SUBSCRIPTION_BODY_MAX <= ARENA_PAGE,
               "a page has room for any");

struct subscription_block *subscription_block_at(const struct subscription_table *table, uint32_t reference)
{
    return arena_at(table->blocks.arena.records, reference);
}

static void note_bytes(struct subscription_table *table)
{
    __atomic_store_n(&table->counts.bytes, table->blocks.arena.bytes, __ATOMIC_RELAXED);
}

uint32_t subscription_block_take(struct subscription_table *table, uint32_t holder, size_t head, size_t len)
{
    uint32_t reference = arena_take(&table->blocks.arena, head + len, true);

    if (reference == 0) {
        subscription_count(&table->counts.refused, 1);
        return 0;
    }
    *subscription_block_at(table, reference) =
        (struct subscription_block){.holder = holder, .refs = 1, .len = (uint32_t)len};
    note_bytes(table);
    return reference;
}

uint32_t subscription_body_take(struct subscription_table *table, uint32_t holder, uint16_t type,
                                struct slice bytes)
{
    if (bytes.len > SUBSCRIPTION_BODY_MAX)
        return 0;
    uint32_t reference = subscription_block_take(table, holder, sizeof(struct subscription_body), bytes.len);

    if (reference == 0)
        return 0;
    struct subscription_body *body = (struct subscription_body *)subscription_block_at(table, reference);

    body->tag = body->base = 0;
    body->version = 0;
    body->type = type;
    body->unused = 0;
    if (bytes.len > 0)
        memcpy(body->bytes, bytes.at, bytes.len);
    return reference;
}

const struct subscription_body *subscription_body(const struct subscription_table *table, uint32_t reference)
{
    return reference != 0 ? (struct subscription_body *)subscription_block_at(table, reference) : NULL;
}

void subscription_block_hold(struct subscription_table *table, uint32_t reference)
{
    subscription_block_at(table, reference)->refs++;
}

void subscription_block_drop(struct subscription_table *table, uint32_t reference)
{
    struct subscription_blocks *blocks = &table->blocks;

    if (reference == 0)
        return;
    struct subscription_block *block = subscription_block_at(table, reference);

    if (--block->refs > 0)
        return;
    block->retired = blocks->open.blocks;
    blocks->open.blocks = reference;
    subscription_count(&table->counts.deferred, 1);
}

void subscription_block_replace(struct subscription_table *table, uint32_t *at, uint32_t reference)
{
    uint32_t old = *at;

    __atomic_store_n(at, reference, __ATOMIC_RELEASE);
    subscription_block_drop(table, old);
}

void subscription_presentity_retire(struct subscription_table *table, uint32_t slot)
{
    struct subscription_blocks *blocks = &table->blocks;

    table->presentities[slot].retired = blocks->open.presentities;
    blocks->open.presentities = slot;
}

void subscription_blocks_reclaim(struct subscription_table *table, unsigned budget)
{
    struct subscription_blocks *blocks = &table->blocks;
    struct subscription_retired *waiting = &blocks->waiting;
    unsigned left = budget;

    if (waiting->blocks == 0 && waiting->presentities == 0) {
        if (blocks->open.blocks == 0)
            return; // a presentity is never retired without a block
        *waiting = blocks->open;
        blocks->open = (struct subscription_retired){0};
        blocks->token = rte_rcu_qsbr_start(blocks->qsbr);
    }
    if (!rte_rcu_qsbr_check(blocks->qsbr, blocks->token, false))
        return;
    for (; left > 0 && waiting->presentities != 0; left--) {
        uint32_t slot = waiting->presentities;

        waiting->presentities = table->presentities[slot].retired;
        subscription_presentity_free(table, slot);
    }
    for (; left > 0 && waiting->blocks != 0; left--) {
        uint32_t reference = waiting->blocks;

        waiting->blocks = subscription_block_at(table, reference)->retired;
        arena_give(&blocks->arena, reference);
        subscription_count(&table->counts.deferred, -1);
    }
    note_bytes(table);
}
