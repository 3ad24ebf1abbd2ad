// Entries that come and go beside readers: who is found, what waits, what is promised before it is published.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "worker/directory.h"

struct value {
    uint32_t number, again;
};

struct scene {
    struct directory *directory;
    struct rte_rcu_qsbr *qsbr;
    struct memory memory;
    unsigned pieces, fail; // fail: the n-th piece from now is not there; 0: all are
    uint64_t gone;         // sum of the numbers of what no reader has any more
};

static void *take(void *owner, size_t bytes, int node)
{
    struct scene *s = owner;

    (void)node;
    if (s->fail > 0 && --s->fail == 0)
        return NULL;
    s->pieces++;
    void *at = aligned_alloc(64, (bytes + 63) / 64 * 64);
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

static void gone(void *owner, const void *entry)
{
    ((struct scene *)owner)->gone += ((const struct value *)entry)->number;
}

static struct directory_setup setup_of(struct scene *s, uint32_t entries)
{
    return (struct directory_setup){.entries = entries,
                                    .bytes = sizeof(struct value),
                                    .qsbr = s->qsbr,
                                    .memory = &s->memory,
                                    .gone = gone,
                                    .owner = s};
}

static void open_scene(struct scene *s, uint32_t entries)
{
    *s = (struct scene){.qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(2)), .memory = {take, give, s}};
    assert_non_null(s->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(s->qsbr, 2), 0);
    assert_int_equal(rte_rcu_qsbr_thread_register(s->qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(s->qsbr, 0);
    const struct directory_setup setup = setup_of(s, entries);
    assert_int_equal(directory_create(&s->directory, &setup), 0);
}

static void close_scene(struct scene *s)
{
    directory_destroy(s->directory);
    assert_int_equal(s->pieces, 0);
    free(s->qsbr);
}

// As a keyed hash would spread them.
static struct hash128 key_of(uint32_t name)
{
    static const struct hash_key key = {1, 2};

    return hash_sip13(&key, &name, sizeof(name));
}

static int put(struct scene *s, uint32_t name, uint32_t number)
{
    const struct value value = {number, number};

    return directory_put(s->directory, key_of(name), &value);
}

// -1: it is not there.
static int found(struct scene *s, uint32_t name)
{
    const struct value *value = directory_find(s->directory, key_of(name));

    if (value != NULL)
        assert_int_equal(value->number, value->again);
    return value != NULL ? (int)value->number : -1;
}

static void test_put_again_replaces_and_remove_removes(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 10);
    assert_int_equal(found(&s, 1), -1);
    assert_int_equal(put(&s, 1, 10), 0);
    assert_int_equal(put(&s, 2, 20), 0);
    assert_int_equal(put(&s, 1, 11), 0);
    assert_int_equal(found(&s, 1), 11);
    assert_int_equal(found(&s, 2), 20);
    assert_int_equal(directory_count(s.directory), 2);
    assert_true(directory_remove(s.directory, key_of(1)));
    assert_false(directory_remove(s.directory, key_of(1)));
    assert_int_equal(found(&s, 1), -1);
    assert_int_equal(directory_count(s.directory), 1);
    close_scene(&s);
}

static void test_bound_holds_and_what_goes_makes_room(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 50);
    assert_int_equal(directory_max(s.directory), 50);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(put(&s, i, i), 0);
    assert_int_equal(put(&s, 50, 0), -ENOSPC);
    assert_int_equal(put(&s, 7, 700), 0); // whoever is there may change
    assert_int_equal(found(&s, 7), 700);
    assert_true(directory_remove(s.directory, key_of(8)));
    assert_int_equal(put(&s, 50, 1000), 0);
    assert_int_equal(found(&s, 50), 1000);
    close_scene(&s);
}

// What was replaced is nobody else's before every reader has passed a quiescent state, and then told to be gone, once.
static void test_replaced_entries_wait_for_readers(void **state)
{
    struct scene s;
    uint32_t n = 0;

    (void)state;
    open_scene(&s, 8);
    put(&s, 1, 0);
    while (put(&s, 1, ++n) == 0)
        assert_true(n < 10000);
    assert_int_equal(put(&s, 1, n), -EAGAIN);
    assert_int_equal(put(&s, 2, n), -EAGAIN);
    assert_int_equal(found(&s, 1), (int)n - 1);
    assert_int_equal(s.gone, 0);
    rte_rcu_qsbr_quiescent(s.qsbr, 0);
    assert_int_equal(put(&s, 1, n), 0);
    assert_int_equal(found(&s, 1), (int)n);
    assert_int_equal(s.gone, (uint64_t)(n - 1) * (n - 2) / 2); // 0 to n - 2
    close_scene(&s);
}

