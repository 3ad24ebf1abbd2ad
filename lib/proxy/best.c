// Which of the final answers goes upstream: RFC 3261 16.7 steps 4, 6 and 7.
#include "proxy/core.h"

#define CHALLENGES_MAX 32 // header field lines of all challenges together
#define CHALLENGES_BYTES \
    (SIP_EDIT_TEXT / 2) // and of their text: the answer has other edits, and leaves at any rate

static bool is_challenge(uint16_t status)
{
    return status == 401 || status == 407;
}

// Lower is better. Any 6xx, then the lowest class; within it what tells the caller how to do better, and what says
// nothing last. Who took his request back hears just that.
static unsigned rank_of(const struct transaction *transaction, uint16_t status)
{
    unsigned class = status / 100;

    if (class == 6)
        return 0;
    if (transaction->cancelled && status == 487)
        return 1;
    switch (status) {
    case 401:
    case 407:
    case 415:
    case 420:
    case 484:
        return class * 10;
    case 408: // mostly made here
    case 430: // the same
    case 487: // of a branch that we cancelled ourselves
    case 503: // goes up as 500
        return class * 10 + 2;
    default:
        return class * 10 + 1;
    }
}

static struct transaction_branch *best_of(struct proxy_event *event)
{
    uint16_t best = event->transaction->best;

    return best == UINT16_MAX ? NULL
                              : transaction_branch_at(event->role->transactions, event->transaction, best);
}

static bool is_better(struct proxy_event *event, uint16_t status)
{
    const struct transaction_branch *best = best_of(event);

    return best == NULL || rank_of(event->transaction, status) < rank_of(event->transaction, best->status);
}

static struct buffer *copy_in_hand(struct proxy_event *event)
{
    struct role *role = event->role;

    if (event->response == NULL)
        return NULL;
    sip_edits_clear(&role->spare);
    sip_edits_remove(&role->spare, event->cut.at, event->cut.len);
    proxy_upstream_note(event, &role->spare);
    return role->outlet.copy(role->outlet.owner, slice_of(event->response->bytes, event->response->len),
                             &role->spare, NULL);
}

void proxy_best_copy(struct proxy_event *event, struct transaction_branch *branch)
{
    if (branch->response == NULL)
        branch->response = copy_in_hand(event);
}

// Only the best one is kept, and every challenge beside it.
void proxy_best_keep(struct proxy_event *event, struct transaction_branch *branch, uint16_t status)
{
    struct transaction_branch *best = best_of(event);

    if (is_better(event, status)) {
        if (best != NULL && best != branch && !is_challenge(best->status))
            proxy_buffer_release(event->role, &best->response);
        event->transaction->best = branch->number;
    } else if (!is_challenge(status)) {
        proxy_buffer_release(event->role, &branch->response);
        return;
    }
    proxy_best_copy(event, branch);
}

struct challenges {
    unsigned n, bytes;
    struct slice line[CHALLENGES_MAX]; // with their ends, in buffers that are kept
};

static void collect(struct proxy_event *event, struct buffer *buffer, struct challenges *challenges)
{
    static const enum sip_header headers[] = {SIP_HEADER_WWW_AUTHENTICATE, SIP_HEADER_PROXY_AUTHENTICATE};
    const struct sip_message *response = event->role->outlet.index(event->role->outlet.owner, buffer);

    for (unsigned i = 0; response != NULL && i < sizeof(headers) / sizeof(*headers); i++) {
        SIP_FOREACH_LINE(line, response, headers[i]) {
            uint16_t at = response->lines[line].name;
            unsigned len = (unsigned)(sip_message_line_end(response, line) - at);
            if (challenges->n == CHALLENGES_MAX || challenges->bytes + len > CHALLENGES_BYTES)
                continue;
            challenges->bytes += len;
            challenges->line[challenges->n++] = slice_of(response->bytes + at, len);
        }
    }
}

