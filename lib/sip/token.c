#include "sip/token.h"

// Where a fold that begins at `at` (CRLF, CR or LF) ends, or `at` when no white space follows, so that it is none.
static const char *fold_end(const char *at, const char *end)
{
    const char *next = at + 1;

    if (*at == '\r' && next < end && *next == '\n')
        next++;
    return next < end && (*next == ' ' || *next == '\t') ? next + 1 : at;
}

const char *sip_space_end(const char *at, const char *end)
{
    while (at < end) {
        const char *from = at;

        if (*at == ' ' || *at == '\t')
            at++;
        else if (*at == '\r' || *at == '\n')
            at = fold_end(at, end);
        if (at == from)
            break;
    }
    return at;
}

// The end of a quoted-pair, whose backslash is at `at`, or `at` when it is none: CR and LF cannot be escaped.
static const char *pair_end(const char *at, const char *end)
{
    return end - at >= 2 && at[1] != '\r' && at[1] != '\n' ? at + 2 : at;
}

struct slice sip_take_quoted(struct cursor *c)
{
    const char *from = c->at;
    const char *at = from + 1;

    while ((at = sip_set_run(&sip_set_quoted, at, c->end)) < c->end) {
        const char *stop = at;

        if (*at == '"') {
            c->at = at + 1;
            return slice_of(from, (size_t)(c->at - from));
        }
        if (*at == '\\')
            at = pair_end(at, c->end);
        else if (*at == '\t' || (unsigned char)*at >= 0x80)
            at++; // UTF-8 is not checked: older devices send Latin-1
        else if (*at == '\r' || *at == '\n')
            at = fold_end(at, c->end);
        if (at == stop)
            break;
    }
    cursor_fail(c, SIP_ERROR_QUOTED_STRING);
    return slice_of(c->at, 0);
}

// Takes the bytes up to the comma that ends the element, or up to the end.
static bool skip_element(struct cursor *c)
{
    while (c->at < c->end && *c->at != ',') {
        if (*c->at == '"') {
            sip_take_quoted(c);
        } else if (*c->at == '<') {
            const char *close = memchr(c->at, '>', cursor_left(c));
            if (close == NULL)
                return cursor_fail(c, SIP_ERROR_ADDRESS);
            c->at = close + 1;
        } else {
            c->at++;
        }
    }
    return c->error == 0;
}

bool sip_take_element(struct cursor *c, struct slice *element)
{
    do {
        const char *from = c->at;

        if (cursor_done(c) || !skip_element(c))
            return false;
        *element = slice_trim(slice_of(from, (size_t)(c->at - from)));
        cursor_skip(c, ',');
    } while (element->len == 0);
    return true;
}

bool sip_list_has(struct slice list, struct slice token)
{
    struct cursor c = cursor_over(list);
    struct slice element;

    while (sip_take_element(&c, &element)) {
        if (slice_equal_nocase(element, token))
            return true;
    }
    return false;
}
