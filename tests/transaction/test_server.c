// Every arrow of the server machines: RFC 6026 figure 7 (INVITE), RFC 3261 figure 8 with RFC 4320 (others).
#include "fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum event { REQUEST, ACK, RESPOND, TIMER };

#define PASS   TRANSACTION_PASS
#define ABSORB TRANSACTION_ABSORB
#define RESEND TRANSACTION_RESEND
#define ENDED  TRANSACTION_ENDED

#define TRYING     TRANSACTION_SERVER_TRYING
#define PROCEEDING TRANSACTION_SERVER_PROCEEDING
#define COMPLETED  TRANSACTION_SERVER_COMPLETED
#define CONFIRMED  TRANSACTION_SERVER_CONFIRMED
#define ACCEPTED   TRANSACTION_SERVER_ACCEPTED
#define TERMINATED TRANSACTION_SERVER_TERMINATED

#define TCP ENDPOINT_TCP

#define TRYING_MS 3500 // until Timer E of a client is reset to T2: it fires at 0.5, 1.5 and 3.5 s

// From a state, `after_ms` after it was entered, an event leads to a state and says what to do.
struct arrow {
    const char *name;
    uint8_t method;
    uint8_t from;
    uint32_t after_ms;
    enum event event;
    uint16_t status;
    uint8_t to;
    unsigned actions;
    enum endpoint_transport transport;
};

