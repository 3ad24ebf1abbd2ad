// The client transactions: RFC 3261 17.1 as RFC 6026 changed it, with Timer C (16.6 step 11) and the CANCEL
// (9.1).
#include "transaction/table.h"

// RFC 6026 8.4: the peer's T1 is not known, so Timer D has a floor of its own.
#define D_MIN_MS 32000

static bool is_pending(const struct transaction_branch *branch)
{
    return branch->state >= TRANSACTION_CLIENT_CALLING && branch->state <= TRANSACTION_CLIENT_PROCEEDING;
}

// Leaves whatever state it is in for one that waits for nothing but its end.
static void rest(struct transaction *transaction, struct transaction_branch *branch,
                 enum transaction_client state, uint32_t ends_at)
{
    if (is_pending(branch))
        transaction->pending_n--;
    branch->state = (uint8_t)state;
    branch->ends_at = ends_at;
    branch->retransmit_at = TRANSACTION_NEVER;
    branch->cancel_at = TRANSACTION_NEVER;
    branch->cancel_ends_at = TRANSACTION_NEVER;
}

static unsigned end(struct transaction *transaction, struct transaction_branch *branch, unsigned why)
{
    rest(transaction, branch, TRANSACTION_CLIENT_TERMINATED, TRANSACTION_NEVER);
    return why | TRANSACTION_ENDED;
}

void transaction_client_begin(struct transaction_table *table, struct transaction *transaction,
                              struct transaction_branch *branch, uint64_t now_ms)
{
    uint32_t t1 = table->timers.t1_ms;

    branch->state =
        transaction_is_invite(transaction) ? TRANSACTION_CLIENT_CALLING : TRANSACTION_CLIENT_TRYING;
    branch->interval = t1;
    branch->retransmit_at = transaction_repeat_at(&branch->to, now_ms, t1); // A, E
    branch->ends_at = transaction_deadline(now_ms, 64 * t1);                // B, F
    transaction->pending_n++;
}

static unsigned invite_provisional(const struct transaction_table *table, struct transaction_branch *branch,
                                   uint16_t status, uint64_t now_ms)
{
    if (branch->state == TRANSACTION_CLIENT_CALLING) {
        branch->state = TRANSACTION_CLIENT_PROCEEDING;
        branch->retransmit_at = TRANSACTION_NEVER;
        // C has run since the request was sent, behind B, which is over now (16.6 step 11).
        branch->ends_at =
            transaction_deadline(branch->ends_at - 64 * table->timers.t1_ms, table->timers.c_ms);
    }
    // 16.7 step 2. Once it is to be cancelled no ringing prolongs it.
    if (status > 100 && !branch->cancelled)
        branch->ends_at = transaction_deadline(now_ms, table->timers.c_ms);
    bool cancel = branch->cancelled && branch->cancel_ends_at == TRANSACTION_NEVER;

    return TRANSACTION_PASS | (cancel ? TRANSACTION_CANCEL : 0); // 9.1
}

static unsigned invite_pending(const struct transaction_table *table, struct transaction *transaction,
                               struct transaction_branch *branch, uint16_t status, uint64_t now_ms)
{
    uint32_t b = 64 * table->timers.t1_ms;

    if (status < 200)
        return invite_provisional(table, branch, status, now_ms);
    if (status < 300) {
        rest(transaction, branch, TRANSACTION_CLIENT_ACCEPTED, transaction_deadline(now_ms, b)); // M
        return TRANSACTION_PASS;
    }
    rest(transaction, branch, TRANSACTION_CLIENT_COMPLETED,
         transaction_absorb_until(&branch->to, now_ms, b > D_MIN_MS ? b : D_MIN_MS)); // D
    return TRANSACTION_PASS | TRANSACTION_ACK;
}

static unsigned other_pending(const struct transaction_table *table, struct transaction *transaction,
                              struct transaction_branch *branch, uint16_t status, uint64_t now_ms)
{
    if (status < 200)
        branch->state = TRANSACTION_CLIENT_PROCEEDING; // E goes on, with T2 once it fires
    else
        rest(transaction, branch, TRANSACTION_CLIENT_COMPLETED,
             transaction_absorb_until(&branch->to, now_ms, table->timers.t4_ms)); // K
    return TRANSACTION_PASS;
}

unsigned transaction_client_response(struct transaction_table *table, struct transaction *transaction,
                                     struct transaction_branch *branch, uint16_t status, uint64_t now_ms)
{
    bool invite = transaction_is_invite(transaction);

