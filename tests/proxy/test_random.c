// Any messages in any order: whatever happens to them, every transaction ends after its timers, every buffer is given
// back, and nothing is sent for what has ended.
//
// A crowd of callers sends requests, again and again, takes them back, acknowledges; a crowd of telephones and gateways
// answers anything to any branch, or somebody forges it; ICMP says what it likes; buffers run out; time passes by
// steps of any size. EVENTS of them by default; the environment's STROWGER_EVENTS asks for more.
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/call.h"
#include "role/branch.h"

#define EVENTS       1000000
#define RECORDS      40
#define USERS        7
#define OPEN_MAX     64    // requests that may be repeated, cancelled or acknowledged
#define SETTLE_EVERY 20000 // then all time passes, and nothing may be left

static const char conf[] =
    "[server]\nserver_header =\nrecord_route = no\n"
    "[proxy]\nrecursion = yes\nring_timeout = 5s\nbranches_max = 4\n%s"
    "[port p]\ndevice = net_null0\n"
    "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
    "[listener b]\naddress = 198.18.1.1:5060\nport = p\n"
    "[listener t]\naddress = 198.18.0.1:5060\ntransport = tcp\n"
    "[domain example.com]\n"
    "[gateways g]\nprobe_interval = 0\nanswer_timeout = 1s\n"
    "[gateway x]\ngroup = g\naddress = 192.0.2.90\n[gateway y]\ngroup = g\naddress = 192.0.2.91\n"
    "[gateway z]\ngroup = g\naddress = 192.0.2.92\n"
    "[route out]\nuser = u6\naction = gateways\ngateways = g\n"
    "[route quick]\nuser = u5\naction = location\nmode = stateless\n";

struct opened {
    const char *method;
    unsigned number, user;
};

struct world {
    struct fixture *f;
    uint64_t random;
    unsigned opened_n, next;
    struct opened opened[OPEN_MAX];
    char seen[64][2400]; // requests that left, to be answered
    struct endpoint seen_to[64];
    uint8_t seen_from[64];
    unsigned seen_n;
    struct sent response; // one that left over a stream
    char response_bytes[1400];
    unsigned long sent_n;    // of those that are in `seen`
    unsigned long responses; // that went once more
    unsigned long drops[DROP_COUNT], verdicts[VERDICT_PARK + 1];
};

