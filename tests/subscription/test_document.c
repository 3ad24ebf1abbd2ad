// Presentities, what is published of them, and their documents.
#include <errno.h>

#include "fixture.h"

// Presentities.

static void test_a_presentity_is_made_once_and_vanishes_when_nobody_needs_it(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    assert_null(subscription_presentity_find(f.table, fixture_key(1)));
    assert_false(subscription_touch(f.table, fixture_key(1)));
    struct subscription_presentity *presentity = fixture_presentity(&f, 1);

    assert_ptr_equal(fixture_presentity(&f, 1), presentity);
    assert_ptr_equal(subscription_presentity_find(f.table, fixture_key(1)), presentity);
    fixture_assert_text(subscription_presentity_owner(f.table, presentity), "sip:user1@example.com");
    assert_int_equal(fixture_usage(&f).presentities, 1);
    fixture_turn(&f);
    assert_null(subscription_presentity_find(f.table, fixture_key(1)));
    assert_int_equal(fixture_usage(&f).presentities, 0);
    assert_int_equal(f.log.composed, 0);
    fixture_close(&f);
}

static void test_presentities_are_bounded_and_come_back_after_the_grace_period(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    for (unsigned round = 0; round < 5; round++) {
        for (uint64_t i = 0; i < 100; i++)
            assert_non_null(fixture_presentity(&f, i));
        assert_null(fixture_presentity(&f, 100));
        for (uint64_t i = 0; i < 100; i++)
            assert_int_equal(fixture_presentity(&f, i)->key.low, fixture_key(i).low);
        fixture_run(&f, 100, 10);
    }
    assert_int_equal(fixture_usage(&f).refused, 5);
    fixture_close(&f);
}

static void test_a_slot_is_not_used_again_while_a_reader_may_be_in_it(void **state)
{
    (void)state;
    struct subscription_due due;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    const struct subscription_presentity *gone = fixture_presentity(&f, 1);

    for (unsigned i = 0; i < 10; i++) { // without a quiescent state
        subscription_turn(f.table, BUDGET);
        assert_false(subscription_due(f.table, f.now_ms, &due));
    }
    assert_int_equal(fixture_usage(&f).presentities, 0);
    assert_ptr_not_equal(fixture_presentity(&f, 2), gone);
    assert_true(hash128_equal(gone->key, fixture_key(1)));
    fixture_turn(&f);
    fixture_turn(&f);
    assert_ptr_equal(fixture_presentity(&f, 3), gone);
    fixture_close(&f);
}

// Publications.

static void test_publications_are_found_by_tag_newest_first(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription_publication *a = fixture_publish(&f, 1, 11, "a");
    struct subscription_publication *b = fixture_publish(&f, 1, 12, "b");
    struct subscription_presentity *presentity = fixture_presentity(&f, 1);

    assert_ptr_equal(subscription_publication_find(f.table, presentity, 11), a);
    assert_ptr_equal(subscription_publication_find(f.table, presentity, 12), b);
    assert_null(subscription_publication_find(f.table, presentity, 13));
    assert_ptr_equal(subscription_publication_next(f.table, presentity, NULL), b);
    // Another body makes it the newest, a refresh does not.
    assert_int_equal(subscription_publication_change(f.table, b, 13, 0, NULL, f.now_ms + 1000), 0);
    assert_string_equal(fixture_body(&f, b->body), "b");
    assert_int_equal(subscription_publication_change(f.table, a, 14, 6, &SLICE("aa"), f.now_ms + 1000), 0);
    assert_ptr_equal(subscription_publication_next(f.table, presentity, NULL), a);
    assert_ptr_equal(subscription_publication_next(f.table, presentity, a), b);
    assert_null(subscription_publication_next(f.table, presentity, b));
    assert_string_equal(fixture_body(&f, a->body), "aa");
    assert_int_equal(subscription_body(f.table, a->body)->type, 6);
    assert_ptr_equal(subscription_publication_find(f.table, presentity, 14), a);
    assert_null(subscription_publication_find(f.table, presentity, 11));
    assert_int_equal(presentity->publications_n, 2);
    fixture_close(&f);
}

