// Whether a client sits behind a NAT, so that its binding must lead to where the REGISTER came from.
#include "role/registration.h"

// The request came straight from the client, and its Via says another address or port than the packet.
static bool via_differs(const struct role_request *request)
{
    const struct sip_via *via = &request->via;
    const struct endpoint *source = &request->arrival->source;
    struct endpoint sent_by;

    if (!endpoint_parse_host(via->host, &sent_by) || !endpoint_same_address(&sent_by, source))
        return true;
    return via->has_rport && (via->port != 0 ? via->port : 5060) != source->port;
}

static bool contact_differs(const struct role_request *request, const struct sip_uri *contact)
{
    const struct endpoint *source = &request->arrival->source;
    struct endpoint host;

    if (contact->scheme != SIP_SCHEME_SIP && contact->scheme != SIP_SCHEME_SIPS)
        return false; // a number or a mailbox is not on the far side of any NAT
    if (!endpoint_parse_host(contact->host, &host))
        return true; // a name, which cannot be looked up here
    return endpoint_is_private(&host) && !endpoint_same_address(&host, source);
}

// Behind a second Via the source is a proxy, not the client; Path is what leads back through that (RFC 3327).
static bool has_one_via(const struct role_request *request)
{
    const struct sip_message *message = request->message;
    unsigned line = message->first[SIP_HEADER_VIA];
    struct slice value = sip_message_value(message, line);
    const char *end = request->via.text.at + request->via.text.len;

    return sip_message_next(message, line) == SIP_NO_LINE &&
           memchr(end, ',', (size_t)(value.at + value.len - end)) == NULL;
}

bool role_behind_nat(const struct role_request *request, const struct sip_uri *contact)
{
    switch (request->role->conf->nat) {
    case CONF_NAT_ALWAYS:
        return true;
    case CONF_NAT_NEVER:
        return false;
    default:
        return has_one_via(request) && (via_differs(request) || contact_differs(request, contact));
    }
}
