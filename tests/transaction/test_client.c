// Every arrow of the client machines: RFC 6026 figure 5 (INVITE), RFC 3261 figure 6 (others), and the
// CANCEL's.
#include "fixture.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum event { RESPONSE, TIMER, ERROR, CANCEL };

#define PASS   TRANSACTION_PASS
#define ABSORB TRANSACTION_ABSORB
#define ENDED  TRANSACTION_ENDED

#define TCP ENDPOINT_TCP
#define TLS ENDPOINT_TLS
#define WS  ENDPOINT_WS
#define WSS ENDPOINT_WSS

#define IDLE       TRANSACTION_CLIENT_IDLE
#define CALLING    TRANSACTION_CLIENT_CALLING
#define TRYING     TRANSACTION_CLIENT_TRYING
#define PROCEEDING TRANSACTION_CLIENT_PROCEEDING
#define COMPLETED  TRANSACTION_CLIENT_COMPLETED
#define ACCEPTED   TRANSACTION_CLIENT_ACCEPTED
#define TERMINATED TRANSACTION_CLIENT_TERMINATED

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
    // RFC 6026 figure 5
    {"invite calling: 1xx", SIP_METHOD_INVITE, CALLING, 10, RESPONSE, 180, PROCEEDING, PASS},
    {"invite calling: 100", SIP_METHOD_INVITE, CALLING, 10, RESPONSE, 100, PROCEEDING, PASS},
    {"invite calling: 2xx", SIP_METHOD_INVITE, CALLING, 10, RESPONSE, 200, ACCEPTED, PASS},
    {"invite calling: 300-699", SIP_METHOD_INVITE, CALLING, 10, RESPONSE, 302, COMPLETED,
     PASS | TRANSACTION_ACK},
    {"invite calling: 6xx", SIP_METHOD_INVITE, CALLING, 10, RESPONSE, 603, COMPLETED, PASS | TRANSACTION_ACK},
    {"invite calling: before timer A", SIP_METHOD_INVITE, CALLING, T1 - 1, TIMER, 0, CALLING, 0},
    {"invite calling: timer A fires", SIP_METHOD_INVITE, CALLING, T1, TIMER, 0, CALLING, TRANSACTION_RESEND},
    {"invite calling: timer B fires", SIP_METHOD_INVITE, CALLING, 64 * T1, TIMER, 0, TERMINATED,
     TRANSACTION_TIMEOUT | ENDED},
    {"invite calling: transport error", SIP_METHOD_INVITE, CALLING, 10, ERROR, 0, TERMINATED, PASS | ENDED},
    {"invite proceeding: 1xx", SIP_METHOD_INVITE, PROCEEDING, 10, RESPONSE, 183, PROCEEDING, PASS},
    {"invite proceeding: 2xx", SIP_METHOD_INVITE, PROCEEDING, 10, RESPONSE, 202, ACCEPTED, PASS},
    {"invite proceeding: 300-699", SIP_METHOD_INVITE, PROCEEDING, 10, RESPONSE, 486, COMPLETED,
     PASS | TRANSACTION_ACK},
    {"invite proceeding: neither A nor B", SIP_METHOD_INVITE, PROCEEDING, 64 * T1, TIMER, 0, PROCEEDING, 0},
    {"invite proceeding: before timer C", SIP_METHOD_INVITE, PROCEEDING, C - 1, TIMER, 0, PROCEEDING, 0},
    {"invite proceeding: timer C fires", SIP_METHOD_INVITE, PROCEEDING, C, TIMER, 0, PROCEEDING,
     TRANSACTION_TIMER_C},
    {"invite proceeding: a late ICMP error is not believed", SIP_METHOD_INVITE, PROCEEDING, 10, ERROR, 0,
     PROCEEDING, 0},
    {"invite completed: 300-699", SIP_METHOD_INVITE, COMPLETED, 10, RESPONSE, 486, COMPLETED,
     ABSORB | TRANSACTION_ACK},
    {"invite completed: another 300-699", SIP_METHOD_INVITE, COMPLETED, 10, RESPONSE, 500, COMPLETED,
     ABSORB | TRANSACTION_ACK},
    {"invite completed: 1xx", SIP_METHOD_INVITE, COMPLETED, 10, RESPONSE, 180, COMPLETED, ABSORB},
    {"invite completed: a late 2xx", SIP_METHOD_INVITE, COMPLETED, 10, RESPONSE, 200, COMPLETED, PASS},
    {"invite completed: before timer D", SIP_METHOD_INVITE, COMPLETED, 31999, TIMER, 0, COMPLETED, 0},
    {"invite completed: timer D fires", SIP_METHOD_INVITE, COMPLETED, 32000, TIMER, 0, TERMINATED, ENDED},
    {"invite completed: D has passed unvisited", SIP_METHOD_INVITE, COMPLETED, 32000, RESPONSE, 486,
     COMPLETED, ABSORB},
    {"invite completed: transport error", SIP_METHOD_INVITE, COMPLETED, 10, ERROR, 0, TERMINATED, ENDED},
    {"invite accepted: 2xx", SIP_METHOD_INVITE, ACCEPTED, 10, RESPONSE, 200, ACCEPTED, PASS},
    {"invite accepted: 2xx just before M", SIP_METHOD_INVITE, ACCEPTED, 64 * T1 - 1, RESPONSE, 200, ACCEPTED,
     PASS},
    {"invite accepted: 300-699", SIP_METHOD_INVITE, ACCEPTED, 10, RESPONSE, 486, ACCEPTED, ABSORB},
    {"invite accepted: 1xx", SIP_METHOD_INVITE, ACCEPTED, 10, RESPONSE, 180, ACCEPTED, ABSORB},
    {"invite accepted: before timer M", SIP_METHOD_INVITE, ACCEPTED, 64 * T1 - 1, TIMER, 0, ACCEPTED, 0},
    {"invite accepted: timer M fires", SIP_METHOD_INVITE, ACCEPTED, 64 * T1, TIMER, 0, TERMINATED, ENDED},
    {"invite accepted: M has passed unvisited", SIP_METHOD_INVITE, ACCEPTED, 64 * T1, RESPONSE, 200, ACCEPTED,
     ABSORB},
    {"invite accepted: an ICMP error", SIP_METHOD_INVITE, ACCEPTED, 10, ERROR, 0, ACCEPTED, 0},
    {"invite terminated: 2xx", SIP_METHOD_INVITE, TERMINATED, 10, RESPONSE, 200, TERMINATED, ABSORB},
    {"invite terminated: 300-699", SIP_METHOD_INVITE, TERMINATED, 10, RESPONSE, 486, TERMINATED, ABSORB},
    {"invite terminated: timers", SIP_METHOD_INVITE, TERMINATED, C, TIMER, 0, TERMINATED, 0},
    {"invite terminated: error", SIP_METHOD_INVITE, TERMINATED, 10, ERROR, 0, TERMINATED, 0},
    {"invite idle: 200", SIP_METHOD_INVITE, IDLE, 10, RESPONSE, 200, IDLE, ABSORB},
    {"invite idle: timers", SIP_METHOD_INVITE, IDLE, C, TIMER, 0, IDLE, 0},

    // RFC 3261 9.1: true is PASS here
    {"cancel in calling waits", SIP_METHOD_INVITE, CALLING, 10, CANCEL, 0, CALLING, 0},
    {"cancel in proceeding goes at once", SIP_METHOD_INVITE, PROCEEDING, 10, CANCEL, 0, PROCEEDING, PASS},
    {"cancel in completed is none", SIP_METHOD_INVITE, COMPLETED, 10, CANCEL, 0, COMPLETED, 0},
    {"cancel in accepted is none", SIP_METHOD_INVITE, ACCEPTED, 10, CANCEL, 0, ACCEPTED, 0},
    {"cancel in terminated is none", SIP_METHOD_INVITE, TERMINATED, 10, CANCEL, 0, TERMINATED, 0},
    {"cancel of another request is none", SIP_METHOD_OPTIONS, PROCEEDING, 10, CANCEL, 0, PROCEEDING, 0},

    // RFC 3261 figure 6
    {"other trying: 1xx", SIP_METHOD_BYE, TRYING, 10, RESPONSE, 100, PROCEEDING, PASS},
    {"other trying: 200-699", SIP_METHOD_BYE, TRYING, 10, RESPONSE, 200, COMPLETED, PASS},
    {"other trying: a negative one", SIP_METHOD_BYE, TRYING, 10, RESPONSE, 481, COMPLETED, PASS},
    {"other trying: before timer E", SIP_METHOD_BYE, TRYING, T1 - 1, TIMER, 0, TRYING, 0},
    {"other trying: timer E fires", SIP_METHOD_BYE, TRYING, T1, TIMER, 0, TRYING, TRANSACTION_RESEND},
    {"other trying: timer F fires", SIP_METHOD_BYE, TRYING, 64 * T1, TIMER, 0, TERMINATED,
     TRANSACTION_TIMEOUT | ENDED},
    {"other trying: transport error", SIP_METHOD_BYE, TRYING, 10, ERROR, 0, TERMINATED, PASS | ENDED},
    {"other proceeding: 1xx", SIP_METHOD_BYE, PROCEEDING, 10, RESPONSE, 100, PROCEEDING, PASS},
    {"other proceeding: 200-699", SIP_METHOD_BYE, PROCEEDING, 10, RESPONSE, 200, COMPLETED, PASS},
    {"other proceeding: timer E fires", SIP_METHOD_BYE, PROCEEDING, T1, TIMER, 0, PROCEEDING,
     TRANSACTION_RESEND},
    {"other proceeding: timer F fires", SIP_METHOD_BYE, PROCEEDING, 64 * T1, TIMER, 0, TERMINATED,
     TRANSACTION_TIMEOUT | ENDED},
    {"other proceeding: transport error", SIP_METHOD_BYE, PROCEEDING, 10, ERROR, 0, TERMINATED, PASS | ENDED},
    {"other completed: 200-699", SIP_METHOD_BYE, COMPLETED, 10, RESPONSE, 200, COMPLETED, ABSORB},
    {"other completed: 1xx", SIP_METHOD_BYE, COMPLETED, 10, RESPONSE, 100, COMPLETED, ABSORB},
    {"other completed: before timer K", SIP_METHOD_BYE, COMPLETED, T4 - 1, TIMER, 0, COMPLETED, 0},
    {"other completed: timer K fires", SIP_METHOD_BYE, COMPLETED, T4, TIMER, 0, TERMINATED, ENDED},
    {"other completed: an ICMP error", SIP_METHOD_BYE, COMPLETED, 10, ERROR, 0, COMPLETED, 0},
    {"other terminated: 200-699", SIP_METHOD_BYE, TERMINATED, 10, RESPONSE, 200, TERMINATED, ABSORB},

    // Over a stream nothing is sent again: A and E do not run (17.1.1.2, 17.1.2.2) ...
    {"tcp invite calling: no timer A", SIP_METHOD_INVITE, CALLING, 64 * T1 - 1, TIMER, 0, CALLING, 0, TCP},
    {"tcp invite calling: timer B fires", SIP_METHOD_INVITE, CALLING, 64 * T1, TIMER, 0, TERMINATED,
     TRANSACTION_TIMEOUT | ENDED, TCP},
    {"tcp invite calling: the connection fails", SIP_METHOD_INVITE, CALLING, 10, ERROR, 0, TERMINATED,
     PASS | ENDED, TCP},
    {"tls invite proceeding: timer C fires", SIP_METHOD_INVITE, PROCEEDING, C, TIMER, 0, PROCEEDING,
     TRANSACTION_TIMER_C, TLS},
    {"ws other trying: no timer E", SIP_METHOD_BYE, TRYING, 64 * T1 - 1, TIMER, 0, TRYING, 0, WS},
    {"tcp other proceeding: no timer E", SIP_METHOD_BYE, PROCEEDING, 64 * T1 - 1, TIMER, 0, PROCEEDING, 0,
     TCP},
    {"tcp other trying: timer F fires", SIP_METHOD_BYE, TRYING, 64 * T1, TIMER, 0, TERMINATED,
     TRANSACTION_TIMEOUT | ENDED, TCP},
    {"tcp other proceeding: timer F fires", SIP_METHOD_BYE, PROCEEDING, 64 * T1, TIMER, 0, TERMINATED,
     TRANSACTION_TIMEOUT | ENDED, TCP},
    // ... D and K are zero ...
    {"tcp invite calling: 300-699", SIP_METHOD_INVITE, CALLING, 10, RESPONSE, 486, COMPLETED,
     PASS | TRANSACTION_ACK, TCP},
    {"tcp invite completed: timer D is zero", SIP_METHOD_INVITE, COMPLETED, 0, TIMER, 0, TERMINATED, ENDED,
     TCP},
    {"tls invite completed: timer D is zero", SIP_METHOD_INVITE, COMPLETED, 0, TIMER, 0, TERMINATED, ENDED,
     TLS},
    {"tcp invite completed: D has passed unvisited", SIP_METHOD_INVITE, COMPLETED, 0, RESPONSE, 486,
     COMPLETED, ABSORB, TCP},
    {"wss other completed: timer K is zero", SIP_METHOD_BYE, COMPLETED, 0, TIMER, 0, TERMINATED, ENDED, WSS},
    // ... and M, for those who forked downstream, stays (RFC 6026 7.2).
    {"tcp invite accepted: another 2xx", SIP_METHOD_INVITE, ACCEPTED, 64 * T1 - 1, RESPONSE, 200, ACCEPTED,
     PASS, TCP},
    {"tcp invite accepted: before timer M", SIP_METHOD_INVITE, ACCEPTED, 64 * T1 - 1, TIMER, 0, ACCEPTED, 0,
     TCP},
    {"tcp invite accepted: timer M fires", SIP_METHOD_INVITE, ACCEPTED, 64 * T1, TIMER, 0, TERMINATED, ENDED,
     TCP},
};