static uint64_t draw(struct world *w)
{
    w->random ^= w->random << 13; // xorshift64 (Marsaglia, 2003)
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static unsigned below(struct world *w, unsigned n)
{
    return (unsigned)((draw(w) >> 11) % n);
}

static void look_at_sent(struct world *w)
{
    const struct test_outlet *o = w->f->outlet;

    for (; w->sent_n < o->sent_n; w->sent_n++) {
        const struct sent *sent = &o->sent[w->sent_n % OUTLET_SENT];
        if (sent->status != 0 && endpoint_is_stream(&sent->to) && sent->len < sizeof(w->response_bytes)) {
            w->response = *sent;
            memcpy(w->response_bytes, sent->bytes, sent->len + 1);
        }
        if (sent->status != 0 || sent->len >= sizeof(w->seen[0]))
            continue;
        w->seen_to[w->seen_n % 64] = sent->to;
        w->seen_from[w->seen_n % 64] = sent->listener;
        memcpy(w->seen[w->seen_n++ % 64], sent->bytes, sent->len + 1);
    }
    w->f->outlet->log[0] = 0;
}

static void request(struct world *w, const struct opened *opened, const char *method, const char *more)
{
    char text[2048];
    bool old = opened->number % 11 == 0; // RFC 2543

    bool tcp = opened->number % 5 == 0;
    bool large = opened->number % 7 == 0 && strcmp(method, opened->method) == 0; // too much for UDP
    int len = snprintf(text, sizeof(text),
                       "%s sip:u%u@example.com\nVia: SIP/2.0/%s 192.0.2.4%s%u\nCall-ID: r%u\n%s", method,
                       opened->user, tcp ? "TCP" : "UDP", old ? ":1" : ";branch=z9hG4bKr",
                       opened->number % 50000, opened->number, more);
    if (large)
        sprintf(text + len, "%sSubject: %0*d", *more != 0 ? "\n" : "", 1200, 0);
    if (tcp)
        fixture_from(w->f, "tcp:192.0.2.4:40000#1", 2);
    fixture_request(w->f, text);
    fixture_from(w->f, "192.0.2.4:5060", 0);
}

static void send_new(struct world *w)
{
    static const char *const methods[] = {"INVITE", "INVITE", "INVITE", "MESSAGE", "BYE", "OPTIONS", "FROB"};
    static const char *const more[] = {"",
                                       "",
                                       "",
                                       "Max-Breadth: 1",
                                       "Max-Breadth: 3",
                                       "Timestamp: 1",
                                       "Proxy-Require: x",
                                       "Max-Forwards: 0"};
    struct opened *opened = &w->opened[w->opened_n++ % OPEN_MAX];

    *opened = (struct opened){methods[below(w, 7)], ++w->next, below(w, USERS)};
    request(w, opened, opened->method, more[below(w, 8)]);
}

static void send_about_old(struct world *w, const char *method)
{
    unsigned n = w->opened_n < OPEN_MAX ? w->opened_n : OPEN_MAX;

    if (n == 0)
        return;
    struct opened opened = w->opened[below(w, n)];
    const char *tagged = below(w, 2) ? "To: <sip:u@example.com>;tag=t1" : "";
    if (method == NULL)
        request(w, &opened, opened.method, "");
    else if (strcmp(opened.method, "INVITE") == 0)
        request(w, &opened, method, tagged);
}

// Anything to any request that left.
static void answer(struct world *w)
{
    static const unsigned statuses[] = {100, 180, 183, 180, 200, 200, 202, 302, 301, 401, 404, 407, 408,
                                        415, 480, 481, 486, 487, 488, 500, 502, 503, 504, 600, 603, 699};
    unsigned n = w->seen_n < 64 ? w->seen_n : 64;
    char text[4096];

    if (n == 0)
        return;
    char *sent = w->seen[below(w, n)];
    unsigned status = statuses[below(w, sizeof(statuses) / sizeof(*statuses))];
    int len = sprintf(text, "SIP/2.0 %u Said\n", status);
    for (char *line = strstr(sent, "\r\n") + 2; *line != '\r'; line = strstr(line, "\r\n") + 2) {
        int line_len = (int)strcspn(line, "\r");
        bool stays = strncmp(line, "Via:", 4) == 0 || strncmp(line, "From:", 5) == 0 ||
                     strncmp(line, "To:", 3) == 0 || strncmp(line, "Call-ID:", 8) == 0 ||
                     strncmp(line, "CSeq:", 5) == 0;
        bool tag = strncmp(line, "To:", 3) == 0 && memmem(line, (size_t)line_len, "tag=", 4) == NULL;
        if (stays)
            len += sprintf(text + len, "%.*s%s\n", line_len, line, tag ? ";tag=t1" : "");
    }
    if (status / 100 == 3)
        len += sprintf(text + len, "Contact: <sip:c@192.0.2.%u>, <sip:d@192.0.2.%u>;q=0.2\n",
                       60 + below(w, 6), 60 + below(w, 6));
    if (status == 401 || status == 407)
        len += sprintf(text + len, "%s: Digest realm=\"%u\"\n",
                       status == 401 ? "WWW-Authenticate" : "Proxy-Authenticate", below(w, 9));
    if (below(w, 20) == 0) { // forged: a digit of our branch is another
        char *branch = strstr(text, "z9hG4bKstg.");
        branch[11 + below(w, 38)] = "0123456789abcdef"[below(w, 16)];
    }
    sprintf(text + len, "Content-Length: 0\n\n");
    fixture_from(w->f, "192.0.2.60:5060", below(w, 2));
    fixture_text(w->f, text);
    fixture_from(w->f, "192.0.2.4:5060", 0);
}

static void unreachable(struct world *w)
{
    unsigned n = w->seen_n < 64 ? w->seen_n : 64;
    char quoted[600];

    if (n == 0)
        return;
    const char *sent = w->seen[below(w, n)];
    size_t len = strlen(sent);
    len = len < sizeof(quoted) ? len : sizeof(quoted);
    memcpy(quoted, sent, len);
    service_unreachable(&w->f->role, slice_of(quoted, below(w, (unsigned)len + 1)), &w->f->arrival.now);
}

// A connection is gone: whatever was sent along it comes back, whole.
static void unsent(struct world *w)
{
    unsigned n = w->seen_n < 64 ? w->seen_n : 64;

    if (below(w, 4) == 0 && w->response.len > 0) {
        w->responses += service_unsent(&w->f->role, slice_of(w->response_bytes, w->response.len),
                                       &w->response.to, w->response.listener, &w->f->arrival.now);
        return;
    }
    if (n == 0)
        return;
    unsigned i = below(w, n);
    service_unsent(&w->f->role, slice_text(w->seen[i]), &w->seen_to[i], w->seen_from[i], &w->f->arrival.now);
}

static void pass_time(struct world *w)
{
    static const unsigned steps[] = {1, 1, 8, 8, 30, 100, 500, 2000, 5000, 40000};
    unsigned step = steps[below(w, sizeof(steps) / sizeof(*steps))];

    if (step > 1000 && below(w, 10) != 0)
        step = 50;
    w->f->arrival.now.ms += step;
    service_turn(&w->f->role, &w->f->arrival.now);
}

static void one_event(struct world *w)
{
    struct test_outlet *o = w->f->outlet;

    o->fail_each = below(w, 100) == 0 ? 1 + below(w, 4) : below(w, 50) == 0 ? 0 : o->fail_each;
    o->room = below(w, 200) == 0 ? below(w, 200) : below(w, 50) == 0 ? 1000000 : o->room;
    switch (below(w, 17)) {
    case 0:
    case 1:
    case 2:
        send_new(w);
        break;
    case 3:
        send_about_old(w, NULL);
        break;
    case 4:
        send_about_old(w, "CANCEL");
        break;
    case 5:
        send_about_old(w, "ACK");
        break;
    case 6:
        unreachable(w);
        break;
    case 16:
        unsent(w);
        break;
    case 7:
    case 8:
    case 9:
        pass_time(w);
        break;
    default:
        answer(w);
    }
    w->verdicts[w->f->verdict.kind]++;
    if (w->f->verdict.kind == VERDICT_DROP)
        w->drops[w->f->verdict.drop]++;
    look_at_sent(w);
}

// The crowd does whatever there is to do; should it ever stop to, this test would say nothing.
static void expect_everything(const struct world *w)
{
    static const enum drop drops[] = {
        DROP_RETRANSMISSION,     DROP_ACK_ABSORBED,  DROP_RESPONSE_UNKNOWN,
        DROP_RESPONSE_FORGED,    DROP_RESPONSE_KEPT, DROP_RESPONSE_LATE,
        DROP_RESPONSE_TO_CANCEL, DROP_TRYING,        DROP_RESPONSE_REPEATED,
    };
    struct transaction_usage usage;

    for (unsigned i = 0; i < sizeof(drops) / sizeof(*drops); i++) {
        if (w->drops[drops[i]] == 0)
            fail_msg("never %s", drop_name(drops[i]));
    }
    assert_true(w->verdicts[VERDICT_FORWARD] > 0 && w->verdicts[VERDICT_REPLY] > 0);
    transaction_usage(w->f->role.transactions, &usage);
    assert_true(usage.opened > 0 && usage.evicted > 0 && usage.refused > 0);
    assert_true(w->f->role.grown > 0 && w->f->role.shrunk > 0 && w->f->role.shrunk < w->f->role.grown);
    assert_true(w->responses > 0);
}

// By its slot, behind the worker and the listener.
static bool is_stateless(const char *sent)
{
    const char *branch = strstr(sent, ROLE_BRANCH_MARK);

    return branch != NULL && strncmp(branch + sizeof(ROLE_BRANCH_MARK) - 1 + 6, "ffffffff", 8) == 0;
}

// All timers run out; then nothing is left, and an answer to what has ended gets nowhere.
static void settle(struct world *w)
{
    struct test_outlet *o = w->f->outlet;

    o->fail_each = 0;
    o->room = 1000000;
    for (unsigned minute = 0; minute < 10; minute++) {
        for (unsigned n = 0; n < 3000; n++) {
            w->f->arrival.now.ms += 20;
            service_turn(&w->f->role, &w->f->arrival.now);
        }
    }
    fixture_finish(w->f);
    unsigned long before = o->sent_n;
    for (unsigned n = 0; n < 64; n++) {
        if (!is_stateless(w->seen[n % 64]) && w->seen[n % 64][0] != 0) {
            unsigned all = w->seen_n;
            memmove(w->seen[0], w->seen[n], sizeof(w->seen[0]));
            w->seen_n = 1;
            answer(w);
            w->seen_n = all;
        }
    }
    if (o->sent_n != before)
        fail_msg("sent after the end: %s", o->sent[(o->sent_n - 1) % OUTLET_SENT].bytes);
    memset(w->seen, 0, sizeof(w->seen));
    w->seen_n = 0;
    w->sent_n = o->sent_n;
}

static void bind_users(struct fixture *f)
{
    static const char *const contacts[] = {"sip:a@192.0.2.60", "sip:b@192.0.2.61", "sip:c@192.0.2.62",
                                           "sip:d@192.0.2.63", "sip:e@192.0.2.64"};

    for (unsigned user = 0; user < USERS - 1; user++) {
        struct location_binding bindings[LOCATION_CONTACTS_MAX];
        char aor[32];
        unsigned n = user == 5 ? 1 : user;
        for (unsigned i = 0; i < n; i++) {
            bindings[i] = fixture_contact(contacts[i]);
            bindings[i].expires_ms = UINT64_MAX / 2;
            bindings[i].q = i < 2 ? 1000 : 500;
            if (i == 1 && user % 2 == 0) { // a phone that is a connection
                assert_true(outlet_endpoint_read("tcp:192.0.2.61:5060#7", &bindings[i].received));
                bindings[i].listener = 2;
            }
        }
        snprintf(aor, sizeof(aor), "u%u@example.com", user);
        if (n > 0)
            assert_int_equal(location_put(f->location, location_key(f->location, slice_text(aor)),
                                          slice_text(aor), bindings, n, 0),
                             0);
    }
}

static unsigned long give_back_calls(struct fixture *f)
{
    const struct call *call;
    unsigned long n = 0;

    while ((call = call_take(f->role.calls)) != NULL) {
        call_written(f->role.calls, call);
        n++;
    }
    return n;
}

static void play(const char *proxy, unsigned long events, uint64_t seed)
{
    struct world w = {.random = seed};
    struct call_limits limits = {.calls = 50, .longest_ms = 600000, .node = MEMORY_ANY_NODE};
    struct hash_key key = {5, 6};
    struct call_usage usage;
    char text[2048];
    unsigned long lines = 0;

    snprintf(text, sizeof(text), conf, proxy);
    w.f = fixture_open(text, 1);
    bind_users(w.f);
    fixture_stateful(w.f, RECORDS);
    assert_int_equal(call_table_create(&w.f->role.calls, &limits, &key, &memory_system), 0);
    for (unsigned long i = 0; i < events; i++) {
        one_event(&w);
        lines += give_back_calls(w.f);
        if (i % SETTLE_EVERY == SETTLE_EVERY - 1)
            settle(&w);
    }
    expect_everything(&w);
    settle(&w);
    lines += give_back_calls(w.f);
    call_usage(w.f->role.calls, &usage);
    assert_int_equal(usage.calls, 0);
    assert_int_equal(usage.begun, lines + usage.lost_lines); // every attempt is told of once
    for (unsigned i = 0; i < 3; i++) {
        struct gateway_report report;
        gateway_report(w.f->policy->gateways, i, w.f->arrival.now.ms, &report);
        assert_int_equal(report.calls, 0);
    }
    call_table_destroy(w.f->role.calls);
    w.f->role.calls = NULL;
    fixture_close(w.f);
}

static unsigned long events_asked_for(void)
{
    const char *asked = getenv("STROWGER_EVENTS");

    return asked != NULL ? strtoul(asked, NULL, 10) : EVENTS;
}

static void test_by_q(void **state)
{
    (void)state;
    play("fork = by_q\n", events_asked_for() / 2, 0x9e3779b97f4a7c15u);
}

static void test_parallel(void **state)
{
    (void)state;
    play("fork = parallel\n", events_asked_for() / 4, 0x123456789abcdefu);
}

static void test_serial(void **state)
{
    (void)state;
    play("fork = serial\n", events_asked_for() / 4, 0xfeedfacecafebeefu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_q),
        cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_serial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
