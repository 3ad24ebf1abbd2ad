// Record-Route: which requests get one, and what is in it (RFC 3261 16.6 step 4).
#include "proxy/core.h"
#include "role/flow.h"
#include "role/nat.h"
#include "role/trust.h"

// The methods that make a dialog or may do so: INVITE, SUBSCRIBE, REFER (RFC 3515), NOTIFY, which makes the
// dialog when it outruns the answer to its SUBSCRIBE (RFC 6665 4.3), and every method that is not known.
// Inside a dialog it changes nothing for the ends and lets one that lost its state find us again (16.6 step
// 4: SHOULD).
#define RECORDED                                                                \
    (SIP_METHOD_BIT(SIP_METHOD_INVITE) | SIP_METHOD_BIT(SIP_METHOD_SUBSCRIBE) | \
     SIP_METHOD_BIT(SIP_METHOD_REFER) | SIP_METHOD_BIT(SIP_METHOD_NOTIFY) |     \
     SIP_METHOD_BIT(SIP_METHOD_OTHER))

bool proxy_records_route(const struct role_request *request)
{
    return request->role->conf->record_route && (RECORDED & SIP_METHOD_BIT(request->message->method));
}

// A connection is always one's own way back; a source address only behind a NAT, and where that is asked for.
static struct endpoint caller_flow(const struct role_request *request)
{
    const struct endpoint *source = &request->arrival->source;
    bool flows = request->role->conf->nat_dialog == CONF_NAT_DIALOG_FLOW;

    if (endpoint_is_stream(source) ? role_keeps_connection(request)
                                   : flows && role_seen_behind_nat(request->message, &request->via, source))
        return *source;
    return (struct endpoint){.family = ENDPOINT_NONE};
}

// A phone is sent to where it registered from, and its Contact says something else; servers (gateways, next hops,
// names, what stands in a Path) lead on by themselves. In a dialog the flow is the one that led here. Where a URI
// parameter makes the difference, a flow to where the request goes does no harm.
bool proxy_target_is_flow(const struct role_request *request, const struct role_target *target)
{
    struct endpoint named;
    struct sip_uri uri;

    if (target->hop.flow != 0 || endpoint_equal(&target->hop, &request->routes.flow))
        return true;
    if (target->uri.at == NULL || target->path.len > 0 || target->alone)
        return false;
    return sip_uri_parse(target->uri, &uri) != SIP_OK || !role_hop_of(&uri, &named) ||
           !endpoint_equal(&named, &target->hop);
}

static struct endpoint callee_flow(const struct role_request *request, const struct role_target *target)
{
    bool flows = request->role->conf->nat_dialog == CONF_NAT_DIALOG_FLOW || target->hop.flow != 0;

    return flows && proxy_target_is_flow(request, target) ? target->hop
                                                          : (struct endpoint){.family = ENDPOINT_NONE};
}

// RFC 3261 16.6 step 4: sips where the request-URI is, or the Route value on top, on both sides: what came over TLS and
// leaves so comes back so. A side without TLS, which only the trusted have with sips, cannot say it.
static bool is_sips(const struct role_request *request, unsigned listener)
{
    enum endpoint_transport transport = request->role->conf->listeners[listener].transport;
    struct sip_address top;

    if (transport != ENDPOINT_TLS && transport != ENDPOINT_WSS)
        return false;
    return request->uri.scheme == SIP_SCHEME_SIPS ||
           (role_routes_top(request, &top) && top.uri.scheme == SIP_SCHEME_SIPS);
}

// The listener's ready line, with the token put in as its user part.
static void put_line(struct role_request *request, unsigned listener, const struct endpoint *flow)
{
    bool sips = is_sips(request, listener);
    struct slice line = role_route_record_route(request->role->route, listener, sips);
    uint32_t before = sips ? sizeof("Record-Route: <sips:") - 1 : sizeof("Record-Route: <sip:") - 1;
    char token[ROLE_FLOW_LEN + 1];
    unsigned len = role_flow_write(request->role, request->call_id, flow, listener, token);

    token[len] = '@';
    sip_edits_put(request->edits, slice_of(line.at, before));
    sip_edits_put(request->edits, slice_of(token, len + 1));
    sip_edits_put(request->edits, slice_of(line.at + before, line.len - before));
}

void proxy_record_route_put(struct role_request *request, const struct role_target *target, unsigned out)
{
    unsigned in = request->arrival->listener;
    struct endpoint caller = caller_flow(request);
    struct endpoint callee = callee_flow(request, target);

    put_line(request, out, &callee);
    if (in != out || caller.family != ENDPOINT_NONE || callee.family != ENDPOINT_NONE)
        put_line(request, in, &caller);
}
