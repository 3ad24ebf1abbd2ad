// Each arrow of a NOTIFY: when it goes, what it carries, how it ends.
#include "fixture.h"

// RFC 6665 4.2.1.2

static void asked_is_notified_at_once_with_the_document(struct fixture *f)
{
    struct subscription *s = fixture_subscribe(f, 1, 9);

    fixture_turn(f); // composed
    assert_int_equal(f->log.sent, 0);
    assert_int_equal(subscription_ask(f->table, s, f->now_ms), SUBSCRIPTION_SEND);
    fixture_act(f, s, SUBSCRIPTION_SEND);
    assert_int_equal(s->local_cseq, 101);
    assert_int_equal(s->telling, SUBSCRIPTION_ACTIVE);
    assert_string_equal(fixture_body(f, s->body), "first");
}

static void test_asked_is_notified_at_once_with_the_document(void **state)
{
    (void)state;
    fixture_both(asked_is_notified_at_once_with_the_document);
}

static void test_who_was_touched_is_composed_before_anybody_is_told(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_subscribe(&f, 1, 9);

    assert_int_equal(subscription_ask(f.table, s, f.now_ms), 0);
    fixture_turn(&f);
    assert_int_equal(f.log.composed, 1);
    assert_int_equal(f.log.sent, 1);
    assert_string_equal(fixture_body(&f, f.log.body), "first");
    // The same document again: who waited is told all the same.
    fixture_answer(&f, s, 200);
    assert_true(subscription_touch(f.table, fixture_key(1)));
    assert_int_equal(subscription_ask(f.table, s, f.now_ms), 0);
    fixture_turn(&f);
    assert_int_equal(f.log.sent, 2);
    fixture_close(&f);
}

static void test_held_is_told_nothing_before_it_is_asked(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_subscribe(&f, 1, 9);

    fixture_change(&f, 1, 2);
    fixture_run(&f, 5000, 100);
    assert_int_equal(f.log.sent, 0);
    assert_int_equal(subscription_ask(f.table, s, f.now_ms), SUBSCRIPTION_SEND);
    fixture_close(&f);
}

static void test_held_for_too_long_goes_without_a_word(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    fixture_subscribe(&f, 1, 9);
    fixture_run(&f, 3600000 + 64 * T1 - 1000, 1000);
    assert_int_equal(f.log.removed, 0);
    fixture_run(&f, 3000, 1000);
    assert_int_equal(f.log.removed, 1);
    assert_int_equal(f.log.expired, 1);
    assert_int_equal(f.log.sent, 0);
    assert_int_equal(fixture_usage(&f).subscriptions, 0);
    fixture_close(&f);
}

// RFC 3261 17.1.2.2

static void silence_is_met_by_timer_e_and_ended_by_f(struct fixture *f)
{
    static const uint64_t expected[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    struct subscription *s = fixture_watch(f, 1, 9);
    unsigned resent = 0;

    fixture_change(f, 1, 2);
    assert_int_equal(f->log.sent, 1);
    for (uint64_t from = f->now_ms; f->log.removed == 0;) {
        fixture_run(f, 1, 1);
        assert_true(f->now_ms < from + 33000);
        if (f->log.resent == resent)
            continue;
        assert_true(resent < 10);
        // Each is counted from the one before, which was up to a tick late.
        assert_in_range(f->now_ms - from, expected[resent],
                        expected[resent] + (resent + 1) * SUBSCRIPTION_TICK_MS);
        assert_string_equal(fixture_body(f, f->log.body), "document 2");
        assert_int_equal(s->local_cseq, 102);
        resent++;
    }
    assert_int_equal(resent, 10);
    assert_int_equal(f->log.failed, 1);
    assert_at(f->now_ms - f->log.sent_ms, 32000);
    assert_int_equal(fixture_usage(f).subscriptions, 0);
}

static void test_silence_is_met_by_timer_e_and_ended_by_f(void **state)
{
    (void)state;
    fixture_both(silence_is_met_by_timer_e_and_ended_by_f);
}

static void test_timer_e_never_passes_t2(void **state)
{
    (void)state;
    static const uint64_t expected[] = {500, 1500, 3500, 6500, 9500};
    const struct subscription_timers timers = {500, 3000};
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    subscription_table_time(f.table, &timers);
    fixture_watch(&f, 1, 9);
    fixture_change(&f, 1, 2);
    for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        while (f.log.resent == i)
            fixture_run(&f, 1, 1);
        assert_in_range(f.log.resent_ms - f.log.sent_ms, expected[i],
                        expected[i] + (i + 1) * SUBSCRIPTION_TICK_MS);
    }
    fixture_close(&f);
}

