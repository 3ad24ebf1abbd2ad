// Bindings die on time, whatever way they came to their expiry; a virtual clock.
#include "fixture.h"

#define AOR     SLICE("alice@example.com")
#define CONTACT SLICE("sip:alice@192.0.2.1")

static int put(struct fixture *f, const uint64_t *expires_ms, unsigned n, uint64_t now_ms)
{
    struct location_binding bindings[4];

    for (unsigned i = 0; i < n; i++)
        bindings[i] = (struct location_binding){.contact = CONTACT, .cseq = i, .expires_ms = expires_ms[i]};
    return location_put(f->location, location_key(f->location, AOR), AOR, bindings, n, now_ms);
}

static void test_set_is_removed_in_the_second_after_its_death(void **state)
{
    (void)state;
    static const struct {
        uint64_t expires_ms, swept_ms;
    } cases[] = {{1, 1000}, {999, 1000}, {1000, 1000}, {1001, 2000}, {3600000, 3600000}, {3600500, 3601000}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;

        fixture_open(&f, 1, 10, 1);
        assert_int_equal(put(&f, &cases[i].expires_ms, 1, 0), 0);
        for (uint64_t now = 0; now < cases[i].swept_ms; now += 1000)
            assert_int_equal(location_expire(f.location, 0, now, 8), 0);
        assert_int_equal(location_expire(f.location, 0, cases[i].swept_ms - 1, 8), 0);
        assert_non_null(fixture_find(&f, AOR));
        assert_int_equal(location_expire(f.location, 0, cases[i].swept_ms, 8), 1);
        assert_null(fixture_find(&f, AOR));
        assert_int_equal(fixture_usage(&f).bindings, 0);
        fixture_close(&f);
    }
}

static void test_dead_bindings_leave_a_set_that_lives(void **state)
{
    (void)state;
    const uint64_t expires_ms[] = {9000, 1500, 5000, 1200};
    struct fixture f;

    fixture_open(&f, 1, 10, 1);
    assert_int_equal(put(&f, expires_ms, 4, 0), 0);
    assert_int_equal(fixture_expire(&f, 1999, 8, 1), 0);
    assert_int_equal(fixture_usage(&f).bindings, 4);
    assert_int_equal(fixture_expire(&f, 2000, 8, 1), 0);
    assert_int_equal(fixture_usage(&f).bindings, 2);
    struct location_binding got;
    unsigned position = 0;

    assert_true(location_next(fixture_find(&f, AOR), 2000, &position, &got));
    assert_int_equal(got.cseq, 0);
    assert_true(location_next(fixture_find(&f, AOR), 2000, &position, &got));
    assert_int_equal(got.cseq, 2);
    assert_true(slice_equal(got.contact, CONTACT));
    assert_false(location_next(fixture_find(&f, AOR), 2000, &position, &got));
    assert_int_equal(fixture_expire(&f, 5000, 8, 1), 0);
    assert_int_equal(fixture_usage(&f).bindings, 1);
    assert_int_equal(fixture_expire(&f, 9000, 8, 1), 1);
    assert_int_equal(fixture_usage(&f).aors, 0);
    fixture_close(&f);
}

static void test_refresh_extends(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, 1, 10, 1);
    for (uint64_t now = 0; now <= 100000; now += 1000) {
        assert_int_equal(fixture_expire(&f, now, 8, 1), 0);
        assert_int_equal(put(&f, &(uint64_t){now + 5000}, 1, now), 0);
    }
    assert_int_equal(fixture_expire(&f, 104999, 8, 1), 0);
    assert_int_equal(fixture_expire(&f, 105000, 8, 1), 1);
    fixture_close(&f);
}

static void test_refresh_shortens(void **state)
{
    (void)state;
    static const uint64_t from_ms[] = {10000, 4000000, 3600000000, UINT64_MAX};

    for (unsigned i = 0; i < 4; i++) {
        struct fixture f;

        fixture_open(&f, 1, 10, 1);
        assert_int_equal(put(&f, &from_ms[i], 1, 0), 0);
        assert_int_equal(put(&f, &(uint64_t){7000}, 1, 0), 0);
        assert_int_equal(put(&f, &(uint64_t){2500}, 1, 0), 0);
        assert_int_equal(fixture_expire(&f, 2999, 8, 1), 0);
        assert_int_equal(fixture_expire(&f, 3000, 8, 1), 1);
        fixture_close(&f);
    }
}

