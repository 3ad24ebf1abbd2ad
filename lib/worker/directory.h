// directory: entries of one size by key, that control writes and workers read without locks.
//
// An entry is never changed where it can be found: it is replaced as a whole, and its place is given to others after
// every reader has passed a quiescent state. A new one is drafted first, which is all that can fail, and published
// later, so that its owner can write it to the disk between. The memory is reserved at start: the bound, an eighth and
// DIRECTORY_SPARE more for what waits for its readers.
//
// Cost of a look-up: two dependent cache misses, bucket and entry; one where the key is not there.
// Threads: any registered reader finds; control, one thread at a time, does the rest.
#ifndef WORKER_DIRECTORY_H
#define WORKER_DIRECTORY_H

#include <rte_rcu_qsbr.h>

#include "base/hash.h"
#include "base/memory.h"

#define DIRECTORY_ENTRIES_MAX 100000000u
#define DIRECTORY_SPARE       1024

struct directory;

struct directory_setup {
    uint32_t entries;          // 1 to DIRECTORY_ENTRIES_MAX
    uint32_t bytes;            // of an entry; it begins at a multiple of 4
    struct rte_rcu_qsbr *qsbr; // the readers'
    const struct memory *memory;
    // No reader can have the entry any more: what it leads to may go. NULL: it leads to nothing.
    void (*gone)(void *owner, const void *entry);
    void *owner;
};

// 0, -EINVAL, -ENOMEM.
int directory_create(struct directory **directory, const struct directory_setup *setup);
void directory_destroy(struct directory *directory); // NULL is allowed; what is there is not told to be gone

// Any reader. Valid until its next quiescent state; NULL: there is none.
const void *directory_find(const struct directory *directory, struct hash128 key);
// A hint, ahead of that.
void directory_prefetch(const struct directory *directory, struct hash128 key);
// Somebody's entry, or zeros: for the same key the same one, and as far away as its own would be.
const void *directory_decoy(const struct directory *directory, struct hash128 key);

// The entry that this key will have, to be filled and then published or discarded. NULL: `*error` is -ENOSPC (there are
// as many as there may be), or -EAGAIN (too much waits for its readers).
void *directory_draft(struct directory *directory, struct hash128 key, int *error);
void directory_publish(struct directory *directory, void *draft);
void directory_discard(struct directory *directory, void *draft);

// All of that at once. 0, -ENOSPC, -EAGAIN.
int directory_put(struct directory *directory, struct hash128 key, const void *entry);
bool directory_remove(struct directory *directory, struct hash128 key);

// Takes back what no reader can have any more, as each draft does.
void directory_expire(struct directory *directory);

// Every entry once that is there all the time, in no order. `*position` starts at 0. NULL: the end.
const void *directory_next(const struct directory *directory, uint64_t *position);

// Any thread.
uint32_t directory_count(const struct directory *directory); // drafts of new keys included
uint32_t directory_max(const struct directory *directory);

#endif