static bool is_pending(uint8_t state)
{
    return state == CALLING || state == TRYING || state == PROCEEDING;
}

// Leads the first branch into a state at f->now_ms.
static struct transaction *reach(struct fixture *f, uint8_t method, uint8_t state)
{
    if (state == IDLE) {
        struct transaction *idle = fixture_begin(f, 1, method);

        transaction_branch_add(f->table, idle);
        return idle;
    }
    struct transaction *transaction = fixture_forward(f, 1, method);
    struct transaction_branch *branch = &transaction->first;
    uint16_t status = state == PROCEEDING ? (method == SIP_METHOD_INVITE ? 180 : 100)
                      : state == ACCEPTED ? 200
                                          : 486;

    if (state == TERMINATED)
        transaction_client_error(transaction, branch);
    else if (state != CALLING && state != TRYING)
        transaction_client_response(f->table, transaction, branch, status, f->now_ms);
    assert_int_equal(branch->state, state);
    return transaction;
}

static unsigned happen(struct fixture *f, const struct arrow *arrow, struct transaction *transaction)
{
    struct transaction_branch *branch = &transaction->first;

    switch (arrow->event) {
    case RESPONSE:
        return transaction_client_response(f->table, transaction, branch, arrow->status, f->now_ms);
    case TIMER:
        return transaction_client_timer(f->table, transaction, branch, f->now_ms);
    case ERROR:
        return transaction_client_error(transaction, branch);
    default:
        return transaction_client_cancel(transaction, branch) ? PASS : 0;
    }
}

