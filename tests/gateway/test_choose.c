// Who is next: the algorithms, priorities, bounds and what is left when somebody fails.
#include <stdlib.h>

#include "fixture.h"

#define ROUNDS 60000

static const struct fixture_member equal[] = {{"a", 1}, {"b", 1}, {"c", 1}, {0}};
static const struct fixture_member weighted[] = {{"a", 5}, {"b", 3}, {"c", 1}, {"d", 1}, {0}};
static const struct fixture_member steep[] = {{"a", 1000}, {"b", 10}, {"c", 1}, {0}};
static const struct fixture_member priorities[] = {
    {"spare", 1, 7}, {"a", 3, 0}, {"b", 1, 0}, {"c", 1, 1}, {0}};

static void tally(struct fixture *f, unsigned rounds, uint64_t counts[FIXTURE_MEMBERS + 1])
{
    uint64_t random = 1;

    memset(counts, 0, (FIXTURE_MEMBERS + 1) * sizeof(*counts));
    for (unsigned i = 0; i < rounds; i++) {
        int chosen = fixture_choose(f, (uint16_t)(i % FIXTURE_WORKERS), random_next(&random));
        counts[chosen == CONF_NONE ? FIXTURE_MEMBERS : chosen]++;
    }
}

// How far the counts are from what the weights of the first `n` say.
static double chi_square(const uint64_t *counts, const struct fixture_member *members, unsigned n)
{
    double weight = 0, all = 0, sum = 0;

    for (unsigned i = 0; i < n; i++) {
        weight += members[i].weight;
        all += (double)counts[i];
    }
    for (unsigned i = 0; i < n; i++) {
        double expected = all * members[i].weight / weight, off = (double)counts[i] - expected;
        sum += off * off / expected;
    }
    return sum;
}

static void test_shares_follow_the_weights(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum conf_algorithm algorithm;
        const struct fixture_member *members;
        unsigned n;
        double chi_max; // 0.999 quantile of n - 1 degrees of freedom; nearly 0 where turns are exact
    } cases[] = {
        {"round robin, equal", CONF_ALGORITHM_WEIGHTED, equal, 3, 0.01},
        {"round robin, weighted", CONF_ALGORITHM_WEIGHTED, weighted, 4, 0.01},
        {"round robin, steep", CONF_ALGORITHM_WEIGHTED, steep, 3, 1},
        {"Call-ID, equal", CONF_ALGORITHM_CALL_ID, equal, 3, 13.8},
        {"Call-ID, weighted", CONF_ALGORITHM_CALL_ID, weighted, 4, 16.3},
        {"From, steep", CONF_ALGORITHM_FROM, steep, 3, 13.8},
        {"user, weighted", CONF_ALGORITHM_USER, weighted, 4, 16.3},
        {"least calls of none", CONF_ALGORITHM_LEAST_CALLS, equal, 3, 0.01},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        uint64_t counts[FIXTURE_MEMBERS + 1];
        fixture_open(&f, cases[i].algorithm, cases[i].members);
        tally(&f, ROUNDS, counts);
        double chi = chi_square(counts, cases[i].members, cases[i].n);
        if (chi > cases[i].chi_max)
            fail_msg("%s: chi square %.2f", cases[i].name, chi);
        assert_int_equal(counts[FIXTURE_MEMBERS], 0);
        fixture_close(&f);
    }
}

static void test_round_robin_is_smooth(void **state)
{
    (void)state;
    static const int turns[] = {0, 1, 0, 2, 0, 1, 3, 0, 1, 0};
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, weighted);
    // Of ten turns five are a's, and never more than two in a row.
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(fixture_choose(&f, 0, 0), turns[i % 10]);
    fixture_close(&f);
}

static void test_least_calls_fills_by_weight_what_ends_unevenly(void **state)
{
    (void)state;
    struct fixture f;
    int64_t calls[4] = {0};

    fixture_open(&f, CONF_ALGORITHM_LEAST_CALLS, weighted);
    for (unsigned i = 0; i < 1000; i++) {
        int chosen = fixture_choose(&f, 1, 0);
        gateway_call(f.states, gateway_slot_of(f.table, (unsigned)chosen), 1, 1);
        calls[chosen]++;
    }
    assert_int_equal(calls[0], 500);
    assert_int_equal(calls[1], 300);
    assert_int_equal(calls[2], 100);
    assert_int_equal(calls[3], 100);
    // All of b's end: it gets what comes until it has its share again.
    for (unsigned i = 0; i < 300; i++)
        gateway_call(f.states, gateway_slot_of(f.table, 1), 1, -1);
    for (unsigned i = 0; i < 250; i++)
        assert_int_equal(fixture_choose(&f, 1, 0), 1);
    assert_int_equal(fixture_report(&f, 0).calls, 500);
    assert_int_equal(fixture_report(&f, 1).calls, 0);
    fixture_close(&f);
}

