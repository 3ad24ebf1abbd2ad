// One target after the other: RFC 3261 16.5 and 16.6 step 7.
//
// Without state the first one is the only one, and it depends on the message and the tables alone, never on the method
// (but for 405): an INVITE's CANCEL and ACK must find the same target (RFC 3261 16.11).
#include "role/target.h"

#include "role/digest.h"
#include "role/hop.h"
#include "role/policy.h"
#include "role/trust.h"
#include "sip/contact.h"

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

// Nobody waits for an answer of ours: there is one from a branch, or there will be.
static bool is_later(const struct role_pick *pick)
{
    return pick->tried->n > 0 || pick->request->resumed;
}

// A target that the request would reach, but not over TLS, as it asks for, or the target does (RFC 5630 5.3).
static void answer_insecure(struct role_request *request)
{
    bool asks = request->uri.scheme == SIP_SCHEME_SIPS;
    const struct conf_text *agent =
        &request->role->conf->listeners[request->arrival->listener].advertised_text;
    struct role_text lines;

    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, asks ? SLICE("Warning: 380 ") : SLICE("Warning: 381 "));
    role_text_put(&lines, slice_of(agent->text, agent->len));
    role_text_put(&lines, asks ? SLICE(" \"SIPS Not Allowed\"\r\n") : SLICE(" \"SIPS Required\"\r\n"));
    role_answer_lines(request, 480, NULL, role_text_slice(&lines));
}

static enum role_targeting found(const struct role_pick *pick)
{
    return pick->found ? ROLE_TARGET : ROLE_TARGET_NONE;
}

// RFC 5630 5.3: a sips request goes to sips contacts alone; a sip one goes to a sips contact as if that were sip, and
// over TLS. What would have to be cut as well is left out.
static bool take_contact(struct role_pick *pick, struct slice contact, struct role_target *target)
{
    static const char sips[] = "sips:";
    bool is_sips = contact.len >= sizeof(sips) - 1 &&
                   slice_equal_nocase(slice_of(contact.at, sizeof(sips) - 1), SLICE("sips:"));

    cut_contact(contact, target);
    if (pick->request->uri.scheme == SIP_SCHEME_SIPS) {
        pick->insecure = pick->insecure || !is_sips;
        return is_sips;
    }
    target->secure = is_sips;
    if (!is_sips)
        return true;
    if (target->uri_tail.len > 0)
        return false;
    target->uri_tail = slice_of(target->uri.at + 4, target->uri.len - 4);
    target->uri = SLICE("sip");
    return true;
}

// RFC 3261 16.5: the bindings, highest q first. 404: nothing is known of the user. 480: the location table has the
// user, and no binding that lives or leads anywhere. 405: there are some, and none takes the method.
static enum role_targeting next_binding(struct role_request *request, struct role_pick *pick)
{
    bool first_alone = request->role->conf->fork == CONF_FORK_FIRST;
    struct location_binding binding;
    unsigned position = 0;
    uint32_t allowed = 0;
    const struct location_set *set = request->where.place == ROLE_DOMAIN ? role_target_set(request) : NULL;

    while (set != NULL && location_next(set, request->arrival->now.ms, &position, &binding)) {
        struct role_target candidate = {
            .path = binding.path,
            .listener =
                binding.listener, // the client is reached from there, its NAT has a hole for that address
            .q = binding.q,
            .gateway = GATEWAY_NONE,
        };
        if (!role_hop_of_binding(&binding, &candidate.hop) ||
            !role_route_speaks(request->role->route, candidate.hop.transport))
            continue;
        if (!method_allowed(request, &binding)) {
            allowed |= binding.methods;
            continue;
        }
        if (!take_contact(pick, binding.contact, &candidate))
            continue;
        if (role_pick_offer(pick, &candidate) || first_alone)
            break;
    }
    if (pick->found || is_later(pick))
        return found(pick);
    if (allowed != 0)
        role_answer_not_allowed(request, allowed);
    else if (pick->insecure)
        answer_insecure(request);
    else
        role_answer(request, set == NULL ? 404 : 480, NULL);
    return ROLE_TARGET_ANSWERED;
}