static void test_long_expiries_get_there_in_steps(void **state)
{
    (void)state;
    const uint64_t death = (uint64_t)UINT32_MAX * 1000; // the largest Expires there is (RFC 3261 20.19)
    struct fixture f;
    uint64_t now = 0;

    fixture_open(&f, 1, 10, 1);
    assert_int_equal(put(&f, &death, 1, 0), 0);
    // A day by the second, then in leaps of days.
    for (; now < death; now += now < 86400000 ? 1000 : 400000000)
        if (location_expire(f.location, 0, now, 8) != 0)
            fail_msg("removed at %llu s", (unsigned long long)now / 1000);
    assert_int_equal(location_expire(f.location, 0, death - 1, 8), 0);
    assert_int_equal(location_expire(f.location, 0, death, 8), 1);
    fixture_close(&f);
}

static void test_leaps_of_the_clock_lose_nothing(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 7;
    char text[32];
    unsigned removed = 0;
    unsigned alive = 0;
    const uint64_t now = 50000000;

    fixture_open(&f, 1, 2000, 1);
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t expires_ms = 1 + random_next(&seed) % (2 * now);

        alive += expires_ms > now;
        assert_int_equal(fixture_put(&f, fixture_aor(text, i), CONTACT, expires_ms), 0);
    }
    // A table that stood still for hours; small budgets, so that the sweep stops and goes on within one second.
    for (unsigned i = 0; i < 2000; i++)
        removed += fixture_expire(&f, now, 3, 1);
    assert_int_equal(removed, 2000 - alive);
    assert_int_equal(fixture_usage(&f).aors, alive);
    for (uint64_t later = now; later <= 2 * now + 1000; later += 1000)
        removed += fixture_expire(&f, later, 2000, 1);
    assert_int_equal(removed, 2000);
    fixture_close(&f);
}

static void test_table_may_start_late(void **state)
{
    (void)state;
    const uint64_t start = 123456789012;
    struct fixture f;

    fixture_open(&f, 1, 10, 1);
    assert_int_equal(put(&f, &(uint64_t){start + 5000}, 1, start), 0);
    assert_int_equal(fixture_expire(&f, start + 4000, 8, 3), 0);
    assert_int_equal(fixture_expire(&f, start + 6000, 8, 1), 1);
    fixture_close(&f);
}

static void test_budget_bounds_a_call(void **state)
{
    (void)state;
    struct fixture f;
    char text[32];

    fixture_open(&f, 1, 100, 1);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(fixture_put(&f, fixture_aor(text, i), CONTACT, 1000), 0);
    assert_int_equal(fixture_expire(&f, 60000, 0, 1), 0);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t before = fixture_usage(&f).deferred;

        assert_int_equal(fixture_expire(&f, 60000, 10, 1), 10);
        assert_true(fixture_usage(&f).deferred + 10 >= before + 10); // gave back at most ten
    }
    assert_int_equal(fixture_expire(&f, 60000, 10, 1), 0);
    fixture_close(&f);
}

static void test_removed_and_registered_again_dies_once(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, 1, 10, 1);
    for (uint64_t turn = 0; turn < 1000; turn++) {
        assert_int_equal(put(&f, &(uint64_t){1000 + turn * 3600}, 1, 0), 0);
        assert_int_equal(put(&f, NULL, 0, 0), 0);
    }
    assert_int_equal(put(&f, &(uint64_t){30000}, 1, 0), 0);
    for (uint64_t now = 0; now < 30000; now += 1000)
        assert_int_equal(fixture_expire(&f, now, 2, 1), 0);
    assert_int_equal(fixture_expire(&f, 30000, 2, 1), 1);
    for (uint64_t now = 31000; now < 5000000; now += 1000)
        assert_int_equal(fixture_expire(&f, now, 2, 1), 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_is_removed_in_the_second_after_its_death),
        cmocka_unit_test(test_dead_bindings_leave_a_set_that_lives),
        cmocka_unit_test(test_refresh_extends),
        cmocka_unit_test(test_refresh_shortens),
        cmocka_unit_test(test_long_expiries_get_there_in_steps),
        cmocka_unit_test(test_leaps_of_the_clock_lose_nothing),
        cmocka_unit_test(test_table_may_start_late),
        cmocka_unit_test(test_budget_bounds_a_call),
        cmocka_unit_test(test_removed_and_registered_again_dies_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
