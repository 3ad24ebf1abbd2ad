// Down, back, eased in: on a virtual clock, and with workers that all speak at once.
#include <pthread.h>

#include "fixture.h"

static const struct fixture_member pair[] = {{"a", 1}, {"b", 1}, {0}};

static void expect(struct fixture *f, unsigned gateway, enum gateway_health health, uint64_t since_ms,
                   unsigned share)
{
    struct gateway_report report = fixture_report(f, gateway);

    assert_int_equal(report.health, health);
    assert_int_equal(report.since_ms, since_ms);
    assert_int_equal(report.share, share);
}

// "b" a bad call, "g" a good one, "B" and "G" probes; "." a second goes by.
static void test_events_in_a_row_decide(void **state)
{
    (void)state;
    static const struct {
        const char *events;
        enum gateway_health health;
    } cases[] = {
        {"", GATEWAY_UP},
        {"bb", GATEWAY_UP},
        {"bbb", GATEWAY_DOWN},
        {"BBB", GATEWAY_DOWN},
        {"bBb", GATEWAY_DOWN}, // of either kind
        {"bbgbb", GATEWAY_UP}, // not in a row
        {"bbGbb", GATEWAY_UP},
        {"BBgBB", GATEWAY_UP},
        {"bbggbbb", GATEWAY_DOWN},
        {"bbbG", GATEWAY_DOWN},
        {"bbbGBG", GATEWAY_DOWN}, // not in a row
        {"bbbGG", GATEWAY_EASING},
        {"bbbbbbbbGG", GATEWAY_EASING}, // more failures make it no worse
        {"bbbgg", GATEWAY_EASING},      // the whole group was down and calls got through
        {"bbbGGbb", GATEWAY_EASING},
        {"bbbGGbbb", GATEWAY_DOWN}, // fell back while it eased in
        {"bbbGG.........", GATEWAY_EASING},
        {"bbbGG..........", GATEWAY_UP},
        {"bbbGGbb..........b", GATEWAY_DOWN}, // what spoke against it was not forgotten by time
        {"bbb.........................................", GATEWAY_DOWN}, // probes bring it back, not time
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        fixture_open(&f, CONF_ALGORITHM_WEIGHTED, pair);
        for (const char *event = cases[i].events; *event != 0; event++) {
            if (*event == '.')
                f.now_ms += 1000;
            else if (*event == 'b' || *event == 'g')
                fixture_heard(&f, 0, *event == 'g', 1);
            else
                fixture_probed(&f, 0, *event == 'G', 1);
        }
        if (fixture_report(&f, 0).health != cases[i].health)
            fail_msg("\"%s\": %d", cases[i].events, fixture_report(&f, 0).health);
        assert_int_equal(fixture_report(&f, 1).health, GATEWAY_UP);
        fixture_close(&f);
    }
}

static void test_share_grows_over_the_time_of_easing_in(void **state)
{
    (void)state;
    static const struct {
        uint64_t after_ms;
        unsigned share;
    } curve[] = {{0, 2}, {100, 2}, {500, 5}, {1000, 10}, {5000, 50}, {9900, 99}, {9999, 100}, {10000, 100}};
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, pair);
    uint64_t start_ms = f.now_ms;
    expect(&f, 0, GATEWAY_UP, start_ms, 100);
    f.now_ms += 5;
    fixture_heard(&f, 0, false, 3);
    expect(&f, 0, GATEWAY_DOWN, start_ms + 5, 0);
    f.now_ms += 60000;
    fixture_probed(&f, 0, true, 2);
    uint64_t back_ms = f.now_ms;
    for (unsigned i = 0; i < sizeof(curve) / sizeof(*curve); i++) {
        f.now_ms = back_ms + curve[i].after_ms;
        bool up = curve[i].after_ms >= 10000;
        expect(&f, 0, up ? GATEWAY_UP : GATEWAY_EASING, up ? back_ms + 10000 : back_ms, curve[i].share);
    }
    // A clock that is behind the one that wrote sees the beginning.
    f.now_ms = back_ms - 3;
    expect(&f, 0, GATEWAY_EASING, back_ms, 2);
    fixture_close(&f);
}

static void test_a_clock_that_is_behind_does_not_set_back_what_was_written(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, pair);
    fixture_heard(&f, 0, false, 3);
    uint64_t down_ms = f.now_ms;
    f.now_ms -= 2;
    fixture_probed(&f, 0, true, 2);
    expect(&f, 0, GATEWAY_EASING, down_ms, 2);
    fixture_close(&f);
}

