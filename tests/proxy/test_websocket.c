// RFC 7118 8.2, message by message: Alice in a browser calls Bob's telephone, and Bob hangs up. Our Record-Route
// differs by its tokens, and both have one.
#include <stdio.h>
#include <string.h>

#include "mixed.h"

#define ALICE "wss:203.0.113.10:43000#1"
#define BOB   "203.0.113.22:5060"

#define VIA_ALICE "Via: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK"
#define SEEN      ";rport=43000;received=203.0.113.10"

// As it left with its values in the place of the hashes' names.
static void read_routes(const struct fixture *f, char upper[200], char lower[200])
{
    char copy[FIXTURE_BYTES];

    snprintf(copy, sizeof(copy), "%.*s", (int)f->out.len, f->out.at);
    const char *first = strstr(copy, "\nRecord-Route: ");
    assert_non_null(first);
    const char *second = strstr(first + 1, "\nRecord-Route: ");
    assert_non_null(second);
    assert_int_equal(sscanf(first, "\nRecord-Route: %199[^\r]", upper), 1);
    assert_int_equal(sscanf(second, "\nRecord-Route: %199[^\r]", lower), 1);
}

static void from_alice(struct fixture *f, const char *text)
{
    fixture_from(f, ALICE, MIXED_WSS);
    fixture_text(f, text);
}

static void from_bob(struct fixture *f, const char *text)
{
    fixture_from(f, BOB, MIXED_UDP);
    fixture_text(f, text);
}

static void test_invite_dialog_of_rfc_7118(void **state)
{
    struct fixture *f = fixture_open(MIXED_CONF, 1);
    char udp[200], ws[200], text[2000];

    (void)state;
    f->conf->trusted_n = 0;
    fixture_stateful(f, 100);
    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@203.0.113.22:5060;transport=udp"));

    from_alice(f, "INVITE sip:bob@example.com SIP/2.0\n" VIA_ALICE "56sdasks\n"
                  "From: sip:alice@example.com;tag=asdyka899\n"
                  "To: sip:bob@example.com\n"
                  "Call-ID: asidkj3ss\n"
                  "CSeq: 1 INVITE\n"
                  "Max-Forwards: 70\n"
                  "Supported: path, outbound, gruu\n"
                  "Route: <sip:proxy.example.com:443;transport=ws;lr>\n"
                  "Contact: <sip:alice@example.com\n"
                  "  ;gr=urn:uuid:f81-7dec-14a06cf1;ob>\n"
                  "Content-Length: 0\n\n");
    fixture_expect(f, "F3",
                   "forward " BOB " by 0\n+INVITE sip:bob@203.0.113.22:5060;transport=udp SIP/2.0\n"
                   "+Via: SIP/2.0/UDP 198.18.0.1:5060;branch=BRANCH\n"
                   "+" VIA_ALICE "56sdasks" SEEN "\n"
                   "+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>\n"
                   "+Record-Route: <sip:FLOW@198.18.0.1:443;transport=ws;lr>\n"
                   "+Max-Forwards: 69\n-Route:");
    fixture_left(f, "F2, F3", "100@" ALICE " INVITE@" BOB);
    read_routes(f, udp, ws);

    fixture_answer(f, BOB, "INVITE", 200, "Contact: <sip:bob@203.0.113.22:5060;transport=udp>\n");
    fixture_expect(f, "F5",
                   "forward " ALICE " by 4\n+" VIA_ALICE "56sdasks" SEEN "\n-Via: SIP/2.0/UDP\n"
                   "+Record-Route: <sip:FLOW@198.18.0.1:5060;lr>\n"
                   "+Record-Route: <sip:FLOW@198.18.0.1:443;transport=ws;lr>\n"
                   "+Contact: <sip:bob@203.0.113.22:5060;transport=udp>");

    snprintf(text, sizeof(text),
             "ACK sip:bob@203.0.113.22:5060;transport=udp SIP/2.0\n" VIA_ALICE "hgqqp090\n"
             "Route: %s,\n %s\n"
             "From: sip:alice@example.com;tag=asdyka899\n"
             "To: sip:bob@example.com;tag=bmqkjhsd\n"
             "Call-ID: asidkj3ss\nCSeq: 1 ACK\nMax-Forwards: 70\nContent-Length: 0\n\n",
             ws, udp);
    from_alice(f, text);
    fixture_expect(f, "F7",
                   "forward " BOB " by 0\n+ACK sip:bob@203.0.113.22:5060;transport=udp SIP/2.0\n"
                   "+Via: SIP/2.0/UDP 198.18.0.1:5060;branch=BRANCH\n-Route:");

    snprintf(text, sizeof(text),
             "BYE sip:alice@example.com;gr=urn:uuid:f81-7dec-14a06cf1;ob SIP/2.0\n"
             "Via: SIP/2.0/UDP 203.0.113.22;branch=z9hG4bKbiuiansd001\n"
             "Route: %s,\n %s\n"
             "From: sip:bob@example.com;tag=bmqkjhsd\n"
             "To: sip:alice@example.com;tag=asdyka899\n"
             "Call-ID: asidkj3ss\nCSeq: 1201 BYE\nMax-Forwards: 70\nContent-Length: 0\n\n",
             udp, ws);
    from_bob(f, text);
    fixture_expect(f, "F9",
                   "forward " ALICE
                   " by 4\n+BYE sip:alice@example.com;gr=urn:uuid:f81-7dec-14a06cf1;ob SIP/2.0\n"
                   "+Via: SIP/2.0/WSS 198.18.0.1:443;branch=BRANCH\n"
                   "+Via: SIP/2.0/UDP 203.0.113.22;branch=z9hG4bKbiuiansd001\n-Route:");
    fixture_answer(f, ALICE, "BYE", 200, "");
    fixture_expect(f, "F11",
                   "forward " BOB " by 0\n+Via: SIP/2.0/UDP 203.0.113.22;branch=z9hG4bKbiuiansd001");
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_invite_dialog_of_rfc_7118)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
