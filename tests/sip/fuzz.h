// fuzz: what the fuzz targets share. Each target is one function over bytes that aborts when a promise of the room is
// broken; libFuzzer feeds it (-Dfuzz=true), and fuzz_replay.c runs the corpus through it as an ordinary test.
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define FUZZ_CHECK(holds)                                                              \
    do {                                                                               \
        if (!(holds)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                                   \
        }                                                                              \
    } while (0)

// `part` is empty and nowhere, or lies in `whole`.
static inline bool fuzz_inside(struct slice whole, struct slice part)
{
    if (part.at == NULL)
        return part.len == 0;
    return part.at >= whole.at && part.at <= whole.at + whole.len &&
           part.len <= (size_t)(whole.at + whole.len - part.at);
}

// Numbers that depend on the input alone, so that a finding can be repeated.
struct fuzz_dice {
    uint64_t state;
};

static inline struct fuzz_dice fuzz_dice_of(struct slice input)
{
    uint64_t state = 0xcbf29ce484222325;

    for (uint32_t i = 0; i < input.len; i++)
        state = (state ^ (uint8_t)input.at[i]) * 0x100000001b3;
    return (struct fuzz_dice){state | 1};
}

// 0 to limit - 1; limit is not 0.
static inline unsigned fuzz_throw(struct fuzz_dice *dice, unsigned limit)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (unsigned)((dice->state >> 32) % limit);
}

#endif
