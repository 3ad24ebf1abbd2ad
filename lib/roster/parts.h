// parts: what a roster consists of. Internal to the room.
#ifndef ROSTER_PARTS_H
#define ROSTER_PARTS_H

#include "roster/roster.h"
#include "worker/directory.h"

// Of one list: its address of record, then its members, none of which goes on in another block.
struct roster_block {
    uint32_t next; // 0: the last one
    uint16_t used; // bytes of `text`
    char text[ROSTER_BLOCK_BYTES - 6];
};

_Static_assert(sizeof(struct roster_block) == ROSTER_BLOCK_BYTES, "blocks have lines of their own");

// An entry of the directory of lists.
struct roster_list {
    uint32_t first; // block
    uint32_t members;
};

struct roster {
    struct hash_key key;
    struct directory *rules; // entries: a decision in a byte
    struct directory *lists;
    struct roster_block *blocks; // block 0 is nobody's
    uint32_t blocks_n;
    uint32_t fresh; // blocks from here on were never used
    uint32_t free;  // the first of those that were
    uint32_t members, members_max;
    uint64_t changes;
    struct memory memory;
};

// Behind each change. Whoever reads this number, or a later one, finds what was changed.
static inline void roster_changed(struct roster *roster)
{
    __atomic_store_n(&roster->changes, roster->changes + 1, __ATOMIC_RELEASE);
}

// lists.c. No reader can have the list any more.
void roster_list_gone(void *owner, const void *entry);

#endif
