#include "sip/start_line.h"

#include "sip/name_table.h"
#include "sip/set.h"

#define VERSION_LEN 7 // SIP/2.0

// RFC 3261 7.1: the string is case-insensitive. Eight bytes at once: the seven and the space before or behind, told
// apart from their neighbours by nothing but the case bit of the three letters.
static bool is_version_space(const char *at)
{
    return (sip_name_word(at) & 0xffffffffffdfdfdf) == 0x20302e322f504953; // "SIP/2.0 "
}

static bool is_space_version(const char *at)
{
    return (sip_name_word(at) & 0xffffffffdfdfdfff) == 0x302e322f50495320; // " SIP/2.0"
}

static struct sip_span span(uint32_t from, uint32_t to)
{
    return (struct sip_span){(uint16_t)from, (uint16_t)(to - from)};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_letter(char c)
{
    return slice_lower(c) >= 'a' && slice_lower(c) <= 'z';
}

// What is wrong with a request line that is not METHOD SP Request-URI SP SIP/2.0, and as much of it as there is:
// the last word is the version, what lies between is the URI (RFC 4475 3.1.2.7 to 3.1.2.10, 3.1.2.16).
static enum sip_error blame_request_line(struct sip_message *message, uint32_t at, uint32_t to)
{
    const char *bytes = message->bytes;

    while (to > at && is_blank(bytes[to - 1]))
        to--;
    uint32_t version = to;
    while (version > at && !is_blank(bytes[version - 1]))
        version--;
    struct slice text = slice_of(bytes + version, to - version);
    if (text.len < 4 || !slice_equal_nocase(slice_of(text.at, 4), SLICE("SIP/")))
        return SIP_ERROR_START_LINE;
    while (at < version && is_blank(bytes[at]))
        at++;
    while (version > at && is_blank(bytes[version - 1]))
        version--;
    message->kind = SIP_REQUEST;
    message->uri = span(at, version);
    if (!slice_equal_nocase(text, SLICE("SIP/2.0")))
        return SIP_ERROR_VERSION;
    for (uint32_t i = at; i < version; i++) {
        if (is_blank(bytes[i]))
            return SIP_ERROR_REQUEST_URI;
    }
    return SIP_ERROR_REQUEST_LINE;
}

// The length of the method at `from`, which is put into `message`; 0 when it is no token or nothing blank follows.
static uint32_t take_method(struct sip_message *message, uint32_t from, uint32_t to)
{
    const char *name = message->bytes + from;
    uint32_t len = (uint32_t)(sip_set_run(&sip_set_token, name, message->bytes + to) - name);

    if (len == to - from || !is_blank(name[len]))
        return 0;
    if (message->len - from >= SIP_NAME_BYTES) {
        message->method = sip_name_find(&sip_method_names, name, len);
    } else {
        message->method = (uint8_t)sip_method_of(slice_of(name, len));
    }
    return len;
}

static enum sip_error parse_request_line(struct sip_message *message, uint32_t from, uint32_t to)
{
    const char *bytes = message->bytes;
    uint32_t method_len = take_method(message, from, to);

    if (method_len == 0)
        return SIP_ERROR_START_LINE;
    message->method_text = span(from, from + method_len);
    uint32_t uri = from + method_len + 1;
    uint32_t version = to - VERSION_LEN; // read only once the line is known to be long enough
    if (to - uri < VERSION_LEN + 2 || bytes[uri - 1] != ' ' || !is_space_version(bytes + version - 1) ||
        memchr(bytes + uri, ' ', version - 1 - uri) != NULL)
        return blame_request_line(message, uri, to);
    message->kind = SIP_REQUEST;
    message->uri = span(uri, version - 1);
    // A scheme begins with a letter (RFC 3261 25.1), so "<" does not; the rest is for sip_uri_parse.
    return is_letter(bytes[uri]) ? SIP_OK : SIP_ERROR_REQUEST_URI;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// RFC 3261 7.2. The space before an empty reason may be missing (RFC 4475 3.1.1.13: be liberal).
static enum sip_error parse_status_line(struct sip_message *message, uint32_t from, uint32_t to)
{
    const char *code = message->bytes + from + VERSION_LEN + 1;
    uint32_t reason = from + VERSION_LEN + 5;

    if (to - from < VERSION_LEN + 4 || code[0] < '1' || code[0] > '6' || !is_digit(code[1]) ||
        !is_digit(code[2]) || (reason <= to && code[3] != ' '))
        return SIP_ERROR_START_LINE;
    message->kind = SIP_RESPONSE;
    message->status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
    message->reason = span(reason < to ? reason : to, to);
    return SIP_OK;
}

// Behind the line feed of METHOD SP Request-URI SP SIP/2.0 CRLF with a method of the table, by the stops of one
// window; NULL when the line is anything else, which parse_request_line() looks at from its start.
static inline const char *usual_request_line(struct sip_message *message, const char *from)
{
    const char *end = message->bytes + message->len;
    struct sip_window window = sip_window_over(&sip_set_absolute, from, end);
    const char *method_end = sip_window_stop(&window, from), *uri = method_end + 1;

    if (method_end - from >= SIP_NAME_SHORT || end - method_end < SIP_NAME_SHORT || *method_end != ' ')
        return NULL;
    const char *uri_end = sip_window_stop(&window, uri);
    const uint64_t words[2] = {sip_name_word(from), sip_name_word(from + 8)};
    uint8_t method = sip_name_find_short(&sip_method_names, words, (uint64_t)(method_end - from));
    if (method == SIP_METHOD_OTHER || end - uri_end < VERSION_LEN + 3 || !is_space_version(uri_end) ||
        uri_end[VERSION_LEN + 1] != '\r' || uri_end[VERSION_LEN + 2] != '\n' || !is_letter(*uri))
        return NULL;
    message->kind = SIP_REQUEST;
    message->method = method;
    message->method_text = span((uint32_t)(from - message->bytes), (uint32_t)(method_end - message->bytes));
    message->uri = span((uint32_t)(uri - message->bytes), (uint32_t)(uri_end - message->bytes));
    return uri_end + VERSION_LEN + 3;
}

enum sip_error sip_start_line_parse(struct sip_message *message, uint32_t from, uint32_t *next)
{
    const char *bytes = message->bytes, *start = bytes + from;
    bool response = message->len - from > VERSION_LEN && is_version_space(start);
    const char *behind = response ? NULL : usual_request_line(message, start);

    if (behind != NULL) {
        *next = (uint32_t)(behind - bytes);
        return SIP_OK;
    }
    uint32_t feed = from + slice_find(slice_of(start, message->len - from), '\n');
    if (feed == message->len || feed == from)
        return SIP_ERROR_START_LINE;
    *next = feed + 1;
    uint32_t to = bytes[feed - 1] == '\r' ? feed - 1 : feed;
    return response ? parse_status_line(message, from, to) : parse_request_line(message, from, to);
}
