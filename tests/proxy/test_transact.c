// Which request belongs to which server transaction: RFC 3261 17.2.3.
#include "fixture.h"

#include <stdio.h>

#define BOB    "192.0.2.9:5062"
#define INVITE "INVITE sip:bob@example.com\n"

static const char conf[] = "[server]\nserver_header =\n"
                           "[port p]\ndevice = net_null0\n"
                           "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
                           "[domain example.com]\n";

static int set_up(void **state)
{
    struct fixture *f = fixture_open(conf, 1);

    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@" BOB));
    fixture_bind(f, "quick@example.com", fixture_contact("sip:quick@" BOB));
    fixture_stateful(f, 64);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

// 17.2.3: another sent-by is another transaction; case and the default port are not another one.
static void test_branch_and_sent_by_match(void **state)
{
    static const struct {
        const char *name, *via;
        bool same;
    } cases[] = {
        {"the same", "Via: SIP/2.0/UDP pc.example;branch=z9hG4bKx", true},
        {"host in another case", "Via: SIP/2.0/UDP PC.Example;branch=z9hG4bKx", true},
        {"default port written", "Via: SIP/2.0/UDP pc.example:5060;branch=z9hG4bKx", true},
        {"another parameter", "Via: SIP/2.0/UDP pc.example;rport;branch=z9hG4bKx", true},
        {"another host", "Via: SIP/2.0/UDP pc2.example;branch=z9hG4bKx", false},
        {"another port", "Via: SIP/2.0/UDP pc.example:5070;branch=z9hG4bKx", false},
        {"another branch", "Via: SIP/2.0/UDP pc.example;branch=z9hG4bKX", false},
    };
    struct fixture *f = *state;
    char text[512];

    fixture_request(f, "MESSAGE sip:bob@example.com\nVia: SIP/2.0/UDP pc.example;branch=z9hG4bKx");
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text), "MESSAGE sip:bob@example.com\n%s", cases[i].via);
        fixture_request(f, text);
        if (cases[i].same != (f->verdict.kind == VERDICT_DROP))
            fail_msg("%s: %s", cases[i].name, fixture_verdict(f));
    }
    fixture_request(f, "INFO sip:bob@example.com\nVia: SIP/2.0/UDP pc.example;branch=z9hG4bKx");
    assert_int_equal(f->verdict.kind, VERDICT_FORWARD); // another method
}

#define OLD "Via: SIP/2.0/UDP old.example:5070\n"

// 17.2.3 without the cookie.
static void test_rfc_2543_matches_by_what_tells_requests_apart(void **state)
{
    static const struct {
        const char *name, *request;
        bool same;
    } cases[] = {
        {"again", INVITE OLD, true},
        {"another top Via", INVITE "Via: SIP/2.0/UDP old.example:5071\n", false},
        {"another Call-ID", INVITE OLD "Call-ID: other", false},
        {"another CSeq", INVITE OLD "CSeq: 2 INVITE", false},
        {"another From tag", INVITE OLD "From: <sip:alice@example.com>;tag=other", false},
        {"another request-URI", "INVITE sip:quick@example.com\n" OLD, false},
    };
    struct fixture *f = *state;

    fixture_request(f, INVITE OLD);
    assert_int_equal(f->verdict.kind, VERDICT_FORWARD);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        fixture_request(f, cases[i].request);
        if (cases[i].same != (f->verdict.kind == VERDICT_DROP))
            fail_msg("%s: %s", cases[i].name, fixture_verdict(f));
    }
}

static void test_rfc_2543_ack_belongs_to_the_to_tag_of_its_answer(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE OLD);
    fixture_answer(f, BOB, "INVITE", 486, "");
    fixture_request(f, "ACK sip:bob@example.com\n" OLD "To: <sip:bob@example.com>;tag=other");
    assert_int_equal(f->verdict.kind, VERDICT_FORWARD);
    fixture_request(f, "ACK sip:bob@example.com\n" OLD "To: <sip:bob@example.com>;tag=" BOB);
    assert_string_equal(fixture_verdict(f), "drop ACK_ABSORBED");
}

static void test_rfc_2543_cancel_finds_its_invite(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE OLD);
    fixture_answer(f, BOB, "INVITE", 180, "");
    f->outlet->log[0] = 0;
    fixture_request(f, "CANCEL sip:bob@example.com\n" OLD);
    fixture_left(f, "taken back", "CANCEL@" BOB " 200@192.0.2.4:5070");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_branch_and_sent_by_match),
        TEST(test_rfc_2543_matches_by_what_tells_requests_apart),
        TEST(test_rfc_2543_ack_belongs_to_the_to_tag_of_its_answer),
        TEST(test_rfc_2543_cancel_finds_its_invite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
