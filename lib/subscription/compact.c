// Moves blocks together, as location does with its sets: out of sparse pages, where the pool of pages runs low.
#include "subscription/table.h"

// Where the record that holds a block names it; NULL: nobody does any more but a NOTIFY under way.
static uint32_t *named_by(struct subscription_table *table, uint32_t reference)
{
    uint32_t holder = subscription_block_at(table, reference)->holder;
    uint32_t slot = holder & (SUBSCRIPTION_RECORDS_MAX - 1);
    uint32_t *at = NULL;

    switch (holder >> SUBSCRIPTION_SLOT_BITS) {
    case SUBSCRIPTION_HELD_AS_TEXT:
        at = &table->subscriptions[slot].text;
        break;
    case SUBSCRIPTION_HELD_AS_BODY:
        at = &table->publications[slot].body;
        break;
    case SUBSCRIPTION_HELD_AS_OWNER:
        at = &table->presentities[slot].owner;
        break;
    case SUBSCRIPTION_HELD_AS_FORM:
        at = table->presentities[slot].forms;
        for (unsigned form = 0; form < SUBSCRIPTION_FORMS - 1 && *at != reference; form++)
            at++;
        break;
    default:
        break;
    }
    return at != NULL && *at == reference ? at : NULL;
}

// The block is copied, and readers of the old one keep it until their next quiescent state. False: it cannot go.
static bool move(struct subscription_table *table, uint32_t reference)
{
    struct arena *arena = &table->blocks.arena;
    struct subscription_block *block = subscription_block_at(table, reference);

    if (block->refs == 0)
        return true;
    uint32_t *at = named_by(table, reference);

    if (block->refs > 1 || at == NULL)
        return false;
    size_t size = arena->classes[arena->pages[arena_page(reference)].class].size;
    uint32_t copy = arena_take(arena, size, false);

    if (copy == 0)
        return false;
    memcpy(subscription_block_at(table, copy), block, size);
    subscription_block_replace(table, at, copy);
    return true;
}

void subscription_blocks_compact(struct subscription_table *table, unsigned budget)
{
    struct subscription_blocks *blocks = &table->blocks;
    struct arena *arena = &blocks->arena;

    if (blocks->leaving == 0) {
        blocks->leaving = arena_leave(arena);
        blocks->leaving_at = 0;
    }
    if (blocks->leaving == 0)
        return;
    const struct arena_page *page = &arena->pages[blocks->leaving - 1];
    uint32_t units = arena->classes[page->class].size / ARENA_UNIT;
    uint32_t first = (uint32_t)((blocks->leaving - 1) * ARENA_UNITS_A_PAGE + 1);

    for (; budget > 0; budget--) {
        // A page whose last record is given back leaves by itself, and may serve another class already.
        if (!page->leaving || blocks->leaving_at >= page->carved) {
            blocks->leaving = 0;
            return;
        }
        if (!move(table, first + blocks->leaving_at * units)) {
            arena_stay(arena, blocks->leaving - 1);
            blocks->leaving = 0;
            return;
        }
        blocks->leaving_at++;
    }
}
