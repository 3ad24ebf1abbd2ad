// How often a watcher hears (RFC 6446), what it need not hear (RFC 5839), and what is said again.
#include "fixture.h"

// RFC 6446

static void documents_wait_for_the_interval(struct fixture *f)
{
    struct subscription *s = fixture_watch(f, 1, 9);

    s->min_ms = 5000;
    fixture_change(f, 1, 2);
    assert_int_equal(f->log.sent, 1);
    fixture_answer(f, s, 200);
    uint64_t from = f->now_ms;

    for (uint64_t tag = 3; tag < 40; tag++) {
        fixture_change(f, 1, tag);
        fixture_run(f, 100, 10);
    }
    assert_int_equal(f->log.sent, 1);
    fixture_run(f, 1400, 1);
    assert_int_equal(f->log.sent, 2);
    assert_at(f->log.sent_ms - from, 5000);
    assert_string_equal(fixture_body(f, f->log.body), "document 39");
}

static void test_documents_wait_for_the_interval(void **state)
{
    (void)state;
    fixture_both(documents_wait_for_the_interval);
}

static void test_back_to_what_the_watcher_has_within_the_interval_is_no_news(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    s->min_ms = 5000;
    fixture_change(&f, 1, 2);
    fixture_answer(&f, s, 200);
    fixture_change(&f, 1, 3);
    fixture_change(&f, 1, 2);
    fixture_run(&f, 10000, 10);
    assert_int_equal(f.log.sent, 1);
    fixture_close(&f);
}

static void test_a_subscribe_does_not_wait_for_the_interval(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    s->min_ms = 5000;
    fixture_change(&f, 1, 2);
    fixture_answer(&f, s, 200);
    assert_int_equal(subscription_ask(f.table, s, f.now_ms), SUBSCRIPTION_SEND);
    fixture_close(&f);
}

static void silence_for_too_long_is_broken(struct fixture *f)
{
    struct subscription *s = fixture_watch(f, 1, 9);

    s->quiet_ms = 20000;
    fixture_change(f, 1, 2);
    fixture_answer(f, s, 200);
    for (unsigned i = 2; i < 6; i++) {
        uint64_t from = f->log.sent_ms;

        fixture_run(f, 20100, 10);
        assert_int_equal(f->log.sent, i);
        assert_in_range(f->log.sent_ms - from, 20000, 20000 + SUBSCRIPTION_TICK_MS + 10);
        fixture_answer(f, s, 200);
    }
}

static void test_silence_for_too_long_is_broken(void **state)
{
    (void)state;
    fixture_both(silence_for_too_long_is_broken);
}

// RFC 5839

static void test_suppressed_it_hears_of_other_documents_alone(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    subscription_refresh(f.table, s, f.now_ms + 600000, f.now_ms);
    subscription_suppress(s, 1, false);
    fixture_run(&f, 10000, 10);
    assert_int_equal(f.log.sent, 0);
    fixture_change(&f, 1, 2);
    assert_int_equal(f.log.sent, 1);
    assert_string_equal(fixture_body(&f, f.log.body), "document 2");
    fixture_close(&f);
}

static void test_suppressed_by_any_tag_it_hears_of_no_document_but_of_its_end(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    subscription_refresh(f.table, s, f.now_ms + 600000, f.now_ms);
    subscription_suppress(s, 0, true);
    fixture_change(&f, 1, 2);
    fixture_run(&f, 10000, 10);
    assert_int_equal(f.log.sent, 0);
    // The next SUBSCRIBE has no condition.
    subscription_refresh(f.table, s, f.now_ms + 60000, f.now_ms);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_int_equal(f.log.sent, 1);
    fixture_answer(&f, s, 200);
    fixture_change(&f, 1, 3);
    assert_int_equal(f.log.sent, 2);
    fixture_answer(&f, s, 200);
    subscription_refresh(f.table, s, f.now_ms + 60000, f.now_ms);
    subscription_suppress(s, 0, true);
    fixture_run(&f, 61000, 10);
    assert_int_equal(f.log.sent, 3);
    assert_int_equal(f.log.state, SUBSCRIPTION_TERMINATED);
    assert_int_equal(f.log.body, 0);
    fixture_close(&f);
}

