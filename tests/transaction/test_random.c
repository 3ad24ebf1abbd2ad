// Any events in any order: whatever happens to a record, it ends after its timers and nothing that was kept
// is left.
//
// A small proxy core stands in for the role: it does what the actions say, or sometimes, like one that has no
// memory left, does not.
#include "fixture.h"

#include <stdlib.h>

enum { EVENTS = 200000, ROUNDS = 6, RECORDS = 96, BRANCHES = 64, KEYS = 200 };

// The longest that a record may live when nothing happens to it any more: C, what ends a branch that nobody
// cancels then, and D or H behind it.
#define LONGEST_MS (C + 64 * T1 + 64 * T1 + 1000)

struct core {
    struct fixture f;
    uint64_t random;
    int64_t kept; // buffers
    uint64_t events, passed, timed_out, cancelled, evicted, closed;
};

static uint64_t below(struct core *core, uint64_t n)
{
    return random_next(&core->random) % n;
}

static bool one_in(struct core *core, uint64_t n)
{
    return below(core, n) == 0;
}

// Any address does: the room never looks.
static void keep(struct core *core, struct buffer **at)
{
    core->kept += *at == NULL;
    *at = (struct buffer *)core;
}

static void release(struct core *core, struct buffer **at)
{
    core->kept -= *at != NULL;
    *at = NULL;
}

static void release_all(struct core *core, struct transaction *transaction)
{
    release(core, &transaction->response);
    release(core, &transaction->original);
    for (struct transaction_branch *branch = NULL;
         (branch = transaction_branch_next(core->f.table, transaction, branch)) != NULL;) {
        release(core, &branch->request);
        release(core, &branch->extra);
        release(core, &branch->response);
    }
}

static void evict(void *owner, struct transaction *transaction)
{
    struct core *core = owner;

    assert_true(transaction->lingers);
    assert_int_equal(transaction->pending_n, 0);
    release_all(core, transaction);
    core->evicted++;
}

static void check(struct core *core, struct transaction *transaction)
{
    unsigned pending = 0;

    for (struct transaction_branch *branch = NULL;
         (branch = transaction_branch_next(core->f.table, transaction, branch)) != NULL;)
        pending +=
            branch->state >= TRANSACTION_CLIENT_CALLING && branch->state <= TRANSACTION_CLIENT_PROCEEDING;
    assert_int_equal(transaction->pending_n, pending);
}

static void settle(struct core *core, struct transaction *transaction)
{
    check(core, transaction);
    if (transaction_settle(core->f.table, transaction, core->f.now_ms))
        return;
    release_all(core, transaction);
    transaction_close(core->f.table, transaction);
    core->closed++;
}

static void respond(struct core *core, struct transaction *transaction, uint16_t status)
{
    unsigned actions = transaction_server_respond(core->f.table, transaction, status, core->f.now_ms);

    if ((actions & TRANSACTION_PASS) != 0 && transaction->status == status) {
        keep(core, &transaction->response);
        core->passed++;
    }
}

static void cancel(struct core *core, struct transaction *transaction, struct transaction_branch *branch)
{
    if (!transaction_client_cancel(transaction, branch) || one_in(core, 10))
        return;
    keep(core, &branch->extra);
    transaction_client_cancelled(core->f.table, branch, core->f.now_ms);
    core->cancelled++;
}

static void cancel_all(struct core *core, struct transaction *transaction)
{
    for (struct transaction_branch *branch = NULL;
         (branch = transaction_branch_next(core->f.table, transaction, branch)) != NULL;)
        cancel(core, transaction, branch);
}

static void begin_branch(struct core *core, struct transaction *transaction)
{
    struct transaction_branch *branch = transaction_branch_add(core->f.table, transaction);

    if (branch == NULL)
        return;
    branch->to.transport = below(core, ENDPOINT_TRANSPORTS) & 0xf;
    keep(core, &branch->request);
    transaction_client_begin(core->f.table, transaction, branch, core->f.now_ms);
}

