// The writer's thread beside a worker's: records in, settled in their order, and control's own changes between them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// behind those that it needs
#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "control/commit.h"
#include "fixture.h"

#define RECORDS 20000

static char path[64];
static struct store *store;
static struct journal_gate gate;
static struct journal *journals[2];
static struct control_commit *commit;

static int begin(void **state)
{
    struct store_setup setup = {.path = path, .size_max = 64u << 20};

    (void)state;
    snprintf(path, sizeof(path), "/tmp/strowger-commit-XXXXXX");
    assert_non_null(mkdtemp(path));
    assert_int_equal(store_open(&store, &setup, stderr), 0);
    gate = (struct journal_gate){0};
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(journal_create(&journals[i], &gate, 256, MEMORY_ANY_NODE, &memory_system), 0);
    struct control_commit_setup how = {.store = store,
                                       .gate = &gate,
                                       .journals = journals,
                                       .journals_n = 2,
                                       .durability = CONF_DURABILITY_COMMIT,
                                       .path = path,
                                       .memory = &memory_system};
    assert_int_equal(control_commit_create(&commit, &how), 0);
    return 0;
}

static int end(void **state)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "strowger.lock"};
    char name[128];

    (void)state;
    control_commit_destroy(commit);
    for (unsigned i = 0; i < 2; i++)
        journal_destroy(journals[i]);
    store_close(store);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s/%s", path, files[i]);
        unlink(name);
    }
    return rmdir(path);
}

// Sets one of ten keys to a number.
static void append(struct journal *journal, unsigned which, unsigned number)
{
    char key[8], value[16];
    int key_len = snprintf(key, sizeof(key), "k%u%u", which, number % 10);
    uint32_t len = (uint32_t)snprintf(value, sizeof(value), "%u", number);
    struct journal_record *record =
        journal_stage(journal, STORE_BINDINGS, slice_of(key, (size_t)key_len), 16);

    memcpy(journal_value(record), value, len);
    record->value_len = len;
    journal_publish(journal, (void *)(uintptr_t)(number + 1));
}

static void expect_stored(const char *key, unsigned number)
{
    char wanted[16], value[16];
    int len = store_get(store, STORE_BINDINGS, slice_text(key), value, sizeof(value));

    assert_in_range(len, 1, sizeof(value));
    snprintf(wanted, sizeof(wanted), "%u", number);
    assert_true(slice_equal(slice_of(value, (size_t)len), slice_text(wanted)));
}

static void test_all_are_settled_in_order_and_written(void **state)
{
    unsigned in[2] = {0}, out[2] = {0}, applied = 0;

    (void)state;
    assert_int_equal(control_commit_launch(commit), 0);
    while (out[0] < RECORDS || out[1] < RECORDS) {
        for (unsigned i = 0; i < 2; i++) {
            struct journal_record *record;
            journal_turn(journals[i], 1);
            for (unsigned n = 0; n < 32 && in[i] < RECORDS && journal_ready(journals[i], true); n++)
                append(journals[i], i, in[i]++);
            while ((record = journal_settled(journals[i])) != NULL) {
                assert_int_equal(record->outcome, JOURNAL_WRITTEN);
                assert_int_equal((uintptr_t)record->answer, ++out[i]);
                journal_free(journals[i], record);
            }
        }
        if (out[0] / 4000 > applied) {
            struct store_change user = {STORE_USERS, SLICE("user"), SLICE("credentials")};
            assert_int_equal(control_commit_apply(commit, &user, 1), 0);
            applied++;
        }
    }
    assert_true(applied >= 4);
    for (unsigned digit = 0; digit < 10; digit++) {
        char key[8];
        snprintf(key, sizeof(key), "k0%u", digit);
        expect_stored(key, RECORDS - 10 + digit);
        snprintf(key, sizeof(key), "k1%u", digit);
        expect_stored(key, RECORDS - 10 + digit);
    }
    assert_true(control_commit_counters(commit)->batches < 2 * RECORDS);
}

static void test_controls_own_changes_are_on_the_disk_or_refused(void **state)
{
    static char large[STORE_VALUE_MAX + 1];
    struct store_change changes[] = {{STORE_USERS, SLICE("a"), SLICE("1")},
                                     {STORE_USERS, SLICE("b"), SLICE("2")}};
    char value[8];

    (void)state;
    assert_int_equal(control_commit_apply(commit, changes, 2), 0); // without a thread, too
    assert_int_equal(control_commit_launch(commit), 0);
    changes[0].value = (struct slice){NULL, 0};
    changes[1].value = SLICE("3");
    assert_int_equal(control_commit_apply(commit, changes, 2), 0);
    assert_int_equal(store_get(store, STORE_USERS, SLICE("a"), value, sizeof(value)), 0);
    assert_int_equal(store_get(store, STORE_USERS, SLICE("b"), value, sizeof(value)), 1);
    assert_int_equal(value[0], '3');
    changes[1].value = slice_of(large, sizeof(large));
    assert_int_equal(control_commit_apply(commit, changes, 2), -EINVAL);
    assert_false(control_commit_failing(commit)); // that was control's fault, not the store's
}

static void test_end_writes_what_waits(void **state)
{
    (void)state;
    append(journals[0], 0, 7);
    control_commit_destroy(commit);
    commit = NULL;
    expect_stored("k07", 7);
    struct journal_record *record = journal_settled(journals[0]);
    assert_non_null(record);
    assert_int_equal(record->outcome, JOURNAL_WRITTEN);
    journal_free(journals[0], record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_are_settled_in_order_and_written, begin, end),
        cmocka_unit_test_setup_teardown(test_controls_own_changes_are_on_the_disk_or_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_end_writes_what_waits, begin, end),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
