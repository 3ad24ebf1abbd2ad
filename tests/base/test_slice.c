#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "fence.h"

static void test_equality_is_of_bytes_and_length(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("abc"), SLICE("abc")));
    assert_false(slice_equal(SLICE("abc"), SLICE("abC")));
    assert_false(slice_equal(SLICE("abc"), SLICE("ab")));
    assert_true(slice_equal((struct slice){NULL, 0}, SLICE("")));
    assert_true(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
}

// slice_equal_nocase and SLICE_IS against every byte in every place: only ASCII letters have two cases.
static void test_case_is_of_ascii_letters_only(void **state)
{
    static const char word[] = "received-by-host";
    char text[sizeof(word)];

    (void)state;
    for (size_t place = 0; place < sizeof(word) - 1; place++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            memcpy(text, word, sizeof(word));
            text[place] = (char)byte;
            bool letter = word[place] >= 'a' && word[place] <= 'z';
            bool same =
                byte == (unsigned char)word[place] || (letter && byte == (unsigned char)word[place] - 32u);
            struct slice s = fence_copy(text, sizeof(word) - 1);
            assert_int_equal(slice_equal_nocase(s, SLICE("received-by-host")), same);
            assert_int_equal(SLICE_IS(s, "received-by-host"), same);
        }
    }
}

static void test_literals_of_every_length_are_known(void **state)
{
    (void)state;
    assert_true(SLICE_IS(fence_copy("", 0), ""));
    assert_true(SLICE_IS(fence_copy("Q", 1), "q"));
    assert_true(SLICE_IS(fence_copy("wS", 2), "ws"));
    assert_true(SLICE_IS(fence_copy("TtL", 3), "ttl"));
    assert_true(SLICE_IS(fence_copy("SCTP", 4), "sctp"));
    assert_true(SLICE_IS(fence_copy("rPort", 5), "rport"));
    assert_true(SLICE_IS(fence_copy("Branch", 6), "branch"));
    assert_true(SLICE_IS(fence_copy("EXPIRES", 7), "expires"));
    assert_true(SLICE_IS(fence_copy("received", 8), "received"));
    assert_true(SLICE_IS(fence_copy("Username*", 9), "username*"));
    assert_true(SLICE_IS(fence_copy("Phone-ConText", 13), "phone-context"));
    assert_false(SLICE_IS(fence_copy("phone-contexts", 14), "phone-context"));
    assert_false(SLICE_IS(fence_copy("ttl", 3), "tt"));
    assert_false(SLICE_IS(fence_copy("", 0), "q"));
}

static void test_prefix_and_first_byte_are_found(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("z9hG4bKabc"), SLICE("z9hG4bK")));
    assert_false(slice_starts(SLICE("z9hG4b"), SLICE("z9hG4bK")));
    assert_true(slice_starts(SLICE(""), SLICE("")));
    assert_int_equal(slice_find(SLICE("a;b;c"), ';'), 1);
    assert_int_equal(slice_find(SLICE("abc"), ';'), 3);
    assert_int_equal(slice_find((struct slice){NULL, 0}, ';'), 0);
}

static void test_trim_takes_white_space_of_both_ends_only(void **state)
{
    (void)state;
    assert_true(slice_equal(slice_trim(SLICE(" \t\r\n a b \r\n ")), SLICE("a b")));
    assert_true(slice_equal(slice_trim(SLICE("a")), SLICE("a")));
    assert_int_equal(slice_trim(fence_copy(" \t \r\n", 5)).len, 0);
    assert_int_equal(slice_trim((struct slice){NULL, 0}).len, 0);
    assert_true(slice_equal(slice_trim(SLICE("\v a")), SLICE("\v a")));
}

static void test_number_is_digits_up_to_a_limit(void **state)
{
    static const struct {
        const char *text;
        uint64_t max, value;
        bool good;
    } cases[] = {
        {"0", 0, 0, true},
        {"1", 0, 0, false},
        {"5", 3, 0, false},
        {"65535", 65535, 65535, true},
        {"65536", 65535, 0, false},
        {"00000000000000000000000000000065535", 65535, 65535, true},
        {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
        {"18446744073709551616", UINT64_MAX, 0, false},
        {"99999999999999999999999999999999999", UINT64_MAX, 0, false},
        {"4294967296", UINT32_MAX, 0, false},
        {"", 10, 0, false},
        {"-1", 10, 0, false},
        {"+1", 10, 0, false},
        {" 1", 10, 0, false},
        {"1 ", 10, 0, false},
        {"0x1", 10, 0, false},
        {"1a", 100, 0, false},
        {"\xb2", 100, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 77;
        struct slice text = fence_copy(cases[i].text, strlen(cases[i].text));
        bool good = slice_number(text, cases[i].max, &value);
        if (good != cases[i].good || value != (good ? cases[i].value : 77))
            fail_msg("\"%s\" up to %ju: %d, %ju", cases[i].text, (uintmax_t)cases[i].max, good,
                     (uintmax_t)value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality_is_of_bytes_and_length),
        cmocka_unit_test(test_case_is_of_ascii_letters_only),
        cmocka_unit_test(test_literals_of_every_length_are_known),
        cmocka_unit_test(test_prefix_and_first_byte_are_found),
        cmocka_unit_test(test_trim_takes_white_space_of_both_ends_only),
        cmocka_unit_test(test_number_is_digits_up_to_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
