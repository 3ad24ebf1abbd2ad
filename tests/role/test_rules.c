// Rules that hold only as long as every one of several conditions is looked at: each case here fails when one of them
// is taken out of the code.
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define REGISTER  "REGISTER sip:example.com\nTo: <sip:bob@example.com>\n"
#define IN_DIALOG "To: <sip:bob@example.com>;tag=b1\n"

static struct location_binding bindings[LOCATION_CONTACTS_MAX];

static int set_up(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 1);

    fixture_bind(f, "pbx@example.com", fixture_contact("sip:pbx@192.0.2.9"));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static const struct fixture_case requests[] = {
    {"an empty Max-Forwards is 400", NULL, "INVITE sip:pbx@example.com\nMax-Forwards:",
     "reply 400 192.0.2.4:5060 by 0\n+SIP/2.0 400 Malformed Max-Forwards"},
    {"a negative one, too", NULL, "INVITE sip:pbx@example.com\nMax-Forwards: -1",
     "reply 400 192.0.2.4:5060 by 0"},
    {"the largest there may be is counted down", NULL, "INVITE sip:pbx@example.com\nMax-Forwards: 255",
     "forward 192.0.2.9:5060 by 0\n+Max-Forwards: 254"},
    {"the next is out of range", NULL, "INVITE sip:pbx@example.com\nMax-Forwards: 256",
     "forward 192.0.2.9:5060 by 0\n+Max-Forwards: 70"},
    {"zero in two digits is zero", NULL, "INVITE sip:pbx@example.com\nMax-Forwards: 00",
     "reply 483 192.0.2.4:5060 by 0"},
    {"an ACK's Proxy-Require is ignored (RFC 3261 8.2.2.3)", NULL,
     "ACK sip:pbx@example.com\nProxy-Require: x", "forward 192.0.2.9:5060 by 0"},
    {"an ACK with a broken Route dies in silence", NULL, "ACK sip:x@partner.example\nRoute: <sip:198.18.0.1",
     "drop ACK_UNROUTABLE"},
    {"an ACK without leave to relay does", "203.0.113.66:5060",
     "ACK sip:x@192.0.2.77\nFrom: <sip:eve@else.example>;tag=1", "drop ACK_UNROUTABLE"},
    {"an ACK of an unknown scheme does", NULL, "ACK nobody:knows", "drop ACK_UNROUTABLE"},
    {"the domain's name may end in a dot", NULL, "INVITE sip:pbx@example.com.",
     "forward 192.0.2.9:5060 by 0"},
    {"nothing else is touched", NULL,
     "MESSAGE sip:pbx@example.com\n"
     "Privacy: session\nP-Charging-Vector: icid-value=\"1;2\"\n"
     "P-Visited-Network-ID: x\nRequire: foo\nSupported: path\nAuthorization: Digest username=\"a\"\n"
     "Proxy-Authorization: Digest username=\"b\"\nTimestamp: 54\nExpires: soon",
     "forward 192.0.2.9:5060 by 0\n"
     "+Privacy: session\n+P-Charging-Vector: icid-value=\"1;2\"\n"
     "+P-Visited-Network-ID: x\n+Require: foo\n+Supported: path\n+Authorization: Digest username=\"a\"\n"
     "+Proxy-Authorization: Digest username=\"b\"\n+Timestamp: 54\n+Expires: soon"},
    {"a strict router's request leaves by the listener that its request-URI names", NULL,
     "BYE sip:198.18.1.1:5060;lr\n" IN_DIALOG "Route: <sip:bob@192.0.2.9>",
     "forward 192.0.2.9:5060 by 1\n+BYE sip:bob@192.0.2.9 SIP/2.0\n-Route"},
    {"a Route without brackets keeps its parameters to itself, and its hop is strict", NULL,
     "BYE sip:bob@192.0.2.9\n" IN_DIALOG "Route: sip:198.18.0.1;lr, sip:192.0.2.40;lr",
     "forward 192.0.2.40:5060 by 0\n+BYE sip:192.0.2.40 SIP/2.0\n+Route: <sip:bob@192.0.2.9>"},
};

