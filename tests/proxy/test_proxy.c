// The stateless proxy: RFC 3261 16.3, 16.5, 16.6, 16.11, RFC 5393 4.2, and what the configuration says.
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define BOB       "INVITE sip:bob@example.com\n"
#define STRANGER  "From: <sip:eve@else.example>;tag=e1\n"
#define ELSEWHERE "203.0.113.66:5060" // nobody trusts it

static int set_up(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 1);
    struct location_binding binding = fixture_contact("sip:bob@192.0.2.9:5062;ob");

    fixture_bind(f, "bob@example.com", binding);
    binding = fixture_contact("sip:limited@192.0.2.10");
    binding.methods =
        SIP_METHOD_BIT(SIP_METHOD_INVITE) | SIP_METHOD_BIT(SIP_METHOD_ACK) | SIP_METHOD_BIT(SIP_METHOD_BYE);
    fixture_bind(f, "limited@example.com", binding);
    binding = fixture_contact("sip:nat@10.0.0.1:5060");
    binding.received = endpoint_ip4(203, 0, 113, 7, 40000);
    binding.listener = 1;
    fixture_bind(f, "nat@example.com", binding);
    binding = fixture_contact("sip:pathed@10.0.0.2");
    binding.path = SLICE("<sip:192.0.2.30;lr>,<sip:192.0.2.31;lr>");
    fixture_bind(f, "pathed@example.com", binding);
    fixture_bind(f, "six@example.com", fixture_contact("sip:six@[2001:db8::9]"));
    fixture_bind(f, "params@example.com", fixture_contact("sip:p@192.0.2.9;a=1;Method=INVITE;b=2?Subject=x"));
    fixture_bind(f, "name@example.com", fixture_contact("sip:name@pc.example"));
    fixture_bind(f, "tcp@example.com", fixture_contact("sip:tcp@192.0.2.9;transport=tcp"));
    fixture_bind(f, "self@example.com", fixture_contact("sip:self@198.18.1.1"));
    fixture_bind(f, "several@example.com", fixture_contact("sip:low@192.0.2.11"));
    binding = fixture_contact("sip:high@192.0.2.12");
    binding.q = 900;
    fixture_bind(f, "second@example.com", binding);
    fixture_bind(f, "second@example.com", fixture_contact("sip:higher@192.0.2.13"));
    fixture_bind(f, "second@example.com", fixture_contact("sip:unreachable@pc.example"));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void test_forward_changes_exactly_what_it_must(void **state)
{
    struct fixture *f = *state;

    fixture_text(f, "INVITE sip:bob@example.com SIP/2.0\n"
                    "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;rport\n"
                    "Max-Forwards: 70\n"
                    "To: Bob <sip:bob@example.com>\n"
                    "From: Alice <sip:alice@atlanta.com>;tag=1928301774\n"
                    "Call-ID: a84b4c76e66710@pc33.atlanta.com\n"
                    "CSeq: 314159 INVITE\n"
                    "X-Unknown : folded\n  value\n"
                    "Date: broken\n"
                    "Contact: <sip:alice@pc33.atlanta.com>\n"
                    "Content-Type: text/plain\n"
                    "Content-Length: 5\n"
                    "\n"
                    "hello and what trails");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.9:5062 by 0");
    assert_string_equal(f->text, "INVITE sip:bob@192.0.2.9:5062;ob SIP/2.0\n"
                                 "Via: SIP/2.0/UDP 198.18.0.1:5060;branch=BRANCH\n"
                                 "Record-Route: <sip:FLOW@198.18.0.1:5060;lr>\n"
                                 "Record-Route: <sip:FLOW@198.18.0.1:5060;lr>\n" // its Via is not where it is
                                 "Max-Breadth: 60\n"
                                 "Via: SIP/2.0/UDP "
                                 "pc33.atlanta.com;branch=z9hG4bK776asdhds;rport=5060;received=192.0.2.4\n"
                                 "Max-Forwards: 69\n"
                                 "To: Bob <sip:bob@example.com>\n"
                                 "From: Alice <sip:alice@atlanta.com>;tag=1928301774\n"
                                 "Call-ID: a84b4c76e66710@pc33.atlanta.com\n"
                                 "CSeq: 314159 INVITE\n"
                                 "X-Unknown : folded\n  value\n"
                                 "Date: broken\n"
                                 "Contact: <sip:alice@pc33.atlanta.com>\n"
                                 "Content-Type: text/plain\n"
                                 "Content-Length: 5\n"
                                 "\n"
                                 "hello");
}

