// STUN on a SIP port: the test vectors of RFC 5769 and what a hostile sender makes of a message.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "net/stun.h"

#define TRANSACTION 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae
#define COOKIE      0x21, 0x12, 0xa4, 0x42

// RFC 5769 2.1: SOFTWARE, PRIORITY, ICE-CONTROLLED, USERNAME, MESSAGE-INTEGRITY, FINGERPRINT.
static const uint8_t sample_request[] = {
    0x00, 0x01, 0x00, 0x58, COOKIE, TRANSACTION,                                     // header
    0x80, 0x22, 0x00, 0x10, 'S',    'T',         'U',  'N',  ' ',  't',  'e',  's',  //
    't',  ' ',  'c',  'l',  'i',    'e',         'n',  't',                          //
    0x00, 0x24, 0x00, 0x04, 0x6e,   0x00,        0x01, 0xff,                         //
    0x80, 0x29, 0x00, 0x08, 0x93,   0x2f,        0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, //
    0x00, 0x06, 0x00, 0x09, 'e',    'v',         't',  'j',  ':',  'h',  '6',  'v',  //
    'Y',  ' ',  ' ',  ' ',                                                           //
    0x00, 0x08, 0x00, 0x14, 0x9a,   0xea,        0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, //
    0x78, 0x1e, 0xf2, 0xb5, 0xb2,   0xd3,        0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, //
    0x80, 0x28, 0x00, 0x04, 0xe5,   0x7a,        0x3b, 0xcf,
};

static const uint8_t bare_request[] = {0x00, 0x01, 0x00, 0x00, COOKIE, TRANSACTION};

// Of the sample responses in RFC 5769 2.2 and 2.3, which come to the same transaction id.
static const uint8_t mapped_ip4[] = {0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43};
static const uint8_t mapped_ip6[] = {0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa,
                                     0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9};

static uint8_t answer[NET_STUN_ANSWER_MAX];
static unsigned answer_len;

// Served from memory that ends with the message, so that a sanitizer sees a read behind it.
static enum net_stun serve_from(const char *source_text, const void *message, size_t len)
{
    struct endpoint source;
    uint8_t *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    memcpy(exact, message, len);
    assert_true(endpoint_parse(slice_text(source_text), &source));
    memset(answer, 0xee, sizeof(answer));
    answer_len = 0;
    enum net_stun outcome = net_stun_serve(exact, len, &source, answer, &answer_len);
    free(exact);
    return outcome;
}

static enum net_stun serve(const void *message, size_t len)
{
    return serve_from("192.0.2.1:32853", message, len);
}

static void test_binding_request_is_told_its_ip4_source(void **state)
{
    static const uint8_t header[] = {0x01, 0x01, 0x00, 0x0c, COOKIE, TRANSACTION};

    (void)state;
    assert_int_equal(serve(bare_request, sizeof(bare_request)), NET_STUN_REQUEST);
    assert_int_equal(answer_len, 32);
    assert_memory_equal(answer, header, 20);
    assert_memory_equal(answer + 20, mapped_ip4, sizeof(mapped_ip4));
}

static void test_binding_request_is_told_its_ip6_source(void **state)
{
    (void)state;
    assert_int_equal(serve_from("[2001:db8:1234:5678:11:2233:4455:6677]:32853", bare_request, 20),
                     NET_STUN_REQUEST);
    assert_int_equal(answer_len, 44);
    assert_int_equal(answer[3], 24);
    assert_memory_equal(answer + 20, mapped_ip6, sizeof(mapped_ip6));
}