static void test_arrow(void **state)
{
    const struct arrow *arrow = *state;
    const uint64_t starts[] = {FIXTURE_EARLY, FIXTURE_WRAP, FIXTURE_WRAP - C, FIXTURE_WRAP - 31000};

    for (unsigned i = 0; i < COUNT(starts); i++) {
        struct fixture f;

        fixture_open(&f, 4, 0, starts[i]);
        f.transport = arrow->transport;
        struct transaction *transaction = reach(&f, arrow->method, arrow->from);

        f.now_ms += arrow->after_ms;
        assert_int_equal(happen(&f, arrow, transaction), arrow->actions);
        assert_int_equal(transaction->first.state, arrow->to);
        assert_int_equal(transaction->pending_n, is_pending(arrow->to));
        fixture_close(&f);
    }
}

// When a timer fires, counted from the request.
struct firing {
    uint64_t from_ms;
    unsigned actions; // that are looked for
    unsigned n;
    uint64_t at[64];
    struct fixture *f;
};

static void note(void *owner, struct transaction *transaction, struct transaction_branch *branch,
                 unsigned actions)
{
    struct firing *firing = owner;

    (void)transaction;
    if (branch == NULL || (actions & firing->actions) == 0)
        return;
    assert_true(firing->n < COUNT(firing->at));
    firing->at[firing->n++] = firing->f->now_ms - firing->from_ms;
}