static const struct fixture_case validation[] = {
    {"Max-Forwards 0 is 483", NULL, BOB "Max-Forwards: 0",
     "reply 483 192.0.2.4:5060 by 0\n+SIP/2.0 483 Too Many Hops"},
    {"Max-Forwards 1 goes on as 0", NULL, BOB "Max-Forwards: 1",
     "forward 192.0.2.9:5062 by 0\n+Max-Forwards: 0"},
    {"Max-Forwards 10 becomes 9", NULL, BOB "Max-Forwards: 10",
     "forward 192.0.2.9:5062 by 0\n+Max-Forwards: 9"},
    {"a missing Max-Forwards is added", NULL, BOB "-Max-Forwards",
     "forward 192.0.2.9:5062 by 0\n+Max-Forwards: 70"},
    {"one out of range counts as missing", NULL, BOB "Max-Forwards: 300",
     "forward 192.0.2.9:5062 by 0\n+Max-Forwards: 70\n-Max-Forwards: 3"},
    {"OPTIONS with Max-Forwards 0 is not answered for the user", NULL,
     "OPTIONS sip:bob@example.com\nMax-Forwards: 0", "reply 483 192.0.2.4:5060 by 0"},
    {"an ACK with Max-Forwards 0 dies in silence", NULL, "ACK sip:bob@example.com\nMax-Forwards: 0",
     "drop ACK_UNROUTABLE"},
    {"Proxy-Require is 420 and names all options", NULL,
     BOB "Proxy-Require: privacy, sec-agree\nProxy-Require: x",
     "reply 420 192.0.2.4:5060 by 0\n+Unsupported: privacy, sec-agree, x"},
    {"Require is none of a proxy's business", NULL, BOB "Require: 100rel", "forward 192.0.2.9:5062 by 0"},
    {"a CANCEL's Proxy-Require is ignored", NULL, "CANCEL sip:bob@example.com\nProxy-Require: x",
     "forward 192.0.2.9:5062 by 0"},
    {"an unknown method is forwarded", NULL, "FROBNICATE sip:bob@example.com",
     "forward 192.0.2.9:5062 by 0\n+FROBNICATE sip:bob@192.0.2.9:5062;ob SIP/2.0"},
};

static void test_validation(void **state)
{
    FIXTURE_RUN(*state, validation);
}

