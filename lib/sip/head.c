#include "sip/head.h"

#include "sip/name_table.h"
#include "sip/set.h"

_Static_assert(SIP_HEADER_COUNT <= 64, "sip_message.repeated has a bit for each header field");

#define NO_FEED UINT64_MAX

// One of sip_scan_portable() and its kin, one of sip_scan_same_portable() and its kin.
#define SCAN(name) struct sip_scan (*name)(const char from[SIP_SCAN_BYTES])
#define SAME(name) \
    bool (*name)(const char bytes[SIP_SCAN_SAME], const uint64_t mask[4], const uint64_t word[4])

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// The length of the line at `at`, which does not end in its first window; NO_FEED when it does not end at all.
static inline __attribute__((always_inline)) uint64_t far_feed(const struct sip_message *message, uint64_t at,
                                                               SCAN(scan))
{
    uint64_t from = at + SIP_SCAN_BYTES;

    for (; from + SIP_SCAN_BYTES <= message->len; from += SIP_SCAN_BYTES) {
        uint64_t feeds = scan(message->bytes + from).feeds;
        if (feeds != 0)
            return from - at + (uint64_t)__builtin_ctzll(feeds);
    }
    while (from < message->len && message->bytes[from] != '\n')
        from++;
    return from < message->len ? from - at : NO_FEED;
}

// As line number `n` of the index.
static inline void put_line(struct sip_message *message, uint64_t n, struct sip_line line)
{
    message->lines[n] = line;
    if (__builtin_expect(message->first[line.id] == SIP_NO_LINE, 1))
        message->first[line.id] = (uint8_t)n;
    else
        message->repeated |= 1ull << line.id;
}

// The line at `at`: a name of the table, a colon, one space, a value, and CRLF with the line feed `feed` bytes on.
// Only `at` and `feed` differ between two such lines of one name, so the struct is put together in one word:
// name = at, value = at + length of the name + 2, len = feed - length of the name - 3.
static inline struct sip_line plain_line(const struct sip_name_row *row, uint64_t at, uint64_t feed)
{
    uint64_t word = row->line + at + ((at + (feed << 16)) << 16);
    struct sip_line line;

    memcpy(&line, &word, sizeof(line));
    return line;
}

// The same for a name that is not of the table, `colon` bytes long.
static inline struct sip_line other_line(uint64_t at, uint64_t colon, uint64_t feed)
{
    return (struct sip_line){(uint16_t)at, (uint16_t)(at + colon + 2), (uint16_t)(feed - colon - 3),
                             (uint8_t)colon, SIP_HEADER_OTHER};
}

static inline bool is_space(char c)
{
    return (unsigned char)c <= ' ' && (is_blank(c) || c == '\r' || c == '\n');
}

// Without the white space, line ends included, around it. What is empty lies at the end.
static inline struct slice trim(const char *from, const char *to)
{
    while (from < to && is_space(*from))
        from++;
    while (from < to && is_space(to[-1]))
        to--;
    return slice_of(from, (size_t)(to - from));
}

// A line that begins with white space goes on with the value before it (RFC 3261 7.3.1). The white space between
// stays inside of the value, but a value never begins or ends with it.
static enum sip_error fold_line(struct sip_message *message, struct slice text)
{
    if (message->lines_n == 0)
        return SIP_ERROR_HEADER_NAME;
    if (text.len == 0)
        return SIP_OK;
    struct sip_line *line = &message->lines[message->lines_n - 1];
    uint32_t at = (uint32_t)(text.at - message->bytes);
    if (line->len == 0)
        line->value = (uint16_t)at;
    line->len = (uint16_t)(at + text.len - line->value);
    message->folded = 1;
    return SIP_OK;
}

// Any line, step by step: unknown names, white space before the colon (HCOLON, RFC 3261 25.1), folds, values that
// are empty or have more white space around them than one space. `known` is the name if it stands right before the
// colon, `name_len` bytes on, and is in the table.
static __attribute__((noinline)) enum sip_error
index_odd_line(struct sip_message *message, uint64_t at, uint64_t feed, uint8_t known, uint64_t name_len)
{
    const char *name = message->bytes + at, *end = name + feed;

    if (is_blank(*name))
        return fold_line(message, trim(name, end));
    const char *behind = known != SIP_HEADER_OTHER ? name + name_len : sip_set_run(&sip_set_token, name, end);
    const char *colon = behind;
    while (colon < end && is_blank(*colon))
        colon++;
    bool named = behind > name && colon < end && *colon == ':';
    // Without a name it is an unknown header field of no name, so that nobody takes it for a part of the line before.
    struct slice value = trim(named ? colon + 1 : name, end);
    uint32_t len = named ? (uint32_t)(behind - name) : 0;
    if (named && colon != behind)
        known = (uint8_t)sip_header_of(slice_of(name, len));
    put_line(message, message->lines_n++,
             (struct sip_line){(uint16_t)at, (uint16_t)(value.at - message->bytes), (uint16_t)value.len,
                               (uint8_t)(len < 255 ? len : 255), known});
    return named ? SIP_OK : SIP_ERROR_HEADER_NAME;
}

