// A reader in a second thread while the owner composes, opens and closes presentities, and moves their memory.
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "fixture.h"

enum { KEYS = 400, STEADY = 100, LONG = 3000, MILLISECONDS = 1500 };

struct reader {
    struct fixture *f;
    bool stop;             // set by the writer
    uint64_t found;        // documents read whole
    uint64_t missed;       // steady ones that were not found: must stay 0
    uint64_t inconsistent; // what contradicts itself: must stay 0
    uint64_t walked;       // subscriptions met
};

// Bytes that follow from their seed, which is the tag.
static struct slice write_text(char *text, uint64_t seed)
{
    uint64_t state = seed;
    uint32_t len = (uint32_t)(random_next(&state) % (seed % 16 == 0 ? LONG : 150));

    for (uint32_t i = 0; i < len; i++)
        text[i] = (char)(seed + i * 7);
    return slice_of(text, len);
}

static bool is_consistent(const struct subscription_body *body)
{
    static char text[LONG];
    struct slice expected = write_text(text, body->tag);

    return body->len == expected.len && memcmp(body->bytes, text, body->len) == 0;
}

static void walk(struct reader *reader, uint64_t *position)
{
    const struct subscription *s = subscription_walk(reader->f->table, position, 50);

    if (*position == SUBSCRIPTION_WALK_END)
        *position = 0;
    if (s == NULL)
        return;
    struct slice call_id = subscription_text(reader->f->table, s, SUBSCRIPTION_CALL_ID);

    reader->walked++;
    if (call_id.len != 0 && !slice_equal(call_id, SLICE("call-id-1")))
        reader->inconsistent++;
}

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    struct fixture *f = reader->f;
    uint64_t seed = 99, position = 0;

    rte_rcu_qsbr_thread_register(f->qsbr, 1);
    rte_rcu_qsbr_thread_online(f->qsbr, 1);
    for (unsigned i = 1; !__atomic_load_n(&reader->stop, __ATOMIC_RELAXED); i++) {
        uint64_t number = random_next(&seed) % KEYS;
        const struct subscription_body *body = subscription_document_read(f->table, fixture_key(number));

        if (body == NULL)
            reader->missed += number < STEADY;
        else if (is_consistent(body))
            reader->found++;
        else
            reader->inconsistent++;
        walk(reader, &position);
        if (i % 16 == 0)
            rte_rcu_qsbr_quiescent(f->qsbr, 1);
        if (i % 1024 == 0)
            sched_yield(); // on one core the writer gets its turn
    }
    rte_rcu_qsbr_thread_offline(f->qsbr, 1);
    rte_rcu_qsbr_thread_unregister(f->qsbr, 1);
    return NULL;
}

static void compose(struct fixture *f, struct subscription_presentity *presentity)
{
    static char text[LONG];

    if (presentity == NULL)
        return;
    f->tag++;
    // Full is an answer, too: then the old document stays.
    (void)subscription_document_put(f->table, presentity, f->tag, 0, write_text(text, f->tag), f->now_ms);
}

static void turn(struct fixture *f)
{
    struct subscription_due due;

    rte_rcu_qsbr_quiescent(f->qsbr, 0);
    subscription_turn(f->table, BUDGET);
    while (subscription_due(f->table, f->now_ms, &due))
        if (due.kind == SUBSCRIPTION_DUE_COMPOSE)
            compose(f, due.presentity);
        else if (due.kind == SUBSCRIPTION_DUE_PUBLICATION)
            subscription_publication_close(f->table, due.publication);
        else
            fixture_act(f, due.subscription, due.actions);
    f->now_ms++;
}

// The steady ones are watched all the time; the others come, change and go.
static void disturb(struct fixture *f, uint64_t bits)
{
    uint64_t number = bits % KEYS;
    struct subscription_presentity *presentity = subscription_presentity_find(f->table, fixture_key(number));
    struct subscription *s = subscription_find(f->table, number + 1);

    if (s == NULL) {
        struct subscription_opening opening = fixture_opening(number + 1);

        opening.expires_ms = UINT64_MAX / 2;
        presentity = fixture_presentity(f, number);
        if (presentity == NULL || subscription_open(f->table, presentity, &opening, f->now_ms, &s) != 0)
            return;
        compose(f, presentity);
        fixture_act(f, s, subscription_ask(f->table, s, f->now_ms));
    } else if (bits >> 32 & 1) {
        compose(f, presentity);
    } else if (bits >> 33 & 1) {
        char text[200];

        memset(text, 'x', sizeof(text));
        subscription_text_put(f->table, s, SUBSCRIPTION_TARGET, slice_of(text, bits >> 40 & 127));
    } else if (number >= STEADY) {
        subscription_close(f->table, s);
    } else {
        fixture_answer(f, s, 200);
    }
}

static uint64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void test_readers_see_whole_documents_and_never_miss_one(void **state)
{
    (void)state;
    struct fixture f;
    struct reader reader = {.f = &f};
    struct subscription_limits limits;
    pthread_t thread;
    uint64_t seed = 1, disturbed = 0;

    fixture_limits(&limits);
    limits.presentities = limits.subscriptions = 2 * KEYS;
    limits.per_source = KEYS;
    limits.bytes = 1;
    fixture_open_with(&f, &limits, FIXTURE_EARLY);
    for (uint64_t i = 0; i < KEYS; i++)
        disturb(&f, i);
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    for (uint64_t end = milliseconds() + MILLISECONDS; milliseconds() < end; turn(&f))
        for (unsigned i = 0; i < 32; i++, disturbed++)
            disturb(&f, random_next(&seed));
    __atomic_store_n(&reader.stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_int_equal(reader.missed, 0);
    assert_int_equal(reader.inconsistent, 0);
    assert_true(reader.found > 1000);
    assert_true(reader.walked > 1000);
    assert_true(disturbed > 1000);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers_see_whole_documents_and_never_miss_one)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
