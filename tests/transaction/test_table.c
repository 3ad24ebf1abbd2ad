// The table: what is found, what is not, what a full one does, and when a record ends.
#include "fixture.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_sizes_are_within_their_bounds(void **state)
{
    struct fixture f;

    (void)state;
    assert_true(sizeof(struct transaction) <= 384);
    fixture_open(&f, 100000, 25000, 0);
    assert_true(fixture_usage(&f).bytes / 100000 <= TRANSACTION_BYTES);
    fixture_close(&f);
}

static void test_bad_limits_are_refused(void **state)
{
    static const struct transaction_limits limits[] = {
        {0, 0, 0}, {UINT64_C(1) << 31, 0, 0}, {1, UINT64_C(1) << 31, 0}};
    struct fixture f = {0};
    struct transaction_timers timers = {T1, T2, T4, C};
    struct memory memory = counted_memory(&f.counted);

    (void)state;
    for (unsigned i = 0; i < COUNT(limits); i++)
        assert_int_equal(transaction_table_create(&f.table, &limits[i], &timers, &memory), -EINVAL);
    assert_int_equal(f.counted.taken, 0);
    transaction_table_destroy(NULL);
}

static void test_every_allocation_may_fail(void **state)
{
    struct transaction_limits limits = {100, 10, MEMORY_ANY_NODE};
    struct transaction_timers timers = {T1, T2, T4, C};
    struct fixture f;

    (void)state;
    for (unsigned fail = 1;; fail++) {
        f = (struct fixture){.counted.fail = fail};
        struct memory memory = counted_memory(&f.counted);
        int error = transaction_table_create(&f.table, &limits, &timers, &memory);

        if (f.counted.taken < fail) {
            assert_int_equal(error, 0);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_int_equal(f.counted.bytes, 0);
    }
    fixture_close(&f);
}

static void test_a_request_is_found_by_key_and_method(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 16, 0, FIXTURE_EARLY);
    struct transaction *invite = fixture_begin(&f, 1, SIP_METHOD_INVITE);
    struct transaction *bye = fixture_begin(&f, 1, SIP_METHOD_BYE); // a client that uses a branch again

    assert_ptr_equal(transaction_find(f.table, fixture_key(1), SIP_METHOD_INVITE), invite);
    assert_ptr_equal(transaction_find(f.table, fixture_key(1), SIP_METHOD_ACK), invite);
    assert_ptr_equal(transaction_find(f.table, fixture_key(1), SIP_METHOD_CANCEL), invite);
    assert_ptr_equal(transaction_find(f.table, fixture_key(1), SIP_METHOD_BYE), bye);
    assert_null(transaction_find(f.table, fixture_key(1), SIP_METHOD_INFO));
    assert_null(transaction_find(f.table, fixture_key(2), SIP_METHOD_INVITE));
    transaction_close(f.table, invite);
    assert_null(transaction_find(f.table, fixture_key(1), SIP_METHOD_ACK));
    assert_ptr_equal(transaction_find(f.table, fixture_key(1), SIP_METHOD_BYE), bye);
    fixture_close(&f);
}

// Keys that fall on one chain, some with the same tag as well, taken out from any place of it.
static void test_a_chain_keeps_the_others_when_one_goes(void **state)
{
    enum { N = 12 };
    struct fixture f;
    struct transaction *open[N];

    (void)state;
    for (unsigned gone = 0; gone < N; gone++) {
        fixture_open(&f, N, 0, FIXTURE_EARLY);
        for (unsigned i = 0; i < N; i++) {
            struct hash128 key = {(uint64_t)i << 32, (uint64_t)i << 32 | i / 3};

            open[i] = transaction_open(f.table, key, SIP_METHOD_BYE, f.now_ms, NULL, NULL);
            transaction_prefetch(f.table, key);
            transaction_prefetch_record(f.table, key);
        }
        transaction_close(f.table, open[gone]);
        for (unsigned i = 0; i < N; i++) {
            struct hash128 key = {(uint64_t)i << 32, (uint64_t)i << 32 | i / 3};

            assert_ptr_equal(transaction_find(f.table, key, SIP_METHOD_BYE), i == gone ? NULL : open[i]);
        }
        fixture_close(&f);
    }
}