// Opens windows on a copy of the message's last bytes with zeros behind. Returns the one on offset `at`.
static const char *copy_rest(const struct sip_message *message, uint64_t at, char rest[2 * SIP_SCAN_BYTES])
{
    uint32_t len = message->len;

    memset(rest + SIP_SCAN_BYTES, 0, SIP_SCAN_BYTES);
    if (len >= SIP_SCAN_BYTES)
        memcpy(rest, message->bytes + len - SIP_SCAN_BYTES, SIP_SCAN_BYTES);
    else
        memcpy(rest + SIP_SCAN_BYTES - len, message->bytes, len);
    return rest + SIP_SCAN_BYTES - (len - at);
}

// Whether the value of the line in `window`, `feed` bytes long and with the colon at `colon`, has one space before it
// and none behind, and CRLF ends the line. However short the line is, the reads stay in it: each is of the byte next
// to one that ends no line.
static inline bool is_plain(const char *window, uint64_t colon, uint64_t feed)
{
    return window[colon + 1] == ' ' && (unsigned char)window[colon + 2] > ' ' && window[feed - 1] == '\r' &&
           (unsigned char)window[feed - 2] > ' ';
}

// The same for a line whose name is not of the table: that it is a name and ends at the colon has to be seen first.
static inline bool is_plain_other(const char *window, uint64_t colon, uint64_t feed)
{
    return colon - 1 < 31 && colon + 2 < feed && is_plain(window, colon, feed) &&
           sip_set_run(&sip_set_token, window, window + colon) == window + colon;
}

// A window of 64 bytes opens on each line, the last ones on a copy: so nothing is read past the end of the message,
// and no read has to ask. What nearly all lines are, a plain line of a known name, is put into the index right here.
static inline __attribute__((always_inline)) enum sip_error index_head(struct sip_message *message,
                                                                       uint64_t at, SCAN(scan), SAME(same))
{
    const char *window = message->bytes + at;
    const char *last =
        message->len < SIP_SCAN_BYTES ? window - 1 : message->bytes + message->len - SIP_SCAN_BYTES;
    uintptr_t origin = (uintptr_t)message->bytes; // offset 0 of the message, seen from the window
    uint64_t n = 0, feed;
    enum sip_error error = SIP_OK, why = SIP_OK;
    char rest[2 * SIP_SCAN_BYTES];

    for (;; window += feed + 1) {
        if (window > last) {
            at = (uintptr_t)window - origin;
            window = copy_rest(message, at, rest);
            origin = (uintptr_t)window - at;
            last = rest + sizeof(rest);
        }
        struct sip_scan found = scan(window);
        feed = found.feeds != 0 ? (uint64_t)__builtin_ctzll(found.feeds)
                                : far_feed(message, (uintptr_t)window - origin, scan);
        if (feed == NO_FEED) {
            why = SIP_ERROR_NO_HEAD_END;
            break;
        }
        const struct sip_name_row *row = sip_name_guess(&sip_header_names, window, found.colon);
        uint8_t known = SIP_HEADER_OTHER;
        if (same(window, row->mask, row->word)) {
            if (is_plain(window, found.colon, feed) && n < SIP_LINES_MAX) {
                put_line(message, n, plain_line(row, (uintptr_t)window - origin, feed));
                n++;
                continue;
            }
            known = (uint8_t)(row->line >> 56);
        } else if (is_plain_other(window, found.colon, feed) && n < SIP_LINES_MAX) {
            put_line(message, n++, other_line((uintptr_t)window - origin, found.colon, feed));
            continue;
        }
        if (feed == 0 || (feed == 1 && window[0] == '\r'))
            break;
        if (n == SIP_LINES_MAX) {
            why = SIP_ERROR_TOO_MANY_LINES;
            break;
        }
        message->lines_n = (uint8_t)n;
        enum sip_error line_error =
            index_odd_line(message, (uintptr_t)window - origin, feed, known, found.colon);
        n = message->lines_n;
        error = error != SIP_OK ? error : line_error;
    }
    at = (uintptr_t)window - origin;
    message->lines_n = (uint8_t)n;
    message->lines[n].name = (uint16_t)at;
    message->body = (uint16_t)(why == SIP_OK ? at + feed + 1 : at);
    return error != SIP_OK ? error : why;
}

static enum sip_error index_head_portable(struct sip_message *message, uint32_t at)
{
    return index_head(message, at, sip_scan_portable, sip_scan_same_portable);
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static enum sip_error index_head_sse42(struct sip_message *message,
                                                                         uint32_t at)
{
    return index_head(message, at, sip_scan_sse42, sip_scan_same_sse42);
}

__attribute__((target("avx2,bmi,bmi2"))) static enum sip_error index_head_avx2(struct sip_message *message,
                                                                               uint32_t at)
{
    return index_head(message, at, sip_scan_avx2, sip_scan_same_avx2);
}

#endif

enum sip_error sip_head_index(struct sip_message *message, uint32_t at, enum sip_scan_level level)
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