static void test_no_time_to_ease_in_is_up_at_once(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, pair);
    f.groups[0].ease_in_ms = 0;
    fixture_heard(&f, 0, false, 3);
    fixture_probed(&f, 0, true, 2);
    expect(&f, 0, GATEWAY_UP, f.now_ms, 100);
    fixture_close(&f);
}

static void test_one_that_is_not_probed_comes_back_by_itself_on_trial(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, pair);
    f.groups[0].probe_ms = 0;
    uint64_t down_ms = f.now_ms;
    fixture_heard(&f, 0, false, 3);
    f.now_ms = down_ms + GATEWAY_HOLD_MS - 1;
    expect(&f, 0, GATEWAY_DOWN, down_ms, 0);
    f.now_ms++;
    expect(&f, 0, GATEWAY_EASING, f.now_ms, 2);
    fixture_heard(&f, 0, false, 1); // one is enough
    expect(&f, 0, GATEWAY_DOWN, f.now_ms, 0);
    f.now_ms += GATEWAY_HOLD_MS + 5000;
    expect(&f, 0, GATEWAY_EASING, f.now_ms - 5000, 50);
    fixture_heard(&f, 0, true, 1);
    fixture_heard(&f, 0, false, 2); // it answered, so these are two of three
    expect(&f, 0, GATEWAY_EASING, f.now_ms - 5000, 50);
    fixture_heard(&f, 0, false, 1);
    expect(&f, 0, GATEWAY_DOWN, f.now_ms, 0);
    f.now_ms += 3600000;
    expect(&f, 0, GATEWAY_UP, f.now_ms - 3600000 + GATEWAY_HOLD_MS + 10000, 100);
    fixture_close(&f);
}

static const struct fixture_member many[] = {{"g0", 1}, {"g1", 1}, {"g2", 1}, {"g3", 1}, {"g4", 1},
                                             {"g5", 1}, {"g6", 1}, {"g7", 1}, {"g8", 1}, {0}};

static void test_each_is_probed_once_an_interval_by_its_owner(void **state)
{
    (void)state;
    struct fixture f;
    unsigned times[9] = {0};
    uint64_t last_ms[9] = {0};

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, many);
    uint64_t start_ms = f.now_ms;
    for (; f.now_ms < start_ms + 20000; f.now_ms += 7) {
        for (uint16_t worker = 0; worker < FIXTURE_WORKERS; worker++) {
            for (uint16_t slot; (slot = gateway_probe_next(f.table, worker, f.now_ms)) != GATEWAY_NONE;) {
                unsigned gateway = (unsigned)gateway_of_slot(f.table, slot);
                assert_int_equal(slot % FIXTURE_WORKERS, worker);
                if (last_ms[gateway] != 0)
                    assert_in_range(f.now_ms - last_ms[gateway], 1000, 1007);
                last_ms[gateway] = f.now_ms;
                times[gateway]++;
            }
        }
    }
    for (unsigned i = 0; i < 9; i++)
        assert_in_range(times[i], 18, 20);
    fixture_close(&f);
}

static void test_nothing_is_probed_where_no_interval_is_given_and_a_shorter_one_holds_at_once(void **state)
{
    (void)state;
    struct fixture f, next;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, pair);
    fixture_conf(&next, CONF_ALGORITHM_WEIGHTED, pair);
    next.groups[0].probe_ms = 0;
    fixture_reload(&f, &next);
    for (unsigned second = 0; second < 10; second++, f.now_ms += 1000) {
        for (uint16_t worker = 0; worker < FIXTURE_WORKERS; worker++)
            assert_int_equal(gateway_probe_next(f.table, worker, f.now_ms), GATEWAY_NONE);
    }
    next.groups[0].probe_ms = 3600000;
    fixture_reload(&f, &next);
    uint16_t slot = gateway_slot_of(f.table, 0), owner = slot % FIXTURE_WORKERS;
    while (gateway_probe_next(f.table, owner, f.now_ms) == GATEWAY_NONE)
        f.now_ms++;
    next.groups[0].probe_ms = 1000;
    fixture_reload(&f, &next);
    assert_int_equal(gateway_probe_next(f.table, owner, f.now_ms), GATEWAY_NONE);
    assert_int_equal(gateway_probe_next(f.table, owner, f.now_ms + 999), GATEWAY_NONE);
    assert_int_equal(gateway_probe_next(f.table, owner, f.now_ms + 1000), slot);
    fixture_close(&f);
}

