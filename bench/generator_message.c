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
    FIELD_TARGET,
    FIELD_ROUTE,
    FIELD_WATCHER,
    FIELD_MATCH,
};

static const struct {
    const char *name;
    enum message_field field;
} field_names[] = {
    {"user", FIELD_USER},          {"call", FIELD_CALL_ID},  {"branch", FIELD_BRANCH},
    {"final", FIELD_FINAL_BRANCH}, {"tag", FIELD_TAG},       {"to-tag", FIELD_TO_TAG},
    {"cseq", FIELD_CSEQ},          {"target", FIELD_TARGET}, {"route", FIELD_ROUTE},
    {"watcher", FIELD_WATCHER},    {"match", FIELD_MATCH},
};

#define HEAD(method, branch) HEAD_FROM(method, branch, "{user}")
#define HEAD_FROM(method, branch, from)                                   \
    " SIP/2.0\r\n"                                                        \
    "Via: SIP/2.0/UDP {local};branch={" branch "};rport\r\n"              \
    "Max-Forwards: 70\r\n"                                                \
    "From: \"Subscriber " from "\" <sip:" from "@{domain}>;tag={tag}\r\n" \
    "To: <sip:{user}@{domain}>{to-tag}\r\n"                               \
    "Call-ID: {call}\r\n"                                                 \
    "CSeq: {cseq} " method "\r\n"

#define ALLOW "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, UPDATE\r\n"
#define AGENT "User-Agent: strowger bench generator\r\n"

// As long whatever the fields are.
#define PIDF                                                                                               \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "       \
    "xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" " \
    "entity=\"sip:{user}@{domain}\"><tuple id=\"t-{user}\"><status><basic>open</basic></status>"           \
    "<contact>sip:{user}@{local}</contact><note>" MESSAGE_NOTE "{tag}</note></tuple>"                      \
    "<dm:person id=\"p-{user}\"><rpid:activities><rpid:busy/></rpid:activities></dm:person></presence>\r\n"

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
    [MESSAGE_ACK] = "ACK {target}" HEAD("ACK", "branch") "{route}" AGENT "Content-Length: 0\r\n\r\n",
    [MESSAGE_ACK_FINAL] = "ACK sip:{user}@{domain}" HEAD("ACK", "final") AGENT "Content-Length: 0\r\n\r\n",
    [MESSAGE_BYE] = "BYE {target}" HEAD("BYE", "branch") "{route}" AGENT "Content-Length: 0\r\n\r\n",
    [MESSAGE_PUBLISH] = "PUBLISH sip:{user}@{domain}" HEAD(
        "PUBLISH",
        "branch") "Event: presence\r\nExpires: 3600\r\n{match}" AGENT
                  "Content-Type: application/pidf+xml\r\nContent-Length: {pidf-length}\r\n\r\n" PIDF,
    [MESSAGE_SUBSCRIBE] = "SUBSCRIBE sip:{user}@{domain}" HEAD_FROM(
        "SUBSCRIBE", "branch", "{watcher}") "Contact: <sip:{watcher}@{local}>\r\nEvent: presence\r\n"
                                            "Expires: 3600\r\nAccept: application/pidf+xml\r\n" AGENT
                                            "Content-Length: 0\r\n\r\n",
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

