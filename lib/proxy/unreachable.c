// What ICMP says of requests that were sent (RFC 3261 16.9, 18.4).
#include "proxy/core.h"
#include "proxy/probe.h"

// "METHOD " at the front of what is quoted: a CANCEL and an ACK have the branch of their INVITE.
static bool is_of(struct slice quoted, const struct transaction *transaction)
{
    struct slice method = slice_of(quoted.at, slice_find(quoted, ' '));

    return sip_method_of(method) == (enum sip_method)transaction->method;
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
        proxy_branch_failed(&event, branch, 503);
    proxy_event_end(&event);
    return true;
}
