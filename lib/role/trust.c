// Who is believed, and who may send through this server to a domain that is not its own.
#include "role/trust.h"

#include "gateway/gateway.h"
#include "role/match.h"
#include "role/policy.h"

bool role_trusts_endpoint(const struct role *role, const struct endpoint *endpoint)
{
    const struct conf *conf = role->conf;

    for (unsigned i = 0; i < conf->trusted_n; i++) {
        if (conf_network_has(&conf->trusted[i], endpoint))
            return true;
    }
    return gateway_trusts(role->policy->gateways, endpoint);
}

// What the certificate proves. A gateway that a reload took away proves nothing any more.
static bool is_trusted_peer(const struct role *role, uint16_t peer)
{
    int gateway = peer != 0 ? gateway_of_slot(role->policy->gateways, (uint16_t)(peer - 1)) : CONF_NONE;

    return gateway != CONF_NONE && role->conf->gateways[gateway].trusted;
}

bool role_trusts_arrival(const struct role *role, const struct arrival *arrival)
{
    return is_trusted_peer(role, arrival->peer) || role_trusts_endpoint(role, &arrival->source);
}

bool role_trusts(struct role_request *request)
{
    if (request->trust == ROLE_TRUST_UNASKED)
        request->trust =
            role_trusts_arrival(request->role, request->arrival) ? ROLE_TRUST_YES : ROLE_TRUST_NO;
    return request->trust == ROLE_TRUST_YES;
}

// A binding of the From was registered from the very address and port that this came from. Behind a Path that is a
// proxy's, which others use as well.
static bool sent_from_binding(const struct role_request *request)
{
    const struct role *role = request->role;
    struct role_where where = role_route_where(role->route, &request->from.uri);
    struct location_binding binding;
    struct endpoint hop;
    char aor[SIP_AOR_MAX];
    unsigned position = 0;

    if (where.place != ROLE_DOMAIN)
        return false;
    unsigned len = role_aor_write(role, &request->from.uri, where.domain, aor);
    const struct location_set *set =
        len == 0 ? NULL : location_find(role->location, location_key(role->location, slice_of(aor, len)));
    while (set != NULL && location_next(set, request->arrival->now.ms, &position, &binding)) {
        if (binding.path.len == 0 && role_hop_of_binding(&binding, &hop) &&
            endpoint_equal(&hop, &request->arrival->source))
            return true;
    }
    return false;
}

// An ACK to a negative answer has a tag, too, and the Route that its INVITE was preloaded with; it goes where the
// INVITE went (RFC 3261 17.1.1.3).
bool role_in_dialog(struct role_request *request)
{
    const struct role_routes *routes = &request->routes;

    if (request->to_tag.at == NULL || !routes->ours)
        return false;
    return routes->proven || (request->message->method != SIP_METHOD_ACK && role_trusts(request));
}

bool role_may_relay(struct role_request *request, bool in_dialog)
{
    if ((in_dialog && request->routes.proven) || request->proof.given || role_trusts(request))
        return true;
    if (request->role->conf->trust_registered && sent_from_binding(request))
        return true;
    role_answer(request, 403, "No Relay Between Foreign Domains");
    return false;
}

// Refused, not removed: the ACK to an answer from further on has a To tag and would follow the values again.
bool role_may_preload(struct role_request *request)
{
    if (request->routes.first >= request->routes.last || role_trusts(request))
        return true;
    role_answer(request, 403, "Preloaded Route Denied");
    return false;
}

bool role_takes_path(struct role_request *request)
{
    return request->role->conf->path && role_trusts(request);
}