// Step 7: those of all branches but the one whose answer is sent.
static void collect_others(struct proxy_event *event, const struct transaction_branch *sent,
                           struct challenges *challenges)
{
    struct transaction_branch *branch = NULL;

    challenges->n = challenges->bytes = 0;
    while ((branch = transaction_branch_next(event->role->transactions, event->transaction, branch)) !=
           NULL) {
        if (branch != sent && is_challenge(branch->status) && branch->response != NULL)
            collect(event, branch->response, challenges);
    }
}

// What is changed in the chosen answer: the others' challenges, and a 503 becomes a 500 (step 6), for it says nothing
// of this server.
static void note_chosen(const struct sip_message *response, const struct challenges *challenges,
                        struct sip_edits *edits)
{
    if (response->status == 503)
        sip_edits_replace(edits, 0, response->lines[0].name, SLICE("SIP/2.0 500 Server Internal Error\r\n"));
    if (challenges->n == 0)
        return;
    sip_edits_begin(edits, response->lines[response->lines_n].name, 0);
    for (unsigned i = 0; i < challenges->n; i++)
        sip_edits_put(edits, challenges->line[i]);
    sip_edits_end(edits);
}

static void send_in_hand(struct proxy_event *event, const struct transaction_branch *branch)
{
    struct challenges challenges = {.n = 0};
    uint16_t status = event->response->status;

    if (is_challenge(status))
        collect_others(event, branch, &challenges);
    if (proxy_upstream_in_hand(event, status == 503 ? 500 : status))
        note_chosen(event->response, &challenges, event->edits);
}

static void send_kept(struct proxy_event *event, struct transaction_branch *branch)
{
    struct role *role = event->role;
    struct challenges challenges = {.n = 0};
    struct buffer *buffer = branch->response;
    uint16_t status = branch->status;

    if (is_challenge(status))
        collect_others(event, branch, &challenges);
    branch->response = NULL;
    const struct sip_message *response = NULL;
    if (status == 503 || challenges.n > 0)
        response = role->outlet.index(role->outlet.owner, buffer);
    if (response != NULL) {
        sip_edits_clear(&role->spare);
        note_chosen(response, &challenges, &role->spare);
        struct buffer *changed = role->outlet.copy(
            role->outlet.owner, slice_of(response->bytes, response->len), &role->spare, NULL);
        if (changed != NULL) {
            role->outlet.release(role->outlet.owner, buffer);
            buffer = changed;
            status = status == 503 ? 500 : status;
        }
    }
    proxy_upstream_buffer(event, buffer, status);
}

// RFC 3261 16.7 step 6: none came, or none could be kept.
static void send_own(struct proxy_event *event, uint16_t status)
{
    const struct transaction *transaction = event->transaction;

    if (transaction->cancelled && (status == 0 || status == 408))
        status = 487;
    if (status == 0)
        status = 408;
    if (status == 503)
        status = 500;
    // RFC 5626 5.3.1 says so to who sends along a flow; to others it is a user who is not there
    if (status == 430 && !transaction->in_dialog)
        status = 480;
    proxy_upstream_own(event, status);
}

void proxy_best_send(struct proxy_event *event, struct transaction_branch *last, uint16_t status)
{
    struct transaction_branch *best = best_of(event);
    bool last_wins = last != NULL && (best == NULL || best == last || is_better(event, status));
    struct transaction_branch *winner = last_wins ? last : best;

    if (last_wins && event->response != NULL) {
        send_in_hand(event, last);
    } else {
        if (last != NULL && is_challenge(status)) // its challenge goes with the best one
            proxy_best_copy(event, last);
        if (winner != NULL && winner->response != NULL)
            send_kept(event, winner);
        else
            send_own(event, last_wins ? status : winner != NULL ? winner->status : 0);
        proxy_event_drop(event, DROP_RESPONSE_KEPT);
    }
    proxy_account_final(event, winner, event->transaction->status);
}
