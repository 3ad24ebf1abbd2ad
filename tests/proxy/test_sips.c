// sips: TLS on every hop, or no call at all (RFC 3261 26.2.2, RFC 5630 5.3 and its flows of chapter 6).
#include "mixed.h"

#include <stdio.h>

#define ALICE "tls:203.0.113.4:40004#4" // over TLS, from behind a NAT
#define BOB   "tls:203.0.113.9:40009#9"
#define PC    "tcp:203.0.113.8:40008#8"

struct step {
    const char *name;
    const char *from;
    unsigned listener;
    const char *request, *summary;
};

static void take(struct fixture *f, const struct step *steps, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        fixture_from(f, steps[i].from, steps[i].listener);
        fixture_request(f, steps[i].request);
        fixture_expect(f, steps[i].name, steps[i].summary);
    }
}
#define TAKE(f, steps) take(f, steps, sizeof(steps) / sizeof(*(steps)))

#define AS_BOB "\nTo: <sip:bob@example.com>\nCall-ID: "

static int set_up(void **state)
{
    *state = fixture_open(MIXED_CONF, 1);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

// 6.1: the telephone registers a sips contact, the PC a sip one.
static const struct step registrations[] = {
    {"a sips Contact over TLS", BOB, MIXED_TLS,
     "REGISTER sips:example.com" AS_BOB "phone\nVia: SIP/2.0/TLS bobphone.example.com:5061;branch=z9hG4bK1\n"
     "Contact: <sips:bob@bobphone.example.com>;q=0.9",
     "reply 200 " BOB " by 2\n+Contact: <sips:bob@bobphone.example.com>;expires=3600;q=0.9"},
    {"a sip Contact over TCP", PC, MIXED_TCP,
     "REGISTER sip:example.com" AS_BOB "pc\nVia: SIP/2.0/TCP bobpc.example.com;branch=z9hG4bK2\n"
     "Contact: <sip:bob@bobpc.example.com>;q=0.2",
     "reply 200 " PC " by 1\n+Contact: <sip:bob@bobpc.example.com>;expires=3600;q=0.2"},
};

static void test_the_registrar_takes_sips_where_all_is_sips(void **state)
{
    static const struct step refused[] = {
        {"the request-URI is sip", BOB, MIXED_TLS,
         "REGISTER sip:example.com" AS_BOB "x\nContact: <sips:bob@bobphone.example.com>",
         "reply 400 " BOB " by 2"},
        {"a sip Contact beside it", BOB, MIXED_TLS,
         "REGISTER sips:example.com" AS_BOB "x\nContact: <sips:bob@a.example.com>, <sip:bob@b.example.com>",
         "reply 400 " BOB " by 2"},
        {"both forms of one Contact", BOB, MIXED_TLS,
         "REGISTER sips:example.com" AS_BOB "x\nContact: <sips:bob@a.example.com>, <sip:bob@a.example.com>",
         "reply 400 " BOB " by 2"},
        {"over TCP", PC, MIXED_TCP, "REGISTER sips:example.com" AS_BOB "x\nContact: <sips:bob@a.example.com>",
         "reply 403 " PC " by 1"},
        {"over UDP", "203.0.113.8:5060", MIXED_UDP,
         "REGISTER sips:example.com" AS_BOB "x\nContact: <sips:bob@a.example.com>",
         "reply 403 203.0.113.8:5060 by 0"},
    };
    // 5.1.1.1: one takes the other's place
    static const struct step replaced[] = {
        {"the sip form takes the place of the sips one", BOB, MIXED_TLS,
         "REGISTER sip:example.com" AS_BOB "again\nContact: <sip:bob@bobphone.example.com>",
         "reply 200 " BOB " by 2\n+Contact: <sip:bob@bobphone.example.com>;expires=3600\n-Contact: <sips:"},
        {"and the other way round", BOB, MIXED_TLS,
         "REGISTER sips:example.com" AS_BOB "once more\nContact: <sips:bob@bobphone.example.com>",
         "reply 200 " BOB " by 2\n+Contact: <sips:bob@bobphone.example.com>;expires=3600\n"
         "-Contact: <sip:bob@bobphone"},
    };

    TAKE(*state, refused);
    TAKE(*state, registrations);
    TAKE(*state, replaced);
}

// 6.2: Alice calls the sips address: the telephone alone. 6.3, 6.4: she calls the sip one, over TCP and over TLS: both,
// the telephone's scheme replaced, and it still over TLS.
static void test_flows_of_rfc_5630(void **state)
{
    static const struct step calls[] = {
        {"sips leads to the sips contact", ALICE, MIXED_TLS,
         "INVITE sips:bob@example.com\nVia: SIP/2.0/TLS 10.0.0.4;branch=z9hG4bK3\nContact: "
         "<sips:alice@10.0.0.4>",
         "forward " BOB " by 2\n+INVITE sips:bob@bobphone.example.com SIP/2.0\n"
         "+Via: SIP/2.0/TLS 198.18.0.1:5061;alias;branch=BRANCH\n"
         "+Record-Route: <sips:FLOW@198.18.0.1:5061;lr>"},
        {"sip over TCP leads to it as sip, and over TLS", "tcp:203.0.113.4:40004#1", MIXED_TCP,
         "INVITE sip:bob@example.com\nVia: SIP/2.0/TCP 10.0.0.4;branch=z9hG4bK4\nContact: "
         "<sip:alice@10.0.0.4>",
         "forward " BOB " by 2\n+INVITE sip:bob@bobphone.example.com SIP/2.0\n"
         "+Record-Route: <sip:FLOW@198.18.0.1:5061;transport=tls;lr>\n"
         "+Record-Route: <sip:FLOW@198.18.0.1:5060;transport=tcp;lr>"},
        {"sip over TLS does not become sips", ALICE, MIXED_TLS,
         "INVITE sip:bob@example.com\nVia: SIP/2.0/TLS 10.0.0.4;branch=z9hG4bK5\nContact: "
         "<sip:alice@10.0.0.4>",
         "forward " BOB " by 2\n+INVITE sip:bob@bobphone.example.com SIP/2.0\n"
         "+Record-Route: <sip:FLOW@198.18.0.1:5061;transport=tls;lr>\n-Record-Route: <sips:"},
    };

    TAKE(*state, registrations);
    TAKE(*state, calls);
}

static void test_sips_without_tls_goes_nowhere(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {"a sip contact alone: 480 and why", ALICE, MIXED_TLS, "INVITE sips:carol@example.com",
         "reply 480 " ALICE " by 2\n+Warning: 380 198.18.0.1:5061 \"SIPS Not Allowed\""},
        {"and so of a CANCEL that comes alone", ALICE, MIXED_TLS, "OPTIONS sips:carol@example.com",
         "reply 480 " ALICE " by 2"},
        {"a sips contact that TLS does not lead to: 480 and why", ALICE, MIXED_TLS,
         "INVITE sip:dave@example.com",
         "reply 480 " ALICE " by 2\n+Warning: 381 198.18.0.1:5061 \"SIPS Required\""},
        {"nobody is there", ALICE, MIXED_TLS, "INVITE sips:nobody@example.com",
         "reply 404 " ALICE " by 2\n-Warning"},
        {"a gateway by UDP", "tls:192.0.2.4:40000#1", MIXED_TLS, "INVITE sips:+49301234@example.com",
         "reply 480 tls:192.0.2.4:40000#1 by 2\n+Warning: 380 198.18.0.1:5061 \"SIPS Not Allowed\""},
        {"a gateway by TLS", "tls:192.0.2.4:40000#1", MIXED_TLS, "INVITE sips:+43301234@example.com",
         "forward tls:192.0.2.51:5061 by 2\n+INVITE sips:+43301234@example.com SIP/2.0\n"
         "+Record-Route: <sips:FLOW@198.18.0.1:5061;lr>"},
        {"a next hop by TCP", "tls:192.0.2.4:40000#1", MIXED_TLS, "INVITE sips:+41301234@example.com",
         "reply 480 tls:192.0.2.4:40000#1 by 2\n+Warning: 380 198.18.0.1:5061 \"SIPS Not Allowed\""},
        {"an address elsewhere", "tls:192.0.2.4:40000#1", MIXED_TLS, "INVITE sips:x@192.0.2.70",
         "forward tls:192.0.2.70:5061 by 2\n+INVITE sips:x@192.0.2.70 SIP/2.0"},
        {"transport=tcp is TLS over TCP", "tls:192.0.2.4:40000#1", MIXED_TLS,
         "INVITE sips:x@192.0.2.70;transport=tcp", "forward tls:192.0.2.70:5061 by 2"},
        {"transport=ws is WebSocket over TLS", "tls:192.0.2.4:40000#1", MIXED_TLS,
         "INVITE sips:x@192.0.2.70;transport=ws", "forward wss:192.0.2.70:443 by 4"},
        {"transport=udp is nothing", "tls:192.0.2.4:40000#1", MIXED_TLS,
         "INVITE sips:x@192.0.2.70;transport=udp", "reply 404 tls:192.0.2.4:40000#1 by 2"},
        {"a Route by UDP", "tls:192.0.2.4:40000#1", MIXED_TLS,
         "INVITE sips:x@192.0.2.70\nRoute: <sip:192.0.2.71;lr>",
         "reply 480 tls:192.0.2.4:40000#1 by 2\n+Warning: 380 198.18.0.1:5061 \"SIPS Not Allowed\""},
        {"a sips Route of a sip request", "tls:192.0.2.4:40000#1", MIXED_TLS,
         "INVITE sip:x@192.0.2.70\nRoute: <sips:192.0.2.71;lr>",
         "forward tls:192.0.2.71:5061 by 2\n+Record-Route: <sips:FLOW@198.18.0.1:5061;lr>"},
        {"without TLS on the way here", "203.0.113.4:5060", MIXED_UDP, "INVITE sips:carol@example.com",
         "reply 403 203.0.113.4:5060 by 0"},
        {"over WebSocket without TLS", "ws:203.0.113.4:5060#1", MIXED_WS, "INVITE sips:carol@example.com",
         "reply 403 ws:203.0.113.4:5060#1 by 3"},
        {"but for our own network, which has its own means", "192.0.2.4:5060", MIXED_UDP,
         "INVITE sips:x@192.0.2.70",
         "forward tls:192.0.2.70:5061 by 2\n"
         "+Record-Route: <sips:FLOW@198.18.0.1:5061;lr>\n+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>"},
    };

    fixture_bind(f, "carol@example.com", fixture_contact("sip:carol@192.0.2.30"));
    struct location_binding dave = fixture_contact("sips:dave@10.0.0.1");
    dave.received = endpoint_ip4(192, 0, 2, 31, 5060);
    fixture_bind(f, "dave@example.com", dave);
    TAKE(f, steps);
}

// 8.2.2.1: a scheme that is not supported.
static void test_without_tls_at_all_sips_is_an_unknown_scheme(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 1);

    (void)state;
    fixture_request(f, "INVITE sips:bob@example.com");
    fixture_expect(f, "sips", "reply 416 192.0.2.4:5060 by 0");
    fixture_close(f);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_registrar_takes_sips_where_all_is_sips),
        TEST(test_flows_of_rfc_5630),
        TEST(test_sips_without_tls_goes_nowhere),
        cmocka_unit_test(test_without_tls_at_all_sips_is_an_unknown_scheme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
