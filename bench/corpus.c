#include "corpus.h"
#include "base/random.h"

#include <stdarg.h>
#include <stdio.h>

#define BLOCKS_MAX 24
#define BLOCK_MAX  512

enum style {
    STYLE_CANONICAL,
    STYLE_LOWER,
    STYLE_UPPER,
    STYLE_COMPACT,
};

// A message in the making: header fields as blocks of whole lines, so that their order can be shuffled. All Via
// lines are one block, their order among themselves means something.
struct draft {
    struct corpus *corpus;
    enum style style;
    struct corpus_note note;
    char block[BLOCKS_MAX][BLOCK_MAX];
    unsigned blocks;
    char body[700];
    unsigned body_len;
    char sender[ENDPOINT_TEXT_MAX]; // host and port of the user agent that sends
};

struct kind_row {
    unsigned kind;
    unsigned share; // of 100
    const char *method;
    bool dialog;
    uint16_t status; // 0: a request
    const char *reason;
};

static const struct kind_row kind_rows[] = {
    {CORPUS_INVITE, 20, "INVITE", false, 0, NULL},
    {CORPUS_ACK, 10, "ACK", true, 0, NULL},
    {CORPUS_BYE, 9, "BYE", true, 0, NULL},
    {CORPUS_REGISTER, 20, "REGISTER", false, 0, NULL},
    {CORPUS_OPTIONS, 8, "OPTIONS", false, 0, NULL},
    {CORPUS_MESSAGE, 7, "MESSAGE", false, 0, NULL},
    {CORPUS_SUBSCRIBE, 6, "SUBSCRIBE", false, 0, NULL},
    {CORPUS_RINGING, 8, "INVITE", true, 180, "Ringing"},
    {CORPUS_OK, 12, "INVITE", true, 200, "OK"},
};

#define KIND_ROWS (sizeof(kind_rows) / sizeof(kind_rows[0]))

// No expression draws twice: C leaves the order of arguments open, and the corpus must not depend on the compiler.
static uint64_t draw(struct corpus *corpus)
{
    return random_next(&corpus->random);
}

static uint32_t below(struct corpus *corpus, uint32_t limit)
{
    return (uint32_t)(draw(corpus) % limit);
}

static bool chance(struct corpus *corpus, unsigned percent)
{
    return below(corpus, 100) < percent;
}

// A random word of `least` to `most` characters for tags, branches and Call-IDs.
static const char *word(struct corpus *corpus, char *text, unsigned least, unsigned most)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    unsigned len = least + below(corpus, most - least + 1);

    for (unsigned i = 0; i < len; i++)
        text[i] = letters[below(corpus, sizeof(letters) - 1)];
    text[len] = '\0';
    return text;
}

static void write_endpoint(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_MAX])
{
    text[endpoint_write(endpoint, text)] = '\0';
}

// A user agent's address: documentation space, one in six IPv6.
static struct endpoint any_source(struct corpus *corpus)
{
    uint16_t port = (uint16_t)(chance(corpus, 50) ? 5060 : 1024 + below(corpus, 60000));
    uint64_t random = draw(corpus);
    struct endpoint source =
        endpoint_ip4(198, (uint8_t)(18 + (random >> 16 & 1)), (uint8_t)(random >> 8), (uint8_t)random, port);

    if (chance(corpus, 17)) {
        source = (struct endpoint){{0x20, 0x01, 0x0d, 0xb8}, port, ENDPOINT_IP6, 0};
        for (unsigned i = 8; i < 16; i++)
            source.address[i] = (uint8_t)(random >> (8 * (i - 8)));
    }
    return source;
}

static void write_name(const struct draft *draft, char *to, const char *name, char compact)
{
    if (draft->style == STYLE_COMPACT && compact != 0) {
        sprintf(to, "%c", compact);
        return;
    }
    strcpy(to, name);
    for (; *to != '\0'; to++) {
        if (draft->style == STYLE_LOWER)
            *to = slice_lower(*to);
        else if (draft->style == STYLE_UPPER && *to >= 'a' && *to <= 'z')
            *to = (char)(*to - 0x20);
    }
}

// Appends a line to the block that is open.
static __attribute__((format(printf, 4, 5))) void add(struct draft *draft, const char *name, char compact,
                                                      const char *format, ...)
{
    char *block = draft->block[draft->blocks];
    size_t used = strlen(block);
    va_list values;

    write_name(draft, block + used, name, compact);
    strcat(block, chance(draft->corpus, 96) ? ": " : chance(draft->corpus, 50) ? ":" : " : ");
    used = strlen(block);
    va_start(values, format);
    vsnprintf(block + used, BLOCK_MAX - 3 - used, format, values);
    va_end(values);
    strcat(block, "\r\n");
}

