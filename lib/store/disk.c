#include "store/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"

#define CHECK_BYTES 4

// Against what a disk or a hand does to it, not against an attacker, who could write the check as well.
static uint32_t check_of(const void *bytes, size_t len)
{
    static const struct hash_key key;

    return (uint32_t)hash_sip13(&key, bytes, len).low;
}

static struct disk *of(struct store *store)
{
    return (struct disk *)store;
}

// Whoever uses the environment holds the lock shared. After an error that LMDB does not go on from, it is opened anew.
// 0, or an error of LMDB's and then nothing is held.
static int enter(struct disk *disk, unsigned flags, MDB_txn **txn)
{
    const char *why;

    for (unsigned tries = 0;; tries++) {
        pthread_rwlock_rdlock(&disk->lock);
        int error = disk->env == NULL ? MDB_PANIC : mdb_txn_begin(disk->env, NULL, flags, txn);
        if (error == 0)
            return 0;
        pthread_rwlock_unlock(&disk->lock);
        if (error != MDB_PANIC || tries > 0)
            return error;
        pthread_rwlock_wrlock(&disk->lock);
        mdb_env_close(disk->env);
        disk->env = NULL;
        error = disk_env_open(disk, &why);
        pthread_rwlock_unlock(&disk->lock);
        if (error != 0)
            return error;
    }
}

static int put(MDB_txn *txn, MDB_dbi kind, MDB_val *key, struct slice bytes)
{
    MDB_val value = {bytes.len + CHECK_BYTES, NULL};
    uint32_t check = check_of(bytes.at, bytes.len);
    int error = mdb_put(txn, kind, key, &value, MDB_RESERVE);

    if (error != 0)
        return error;
    if (bytes.len > 0)
        memcpy(value.mv_data, bytes.at, bytes.len);
    memcpy((char *)value.mv_data + bytes.len, &check, CHECK_BYTES);
    return 0;
}

static int write_one(const struct disk *disk, MDB_txn *txn, const struct store_change *change)
{
    MDB_val key = {change->key.len, (void *)(uintptr_t)change->key.at};

    if (change->value.at != NULL)
        return put(txn, disk->kinds[change->kind], &key, change->value);
    int error = mdb_del(txn, disk->kinds[change->kind], &key, NULL);
    return error == MDB_NOTFOUND ? 0 : error;
}

static bool make_room(struct disk *disk, unsigned n)
{
    if (n <= disk->order_room)
        return true;
    uint32_t *order = realloc(disk->order, n * sizeof(*order));
    if (order == NULL)
        return false;
    disk->order = order;
    disk->order_room = n;
    return true;
}

static int disk_apply(struct store *store, const struct store_change *changes, unsigned n, bool sync)
{
    struct disk *disk = of(store);
    MDB_txn *txn;

    if (!make_room(disk, n))
        return -ENOMEM;
    store_order(changes, n, disk->order);
    int error = enter(disk, 0, &txn);
    if (error != 0)
        return disk_error(disk, error);
    // Without MDB_NOSYNC: pages are on the disk before the one that leads to them, so no power cut tears the store.
    mdb_env_set_flags(disk->env, MDB_NOMETASYNC, !sync);
    for (unsigned i = 0; error == 0 && i < n; i++) {
        const struct store_change *change = &changes[disk->order[i]];
        // Of several changes of one key only the last would be seen.
        if (i + 1 == n || !store_same_key(change, &changes[disk->order[i + 1]]))
            error = write_one(disk, txn, change);
    }
    if (error == 0)
        error = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    if (error == 0)
        disk_grow(disk);
    pthread_rwlock_unlock(&disk->lock);
    return disk_error(disk, error);
}

static void leave(struct disk *disk, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    pthread_rwlock_unlock(&disk->lock);
}