static const struct fixture_case targets[] = {
    {"an unknown user is 404", NULL, "INVITE sip:nobody@example.com", "reply 404 192.0.2.4:5060 by 0"},
    {"no user is 484", NULL, "INVITE sip:example.com",
     "reply 484 192.0.2.4:5060 by 0\n+SIP/2.0 484 Address Incomplete"},
    {"a user in any spelling of the domain", NULL, "INVITE sip:%62ob@EXAMPLE.net:5060;user=phone",
     "forward 192.0.2.9:5062 by 0"},
    {"a user is case-sensitive", NULL, "INVITE sip:Bob@example.com", "reply 404 192.0.2.4:5060 by 0"},
    {"a domain's address is the domain", NULL, "INVITE sip:bob@198.18.1.1", "forward 192.0.2.9:5062 by 0"},
    {"another port of a domain's address is somebody else", NULL, "INVITE sip:bob@198.18.1.1:5090",
     "forward 198.18.1.1:5090 by 0"},
    {"a user at a bare address of ours is 404", NULL, "INVITE sip:bob@198.18.0.1",
     "reply 404 192.0.2.4:5060 by 0"},
    {"a method that the binding does not allow is 405", NULL, "MESSAGE sip:limited@example.com",
     "reply 405 192.0.2.4:5060 by 0\n+SIP/2.0 405 Method Not Allowed\n+Allow: INVITE, ACK, BYE"},
    {"one that it allows is forwarded", NULL, "INVITE sip:limited@example.com",
     "forward 192.0.2.10:5060 by 0"},
    {"CANCEL is never 405", NULL, "CANCEL sip:limited@example.com", "forward 192.0.2.10:5060 by 0"},
    {"a client behind a NAT gets it where its REGISTER came from, by the same listener", NULL,
     "INVITE sip:nat@example.com",
     "forward 203.0.113.7:40000 by 1\n+INVITE sip:nat@10.0.0.1:5060 SIP/2.0\n"
     "+Via: SIP/2.0/UDP 198.18.1.1:5060;branch=BRANCH"},
    {"a Path becomes a Route, and its first value the next hop", NULL, "INVITE sip:pathed@example.com",
     "forward 192.0.2.30:5060 by 0\n+INVITE sip:pathed@10.0.0.2 SIP/2.0\n"
     "+Route: <sip:192.0.2.30;lr>,<sip:192.0.2.31;lr>"},
    {"headers and method of a contact stay out of the request-URI", NULL, "INVITE sip:params@example.com",
     "forward 192.0.2.9:5060 by 0\n+INVITE sip:p@192.0.2.9;a=1;b=2 SIP/2.0"},
    {"a contact that is a name leads nowhere", NULL, "INVITE sip:name@example.com",
     "reply 480 192.0.2.4:5060 by 0"},
    {"a contact over TCP leads nowhere without a listener for it", NULL, "INVITE sip:tcp@example.com",
     "reply 480 192.0.2.4:5060 by 0"},
    {"a contact that is this server is a loop", NULL, "INVITE sip:self@example.com",
     "reply 482 192.0.2.4:5060 by 0"},
    {"the first contact that can be reached", NULL, "INVITE sip:second@example.com",
     "forward 192.0.2.13:5060 by 0\n+INVITE sip:higher@192.0.2.13 SIP/2.0"},
    {"a rule by domain and prefix, first match", NULL, "INVITE sip:+493012345@example.com",
     "forward 192.0.2.51:5060 by 0\n+INVITE sip:+493012345@example.com SIP/2.0"},
    {"by any name of the domain", NULL, "INVITE sip:+493012345@example.net", "forward 192.0.2.51:5060 by 0"},
    {"by prefix alone", NULL, "INVITE sip:+44123@example.com", "forward 192.0.2.50:5070 by 0"},
    {"by prefix at a bare address of ours", NULL, "INVITE sip:+44123@198.18.0.1",
     "forward 192.0.2.50:5070 by 0"},
    {"a tel URI by its number, separators aside", NULL, "INVITE tel:+(44)1-23",
     "forward 192.0.2.50:5070 by 0"},
    {"a tel URI without a route is 404", NULL, "INVITE tel:112;phone-context=+49",
     "reply 404 192.0.2.4:5060 by 0"},
    {"a foreign domain by its rule, over the other family", NULL, "INVITE sip:x@partner.example",
     "forward [2001:db8::50]:5060 by 2\n+INVITE sip:x@partner.example SIP/2.0\n"
     "+Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=BRANCH"},
    {"a foreign address directly", NULL, "INVITE sip:x@192.0.2.77:5080", "forward 192.0.2.77:5080 by 0"},
    {"a foreign maddr directly, whatever the host", NULL, "INVITE sip:x@example.com;maddr=192.0.2.78",
     "forward 192.0.2.78:5060 by 0\n+INVITE sip:x@example.com;maddr=192.0.2.78 SIP/2.0"},
    {"a foreign name is asked for", NULL, "INVITE sip:x@else.example", "park else.example"},
    {"a multicast address is no next hop", NULL, "INVITE sip:x@224.0.1.75", "reply 404 192.0.2.4:5060 by 0"},
    {"nor is 0.0.0.0", NULL, "INVITE sip:x@0.0.0.0", "reply 404 192.0.2.4:5060 by 0"},
    {"strangers are not relayed to strangers", ELSEWHERE, "INVITE sip:x@192.0.2.77\n" STRANGER,
     "reply 403 203.0.113.66:5060 by 0"},
    {"whoever they say they are", ELSEWHERE, "INVITE sip:x@192.0.2.77", "reply 403 203.0.113.66:5060 by 0"},
    {"nor by a rule", ELSEWHERE, "INVITE sip:x@partner.example\n" STRANGER,
     "reply 403 203.0.113.66:5060 by 0"},
    {"but strangers reach our users", ELSEWHERE, BOB STRANGER, "forward 192.0.2.9:5062 by 0"},
    {"and who is trusted may be anybody", NULL, "INVITE sip:x@192.0.2.77\n" STRANGER,
     "forward 192.0.2.77:5060 by 0"},
};

static void test_targets(void **state)
{
    FIXTURE_RUN(*state, targets);
}

static void test_a_user_whose_bindings_are_dead_is_480(void **state)
{
    struct fixture *f = *state;

    f->arrival.now.ms += 3600000;
    fixture_request(f, BOB);
    assert_string_equal(fixture_verdict(f), "reply 480 192.0.2.4:5060 by 0");
}

