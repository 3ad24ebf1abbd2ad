// Users as an operator gives them, as the store keeps them, and as workers find them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "control/users.h"
#include "user/record.h"

#define CONF                                                                                              \
    "[port p]\ndevice = d\n[listener l]\naddress = 192.0.2.1\nport = p\n[store]\npath = /p\nusers_max = " \
    "100\n"                                                                                               \
    "[domain one]\nnames = one.example, uno.example\n[domain two]\nnames = two.example\n"                 \
    "[auth a]\ndomain = two\nsource = 192.0.2.0/24\nrealm = second\n[auth b]\ndomain = two\nrealm = "     \
    "third\n[auth c]\ndomain = "                                                                          \
    "one\n"

struct scene {
    struct conf *conf;
    struct rte_rcu_qsbr *qsbr;
    struct store *store;
    struct journal_gate gate;
    struct journal *journal; // nobody writes to it
    struct control_users users;
};

static void open_scene(struct scene *s, uint32_t users)
{
    const struct hash_key key = {1, 2};

    memset(s, 0, sizeof(*s));
    s->conf = conf_parse(CONF, strlen(CONF), "t", stderr);
    assert_non_null(s->conf);
    s->qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(1));
    assert_non_null(s->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(s->qsbr, 1), 0);
    assert_int_equal(user_table_create(&s->users.table, users, &key, s->qsbr, &memory_system), 0);
    assert_int_equal(store_open_memory(&s->store), 0);
    assert_int_equal(journal_create(&s->journal, &s->gate, 16, MEMORY_ANY_NODE, &memory_system), 0);
    const struct control_commit_setup setup = {.store = s->store,
                                               .gate = &s->gate,
                                               .journals = &s->journal,
                                               .journals_n = 1,
                                               .path = "memory",
                                               .memory = &memory_system};
    assert_int_equal(control_commit_create(&s->users.commit, &setup), 0);
    s->users.conf = s->conf;
}

static void close_scene(struct scene *s)
{
    control_commit_destroy(s->users.commit);
    journal_destroy(s->journal);
    store_close(s->store);
    user_table_destroy(s->users.table);
    free(s->qsbr);
    conf_free(s->conf);
}

static const char *put(struct scene *s, const char *line)
{
    static char text[512];

    snprintf(text, sizeof(text), "%s", line);
    return control_users_put(&s->users, text, strlen(line));
}

static bool is_there(struct scene *s, const char *name, const char *realm)
{
    struct user user;

    return user_find(s->users.table, slice_text(name), slice_text(realm), &user);
}

static bool is_stored(struct scene *s, const char *key)
{
    uint8_t value[USER_RECORD_MAX];

    return store_get(s->store, STORE_USERS, slice_text(key), value, sizeof(value)) > 0;
}

static void test_user_is_put_into_store_and_table(void **state)
{
    uint8_t value[USER_RECORD_MAX];
    struct user found, stored;
    struct scene s;

    (void)state;
    open_scene(&s, 100);
    assert_null(put(&s, "alice,UNO.example,secret"));
    assert_true(user_find(s.users.table, SLICE("alice"), SLICE("one.example"), &found));
    int len = store_get(s.store, STORE_USERS, SLICE("alice@one.example"), value, sizeof(value));
    assert_true(len > 0);
    assert_true(user_record_read(slice_of((char *)value, (size_t)len), &stored));
    assert_int_equal(stored.has, (1u << CONF_DIGESTS) - 1);
    assert_memory_equal(stored.ha1, found.ha1, sizeof(found.ha1));
    assert_null(memmem(value, (size_t)len, "secret", 6));
    assert_null(put(&s, "bob,two.example,secret")); // the first [auth]'s realm
    assert_true(is_there(&s, "bob", "second") && is_stored(&s, "bob@second"));
    assert_null(put(&s, "bob,third,secret")); // a realm itself
    assert_true(is_there(&s, "bob", "third"));
    close_scene(&s);
}

static void test_password_is_wiped_from_the_line(void **state)
{
    char line[] = "alice,one.example,secret", bad[] = "alice,nowhere.example,secret";
    struct scene s;

    (void)state;
    open_scene(&s, 100);
    assert_null(control_users_put(&s.users, line, sizeof(line) - 1));
    assert_null(memmem(line, sizeof(line), "secret", 6));
    assert_non_null(control_users_put(&s.users, bad, sizeof(bad) - 1));
    assert_null(memmem(bad, sizeof(bad), "secret", 6));
    assert_false(is_stored(&s, "alice@nowhere.example"));
    close_scene(&s);
}

static void test_removed_user_is_gone_from_both(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 100);
    put(&s, "alice,one.example,secret");
    assert_null(control_users_remove(&s.users, SLICE("alice"), SLICE("uno.example")));
    assert_false(is_there(&s, "alice", "one.example") || is_stored(&s, "alice@one.example"));
    assert_non_null(control_users_remove(&s.users, SLICE("alice"), SLICE("one.example")));
    assert_non_null(control_users_remove(&s.users, SLICE("a b"), SLICE("one.example")));
    assert_non_null(control_users_remove(&s.users, SLICE("alice"), SLICE("a@b")));
    close_scene(&s);
}

static void test_full_table_refuses_before_the_store_has_it(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 1);
    assert_null(put(&s, "alice,one.example,secret"));
    assert_non_null(put(&s, "bob,one.example,secret"));
    assert_false(is_stored(&s, "bob@one.example"));
    assert_null(put(&s, "alice,one.example,other"));
    close_scene(&s);
}

