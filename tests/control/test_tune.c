// The TSC's frequency by the kernel's clock.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "control/tune.h"

#define S  1000000000u
#define HZ 2094973000u

static void test_frequency_is_that_between_two_steps(void **state)
{
    struct control_tune tune = {0};

    (void)state;
    assert_int_equal(control_tune_step(&tune, 12345, 7), 0);
    assert_int_equal(control_tune_step(&tune, 12345 + 10ull * HZ, 7 + 10ull * S), HZ);
    assert_int_equal(control_tune_step(&tune, 12345 + 10ull * HZ + 20ull * (HZ + 1000), 7 + 30ull * S),
                     HZ + 1000);
}

static void test_steps_that_are_too_close_are_none(void **state)
{
    struct control_tune tune = {0};

    (void)state;
    assert_int_equal(control_tune_step(&tune, 1000, 1000), 0);
    for (unsigned ms = 1; ms < 5000; ms += 7)
        assert_int_equal(control_tune_step(&tune, 1000 + ms * 999ull, 1000 + ms * 1000000ull), 0);
    assert_int_equal(control_tune_step(&tune, 1000 + 5ull * HZ, 1000 + 5ull * S), HZ);
}

// Suspended, the TSC stands while the clock goes on, or the other way round; the next good step counts again.
static void test_leaps_of_either_clock_are_not_believed(void **state)
{
    struct control_tune tune = {0};
    uint64_t tsc = 5, ns = 5;

    (void)state;
    control_tune_step(&tune, tsc, ns);
    assert_int_equal(control_tune_step(&tune, tsc += 10ull * HZ, ns += 10ull * S), HZ);
    assert_int_equal(control_tune_step(&tune, tsc += 10ull * HZ, ns += 3600ull * S), 0);
    assert_int_equal(control_tune_step(&tune, tsc += 10ull * HZ, ns += 10ull * S), 0); // after the wrong one
    assert_int_equal(control_tune_step(&tune, tsc += 10ull * HZ, ns += 10ull * S), HZ);
    assert_int_equal(control_tune_step(&tune, tsc = 1, ns += 10ull * S), 0);
    assert_int_equal(control_tune_step(&tune, tsc += 10ull * HZ, ns += 10ull * S), HZ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frequency_is_that_between_two_steps),
        cmocka_unit_test(test_steps_that_are_too_close_are_none),
        cmocka_unit_test(test_leaps_of_either_clock_are_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
