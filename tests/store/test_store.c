// What a store keeps, of either kind; and what the one on disk refuses.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
// behind those that it needs
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

#define SIZE_MAX_BYTES (64u << 20)

static char path[64], data[96];
static char *said;
static size_t said_len;

// Opens the one on disk; what it said is in `said`.
static int open_disk(struct store **store)
{
    struct store_setup setup = {.path = path, .size_max = SIZE_MAX_BYTES};

    free(said);
    said = NULL;
    FILE *errors = open_memstream(&said, &said_len);
    assert_non_null(errors);
    int error = store_open(store, &setup, errors);
    fclose(errors);
    return error;
}

static int begin(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/strowger-store-XXXXXX");
    assert_non_null(mkdtemp(path));
    snprintf(data, sizeof(data), "%s/data.mdb", path);
    return 0;
}

static int end(void **state)
{
    char name[128];
    static const char *const files[] = {"data.mdb", "lock.mdb", "strowger.lock"};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s/%s", path, files[i]);
        unlink(name);
    }
    rmdir(path);
    free(said);
    said = NULL;
    return 0;
}

static struct store_change put(enum store_kind kind, const char *key, const char *value)
{
    return (struct store_change){kind, slice_text(key), slice_text(value)};
}

static struct store_change drop(enum store_kind kind, const char *key)
{
    return (struct store_change){kind, slice_text(key), {NULL, 0}};
}

// "key=value " for each.
static bool list(void *owner, struct slice key, struct slice value)
{
    char *text = owner;

    sprintf(text + strlen(text), "%.*s=%.*s ", SLICE_PRINT(key), SLICE_PRINT(value));
    return true;
}

static void expect(struct store *store, enum store_kind kind, const char *after, const char *wanted)
{
    char text[4096] = "";

    assert_int_equal(store_each_after(store, kind, slice_text(after), list, text), 0);
    assert_string_equal(text, wanted);
}

static void check_changes(struct store *store)
{
    const struct store_change first[] = {put(STORE_BINDINGS, "b", "2"), put(STORE_BINDINGS, "a", "1"),
                                         put(STORE_USERS, "a", "user"), put(STORE_BINDINGS, "c", "")};
    const struct store_change second[] = {put(STORE_BINDINGS, "b", "3"), drop(STORE_BINDINGS, "b"),
                                          put(STORE_BINDINGS, "b", "4"), drop(STORE_BINDINGS, "never"),
                                          put(STORE_BINDINGS, "a", "5"), drop(STORE_BINDINGS, "a")};
    struct store_usage usage;
    char value[8];

    assert_int_equal(store_apply(store, first, 4, true), 0);
    expect(store, STORE_BINDINGS, "", "a=1 b=2 c= ");
    expect(store, STORE_USERS, "", "a=user ");
    expect(store, STORE_BINDINGS, "a", "b=2 c= ");
    expect(store, STORE_BINDINGS, "aa", "b=2 c= ");
    expect(store, STORE_BINDINGS, "c", "");
    assert_int_equal(store_apply(store, second, 6, false), 0);
    expect(store, STORE_BINDINGS, "", "b=4 c= ");
    assert_int_equal(store_get(store, STORE_BINDINGS, SLICE("b"), value, sizeof(value)), 1);
    assert_memory_equal(value, "4", 1);
    assert_int_equal(store_get(store, STORE_BINDINGS, SLICE("a"), value, sizeof(value)), 0);
    assert_int_equal(store_get(store, STORE_USERS, SLICE("a"), value, 2), 4);
    assert_memory_equal(value, "us", 2);
    assert_int_equal(store_usage(store, &usage), 0);
    assert_int_equal(usage.keys[STORE_BINDINGS], 2);
    assert_int_equal(usage.keys[STORE_USERS], 1);
}

