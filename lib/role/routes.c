// Route information preprocessing (RFC 3261 16.4), and the edits on the Route header field that follow from
// it.
#include "role/flow.h"
#include "role/request.h"
#include "sip/token.h"
#include "sip/transport.h"

static bool collect(struct role_request *request)
{
    struct role_routes *routes = &request->routes;
    const struct sip_message *message = request->message;

    routes->n = routes->first = routes->last = 0;
    routes->ours = routes->proven = false;
    routes->flow = (struct endpoint){.family = ENDPOINT_NONE};
    routes->listener = CONF_NONE;
    SIP_FOREACH_LINE(line, message, SIP_HEADER_ROUTE) {
        struct cursor c = cursor_over(sip_message_value(message, line));
        struct slice value;
        while (sip_take_element(&c, &value)) {
            if (routes->n == ROLE_ROUTES_MAX) {
                role_answer(request, 400, "Too Many Route Values");
                return false;
            }
            routes->value[routes->n].at = role_request_offset(request, value.at);
            routes->value[routes->n].len = (uint16_t)value.len;
            routes->value[routes->n++].line = (uint8_t)line;
        }
        if (c.error != 0) {
            role_answer(request, 400, sip_error_text(SIP_ERROR_ROUTE));
            return false;
        }
    }
    routes->last = routes->n;
    return true;
}

static bool route_at(struct role_request *request, unsigned i, struct sip_address *route)
{
    const struct role_routes *routes = &request->routes;
    struct slice text = slice_of(request->message->bytes + routes->value[i].at, routes->value[i].len);

    // a value may become the request-URI, and neither has headers (RFC 3261 19.1.1 table 1)
    if (sip_address_parse(text, route) == SIP_OK && route->uri.headers.len == 0)
        return true;
    role_answer(request, 400, sip_error_text(SIP_ERROR_ROUTE));
    return false;
}

static bool has_param(const struct sip_uri *uri, struct slice name)
{
    struct slice value;

    return uri->params.len > 0 && sip_uri_param(uri, name, &value);
}

// A value that names this server, taken. One that a phone was told as its outbound proxy has no token, and no rights
// come with it. A token that was not made here for this call was made up, or is of another call: whoever sends that is
// refused, and its flow never followed (RFC 5626 5.3).
static bool take_own(struct role_request *request, const struct sip_uri *uri, int listener)
{
    struct role_routes *routes = &request->routes;
    unsigned named;

    routes->ours = true;
    routes->flow = (struct endpoint){.family = ENDPOINT_NONE};
    if (listener == CONF_NONE) // a domain's name, which no Record-Route of ours has
        return true;
    routes->listener = (int16_t)listener;
    switch (role_flow_read(request->role, request->call_id, uri->user, &routes->flow, &named)) {
    case ROLE_TOKEN_OURS:
        routes->proven = true;
        routes->listener = (int16_t)named;
        return true;
    case ROLE_TOKEN_NONE:
        return true;
    default:
        request->role->tokens_refused++;
        role_answer(request, 403, "Forged Flow Token");
        return false;
    }
}

// The request-URI is a value of our Record-Route: the sender was a strict router and put the real one last.
static bool undo_strict_routing(struct role_request *request)
{
    struct role_routes *routes = &request->routes;
    struct sip_address last;

    if (routes->n == 0 || request->where.listener == CONF_NONE || !has_param(&request->uri, SLICE("lr")))
        return true;
    if (!route_at(request, routes->n - 1u, &last))
        return false;
    if (!take_own(request, &request->uri, request->where.listener))
        return false;
    routes->last--;
    request->uri = last.uri;
    request->uri_rewritten = true;
    request->where = role_route_where(request->role->route, &request->uri);
    return true;
}

// The request-URI without maddr, transport and a port that is not the default one.
static bool rewrite_without_maddr(struct role_request *request)
{
    const struct sip_uri *uri = &request->uri;
    const char *head_end = uri->port == 5060 ? uri->params.at : uri->host.at + uri->host.len;
    struct slice head = slice_of(uri->text.at, (size_t)(head_end - uri->text.at));
    unsigned len = head.len;

    if (uri->text.len > ROLE_URI_MAX) {
        role_answer(request, 414, NULL);
        return false;
    }
    memcpy(request->rewritten, head.at, head.len);
    for (uint32_t at = 0; at < uri->params.len;) {
        struct slice rest = slice_of(uri->params.at + at + 1, uri->params.len - at - 1);
        struct slice param = slice_of(uri->params.at + at, slice_find(rest, ';') + 1);
        struct slice name = slice_of(param.at + 1, slice_find(slice_of(param.at + 1, param.len - 1), '='));
        at += param.len;
        if (slice_equal_nocase(name, SLICE("maddr")) || slice_equal_nocase(name, SLICE("transport")))
            continue;
        memcpy(request->rewritten + len, param.at, param.len);
        len += param.len;
    }
    request->uri_rewritten = true;
    if (sip_uri_parse(slice_of(request->rewritten, len), &request->uri) == SIP_OK)
        return true;
    role_answer(request, 400, sip_error_text(SIP_ERROR_REQUEST_URI));
    return false;
}

