// What time does to records (RFC 3261 17, 16.8), and how they end.
#include "proxy/core.h"
#include "proxy/probe.h"

#define TURN_MAX 64 // records visited in a turn; what is left over is due in the next

void proxy_buffer_release(struct role *role, struct buffer **buffer)
{
    if (*buffer != NULL)
        role->outlet.release(role->outlet.owner, *buffer);
    *buffer = NULL;
}

// What is only kept for repetitions, for half a minute each, may take three quarters of the room and no more: what is
// new finds some at any rate.
bool proxy_may_linger(const struct role *role)
{
    return role->outlet.room(role->outlet.owner, role->conf->kept_max / role->workers_n / 4 + 1);
}

static bool has_ended(const struct transaction_branch *branch)
{
    return branch->state > TRANSACTION_CLIENT_PROCEEDING;
}

// A message is kept as long as somebody may ask for it.
static void trim_branch(struct proxy_event *event, struct transaction_branch *branch)
{
    struct role *role = event->role;
    bool completed = branch->state == TRANSACTION_CLIENT_COMPLETED;
    bool invite = event->transaction->method == SIP_METHOD_INVITE;

    if (proxy_is_answered(event->transaction))
        proxy_buffer_release(role, &branch->response);
    if (!has_ended(branch) || (completed && invite)) // the ACK may have to be made, or sent, again
        return;
    proxy_buffer_release(role, &branch->request);
    proxy_buffer_release(role, &branch->extra);
}

static void trim(struct proxy_event *event)
{
    struct role *role = event->role;
    struct transaction *transaction = event->transaction;
    struct transaction_branch *branch = NULL;

    while ((branch = transaction_branch_next(role->transactions, transaction, branch)) != NULL)
        trim_branch(event, branch);
    bool silent = transaction->method == SIP_METHOD_INVITE && transaction->response == NULL &&
                  transaction->state == TRANSACTION_SERVER_COMPLETED;
    if (proxy_is_answered(transaction) && !silent) // see proxy_upstream_own
        proxy_buffer_release(role, &transaction->original);
    if (transaction->cancelled && proxy_is_answered(transaction)) // in a line that is rarely asked for
        proxy_buffer_release(role, &transaction->cancel);
    if (transaction->state == TRANSACTION_SERVER_CONFIRMED ||
        transaction->state == TRANSACTION_SERVER_ACCEPTED)
        proxy_buffer_release(role, &transaction->response);
}

static void release_all(struct role *role, struct transaction *transaction)
{
    struct transaction_branch *branch = NULL;

    while ((branch = transaction_branch_next(role->transactions, transaction, branch)) != NULL) {
        proxy_buffer_release(role, &branch->request);
        proxy_buffer_release(role, &branch->extra);
        proxy_buffer_release(role, &branch->response);
    }
    proxy_buffer_release(role, &transaction->original);
    proxy_buffer_release(role, &transaction->response);
    if (transaction->cancelled)
        proxy_buffer_release(role, &transaction->cancel);
}

void proxy_record_evict(void *owner, struct transaction *transaction)
{
    release_all(owner, transaction);
}

// It was answered, and its answer was not kept: who repeats his request must be heard, so it is forwarded anew.
static bool is_mute(const struct proxy_event *event)
{
    const struct transaction *transaction = event->transaction;
    bool to_be_kept = event->verdict != NULL && event->verdict->keep == &event->transaction->response;

    return transaction->method != SIP_METHOD_INVITE && transaction->state == TRANSACTION_SERVER_COMPLETED &&
           transaction->status >= 200 && transaction->response == NULL && !to_be_kept;
}

void proxy_event_end(struct proxy_event *event)
{
    struct role *role = event->role;

    trim(event);
    if (!is_mute(event) && transaction_settle(role->transactions, event->transaction, event->now.ms))
        return;
    if (event->verdict != NULL) // nobody is left who would release it
        event->verdict->keep = NULL;
    proxy_account_lost(role, event->transaction, &event->now);
    release_all(role, event->transaction);
    transaction_close(role->transactions, event->transaction);
    event->transaction = NULL;
}

static void send_again(struct role *role, struct buffer *buffer, const struct transaction_branch *branch)
{
    if (buffer != NULL)
        role->outlet.send(role->outlet.owner, buffer, &branch->to, branch->listener, 0);
}

static void time_branch(struct proxy_event *event, struct transaction_branch *branch)
{
    struct role *role = event->role;
    bool given_up = branch->status >= 300;
    unsigned actions =
        transaction_client_timer(role->transactions, event->transaction, branch, event->now.ms);

    if (actions & TRANSACTION_RESEND)
        send_again(role, branch->request, branch);
    if (actions & TRANSACTION_RESEND_CANCEL)
        proxy_cancel_again(event, branch);
    if (actions & TRANSACTION_TIMER_C) // 16.8
        proxy_branch_cancel(event, branch, PROXY_CANCEL_SILENT);
    if ((actions & TRANSACTION_TIMEOUT) && !given_up)
        proxy_branch_failed(event, branch, 408);
    if (transaction_is_due(branch->answer_at, event->now.ms))
        proxy_branch_unanswered(event, branch);
}

static void visit(struct role *role, struct transaction *transaction, const struct clock *now)
{
    struct proxy_event event = {.role = role, .transaction = transaction, .now = *now};
    struct transaction_branch *branch = NULL;
    unsigned actions = transaction_server_timer(role->transactions, transaction, now->ms);

    if (actions & TRANSACTION_RESEND)
        proxy_upstream_again(&event);
    if (actions & TRANSACTION_TRYING) // RFC 4320 4.1
        proxy_upstream_own(&event, 100);
    while ((branch = transaction_branch_next(role->transactions, transaction, branch)) != NULL)
        time_branch(&event, branch);
    proxy_event_end(&event);
}

void proxy_turn(struct role *role, const struct clock *now)
{
    struct transaction *transaction;

    if (role->transactions != NULL) {
        for (unsigned n = 0;
             n < TURN_MAX && (transaction = transaction_due(role->transactions, now->ms)) != NULL; n++)
            visit(role, transaction, now);
    }
    proxy_probe_turn(role, now);
    proxy_account_turn(role, now);
}