static void test_a_publication_asks_for_composition_and_a_refresh_does_not(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription_publication *a = fixture_publish(&f, 1, 11, "a");

    fixture_turn(&f);
    assert_int_equal(f.log.composed, 1);
    subscription_publication_change(f.table, a, 12, 0, NULL, f.now_ms + 90000);
    fixture_turn(&f);
    assert_int_equal(f.log.composed, 1);
    subscription_publication_change(f.table, a, 13, 5, &SLICE("b"), f.now_ms + 90000);
    fixture_turn(&f);
    assert_int_equal(f.log.composed, 2);
    fixture_run(&f, 89980, 10);
    assert_int_equal(f.log.outlived, 0);
    fixture_run(&f, 40, 10);
    assert_int_equal(f.log.outlived, 1);
    assert_int_equal(fixture_usage(&f).publications, 0);
    assert_int_equal(fixture_usage(&f).presentities, 0);
    fixture_close(&f);
}

static void test_an_expired_publication_is_told_until_it_is_closed(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    fixture_publish(&f, 1, 11, "a");
    f.idle = true;
    fixture_run(&f, 60000 + 3 * T1 + 50, 10);
    assert_int_equal(f.log.outlived, 4);
    f.idle = false;
    fixture_run(&f, T1 + 50, 10);
    assert_int_equal(fixture_usage(&f).publications, 0);
    fixture_close(&f);
}

static void test_publications_are_bounded(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t n = 0;

    fixture_open(&f, FIXTURE_EARLY);
    for (uint64_t i = 0; i < SUBSCRIPTION_PUBLICATIONS_MAX; i++, n++)
        assert_non_null(fixture_publish(&f, 1, i + 1, "a"));
    assert_null(fixture_publish(&f, 1, 99, "a"));
    for (; n < 100; n++)
        assert_non_null(fixture_publish(&f, 2 + n, n + 1, "a"));
    assert_null(fixture_publish(&f, 200, 101, "a"));
    assert_int_equal(fixture_usage(&f).refused, 2);
    assert_int_equal(fixture_usage(&f).publications, 100);
    fixture_close(&f);
}

static void test_bodies_are_bounded(void **state)
{
    (void)state;
    static char large[SUBSCRIPTION_BODY_MAX + 1];
    struct slice most = slice_of(large, SUBSCRIPTION_BODY_MAX), more = slice_of(large, sizeof(large));
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription_presentity *presentity = fixture_presentity(&f, 1);

    assert_null(subscription_publish(f.table, presentity, 1, 0, more, f.now_ms + 1000));
    struct subscription_publication *a =
        subscription_publish(f.table, presentity, 1, 0, most, f.now_ms + 1000);

    assert_non_null(a);
    assert_int_equal(subscription_publication_change(f.table, a, 2, 0, &more, f.now_ms), -E2BIG);
    assert_int_equal(a->tag, 1);
    assert_int_equal(subscription_document_put(f.table, presentity, 5, 0, more, f.now_ms), -E2BIG);
    assert_int_equal(subscription_document_put(f.table, presentity, 5, 0, most, f.now_ms), 0);
    assert_int_equal(subscription_form_put(f.table, presentity, 1, 0, 0, more), -E2BIG);
    assert_int_equal(subscription_body(f.table, presentity->forms[0])->len, SUBSCRIPTION_BODY_MAX);
    assert_int_equal(subscription_body_make(f.table, 0, more), 0);
    fixture_close(&f);
}

// Whatever finds no memory leaves what was there as it was, and it works again when there is some.
static void test_full_memory_changes_nothing(void **state)
{
    (void)state;
    static char large[60000];
    struct slice body = slice_of(large, sizeof(large));
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription_publication *first = fixture_publish(&f, 1, 1, "small");
    struct subscription_presentity *presentity = fixture_presentity(&f, 1);
    uint64_t n = 2;

    fixture_turn(&f);
    for (uint64_t i = 2; i < 100; i++)
        assert_non_null(fixture_presentity(&f, i));
    while (subscription_publish(f.table, fixture_presentity(&f, n), n, 0, body, f.now_ms + 90000) != NULL)
        n++;
    assert_in_range(n, 5, 99);
    struct subscription_usage usage = fixture_usage(&f);

    assert_int_equal(subscription_publication_change(f.table, first, 9, 0, &body, f.now_ms), -ENOSPC);
    assert_string_equal(fixture_body(&f, first->body), "small");
    assert_int_equal(subscription_document_put(f.table, presentity, 9, 0, body, f.now_ms), -ENOSPC);
    assert_string_equal(fixture_body(&f, presentity->forms[0]), "first");
    assert_int_equal(presentity->tag, 1);
    assert_int_equal(subscription_form_put(f.table, presentity, 1, 0, 0, body), -ENOSPC);
    assert_int_equal(subscription_body_make(f.table, 0, body), 0);
    assert_int_equal(fixture_usage(&f).publications, usage.publications);
    assert_int_equal(fixture_usage(&f).bytes, usage.bytes);
    assert_true(fixture_usage(&f).refused > usage.refused);
    // In a second it is asked for again, and there is room then.
    for (uint64_t i = 2; i < n; i++) {
        struct subscription_presentity *other = fixture_presentity(&f, i);

        subscription_publication_close(f.table, subscription_publication_find(f.table, other, i));
    }
    fixture_run(&f, 100, 10);
    f.log.composed = 0;
    fixture_write(&f, 10, "tenth");
    fixture_run(&f, 1000, 10);
    assert_int_equal(f.log.composed, 1);
    assert_string_equal(fixture_body(&f, presentity->forms[0]), "tenth");
    fixture_close(&f);
}

