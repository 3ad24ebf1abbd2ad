// The stateless proxy: RFC 3261 16.3 to 16.6 and 16.11.
#include "role/branch.h"

static bool loops_in(struct slice vias, uint32_t loop)
{
    struct role_branch branch;

    while (role_branch_find(vias, &branch, &vias)) {
        if (branch.loop == loop)
            return true;
    }
    return false;
}

// RFC 5393 4.2.2: a Via of ours with the same loop part means that nothing which decides the route has
// changed. The part is a keyed hash, so finding it equal also proves that the Via is ours; Vias of others are
// not parsed at all, whatever they look like (4.2.4).
static bool has_looped(const struct role_request *request, uint32_t loop)
{
    const struct sip_message *message = request->message;
    unsigned line = message->first[SIP_HEADER_VIA];
    struct slice value = sip_message_value(message, line);
    const char *behind = request->via.text.at + request->via.text.len;
    struct role_branch top;

    // the top one is parsed already, and mostly all there is
    if (role_branch_parse(request->via.branch, &top) && top.loop == loop)
        return true;
    if (loops_in(slice_of(behind, (size_t)(value.at + value.len - behind)), loop))
        return true;
    while ((line = sip_message_next(message, line)) != SIP_NO_LINE) {
        if (loops_in(sip_message_value(message, line), loop))
            return true;
    }
    return false;
}

// RFC 3261 16.3 steps 3 to 5.
static bool may_be_forwarded(struct role_request *request, uint32_t loop)
{
    const struct sip_message *message = request->message;

    if (request->has_max_forwards && request->max_forwards == 0) {
        // OPTIONS as well: a 200 would be in the name of a user who may not be
        role_answer(request, 483, NULL);
        return false;
    }
    if (has_looped(request, loop)) {
        role_answer(request, 482, NULL);
        return false;
    }
    // A CANCEL and an ACK go where their INVITE went (16.11, 8.2.2.3).
    if (message->method == SIP_METHOD_CANCEL || message->method == SIP_METHOD_ACK)
        return true;
    return role_supports(request, SIP_HEADER_PROXY_REQUIRE, SLICE(""));
}

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
    if (strict) // RFC 3261 16.6 step 6: the next hop wants its own URI in front and the real one last
        request->routes.first++;
    role_routes_note(request);
    if (!strict)
        return;
    unsigned line = request->routes.value[request->routes.n - 1].line;
    sip_edits_begin(request->edits, sip_message_line_end(message, line), 0);
    sip_edits_put(request->edits, SLICE("Route: <"));
    sip_edits_put(request->edits, uri);
    sip_edits_put(request->edits, SLICE(">\r\n"));
    sip_edits_end(request->edits);
}

// All new header lines in one edit right behind the start line: in front of every Via, Record-Route and Route
// that there may be (RFC 3261 16.6 steps 4, 6 and 8), and next to the one edit of the start line.
static void note_head(struct role_request *request, const struct role_target *target, unsigned out,
                      struct role_branch_parts parts)
{
    const struct role_route *route = request->role->route;
    struct sip_edits *edits = request->edits;
    unsigned in = request->arrival->listener;
    char branch[ROLE_BRANCH_LEN + 2];

    role_branch_write(request, parts, branch);
    memcpy(branch + ROLE_BRANCH_LEN, "\r\n", 2);
    sip_edits_begin(edits, request->message->lines[0].name, 0);
    sip_edits_put(edits, role_route_via(route, out));
    sip_edits_put(edits, slice_of(branch, sizeof(branch)));
    if (role_records_route(request)) {
        sip_edits_put(edits, role_route_record_route(route, out));
        if (in != out) // each side gets the address that it can reach (RFC 5658 3.1)
            sip_edits_put(edits, role_route_record_route(route, in));
    }
    if (target->path.len > 0) {
        sip_edits_put(edits, SLICE("Route: "));
        sip_edits_put(edits, target->path);
        sip_edits_put(edits, SLICE("\r\n"));
    }
    if (!sip_message_has(request->message, SIP_HEADER_MAX_FORWARDS)) {
        sip_edits_put(edits, SLICE("Max-Forwards: "));
        sip_edits_put_number(edits, request->role->conf->max_forwards);
        sip_edits_put(edits, SLICE("\r\n"));
    }
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

static void forward(struct role_request *request, const struct role_target *target,
                    struct role_branch_parts parts)
{
    const struct role_route *route = request->role->route;
    int wanted = target->listener != CONF_NONE ? target->listener : request->arrival->listener;
    int out = role_route_listener_for(route, target->hop.family, wanted);

    if (out == CONF_NONE) {
        role_answer(request, 503, "No Listener Of The Next Hop's Address Family");
        return;
    }
    // A binding or a Route can be made to name this very server; the packet would not come back from the wire.
    if (role_route_listener(route, &target->hop) != CONF_NONE) {
        role_answer(request, 482, "Next Hop Is This Server");
        return;
    }
    note_head(request, target, (unsigned)out, parts);
    note_uri_and_routes(request, target);
    role_request_stamp(request);
    note_max_forwards(request);
    *request->verdict = (struct verdict){
        .to = target->hop,
        .kind = VERDICT_FORWARD,
        .listener = (uint8_t)out,
    };
}

void role_proxy(struct role_request *request)
{
    struct role_branch_parts parts = role_branch_parts(request);
    struct role_target target;

    if (may_be_forwarded(request, parts.loop) && role_target_choose(request, &target))
        forward(request, &target, parts);
}
