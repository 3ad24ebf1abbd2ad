// uri_parts: what stands between ";" in a URI's parameters and between "&" in its headers, and escapes.
//
// Inside of the room: uri.c, uri_equal.c and uri_aor.c share it. Any thread.
#ifndef SIP_URI_PARTS_H
#define SIP_URI_PARTS_H

#include "base/cursor.h"

struct sip_uri_part {
    struct slice name;
    struct slice value; // at == NULL: no "="
};

// The next part with a name of a list that sip_uri_parse has accepted; `separator` is ';' or '&'. False at the end.
bool sip_uri_part_next(struct cursor *c, char separator, struct sip_uri_part *part);

#define SIP_ESCAPE_LEN 3 // "%" HEX HEX

static inline int sip_hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    char lower = slice_lower(digit);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte that the escape at `at` stands for, whose "%" was seen; -1 when it is none.
static inline int sip_escape_value(const char *at, const char *end)
{
    if (end - at < SIP_ESCAPE_LEN)
        return -1;
    int high = sip_hex_value(at[1]), low = sip_hex_value(at[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

// RFC 3966 3: visual-separator
static inline bool sip_phone_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')';
}

#endif
