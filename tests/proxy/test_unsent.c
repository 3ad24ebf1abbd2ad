// Connections that are gone when they are needed (RFC 3261 18.2.2, 18.4, RFC 5626 5.3), and requests that are too large
// for UDP (RFC 3261 18.1.1).
#include "mixed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLER "192.0.2.4:5060"
#define PHONE  "tls:203.0.113.9:40009#9"
#define SECOND "wss:203.0.113.10:40010#1"

static const char sections[] = "[gateways pair]\nprobe_interval = 0\nalgorithm = priority\n"
                               "[gateway first]\ngroup = pair\naddress = 192.0.2.61;transport=tcp\n"
                               "[gateway second]\ngroup = pair\naddress = 192.0.2.62\n"
                               "[route pair]\nuser = +45*\naction = gateways\ngateways = pair\n"
                               "[transaction]\ntimer_c = 185s\n";

static int set_up(void **state)
{
    char conf[sizeof(MIXED_CONF) + sizeof(sections)];

    snprintf(conf, sizeof(conf), "%s%s", MIXED_CONF, sections);
    *state = fixture_open(conf, 1);
    fixture_stateful(*state, 1000);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void bind(struct fixture *f, const char *contact, const char *received, unsigned listener, uint16_t q)
{
    struct location_binding binding = fixture_contact(contact);

    assert_true(outlet_endpoint_read(received, &binding.received));
    binding.listener = (uint8_t)listener;
    binding.q = q;
    fixture_bind(f, "bob@example.com", binding);
}

// The newest message of this kind that was sent to somebody comes back.
static bool comes_back(struct fixture *f, const char *what, const char *to)
{
    struct endpoint peer;

    assert_true(outlet_endpoint_read(to, &peer));
    const struct sent *sent = outlet_find(f->outlet, &peer, what);
    if (sent == NULL)
        fail_msg("no %s was sent to %s, but %s", what, to, f->outlet->log);
    f->outlet->log[0] = 0;
    struct endpoint gone = sent->to; // what is sent now may take its place
    char *bytes = strndup(sent->bytes, sent->len);
    bool heard = service_unsent(&f->role, slice_of(bytes, sent->len), &gone, sent->listener, &f->arrival.now);
    free(bytes);
    return heard;
}

static void request(struct fixture *f, const char *shorthand, const char *left)
{
    fixture_from(f, CALLER, MIXED_UDP);
    f->outlet->log[0] = 0;
    fixture_request(f, shorthand);
    fixture_left(f, shorthand, left);
}

static void test_a_phone_whose_connection_is_gone_is_not_there(void **state)
{
    struct fixture *f = *state;

    bind(f, "sip:bob@10.0.0.9;transport=tls", PHONE, MIXED_TLS, 1000);
    request(f, "INVITE sip:bob@example.com", "100@" CALLER " INVITE@" PHONE);
    assert_true(comes_back(f, "INVITE", PHONE));
    fixture_left(f, "INVITE", "480@" CALLER);
    request(f, "MESSAGE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKm", "MESSAGE@" PHONE);
    assert_true(comes_back(f, "MESSAGE", PHONE));
    fixture_left(f, "MESSAGE", "480@" CALLER);
    comes_back(f, "MESSAGE", PHONE); // it has been answered
    fixture_left(f, "again", "");
}

static void test_the_next_phone_is_rung_at_once(void **state)
{
    struct fixture *f = *state;

    bind(f, "sip:bob@10.0.0.9;transport=tls", PHONE, MIXED_TLS, 1000);
    bind(f, "sip:bob@a.invalid;transport=ws", SECOND, MIXED_WSS, 500);
    request(f, "INVITE sip:bob@example.com", "100@" CALLER " INVITE@" PHONE);
    assert_true(comes_back(f, "INVITE", PHONE));
    fixture_left(f, "the second one", "INVITE@" SECOND);
    fixture_answer(f, SECOND, "INVITE", 180, "");
    fixture_answer(f, SECOND, "INVITE", 486, "");
    fixture_left(f, "what it says is said", "180@" CALLER " ACK@" SECOND " 486@" CALLER);
}

static void test_others_that_ring_go_on_ringing(void **state)
{
    struct fixture *f = *state;

    bind(f, "sip:bob@10.0.0.9;transport=tls", PHONE, MIXED_TLS, 1000);
    bind(f, "sip:bob@a.invalid;transport=ws", SECOND, MIXED_WSS, 1000);
    request(f, "INVITE sip:bob@example.com", "100@" CALLER " INVITE@" PHONE " INVITE@" SECOND);
    fixture_answer(f, SECOND, "INVITE", 180, "");
    assert_true(comes_back(f, "INVITE", PHONE));
    fixture_left(f, "nobody hears of it", "");
    fixture_answer(f, SECOND, "INVITE", 200, "");
    fixture_left(f, "the other answers", "200@" CALLER);
}

// RFC 5626 5.3.1: who sends along a flow learns that it has failed.
static void test_a_dialog_along_a_connection_that_is_gone_is_430(void **state)
{
    struct fixture *f = *state;
    char route[1024], text[2000];

    bind(f, "sip:bob@10.0.0.9;transport=tls", PHONE, MIXED_TLS, 1000);
    request(f, "INVITE sip:bob@example.com\nContact: <sip:alice@192.0.2.4>", "100@" CALLER " INVITE@" PHONE);
    fixture_line(f, "Record-Route: ", route);
    fixture_answer(f, PHONE, "INVITE", 200, "");
    snprintf(text, sizeof(text),
             "BYE sip:bob@10.0.0.9;transport=tls\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKbye\n"
             "To: <sip:bob@example.com>;tag=b1\nRoute: %s",
             route);
    request(f, text, "BYE@" PHONE);
    assert_true(comes_back(f, "BYE", PHONE));
    fixture_left(f, "BYE", "430@" CALLER);
}

// One that listens where it came from is connected to again (RFC 3261 12.2.1.1, 18.1.1).
static void test_a_peer_that_listens_is_connected_to_again(void **state)
{
    static const struct {
        const char *seen, *contact, *again;
    } peers[] = {
        {"tcp:192.0.2.21:41001#1", "sip:alice@192.0.2.21;transport=tcp", "tcp:192.0.2.21:5060"},
        {"tcp:192.0.2.21:41001#1", "sip:alice@192.0.2.21:5066;transport=tcp", "tcp:192.0.2.21:5066"},
        {"tcp:192.0.2.21:41001#1", "sip:alice@192.0.2.21", NULL},               // by UDP
        {"tcp:203.0.113.21:41001#1", "sip:alice@10.0.0.1;transport=tcp", NULL}, // behind a NAT
    };
    struct fixture *f = *state;

    bind(f, "sip:bob@192.0.2.9", "192.0.2.9:5060", MIXED_UDP, 1000);
    for (unsigned i = 0; i < sizeof(peers) / sizeof(*peers); i++) {
        char text[3000], copy[FIXTURE_BYTES], left[100];
        fixture_from(f, peers[i].seen, MIXED_TCP);
        snprintf(text, sizeof(text),
                 "INVITE sip:bob@example.com\nVia: SIP/2.0/TCP a;branch=z9hG4bKi%u\nContact: <%s>", i,
                 peers[i].contact);
        fixture_request(f, text);
        snprintf(copy, sizeof(copy), "%.*s", (int)f->out.len, f->out.at);
        int len = sprintf(text,
                          "BYE %s\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKb%u\n"
                          "From: <sip:bob@example.com>;tag=b1\nTo: <sip:alice@example.com>;tag=a1",
                          peers[i].contact, i);
        for (const char *at = strstr(copy, "\nRecord-Route: "); at != NULL;
             at = strstr(at + 1, "\nRecord-Route: "))
            len += sprintf(text + len, "\nRoute: %.*s", (int)strcspn(at + 15, "\r"), at + 15);
        fixture_answer(f, "192.0.2.9:5060", "INVITE", 200, "");
        fixture_from(f, "192.0.2.9:5060", MIXED_UDP);
        f->outlet->log[0] = 0;
        fixture_request(f, text);
        snprintf(left, sizeof(left), "BYE@%s", peers[i].seen);
        fixture_left(f, peers[i].contact, left);
        assert_true(comes_back(f, "BYE", peers[i].seen));
        if (peers[i].again != NULL) {
            snprintf(left, sizeof(left), "BYE@%s", peers[i].again);
            fixture_left(f, peers[i].contact, left);
            assert_true(comes_back(f, "BYE", peers[i].again));
        }
        fixture_left(f, peers[i].contact, "430@192.0.2.9:5060");
    }
}

static void test_servers_that_no_connection_leads_to_fail_as_others(void **state)
{
    struct fixture *f = *state;

    request(f, "INVITE sip:+411@example.com", "100@" CALLER " INVITE@tcp:192.0.2.60:5060");
    assert_true(comes_back(f, "INVITE", "tcp:192.0.2.60:5060"));
    fixture_left(f, "a hop", "500@" CALLER);
    fixture_request(f, "ACK sip:+411@example.com");
    request(f, "INVITE sip:+451@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKg",
            "100@" CALLER " INVITE@tcp:192.0.2.61:5060");
    fixture_advance(f, 900);
    fixture_left(f, "nothing is sent again over a stream", "");
    assert_true(comes_back(f, "INVITE", "tcp:192.0.2.61:5060"));
    fixture_left(f, "the next gateway", "INVITE@192.0.2.62:5060");
    fixture_advance(f, 510);
    fixture_left(f, "over UDP it is sent again", "INVITE@192.0.2.62:5060");
    fixture_answer(f, "192.0.2.62:5060", "INVITE", 200, "");
}

// Where a response goes whose connection is gone: NULL: nowhere.
static const struct {
    const char *name, *from;
    unsigned listener;
    const char *via;
    const char *then;
} ways[] = {
    {"a server, at its sent-by", "tcp:192.0.2.20:41000#3", MIXED_TCP, "TCP 192.0.2.20:5062",
     "tcp:192.0.2.20:5062"},
    {"at the default port", "tcp:192.0.2.20:41000#3", MIXED_TCP, "TCP 192.0.2.20", "tcp:192.0.2.20:5060"},
    {"over TLS", "tls:192.0.2.20:41000#3", MIXED_TLS, "TLS 192.0.2.20;alias", "tls:192.0.2.20:5061"},
    {"a server with a name, where it was seen", "tcp:192.0.2.20:41000#3", MIXED_TCP,
     "TCP proxy.example.net:5070", "tcp:192.0.2.20:5070"},
    {"over IPv6", "tcp:[2001:db8::4]:41000#3", MIXED_TCP6, "TCP [2001:db8::4]", "tcp:[2001:db8::4]:5060"},
    {"a phone behind a NAT listens nowhere", "tcp:203.0.113.9:41000#3", MIXED_TCP, "TCP 10.0.0.9:5060", NULL},
    {"nor does a browser", "wss:203.0.113.9:41000#3", MIXED_WSS, "WSS df7jal23ls0d.invalid", NULL},
    {"whatever it says", "ws:192.0.2.20:41000#3", MIXED_WS, "WS 192.0.2.20:5060", NULL},
    {"nor what has such a name", "tls:203.0.113.9:41000#3", MIXED_TLS, "TLS a.Invalid", NULL},
    {"nor whoever names us", "tcp:198.18.0.1:41000#3", MIXED_TCP, "TCP 198.18.0.1:5060", NULL},
    {"nor does UDP", "192.0.2.20:5060", MIXED_UDP, "UDP 192.0.2.20:5060", NULL},
};

static void test_a_response_goes_once_more_to_where_a_server_listens(void **state)
{
    struct fixture *f = *state;

    f->conf->trusted_n = 0;
    bind(f, "sip:bob@192.0.2.9", "192.0.2.9:5060", MIXED_UDP, 1000);
    for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        char text[300], left[200];
        snprintf(text, sizeof(text), "OPTIONS sip:bob@example.com\nVia: SIP/2.0/%s;branch=z9hG4bK%u",
                 ways[i].via, i);
        fixture_from(f, ways[i].from, ways[i].listener);
        fixture_request(f, text);
        fixture_answer(f, "192.0.2.9:5060", "OPTIONS", 200, "");
        assert_int_equal(comes_back(f, "200", ways[i].from), ways[i].then != NULL);
        snprintf(left, sizeof(left), "%s%s", ways[i].then != NULL ? "200@" : "",
                 ways[i].then != NULL ? ways[i].then : "");
        fixture_left(f, ways[i].name, left);
        if (ways[i].then == NULL)
            continue;
        assert_false(comes_back(f, "200", ways[i].then)); // and that was all
        fixture_left(f, ways[i].name, "");
    }
}

