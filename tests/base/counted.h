// counted: memory for tables that counts what is outstanding, and of which any one piece can be missing.
#ifndef TESTS_BASE_COUNTED_H
#define TESTS_BASE_COUNTED_H

#include "base/memory.h"

struct counted {
    unsigned taken;  // calls of take
    unsigned fail;   // the call that gets nothing, from 1; 0: none
    size_t bytes;    // outstanding
    unsigned pieces; // outstanding
    int nodes[8];    // asked for, by call
};

// Pieces that are aligned to 16 bytes and no more: whoever asks for cache lines sees to that himself.
struct memory counted_memory(struct counted *counted);

// Pieces that are aligned to cache lines, as those of the kernel are.
struct memory counted_lines(struct counted *counted);

#endif
