// A call from its INVITE to its line.
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>

static const struct endpoint hop = {{198, 18, 0, 9}, 5070, ENDPOINT_IP4, 0};

static void test_bad_limits_are_refused(void **state)
{
    static const uint32_t calls[] = {0, CALL_LIMIT + 1, UINT32_MAX};
    struct hash_key key = {1, 2};
    struct fixture f = {0};
    struct memory memory = counted_memory(&f.counted);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct call_limits limits = {calls[i], LONGEST_MS, MEMORY_ANY_NODE};

        assert_int_equal(call_table_create(&f.table, &limits, &key, &memory), -EINVAL);
    }
    call_table_destroy(NULL);
}

static void test_every_allocation_may_fail(void **state)
{
    struct call_limits limits = {100, LONGEST_MS, MEMORY_ANY_NODE};
    struct hash_key key = {1, 2};
    struct fixture f;

    (void)state;
    for (unsigned fail = 1;; fail++) {
        f = (struct fixture){.counted.fail = fail};
        struct memory memory = counted_memory(&f.counted);
        int error = call_table_create(&f.table, &limits, &key, &memory);

        if (f.counted.taken < fail) {
            assert_int_equal(error, 0);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_int_equal(f.counted.bytes, 0);
    }
    fixture_close(&f);
}

static void test_a_call_leaves_what_it_was(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 16);
    uint32_t slot = fixture_begin(&f, 7);
    struct call *call = call_at(f.table, slot);

    assert_int_equal(fixture_find(&f, 7), slot);
    strcpy(call->rule, "out");
    call->gateway = 4;
    call->tries = 2;
    fixture_pass(&f, 2500);
    call_answered(f.table, slot, &f.now, 200, &hop);
    fixture_pass(&f, 10000);
    call_end(f.table, slot, &f.now, CALL_COMPLETED, 0);
    assert_int_equal(fixture_find(&f, 7), CALL_NONE);
    assert_null(call_at(f.table, slot));

    const struct call *ended = call_take(f.table);

    assert_non_null(ended);
    assert_int_equal(ended->start_ms, 1000000005);
    assert_int_equal(ended->answer_ms, 1000002505);
    assert_int_equal(ended->end_ms, 1000012505);
    assert_int_equal(ended->code, 200);
    assert_int_equal(ended->end, CALL_COMPLETED);
    assert_string_equal(ended->rule, "out");
    assert_int_equal(ended->gateway, 4);
    assert_int_equal(ended->tries, 2);
    assert_true(endpoint_equal(&ended->hop, &hop));
    assert_true(slice_equal(call_text(ended, CALL_CALL_ID), SLICE("call-7")));
    assert_true(slice_equal(call_text(ended, CALL_FROM), SLICE("sip:a@x")));
    assert_true(slice_equal(call_text(ended, CALL_TO), SLICE("sip:b@y")));
    assert_true(slice_equal(call_text(ended, CALL_URI), SLICE("sip:b@z")));
    call_written(f.table, ended);
    assert_null(call_take(f.table));
    fixture_close(&f);
}

static void test_a_new_call_knows_nothing_yet(void **state)
{
    struct fixture f;
    char call_id[32];

    (void)state;
    fixture_open(&f, 1);
    for (unsigned again = 0; again < 2; again++) { // the second time in a record that was used
        uint32_t slot = fixture_begin(&f, 1);
        struct call *call = call_at(f.table, slot);

        assert_int_equal(call->code, 0);
        assert_int_equal(call->answer_ms, 0);
        assert_int_equal(call->end_ms, 0);
        assert_int_equal(call->hop.family, ENDPOINT_NONE);
        assert_int_equal(call->gateway, UINT16_MAX);
        assert_string_equal(call->rule, "");
        assert_int_equal(call->tries, 0);
        call->gateway = call->tries = 9;
        strcpy(call->rule, "out");
        call_answered(f.table, slot, &f.now, 200, &hop);
        call_end(f.table, slot, &f.now, CALL_FAILED, 500);
        fixture_take(&f, call_id);
        assert_string_equal(call_id, "call-1");
    }
    fixture_close(&f);
}

