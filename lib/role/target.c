// Where one request goes: RFC 3261 16.5 and 16.6 step 7, for a server that picks one target and keeps no
// state.
//
// The choice depends on the message and the tables only, never on the method (but for 405): an INVITE's
// CANCEL and ACK must find the same target (RFC 3261 16.11).
#include "role/request.h"

bool role_hop_usable(const struct endpoint *hop)
{
    if (hop->port == 0)
        return false;
    if (hop->family == ENDPOINT_IP4)
        return hop->address[0] != 0 && hop->address[0] < 224; // multicast and what lies above it
    static const uint8_t unspecified[16];
    return hop->family == ENDPOINT_IP6 && hop->address[0] != 0xff &&
           memcmp(hop->address, unspecified, sizeof(unspecified)) != 0;
}

// Host names would need the DNS (RFC 3263), sips and other transports a stream: neither is there.
bool role_hop_of(const struct sip_uri *uri, struct endpoint *hop)
{
    struct slice transport;

    if (uri->scheme != SIP_SCHEME_SIP)
        return false;
    if (uri->params.len > 0 && sip_uri_param(uri, SLICE("transport"), &transport) &&
        !slice_equal_nocase(transport, SLICE("udp")))
        return false;
    return sip_uri_endpoint(uri, hop) && role_hop_usable(hop);
}

unsigned role_aor_write(const struct role *role, const struct sip_uri *uri, int domain, char aor[SIP_AOR_MAX])
{
    // every name of a domain leads to the same address of record
    struct slice name = role_route_domain_name(role->route, (unsigned)domain);
    struct slice user = uri->user;

    // mostly nothing is escaped and the name is no address: then both are canonical as they are
    if (user.len > 0 && slice_find(user, '%') == user.len && name.at[0] != '[') {
        unsigned len = user.len + 1 + name.len;
        if (len > SIP_AOR_MAX)
            return 0;
        memcpy(aor, user.at, user.len);
        aor[user.len] = '@';
        memcpy(aor + user.len + 1, name.at, name.len);
        return len;
    }
    struct sip_uri canonical = *uri;
    canonical.host = name;
    canonical.port = 0;
    canonical.scheme = SIP_SCHEME_SIP;
    return sip_uri_write_aor(&canonical, aor);
}

const struct location_set *role_target_set(const struct role_request *request)
{
    const struct steered *steered = request->steered;
    const struct role *role = request->role;
    char aor[SIP_AOR_MAX];

    if (steered->by == STEERED_BY_URI && steered->has_aor && !request->uri_rewritten)
        return location_find(role->location, steered->aor);
    unsigned len = role_aor_write(role, &request->uri, request->where.domain, aor);
    return len == 0 ? NULL : location_find(role->location, location_key(role->location, slice_of(aor, len)));
}

// A request-URI may hold neither headers nor a method parameter, a Contact may (RFC 3261 19.1.1 table 1).
static void cut_contact(struct slice contact, struct role_target *target)
{
    static const char method[] = ";method=";
    uint32_t user = slice_find(contact, '@'); // a user may hold ";" and "?", and nothing behind it an "@"
    uint32_t host = user < contact.len ? user + 1 : 0;
    struct slice rest = slice_of(contact.at + host, contact.len - host);
    uint32_t params = host + slice_find(rest, ';');

    contact.len = host + slice_find(rest, '?');
    target->uri = contact;
    target->uri_tail = (struct slice){NULL, 0};
    for (uint32_t at = params; at + sizeof(method) - 1 <= contact.len; at++) {
        struct slice here = slice_of(contact.at + at, sizeof(method) - 1);
        if (!slice_equal_nocase(here, slice_of(method, sizeof(method) - 1)))
            continue;
        rest = slice_of(contact.at + at + 1, contact.len - at - 1);
        uint32_t next = slice_find(rest, ';');
        target->uri.len = at;
        target->uri_tail = slice_of(rest.at + next, rest.len - next);
        return;
    }
}

bool role_hop_of_binding(const struct location_binding *binding, struct endpoint *hop)
{
    struct cursor c = cursor_over(binding->path);
    struct sip_address first;
    struct sip_uri uri;

    *hop = binding->received;
    if (hop->family != ENDPOINT_NONE)
        return role_hop_usable(hop);
    if (binding->path.len > 0)
        return sip_address_take(&c, &first) && role_hop_of(&first.uri, hop);
    return sip_uri_parse(binding->contact, &uri) == SIP_OK && role_hop_of(&uri, hop);
}

static bool method_allowed(const struct role_request *request, const struct location_binding *binding)
{
    unsigned method = request->message->method;

    return binding->methods == 0 || method == SIP_METHOD_ACK || method == SIP_METHOD_CANCEL ||
           (binding->methods & SIP_METHOD_BIT(method));
}