static const struct arrow arrows[] = {
    // RFC 6026 figure 7
    {"invite proceeding: INVITE", SIP_METHOD_INVITE, PROCEEDING, 10, REQUEST, 0, PROCEEDING, RESEND},
    {"invite proceeding: 101-199 from TU", SIP_METHOD_INVITE, PROCEEDING, 10, RESPOND, 183, PROCEEDING, PASS},
    {"invite proceeding: 100 from TU", SIP_METHOD_INVITE, PROCEEDING, 10, RESPOND, 100, PROCEEDING, PASS},
    {"invite proceeding: 2xx from TU", SIP_METHOD_INVITE, PROCEEDING, 10, RESPOND, 200, ACCEPTED, PASS},
    {"invite proceeding: 300-699 from TU", SIP_METHOD_INVITE, PROCEEDING, 10, RESPOND, 300, COMPLETED, PASS},
    {"invite proceeding: 6xx from TU", SIP_METHOD_INVITE, PROCEEDING, 10, RESPOND, 699, COMPLETED, PASS},
    {"invite proceeding: 408 from TU", SIP_METHOD_INVITE, PROCEEDING, 10, RESPOND, 408, COMPLETED, PASS},
    {"invite proceeding: ACK", SIP_METHOD_INVITE, PROCEEDING, 10, ACK, 0, PROCEEDING, ABSORB},
    {"invite proceeding: no timer", SIP_METHOD_INVITE, PROCEEDING, 64 * T1, TIMER, 0, PROCEEDING, 0},
    {"invite completed: INVITE", SIP_METHOD_INVITE, COMPLETED, 10, REQUEST, 0, COMPLETED, RESEND},
    {"invite completed: before timer G", SIP_METHOD_INVITE, COMPLETED, T1 - 1, TIMER, 0, COMPLETED, 0},
    {"invite completed: timer G fires", SIP_METHOD_INVITE, COMPLETED, T1, TIMER, 0, COMPLETED, RESEND},
    {"invite completed: timer H fires", SIP_METHOD_INVITE, COMPLETED, 64 * T1, TIMER, 0, TERMINATED,
     TRANSACTION_TIMEOUT | ENDED},
    {"invite completed: ACK", SIP_METHOD_INVITE, COMPLETED, 10, ACK, 0, CONFIRMED, ABSORB},
    {"invite completed: another 300-699 from TU", SIP_METHOD_INVITE, COMPLETED, 10, RESPOND, 500, COMPLETED,
     ABSORB},
    {"invite completed: 1xx from TU", SIP_METHOD_INVITE, COMPLETED, 10, RESPOND, 180, COMPLETED, ABSORB},
    {"invite completed: a late 2xx from TU", SIP_METHOD_INVITE, COMPLETED, 10, RESPOND, 200, COMPLETED, PASS},
    {"invite confirmed: INVITE", SIP_METHOD_INVITE, CONFIRMED, 10, REQUEST, 0, CONFIRMED, ABSORB},
    {"invite confirmed: ACK", SIP_METHOD_INVITE, CONFIRMED, 10, ACK, 0, CONFIRMED, ABSORB},
    {"invite confirmed: no timer G", SIP_METHOD_INVITE, CONFIRMED, T1, TIMER, 0, CONFIRMED, 0},
    {"invite confirmed: before timer I", SIP_METHOD_INVITE, CONFIRMED, T4 - 1, TIMER, 0, CONFIRMED, 0},
    {"invite confirmed: timer I fires", SIP_METHOD_INVITE, CONFIRMED, T4, TIMER, 0, TERMINATED, ENDED},
    {"invite confirmed: a late 2xx from TU", SIP_METHOD_INVITE, CONFIRMED, 10, RESPOND, 200, CONFIRMED, PASS},
    {"invite confirmed: 2xx when I has passed", SIP_METHOD_INVITE, CONFIRMED, T4, RESPOND, 200, CONFIRMED,
     ABSORB},
    {"invite accepted: INVITE", SIP_METHOD_INVITE, ACCEPTED, 10, REQUEST, 0, ACCEPTED, ABSORB},
    {"invite accepted: ACK", SIP_METHOD_INVITE, ACCEPTED, 10, ACK, 0, ACCEPTED, PASS},
    {"invite accepted: 2xx from TU", SIP_METHOD_INVITE, ACCEPTED, 10, RESPOND, 200, ACCEPTED, PASS},
    {"invite accepted: 300-699 from TU", SIP_METHOD_INVITE, ACCEPTED, 10, RESPOND, 486, ACCEPTED, ABSORB},
    {"invite accepted: 1xx from TU", SIP_METHOD_INVITE, ACCEPTED, 10, RESPOND, 180, ACCEPTED, ABSORB},
    {"invite accepted: before timer L", SIP_METHOD_INVITE, ACCEPTED, 64 * T1 - 1, TIMER, 0, ACCEPTED, 0},
    {"invite accepted: timer L fires", SIP_METHOD_INVITE, ACCEPTED, 64 * T1, TIMER, 0, TERMINATED, ENDED},
    {"invite accepted: 2xx when L has passed", SIP_METHOD_INVITE, ACCEPTED, 64 * T1, RESPOND, 200, ACCEPTED,
     ABSORB},
    {"invite terminated: INVITE", SIP_METHOD_INVITE, TERMINATED, 10, REQUEST, 0, TERMINATED, ABSORB},
    {"invite terminated: ACK", SIP_METHOD_INVITE, TERMINATED, 10, ACK, 0, TERMINATED, ABSORB},
    {"invite terminated: 2xx is discarded", SIP_METHOD_INVITE, TERMINATED, 10, RESPOND, 200, TERMINATED,
     ABSORB},
    {"invite terminated: no timer", SIP_METHOD_INVITE, TERMINATED, C, TIMER, 0, TERMINATED, 0},

    // RFC 3261 figure 8, RFC 4320
    {"other trying: request", SIP_METHOD_BYE, TRYING, 10, REQUEST, 0, TRYING, ABSORB},
    {"other trying: 100 before its time", SIP_METHOD_BYE, TRYING, TRYING_MS - 1, RESPOND, 100, TRYING,
     ABSORB},
    {"other trying: 100 in time", SIP_METHOD_BYE, TRYING, TRYING_MS, RESPOND, 100, PROCEEDING, PASS},
    {"other trying: another 1xx never", SIP_METHOD_BYE, TRYING, TRYING_MS, RESPOND, 180, TRYING, ABSORB},
    {"other trying: 100 is not yet due", SIP_METHOD_BYE, TRYING, TRYING_MS - 1, TIMER, 0, TRYING, 0},
    {"other trying: 100 is due", SIP_METHOD_BYE, TRYING, TRYING_MS, TIMER, 0, TRYING, TRANSACTION_TRYING},
    {"other trying: 200-699 from TU", SIP_METHOD_BYE, TRYING, 10, RESPOND, 200, COMPLETED, PASS},
    {"other trying: a negative one", SIP_METHOD_BYE, TRYING, 10, RESPOND, 481, COMPLETED, PASS},
    {"other trying: 408 is never sent", SIP_METHOD_BYE, TRYING, 10, RESPOND, 408, COMPLETED, ABSORB},
    {"other proceeding: request", SIP_METHOD_BYE, PROCEEDING, 10, REQUEST, 0, PROCEEDING, RESEND},
    {"other proceeding: 100 from TU", SIP_METHOD_BYE, PROCEEDING, 10, RESPOND, 100, PROCEEDING, PASS},
    {"other proceeding: another 1xx never", SIP_METHOD_BYE, PROCEEDING, 10, RESPOND, 199, PROCEEDING, ABSORB},
    {"other proceeding: 200-699 from TU", SIP_METHOD_BYE, PROCEEDING, 10, RESPOND, 404, COMPLETED, PASS},
    {"other proceeding: 408 is never sent", SIP_METHOD_BYE, PROCEEDING, 10, RESPOND, 408, COMPLETED, ABSORB},
    {"other proceeding: no timer", SIP_METHOD_BYE, PROCEEDING, C, TIMER, 0, PROCEEDING, 0},
    {"other completed: request", SIP_METHOD_BYE, COMPLETED, 10, REQUEST, 0, COMPLETED, RESEND},
    {"other completed: other final ones", SIP_METHOD_BYE, COMPLETED, 10, RESPOND, 200, COMPLETED, ABSORB},
    {"other completed: 1xx from TU", SIP_METHOD_BYE, COMPLETED, 10, RESPOND, 100, COMPLETED, ABSORB},
    {"other completed: no ACK is known", SIP_METHOD_BYE, COMPLETED, 10, ACK, 0, COMPLETED, ABSORB},
    {"other completed: before timer J", SIP_METHOD_BYE, COMPLETED, 64 * T1 - 1, TIMER, 0, COMPLETED, 0},
    {"other completed: timer J fires", SIP_METHOD_BYE, COMPLETED, 64 * T1, TIMER, 0, TERMINATED, ENDED},
    {"other completed: request when J has passed", SIP_METHOD_BYE, COMPLETED, 64 * T1, REQUEST, 0, COMPLETED,
     ABSORB},
    {"other terminated: request", SIP_METHOD_BYE, TERMINATED, 10, REQUEST, 0, TERMINATED, ABSORB},
    {"other terminated: a late answer", SIP_METHOD_BYE, TERMINATED, 10, RESPOND, 200, TERMINATED, ABSORB},

    // Over a stream G does not run (17.2.1), I and J are zero (17.2.1, 17.2.2), H and L (RFC 6026 7.1) stay.
    {"tcp invite completed: no timer G", SIP_METHOD_INVITE, COMPLETED, 64 * T1 - 1, TIMER, 0, COMPLETED, 0,
     TCP},
    {"tcp invite completed: timer H fires", SIP_METHOD_INVITE, COMPLETED, 64 * T1, TIMER, 0, TERMINATED,
     TRANSACTION_TIMEOUT | ENDED, TCP},
    {"tcp invite completed: ACK", SIP_METHOD_INVITE, COMPLETED, 10, ACK, 0, CONFIRMED, ABSORB, TCP},
    {"tcp invite confirmed: timer I is zero", SIP_METHOD_INVITE, CONFIRMED, 0, TIMER, 0, TERMINATED, ENDED,
     TCP},
    {"wss invite confirmed: timer I is zero", SIP_METHOD_INVITE, CONFIRMED, 0, TIMER, 0, TERMINATED, ENDED,
     ENDPOINT_WSS},
    {"tcp invite accepted: ACK", SIP_METHOD_INVITE, ACCEPTED, 64 * T1 - 1, ACK, 0, ACCEPTED, PASS, TCP},
    {"tcp invite accepted: before timer L", SIP_METHOD_INVITE, ACCEPTED, 64 * T1 - 1, TIMER, 0, ACCEPTED, 0,
     TCP},
    {"tcp invite accepted: timer L fires", SIP_METHOD_INVITE, ACCEPTED, 64 * T1, TIMER, 0, TERMINATED, ENDED,
     TCP},
    {"tcp other completed: timer J is zero", SIP_METHOD_BYE, COMPLETED, 0, TIMER, 0, TERMINATED, ENDED, TCP},
    {"tls other completed: timer J is zero", SIP_METHOD_BYE, COMPLETED, 0, TIMER, 0, TERMINATED, ENDED,
     ENDPOINT_TLS},
    {"tcp other completed: request when J has passed", SIP_METHOD_BYE, COMPLETED, 0, REQUEST, 0, COMPLETED,
     ABSORB, TCP},
    // RFC 4320 4.1: 100 at any time, no other one ever, and no 408 (4.2)
    {"tcp other trying: 100 before its time", SIP_METHOD_BYE, TRYING, 10, RESPOND, 100, PROCEEDING, PASS,
     TCP},
    {"tcp other trying: another 1xx never", SIP_METHOD_BYE, TRYING, 10, RESPOND, 180, TRYING, ABSORB, TCP},
    {"tcp other trying: 100 is not yet due", SIP_METHOD_BYE, TRYING, TRYING_MS - 1, TIMER, 0, TRYING, 0, TCP},
    {"tcp other trying: 100 is due", SIP_METHOD_BYE, TRYING, TRYING_MS, TIMER, 0, TRYING, TRANSACTION_TRYING,
     TCP},
    {"tcp other trying: 408 is never sent", SIP_METHOD_BYE, TRYING, 10, RESPOND, 408, COMPLETED, ABSORB, TCP},
};