static void close_block(struct draft *draft)
{
    draft->blocks++;
    draft->block[draft->blocks][0] = '\0';
}

#define LINE(draft, ...)         \
    do {                         \
        add(draft, __VA_ARGS__); \
        close_block(draft);      \
    } while (0)

static void write_vias(struct draft *draft, const struct kind_row *row)
{
    struct corpus *corpus = draft->corpus;
    char branch[64], self[ENDPOINT_TEXT_MAX];

    if (row->status != 0) {
        write_endpoint(&corpus->options.self, self);
        add(draft, "Via", 'v', "SIP/2.0/UDP %s;branch=z9hG4bK%s", self, word(corpus, branch, 16, 24));
    }
    const char *rport = chance(corpus, 70) ? ";rport" : "";
    add(draft, "Via", 'v', "SIP/2.0/UDP %s;branch=z9hG4bK%s%s", draft->sender, word(corpus, branch, 8, 24),
        row->status != 0 ? ";received=198.18.0.77" : rport);
    if (chance(corpus, 15)) {
        uint32_t gateway = below(corpus, 90);
        add(draft, "Via", 'v', "SIP/2.0/TCP gw%u.example.net:5060;branch=z9hG4bK%s", gateway,
            word(corpus, branch, 8, 16));
    }
    close_block(draft);
}

static void write_parties(struct draft *draft, const struct kind_row *row)
{
    struct corpus *corpus = draft->corpus;
    const char *domain = corpus->options.domain;
    char tag[40], display[40] = "";

    if (chance(corpus, 40))
        sprintf(display, chance(corpus, 50) ? "\"User %u\" " : "Desk%u ", draft->note.caller);
    LINE(draft, "From", 'f', "%s<sip:user%u@%s>;tag=%s", display, draft->note.caller, domain,
         word(corpus, tag, 6, 20));
    if (row->dialog)
        LINE(draft, "To", 't', "<sip:user%u@%s>;tag=%s", draft->note.callee, domain,
             word(corpus, tag, 6, 20));
    else
        LINE(draft, "To", 't', chance(corpus, 90) ? "<sip:user%u@%s>" : "sip:user%u@%s", draft->note.callee,
             domain);
}

static void write_identity(struct draft *draft, const struct kind_row *row)
{
    struct corpus *corpus = draft->corpus;
    char id[64];

    uint32_t host = below(corpus, 65536);
    if (chance(corpus, 50))
        LINE(draft, "Call-ID", 'i', "%s@198.18.%u.%u", word(corpus, id, 10, 24), host >> 8, host & 255);
    else
        LINE(draft, "Call-ID", 'i', "%s", word(corpus, id, 20, 40));
    LINE(draft, "CSeq", 0, "%u %s", 1 + below(corpus, chance(corpus, 80) ? 100 : 0x7ffffffe), row->method);
    if (row->status == 0)
        LINE(draft, "Max-Forwards", 0, "%u", 65 + below(corpus, 6));
}

const char *corpus_contact_params(uint32_t user)
{
    return user % 5 < 2 ? ";transport=udp" : "";
}

static void write_contact(struct draft *draft, const struct kind_row *row)
{
    struct corpus *corpus = draft->corpus;
    char parameter[40] = "";

    if (row->kind == CORPUS_MESSAGE || row->kind == CORPUS_BYE || row->kind == CORPUS_ACK)
        return;
    if (row->kind == CORPUS_REGISTER && chance(corpus, 50))
        sprintf(parameter, ";expires=%u", 60 + below(corpus, 3600));
    else if (chance(corpus, 20))
        strcpy(parameter, ";+sip.instance=\"<urn:uuid:00000000>\"");
    LINE(draft, "Contact", 'm', "<sip:user%u@%s%s>%s", draft->note.caller, draft->sender,
         corpus_contact_params(draft->note.caller), parameter);
    if (row->kind == CORPUS_REGISTER && parameter[1] != 'e')
        LINE(draft, "Expires", 0, "%u", 60 + below(corpus, 7200));
}

