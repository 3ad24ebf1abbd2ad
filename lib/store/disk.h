// disk: the store as LMDB keeps it: a folder with data.mdb, LMDB's lock.mdb, and a file that says who has it.
//
// One named database for each kind, and one for the format. A transaction writes new pages beside the old ones and is
// finished by one page at the front, so whatever ends the process or the power leaves the state before or the one
// behind. Internal to the room.
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <limits.h>
#include <lmdb.h>
#include <pthread.h>

#include "store/backend.h"

#define DISK_MAGIC  "strowger"
#define DISK_FORMAT 1u

struct disk {
    struct store store;
    pthread_rwlock_t lock; // shared: the environment is in use; exclusive: it is opened anew
    MDB_env *env;          // NULL: it could not be opened anew
    MDB_dbi kinds[STORE_KINDS];
    int held; // file descriptor of the lock that keeps others out
    uint64_t size_max;
    char path[PATH_MAX];
    uint32_t *order; // of the changes of one transaction: the writer's
    unsigned order_room;
};

// disk_open.c. Opens the environment, and makes or upgrades what is in it. 0 or an error of LMDB's; `*why` is what
// failed.
int disk_env_open(struct disk *disk, const char **why);

// File space is taken in steps ahead of need: a data file that is shorter than its pages is a damaged one.
void disk_grow(struct disk *disk);

// An error of LMDB's as an errno.
int disk_error(const struct disk *disk, int error);

extern const struct store_backend disk_backend;

#endif