// maddr names us, and the request came in on the port and transport that the URI asks for: it has done its
// work. Another maddr is the only target whatever the host says (RFC 3261 16.5).
static bool take_maddr(struct role_request *request)
{
    const struct sip_uri *uri = &request->uri;
    struct slice maddr;
    uint8_t transport;
    struct sip_uri at = {.scheme = SIP_SCHEME_SIP, .port = uri->port};

    if (uri->scheme != SIP_SCHEME_SIP || uri->params.len == 0 || !sip_uri_param(uri, SLICE("maddr"), &maddr))
        return true;
    at.host = maddr;
    bool known = sip_uri_transport(uri, &transport);
    if (transport == SIP_TRANSPORT_ANY)
        transport = ENDPOINT_UDP;
    uint16_t port = uri->port != 0 ? uri->port : sip_transport_port(transport);
    bool came = known && transport == request->arrival->source.transport &&
                port == request->arrival->destination.port;
    if (role_route_where(request->role->route, &at).place == ROLE_ELSEWHERE || !came) {
        request->where = (struct role_where){ROLE_ELSEWHERE, CONF_NONE, CONF_NONE};
        return true;
    }
    if (!rewrite_without_maddr(request))
        return false;
    request->where = role_route_where(request->role->route, &request->uri);
    return true;
}

// All values on top that indicate this server go, not the first alone: a double Record-Route comes back as
// two (RFC 5658 3.1), a spiral through us as more, and a request cannot be sent to oneself to have the next
// one taken. The last of them was written for the side the request now leaves by.
static bool take_own_routes(struct role_request *request)
{
    struct role_routes *routes = &request->routes;
    struct sip_address route;

    while (routes->first < routes->last) {
        if (!route_at(request, routes->first, &route))
            return false;
        struct role_where where = role_route_where(request->role->route, &route.uri);
        if (where.place == ROLE_ELSEWHERE)
            break;
        if (!take_own(request, &route.uri, where.listener))
            return false;
        routes->first++;
    }
    return true;
}

bool role_routes_prepare(struct role_request *request)
{
    const struct steered *steered = request->steered;

    if (steered->by == STEERED_BY_URI)
        request->where = (struct role_where){steered->place, steered->listener, steered->domain};
    else
        request->where = role_route_where(request->role->route, &request->uri);
    if (!collect(request))
        return false;
    return undo_strict_routing(request) && take_maddr(request) && take_own_routes(request);
}

bool role_routes_top(const struct role_request *request, struct sip_address *route)
{
    const struct role_routes *routes = &request->routes;

    if (routes->first >= routes->last)
        return false;
    struct slice text =
        slice_of(request->message->bytes + routes->value[routes->first].at, routes->value[routes->first].len);
    return sip_address_parse(text, route) == SIP_OK;
}

// Only whole lines and the ends of comma lists go; what stays is not touched.
void role_routes_note(struct role_request *request)
{
    const struct role_routes *routes = &request->routes;
    const struct sip_message *message = request->message;

    if (routes->first == 0 && routes->last == routes->n)
        return;
    for (unsigned i = 0; i < routes->n;) {
        unsigned line = routes->value[i].line;
        unsigned from = i;
        while (i < routes->n && routes->value[i].line == line)
            i++;
        unsigned first = from > routes->first ? from : routes->first;
        unsigned last = i < routes->last ? i : routes->last;
        uint16_t value = message->lines[line].value;
        uint16_t end = (uint16_t)(value + message->lines[line].len);
        if (first >= last) {
            uint16_t name = message->lines[line].name;
            sip_edits_remove(request->edits, name, (uint16_t)(sip_message_line_end(message, line) - name));
            continue;
        }
        if (first > from)
            sip_edits_remove(request->edits, value, (uint16_t)(routes->value[first].at - value));
        if (last < i) {
            uint16_t kept = (uint16_t)(routes->value[last - 1].at + routes->value[last - 1].len);
            sip_edits_remove(request->edits, kept, (uint16_t)(end - kept));
        }
    }
}
