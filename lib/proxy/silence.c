// Branches that do not answer in time: gateways that are silent, telephones that only ring.
#include "proxy/core.h"

void proxy_branch_reclaim(struct proxy_event *event, struct transaction_branch *branch)
{
    event->transaction->breadth = (uint8_t)(event->transaction->breadth + branch->breadth);
    branch->breadth = 0;
}

// One that never said a word is given up at once: a CANCEL cannot reach it yet (RFC 3261 9.1), nobody is to wait for
// it, and it is not asked again, or what comes back to life later would take up what another one has by then. Should it
// speak later it is cancelled then; should it be a 2xx, that goes upstream. One that rings will say 487.
static void give_up(struct proxy_event *event, struct transaction_branch *branch)
{
    branch->answer_at = TRANSACTION_NEVER;
    proxy_branch_cancel(event, branch, PROXY_CANCEL_SILENT);
    if (branch->status != 0)
        return;
    transaction_client_forgo(branch);
    proxy_account_heard(event, branch, 408);
    branch->status = 408;
    proxy_branch_reclaim(event, branch);
}

void proxy_branches_give_up(struct proxy_event *event, unsigned before)
{
    struct transaction_branch *branch = NULL;

    while ((branch = transaction_branch_next(event->role->transactions, event->transaction, branch)) !=
           NULL) {
        if (branch->number < before && proxy_branch_waits(branch))
            give_up(event, branch);
    }
}

// A silent gateway is passed over where there is another one; where there is none it has its time.
static void pass_over(struct proxy_event *event, struct transaction_branch *branch)
{
    uint8_t breadth = branch->breadth;

    branch->status = 408; // nobody waits for it, and what it had may be shared out
    proxy_branch_reclaim(event, branch);
    bool next = proxy_branches_next(event, 408);
    branch->status = 0;
    if (next) {
        give_up(event, branch);
        return;
    }
    branch->breadth = breadth;
    event->transaction->breadth = (uint8_t)(event->transaction->breadth - breadth);
}

void proxy_branch_unanswered(struct proxy_event *event, struct transaction_branch *branch)
{
    branch->answer_at = TRANSACTION_NEVER;
    if (!proxy_branch_waits(branch))
        return;
    if (branch->gateway != GATEWAY_NONE)
        pass_over(event, branch);
    else if (!proxy_branches_next(event, 0) && proxy_branches_waiting(event) == 0 &&
             !proxy_is_answered(event->transaction)) // they made room for somebody who cannot be asked
        proxy_best_send(event, NULL, 0);
}