// RFC 5839 6.2: "as long as the condition remains true".
static void test_the_end_of_a_suppressed_one_has_no_body_unless_there_was_news(void **state)
{
    (void)state;
    struct fixture f;

    for (unsigned news = 0; news < 2; news++) {
        fixture_open(&f, FIXTURE_EARLY);
        struct subscription *s = fixture_watch(&f, 1, 9);

        s->quiet_ms = 5000;
        subscription_refresh(f.table, s, f.now_ms + 60000, f.now_ms);
        subscription_suppress(s, 1, false);
        if (news) {
            fixture_change(&f, 1, 2);
            fixture_answer(&f, s, 200);
            s->quiet_at = 0; // reminded of that it would be
        }
        fixture_run(&f, 61000, 10);
        assert_int_equal(f.log.sent, 1 + news); // and no reminder
        assert_int_equal(f.log.state, SUBSCRIPTION_TERMINATED);
        assert_string_equal(fixture_body(&f, f.log.body), news ? "document 2" : "");
        fixture_close(&f);
    }
}

// It names a document that is not composed yet: whoever polls is mostly the only one there.
static void test_the_condition_is_looked_at_when_there_is_a_document(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_subscribe(&f, 1, 9);

    assert_int_equal(fixture_presentity(&f, 1)->tag, 0);
    subscription_suppress(s, 1, false);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    fixture_turn(&f);
    assert_int_equal(f.log.sent, 1);
    assert_int_equal(f.log.body, 0);
    fixture_close(&f);
}

// A pending one is let in with the document that it says it has.
static void test_a_pending_one_keeps_its_condition(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_subscribe(&f, 1, 9);

    subscription_state_set(f.table, s, SUBSCRIPTION_PENDING, SUBSCRIPTION_NO_REASON, f.now_ms);
    subscription_suppress(s, 1, false);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    fixture_turn(&f);
    fixture_answer(&f, s, 200);
    fixture_act(&f, s,
                subscription_state_set(f.table, s, SUBSCRIPTION_ACTIVE, SUBSCRIPTION_NO_REASON, f.now_ms));
    assert_int_equal(f.log.sent, 2);
    assert_int_equal(f.log.body, 0);
    fixture_close(&f);
}

// A NOTIFY to where the watcher was is no reason to forget him where he is.
static void test_what_leads_nowhere_is_given_up_without_the_subscription(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    fixture_change(&f, 1, 2);
    uint32_t cseq = s->local_cseq;
    fixture_run(&f, 31 * 1000, 10);
    subscription_notify_abandon(f.table, s, f.now_ms);
    subscription_refresh(f.table, s, f.now_ms + 600000, f.now_ms);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_int_equal(s->local_cseq, cseq + 1);
    assert_string_equal(fixture_body(&f, f.log.body), "document 2");
    fixture_run(&f, 10 * 1000, 10);
    assert_int_equal(f.log.removed, 0);
    fixture_answer(&f, s, 200);
    assert_int_equal(s->has, 2);
    fixture_close(&f);
}

static void test_a_new_one_that_has_the_document_gets_no_body(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    fixture_watch(&f, 1, 8);
    struct subscription *s = fixture_subscribe(&f, 1, 9);

    subscription_suppress(s, 1, false);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_int_equal(f.log.sent, 1);
    assert_int_equal(f.log.body, 0);
    fixture_answer(&f, s, 200);
    assert_int_equal(s->has, 1);
    // As long as the condition holds, what else is told has no body, either; asked for without one, it gets it whole.
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_int_equal(f.log.sent, 2);
    assert_int_equal(f.log.body, 0);
    fixture_answer(&f, s, 200);
    subscription_refresh(f.table, s, f.now_ms + 600000, f.now_ms);
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    assert_string_equal(fixture_body(&f, f.log.body), "first");
    // One whose document has changed before it could be told, too.
    struct subscription *late = fixture_subscribe(&f, 1, 10);

    subscription_suppress(late, 1, false);
    fixture_change(&f, 1, 2);
    fixture_act(&f, late, subscription_ask(f.table, late, f.now_ms));
    assert_string_equal(fixture_body(&f, late->body), "document 2");
    fixture_close(&f);
}

