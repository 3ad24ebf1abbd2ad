// The states of a subscription, and its end.
#include "fixture.h"

// The end.

static void expiry_is_told_and_its_answer_ends_it(struct fixture *f)
{
    struct subscription *s = fixture_watch(f, 1, 9);

    subscription_refresh(f->table, s, f->now_ms + 10000, f->now_ms);
    fixture_run(f, 9990, 10);
    assert_int_equal(f->log.sent, 0);
    fixture_run(f, 30, 10);
    assert_int_equal(f->log.expired, 1);
    assert_int_equal(f->log.sent, 1);
    assert_int_equal(f->log.state, SUBSCRIPTION_TERMINATED);
    assert_int_equal(s->reason, SUBSCRIPTION_TIMEOUT);
    fixture_change(f, 1, 2); // nobody is there to hear of it
    fixture_answer(f, s, 200);
    assert_int_equal(f->log.removed, 1);
    assert_int_equal(f->log.failed, 0);
    assert_int_equal(f->log.sent, 1);
}

static void test_expiry_is_told_and_its_answer_ends_it(void **state)
{
    (void)state;
    fixture_both(expiry_is_told_and_its_answer_ends_it);
}

static void test_a_longer_life_is_lived(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    subscription_refresh(f.table, s, f.now_ms + 10000, f.now_ms);
    fixture_run(&f, 5000, 100);
    subscription_refresh(f.table, s, f.now_ms + 1000000, f.now_ms);
    fixture_run(&f, 999000, 100);
    assert_int_equal(f.log.expired, 0);
    fixture_run(&f, 2000, 100);
    assert_int_equal(f.log.expired, 1);
    fixture_close(&f);
}

static void test_expiry_while_one_is_under_way_is_told_behind_it(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    subscription_refresh(f.table, s, f.now_ms + 5000, f.now_ms);
    fixture_change(&f, 1, 2);
    fixture_run(&f, 6000, 10);
    assert_int_equal(f.log.expired, 1);
    assert_int_equal(f.log.sent, 1);
    fixture_answer(&f, s, 200);
    assert_int_equal(f.log.sent, 2);
    assert_int_equal(f.log.state, SUBSCRIPTION_TERMINATED);
    fixture_answer(&f, s, 200);
    assert_int_equal(f.log.removed, 1);
    fixture_close(&f);
}

// As while the store has not yet kept that it ends.
static void test_held_again_for_too_long_is_told_of_its_end(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    s->held = true;
    subscription_refresh(f.table, s, f.now_ms, f.now_ms);
    fixture_run(&f, 64 * T1 - 100, 50);
    assert_int_equal(f.log.expired, 0);
    assert_int_equal(f.log.sent, 0);
    fixture_run(&f, 200, 10);
    assert_int_equal(f.log.expired, 1);
    assert_int_equal(f.log.sent, 1);
    assert_int_equal(f.log.state, SUBSCRIPTION_TERMINATED);
    assert_int_equal(f.log.removed, 0);
    fixture_close(&f);
}

static void test_a_fetch_is_told_once_and_gone(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription_presentity *presentity = fixture_presentity(&f, 1);
    struct subscription_opening opening = fixture_opening(9);
    struct subscription *s;

    opening.expires_ms = f.now_ms;
    assert_int_equal(subscription_open(f.table, presentity, &opening, f.now_ms, &s), 0);
    fixture_turn(&f);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_int_equal(f.log.sent, 1);
    assert_int_equal(f.log.state, SUBSCRIPTION_TERMINATED);
    assert_int_equal(s->reason, SUBSCRIPTION_TIMEOUT);
    assert_string_equal(fixture_body(&f, f.log.body), "first");
    fixture_answer(&f, s, 200);
    assert_int_equal(f.log.removed, 1);
    fixture_turn(&f);
    assert_int_equal(fixture_usage(&f).presentities, 0);
    fixture_close(&f);
}

static void test_unsubscribing_is_told_and_gone(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    subscription_refresh(f.table, s, f.now_ms, f.now_ms);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_int_equal(f.log.state, SUBSCRIPTION_TERMINATED);
    fixture_answer(&f, s, 200);
    assert_int_equal(f.log.removed, 1);
    fixture_close(&f);
}

static void test_a_failing_last_notify_ends_it_whatever_the_failure(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    fixture_act(
        &f, s,
        subscription_state_set(f.table, s, SUBSCRIPTION_TERMINATED, SUBSCRIPTION_NORESOURCE, f.now_ms));
    assert_int_equal(f.log.sent, 1);
    assert_int_equal(subscription_state_set(f.table, s, SUBSCRIPTION_ACTIVE, 0, f.now_ms), 0);
    fixture_answer(&f, s, 503);
    assert_int_equal(f.log.removed, 1);
    fixture_close(&f);
}

// States.

static void test_pending_hears_of_no_document_until_it_is_granted(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription_presentity *presentity = fixture_presentity(&f, 1);
    struct subscription_opening opening = fixture_opening(9);
    struct subscription *s;

    opening.expires_ms = f.now_ms + 100000;
    opening.state = SUBSCRIPTION_PENDING;
    opening.min_ms = 5000;
    assert_int_equal(subscription_open(f.table, presentity, &opening, f.now_ms, &s), 0);
    assert_int_equal(fixture_usage(&f).pending, 1);
    fixture_turn(&f);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_int_equal(f.log.state, SUBSCRIPTION_PENDING);
    fixture_answer(&f, s, 200);
    fixture_change(&f, 1, 2);
    fixture_run(&f, 2000, 10);
    assert_int_equal(f.log.sent, 1);
    // RFC 6446 5.2: the grant does not wait for the interval.
    fixture_act(&f, s,
                subscription_state_set(f.table, s, SUBSCRIPTION_ACTIVE, SUBSCRIPTION_NO_REASON, f.now_ms));
    assert_int_equal(f.log.sent, 2);
    assert_int_equal(f.log.state, SUBSCRIPTION_ACTIVE);
    assert_string_equal(fixture_body(&f, f.log.body), "document 2");
    assert_int_equal(fixture_usage(&f).pending, 0);
    fixture_answer(&f, s, 200);
    assert_int_equal(s->has, 2);
    assert_int_equal(
        subscription_state_set(f.table, s, SUBSCRIPTION_ACTIVE, SUBSCRIPTION_NO_REASON, f.now_ms), 0);
    fixture_close(&f);
}

static void test_blind_hears_of_no_document(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_subscribe(&f, 1, 9);

    s->blind = true;
    fixture_turn(&f);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    fixture_answer(&f, s, 200);
    fixture_change(&f, 1, 2);
    fixture_run(&f, 2000, 10);
    assert_int_equal(f.log.sent, 1);
    // Sight comes back, and what it has is not what it saw.
    s->blind = false;
    fixture_change(&f, 1, 3);
    assert_int_equal(f.log.sent, 2);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expiry_is_told_and_its_answer_ends_it),
        cmocka_unit_test(test_a_longer_life_is_lived),
        cmocka_unit_test(test_expiry_while_one_is_under_way_is_told_behind_it),
        cmocka_unit_test(test_a_fetch_is_told_once_and_gone),
        cmocka_unit_test(test_unsubscribing_is_told_and_gone),
        cmocka_unit_test(test_a_failing_last_notify_ends_it_whatever_the_failure),
        cmocka_unit_test(test_pending_hears_of_no_document_until_it_is_granted),
        cmocka_unit_test(test_blind_hears_of_no_document),
        cmocka_unit_test(test_held_again_for_too_long_is_told_of_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