// Workers at once.

enum { CHOICES = 20000 };

struct hammer {
    struct fixture *f;
    uint16_t worker;
    uint64_t sent, bad;
};

static void *hammer(void *argument)
{
    struct hammer *h = argument;
    struct gateway_table *table = h->f->table;

    for (unsigned i = 0; i < CHOICES; i++) {
        struct gateway_choice choice = {.affinity = i, .now_ms = h->f->now_ms, .worker = h->worker};
        uint16_t slot = gateway_choose(table, 0, &choice);
        struct endpoint source = endpoint_ip4(192, 0, 2, 1, (uint16_t)i);
        assert_true(gateway_trusts(table, &source));
        if (slot == GATEWAY_NONE)
            continue;
        bool good = i % 4 != 0;
        gateway_call(h->f->states, slot, h->worker, 1);
        gateway_heard(table, slot, h->worker, good, choice.now_ms);
        gateway_call(h->f->states, slot, h->worker, -1);
        h->sent++;
        h->bad += !good;
    }
    return NULL;
}

static void run_hammers(struct fixture *f, struct hammer hammers[FIXTURE_WORKERS])
{
    pthread_t threads[FIXTURE_WORKERS];

    for (uint16_t i = 0; i < FIXTURE_WORKERS; i++) {
        hammers[i] = (struct hammer){.f = f, .worker = i};
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &hammers[i]), 0);
    }
    // Control meanwhile: what a trusted name leads to changes all the time, the literal address stays trusted.
    for (unsigned i = 0; i < 200; i++) {
        struct endpoint address = endpoint_ip4(198, 51, 100, (uint8_t)i, 0);
        gateway_resolved(f->table, 1, &address, 1);
    }
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_workers_at_once_lose_no_count_and_keep_the_bound(void **state)
{
    (void)state;
    static const struct fixture_member shared[] = {
        {"a", 1, 0, 0, "192.0.2.1", true}, {"b", 1, 0, 4000, "gw.example.com", true}, {0}};
    struct fixture f;
    struct hammer hammers[FIXTURE_WORKERS];
    uint64_t sent = 0, bad = 0;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, shared);
    run_hammers(&f, hammers);
    struct gateway_report a = fixture_report(&f, 0), b = fixture_report(&f, 1);
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++) {
        sent += hammers[i].sent;
        bad += hammers[i].bad;
    }
    assert_int_equal(a.sent + b.sent, sent);
    assert_int_equal(a.bad + b.bad, bad);
    assert_int_equal(a.good + b.good, sent - bad);
    assert_int_equal(a.calls + b.calls, 0);
    assert_in_range(b.sent, 1, 1001); // the clock stands: a burst and no more
    fixture_close(&f);
}

static void *fail_once(void *argument)
{
    struct hammer *h = argument;

    gateway_heard(h->f->table, gateway_slot_of(h->f->table, 0), h->worker, false, h->f->now_ms);
    return NULL;
}

static void test_failures_of_different_workers_add_up(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, pair);
    f.groups[0].probe_down = FIXTURE_WORKERS;
    for (unsigned round = 0; round < 50; round++) {
        struct hammer hammers[FIXTURE_WORKERS];
        pthread_t threads[FIXTURE_WORKERS];
        for (uint16_t i = 0; i < FIXTURE_WORKERS; i++) {
            hammers[i] = (struct hammer){.f = &f, .worker = i};
            assert_int_equal(pthread_create(&threads[i], NULL, fail_once, &hammers[i]), 0);
        }
        for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(fixture_report(&f, 0).health, GATEWAY_DOWN);
        fixture_probed(&f, 0, true, 2);
        assert_int_equal(fixture_report(&f, 0).health, GATEWAY_EASING);
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_in_a_row_decide),
        cmocka_unit_test(test_share_grows_over_the_time_of_easing_in),
        cmocka_unit_test(test_a_clock_that_is_behind_does_not_set_back_what_was_written),
        cmocka_unit_test(test_no_time_to_ease_in_is_up_at_once),
        cmocka_unit_test(test_one_that_is_not_probed_comes_back_by_itself_on_trial),
        cmocka_unit_test(test_each_is_probed_once_an_interval_by_its_owner),
        cmocka_unit_test(test_nothing_is_probed_where_no_interval_is_given_and_a_shorter_one_holds_at_once),
        cmocka_unit_test(test_workers_at_once_lose_no_count_and_keep_the_bound),
        cmocka_unit_test(test_failures_of_different_workers_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