// Bytes of an INVITE with so many of padding.
static void large(struct fixture *f, const char *line, unsigned padding, const char *left)
{
    char text[4000], pad[3000];

    memset(pad, 'x', padding);
    pad[padding] = 0;
    snprintf(text, sizeof(text), "%s\nSubject: %s", line, pad);
    fixture_from(f, CALLER, MIXED_UDP);
    f->outlet->log[0] = 0;
    fixture_request(f, text);
    fixture_left(f, line, left);
}

static void test_what_is_too_large_goes_by_tcp_where_it_can(void **state)
{
    static const struct {
        const char *name, *contact, *received, *to;
    } phones[] = {
        {"an address", "sip:bob@192.0.2.9", "192.0.2.9:5060", "tcp:192.0.2.9:5060"},
        {"with a port", "sip:bob@192.0.2.9:5066", "192.0.2.9:5066", "tcp:192.0.2.9:5066"},
        {"of IPv6", "sip:bob@[2001:db8::9]", "[2001:db8::9]:5060", "tcp:[2001:db8::9]:5060"},
        {"a phone behind a NAT has UDP alone", "sip:bob@10.0.0.9", "203.0.113.9:1024", "203.0.113.9:1024"},
        {"a name was seen there, too", "sip:bob@phone.example", "203.0.113.9:1024", "203.0.113.9:1024"},
        {"a stream is one already", "sip:bob@10.0.0.9;transport=tls", PHONE, PHONE},
    };
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof(phones) / sizeof(*phones); i++) {
        char line[200], left[100], aor[40];
        struct location_binding binding = fixture_contact(phones[i].contact);
        assert_true(outlet_endpoint_read(phones[i].received, &binding.received));
        binding.listener = MIXED_UDP;
        sprintf(aor, "u%u@example.com", i);
        fixture_bind(f, aor, binding);
        sprintf(line, "OPTIONS sip:%s\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKo%u", aor, i);
        sprintf(left, "OPTIONS@%s", phones[i].to);
        large(f, line, 1300, left);
        fixture_answer(f, phones[i].to, "OPTIONS", 200, "");
    }
    assert_int_equal(f->role.grown, 3);
    f->conf->udp_max = 0; // any size
    large(f, "OPTIONS sip:u0@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKp", 1300,
          "OPTIONS@192.0.2.9:5060");
    fixture_answer(f, "192.0.2.9:5060", "OPTIONS", 200, "");
}