static void test_requests(void **state)
{
    FIXTURE_RUN(*state, requests);
}

static const struct fixture_case contacts[] = {
    {"transport=udp is what there is", NULL, "INVITE sip:udp@example.com",
     "forward 192.0.2.21:5060 by 0\n+INVITE sip:u@192.0.2.21;transport=UDP SIP/2.0"},
    {"maddr is where the contact is", NULL, "INVITE sip:maddr@example.com",
     "forward 192.0.2.22:5070 by 0\n+INVITE sip:m@pc.example:5070;maddr=192.0.2.22 SIP/2.0"},
    {"over another listener both sides are recorded, whatever the family", NULL,
     "INVITE sip:other@example.com",
     "forward 192.0.2.23:5060 by 1\n+Record-Route: <sip:FLOW@198.18.1.1:5060;lr>\n"
     "+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>"},
};

static void test_contacts_lead_where_they_say(void **state)
{
    struct fixture *f = *state;
    struct location_binding other = fixture_contact("sip:o@192.0.2.23");

    other.listener = 1;
    fixture_bind(f, "udp@example.com", fixture_contact("sip:u@192.0.2.21;transport=UDP"));
    fixture_bind(f, "maddr@example.com", fixture_contact("sip:m@pc.example:5070;maddr=192.0.2.22"));
    fixture_bind(f, "other@example.com", other);
    FIXTURE_RUN(f, contacts);
}

// The own Via right on top, as from a next hop that adds none.
static void test_loop_is_seen_in_the_topmost_via(void **state)
{
    struct fixture *f = *state;
    char via[1024], request[2048];

    fixture_request(f, "INVITE sip:pbx@example.com");
    fixture_line(f, "Via: ", via);
    snprintf(request, sizeof(request), "INVITE sip:pbx@example.com\nVia: %s", via);
    fixture_request(f, request);
    assert_int_equal(f->verdict.status, 482);
    snprintf(request, sizeof(request), "ACK sip:pbx@example.com\nVia: %s", via);
    fixture_request(f, request);
    assert_string_equal(fixture_verdict(f), "drop ACK_UNROUTABLE");
}

static const char *branch_of(struct fixture *f, const char *request, char branch[1024])
{
    fixture_request(f, request);
    if (f->verdict.kind != VERDICT_FORWARD)
        fail_msg("%s: %s", request, fixture_verdict(f));
    char via[1024];
    strcpy(branch, strstr(fixture_line(f, "Via: ", via), "branch="));
    return branch;
}

#define PBX               "INVITE sip:pbx@example.com\n"
#define OLD(host, branch) "Via: SIP/2.0/UDP " host ";branch=" branch

// RFC 3261 16.11, 17.2.3: of clients that make no unique branch, everything that may tell two transactions apart.
static void test_transactions_without_cookie_are_told_apart(void **state)
{
    static const char *const others[] = {
        PBX OLD("192.0.2.4", "2"),
        PBX OLD("192.0.2.5", "1"),
        PBX OLD("192.0.2.4", "1\nFrom: <sip:alice@example.com>;tag=a2"),
        "INVITE sip:pbx@example.net\n" OLD("192.0.2.4", "1"),
    };
    char first[1024], other[1024];

    branch_of(*state, PBX OLD("192.0.2.4", "1"), first);
    for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_string_not_equal(first, branch_of(*state, others[i], other));
}

// RFC 3261 9.1, 17.1.1.3: CANCEL and ACK repeat the INVITE's Route.
static void test_branch_is_one_for_invite_cancel_and_ack_with_a_route(void **state)
{
    struct fixture *f = *state;
    char invite[1024], other[1024];

    branch_of(f, "INVITE sip:x@192.0.2.77\nRoute: <sip:198.18.0.1;lr>", invite);
    assert_string_equal(invite, branch_of(f, "CANCEL sip:x@192.0.2.77\nRoute: <sip:198.18.0.1;lr>", other));
    assert_string_equal(invite, branch_of(f,
                                          "ACK sip:x@192.0.2.77\nTo: Bob <sip:bob@example.com>;tag=b1\n"
                                          "Route: <sip:198.18.0.1;lr>",
                                          other));
}