static void test_lowest_priority_number_takes_all_while_it_can(void **state)
{
    (void)state;
    static const struct {
        const char *down;  // letters of those that are
        uint64_t least[4]; // per cent
        uint64_t most[4];
    } cases[] = {
        {"", {0, 74, 24, 0}, {0, 76, 26, 0}},
        {"a", {0, 0, 100, 0}, {0, 0, 100, 0}},
        {"ab", {0, 0, 0, 100}, {0, 0, 0, 100}},
        {"abc", {100, 0, 0, 0}, {100, 0, 0, 0}},
        {"c", {0, 74, 24, 0}, {0, 76, 26, 0}},
        {"abcs", {0, 74, 24, 0}, {0, 76, 26, 0}}, // nobody is left: all are tried all the same
    };
    static const char letters[] = "sabc";

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        uint64_t counts[FIXTURE_MEMBERS + 1];
        fixture_open(&f, CONF_ALGORITHM_WEIGHTED, priorities);
        for (unsigned g = 0; g < 4; g++) {
            if (strchr(cases[i].down, letters[g]) != NULL)
                fixture_heard(&f, g, false, 3);
        }
        tally(&f, 10000, counts);
        for (unsigned g = 0; g < 4; g++)
            assert_in_range(counts[g], cases[i].least[g] * 100, cases[i].most[g] * 100);
        fixture_close(&f);
    }
}

static void test_failover_goes_down_the_priorities(void **state)
{
    (void)state;
    static const struct {
        enum conf_algorithm algorithm;
        int order[5];
    } cases[] = {
        {CONF_ALGORITHM_PRIORITY, {1, 2, 3, 0, CONF_NONE}},
        {CONF_ALGORITHM_WEIGHTED, {1, 2, 3, 0, CONF_NONE}},
        {CONF_ALGORITHM_LEAST_CALLS, {1, 2, 3, 0, CONF_NONE}},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        int tried[6] = {CONF_NONE, CONF_NONE, CONF_NONE, CONF_NONE, CONF_NONE, CONF_NONE};
        fixture_open(&f, cases[i].algorithm, priorities);
        for (unsigned step = 0; step < 5; step++) {
            int chosen = fixture_choose_but(&f, 99, tried);
            assert_int_equal(chosen, cases[i].order[step]);
            tried[step] = chosen;
        }
        fixture_close(&f);
    }
}

static void test_priority_alone_takes_the_first_that_is_up(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_PRIORITY, weighted);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(fixture_choose(&f, 0, i), 0);
    fixture_heard(&f, 0, false, 3);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(fixture_choose(&f, 0, i), 1);
    fixture_close(&f);
}

static void test_affinity_is_the_same_on_every_worker_and_moves_the_failed_share_alone(void **state)
{
    (void)state;
    struct fixture f;
    static int before[ROUNDS];
    unsigned moved[4] = {0};

    fixture_open(&f, CONF_ALGORITHM_CALL_ID, weighted);
    for (uint64_t call = 0; call < ROUNDS; call++) {
        before[call] = fixture_choose(&f, (uint16_t)(call % FIXTURE_WORKERS), call * 77777);
        assert_int_equal(fixture_choose(&f, 0, call * 77777), before[call]);
    }
    fixture_heard(&f, 1, false, 3);
    for (uint64_t call = 0; call < ROUNDS; call++) {
        int now = fixture_choose(&f, 0, call * 77777);
        if (before[call] != 1)
            assert_int_equal(now, before[call]);
        else
            moved[now]++;
    }
    // What b had goes to the others by their weights: 5, 1, 1.
    unsigned all = moved[0] + moved[2] + moved[3];
    assert_int_equal(moved[1], 0);
    assert_in_range(moved[0] * 7 * 100 / all, 480, 520);
    assert_in_range(moved[2] * 7 * 100 / all, 80, 120);
    fixture_close(&f);
}

