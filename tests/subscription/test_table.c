// Subscriptions as records: how they are found, and what happens when there is no more room.
#include <errno.h>

#include "fixture.h"

static struct slice text_of(const struct fixture *f, const struct subscription *s,
                            enum subscription_text which)
{
    return subscription_text(f->table, s, which);
}

static void test_no_memory_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    const struct subscription_timers timers = {T1, T2};
    const struct hash_key key = {1, 2};
    struct subscription_limits limits;
    unsigned fail = 1;

    fixture_limits(&limits);
    for (;; fail++) {
        struct fixture f = {.counted.fail = fail};
        struct memory memory = counted_memory(&f.counted);
        int error = subscription_table_create(&f.table, &limits, &timers, &key, NULL, &memory);

        if (error == 0)
            subscription_table_destroy(f.table);
        assert_int_equal(f.counted.bytes, 0);
        if (error == 0)
            break;
        assert_int_equal(error, -ENOMEM);
    }
    assert_int_equal(fail, 2);
    subscription_table_destroy(NULL);
}

static void test_limits_of_zero_or_too_many_are_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 7; i++) {
        const struct subscription_timers timers = {T1, T2};
        const struct hash_key key = {1, 2};
        struct subscription_limits limits;
        struct fixture f = {0};
        struct memory memory = counted_memory(&f.counted);

        fixture_limits(&limits);
        uint64_t *large[] = {&limits.presentities, &limits.publications, &limits.subscriptions};

        if (i < 3)
            *large[i] = 0;
        else if (i < 6)
            *large[i - 3] = SUBSCRIPTION_RECORDS_MAX;
        else
            limits.watchers = 0;
        assert_int_equal(subscription_table_create(&f.table, &limits, &timers, &key, NULL, &memory), -EINVAL);
        assert_int_equal(f.counted.taken, 0);
    }
}

static void test_a_share_has_room_for_imbalance(void **state)
{
    (void)state;
    assert_int_equal(subscription_share(1000000, 1), 1000000);
    assert_in_range(subscription_share(1000000, 4), 265000, 266000);
    assert_int_equal(subscription_share(100, 8), 100);
}

// Subscriptions.

static void test_a_subscription_is_found_by_check_and_by_slot(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *a = fixture_subscribe(&f, 1, 9);
    struct subscription *b = fixture_subscribe(&f, 1, UINT64_C(9) + (UINT64_C(1) << 40));
    uint32_t slot = subscription_slot(f.table, a);

    assert_ptr_equal(subscription_find(f.table, 9), a);
    assert_ptr_equal(subscription_find(f.table, b->check), b);
    assert_null(subscription_find(f.table, 10));
    assert_ptr_equal(subscription_at(f.table, slot, 9), a);
    assert_null(subscription_at(f.table, slot, 10));
    assert_null(subscription_at(f.table, 0, 0));
    assert_null(subscription_at(f.table, 50, 0));
    assert_null(subscription_at(f.table, UINT32_MAX, 9));
    for (unsigned i = 0; i < 4; i++)
        subscription_prefetch_slot(f.table, UINT32_MAX - i);
    subscription_close(f.table, a);
    assert_null(subscription_at(f.table, slot, 9));
    assert_null(subscription_find(f.table, 9));
    assert_ptr_equal(subscription_find(f.table, b->check), b);
    fixture_close(&f);
}

static void test_texts_are_kept_and_one_can_be_replaced(void **state)
{
    (void)state;
    static char long_text[SUBSCRIPTION_TEXT_MAX + 1];
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription *s = fixture_subscribe(&f, 1, 9);

    assert_int_equal(subscription_text_put(f.table, s, SUBSCRIPTION_TARGET, SLICE("sip:bob@[2001:db8::1]")),
                     0);
    assert_int_equal(subscription_text_put(f.table, s, SUBSCRIPTION_EVENT_ID, SLICE("17")), 0);
    assert_int_equal(
        subscription_text_put(f.table, s, SUBSCRIPTION_ROUTE, slice_of(long_text, sizeof(long_text))),
        -E2BIG);
    fixture_assert_text(text_of(&f, s, SUBSCRIPTION_CALL_ID), "call-id-1");
    fixture_assert_text(text_of(&f, s, SUBSCRIPTION_LOCAL_TAG), "our-tag");
    fixture_assert_text(text_of(&f, s, SUBSCRIPTION_REMOTE_TAG), "their-tag");
    fixture_assert_text(text_of(&f, s, SUBSCRIPTION_LOCAL_URI), "<sip:alice@example.com>");
    fixture_assert_text(text_of(&f, s, SUBSCRIPTION_REMOTE_URI), "<sip:bob@example.com>");
    fixture_assert_text(text_of(&f, s, SUBSCRIPTION_TARGET), "sip:bob@[2001:db8::1]");
    fixture_assert_text(text_of(&f, s, SUBSCRIPTION_ROUTE), "");
    fixture_assert_text(text_of(&f, s, SUBSCRIPTION_EVENT_ID), "17");
    fixture_close(&f);
}

