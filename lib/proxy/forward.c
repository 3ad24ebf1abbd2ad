// What a request becomes for one target: the edits of RFC 3261 16.6.
#include "auth/auth.h"
#include "proxy/core.h"
#include "role/hop.h"
#include "role/trust.h"

static bool lacks_lr(const struct sip_address *route)
{
    struct slice value;

    return !sip_uri_param(&route->uri, SLICE("lr"), &value);
}

// What becomes of the start line and of the Route values at their two ends.
static void note_uri_and_routes(struct role_request *request, const struct role_target *target)
{
    const struct sip_message *message = request->message;
    struct sip_address top;
    struct slice uri = target->uri.at != NULL ? target->uri : request->uri.text;
    bool strict = role_routes_top(request, &top) && lacks_lr(&top);

    if (strict || target->uri.at != NULL || request->uri_rewritten) {
        sip_edits_begin(request->edits, message->uri.at, message->uri.len);
        sip_edits_put(request->edits, strict ? top.uri.text : uri);
        if (!strict)
            sip_edits_put(request->edits, target->uri_tail);
        sip_edits_end(request->edits);
    }
    if (!strict) {
        role_routes_note(request);
        return;
    }
    // RFC 3261 16.6 step 6: the next hop wants its own URI in front and the real one last
    uint8_t first = request->routes.first++;
    role_routes_note(request);
    request->routes.first = first; // as it was, for the next target
    unsigned line = request->routes.value[request->routes.n - 1].line;
    sip_edits_begin(request->edits, sip_message_line_end(message, line), 0);
    sip_edits_put(request->edits, SLICE("Route: <"));
    sip_edits_put(request->edits, uri);
    sip_edits_put(request->edits, SLICE(">\r\n"));
    sip_edits_end(request->edits);
}

static void put_number_line(struct sip_edits *edits, struct slice name, unsigned number)
{
    sip_edits_put(edits, name);
    sip_edits_put_number(edits, number);
    sip_edits_put(edits, SLICE("\r\n"));
}

void proxy_length_note(const struct sip_message *message, const struct endpoint *to, struct sip_edits *edits)
{
    if (!endpoint_is_stream(to) || sip_message_has(message, SIP_HEADER_CONTENT_LENGTH))
        return;
    sip_edits_begin(edits, message->lines[message->lines_n].name, 0);
    put_number_line(edits, SLICE("Content-Length: "), message->body_len);
    sip_edits_end(edits);
}

// RFC 5393 5.3.3 asks for it in every proxied request; in a CANCEL it means nothing (5.3.6).
static bool has_breadth(const struct role_request *request)
{
    return request->message->method != SIP_METHOD_CANCEL;
}

// All new header lines in one edit right behind the start line: in front of every Via, Record-Route and Route
// that there may be (RFC 3261 16.6 steps 4, 6 and 8), and next to the one edit of the start line.
static void note_head(struct role_request *request, const struct role_target *target,
                      const struct proxy_leg *leg)
{
    const struct sip_message *message = request->message;
    struct sip_edits *edits = request->edits;
    char branch[ROLE_BRANCH_LEN + 2];

    role_branch_write(&leg->branch, branch);
    memcpy(branch + ROLE_BRANCH_LEN, "\r\n", 2);
    sip_edits_begin(edits, message->lines[0].name, 0);
    sip_edits_put(edits, role_route_via(request->role->route, leg->out));
    sip_edits_put(edits, slice_of(branch, sizeof(branch)));
    if (proxy_records_route(request))
        proxy_record_route_put(request, target, leg->out);
    if (target->path.len > 0) {
        sip_edits_put(edits, SLICE("Route: "));
        sip_edits_put(edits, target->path);
        sip_edits_put(edits, SLICE("\r\n"));
    }
    if (!sip_message_has(message, SIP_HEADER_MAX_FORWARDS))
        put_number_line(edits, SLICE("Max-Forwards: "), request->role->conf->max_forwards);
    if (has_breadth(request) && !sip_message_has(message, SIP_HEADER_MAX_BREADTH))
        put_number_line(edits, SLICE("Max-Breadth: "), leg->breadth);
    sip_edits_end(edits);
}

