// cursor: reads a slice from left to right with a sticky error.
//
// A parser takes what it expects and looks at the error once, at the end: after the first miss every further take
// fails, moves nothing and gives empty slices. The cursor never reads at or past `end`. One thread, on the stack.
// Errors are the caller's small positive numbers (enum sip_error for SIP); 0 is none.
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>

#include "base/slice.h"

struct cursor {
    const char *at;
    const char *end;
    int error; // 0, or the first error met
};

static inline struct cursor cursor_over(struct slice s)
{
    return (struct cursor){s.at, s.len == 0 ? s.at : s.at + s.len, 0}; // NULL + 0 is undefined
}

static inline bool cursor_fail(struct cursor *c, int error)
{
    if (c->error == 0)
        c->error = error;
    c->at = c->end;
    return false;
}

static inline bool cursor_done(const struct cursor *c)
{
    return c->at >= c->end;
}

static inline uint32_t cursor_left(const struct cursor *c)
{
    return (uint32_t)(c->end - c->at);
}

// The next byte without taking it, or -1 at the end.
static inline int cursor_peek(const struct cursor *c)
{
    return c->at < c->end ? (unsigned char)*c->at : -1;
}

// Takes `byte` if it is next; false and nothing moved when it is not (which is no error).
static inline bool cursor_skip(struct cursor *c, char byte)
{
    if (c->at >= c->end || *c->at != byte)
        return false;
    c->at++;
    return true;
}

// Takes `byte` or fails with `error`.
static inline bool cursor_expect(struct cursor *c, char byte, int error)
{
    return cursor_skip(c, byte) || cursor_fail(c, error);
}

// Takes all decimal digits at the cursor. Their number, at most `limit` + 1, which stands for all that is more; 0 and
// nothing moved when there is none. `limit` is below 2**59.
static inline uint64_t cursor_take_number(struct cursor *c, uint64_t limit)
{
    const char *at = c->at, *end = c->end;
    uint64_t number = 0;

    if (end - at >= 8) {
        // Eight at once: which of them is no digit has its top bit set here, and those from the first of them on go.
        uint64_t digits = slice_word(at, 8) ^ 0x3030303030303030;
        uint64_t others = (digits + 0x7676767676767676) | digits;
        others &= 0x8080808080808080;
        unsigned n = others != 0 ? (unsigned)__builtin_ctzll(others) / 8 : 8;
        if (n == 0)
            return 0;
        digits <<= 64 - 8 * n;
        // Neighbours make numbers below 100, these then all four's sum by their weights, in the upper half.
        digits = digits * 10 + (digits >> 8);
        number = ((digits & 0x000000ff000000ff) * (100 + (1000000ull << 32)) +
                  (digits >> 16 & 0x000000ff000000ff) * (1 + (10000ull << 32))) >>
                 32;
        at += n;
        if (n < 8)
            end = at;
    }
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        if (number <= limit)
            number = number * 10 + (uint64_t)(*at - '0');
    }
    c->at = at;
    return number <= limit ? number : limit + 1;
}

// A table of 256 flags for the classes of bytes a grammar knows; see sip/token.h.
struct cursor_class {
    uint8_t member[256];
};

// The longest run of bytes with any of the bits of `mask` set in `class`; may be empty.
static inline struct slice cursor_take(struct cursor *c, const struct cursor_class *class, uint8_t mask)
{
    const char *from = c->at;

    while (c->at < c->end && (class->member[(unsigned char)*c->at] & mask))
        c->at++;
    return slice_of(from, (size_t)(c->at - from));
}

#endif