static uint64_t mix_user(uint64_t secret, const struct sip_uri *uri)
{
    return role_digest_mix(secret, uri->user);
}

static uint64_t affinity_of(const struct role_request *request, enum conf_algorithm algorithm)
{
    uint64_t secret = request->role->secret.k1;

    if (algorithm == CONF_ALGORITHM_FROM)
        return role_digest_mix(mix_user(secret, &request->from.uri), request->from.uri.host);
    if (algorithm == CONF_ALGORITHM_USER)
        return mix_user(secret, &request->uri);
    return role_call_hash(request);
}

static void add_slot(struct gateway_choice *choice, uint16_t slot)
{
    if (slot != GATEWAY_NONE && !gateway_was_tried(choice, slot) && choice->tried_n < GATEWAY_TRIED_MAX)
        choice->tried[choice->tried_n++] = slot;
}

static void begin_choice(const struct role_request *request, const struct role_course *course,
                         const struct role_tried *tried, struct gateway_choice *choice)
{
    const struct gateway_table *table = request->role->policy->gateways;

    *choice = (struct gateway_choice){
        .affinity = affinity_of(request, gateway_algorithm(table, course->group)),
        .now_ms = request->arrival->now.ms,
        .worker = request->role->worker,
        .stateless = course->mode == CONF_MODE_STATELESS || role_follows_an_invite(request),
    };
    for (unsigned i = 0; i < tried->n; i++)
        add_slot(choice, tried->one[i].gateway);
}

// The next address of one gateway.
static enum role_targeting pick_gateway(struct role_request *request, struct role_pick *pick, uint16_t slot)
{
    int gateway = gateway_of_slot(request->role->policy->gateways, slot);
    struct role_target candidate = {
        .listener = CONF_NONE, .q = SIP_Q_DEFAULT, .gateway = slot, .alone = true};
    bool failed;

    if (gateway == CONF_NONE)
        return ROLE_TARGET_NONE;
    return role_pick_hop(pick, request, &request->role->conf->gateways[gateway].address, &candidate, &failed);
}

// A gateway that has several addresses is tried at all of them before the next one's turn.
static enum role_targeting next_gateway(struct role_request *request, const struct role_course *course,
                                        struct role_pick *pick)
{
    const struct conf_gateways *group = &request->role->conf->groups[course->group];
    unsigned tries = group->tries_max < GATEWAY_TRIED_MAX ? group->tries_max : GATEWAY_TRIED_MAX;
    const struct role_tried *tried = pick->tried;
    struct gateway_choice choice;
    enum role_targeting asked = ROLE_TARGET_NONE;

    begin_choice(request, course, tried, &choice);
    if (tried->n > 0 && tried->one[tried->n - 1].gateway != GATEWAY_NONE)
        asked = pick_gateway(request, pick, tried->one[tried->n - 1].gateway);
    while (!pick->found && asked != ROLE_TARGET_ANSWERED && choice.tried_n < tries) {
        uint16_t slot = gateway_choose(request->role->policy->gateways, course->group, &choice);
        if (slot == GATEWAY_NONE)
            break;
        asked = pick_gateway(request, pick, slot);
        if (asked == ROLE_TARGET_ANSWERED) // it waits for the name, and chooses anew
            gateway_unchoose(request->role->policy->gateways, course->group, &choice, slot);
        add_slot(&choice, slot);
    }
    if (asked == ROLE_TARGET_ANSWERED)
        return asked;
    if (pick->found && choice.tried_n < tries && choice.tried_n < group->members_n)
        pick->target->more = true;
    if (pick->found || is_later(pick))
        return found(pick);
    if (pick->insecure)
        answer_insecure(request);
    else
        role_answer_unavailable(request, "No Gateway Free");
    return ROLE_TARGET_ANSWERED;
}

