#include "sip/message.h"

#include "sip/header_names.h" // made by names.py
#include "sip/message_level.h"
#include "sip/name_table.h"
#include "sip/scan.h"
#include "sip/start_line.h"
#include "sip/token.h"

_Static_assert(SIP_HEADER_COUNT <= 64, "sip_message.seen has a bit for each header field");

#define BIT(id) (1ull << SIP_HEADER_##id)

// The form of the vector step, see scan.h.
#define SCAN(name) struct sip_scan (*name)(const char *bytes, uint32_t len, uint32_t at)

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// The end of a value or line without the white space before `to`, which is not moved before `from`.
static inline uint32_t trim_end(const char *bytes, uint32_t from, uint32_t to)
{
    while (to > from && (is_blank(bytes[to - 1]) || bytes[to - 1] == '\r' || bytes[to - 1] == '\n'))
        to--;
    return to;
}

// A line that begins with white space goes on with the value before it (RFC 3261 7.3.1). The white space between
// stays inside of the value, but a value never begins with it.
static __attribute__((noinline)) enum sip_error fold_line(struct sip_message *message, uint32_t at,
                                                          uint32_t feed)
{
    if (message->lines_n == 0)
        return SIP_ERROR_HEADER_NAME;
    struct sip_line *line = &message->lines[message->lines_n - 1];
    uint32_t end = trim_end(message->bytes, at, feed);

    while (at < end && is_blank(message->bytes[at]))
        at++;
    if (at == end)
        return SIP_OK;
    if (line->len == 0)
        line->value = (uint16_t)at;
    line->len = (uint16_t)(end - line->value);
    message->folded = 1;
    return SIP_OK;
}

// A name that is not in the table as it stands: one with white space before the colon (HCOLON, RFC 3261 25.1), one
// of an extension, or none at all. Returns its length; 0 when it is no token.
static __attribute__((noinline)) uint32_t odd_name(const char *name, uint32_t len, uint8_t *id)
{
    while (len > 0 && is_blank(name[len - 1]))
        len--;
    for (uint32_t i = 0; i < len; i++) {
        if (!(sip_class.member[(unsigned char)name[i]] & SIP_CLASS_TOKEN))
            return 0;
    }
    *id = (uint8_t)sip_header_of(slice_of(name, len));
    return len;
}

// The first `byte` from `at` on, or `len`; for lines that outgrow one vector step.
static __attribute__((noinline)) uint32_t find_far(const char *bytes, uint32_t len, uint32_t at, char byte)
{
    const char *hit = at < len ? memchr(bytes + at, byte, len - at) : NULL;

    return hit == NULL ? len : (uint32_t)(hit - bytes);
}

static inline void put_line(struct sip_message *message, struct sip_line line)
{
    uint8_t n = message->lines_n++;

    message->lines[n] = line;
    message->first[line.id] = message->first[line.id] < n ? message->first[line.id] : n;
    message->repeated |= message->seen & (1ull << line.id);
    message->seen |= 1ull << line.id;
}

// A line without a name stays in the index as an unknown header field, so that nobody takes it for a part of the
// line before.
static __attribute__((noinline)) enum sip_error nameless_line(struct sip_message *message, uint32_t at,
                                                              uint32_t feed)
{
    uint32_t end = trim_end(message->bytes, at, feed);

    put_line(message,
             (struct sip_line){(uint16_t)at, (uint16_t)at, (uint16_t)(end - at), 0, SIP_HEADER_OTHER});
    return SIP_ERROR_HEADER_NAME;
}