// The binding with the highest q that can be reached. 404: nothing is known of the user. 480: the location
// table has the user, and no binding that lives or leads anywhere.
static bool choose_binding(struct role_request *request, struct role_target *target)
{
    const struct location_set *set = role_target_set(request);
    struct location_binding binding;
    unsigned position = 0;

    if (set == NULL) {
        role_answer(request, 404, NULL);
        return false;
    }
    while (location_next(set, request->arrival->now.ms, &position, &binding)) {
        if (!role_hop_of_binding(&binding, &target->hop))
            continue;
        if (!method_allowed(request, &binding)) {
            role_answer_not_allowed(request, binding.methods);
            return false;
        }
        cut_contact(binding.contact, target);
        target->path = binding.path;
        target->listener =
            binding.listener; // the client is reached from there, its NAT has a hole for that address
        return true;
    }
    role_answer(request, 480, NULL);
    return false;
}

// Ours by right: a static route, else the location service. What is left of a Route is not followed (it would
// lead anyone anywhere through us), and 16.12 has the same to say of the request-URI.
static bool choose_own(struct role_request *request, struct role_target *target)
{
    const struct endpoint *hop = role_route_static(request->role->route, &request->uri, request->where);

    request->routes.first = request->routes.last;
    if (hop != NULL) {
        target->hop = *hop;
        return true;
    }
    if (request->message->method == SIP_METHOD_REGISTER) {
        role_answer_not_allowed(request, ROLE_METHODS_ALL & ~SIP_METHOD_BIT(SIP_METHOD_REGISTER));
        return false;
    }
    if (request->where.place == ROLE_DOMAIN)
        return choose_binding(request, target);
    role_answer(request, 404, NULL);
    return false;
}

static bool from_is_ours(const struct role_request *request)
{
    return role_route_where(request->role->route, &request->from.uri).place != ROLE_ELSEWHERE;
}

// A stranger's request for a stranger goes no further, but inside a dialog that we record-routed.
static bool may_relay(struct role_request *request, bool in_dialog)
{
    const struct role_routes *routes = &request->routes;

    if (request->role->conf->open_relay || in_dialog)
        return true;
    if (!from_is_ours(request)) {
        role_answer(request, 403, "No Relay Between Foreign Domains");
        return false;
    }
    // Refused, not removed: the ACK to an answer from further on has a To tag and would follow the values
    // again.
    bool dialog_unseen = !request->role->conf->record_route && request->to_tag.at != NULL;
    if (routes->first < routes->last && !dialog_unseen) {
        role_answer(request, 403, "Preloaded Route Denied");
        return false;
    }
    return true;
}

// A remote target that the To's user has registered is reached as its binding is, through its NAT.
static bool choose_bound(struct role_request *request, struct role_target *target)
{
    const struct role *role = request->role;
    struct role_where where = role_route_where(role->route, &request->to.uri);
    struct location_binding binding;
    struct sip_uri contact;
    struct endpoint direct;
    char aor[SIP_AOR_MAX];
    unsigned position = 0;

    unsigned len = where.place == ROLE_DOMAIN ? role_aor_write(role, &request->to.uri, where.domain, aor) : 0;
    const struct location_set *set =
        len == 0 ? NULL : location_find(role->location, location_key(role->location, slice_of(aor, len)));
    while (set != NULL && location_next(set, request->arrival->now.ms, &position, &binding)) {
        if (binding.path.len > 0 || sip_uri_parse(binding.contact, &contact) != SIP_OK ||
            !sip_uri_equal(&contact, &request->uri))
            continue;
        if (!role_hop_of_binding(&binding, &target->hop))
            return false;
        if (!role_hop_of(&contact, &direct) || !endpoint_equal(&direct, &target->hop))
            target->listener = binding.listener; // which the NAT has a hole for
        return true;
    }
    return false;
}

// A name is looked up in the static routes, which stand for the DNS (RFC 3263).
static bool hop_by_route(const struct role_request *request, const struct sip_uri *uri,
                         struct role_target *target)
{
    const struct endpoint *hop =
        role_route_static(request->role->route, uri, role_route_where(request->role->route, uri));

    if (hop != NULL)
        target->hop = *hop;
    return hop != NULL;
}

// The Route set decides, then a static route for the domain, then the address in the request-URI. In a dialog
// the request-URI is the remote target: its address comes first, and no static route may turn it aside.
static bool choose_foreign(struct role_request *request, struct role_target *target)
{
    bool in_dialog = request->to_tag.at != NULL && request->routes.ours;
    const struct sip_uri *uri = &request->uri;
    struct sip_address top;

    if (!may_relay(request, in_dialog))
        return false;
    target->listener = request->routes.listener;
    if (role_routes_top(request, &top)) {
        if (role_hop_of(&top.uri, &target->hop) || hop_by_route(request, &top.uri, target))
            return true;
        role_answer(request, 404, "No Route To Next Hop");
        return false;
    }
    if (in_dialog ? choose_bound(request, target) || role_hop_of(uri, &target->hop) ||
                        hop_by_route(request, uri, target)
                  : hop_by_route(request, uri, target) || role_hop_of(uri, &target->hop))
        return true;
    role_answer(request, 404, "No Route To Domain");
    return false;
}

bool role_target_choose(struct role_request *request, struct role_target *target)
{
    *target = (struct role_target){.listener = CONF_NONE};
    if (request->where.place == ROLE_ELSEWHERE)
        return choose_foreign(request, target);
    return choose_own(request, target);
}
