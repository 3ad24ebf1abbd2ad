// What is due, in which order, and how much of it in one turn.
#include "fixture.h"

enum { CROWD = 1000, PAGES_OF_BODIES = 60 };

static void open_crowd(struct fixture *f)
{
    struct subscription_limits limits;

    fixture_limits(&limits);
    limits.subscriptions = 2 * CROWD;
    limits.watchers = 2 * CROWD;
    limits.per_source = 2 * CROWD;
    fixture_open_with(f, &limits, FIXTURE_EARLY);
}

// So many watchers who have document 1.
static void gather(struct fixture *f, uint64_t number, uint64_t first_check, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        fixture_watch(f, number, first_check + i);
}

static unsigned count_with(struct fixture *f, uint64_t number, uint64_t tag)
{
    const struct subscription_presentity *presentity = fixture_presentity(f, number);
    struct subscription *s = NULL;
    unsigned n = 0;

    while ((s = subscription_next(f->table, presentity, s)) != NULL)
        n += s->notify != SUBSCRIPTION_IDLE && s->sending == tag;
    return n;
}

static void test_a_document_reaches_all_a_bounded_number_a_turn(void **state)
{
    (void)state;
    struct fixture f;
    unsigned turns = 1;

    open_crowd(&f);
    gather(&f, 1, 1, CROWD);
    fixture_change(&f, 1, 2);
    for (; count_with(&f, 1, 2) < CROWD; turns++) {
        assert_in_range(f.log.sent, 1, turns * BUDGET);
        assert_true(turns < 2 * CROWD / BUDGET);
        fixture_turn(&f);
    }
    assert_int_equal(f.log.sent, CROWD);
    fixture_run(&f, 400, 10);
    assert_int_equal(f.log.sent, CROWD);
    fixture_close(&f);
}

static void test_a_document_in_the_middle_of_the_round_reaches_all_once(void **state)
{
    (void)state;
    struct fixture f;

    open_crowd(&f);
    gather(&f, 1, 1, CROWD);
    fixture_change(&f, 1, 2);
    fixture_turn(&f);
    unsigned early = f.log.sent;

    assert_in_range(early, 1, CROWD / 2);
    fixture_change(&f, 1, 3);
    for (unsigned i = 0; i < 40; i++)
        fixture_turn(&f);
    assert_int_equal(count_with(&f, 1, 2), early);
    assert_int_equal(count_with(&f, 1, 3), CROWD - early);
    fixture_close(&f);
}

static void test_those_who_leave_in_the_middle_of_the_round_hold_nobody_up(void **state)
{
    (void)state;
    // Where the round is, before it, behind it: whoever that is, he is among the odd or the even ones.
    for (uint64_t first = 1; first <= 2; first++) {
        struct fixture f;

        open_crowd(&f);
        gather(&f, 1, 1, CROWD);
        fixture_change(&f, 1, 2);
        for (uint64_t check = first; check <= CROWD; check += 2)
            subscription_close(f.table, subscription_find(f.table, check));
        for (unsigned i = 0; i < 40; i++)
            fixture_turn(&f);
        assert_int_equal(count_with(&f, 1, 2), CROWD / 2);
        fixture_close(&f);
    }
}

static void test_a_crowd_does_not_hold_up_a_single_watcher(void **state)
{
    (void)state;
    struct fixture f;

    open_crowd(&f);
    gather(&f, 1, 1, CROWD);
    gather(&f, 2, CROWD + 1, 1);
    fixture_change(&f, 1, 2);
    fixture_change(&f, 2, 3);
    for (unsigned i = 0; i < 3; i++)
        fixture_turn(&f);
    assert_int_equal(count_with(&f, 2, 3), 1);
    assert_in_range(count_with(&f, 1, 2), 1, CROWD - 1);
    fixture_close(&f);
}

static void test_a_crowd_does_not_hold_up_time(void **state)
{
    (void)state;
    struct fixture f;

    open_crowd(&f);
    gather(&f, 1, 1, CROWD);
    fixture_publish(&f, 2, 1, "short");
    fixture_run(&f, 59990, 10);
    f.now_ms += 10 + SUBSCRIPTION_TICK_MS;
    fixture_change(&f, 1, 2);
    for (unsigned i = 0; i < 6; i++)
        fixture_turn(&f);
    assert_int_equal(f.log.outlived, 1);
    assert_in_range(count_with(&f, 1, 2), 1, CROWD - 1);
    fixture_close(&f);
}