// What has been registered in between changes the next hop at most: the branch is of the message alone (16.11).
static void test_branch_does_not_depend_on_the_location_table(void **state)
{
    struct fixture *f = *state;
    char before[1024], behind[1024];

    branch_of(f, "INVITE sip:pbx@example.com", before);
    fixture_bind(f, "pbx@example.com", fixture_contact("sip:new@[2001:db8::9]"));
    assert_string_equal(before, branch_of(f, "CANCEL sip:pbx@example.com", behind));
}

static void test_tag_differs_by_caller(void **state)
{
    struct fixture *f = *state;
    char first[1024], other[1024];

    fixture_request(f, "INVITE sip:nobody@example.com");
    fixture_line(f, "To: ", first);
    fixture_request(f, "INVITE sip:nobody@example.com\nFrom: <sip:alice@example.com>;tag=a2");
    assert_string_not_equal(first, fixture_line(f, "To: ", other));
}

// RFC 3261 8.2.6.2: "MUST equal the Via header field values in the request and MUST maintain the same ordering".
static void test_an_answer_has_all_via_in_their_order(void **state)
{
    struct fixture *f = *state;

    fixture_text(f,
                 "OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\nFoo: x\n"
                 "v: SIP/2.0/TCP b.example;branch=z9hG4bK2 ,\n SIP/2.0/UDP c.example\nTimestamp: 54\n"
                 "To: <sip:example.com>\nVIA : SIP/2.0/UDP [2001:db8::7]\nFrom: <sip:a@example.com>;tag=1\n"
                 "Call-ID: 1\nCSeq: 1 OPTIONS\nContent-Length: 2\n\nhi");
    assert_string_equal(f->text,
                        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\n"
                        "v: SIP/2.0/TCP b.example;branch=z9hG4bK2 ,\n SIP/2.0/UDP c.example\n"
                        "To: <sip:example.com>;tag=TAG\nVIA : SIP/2.0/UDP [2001:db8::7]\n"
                        "From: <sip:a@example.com>;tag=1\nCall-ID: 1\nCSeq: 1 OPTIONS\n"
                        "Allow: INVITE, ACK, CANCEL, REGISTER, OPTIONS\nAccept: */*\nSupported: path\n"
                        "Content-Length: 0\n\n");
}

static void test_options_names_path_only_where_it_is_on(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;

    changed.path = false;
    f->role.conf = &changed;
    fixture_request(f, "OPTIONS sip:example.com");
    fixture_expect(f, "off", "reply 200 192.0.2.4:5060 by 0\n+Supported:");
}

#define RESPONSE(via)                                                                                    \
    "SIP/2.0 200 OK\nVia: SIP/2.0/UDP "                                                                  \
    "[2001:db8::1]:5060;branch=z9hG4bKstg.000002ffffffffaaaaaaaaaaaaaaaabbbbbbbb\nVia: SIP/2.0/UDP " via \
    "\n"                                                                                                 \
    "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>;tag=2\nCall-ID: 1\nCSeq: 1 INVITE\n\n"

// What role_request_stamp writes is without brackets (RFC 3261 25.1); others write it with them (RFC 5118 4.5).
static void test_response_follows_received_in_either_form_of_ipv6(void **state)
{
    struct fixture *f = *state;

    fixture_text(f, RESPONSE("pc.example;received=2001:db8::4;rport=9000"));
    assert_string_equal(fixture_verdict(f), "forward [2001:db8::4]:9000 by 2");
    fixture_text(f, RESPONSE("pc.example:5070;received=[2001:db8::4]"));
    assert_string_equal(fixture_verdict(f), "forward [2001:db8::4]:5070 by 2");
    fixture_text(f, RESPONSE("[2001:db8::4];rport"));
    assert_string_equal(fixture_verdict(f), "forward [2001:db8::4]:5060 by 2");
}

