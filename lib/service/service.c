// Which role serves a message.
#include "service/service.h"

#include "auth/auth.h"
#include "presence/presence.h"
#include "proxy/proxy.h"
#include "registrar/registrar.h"
#include "role/branch.h"
#include "role/policy.h"
#include "role/rules.h"
#include "service/drain.h"
#include "service/parts.h"

// CANCEL has no transaction to match here (RFC 3261 9.2); without a user there is nobody to ask for (484).
static void serve_without_user(struct role_request *request)
{
    switch (request->message->method) {
    case SIP_METHOD_OPTIONS:
        service_options(request);
        break;
    case SIP_METHOD_CANCEL:
        role_answer(request, 481, NULL);
        break;
    default: // an ACK is dropped on its way to the answer
        role_answer(request, 484, NULL);
    }
}

// By a rule that says more than that it be served where the user is.
static bool is_routed(struct role_request *request)
{
    const struct role *role = request->role;
    bool may =
        request->message->method != SIP_METHOD_REGISTER || role_rules_take_register(role->policy->rules);
    int rule = may ? role_rules_find(role->policy->rules, request) : CONF_NONE;

    return rule != CONF_NONE && role->conf->routes[rule].action != CONF_ACTION_LOCATION;
}

// The request-URI is ours.
static void serve_own(struct role_request *request)
{
    const struct role *role = request->role;
    const struct conf *conf = role->conf;
    unsigned method = request->message->method;

    if (role_is_registrars(request) && !is_routed(request))
        registrar_serve(request);
    else if (role_is_presences(request) && role->presence != NULL && !is_routed(request))
        presence_serve(request);
    else if (conf->record_route && request->to_tag.at != NULL && !request->routes.ours &&
             method != SIP_METHOD_ACK)
        role_answer(request, 404,
                    "Not In A Dialog Of This Server"); // loose routing would have named us in Route
    else if (method == SIP_METHOD_OPTIONS && request->where.place == ROLE_HERE)
        service_options(request);
    else if (request->uri.user.len == 0 && method != SIP_METHOD_REGISTER)
        serve_without_user(request);
    else if (method != SIP_METHOD_REGISTER && request->where.place == ROLE_DOMAIN &&
             conf->domains[request->where.domain].role == CONF_ROLE_REDIRECT)
        service_redirect(request);
    else
        proxy_serve(request);
}

void service_renew(struct role *role, const struct role_policy *policy)
{
    const struct conf *conf = policy->conf;
    const struct transaction_timers timers = {conf->t1_ms, conf->t2_ms, conf->t4_ms, conf->timer_c_ms};

    role->policy = policy;
    role->conf = conf;
    role->route = policy->route;
    if (role->transactions != NULL)
        transaction_table_time(role->transactions, &timers);
    if (role->presence != NULL)
        presence_renew(role->presence, conf);
}

void service_turn(struct role *role, const struct clock *now)
{
    proxy_turn(role, now);
    if (role->presence != NULL)
        presence_turn(role, now);
}

void service_touch(struct role *role, struct hash128 aor)
{
    if (role->presence != NULL)
        presence_touched(role, aor);
}

// Our Via is the first in every request that leaves.
static bool is_own_notify(const struct role *role, struct slice bytes, struct role_branch *via)
{
    struct slice rest;

    return role->presence != NULL && slice_starts(bytes, SLICE("NOTIFY ")) &&
           role_branch_find(bytes, via, &rest) && role_branch_is_notify(via->slot);
}

bool service_unreachable(struct role *role, struct slice quoted, const struct clock *now)
{
    struct role_branch via;

    if (is_own_notify(role, quoted, &via))
        return presence_unreachable(role, &via, now);
    return proxy_unreachable(role, quoted, now);
}

bool service_unsent(struct role *role, struct slice bytes, const struct endpoint *to, unsigned listener,
                    const struct clock *now)
{
    struct role_branch via;

    if (is_own_notify(role, bytes, &via))
        return presence_unsent(role, &via, to, now);
    return proxy_unsent(role, bytes, to, listener, now);
}

void service_serve(struct role *role, const struct sip_message *message, enum sip_error parsed,
                   const struct steered *steered, const struct arrival *arrival, struct verdict *verdict,
                   struct sip_edits *edits)
{
    if (message->kind == SIP_RESPONSE && role->presence != NULL && role_branch_is_notify(steered->slot)) {
        presence_response(role, message, parsed, arrival, verdict);
        return;
    }
    if (message->kind == SIP_RESPONSE) {
        proxy_response(role, message, parsed, arrival, verdict, edits);
        return;
    }
    // not cleared: every field is written before it is read, and the room for routes is large
    struct role_request request;
    request.role = role;
    request.message = message;
    request.steered = steered;
    request.arrival = arrival;
    request.verdict = verdict;
    request.edits = edits;
    request.trust = ROLE_TRUST_UNASKED;
    request.resumed = false;
    request.proof.given = false;

    if (!service_request_sane(&request, parsed))
        return;
    // A REGISTER is mostly for the registrar, which has no transactions: proxy_serve asks for the others.
    if (message->method != SIP_METHOD_REGISTER && proxy_transact(&request))
        return;
    if (message->method == SIP_METHOD_ACK && role_request_acks_us(&request)) {
        role_drop(&request, DROP_ACK_ABSORBED);
        return;
    }
    if (!role_routes_prepare(&request) || (role->drain != NULL && service_drain_refuses(&request)))
        return;
    if (role->conf->auths_n > 0 && !auth_check(&request))
        return;
    if (request.where.place == ROLE_ELSEWHERE)
        proxy_serve(&request);
    else
        serve_own(&request);
}
