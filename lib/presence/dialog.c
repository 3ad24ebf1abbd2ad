// The dialog that a SUBSCRIBE makes, from the side of who answers it (RFC 3261 12.1.1, RFC 6665 4.4.1).
#include "gateway/gateway.h"
#include "presence/parts.h"
#include "role/hop.h"
#include "role/nat.h"
#include "sip/token.h"
#include "sip/transport.h"

// Header lines of requests of our own are made of these, so no fold stays in them.
static bool add_text(struct presence *presence, uint32_t *len, struct slice piece, struct slice *text)
{
    char *to = presence->text + *len;

    if (piece.len > PRESENCE_DIALOG_MAX - *len)
        return false;
    for (uint32_t i = 0; i < piece.len; i++)
        to[i] = piece.at[i] == '\r' || piece.at[i] == '\n' ? ' ' : piece.at[i];
    if (text->at == NULL)
        *text = slice_of(to, 0);
    text->len += piece.len;
    *len += piece.len;
    return true;
}

// The URI with its display name, without the parameters behind it: the tag is another one's or none.
static struct slice without_params(struct slice value, const struct sip_address *address)
{
    uint32_t len = address->params.len > 0 ? (uint32_t)(address->params.at - value.at) : value.len;

    return slice_trim(slice_of(value.at, len));
}

// RFC 3261 12.1.1: the route set is Record-Route as it came.
static bool add_route(struct role_request *request, uint32_t *len, struct slice *route)
{
    const struct sip_message *message = request->message;
    bool fits = true;

    *route = (struct slice){NULL, 0};
    SIP_FOREACH_LINE(line, message, SIP_HEADER_RECORD_ROUTE) {
        if (route->len > 0)
            fits = fits && add_text(request->role->presence, len, SLICE(", "), route);
        fits = fits && add_text(request->role->presence, len, sip_message_value(message, line), route);
    }
    if (route->at == NULL)
        *route = (struct slice){"", 0};
    return fits;
}

// Each value must be one that can be followed.
static bool check_route(struct slice route)
{
    struct cursor c = cursor_over(route);
    struct sip_address address;

    if (route.len == 0)
        return true;
    do {
        if (!sip_address_take(&c, &address))
            return false;
        sip_skip_space(&c);
    } while (cursor_skip(&c, ','));
    return cursor_done(&c);
}

bool presence_contact_read(struct role_request *request, struct sip_contact *contact)
{
    struct slice value = sip_message_first(request->message, SIP_HEADER_CONTACT);
    struct cursor c = cursor_over(value);

    // RFC 3261 8.1.1.8, 12.1.1: exactly one, and a sip URI
    if (value.at != NULL && sip_contact_take(&c, contact) && !contact->star && cursor_done(&c) &&
        sip_message_next(request->message, request->message->first[SIP_HEADER_CONTACT]) == SIP_NO_LINE &&
        (contact->address.uri.scheme == SIP_SCHEME_SIP || contact->address.uri.scheme == SIP_SCHEME_SIPS))
        return true;
    presence_refuse(request, &request->role->presence->counters.refused, 400,
                    value.at == NULL ? "Missing Contact" : sip_error_text(SIP_ERROR_CONTACT));
    return false;
}

bool presence_dialog_read(struct role_request *request, struct subscription_opening *opening, uint8_t *hop)
{
    struct presence *presence = request->role->presence;
    const struct sip_message *message = request->message;
    struct slice to = sip_message_first(message, SIP_HEADER_TO);
    struct slice from = sip_message_first(message, SIP_HEADER_FROM);
    struct slice *text = opening->text;
    struct sip_contact contact;
    uint32_t len = 0;

    if (!presence_contact_read(request, &contact))
        return false;
    bool fits =
        add_text(presence, &len, without_params(to, &request->to), &text[SUBSCRIPTION_LOCAL_URI]) &&
        add_text(presence, &len, without_params(from, &request->from), &text[SUBSCRIPTION_REMOTE_URI]) &&
        add_route(request, &len, &text[SUBSCRIPTION_ROUTE]);
    text[SUBSCRIPTION_CALL_ID] = request->call_id;
    text[SUBSCRIPTION_REMOTE_TAG] = request->from_tag.at != NULL ? request->from_tag : SLICE("");
    text[SUBSCRIPTION_TARGET] = contact.address.uri.text;
    if (!slice_equal(presence_identity(request), request->from.uri.text))
        text[SUBSCRIPTION_WATCHER] = presence_identity(request);
    len += request->call_id.len + text[SUBSCRIPTION_REMOTE_TAG].len + contact.address.uri.text.len +
           text[SUBSCRIPTION_EVENT_ID].len + text[SUBSCRIPTION_WATCHER].len;
    if (!fits || len > PRESENCE_DIALOG_MAX || !check_route(text[SUBSCRIPTION_ROUTE])) {
        presence_refuse(request, &presence->counters.refused, 400, "Dialog Too Long Or Route Set Malformed");
        return false;
    }
    return presence_hop_find(request, text[SUBSCRIPTION_ROUTE], &contact.address.uri, &opening->to,
                             &opening->listener, hop);
}

// A phone that is our neighbour is reached where it came from: by its connection, or through its NAT.
static bool came_by_itself(const struct role_request *request, const struct sip_uri *target)
{
    const struct endpoint *source = &request->arrival->source;

    return endpoint_is_stream(source) || role_contact_behind_nat(target, source) ||
           role_seen_behind_nat(request->message, &request->via, source);
}