static void test_a_slot_without_its_check_leads_nowhere(void **state)
{
    struct fixture f;
    const uint64_t check = 0x00123456789abcdeu;

    (void)state;
    fixture_open(&f, 16, 0, FIXTURE_EARLY);
    struct transaction *transaction = fixture_begin(&f, 1, SIP_METHOD_INVITE);
    uint32_t slot = transaction_slot(f.table, transaction);

    transaction->check = check;
    assert_ptr_equal(transaction_at(f.table, slot, check), transaction);
    for (unsigned bit = 0; bit < 64; bit++)
        assert_null(transaction_at(f.table, slot, check ^ UINT64_C(1) << bit));
    for (uint32_t other = 0; other < 40; other++) {
        transaction_prefetch_slot(f.table, other);
        if (other != slot) {
            assert_null(transaction_at(f.table, other, check));
            assert_null(transaction_at(f.table, other, 0)); // what a slot that was never used has
        }
    }
    transaction_prefetch_slot(f.table, UINT32_MAX);
    assert_null(transaction_at(f.table, UINT32_MAX, check));
    transaction_close(f.table, transaction);
    assert_null(transaction_at(f.table, slot, check));
    fixture_close(&f);
}

static void test_a_full_table_of_live_ones_refuses(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 8, 0, FIXTURE_EARLY);
    for (unsigned i = 0; i < 8; i++)
        fixture_forward(&f, i, i % 2 == 0 ? SIP_METHOD_INVITE : SIP_METHOD_BYE);
    assert_null(fixture_begin(&f, 8, SIP_METHOD_INVITE));
    assert_int_equal(f.evicted, 0);
    struct transaction_usage usage = fixture_usage(&f);

    assert_int_equal(usage.records, 8);
    assert_int_equal(usage.records_max, 8);
    assert_int_equal(usage.refused, 1);
    assert_int_equal(usage.opened, 8);
    transaction_close(f.table, transaction_find(f.table, fixture_key(3), SIP_METHOD_BYE));
    assert_non_null(fixture_begin(&f, 8, SIP_METHOD_INVITE));
    fixture_close(&f);
}

static void answer(struct fixture *f, struct transaction *transaction, uint16_t status)
{
    transaction_client_response(f->table, transaction, &transaction->first, status, f->now_ms);
    transaction_server_respond(f->table, transaction, status, f->now_ms);
    assert_true(transaction_settle(f->table, transaction, f->now_ms));
}

static void test_a_full_table_gives_up_the_oldest_that_lingers(void **state)
{
    // In this order they are answered; the others stay alive, whoever came first.
    static const unsigned answered[] = {6, 1, 4, 3};
    struct fixture f;
    struct transaction *open[8];

    (void)state;
    fixture_open(&f, 8, 0, FIXTURE_EARLY);
    for (unsigned i = 0; i < 8; i++)
        open[i] = fixture_forward(&f, i, i % 2 == 0 ? SIP_METHOD_INVITE : SIP_METHOD_BYE);
    for (unsigned i = 0; i < COUNT(answered); i++) {
        f.now_ms++;
        answer(&f, open[answered[i]], 200);
    }
    assert_int_equal(fixture_usage(&f).lingering, 4);
    for (unsigned i = 0; i < COUNT(answered); i++) {
        uint32_t slot = transaction_slot(f.table, open[answered[i]]);

        assert_non_null(fixture_forward(&f, 100 + i, SIP_METHOD_INVITE));
        assert_int_equal(f.evicted, i + 1);
        assert_int_equal(f.last_evicted, slot);
        assert_null(transaction_find(f.table, fixture_key(answered[i]),
                                     answered[i] % 2 == 0 ? SIP_METHOD_INVITE : SIP_METHOD_BYE));
    }
    assert_null(fixture_begin(&f, 200, SIP_METHOD_INVITE));
    assert_int_equal(fixture_usage(&f).lingering, 0);
    assert_int_equal(fixture_usage(&f).evicted, 4);
    fixture_close(&f);
}

