// A reader in a second thread while control replaces, evicts and expires.
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

enum { NAMES = 200, MILLISECONDS = 700 };

struct reader {
    struct fixture *f;
    bool stop;              // set by the writer
    uint64_t found;         // answers read whole
    uint64_t inconsistent;  // answers that contradict themselves: must stay 0
    uint64_t steady_missed; // of the name that is only ever replaced
};

// Every hop of an answer says how many there are, and of which name.
static void write_answer(struct fixture_answer *answer, unsigned name, unsigned n)
{
    *answer = (struct fixture_answer){.answer.expires_ms = 1000};
    for (unsigned i = 0; i < n; i++)
        fixture_add(answer, name << 8 | n, (uint16_t)i, (uint16_t)n, 0);
}

static bool is_consistent(const struct name_answer *answer, unsigned name)
{
    struct endpoint expected = fixture_hop(name << 8 | answer->hops_n), hop;

    for (unsigned i = 0; i < answer->hops_n; i++) {
        if (!name_hop(answer, 3, i, &hop) || !endpoint_equal(&hop, &expected) ||
            answer->hops[i].weight != answer->hops_n)
            return false;
    }
    return answer->hops_n > 0;
}

static struct name_question question_of(char text[16], unsigned name)
{
    snprintf(text, 16, "name%u", name);
    return fixture_sip(text);
}

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    struct fixture *f = reader->f;
    uint64_t seed = 99;
    char text[16];

    rte_rcu_qsbr_thread_register(f->qsbr, 1);
    rte_rcu_qsbr_thread_online(f->qsbr, 1);
    for (unsigned i = 1; !__atomic_load_n(&reader->stop, __ATOMIC_RELAXED); i++) {
        unsigned name = i % 8 == 0 ? 0 : (unsigned)(random_next(&seed) % NAMES);
        struct name_question question = question_of(text, name);
        const struct name_answer *answer = name_find(f->table, &question, 0);

        if (answer == NULL)
            reader->steady_missed += name == 0;
        else if (is_consistent(answer, name))
            reader->found++;
        else
            reader->inconsistent++;
        if (i % 16 == 0)
            rte_rcu_qsbr_quiescent(f->qsbr, 1);
        if (i % 1024 == 0)
            sched_yield(); // on one core the writer gets its turn
    }
    rte_rcu_qsbr_thread_offline(f->qsbr, 1);
    rte_rcu_qsbr_thread_unregister(f->qsbr, 1);
    return NULL;
}

static uint64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void put(struct fixture *f, unsigned name, unsigned hops)
{
    struct fixture_answer answer;
    char text[16];
    struct name_question question = question_of(text, name);

    write_answer(&answer, name, hops);
    // Too much in its grace period is an answer too: then what was there stays.
    (void)name_put(f->table, &question, &answer.answer, 0);
}

// Replaces names at random for a while. The table holds `bound` of them.
static void run(struct reader *reader, uint32_t bound)
{
    struct fixture *f = reader->f;
    pthread_t thread;
    uint64_t seed = 1, writes = 0;

    fixture_open(f, bound);
    put(f, 0, 1);
    assert_int_equal(pthread_create(&thread, NULL, read_on, reader), 0);
    for (uint64_t end = milliseconds() + MILLISECONDS; milliseconds() < end;) {
        for (unsigned i = 0; i < 32; i++, writes++) {
            uint64_t bits = random_next(&seed);
            put(f, i == 0 ? 0 : (unsigned)(bits >> 8) % NAMES, 1 + (unsigned)(bits >> 40) % NAME_HOPS_MAX);
            fixture_quiescent(f);
        }
        if (writes % 512 == 0)
            name_expire(f->table, 0);
        sched_yield();
    }
    __atomic_store_n(&reader->stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_true(reader->found > 1000);
    assert_true(writes > 1000);
}

static void test_readers_see_whole_answers_and_never_miss_one_that_stays(void **state)
{
    struct fixture f;
    struct reader reader = {.f = &f};

    (void)state;
    run(&reader, NAMES);
    assert_int_equal(reader.inconsistent, 0);
    assert_int_equal(reader.steady_missed, 0);
    fixture_close(&f);
}

static void test_readers_see_whole_answers_while_names_are_evicted(void **state)
{
    struct fixture f;
    struct reader reader = {.f = &f};
    struct name_usage usage;

    (void)state;
    run(&reader, NAMES / 4);
    assert_int_equal(reader.inconsistent, 0);
    name_usage(f.table, &usage);
    assert_true(usage.evicted > 100);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_see_whole_answers_and_never_miss_one_that_stays),
        cmocka_unit_test(test_readers_see_whole_answers_while_names_are_evicted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