// What the core does with what a client transaction says.
static void act(struct core *core, struct transaction *transaction, struct transaction_branch *branch,
                unsigned actions)
{
    if ((actions & TRANSACTION_ACK) != 0) {
        release(core, &branch->request);
        keep(core, &branch->extra);
    }
    if ((actions & (TRANSACTION_CANCEL | TRANSACTION_TIMER_C)) != 0)
        cancel(core, transaction, branch);
    if ((actions & TRANSACTION_RESEND) != 0)
        assert_non_null(branch->request);
    if ((actions & TRANSACTION_RESEND_CANCEL) != 0)
        assert_non_null(branch->extra);
    bool over = (actions & (TRANSACTION_TIMEOUT | TRANSACTION_ENDED)) != 0;

    core->timed_out += (actions & TRANSACTION_TIMEOUT) != 0;
    if ((actions & TRANSACTION_PASS) == 0 && !over)
        return;
    uint16_t status = over ? 408 : branch->status;

    if (over && one_in(core, 3))
        begin_branch(core, transaction); // the next gateway
    else if (status / 100 == 1 || status / 100 == 2 || transaction->pending_n == 0)
        respond(core, transaction, status);
    if (status / 100 == 2)
        cancel_all(core, transaction);
}

static void request(struct core *core)
{
    static const uint8_t methods[] = {SIP_METHOD_INVITE, SIP_METHOD_INVITE, SIP_METHOD_BYE,
                                      SIP_METHOD_OPTIONS};
    uint8_t method = methods[below(core, 4)];
    struct hash128 key = fixture_key(below(core, KEYS));
    struct transaction *transaction = transaction_find(core->f.table, key, method);

    if (transaction != NULL) {
        if (transaction_server_request(core->f.table, transaction, core->f.now_ms) == TRANSACTION_RESEND)
            assert_non_null(transaction->response);
        settle(core, transaction);
        return;
    }
    transaction = transaction_open(core->f.table, key, method, core->f.now_ms, evict, core);
    if (transaction == NULL)
        return;
    transaction->check = key.low;
    transaction->reply_to.transport = below(core, ENDPOINT_TRANSPORTS) & 0xf;
    if (one_in(core, 30))
        return; // forgotten: neither begun nor settled
    if (method == SIP_METHOD_INVITE)
        respond(core, transaction, 100);
    for (uint64_t n = one_in(core, 4) ? below(core, 5) : 1; n > 0; n--)
        begin_branch(core, transaction);
    if (one_in(core, 20))
        respond(core, transaction, 404);
    settle(core, transaction);
}

// Any record, by what its Via would carry, or a forged one leads nowhere. NULL: none is there.
static struct transaction *any(struct core *core)
{
    static const uint8_t methods[] = {SIP_METHOD_INVITE, SIP_METHOD_BYE, SIP_METHOD_OPTIONS};
    struct hash128 key = fixture_key(below(core, KEYS));
    struct transaction *transaction = transaction_find(core->f.table, key, methods[below(core, 3)]);

    assert_null(transaction_at(core->f.table, (uint32_t)below(core, RECORDS + 2), key.high));
    if (transaction == NULL)
        return NULL;
    uint32_t slot = transaction_slot(core->f.table, transaction);

    assert_ptr_equal(transaction_at(core->f.table, slot, key.low), transaction);
    return transaction;
}

static void response(struct core *core)
{
    static const uint16_t statuses[] = {100, 100, 180, 180, 183, 183, 199, 100, 180,
                                        200, 202, 302, 401, 408, 486, 487, 503, 603};
    struct transaction *transaction = any(core);

    if (transaction == NULL)
        return;
    struct transaction_branch *branch = transaction_branch_at(
        core->f.table, transaction, (unsigned)below(core, transaction->branches_n + 1u));

    if (branch == NULL)
        return;
    uint16_t status = statuses[below(core, sizeof(statuses) / sizeof(statuses[0]))];

    if (one_in(core, 8))
        transaction_client_cancel_answered(branch, status);
    else if (one_in(core, 20))
        act(core, transaction, branch, transaction_client_error(transaction, branch));
    else
        act(core, transaction, branch,
            transaction_client_response(core->f.table, transaction, branch, status, core->f.now_ms));
    settle(core, transaction);
}