// The wheel may be late by its tick.
static void assert_fired(const struct firing *firing, const uint32_t *expected, unsigned n)
{
    assert_int_equal(firing->n, n);
    for (unsigned i = 0; i < n; i++)
        assert_in_range(firing->at[i], expected[i], expected[i] + TRANSACTION_TICK_MS - 1);
}

static void resends(uint8_t method, uint16_t provisional, const uint32_t *expected, unsigned n,
                    uint32_t times_out)
{
    const uint64_t starts[] = {FIXTURE_EARLY, FIXTURE_WRAP - 4000};

    for (unsigned i = 0; i < COUNT(starts); i++) {
        struct fixture f;

        fixture_open(&f, 4, 0, starts[i]);
        struct firing firing = {.from_ms = f.now_ms, .actions = TRANSACTION_RESEND, .f = &f};
        struct transaction *transaction = fixture_forward(&f, 1, method);

        if (provisional != 0)
            transaction_client_response(f.table, transaction, &transaction->first, provisional, f.now_ms);
        fixture_run(&f, times_out - 1, note, &firing);
        assert_fired(&firing, expected, n);
        firing.actions = TRANSACTION_TIMEOUT;
        firing.n = 0;
        fixture_run(&f, TRANSACTION_TICK_MS, note, &firing);
        assert_fired(&firing, &times_out, 1);
        assert_int_equal(fixture_usage(&f).records, 0);
        fixture_close(&f);
    }
}