// What is not done is said again.

static void test_what_is_not_sent_or_removed_is_said_again(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    f.idle = true;
    fixture_change(&f, 1, 2);
    assert_int_equal(f.log.sent, 1);
    fixture_run(&f, T1 + 20, 1);
    assert_int_equal(f.log.sent, 2);
    f.idle = false;
    fixture_run(&f, T1 + 20, 1);
    assert_int_equal(f.log.sent, 3);
    f.idle = true;
    fixture_answer(&f, s, 481);
    assert_int_equal(f.log.removed, 1);
    fixture_run(&f, T1 + 20, 1);
    assert_int_equal(f.log.removed, 2);
    assert_int_equal(f.log.sent, 3);
    f.idle = false;
    fixture_run(&f, T1 + 20, 1);
    assert_int_equal(fixture_usage(&f).subscriptions, 0);
    fixture_close(&f);
}

static void test_a_body_for_one_alone_goes_with_its_notify(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    fixture_run(&f, 100, 10);
    uint64_t before = fixture_usage(&f).bytes;

    f.idle = true;
    fixture_act(&f, s, subscription_ask(f.table, s, f.now_ms));
    f.idle = false;
    uint32_t body = subscription_body_make(f.table, 3, SLICE("for you alone"));

    assert_int_not_equal(body, 0);
    subscription_notify_begin(f.table, s, body, f.now_ms);
    assert_true(fixture_usage(&f).bytes > before);
    fixture_run(&f, T1 + 20, 1);
    assert_int_equal(f.log.body, body);
    assert_string_equal(fixture_body(&f, f.log.body), "for you alone");
    assert_int_equal(subscription_body(f.table, body)->type, 3);
    fixture_answer(&f, s, 200);
    fixture_run(&f, 100, 10);
    assert_int_equal(fixture_usage(&f).bytes, before);
    fixture_close(&f);
}

static void test_closing_lets_go_of_what_is_under_way(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);

    fixture_watch(&f, 1, 10);
    fixture_change(&f, 1, 2);
    fixture_change(&f, 1, 3);
    subscription_close(f.table, s);
    assert_null(subscription_find(f.table, 9));
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_wait_for_the_interval),
        cmocka_unit_test(test_back_to_what_the_watcher_has_within_the_interval_is_no_news),
        cmocka_unit_test(test_a_subscribe_does_not_wait_for_the_interval),
        cmocka_unit_test(test_silence_for_too_long_is_broken),
        cmocka_unit_test(test_suppressed_it_hears_of_other_documents_alone),
        cmocka_unit_test(test_suppressed_by_any_tag_it_hears_of_no_document_but_of_its_end),
        cmocka_unit_test(test_the_end_of_a_suppressed_one_has_no_body_unless_there_was_news),
        cmocka_unit_test(test_the_condition_is_looked_at_when_there_is_a_document),
        cmocka_unit_test(test_a_pending_one_keeps_its_condition),
        cmocka_unit_test(test_what_leads_nowhere_is_given_up_without_the_subscription),
        cmocka_unit_test(test_a_new_one_that_has_the_document_gets_no_body),
        cmocka_unit_test(test_what_is_not_sent_or_removed_is_said_again),
        cmocka_unit_test(test_a_body_for_one_alone_goes_with_its_notify),
        cmocka_unit_test(test_closing_lets_go_of_what_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
