#include <stdio.h>

#include "generator_message.h"

#define BRANCH_LEN  (7 + 3 * 8 + 1) // cookie, run, slot, serial, kind
#define CALL_ID_LEN (3 * 8 + 2)
#define ROUTES_MAX  8

static bool read_hex(const char *from, uint32_t *value)
{
    uint32_t v = 0;

    for (int i = 0; i < 8; i++) {
        char c = from[i];
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (uint32_t)(c - 'a' + 10);
        if (digit > 15)
            return false;
        v = v << 4 | digit;
    }
    *value = v;
    return true;
}

bool message_read_branch(struct slice text, uint32_t run, struct identity *who, enum message_kind *kind)
{
    const char *branch = memmem(text.at, text.len, MESSAGE_COOKIE, 7);

    if (branch == NULL || text.at + text.len - branch < BRANCH_LEN)
        return false;
    if (!read_hex(branch + 7, &who->run) || !read_hex(branch + 15, &who->slot) ||
        !read_hex(branch + 23, &who->serial))
        return false;
    unsigned which = (unsigned)(branch[31] - 'a');
    if (which >= MESSAGE_KINDS || who->run != run)
        return false;
    *kind = (enum message_kind)which;
    return true;
}

// The next line of the header without its CRLF; `rest` moves behind it. False at the empty line and at the end.
static bool next_line(struct slice *rest, struct slice *line)
{
    uint32_t end = slice_find(*rest, '\n');

    *line = slice_of(rest->at, end > 0 && rest->at[end - 1] == '\r' ? end - 1 : end);
    uint32_t used = end < rest->len ? end + 1 : end;
    *rest = slice_of(rest->at + used, rest->len - used);
    return line->len > 0;
}

// Whether the line has the header field of this name, long or compact; then `value` is what stands behind the colon.
static bool line_is(struct slice line, const char *name, const char *compact, struct slice *value)
{
    uint32_t colon = slice_find(line, ':');
    struct slice found = slice_trim(slice_of(line.at, colon));

    if (colon == line.len ||
        (!slice_equal_nocase(found, slice_text(name)) && !slice_equal_nocase(found, slice_text(compact))))
        return false;
    *value = slice_trim(slice_of(line.at + colon + 1, line.len - colon - 1));
    return true;
}

// The value of the first such header field, or empty.
static struct slice find_value(struct slice text, const char *name, const char *compact)
{
    struct slice line, value;

    while (next_line(&text, &line))
        if (line_is(line, name, compact, &value))
            return value;
    return slice_of(text.at, 0);
}

bool message_read_call_id(struct slice text, uint32_t run, struct identity *who)
{
    struct slice value = find_value(text, "call-id", "i");

    return value.len == CALL_ID_LEN && read_hex(value.at, &who->run) && read_hex(value.at + 9, &who->slot) &&
           read_hex(value.at + 18, &who->serial) && who->run == run;
}

bool message_read_subscription(struct slice text, uint32_t run, struct identity *who)
{
    struct slice value = find_value(text, "call-id", "i");

    return value.len == CALL_ID_LEN && read_hex(value.at, &who->run) && read_hex(value.at + 9, &who->user) &&
           value.at[17] == 's' && read_hex(value.at + 18, &who->watcher) && who->run == run;
}

bool message_read_document(struct slice text, struct identity *who)
{
    const char *note = memmem(text.at, text.len, MESSAGE_NOTE, sizeof(MESSAGE_NOTE) - 1);
    const char *digits = note + sizeof(MESSAGE_NOTE) - 1;

    return note != NULL && text.at + text.len - digits >= 16 && read_hex(digits, &who->serial) &&
           read_hex(digits + 8, &who->slot);
}

struct slice message_etag(struct slice text)
{
    return find_value(text, "sip-etag", "sip-etag");
}