static void proceeding_is_resent_every_t2(struct fixture *f)
{
    struct subscription *s = fixture_watch(f, 1, 9);

    fixture_change(f, 1, 2);
    fixture_answer(f, s, 100);
    assert_int_equal(s->notify, SUBSCRIPTION_PROCEEDING);
    fixture_run(f, T1 + 20, 1);
    assert_int_equal(f->log.resent, 1);
    fixture_run(f, T2 - 40, 1);
    assert_int_equal(f->log.resent, 1);
    fixture_run(f, 60, 1);
    assert_int_equal(f->log.resent, 2);
    fixture_answer(f, s, 200);
    fixture_run(f, 40000, 100);
    assert_int_equal(f->log.resent, 2);
    assert_int_equal(f->log.removed, 0);
}

static void test_proceeding_is_resent_every_t2(void **state)
{
    (void)state;
    fixture_both(proceeding_is_resent_every_t2);
}

static void over_a_stream_only_f_runs(struct fixture *f)
{
    struct subscription *s = fixture_watch(f, 1, 9);

    s->to.transport = ENDPOINT_TCP;
    fixture_change(f, 1, 2);
    fixture_run(f, 31900, 10);
    assert_int_equal(f->log.sent, 1);
    assert_int_equal(f->log.resent, 0);
    assert_int_equal(f->log.removed, 0);
    fixture_run(f, 200, 10);
    assert_int_equal(f->log.removed, 1);
    assert_int_equal(f->log.failed, 1);
}

static void test_over_a_stream_only_f_runs(void **state)
{
    (void)state;
    fixture_both(over_a_stream_only_f_runs);
}

// RFC 3261 18.1.1: it went over a stream for its size, and comes back.
static void what_left_by_no_stream_begins_again(struct fixture *f)
{
    struct subscription *s = fixture_watch(f, 1, 9);

    fixture_change(f, 1, 2);
    subscription_notify_by_stream(s);
    fixture_run(f, 20000, 10);
    assert_int_equal(f->log.resent, 0);
    uint32_t cseq = s->local_cseq;
    assert_int_equal(subscription_notify_by_datagram(f->table, s, f->now_ms), SUBSCRIPTION_RESEND);
    assert_int_equal(s->local_cseq, cseq);
    assert_string_equal(fixture_body(f, s->body), "document 2");
    fixture_run(f, T1 + 20, 1);
    assert_int_equal(f->log.resent, 1); // by Timer E
    fixture_run(f, 31000, 10);
    assert_int_equal(f->log.removed, 0); // Timer F has begun again, too
    fixture_run(f, 1000, 10);
    assert_int_equal(f->log.removed, 1);
}

static void test_what_left_by_no_stream_begins_again(void **state)
{
    (void)state;
    fixture_both(what_left_by_no_stream_begins_again);
}

static void test_an_answer_to_another_notify_or_again_is_nothing(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    assert_int_equal(subscription_notify_answer(f.table, s, s->local_cseq, 481, 0, f.now_ms), 0);
    fixture_change(&f, 1, 2);
    assert_int_equal(subscription_notify_answer(f.table, s, s->local_cseq - 1, 481, 0, f.now_ms), 0);
    assert_int_equal(subscription_notify_answer(f.table, s, s->local_cseq + 1, 200, 0, f.now_ms), 0);
    assert_int_equal(s->notify, SUBSCRIPTION_TRYING);
    fixture_answer(&f, s, 200);
    assert_int_equal(s->notify, SUBSCRIPTION_IDLE);
    assert_int_equal(s->has, 2);
    fixture_close(&f);
}

// One under way, newest next.

static void test_what_is_under_way_is_never_overtaken_and_the_newest_goes_next(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    for (uint64_t tag = 2; tag < 6; tag++)
        fixture_change(&f, 1, tag);
    assert_int_equal(f.log.sent, 1);
    fixture_run(&f, T1 + 20, 1);
    assert_int_equal(f.log.resent, 1);
    assert_string_equal(fixture_body(&f, f.log.body), "document 2"); // as it was sent first
    fixture_answer(&f, s, 200);
    assert_int_equal(f.log.sent, 2);
    assert_string_equal(fixture_body(&f, f.log.body), "document 5");
    fixture_answer(&f, s, 200);
    fixture_run(&f, 5000, 10);
    assert_int_equal(f.log.sent, 2);
    fixture_close(&f);
}

static void test_a_document_that_comes_back_is_sent_again_when_another_was(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    fixture_change(&f, 1, 2); // under way
    fixture_change(&f, 1, 1); // what the watcher has had
    fixture_answer(&f, s, 200);
    assert_int_equal(f.log.sent, 2);
    fixture_answer(&f, s, 200);
    assert_int_equal(s->has, 1);
    fixture_close(&f);
}

static void test_a_refresh_while_one_is_under_way_is_answered_by_another(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    fixture_change(&f, 1, 2);
    subscription_refresh(f.table, s, f.now_ms + 60000, f.now_ms);
    assert_int_equal(subscription_ask(f.table, s, f.now_ms), 0);
    fixture_answer(&f, s, 200);
    assert_int_equal(f.log.sent, 2);
    assert_int_equal(s->local_cseq, 103);
    fixture_close(&f);
}

