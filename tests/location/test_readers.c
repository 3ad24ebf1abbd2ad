// Readers in a second thread while the owner replaces, removes, adds, expires and compacts.
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "fixture.h"

enum { AORS = 600, STEADY = 200, TEXT_MAX = 2000, MILLISECONDS = 1500 };

struct reader {
    struct fixture *f;
    bool stop;             // set by the writer
    uint64_t found;        // sets read whole
    uint64_t missed;       // steady addresses that were not found: must stay 0
    uint64_t inconsistent; // sets that contradict themselves: must stay 0
};

// A text of pseudo-random length whose every byte follows from its seed; the seed is in the binding too.
static struct slice write_text(char *text, uint32_t seed)
{
    uint64_t state = seed;
    uint32_t len = (uint32_t)(random_next(&state) % (seed % 16 == 0 ? TEXT_MAX : 150));

    for (uint32_t i = 0; i < len; i++)
        text[i] = (char)(seed + i * 7);
    return slice_of(text, len);
}

static bool is_consistent(const struct location_set *set, struct slice aor)
{
    struct location_binding b;
    char text[TEXT_MAX];
    unsigned position = 0;
    unsigned n = 0;
    uint32_t last = UINT32_MAX;

    if (!slice_equal(location_set_aor(set), aor))
        return false;
    for (; location_next(set, 0, &position, &b); n++)
        if (!slice_equal(b.contact, write_text(text, b.cseq)) || b.methods != ~b.cseq || b.q >= last)
            return false;
        else
            last = b.q;
    return n > 0;
}

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    struct fixture *f = reader->f;
    uint64_t seed = 99;
    char text[32];

    rte_rcu_qsbr_thread_register(f->qsbr, 1);
    rte_rcu_qsbr_thread_online(f->qsbr, 1);
    for (unsigned i = 1; !__atomic_load_n(&reader->stop, __ATOMIC_RELAXED); i++) {
        unsigned a = (unsigned)(random_next(&seed) % AORS);
        struct slice aor = fixture_aor(text, a);
        const struct location_set *set = fixture_find(f, aor);

        if (set == NULL)
            reader->missed += a < STEADY;
        else if (is_consistent(set, aor))
            reader->found++;
        else
            reader->inconsistent++;
        if (i % 16 == 0)
            rte_rcu_qsbr_quiescent(f->qsbr, 1);
        if (i % 4096 == 0)
            sched_yield(); // on one core the writer gets its turn
    }
    rte_rcu_qsbr_thread_offline(f->qsbr, 1);
    rte_rcu_qsbr_thread_unregister(f->qsbr, 1);
    return NULL;
}

static void write_set(struct fixture *f, unsigned a, uint64_t bits)
{
    struct location_binding bindings[3];
    static char texts[3][TEXT_MAX];
    char text[32];
    struct slice aor = fixture_aor(text, a);
    unsigned n = a >= STEADY && bits % 4 == 0 ? 0 : 1 + (unsigned)(bits >> 8) % 3;

    for (unsigned i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)(bits >> 16) + i;

        bindings[i] = (struct location_binding){.contact = write_text(texts[i], seed),
                                                .cseq = seed,
                                                .methods = ~seed,
                                                .q = (uint16_t)(i * 10),
                                                .expires_ms = UINT64_MAX};
        if (a >= STEADY) // these die under their readers' eyes
            bindings[i].expires_ms = 1 + bits % 100000;
    }
    // Full is an answer too: then the old set stays.
    (void)location_put(f->location, location_key(f->location, aor), aor, bindings, n, 0);
}

static uint64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void test_readers_see_whole_sets_and_never_miss_one(void **state)
{
    (void)state;
    struct fixture f;
    struct reader reader = {.f = &f};
    pthread_t thread;
    uint64_t seed = 1;
    uint64_t now_ms = 0;
    uint64_t writes = 0;

    fixture_open(&f, 1, AORS * 3, 1);
    for (unsigned a = 0; a < AORS; a++)
        write_set(&f, a, random_next(&seed));
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    for (uint64_t end = milliseconds() + MILLISECONDS; milliseconds() < end; now_ms += 10) {
        for (unsigned i = 0; i < 32; i++, writes++) {
            uint64_t bits = random_next(&seed);

            write_set(&f, (unsigned)(bits >> 40) % AORS, bits);
        }
        fixture_expire(&f, now_ms % 100000, 64, 1);
    }
    __atomic_store_n(&reader.stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_int_equal(reader.missed, 0);
    assert_int_equal(reader.inconsistent, 0);
    assert_true(reader.found > 1000);
    assert_true(writes > 1000);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers_see_whole_sets_and_never_miss_one)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
