#include "role/role.h"

#include "role/auth.h"
#include "role/drain.h"
#include "role/policy.h"
#include "role/proxy.h"
#include "role/rules.h"

// CANCEL has no transaction to match here (RFC 3261 9.2); without a user there is nobody to ask for (484).
static void serve_without_user(struct role_request *request)
{
    switch (request->message->method) {
    case SIP_METHOD_OPTIONS:
        role_options(request);
        break;
    case SIP_METHOD_CANCEL:
        role_answer(request, 481, NULL);
        break;
    default: // an ACK is dropped on its way to the answer
        role_answer(request, 484, NULL);
    }
}

bool role_is_registrars(const struct role_request *request)
{
    if (request->message->method != SIP_METHOD_REGISTER || request->where.place == ROLE_ELSEWHERE)
        return false;
    return request->where.place == ROLE_HERE || request->role->conf->domains[request->where.domain].registrar;
}

// By a rule that says more than that it be served where the user is.
static bool is_routed(struct role_request *request)
{
    const struct role *role = request->role;
    int rule = role_rules_take_register(role->policy->rules) ? role_rules_find(role->policy->rules, request)
                                                             : CONF_NONE;

    return rule != CONF_NONE && role->conf->routes[rule].action != CONF_ACTION_LOCATION;
}

// The request-URI is ours.
static void serve_own(struct role_request *request)
{
    const struct conf *conf = request->role->conf;
    unsigned method = request->message->method;

    if (role_is_registrars(request) && !is_routed(request))
        role_register(request);
    else if (conf->record_route && request->to_tag.at != NULL && !request->routes.ours &&
             method != SIP_METHOD_ACK)
        role_answer(request, 404,
                    "Not In A Dialog Of This Server"); // loose routing would have named us in Route
    else if (method == SIP_METHOD_OPTIONS && request->where.place == ROLE_HERE)
        role_options(request);
    else if (request->uri.user.len == 0 && method != SIP_METHOD_REGISTER)
        serve_without_user(request);
    else if (method != SIP_METHOD_REGISTER && request->where.place == ROLE_DOMAIN &&
             conf->domains[request->where.domain].role == CONF_ROLE_REDIRECT)
        role_redirect(request);
    else
        role_proxy(request);
}

void role_renew(struct role *role, const struct role_policy *policy)
{
    const struct conf *conf = policy->conf;
    const struct transaction_timers timers = {conf->t1_ms, conf->t2_ms, conf->t4_ms, conf->timer_c_ms};

    role->policy = policy;
    role->conf = conf;
    role->route = policy->route;
    if (role->transactions != NULL)
        transaction_table_time(role->transactions, &timers);
}

void role_serve(struct role *role, const struct sip_message *message, enum sip_error parsed,
                const struct steered *steered, const struct arrival *arrival, struct verdict *verdict,
                struct sip_edits *edits)
{
    if (message->kind == SIP_RESPONSE) {
        role_response(role, message, parsed, arrival, verdict, edits);
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

    if (!role_request_sane(&request, parsed))
        return;
    // A REGISTER is mostly for the registrar, which has no transactions: role_proxy asks for the others.
    if (message->method != SIP_METHOD_REGISTER && role_transact(&request))
        return;
    if (message->method == SIP_METHOD_ACK && role_request_acks_us(&request)) {
        role_drop(&request, DROP_ACK_ABSORBED);
        return;
    }
    if (!role_routes_prepare(&request) || (role->drain != NULL && role_drain_refuses(&request)))
        return;
    if (role->conf->auths_n > 0 && !role_authenticate(&request))
        return;
    if (request.where.place == ROLE_ELSEWHERE)
        role_proxy(&request);
    else
        serve_own(&request);
}