static void test_timer_a_doubles_and_b_ends(void **state)
{
    const uint32_t expected[] = {500, 1500, 3500, 7500, 15500, 31500}; // seven requests with the first

    (void)state;
    resends(SIP_METHOD_INVITE, 0, expected, COUNT(expected), 32000);
}

static void test_timer_e_doubles_to_t2_and_f_ends(void **state)
{
    const uint32_t expected[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};

    (void)state;
    resends(SIP_METHOD_OPTIONS, 0, expected, COUNT(expected), 32000);
}

static void test_timer_e_is_t2_in_proceeding(void **state)
{
    const uint32_t expected[] = {500, 4500, 8500, 12500, 16500, 20500, 24500, 28500};

    (void)state;
    resends(SIP_METHOD_OPTIONS, 100, expected, COUNT(expected), 32000);
}

static void test_timer_d_follows_a_t1_above_500_ms(void **state)
{
    struct fixture f;
    struct transaction_timers slow = {1000, T2, T4, C};

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    transaction_table_time(f.table, &slow);
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, COMPLETED);

    assert_int_equal(transaction_client_timer(f.table, transaction, &transaction->first, f.now_ms + 63999),
                     0);
    assert_int_equal(transaction_client_timer(f.table, transaction, &transaction->first, f.now_ms + 64000),
                     ENDED);
    fixture_close(&f);
}

static void test_timer_d_is_never_below_32_s(void **state)
{
    struct fixture f;
    struct transaction_timers fast = {100, T2, T4, C};

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    transaction_table_time(f.table, &fast);
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, COMPLETED);

    assert_int_equal(transaction->first.ends_at, f.now_ms + 32000);
    fixture_close(&f);
}

static void test_timer_c_runs_from_the_request_and_101_to_199_restart_it(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_WRAP);
    uint64_t from = f.now_ms;
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_INVITE);
    struct transaction_branch *branch = &transaction->first;

    transaction_client_response(f.table, transaction, branch, 100, from + 3000);
    assert_int_equal(branch->ends_at, (uint32_t)(from + C));
    transaction_client_response(f.table, transaction, branch, 100, from + 4000);
    assert_int_equal(branch->ends_at, (uint32_t)(from + C));
    transaction_client_response(f.table, transaction, branch, 101, from + 5000);
    assert_int_equal(branch->ends_at, (uint32_t)(from + 5000 + C));
    transaction_client_response(f.table, transaction, branch, 199, from + 100000);
    assert_int_equal(branch->ends_at, (uint32_t)(from + 100000 + C));
    transaction_client_response(f.table, transaction, branch, 100, from + 110000);
    assert_int_equal(branch->ends_at, (uint32_t)(from + 100000 + C));
    fixture_close(&f);
}

static void test_timer_c_ends_the_branch_even_when_nobody_cancels(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, PROCEEDING);
    struct transaction_branch *branch = &transaction->first;

    f.now_ms += C;
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, f.now_ms), TRANSACTION_TIMER_C);
    assert_int_equal(transaction_client_response(f.table, transaction, branch, 180, f.now_ms),
                     PASS | TRANSACTION_CANCEL);
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, f.now_ms + 64 * T1 - 1), 0);
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, f.now_ms + 64 * T1),
                     TRANSACTION_TIMEOUT | ENDED);
    fixture_close(&f);
}