static void test_the_first_answer_counts(void **state)
{
    struct endpoint other = endpoint_ip4(198, 18, 0, 10, 5060);
    struct fixture f;

    (void)state;
    fixture_open(&f, 4);
    uint32_t slot = fixture_begin(&f, 1);

    call_answered(f.table, slot, &f.now, 200, &hop);
    uint64_t answer_ms = call_at(f.table, slot)->answer_ms;

    fixture_pass(&f, 500);
    call_answered(f.table, slot, &f.now, 202, &other);
    assert_int_equal(call_at(f.table, slot)->answer_ms, answer_ms);
    assert_int_equal(call_at(f.table, slot)->code, 200);
    assert_true(endpoint_equal(&call_at(f.table, slot)->hop, &hop));
    fixture_close(&f);
}

// A late answer to a call that is over must not answer the next one, in whose record it was.
static void test_a_slot_names_one_call(void **state)
{
    struct fixture f;
    char call_id[32];

    (void)state;
    fixture_open(&f, 1);
    uint32_t old = fixture_begin(&f, 1);

    for (unsigned i = 0; i < 1000; i++) {
        call_end(f.table, old, &f.now, CALL_COMPLETED, 0);
        fixture_take(&f, call_id);
        uint32_t slot = fixture_begin(&f, 1);

        assert_int_not_equal(slot, CALL_NONE);
        assert_int_not_equal(slot, old);
        call_answered(f.table, old, &f.now, 200, &hop);
        call_end(f.table, old, &f.now, CALL_LOST, 0);
        assert_null(call_at(f.table, old));
        assert_int_equal(call_at(f.table, slot)->answer_ms, 0);
        old = slot;
    }
    call_answered(f.table, CALL_NONE, &f.now, 200, &hop);
    call_end(f.table, CALL_NONE, &f.now, CALL_LOST, 0);
    assert_null(call_at(f.table, CALL_NONE));
    assert_null(call_at(f.table, 12345));
    fixture_close(&f);
}

static void test_the_latest_attempt_is_found(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 8);
    uint32_t first = fixture_begin(&f, 1);
    uint32_t second = fixture_begin(&f, 1);

    assert_int_equal(fixture_find(&f, 1), second);
    call_end(f.table, second, &f.now, CALL_FAILED, 401);
    assert_int_equal(fixture_find(&f, 1), first);
    call_end(f.table, first, &f.now, CALL_FAILED, 486);
    assert_int_equal(fixture_find(&f, 1), CALL_NONE);
    fixture_close(&f);
}

// A BYE belongs to it, and not to what still rings elsewhere.
static void test_an_answered_attempt_is_found_first(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 8);
    uint32_t first = fixture_begin(&f, 1);
    uint32_t second = fixture_begin(&f, 1);
    uint32_t third = fixture_begin(&f, 1);

    call_answered(f.table, first, &f.now, 200, &hop);
    assert_int_equal(fixture_find(&f, 1), first);
    call_answered(f.table, second, &f.now, 200, &hop);
    assert_int_equal(fixture_find(&f, 1), second);
    call_end(f.table, second, &f.now, CALL_COMPLETED, 0);
    call_end(f.table, first, &f.now, CALL_COMPLETED, 0);
    assert_int_equal(fixture_find(&f, 1), third);
    fixture_close(&f);
}

static void test_a_call_id_has_so_many_attempts(void **state)
{
    struct fixture f;
    uint32_t first;

    (void)state;
    fixture_open(&f, 2 * CALL_ATTEMPTS_MAX);
    first = fixture_begin(&f, 1);
    for (unsigned i = 1; i < CALL_ATTEMPTS_MAX; i++)
        assert_int_not_equal(fixture_begin(&f, 1), CALL_NONE);
    assert_int_equal(fixture_begin(&f, 1), CALL_NONE);
    assert_int_equal(fixture_usage(&f).unfollowed, 1);
    assert_int_not_equal(fixture_begin(&f, 2), CALL_NONE); // of another there is room
    call_end(f.table, first, &f.now, CALL_FAILED, 486);
    assert_int_not_equal(fixture_begin(&f, 1), CALL_NONE);
    fixture_close(&f);
}

