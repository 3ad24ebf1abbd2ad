#include "generator_message.h"

#include <stdio.h>

enum message_field {
    FIELD_NONE,
    FIELD_USER,
    FIELD_CALL_ID,
    FIELD_BRANCH,
    FIELD_FINAL_BRANCH, // the branch of this exchange's INVITE
    FIELD_TAG,
    FIELD_TO_TAG,
    FIELD_CSEQ,
};

static const struct {
    const char *name;
    enum message_field field;
} field_names[] = {
    {"user", FIELD_USER}, {"call", FIELD_CALL_ID},  {"branch", FIELD_BRANCH}, {"final", FIELD_FINAL_BRANCH},
    {"tag", FIELD_TAG},   {"to-tag", FIELD_TO_TAG}, {"cseq", FIELD_CSEQ},
};

#define BRANCH_COOKIE "z9hG4bK"
#define BRANCH_LEN    (7 + 3 * 8 + 1) // cookie, run, slot, serial, kind
#define CALL_ID_LEN   (3 * 8 + 2)

#define HEAD(method, branch)                                          \
    " SIP/2.0\r\n"                                                    \
    "Via: SIP/2.0/UDP {local};branch={" branch "};rport\r\n"          \
    "Max-Forwards: 70\r\n"                                            \
    "From: \"Subscriber {user}\" <sip:{user}@{domain}>;tag={tag}\r\n" \
    "To: <sip:{user}@{domain}>{to-tag}\r\n"                           \
    "Call-ID: {call}\r\n"                                             \
    "CSeq: {cseq} " method "\r\n"

#define ALLOW "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, UPDATE\r\n"
#define AGENT "User-Agent: strowger bench generator\r\n"

static const char *const sources[MESSAGE_KINDS] = {
    [MESSAGE_REGISTER] = "REGISTER sip:{domain}" HEAD(
        "REGISTER",
        "branch") "Contact: <sip:{user}@{contact}>\r\nExpires: 3600\r\nSupported: replaces, timer\r\n" ALLOW
        AGENT "Content-Length: 0\r\n\r\n",
    [MESSAGE_OPTIONS] = "OPTIONS sip:{domain}" HEAD("OPTIONS", "branch") "Accept: application/sdp\r\n" AGENT
                                                                         "Content-Length: 0\r\n\r\n",
    [MESSAGE_INVITE] = "INVITE sip:{user}@{domain}" HEAD(
        "INVITE", "branch") "Contact: <sip:caller@{local}>\r\nSupported: replaces, timer\r\n" ALLOW AGENT
                            "Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}",
    [MESSAGE_ACK] = "ACK sip:{user}@{domain}" HEAD("ACK", "branch") AGENT "Content-Length: 0\r\n\r\n",
    [MESSAGE_ACK_FINAL] = "ACK sip:{user}@{domain}" HEAD("ACK", "final") AGENT "Content-Length: 0\r\n\r\n",
    [MESSAGE_BYE] = "BYE sip:{user}@{domain}" HEAD("BYE", "branch") AGENT "Content-Length: 0\r\n\r\n",
};

static bool append_literal(struct message_template *t, size_t *used, const char *text, size_t len)
{
    if (*used + len > sizeof(t->text) / 2 || t->pieces_n == MESSAGE_PIECES_MAX)
        return false; // half is left for the fields
    memcpy(t->text + *used, text, len);
    struct message_piece *last = t->pieces_n > 0 ? &t->pieces[t->pieces_n - 1] : NULL;
    if (last != NULL && last->field == FIELD_NONE)
        last->len = (uint16_t)(last->len + len);
    else
        t->pieces[t->pieces_n++] = (struct message_piece){(uint16_t)*used, (uint16_t)len, FIELD_NONE};
    *used += len;
    return true;
}

static const char *constant_value(struct slice name, const struct message_names *names, const char *sdp,
                                  const char *length)
{
    const struct {
        struct slice name;
        const char *value;
    } constants[] = {
        {SLICE("domain"), names->domain},   {SLICE("local"), names->local},
        {SLICE("contact"), names->contact}, {SLICE("sdp"), sdp},
        {SLICE("length"), length},
    };

    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
        if (slice_equal(name, constants[i].name))
            return constants[i].value;
    return NULL;
}

