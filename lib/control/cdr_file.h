// cdr_file: a file that is appended to and rotated. Internal to control/cdr.c; control thread only.
#ifndef CONTROL_CDR_FILE_H
#define CONTROL_CDR_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct control_cdr_file {
    char path[PATH_MAX];
    int fd;             // -1: not open
    bool regular;       // only a regular file is rotated
    uint64_t size;      // bytes
    uint64_t rotate_at; // bytes
    unsigned files;     // old ones that stay
    dev_t device;
    ino_t inode;
};

// Opens what `file->path` names, made where it is missing. 0 or -errno.
int control_cdr_file_open(struct control_cdr_file *file);
void control_cdr_file_close(struct control_cdr_file *file);

// Bytes written, perhaps fewer than asked for, or -errno.
ssize_t control_cdr_file_append(struct control_cdr_file *file, const char *bytes, size_t len);

// FILE becomes FILE.1 and so on, and an empty one is opened. 0; or -errno, and the old one stays open.
int control_cdr_file_rotate(struct control_cdr_file *file);

// The path leads to another file than the one that is open, or nowhere. Learns the size again, too.
bool control_cdr_file_moved(struct control_cdr_file *file);

#endif
