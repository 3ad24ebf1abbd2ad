#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/disk.h"

#define READERS_MAX 16
#define GROW_BYTES  (UINT64_C(16) << 20)

static const char *const names[STORE_KINDS] = {[STORE_BINDINGS] = "bindings",
                                               [STORE_USERS] = "users",
                                               [STORE_PUBLICATIONS] = "publications",
                                               [STORE_SUBSCRIPTIONS] = "subscriptions",
                                               [STORE_TRIAL] = "trial",
                                               [STORE_RULES] = "rules",
                                               [STORE_LISTS] = "lists"};

static MDB_val text(const char *at)
{
    return (MDB_val){strlen(at), (void *)(uintptr_t)at};
}

int disk_error(const struct disk *disk, int error)
{
    struct statvfs room;

    switch (error) {
    case 0:
        return 0;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return -ENOSPC;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return -EPROTO;
    case EIO: // also what LMDB makes of a write that a full disk cut short
        return statvfs(disk->path, &room) == 0 && room.f_bavail < 16 ? -ENOSPC : -EIO;
    default:
        return error > 0 ? -error : -EIO;
    }
}

void disk_grow(struct disk *disk)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int fd;

    if (mdb_env_info(disk->env, &info) != 0 || mdb_env_stat(disk->env, &stat) != 0 ||
        mdb_env_get_fd(disk->env, &fd) != 0 || fstat(fd, &file) != 0)
        return;
    uint64_t needed = (info.me_last_pgno + 1) * stat.ms_psize + GROW_BYTES / 2;
    if ((uint64_t)file.st_size >= needed)
        return;
    // Where it fails the next page that is written makes the file longer itself.
    if (ftruncate(fd, (off_t)((needed / GROW_BYTES + 1) * GROW_BYTES)) != 0)
        return;
}

static int make(MDB_txn *txn, MDB_dbi *meta)
{
    MDB_val key = text("format");
    uint32_t format = DISK_FORMAT;
    MDB_val value = {sizeof(format), &format};
    int error = mdb_dbi_open(txn, DISK_MAGIC, MDB_CREATE, meta);

    return error != 0 ? error : mdb_put(txn, *meta, &key, &value, 0);
}

// MDB_INVALID: it is somebody else's. MDB_NOTFOUND: nothing is in it.
static int read_format(MDB_txn *txn, uint32_t *format)
{
    MDB_val key = text("format"), value;
    MDB_dbi meta, main;
    MDB_stat stat;
    int error = mdb_dbi_open(txn, DISK_MAGIC, 0, &meta);

    if (error == 0)
        error = mdb_get(txn, meta, &key, &value);
    else if (error == MDB_NOTFOUND && mdb_dbi_open(txn, NULL, 0, &main) == 0 &&
             mdb_stat(txn, main, &stat) == 0 && stat.ms_entries == 0)
        return MDB_NOTFOUND;
    if (error == 0 && value.mv_size == sizeof(*format)) {
        memcpy(format, value.mv_data, sizeof(*format));
        return 0;
    }
    return error == 0 || error == MDB_NOTFOUND || error == MDB_INCOMPATIBLE ? MDB_INVALID : error;
}

// One step of the format at a time: what a version changes about the one before is written here, as a case.
static int upgrade(MDB_txn *txn, uint32_t from)
{
    (void)txn;
    return from == DISK_FORMAT ? 0 : MDB_VERSION_MISMATCH;
}

