// No parser reads past the end of what it was given: every message and every header field, cut off at every length,
// right before a page that cannot be read. A read too far is a SIGSEGV; one in front of the input is for a sanitizer,
// who is given the same again in memory that has nothing else in it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// behind the four that it needs
#include <cmocka.h>

#include "fence.h"
#include "sip/contact.h"
#include "sip/credentials.h"
#include "sip/cseq.h"
#include "sip/edit.h"
#include "sip/head.h"
#include "sip/host.h"
#include "sip/message.h"
#include "sip/params.h"
#include "sip/reply.h"
#include "sip/token.h"
#include "sip/via.h"
#include "torture.h"

#define VALUE_MAX 1024 // bytes of a value that is cut off at each

// Sound messages of all forms that clients send, beside the torture messages.
static const char *const good[] = {
    "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP pc33.atlanta.example.com:5060;branch=z9hG4bK776asdhds;rport\r\n"
    "Max-Forwards: 70\r\n"
    "Route: <sip:192.0.2.1;lr>, <sip:[2001:db8::1]:5070;lr>\r\n"
    "Record-Route: <sip:192.0.2.2;lr>\r\n"
    "To: Bob <sip:bob@biloxi.example.com>\r\n"
    "From: \"Alice \\\"A\\\"\" <sip:alice@atlanta.example.com>;tag=1928301774\r\n"
    "Call-ID: a84b4c76e66710@pc33.atlanta.example.com\r\n"
    "CSeq: 314159 INVITE\r\n"
    "Contact: <sip:alice@pc33.atlanta.example.com;transport=udp>;+sip.instance=\"<urn:uuid:0>\"\r\n"
    "Supported: 100rel, timer\r\n"
    "Require:\r\n"
    "P-Asserted-Identity: \"A\" <sip:+12125551212@example.com>, <tel:+1-212-555-1212>\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 4\r\n"
    "\r\n"
    "v=0\n",
    "REGISTER sip:example.com SIP/2.0\n"
    "v:SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bK1;received=2001:db8::a;maddr=224.2.0.1;ttl=16\n"
    "f:<sip:a@example.com;user=phone>;tag=1\nt:<sip:a@example.com>\ni:1\nCSeq:1 REGISTER\n"
    "m:*\nm: <sip:a@[2001:db8::9]:5060;ob>;q=0.5;expires=60, sips:b@example.com ; q=1.000\n"
    "Expires: 4294967296\nPath: <sip:p@192.0.2.3;lr>\n"
    "Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:example.com\", "
    "response=\"0\", "
    "algorithm=MD5, cnonce=\"c\", qop=auth, nc=00000001\nk:path,gruu\nl:0\n\n",
    "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKstg.1,\r\n\tSIP/2.0/UDP 192.0.2.2\r\n"
    "From: <sip:a@example.com>;tag=1\r\nTo: <tel:112;phone-context=+49>;tag=2\r\nCall-ID: 1\r\n"
    "CSeq: 1 INVITE\r\n\r\n",
    "\r\n\r\nOPTIONS sip:192.0.2.1 SIP/2.0\r\n\r\n",
};

#define GOOD_N (sizeof(good) / sizeof(good[0]))

static struct slice input(unsigned i)
{
    return i < GOOD_N ? slice_text(good[i]) : torture_read(torture[i - GOOD_N].name);
}

