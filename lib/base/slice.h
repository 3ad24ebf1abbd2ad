// slice: bytes that somebody else owns.
//
// A slice is a pointer and a length over memory that outlives it (mostly a packet); it owns nothing and is not
// NUL-terminated. Any thread may use its own slices. Comparisons cost one memcmp or one byte loop.
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *at;
    uint32_t len; // bytes
};

// The slice of a string literal.
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

// For printf("%.*s").
#define SLICE_PRINT(s) (int)(s).len, (s).at

static inline struct slice slice_of(const char *at, size_t len)
{
    return (struct slice){at, (uint32_t)len};
}

static inline struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

// ASCII only: RFC 3261's case-insensitive tokens are ASCII (RFC 3261 7.3.1).
static inline char slice_lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

bool slice_equal_nocase(struct slice a, struct slice b);

// Up to 8 bytes as a number. With a constant `len` it is one or two loads.
static inline uint64_t slice_word(const char *at, size_t len)
{
    uint64_t word = 0;
    uint32_t first, last;

    if (len == 8) {
        memcpy(&word, at, 8);
    } else if (len >= 4) {
        memcpy(&first, at, 4);
        memcpy(&last, at + len - 4, 4);
        word = first | (uint64_t)last << (8 * (len - 4));
    } else {
        for (size_t i = 0; i < len; i++)
            word |= (uint64_t)(uint8_t)at[i] << (8 * i);
    }
    return word;
}

static inline bool slice_same_word(const char *at, const char *lower, size_t len)
{
    uint64_t word = slice_word(lower, len);
    uint64_t letters = word >> 1 & 0x2020202020202020u; // bit 0x20 of every byte that has bit 0x40

    return (slice_word(at, len) | letters) == word;
}

static inline bool slice_is_lower(struct slice s, const char *lower, size_t len)
{
    if (s.len != len)
        return false;
    for (; len > 8; len -= 8, s.at += 8, lower += 8) {
        if (!slice_same_word(s.at, lower, 8))
            return false;
    }
    return slice_same_word(s.at, lower, len);
}

// Equal, in any case, to a string literal that is written in lower case and has no byte of @[\]^_ in it. A few
// instructions, where slice_equal_nocase takes some per byte.
#define SLICE_IS(s, literal) slice_is_lower((s), (literal), sizeof(literal) - 1)

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.at, prefix.at, prefix.len) == 0);
}

// Position of the first `c`, or s.len when there is none.
static inline uint32_t slice_find(struct slice s, char c)
{
    const char *hit = s.len == 0 ? NULL : memchr(s.at, c, s.len);
    return hit == NULL ? s.len : (uint32_t)(hit - s.at);
}

// Without the SP, HTAB, CR and LF at both ends.
struct slice slice_trim(struct slice s);

// The whole slice as a decimal number of at most `max`; false when empty, when anything but digits is in it, or
// when the number is larger.
bool slice_number(struct slice s, uint64_t max, uint64_t *number);

#endif
