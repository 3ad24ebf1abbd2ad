// Users as workers find them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "user/user.h"

struct scene {
    struct user_table *table;
    struct rte_rcu_qsbr *qsbr;
    struct memory memory;
    unsigned pieces, fail; // fail: the n-th piece from now is not there; 0: all are
};

static void *take(void *owner, size_t bytes, int node)
{
    struct scene *s = owner;

    (void)node;
    if (s->fail > 0 && --s->fail == 0)
        return NULL;
    s->pieces++;
    void *at = aligned_alloc(128, (bytes + 127) / 128 * 128);
    assert_non_null(at);
    return memset(at, 0, bytes);
}

static void give(void *owner, void *at, size_t bytes)
{
    struct scene *s = owner;

    (void)bytes;
    s->pieces -= at != NULL;
    free(at);
}

static void open_scene(struct scene *s, uint32_t users)
{
    const struct hash_key key = {1, 2};

    *s = (struct scene){.qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(2)), .memory = {take, give, s}};
    assert_non_null(s->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(s->qsbr, 2), 0);
    assert_int_equal(rte_rcu_qsbr_thread_register(s->qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(s->qsbr, 0);
    assert_int_equal(user_table_create(&s->table, users, &key, s->qsbr, &s->memory), 0);
}

static void close_scene(struct scene *s)
{
    user_table_destroy(s->table);
    assert_int_equal(s->pieces, 0);
    free(s->qsbr);
}

static struct user user_of(unsigned number)
{
    struct user user = {.has = 1u << CONF_DIGEST_MD5};

    memcpy(user.ha1[CONF_DIGEST_MD5], &number, sizeof(number));
    memcpy(user.ha1[CONF_DIGEST_MD5] + 8, &number, sizeof(number));
    return user;
}

static int put(struct scene *s, const char *name, const char *realm, unsigned number)
{
    struct user user = user_of(number);

    return user_put(s->table, slice_text(name), slice_text(realm), &user);
}

// The number that was put; -1: nobody.
static int found(struct scene *s, const char *name, const char *realm)
{
    struct user user;
    int number;

    if (!user_find(s->table, slice_text(name), slice_text(realm), &user))
        return -1;
    memcpy(&number, user.ha1[CONF_DIGEST_MD5], sizeof(number));
    assert_int_equal(user.has, 1u << CONF_DIGEST_MD5);
    return number;
}

static uint64_t users(const struct scene *s)
{
    struct user_usage usage;

    user_usage(s->table, &usage);
    return usage.users;
}

static void test_user_is_found_by_name_and_realm(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 10);
    assert_int_equal(put(&s, "alice", "a.example", 1), 0);
    assert_int_equal(put(&s, "alice", "b.example", 2), 0);
    assert_int_equal(put(&s, "ali", "cea.example", 3), 0);
    assert_int_equal(found(&s, "alice", "a.example"), 1);
    assert_int_equal(found(&s, "alice", "b.example"), 2);
    assert_int_equal(found(&s, "ali", "cea.example"), 3);
    assert_int_equal(found(&s, "Alice", "a.example"), -1); // RFC 3261 19.1.4: the user part has its case
    assert_int_equal(found(&s, "alice", ""), -1);
    assert_int_equal(found(&s, "", ""), -1);
    assert_int_equal(users(&s), 3);
    close_scene(&s);
}

static void test_put_again_replaces_and_remove_removes(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 10);
    put(&s, "alice", "r", 1);
    assert_int_equal(put(&s, "alice", "r", 2), 0);
    assert_int_equal(found(&s, "alice", "r"), 2);
    assert_int_equal(users(&s), 1);
    assert_true(user_remove(s.table, SLICE("alice"), SLICE("r")));
    assert_false(user_remove(s.table, SLICE("alice"), SLICE("r")));
    assert_int_equal(found(&s, "alice", "r"), -1);
    assert_int_equal(users(&s), 0);
    close_scene(&s);
}