// The bytes that were put. False: they do not fit their check.
static bool uncheck(const MDB_val *value, struct slice *bytes)
{
    uint32_t check;

    if (value->mv_size < CHECK_BYTES)
        return false;
    *bytes = slice_of(value->mv_data, value->mv_size - CHECK_BYTES);
    memcpy(&check, bytes->at + bytes->len, CHECK_BYTES);
    return check == check_of(bytes->at, bytes->len);
}

static int walk(MDB_cursor *cursor, struct slice after,
                bool (*each)(void *owner, struct slice key, struct slice value), void *owner)
{
    MDB_val key = {after.len, (void *)(uintptr_t)after.at}, value;
    int error = mdb_cursor_get(cursor, &key, &value, after.len > 0 ? MDB_SET_RANGE : MDB_FIRST);

    if (error == 0 && slice_equal(after, slice_of(key.mv_data, key.mv_size)))
        error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    for (; error == 0; error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        struct slice name = slice_of(key.mv_data, key.mv_size), bytes;
        if (!uncheck(&value, &bytes)) {
            each(owner, name, (struct slice){NULL, 0});
            return MDB_CORRUPTED;
        }
        if (!each(owner, name, bytes))
            return 0;
    }
    return error == MDB_NOTFOUND ? 0 : error;
}

static int disk_each(struct store *store, enum store_kind kind, struct slice after,
                     bool (*each)(void *owner, struct slice key, struct slice value), void *owner)
{
    struct disk *disk = of(store);
    MDB_cursor *cursor;
    MDB_txn *txn;
    int error = enter(disk, MDB_RDONLY, &txn);

    if (error != 0)
        return disk_error(disk, error);
    error = mdb_cursor_open(txn, disk->kinds[kind], &cursor);
    if (error == 0) {
        error = walk(cursor, after, each, owner);
        mdb_cursor_close(cursor);
    }
    leave(disk, txn);
    return disk_error(disk, error);
}

static int disk_get(struct store *store, enum store_kind kind, struct slice key, void *value, size_t room)
{
    struct disk *disk = of(store);
    MDB_val name = {key.len, (void *)(uintptr_t)key.at}, found;
    struct slice bytes = {NULL, 0};
    MDB_txn *txn;
    int error = enter(disk, MDB_RDONLY, &txn);

    if (error != 0)
        return disk_error(disk, error);
    error = mdb_get(txn, disk->kinds[kind], &name, &found);
    if (error == 0 && !uncheck(&found, &bytes))
        error = MDB_CORRUPTED;
    if (error == 0)
        memcpy(value, bytes.at, bytes.len < room ? bytes.len : room);
    leave(disk, txn);
    return error == 0 ? (int)bytes.len : error == MDB_NOTFOUND ? 0 : disk_error(disk, error);
}

static int disk_usage(struct store *store, struct store_usage *usage)
{
    struct disk *disk = of(store);
    MDB_envinfo info;
    MDB_stat stat;
    MDB_txn *txn;
    int error = enter(disk, MDB_RDONLY, &txn);

    if (error != 0)
        return disk_error(disk, error);
    for (unsigned kind = 1; error == 0 && kind < STORE_KINDS; kind++) {
        error = mdb_stat(txn, disk->kinds[kind], &stat);
        usage->keys[kind] = error == 0 ? stat.ms_entries : 0;
    }
    if (error == 0)
        error = mdb_env_info(disk->env, &info);
    if (error == 0)
        usage->bytes = (info.me_last_pgno + 1) * stat.ms_psize;
    usage->bytes_max = disk->size_max;
    leave(disk, txn);
    return disk_error(disk, error);
}

static void disk_close(struct store *store)
{
    struct disk *disk = of(store);

    if (disk->env != NULL) {
        mdb_env_sync(disk->env, 1);
        mdb_env_close(disk->env);
    }
    if (disk->held >= 0)
        close(disk->held); // and with it the lock
    pthread_rwlock_destroy(&disk->lock);
    free(disk->order);
    free(disk);
}

const struct store_backend disk_backend = {disk_close, disk_apply, disk_each, disk_get, disk_usage};
