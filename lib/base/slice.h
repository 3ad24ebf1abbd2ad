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
