// arena: the memory of one shard's records.
//
// Pages of 64 KiB out of one block; a page serves one size class at a time (32-byte steps to 512, then four steps a
// doubling, so at most a quarter of a large record is rounding). A page whose last record is given back returns to
// the pool of pages, where every class finds it. Sparse pages can be evacuated: location/compact.c moves their
// records into other pages of the class, so that at rest a class never holds more unused memory than one page,
// whatever sizes came and went before.
// A record is named by a 32-bit reference in units of 32 bytes plus one; 0 is none. So a shard has up to 128 GiB.
// Owner worker only, all O(1); readers use location_arena_at alone.
#ifndef LOCATION_ARENA_H
#define LOCATION_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOCATION_UNIT         32
#define LOCATION_PAGE         ((size_t)64 << 10)
#define LOCATION_UNITS_A_PAGE (LOCATION_PAGE / LOCATION_UNIT)
#define LOCATION_CLASSES      34
#define LOCATION_PAGES_MAX    ((uint32_t)(UINT32_MAX / LOCATION_UNITS_A_PAGE))
#define LOCATION_PAGES_RESERVE \
    8 // compaction keeps that many pages in the pool, so that any class can grow at once

struct location_page {
    uint32_t next, prev; // in the pool or in its class's list of pages with room: page number + 1; 0: none
    uint32_t given;      // chain of the records that were given back; a reference
    uint16_t carved;     // records ever handed out: behind them the page is untouched
    uint16_t used;
    uint8_t class;
    bool leaving; // under evacuation: gives no records
};

struct location_class {
    uint32_t room;   // list of the pages that have records to give
    uint32_t size;   // bytes of a record
    uint32_t a_page; // records in a page
    uint64_t spare;  // records to be had from the pages with room
};

struct location_arena {
    char *records;
    struct location_page *pages;
    uint32_t pages_n;
    uint32_t pool, pool_n;
    uint32_t leaving_n;
    uint64_t bytes; // in records, their rounding included
    struct location_class classes[LOCATION_CLASSES];
};

// `pages` is zeroed and has `n` elements, `records` n * LOCATION_PAGE bytes, aligned to LOCATION_UNIT.
void location_arena_init(struct location_arena *arena, char *records, struct location_page *pages,
                         uint32_t n);

static inline void *location_arena_at(const char *records, uint32_t reference)
{
    return (void *)(uintptr_t)(records + (size_t)(reference - 1) * LOCATION_UNIT);
}

static inline uint32_t location_arena_page(uint32_t reference)
{
    return (uint32_t)((reference - 1) / LOCATION_UNITS_A_PAGE);
}

// A record of at least `size` bytes, 1 to LOCATION_SET_MAX, or 0. With `grow` a class without room opens a page of
// the pool.
uint32_t location_arena_take(struct location_arena *arena, size_t size, bool grow);

// No reader may hold the record any more.
void location_arena_give(struct location_arena *arena, uint32_t reference);

// The bytes that a record of `size` bytes really takes.
size_t location_arena_rounded(size_t size);

// Chooses a page whose records fit into the other pages of its class and stops giving records from it. Returns its
// number + 1, or 0 when no class has a page's worth to spare or the pool is full enough.
uint32_t location_arena_leave(struct location_arena *arena);

// The page's evacuation did not come to its end: it gives records again.
void location_arena_stay(struct location_arena *arena, uint32_t page);

#endif