static bool inside(struct slice whole, struct slice part)
{
    return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void read_uri(struct slice text)
{
    char aor[SIP_AOR_MAX];
    struct endpoint endpoint;
    struct slice value;
    struct sip_uri uri;

    if (sip_uri_parse(text, &uri) != SIP_OK)
        return;
    assert_true(inside(text, uri.user) && inside(text, uri.host) && inside(text, uri.headers));
    sip_uri_param(&uri, SLICE("transport"), &value);
    sip_uri_endpoint(&uri, &endpoint);
    assert_in_range(sip_uri_write_aor(&uri, aor), 0, SIP_AOR_MAX);
    assert_true(sip_uri_equal(&uri, &uri));
}

static void read_vias(struct slice value)
{
    struct cursor c = cursor_over(value);
    struct endpoint endpoint;
    struct sip_via via;

    while (sip_via_take(&c, &via) && cursor_skip(&c, ',')) {
        assert_true(inside(value, via.text) && inside(value, via.branch) && inside(value, via.rport_at));
        sip_via_response_endpoint(&via, &endpoint);
    }
}

static void read_contacts(struct slice value)
{
    struct cursor c = cursor_over(value);
    struct sip_contact contact;

    while (sip_contact_take(&c, &contact)) {
        assert_true(contact.star || inside(value, contact.address.text));
        read_uri(contact.address.uri.text);
        sip_skip_space(&c);
        if (!cursor_skip(&c, ','))
            break;
    }
}

static void read_lists(struct slice value)
{
    struct cursor elements = cursor_over(value), params = cursor_over(value);
    struct sip_param param;
    struct slice element;

    while (sip_take_element(&elements, &element))
        assert_true(inside(value, element));
    while (sip_param_next(&params, &param))
        assert_true(inside(value, param.name) && inside(value, param.value));
    sip_param_find(value, SLICE("tag"), &param);
    sip_list_has(value, SLICE("path"));
}

// Every typed parser, whatever header field the value is of.
static void read_value(struct slice value)
{
    struct sip_credentials credentials;
    struct sip_address address;
    struct endpoint endpoint;
    struct sip_cseq cseq;

    read_uri(value);
    read_vias(value);
    read_contacts(value);
    read_lists(value);
    if (sip_address_parse(value, &address) == SIP_OK)
        assert_true(inside(value, address.display) && inside(value, address.params) &&
                    inside(value, address.tag));
    if (sip_cseq_parse(value, &cseq) == SIP_OK)
        assert_true(inside(value, cseq.method_text));
    if (sip_credentials_parse(value, &credentials) == SIP_OK)
        assert_true(inside(value, credentials.scheme) && inside(value, credentials.nc));
    sip_expires_parse(value);
    sip_header_of(value);
    sip_method_of(value);
    sip_host_endpoint(value, &endpoint);
}

// The head by each vector form that this CPU has.
static void index_by_all(const struct sip_message *parsed)
{
    static struct sip_message message;

    for (unsigned level = 0; level <= (unsigned)sip_scan_level_best(); level++) {
        memset(&message, 0, offsetof(struct sip_message, lines));
        memset(message.first, SIP_NO_LINE, sizeof(message.first));
        message.bytes = parsed->bytes;
        message.len = parsed->len;
        sip_head_index(&message, parsed->lines[0].name, (enum sip_scan_level)level);
        assert_int_equal(message.lines_n, parsed->lines_n);
    }
}

static void reply_to(const struct sip_message *message)
{
    static struct sip_edits edits;
    static char room[8192];
    struct sip_edited edited;

    sip_edits_clear(&edits);
    sip_reply_note(message, &(struct sip_reply){.status = 400, .to_tag = SLICE("t"), .lines = SLICE("")},
                   &edits);
    memcpy(room + 1024, message->bytes, message->len);
    assert_int_equal(sip_edits_apply(&edits, room + 1024, message->len, 1024, 1024, &edited), SIP_OK);
}

static void read_message(struct slice bytes)
{
    static struct sip_message message;

    sip_message_parse(&message, bytes.at, bytes.len);
    if (message.kind == 0)
        return;
    sip_message_check(&message);
    assert_true(message.len <= bytes.len && message.body + message.body_len <= bytes.len);
    assert_true(inside(bytes, sip_message_span(&message, message.uri)));
    read_uri(sip_message_span(&message, message.uri));
    for (unsigned line = 0; line < message.lines_n; line++) {
        struct slice value = sip_message_value(&message, line);
        assert_true(inside(bytes, value));
        read_value(value);
    }
    index_by_all(&message);
    if (message.kind == SIP_REQUEST)
        reply_to(&message);
}

static void read_fenced(void (*read)(struct slice), struct slice bytes)
{
    char *alone = malloc(bytes.len > 0 ? bytes.len : 1);

    assert_non_null(alone);
    memcpy(alone, bytes.at, bytes.len);
    read(fence_copy(bytes.at, bytes.len));
    read(slice_of(alone, bytes.len));
    free(alone);
}

static void test_good_messages_are_good(void **state)
{
    static struct sip_message message;

    (void)state;
    for (unsigned i = 0; i < GOOD_N; i++)
        assert_int_equal(sip_message_parse(&message, good[i], strlen(good[i])), SIP_OK);
}

static void test_messages_cut_off_at_every_byte(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GOOD_N + torture_n; i++) {
        struct slice whole = input(i);
        for (uint32_t len = 0; len <= whole.len; len++)
            read_fenced(read_message, slice_of(whole.at, len));
    }
}

static void cut_value(struct slice whole)
{
    for (uint32_t len = 0; len <= whole.len && len <= VALUE_MAX; len++)
        read_fenced(read_value, slice_of(whole.at, len));
}

static void test_header_fields_cut_off_at_every_byte(void **state)
{
    static struct sip_message message;
    unsigned values = 0;

    (void)state;
    for (unsigned i = 0; i < GOOD_N + torture_n; i++) {
        struct slice whole = input(i);
        sip_message_parse(&message, whole.at, whole.len);
        if (message.kind == SIP_REQUEST)
            cut_value(sip_message_span(&message, message.uri));
        for (unsigned line = 0; line < message.lines_n; line++, values++)
            cut_value(sip_message_value(&message, line));
    }
    assert_in_range(values, 500, 1000); // that there was something to read
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_messages_are_good),
        cmocka_unit_test(test_messages_cut_off_at_every_byte),
        cmocka_unit_test(test_header_fields_cut_off_at_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