static int try_to_watch(struct fixture *f, uint64_t number, uint64_t check, struct endpoint source)
{
    struct subscription_opening opening = fixture_opening(check);
    struct subscription *s;

    opening.source = source;
    opening.expires_ms = f->now_ms + 1000;
    return subscription_open(f->table, fixture_presentity(f, number), &opening, f->now_ms, &s);
}

static void test_watchers_of_one_presentity_are_bounded(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    for (uint64_t i = 1; i <= 10; i++)
        fixture_subscribe(&f, 1, i);
    assert_int_equal(try_to_watch(&f, 1, 11, endpoint_ip4(10, 0, 0, 1, 0)), -EUSERS);
    assert_int_equal(fixture_usage(&f).refused_watchers, 1);
    subscription_close(f.table, subscription_find(f.table, 5));
    assert_int_equal(try_to_watch(&f, 1, 11, endpoint_ip4(10, 0, 0, 1, 0)), 0);
    fixture_close(&f);
}

static void test_one_source_has_its_bound_whatever_its_port_or_lower_bits(void **state)
{
    (void)state;
    struct fixture f;
    struct endpoint v6 = {.address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1}, .family = ENDPOINT_IP6};

    fixture_open(&f, FIXTURE_EARLY);
    for (uint64_t i = 1; i <= 5; i++) {
        v6.address[15]++;
        assert_int_equal(try_to_watch(&f, i, i, endpoint_ip4(10, 0, 0, 1, (uint16_t)i)), 0);
        assert_int_equal(try_to_watch(&f, i, 10 + i, v6), 0);
    }
    assert_int_equal(fixture_usage(&f).sources, 2);
    v6.address[8]++;
    assert_int_equal(try_to_watch(&f, 7, 30, v6), -EDQUOT);
    assert_int_equal(try_to_watch(&f, 7, 30, endpoint_ip4(10, 0, 0, 1, 99)), -EDQUOT);
    assert_int_equal(try_to_watch(&f, 7, 30, endpoint_ip4(10, 0, 0, 2, 99)), 0);
    v6.address[7]++;
    assert_int_equal(try_to_watch(&f, 7, 31, v6), 0);
    // Nobody's are not counted.
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(try_to_watch(&f, 8, 40 + i, (struct endpoint){0}), 0);
    assert_int_equal(fixture_usage(&f).refused_source, 2);
    subscription_close(f.table, subscription_find(f.table, 3));
    assert_int_equal(try_to_watch(&f, 7, 32, endpoint_ip4(10, 0, 0, 1, 99)), 0);
    fixture_close(&f);
}

static void test_subscriptions_are_bounded(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    for (unsigned round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 100; i++)
            assert_int_equal(try_to_watch(&f, i / 10, i + 1, endpoint_ip4(10, 0, 0, (uint8_t)i, 0)), 0);
        assert_int_equal(try_to_watch(&f, 20, 101, endpoint_ip4(10, 0, 1, 1, 0)), -ENOSPC);
        assert_int_equal(fixture_usage(&f).subscriptions, 100);
        assert_int_equal(fixture_usage(&f).sources, 100);
        for (uint64_t i = 100; i > 0; i--)
            subscription_close(f.table, subscription_find(f.table, i));
        fixture_run(&f, 100, 10);
    }
    fixture_close(&f);
}

static void test_texts_too_long_are_refused(void **state)
{
    (void)state;
    static char long_text[SUBSCRIPTION_TEXT_MAX];
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription_opening opening = fixture_opening(1);
    struct subscription *s;

    for (unsigned i = 0; i < SUBSCRIPTION_TEXTS; i++)
        opening.text[i] = SLICE("");
    opening.text[SUBSCRIPTION_ROUTE] = slice_of(long_text, sizeof(long_text));
    opening.text[SUBSCRIPTION_TARGET] = SLICE("x");
    assert_int_equal(subscription_open(f.table, fixture_presentity(&f, 1), &opening, f.now_ms, &s), -E2BIG);
    opening.text[SUBSCRIPTION_TARGET] = SLICE("");
    assert_int_equal(subscription_open(f.table, fixture_presentity(&f, 1), &opening, f.now_ms, &s), 0);
    assert_int_equal(text_of(&f, s, SUBSCRIPTION_ROUTE).len, SUBSCRIPTION_TEXT_MAX);
    fixture_close(&f);
}

