// Responses on their way back: RFC 3261 16.11 and 18.2.2, RFC 3581 4.
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define OURS "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKstg.000001ffffffffaaaaaaaaaaaaaaaabbbbbbbb"
#define REST "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>;tag=2\nCall-ID: 1\nCSeq: 1 INVITE\n"

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

// The Via lines of a 200 and the summary. The branch says that the request came in on listener 1.
static const struct {
    const char *name, *vias, *summary;
} cases[] = {
    {"the next Via in a line of its own", "Via: " OURS "\nVia: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1\n",
     "forward 192.0.2.4:5070 by 1\n+Via: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1\n-Via: SIP/2.0/UDP 198"},
    {"the next Via in the same line",
     "v: " OURS ", SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1 , SIP/2.0/UDP 192.0.2.5\n",
     "forward 192.0.2.4:5060 by 1\n+v: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1 , SIP/2.0/UDP 192.0.2.5"},
    {"not the first header field", "Foo: y\nVia: " OURS "\nFoo: z\nVia: SIP/2.0/UDP 192.0.2.4\n",
     "forward 192.0.2.4:5060 by 1\n+Foo: y\n+Foo: z\n+Via: SIP/2.0/UDP 192.0.2.4\n-Via: SIP/2.0/UDP 198"},
    {"received, with the port of sent-by",
     "Via: " OURS "\nVia: SIP/2.0/UDP pc.example:5070;received=192.0.2.4\n", "forward 192.0.2.4:5070 by 1"},
    {"received and rport", "Via: " OURS "\nVia: SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.4;rport=9000\n",
     "forward 192.0.2.4:9000 by 1"},
    {"maddr before both",
     "Via: " OURS "\nVia: SIP/2.0/UDP 10.0.0.1:5070;maddr=192.0.2.8;received=192.0.2.4;rport=9000\n",
     "forward 192.0.2.8:5070 by 1"},
    {"a name alone cannot be reached", "Via: " OURS "\nVia: SIP/2.0/UDP pc.example\n",
     "drop RESPONSE_UNREACHABLE"},
    {"a multicast address is not answered", "Via: " OURS "\nVia: SIP/2.0/UDP 192.0.2.4;maddr=224.0.1.75\n",
     "drop RESPONSE_UNREACHABLE"},
    {"an address that the listener cannot reach", "Via: " OURS "\nVia: SIP/2.0/UDP [2001:db8::9]\n",
     "drop RESPONSE_UNREACHABLE"},
    {"only our Via: meant for us, who asked nothing", "Via: " OURS "\n", "drop RESPONSE_NO_VIA"},
    {"another's address on top",
     "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKstg.000001ffffffffaaaaaaaaaaaaaaaabbbbbbbb\n",
     "drop RESPONSE_NOT_OURS"},
    {"our address and another port",
     "Via: SIP/2.0/UDP 198.18.0.1:5061;branch=z9hG4bKstg.000001ffffffffaaaaaaaaaaaaaaaabbbbbbbb\nVia: "
     "SIP/2.0/UDP "
     "a\n",
     "drop RESPONSE_NOT_OURS"},
    {"a branch that is not of our form",
     "Via: SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bK1\nVia: SIP/2.0/UDP a\n", "drop RESPONSE_NOT_OURS"},
    {"no branch at all", "Via: SIP/2.0/UDP 198.18.0.1:5060\nVia: SIP/2.0/UDP a\n", "drop RESPONSE_NOT_OURS"},
    {"a listener that does not exist",
     "Via: SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKstg.000003ffffffffaaaaaaaaaaaaaaaabbbbbbbb\nVia: "
     "SIP/2.0/UDP "
     "a\n",
     "drop RESPONSE_NOT_OURS"},
    {"garbage on top", "Via: garbage\nVia: SIP/2.0/UDP 192.0.2.4\n", "drop RESPONSE_MALFORMED"},
    {"garbage below", "Via: " OURS "\nVia: garbage\n", "drop RESPONSE_MALFORMED"},
    {"garbage below in the same line", "Via: " OURS ", garbage\n", "drop RESPONSE_MALFORMED"},
    {"no Via", "", "drop RESPONSE_MALFORMED"},
    {"our Via as IPv6, in another spelling",
     "Via: SIP/2.0/UDP [2001:DB8::0:1];branch=z9hG4bKstg.000001ffffffffaaaaaaaaaaaaaaaabbbbbbbb\n"
     "Via: SIP/2.0/UDP 192.0.2.4\n",
     "forward 192.0.2.4:5060 by 1"},
};

static void test_responses(void **state)
{
    struct fixture *f = *state;
    char text[2048];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text), "SIP/2.0 200 OK\n%s" REST "\n", cases[i].vias);
        fixture_text(f, text);
        fixture_expect(f, cases[i].name, cases[i].summary);
    }
}

static void test_malformed_response_is_dropped(void **state)
{
    struct fixture *f = *state;

    fixture_text(f, "SIP/2.0 200 OK\nVia: " OURS "\nVia: SIP/2.0/UDP 192.0.2.4\n" REST
                    "Content-Length: 10\n\nshort");
    assert_string_equal(fixture_verdict(f), "drop RESPONSE_MALFORMED");
    fixture_text(f, "SIP/2.0 200 OK\nVia: " OURS "\nVia: SIP/2.0/UDP 192.0.2.4\nTo: <sip:b@example.com>\n\n");
    assert_string_equal(fixture_verdict(f), "drop RESPONSE_MALFORMED");
    fixture_text(
        f,
        "SIP/2.0 200 OK\nVia: " OURS "\nVia: SIP/2.0/UDP 192.0.2.4\n"
        "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>\nCall-ID: 1\nCSeq: 2147483648 INVITE\n\n");
    assert_string_equal(fixture_verdict(f), "drop RESPONSE_MALFORMED");
}

static void test_only_the_via_goes(void **state)
{
    struct fixture *f = *state;

    fixture_text(f, "SIP/2.0 183 Ringing soon\nRecord-Route: <sip:198.18.0.1:5060;lr>\nVia: " OURS
                    "\nVia: SIP/2.0/UDP 192.0.2.4\n" REST "Content-Length: 5\n\nhello");
    assert_string_equal(f->text, "SIP/2.0 183 Ringing soon\nRecord-Route: <sip:198.18.0.1:5060;lr>\n"
                                 "Via: SIP/2.0/UDP 192.0.2.4\n" REST "Content-Length: 5\n\nhello");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_responses),
        TEST(test_malformed_response_is_dropped),
        TEST(test_only_the_via_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
