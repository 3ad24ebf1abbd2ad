#include "conf/arena.h"

#include <stdalign.h>
#include <stdlib.h>

struct conf_arena_piece {
    struct conf_arena_piece *next;
    alignas(max_align_t) char bytes[];
};

void *conf_arena_take(struct conf_arena *arena, size_t bytes)
{
    struct conf_arena_piece *piece = calloc(1, sizeof(*piece) + bytes);

    if (piece == NULL) {
        arena->failed = true;
        return NULL;
    }
    piece->next = arena->pieces;
    arena->pieces = piece;
    return piece->bytes;
}

char *conf_arena_copy(struct conf_arena *arena, struct slice text)
{
    char *copy = conf_arena_take(arena, (size_t)text.len + 1);

    if (copy != NULL && text.len > 0)
        memcpy(copy, text.at, text.len);
    return copy;
}

void conf_arena_free(struct conf_arena *arena)
{
    while (arena->pieces != NULL) {
        struct conf_arena_piece *piece = arena->pieces;
        arena->pieces = piece->next;
        free(piece);
    }
}
