#include "base/slice.h"

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; i++) {
        if (slice_lower(a.at[i]) != slice_lower(b.at[i]))
            return false;
    }
    return true;
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
