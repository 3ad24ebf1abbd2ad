#include "base/slice.h"

// slice_lower of eight bytes at a time: of each byte below 0x80 bit 7 of the sums says whether it is 'A' or above, and
// whether it is above 'Z'.
static uint64_t lower_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t low = word & ~high;
    uint64_t letters = (low + (0x80 - 'A') * ones) & ~(low + (0x7f - 'Z') * ones) & ~word & high;

    return word | letters >> 2;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (; a.len >= 8; a = slice_of(a.at + 8, a.len - 8), b.at += 8) {
        if (lower_word(slice_word(a.at, 8)) != lower_word(slice_word(b.at, 8)))
            return false;
    }
    return lower_word(slice_word(a.at, a.len)) == lower_word(slice_word(b.at, a.len));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && is_space(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.at[s.len - 1]))
        s.len--;
    return s;
}

bool slice_number(struct slice s, uint64_t max, uint64_t *number)
{
    uint64_t value = 0, tenth = max / 10;

    if (s.len == 0)
        return false;
    for (uint32_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.at[i] - '0';
        if (digit > 9 || value > tenth || digit > max - value * 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}