    if (is_pending(branch)) {
        branch->status = status;
        return invite ? invite_pending(table, transaction, branch, status, now_ms)
                      : other_pending(table, transaction, branch, status, now_ms);
    }
    // The record may not have been visited yet since D, K or M.
    if (!invite || transaction_is_due(branch->ends_at, now_ms))
        return TRANSACTION_ABSORB;
    if (branch->state != TRANSACTION_CLIENT_ACCEPTED && branch->state != TRANSACTION_CLIENT_COMPLETED)
        return TRANSACTION_ABSORB;
    // RFC 6026 7.2: a 2xx again, or another one of those who were forked to downstream; one of these may
    // follow a negative answer, too (RFC 3261 16.7 step 5).
    if (status / 100 == 2)
        return TRANSACTION_PASS;
    bool again = status >= 300 && branch->state == TRANSACTION_CLIENT_COMPLETED;

    return TRANSACTION_ABSORB | (again ? TRANSACTION_ACK : 0);
}

bool transaction_client_cancel(struct transaction *transaction, struct transaction_branch *branch)
{
    // 9.1: only an INVITE, only one without a final answer, and not before a provisional one.
    if (!transaction_is_invite(transaction) || !is_pending(branch))
        return false;
    branch->cancelled = true;
    return branch->state == TRANSACTION_CLIENT_PROCEEDING && branch->cancel_ends_at == TRANSACTION_NEVER;
}

void transaction_client_cancelled(struct transaction_table *table, struct transaction_branch *branch,
                                  uint64_t now_ms)
{
    uint32_t t1 = table->timers.t1_ms;

    if (branch->state != TRANSACTION_CLIENT_PROCEEDING)
        return;
    branch->cancelled = true;
    branch->interval = t1;
    branch->cancel_at = transaction_repeat_at(&branch->to, now_ms, t1);
    branch->cancel_ends_at = transaction_deadline(now_ms, 64 * t1);
}

void transaction_client_cancel_answered(struct transaction_branch *branch, uint16_t status)
{
    if (status >= 200)
        branch->cancel_at = TRANSACTION_NEVER;
    else
        branch->interval = UINT32_MAX; // Proceeding: from now on T2
}

void transaction_client_forgo(struct transaction_branch *branch)
{
    branch->retransmit_at = TRANSACTION_NEVER;
}

static unsigned pending_timer(const struct transaction_table *table, struct transaction *transaction,
                              struct transaction_branch *branch, uint64_t now_ms)
{
    bool invite = transaction_is_invite(transaction);
    unsigned actions = 0;

    if (transaction_is_due(branch->cancel_ends_at, now_ms))
        return end(transaction, branch, TRANSACTION_TIMEOUT); // 9.1: considered cancelled
    if (transaction_is_due(branch->ends_at, now_ms)) {
        if (!invite || branch->state == TRANSACTION_CLIENT_CALLING || branch->cancelled)
            return end(transaction, branch, TRANSACTION_TIMEOUT); // B, F
        // C. Should nobody cancel it, it ends as if somebody had.
        branch->cancelled = true;
        branch->ends_at = transaction_deadline(now_ms, 64 * table->timers.t1_ms);
        return TRANSACTION_TIMER_C;
    }
    if (transaction_is_due(branch->retransmit_at, now_ms)) {
        if (invite)
            branch->interval *= 2;
        else if (branch->state == TRANSACTION_CLIENT_TRYING)
            branch->interval = transaction_doubled(table, branch->interval);
        else
            branch->interval = table->timers.t2_ms;
        branch->retransmit_at = transaction_deadline_again(branch->retransmit_at, branch->interval, now_ms);
        actions |= TRANSACTION_RESEND;
    }
    if (transaction_is_due(branch->cancel_at, now_ms)) {
        branch->interval = transaction_doubled(table, branch->interval);
        branch->cancel_at = transaction_deadline_again(branch->cancel_at, branch->interval, now_ms);
        actions |= TRANSACTION_RESEND_CANCEL;
    }
    return actions;
}

unsigned transaction_client_timer(struct transaction_table *table, struct transaction *transaction,
                                  struct transaction_branch *branch, uint64_t now_ms)
{
    if (is_pending(branch))
        return pending_timer(table, transaction, branch, now_ms);
    if (transaction_is_due(branch->ends_at, now_ms))
        return end(transaction, branch, 0); // D, K, M
    return 0;
}

unsigned transaction_client_error(struct transaction *transaction, struct transaction_branch *branch)
{
    bool invite = transaction_is_invite(transaction);

    if (branch->state == TRANSACTION_CLIENT_CALLING || (!invite && is_pending(branch)))
        return end(transaction, branch, TRANSACTION_PASS);
    if (invite && branch->state == TRANSACTION_CLIENT_COMPLETED)
        return end(transaction, branch, 0);
    // An INVITE that somebody answers has arrived: what ICMP says then is late, or a lie.
    return 0;
}
