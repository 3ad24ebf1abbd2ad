// arena: many small allocations that are freed in one go.
//
// A failed allocation is remembered in `failed`, so that a reader that builds a large structure looks once, at its
// end. Everything is zeroed. One thread. Cost: one calloc each, so that tools see overruns of every single piece.
#ifndef CONF_ARENA_H
#define CONF_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct conf_arena {
    struct conf_arena_piece *pieces;
    bool failed; // an allocation failed since the start
};

// Zeroed bytes, or NULL.
void *conf_arena_take(struct conf_arena *arena, size_t bytes);

// A NUL-terminated copy, or NULL.
char *conf_arena_copy(struct conf_arena *arena, struct slice text);

void conf_arena_free(struct conf_arena *arena);

#endif