static int open_kinds(struct disk *disk)
{
    MDB_txn *txn;
    MDB_dbi meta;
    uint32_t format = DISK_FORMAT;
    int error = mdb_txn_begin(disk->env, NULL, 0, &txn);

    if (error != 0)
        return error;
    error = read_format(txn, &format);
    if (error == MDB_NOTFOUND)
        error = make(txn, &meta);
    if (error == 0)
        error = upgrade(txn, format);
    for (unsigned kind = 1; error == 0 && kind < STORE_KINDS; kind++)
        error = mdb_dbi_open(txn, names[kind], MDB_CREATE, &disk->kinds[kind]);
    if (error == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return error;
}

static int env_make(struct disk *disk, unsigned flags)
{
    int error = mdb_env_create(&disk->env);

    if (error != 0)
        return error;
    error = mdb_env_set_mapsize(disk->env, disk->size_max);
    if (error == 0)
        error = mdb_env_set_maxdbs(disk->env, STORE_KINDS + 1);
    if (error == 0)
        error = mdb_env_set_maxreaders(disk->env, READERS_MAX);
    // A reader's slot belongs to its transaction, not to its thread; unused bytes of pages need no zeros.
    if (error == 0)
        error = mdb_env_open(disk->env, disk->path, flags | MDB_NOTLS | MDB_NOMEMINIT, 0600);
    return error;
}

static void env_unmake(struct disk *disk)
{
    mdb_env_close(disk->env);
    disk->env = NULL;
}

int disk_env_open(struct disk *disk, const char **why)
{
    *why = "open";
    int error = env_make(disk, 0);

    if (error == 0) {
        *why = "write to";
        error = open_kinds(disk);
    }
    if (error != 0)
        env_unmake(disk);
    else
        disk_grow(disk);
    return error;
}

// A file that is there is looked at without a byte of it being changed. 0 or an error of LMDB's.
static int inspect(struct disk *disk)
{
    char file[PATH_MAX + 16];
    struct stat status;
    MDB_txn *txn;
    MDB_envinfo info;
    MDB_stat stat_of;
    uint32_t format = DISK_FORMAT;

    snprintf(file, sizeof(file), "%s/data.mdb", disk->path);
    if (stat(file, &status) != 0 || status.st_size == 0)
        return 0; // it is made
    int error = env_make(disk, MDB_RDONLY | MDB_NOLOCK);

    if (error == 0)
        error = mdb_env_info(disk->env, &info);
    if (error == 0)
        error = mdb_env_stat(disk->env, &stat_of);
    // A file that was cut off ends the process where it is read.
    if (error == 0 && (uint64_t)status.st_size < (info.me_last_pgno + 1) * stat_of.ms_psize)
        error = MDB_CORRUPTED;
    if (error == 0)
        error = mdb_txn_begin(disk->env, NULL, MDB_RDONLY, &txn);
    if (error == 0) {
        error = read_format(txn, &format);
        mdb_txn_abort(txn);
        if (error == MDB_NOTFOUND)
            error = 0;
        else if (error == 0 && format > DISK_FORMAT)
            error = MDB_VERSION_MISMATCH;
    }
    env_unmake(disk);
    return error;
}

static int refuse(const struct disk *disk, int error, const char *why, FILE *errors)
{
    switch (error) {
    case MDB_INVALID:
        fprintf(errors,
                "strowger: %s/data.mdb is not a store of strowger's; it is left as it is: name another "
                "[store] path\n",
                disk->path);
        return -EPROTO;
    case MDB_VERSION_MISMATCH:
        fprintf(errors,
                "strowger: %s/data.mdb was written by a newer strowger; it is left as it is: start that one, "
                "or name "
                "another [store] path\n",
                disk->path);
        return -EPROTO;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        fprintf(errors,
                "strowger: %s/data.mdb is damaged; it is left as it is: put a copy of it back, or move it "
                "away and "
                "begin anew\n",
                disk->path);
        return -EPROTO;
    default:
        fprintf(errors, "strowger: cannot %s the store in %s: %s; see [store] path and size_max\n", why,
                disk->path, mdb_strerror(error));
        return disk_error(disk, error);
    }
}

static int lock_out(struct disk *disk, FILE *errors)
{
    char file[PATH_MAX + 16];

    snprintf(file, sizeof(file), "%s/strowger.lock", disk->path);
    disk->held = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (disk->held < 0)
        return refuse(disk, errno, "lock", errors);
    if (flock(disk->held, LOCK_EX | LOCK_NB) == 0)
        return 0;
    fprintf(errors, "strowger: another process has the store in %s; end it, or name another [store] path\n",
            disk->path);
    return -EBUSY;
}

int store_open(struct store **store, const struct store_setup *setup, FILE *errors)
{
    struct disk *disk = calloc(1, sizeof(*disk));
    const char *why = "open";
    int error;

    if (disk == NULL)
        return -ENOMEM;
    disk->store.backend = &disk_backend;
    disk->held = -1;
    disk->size_max = setup->size_max;
    snprintf(disk->path, sizeof(disk->path), "%s", setup->path);
    pthread_rwlock_init(&disk->lock, NULL);
    if (mkdir(disk->path, 0700) != 0 && errno != EEXIST) {
        error = refuse(disk, errno, "make the folder of", errors);
        goto failed;
    }
    error = lock_out(disk, errors);
    if (error != 0)
        goto failed;
    error = inspect(disk);
    if (error == 0)
        error = disk_env_open(disk, &why);
    if (error != 0) {
        error = refuse(disk, error, why, errors);
        goto failed;
    }
    *store = &disk->store;
    return 0;
failed:
    store_close(&disk->store);
    return error;
}