// What the store remembers comes back.

static void test_restored_are_told_what_there_is_now_and_nothing_twice(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    fixture_publish(&f, 1, 11, "a");
    struct subscription_opening opening = fixture_opening(9);
    struct subscription *s;

    opening.restored = true;
    opening.expires_ms = f.now_ms + 5000;
    opening.local_cseq = 7000;
    assert_int_equal(subscription_open(f.table, fixture_presentity(&f, 1), &opening, f.now_ms, &s), 0);
    fixture_turn(&f);
    assert_int_equal(f.log.sent, 1);
    assert_int_equal(s->local_cseq, 7001);
    fixture_answer(&f, s, 200);
    fixture_run(&f, 4900, 10);
    assert_int_equal(f.log.sent, 1);
    fixture_run(&f, 200, 10);
    assert_int_equal(f.log.state, SUBSCRIPTION_TERMINATED);
    fixture_close(&f);
}

// A bound that is lower now, or another worker's share, ends nothing that was granted.
static void test_restored_are_not_refused_for_their_number(void **state)
{
    (void)state;
    struct fixture f;
    struct subscription *s;

    fixture_open(&f, FIXTURE_EARLY);
    subscription_table_bound(f.table, 2, 1);
    for (uint64_t check = 1; check <= 4; check++) {
        struct subscription_opening opening = fixture_opening(check);
        opening.source = opening.to;
        opening.restored = true;
        assert_int_equal(subscription_open(f.table, fixture_presentity(&f, 1), &opening, f.now_ms, &s), 0);
    }
    struct subscription_opening opening = fixture_opening(9);
    assert_int_equal(subscription_open(f.table, fixture_presentity(&f, 1), &opening, f.now_ms, &s), -EUSERS);
    opening.source = fixture_opening(1).to;
    assert_int_equal(subscription_open(f.table, fixture_presentity(&f, 2), &opening, f.now_ms, &s), -EDQUOT);
    fixture_close(&f);
}

static void test_restored_that_died_meanwhile_are_told_so(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    struct subscription_opening opening = fixture_opening(9);
    struct subscription *s;

    opening.restored = true;
    opening.state = SUBSCRIPTION_PENDING;
    opening.expires_ms = 0;
    assert_int_equal(subscription_open(f.table, fixture_presentity(&f, 1), &opening, f.now_ms, &s), 0);
    fixture_run(&f, 50, 10);
    assert_int_equal(f.log.sent, 1);
    assert_int_equal(f.log.state, SUBSCRIPTION_TERMINATED);
    fixture_close(&f);
}

// Walks.

static void test_a_walk_meets_each_once_however_few_places_it_takes(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, FIXTURE_EARLY);
    for (uint64_t i = 0; i < 60; i++)
        fixture_subscribe(&f, i / 10, i + 1);
    for (uint64_t i = 0; i < 60; i += 3)
        subscription_close(f.table, subscription_find(f.table, i + 1));
    for (unsigned places = 1; places < 100; places += 7) {
        const struct subscription *s;
        uint64_t position = 0, seen = 0;

        while (position != SUBSCRIPTION_WALK_END)
            if ((s = subscription_walk(f.table, &position, places)) != NULL) {
                assert_int_equal(seen >> (s->check - 1) & 1, 0);
                seen |= UINT64_C(1) << (s->check - 1);
                assert_non_null(subscription_presentity_of(f.table, s));
            }
        assert_int_equal(__builtin_popcountll(seen), 40);
        unsigned presentities = 0;

        for (position = 0; position != SUBSCRIPTION_WALK_END;)
            presentities += subscription_presentity_walk(f.table, &position, places) != NULL;
        assert_int_equal(presentities, 6);
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory_is_an_error_and_leaves_nothing),
        cmocka_unit_test(test_limits_of_zero_or_too_many_are_refused),
        cmocka_unit_test(test_a_share_has_room_for_imbalance),
        cmocka_unit_test(test_a_subscription_is_found_by_check_and_by_slot),
        cmocka_unit_test(test_texts_are_kept_and_one_can_be_replaced),
        cmocka_unit_test(test_watchers_of_one_presentity_are_bounded),
        cmocka_unit_test(test_one_source_has_its_bound_whatever_its_port_or_lower_bits),
        cmocka_unit_test(test_subscriptions_are_bounded),
        cmocka_unit_test(test_texts_too_long_are_refused),
        cmocka_unit_test(test_restored_are_told_what_there_is_now_and_nothing_twice),
        cmocka_unit_test(test_restored_are_not_refused_for_their_number),
        cmocka_unit_test(test_restored_that_died_meanwhile_are_told_so),
        cmocka_unit_test(test_a_walk_meets_each_once_however_few_places_it_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
