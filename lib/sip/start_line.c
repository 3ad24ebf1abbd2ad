#include "sip/start_line.h"

#include "sip/token.h"

#define VERSION_LEN 7 // SIP/2.0

// RFC 3261 7.1: "SIP/2.0", in any case.
static bool is_version(const char *at)
{
    return (at[0] & ~0x20) == 'S' && (at[1] & ~0x20) == 'I' && (at[2] & ~0x20) == 'P' &&
           memcmp(at + 3, "/2.0", 4) == 0;
}

static struct sip_span span(uint32_t from, uint32_t to)
{
    return (struct sip_span){(uint16_t)from, (uint16_t)(to - from)};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
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

static enum sip_error parse_request_line(struct sip_message *message, uint32_t from, uint32_t to)
{
    const char *bytes = message->bytes;
    uint32_t at = from;

    while (at < to && (sip_class.member[(unsigned char)bytes[at]] & SIP_CLASS_TOKEN))
        at++;
    if (at == from || at == to || !is_blank(bytes[at]))
        return SIP_ERROR_START_LINE;
    message->method_text = span(from, at);
    message->method = (uint8_t)sip_method_of(slice_of(bytes + from, at - from));
    uint32_t uri = at + 1;
    uint32_t version = to - VERSION_LEN; // compared only once the line is known to be long enough
    if (to - uri < VERSION_LEN + 2 || bytes[at] != ' ' || bytes[version - 1] != ' ' ||
        !is_version(bytes + version) || memchr(bytes + uri, ' ', version - 1 - uri) != NULL)
        return blame_request_line(message, uri, to);
    message->kind = SIP_REQUEST;
    message->uri = span(uri, version - 1);
    // A scheme begins with a letter (RFC 3261 25.1), so "<" does not; the rest is for sip_uri_parse.
    char letter = slice_lower(bytes[uri]);
    return letter >= 'a' && letter <= 'z' ? SIP_OK : SIP_ERROR_REQUEST_URI;
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

    if (to - from < VERSION_LEN + 4 || code[-1] != ' ' || code[0] < '1' || code[0] > '6' ||
        !is_digit(code[1]) || !is_digit(code[2]) || (reason <= to && code[3] != ' '))
        return SIP_ERROR_START_LINE;
    message->kind = SIP_RESPONSE;
    message->status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
    message->reason = span(reason < to ? reason : to, to);
    return SIP_OK;
}

enum sip_error sip_start_line_parse(struct sip_message *message, uint32_t from, uint32_t to)
{
    if (to - from >= VERSION_LEN && is_version(message->bytes + from))
        return parse_status_line(message, from, to);
    return parse_request_line(message, from, to);
}
