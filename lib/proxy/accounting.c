// What calls and gateways are told of what happens to a request.
#include "call/call.h"
#include "proxy/core.h"
#include "role/digest.h"
#include "role/policy.h"

static bool is_invite(const struct transaction *transaction)
{
    return transaction->method == SIP_METHOD_INVITE;
}

static void note_rule(struct call *call, const char *name)
{
    size_t len = strnlen(name, CALL_RULE_MAX);

    memcpy(call->rule, name, len);
    call->rule[len] = 0;
}

// An attempt is an INVITE that makes a dialog; one within a call belongs to that.
void proxy_account_begin(struct role_request *request, struct transaction *transaction)
{
    struct role *role = request->role;
    const struct sip_message *message = request->message;
    const struct slice text[CALL_TEXTS] = {
        [CALL_CALL_ID] = request->call_id,
        [CALL_FROM] = request->from.uri.text,
        [CALL_TO] = request->to.uri.text,
        [CALL_URI] = sip_message_span(message, message->uri),
    };

    if (role->calls == NULL || !is_invite(transaction) || request->to_tag.at != NULL)
        return;
    transaction->call = call_begin(role->calls, &request->arrival->now, text, &request->arrival->source);
    struct call *call = transaction->call == CALL_NONE ? NULL : call_at(role->calls, transaction->call);
    if (call != NULL && transaction->route != UINT16_MAX)
        note_rule(call, role->conf->routes[transaction->route].name);
}

static struct call *call_of(struct role *role, const struct transaction *transaction)
{
    return role->calls == NULL || transaction->call == CALL_NONE ? NULL
                                                                 : call_at(role->calls, transaction->call);
}

static void carry(struct role *role, uint16_t gateway, int more)
{
    if (role->gateways != NULL && gateway != GATEWAY_NONE)
        gateway_call(role->gateways, gateway, role->worker, more);
}

static void carry_over(struct role *role, struct call *call, uint16_t gateway)
{
    if (call->gateway == gateway)
        return;
    carry(role, call->gateway, -1);
    carry(role, gateway, 1);
    call->gateway = gateway;
}

// A gateway carries the attempts that are followed, from being chosen to their end. What is not followed does not
// count: nobody would hear of its end.
void proxy_account_branch(struct role *role, struct transaction *transaction,
                          const struct transaction_branch *branch)
{
    struct call *call = call_of(role, transaction);

    if (call == NULL)
        return;
    call->tries++;
    call->hop = branch->to;
    carry_over(role, call, branch->gateway);
}

// Good is any answer but those that say the gateway itself is in trouble.
void proxy_account_heard(struct proxy_event *event, struct transaction_branch *branch, uint16_t status)
{
    struct role *role = event->role;

    if (branch->gateway != GATEWAY_NONE)
        gateway_heard(role->policy->gateways, branch->gateway, role->worker, status != 408 && status != 503,
                      event->now.ms);
}

static void finish(struct role *role, uint32_t slot, const struct clock *now, enum call_end end,
                   uint16_t code)
{
    const struct call *call = call_at(role->calls, slot);

    if (call == NULL)
        return;
    carry(role, call->gateway, -1);
    call_end(role->calls, slot, now, end, code);
}

// Of its tags, whoever of the two speaks.
static uint64_t dialog_of(const struct role *role, struct slice tag, struct slice other)
{
    uint64_t dialog = role_digest_mix(role->secret.k0, tag) + role_digest_mix(role->secret.k0, other);

    return dialog != 0 ? dialog : 1;
}

static struct slice tag_in(const struct sip_message *message, enum sip_header id)
{
    struct sip_address address;

    bool tagged =
        sip_address_parse(sip_message_first(message, id), &address) == SIP_OK && address.tag.at != NULL;

    return tagged ? sip_address_tag(&address) : SLICE("");
}

static uint64_t dialog_in(const struct role *role, const struct sip_message *message)
{
    return dialog_of(role, tag_in(message, SIP_HEADER_FROM), tag_in(message, SIP_HEADER_TO));
}

static void end_dialog(struct role *role, struct slice call_id, uint64_t dialog, const struct clock *now)
{
    uint32_t slot = role->calls == NULL ? CALL_NONE : call_find(role->calls, call_id, dialog);
    const struct call *call = slot == CALL_NONE ? NULL : call_at(role->calls, slot);

    if (call != NULL && call->answer_ms != 0)
        finish(role, slot, now, CALL_COMPLETED, 0);
}

// A BYE in another dialog of the same Call-ID, a fork's second answer or one that is made up and gets its 481, leaves
// the call alone.
void proxy_account_bye(struct role_request *request)
{
    const struct slice from_tag = request->from_tag.at != NULL ? request->from_tag : SLICE("");
    const struct slice to_tag = request->to_tag.at != NULL ? request->to_tag : SLICE("");

    if (request->role->calls != NULL)
        end_dialog(request->role, request->call_id, dialog_of(request->role, from_tag, to_tag),
                   &request->arrival->now);
}

// RFC 3261 15.1.1: these, and silence, end a session; a challenge does not.
static void end_by_bye(struct proxy_event *event, const struct transaction_branch *branch, uint16_t status)
{
    struct role *role = event->role;
    const struct sip_message *message = event->response;

    if (status / 100 != 2 && status != 481 && status != 408 && status != 0)
        return;
    if (message == NULL && branch != NULL && branch->request != NULL)
        message = role->outlet.index(role->outlet.owner, branch->request);
    if (message != NULL)
        end_dialog(role, sip_message_first(message, SIP_HEADER_CALL_ID), dialog_in(role, message),
                   &event->now);
}

// The answer that the caller got, 0: none. `branch`: who gave it, NULL: this server.
void proxy_account_final(struct proxy_event *event, const struct transaction_branch *branch, uint16_t status)
{
    struct role *role = event->role;
    struct transaction *transaction = event->transaction;
    uint32_t slot = transaction->call;

    if (transaction->method == SIP_METHOD_BYE && role->calls != NULL)
        end_by_bye(event, branch, status);
    if (call_of(role, transaction) == NULL || status < 200)
        return;
    transaction->call = CALL_NONE; // from now on it is found by its Call-ID
    if (status < 300 && branch != NULL) {
        struct call *call = call_at(role->calls, slot);
        carry_over(role, call, branch->gateway);
        if (event->response != NULL)
            call->dialog = dialog_in(role, event->response);
        call_answered(role->calls, slot, &event->now, status, &branch->to);
    } else if (transaction->cancelled) {
        finish(role, slot, &event->now, CALL_CANCELLED, status);
    } else {
        finish(role, slot, &event->now, status == 408 ? CALL_TIMEOUT : CALL_FAILED, status);
    }
}

// The record goes and no answer was given: there was nothing to make one of.
void proxy_account_lost(struct role *role, struct transaction *transaction, const struct clock *now)
{
    if (call_of(role, transaction) == NULL)
        return;
    finish(role, transaction->call, now, CALL_TIMEOUT, 408);
    transaction->call = CALL_NONE;
}

static void lost(void *owner, const struct call *call)
{
    carry(owner, call->gateway, -1);
}

void proxy_account_turn(struct role *role, const struct clock *now)
{
    if (role->calls != NULL)
        call_expire(role->calls, now, lost, role);
}