static void test_a_full_table_counts_who_is_not_followed(void **state)
{
    struct fixture f;
    char call_id[32];

    (void)state;
    fixture_open(&f, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_not_equal(fixture_begin(&f, i), CALL_NONE);
    assert_int_equal(fixture_begin(&f, 4), CALL_NONE);
    assert_int_equal(fixture_usage(&f).unfollowed, 1);
    assert_int_equal(fixture_usage(&f).calls, 4);
    assert_int_equal(fixture_usage(&f).calls_max, 4);
    call_end(f.table, fixture_find(&f, 2), &f.now, CALL_FAILED, 486);
    assert_int_equal(fixture_begin(&f, 4), CALL_NONE); // control has it
    fixture_take(&f, call_id);
    assert_string_equal(call_id, "call-2");
    assert_int_not_equal(fixture_begin(&f, 4), CALL_NONE);
    assert_int_equal(fixture_usage(&f).begun, 5);
    fixture_close(&f);
}

static void test_a_full_ring_costs_lines_and_no_calls(void **state)
{
    struct fixture f;
    char call_id[32];
    unsigned lines = 0;

    (void)state;
    fixture_open(&f, 16); // a ring of four
    for (unsigned i = 0; i < 100; i++) {
        uint32_t slot = fixture_begin(&f, i);

        assert_int_not_equal(slot, CALL_NONE);
        call_end(f.table, slot, &f.now, CALL_FAILED, 404);
    }
    assert_int_equal(fixture_usage(&f).lost_lines, 96);
    assert_int_equal(fixture_usage(&f).calls, 0);
    for (;; lines++) {
        fixture_take(&f, call_id);
        if (call_id[0] == '\0')
            break;
    }
    assert_int_equal(lines, 4);
    for (unsigned i = 0; i < 16; i++)
        assert_int_not_equal(fixture_begin(&f, i), CALL_NONE); // nothing leaked
    fixture_close(&f);
}

struct heard {
    unsigned n;
    uint32_t last;
};

static void hear(void *owner, const struct call *call)
{
    struct heard *heard = owner;

    assert_int_equal(call->end, 0); // it has not gone yet
    heard->n++;
    heard->last = call->slot;
}

static void test_a_call_that_lasts_too_long_is_lost_or_timed_out(void **state)
{
    struct fixture f;
    struct heard heard = {0};

    (void)state;
    fixture_open(&f, 8);
    uint32_t answered = fixture_begin(&f, 1);
    uint32_t silent = fixture_begin(&f, 2);

    fixture_pass(&f, 10000);
    call_answered(f.table, answered, &f.now, 200, &hop); // counts from here
    fixture_pass(&f, LONGEST_MS - 10001);
    call_expire(f.table, &f.now, hear, &heard);
    assert_int_equal(heard.n, 0);
    fixture_pass(&f, 1);
    call_expire(f.table, &f.now, hear, &heard);
    assert_int_equal(heard.n, 1);
    assert_int_equal(heard.last, silent);
    fixture_pass(&f, 10000);
    call_expire(f.table, &f.now, NULL, NULL);
    const struct call *ended = call_take(f.table);

    assert_int_equal(ended->end, CALL_TIMEOUT);
    ended = call_take(f.table);
    assert_int_equal(ended->end, CALL_LOST);
    assert_int_equal(ended->code, 200);
    assert_int_equal(fixture_usage(&f).calls, 0);
    fixture_close(&f);
}

static void test_expiry_is_bounded(void **state)
{
    struct fixture f;
    struct heard heard = {0};

    (void)state;
    fixture_open(&f, 200);
    for (unsigned i = 0; i < 200; i++)
        fixture_begin(&f, i);
    fixture_pass(&f, LONGEST_MS);
    call_expire(f.table, &f.now, hear, &heard);
    assert_int_equal(heard.n, CALL_EXPIRE_MAX);
    for (unsigned i = 0; i < 10; i++)
        call_expire(f.table, &f.now, hear, &heard);
    assert_int_equal(heard.n, 200);
    fixture_close(&f);
}

static void test_texts_are_cut_to_their_shares(void **state)
{
    static const struct {
        uint32_t given[CALL_TEXTS], kept[CALL_TEXTS];
    } cases[] = {
        {{10, 20, 30, 40}, {10, 20, 30, 40}},
        {{0, 0, 0, 0}, {0, 0, 0, 0}},
        {{75, 75, 75, 75}, {75, 75, 75, 75}},
        {{300, 0, 0, 0}, {300, 0, 0, 0}},
        {{301, 0, 0, 0}, {300, 0, 0, 0}},
        {{1000, 1000, 1000, 1000}, {75, 75, 75, 75}},
        {{1000, 10, 1000, 1000}, {140, 10, 75, 75}},
        {{10, 100, 100, 100}, {10, 100, 100, 90}},
        {{0, 0, 0, 65535}, {0, 0, 0, 300}},
    };
    char *bytes = malloc(65535);

    (void)state;
    memset(bytes, 'x', 65535);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice text[CALL_TEXTS];
        struct fixture f;

        fixture_open(&f, 1);
        for (unsigned t = 0; t < CALL_TEXTS; t++)
            text[t] = slice_of(cases[i].given[t] > 0 ? bytes : NULL, cases[i].given[t]);
        struct call *call = call_at(f.table, call_begin(f.table, &f.now, text, &hop));

        for (unsigned t = 0; t < CALL_TEXTS; t++)
            assert_int_equal(call_text(call, t).len, cases[i].kept[t]);
        // The whole Call-ID is what it is found by.
        assert_ptr_equal(call_at(f.table, call_find(f.table, text[CALL_CALL_ID], 0)), call);
        fixture_close(&f);
    }
    free(bytes);
}

