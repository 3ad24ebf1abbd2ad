// Loose and strict routing: RFC 3261 16.4, 16.6 step 6 and 16.12, RFC 5658, and what strangers may not do
// with Route.
#include "fixture.h"

#include <string.h>

#define IN_DIALOG "To: <sip:bob@example.com>;tag=b1\n"
#define STRANGER  "From: <sip:eve@else.example>;tag=e1\n"
#define ELSEWHERE "203.0.113.66:5060" // nobody trusts it

static int set_up(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 1);

    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static const struct fixture_case loose[] = {
    {"our Route is removed and the request-URI followed", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1:5060;lr>",
     "forward 192.0.2.9:5060 by 0\n+BYE sip:bob@192.0.2.9 SIP/2.0\n-Route"},
    {"whoever it is from", NULL, "BYE sip:bob@192.0.2.9\n" IN_DIALOG STRANGER "Route: <sip:198.18.0.1;lr>",
     "forward 192.0.2.9:5060 by 0\n-Route"},
    {"both values of a double Record-Route go, and the second says by which listener", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>\nRoute: <sip:198.18.1.1;lr>",
     "forward 192.0.2.9:5060 by 1\n-Route"},
    {"from IPv4 to IPv6 and by the right listener", NULL,
     "BYE sip:bob@[2001:db8::9]\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>, <sip:[2001:DB8::1];lr>",
     "forward [2001:db8::9]:5060 by 2\n-Route"},
    {"the next value is the next hop and stays", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr> , <sip:192.0.2.40:5090;lr>",
     "forward 192.0.2.40:5090 by 0\n+BYE sip:bob@192.0.2.9 SIP/2.0\n+Route: <sip:192.0.2.40:5090;lr>"},
    {"in lines of their own", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>\nRoute: \"P\" <sip:192.0.2.40;lr>;x=1, "
     "<sip:192.0.2.41;lr>\nRoute: <sip:192.0.2.42;lr>",
     "forward 192.0.2.40:5060 by 0\n-Route: <sip:198.18.0.1\n"
     "+Route: \"P\" <sip:192.0.2.40;lr>;x=1, <sip:192.0.2.41;lr>\n+Route: <sip:192.0.2.42;lr>"},
    {"a value of ours behind another's stays", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>,<sip:192.0.2.40;lr>,<sip:198.18.0.1;lr>",
     "forward 192.0.2.40:5060 by 0\n+Route: <sip:192.0.2.40;lr>,<sip:198.18.0.1;lr>"},
    {"a domain name of ours is us, too", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:example.com;lr>",
     "forward 192.0.2.9:5060 by 0\n-Route"},
    {"an address of ours with another port is not", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>, <sip:198.18.0.1:5099;lr>",
     "forward 198.18.0.1:5099 by 0\n+Route: <sip:198.18.0.1:5099;lr>"},
    {"a next hop that is a name is asked for", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>, <sip:proxy.example;lr>",
     "park proxy.example"},
    {"a broken value is 400", NULL, "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Route"},
    {"a value with headers is 400", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:192.0.2.40?Subject=x>",
     "reply 400 192.0.2.4:5060 by 0"},
    {"the ACK to a 2xx follows its Route", NULL,
     "ACK sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>", "forward 192.0.2.9:5060 by 0\n-Route"},
    {"a static route does not turn a remote target aside", NULL,
     "BYE sip:+44123@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>", "forward 192.0.2.9:5060 by 0"},
    {"in a dialog, for us, without a Route of ours is 404", NULL, "BYE sip:bob@example.com\n" IN_DIALOG,
     "reply 404 192.0.2.4:5060 by 0\n+SIP/2.0 404 Not In A Dialog Of This Server"},
    {"an ACK without Route goes where its INVITE went", NULL, "ACK sip:bob@example.com\n" IN_DIALOG,
     "forward 192.0.2.9:5060 by 0"},
    {"a stranger's in-dialog request without our Route is not relayed", ELSEWHERE,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG STRANGER, "reply 403 203.0.113.66:5060 by 0"},
};

static void test_loose_routing(void **state)
{
    FIXTURE_RUN(*state, loose);
}

static const struct fixture_case preloaded[] = {
    {"a Route to us alone is an outbound proxy's", NULL,
     "INVITE sip:x@192.0.2.77\nRoute: <sip:198.18.0.1;lr>", "forward 192.0.2.77:5060 by 0\n-Route"},
    {"it gives a stranger no rights", ELSEWHERE, "INVITE sip:x@192.0.2.77\nRoute: <sip:198.18.0.1;lr>",
     "reply 403 203.0.113.66:5060 by 0"},
    {"nor does one beyond us", ELSEWHERE,
     "INVITE sip:x@192.0.2.77\nRoute: <sip:198.18.0.1;lr>, <sip:192.0.2.40;lr>",
     "reply 403 203.0.113.66:5060 by 0"},
    {"that of who is trusted is followed", NULL,
     "INVITE sip:x@192.0.2.77\n" STRANGER "Route: <sip:198.18.0.1;lr>, <sip:192.0.2.40;lr>",
     "forward 192.0.2.40:5060 by 0\n+Route: <sip:192.0.2.40;lr>"},
    {"on the way to our own user it is removed", NULL,
     "INVITE sip:bob@example.com\nRoute: <sip:198.18.0.1;lr>, <sip:192.0.2.40;lr>\nRoute: "
     "<sip:192.0.2.41;lr>",
     "forward 192.0.2.9:5060 by 0\n+INVITE sip:bob@192.0.2.9 SIP/2.0\n-Route"},
    {"and its ACK goes the same way", NULL,
     "ACK sip:bob@example.com\n" IN_DIALOG
     "Route: <sip:198.18.0.1;lr>, <sip:192.0.2.40;lr>\nRoute: <sip:192.0.2.41;lr>",
     "forward 192.0.2.9:5060 by 0\n-Route"},
};