// RFC 6665 4.2.2

static void test_answers_that_end_the_subscription(void **state)
{
    (void)state;
    static const uint16_t ending[] = {404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604};

    for (unsigned i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        struct fixture f;

        fixture_open(&f, FIXTURE_EARLY);
        struct subscription *s = fixture_watch(&f, 1, 9);

        fixture_change(&f, 1, 2);
        fixture_answer(&f, s, ending[i]);
        assert_int_equal(f.log.removed, 1);
        assert_int_equal(f.log.failed, 1);
        assert_int_equal(fixture_usage(&f).subscriptions, 0);
        fixture_close(&f);
    }
}

static void other_failures_are_tried_again_later_with_the_newest(struct fixture *f)
{
    static const uint16_t others[] = {302, 400, 401, 403, 486, 500, 503, 600};
    struct subscription *s = fixture_watch(f, 1, 9);

    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        unsigned sent = f->log.sent;

        fixture_change(f, 1, 10 + 2 * i);
        assert_int_equal(f->log.sent, sent + 1);
        fixture_answer(f, s, others[i]);
        fixture_change(f, 1, 11 + 2 * i);
        fixture_run(f, 64 * T1 - 100, 50);
        assert_int_equal(f->log.sent, sent + 1);
        fixture_run(f, 200, 10);
        assert_int_equal(f->log.sent, sent + 2);
        assert_int_equal(subscription_body(f->table, f->log.body)->tag, 11 + 2 * i);
        fixture_answer(f, s, 200);
        assert_int_equal(s->has, 11 + 2 * i);
    }
    assert_int_equal(f->log.removed, 0);
}

static void test_other_failures_are_tried_again_later_with_the_newest(void **state)
{
    (void)state;
    fixture_both(other_failures_are_tried_again_later_with_the_newest);
}

static void retry_after_is_obeyed(struct fixture *f)
{
    struct subscription *s = fixture_watch(f, 1, 9);

    fixture_change(f, 1, 2);
    assert_int_equal(subscription_notify_answer(f->table, s, s->local_cseq, 503, 120, f->now_ms), 0);
    fixture_run(f, 119900, 50);
    assert_int_equal(f->log.sent, 1);
    fixture_run(f, 200, 10);
    assert_int_equal(f->log.sent, 2);
}

static void test_retry_after_is_obeyed(void **state)
{
    (void)state;
    fixture_both(retry_after_is_obeyed);
}

static void test_retry_after_is_not_believed_beyond_an_hour(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    subscription_refresh(f.table, s, f.now_ms + 8000000, f.now_ms);
    fixture_change(&f, 1, 2);
    subscription_notify_answer(f.table, s, s->local_cseq, 503, UINT32_MAX, f.now_ms);
    fixture_run(&f, 3599000, 500);
    assert_int_equal(f.log.sent, 1);
    fixture_run(&f, 2000, 500);
    assert_int_equal(f.log.sent, 2);
    fixture_close(&f);
}

static void test_a_refresh_does_not_wait_for_retry_after(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    fixture_change(&f, 1, 2);
    subscription_notify_answer(f.table, s, s->local_cseq, 503, UINT32_MAX, f.now_ms);
    assert_int_equal(subscription_ask(f.table, s, f.now_ms), SUBSCRIPTION_SEND);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_is_notified_at_once_with_the_document),
        cmocka_unit_test(test_who_was_touched_is_composed_before_anybody_is_told),
        cmocka_unit_test(test_held_is_told_nothing_before_it_is_asked),
        cmocka_unit_test(test_held_for_too_long_goes_without_a_word),
        cmocka_unit_test(test_silence_is_met_by_timer_e_and_ended_by_f),
        cmocka_unit_test(test_proceeding_is_resent_every_t2),
        cmocka_unit_test(test_over_a_stream_only_f_runs),
        cmocka_unit_test(test_what_left_by_no_stream_begins_again),
        cmocka_unit_test(test_an_answer_to_another_notify_or_again_is_nothing),
        cmocka_unit_test(test_what_is_under_way_is_never_overtaken_and_the_newest_goes_next),
        cmocka_unit_test(test_a_document_that_comes_back_is_sent_again_when_another_was),
        cmocka_unit_test(test_a_refresh_while_one_is_under_way_is_answered_by_another),
        cmocka_unit_test(test_answers_that_end_the_subscription),
        cmocka_unit_test(test_other_failures_are_tried_again_later_with_the_newest),
        cmocka_unit_test(test_retry_after_is_obeyed),
        cmocka_unit_test(test_a_refresh_does_not_wait_for_retry_after),
        cmocka_unit_test(test_timer_e_never_passes_t2),
        cmocka_unit_test(test_retry_after_is_not_believed_beyond_an_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