// Calls that come and go in any order against a list of them.
static void test_many_calls_in_any_order(void **state)
{
    enum { N = 300 };
    struct fixture f;
    uint32_t slot[N];
    char call_id[32];
    unsigned random = 1;

    (void)state;
    fixture_open(&f, N / 2);
    for (unsigned i = 0; i < N; i++)
        slot[i] = CALL_NONE;
    for (unsigned step = 0; step < 200000; step++) {
        random = random * 1103515245 + 12345;
        unsigned i = (random >> 8) % N;

        assert_int_equal(fixture_find(&f, i), slot[i]);
        if (slot[i] == CALL_NONE) {
            slot[i] = fixture_begin(&f, i);
        } else {
            call_end(f.table, slot[i], &f.now, CALL_FAILED, 404);
            slot[i] = CALL_NONE;
            if (step % 3 != 0)
                fixture_take(&f, call_id);
        }
    }
    struct call_usage usage = fixture_usage(&f);

    assert_true(usage.lost_lines > 0 && usage.unfollowed > 0 && usage.begun > 50000);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_limits_are_refused),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_a_call_leaves_what_it_was),
        cmocka_unit_test(test_a_new_call_knows_nothing_yet),
        cmocka_unit_test(test_the_first_answer_counts),
        cmocka_unit_test(test_a_slot_names_one_call),
        cmocka_unit_test(test_the_latest_attempt_is_found),
        cmocka_unit_test(test_an_answered_attempt_is_found_first),
        cmocka_unit_test(test_a_call_id_has_so_many_attempts),
        cmocka_unit_test(test_a_full_table_counts_who_is_not_followed),
        cmocka_unit_test(test_a_full_ring_costs_lines_and_no_calls),
        cmocka_unit_test(test_a_call_that_lasts_too_long_is_lost_or_timed_out),
        cmocka_unit_test(test_expiry_is_bounded),
        cmocka_unit_test(test_texts_are_cut_to_their_shares),
        cmocka_unit_test(test_many_calls_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
