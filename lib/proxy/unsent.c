// Messages that did not leave, for the connection that they were for is gone or could not be made (RFC 3261 18.4).
#include "proxy/core.h"

// A phone listens nowhere: what it says in its Via leads to nobody, or to somebody else.
static bool is_listening(const struct sip_via *via)
{
    static const char nowhere[] = ".invalid"; // RFC 7118 5
    const uint32_t len = sizeof(nowhere) - 1;
    struct endpoint sent_by, received;

    if (via->transport != SIP_TRANSPORT_TCP && via->transport != SIP_TRANSPORT_TLS)
        return false;
    if (!endpoint_parse_host(via->host, &sent_by)) {
        struct slice end = slice_of(via->host.at + via->host.len - len, len);
        return via->host.len < len || !slice_equal_nocase(end, slice_of(nowhere, len));
    }
    return via->received.at == NULL ||
           (endpoint_parse_host(via->received, &received) && endpoint_same_address(&sent_by, &received));
}

// RFC 3261 18.2.2: "the server SHOULD open a connection to the IP address in the received parameter, if present, using
// the port in the sent-by value". Once: what came back from there goes nowhere else.
static bool listens_at(const struct role *role, const struct sip_message *response, const struct endpoint *to,
                       struct endpoint *next)
{
    struct cursor c = cursor_over(sip_message_first(response, SIP_HEADER_VIA));
    struct sip_via via;

    if (!sip_via_take(&c, &via) || !is_listening(&via) || !sip_via_response_endpoint(&via, next))
        return false;
    next->transport = to->transport;
    return !endpoint_equal(next, to) && role_hop_usable(next) &&
           role_route_listener(role->route, next) == CONF_NONE;
}

// Made anew: its bytes are somebody else's.
static bool send_again(struct role *role, const struct sip_message *response, const struct endpoint *to,
                       int listener)
{
    const struct outlet *outlet = &role->outlet;

    if (!outlet->room(outlet->owner, 1))
        return false;
    sip_edits_clear(&role->spare);
    struct buffer *copy =
        outlet->copy(outlet->owner, slice_of(response->bytes, response->len), &role->spare, NULL);
    if (copy == NULL)
        return false;
    outlet->send(outlet->owner, copy, to, (uint8_t)listener, response->status);
    outlet->release(outlet->owner, copy);
    return true;
}

bool proxy_unsent(struct role *role, struct slice bytes, const struct endpoint *to, unsigned listener,
                  const struct clock *now)
{
    struct sip_message message;
    struct endpoint next;

    if (!slice_starts(bytes, SLICE("SIP/2.0 ")))
        return proxy_unreachable(role, bytes, now);
    if (!endpoint_is_stream(to) || role->transactions == NULL ||
        sip_message_parse(&message, bytes.at, bytes.len) != SIP_OK || !listens_at(role, &message, to, &next))
        return false;
    int from = role_route_listener_for(role->route, next.transport, next.family, (int)listener);

    return from != CONF_NONE && send_again(role, &message, &next, from);
}