static void test_the_size_is_that_of_what_leaves(void **state)
{
    struct fixture *f = *state;
    unsigned udp = 0, by_tcp = 0;

    bind(f, "sip:bob@192.0.2.9", "192.0.2.9:5060", MIXED_UDP, 1000);
    for (unsigned padding = 700; padding < 1100; padding++) {
        char text[2000], pad[1200];
        memset(pad, 'x', padding);
        pad[padding] = 0;
        sprintf(text, "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK%u\nSubject: %s",
                padding, pad);
        fixture_request(f, text);
        bool tcp = f->verdict.to.transport == ENDPOINT_TCP;
        assert_int_equal(f->verdict.listener, tcp ? MIXED_TCP : MIXED_UDP);
        if (tcp) // by UDP it would have left without the words for TCP: in Via, and twice in Record-Route
            assert_true(f->out.len > f->conf->udp_max);
        else
            assert_true(f->out.len <= f->conf->udp_max);
        udp = tcp ? udp : f->out.len;
        by_tcp += tcp;
    }
    assert_int_equal(udp, f->conf->udp_max); // the last byte was made use of
    assert_true(by_tcp > 100);
}

static void test_where_tcp_leads_nowhere_it_goes_by_udp_after_all(void **state)
{
    static const char invite[] = "INVITE sip:+491@example.com\nContact: <sip:alice@192.0.2.4>";
    struct fixture *f = *state;

    large(f, invite, 1300, "100@" CALLER " INVITE@tcp:192.0.2.50:5070");
    fixture_expect(f, "says so",
                   "forward tcp:192.0.2.50:5070 by 1\n+Via: SIP/2.0/TCP 198.18.0.1:5060;branch=BRANCH\n"
                   "+Record-Route: <sip:FLOW@198.18.0.1:5060;transport=tcp;lr>");
    assert_true(comes_back(f, "INVITE", "tcp:192.0.2.50:5070"));
    fixture_left(f, "by UDP", "INVITE@192.0.2.50:5070");
    struct endpoint gateway = endpoint_ip4(192, 0, 2, 50, 5070);
    const struct sent *sent = outlet_find(f->outlet, &gateway, "INVITE");
    assert_non_null(strstr(sent->bytes, "\r\nVia: SIP/2.0/UDP 198.18.0.1:5060;branch="));
    assert_null(strstr(sent->bytes, "transport=tcp"));
    assert_int_equal(sent->listener, MIXED_UDP);
    assert_int_equal(f->role.grown, 1);
    assert_int_equal(f->role.shrunk, 1);
    fixture_advance(f, 510);
    fixture_left(f, "and again, as UDP needs it", "INVITE@192.0.2.50:5070");
    fixture_answer(f, "192.0.2.50:5070", "INVITE", 180, "");
    fixture_answer(f, "192.0.2.50:5070", "INVITE", 200, "");
    fixture_left(f, "as any other", "180@" CALLER " 200@" CALLER);
}

