// memory: where the tables' memory comes from.
//
// Tables take their memory once, at start, through this pair of functions, so that they need no EAL in tests and so
// that a test can make any one allocation fail. Control thread only; nothing on a worker allocates.
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

#define MEMORY_ANY_NODE (-1)

struct memory {
    // Zeroed memory of `bytes`, on NUMA node `node` or anywhere (MEMORY_ANY_NODE); NULL when there is none.
    void *(*take)(void *owner, size_t bytes, int node);
    // Gives back what take() gave, with the same size. NULL is allowed and does nothing.
    void (*give)(void *owner, void *at, size_t bytes);
    void *owner; // passed to both
};

// From the kernel: mmap on huge pages when some are free, else ordinary pages with transparent huge pages asked for.
// Pages appear on first touch, so a table that is configured large and used little costs little.
extern const struct memory memory_system;

#endif
