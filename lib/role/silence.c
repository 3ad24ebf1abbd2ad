// Branches that do not answer in time: gateways that are silent, telephones that only ring.
#include "role/proxy.h"

void role_branch_reclaim(struct role_event *event, struct transaction_branch *branch)
{
    event->transaction->breadth = (uint8_t)(event->transaction->breadth + branch->breadth);
    branch->breadth = 0;
}

// One that never said a word is given up at once: a CANCEL cannot reach it yet (RFC 3261 9.1), nobody is to wait for
// it, and it is not asked again, or what comes back to life later would take up what another one has by then. Should it
// speak later it is cancelled then; should it be a 2xx, that goes upstream. One that rings will say 487.
static void give_up(struct role_event *event, struct transaction_branch *branch)
{
    branch->answer_at = TRANSACTION_NEVER;
    role_branch_cancel(event, branch, ROLE_CANCEL_SILENT);
    if (branch->status != 0)
        return;
    transaction_client_forgo(branch);
    role_account_heard(event, branch, 408);
    branch->status = 408;
    role_branch_reclaim(event, branch);
}

void role_branches_give_up(struct role_event *event, unsigned before)
{
    struct transaction_branch *branch = NULL;

    while ((branch = transaction_branch_next(event->role->transactions, event->transaction, branch)) !=
           NULL) {
        if (branch->number < before && role_branch_waits(branch))
            give_up(event, branch);
    }
}

// A silent gateway is passed over where there is another one; where there is none it has its time.
static void pass_over(struct role_event *event, struct transaction_branch *branch)
{
    uint8_t breadth = branch->breadth;

    branch->status = 408; // nobody waits for it, and what it had may be shared out
    role_branch_reclaim(event, branch);
    bool next = role_branches_next(event, 408);
    branch->status = 0;
    if (next) {
        give_up(event, branch);
        return;
    }
    branch->breadth = breadth;
    event->transaction->breadth = (uint8_t)(event->transaction->breadth - breadth);
}

void role_branch_unanswered(struct role_event *event, struct transaction_branch *branch)
{
    branch->answer_at = TRANSACTION_NEVER;
    if (!role_branch_waits(branch))
        return;
    if (branch->gateway != GATEWAY_NONE)
        pass_over(event, branch);
    else if (!role_branches_next(event, 0) && role_branches_waiting(event) == 0 &&
             !role_is_answered(event->transaction)) // they made room for somebody who cannot be asked
        role_best_send(event, NULL, 0);
}