static void ack_or_cancel(struct core *core)
{
    bool ack = one_in(core, 2);
    struct transaction *transaction = transaction_find(core->f.table, fixture_key(below(core, KEYS)),
                                                       ack ? SIP_METHOD_ACK : SIP_METHOD_CANCEL);

    if (transaction == NULL)
        return;
    if (ack)
        transaction_server_ack(core->f.table, transaction, core->f.now_ms);
    else
        cancel_all(core, transaction);
    settle(core, transaction);
}

static void turn(struct core *core)
{
    struct transaction *transaction;

    while ((transaction = transaction_due(core->f.table, core->f.now_ms)) != NULL) {
        unsigned actions = transaction_server_timer(core->f.table, transaction, core->f.now_ms);

        if ((actions & TRANSACTION_RESEND) != 0)
            assert_non_null(transaction->response);
        if ((actions & TRANSACTION_TRYING) != 0)
            respond(core, transaction, 100);
        for (struct transaction_branch *branch = NULL;
             (branch = transaction_branch_next(core->f.table, transaction, branch)) != NULL;)
            act(core, transaction, branch,
                transaction_client_timer(core->f.table, transaction, branch, core->f.now_ms));
        settle(core, transaction);
    }
}

static void pass_time(struct core *core)
{
    static const uint32_t steps[] = {0, 1, 1, 2, 10, 50, 300, 2000};
    uint32_t ms = steps[below(core, 8)];

    core->f.now_ms += one_in(core, 2000) ? below(core, 300000) : ms;
    turn(core);
}

static void event(struct core *core)
{
    uint64_t kind = below(core, 20);

    core->events++;
    if (kind < 4)
        request(core);
    else if (kind < 12)
        response(core);
    else if (kind < 15)
        ack_or_cancel(core);
    else
        pass_time(core);
}

static void test_every_record_ends_whatever_happens(void **state)
{
    uint64_t events = 0;

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct core core = {.random = round};

        fixture_open(&core.f, RECORDS, BRANCHES, FIXTURE_WRAP - round * UINT64_C(20000000));
        while (core.events < EVENTS)
            event(&core);
        struct transaction_usage usage = fixture_usage(&core.f);

        // All of it was met.
        assert_true(usage.opened > EVENTS / 50 && usage.refused > 0);
        assert_true(core.evicted > 100 && core.evicted == usage.evicted);
        assert_true(core.passed > 1000 && core.timed_out > 1000 && core.cancelled > 300);
        assert_int_equal(usage.opened, usage.records + core.closed + core.evicted);
        for (uint64_t end = core.f.now_ms + LONGEST_MS; core.f.now_ms < end; core.f.now_ms += 50) {
            // No further targets: they would be new requests.
            struct transaction *transaction;

            while ((transaction = transaction_due(core.f.table, core.f.now_ms)) != NULL) {
                transaction_server_timer(core.f.table, transaction, core.f.now_ms);
                for (struct transaction_branch *branch = NULL;
                     (branch = transaction_branch_next(core.f.table, transaction, branch)) != NULL;)
                    transaction_client_timer(core.f.table, transaction, branch, core.f.now_ms);
                settle(&core, transaction);
            }
        }
        usage = fixture_usage(&core.f);
        assert_int_equal(usage.records, 0);
        assert_int_equal(usage.lingering, 0);
        assert_int_equal(usage.branches, 0);
        assert_int_equal(core.kept, 0);
        events += core.events;
        fixture_close(&core.f);
    }
    assert_true(events >= 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_record_ends_whatever_happens)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
