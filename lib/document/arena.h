// document/arena: the memory that expat has for one document.
//
// Taken from front to back, given back all at once: no document leaves anything behind for the next, and one that needs
// more than there is fails. The room's own; an arena is for one thread.
//
// Expat asks for memory without saying for whom. So each arena has a number, and functions of its own for expat, which
// find it by that number in the one table of this house that is not const: control enters an arena before its worker
// runs, and takes it out after.
#ifndef DOCUMENT_ARENA_H
#define DOCUMENT_ARENA_H

#include <expat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCUMENT_ARENA_BYTES (384 * 1024)
#define DOCUMENT_ARENAS_MAX  64

struct document_arena {
    uint32_t used; // bytes
    uint32_t last; // where the newest piece begins
    const XML_Memory_Handling_Suite *suite;
    _Alignas(16) char bytes[DOCUMENT_ARENA_BYTES];
};

// Control. Gives the arena its suite. False when there are DOCUMENT_ARENAS_MAX.
bool document_arena_enter(struct document_arena *arena);
void document_arena_leave(struct document_arena *arena);

static inline void document_arena_clear(struct document_arena *arena)
{
    arena->used = arena->last = 0;
}

#endif