static void test_who_answered_by_tcp_is_not_asked_by_udp(void **state)
{
    struct fixture *f = *state;

    large(f, "INVITE sip:+491@example.com", 1300, "100@" CALLER " INVITE@tcp:192.0.2.50:5070");
    fixture_answer(f, "tcp:192.0.2.50:5070", "INVITE", 503, "");
    fixture_left(f, "503", "ACK@tcp:192.0.2.50:5070 500@" CALLER);
    bind(f, "sip:bob@192.0.2.9", "192.0.2.9:5060", MIXED_UDP, 1000);
    large(f, "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKb", 1300,
          "100@" CALLER " INVITE@tcp:192.0.2.9:5060");
    fixture_answer(f, "tcp:192.0.2.9:5060", "INVITE", 486, "");
    fixture_left(f, "486", "ACK@tcp:192.0.2.9:5060 486@" CALLER);
    assert_int_equal(f->role.shrunk, 0);
}

static void test_its_cancel_goes_the_same_way(void **state)
{
    struct fixture *f = *state;

    large(f, "INVITE sip:+491@example.com", 1300, "100@" CALLER " INVITE@tcp:192.0.2.50:5070");
    fixture_answer(f, "tcp:192.0.2.50:5070", "INVITE", 180, "");
    f->outlet->log[0] = 0;
    fixture_request(f, "CANCEL sip:+491@example.com");
    fixture_left(f, "CANCEL", "CANCEL@tcp:192.0.2.50:5070 200@" CALLER);
    fixture_advance(f, 20000);
    fixture_left(f, "once", "");
    fixture_answer(f, "tcp:192.0.2.50:5070", "INVITE", 487, "");
    fixture_left(f, "487", "ACK@tcp:192.0.2.50:5070 487@" CALLER);
}