static const struct fixture_case own[] = {
    {"OPTIONS for the domain", NULL, "OPTIONS sip:example.com",
     "reply 200 192.0.2.4:5060 by 0\n+Allow: INVITE, ACK, CANCEL, REGISTER, OPTIONS\n+Accept: "
     "*/*\n+Supported: path\n"
     "+Content-Length: 0"},
    {"OPTIONS for the address", NULL, "OPTIONS sip:198.18.0.1", "reply 200 192.0.2.4:5060 by 0"},
    {"OPTIONS for the address with a user, as monitors send it", NULL, "OPTIONS sip:ping@198.18.0.1:5060",
     "reply 200 192.0.2.4:5060 by 0"},
    {"OPTIONS that requires what is not there is 420", NULL, "OPTIONS sip:example.com\nRequire: timer",
     "reply 420 192.0.2.4:5060 by 0\n+Unsupported: timer"},
    {"OPTIONS for a user is forwarded", NULL, "OPTIONS sip:bob@example.com", "forward 192.0.2.9:5062 by 0"},
    {"CANCEL for the server itself is 481", NULL, "CANCEL sip:example.com", "reply 481 192.0.2.4:5060 by 0"},
    {"a stray ACK is dropped", NULL, "ACK sip:198.18.0.1", "drop ACK_UNROUTABLE"},
    {"an ACK for an unknown user is dropped", NULL, "ACK sip:nobody@example.com", "drop ACK_UNROUTABLE"},
    {"MESSAGE for the domain has no user", NULL, "MESSAGE sip:example.com", "reply 484 192.0.2.4:5060 by 0"},
};

static void test_requests_for_the_server_itself(void **state)
{
    FIXTURE_RUN(*state, own);
}

static const struct fixture_case recorded[] = {
    {"INVITE", NULL, BOB, "forward 192.0.2.9:5062 by 0\n+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>"},
    {"SUBSCRIBE", NULL, "SUBSCRIBE sip:bob@example.com",
     "forward 192.0.2.9:5062 by 0\n+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>"},
    {"REFER", NULL, "REFER sip:bob@example.com",
     "forward 192.0.2.9:5062 by 0\n+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>"},
    {"NOTIFY", NULL, "NOTIFY sip:bob@example.com",
     "forward 192.0.2.9:5062 by 0\n+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>"},
    {"an unknown method", NULL, "FOO sip:bob@example.com",
     "forward 192.0.2.9:5062 by 0\n+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>"},
    {"not MESSAGE", NULL, "MESSAGE sip:bob@example.com", "forward 192.0.2.9:5062 by 0\n-Record-Route"},
    {"not OPTIONS", NULL, "OPTIONS sip:bob@example.com", "forward 192.0.2.9:5062 by 0\n-Record-Route"},
    {"not ACK", NULL, "ACK sip:bob@example.com", "forward 192.0.2.9:5062 by 0\n-Record-Route"},
    {"not CANCEL", NULL, "CANCEL sip:bob@example.com", "forward 192.0.2.9:5062 by 0\n-Record-Route"},
};

static void test_record_route_on_what_makes_dialogs(void **state)
{
    FIXTURE_RUN(*state, recorded);
}

static void test_record_route_off(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;

    changed.record_route = false;
    f->role.conf = &changed;
    fixture_request(f, BOB);
    fixture_expect(f, "off", "forward 192.0.2.9:5062 by 0\n-Record-Route");
}

static void test_record_route_is_double_between_listeners_and_before_all_others(void **state)
{
    struct fixture *f = *state;

    fixture_text(f,
                 "INVITE sip:six@example.com SIP/2.0\n"
                 "Record-Route: <sip:192.0.2.1;lr>\n"
                 "Route: <sip:198.18.0.1;lr>\n"
                 "Via: SIP/2.0/UDP 192.0.2.4\n"
                 "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>\nCall-ID: 1\nCSeq: 1 INVITE\n\n");
    assert_string_equal(fixture_verdict(f), "forward [2001:db8::9]:5060 by 2");
    assert_string_equal(f->text, "INVITE sip:six@[2001:db8::9] SIP/2.0\n"
                                 "Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=BRANCH\n"
                                 "Record-Route: <sip:FLOW@[2001:db8::1]:5060;lr>\n"
                                 "Record-Route: <sip:FLOW@198.18.0.1:5060;lr>\n"
                                 "Max-Forwards: 70\n"
                                 "Max-Breadth: 60\n"
                                 "Record-Route: <sip:192.0.2.1;lr>\n"
                                 "Via: SIP/2.0/UDP 192.0.2.4\n"
                                 "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>\nCall-ID: 1\n"
                                 "CSeq: 1 INVITE\n\n");
}