static void test_fingerprint_is_verified_and_given_back(void **state)
{
    static const uint8_t request[] = {0x00, 0x01, 0x00, 0x08, COOKIE, TRANSACTION, 0x80,
                                      0x28, 0x00, 0x04, 0xfd, 0xf6,   0xae,        0x02};
    static const uint8_t fingerprint[] = {0x80, 0x28, 0x00, 0x04, 0x7d, 0x28, 0x1f, 0x59};
    uint8_t wrong[sizeof(request)];

    (void)state;
    assert_int_equal(serve(request, sizeof(request)), NET_STUN_REQUEST);
    assert_int_equal(answer_len, 40);
    assert_memory_equal(answer + 20, mapped_ip4, sizeof(mapped_ip4));
    assert_memory_equal(answer + 32, fingerprint, sizeof(fingerprint));
    for (unsigned at = 0; at < sizeof(request); at++) {
        memcpy(wrong, request, sizeof(wrong));
        wrong[at] ^= 0x10;
        if (serve(wrong, sizeof(wrong)) == NET_STUN_REQUEST)
            // without its type it is no fingerprint: either an unknown attribute or one that may be ignored
            assert_true(at == 20 || at == 21);
    }
}

static void test_sample_request_is_refused_for_what_is_not_understood(void **state)
{
    static const uint8_t refusal[] = {0x00, 0x09, 0x00, 0x04, 0x00, 0x00, 0x04, 0x14, // 420
                                      0x00, 0x0a, 0x00, 0x02, 0x00, 0x24, 0x00, 0x00, // PRIORITY
                                      0x80, 0x28, 0x00, 0x04};

    (void)state;
    assert_int_equal(sizeof(sample_request), 108);
    assert_int_equal(serve(sample_request, sizeof(sample_request)), NET_STUN_REQUEST);
    assert_int_equal(answer[0] << 8 | answer[1], 0x0111);
    assert_int_equal(answer_len, 20 + sizeof(refusal) + 4);
    assert_int_equal(answer[3], answer_len - 20);
    assert_memory_equal(answer + 20, refusal, sizeof(refusal));
}

static void test_indication_is_not_answered(void **state)
{
    static const uint8_t indication[] = {0x00, 0x11, 0x00, 0x00, COOKIE, TRANSACTION};

    (void)state;
    assert_int_equal(serve(indication, sizeof(indication)), NET_STUN_INDICATION);
    assert_int_equal(answer_len, 0);
}

static const struct {
    const char *name;
    unsigned len;
    uint8_t bytes[48];
    enum net_stun outcome;
    unsigned answer_len;
} cases[] = {
    {"no cookie: RFC 3489", 20, {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x43}, NET_STUN_BROKEN, 0},
    {"a length that is more than there is", 20, {0x00, 0x01, 0x00, 0x04, COOKIE}, NET_STUN_BROKEN, 0},
    {"a length that is less", 24, {0x00, 0x01, 0x00, 0x00, COOKIE}, NET_STUN_BROKEN, 0},
    {"a length that is no multiple of 4", 22, {0x00, 0x01, 0x00, 0x02, COOKIE}, NET_STUN_BROKEN, 0},
    {"a header cut short", 19, {0x00, 0x01, 0x00, 0x00, COOKIE}, NET_STUN_BROKEN, 0},
    {"nothing", 0, {0}, NET_STUN_BROKEN, 0},
    {"a success response", 20, {0x01, 0x01, 0x00, 0x00, COOKIE}, NET_STUN_BROKEN, 0},
    {"an error response", 20, {0x01, 0x11, 0x00, 0x00, COOKIE}, NET_STUN_BROKEN, 0},
    {"another method", 20, {0x00, 0x03, 0x00, 0x00, COOKIE}, NET_STUN_BROKEN, 0},
    {"an attribute longer than the message",
     24,
     {0x00, 0x01, 0x00, 0x04, COOKIE, TRANSACTION, 0x80, 0x22, 0x00, 0x01},
     NET_STUN_BROKEN,
     0},
    {"an attribute as long as can be said",
     24,
     {0x00, 0x01, 0x00, 0x04, COOKIE, TRANSACTION, 0x80, 0x22, 0xff, 0xff},
     NET_STUN_BROKEN,
     0},
    {"an optional attribute, padded",
     28,
     {0x00, 0x01, 0x00, 0x08, COOKIE, TRANSACTION, 0x80, 0x22, 0x00, 0x01, 'x', 0, 0, 0},
     NET_STUN_REQUEST,
     32},
    {"a known one of no use here",
     24,
     {0x00, 0x01, 0x00, 0x04, COOKIE, TRANSACTION, 0x00, 0x06, 0x00, 0x00},
     NET_STUN_REQUEST,
     32},
    {"two unknown ones",
     28,
     {0x00, 0x01, 0x00, 0x08, COOKIE, TRANSACTION, 0x00, 0x03, 0x00, 0x00, 0x00, 0x25, 0x00, 0x00},
     NET_STUN_REQUEST,
     36},
    {"an unknown one behind MESSAGE-INTEGRITY",
     28,
     {0x00, 0x01, 0x00, 0x08, COOKIE, TRANSACTION, 0x00, 0x08, 0x00, 0x00, 0x00, 0x25, 0x00, 0x00},
     NET_STUN_REQUEST,
     32},
    {"something behind a FINGERPRINT",
     32,
     {0x00, 0x01, 0x00, 0x0c, COOKIE, TRANSACTION, 0x80, 0x28, 0x00, 0x04, 0x8e, 0xfe, 0x89, 0xcd, 0x80, 0x22,
      0x00, 0x00},
     NET_STUN_BROKEN,
     0},
    {"a FINGERPRINT of another length",
     24,
     {0x00, 0x01, 0x00, 0x04, COOKIE, TRANSACTION, 0x80, 0x28, 0x00, 0x00},
     NET_STUN_BROKEN,
     0},
};

