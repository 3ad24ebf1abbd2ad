// Which role serves a message.
#include "service/service.h"

#include "auth/auth.h"
#include "proxy/proxy.h"
#include "registrar/registrar.h"
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
        registrar_serve(request);
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
}

void service_turn(struct role *role, const struct clock *now)
{
    proxy_turn(role, now);
}

// Nobody watches as long as no role serves it.
void service_touch(struct role *role, struct hash128 aor)
{
    (void)role, (void)aor;
}

bool service_unreachable(struct role *role, struct slice quoted, const struct clock *now)
{
    return proxy_unreachable(role, quoted, now);
}

bool service_unsent(struct role *role, struct slice bytes, const struct endpoint *to, unsigned listener,
                    const struct clock *now)
{
    return proxy_unsent(role, bytes, to, listener, now);
}

void service_serve(struct role *role, const struct sip_message *message, enum sip_error parsed,
                   const struct steered *steered, const struct arrival *arrival, struct verdict *verdict,
                   struct sip_edits *edits)
{
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