static void note_max_forwards(struct role_request *request)
{
    const struct sip_message *message = request->message;
    unsigned line = message->first[SIP_HEADER_MAX_FORWARDS];
    uint16_t number =
        request->has_max_forwards ? (uint16_t)(request->max_forwards - 1) : request->role->conf->max_forwards;

    if (line == SIP_NO_LINE)
        return;
    sip_edits_begin(request->edits, message->lines[line].value, message->lines[line].len);
    sip_edits_put_number(request->edits, number);
    sip_edits_end(request->edits);
}

static void note_max_breadth(struct role_request *request, uint8_t breadth)
{
    const struct sip_message *message = request->message;
    unsigned line = message->first[SIP_HEADER_MAX_BREADTH];

    if (line == SIP_NO_LINE || !has_breadth(request))
        return;
    sip_edits_begin(request->edits, message->lines[line].value, message->lines[line].len);
    sip_edits_put_number(request->edits, breadth);
    sip_edits_end(request->edits);
}

uint8_t proxy_forward_breadth(const struct role_request *request)
{
    uint16_t most = request->role->conf->breadth_max;
    uint64_t breadth;

    if (most > UINT8_MAX)
        most = UINT8_MAX;
    if (slice_number(sip_message_first(request->message, SIP_HEADER_MAX_BREADTH), most, &breadth))
        return (uint8_t)breadth;
    return (uint8_t)most; // none, more than we allow, or no number
}

uint16_t proxy_forward_listener(const struct role_request *request, const struct role_target *target,
                                uint8_t *out, const char **reason)
{
    const struct role_route *route = request->role->route;
    int wanted = target->listener != CONF_NONE ? target->listener : request->arrival->listener;
    int listener = role_route_listener_for(route, target->hop.transport, target->hop.family, wanted);

    if (listener == CONF_NONE) {
        *reason = "No Listener Of The Next Hop's Transport And Address Family";
        return 503;
    }
    // A binding or a Route can be made to name this very server; the packet would not come back from the wire.
    if (role_route_listener(route, &target->hop) != CONF_NONE) {
        *reason = "Next Hop Is This Server";
        return 482;
    }
    *out = (uint8_t)listener;
    return 0;
}

// Bytes that nothing which is put into a request goes beyond, but for rare ones: its Via, two Record-Routes, a longer
// request-URI.
#define GROWTH_MAX 600u

// The request as it would leave.
static uint32_t size_of(struct role_request *request, const struct role_target *target, uint8_t out)
{
    const struct proxy_leg leg = {.out = out, .breadth = proxy_forward_breadth(request)};
    struct sip_edits *edits = request->edits;

    request->edits = &request->role->spare;
    sip_edits_clear(request->edits);
    proxy_forward_note(request, target, &leg);
    uint32_t size = request->message->len + (uint32_t)sip_edits_growth(request->edits);
    request->edits = edits;
    return size;
}

bool proxy_forward_by_size(struct role_request *request, struct role_target *target, uint8_t *out)
{
    uint32_t max = request->role->conf->udp_max;
    struct endpoint hop = target->hop;
    uint8_t listener = *out;

    if (max == 0 || request->message->len + GROWTH_MAX <= max ||
        !role_hop_by_tcp(request->role, &hop, &listener) || proxy_target_is_flow(request, target) ||
        size_of(request, target, *out) <= max)
        return false;
    target->hop = hop;
    *out = listener;
    return true;
}

void proxy_forward_note(struct role_request *request, const struct role_target *target,
                        const struct proxy_leg *leg)
{
    note_head(request, target, leg);
    note_uri_and_routes(request, target);
    role_request_stamp(request);
    note_max_forwards(request);
    note_max_breadth(request, leg->breadth);
    proxy_identity_note(request, target);
    proxy_contact_note(request->role, request->message, &request->arrival->source, request->edits);
    proxy_length_note(request->message, &target->hop, request->edits);
    auth_note(request);
}