unsigned message_status(struct slice text)
{
    uint64_t status = 0;

    if (text.len < 12 || memcmp(text.at, "SIP/2.0 ", 8) != 0 ||
        !slice_number(slice_of(text.at + 8, 3), 699, &status))
        return 0;
    return status >= 100 ? (unsigned)status : 0;
}

struct slice message_to_tag(struct slice text)
{
    struct slice to = find_value(text, "to", "t");
    const char *tag = memmem(to.at, to.len, ";tag=", 5);

    if (tag == NULL)
        return slice_of(to.at, 0);
    struct slice rest = slice_of(tag, (size_t)(to.at + to.len - tag));
    uint32_t end = 1;
    while (end < rest.len && rest.at[end] != ';' && rest.at[end] != ' ')
        end++;
    return slice_of(tag, end);
}

struct slice message_contact(struct slice text)
{
    struct slice value = find_value(text, "contact", "m");
    uint32_t open = slice_find(value, '<'), close = slice_find(value, '>');

    return open < close && close < value.len ? slice_of(value.at + open + 1, close - open - 1)
                                             : slice_of(value.at, 0);
}

size_t message_route(struct slice text, char *to, size_t room)
{
    struct slice routes[ROUTES_MAX], line, value;
    unsigned n = 0;
    size_t used = 7;

    while (next_line(&text, &line)) {
        if (!line_is(line, "record-route", "record-route", &value))
            continue;
        // No comma stands inside what proxies write here.
        for (uint32_t end; value.len > 0 && n < ROUTES_MAX;
             value = slice_of(value.at + end, value.len - end)) {
            end = slice_find(value, ',');
            routes[n++] = slice_trim(slice_of(value.at, end));
            end += end < value.len;
        }
    }
    for (unsigned i = n; i-- > 0; used += routes[i].len + 2) {
        if (used + routes[i].len + 2 > room)
            return 0;
        memcpy(to + used, routes[i].at, routes[i].len);
        memcpy(to + used + routes[i].len, i > 0 ? ", " : "\r\n", 2);
    }
    if (n == 0)
        return 0;
    memcpy(to, "Route: ", 7);
    return used;
}

// Whether an answer repeats this header field.
static bool is_repeated(struct slice line)
{
    static const char *const repeated[][2] = {{"via", "v"},     {"from", "f"}, {"to", "t"},
                                              {"call-id", "i"}, {"cseq", ""},  {"record-route", ""}};
    struct slice value;

    for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++)
        if (line_is(line, repeated[i][0], repeated[i][1], &value))
            return true;
    return false;
}

size_t message_answer(struct slice request, const char *status_line, const char *contact, const char *sdp,
                      char *to)
{
    size_t used = (size_t)snprintf(to, MESSAGE_MAX, "SIP/2.0 %s\r\n", status_line);
    struct slice line, value;

    next_line(&request, &line); // the request line
    while (next_line(&request, &line)) {
        if (!is_repeated(line))
            continue;
        if (used + line.len + 16 > MESSAGE_MAX)
            return 0;
        memcpy(to + used, line.at, line.len);
        used += line.len;
        bool untagged = line_is(line, "to", "t", &value) && memmem(line.at, line.len, ";tag=", 5) == NULL;
        struct slice end = untagged ? SLICE(";tag=uas\r\n") : SLICE("\r\n");
        memcpy(to + used, end.at, end.len);
        used += end.len;
    }
    size_t room = MESSAGE_MAX - used;
    int tail =
        snprintf(to + used, room, "%s%s%s%sContent-Length: %zu\r\n\r\n%s",
                 contact != NULL ? "Contact: <sip:" : "", contact != NULL ? contact : "",
                 contact != NULL ? ">\r\n" : "", sdp != NULL ? "Content-Type: application/sdp\r\n" : "",
                 sdp != NULL ? strlen(sdp) : 0, sdp != NULL ? sdp : "");
    return tail > 0 && (size_t)tail < room ? used + (size_t)tail : 0;
}
