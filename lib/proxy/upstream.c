// Responses on their way back through a record: RFC 3261 16.7.
#include "proxy/core.h"
#include "role/trust.h"
#include "sip/reply.h"

void proxy_event_drop(struct proxy_event *event, enum drop reason)
{
    if (event->verdict != NULL)
        *event->verdict = (struct verdict){.kind = VERDICT_DROP, .drop = (uint8_t)reason};
}

static bool is_invite(const struct transaction *transaction)
{
    return transaction->method == SIP_METHOD_INVITE;
}

// What every response gets on its way to the caller, beside its Via.
void proxy_upstream_note(struct proxy_event *event, struct sip_edits *edits)
{
    proxy_identity_note_response(event->role, event->response, event->arrival, &event->transaction->reply_to,
                                 edits);
    proxy_contact_note(event->role, event->response, &event->arrival->source, edits);
    proxy_length_note(event->response, &event->transaction->reply_to, edits);
}

bool proxy_upstream_in_hand(struct proxy_event *event, uint16_t status)
{
    struct role *role = event->role;
    struct transaction *transaction = event->transaction;
    unsigned actions = transaction_server_respond(role->transactions, transaction, status, event->now.ms);
    bool answers = is_invite(transaction) && status / 100 == 2;

    if (!(actions & TRANSACTION_PASS)) {
        proxy_event_drop(event, DROP_RESPONSE_LATE);
        return false;
    }
    // what it takes the place of makes room for it
    if (!answers)
        proxy_buffer_release(role, &transaction->response);
    // RFC 6026 7.1: in Accepted nobody asks for it again, the callee repeats it himself
    bool keeps = !answers &&
                 (is_invite(transaction) ? role->outlet.room(role->outlet.owner, 1) : proxy_may_linger(role));
    if (status >= 200 && (keeps || answers)) // else proxy_upstream_again makes an answer of it
        proxy_buffer_release(role, &transaction->original);
    sip_edits_remove(event->edits, event->cut.at, event->cut.len);
    proxy_upstream_note(event, event->edits);
    *event->verdict = (struct verdict){
        .to = transaction->reply_to,
        .keep = keeps ? &transaction->response : NULL,
        .kind = VERDICT_FORWARD,
        .listener = transaction->listener,
    };
    return true;
}

bool proxy_upstream_buffer(struct proxy_event *event, struct buffer *buffer, uint16_t status)
{
    struct role *role = event->role;
    struct transaction *transaction = event->transaction;

    if (buffer == NULL)
        return false;
    if (!(transaction_server_respond(role->transactions, transaction, status, event->now.ms) &
          TRANSACTION_PASS)) {
        role->outlet.release(role->outlet.owner, buffer);
        return false;
    }
    proxy_buffer_release(role, &transaction->response);
    transaction->response = buffer;
    role->outlet.send(role->outlet.owner, buffer, &transaction->reply_to, transaction->listener, status);
    if (!is_invite(transaction) && status >= 200 && !proxy_may_linger(role))
        proxy_buffer_release(role, &transaction->response);
    return true;
}

// A kept message that has the caller's Vias and what else an answer repeats. `*ours`: our own Via is on top of them.
static struct buffer *answerable(struct proxy_event *event, bool *ours)
{
    struct transaction *transaction = event->transaction;
    struct transaction_branch *branch = NULL;

    *ours = false;
    if (transaction->response != NULL)
        return transaction->response;
    if (transaction->original != NULL)
        return transaction->original;
    *ours = true;
    while ((branch = transaction_branch_next(event->role->transactions, transaction, branch)) != NULL) {
        if (branch->request != NULL)
            return branch->request;
    }
    return NULL;
}

static struct buffer *make_own(struct proxy_event *event, uint16_t status)
{
    struct role *role = event->role;
    char tag[PROXY_TAG_LEN];
    bool ours;
    struct buffer *kept = answerable(event, &ours);
    const struct sip_message *message = kept != NULL ? role->outlet.index(role->outlet.owner, kept) : NULL;

    if (message == NULL)
        return NULL;
    proxy_transaction_tag(role, event->transaction, tag);
    const struct sip_reply reply = {
        .status = status,
        .to_tag = status > 100 ? slice_of(tag, PROXY_TAG_LEN) : SLICE(""),
        .lines = role_route_server_line(role->route),
    };
    sip_edits_clear(&role->spare);
    sip_reply_note(message, &reply, &role->spare);
    if (ours) {
        uint16_t at = message->lines[0].name;
        sip_edits_remove(&role->spare, at, (uint16_t)(sip_message_line_end(message, 0) - at));
    }
    return role->outlet.copy(role->outlet.owner, slice_of(message->bytes, message->len), &role->spare, NULL);
}

void proxy_upstream_own(struct proxy_event *event, uint16_t status)
{
    struct role *role = event->role;
    struct transaction *transaction = event->transaction;
    struct buffer *own = make_own(event, status);

    if (own != NULL) {
        proxy_upstream_buffer(event, own, status);
        return;
    }
    // No buffer is left. What it would be made of stays, and proxy_upstream_again makes it when it is sent again.
    transaction_server_respond(role->transactions, transaction, status, event->now.ms);
    if (transaction->original == NULL)
        transaction->original = transaction->response;
    else
        proxy_buffer_release(role, &transaction->response);
    transaction->response = NULL;
}