static void test_no_listener_of_the_next_hops_family_is_503(void **state)
{
    (void)state;
    struct fixture *f =
        fixture_open("[port p]\ndevice = net_null0\n[listener a]\naddress = 198.18.0.1\nport = p\n"
                     "[domain example.com]\n",
                     1);
    fixture_bind(f, "six@example.com", fixture_contact("sip:six@[2001:db8::9]"));
    fixture_request(f, "INVITE sip:six@example.com");
    fixture_expect(f, "503", "reply 503 192.0.2.4:5060 by 0");
    fixture_close(f);
}

// What a request looks like that comes back: our Via on top, under those of whom it went to.
static void send_back(struct fixture *f, const char *first_line, const char *via, const char *more)
{
    char request[2048];

    snprintf(request, sizeof(request),
             "%s\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKother;odd=\"a;b\"\nVia: %s\n"
             "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKnashds8%s",
             first_line, via, more);
    fixture_request(f, request);
}

static void test_loop_is_482_and_spiral_is_not(void **state)
{
    struct fixture *f = *state;
    char via[1024];

    fixture_request(f, "INVITE sip:bob@example.com");
    fixture_line(f, "Via: ", via);
    send_back(f, "INVITE sip:bob@example.com", via, "");
    fixture_expect(f, "loop", "reply 482 192.0.2.4:5060 by 0\n+SIP/2.0 482 Loop Detected");
    send_back(f, "CANCEL sip:bob@example.com", via, "");
    fixture_expect(f, "whatever the method", "reply 482 192.0.2.4:5060 by 0");
    send_back(f, "INVITE sip:six@example.com", via, "");
    fixture_expect(f, "another request-URI", "forward [2001:db8::9]:5060 by 2");
    send_back(f, "INVITE sip:bob@example.com", via, "\nRoute: <sip:198.18.0.1;lr>");
    fixture_expect(f, "another Route", "forward 192.0.2.9:5062 by 0");
    send_back(f, "INVITE sip:bob@example.com", via, "\nCall-ID: other");
    fixture_expect(f, "another call", "forward 192.0.2.9:5062 by 0");
    send_back(f, "INVITE sip:bob@example.com",
              "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKstg.000000aaaaaaaaaaaaaaaa00000000", "");
    fixture_expect(f, "a forged branch", "forward 192.0.2.9:5062 by 0");
}

static void test_loop_is_seen_in_a_comma_list(void **state)
{
    struct fixture *f = *state;
    char via[1024], request[2048];

    fixture_request(f, BOB);
    fixture_line(f, "Via: ", via);
    snprintf(request, sizeof(request), BOB "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKstg.x, %s,SIP/2.0/UDP a",
             via);
    fixture_request(f, request);
    fixture_expect(f, "loop", "reply 482 192.0.2.4:5060 by 0");
}

// The branch and the next hop that a request got.
static void forward_of(struct fixture *f, const char *request, char forward[2048])
{
    char via[1024];

    fixture_request(f, request);
    if (f->verdict.kind != VERDICT_FORWARD)
        fail_msg("%s: %s", request, fixture_verdict(f));
    snprintf(forward, 2048, "%s %s", fixture_verdict(f), fixture_line(f, "Via: ", via));
}

static void same_forward(struct fixture *f, const char *a, const char *b)
{
    char first[2048], second[2048];

    forward_of(f, a, first);
    forward_of(f, b, second);
    assert_string_equal(first, second);
}

static void other_forward(struct fixture *f, const char *a, const char *b)
{
    char first[2048], second[2048];

    forward_of(f, a, first);
    forward_of(f, b, second);
    assert_string_not_equal(first, second);
}

#define OLD "\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=1"
#define ACK "ACK sip:bob@example.com\nTo: Bob <sip:bob@example.com>;tag=b1\nCSeq: 1 ACK"