static const struct fixture_case registrations[] = {
    {"an expiry of more digits than any number has is cut", NULL,
     REGISTER "CSeq: 1 REGISTER\nExpires: 99999999999999999999\nContact: <sip:bob@192.0.2.4>",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=7200"},
    {"2**32, too", NULL, REGISTER "CSeq: 2 REGISTER\nContact: <sip:bob@192.0.2.4>;expires=4294967296",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=7200"},
    {"garbage in Expires is an hour", NULL,
     REGISTER "CSeq: 3 REGISTER\nExpires: -1\nContact: <sip:bob@192.0.2.4>",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=3600"},
    {"so is expires without a value", NULL,
     REGISTER "CSeq: 4 REGISTER\nExpires: 70\nContact: <sip:bob@192.0.2.4>;expires",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=3600"},
    {"garbage in Expires is not the 0 that * needs", NULL,
     REGISTER "CSeq: 5 REGISTER\nExpires: x\nContact: *", "reply 400 192.0.2.4:5060 by 0"},
    {"* has no parameters", NULL, REGISTER "CSeq: 5 REGISTER\nExpires: 0\nContact: *;expires=0",
     "reply 400 192.0.2.4:5060 by 0"},
    {"a brief Expires brings no 423 to a fetch", NULL, REGISTER "CSeq: 5 REGISTER\nExpires: 1",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=3600"},
    {"a brief refresh with a removal is 423 and removes nothing", NULL,
     REGISTER "CSeq: 6 REGISTER\nContact: <sip:bob@192.0.2.4>;expires=0, <sip:new@192.0.2.4>;expires=1",
     "reply 423 192.0.2.4:5060 by 0\n+Min-Expires: 60"},
    {"which can be seen", NULL, REGISTER "CSeq: 7 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=3600"},
    {"compact forms, comma lists and display names", NULL,
     "REGISTER sip:example.com\n-To\n-From\n-Via\n-Call-ID\nv: SIP/2.0/UDP 192.0.2.4\nt: "
     "<sip:c@example.com>\n"
     "f: <sip:c@example.com>;tag=1\ni: cc\nk: path\nPath: <sip:192.0.2.30;lr>\n"
     "m: \"B, b\" <sip:1@192.0.2.4>;q=0.000,<sip:2@192.0.2.5>;q=0.2\nm: Bob <sip:3@192.0.2.6>;q=1.000",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:1@192.0.2.4>;expires=3600;q=0.0\n"
     "+Contact: <sip:2@192.0.2.5>;expires=3600;q=0.2\n+Contact: <sip:3@192.0.2.6>;expires=3600"},
    {"the highest q is called by its Path, and our Route goes", NULL,
     "INVITE sip:c@example.com\nRoute: <sip:198.18.0.1;lr>",
     "forward 192.0.2.30:5060 by 0\n+INVITE sip:3@192.0.2.6 SIP/2.0\n+Route: <sip:192.0.2.30;lr>\n"
     "-Route: <sip:198"},
    {"who requires path supports it", NULL,
     REGISTER "CSeq: 8 REGISTER\nRequire: path\nPath: <sip:192.0.2.30;lr>\nContact: <sip:bob@192.0.2.4>",
     "reply 200 192.0.2.4:5060 by 0\n+Path: <sip:192.0.2.30;lr>"},
    {"the CANCEL of a REGISTER meets nothing", NULL, "CANCEL sip:example.com",
     "reply 481 192.0.2.4:5060 by 0"},
};

static void test_registrations(void **state)
{
    FIXTURE_RUN(*state, registrations);
}

// RFC 3261 10.3 step 7: 423 is for what is "smaller than one hour".
static void test_an_hour_is_never_too_brief(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;

    changed.expires_min = 5000;
    f->role.conf = &changed;
    fixture_request(f, REGISTER "Contact: <sip:bob@192.0.2.4>;expires=3599");
    assert_int_equal(f->verdict.status, 423);
    fixture_request(f, REGISTER "Contact: <sip:bob@192.0.2.4>;expires=3600");
    assert_int_equal(f->verdict.status, 200);
}

static void test_what_is_bound_can_be_refreshed_when_the_cap_was_lowered(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;

    fixture_request(f, REGISTER "Contact: <sip:1@192.0.2.4>, <sip:2@192.0.2.4>");
    changed.contacts_max = 1;
    f->role.conf = &changed;
    fixture_request(f, REGISTER "CSeq: 2 REGISTER\nContact: <sip:1@192.0.2.4>");
    assert_int_equal(f->verdict.status, 200);
    fixture_request(f, REGISTER "CSeq: 3 REGISTER\nContact: <sip:1@192.0.2.4>;expires=0, <sip:3@192.0.2.4>");
    assert_int_equal(f->verdict.status, 403);
    assert_int_equal(fixture_bindings(f, "bob@example.com", bindings), 2);
}

static void test_as_many_contacts_as_there_may_be(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;
    char request[4096] = REGISTER "Contact: <sip:0@192.0.2.4>";

    changed.contacts_max = LOCATION_CONTACTS_MAX;
    f->role.conf = &changed;
    for (unsigned i = 1; i < LOCATION_CONTACTS_MAX; i++)
        sprintf(request + strlen(request), ",<sip:%u@192.0.2.4>", i);
    fixture_request(f, request);
    assert_int_equal(f->verdict.status, 200);
    assert_int_equal(fixture_bindings(f, "bob@example.com", bindings), LOCATION_CONTACTS_MAX);
    strcat(request, ",<sip:more@192.0.2.4>\nCSeq: 2 REGISTER");
    fixture_request(f, request);
    assert_int_equal(f->verdict.status, 403);
    assert_int_equal(bindings[0].cseq, 1);
}

static const char two_ports[] = "[server]\nserver_header =\n[port p]\ndevice = net_null0\n"
                                "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
                                "[listener b]\naddress = 198.18.0.1:5070\nport = p\n"
                                "[domain example.com]\n[trust]\nnetworks = 192.0.2.4\n";

// RFC 3261 16.4: only what was received on the port that the request-URI asks for loses its maddr, and its port with
// it.
static void test_maddr_is_taken_off_on_its_port_alone(void **state)
{
    struct fixture *f = fixture_open(two_ports, 1);

    (void)state;
    fixture_from(f, "192.0.2.4:5060", 1);
    fixture_request(f, "OPTIONS sip:bob@192.0.2.77:5070;maddr=198.18.0.1;x=1");
    fixture_expect(f, "its port", "forward 192.0.2.77:5060 by 1\n+OPTIONS sip:bob@192.0.2.77;x=1 SIP/2.0");
    fixture_from(f, "192.0.2.4:5060", 0);
    fixture_request(f, "OPTIONS sip:bob@192.0.2.77:5070;maddr=198.18.0.1;x=1");
    fixture_expect(f, "another port of ours", "reply 482 192.0.2.4:5060 by 0");
    fixture_close(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_requests),
        TEST(test_contacts_lead_where_they_say),
        TEST(test_loop_is_seen_in_the_topmost_via),
        TEST(test_transactions_without_cookie_are_told_apart),
        TEST(test_branch_is_one_for_invite_cancel_and_ack_with_a_route),
        TEST(test_branch_does_not_depend_on_the_location_table),
        TEST(test_tag_differs_by_caller),
        TEST(test_an_answer_has_all_via_in_their_order),
        TEST(test_options_names_path_only_where_it_is_on),
        TEST(test_response_follows_received_in_either_form_of_ipv6),
        TEST(test_registrations),
        TEST(test_an_hour_is_never_too_brief),
        TEST(test_what_is_bound_can_be_refreshed_when_the_cap_was_lowered),
        TEST(test_as_many_contacts_as_there_may_be),
        cmocka_unit_test(test_maddr_is_taken_off_on_its_port_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
