#include "sip/host.h"
#include "sip/uri.h"
#include "sip/uri_parts.h"

// One character of a component: its byte, and whether an escape of a reserved character stood for it, which is not
// the same as that character (RFC 3261 19.1.4, RFC 2396 2.2).
#define ESCAPED 0x100

static int next_character(struct cursor *c)
{
    static const char reserved[] = ";/?:@&=+$,";
    const char *at = c->at++;

    if (*at != '%')
        return (unsigned char)*at;
    int byte = sip_escape_value(at, c->end);
    if (byte < 0)
        return '%';
    c->at = at + SIP_ESCAPE_LEN;
    return memchr(reserved, byte, sizeof(reserved) - 1) != NULL ? byte | ESCAPED : byte;
}

static int lower(int character)
{
    return character >= 'A' && character <= 'Z' ? character | 0x20 : character;
}

static bool equal_text(struct slice a, struct slice b, bool nocase)
{
    struct cursor left = cursor_over(a), right = cursor_over(b);

    if ((a.at == NULL) != (b.at == NULL))
        return false;
    if (slice_equal(a, b))
        return true;
    while (!cursor_done(&left) && !cursor_done(&right)) {
        int x = next_character(&left), y = next_character(&right);
        if (x != y && (!nocase || lower(x) != lower(y)))
            return false;
    }
    return cursor_done(&left) && cursor_done(&right);
}

static bool equal_host(struct slice a, struct slice b)
{
    struct endpoint x, y;

    if (slice_equal_nocase(a, b))
        return true;
    return sip_host_endpoint(a, &x) && sip_host_endpoint(b, &y) && endpoint_same_address(&x, &y);
}

// Phone digits without their visual separators, in any case (RFC 3966 4).
static bool equal_number(struct slice a, struct slice b)
{
    uint32_t i = 0, j = 0;

    for (;;) {
        while (i < a.len && sip_phone_separator(a.at[i]))
            i++;
        while (j < b.len && sip_phone_separator(b.at[j]))
            j++;
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (slice_lower(a.at[i++]) != slice_lower(b.at[j++]))
            return false;
    }
}

// Parameters or headers, in the order they stand in.
struct parts {
    unsigned n;
    struct sip_uri_part part[SIP_URI_PARTS_MAX];
};

static const struct sip_uri_part *find_part(const struct parts *parts, struct slice name)
{
    for (unsigned i = 0; i < parts->n; i++) {
        if (equal_text(parts->part[i].name, name, true))
            return &parts->part[i];
    }
    return NULL;
}

// False when there are too many. `once`: a name that was there already is left out.
static bool split(struct slice text, char separator, bool once, struct parts *parts)
{
    struct cursor c = cursor_over(text);
    struct sip_uri_part part;
    unsigned seen = 0;

    parts->n = 0;
    while (sip_uri_part_next(&c, separator, &part)) {
        if (seen++ == SIP_URI_PARTS_MAX)
            return false;
        if (!once || find_part(parts, part.name) == NULL)
            parts->part[parts->n++] = part;
    }
    return true;
}

// A parameter that says no when it is in one URI only. transport is not in 19.1.4's list, but in its text (a URI
// that omits it does not match one with the default) and in its examples.
static bool sip_param_decides(struct slice name)
{
    static const char *const names[] = {"user", "ttl", "method", "maddr", "transport"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (equal_text(name, slice_text(names[i]), true))
            return true;
    }
    return false;
}

static bool sip_param_equal(const struct sip_uri_part *a, const struct sip_uri_part *b)
{
    // Methods are case-sensitive (RFC 3261 7.1), other parameters are not (19.1.4).
    return equal_text(a->value, b->value, !equal_text(a->name, SLICE("method"), true));
}

static bool sip_params_match(const struct parts *a, const struct parts *b)
{
    for (unsigned i = 0; i < a->n; i++) {
        const struct sip_uri_part *other = find_part(b, a->part[i].name);
        if (other == NULL ? sip_param_decides(a->part[i].name) : !sip_param_equal(&a->part[i], other))
            return false;
    }
    return true;
}

static bool tel_param_equal(const struct sip_uri_part *a, const struct sip_uri_part *b)
{
    bool plus = a->value.len > 0 && a->value.at[0] == '+' && b->value.len > 0 && b->value.at[0] == '+';

    // A phone-context is a number or a domain name, in which the same bytes separate nothing (RFC 3966 3).
    if (SLICE_IS(a->name, "ext") || (SLICE_IS(a->name, "phone-context") && plus))
        return equal_number(a->value, b->value) && (a->value.at == NULL) == (b->value.at == NULL);
    return equal_text(a->value, b->value, true);
}

// RFC 3966 4: a parameter in one URI only makes them different.
static bool tel_params_match(const struct parts *a, const struct parts *b)
{
    for (unsigned i = 0; i < a->n; i++) {
        const struct sip_uri_part *other = find_part(b, a->part[i].name);
        if (other == NULL || !tel_param_equal(&a->part[i], other))
            return false;
    }
    return a->n == b->n;
}

// The k-th header of a name in one URI belongs to the k-th of that name in the other; no header may be left over.
static bool headers_match(const struct parts *a, const struct parts *b)
{
    unsigned used = 0;

    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++) {
        unsigned j = 0;
        while (j < b->n && ((used >> j & 1) || !equal_text(a->part[i].name, b->part[j].name, true)))
            j++;
        if (j == b->n || !equal_text(a->part[i].value, b->part[j].value, true))
            return false;
        used |= 1u << j;
    }
    return true;
}

static bool equal_params(const struct sip_uri *a, const struct sip_uri *b, bool tel)
{
    struct parts x, y;

    if (slice_equal(a->params, b->params))
        return true;
    if (!split(a->params, ';', true, &x) || !split(b->params, ';', true, &y))
        return false;
    if (tel)
        return tel_params_match(&x, &y);
    return sip_params_match(&x, &y) && sip_params_match(&y, &x);
}

static bool equal_headers(const struct sip_uri *a, const struct sip_uri *b)
{
    struct parts x, y;

    if (slice_equal(a->headers, b->headers))
        return true;
    return split(a->headers, '&', false, &x) && split(b->headers, '&', false, &y) && headers_match(&x, &y);
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
    if (a->scheme != b->scheme)
        return false;
    if (slice_equal(a->text, b->text))
        return true;
    if (a->scheme == SIP_SCHEME_TEL)
        return equal_number(a->user, b->user) && equal_params(a, b, true);
    if (a->scheme == SIP_SCHEME_OTHER)
        return slice_equal_nocase(a->scheme_text, b->scheme_text) && a->text.len == b->text.len &&
               memcmp(a->text.at + a->scheme_text.len, b->text.at + b->scheme_text.len,
                      a->text.len - a->scheme_text.len) == 0;
    return equal_text(a->user, b->user, false) && equal_text(a->password, b->password, false) &&
           equal_host(a->host, b->host) && a->port == b->port && equal_params(a, b, false) &&
           equal_headers(a, b);
}