static void test_bound_holds_and_what_goes_makes_room(void **state)
{
    struct scene s;
    char name[16];

    (void)state;
    open_scene(&s, 50);
    for (unsigned i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "u%u", i);
        assert_int_equal(put(&s, name, "r", i), 0);
    }
    assert_int_equal(put(&s, "one-more", "r", 0), -ENOSPC);
    assert_int_equal(put(&s, "u7", "r", 700), 0); // whoever is there may change
    assert_int_equal(found(&s, "u7", "r"), 700);
    assert_true(user_remove(s.table, SLICE("u8"), SLICE("r")));
    assert_int_equal(put(&s, "one-more", "r", 1000), 0);
    assert_int_equal(found(&s, "one-more", "r"), 1000);
    close_scene(&s);
}

// What was replaced is nobody else's before every reader has passed a quiescent state.
static void test_replaced_entries_wait_for_readers(void **state)
{
    struct scene s;
    unsigned n = 0;

    (void)state;
    open_scene(&s, 8);
    put(&s, "alice", "r", 0);
    while (put(&s, "alice", "r", ++n) == 0)
        assert_true(n < 10000);
    assert_int_equal(put(&s, "alice", "r", n), -EAGAIN);
    assert_int_equal(found(&s, "alice", "r"), (int)n - 1);
    rte_rcu_qsbr_quiescent(s.qsbr, 0);
    assert_int_equal(put(&s, "alice", "r", n), 0);
    assert_int_equal(found(&s, "alice", "r"), (int)n);
    close_scene(&s);
}

static void test_names_that_can_be_none_are_refused(void **state)
{
    static const char *const bad[] = {"", "a b", "a\"b", "a\\b", "a:b", "a,b", "a\tb", "a\x7f"};
    char longest[USER_NAME_MAX + 2];
    struct scene s;

    (void)state;
    open_scene(&s, 8);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(put(&s, bad[i], "r", 1), -EINVAL);
        assert_false(user_remove(s.table, slice_text(bad[i]), SLICE("r")));
    }
    assert_int_equal(put(&s, "a", "", 1), -EINVAL);
    assert_int_equal(put(&s, "a", "r\"", 1), -EINVAL);
    assert_int_equal(put(&s, "\xc3\xa4@x", "[2001:db8::1]", 5), 0);
    assert_int_equal(found(&s, "\xc3\xa4@x", "[2001:db8::1]"), 5);
    memset(longest, 'x', sizeof(longest));
    longest[USER_NAME_MAX + 1] = 0;
    assert_int_equal(put(&s, longest, "r", 1), -EINVAL);
    longest[USER_NAME_MAX] = 0;
    assert_int_equal(put(&s, longest, "r", 6), 0);
    assert_int_equal(found(&s, longest, "r"), 6);
    longest[USER_NAME_MAX] = 'x'; // begins like somebody
    assert_int_equal(found(&s, longest, "r"), -1);
    close_scene(&s);
}

// The same reads as for somebody who is there, and nothing of him is believed.
static void test_unknown_user_is_filled_in_and_refused(void **state)
{
    struct user user;
    struct scene s;
    char name[16];
    unsigned others = 0;

    (void)state;
    open_scene(&s, 100);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "u%u", i);
        put(&s, name, "r", i + 1);
    }
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "v%u", i);
        assert_false(user_find(s.table, slice_text(name), SLICE("r"), &user));
        others += user.has != 0;
    }
    assert_true(others > 90); // some may meet the entry that is nobody's
    assert_false(user_find(NULL, SLICE("a"), SLICE("b"), &user));
    assert_int_equal(user.has, 0);
    close_scene(&s);
}

// As many as there may be come and go at random, beside a plain array that says what must be there.
static void test_random_changes_are_as_a_model_has_them(void **state)
{
    enum { USERS = 400, NAMES = 600 };
    int model[NAMES];
    uint64_t random = 0x5eed;
    unsigned n = 0, full = 0;
    struct scene s;
    char name[16];

    (void)state;
    open_scene(&s, USERS);
    for (unsigned i = 0; i < NAMES; i++)
        model[i] = -1;
    for (unsigned round = 0; round < 60000; round++) {
        unsigned which = (unsigned)(random_next(&random) % NAMES);
        snprintf(name, sizeof(name), "n%u", which);
        if (random_next(&random) % 3 != 0) {
            int error = put(&s, name, "r", round);
            assert_int_equal(error, model[which] < 0 && n == USERS ? -ENOSPC : 0);
            full += error != 0;
            n += error == 0 && model[which] < 0;
            model[which] = error == 0 ? (int)round : model[which];
        } else {
            assert_int_equal(user_remove(s.table, slice_text(name), SLICE("r")), model[which] >= 0);
            n -= model[which] >= 0;
            model[which] = -1;
        }
        rte_rcu_qsbr_quiescent(s.qsbr, 0);
        which = (unsigned)(random_next(&random) % NAMES);
        snprintf(name, sizeof(name), "n%u", which);
        assert_int_equal(found(&s, name, "r"), model[which]);
    }
    assert_int_equal(users(&s), n);
    assert_true(full > 100);
    close_scene(&s);
}