static void test_what_waits_for_an_ack_does_not_linger(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 1, 0, FIXTURE_EARLY);
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_INVITE);

    answer(&f, transaction, 486);
    assert_null(fixture_begin(&f, 2, SIP_METHOD_INVITE));
    transaction_server_ack(f.table, transaction, f.now_ms);
    assert_true(transaction_settle(f.table, transaction, f.now_ms));
    assert_non_null(fixture_begin(&f, 2, SIP_METHOD_INVITE));
    assert_int_equal(f.evicted, 1);
    fixture_close(&f);
}

static void test_a_branch_that_is_begun_late_takes_it_from_those_that_linger(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 1, 1, FIXTURE_EARLY);
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_INVITE);

    answer(&f, transaction, 200);
    assert_int_equal(fixture_usage(&f).lingering, 1);
    transaction_client_begin(f.table, transaction, transaction_branch_add(f.table, transaction), f.now_ms);
    assert_true(transaction_settle(f.table, transaction, f.now_ms));
    assert_int_equal(fixture_usage(&f).lingering, 0);
    assert_null(fixture_begin(&f, 2, SIP_METHOD_INVITE));
    fixture_close(&f);
}

static void test_branches_are_numbered_and_bounded(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 200, FIXTURE_EARLY);
    struct transaction *transaction = fixture_begin(&f, 1, SIP_METHOD_INVITE);

    assert_null(transaction_branch_at(f.table, transaction, 0));
    assert_null(transaction_branch_next(f.table, transaction, NULL));
    for (unsigned i = 0; i < TRANSACTION_BRANCHES_MAX; i++) {
        struct transaction_branch *branch = transaction_branch_add(f.table, transaction);

        assert_int_equal(branch->number, i);
        assert_int_equal(branch->state, TRANSACTION_CLIENT_IDLE);
        assert_int_equal(branch->gateway, UINT16_MAX);
        assert_true((branch == &transaction->first) == (i == 0));
        assert_ptr_equal(transaction_branch_at(f.table, transaction, i), branch);
    }
    assert_null(transaction_branch_add(f.table, transaction));
    assert_null(transaction_branch_at(f.table, transaction, TRANSACTION_BRANCHES_MAX));
    unsigned n = 0;

    for (struct transaction_branch *branch = NULL;
         (branch = transaction_branch_next(f.table, transaction, branch)) != NULL;)
        assert_int_equal(branch->number, n++);
    assert_int_equal(n, TRANSACTION_BRANCHES_MAX);
    assert_int_equal(fixture_usage(&f).branches, TRANSACTION_BRANCHES_MAX - 1);
    transaction_close(f.table, transaction);
    assert_int_equal(fixture_usage(&f).branches, 0);
    fixture_close(&f);
}

static void test_without_memory_for_branches_there_is_the_first(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 2, FIXTURE_EARLY);
    struct transaction *one = fixture_begin(&f, 1, SIP_METHOD_INVITE);
    struct transaction *other = fixture_begin(&f, 2, SIP_METHOD_INVITE);

    for (unsigned i = 0; i < 3; i++)
        assert_non_null(transaction_branch_add(f.table, one));
    assert_null(transaction_branch_add(f.table, one));
    assert_non_null(transaction_branch_add(f.table, other));
    assert_null(transaction_branch_add(f.table, other));
    assert_int_equal(other->branches_n, 1);
    transaction_close(f.table, one);
    assert_non_null(transaction_branch_add(f.table, other)); // they came back
    fixture_close(&f);
}

static void test_all_forked_2xx_pass(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 4, FIXTURE_EARLY);
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_INVITE);

    for (unsigned i = 0; i < 3; i++)
        transaction_client_begin(f.table, transaction, transaction_branch_add(f.table, transaction),
                                 f.now_ms);
    assert_int_equal(transaction->pending_n, 4);
    for (unsigned i = 0; i < 4; i++) {
        struct transaction_branch *branch = transaction_branch_at(f.table, transaction, i);

        // Each twice: RFC 6026 7.1, 7.2.
        for (unsigned again = 0; again < 2; again++) {
            assert_int_equal(transaction_client_response(f.table, transaction, branch, 200, f.now_ms),
                             TRANSACTION_PASS);
            assert_int_equal(transaction_server_respond(f.table, transaction, 200, f.now_ms),
                             TRANSACTION_PASS);
        }
        assert_int_equal(transaction->pending_n, 3 - i);
    }
    fixture_close(&f);
}

