// The whole stateful role: the input is a story of several datagrams with time between them.
//
// The input's parts are separated by '|', and the first letter of each says what happens:
//   qSHORTHAND   a request, as fixture.h writes it              !TEXT   a message with nothing filled in
//   aNCODELINES  the answer of three digits to the request that left, the Nth (0-9) from the newest, with these lines
//   uNC          ICMP quotes the Nth from the newest, as far as C says
//   wN           the Nth message from the newest did not leave
//   tC           time passes      sC   the next comes from another source      rC, fC   copies find no room, or fail
// In texts %b is the branch that left last, %r the last Record-Route. LF stands for CRLF. In the end all time passes,
// and no record and no buffer may be left.
#include "../sip/fuzz.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 6000
#define PARTS    24         // more say nothing new
#define ENDED_S  (10 * 181) // seconds: every target that can be tried rang as long as Timer C allows

static const char sections[] = "[listener t]\naddress = 198.18.0.1:5060\ntransport = tcp\n"
                               "[listener s]\naddress = 198.18.0.1:5061\ntransport = tls\n"
                               "[listener w]\naddress = 198.18.0.1:443\ntransport = wss\n"
                               "[certificate c]\nchain = /nowhere/a\nkey = /nowhere/b\n"
                               "[proxy]\nrecursion = yes\nring_timeout = 1s\n"
                               "[transaction]\nt1 = 100ms\nt2 = 400ms\nt4 = 500ms\n";

struct story {
    struct fixture *f;
    struct slice part; // without its letter
    char text[TEXT_MAX + 1];
};

static struct fixture *open_service(void)
{
    char conf[8000];

    snprintf(conf, sizeof(conf), "%s%s", fixture_conf, sections);
    struct fixture *f = fixture_open(conf, 1);
    struct location_binding later = fixture_contact("sip:late@192.0.2.61");
    later.q = 500;
    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.60"));
    fixture_bind(f, "bob@example.com", later);
    struct location_binding connected = fixture_contact("sips:carol@a.invalid");
    outlet_endpoint_read("tls:203.0.113.9:40000#7", &connected.received);
    connected.listener = 4;
    fixture_bind(f, "carol@example.com", connected);
    fixture_bind(f, "carol@example.com", fixture_contact("sip:carol@192.0.2.62;transport=tcp"));
    fixture_bind(f, "alice@example.com", fixture_contact("sip:alice@[2001:db8::9]"));
    fixture_stateful(f, 24);
    f->merges = true;
    return f;
}

// A letter or a digit as a number below `limit`; what is not there is 0.
static unsigned take(struct slice *part, unsigned limit)
{
    unsigned number = part->len > 0 ? (uint8_t)part->at[0] : '0';

    if (part->len > 0)
        *part = slice_of(part->at + 1, part->len - 1);
    return (number - '0') % limit;
}

static const struct sent *request_that_left(const struct fixture *f, unsigned newest)
{
    const struct test_outlet *o = f->outlet;

    for (unsigned long i = o->sent_n; i > 0 && i + OUTLET_SENT > o->sent_n; i--) {
        const struct sent *sent = &o->sent[(i - 1) % OUTLET_SENT];
        if (sent->status == 0 && newest-- == 0)
            return sent;
    }
    return NULL;
}

// What %b and %r stand for.
static struct slice last_of(const struct fixture *f, char what)
{
    const struct sent *sent = request_that_left(f, 0);
    const char *mark = what == 'b' ? "z9hG4bKstg." : "Record-Route: ";
    const char *at = sent != NULL ? strstr(sent->bytes, mark) : NULL;

    if (at == NULL)
        return SLICE("");
    at += what == 'b' ? 0 : strlen(mark);
    return slice_of(at, strcspn(at, ";,\r\n> "));
}

// The part as text: without NUL, with what % stands for.
static bool expand(struct story *s)
{
    size_t len = 0;

    for (uint32_t i = 0; i < s->part.len; i++) {
        char c = s->part.at[i];
        struct slice put = slice_of(&c, 1);
        if (c == '%' && i + 1 < s->part.len && (s->part.at[i + 1] == 'b' || s->part.at[i + 1] == 'r'))
            put = last_of(s->f, s->part.at[++i]);
        if (c == 0 || len + put.len > TEXT_MAX)
            return false;
        memcpy(s->text + len, put.at, put.len);
        len += put.len;
    }
    s->text[len] = 0;
    return true;
}

// The lines of a request that its answer repeats (RFC 3261 8.2.6.2), with a tag in To.
static unsigned repeat(char *to, unsigned room, struct slice message)
{
    static const char *const repeated[] = {
        "Via:", "v:", "From:", "Call-ID:", "CSeq:", "Record-Route:", "To:"};
    unsigned len = 0;

    while (message.len > 0) {
        uint32_t end = slice_find(message, '\n');
        struct slice line = slice_of(message.at, end > 0 && message.at[end - 1] == '\r' ? end - 1 : end);
        message = end < message.len ? slice_of(message.at + end + 1, message.len - end - 1) : SLICE("");
        if (line.len == 0)
            break;
        for (unsigned i = 0; i < sizeof(repeated) / sizeof(*repeated); i++) {
            bool tagged = i != 6 || memmem(line.at, line.len, "tag=", 4) != NULL;
            if (slice_starts(line, slice_text(repeated[i])) && len + line.len + 8 < room)
                len += (unsigned)sprintf(to + len, "%.*s%s\n", SLICE_PRINT(line), tagged ? "" : ";tag=b");
        }
    }
    to[len] = 0;
    return (unsigned)strlen(to); // up to a NUL that was in it
}