static void test_touched_many_times_is_composed_once(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    fixture_watch(&f, 1, 9);
    for (unsigned i = 0; i < 10; i++)
        assert_true(subscription_touch(f.table, fixture_key(1)));
    fixture_turn(&f);
    assert_int_equal(f.log.composed, 1);
    assert_int_equal(f.log.sent, 0); // the document is the same
    fixture_close(&f);
}

static void test_held_is_composed_when_all_have_released_it(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    fixture_watch(&f, 1, 1);
    struct subscription_publication *publication = fixture_publish(&f, 2, 7, "alone");
    fixture_run(&f, 20, 10);
    unsigned composed = f.log.composed, sent = f.log.sent;

    subscription_presentity_hold(fixture_presentity(&f, 1));
    subscription_presentity_hold(fixture_presentity(&f, 1));
    fixture_write(&f, 2, "another");
    subscription_touch(f.table, fixture_key(1));
    fixture_run(&f, 100, 10);
    subscription_presentity_release(f.table, fixture_key(1));
    fixture_run(&f, 100, 10);
    assert_int_equal(f.log.composed, composed);
    assert_int_equal(f.log.sent, sent);
    subscription_presentity_release(f.table, fixture_key(1));
    subscription_presentity_release(f.table, fixture_key(1)); // one too many
    fixture_run(&f, 20, 10);
    assert_int_equal(f.log.composed, composed + 1);
    assert_int_equal(f.log.sent, sent + 1);

    // one that is held is there, though nobody has anything to do with it
    subscription_presentity_hold(fixture_presentity(&f, 2));
    subscription_publication_close(f.table, publication);
    fixture_run(&f, 100, 10);
    assert_non_null(subscription_presentity_find(f.table, fixture_key(2)));
    subscription_presentity_release(f.table, fixture_key(2));
    fixture_run(&f, 20, 10);
    assert_null(subscription_presentity_find(f.table, fixture_key(2)));
    subscription_presentity_release(f.table, fixture_key(2));
    fixture_close(&f);
}

// What is composed at once, as for a first SUBSCRIBE, is not asked for again.
static void test_composed_already_is_not_asked_for(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_subscribe(&f, 1, 9);

    subscription_document_put(f.table, fixture_presentity(&f, 1), 5, 0, SLICE("five"), f.now_ms);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_int_equal(f.log.sent, 1);
    fixture_turn(&f);
    assert_int_equal(f.log.composed, 0);
    assert_int_equal(f.log.sent, 1);
    fixture_close(&f);
}

static void recomposed_when_it_wished(struct fixture *f)
{
    fixture_watch(f, 1, 9);
    struct subscription_presentity *presentity = fixture_presentity(f, 1);

    subscription_presentity_recompose(f->table, presentity, f->now_ms + 90000, f->now_ms);
    subscription_presentity_recompose(f->table, presentity, f->now_ms + 30000, f->now_ms);
    fixture_run(f, 29980, 10);
    assert_int_equal(f->log.composed, 0);
    fixture_run(f, 40, 10);
    assert_int_equal(f->log.composed, 1);
    fixture_run(f, 100000, 50); // the earlier wish is gone
    assert_int_equal(f->log.composed, 1);
    subscription_presentity_recompose(f->table, presentity, f->now_ms + 1000, f->now_ms);
    subscription_presentity_recompose(f->table, presentity, f->now_ms + 400000, f->now_ms);
    fixture_run(f, 399980, 20);
    assert_int_equal(f->log.composed, 1);
    fixture_run(f, 40, 10);
    assert_int_equal(f->log.composed, 2);
    subscription_presentity_recompose(f->table, presentity, f->now_ms + 1000, f->now_ms);
    subscription_presentity_recompose(f->table, presentity, 0, f->now_ms);
    fixture_run(f, 2000, 10);
    assert_int_equal(f->log.composed, 2);
    subscription_presentity_recompose(f->table, presentity, 1, f->now_ms); // passed
    fixture_run(f, 40, 10);
    assert_int_equal(f->log.composed, 3);
}

static void test_recomposed_when_it_wished(void **state)
{
    (void)state;
    fixture_both(recomposed_when_it_wished);
}

static void test_a_leap_of_the_clock_finds_all_that_is_due(void **state)
{
    (void)state;
    struct fixture f;

    open_crowd(&f);
    gather(&f, 1, 1, 50);
    for (uint64_t i = 0; i < 50; i++)
        fixture_publish(&f, 2 + i, i + 1, "short");
    fixture_turn(&f);
    f.now_ms += UINT64_C(100) * 24 * 3600 * 1000;
    for (unsigned i = 0; i < 20; i++)
        fixture_turn(&f);
    assert_int_equal(f.log.expired, 50);
    assert_int_equal(f.log.outlived, 50);
    fixture_close(&f);
}