static void test_timer_c_can_be_answered_by_a_cancel(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, PROCEEDING);
    struct transaction_branch *branch = &transaction->first;

    f.now_ms += C;
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, f.now_ms), TRANSACTION_TIMER_C);
    assert_true(transaction_client_cancel(transaction, branch));
    transaction_client_cancelled(f.table, branch, f.now_ms);
    assert_int_equal(transaction_client_response(f.table, transaction, branch, 487, f.now_ms + 50),
                     PASS | TRANSACTION_ACK);
    assert_int_equal(branch->state, COMPLETED);
    fixture_close(&f);
}

static void test_cancel_waits_for_a_provisional_answer(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, CALLING);
    struct transaction_branch *branch = &transaction->first;

    assert_false(transaction_client_cancel(transaction, branch));
    transaction_client_cancelled(f.table, branch, f.now_ms); // it was not sent: nothing is noted
    assert_int_equal(branch->cancel_ends_at, TRANSACTION_NEVER);
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, f.now_ms + T1),
                     TRANSACTION_RESEND);
    assert_int_equal(transaction_client_response(f.table, transaction, branch, 100, f.now_ms + T1 + 1),
                     PASS | TRANSACTION_CANCEL);
    transaction_client_cancelled(f.table, branch, f.now_ms + T1 + 1);
    assert_int_equal(transaction_client_response(f.table, transaction, branch, 180, f.now_ms + T1 + 2), PASS);
    assert_false(transaction_client_cancel(transaction, branch)); // once is enough
    fixture_close(&f);
}

static void test_cancel_is_repeated_by_timer_e_until_its_f_ends_the_branch(void **state)
{
    const uint32_t expected[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    const uint32_t end = 64 * T1;
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_WRAP - 9000);
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, PROCEEDING);

    assert_true(transaction_client_cancel(transaction, &transaction->first));
    transaction_client_cancelled(f.table, &transaction->first, f.now_ms);
    struct firing firing = {.from_ms = f.now_ms, .actions = TRANSACTION_RESEND_CANCEL, .f = &f};

    assert_true(transaction_settle(f.table, transaction, f.now_ms));
    fixture_run(&f, end - 1, note, &firing);
    assert_fired(&firing, expected, COUNT(expected));
    firing = (struct firing){.from_ms = firing.from_ms, .actions = TRANSACTION_TIMEOUT, .f = &f};
    fixture_run(&f, TRANSACTION_TICK_MS, note, &firing);
    assert_fired(&firing, &end, 1);
    fixture_close(&f);
}

static void test_cancel_over_a_stream_is_sent_once(void **state)
{
    const uint32_t end = 64 * T1;
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    f.transport = TCP;
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, PROCEEDING);

    assert_true(transaction_client_cancel(transaction, &transaction->first));
    transaction_client_cancelled(f.table, &transaction->first, f.now_ms);
    struct firing firing = {.from_ms = f.now_ms, .actions = ~0u, .f = &f};

    assert_true(transaction_settle(f.table, transaction, f.now_ms));
    fixture_run(&f, end + TRANSACTION_TICK_MS, note, &firing);
    assert_fired(&firing, &end, 1); // 9.1: the 487 that never comes
    assert_int_equal(fixture_usage(&f).records, 0);
    fixture_close(&f);
}

// Nothing lingers: the record is gone with the next tick.
static void test_over_a_stream_a_record_ends_with_its_answer(void **state)
{
    static const struct {
        uint8_t method;
        uint16_t status;
    } cases[] = {{SIP_METHOD_OPTIONS, 200}, {SIP_METHOD_BYE, 481}, {SIP_METHOD_INVITE, 486}};

    (void)state;
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct fixture f;

        fixture_open(&f, 4, 0, FIXTURE_EARLY);
        f.transport = TLS;
        struct transaction *transaction = fixture_forward(&f, 1, cases[i].method);

        f.now_ms += 20;
        transaction_client_response(f.table, transaction, &transaction->first, cases[i].status, f.now_ms);
        transaction_server_respond(f.table, transaction, cases[i].status, f.now_ms);
        if (cases[i].method == SIP_METHOD_INVITE)
            transaction_server_ack(f.table, transaction, f.now_ms);
        assert_true(transaction_settle(f.table, transaction, f.now_ms));
        fixture_run(&f, 2 * TRANSACTION_TICK_MS, NULL, NULL);
        assert_int_equal(fixture_usage(&f).records, 0);
        fixture_close(&f);
    }
}