static unsigned respond(struct fixture *f, struct transaction *transaction, uint16_t status)
{
    return transaction_server_respond(f->table, transaction, status, f->now_ms);
}

static struct transaction *reach_other(struct fixture *f, uint8_t method, uint8_t state)
{
    struct transaction *transaction = fixture_begin(f, 1, method);

    if (state == PROCEEDING) {
        f->now_ms += TRYING_MS;
        respond(f, transaction, 100);
    }
    if (state == COMPLETED || state == TERMINATED)
        respond(f, transaction, 481);
    if (state == TERMINATED) {
        f->now_ms += 64 * T1;
        transaction_server_timer(f->table, transaction, f->now_ms);
    }
    return transaction;
}

static struct transaction *reach_invite(struct fixture *f, uint8_t state)
{
    struct transaction *transaction = fixture_begin(f, 1, SIP_METHOD_INVITE);

    respond(f, transaction, 100);
    if (state == ACCEPTED)
        respond(f, transaction, 200);
    if (state == COMPLETED || state == CONFIRMED || state == TERMINATED)
        respond(f, transaction, 486);
    if (state == CONFIRMED)
        transaction_server_ack(f->table, transaction, f->now_ms);
    if (state == TERMINATED) {
        f->now_ms += 64 * T1;
        transaction_server_timer(f->table, transaction, f->now_ms);
    }
    return transaction;
}