void proxy_upstream_again(struct proxy_event *event)
{
    struct role *role = event->role;
    struct transaction *transaction = event->transaction;

    if (transaction->response == NULL && transaction->original != NULL)
        transaction->response = make_own(event, transaction->status);
    if (transaction->response != NULL)
        role->outlet.send(role->outlet.owner, transaction->response, &transaction->reply_to,
                          transaction->listener, transaction->status);
}

bool proxy_branch_waits(const struct transaction_branch *branch)
{
    return branch->state >= TRANSACTION_CLIENT_CALLING && branch->state <= TRANSACTION_CLIENT_PROCEEDING &&
           branch->status < 200;
}

unsigned proxy_branches_waiting(struct proxy_event *event)
{
    struct transaction_branch *branch = NULL;
    unsigned n = 0;

    while ((branch = transaction_branch_next(event->role->transactions, event->transaction, branch)) != NULL)
        n += proxy_branch_waits(branch);
    return n;
}

void proxy_branch_failed(struct proxy_event *event, struct transaction_branch *branch, uint16_t status)
{
    struct transaction *transaction = event->transaction;
    bool redirects = status / 100 == 3 && event->role->conf->recursion;

    branch->answer_at = TRANSACTION_NEVER;
    branch->status = status;
    proxy_branch_reclaim(event, branch);
    proxy_account_heard(event, branch, status);
    if (proxy_is_answered(transaction)) { // the caller has his answer
        proxy_event_drop(event, DROP_RESPONSE_KEPT);
        return;
    }
    if (status >= 600) { // 16.7 step 5
        transaction->has_6xx = true;
        proxy_branches_cancel(event, PROXY_CANCEL_SILENT);
    }
    if (redirects)
        proxy_best_copy(event, branch);
    bool next = proxy_branches_next(event, status);
    if (!next && proxy_branches_waiting(event) == 0) {
        proxy_best_send(event, branch, status);
        return;
    }
    if (!branch->followed)
        proxy_best_keep(event, branch, status);
    proxy_event_drop(event, DROP_RESPONSE_KEPT);
}

// 16.7 step 5, and step 10 for what else is on its way.
static void pass_good(struct proxy_event *event, struct transaction_branch *branch)
{
    bool first = !proxy_is_answered(event->transaction);

    if (first)
        proxy_account_heard(event, branch, event->response->status);
    if (proxy_upstream_in_hand(event, event->response->status) && first) {
        proxy_account_final(event, branch, event->response->status);
        proxy_branches_cancel(event, PROXY_CANCEL_ANSWERED);
    }
}

static void pass(struct proxy_event *event, struct transaction_branch *branch, bool given_up)
{
    uint16_t status = event->response->status;

    if (status == 100) { // 16.7 step 5: never
        proxy_event_drop(event, DROP_TRYING);
    } else if (status < 200) {
        // RFC 4320 4.1: none but 100 to what is no INVITE
        if (is_invite(event->transaction))
            proxy_upstream_in_hand(event, status);
        else
            proxy_event_drop(event, DROP_TRYING);
    } else if (status < 300) {
        pass_good(event, branch);
    } else if (given_up) { // another one has its place
        branch->status = status;
        proxy_event_drop(event, DROP_RESPONSE_KEPT);
    } else {
        proxy_branch_failed(event, branch, status);
    }
}

// A gateway that says anything at all is there; a telephone that rings does so for its time.
static void heard(struct transaction_branch *branch, uint16_t status)
{
    if (branch->gateway != GATEWAY_NONE || status >= 200)
        branch->answer_at = TRANSACTION_NEVER;
}

static void take(struct proxy_event *event, struct transaction_branch *branch)
{
    struct role *role = event->role;
    uint16_t status = event->response->status;
    bool given_up = branch->status >= 300;
    unsigned actions =
        transaction_client_response(role->transactions, event->transaction, branch, status, event->now.ms);

    heard(branch, status);
    if (actions & TRANSACTION_CANCEL)
        proxy_cancel_send(event, branch, proxy_cancel_reason(event->transaction));
    if (actions & TRANSACTION_ACK)
        proxy_acknowledge(event, branch);
    if (actions & TRANSACTION_PASS)
        pass(event, branch, given_up);
    else
        proxy_event_drop(event, DROP_RESPONSE_REPEATED);
}

void proxy_response_match(struct proxy_event *event, const struct role_branch *via,
                          const struct sip_cseq *cseq)
{
    struct role *role = event->role;
    struct transaction *transaction = transaction_at(role->transactions, via->slot, role_branch_check(via));

    if (transaction == NULL) { // RFC 6026 8.2: too late, or made up
        proxy_event_drop(event, DROP_RESPONSE_UNKNOWN);
        return;
    }
    struct transaction_branch *branch =
        transaction_branch_at(role->transactions, transaction, role_branch_number(via));
    bool to_cancel = is_invite(transaction) && cseq->method == SIP_METHOD_CANCEL;
    if (branch == NULL || (!to_cancel && cseq->method != transaction->method)) { // 17.1.3
        proxy_event_drop(event, DROP_RESPONSE_FORGED);
        return;
    }
    event->transaction = transaction;
    if (to_cancel) {
        transaction_client_cancel_answered(branch, event->response->status);
        proxy_event_drop(event, DROP_RESPONSE_TO_CANCEL);
    } else {
        take(event, branch);
    }
    proxy_event_end(event);
}