// A remote target that the To's user has registered is reached as its binding is, through its NAT.
static bool choose_bound(const struct role_request *request, struct role_target *target)
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

// RFC 3261 12.2.1.1: who came by a connection and says that he listens where he came from is connected to again when it
// is gone. A phone behind a NAT is not, nor one in a browser: that is RFC 5626 5.3.1's 430.
static bool listens_too(const struct role_request *request, bool routed, struct endpoint *hop)
{
    const struct endpoint *flow = &request->routes.flow;

    return !routed && flow->flow != 0 &&
           (flow->transport == ENDPOINT_TCP || flow->transport == ENDPOINT_TLS) &&
           role_hop_of(&request->uri, hop) && hop->transport == flow->transport &&
           endpoint_same_address(hop, flow);
}

// What the message itself names: the Route set first, then the request-URI. In a dialog that is the remote target, and
// where its peer was seen or registered counts for more than what is written in it.
static enum role_targeting next_named(struct role_request *request, const struct role_course *course,
                                      struct role_pick *pick)
{
    struct role_target candidate = {
        .listener = request->routes.listener, .q = SIP_Q_DEFAULT, .gateway = GATEWAY_NONE, .alone = true};
    enum role_targeting asked = ROLE_TARGET;
    bool failed = false;
    struct sip_address top;
    bool routed = role_routes_top(request, &top);
    bool seen = course->in_dialog && role_flow_leads(request);

    if (seen)
        candidate.hop = request->routes.flow;
    if (seen || (course->in_dialog && !routed && choose_bound(request, &candidate))) {
        role_pick_offer(pick, &candidate);
        if (seen && listens_too(request, routed, &candidate.hop))
            role_pick_offer(pick, &candidate);
    } else
        asked = role_pick_uri(pick, request, routed ? &top.uri : &request->uri, &candidate, &failed);
    if (asked == ROLE_TARGET_ANSWERED)
        return asked;
    if (pick->found || is_later(pick))
        return found(pick);
    if (pick->insecure)
        answer_insecure(request);
    else if (failed)
        role_answer(request, 503, "Name Not Resolved");
    else
        role_answer(request, 404, routed ? "No Route To Next Hop" : "No Route To Domain");
    return ROLE_TARGET_ANSWERED;
}

static enum role_targeting next_hop(struct role_request *request, const struct role_course *course,
                                    struct role_pick *pick)
{
    struct role_target candidate = {
        .listener = CONF_NONE, .q = SIP_Q_DEFAULT, .gateway = GATEWAY_NONE, .alone = true};
    bool failed = false;
    enum role_targeting asked =
        role_pick_hop(pick, request, &request->role->conf->routes[course->rule].hop, &candidate, &failed);

    if (asked == ROLE_TARGET_ANSWERED)
        return asked;
    if (pick->found || is_later(pick))
        return found(pick);
    if (pick->insecure)
        answer_insecure(request);
    else
        role_answer(request, 503, failed ? "Name Not Resolved" : "No Route To Next Hop");
    return ROLE_TARGET_ANSWERED;
}

static enum role_targeting next_target(struct role_request *request, const struct role_course *course,
                                       struct role_pick *pick)
{
    switch (course->action) {
    case CONF_ACTION_LOCATION:
        return next_binding(request, pick);
    case CONF_ACTION_GATEWAYS:
        return next_gateway(request, course, pick);
    case CONF_ACTION_HOP:
        return next_hop(request, course, pick);
    default:
        return next_named(request, course, pick);
    }
}

enum role_targeting role_target_next(struct role_request *request, const struct role_course *course,
                                     const struct role_tried *tried, struct role_target *target)
{
    struct role_pick pick = {.request = request, .tried = tried, .target = target};

    if (tried->n >= TRANSACTION_BRANCHES_MAX)
        return ROLE_TARGET_NONE;
    enum role_targeting next = next_target(request, course, &pick);
    if (next == ROLE_TARGET)
        target->trusted = role_trusts_endpoint(request->role, &target->hop);
    return next;
}