static void test_draft_is_found_when_it_is_published(void **state)
{
    struct scene s;
    int error;

    (void)state;
    open_scene(&s, 2);
    put(&s, 1, 10);
    struct value *draft = directory_draft(s.directory, key_of(2), &error);
    assert_non_null(draft);
    assert_int_equal(error, 0);
    *draft = (struct value){20, 20};
    assert_int_equal(found(&s, 2), -1);
    assert_int_equal(put(&s, 3, 30), -ENOSPC); // its room is promised
    directory_publish(s.directory, draft);
    assert_int_equal(found(&s, 2), 20);
    draft = directory_draft(s.directory, key_of(1), &error); // of one that is there: no more of them
    assert_non_null(draft);
    *draft = (struct value){11, 11};
    assert_int_equal(found(&s, 1), 10);
    directory_publish(s.directory, draft);
    assert_int_equal(found(&s, 1), 11);
    assert_int_equal(directory_count(s.directory), 2);
    close_scene(&s);
}

static void test_discarded_draft_leaves_nothing(void **state)
{
    struct scene s;
    int error;

    (void)state;
    open_scene(&s, 1);
    for (unsigned i = 0; i < 5000; i++) {
        void *draft = directory_draft(s.directory, key_of(i), &error);
        assert_non_null(draft);
        directory_discard(s.directory, draft);
    }
    assert_int_equal(directory_count(s.directory), 0);
    assert_int_equal(put(&s, 1, 10), 0);
    void *draft = directory_draft(s.directory, key_of(1), &error);
    assert_non_null(draft);
    directory_discard(s.directory, draft);
    assert_int_equal(found(&s, 1), 10);
    assert_int_equal(directory_count(s.directory), 1);
    close_scene(&s);
}

// An import may say the same twice before either is published.
static void test_two_drafts_of_one_key_count_once(void **state)
{
    struct scene s;
    int error;

    (void)state;
    open_scene(&s, 4);
    struct value *first = directory_draft(s.directory, key_of(1), &error);
    struct value *second = directory_draft(s.directory, key_of(1), &error);
    assert_true(first != NULL && second != NULL);
    *first = (struct value){10, 10};
    *second = (struct value){11, 11};
    directory_publish(s.directory, first);
    directory_publish(s.directory, second);
    assert_int_equal(found(&s, 1), 11);
    assert_int_equal(directory_count(s.directory), 1);
    close_scene(&s);
}

static void test_walk_meets_every_entry_once(void **state)
{
    enum { N = 300 };
    const struct value *value;
    uint64_t position = 0, sum = 0;
    unsigned met = 0;
    struct scene s;

    (void)state;
    open_scene(&s, N);
    for (uint32_t i = 0; i < N; i++)
        put(&s, i, i);
    while ((value = directory_next(s.directory, &position)) != NULL) {
        sum += value->number;
        met++;
    }
    assert_int_equal(met, N);
    assert_int_equal(sum, (uint64_t)N * (N - 1) / 2);
    assert_null(directory_next(s.directory, &position));
    close_scene(&s);
}

static void test_decoy_is_the_same_for_the_same_key(void **state)
{
    unsigned others = 0;
    struct scene s;

    (void)state;
    open_scene(&s, 100);
    assert_int_equal(((const struct value *)directory_decoy(s.directory, key_of(1)))->number, 0);
    for (uint32_t i = 0; i < 100; i++)
        put(&s, i, i + 1);
    for (uint32_t i = 1000; i < 1100; i++) {
        assert_ptr_equal(directory_decoy(s.directory, key_of(i)), directory_decoy(s.directory, key_of(i)));
        others += directory_decoy(s.directory, key_of(i)) != directory_decoy(s.directory, key_of(i + 1));
    }
    assert_true(others > 90);
    close_scene(&s);
}

