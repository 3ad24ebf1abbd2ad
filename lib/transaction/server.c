// The server transactions: RFC 3261 17.2 as RFC 6026 and RFC 4320 changed it.
#include "transaction/table.h"

// The end of a state that only absorbs has come, though nobody has visited the record yet.
static bool is_over(const struct transaction *transaction, uint64_t now_ms)
{
    bool absorbs =
        transaction->state == TRANSACTION_SERVER_CONFIRMED ||
        transaction->state == TRANSACTION_SERVER_ACCEPTED ||
        (transaction->state == TRANSACTION_SERVER_COMPLETED && !transaction_is_invite(transaction));

    return absorbs && transaction_is_due(transaction->ends_at, now_ms);
}

unsigned transaction_server_request(struct transaction_table *table, struct transaction *transaction,
                                    uint64_t now_ms)
{
    (void)table;
    if (is_over(transaction, now_ms) || transaction->status == 0)
        return TRANSACTION_ABSORB;
    switch (transaction->state) {
    case TRANSACTION_SERVER_PROCEEDING: // 17.2.1, 17.2.2
    case TRANSACTION_SERVER_COMPLETED:
        return TRANSACTION_RESEND;
    default: // CONFIRMED: only for late ones. ACCEPTED: the callee itself repeats its 2xx (RFC 6026 7.1)
        return TRANSACTION_ABSORB;
    }
}

unsigned transaction_server_ack(struct transaction_table *table, struct transaction *transaction,
                                uint64_t now_ms)
{
    switch (transaction->state) {
    case TRANSACTION_SERVER_COMPLETED:
        if (transaction_is_invite(transaction)) {
            transaction->state = TRANSACTION_SERVER_CONFIRMED;
            transaction->ends_at =
                transaction_absorb_until(&transaction->reply_to, now_ms, table->timers.t4_ms); // I
        }
        return TRANSACTION_ABSORB;
    case TRANSACTION_SERVER_ACCEPTED:
        return TRANSACTION_PASS; // RFC 6026 7.1
    default:
        return TRANSACTION_ABSORB;
    }
}

static unsigned respond_to_invite(const struct transaction_table *table, struct transaction *transaction,
                                  uint16_t status, uint64_t now_ms)
{
    if (transaction->state != TRANSACTION_SERVER_PROCEEDING) {
        // A 2xx goes upstream whatever was answered before (RFC 3261 16.7 step 5), as long as there is
        // somebody who waits for it (RFC 6026 8.3).
        bool late = status / 100 == 2 && transaction->state != TRANSACTION_SERVER_TERMINATED &&
                    !is_over(transaction, now_ms);
        return late ? TRANSACTION_PASS : TRANSACTION_ABSORB;
    }
    transaction->status = status;
    if (status < 200)
        return TRANSACTION_PASS;
    transaction->ends_at = transaction_deadline(now_ms, 64 * table->timers.t1_ms); // H, L
    if (status < 300) {
        transaction->state = TRANSACTION_SERVER_ACCEPTED;
        return TRANSACTION_PASS;
    }
    transaction->state = TRANSACTION_SERVER_COMPLETED;
    transaction->interval = table->timers.t1_ms;
    transaction->retransmit_at =
        transaction_repeat_at(&transaction->reply_to, now_ms, transaction->interval); // G
    return TRANSACTION_PASS;
}

static unsigned respond_to_other(const struct transaction_table *table, struct transaction *transaction,
                                 uint16_t status, uint64_t now_ms)
{
    if (transaction->state > TRANSACTION_SERVER_PROCEEDING)
        return TRANSACTION_ABSORB; // 17.2.2: any other final responses are discarded
    if (status < 200) {
        // RFC 4320 4.1: no other one than 100, and that, where it may be lost, not before its time.
        bool early = !endpoint_is_stream(&transaction->reply_to) &&
                     transaction->retransmit_at != TRANSACTION_NEVER &&
                     !transaction_is_due(transaction->retransmit_at, now_ms);
        if (status != 100 || early)
            return TRANSACTION_ABSORB;
        transaction->state = TRANSACTION_SERVER_PROCEEDING;
        transaction->status = status;
        return TRANSACTION_PASS;
    }
    transaction->state = TRANSACTION_SERVER_COMPLETED;
    transaction->ends_at =
        transaction_absorb_until(&transaction->reply_to, now_ms, 64 * table->timers.t1_ms); // J
    if (status == 408) {
        // RFC 4320 4.2: never sent. What was sent before is not sent again either.
        transaction->status = 0;
        return TRANSACTION_ABSORB;
    }
    transaction->status = status;
    return TRANSACTION_PASS;
}

unsigned transaction_server_respond(struct transaction_table *table, struct transaction *transaction,
                                    uint16_t status, uint64_t now_ms)
{
    if (transaction_is_invite(transaction))
        return respond_to_invite(table, transaction, status, now_ms);
    return respond_to_other(table, transaction, status, now_ms);
}

static unsigned end(struct transaction *transaction, unsigned why)
{
    transaction->state = TRANSACTION_SERVER_TERMINATED;
    return why | TRANSACTION_ENDED;
}

static unsigned wait_for_ack(const struct transaction_table *table, struct transaction *transaction,
                             uint64_t now_ms)
{
    if (transaction_is_due(transaction->ends_at, now_ms))
        return end(transaction, TRANSACTION_TIMEOUT); // H
    if (!transaction_is_due(transaction->retransmit_at, now_ms))
        return 0;
    transaction->interval = transaction_doubled(table, transaction->interval);
    transaction->retransmit_at =
        transaction_deadline_again(transaction->retransmit_at, transaction->interval, now_ms);
    return TRANSACTION_RESEND; // G
}

unsigned transaction_server_timer(struct transaction_table *table, struct transaction *transaction,
                                  uint64_t now_ms)
{
    switch (transaction->state) {
    case TRANSACTION_SERVER_TRYING:
        if (!transaction_is_due(transaction->retransmit_at, now_ms))
            return 0;
        transaction->retransmit_at = TRANSACTION_NEVER;
        return TRANSACTION_TRYING;
    case TRANSACTION_SERVER_COMPLETED:
        if (transaction_is_invite(transaction))
            return wait_for_ack(table, transaction, now_ms);
        break;
    }
    return is_over(transaction, now_ms) ? end(transaction, 0) : 0; // I, J, L
}
