// block: what has no fixed size: texts of dialogs, names of presentities, bodies.
//
// A block is immutable from its publication on, counted by those who hold it, and in the end given back when no reader
// can be in it. Blocks that are retired wait in two batches: `open` gathers them until `waiting`, which has a token, is
// given back, so that one token serves a batch. Presentities' slots go the same way.
// Each block knows the record that holds it, so that it can be moved out of a sparse page; one that a NOTIFY under way
// holds, too, stays.
#ifndef SUBSCRIPTION_BLOCK_H
#define SUBSCRIPTION_BLOCK_H

#include "base/arena.h"
#include "subscription/subscription.h"

// Begins every block, struct subscription_body included.
struct subscription_block {
    uint32_t retired; // chain
    uint32_t holder;  // enum subscription_holder above the slot of the record
    uint32_t refs;    // 0: retired, or free
    uint32_t len;     // of what follows
};

#define SUBSCRIPTION_SLOT_BITS 28

enum subscription_holder {
    SUBSCRIPTION_HELD_AS_TEXT = 1,
    SUBSCRIPTION_HELD_AS_BODY,  // of a publication
    SUBSCRIPTION_HELD_AS_OWNER, // name of a presentity
    SUBSCRIPTION_HELD_AS_FORM,  // of its document
    SUBSCRIPTION_HELD_ALONE,    // by a NOTIFY under way
};

struct subscription_retired {
    uint32_t blocks;       // through `retired`
    uint32_t presentities; // as well
};

struct subscription_blocks {
    struct arena arena;
    struct rte_rcu_qsbr *qsbr;
    struct subscription_retired open, waiting;
    uint64_t token;      // of `waiting`
    uint32_t leaving;    // page under evacuation: number + 1; 0: none
    uint32_t leaving_at; // records of it that are done
};

struct subscription_table;

static inline uint32_t subscription_held(enum subscription_holder as, uint32_t slot)
{
    return (uint32_t)as << SUBSCRIPTION_SLOT_BITS | slot;
}

struct subscription_block *subscription_block_at(const struct subscription_table *table, uint32_t reference);

// A block for `len` bytes behind its head of `head` bytes, held once; 0: no memory.
uint32_t subscription_block_take(struct subscription_table *table, uint32_t holder, size_t head, size_t len);
// A block of type subscription_body. 0: no memory, or over SUBSCRIPTION_BODY_MAX.
uint32_t subscription_body_take(struct subscription_table *table, uint32_t holder, uint16_t type,
                                struct slice bytes);
void subscription_block_hold(struct subscription_table *table, uint32_t reference);
void subscription_block_drop(struct subscription_table *table, uint32_t reference); // 0 is allowed
// Puts another reference, or none, where readers find the old one, and drops that.
void subscription_block_replace(struct subscription_table *table, uint32_t *at, uint32_t reference);

// presentity.c is where its slots come back to.
void subscription_presentity_retire(struct subscription_table *table, uint32_t slot);
void subscription_presentity_free(struct subscription_table *table, uint32_t slot);

// Both at most `budget` blocks.
void subscription_blocks_reclaim(struct subscription_table *table, unsigned budget);
void subscription_blocks_compact(struct subscription_table *table, unsigned budget); // compact.c

#endif
