#include "sip/message.h"

#include "base/cursor.h"
#include "sip/head.h"
#include "sip/start_line.h"

#define BIT(id) (1ull << SIP_HEADER_##id)

// RFC 3261 18.3 and 20.14; RFC 4475 3.1.2.2, 3.1.2.3, 3.3.9.
static enum sip_error apply_content_length(struct sip_message *message)
{
    struct slice value = sip_message_first(message, SIP_HEADER_CONTENT_LENGTH);
    uint32_t there = message->body_len;

    if (value.at == NULL)
        return SIP_OK;
    // Over the rest of the message: the number ends with the value, at the latest at the end of its line.
    struct cursor c = {value.at, message->bytes + message->len, 0};
    uint64_t length = cursor_take_number(&c, SIP_MESSAGE_MAX);
    if (value.len == 0 || c.at != value.at + value.len || (message->repeated & BIT(CONTENT_LENGTH)))
        return SIP_ERROR_CONTENT_LENGTH;
    if (length > there)
        return SIP_ERROR_BODY_SHORT;
    message->body_len = (uint16_t)length;
    message->len = (uint16_t)(message->body + length);
    return SIP_OK;
}

static enum sip_error first_of(enum sip_error first, enum sip_error second)
{
    return first != SIP_OK ? first : second;
}

static void clear(struct sip_message *message, const char *bytes, size_t len)
{
    memset(message, 0, offsetof(struct sip_message, first));
    memset(message->first, SIP_NO_LINE, sizeof(message->first));
    message->bytes = bytes;
    message->len = (uint16_t)(len < SIP_MESSAGE_MAX ? len : SIP_MESSAGE_MAX);
}

enum sip_error sip_message_parse(struct sip_message *message, const char *bytes, size_t len)
{
    uint32_t at = 0;

    clear(message, bytes, len);
    while (at < message->len && (bytes[at] == '\r' || bytes[at] == '\n'))
        at++;
    if (at == message->len)
        return SIP_ERROR_EMPTY;
    enum sip_error start_error = sip_start_line_parse(message, at, &at);
    if (message->kind == 0)
        return start_error;
    enum sip_error error = sip_head_index(message, at, sip_scan_level_best());
    message->body_len = (uint16_t)(message->len - message->body);
    if (len > SIP_MESSAGE_MAX)
        return SIP_ERROR_TOO_LONG;
    if (error == SIP_OK || error == SIP_ERROR_HEADER_NAME)
        error = first_of(error, apply_content_length(message));
    return first_of(start_error, error);
}

unsigned sip_message_next(const struct sip_message *message, unsigned line)
{
    uint8_t id = message->lines[line].id;

    if (!(message->repeated & (1ull << id)))
        return SIP_NO_LINE;
    while (++line < message->lines_n) {
        if (message->lines[line].id == id)
            return line;
    }
    return SIP_NO_LINE;
}

enum sip_error sip_message_check(const struct sip_message *message)
{
    // RFC 3261 7.3.1: only lists may be repeated. Fields for human eyes (Subject, User-Agent …) are let through:
    // they decide nothing.
    const uint64_t single = BIT(FROM) | BIT(TO) | BIT(CALL_ID) | BIT(CSEQ) | BIT(MAX_FORWARDS) |
                            BIT(CONTENT_LENGTH) | BIT(CONTENT_TYPE) | BIT(EXPIRES) | BIT(MIN_EXPIRES) |
                            BIT(DATE) | BIT(TIMESTAMP) | BIT(EVENT) | BIT(SUBSCRIPTION_STATE) |
                            BIT(SIP_ETAG) | BIT(SIP_IF_MATCH) | BIT(RETRY_AFTER) | BIT(REFER_TO) |
                            BIT(REFERRED_BY) | BIT(SESSION_EXPIRES) | BIT(MAX_BREADTH);

    if (!sip_message_has(message, SIP_HEADER_VIA))
        return SIP_ERROR_MISSING_VIA;
    if (!sip_message_has(message, SIP_HEADER_FROM))
        return SIP_ERROR_MISSING_FROM;
    if (!sip_message_has(message, SIP_HEADER_TO))
        return SIP_ERROR_MISSING_TO;
    if (!sip_message_has(message, SIP_HEADER_CALL_ID))
        return SIP_ERROR_MISSING_CALL_ID;
    if (!sip_message_has(message, SIP_HEADER_CSEQ))
        return SIP_ERROR_MISSING_CSEQ;
    return (message->repeated & single) != 0 ? SIP_ERROR_REPEATED_HEADER : SIP_OK;
}
