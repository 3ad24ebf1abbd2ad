#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hash.h"
#include "fence.h"

#define INPUT_MAX 80

static const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static void input_bytes(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)i;
}

static void hex_of(struct hash128 hash, char hex[33])
{
    const uint64_t halves[2] = {hash.low, hash.high};

    for (unsigned i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned)(halves[i / 8] >> (8 * (i % 8)) & 0xff));
}

// Key 00 01 … 0f, input 00 01 … of the length; 2-4 from the authors' vectors_sip128, all checked with OpenSSL's
// SIPHASH (size:16, c-rounds, d-rounds).
static void test_published_vectors(void **state)
{
    static const struct {
        unsigned form, len;
        const char *hex;
    } cases[] = {
        {24, 0, "a3817f04ba25a8e66df67214c7550293"},  {24, 1, "da87c1d86b99af44347659119b22fc45"},
        {24, 2, "8177228da4a45dc7fca38bdef60affe4"},  {24, 7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
        {24, 8, "3b62a9ba6258f5610f83e264f31497b4"},  {24, 15, "5493e99933b0a8117e08ec0f97cfc3d9"},
        {24, 63, "5150d1772f50834a503e069a973fbd7c"}, {13, 0, "e77ebcb22788a5befd62db6add303001"},
        {13, 1, "fc6f370460d3eda85e0573cc2b2ff063"},  {13, 8, "aa12fee1d5e3dab4724f16ab35f9c799"},
        {13, 15, "c17e5505b2bd526c2921cdec1e7e0109"},
    };
    uint8_t bytes[INPUT_MAX];
    char hex[33];

    (void)state;
    input_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice input = fence_copy(bytes, cases[i].len);
        hex_of(cases[i].form == 24 ? hash_sip24(&key, input.at, input.len)
                                   : hash_sip13(&key, input.at, input.len),
               hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

// The same function once more, byte by byte over a padded copy, so that lengths between the vectors are covered.
static struct hash128 reference(const uint8_t *bytes, size_t len, int c, int d)
{
    uint64_t a = key.k0 ^ 0x736f6d6570736575, b = key.k1 ^ 0x646f72616e646f6d ^ 0xee;
    uint64_t e = key.k0 ^ 0x6c7967656e657261, f = key.k1 ^ 0x7465646279746573;
    uint8_t padded[INPUT_MAX + 16] = {0};
    struct hash128 hash = {0, 0};
    size_t words = len / 8 + 1;

#define LEFT(x, n) ((x) = (x) << (n) | (x) >> (64 - (n)))
#define ROUND                                                                                            \
    (a += b, e += f, LEFT(b, 13), LEFT(f, 16), b ^= a, f ^= e, LEFT(a, 32), e += b, a += f, LEFT(b, 17), \
     LEFT(f, 21), b ^= e, f ^= a, LEFT(e, 32))
    memcpy(padded, bytes, len);
    padded[words * 8 - 1] = (uint8_t)len;
    for (size_t w = 0; w < words; w++) {
        uint64_t m = 0;
        for (int i = 7; i >= 0; i--)
            m = m << 8 | padded[8 * w + (size_t)i];
        f ^= m;
        for (int i = 0; i < c; i++)
            ROUND;
        a ^= m;
    }
    e ^= 0xee;
    for (int i = 0; i < d; i++)
        ROUND;
    hash.low = a ^ b ^ e ^ f;
    b ^= 0xdd;
    for (int i = 0; i < d; i++)
        ROUND;
    hash.high = a ^ b ^ e ^ f;
    return hash;
}

static void test_every_length_against_a_reference(void **state)
{
    uint8_t bytes[INPUT_MAX];

    (void)state;
    input_bytes(bytes, sizeof(bytes));
    for (size_t len = 0; len <= INPUT_MAX; len++) {
        struct slice input = fence_copy(bytes, len);
        assert_true(hash128_equal(hash_sip24(&key, input.at, len), reference(bytes, len, 2, 4)));
        assert_true(hash128_equal(hash_sip13(&key, input.at, len), reference(bytes, len, 1, 3)));
    }
}

static void test_key_and_every_byte_count(void **state)
{
    uint8_t bytes[16] = {0};
    struct hash_key other = {key.k0, key.k1 ^ 1};
    struct hash128 hash = hash_sip13(&key, bytes, sizeof(bytes));

    (void)state;
    assert_false(hash128_equal(hash, hash_sip13(&other, bytes, sizeof(bytes))));
    assert_false(hash128_equal(hash, hash_sip13(&key, bytes, sizeof(bytes) - 1)));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 1;
        assert_false(hash128_equal(hash, hash_sip13(&key, bytes, sizeof(bytes))));
        bytes[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_every_length_against_a_reference),
        cmocka_unit_test(test_key_and_every_byte_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