static void test_cancel_that_is_answered_is_not_repeated(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, PROCEEDING);
    struct transaction_branch *branch = &transaction->first;

    transaction_client_cancelled(f.table, branch, f.now_ms);
    transaction_client_cancel_answered(branch, 100); // Proceeding: T2
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, f.now_ms + T1),
                     TRANSACTION_RESEND_CANCEL);
    assert_int_equal(branch->cancel_at, f.now_ms + T1 + T2);
    transaction_client_cancel_answered(branch, 200);
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, f.now_ms + 31999), 0);
    // 9.1: the 487 that never comes
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, f.now_ms + 32000),
                     TRANSACTION_TIMEOUT | ENDED);
    fixture_close(&f);
}

static void test_ringing_does_not_prolong_what_was_cancelled(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = reach(&f, SIP_METHOD_INVITE, PROCEEDING);
    struct transaction_branch *branch = &transaction->first;
    uint32_t ends_at = branch->ends_at;

    transaction_client_cancel(transaction, branch);
    transaction_client_response(f.table, transaction, branch, 180, f.now_ms + 1000);
    assert_int_equal(branch->ends_at, ends_at);
    fixture_close(&f);
}

static void test_a_late_visit_repeats_once_and_not_in_a_burst(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, FIXTURE_EARLY);
    struct transaction *transaction = reach(&f, SIP_METHOD_OPTIONS, TRYING);
    struct transaction_branch *branch = &transaction->first;
    uint64_t late = f.now_ms + 9000;

    assert_int_equal(transaction_client_timer(f.table, transaction, branch, late), TRANSACTION_RESEND);
    assert_int_equal(branch->retransmit_at, late + 2 * T1);
    assert_int_equal(transaction_client_timer(f.table, transaction, branch, late), 0);
    fixture_close(&f);
}

static void test_a_deadline_is_never_the_number_that_says_none(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, 4, 0, (UINT64_C(1) << 32) - T1);
    struct transaction *transaction = fixture_forward(&f, 1, SIP_METHOD_INVITE);

    assert_int_equal(transaction->first.retransmit_at, 1);
    assert_int_equal(transaction_client_timer(f.table, transaction, &transaction->first, f.now_ms + T1 + 1),
                     TRANSACTION_RESEND);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest named[] = {
        cmocka_unit_test(test_timer_a_doubles_and_b_ends),
        cmocka_unit_test(test_timer_e_doubles_to_t2_and_f_ends),
        cmocka_unit_test(test_timer_e_is_t2_in_proceeding),
        cmocka_unit_test(test_timer_d_follows_a_t1_above_500_ms),
        cmocka_unit_test(test_timer_d_is_never_below_32_s),
        cmocka_unit_test(test_timer_c_runs_from_the_request_and_101_to_199_restart_it),
        cmocka_unit_test(test_timer_c_ends_the_branch_even_when_nobody_cancels),
        cmocka_unit_test(test_timer_c_can_be_answered_by_a_cancel),
        cmocka_unit_test(test_cancel_waits_for_a_provisional_answer),
        cmocka_unit_test(test_cancel_is_repeated_by_timer_e_until_its_f_ends_the_branch),
        cmocka_unit_test(test_cancel_over_a_stream_is_sent_once),
        cmocka_unit_test(test_over_a_stream_a_record_ends_with_its_answer),
        cmocka_unit_test(test_cancel_that_is_answered_is_not_repeated),
        cmocka_unit_test(test_ringing_does_not_prolong_what_was_cancelled),
        cmocka_unit_test(test_a_late_visit_repeats_once_and_not_in_a_burst),
        cmocka_unit_test(test_a_deadline_is_never_the_number_that_says_none),
    };
    struct CMUnitTest tests[COUNT(arrows)];

    for (unsigned i = 0; i < COUNT(arrows); i++)
        tests[i] = (struct CMUnitTest){
            .name = arrows[i].name, .test_func = test_arrow, .initial_state = (void *)(uintptr_t)&arrows[i]};
    return cmocka_run_group_tests(tests, NULL, NULL) + cmocka_run_group_tests(named, NULL, NULL);
}
