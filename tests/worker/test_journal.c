// A worker's journal: what is promised room, in which order it comes out, and that it may go round for ever.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// behind those that it needs
#include <cmocka.h>

#include "worker/journal.h"

#define RECORDS 100

static struct journal_gate gate;
static struct journal *journal;

static int begin(void **state)
{
    (void)state;
    gate = (struct journal_gate){0};
    return journal_create(&journal, &gate, RECORDS, MEMORY_ANY_NODE, &memory_system);
}

static int end(void **state)
{
    (void)state;
    journal_destroy(journal);
    return 0;
}

static void append(unsigned number, uint32_t value_len)
{
    char key[16];
    int len = snprintf(key, sizeof(key), "key%u", number);

    assert_true(journal_ready(journal, true));
    struct journal_record *record = journal_stage(journal, 1, slice_of(key, (size_t)len), value_len);
    record->value_len = value_len;
    memset(journal_value(record), (int)number, value_len);
    journal_publish(journal, NULL);
}

static void expect_record(const struct journal_record *record, unsigned number, uint32_t value_len)
{
    char key[16];

    assert_non_null(record);
    snprintf(key, sizeof(key), "key%u", number);
    assert_true(slice_equal(slice_of(record->text, record->key_len), slice_text(key)));
    assert_int_equal(record->value_len, value_len);
    for (uint32_t i = 0; i < value_len; i++)
        assert_int_equal((uint8_t)record->text[record->key_len + i], (uint8_t)number);
}

static void test_staged_record_is_not_there_before_it_is_published(void **state)
{
    (void)state;
    journal_stage(journal, 1, SLICE("k"), 10);
    assert_null(journal_take(journal));
    journal_publish(journal, NULL);
    assert_non_null(journal_take(journal));
    assert_null(journal_take(journal));
}

static void test_records_come_out_in_their_order_once_settled(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        append(i, 100 + i);
    assert_false(journal_idle(journal));
    expect_record(journal_take(journal), 0, 100);
    expect_record(journal_take(journal), 1, 101);
    assert_null(journal_settled(journal));
    journal_settle(journal);
    for (unsigned i = 0; i < 2; i++) {
        struct journal_record *record = journal_settled(journal);
        expect_record(record, i, 100 + i);
        journal_free(journal, record);
    }
    assert_null(journal_settled(journal)); // the third is not settled
    assert_false(journal_idle(journal));
}

// Of every length, with a few under way: fillers fall where they fall.
static void test_goes_round(void **state)
{
    unsigned in = 0, taken = 0, out = 0;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        for (unsigned i = 0; i < round % 5 + 1 && journal_ready(journal, true); i++, in++)
            append(in, in * 7919 % 5000);
        struct journal_record *record;
        while ((record = journal_take(journal)) != NULL) {
            expect_record(record, taken, taken * 7919 % 5000);
            taken++;
        }
        assert_int_equal(taken, in);
        journal_settle(journal);
        for (unsigned i = 0; i < round % 4 + 1 && (record = journal_settled(journal)) != NULL; i++, out++) {
            expect_record(record, out, out * 7919 % 5000);
            journal_free(journal, record);
        }
    }
    assert_true(out > 5000);
}

static void test_is_full_by_number_and_by_bytes(void **state)
{
    unsigned n = 0;

    (void)state;
    for (; journal_ready(journal, false); n++)
        append(n, 10);
    assert_int_equal(n, RECORDS);
    while (journal_take(journal) != NULL)
        continue;
    journal_settle(journal);
    for (struct journal_record *record; (record = journal_settled(journal)) != NULL;)
        journal_free(journal, record);
    assert_true(journal_idle(journal));
    for (n = 0; journal_ready(journal, false); n++)
        append(n, JOURNAL_RECORD_MAX - 100);
    assert_in_range(n, 2, RECORDS - 1);
}

static void test_shut_gate_stops_promises_only(void **state)
{
    (void)state;
    atomic_store(&gate.turns, 1);
    assert_true(journal_ready(journal, true)); // this turn has not seen it yet
    journal_turn(journal, 1000);
    assert_false(journal_ready(journal, true));
    assert_true(journal_ready(journal, false));
    atomic_store(&gate.turns, 2);
    journal_turn(journal, 1001);
    assert_true(journal_ready(journal, true));
}

static void test_write_that_takes_long_is_a_shut_gate(void **state)
{
    (void)state;
    atomic_store(&gate.busy_ms, 1000);
    journal_turn(journal, 1000 + JOURNAL_SLOW_MS);
    assert_true(journal_ready(journal, true));
    journal_turn(journal, 1001 + JOURNAL_SLOW_MS);
    assert_false(journal_ready(journal, true));
}

static void test_quiet_means_seen_settled_and_freed(void **state)
{
    (void)state;
    append(1, 10);
    atomic_store(&gate.turns, 1);
    assert_false(journal_quiet(journal));
    assert_non_null(journal_take(journal));
    journal_settle(journal);
    assert_false(journal_quiet(journal)); // not freed
    journal_free(journal, journal_settled(journal));
    assert_false(journal_quiet(journal)); // not seen
    journal_turn(journal, 1);
    assert_true(journal_quiet(journal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
        CASE(test_staged_record_is_not_there_before_it_is_published),
        CASE(test_records_come_out_in_their_order_once_settled),
        CASE(test_goes_round),
        CASE(test_is_full_by_number_and_by_bytes),
        CASE(test_shut_gate_stops_promises_only),
        CASE(test_write_that_takes_long_is_a_shut_gate),
        CASE(test_quiet_means_seen_settled_and_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
