#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "fence.h"

static const struct cursor_class letters = {{['a'] = 1, ['b'] = 1, ['1'] = 2}};

static void test_takes_what_it_expects(void **state)
{
    struct cursor c = cursor_over(fence_copy("ab1;x", 5));

    (void)state;
    assert_int_equal(cursor_left(&c), 5);
    assert_true(slice_equal(cursor_take(&c, &letters, 1), SLICE("ab")));
    assert_true(slice_equal(cursor_take(&c, &letters, 1), SLICE("")));
    assert_true(slice_equal(cursor_take(&c, &letters, 3), SLICE("1")));
    assert_false(cursor_skip(&c, ':'));
    assert_int_equal(c.error, 0);
    assert_true(cursor_skip(&c, ';'));
    assert_int_equal(cursor_peek(&c), 'x');
    assert_true(cursor_expect(&c, 'x', 9));
    assert_true(cursor_done(&c));
    assert_int_equal(c.error, 0);
}

static void test_first_error_stays_and_stops_everything(void **state)
{
    struct cursor c = cursor_over(fence_copy("ab", 2));

    (void)state;
    assert_false(cursor_expect(&c, 'b', 4));
    assert_int_equal(c.error, 4);
    assert_true(cursor_done(&c));
    assert_false(cursor_expect(&c, 'a', 5));
    assert_false(cursor_skip(&c, 'a'));
    assert_int_equal(cursor_take(&c, &letters, 1).len, 0);
    assert_int_equal(cursor_peek(&c), -1);
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(c.error, 4);
}

static void test_end_and_nothing_are_not_read(void **state)
{
    struct cursor c = cursor_over(fence_copy("", 0));
    struct cursor none = cursor_over((struct slice){NULL, 0});

    (void)state;
    assert_true(cursor_done(&c) && cursor_done(&none));
    assert_int_equal(cursor_peek(&c), -1);
    assert_int_equal(cursor_peek(&none), -1);
    assert_false(cursor_skip(&c, 0));
    assert_int_equal(cursor_left(&none), 0);
    assert_int_equal(cursor_take(&c, &letters, 3).len, 0);
}

static void test_bytes_above_ascii_are_positive(void **state)
{
    struct cursor c = cursor_over(fence_copy("\xff", 1));

    (void)state;
    assert_int_equal(cursor_peek(&c), 255);
    assert_int_equal(cursor_take(&c, &letters, 3).len, 0);
}

static void check_number(const char *text, size_t len)
{
    struct slice s = fence_copy(text, len);
    struct cursor c = cursor_over(s);
    size_t digits = 0;
    uint64_t number = 0;

    for (; digits < len && text[digits] >= '0' && text[digits] <= '9'; digits++)
        number = number > 65535 ? number : number * 10 + (uint64_t)(text[digits] - '0');
    assert_int_equal(cursor_take_number(&c, 65535), number > 65535 ? 65536 : number);
    assert_ptr_equal(c.at, s.at + digits);
}

// Numbers of every length, with every byte behind, and more or less than eight bytes to the end.
static void test_numbers_end_at_the_first_byte_that_is_no_digit(void **state)
{
    static const char *const numbers[] = {"",
                                          "1",
                                          "90",
                                          "255",
                                          "5060",
                                          "65535",
                                          "65536",
                                          "00065535",
                                          "9999999",
                                          "99999999",
                                          "4294967296",
                                          "000000000000000005",
                                          "99999999999999999999999999"};
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        size_t len = strlen(numbers[i]);
        memcpy(text, numbers[i], len);
        check_number(text, len);
        for (unsigned byte = 0; byte < 256; byte++) {
            memset(text + len, '7', sizeof(text) - len);
            text[len] = (char)byte;
            for (size_t rest = 1; rest < 12; rest++)
                check_number(text, len + rest);
        }
    }
}

static void test_numbers_keep_the_worth_of_each_digit(void **state)
{
    char text[16];

    (void)state;
    for (unsigned number = 0; number <= 65536; number++) {
        struct cursor c = cursor_over(slice_of(text, (size_t)sprintf(text, "%u;branch", number)));
        assert_int_equal(cursor_take_number(&c, 65536), number);
    }
    struct cursor c = cursor_over(SLICE("12345678 "));
    assert_int_equal(cursor_take_number(&c, INT32_MAX), 12345678);
    c = cursor_over(SLICE("2147483648 "));
    assert_int_equal(cursor_take_number(&c, INT32_MAX), 2147483648);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_what_it_expects),
        cmocka_unit_test(test_first_error_stays_and_stops_everything),
        cmocka_unit_test(test_end_and_nothing_are_not_read),
        cmocka_unit_test(test_bytes_above_ascii_are_positive),
        cmocka_unit_test(test_numbers_end_at_the_first_byte_that_is_no_digit),
        cmocka_unit_test(test_numbers_keep_the_worth_of_each_digit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
