// The tables and counters that cross cores.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/counters.h"
#include "worker/drop.h"
#include "worker/worker.h"

static void test_every_drop_has_a_name_and_an_explanation(void **state)
{
    (void)state;
    for (unsigned drop = 0; drop < DROP_COUNT; drop++) {
        assert_true(strlen(drop_name(drop)) > 0);
        assert_true(strlen(drop_explanation(drop)) > 0);
        for (unsigned other = 0; other < drop; other++)
            assert_string_not_equal(drop_name(drop), drop_name(other));
    }
}

static void test_a_number_that_is_no_drop_is_none(void **state)
{
    (void)state;
    assert_string_equal(drop_name(DROP_COUNT), "none");
    assert_string_equal(drop_name((enum drop)12345), "none");
}

static void test_every_stage_has_its_own_name(void **state)
{
    (void)state;
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
        for (unsigned other = 0; other < stage; other++)
            assert_string_not_equal(stage_name(stage), stage_name(other));
    }
}

static void test_stage_sample_lands_in_the_bucket_of_its_cycles_per_message(void **state)
{
    static const struct {
        uint64_t cycles, messages;
        unsigned bucket;
    } cases[] = {
        {0, 1, 0}, {1, 1, 1},     {2, 1, 2},         {3, 1, 2},
        {4, 1, 3}, {6400, 32, 8}, {1u << 18, 1, 19}, {UINT64_MAX, 1, 19},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct counters_stage stage = {0};
        counters_stage_add(&stage, cases[i].cycles, cases[i].messages);
        assert_int_equal(stage.histogram[cases[i].bucket], 1);
        assert_int_equal(stage.cycles, cases[i].cycles);
        assert_int_equal(stage.messages, cases[i].messages);
    }
}

static void test_empty_burst_is_no_sample(void **state)
{
    struct counters_stage stage = {0};

    (void)state;
    counters_stage_add(&stage, 1000, 0);
    assert_int_equal(stage.cycles, 0);
    for (unsigned bucket = 0; bucket < COUNTERS_CYCLE_BUCKETS; bucket++)
        assert_int_equal(stage.histogram[bucket], 0);
}

static void test_clock_never_goes_back_and_keeps_the_pace_of_the_tsc(void **state)
{
    static struct worker worker;

    (void)state;
    worker.tsc_hz = rte_rdtsc() > 0 ? 1000000 : 0; // a slow TSC: a millisecond is 1000 cycles
    worker.clock_tsc = rte_rdtsc();
    worker.unix_offset_s = 1700000000;
    uint64_t start = worker.clock_tsc;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t before = worker.now.ms;
        worker_clock(&worker);
        assert_true(worker.now.ms >= before);
        assert_true(worker.now.ms <= (worker.now_tsc - start) / 1000);
        assert_true(worker.now.ms + 1 >= (worker.now_tsc - start) / 1000);
    }
    assert_true(worker.now.ms > 0);
    assert_int_equal(worker.now.unix_s, 1700000000 + worker.now.ms / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_drop_has_a_name_and_an_explanation),
        cmocka_unit_test(test_a_number_that_is_no_drop_is_none),
        cmocka_unit_test(test_every_stage_has_its_own_name),
        cmocka_unit_test(test_stage_sample_lands_in_the_bucket_of_its_cycles_per_message),
        cmocka_unit_test(test_empty_burst_is_no_sample),
        cmocka_unit_test(test_clock_never_goes_back_and_keeps_the_pace_of_the_tsc),
    };

    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