static void test_changes_are_seen_in_their_order(void **state)
{
    struct store *store;

    (void)state;
    assert_int_equal(store_open_memory(&store), 0);
    check_changes(store);
    store_close(store);
    assert_int_equal(open_disk(&store), 0);
    check_changes(store);
    store_close(store);
}

static void test_what_was_applied_outlives_the_process(void **state)
{
    struct store *store;

    (void)state;
    assert_int_equal(open_disk(&store), 0);
    check_changes(store);
    store_close(store);
    assert_int_equal(open_disk(&store), 0);
    expect(store, STORE_BINDINGS, "", "b=4 c= ");
    expect(store, STORE_USERS, "", "a=user ");
    store_close(store);
}

static void test_too_long_is_refused_and_nothing_of_it_is_written(void **state)
{
    static char key[STORE_KEY_MAX + 1], value[STORE_VALUE_MAX + 1];
    struct store *store;

    (void)state;
    memset(key, 'k', sizeof(key));
    memset(value, 'v', sizeof(value));
    assert_int_equal(open_disk(&store), 0);
    struct store_change changes[] = {put(STORE_BINDINGS, "a", "1"),
                                     {STORE_BINDINGS, slice_of(key, sizeof(key)), SLICE("2")}};
    assert_int_equal(store_apply(store, changes, 2, true), -EINVAL);
    changes[1].key.len = STORE_KEY_MAX;
    changes[1].value = slice_of(value, sizeof(value));
    assert_int_equal(store_apply(store, changes, 2, true), -EINVAL);
    expect(store, STORE_BINDINGS, "", "");
    changes[1].value.len = STORE_VALUE_MAX;
    assert_int_equal(store_apply(store, changes, 2, true), 0);
    assert_int_equal(store_get(store, STORE_BINDINGS, changes[1].key, value, sizeof(value)), STORE_VALUE_MAX);
    store_close(store);
}

static void test_full_store_takes_nothing_and_goes_on(void **state)
{
    static char value[STORE_VALUE_MAX];
    struct store *store;
    char key[16];
    int error = 0;
    unsigned n = 0;

    (void)state;
    assert_int_equal(open_disk(&store), 0);
    for (; error == 0 && n < 2000; n++) {
        snprintf(key, sizeof(key), "%u", n);
        struct store_change change = {STORE_BINDINGS, slice_text(key), slice_of(value, sizeof(value))};
        error = store_apply(store, &change, 1, false);
    }
    assert_int_equal(error, -ENOSPC);
    assert_true(n > 500);
    struct store_change gone[] = {drop(STORE_BINDINGS, "1"), drop(STORE_BINDINGS, "2"),
                                  drop(STORE_BINDINGS, "3")};
    assert_int_equal(store_apply(store, gone, 3, true), 0);
    expect(store, STORE_USERS, "", "");
    struct store_change user = put(STORE_USERS, "u", "1");
    assert_int_equal(store_apply(store, &user, 1, true), 0);
    assert_int_equal(store_apply(store, &user, 1, true), 0);
    expect(store, STORE_USERS, "", "u=1 ");
    store_close(store);
}

static void test_second_process_is_refused(void **state)
{
    struct store *store, *second;

    (void)state;
    assert_int_equal(open_disk(&store), 0);
    assert_int_equal(open_disk(&second), -EBUSY);
    assert_non_null(strstr(said, "another process has the store"));
    store_close(store);
    assert_int_equal(open_disk(&store), 0);
    store_close(store);
}

static void write_file(const char *bytes, size_t len)
{
    int fd = open(data, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

// All of the file, and how long it is.
static char *read_file(size_t *len)
{
    struct stat status;
    int fd = open(data, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    char *bytes = malloc((size_t)status.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)status.st_size), status.st_size);
    close(fd);
    *len = (size_t)status.st_size;
    return bytes;
}

// It does not open, says so with `wanted`, and leaves every byte.
static void expect_refusal(const char *wanted)
{
    struct store *store;
    size_t before_len, after_len;
    char *before = read_file(&before_len);

    assert_int_equal(open_disk(&store), -EPROTO);
    assert_non_null(strstr(said, wanted));
    char *after = read_file(&after_len);
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, before_len);
    free(before);
    free(after);
}

