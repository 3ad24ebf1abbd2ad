#include "role/nat.h"

#include "gateway/gateway.h"
#include "role/policy.h"

// The Via says another address or port than the packet. `named`: what a name counts as.
static bool via_differs(const struct sip_via *via, const struct endpoint *source, bool named)
{
    struct endpoint sent_by;

    if (!endpoint_parse_host(via->host, &sent_by))
        return named;
    if (!endpoint_same_address(&sent_by, source))
        return true;
    return via->has_rport && (via->port != 0 ? via->port : 5060) != source->port;
}

static bool is_sip(const struct sip_uri *uri)
{
    return uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS;
}

static bool contact_differs(const struct sip_uri *contact, const struct endpoint *source, bool named)
{
    struct endpoint host;

    if (!is_sip(contact))
        return false; // a number or a mailbox is not on the far side of any NAT
    if (!endpoint_parse_host(contact->host, &host))
        return named;
    return endpoint_is_private(&host) && !endpoint_same_address(&host, source);
}

// Behind a second Via the source is a proxy, not the client; Path is what leads back through that (RFC 3327).
static bool has_one_via(const struct sip_message *message, const struct sip_via *via)
{
    unsigned line = message->first[SIP_HEADER_VIA];
    struct slice value = sip_message_value(message, line);
    const char *end = via->text.at + via->text.len;

    return sip_message_next(message, line) == SIP_NO_LINE &&
           memchr(end, ',', (size_t)(value.at + value.len - end)) == NULL;
}

static bool is_websocket(const struct endpoint *endpoint)
{
    return endpoint->transport == ENDPOINT_WS || endpoint->transport == ENDPOINT_WSS;
}

bool role_behind_nat(const struct role_request *request, const struct sip_uri *contact)
{
    const struct endpoint *source = &request->arrival->source;

    if (arrival_is_operators(request->arrival))
        return false;
    if (is_websocket(source) || (endpoint_is_stream(source) && request->role->conf->nat != CONF_NAT_NEVER))
        return is_sip(contact) && has_one_via(request->message, &request->via);
    switch (request->role->conf->nat) {
    case CONF_NAT_ALWAYS:
        return true;
    case CONF_NAT_NEVER:
        return false;
    default:
        return has_one_via(request->message, &request->via) &&
               (via_differs(&request->via, source, true) || contact_differs(contact, source, true));
    }
}

bool role_contact_behind_nat(const struct sip_uri *contact, const struct endpoint *source)
{
    return contact_differs(contact, source, false);
}

bool role_seen_behind_nat(const struct sip_message *message, const struct sip_via *via,
                          const struct endpoint *source)
{
    struct cursor c = cursor_over(sip_message_first(message, SIP_HEADER_CONTACT));
    struct sip_address contact;

    if (!has_one_via(message, via))
        return false;
    if (via_differs(via, source, via->has_rport))
        return true;
    if (cursor_done(&c) || !sip_address_take(&c, &contact)) // "*" is no address
        return false;
    // mostly it names the host that the Via did, which is the source
    return !slice_equal(contact.uri.host, via->host) && role_contact_behind_nat(&contact.uri, source);
}

bool role_keeps_connection(const struct role_request *request)
{
    const struct endpoint *source = &request->arrival->source;

    if (!endpoint_is_stream(source) || !has_one_via(request->message, &request->via))
        return false;
    return is_websocket(source) ||
           (request->arrival->peer == 0 && !gateway_trusts(request->role->policy->gateways, source));
}
