// What is kept of a REGISTER that came over a stream (RFC 5626 5.3, RFC 7118 5): the connection of a phone, and of
// nobody else.
#include <stdio.h>

#include "mixed.h"

#define OUTBOUND "Supported: path, outbound, gruu\n"

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

static const struct {
    const char *name, *from;
    unsigned listener;
    const char *lines, *contact;
    const char *received; // NULL: nowhere
    const char *never;    // with [registrar] nat = never, where that makes a difference
} phones[] = {
    {"TCP, and its Contact is private", "tcp:203.0.113.8:41000#3", MIXED_TCP, "Via: SIP/2.0/TCP 10.0.0.8",
     "sip:b@10.0.0.8;transport=tcp", "tcp:203.0.113.8:41000#3", "tcp:10.0.0.8:5060"},
    {"TCP, and its Contact is right", "tcp:203.0.113.8:41000#3", MIXED_TCP, "Via: SIP/2.0/TCP 203.0.113.8",
     "sip:b@203.0.113.8;transport=tcp", "tcp:203.0.113.8:41000#3", "tcp:203.0.113.8:5060"},
    {"TCP, and its Contact says UDP", "tcp:203.0.113.8:41000#3", MIXED_TCP, "Via: SIP/2.0/TCP 203.0.113.8",
     "sip:b@203.0.113.8", "tcp:203.0.113.8:41000#3", "203.0.113.8:5060"},
    {"TLS", "tls:203.0.113.9:42000#255", MIXED_TLS, "Via: SIP/2.0/TLS phone.example",
     "sip:b@10.0.0.9:5061;transport=tls", "tls:203.0.113.9:42000#255", "tls:10.0.0.9:5061"},
    {"WebSocket, which has no other way", "ws:203.0.113.10:43000#9", MIXED_WS, "Via: SIP/2.0/WS a.invalid",
     "sip:b@a.invalid;transport=ws", "ws:203.0.113.10:43000#9", NULL},
    {"whatever it says", "wss:203.0.113.10:43000#9", MIXED_WSS, "Via: SIP/2.0/WSS 192.0.2.7",
     "sip:b@192.0.2.7;transport=ws", "wss:203.0.113.10:43000#9", NULL},
    {"IPv6", "tcp:[2001:db8::8]:45000#2", MIXED_TCP6, "Via: SIP/2.0/TCP [2001:db8::8]",
     "sip:b@[2001:db8::8];transport=tcp", "tcp:[2001:db8::8]:45000#2", "tcp:[2001:db8::8]:5060"},
    {"behind a proxy without Path the Contact is all there is", "tcp:203.0.113.11:44000#1", MIXED_TCP,
     "Via: SIP/2.0/TCP 203.0.113.11;branch=z9hG4bKp\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKq",
     "sip:b@192.0.2.7", "192.0.2.7:5060", NULL},
    {"and by another transport", "203.0.113.11:5060", MIXED_UDP,
     "Via: SIP/2.0/UDP 203.0.113.11;branch=z9hG4bKp\nVia: SIP/2.0/TCP 192.0.2.7;branch=z9hG4bKq",
     "sip:b@192.0.2.7;transport=tcp", "tcp:192.0.2.7:5060", NULL},
    {"a Path leads, whoever holds the connection", "tcp:192.0.2.4:44000#1", MIXED_TCP,
     "Via: SIP/2.0/TCP 192.0.2.4\nSupported: path\nPath: <sip:192.0.2.30;transport=tcp;lr>", "sip:b@10.0.0.7",
     "tcp:192.0.2.30:5060", NULL},
    {"a sips Path", "tls:192.0.2.4:44000#1", MIXED_TLS,
     "Via: SIP/2.0/TLS 192.0.2.4\nSupported: path\nPath: <sips:192.0.2.30;lr>", "sip:b@10.0.0.7",
     "tls:192.0.2.30:5061", NULL},
    {"a Contact that is no SIP URI", "tcp:203.0.113.8:41000#3", MIXED_TCP, "Via: SIP/2.0/TCP 10.0.0.8",
     "mailto:b@example.com", "", NULL},
    {"a Contact over what nobody speaks", "203.0.113.8:5060", MIXED_UDP, "Via: SIP/2.0/UDP 203.0.113.8",
     "sip:b@203.0.113.8;transport=sctp", "", NULL},
};