static void test_a_record_that_nobody_answers_ends_with_its_last_branch(void **state)
{
    static const uint8_t methods[] = {SIP_METHOD_INVITE, SIP_METHOD_BYE};
    struct fixture f;

    (void)state;
    for (unsigned i = 0; i < COUNT(methods); i++) {
        fixture_open(&f, 4, 4, FIXTURE_EARLY);
        struct transaction *transaction = fixture_forward(&f, 1, methods[i]);

        fixture_run(&f, 1000, NULL, NULL);
        transaction_client_begin(f.table, transaction, transaction_branch_add(f.table, transaction),
                                 f.now_ms);
        assert_true(transaction_settle(f.table, transaction, f.now_ms));
        fixture_run(&f, 64 * T1 - 1, NULL, NULL);
        assert_int_equal(fixture_usage(&f).records, 1);
        fixture_run(&f, TRANSACTION_TICK_MS, NULL, NULL);
        assert_int_equal(fixture_usage(&f).records, 0);
        fixture_close(&f);
    }
}

static void test_a_record_that_was_only_opened_ends(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 4, FIXTURE_WRAP);
    fixture_begin(&f, 1, SIP_METHOD_INVITE); // and never settled
    fixture_begin(&f, 2, SIP_METHOD_BYE);
    fixture_run(&f, T1 + TRANSACTION_TICK_MS, NULL, NULL);
    assert_int_equal(fixture_usage(&f).records, 0);
    fixture_close(&f);
}

static void test_a_call_leaves_nothing_behind(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 4, FIXTURE_WRAP - 10000);
    struct transaction *invite = fixture_forward(&f, 1, SIP_METHOD_INVITE);

    transaction_server_respond(f.table, invite, 100, f.now_ms);
    fixture_run(&f, 20, NULL, NULL);
    answer(&f, invite, 180);
    fixture_run(&f, 8000, NULL, NULL);
    answer(&f, invite, 200);
    struct transaction *bye = fixture_forward(&f, 2, SIP_METHOD_BYE);

    answer(&f, bye, 200);
    fixture_run(&f, 64 * T1 - 1, NULL, NULL);
    assert_int_equal(fixture_usage(&f).records, 2);
    fixture_run(&f, TRANSACTION_TICK_MS, NULL, NULL);
    assert_int_equal(fixture_usage(&f).records, 0);
    assert_int_equal(fixture_usage(&f).lingering, 0);
    fixture_close(&f);
}

static void test_answer_at_is_visited(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 4, FIXTURE_EARLY);
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_INVITE);

    transaction->first.answer_at = (uint32_t)f.now_ms + 100; // nearer than timer A
    assert_true(transaction_settle(f.table, transaction, f.now_ms));
    assert_null(transaction_due(f.table, f.now_ms + 99));
    assert_ptr_equal(transaction_due(f.table, f.now_ms + 100 + TRANSACTION_TICK_MS - 1), transaction);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_within_their_bounds),
        cmocka_unit_test(test_bad_limits_are_refused),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_a_request_is_found_by_key_and_method),
        cmocka_unit_test(test_a_chain_keeps_the_others_when_one_goes),
        cmocka_unit_test(test_a_slot_without_its_check_leads_nowhere),
        cmocka_unit_test(test_a_full_table_of_live_ones_refuses),
        cmocka_unit_test(test_a_full_table_gives_up_the_oldest_that_lingers),
        cmocka_unit_test(test_what_waits_for_an_ack_does_not_linger),
        cmocka_unit_test(test_a_branch_that_is_begun_late_takes_it_from_those_that_linger),
        cmocka_unit_test(test_branches_are_numbered_and_bounded),
        cmocka_unit_test(test_without_memory_for_branches_there_is_the_first),
        cmocka_unit_test(test_all_forked_2xx_pass),
        cmocka_unit_test(test_a_record_that_nobody_answers_ends_with_its_last_branch),
        cmocka_unit_test(test_a_record_that_was_only_opened_ends),
        cmocka_unit_test(test_a_call_leaves_nothing_behind),
        cmocka_unit_test(test_answer_at_is_visited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