// Both of a fork shrink, each when its connection fails, while the other goes on.
static void test_forks_shrink_each_by_itself(void **state)
{
    struct fixture *f = *state;

    bind(f, "sip:bob@192.0.2.8", "192.0.2.8:5060", MIXED_UDP, 1000);
    bind(f, "sip:bob@192.0.2.9", "192.0.2.9:5060", MIXED_UDP, 1000);
    large(f, "INVITE sip:bob@example.com", 1300,
          "100@" CALLER " INVITE@tcp:192.0.2.8:5060 INVITE@tcp:192.0.2.9:5060");
    assert_true(comes_back(f, "INVITE", "tcp:192.0.2.9:5060"));
    fixture_left(f, "one", "INVITE@192.0.2.9:5060");
    assert_true(comes_back(f, "INVITE", "tcp:192.0.2.8:5060"));
    fixture_left(f, "the other", "INVITE@192.0.2.8:5060");
    fixture_answer(f, "192.0.2.9:5060", "INVITE", 486, "");
    fixture_answer(f, "192.0.2.8:5060", "INVITE", 603, "");
    fixture_left(f, "both said no", "ACK@192.0.2.9:5060 ACK@192.0.2.8:5060 603@" CALLER);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_phone_whose_connection_is_gone_is_not_there),
        TEST(test_the_next_phone_is_rung_at_once),
        TEST(test_others_that_ring_go_on_ringing),
        TEST(test_a_dialog_along_a_connection_that_is_gone_is_430),
        TEST(test_a_peer_that_listens_is_connected_to_again),
        TEST(test_servers_that_no_connection_leads_to_fail_as_others),
        TEST(test_a_response_goes_once_more_to_where_a_server_listens),
        TEST(test_what_is_too_large_goes_by_tcp_where_it_can),
        TEST(test_the_size_is_that_of_what_leaves),
        TEST(test_where_tcp_leads_nowhere_it_goes_by_udp_after_all),
        TEST(test_who_answered_by_tcp_is_not_asked_by_udp),
        TEST(test_its_cancel_goes_the_same_way),
        TEST(test_forks_shrink_each_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
