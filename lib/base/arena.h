// arena: memory for one worker's records of many sizes.
//
// Pages of 64 KiB out of one block; a page serves one size class at a time (32-byte steps to 512, then four steps a
// doubling, so at most a quarter of a large record is rounding). A page whose last record is given back returns to
// the pool of pages, where every class finds it. Sparse pages can be evacuated: who owns the records moves them into
// other pages of the class, so that at rest a class never holds more unused memory than one page, whatever sizes came
// and went before.
// A record is named by a 32-bit reference in units of 32 bytes plus one; 0 is none. So an arena has up to 128 GiB.
// Owner worker only, all O(1); readers use arena_at alone.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_UNIT         32
#define ARENA_PAGE         ((size_t)64 << 10)
#define ARENA_UNITS_A_PAGE (ARENA_PAGE / ARENA_UNIT)
#define ARENA_CLASSES      43
#define ARENA_PAGES_MAX    ((uint32_t)(UINT32_MAX / ARENA_UNITS_A_PAGE))
#define ARENA_PAGES_RESERVE \
    8 // compaction keeps that many pages in the pool, so that any class can grow at once

struct arena_page {
    uint32_t next, prev; // in the pool or in its class's list of pages with room: page number + 1; 0: none
    uint32_t given;      // chain of the records that were given back; a reference
    uint16_t carved;     // records ever handed out: behind them the page is untouched
    uint16_t used;
    uint8_t class;
    bool leaving; // under evacuation: gives no records
};

struct arena_class {
    uint32_t room;   // list of the pages that have records to give
    uint32_t size;   // bytes of a record
    uint32_t a_page; // records in a page
    uint64_t spare;  // records to be had from the pages with room
};

struct arena {
    char *records;
    struct arena_page *pages;
    uint32_t pages_n;
    uint32_t classes_n; // in use
    uint32_t pool, pool_n;
    uint32_t leaving_n;
    uint64_t bytes; // in records, their rounding included
    struct arena_class classes[ARENA_CLASSES];
};

// How many classes there are for records of up to `largest` bytes, at most ARENA_PAGE. Each may hold one page that
// nobody else can use, so that many and ARENA_PAGES_RESERVE come on top of what the records need.
unsigned arena_classes(size_t largest);

// `pages` is zeroed and has `n` elements, `records` n * ARENA_PAGE bytes, aligned to ARENA_UNIT.
void arena_init(struct arena *arena, char *records, struct arena_page *pages, uint32_t n, size_t largest);

static inline void *arena_at(const char *records, uint32_t reference)
{
    return (void *)(uintptr_t)(records + (size_t)(reference - 1) * ARENA_UNIT);
}

static inline uint32_t arena_page(uint32_t reference)
{
    return (uint32_t)((reference - 1) / ARENA_UNITS_A_PAGE);
}

// A record of at least `size` bytes, 1 to `largest`, or 0. With `grow` a class without room opens a page of
// the pool.
uint32_t arena_take(struct arena *arena, size_t size, bool grow);

// No reader may hold the record any more.
void arena_give(struct arena *arena, uint32_t reference);

// The bytes that a record of `size` bytes really takes.
size_t arena_rounded(size_t size);

// Chooses a page whose records fit into the other pages of its class and stops giving records from it. Returns its
// number + 1, or 0 when no class has a page's worth to spare or the pool is full enough.
uint32_t arena_leave(struct arena *arena);

// The page's evacuation did not come to its end: it gives records again.
void arena_stay(struct arena *arena, uint32_t page);

#endif