static void test_foreign_file_is_refused_and_left(void **state)
{
    static char bytes[65536];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    write_file(bytes, sizeof(bytes));
    expect_refusal("not a store of strowger's");
    write_file("#!/bin/sh\n", 10);
    expect_refusal("not a store of strowger's");
}

// An LMDB file with one named database, and `format` in it where that is not 0.
static void make_lmdb(const char *name, uint32_t format)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {6, (void *)(uintptr_t) "format"}, value = {sizeof(format), &format};

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, name, MDB_CREATE, &dbi), 0);
    if (format != 0)
        assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void test_database_of_another_program_is_refused_and_left(void **state)
{
    (void)state;
    make_lmdb("somebody", 0);
    expect_refusal("not a store of strowger's");
}

static void test_newer_format_is_refused_and_left(void **state)
{
    (void)state;
    make_lmdb("strowger", 2);
    expect_refusal("newer strowger");
}

static void test_file_cut_off_is_refused_and_left(void **state)
{
    static char value[STORE_VALUE_MAX];
    struct store *store;

    (void)state;
    assert_int_equal(open_disk(&store), 0);
    struct store_change change = {STORE_BINDINGS, SLICE("k"), slice_of(value, sizeof(value))};
    assert_int_equal(store_apply(store, &change, 1, true), 0);
    store_close(store);
    assert_int_equal(truncate(data, 40960), 0);
    expect_refusal("damaged");
}

static bool note_key(void *owner, struct slice key, struct slice value)
{
    if (value.at == NULL)
        sprintf(owner, "%.*s", SLICE_PRINT(key));
    return true;
}

static void test_changed_value_is_told_by_its_key(void **state)
{
    struct store *store;
    char key[16] = "", value[64];
    size_t len;

    (void)state;
    assert_int_equal(open_disk(&store), 0);
    struct store_change changes[] = {put(STORE_BINDINGS, "a", "sound"),
                                     put(STORE_BINDINGS, "b", "unmistakable")};
    assert_int_equal(store_apply(store, changes, 2, true), 0);
    store_close(store);
    char *bytes = read_file(&len);
    unsigned hits = 0;
    for (char *at = bytes; (at = memmem(at, len - (size_t)(at - bytes), "unmistakable", 12)) != NULL; hits++)
        *at = 'U';
    assert_true(hits > 0);
    write_file(bytes, len);
    free(bytes);
    assert_int_equal(open_disk(&store), 0);
    assert_int_equal(store_each(store, STORE_BINDINGS, note_key, key), -EPROTO);
    assert_string_equal(key, "b");
    assert_int_equal(store_get(store, STORE_BINDINGS, SLICE("b"), value, sizeof(value)), -EPROTO);
    assert_int_equal(store_get(store, STORE_BINDINGS, SLICE("a"), value, sizeof(value)), 5);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes_are_seen_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(test_what_was_applied_outlives_the_process, begin, end),
        cmocka_unit_test_setup_teardown(test_too_long_is_refused_and_nothing_of_it_is_written, begin, end),
        cmocka_unit_test_setup_teardown(test_full_store_takes_nothing_and_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(test_second_process_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_foreign_file_is_refused_and_left, begin, end),
        cmocka_unit_test_setup_teardown(test_database_of_another_program_is_refused_and_left, begin, end),
        cmocka_unit_test_setup_teardown(test_newer_format_is_refused_and_left, begin, end),
        cmocka_unit_test_setup_teardown(test_file_cut_off_is_refused_and_left, begin, end),
        cmocka_unit_test_setup_teardown(test_changed_value_is_told_by_its_key, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
