// The wheel against a model that looks at every deadline: none is missed, none is visited too late.
#include "fixture.h"

#include <stdlib.h>

enum { RECORDS = 2000, VISITS = 2000000, STEP_MAX = 40 };

// A record's deadline as the model has it, in 64 bits.
struct wheel_model {
    struct fixture f;
    struct transaction *record[RECORDS];
    uint64_t deadline[RECORDS]; // 0: none
    uint64_t random;
    uint64_t visits, fired;
    unsigned leapt; // records that a turn may visit twice
};

static uint64_t random_below(struct wheel_model *m, uint64_t n)
{
    return random_next(&m->random) % n;
}

// Mostly what SIP has, some beyond the wheel's horizon.
static uint32_t random_delay(struct wheel_model *m)
{
    switch (random_below(m, 8)) {
    case 0:
        return (uint32_t)random_below(m, 16);
    case 1:
        return 32000;
    case 2:
        return (uint32_t)random_below(m, 200000);
    default:
        return (uint32_t)random_below(m, 4000);
    }
}

// The record's only deadline that is left: nothing else of it looks at the time.
static void set_deadline(struct wheel_model *m, unsigned i)
{
    struct transaction_branch *branch = &m->record[i]->first;
    uint64_t at = m->f.now_ms + random_delay(m);

    // The number that says none is one later.
    m->deadline[i] = (uint32_t)at == TRANSACTION_NEVER ? at + 1 : at;
    branch->ends_at = (uint32_t)m->deadline[i];
    branch->retransmit_at = TRANSACTION_NEVER;
    assert_true(transaction_settle(m->f.table, m->record[i], m->f.now_ms));
}

static void model_open(struct wheel_model *m, uint64_t seed, uint64_t now_ms)
{
    m->random = seed;
    fixture_open(&m->f, RECORDS, 0, now_ms);
    for (unsigned i = 0; i < RECORDS; i++) {
        m->record[i] = fixture_forward(&m->f, i, SIP_METHOD_INVITE);
        m->record[i]->call = i;
        set_deadline(m, i);
    }
}

// Whoever is due: in time, and a new deadline for it, which may be in the past, too.
static void drain(struct wheel_model *m, uint64_t before_ms)
{
    struct transaction *transaction;
    uint64_t n = 0;

    while ((transaction = transaction_due(m->f.table, m->f.now_ms)) != NULL) {
        unsigned i = transaction->call;

        // None twice in a turn; but for those that a leap of the clock found on the list that is swept first.
        assert_true(++n <= RECORDS + m->leapt);
        m->visits++;
        if (m->deadline[i] > m->f.now_ms) { // early: its old time has come
            assert_true(transaction_settle(m->f.table, transaction, m->f.now_ms));
            continue;
        }
        // At the last turn's time its tick had not come yet.
        assert_true(m->deadline[i] + TRANSACTION_TICK_MS > before_ms);
        m->fired++;
        set_deadline(m, i);
    }
}

static void assert_none_is_late(const struct wheel_model *m)
{
    for (unsigned i = 0; i < RECORDS; i++)
        assert_true(m->deadline[i] + TRANSACTION_TICK_MS > m->f.now_ms);
}

static void step(struct wheel_model *m, uint64_t ms)
{
    uint64_t before_ms = m->f.now_ms;

    for (unsigned moved = 0; moved < 8; moved++)
        set_deadline(m, (unsigned)random_below(m, RECORDS));
    m->f.now_ms += ms;
    drain(m, before_ms);
}

static void run(uint64_t now_ms, uint64_t visits)
{
    struct wheel_model *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    model_open(m, now_ms, now_ms);
    for (unsigned turn = 0; m->visits < visits; turn++) {
        step(m, random_below(m, 50) == 0 ? random_below(m, 500) : random_below(m, STEP_MAX));
        if (turn % 64 == 0)
            assert_none_is_late(m);
    }
    assert_true(m->fired > visits / 4);
    fixture_close(&m->f);
    free(m);
}