struct readers {
    struct scene *scene;
    atomic_bool stop;
    atomic_uint reads, wrong;
};

// "stays" is always there, with both halves of the same number; "goes" comes and goes.
static void *read_on(void *argument)
{
    struct readers *readers = argument;
    struct scene *s = readers->scene;
    struct user user;

    while (!atomic_load(&readers->stop)) {
        bool stays = user_find(s->table, SLICE("stays"), SLICE("r"), &user);
        bool whole = memcmp(user.ha1[CONF_DIGEST_MD5], user.ha1[CONF_DIGEST_MD5] + 8, 4) == 0;
        atomic_fetch_add(&readers->wrong, !stays || !whole);
        if (user_find(s->table, SLICE("goes"), SLICE("r"), &user))
            atomic_fetch_add(&readers->wrong, memcmp(user.ha1[CONF_DIGEST_MD5], "\7\7\7\7", 4) != 0);
        atomic_fetch_add(&readers->reads, 1);
        rte_rcu_qsbr_quiescent(s->qsbr, 1);
    }
    rte_rcu_qsbr_thread_offline(s->qsbr, 1);
    return NULL;
}

static void test_reader_beside_the_writer_sees_whole_users(void **state)
{
    struct scene s;
    struct readers readers = {.scene = &s};
    pthread_t thread;
    char name[16];

    (void)state;
    open_scene(&s, 16);
    put(&s, "stays", "r", 1);
    assert_int_equal(rte_rcu_qsbr_thread_register(s.qsbr, 1), 0);
    rte_rcu_qsbr_thread_online(s.qsbr, 1);
    assert_int_equal(pthread_create(&thread, NULL, read_on, &readers), 0);
    for (unsigned i = 0; i < 100000 || atomic_load(&readers.reads) < 1000; i++) {
        rte_rcu_qsbr_quiescent(s.qsbr, 0);
        put(&s, "stays", "r", i); // -EAGAIN where the reader is slow: then it stays as it was
        put(&s, "goes", "r", 0x07070707);
        user_remove(s.table, SLICE("goes"), SLICE("r"));
        snprintf(name, sizeof(name), "x%u", i % 14);
        put(&s, name, "r", i);
        user_remove(s.table, slice_text(name), SLICE("r"));
    }
    atomic_store(&readers.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&readers.wrong), 0);
    close_scene(&s);
}

static void test_table_is_made_whole_or_not_at_all(void **state)
{
    const struct hash_key key = {1, 2};
    struct user_table *table = NULL;
    struct scene s;

    (void)state;
    open_scene(&s, 8);
    unsigned before = s.pieces;
    for (unsigned fail = 1; fail <= 3; fail++) {
        s.fail = fail;
        assert_int_equal(user_table_create(&table, 8, &key, s.qsbr, &s.memory), -ENOMEM);
        assert_int_equal(s.pieces, before);
    }
    assert_int_equal(user_table_create(&table, 0, &key, s.qsbr, &s.memory), -EINVAL);
    assert_int_equal(user_table_create(&table, USER_USERS_MAX + 1, &key, s.qsbr, &s.memory), -EINVAL);
    user_table_destroy(NULL);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user_is_found_by_name_and_realm),
        cmocka_unit_test(test_put_again_replaces_and_remove_removes),
        cmocka_unit_test(test_bound_holds_and_what_goes_makes_room),
        cmocka_unit_test(test_replaced_entries_wait_for_readers),
        cmocka_unit_test(test_names_that_can_be_none_are_refused),
        cmocka_unit_test(test_unknown_user_is_filled_in_and_refused),
        cmocka_unit_test(test_random_changes_are_as_a_model_has_them),
        cmocka_unit_test(test_reader_beside_the_writer_sees_whole_users),
        cmocka_unit_test(test_table_is_made_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("user table", tests, NULL, NULL);
}
