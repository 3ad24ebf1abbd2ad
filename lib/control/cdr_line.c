#include "control/cdr_line.h"

#include <stdio.h>
#include <time.h>

// Of an escaped byte: a control character as backslash, u and four digits.
#define ESCAPED_MAX 6

_Static_assert((CALL_TEXT_MAX + 2 * CONTROL_CDR_NAME_MAX) * ESCAPED_MAX + 1024 < CONTROL_CDR_LINE_MAX,
               "the longest line fits");

static char *put(char *at, struct slice text)
{
    memcpy(at, text.at, text.len);
    return at + text.len;
}

// Bytes of the UTF-8 character at the front of `text` (RFC 3629 4), or 0: it begins with none.
static unsigned utf8_len(struct slice text)
{
    const uint8_t *at = (const uint8_t *)text.at;
    unsigned len = at[0] < 0x80   ? 1
                   : at[0] < 0xc2 ? 0
                   : at[0] < 0xe0 ? 2
                   : at[0] < 0xf0 ? 3
                   : at[0] < 0xf5 ? 4
                                  : 0;

    if (len > text.len)
        return 0;
    for (unsigned i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    // Longer than it need be, a surrogate, or beyond U+10FFFF.
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

static char *put_character(char *at, struct slice character)
{
    uint8_t byte = (uint8_t)character.at[0];

    if (byte == '"' || byte == '\\') {
        *at++ = '\\';
        *at++ = (char)byte;
        return at;
    }
    if (byte < 0x20 || byte == 0x7f)
        return at + sprintf(at, "\\u%04x", byte);
    return put(at, character);
}

static char *put_text(char *at, struct slice text)
{
    *at++ = '"';
    while (text.len > 0) {
        unsigned len = utf8_len(text);

        if (len > 0)
            at = put_character(at, slice_of(text.at, len));
        else
            at = put(at, SLICE("\xef\xbf\xbd")); // U+FFFD for the one byte
        len = len > 0 ? len : 1;
        text = slice_of(text.at + len, text.len - len);
    }
    *at++ = '"';
    return at;
}

static char *put_name(char *at, const char *name)
{
    if (name == NULL)
        return put(at, SLICE("null"));
    return put_text(at, slice_of(name, strnlen(name, CONTROL_CDR_NAME_MAX)));
}

// RFC 3339, with milliseconds.
static char *put_time(char *at, uint64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm tm;

    if (unix_ms == 0 || gmtime_r(&seconds, &tm) == NULL)
        return put(at, SLICE("null"));
    at += strftime(at, 32, "\"%Y-%m-%dT%H:%M:%S", &tm);
    return at + sprintf(at, ".%03uZ\"", (unsigned)(unix_ms % 1000));
}

static char *put_endpoint(char *at, const struct endpoint *endpoint)
{
    if (endpoint->family == ENDPOINT_NONE)
        return put(at, SLICE("null"));
    *at++ = '"';
    at += endpoint_write(endpoint, at);
    *at++ = '"';
    return at;
}

static struct slice reason_of(uint8_t end)
{
    switch (end) {
    case CALL_COMPLETED:
        return SLICE("\"completed\"");
    case CALL_FAILED:
        return SLICE("\"failed\"");
    case CALL_CANCELLED:
        return SLICE("\"cancelled\"");
    case CALL_TIMEOUT:
        return SLICE("\"timeout\"");
    default:
        return SLICE("\"lost\"");
    }
}

static uint64_t duration(const struct call *call)
{
    // The wall clock may have been set back.
    return call->answer_ms != 0 && call->end_ms > call->answer_ms ? call->end_ms - call->answer_ms : 0;
}

unsigned control_cdr_line(const struct call *call, const char *gateway, const char *route,
                          char line[CONTROL_CDR_LINE_MAX])
{
    char *at = line;

    at = put_time(put(at, SLICE("{\"start\":")), call->start_ms);
    at = put_time(put(at, SLICE(",\"answer\":")), call->answer_ms);
    at = put_time(put(at, SLICE(",\"end\":")), call->end_ms);
    at += sprintf(at, ",\"duration_ms\":%llu,\"code\":%u", (unsigned long long)duration(call), call->code);
    at = put(put(at, SLICE(",\"reason\":")), reason_of(call->end));
    at = put_text(put(at, SLICE(",\"call_id\":")), call_text(call, CALL_CALL_ID));
    at = put_text(put(at, SLICE(",\"from\":")), call_text(call, CALL_FROM));
    at = put_text(put(at, SLICE(",\"to\":")), call_text(call, CALL_TO));
    at = put_text(put(at, SLICE(",\"uri\":")), call_text(call, CALL_URI));
    at = put_endpoint(put(at, SLICE(",\"source\":")), &call->source);
    at = put_endpoint(put(at, SLICE(",\"next_hop\":")), &call->hop);
    at = put_name(put(at, SLICE(",\"gateway\":")), gateway);
    at = put_name(put(at, SLICE(",\"route\":")), route);
    at += sprintf(at, ",\"tries\":%u}\n", call->tries);
    return (unsigned)(at - line);
}