static void test_every_shape_of_a_message(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum net_stun outcome = serve(cases[i].bytes, cases[i].len);
        if (outcome != cases[i].outcome || answer_len != cases[i].answer_len)
            fail_msg("%s: %d, %u bytes", cases[i].name, (int)outcome, answer_len);
    }
}

static void test_answer_outgrows_no_request_by_more_than_an_address(void **state)
{
    uint8_t request[1200] = {0x00, 0x01, 0, 0, COOKIE, TRANSACTION};

    (void)state;
    for (unsigned n = 0; n <= 295; n++) {
        unsigned len = 20 + 4 * n;
        request[2] = (uint8_t)((len - 20) >> 8);
        request[3] = (uint8_t)(len - 20);
        if (n > 0)
            request[len - 3] = 0x7f; // type 0x007f, without a value
        assert_int_equal(serve_from("[2001:db8::9]:1", request, len), NET_STUN_REQUEST);
        assert_true(answer_len <= len + NET_STUN_GROWTH);
        assert_true(answer_len <= NET_STUN_ANSWER_MAX);
        assert_int_equal(answer[2] << 8 | answer[3], answer_len - 20);
    }
}

// Any bytes at all: nothing is read outside of them, and what is answered has the form of an answer.
static void test_random_messages(void **state)
{
    uint8_t message[128];
    uint64_t random = 1;
    unsigned answered = 0;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        memcpy(message, sample_request, sizeof(sample_request));
        unsigned len = sizeof(sample_request) - 8; // its fingerprint would stop nearly all
        message[3] = (uint8_t)(len - 20);
        for (unsigned change = 0; change < 1 + round % 4; change++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            message[20 + (random >> 33) % (len - 20)] = (uint8_t)(random >> 56);
        }
        if (serve(message, len) != NET_STUN_REQUEST)
            continue;
        answered++;
        assert_int_equal(answer[2] << 8 | answer[3], answer_len - 20);
        assert_memory_equal(answer + 4, message + 4, 16);
    }
    assert_true(answered > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binding_request_is_told_its_ip4_source),
        cmocka_unit_test(test_binding_request_is_told_its_ip6_source),
        cmocka_unit_test(test_fingerprint_is_verified_and_given_back),
        cmocka_unit_test(test_sample_request_is_refused_for_what_is_not_understood),
        cmocka_unit_test(test_indication_is_not_answered),
        cmocka_unit_test(test_every_shape_of_a_message),
        cmocka_unit_test(test_answer_outgrows_no_request_by_more_than_an_address),
        cmocka_unit_test(test_random_messages),
    };

    return cmocka_run_group_tests_name("net stun", tests, NULL, NULL);
}