static void answer(struct story *s)
{
    const struct sent *sent = request_that_left(s->f, take(&s->part, 10));
    char text[FIXTURE_BYTES / 2] = "SIP/2.0 200 Said\n";
    unsigned len = (unsigned)strlen(text);

    for (unsigned i = 0; i < 3 && s->part.len > 0; i++)
        text[8 + i] = (char)('0' + take(&s->part, 10));
    if (sent == NULL || !expand(s))
        return;
    len += repeat(text + len, (unsigned)(sizeof(text) - len - strlen(s->text) - 3),
                  slice_of(sent->bytes, sent->len));
    sprintf(text + len, "%s\n\n", s->text);
    fixture_text(s->f, text);
}

static void unreachable(struct story *s)
{
    const struct sent *sent = request_that_left(s->f, take(&s->part, 10));
    uint32_t cut = take(&s->part, 256) * 8;

    if (sent != NULL)
        service_unreachable(&s->f->role, slice_of(sent->bytes, cut < sent->len ? cut : sent->len),
                            &s->f->arrival.now);
}

static void unsent(struct story *s)
{
    const struct test_outlet *o = s->f->outlet;
    unsigned long newest = take(&s->part, 10);

    if (newest >= o->sent_n)
        return;
    const struct sent *sent = &o->sent[(o->sent_n - 1 - newest) % OUTLET_SENT];
    struct endpoint to = sent->to; // what is sent now may take its place
    char *bytes = strndup(sent->bytes, sent->len);
    service_unsent(&s->f->role, slice_of(bytes, strlen(bytes)), &to, sent->listener, &s->f->arrival.now);
    free(bytes);
}

static void come_from(struct story *s)
{
    static const char *const sources[] = {
        "192.0.2.4:5060", "192.0.2.9:5060", "192.0.2.60:5060", "203.0.113.7:9", "[2001:db8::9]:5060",
        // of streams, each by its listener
        "tcp:192.0.2.4:40000#1", "tls:203.0.113.9:40000#7", "wss:203.0.113.7:40001#255"};
    unsigned which = take(&s->part, 8);

    fixture_from(s->f, sources[which], which > 4 ? which - 2 : which == 4 ? 2 : which & 1);
}

// In steps as large as they may be; the tests of a room that count milliseconds are others.
static void pass_time(struct fixture *f, uint64_t ms, uint64_t step)
{
    for (uint64_t until = f->arrival.now.ms + ms; f->arrival.now.ms < until;) {
        f->arrival.now.ms += step;
        service_turn(&f->role, &f->arrival.now);
    }
}

static void end(struct fixture *f)
{
    struct transaction_usage usage = {.records = 1};

    f->outlet->room = 1000000;
    f->outlet->fail_each = 0;
    for (unsigned i = 0; i < ENDED_S && usage.records > 0; i++) {
        pass_time(f, 1000, 250);
        transaction_usage(f->role.transactions, &usage);
    }
    FUZZ_CHECK(usage.records == 0 && usage.branches == 0 && f->outlet->buffers == 0);
    fixture_close(f);
}

static void tell(struct story *s, char letter)
{
    static const unsigned steps[] = {1, 8, 50, 100, 400, 1000, 6400, 40000};
    unsigned step;

    switch (letter) {
    case 'q':
        if (expand(s) && strchr(s->text, ' ') != NULL && strlen(s->text) < TEXT_MAX / 2)
            fixture_request(s->f, s->text);
        break;
    case '!':
        if (expand(s))
            fixture_text(s->f, s->text);
        break;
    case 'a':
        answer(s);
        break;
    case 'u':
        unreachable(s);
        break;
    case 'w':
        unsent(s);
        break;
    case 't':
        step = steps[take(&s->part, 8)];
        pass_time(s->f, step, step < 400 ? 8 : 50);
        break;
    case 's':
        come_from(s);
        break;
    case 'r':
        s->f->outlet->room = take(&s->part, 64);
        break;
    case 'f':
        s->f->outlet->fail_each = take(&s->part, 8);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice input = slice_of((const char *)bytes, len);
    struct story s = {.f = open_service()};

    for (unsigned i = 0; i < PARTS && input.len > 0; i++) {
        uint32_t end = slice_find(input, '|');
        s.part = slice_of(input.at, end);
        input = end < input.len ? slice_of(input.at + end + 1, input.len - end - 1) : SLICE("");
        if (s.part.len > 0) {
            char letter = s.part.at[0];
            s.part = slice_of(s.part.at + 1, s.part.len - 1);
            tell(&s, letter);
        }
        FUZZ_CHECK(s.f->verdict.kind != VERDICT_DROP || s.f->verdict.drop < DROP_COUNT);
        s.f->outlet->log[0] = 0;
    }
    end(s.f);
    return 0;
}