// As many as there may be come and go at random, beside a plain array that says what must be there.
static void test_random_changes_are_as_a_model_has_them(void **state)
{
    enum { ENTRIES = 400, NAMES = 600 };
    uint64_t random = 0x5eed;
    unsigned n = 0, full = 0;
    int model[NAMES];
    struct scene s;

    (void)state;
    open_scene(&s, ENTRIES);
    for (unsigned i = 0; i < NAMES; i++)
        model[i] = -1;
    for (unsigned round = 0; round < 60000; round++) {
        unsigned which = (unsigned)(random_next(&random) % NAMES);
        if (random_next(&random) % 3 != 0) {
            int error = put(&s, which, round);
            assert_int_equal(error, model[which] < 0 && n == ENTRIES ? -ENOSPC : 0);
            full += error != 0;
            n += error == 0 && model[which] < 0;
            model[which] = error == 0 ? (int)round : model[which];
        } else {
            assert_int_equal(directory_remove(s.directory, key_of(which)), model[which] >= 0);
            n -= model[which] >= 0;
            model[which] = -1;
        }
        which = (unsigned)(random_next(&random) % NAMES);
        assert_int_equal(found(&s, which), model[which]);
        rte_rcu_qsbr_quiescent(s.qsbr, 0);
    }
    assert_int_equal(directory_count(s.directory), n);
    assert_true(full > 100);
    close_scene(&s);
}

#define STAYS 20

struct reader {
    struct scene *scene;
    atomic_bool stop;
    atomic_ulong looks;
    bool torn, missed;
};

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    struct rte_rcu_qsbr *qsbr = reader->scene->qsbr;

    rte_rcu_qsbr_thread_register(qsbr, 1);
    rte_rcu_qsbr_thread_online(qsbr, 1);
    while (!atomic_load(&reader->stop)) {
        for (uint32_t i = 0; i < STAYS; i++) {
            const struct value *value = directory_find(reader->scene->directory, key_of(i));
            reader->missed |= value == NULL;
            reader->torn |= value != NULL && value->number != value->again;
        }
        rte_rcu_qsbr_quiescent(qsbr, 1);
        atomic_fetch_add(&reader->looks, 1);
    }
    rte_rcu_qsbr_thread_offline(qsbr, 1);
    rte_rcu_qsbr_thread_unregister(qsbr, 1);
    return NULL;
}

static void test_reader_beside_the_writer_sees_whole_entries(void **state)
{
    struct reader reader = {0};
    uint64_t random = 0x5eed;
    pthread_t thread;
    struct scene s;

    (void)state;
    open_scene(&s, 64);
    reader.scene = &s;
    for (uint32_t i = 0; i < STAYS; i++)
        assert_int_equal(put(&s, i, i), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    for (uint32_t round = 0; round < 20000 || atomic_load(&reader.looks) < 100; round++) {
        uint32_t which = (uint32_t)(random_next(&random) % (3 * STAYS));
        if (which < 2 * STAYS)
            (void)put(&s, which % STAYS, round); // may have to wait for the reader
        else if (!directory_remove(s.directory, key_of(which)))
            (void)put(&s, which, round);
        rte_rcu_qsbr_quiescent(s.qsbr, 0);
    }
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    assert_false(reader.missed);
    assert_false(reader.torn);
    close_scene(&s);
}

static void test_directory_is_made_whole_or_not_at_all(void **state)
{
    struct directory *directory;
    struct scene s;

    (void)state;
    open_scene(&s, 10);
    unsigned before = s.pieces;
    struct directory_setup setup = setup_of(&s, 10);
    for (unsigned i = 1; i <= 3; i++) {
        s.fail = i;
        assert_int_equal(directory_create(&directory, &setup), -ENOMEM);
        assert_int_equal(s.pieces, before);
    }
    setup.entries = 0;
    assert_int_equal(directory_create(&directory, &setup), -EINVAL);
    setup.entries = DIRECTORY_ENTRIES_MAX + 1;
    assert_int_equal(directory_create(&directory, &setup), -EINVAL);
    directory_destroy(NULL);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_again_replaces_and_remove_removes),
        cmocka_unit_test(test_bound_holds_and_what_goes_makes_room),
        cmocka_unit_test(test_replaced_entries_wait_for_readers),
        cmocka_unit_test(test_draft_is_found_when_it_is_published),
        cmocka_unit_test(test_discarded_draft_leaves_nothing),
        cmocka_unit_test(test_two_drafts_of_one_key_count_once),
        cmocka_unit_test(test_walk_meets_every_entry_once),
        cmocka_unit_test(test_decoy_is_the_same_for_the_same_key),
        cmocka_unit_test(test_random_changes_are_as_a_model_has_them),
        cmocka_unit_test(test_reader_beside_the_writer_sees_whole_entries),
        cmocka_unit_test(test_directory_is_made_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("worker directory", tests, NULL, NULL);
}