// Documents.

static void test_a_document_has_forms_and_versions(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    fixture_publish(&f, 1, 11, "a");
    struct subscription_presentity *presentity = fixture_presentity(&f, 1);

    assert_int_equal(presentity->version, 0);
    assert_int_equal(presentity->tag, 0);
    fixture_turn(&f);
    assert_int_equal(presentity->version, UNIX_S + 1);
    assert_int_equal(subscription_form_put(f.table, presentity, 2, 8, 77, SLICE("difference")), 0);
    const struct subscription_body *whole = subscription_body(f.table, presentity->forms[0]);
    const struct subscription_body *form = subscription_body(f.table, presentity->forms[2]);

    assert_int_equal(whole->tag, 1);
    assert_int_equal(whole->type, 7);
    assert_int_equal(form->tag, 1);
    assert_int_equal(form->base, 77);
    assert_int_equal(form->type, 8);
    assert_int_equal(form->version, whole->version);
    // The same again changes nothing, another one all of it.
    assert_int_equal(subscription_document_put(f.table, presentity, 1, 7, SLICE("else"), f.now_ms), 0);
    assert_ptr_equal(subscription_body(f.table, presentity->forms[0]), whole);
    assert_ptr_equal(subscription_body(f.table, presentity->forms[2]), form);
    assert_int_equal(subscription_document_put(f.table, presentity, 2, 7, SLICE("else"), f.now_ms), 0);
    assert_int_equal(presentity->forms[2], 0);
    assert_int_equal(presentity->version, UNIX_S + 2);
    assert_int_equal(presentity->tag, 2);
    assert_string_equal(fixture_body(&f, presentity->forms[0]), "else");
    assert_ptr_equal(subscription_document_read(f.table, fixture_key(1)),
                     subscription_body(f.table, presentity->forms[0]));
    assert_null(subscription_document_read(f.table, fixture_key(2)));
    fixture_close(&f);
}

static void test_what_was_read_stays_until_the_next_quiescent_state(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_watch(&f, 1, 9);
    const struct subscription_body *old = subscription_document_read(f.table, fixture_key(1));
    struct slice target = subscription_text(f.table, s, SUBSCRIPTION_TARGET);
    struct subscription_presentity *presentity = fixture_presentity(&f, 1);

    assert_int_equal(subscription_document_put(f.table, presentity, 2, 7, SLICE("other"), f.now_ms), 0);
    assert_int_equal(subscription_text_put(f.table, s, SUBSCRIPTION_TARGET, SLICE("sip:x")), 0);
    for (unsigned i = 0; i < 10; i++) {
        subscription_turn(f.table, BUDGET);
        assert_non_null(fixture_publish(&f, 1, 20 + i, "first"));
    }
    assert_memory_equal(old->bytes, "first", 5);
    assert_int_equal(old->tag, 1);
    fixture_assert_text(target, "sip:bob@192.0.2.1:5060");
    assert_int_equal(fixture_usage(&f).deferred, 2);
    fixture_run(&f, 50, 10);
    assert_int_equal(fixture_usage(&f).deferred, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_presentity_is_made_once_and_vanishes_when_nobody_needs_it),
        cmocka_unit_test(test_presentities_are_bounded_and_come_back_after_the_grace_period),
        cmocka_unit_test(test_publications_are_found_by_tag_newest_first),
        cmocka_unit_test(test_a_publication_asks_for_composition_and_a_refresh_does_not),
        cmocka_unit_test(test_an_expired_publication_is_told_until_it_is_closed),
        cmocka_unit_test(test_publications_are_bounded),
        cmocka_unit_test(test_bodies_are_bounded),
        cmocka_unit_test(test_full_memory_changes_nothing),
        cmocka_unit_test(test_a_document_has_forms_and_versions),
        cmocka_unit_test(test_what_was_read_stays_until_the_next_quiescent_state),
        cmocka_unit_test(test_a_slot_is_not_used_again_while_a_reader_may_be_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
