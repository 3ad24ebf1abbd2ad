#include "document/arena.h"

#include <string.h>

#define HEAD 16 // bytes before each piece, of which the first tell its size

static struct document_arena *arenas[DOCUMENT_ARENAS_MAX]; // control: rw at start and end, workers: ro

static bool fits(uint32_t at, size_t bytes)
{
    return bytes <= DOCUMENT_ARENA_BYTES - HEAD - 16 && at <= DOCUMENT_ARENA_BYTES - HEAD - 16 - bytes;
}

static void *put(struct document_arena *arena, uint32_t at, size_t bytes)
{
    uint32_t size = (uint32_t)bytes;

    if (!fits(at, bytes))
        return NULL;
    memcpy(arena->bytes + at, &size, sizeof(size));
    arena->last = at;
    arena->used = at + HEAD + ((size + 15) & ~15u);
    return arena->bytes + at + HEAD;
}

static void *grow(struct document_arena *arena, void *at, size_t bytes)
{
    uint32_t size;

    if (at == NULL)
        return put(arena, arena->used, bytes);
    // The newest grows where it is.
    if ((char *)at == arena->bytes + arena->last + HEAD)
        return put(arena, arena->last, bytes);
    memcpy(&size, (char *)at - HEAD, sizeof(size));
    void *to = put(arena, arena->used, bytes);
    if (to != NULL)
        memcpy(to, at, bytes < size ? bytes : size);
    return to;
}

static void keep(void *at)
{
    (void)at; // all goes at once
}

// Two octal digits make a number, and that number's functions.
#define PAIR(n)                                              \
    static void *take_##n(size_t bytes)                      \
    {                                                        \
        return put(arenas[0##n], arenas[0##n]->used, bytes); \
    }                                                        \
    static void *grow_##n(void *at, size_t bytes)            \
    {                                                        \
        return grow(arenas[0##n], at, bytes);                \
    }
#define SUITE(n)      {take_##n, grow_##n, keep},
#define EIGHT(one, n) one(n##0) one(n##1) one(n##2) one(n##3) one(n##4) one(n##5) one(n##6) one(n##7)
#define ALL(one)  \
    EIGHT(one, 0) \
    EIGHT(one, 1) EIGHT(one, 2) EIGHT(one, 3) EIGHT(one, 4) EIGHT(one, 5) EIGHT(one, 6) EIGHT(one, 7)

ALL(PAIR)

static const XML_Memory_Handling_Suite suites[DOCUMENT_ARENAS_MAX] = {ALL(SUITE)};

bool document_arena_enter(struct document_arena *arena)
{
    for (unsigned i = 0; i < DOCUMENT_ARENAS_MAX; i++) {
        if (arenas[i] != NULL)
            continue;
        arenas[i] = arena;
        arena->suite = &suites[i];
        return true;
    }
    return false;
}

void document_arena_leave(struct document_arena *arena)
{
    arenas[arena->suite - suites] = NULL;
}
