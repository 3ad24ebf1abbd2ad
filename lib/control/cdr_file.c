#include "control/cdr_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int control_cdr_file_open(struct control_cdr_file *file)
{
    struct stat status;
    // O_NONBLOCK for whoever names a pipe.
    int fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    file->fd = fd;
    file->regular = S_ISREG(status.st_mode);
    file->size = file->regular ? (uint64_t)status.st_size : 0;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    return 0;
}

void control_cdr_file_close(struct control_cdr_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

ssize_t control_cdr_file_append(struct control_cdr_file *file, const char *bytes, size_t len)
{
    ssize_t n;

    do {
        n = write(file->fd, bytes, len);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    file->size += (uint64_t)n;
    return n;
}

// "FILE.3", or FILE itself for 0. False: too long for a path.
static bool old_path(const struct control_cdr_file *file, unsigned number, char path[PATH_MAX])
{
    int len = number == 0 ? snprintf(path, PATH_MAX, "%s", file->path)
                          : snprintf(path, PATH_MAX, "%s.%u", file->path, number);

    return len < PATH_MAX;
}

int control_cdr_file_rotate(struct control_cdr_file *file)
{
    char from[PATH_MAX], to[PATH_MAX];

    for (unsigned number = file->files; number-- > 0;) {
        if (!old_path(file, number, from) || !old_path(file, number + 1, to))
            return -ENAMETOOLONG;
        if (rename(from, to) < 0 && errno != ENOENT)
            return -errno;
    }
    struct control_cdr_file old = *file;
    int error = control_cdr_file_open(file);

    if (error == 0)
        control_cdr_file_close(&old);
    return error;
}

bool control_cdr_file_moved(struct control_cdr_file *file)
{
    struct stat status;

    if (stat(file->path, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR;
    if (status.st_dev != file->device || status.st_ino != file->inode)
        return true;
    if (file->regular)
        file->size = (uint64_t)status.st_size;
    return false;
}
