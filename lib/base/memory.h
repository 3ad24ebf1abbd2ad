// memory: where the tables' memory comes from.
//
// Tables take their memory once, at start, through this pair of functions, so that they need no EAL in tests and so
// that a test can make any one allocation fail. Control thread only; nothing on a worker allocates.
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define MEMORY_ANY_NODE (-1)
#define MEMORY_LINE     64 // bytes of a cache line

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

// Several arrays in one block, each of which begins a cache line. Where the next one begins, of `n` elements of `size`
// bytes; `bytes` is what the block takes so far, from 0. In the end MEMORY_LINE comes on top, for memory_begin.
static inline size_t memory_place(size_t *bytes, uint64_t n, size_t size)
{
    size_t at = (*bytes + MEMORY_LINE - 1) & ~(size_t)(MEMORY_LINE - 1);

    *bytes = at + n * size;
    return at;
}

// What those places count from: what is taken may be less aligned than cache lines ask for.
static inline char *memory_begin(void *block)
{
    return (char *)block + (-(uintptr_t)block & (MEMORY_LINE - 1));
}

// The smallest power of two that is no smaller; `least` is at most 2**31. For what is found by a mask.
static inline uint32_t memory_power_of_two(uint64_t least)
{
    uint32_t power = 1;

    while (power < least)
        power *= 2;
    return power;
}

#endif
