// When a record must be looked at next, and whether it only lingers.
#include "transaction/table.h"

#define AHEAD 4 // records that are prefetched before they are due

// Milliseconds from now, and negative for what has passed.
struct outlook {
    int32_t nearest; // deadline at which something is to be done; INT32_MAX: none
    int32_t latest;  // deadline until which retransmissions are absorbed; INT32_MIN: none
};

static void expect(struct outlook *outlook, uint32_t deadline, uint32_t now)
{
    int32_t after = (int32_t)(deadline - now);

    if (deadline != TRANSACTION_NEVER && after < outlook->nearest)
        outlook->nearest = after;
}

static void absorb(struct outlook *outlook, uint32_t deadline, uint32_t now)
{
    int32_t after = (int32_t)(deadline - now);

    if (after > outlook->latest)
        outlook->latest = after;
}

static void look_at_server(struct outlook *outlook, const struct transaction *transaction, uint32_t now)
{
    switch (transaction->state) {
    case TRANSACTION_SERVER_TRYING:
        if (transaction->pending_n > 0)
            expect(outlook, transaction->retransmit_at, now);
        break;
    case TRANSACTION_SERVER_COMPLETED:
        if (transaction_is_invite(transaction)) { // the ACK is still to come
            expect(outlook, transaction->retransmit_at, now);
            expect(outlook, transaction->ends_at, now);
            break;
        } // fall through
    case TRANSACTION_SERVER_CONFIRMED:
    case TRANSACTION_SERVER_ACCEPTED:
        absorb(outlook, transaction->ends_at, now);
        break;
    default:
        break;
    }
}

static void look_at_client(struct outlook *outlook, const struct transaction_branch *branch, uint32_t now)
{
    switch (branch->state) {
    case TRANSACTION_CLIENT_CALLING:
    case TRANSACTION_CLIENT_TRYING:
    case TRANSACTION_CLIENT_PROCEEDING:
        expect(outlook, branch->retransmit_at, now);
        expect(outlook, branch->ends_at, now);
        expect(outlook, branch->cancel_at, now);
        expect(outlook, branch->cancel_ends_at, now);
        expect(outlook, branch->answer_at, now);
        break;
    case TRANSACTION_CLIENT_COMPLETED:
    case TRANSACTION_CLIENT_ACCEPTED:
        absorb(outlook, branch->ends_at, now);
        break;
    default:
        break;
    }
}

static void wait_until(struct transaction_table *table, struct transaction *transaction, uint64_t now_ms,
                       int32_t after)
{
    uint64_t tick = after > 0 ? wheel_tick(now_ms + (uint32_t)after, TRANSACTION_TICK_MS)
                              : now_ms / TRANSACTION_TICK_MS + 1; // not again in this turn

    wheel_expect(&table->wheel, transaction_slot(table, transaction), &transaction->wheel_at, tick);
}

bool transaction_settle(struct transaction_table *table, struct transaction *transaction, uint64_t now_ms)
{
    struct outlook outlook = {INT32_MAX, INT32_MIN};
    uint32_t now = (uint32_t)now_ms;

    look_at_server(&outlook, transaction, now);
    for (struct transaction_branch *branch = &transaction->first; branch != NULL;
         branch = transaction_branch_after(table, branch))
        look_at_client(&outlook, branch, now);
    bool busy = outlook.nearest != INT32_MAX;

    if (!busy && outlook.latest == INT32_MIN)
        return false;
    if (busy || transaction->state <= TRANSACTION_SERVER_PROCEEDING)
        transaction_linger_not(table, transaction);
    else
        transaction_linger(table, transaction);
    wait_until(table, transaction, now_ms, busy ? outlook.nearest : outlook.latest);
    return true;
}

struct transaction *transaction_due(struct transaction_table *table, uint64_t now_ms)
{
    uint32_t slot = wheel_due(&table->wheel, now_ms / TRANSACTION_TICK_MS);

    if (slot == 0)
        return NULL;
    struct transaction *transaction = &table->records[slot];
    uint32_t ahead = slot;

    // The links of those before the last were read in the call before.
    for (unsigned i = 0; i < AHEAD; i++) {
        ahead = table->wheel.links[ahead].next;
        if (i == AHEAD / 2 - 1)
            transaction_prefetch_kept(&table->records[ahead]); // itself prefetched two calls before
    }
    __builtin_prefetch(&table->records[ahead], 1);
    __builtin_prefetch(&table->records[ahead].first, 1);
    transaction->wheel_at = WHEEL_NONE;
    return transaction;
}