// One header line from `at` to its line feed, with the colon at `colon` (at or behind `feed` when it has none).
static inline __attribute__((always_inline)) enum sip_error
index_line(struct sip_message *message, uint32_t len, uint32_t at, uint32_t feed, uint32_t colon)
{
    const char *bytes = message->bytes;
    uint32_t name_len = colon - at;
    uint8_t id = 0;

    if (colon < feed) {
        struct sip_name name =
            at + SIP_NAME_MAX <= len ? sip_name_pack(bytes + at) : sip_name_copy(bytes + at, name_len);
        id = sip_name_find(&sip_header_names, name, name_len);
    }
    if (id == SIP_HEADER_OTHER) {
        name_len = colon < feed ? odd_name(bytes + at, name_len, &id) : 0;
        if (name_len == 0)
            return nameless_line(message, at, feed);
    }
    uint32_t value = colon + 1;
    while (is_blank(bytes[value]))
        value++;
    uint32_t end = feed > value && bytes[feed - 1] == '\r' ? feed - 1 : feed;
    while (end > value && is_blank(bytes[end - 1]))
        end--;
    put_line(message, (struct sip_line){(uint16_t)at, (uint16_t)value, (uint16_t)(end - value),
                                        (uint8_t)(name_len < 255 ? name_len : 255), id});
    return SIP_OK;
}

// The start line and the header lines, until the empty line; then lines[lines_n].name is where the empty line
// begins (or where reading had to stop) and `body` is behind it.
static inline __attribute__((always_inline)) enum sip_error index_head(struct sip_message *message,
                                                                       uint32_t at, SCAN(scan))
{
    const char *bytes = message->bytes;
    uint32_t len = message->len;
    enum sip_error error = SIP_OK, line_error;
    bool start = true;

    while (at < len) {
        struct sip_scan found = scan(bytes, len, at);
        uint32_t feed = found.feeds != 0 ? at + (uint32_t)__builtin_ctzll(found.feeds)
                                         : find_far(bytes, len, at + SIP_SCAN_BYTES, '\n');
        if (feed >= len)
            break;
        if (start) {
            error = sip_start_line_parse(message, at, feed > at && bytes[feed - 1] == '\r' ? feed - 1 : feed);
            if (message->kind == 0)
                return error;
            start = false;
        } else if (feed - at <= 1 && (feed == at || bytes[at] == '\r')) {
            message->lines[message->lines_n].name = (uint16_t)at;
            message->body = (uint16_t)(feed + 1);
            return error;
        } else {
            if (is_blank(bytes[at])) {
                line_error = fold_line(message, at, feed);
            } else if (message->lines_n == SIP_LINES_MAX) {
                line_error = SIP_ERROR_TOO_MANY_LINES;
            } else {
                uint32_t colon = found.colons != 0 ? at + (uint32_t)__builtin_ctzll(found.colons)
                                                   : find_far(bytes, len, at + SIP_SCAN_BYTES, ':');
                line_error = index_line(message, len, at, feed, colon);
            }
            error = error == SIP_OK ? line_error : error;
            if (line_error == SIP_ERROR_TOO_MANY_LINES)
                break;
        }
        at = feed + 1;
    }
    message->lines[message->lines_n].name = (uint16_t)at;
    message->body = (uint16_t)at;
    return error != SIP_OK ? error : start ? SIP_ERROR_START_LINE : SIP_ERROR_NO_HEAD_END;
}

static enum sip_error index_head_portable(struct sip_message *message, uint32_t at)
{
    return index_head(message, at, sip_scan_portable);
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static enum sip_error index_head_sse42(struct sip_message *message,
                                                                         uint32_t at)
{
    return index_head(message, at, sip_scan_sse42);
}

__attribute__((target("avx2,bmi,bmi2"))) static enum sip_error index_head_avx2(struct sip_message *message,
                                                                               uint32_t at)
{
    return index_head(message, at, sip_scan_avx2);
}

#endif

static enum sip_error index_head_at(struct sip_message *message, uint32_t at, enum sip_scan_level level)
{
#if defined(__x86_64__)
    if (level == SIP_SCAN_AVX2)
        return index_head_avx2(message, at);
    if (level == SIP_SCAN_SSE42)
        return index_head_sse42(message, at);
#endif
    (void)level;
    return index_head_portable(message, at);
}

// RFC 3261 18.3 and 20.14; RFC 4475 3.1.2.2, 3.1.2.3, 3.3.9.
static enum sip_error apply_content_length(struct sip_message *message)
{
    struct slice value = sip_message_first(message, SIP_HEADER_CONTENT_LENGTH);
    uint32_t there = message->body_len, length = 0;