static void test_no_deadline_is_missed_in_two_million_visits(void **state)
{
    (void)state;
    run(FIXTURE_EARLY, VISITS);
}

static void test_no_deadline_is_missed_where_32_bits_wrap(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        run((UINT64_C(1) << 32) - 1000 - 7001 * (uint64_t)i, VISITS / 100);
}

static void test_a_leap_of_the_clock_visits_everybody(void **state)
{
    static const uint64_t leaps[] = {60000, 65528, 65536, 65544, 200000, 3600000, UINT32_MAX / 3};
    struct wheel_model *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    model_open(m, 1, FIXTURE_EARLY);
    m->leapt = RECORDS / 8;
    for (unsigned i = 0; i < 40; i++) {
        uint64_t visits = m->visits;

        m->f.now_ms += leaps[i % (sizeof(leaps) / sizeof(leaps[0]))];
        drain(m, 0);
        assert_true(m->visits > visits);
        assert_none_is_late(m);
        for (unsigned turn = 0; turn < 20; turn++)
            step(m, random_below(m, STEP_MAX));
        assert_none_is_late(m);
    }
    fixture_close(&m->f);
    free(m);
}

static void test_what_a_turn_does_not_ask_for_stays_due(void **state)
{
    struct wheel_model *m = calloc(1, sizeof(*m));
    bool seen[RECORDS] = {false};

    (void)state;
    assert_non_null(m);
    model_open(m, 2, FIXTURE_EARLY);
    m->f.now_ms += 250000;
    for (unsigned n = 0; n < RECORDS; n++) {
        struct transaction *transaction = transaction_due(m->f.table, m->f.now_ms);

        assert_non_null(transaction);
        assert_false(seen[transaction->call]);
        seen[transaction->call] = true;
        // Others go on meanwhile, with time.
        m->f.now_ms += n % 16 == 0;
        transaction_close(m->f.table, transaction);
    }
    assert_null(transaction_due(m->f.table, m->f.now_ms));
    fixture_close(&m->f);
    free(m);
}

static void test_a_deadline_in_the_past_is_visited_in_the_next_turn(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_INVITE);

    f.now_ms += 600;
    assert_ptr_equal(transaction_due(f.table, f.now_ms), transaction);
    assert_true(transaction_settle(f.table, transaction, f.now_ms)); // timer A was not looked at
    assert_null(transaction_due(f.table, f.now_ms));
    assert_ptr_equal(transaction_due(f.table, f.now_ms + TRANSACTION_TICK_MS), transaction);
    fixture_close(&f);
}

static void test_a_deadline_that_moves_away_costs_one_visit(void **state)
{
    struct fixture f;
    unsigned visits = 0;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_OPTIONS);

    transaction_client_response(f.table, transaction, &transaction->first, 200, f.now_ms);
    transaction_server_respond(f.table, transaction, 200, f.now_ms);
    assert_true(transaction_settle(f.table, transaction, f.now_ms));
    for (; transaction_find(f.table, fixture_key(1), SIP_METHOD_OPTIONS) != NULL; f.now_ms++) {
        while ((transaction = transaction_due(f.table, f.now_ms)) != NULL) {
            visits++;
            transaction_server_timer(f.table, transaction, f.now_ms);
            transaction_client_timer(f.table, transaction, &transaction->first, f.now_ms);
            if (!transaction_settle(f.table, transaction, f.now_ms))
                transaction_close(f.table, transaction);
        }
    }
    assert_int_equal(visits, 2); // where timer E was, and timer J; K is over by then
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_deadline_is_missed_in_two_million_visits),
        cmocka_unit_test(test_no_deadline_is_missed_where_32_bits_wrap),
        cmocka_unit_test(test_a_leap_of_the_clock_visits_everybody),
        cmocka_unit_test(test_what_a_turn_does_not_ask_for_stays_due),
        cmocka_unit_test(test_a_deadline_in_the_past_is_visited_in_the_next_turn),
        cmocka_unit_test(test_a_deadline_that_moves_away_costs_one_visit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