static void write_routes(struct draft *draft, const struct kind_row *row)
{
    struct corpus *corpus = draft->corpus;
    char self[ENDPOINT_TEXT_MAX];

    write_endpoint(&corpus->options.self, self);
    if (row->dialog && row->status == 0 && chance(corpus, 60))
        LINE(draft, "Route", 0, "<sip:%s;lr>", self);
    if (row->status != 0)
        LINE(draft, "Record-Route", 0, "<sip:%s;lr>", self);
}

static void write_options(struct draft *draft, const struct kind_row *row)
{
    static const char *const agents[] = {"Deskphone 4.2.1", "softphone/5.17 (Linux; x86_64)", "PBX-Gateway",
                                         "Trunk SBC 11.0.3 build 2044", "ATA/1.0"};
    struct corpus *corpus = draft->corpus;
    char opaque[80];

    if (chance(corpus, 85))
        LINE(draft, row->status != 0 ? "Server" : "User-Agent", 0, "%s", agents[below(corpus, 5)]);
    if (row->kind != CORPUS_ACK && chance(corpus, 80))
        LINE(draft, "Allow", 0, "%s",
             chance(corpus, 50)
                 ? "INVITE, ACK, CANCEL, BYE, OPTIONS"
                 : "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, MESSAGE, SUBSCRIBE, NOTIFY, PRACK, "
                   "UPDATE, REFER");
    if (row->kind != CORPUS_ACK && chance(corpus, 80))
        LINE(draft, "Supported", 'k', "%s",
             chance(corpus, 50) ? "replaces, timer" : "path, outbound, 100rel");
    if (row->kind == CORPUS_SUBSCRIBE)
        LINE(draft, "Event", 'o', "%s", chance(corpus, 50) ? "presence" : "message-summary");
    if (row->kind == CORPUS_INVITE && chance(corpus, 40))
        LINE(draft, "Session-Expires", 'x', "1800;refresher=uac");
    if (row->kind == CORPUS_INVITE && chance(corpus, 30))
        LINE(draft, "P-Asserted-Identity", 0, "<sip:user%u@%s>", draft->note.caller, corpus->options.domain);
    if (chance(corpus, 40))
        LINE(draft, "Accept", 0, "application/sdp, application/pidf+xml");
    if (chance(corpus, 30))
        LINE(draft, "X-Vendor-Session", 0, "%s", word(corpus, opaque, 16, 70));
    uint32_t second = below(corpus, 3600);
    if (chance(corpus, 20))
        LINE(draft, "Date", 0, "Sat, 13 Nov 2010 23:%02u:%02u GMT", second / 60, second % 60);
    if (chance(corpus, 35))
        LINE(draft, "P-Charging-Vector", 0, "icid-value=%s", word(corpus, opaque, 12, 40));
    if (row->status == 0 && chance(corpus, 20))
        LINE(draft, "Authorization", 0,
             "Digest username=\"user%u\", realm=\"%s\", nonce=\"%s\", uri=\"sip:%s\", algorithm=MD5, "
             "response=\"0123456789abcdef0123456789abcdef\"",
             draft->note.caller, corpus->options.domain, word(corpus, opaque, 24, 32),
             corpus->options.domain);
}

static void write_body(struct draft *draft, const struct kind_row *row)
{
    struct corpus *corpus = draft->corpus;
    int len = 0;

    draft->body[0] = '\0';
    if (row->kind == CORPUS_MESSAGE) {
        char text[160];
        LINE(draft, "Content-Type", 'c', "text/plain");
        len = snprintf(draft->body, sizeof(draft->body), "%s\n\n%s", word(corpus, text, 4, 60), text);
    } else if (row->kind == CORPUS_OK || (row->kind == CORPUS_INVITE && chance(corpus, 90))) {
        bool wide = chance(corpus, 20), codecs = chance(corpus, 50);
        uint32_t port = 10000 + below(corpus, 40000);
        LINE(draft, "Content-Type", 'c', "application/sdp");
        len = snprintf(draft->body, sizeof(draft->body),
                       "v=0\r\no=- %u 1 IN IP%c %s\r\ns=-\r\nc=IN IP%c %s\r\nt=0 0\r\n"
                       "m=audio %u RTP/AVP 0 8 101\r\n%sa=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n",
                       below(corpus, 0x7fffffff), wide ? '6' : '4', wide ? "2001:db8::20" : "198.18.4.4",
                       wide ? '6' : '4', wide ? "2001:db8::20" : "198.18.4.4", port,
                       codecs ? "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n" : "");
    }
    draft->body_len = (unsigned)len;
    if (draft->body_len > 0 || chance(corpus, 95))
        LINE(draft, "Content-Length", 'l', "%u", draft->body_len);
}

