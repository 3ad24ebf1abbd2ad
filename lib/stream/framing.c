#include "stream/framing.h"

#include "base/cursor.h"
#include "sip/token.h"

static const char ping[] = "\r\n\r\n";

uint32_t stream_framing_skip(const char *bytes, uint32_t len, uint8_t *crlf, unsigned *pings)
{
    uint32_t at = 0;

    for (; at < len && (bytes[at] == '\r' || bytes[at] == '\n'); at++) {
        *crlf = bytes[at] == ping[*crlf] ? (uint8_t)(*crlf + 1) : bytes[at] == '\r';
        if (*crlf == sizeof(ping) - 1) {
            *crlf = 0;
            ++*pings;
        }
    }
    if (at < len)
        *crlf = 0;
    return at;
}

uint32_t stream_head_end(const char *bytes, uint32_t len, uint32_t *scanned)
{
    uint32_t at = *scanned;

    // As the parser has it, a line ends in LF with or without CR.
    for (;;) {
        const char *feed = memchr(bytes + at, '\n', len - at);
        at = feed == NULL ? len : (uint32_t)(feed - bytes);
        *scanned = at;
        if (len - at < 2)
            return 0;
        if (bytes[at + 1] == '\n')
            return at + 2;
        if (bytes[at + 1] == '\r') {
            if (len - at < 3)
                return 0;
            if (bytes[at + 2] == '\n')
                return at + 3;
        }
        at++;
    }
}

static struct framing refused(enum stream_end end, enum sip_error error)
{
    return (struct framing){.kind = FRAMING_REFUSED, .end = end, .error = error};
}

// Content-Length. False: there is none, no number, or several that differ; two that agree say where the message ends,
// and who serves it refuses it for having two.
static bool read_length(const struct sip_message *message, uint64_t *length)
{
    bool found = false;

    SIP_FOREACH_LINE(line, message, SIP_HEADER_CONTENT_LENGTH) {
        struct slice value = sip_message_value(message, line);
        struct cursor c = cursor_over(value);
        uint64_t number = cursor_take_number(&c, SIP_MESSAGE_MAX);
        if (value.len == 0 || !cursor_done(&c) || (found && number != *length))
            return false;
        *length = number;
        found = true;
    }
    return found;
}

// A head of which no end is in sight. What came of it may name who is to be told.
static struct framing endless(struct sip_message *message, const char *bytes, uint32_t message_max)
{
    (void)sip_message_parse(message, bytes, message_max);
    return refused(message->kind == 0 ? STREAM_END_NO_SIP : STREAM_END_TOO_LARGE, SIP_ERROR_TOO_LONG);
}

struct framing stream_framing(struct sip_message *message, const char *bytes, uint32_t len,
                              uint32_t message_max, uint32_t scanned)
{
    uint64_t length = 0;

    message->kind = 0;
    // A message begins with a method or with "SIP/2.0"; TLS on a plain port, for one, does not.
    if (!sip_set_has(&sip_set_token, bytes[0]))
        return refused(STREAM_END_NO_SIP, SIP_ERROR_START_LINE);
    uint32_t head = stream_head_end(bytes, len, &scanned);
    if (head > message_max || (head == 0 && len >= message_max))
        return endless(message, bytes, len < message_max ? len : message_max);
    if (head == 0)
        return (struct framing){.kind = FRAMING_MORE, .scanned = scanned};
    // Its rules for the body are a datagram's (RFC 3261 18.3), and come to nothing here.
    enum sip_error error = sip_message_parse(message, bytes, len < SIP_MESSAGE_MAX ? len : SIP_MESSAGE_MAX);
    if (message->kind == 0)
        return refused(STREAM_END_NO_SIP, error);
    if (error == SIP_ERROR_TOO_MANY_LINES)
        return refused(STREAM_END_TOO_LARGE, error);
    if (message->body != head) // the two do not agree where the head ends
        return refused(STREAM_END_NO_SIP, error != SIP_OK ? error : SIP_ERROR_NO_HEAD_END);
    if (!read_length(message, &length))
        return refused(STREAM_END_NO_LENGTH, SIP_ERROR_CONTENT_LENGTH);
    if (head + length > message_max)
        return refused(STREAM_END_TOO_LARGE, SIP_ERROR_TOO_LONG);
    if (head + length > len)
        return (struct framing){.kind = FRAMING_MORE, .len = (uint32_t)(head + length), .scanned = scanned};
    message->len = (uint16_t)(head + length);
    message->body_len = (uint16_t)length;
    return (struct framing){.kind = FRAMING_MESSAGE,
                            .len = message->len,
                            .error = error != SIP_OK ? error : sip_message_check(message)};
}