static bool has_one_via(const struct sip_message *message)
{
    unsigned line = message->first[SIP_HEADER_VIA];

    return sip_message_next(message, line) == SIP_NO_LINE &&
           slice_find(sip_message_value(message, line), ',') == sip_message_value(message, line).len;
}

// RFC 3261 12.2.1.1, and 8.1.2 for the first route that is no loose router.
bool presence_hop_find(struct role_request *request, struct slice route, const struct sip_uri *target,
                       struct endpoint *to, uint8_t *listener, uint8_t *hop)
{
    const struct role_tried none = {.n = 0};
    struct role_target candidate = {.listener = CONF_NONE, .gateway = GATEWAY_NONE}, found;
    struct role_pick pick = {.request = request, .tried = &none, .target = &found};
    const struct sip_uri *uri = target;
    struct cursor c = cursor_over(route);
    struct sip_address first;
    bool failed = false;

    if (route.len > 0 && sip_address_take(&c, &first)) {
        uri = &first.uri;
    } else if (has_one_via(request->message) && came_by_itself(request, target)) {
        *to = request->arrival->source;
        *listener = request->arrival->listener;
        *hop = 0;
        return true;
    }
    if (role_pick_uri(&pick, request, uri, &candidate, &failed) == ROLE_TARGET_ANSWERED)
        return false;
    int from = !pick.found ? CONF_NONE
                           : role_route_listener_for(request->role->route, found.hop.transport,
                                                     found.hop.family, request->arrival->listener);
    if (from == CONF_NONE) { // no 503, which says that it is this server (RFC 3261 21.5.4)
        presence_refuse(request, &request->role->presence->counters.refused, failed ? 500 : 400,
                        "Contact Cannot Be Reached");
        return false;
    }
    *to = found.hop;
    *listener = (uint8_t)from;
    *hop = PRESENCE_HOP_NAMED;
    return true;
}

// RFC 5630 5.3: a sips URI does not say transport=tls. RFC 6665 4.5.1: a notifier's is a GRUU, so that nobody shares its
// dialogs; it is of our own making (RFC 5627 4.3).
void presence_contact_put(const struct role *role, unsigned listener, bool sips, struct document_text *text)
{
    const struct conf_listener *own = &role->conf->listeners[listener];

    sips = sips && (own->transport == ENDPOINT_TLS || own->transport == ENDPOINT_WSS);
    document_text_add(text, sips ? SLICE("Contact: <sips:") : SLICE("Contact: <sip:"));
    document_text_add(text, slice_of(own->advertised_text.text, own->advertised_text.len));
    if (!sips || own->transport != ENDPOINT_TLS)
        document_text_add(text, sip_transport_param(own->transport));
    document_text_add(text, SLICE(";gr>\r\n"));
}

bool presence_dialog_is_sips(const struct presence *presence, const struct subscription *subscription)
{
    struct cursor c = cursor_over(presence_text_of(presence, subscription, SUBSCRIPTION_ROUTE));
    struct slice target = presence_text_of(presence, subscription, SUBSCRIPTION_TARGET);
    struct sip_address first;

    if (cursor_left(&c) > 0 && sip_address_take(&c, &first) && first.uri.scheme == SIP_SCHEME_SIPS)
        return true;
    return target.len > 5 && slice_equal_nocase(slice_of(target.at, 5), SLICE("sips:"));
}

struct subscription *presence_dialog_find(const struct role_request *request)
{
    const struct presence *presence = request->role->presence;
    struct role_dialog_tag tag;
    struct subscription *subscription =
        role_dialog_tag_read(request->to_tag, &tag) ? subscription_find(presence->table, tag.check) : NULL;

    if (subscription != NULL &&
        slice_equal(request->call_id, presence_text_of(presence, subscription, SUBSCRIPTION_CALL_ID)) &&
        slice_equal(request->from_tag, presence_text_of(presence, subscription, SUBSCRIPTION_REMOTE_TAG)))
        return subscription;
    return NULL;
}

bool presence_dialog_move(struct role_request *request, struct subscription *subscription)
{
    struct presence *presence = request->role->presence;
    struct slice route = presence_text_of(presence, subscription, SUBSCRIPTION_ROUTE);
    struct sip_contact contact;
    struct endpoint to;
    uint8_t listener, hop;

    if (!sip_message_has(request->message, SIP_HEADER_CONTACT))
        return true;
    if (!presence_contact_read(request, &contact) ||
        !presence_hop_find(request, route, &contact.address.uri, &to, &listener, &hop))
        return false;
    if (subscription_text_put(presence->table, subscription, SUBSCRIPTION_TARGET, contact.address.uri.text) !=
        0) {
        presence_refuse_later(request, "No Room For Subscriptions");
        return false;
    }
    if (endpoint_equal(&subscription->to, &to))
        hop |= subscription->mark[PRESENCE_MARK_HOP] & PRESENCE_HOP_REFUSED;
    else
        subscription_notify_abandon(presence->table, subscription, request->arrival->now.ms);
    subscription->mark[PRESENCE_MARK_HOP] = hop;
    subscription->to = to;
    subscription->listener = listener;
    return true;
}