static void swap_blocks(struct draft *draft, unsigned a, unsigned b)
{
    char kept[BLOCK_MAX];

    memcpy(kept, draft->block[a], BLOCK_MAX);
    memmove(draft->block[a], draft->block[b], BLOCK_MAX);
    memcpy(draft->block[b], kept, BLOCK_MAX);
}

// Most senders keep to an order close to the RFC's examples, some to none at all.
static void shuffle(struct draft *draft)
{
    struct corpus *corpus = draft->corpus;
    unsigned from = chance(corpus, 60) ? draft->blocks / 2 : 0;

    for (unsigned i = draft->blocks; i > from + 1; i--)
        swap_blocks(draft, i - 1, from + below(corpus, i - from));
}

static unsigned write_start_line(struct draft *draft, const struct kind_row *row, char *text)
{
    const char *domain = draft->corpus->options.domain;
    char callee[ENDPOINT_TEXT_MAX];

    if (row->status != 0)
        return (unsigned)sprintf(text, "SIP/2.0 %u %s\r\n", row->status, row->reason);
    if (row->kind == CORPUS_REGISTER)
        return (unsigned)sprintf(text, "REGISTER sip:%s SIP/2.0\r\n", domain);
    if (!row->dialog)
        return (unsigned)sprintf(text, "%s sip:user%u@%s SIP/2.0\r\n", row->method, draft->note.callee,
                                 domain);
    struct endpoint contact = any_source(draft->corpus);
    write_endpoint(&contact, callee);
    return (unsigned)sprintf(text, "%s sip:user%u@%s SIP/2.0\r\n", row->method, draft->note.callee, callee);
}

static const struct kind_row *draw_kind(struct corpus *corpus)
{
    unsigned total = 0;

    for (unsigned i = 0; i < KIND_ROWS; i++)
        total += corpus->options.kinds & kind_rows[i].kind ? kind_rows[i].share : 0;
    unsigned ticket = below(corpus, total);
    for (unsigned i = 0;; i++) {
        unsigned share = corpus->options.kinds & kind_rows[i].kind ? kind_rows[i].share : 0;
        if (ticket < share)
            return &kind_rows[i];
        ticket -= share;
    }
}

static enum style draw_style(struct corpus *corpus)
{
    unsigned ticket = below(corpus, 100);

    return ticket < 70   ? STYLE_CANONICAL
           : ticket < 80 ? STYLE_LOWER
           : ticket < 85 ? STYLE_UPPER
                         : STYLE_COMPACT;
}

void corpus_open(struct corpus *corpus, const struct corpus_options *options)
{
    *corpus = (struct corpus){.options = *options, .random = options->seed};
    if (corpus->options.domain == NULL)
        corpus->options.domain = "example.com";
    if (corpus->options.self.family == ENDPOINT_NONE)
        corpus->options.self = endpoint_ip4(192, 0, 2, 1, 5060);
    if ((corpus->options.kinds & CORPUS_ALL) == 0)
        corpus->options.kinds = CORPUS_ALL;
    if (corpus->options.users == 0)
        corpus->options.users = 1;
}

unsigned corpus_next(struct corpus *corpus, char text[CORPUS_MESSAGE_MAX], struct corpus_note *note)
{
    struct draft draft = {.corpus = corpus, .style = draw_style(corpus)};
    const struct kind_row *row = draw_kind(corpus);
    struct endpoint source = corpus->options.source;

    if (source.family == ENDPOINT_NONE)
        source = any_source(corpus);
    write_endpoint(&source, draft.sender);
    draft.note.kind = row->kind;
    draft.note.caller = below(corpus, corpus->options.users);
    draft.note.callee = below(corpus, corpus->options.users);
    if (row->kind == CORPUS_REGISTER)
        draft.note.callee = draft.note.caller; // who registers is who is registered
    write_vias(&draft, row);
    write_parties(&draft, row);
    write_identity(&draft, row);
    write_contact(&draft, row);
    write_routes(&draft, row);
    write_options(&draft, row);
    write_body(&draft, row);
    shuffle(&draft);

    unsigned len = write_start_line(&draft, row, text);
    for (unsigned i = 0; i < draft.blocks; i++)
        len += (unsigned)sprintf(text + len, "%s", draft.block[i]);
    len += (unsigned)sprintf(text + len, "\r\n");
    memcpy(text + len, draft.body, draft.body_len);
    if (note != NULL)
        *note = draft.note;
    return len + draft.body_len;
}
