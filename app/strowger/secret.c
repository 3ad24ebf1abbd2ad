#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(struct hash_key) == SECRET_BYTES, "a key is the file's bytes");

static int fail(const char *path, int error, const char *remedy, FILE *errors)
{
    fprintf(errors, "strowger: [store] secret_file %s: %s; %s\n", path, strerror(-error), remedy);
    return error;
}

static int read_key(const char *path, int file, struct hash_key *key, FILE *errors)
{
    char bytes[SECRET_BYTES + 1]; // one more than there should be
    struct stat stat;

    if (fstat(file, &stat) != 0)
        return fail(path, -errno, "see what is wrong with its disk", errors);
    if (!S_ISREG(stat.st_mode))
        return fail(path, -EINVAL, "a file is wanted, of 16 random bytes", errors);
    if ((stat.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(path, -EACCES, "others may read it, and forge what it signs: chmod 600", errors);
    ssize_t n = read(file, bytes, sizeof(bytes));
    if (n < 0)
        return fail(path, -errno, "see what is wrong with its disk", errors);
    if (n != SECRET_BYTES)
        return fail(path, -EINVAL,
                    "it is not 16 bytes long: restore it, or remove it and lose the dialogs in progress",
                    errors);
    memcpy(key, bytes, SECRET_BYTES);
    return 0;
}

static int draw(struct hash_key *key)
{
    return getrandom(key, sizeof(*key), 0) == sizeof(*key) ? 0 : -EIO;
}

// Whole and on the disk, or not at all.
static int write_key(int file)
{
    struct hash_key key;
    int error = draw(&key);

    if (error != 0)
        return error;
    ssize_t n = write(file, &key, sizeof(key));
    if (n != sizeof(key))
        return n < 0 ? -errno : -ENOSPC;
    return fsync(file) == 0 ? 0 : -errno;
}

static int sync_directory(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return -errno;
    int error = fsync(directory) == 0 ? 0 : -errno;
    close(directory);
    return error;
}

// Written beside it and then given its name: who reads it finds all of it, and of two that make it one wins.
static int make_in(const char *directory, const char *path)
{
    char *beside = NULL;
    int error;

    if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST)
        return -errno;
    if (asprintf(&beside, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    int file = mkostemp(beside, O_CLOEXEC); // mode 0600
    if (file < 0) {
        error = -errno;
        goto free_name;
    }
    error = write_key(file);
    close(file);
    if (error == 0 && link(beside, path) != 0 && errno != EEXIST)
        error = -errno;
    unlink(beside);
    if (error == 0)
        error = sync_directory(directory);
free_name:
    free(beside);
    return error;
}

static int make(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash == NULL   ? strdup(".")
                      : slash == path ? strdup("/")
                                      : strndup(path, (size_t)(slash - path));
    int error = directory != NULL ? make_in(directory, path) : -ENOMEM;

    free(directory);
    return error;
}

int secret_get(const char *path, struct hash_key *key, FILE *errors)
{
    int error;

    if (path == NULL) {
        error = draw(key);
        if (error != 0)
            fprintf(errors, "strowger: no random key from the kernel: %s\n", strerror(-error));
        return error;
    }
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) {
        error = make(path);
        if (error != 0)
            return fail(path, error, "it is to be made there: see that its directory can be written to",
                        errors);
        file = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (file < 0)
        return fail(path, -errno, "see that it can be read", errors);
    error = read_key(path, file, key, errors);
    close(file);
    return error;
}
