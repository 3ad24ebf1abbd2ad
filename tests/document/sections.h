// sections: a case as a file: lines `== NAME ARGUMENT`, each with what stands under it.
#ifndef TESTS_SECTIONS_H
#define TESTS_SECTIONS_H

#include "base/slice.h"

#define SECTIONS_MAX 24

struct section {
    struct slice name, argument, body;
};

struct sections {
    struct section section[SECTIONS_MAX];
    unsigned count;
    char bytes[65536];
};

// What stands before the first section is a comment. False when the file cannot be read or is too large.
bool sections_load(struct sections *sections, const char *path);

// The paths of the files *.case of a directory in order; their number. Each fits 512 bytes.
unsigned sections_list(const char *directory, char (*paths)[512], unsigned max);

#endif
