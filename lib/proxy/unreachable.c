// What ICMP says of requests that were sent (RFC 3261 16.9, 18.4).
#include "proxy/core.h"
#include "proxy/probe.h"

// "METHOD " at the front of what is quoted: a CANCEL and an ACK have the branch of their INVITE.
static bool is_of(struct slice quoted, const struct transaction *transaction)
{
    struct slice method = slice_of(quoted.at, slice_find(quoted, ' '));

    return sip_method_of(method) == (enum sip_method)transaction->method;
}

// What a branch ends with that did not reach its target: as if 503 had come (16.9); 430 where the target was a
// connection that is gone (RFC 5626 5.3.1).
static uint16_t status_of(const struct transaction_branch *branch)
{
    return branch->to.flow != 0 ? 430 : 503;
}

// RFC 3261 18.1.1: what went over a stream for being large alone, and finds nobody there, goes by UDP after all.
static bool shrinks(struct proxy_event *event, struct transaction_branch *branch)
{
    if (!branch->by_size || proxy_is_answered(event->transaction))
        return false;
    branch->size_failed = true;
    branch->answer_at = TRANSACTION_NEVER;
    branch->status = 503;
    proxy_branch_reclaim(event, branch);
    event->shrinks = true;
    bool begun = proxy_branches_next(event, 503);
    event->shrinks = false;
    event->role->shrunk += begun;
    return begun;
}

static void fail(struct proxy_event *event, struct transaction_branch *branch)
{
    if (!shrinks(event, branch))
        proxy_branch_failed(event, branch, status_of(branch));
}

// Our Via is the first in every request that leaves. The 56 bits in it were seen by nobody off the path, so no stranger
// ends a transaction with an ICMP error of his own.
bool proxy_unreachable(struct role *role, struct slice quoted, const struct clock *now)
{
    struct role_branch via;
    struct slice rest;

    if (slice_starts(quoted, SLICE("SIP/2.0 ")) || !role_branch_find(quoted, &via, &rest))
        return false;
    if (via.slot == ROLE_BRANCH_PROBE)
        return proxy_probe_unreachable(role, &via, now);
    if (role->transactions == NULL)
        return false;
    struct transaction *transaction = transaction_at(role->transactions, via.slot, role_branch_check(&via));
    struct transaction_branch *branch =
        transaction == NULL
            ? NULL
            : transaction_branch_at(role->transactions, transaction, role_branch_number(&via));
    if (branch == NULL || !is_of(quoted, transaction))
        return false;
    struct proxy_event event = {.role = role, .transaction = transaction, .now = *now};
    bool given_up = branch->status >= 300;
    if ((transaction_client_error(transaction, branch) & TRANSACTION_PASS) && !given_up)
        fail(&event, branch);
    proxy_event_end(&event);
    return true;
}