static const char *constant_value(struct slice name, const struct message_names *names,
                                  const struct message_templates *templates)
{
    const struct {
        struct slice name;
        const char *value;
    } constants[] = {
        {SLICE("domain"), names->domain},         {SLICE("local"), names->local},
        {SLICE("contact"), names->contact},       {SLICE("sdp"), templates->sdp},
        {SLICE("length"), templates->sdp_length}, {SLICE("pidf-length"), templates->pidf_length},
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
                             const struct message_names *names, const struct message_templates *templates)
{
    size_t used = 0;

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
        const char *value = constant_value(name, names, templates);
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
    memcpy(to, MESSAGE_COOKIE, 7);
    to = write_hex(write_hex(write_hex(to + 7, who->run), who->slot), who->serial);
    *to = (char)('a' + kind);
    return to + 1;
}

static char *write_slice(char *to, struct slice text)
{
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    return to + text.len;
}

static char *write_name(char *to, char letter, uint32_t number)
{
    *to = letter;
    return write_decimal(to + 1, number, 8);
}

// One Call-ID for all of a user's registrations (RFC 3261 10.2), one of its own for each call and each watcher.
static char *write_call_id(char *to, enum message_kind kind, const struct identity *who)
{
    bool registers = kind == MESSAGE_REGISTER, subscribes = kind == MESSAGE_SUBSCRIBE;

    to = write_hex(to, who->run);
    *to = '-';
    to = write_hex(to + 1, registers || subscribes ? who->user : who->slot);
    *to = registers ? 'r' : subscribes ? 's' : '-';
    return write_hex(to + 1, registers ? 0 : subscribes ? who->watcher : who->serial);
}

static char *write_target(char *to, const struct message_templates *templates, const struct identity *who)
{
    if (who->target.len > 0)
        return write_slice(to, who->target);
    to = write_name(write_slice(to, SLICE("sip:")), 'u', who->user);
    *to = '@';
    return write_slice(to + 1, templates->domain);
}

static char *write_field(char *to, enum message_field field, const struct message_templates *templates,
                         enum message_kind kind, const struct identity *who)
{
    switch (field) {
    case FIELD_NONE:
        break;
    case FIELD_USER:
        return write_name(to, 'u', who->user);
    case FIELD_WATCHER:
        return write_name(to, 'w', who->watcher);
    case FIELD_CALL_ID:
        return write_call_id(to, kind, who);
    case FIELD_BRANCH:
        return write_branch(to, kind, who);
    case FIELD_FINAL_BRANCH:
        return write_branch(to, MESSAGE_INVITE, who);
    case FIELD_TAG:
        return write_hex(write_hex(to, who->serial), who->slot);
    case FIELD_TO_TAG:
        return write_slice(to, who->to_tag);
    case FIELD_CSEQ:
        return write_decimal(to, who->cseq, 9);
    case FIELD_TARGET:
        return write_target(to, templates, who);
    case FIELD_ROUTE:
        return write_slice(to, who->route);
    case FIELD_MATCH:
        return write_slice(to, who->match);
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
            to = write_field(to, (enum message_field)piece->field, templates, kind, who);
        }
    }
    return (size_t)(to - start);
}

bool message_templates_compile(struct message_templates *templates, const struct message_names *names)
{
    bool ip6 = names->local[0] == '[';
    size_t host_len = ip6 ? strcspn(names->local, "]") - 1 : strcspn(names->local, ":");
    const char *host = names->local + (ip6 ? 1 : 0);
    char room[MESSAGE_MAX];
    int len = snprintf(templates->sdp, sizeof(templates->sdp),
                       "v=0\r\no=- 3923 3923 IN IP%c %.*s\r\ns=-\r\nc=IN IP%c %.*s\r\nt=0 0\r\n"
                       "m=audio 49170 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n",
                       ip6 ? '6' : '4', (int)host_len, host, ip6 ? '6' : '4', (int)host_len, host);

    if (len < 0 || (size_t)len >= sizeof(templates->sdp))
        return false;
    snprintf(templates->sdp_length, sizeof(templates->sdp_length), "%d", len);
    templates->domain = slice_text(names->domain);
    // its body alone at first, to be measured
    struct message_template *body = &templates->of[MESSAGE_PUBLISH];
    if (!template_compile(body, PIDF, names, templates))
        return false;
    snprintf(templates->pidf_length, sizeof(templates->pidf_length), "%zu",
             message_write(templates, MESSAGE_PUBLISH, &(struct identity){0}, room));
    for (int kind = 0; kind < MESSAGE_KINDS; kind++)
        if (!template_compile(&templates->of[kind], sources[kind], names, templates))
            return false;
    return true;
}