    if (value.at == NULL)
        return SIP_OK;
    if (value.len == 0 || (message->repeated & BIT(CONTENT_LENGTH)))
        return SIP_ERROR_CONTENT_LENGTH;
    for (uint32_t i = 0; i < value.len; i++) {
        unsigned digit = (unsigned char)value.at[i] - '0';
        if (digit > 9)
            return SIP_ERROR_CONTENT_LENGTH;
        length = length * 10 + digit;
        if (length > SIP_MESSAGE_MAX) // however many digits follow
            length = SIP_MESSAGE_MAX + 1;
    }
    if (length > there)
        return SIP_ERROR_BODY_SHORT;
    message->body_len = (uint16_t)length;
    message->len = (uint16_t)(message->body + length);
    return SIP_OK;
}

static void clear(struct sip_message *message, const char *bytes, size_t len)
{
    memset(message, 0, offsetof(struct sip_message, first));
    memset(message->first, SIP_NO_LINE, sizeof(message->first));
    message->bytes = bytes;
    message->len = (uint16_t)(len < SIP_MESSAGE_MAX ? len : SIP_MESSAGE_MAX);
}

enum sip_error sip_message_parse_level(struct sip_message *message, const char *bytes, size_t len,
                                       enum sip_scan_level level)
{
    uint32_t at = 0;

    clear(message, bytes, len);
    while (at < message->len && (bytes[at] == '\r' || bytes[at] == '\n'))
        at++;
    if (at == message->len)
        return SIP_ERROR_EMPTY;
    enum sip_error error = index_head_at(message, at, level);
    if (message->kind == 0)
        return error;
    message->body_len = (uint16_t)(message->len - message->body);
    if (len > SIP_MESSAGE_MAX)
        return SIP_ERROR_TOO_LONG;
    if (error == SIP_ERROR_NO_HEAD_END || error == SIP_ERROR_TOO_MANY_LINES)
        return error;
    enum sip_error body_error = apply_content_length(message);
    return error != SIP_OK ? error : body_error;
}

enum sip_error sip_message_parse(struct sip_message *message, const char *bytes, size_t len)
{
    return sip_message_parse_level(message, bytes, len, sip_scan_level_best());
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

// RFC 3261 8.1.1, in the order in which the lack of one is reported.
static enum sip_error missing(uint64_t seen)
{
    if (!(seen & BIT(VIA)))
        return SIP_ERROR_MISSING_VIA;
    if (!(seen & BIT(FROM)))
        return SIP_ERROR_MISSING_FROM;
    if (!(seen & BIT(TO)))
        return SIP_ERROR_MISSING_TO;
    if (!(seen & BIT(CALL_ID)))
        return SIP_ERROR_MISSING_CALL_ID;
    return SIP_ERROR_MISSING_CSEQ;
}

enum sip_error sip_message_check(const struct sip_message *message)
{
    const uint64_t mandatory = BIT(VIA) | BIT(FROM) | BIT(TO) | BIT(CALL_ID) | BIT(CSEQ);
    // RFC 3261 7.3.1: only lists may be repeated. Fields for human eyes (Subject, User-Agent …) are let through:
    // they decide nothing.
    const uint64_t single = BIT(FROM) | BIT(TO) | BIT(CALL_ID) | BIT(CSEQ) | BIT(MAX_FORWARDS) |
                            BIT(CONTENT_LENGTH) | BIT(CONTENT_TYPE) | BIT(EXPIRES) | BIT(MIN_EXPIRES) |
                            BIT(DATE) | BIT(TIMESTAMP) | BIT(EVENT) | BIT(SUBSCRIPTION_STATE) |
                            BIT(SIP_ETAG) | BIT(SIP_IF_MATCH) | BIT(RETRY_AFTER) | BIT(REFER_TO) |
                            BIT(REFERRED_BY) | BIT(SESSION_EXPIRES) | BIT(MAX_BREADTH);

    if ((message->seen & mandatory) != mandatory)
        return missing(message->seen);
    return (message->repeated & single) != 0 ? SIP_ERROR_REPEATED_HEADER : SIP_OK;
}