static enum message_field field_of(struct slice name)
{
    for (size_t i = 0; i < sizeof(field_names) / sizeof(field_names[0]); i++)
        if (slice_equal(name, slice_text(field_names[i].name)))
            return field_names[i].field;
    return FIELD_NONE;
}

static bool template_compile(struct message_template *t, const char *source,
                             const struct message_names *names, const char *sdp)
{
    size_t used = 0;
    char length[24];

    snprintf(length, sizeof(length), "%zu", strlen(sdp));
    t->pieces_n = 0;
    while (*source != 0) {
        size_t plain = strcspn(source, "{");
        if (plain > 0 && !append_literal(t, &used, source, plain))
            return false;
        source += plain;
        if (*source == 0)
            break;
        struct slice name = slice_of(source + 1, strcspn(source, "}") - 1);
        source += name.len + 2;
        const char *value = constant_value(name, names, sdp, length);
        if (value != NULL) {
            if (!append_literal(t, &used, value, strlen(value)))
                return false;
        } else if (t->pieces_n < MESSAGE_PIECES_MAX) {
            t->pieces[t->pieces_n++] = (struct message_piece){0, 0, (uint8_t)field_of(name)};
        } else {
            return false;
        }
    }
    return true;
}

bool message_templates_compile(struct message_templates *templates, const struct message_names *names)
{
    bool ip6 = names->local[0] == '[';
    size_t host_len = ip6 ? strcspn(names->local, "]") - 1 : strcspn(names->local, ":");
    const char *host = names->local + (ip6 ? 1 : 0);
    int len = snprintf(templates->sdp, sizeof(templates->sdp),
                       "v=0\r\no=- 3923 3923 IN IP%c %.*s\r\ns=-\r\nc=IN IP%c %.*s\r\nt=0 0\r\n"
                       "m=audio 49170 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n",
                       ip6 ? '6' : '4', (int)host_len, host, ip6 ? '6' : '4', (int)host_len, host);

    if (len < 0 || (size_t)len >= sizeof(templates->sdp))
        return false;
    for (int kind = 0; kind < MESSAGE_KINDS; kind++)
        if (!template_compile(&templates->of[kind], sources[kind], names, templates->sdp))
            return false;
    return true;
}

static char *write_hex(char *to, uint32_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    return to + 8;
}

static char *write_decimal(char *to, uint32_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + digits;
}

static char *write_branch(char *to, enum message_kind kind, const struct identity *who)
{
    memcpy(to, BRANCH_COOKIE, 7);
    to = write_hex(write_hex(write_hex(to + 7, who->run), who->slot), who->serial);
    *to = (char)('a' + kind);
    return to + 1;
}

static char *write_field(char *to, enum message_field field, enum message_kind kind,
                         const struct identity *who)
{
    switch (field) {
    case FIELD_NONE:
        break;
    case FIELD_USER:
        *to = 'u';
        return write_decimal(to + 1, who->user, 8);
    case FIELD_CALL_ID:
        // One Call-ID for all of a user's registrations (RFC 3261 10.2), one of its own for each call.
        to = write_hex(to, who->run);
        *to = '-';
        to = write_hex(to + 1, kind == MESSAGE_REGISTER ? who->user : who->slot);
        *to = kind == MESSAGE_REGISTER ? 'r' : '-';
        return write_hex(to + 1, kind == MESSAGE_REGISTER ? 0 : who->serial);
    case FIELD_BRANCH:
        return write_branch(to, kind, who);
    case FIELD_FINAL_BRANCH:
        return write_branch(to, MESSAGE_INVITE, who);
    case FIELD_TAG:
        return write_hex(write_hex(to, who->serial), who->slot);
    case FIELD_TO_TAG:
        if (who->to_tag.len > 0)
            memcpy(to, who->to_tag.at, who->to_tag.len);
        return to + who->to_tag.len;
    case FIELD_CSEQ:
        return write_decimal(to, who->cseq, 9);
    }
    return to;
}

size_t message_write(const struct message_templates *templates, enum message_kind kind,
                     const struct identity *who, char *to)
{
    const struct message_template *t = &templates->of[kind];
    char *start = to;

    for (unsigned i = 0; i < t->pieces_n; i++) {
        const struct message_piece *piece = &t->pieces[i];
        if (piece->field == FIELD_NONE) {
            memcpy(to, t->text + piece->at, piece->len);
            to += piece->len;
        } else {
            to = write_field(to, piece->field, kind, who);
        }
    }
    return (size_t)(to - start);
}

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
    const char *branch = memmem(text.at, text.len, BRANCH_COOKIE, 7);

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