static void test_preloaded_route(void **state)
{
    FIXTURE_RUN(*state, preloaded);
}

static const struct fixture_case strict[] = {
    {"a strict router's request gets its last Route back as request-URI", NULL,
     "BYE sip:198.18.0.1:5060;lr\n" IN_DIALOG "Route: <sip:192.0.2.40;lr>, <sip:bob@192.0.2.9>",
     "forward 192.0.2.40:5060 by 0\n+BYE sip:bob@192.0.2.9 SIP/2.0\n+Route: <sip:192.0.2.40;lr>"},
    {"in a line of its own", NULL,
     "BYE sip:198.18.0.1:5060;lr\n" IN_DIALOG "Route: <sip:192.0.2.40;lr>\nRoute: <sip:bob@192.0.2.9>",
     "forward 192.0.2.40:5060 by 0\n+BYE sip:bob@192.0.2.9 SIP/2.0\n+Route: <sip:192.0.2.40;lr>\n-Route: "
     "<sip:bob"},
    {"and alone", NULL, "BYE sip:198.18.0.1:5060;lr\n" IN_DIALOG "Route: <sip:bob@192.0.2.9>",
     "forward 192.0.2.9:5060 by 0\n+BYE sip:bob@192.0.2.9 SIP/2.0\n-Route"},
    {"with our second value on top of the rest", NULL,
     "BYE sip:198.18.0.1;lr\n" IN_DIALOG "Route: <sip:[2001:db8::1];lr>, <sip:bob@[2001:db8::9]>",
     "forward [2001:db8::9]:5060 by 2\n+BYE sip:bob@[2001:db8::9] SIP/2.0\n-Route"},
    {"without lr it was not our Record-Route", NULL,
     "BYE sip:198.18.0.1:5060\n" IN_DIALOG "Route: <sip:bob@192.0.2.9>", "reply 404 192.0.2.4:5060 by 0"},
    {"a next hop without lr gets its own URI first and the target last", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>, <sip:192.0.2.40>, <sip:192.0.2.41;lr>",
     "forward 192.0.2.40:5060 by 0\n+BYE sip:192.0.2.40 SIP/2.0\n+Route: <sip:192.0.2.41;lr>\n"
     "+Route: <sip:bob@192.0.2.9>\n-Route: <sip:198.18.0.1\n-Route: <sip:192.0.2.40"},
    {"when it is the only one left", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>\nRoute: <sip:192.0.2.40:5070>",
     "forward 192.0.2.40:5070 by 0\n+BYE sip:192.0.2.40:5070 SIP/2.0\n+Route: <sip:bob@192.0.2.9>"},
    {"from one strict router to the next", NULL,
     "BYE sip:198.18.0.1;lr\n" IN_DIALOG "Route: <sip:192.0.2.40>, <sip:bob@192.0.2.9>",
     "forward 192.0.2.40:5060 by 0\n+BYE sip:192.0.2.40 SIP/2.0\n+Route: <sip:bob@192.0.2.9>"},
};

static void test_strict_routing(void **state)
{
    FIXTURE_RUN(*state, strict);
}

static const struct fixture_case maddrs[] = {
    {"a maddr of ours, on its port, is stripped with transport", NULL,
     "OPTIONS sip:bob@192.0.2.77;maddr=198.18.0.1;transport=UDP;x=1",
     "forward 192.0.2.77:5060 by 0\n+OPTIONS sip:bob@192.0.2.77;x=1 SIP/2.0"},
    {"and the domain is then ours", NULL, "OPTIONS sip:bob@example.com;a=1;maddr=198.18.0.1",
     "forward 192.0.2.9:5060 by 0\n+OPTIONS sip:bob@192.0.2.9 SIP/2.0"},
    {"a domain of ours as maddr", NULL, "OPTIONS sip:bob@192.0.2.77:5060;maddr=example.net",
     "forward 192.0.2.77:5060 by 0\n+OPTIONS sip:bob@192.0.2.77:5060 SIP/2.0"},
    {"another port of ours would have to be sent to ourselves", NULL,
     "OPTIONS sip:bob@192.0.2.77;maddr=198.18.1.1;transport=tcp", "reply 404 192.0.2.4:5060 by 0"},
};

static void test_maddr_in_the_request_uri(void **state)
{
    FIXTURE_RUN(*state, maddrs);
}

static void test_too_many_route_values_are_refused(void **state)
{
    struct fixture *f = *state;
    char request[8000] = "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: <sip:198.18.0.1;lr>";

    for (unsigned i = 1; i < 70; i++)
        strcat(request, ",<sip:192.0.2.40;lr>");
    fixture_request(f, request);
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.40:5060 by 0");
    strcat(request, ",<sip:192.0.2.40;lr>");
    fixture_request(f, request);
    assert_string_equal(fixture_verdict(f), "reply 400 192.0.2.4:5060 by 0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_loose_routing),
        TEST(test_preloaded_route),
        TEST(test_strict_routing),
        TEST(test_maddr_in_the_request_uri),
        TEST(test_too_many_route_values_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