static unsigned happen(struct fixture *f, const struct arrow *arrow, struct transaction *transaction)
{
    switch (arrow->event) {
    case REQUEST:
        return transaction_server_request(f->table, transaction, f->now_ms);
    case ACK:
        return transaction_server_ack(f->table, transaction, f->now_ms);
    case RESPOND:
        return respond(f, transaction, arrow->status);
    default:
        return transaction_server_timer(f->table, transaction, f->now_ms);
    }
}

static void test_arrow(void **state)
{
    const struct arrow *arrow = *state;
    const uint64_t starts[] = {FIXTURE_EARLY, FIXTURE_WRAP, FIXTURE_WRAP - 4000, FIXTURE_WRAP - 31000};

    for (unsigned i = 0; i < COUNT(starts); i++) {
        struct fixture f;

        fixture_open(&f, 4, 0, starts[i]);
        f.transport = arrow->transport;
        struct transaction *transaction = arrow->method == SIP_METHOD_INVITE
                                              ? reach_invite(&f, arrow->from)
                                              : reach_other(&f, arrow->method, arrow->from);

        assert_int_equal(transaction->state, arrow->from);
        f.now_ms += arrow->after_ms;
        assert_int_equal(happen(&f, arrow, transaction), arrow->actions);
        assert_int_equal(transaction->state, arrow->to);
        fixture_close(&f);
    }
}

static void test_a_record_begins_in_the_state_of_its_method(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    assert_int_equal(fixture_begin(&f, 1, SIP_METHOD_INVITE)->state, PROCEEDING);
    assert_int_equal(fixture_begin(&f, 2, SIP_METHOD_OPTIONS)->state, TRYING);
    assert_int_equal(fixture_begin(&f, 3, SIP_METHOD_OTHER)->state, TRYING);
    fixture_close(&f);
}

static void test_before_any_answer_a_request_again_finds_nothing_to_send(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = fixture_begin(&f, 1, SIP_METHOD_INVITE);

    assert_int_equal(transaction_server_request(f.table, transaction, f.now_ms), ABSORB);
    fixture_close(&f);
}

static void test_status_is_what_is_sent_again(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = reach_invite(&f, COMPLETED);

    assert_int_equal(transaction->status, 486);
    assert_int_equal(respond(&f, transaction, 200), PASS);
    assert_int_equal(transaction->status, 486); // the 2xx is passed, and the 486 goes on until its ACK
    fixture_close(&f);
}