static void test_bound_is_one_of_the_whole_box_however_calls_spread(void **state)
{
    (void)state;
    static const struct {
        uint32_t calls_per_second;
        unsigned workers; // that calls come to
    } cases[] = {{1, 4}, {1, 1}, {2, 4}, {3, 3}, {10, 4}, {10, 1}, {100, 4}, {1000, 4}, {7, 2}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct fixture_member one[] = {{"a", 1, 0, cases[i].calls_per_second}, {0}};
        struct fixture f;
        uint64_t random = i, sent = 0, refused = 0;
        fixture_open(&f, CONF_ALGORITHM_WEIGHTED, one);
        uint64_t start_ms = f.now_ms, rate = cases[i].calls_per_second;
        // Ten times what it may take, for twenty seconds, each call on some worker.
        for (uint64_t call = 0; call < rate * 200; call++) {
            f.now_ms = start_ms + call * 100 / rate;
            uint16_t worker = (uint16_t)(random_next(&random) % cases[i].workers);
            if (fixture_choose(&f, worker, 0) == CONF_NONE)
                refused++;
            else
                sent++;
        }
        assert_in_range(sent, rate * 20, rate * 20 + rate / 4 + 1);
        assert_int_equal(fixture_report(&f, 0).sent, sent);
        assert_int_equal(fixture_report(&f, 0).over_bound, refused);
        fixture_close(&f);
    }
}

static void test_bound_lets_a_quarter_of_a_second_go_at_once(void **state)
{
    (void)state;
    static const struct {
        uint32_t calls_per_second;
        unsigned at_once;
    } cases[] = {{1, 1}, {3, 1}, {4, 2}, {100, 26}, {1000, 251}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct fixture_member one[] = {{"a", 1, 0, cases[i].calls_per_second}, {0}};
        struct fixture f;
        unsigned sent = 0;
        fixture_open(&f, CONF_ALGORITHM_WEIGHTED, one);
        while (fixture_choose(&f, 0, 0) != CONF_NONE)
            sent++;
        assert_int_equal(sent, cases[i].at_once);
        f.now_ms += 3600000; // an hour without a call saves nothing up
        for (sent = 0; fixture_choose(&f, 0, 0) != CONF_NONE;)
            sent++;
        assert_int_equal(sent, cases[i].at_once);
        fixture_close(&f);
    }
}

static void test_what_is_over_a_bound_goes_to_others(void **state)
{
    (void)state;
    static const enum conf_algorithm algorithms[] = {
        CONF_ALGORITHM_WEIGHTED, CONF_ALGORITHM_CALL_ID,     CONF_ALGORITHM_FROM,
        CONF_ALGORITHM_USER,     CONF_ALGORITHM_LEAST_CALLS, CONF_ALGORITHM_PRIORITY,
    };
    static const struct fixture_member bound[] = {{"a", 100, 0, 4}, {"b", 100, 0, 4}, {"c", 1, 1}, {0}};

    for (unsigned i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
        struct fixture f;
        uint64_t counts[FIXTURE_MEMBERS + 1];
        fixture_open(&f, algorithms[i], bound);
        tally(&f, 1000, counts); // all at one moment
        assert_int_equal(counts[0], 2);
        assert_int_equal(counts[1], 2);
        assert_int_equal(counts[2], 996);
        assert_int_equal(fixture_report(&f, 2).over_bound, 0);
        fixture_close(&f);
    }
}

static void test_one_that_comes_back_grows_linearly(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum conf_algorithm algorithm;
        const struct fixture_member *members;
        unsigned of_all; // per cent that a has when it is up
    } cases[] = {
        {"round robin", CONF_ALGORITHM_WEIGHTED, weighted, 50},
        {"Call-ID", CONF_ALGORITHM_CALL_ID, weighted, 50},
        {"first of all", CONF_ALGORITHM_PRIORITY, weighted, 100},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        uint64_t counts[FIXTURE_MEMBERS + 1];
        fixture_open(&f, cases[i].algorithm, cases[i].members);
        fixture_heard(&f, 0, false, 3);
        fixture_probed(&f, 0, true, 2);
        uint64_t start_ms = f.now_ms;
        for (unsigned second = 0; second <= 12; second++) {
            f.now_ms = start_ms + second * 1000;
            tally(&f, 20000, counts);
            unsigned part = second == 0 ? 1 : second > 10 ? 100 : second * 10; // of its share
            unsigned expected = 20000 * part / 100 * cases[i].of_all / 100;
            if (counts[0] + 400 < expected || counts[0] > expected + 400)
                fail_msg("%s: %u of %u in second %u", cases[i].name, (unsigned)counts[0], expected, second);
            assert_int_equal(counts[FIXTURE_MEMBERS], 0);
        }
        fixture_close(&f);
    }
}

static void test_one_that_eases_in_takes_what_nobody_else_would(void **state)
{
    (void)state;
    static const struct fixture_member pair[] = {{"a", 1}, {"b", 1}, {0}};
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, pair);
    fixture_heard(&f, 0, false, 3);
    fixture_heard(&f, 1, false, 3);
    fixture_probed(&f, 0, true, 2);
    assert_int_equal(fixture_report(&f, 0).health, GATEWAY_EASING);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(fixture_choose(&f, 0, i), 0);
    assert_int_equal(fixture_choose_but(&f, 0, (int[]){0, CONF_NONE}), CONF_NONE); // b is down
    fixture_close(&f);
}

