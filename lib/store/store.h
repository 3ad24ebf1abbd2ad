// store: what outlives the process: bindings, users, and whatever else is a key and a value.
//
// One small interface over an embedded database (LMDB), and over plain memory for tests. The format is versioned: a
// store of a newer or of an unknown format is refused and left untouched, an older one is upgraded when it is opened.
// Keys and values are bytes; every kind has a space of its own. All calls may wait for the disk: control's threads
// only, never a worker's. One thread writes at a time; the others may read beside it, and each call sees one moment.
// Every value has a check of its bytes behind it, so that what the disk changed is told from what was written.
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdio.h>

#include "base/slice.h"

enum store_kind {
    STORE_BINDINGS = 1, // address of record -> its set of bindings
    STORE_USERS,        // user@realm -> HA1 by algorithm
    STORE_PUBLICATIONS,
    STORE_SUBSCRIPTIONS,
    STORE_TRIAL, // what is written to see whether the store can be written to
    STORE_RULES, // presentity and watcher -> who may watch whom (roster/record.h)
    STORE_LISTS, // address of record -> members of a list
    STORE_KINDS
};

struct store;

struct store_change {
    enum store_kind kind;
    struct slice key;   // at most STORE_KEY_MAX bytes
    struct slice value; // at == NULL: the key goes
};

#define STORE_KEY_MAX   500
#define STORE_VALUE_MAX 65536

struct store_setup {
    const char *path;  // directory, made where it is not there (0700)
    uint64_t size_max; // bytes
};

// 0, or a negative errno after a line on `errors` that says what to do (-EPROTO: not our format, a newer one, or
// damaged; -EBUSY: another process has it).
int store_open(struct store **store, const struct store_setup *setup, FILE *errors);

// For tests: nothing outlives it. From store_memory_fail on every write fails with `error`, until that is 0.
int store_open_memory(struct store **store);
void store_memory_fail(struct store *store, int error);

void store_close(struct store *store); // NULL is allowed; what was applied is on disk then

// All changes or none, in their order. `sync`: returns when they are on the disk; otherwise a power cut may take the
// last of them, though never what was there before. 0, -ENOSPC (size_max or the disk is full), -EIO, -EINVAL (a key or
// a value is too long). After a failure the next call tries again.
int store_apply(struct store *store, const struct store_change *changes, unsigned n, bool sync);

// Every key of a kind in the order of keys, or those behind `after`; stops when `each` says false. 0, -EIO, or
// -EPROTO: a value does not fit its check, and `each` got its key with value.at == NULL.
int store_each(struct store *store, enum store_kind kind,
               bool (*each)(void *owner, struct slice key, struct slice value), void *owner);
int store_each_after(struct store *store, enum store_kind kind, struct slice after,
                     bool (*each)(void *owner, struct slice key, struct slice value), void *owner);

// One value, copied as far as there is `room`; the bytes it has, 0 when there is none, -EIO, -EPROTO.
int store_get(struct store *store, enum store_kind kind, struct slice key, void *value, size_t room);

struct store_usage {
    uint64_t keys[STORE_KINDS];
    uint64_t bytes, bytes_max;
};
int store_usage(struct store *store, struct store_usage *usage);

#endif
