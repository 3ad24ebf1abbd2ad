// What is wrong with a message becomes an answer or a counted drop (RFC 3261 8.2, 16.3, 18.2), and where
// answers go.
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static int set_up(void **state)
{
    *state = fixture_open(fixture_conf, 1);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static const struct fixture_case cases[] = {
    {"no Call-ID is 400", NULL, "INVITE sip:bob@example.com\n-Call-ID",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Missing Call-ID"},
    {"no From is 400", NULL, "INVITE sip:bob@example.com\n-From", "reply 400 192.0.2.4:5060 by 0"},
    {"no To is 400", NULL, "INVITE sip:bob@example.com\n-To", "reply 400 192.0.2.4:5060 by 0"},
    {"no CSeq is 400", NULL, "INVITE sip:bob@example.com\n-CSeq", "reply 400 192.0.2.4:5060 by 0"},
    {"no Via cannot be answered", NULL, "INVITE sip:bob@example.com\n-Via", "drop PARSE"},
    {"a broken Via cannot be answered", NULL, "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP", "drop PARSE"},
    {"a Via broken behind its sent-by is 400, and given back as it came", "192.0.2.4:9000",
     "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP 10.0.0.1:5070;rport;;received=1",
     "reply 400 192.0.2.4:9000 by 0\n+SIP/2.0 400 Malformed Via\n+Via: SIP/2.0/UDP "
     "10.0.0.1:5070;rport;;received=1"},
    {"headers in the request-URI are 400", NULL, "INVITE sip:bob@example.com?Subject=x",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Request-URI"},
    {"a broken second Via is not looked at", NULL,
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 192.0.2.4\nVia: garbage", "reply 200 192.0.2.4:5060 by 0"},
    {"a broken From is 400", NULL, "INVITE sip:bob@example.com\nFrom: <sip:alice@example.com",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed From"},
    {"a broken To is 400", NULL, "INVITE sip:bob@example.com\nTo: \"Bob <sip:bob@example.com>",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed To"},
    {"two From are 400", NULL,
     "INVITE sip:bob@example.com\nFrom: <sip:alice@example.com>;tag=1\nFrom: <sip:alice@example.com>;tag=2",
     "reply 400 192.0.2.4:5060 by 0"},
    {"a CSeq of another method is 400", NULL, "INVITE sip:bob@example.com\nCSeq: 1 BYE",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 CSeq Method Does Not Match"},
    {"a CSeq of another unknown method is 501", NULL, "FOO sip:bob@example.com\nCSeq: 1 BAR",
     "reply 501 192.0.2.4:5060 by 0"},
    {"a CSeq of 2**31 is 400", NULL, "INVITE sip:bob@example.com\nCSeq: 2147483648 INVITE",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed CSeq"},
    {"a broken Max-Forwards is 400", NULL, "INVITE sip:bob@example.com\nMax-Forwards: many",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Max-Forwards"},
    {"a broken request-URI is 400", NULL, "INVITE sip:bob@[::1\n", "reply 400 192.0.2.4:5060 by 0"},
    {"an unknown scheme is 416", NULL, "INVITE nobody:knows", "reply 416 192.0.2.4:5060 by 0"},
    {"sips has no TLS to go by and is 416", NULL, "INVITE sips:bob@example.com",
     "reply 416 192.0.2.4:5060 by 0"},
    {"a body shorter than announced is 400", NULL, "INVITE sip:bob@example.com\nContent-Length: 5",
     "reply 400 192.0.2.4:5060 by 0"},
    {"an ACK is never answered", NULL, "ACK sip:bob@example.com\n-Call-ID", "drop ACK_UNROUTABLE"},
    {"nor with a broken To", NULL, "ACK sip:bob@example.com\nTo: <", "drop ACK_UNROUTABLE"},
    {"a scanner is dropped in silence", NULL, "OPTIONS sip:example.com\nUser-Agent: friendly-scanner",
     "drop SCANNER"},
    {"a scanner in another case and with a version", NULL,
     "REGISTER sip:example.com\nUser-Agent: SIPVicious/0.3", "drop SCANNER"},
    {"a scanner whose message is broken", NULL, "OPTIONS sip:example.com\n-From\nUser-Agent: sipcli",
     "drop SCANNER"},
    {"a scanner's name inside of another is none", NULL, "OPTIONS sip:example.com\nUser-Agent: not sipcli",
     "reply 200 192.0.2.4:5060 by 0"},
    {"a User-Agent that begins like a scanner's is none", NULL, "OPTIONS sip:example.com\nUser-Agent: sip",
     "reply 200 192.0.2.4:5060 by 0"},
};

static void test_what_is_wrong(void **state)
{
    FIXTURE_RUN(*state, cases);
}

static void test_version_is_505(void **state)
{
    struct fixture *f = *state;

    fixture_text(f,
                 "INVITE sip:bob@example.com SIP/7.0\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\n"
                 "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>\nCall-ID: 1\nCSeq: 1 INVITE\n\n");
    fixture_expect(f, "505", "reply 505 192.0.2.4:5060 by 0\n+SIP/2.0 505 Version Not Supported");
}

static void test_what_is_no_message_is_dropped(void **state)
{
    struct fixture *f = *state;

    fixture_text(f, "\n\n");
    assert_string_equal(fixture_verdict(f), "drop KEEPALIVE");
    fixture_text(f, "hello\n\n");
    assert_string_equal(fixture_verdict(f), "drop PARSE");
    fixture_bytes(f, "", 0);
    assert_int_equal(f->verdict.kind, VERDICT_DROP);
}

// `len` bytes of 'x' in the place of "%s".
static void request_with_long(struct fixture *f, const char *format, int len)
{
    static char text[4000], request[6000];

    memset(text, 'x', (size_t)len);
    text[len] = 0;
    snprintf(request, sizeof(request), format, text);
    fixture_request(f, request);
}

static void test_long_request_uri_is_414(void **state)
{
    struct fixture *f = *state;
    int host = (int)strlen("sip:@example.com");

    request_with_long(f, "INVITE sip:%s@example.com", 513 - host);
    assert_string_equal(fixture_verdict(f), "reply 414 192.0.2.4:5060 by 0");
    request_with_long(f, "INVITE sip:%s@example.com", 512 - host);
    assert_string_equal(fixture_verdict(f), "reply 404 192.0.2.4:5060 by 0");
}

static void test_long_message_is_513(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;

    changed.message_max = 2000;
    f->role.conf = &changed;
    request_with_long(f, "OPTIONS sip:example.com\nSubject: %s", 2000);
    assert_string_equal(fixture_verdict(f), "reply 513 192.0.2.4:5060 by 0");
    request_with_long(f, "OPTIONS sip:example.com\nSubject: %s", 1000);
    assert_string_equal(fixture_verdict(f), "reply 200 192.0.2.4:5060 by 0");
}

// Via, source; the Via in the answer and where that goes. RFC 3261 18.2.1 and 18.2.2, RFC 3581 4.
static const struct fixture_case vias[] = {
    {"sent-by is the source", "192.0.2.4:5060",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1",
     "reply 200 192.0.2.4:5060 by 0\n+Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1"},
    {"the port of sent-by, not of the source", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1",
     "reply 200 192.0.2.4:5070 by 0\n+Via: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1"},
    {"another address gets received", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1",
     "reply 200 192.0.2.4:5070 by 0\n+Via: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;received=192.0.2.4"},
    {"a name gets received", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nv: SIP/2.0/UDP pc.example;branch=z9hG4bK1\n-Via",
     "reply 200 192.0.2.4:5060 by 0\n+v: SIP/2.0/UDP pc.example;branch=z9hG4bK1;received=192.0.2.4"},
    {"rport asked for gets the port, and received always", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 192.0.2.4:5060;rport;branch=z9hG4bK1",
     "reply 200 192.0.2.4:9000 by 0\n"
     "+Via: SIP/2.0/UDP 192.0.2.4:5060;rport=9000;branch=z9hG4bK1;received=192.0.2.4"},
    {"a forged received and rport are put right", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 192.0.2.4;received=203.0.113.1;rport=1;branch=z9hG4bK1",
     "reply 200 192.0.2.4:9000 by 0\n+Via: SIP/2.0/UDP "
     "192.0.2.4;received=192.0.2.4;rport=9000;branch=z9hG4bK1"},
    {"only the first of a comma list is stamped", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1 , SIP/2.0/UDP b.example;rport",
     "reply 200 192.0.2.4:5060 by 0\n"
     "+Via: SIP/2.0/UDP a.example;branch=z9hG4bK1;received=192.0.2.4 , SIP/2.0/UDP b.example;rport"},
    {"maddr takes the answer", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 192.0.2.4:5070;maddr=192.0.2.9;branch=z9hG4bK1",
     "reply 200 192.0.2.9:5070 by 0"},
    {"a multicast maddr does not", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 192.0.2.4:5070;maddr=224.0.1.75;branch=z9hG4bK1",
     "reply 200 192.0.2.4:5070 by 0"},
    {"a maddr of the other family does not", "192.0.2.4:9000",
     "OPTIONS sip:example.com\nVia: SIP/2.0/UDP 192.0.2.4;maddr=[2001:db8::9];branch=z9hG4bK1",
     "reply 200 192.0.2.4:5060 by 0"},
};

static void test_where_answers_go(void **state)
{
    FIXTURE_RUN(*state, vias);
}

static void test_received_has_no_brackets_around_ipv6(void **state)
{
    struct fixture *f = *state;

    fixture_from(f, "[2001:db8::4]:9000", 2);
    fixture_request(f, "OPTIONS sip:example.com\nVia: SIP/2.0/UDP [2001:db8::5]:5060;rport;branch=z9hG4bK1");
    fixture_expect(f, "IPv6",
                   "reply 200 [2001:db8::4]:9000 by 2\n"
                   "+Via: SIP/2.0/UDP [2001:db8::5]:5060;rport=9000;branch=z9hG4bK1;received=2001:db8::4");
    fixture_request(f, "OPTIONS sip:example.com\nVia: SIP/2.0/UDP [2001:DB8:0::4]:5060;branch=z9hG4bK1");
    fixture_expect(f, "another spelling",
                   "reply 200 [2001:db8::4]:5060 by 2\n"
                   "+Via: SIP/2.0/UDP [2001:DB8:0::4]:5060;branch=z9hG4bK1");
}

static void test_tag_is_the_same_for_a_retransmission_and_another_for_another_call(void **state)
{
    struct fixture *f = *state;
    char first[1024], again[1024];

    fixture_request(f, "INVITE sip:nobody@example.com");
    fixture_line(f, "To: ", first);
    fixture_request(f, "INVITE sip:nobody@example.com");
    assert_string_equal(first, fixture_line(f, "To: ", again));
    fixture_request(f, "INVITE sip:nobody@example.com\nCall-ID: c2");
    assert_string_not_equal(first, fixture_line(f, "To: ", again));
    fixture_request(f, "INVITE sip:nobody@example.com\nCSeq: 2 INVITE");
    assert_string_not_equal(first, fixture_line(f, "To: ", again));
}

static void test_a_to_tag_that_is_there_stays(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, "BYE sip:bob@example.com\nTo: <sip:bob@example.com>;tag=b1");
    fixture_expect(f, "tag", "reply 404 192.0.2.4:5060 by 0\n+To: <sip:bob@example.com>;tag=b1");
}

static void test_server_header_as_configured(void **state)
{
    (void)state;
    char text[4096];

    snprintf(text, sizeof(text), "%s", fixture_conf);
    char *line = strstr(text, "server_header =\n");
    memcpy(line, "server_header=x\n", 16);
    struct fixture *f = fixture_open(text, 1);
    fixture_request(f, "INVITE sip:nobody@example.com");
    fixture_expect(f, "404", "reply 404 192.0.2.4:5060 by 0\n+Server: x");
    fixture_request(f, "REGISTER sip:example.com");
    fixture_expect(f, "200",
                   "reply 200 192.0.2.4:5060 by 0\n+Server: x\n+Date: Sat, 13 Nov 2010 23:29:00 GMT");
    fixture_close(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_wrong),
        TEST(test_version_is_505),
        TEST(test_what_is_no_message_is_dropped),
        TEST(test_long_request_uri_is_414),
        TEST(test_long_message_is_513),
        TEST(test_where_answers_go),
        TEST(test_received_has_no_brackets_around_ipv6),
        TEST(test_tag_is_the_same_for_a_retransmission_and_another_for_another_call),
        TEST(test_a_to_tag_that_is_there_stays),
        cmocka_unit_test(test_server_header_as_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