static void test_who_is_at_his_bound_is_counted_once_a_choice(void **state)
{
    (void)state;
    static const struct fixture_member pair[] = {{"a", 1, 0, 1}, {"b", 1}, {0}};
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_PRIORITY, pair);
    fixture_heard(&f, 1, false, 3);
    fixture_probed(&f, 1, true, 2); // b eases in
    assert_int_equal(fixture_choose(&f, 0, 0), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(fixture_choose(&f, 0, 0), 1);
    assert_int_equal(fixture_report(&f, 0).over_bound, 10);
    fixture_close(&f);
}

static void test_other_weights_hold_from_the_next_turn_on(void **state)
{
    (void)state;
    static const struct fixture_member heavy[] = {{"a", 1000}, {"b", 999}, {0}};
    static const struct fixture_member light[] = {{"a", 1}, {"b", 1}, {0}};
    struct fixture f, next;
    unsigned counts[2] = {0};

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, heavy);
    fixture_choose(&f, 0, 0); // a pays nearly a thousand
    fixture_conf(&next, CONF_ALGORITHM_WEIGHTED, light);
    fixture_reload(&f, &next);
    for (unsigned i = 0; i < 10; i++)
        counts[fixture_choose(&f, 0, 0)]++;
    assert_in_range(counts[0], 4, 6);
    fixture_close(&f);
}

// What waits for a gateway's name chooses anew, and finds everything as it was.
static void test_choice_taken_back_leaves_no_trace(void **state)
{
    (void)state;
    static const struct fixture_member bounded[] = {{"a", 3, 0, 4}, {"b", 2}, {"c", 1}, {"spare", 1, 1}, {0}};
    static const enum conf_algorithm algorithms[] = {CONF_ALGORITHM_WEIGHTED, CONF_ALGORITHM_LEAST_CALLS,
                                                     CONF_ALGORITHM_CALL_ID, CONF_ALGORITHM_PRIORITY};

    for (unsigned i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
        struct fixture f, straight;
        fixture_open(&f, algorithms[i], bounded);
        fixture_open(&straight, algorithms[i], bounded);
        for (unsigned call = 0; call < 30; call++) {
            struct gateway_choice choice = {.affinity = call, .now_ms = f.now_ms += 100, .worker = 1};
            for (unsigned times = 0; times < 3; times++)
                gateway_unchoose(f.table, 0, &choice, gateway_choose(f.table, 0, &choice));
            straight.now_ms = f.now_ms;
            assert_int_equal(fixture_choose(&f, 1, call), fixture_choose(&straight, 1, call));
        }
        for (unsigned gateway = 0; gateway < 4; gateway++)
            assert_int_equal(fixture_report(&f, gateway).sent, fixture_report(&straight, gateway).sent);
        fixture_close(&straight);
        fixture_close(&f);
    }
}

static void test_group_without_members_has_nobody(void **state)
{
    (void)state;
    static const struct fixture_member none[] = {{0}};
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, none);
    assert_int_equal(fixture_choose(&f, 0, 0), CONF_NONE);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_follow_the_weights),
        cmocka_unit_test(test_round_robin_is_smooth),
        cmocka_unit_test(test_least_calls_fills_by_weight_what_ends_unevenly),
        cmocka_unit_test(test_lowest_priority_number_takes_all_while_it_can),
        cmocka_unit_test(test_failover_goes_down_the_priorities),
        cmocka_unit_test(test_priority_alone_takes_the_first_that_is_up),
        cmocka_unit_test(test_affinity_is_the_same_on_every_worker_and_moves_the_failed_share_alone),
        cmocka_unit_test(test_bound_is_one_of_the_whole_box_however_calls_spread),
        cmocka_unit_test(test_bound_lets_a_quarter_of_a_second_go_at_once),
        cmocka_unit_test(test_what_is_over_a_bound_goes_to_others),
        cmocka_unit_test(test_one_that_comes_back_grows_linearly),
        cmocka_unit_test(test_one_that_eases_in_takes_what_nobody_else_would),
        cmocka_unit_test(test_who_is_at_his_bound_is_counted_once_a_choice),
        cmocka_unit_test(test_other_weights_hold_from_the_next_turn_on),
        cmocka_unit_test(test_choice_taken_back_leaves_no_trace),
        cmocka_unit_test(test_group_without_members_has_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