// A table that was full of small bodies, of which every hundredth stays, takes large ones in.
static void test_memory_that_is_split_up_is_moved_together(void **state)
{
    (void)state;
    static char bytes[60000];
    struct subscription_limits limits;
    struct fixture f;
    unsigned stayed = 0, large = 0;
    uint64_t n = 0;

    fixture_limits(&limits);
    limits.publications = limits.presentities = 100000;
    limits.bytes = PAGES_OF_BODIES * 65536;
    fixture_open_with(&f, &limits, FIXTURE_EARLY);
    while (fixture_publish(&f, n / 30, n + 1,
                           "a small body of some length, so that it takes what they take") != NULL)
        n++;
    assert_in_range(n, 20000, 100000);
    for (uint64_t i = 0; i < n; i++) {
        struct subscription_publication *p =
            subscription_publication_find(f.table, fixture_presentity(&f, i / 30), i + 1);

        if (i % 100 != 0)
            subscription_publication_close(f.table, p);
        else
            stayed++;
    }
    struct subscription_presentity *presentity = fixture_presentity(&f, 0);

    while (fixture_usage(&f).deferred > 0)
        fixture_run(&f, 10, 10);
    // A few pages at a time, as they are asked for.
    for (unsigned i = 0; i < 20; i++) {
        fixture_run(&f, 2000, 10);
        large += subscription_publish(f.table, presentity, 1000000 + i, 0, slice_of(bytes, sizeof(bytes)),
                                      f.now_ms + 1000000) != NULL;
    }
    assert_int_equal(large, 20);
    for (uint64_t i = 0; i < n; i += 100) {
        const struct subscription_publication *p =
            subscription_publication_find(f.table, fixture_presentity(&f, i / 30), i + 1);

        assert_non_null(p);
        assert_string_equal(fixture_body(&f, p->body),
                            "a small body of some length, so that it takes what they take");
    }
    fixture_assert_text(subscription_presentity_owner(f.table, presentity), "sip:user0@example.com");
    assert_int_equal(fixture_usage(&f).publications, stayed + large);
    fixture_close(&f);
}

// What a NOTIFY under way holds stays where it is, and is whole when all around it moves.
static void test_what_is_under_way_is_not_moved(void **state)
{
    (void)state;
    struct subscription_limits limits;
    struct fixture f;
    uint64_t n = 1000;

    fixture_limits(&limits);
    limits.publications = limits.presentities = 100000;
    limits.bytes = 1;
    fixture_open_with(&f, &limits, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    s->to.transport = ENDPOINT_TCP;
    fixture_change(&f, 1, 2);
    uint32_t body = s->body;

    fixture_change(&f, 1, 3);
    for (unsigned round = 0; round < 3; round++) {
        uint64_t first = n;

        while (fixture_publish(&f, n / 30, n + 1, "a small body") != NULL)
            n++;
        for (uint64_t i = first; i < n; i++)
            if (i % 50 != round)
                subscription_publication_close(
                    f.table, subscription_publication_find(f.table, fixture_presentity(&f, i / 30), i + 1));
        fixture_run(&f, 3000, 10);
    }
    assert_int_equal(s->body, body);
    assert_string_equal(fixture_body(&f, s->body), "document 2");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_document_reaches_all_a_bounded_number_a_turn),
        cmocka_unit_test(test_a_document_in_the_middle_of_the_round_reaches_all_once),
        cmocka_unit_test(test_those_who_leave_in_the_middle_of_the_round_hold_nobody_up),
        cmocka_unit_test(test_a_crowd_does_not_hold_up_a_single_watcher),
        cmocka_unit_test(test_a_crowd_does_not_hold_up_time),
        cmocka_unit_test(test_touched_many_times_is_composed_once),
        cmocka_unit_test(test_held_is_composed_when_all_have_released_it),
        cmocka_unit_test(test_composed_already_is_not_asked_for),
        cmocka_unit_test(test_recomposed_when_it_wished),
        cmocka_unit_test(test_a_leap_of_the_clock_finds_all_that_is_due),
        cmocka_unit_test(test_memory_that_is_split_up_is_moved_together),
        cmocka_unit_test(test_what_is_under_way_is_not_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
