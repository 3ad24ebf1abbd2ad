// Whatever comes in: no read behind the message (the fixture's copy ends with it), a verdict that the data
// path can carry out, edits that apply, and no answer to an ACK or a response.
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 3000 // mutations of each message

static const char *const messages[] = {
    "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.4:5060;branch=z9hG4bKa;rport,SIP/2.0/UDP "
    "b\r\n"
    "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n"
    "Supported: path\r\nPath: <sip:192.0.2.30;lr>\r\nExpires: 70\r\nAllow: INVITE,ACK\r\n"
    "Contact: <sip:bob@192.0.2.4>;q=0.5, \"B\" <sip:b@[2001:db8::1]:5070;x=y?a=b>;expires=100\r\n\r\n",
    "INVITE sip:bob@example.com;maddr=198.18.0.1;transport=udp SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKa;received=1.2.3.4;rport=1\r\nRoute: <sip:198.18.0.1;lr>\r\n"
    "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\ni: 1\r\nCSeq: 1 INVITE\r\n"
    "Max-Forwards: 70\r\nProxy-Require:\r\nContent-Length: 5\r\n\r\nhello",
    "BYE sip:198.18.0.1;lr SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.4\r\nRoute: "
    "<sip:198.18.0.1;lr>,<sip:192.0.2.9>\r\n"
    "Route: <sip:192.0.2.10;lr>, <sip:bob@192.0.2.11>\r\nf: <sip:bob@example.com>;tag=1\r\n"
    "t: <sip:bob@example.com>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\nMax-Forwards: 1\r\n\r\n",
    "ACK sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKa\r\n"
    "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:bob@example.com>;tag=stg-0123456789abcdef\r\nCall-ID: "
    "1\r\n"
    "CSeq: 1 ACK\r\n\r\n",
    "OPTIONS sip:198.18.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;maddr=192.0.2.7;ttl=3;branch=z9hG4bKa\r\n"
    "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
    "Require: a,b,\r\nUser-Agent: sip\r\n\r\n",
    "INVITE sip:bob@redirect.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4\r\n"
    "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKstg.000001aaaaaaaaaaaaaaaabbbbbbbb, "
    "SIP/2.0/UDP 192.0.2.4;received=192.0.2.5;rport=6\r\nFrom: <sip:a@example.com>;tag=1\r\n"
    "To: <sip:b@example.com>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
};

static int set_up(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 1);

    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9;method=INVITE?a=b"));
    fixture_bind(f, "bob@redirect.example", fixture_contact("sip:bob@192.0.2.9"));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void serve(struct fixture *f, const char *bytes, size_t len)
{
    struct sip_message message;
    struct steered steer;

    sip_message_parse(&message, bytes, len);
    role_steer(&f->role, &message, 3, &steer);
    assert_true(steer.worker < 3);
    fixture_bytes(f, bytes, len); // which applies the edits
    const struct verdict *verdict = &f->verdict;
    if (verdict->kind == VERDICT_DROP) {
        assert_true(verdict->drop != DROP_NONE && verdict->drop < DROP_COUNT);
        return;
    }
    if (verdict->kind == VERDICT_PARK) {
        assert_in_range(verdict->name.len, 1, NAME_TEXT_MAX);
        return;
    }
    assert_true(verdict->to.port != 0 && verdict->to.family != ENDPOINT_NONE);
    assert_true(verdict->listener < f->conf->listeners_n);
    assert_int_equal(f->conf->listeners[verdict->listener].address.family, verdict->to.family);
    if (verdict->kind == VERDICT_REPLY) {
        assert_int_equal(message.kind, SIP_REQUEST);
        assert_true(message.method != SIP_METHOD_ACK);
        assert_in_range(verdict->status, 200, 699);
    }
    // what leaves is a message again
    assert_true(sip_message_parse(&message, f->out.at, f->out.len) != SIP_ERROR_START_LINE);
}

static void test_every_truncation(void **state)
{
    for (unsigned i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
        for (size_t len = 0; len <= strlen(messages[i]); len++)
            serve(*state, messages[i], len);
    }
}

static void mutate(char *bytes, size_t *len, uint64_t *random)
{
    static const char odd[] = "\r\n\t ;,:<>\"@?=[]%*\0\xff\\09";

    for (unsigned n = 1 + (unsigned)(*random >> 60) % 4; n > 0; n--) {
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)(*random >> 33) % *len;
        switch (*random >> 30 & 3) {
        case 0:
            bytes[at] = odd[(*random >> 20) % sizeof(odd)];
            break;
        case 1: // takes a piece out
            *len -= *len - at > 4 ? 4 : 0;
            memmove(bytes + at, bytes + at + 4, *len - at);
            break;
        case 2: // doubles a piece
            memmove(bytes + at + 8, bytes + at, *len - at);
            *len += 8;
            break;
        default:
            bytes[at] = (char)(*random >> 40);
        }
    }
}

static void test_random_mutations(void **state)
{
    uint64_t random = 7;
    char bytes[2048];

    for (unsigned i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
        for (unsigned round = 0; round < ROUNDS; round++) {
            size_t len = strlen(messages[i]);
            memcpy(bytes, messages[i], len);
            mutate(bytes, &len, &random);
            serve(*state, bytes, len);
        }
    }
}

static void test_as_many_lines_as_there_may_be(void **state)
{
    struct fixture *f = *state;
    char text[8192] = "INVITE sip:nobody@example.com\n";

    for (unsigned i = 0; i < 100; i++)
        strcat(text, i % 2 ? "Subject-x: y\n" : "Via: SIP/2.0/UDP 192.0.2.4\n");
    text[strlen(text) - 1] = 0;
    fixture_request(f, text);
    assert_string_equal(fixture_verdict(f), "reply 404 192.0.2.4:5060 by 0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_truncation),
        TEST(test_random_mutations),
        TEST(test_as_many_lines_as_there_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