// The header field of either name, long or compact, at the start of a line: its whole line without CRLF.
static struct slice find_line(struct slice text, const char *name, const char *compact)
{
    struct slice rest = text;

    while (rest.len > 0) {
        uint32_t end = slice_find(rest, '\n');
        struct slice line = slice_of(rest.at, end > 0 && rest.at[end - 1] == '\r' ? end - 1 : end);
        uint32_t colon = slice_find(line, ':');
        struct slice found = slice_trim(slice_of(line.at, colon));
        if (colon < line.len &&
            (slice_equal_nocase(found, slice_text(name)) || slice_equal_nocase(found, slice_text(compact))))
            return line;
        if (line.len == 0 || end == rest.len)
            break;
        rest = slice_of(rest.at + end + 1, rest.len - end - 1);
    }
    return slice_of(text.at, 0);
}

bool message_read_call_id(struct slice text, uint32_t run, struct identity *who)
{
    struct slice line = find_line(text, "call-id", "i");
    uint32_t colon = slice_find(line, ':');

    if (colon >= line.len)
        return false;
    struct slice value = slice_trim(slice_of(line.at + colon + 1, line.len - colon - 1));
    return value.len == CALL_ID_LEN && read_hex(value.at, &who->run) && read_hex(value.at + 9, &who->slot) &&
           read_hex(value.at + 18, &who->serial) && who->run == run;
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
    struct slice line = find_line(text, "to", "t");
    const char *tag = memmem(line.at, line.len, ";tag=", 5);

    if (tag == NULL)
        return slice_of(line.at, 0);
    struct slice rest = slice_of(tag, (size_t)(line.at + line.len - tag));
    uint32_t end = 1;
    while (end < rest.len && rest.at[end] != ';' && rest.at[end] != ' ')
        end++;
    return slice_of(tag, end);
}

// Whether an answer repeats this header field.
static bool is_repeated(struct slice name)
{
    static const char *const repeated[] = {"via", "v",       "from", "f",    "to",
                                           "t",   "call-id", "i",    "cseq", "record-route"};

    for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++)
        if (slice_equal_nocase(name, slice_text(repeated[i])))
            return true;
    return false;
}

size_t message_answer(struct slice request, const char *status_line, const char *contact, const char *sdp,
                      char *to)
{
    size_t used = (size_t)snprintf(to, MESSAGE_MAX, "SIP/2.0 %s\r\n", status_line);
    uint32_t end = slice_find(request, '\n');
    struct slice rest = slice_of(request.at + end, request.len - end);

    while (rest.len > 1) {
        rest = slice_of(rest.at + 1, rest.len - 1);
        end = slice_find(rest, '\n');
        struct slice line = slice_of(rest.at, end > 0 && rest.at[end - 1] == '\r' ? end - 1 : end);
        if (line.len == 0)
            break;
        struct slice name = slice_trim(slice_of(line.at, slice_find(line, ':')));
        if (is_repeated(name)) {
            if (used + line.len + 16 > MESSAGE_MAX)
                return 0;
            memcpy(to + used, line.at, line.len);
            used += line.len;
            if ((name.at[0] | 0x20) == 't' && memmem(line.at, line.len, ";tag=", 5) == NULL) {
                memcpy(to + used, ";tag=uas", 8);
                used += 8;
            }
            memcpy(to + used, "\r\n", 2);
            used += 2;
        }
        rest = slice_of(rest.at + end, rest.len - end);
    }
    size_t room = MESSAGE_MAX - used;
    int tail =
        snprintf(to + used, room, "%s%s%s%sContent-Length: %zu\r\n\r\n%s",
                 contact != NULL ? "Contact: <sip:" : "", contact != NULL ? contact : "",
                 contact != NULL ? ">\r\n" : "", sdp != NULL ? "Content-Type: application/sdp\r\n" : "",
                 sdp != NULL ? strlen(sdp) : 0, sdp != NULL ? sdp : "");
    return tail > 0 && (size_t)tail < room ? used + (size_t)tail : 0;
}
