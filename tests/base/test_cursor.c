#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_what_it_expects),
        cmocka_unit_test(test_first_error_stays_and_stops_everything),
        cmocka_unit_test(test_end_and_nothing_are_not_read),
        cmocka_unit_test(test_bytes_above_ascii_are_positive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
