// The digest behind branches and tags: any length, and fields that are told apart.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "role/digest.h"

static const struct hash_key key = {1, 2};

static struct hash128 digest_of(const struct slice *fields, unsigned n)
{
    struct role_digest digest;

    role_digest_begin(&digest, &key, ROLE_DIGEST_TAG);
    for (unsigned i = 0; i < n; i++)
        role_digest_put(&digest, fields[i]);
    return role_digest_end(&digest);
}

static void test_absent_field_is_taken_wherever_the_buffer_ends(void **state)
{
    static char text[3 * ROLE_DIGEST_BYTES];
    const struct slice absent = {NULL, 0};

    (void)state;
    memset(text, 'x', sizeof(text));
    for (uint32_t len = 0; len < sizeof(text); len++) {
        struct slice with[] = {slice_of(text, len), absent, SLICE("end")};
        struct slice without[] = {slice_of(text, len), SLICE("end")};
        assert_false(hash128_equal(digest_of(with, 3), digest_of(without, 2)));
    }
}

static void test_where_a_field_ends_makes_a_difference(void **state)
{
    static char text[2 * ROLE_DIGEST_BYTES];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (uint32_t cut = 0; cut + 1 < sizeof(text); cut++) {
        struct slice here[] = {slice_of(text, cut), slice_of(text + cut, sizeof(text) - cut)};
        struct slice there[] = {slice_of(text, cut + 1), slice_of(text + cut + 1, sizeof(text) - cut - 1)};
        assert_false(hash128_equal(digest_of(here, 2), digest_of(there, 2)));
        assert_true(hash128_equal(digest_of(here, 2), digest_of(here, 2)));
    }
}

static void test_every_byte_of_a_long_field_counts(void **state)
{
    static char text[3 * ROLE_DIGEST_BYTES];

    (void)state;
    memset(text, 'x', sizeof(text));
    struct slice field = slice_of(text, sizeof(text));
    struct hash128 plain = digest_of(&field, 1);
    for (uint32_t i = 0; i < sizeof(text); i++) {
        text[i] = 'y';
        assert_false(hash128_equal(digest_of(&field, 1), plain));
        text[i] = 'x';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent_field_is_taken_wherever_the_buffer_ends),
        cmocka_unit_test(test_where_a_field_ends_makes_a_difference),
        cmocka_unit_test(test_every_byte_of_a_long_field_counts),
    };

    return cmocka_run_group_tests_name("role digest", tests, NULL, NULL);
}