static void test_retransmission_cancel_and_ack_take_the_same_way(void **state)
{
    struct fixture *f = *state;

    same_forward(f, BOB, BOB);
    same_forward(f, BOB, "CANCEL sip:bob@example.com");
    same_forward(f, BOB, ACK);
    same_forward(f, BOB "Proxy-Require:", "CANCEL sip:bob@example.com");
    same_forward(f, "INVITE sip:x@partner.example", "CANCEL sip:x@partner.example");
    same_forward(f, "INVITE sip:second@example.com", "CANCEL sip:second@example.com");
}

static void test_and_so_they_do_for_clients_of_rfc_2543(void **state)
{
    struct fixture *f = *state;

    same_forward(f, "INVITE sip:bob@example.com" OLD, "INVITE sip:bob@example.com" OLD);
    same_forward(f, "INVITE sip:bob@example.com" OLD, "CANCEL sip:bob@example.com" OLD);
    same_forward(f, "INVITE sip:bob@example.com" OLD, ACK OLD);
    other_forward(f, "INVITE sip:bob@example.com" OLD, "INVITE sip:bob@example.com\nCSeq: 2 INVITE" OLD);
    other_forward(f, "INVITE sip:bob@example.com" OLD, "INVITE sip:bob@example.com\nCall-ID: c2" OLD);
    other_forward(f, "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK",
                  "INVITE sip:bob@example.com\nCSeq: 2 INVITE\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK");
}

static void test_other_transactions_have_other_branches(void **state)
{
    struct fixture *f = *state;

    other_forward(f, BOB, BOB "Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKother");
    other_forward(f, BOB, BOB "Call-ID: other");
    other_forward(f, BOB, BOB "CSeq: 2 INVITE");
    other_forward(f, BOB, "INVITE sip:bob@example.net");
}

static void test_a_refresh_does_not_part_invite_and_cancel(void **state)
{
    struct fixture *f = *state;
    char invite[2048], cancel[2048];

    fixture_request(f, "REGISTER sip:example.com\nTo: <sip:two@example.com>\nContact: <sip:a@192.0.2.21>");
    fixture_request(
        f, "REGISTER sip:example.com\nTo: <sip:two@example.com>\nCall-ID: c2\nContact: <sip:b@192.0.2.22>");
    forward_of(f, "INVITE sip:two@example.com", invite);
    fixture_request(
        f,
        "REGISTER sip:example.com\nTo: <sip:two@example.com>\nCSeq: 2 REGISTER\nContact: <sip:a@192.0.2.21>");
    assert_int_equal(f->verdict.status, 200);
    forward_of(f, "CANCEL sip:two@example.com", cancel);
    assert_string_equal(invite, cancel);
}

static void test_ack_to_our_own_answer_is_absorbed(void **state)
{
    struct fixture *f = *state;
    char to[1024], request[2048];

    fixture_request(f, "INVITE sip:nobody@example.com");
    snprintf(request, sizeof(request), "ACK sip:nobody@example.com\nTo: %s", fixture_line(f, "To: ", to));
    fixture_request(f, request);
    assert_string_equal(fixture_verdict(f), "drop ACK_ABSORBED");
    // the user has come in between: still ours
    fixture_bind(f, "nobody@example.com", fixture_contact("sip:nobody@192.0.2.9"));
    fixture_request(f, request);
    assert_string_equal(fixture_verdict(f), "drop ACK_ABSORBED");
    // a tag of ours from another call is somebody else's
    snprintf(request, sizeof(request), "ACK sip:nobody@example.com\nCall-ID: other\nTo: %s", to);
    fixture_request(f, request);
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.9:5060 by 0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_forward_changes_exactly_what_it_must),
        TEST(test_validation),
        TEST(test_targets),
        TEST(test_a_user_whose_bindings_are_dead_is_480),
        TEST(test_requests_for_the_server_itself),
        TEST(test_record_route_on_what_makes_dialogs),
        TEST(test_record_route_off),
        TEST(test_record_route_is_double_between_listeners_and_before_all_others),
        cmocka_unit_test(test_no_listener_of_the_next_hops_family_is_503),
        TEST(test_loop_is_482_and_spiral_is_not),
        TEST(test_loop_is_seen_in_a_comma_list),
        TEST(test_retransmission_cancel_and_ack_take_the_same_way),
        TEST(test_and_so_they_do_for_clients_of_rfc_2543),
        TEST(test_other_transactions_have_other_branches),
        TEST(test_a_refresh_does_not_part_invite_and_cancel),
        TEST(test_ack_to_our_own_answer_is_absorbed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