static void keeps(struct fixture *f, unsigned i, const char *expected)
{
    struct location_binding bindings[LOCATION_CONTACTS_MAX];
    struct endpoint received = {.family = ENDPOINT_NONE};
    char text[1000], aor[40];

    snprintf(aor, sizeof(aor), "n%u-%u@example.com", i, f->role.conf->nat);
    snprintf(text, sizeof(text), "REGISTER sip:example.com\nTo: <sip:%s>\nCall-ID: r%u\nContact: <%s>\n%s",
             aor, i, phones[i].contact, phones[i].lines);
    fixture_from(f, phones[i].from, phones[i].listener);
    fixture_request(f, text);
    if (fixture_bindings(f, aor, bindings) != 1)
        fail_msg("%s: %s", phones[i].name, f->text);
    assert_true(*expected == 0 || outlet_endpoint_read(expected, &received));
    if (!endpoint_equal(&bindings[0].received, &received)) {
        text[outlet_endpoint_write(&bindings[0].received, text)] = 0;
        fail_msg("%s: %s", phones[i].name, text);
    }
    assert_int_equal(bindings[0].listener, phones[i].listener);
    snprintf(text, sizeof(text), "reply 200 %s by %u", phones[i].from, phones[i].listener);
    fixture_expect(f, phones[i].name, text);
}

static void test_a_phone_is_reached_by_its_connection(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof(phones) / sizeof(*phones); i++)
        keeps(f, i, phones[i].received);
}

static void test_nat_never_is_not_for_websocket(void **state)
{
    struct fixture *f = *state;

    f->conf->nat = CONF_NAT_NEVER;
    for (unsigned i = 0; i < sizeof(phones) / sizeof(*phones); i++)
        keeps(f, i, phones[i].never != NULL ? phones[i].never : phones[i].received);
}

static void test_a_phone_that_connects_again_is_reached_by_the_new_connection(void **state)
{
    static const char *const connections[] = {"wss:203.0.113.10:43000#9", "wss:203.0.113.10:43000#10",
                                              "wss:203.0.113.10:43001#1", "wss:198.51.100.3:43001#1"};
    struct fixture *f = *state;
    struct location_binding bindings[LOCATION_CONTACTS_MAX];
    struct endpoint expected;

    for (unsigned i = 0; i < sizeof(connections) / sizeof(*connections); i++) {
        char text[400];
        snprintf(
            text, sizeof(text),
            "REGISTER sip:example.com\nVia: SIP/2.0/WSS a.invalid\nTo: <sip:bob@example.com>\nCall-ID: r\n"
            "CSeq: %u REGISTER\nContact: <sip:bob@a.invalid;transport=ws>",
            i + 1);
        fixture_from(f, connections[i], MIXED_WSS);
        fixture_request(f, text);
        assert_int_equal(fixture_bindings(f, "bob@example.com", bindings), 1);
        assert_true(outlet_endpoint_read(connections[i], &expected));
        assert_true(endpoint_equal(&bindings[0].received, &expected));
    }
}

// RFC 7118 8.1, without the outbound and gruu that nobody asks for here.
static void test_registration_of_rfc_7118(void **state)
{
    struct fixture *f = *state;

    fixture_from(f, "wss:203.0.113.10:43000#1", MIXED_WSS);
    fixture_text(f, "REGISTER sip:proxy.example.com SIP/2.0\n"
                    "Via: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKasudf\n"
                    "From: sip:alice@example.com;tag=65bnmj.34asd\n"
                    "To: sip:alice@example.com\n"
                    "Call-ID: aiuy7k9njasd\n"
                    "CSeq: 1 REGISTER\n"
                    "Max-Forwards: 70\n" OUTBOUND "Contact: <sip:alice@df7jal23ls0d.invalid;transport=ws>\n"
                    "  ;reg-id=1\n"
                    "  ;+sip.instance=\"<urn:uuid:f81-7dec-14a06cf1>\"\n\n");
    fixture_expect(
        f, "F4",
        "reply 200 wss:203.0.113.10:43000#1 by 4\n"
        "+SIP/2.0 200 OK\n"
        "+Via: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKasudf;rport=43000;received=203.0.113.10\n"
        "+From: sip:alice@example.com;tag=65bnmj.34asd\n"
        "+To: sip:alice@example.com;tag=TAG\n"
        "+Call-ID: aiuy7k9njasd\n"
        "+CSeq: 1 REGISTER\n"
        "+Contact: <sip:alice@df7jal23ls0d.invalid;transport=ws>;expires=3600");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_phone_is_reached_by_its_connection),
        TEST(test_nat_never_is_not_for_websocket),
        TEST(test_a_phone_that_connects_again_is_reached_by_the_new_connection),
        TEST(test_registration_of_rfc_7118),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