static void test_users_are_stored_without_a_table(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 1);
    struct user_table *table = s.users.table;
    s.users.table = NULL;
    assert_null(put(&s, "alice,one.example,secret"));
    assert_true(is_stored(&s, "alice@one.example"));
    assert_null(control_users_remove(&s.users, SLICE("alice"), SLICE("one.example")));
    assert_false(is_stored(&s, "alice@one.example"));
    s.users.table = table;
    close_scene(&s);
}

// Runs an import to its end; what it says, for the caller to free.
static int import(struct scene *s, char *text, unsigned *done, char **said)
{
    struct control_users_import run;
    size_t len;
    FILE *errors = open_memstream(said, &len);
    int more = 1;

    assert_non_null(errors);
    if (!control_users_import_begin(&run, &s->users, text, strlen(text), "users.csv", errors))
        more = -1;
    while (more > 0)
        more = control_users_import_step(&run, errors);
    fclose(errors);
    *done = run.done;
    return more;
}

static void test_import_takes_a_whole_file(void **state)
{
    struct scene s;
    char *text = malloc(20000), *said;
    unsigned done;

    (void)state;
    assert_non_null(text);
    open_scene(&s, 300);
    size_t len = (size_t)sprintf(text, "# user,domain,password\r\n\r\n");
    for (unsigned i = 0; i < 3 * CONTROL_USERS_STEP + 5; i++)
        len += (size_t)sprintf(text + len, "u%u,one.example,p%u\n", i, i);
    strcpy(text + len, "last,two.example,md5:3d78807defe7de2157e2b0b6573a855f"); // without a line end
    assert_int_equal(import(&s, text, &done, &said), 0);
    assert_string_equal(said, "");
    assert_int_equal(done, 3 * CONTROL_USERS_STEP + 6);
    assert_true(is_there(&s, "u0", "one.example") && is_there(&s, "u196", "one.example"));
    assert_true(is_stored(&s, "u196@one.example") && is_stored(&s, "last@second"));
    assert_null(strstr(text, "p196"));
    free(said);
    free(text);
    close_scene(&s);
}

static void test_import_with_a_fault_changes_nothing(void **state)
{
    char text[] = "alice,one.example,secret\n"
                  "bob,one.example\n"
                  "\n"
                  "carol,three.example,secret\n"
                  "dora,one.example,md5:x\n";
    struct scene s;
    unsigned done;
    char *said;

    (void)state;
    open_scene(&s, 100);
    assert_int_equal(import(&s, text, &done, &said), -1);
    assert_string_equal(
        said, "users.csv:2: expected a password or hashes behind the domain\n"
              "users.csv:4: expected a name of a [domain], or the realm of an [auth]\n"
              "users.csv:5: expected 32 hexadecimal digits behind md5:, 64 behind sha256: and sha512-256:\n");
    assert_false(is_there(&s, "alice", "one.example") || is_stored(&s, "alice@one.example"));
    free(said);
    close_scene(&s);
}

static void test_start_loads_whom_the_store_has(void **state)
{
    const struct hash_key key = {3, 4};
    struct user_table *table;
    struct scene s;

    (void)state;
    open_scene(&s, 100);
    put(&s, "alice,one.example,secret");
    put(&s, "bob,one.example,secret");
    assert_int_equal(user_table_create(&table, 2, &key, s.qsbr, &memory_system), 0);
    assert_int_equal(control_users_load(s.store, table, stderr), 0);
    struct user_usage usage;
    user_usage(table, &usage);
    assert_int_equal(usage.users, 2);
    user_table_destroy(table);
    close_scene(&s);
}

static void test_store_that_cannot_be_read_says_so(void **state)
{
    static const struct {
        const char *key, *value;
        uint32_t max;
        int error;
        const char *said;
    } cases[] = {
        {"bob@one.example", "\1\4short", 100, -EPROTO, "user \"bob@one.example\" cannot be read"},
        {"bob@one.example", "\2\4................", 100, -EPROTO, "user \"bob@one.example\" cannot be read"},
        {"nobody", "\1\4................", 100, -EPROTO, "user \"nobody\" cannot be read"},
        {"bob@one.example", "\1\4................", 1, -ENOSPC, "raise it"},
    };
    const struct hash_key key = {3, 4};

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct store_change change = {STORE_USERS, slice_text(cases[i].key), slice_text(cases[i].value)};
        struct user_table *table;
        struct scene s;
        char *said = NULL;
        size_t len;
        FILE *errors = open_memstream(&said, &len);
        open_scene(&s, 100);
        put(&s, "alice,one.example,secret");
        assert_int_equal(store_apply(s.store, &change, 1, true), 0);
        assert_int_equal(user_table_create(&table, cases[i].max, &key, s.qsbr, &memory_system), 0);
        assert_int_equal(control_users_load(s.store, table, errors), cases[i].error);
        fclose(errors);
        assert_non_null(strstr(said, cases[i].said));
        free(said);
        user_table_destroy(table);
        close_scene(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user_is_put_into_store_and_table),
        cmocka_unit_test(test_password_is_wiped_from_the_line),
        cmocka_unit_test(test_removed_user_is_gone_from_both),
        cmocka_unit_test(test_full_table_refuses_before_the_store_has_it),
        cmocka_unit_test(test_users_are_stored_without_a_table),
        cmocka_unit_test(test_import_takes_a_whole_file),
        cmocka_unit_test(test_import_with_a_fault_changes_nothing),
        cmocka_unit_test(test_start_loads_whom_the_store_has),
        cmocka_unit_test(test_store_that_cannot_be_read_says_so),
    };
    return cmocka_run_group_tests_name("control users", tests, NULL, NULL);
}