static void test_408_leaves_a_record_that_absorbs(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = reach_other(&f, SIP_METHOD_OPTIONS, PROCEEDING);

    assert_int_equal(respond(&f, transaction, 408), ABSORB);
    assert_int_equal(transaction_server_request(f.table, transaction, f.now_ms), ABSORB);
    assert_int_equal(transaction_server_timer(f.table, transaction, f.now_ms + 64 * T1), ENDED);
    fixture_close(&f);
}

static void test_timer_g_doubles_to_t2_and_h_ends(void **state)
{
    const uint32_t expected[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    const uint64_t starts[] = {FIXTURE_EARLY, FIXTURE_WRAP - 12000};

    (void)state;
    for (unsigned i = 0; i < COUNT(starts); i++) {
        struct fixture f;
        unsigned n = 0;

        fixture_open(&f, 4, 0, starts[i]);
        struct transaction *transaction = reach_invite(&f, COMPLETED);

        for (uint32_t after = 1; after < 64 * T1; after++) {
            unsigned actions = transaction_server_timer(f.table, transaction, f.now_ms + after);

            if (actions == 0)
                continue;
            assert_int_equal(actions, RESEND);
            assert_true(n < COUNT(expected));
            assert_int_equal(after, expected[n++]);
        }
        assert_int_equal(n, COUNT(expected));
        assert_int_equal(transaction_server_timer(f.table, transaction, f.now_ms + 64 * T1),
                         TRANSACTION_TIMEOUT | ENDED);
        fixture_close(&f);
    }
}

// RFC 4320 4.1 with other timers: E of the client is first reset when it first fires.
static void test_100_is_due_when_timer_e_reaches_t2(void **state)
{
    static const struct {
        uint32_t t1, t2, due;
    } cases[] = {{500, 4000, 3500}, {1000, 4000, 3000}, {500, 500, 500},
                 {500, 600, 500},   {4000, 1000, 4000}, {10, 60000, 81910}};

    (void)state;
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct transaction_timers timers = {cases[i].t1, cases[i].t2, T4, C};
        struct fixture f;

        fixture_open(&f, 4, 0, FIXTURE_EARLY);
        transaction_table_time(f.table, &timers);
        struct transaction *transaction = fixture_begin(&f, 1, SIP_METHOD_INFO);

        f.now_ms += cases[i].due;
        assert_int_equal(transaction_server_timer(f.table, transaction, f.now_ms - 1), 0);
        assert_int_equal(transaction_server_timer(f.table, transaction, f.now_ms), TRANSACTION_TRYING);
        assert_int_equal(transaction_server_timer(f.table, transaction, f.now_ms), 0); // asked for once
        fixture_close(&f);
    }
}

static void note_trying(void *owner, struct transaction *transaction, struct transaction_branch *branch,
                        unsigned actions)
{
    struct fixture *f = owner;

    if (branch == NULL && (actions & TRANSACTION_TRYING) != 0) {
        assert_int_equal(respond(f, transaction, 100), PASS);
        f->noted_ms = f->now_ms - FIXTURE_EARLY;
    }
}

static void test_100_is_asked_for_once_while_a_branch_is_pending(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_INFO);

    fixture_run(&f, 20000, note_trying, &f);
    assert_in_range(f.noted_ms, TRYING_MS, TRYING_MS + TRANSACTION_TICK_MS - 1);
    assert_int_equal(transaction->state, PROCEEDING);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest named[] = {
        cmocka_unit_test(test_a_record_begins_in_the_state_of_its_method),
        cmocka_unit_test(test_before_any_answer_a_request_again_finds_nothing_to_send),
        cmocka_unit_test(test_status_is_what_is_sent_again),
        cmocka_unit_test(test_408_leaves_a_record_that_absorbs),
        cmocka_unit_test(test_timer_g_doubles_to_t2_and_h_ends),
        cmocka_unit_test(test_100_is_due_when_timer_e_reaches_t2),
        cmocka_unit_test(test_100_is_asked_for_once_while_a_branch_is_pending),
    };
    struct CMUnitTest tests[COUNT(arrows)];

    for (unsigned i = 0; i < COUNT(arrows); i++)
        tests[i] = (struct CMUnitTest){
            .name = arrows[i].name, .test_func = test_arrow, .initial_state = (void *)(uintptr_t)&arrows[i]};
    return cmocka_run_group_tests(tests, NULL, NULL) + cmocka_run_group_tests(named, NULL, NULL);
}
