// Taking requests back: RFC 3261 9 and 16.10.
#include "proxy/core.h"
#include "sip/reply.h"

// What of a request as it was sent also stands in its CANCEL and its ACK (9.1, 17.1.1.3): our Via, which is its first
// line, and these.
#define SHARED                                                                      \
    (1ull << SIP_HEADER_FROM | 1ull << SIP_HEADER_TO | 1ull << SIP_HEADER_CALL_ID | \
     1ull << SIP_HEADER_CSEQ | 1ull << SIP_HEADER_MAX_FORWARDS | 1ull << SIP_HEADER_ROUTE)

static void replace_value(const struct sip_message *message, unsigned line, struct slice value,
                          struct sip_edits *edits)
{
    sip_edits_replace(edits, message->lines[line].value, message->lines[line].len, value);
}

// "314159 INVITE" with another method behind the number.
static void note_cseq(const struct sip_message *message, unsigned line, struct slice method,
                      struct sip_edits *edits)
{
    struct slice value = sip_message_value(message, line);
    struct sip_cseq cseq;

    if (sip_cseq_parse(value, &cseq) != SIP_OK)
        return; // it was parsed when it came
    sip_edits_replace(edits, (uint16_t)(cseq.method_text.at - message->bytes), (uint16_t)cseq.method_text.len,
                      method);
}

void proxy_hop_request_note(const struct sip_message *sent, struct slice method, struct slice to,
                            struct slice lines, struct sip_edits *edits)
{
    sip_edits_replace(edits, sent->method_text.at, sent->method_text.len, method);
    for (unsigned line = 1; line < sent->lines_n; line++) {
        uint8_t id = sent->lines[line].id;
        uint16_t at = sent->lines[line].name;
        if (!(SHARED >> id & 1))
            sip_edits_remove(edits, at, (uint16_t)(sip_message_line_end(sent, line) - at));
        else if (id == SIP_HEADER_CSEQ)
            note_cseq(sent, line, method, edits);
        else if (id == SIP_HEADER_TO && to.at != NULL)
            replace_value(sent, line, to, edits);
    }
    uint16_t end = sent->lines[sent->lines_n].name;
    sip_edits_begin(edits, end, (uint16_t)(sent->len - end));
    sip_edits_put(edits, lines);
    sip_edits_put(edits, SLICE("Content-Length: 0\r\n\r\n"));
    sip_edits_end(edits);
}

// RFC 3326: who is told that it was answered elsewhere does not show a missed call. What the caller's own CANCEL says
// goes on with it (2: SHOULD).
static void put_reasons(struct proxy_event *event, enum proxy_cancel why, struct role_text *lines)
{
    struct role *role = event->role;
    struct buffer *cancel = event->transaction->cancel;
    const struct sip_message *said = NULL;

    role_text_begin(lines);
    if (why == PROXY_CANCEL_ANSWERED)
        role_text_put(lines, SLICE("Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"));
    if (why == PROXY_CANCEL_CALLER && cancel != NULL)
        said = role->outlet.index(role->outlet.owner, cancel);
    if (said == NULL)
        return;
    SIP_FOREACH_LINE(line, said, SIP_HEADER_REASON) {
        uint16_t at = said->lines[line].name;
        role_text_put(lines, slice_of(said->bytes + at, (size_t)(sip_message_line_end(said, line) - at)));
    }
}

static void make(struct proxy_event *event, struct transaction_branch *branch, enum proxy_cancel why)
{
    struct role *role = event->role;
    struct role_text reasons;

    put_reasons(event, why, &reasons);
    const struct sip_message *sent =
        branch->request != NULL ? role->outlet.index(role->outlet.owner, branch->request) : NULL;
    if (sent == NULL)
        return;
    sip_edits_clear(&role->spare);
    proxy_hop_request_note(sent, SLICE("CANCEL"), (struct slice){NULL, 0}, role_text_slice(&reasons),
                           &role->spare);
    branch->extra =
        role->outlet.copy(role->outlet.owner, slice_of(sent->bytes, sent->len), &role->spare, NULL);
}

static void send_cancel(struct proxy_event *event, const struct transaction_branch *branch)
{
    struct role *role = event->role;

    if (branch->extra != NULL)
        role->outlet.send(role->outlet.owner, branch->extra, &branch->to, branch->listener, 0);
}

void proxy_cancel_send(struct proxy_event *event, struct transaction_branch *branch, enum proxy_cancel why)
{
    proxy_buffer_release(event->role, &branch->extra);
    make(event, branch, why);
    send_cancel(event, branch);
    // also where it could not be made: proxy_cancel_again sees to that
    transaction_client_cancelled(event->role->transactions, branch, event->now.ms);
}

void proxy_cancel_again(struct proxy_event *event, struct transaction_branch *branch)
{
    if (branch->extra == NULL)
        make(event, branch, proxy_cancel_reason(event->transaction));
    send_cancel(event, branch);
}

void proxy_branch_cancel(struct proxy_event *event, struct transaction_branch *branch, enum proxy_cancel why)
{
    if (transaction_client_cancel(event->transaction, branch))
        proxy_cancel_send(event, branch, why);
}

void proxy_branches_cancel(struct proxy_event *event, enum proxy_cancel why)
{
    struct transaction_branch *branch = NULL;

    while ((branch = transaction_branch_next(event->role->transactions, event->transaction, branch)) !=
           NULL) {
        if (proxy_branch_waits(branch))
            proxy_branch_cancel(event, branch, why);
    }
}

// Its own server transaction is not kept: an answer to the same CANCEL is always the same.
static void answer(struct role_request *request, const struct transaction *transaction)
{
    char tag[PROXY_TAG_LEN];

    proxy_transaction_tag(request->role, transaction, tag);
    const struct sip_reply reply = {
        .status = 200,
        .to_tag = slice_of(tag, PROXY_TAG_LEN),
        .to = &request->to,
        .lines = role_route_server_line(request->role->route),
    };
    role_request_stamp(request);
    sip_reply_note(request->message, &reply, request->edits);
    *request->verdict = (struct verdict){
        .to = role_answer_endpoint(request),
        .status = 200,
        .kind = VERDICT_REPLY,
        .listener = request->arrival->listener,
    };
}

static void keep_reason(struct role_request *request, struct transaction *transaction)
{
    struct role *role = request->role;
    const struct sip_message *message = request->message;

    if (!sip_message_has(message, SIP_HEADER_REASON) || !role->outlet.room(role->outlet.owner, 1))
        return;
    sip_edits_clear(&role->spare);
    transaction->cancel =
        role->outlet.copy(role->outlet.owner, slice_of(message->bytes, message->len), &role->spare, NULL);
}

void proxy_cancel(struct role_request *request, struct transaction *transaction)
{
    struct proxy_event event = {
        .role = request->role,
        .transaction = transaction,
        .now = request->arrival->now,
    };

    answer(request, transaction);
    if (transaction->cancelled || proxy_is_answered(transaction)) // 9.2: no effect
        return;
    transaction->cancelled = true;
    keep_reason(request, transaction);
    proxy_branches_cancel(&event, PROXY_CANCEL_CALLER);
    if (proxy_branches_waiting(&event) == 0)
        proxy_best_send(&event, NULL, 0);
    proxy_event_end(&event);
}
