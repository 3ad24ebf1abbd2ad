// The Contact of a phone behind a NAT, which names an address that nobody else can reach, repaired to where the phone
// was seen ([proxy] nat = repair). A phone that compares what comes back with what it sent finds it changed:
// flow tokens (role/flow.h) do without.
#include "sip/contact.h"
#include "proxy/core.h"
#include "role/nat.h"
#include "role/trust.h"
#include "sip/cseq.h"

// The methods whose Contact is the remote target of a dialog (RFC 3261 12.2, RFC 3311, 3515, 6665).
#define TARGETS                                                                 \
    (SIP_METHOD_BIT(SIP_METHOD_INVITE) | SIP_METHOD_BIT(SIP_METHOD_UPDATE) |    \
     SIP_METHOD_BIT(SIP_METHOD_SUBSCRIBE) | SIP_METHOD_BIT(SIP_METHOD_NOTIFY) | \
     SIP_METHOD_BIT(SIP_METHOD_REFER))

static bool carries_target(const struct sip_message *message)
{
    struct sip_cseq cseq;

    if (message->kind == SIP_REQUEST)
        return TARGETS & SIP_METHOD_BIT(message->method);
    // those of a redirection lead elsewhere
    return message->status < 300 &&
           sip_cseq_parse(sip_message_first(message, SIP_HEADER_CSEQ), &cseq) == SIP_OK &&
           (TARGETS & SIP_METHOD_BIT(cseq.method));
}

// The sender is the one whose Contact this is. Of a request its Vias say so. A response has lost those of proxies
// further on, but one of them that wants to be in the dialog stands above us in Record-Route.
static bool sender_is_behind_nat(const struct role *role, const struct sip_message *message,
                                 const struct endpoint *source, const struct sip_uri *contact)
{
    struct cursor vias = cursor_over(sip_message_first(message, SIP_HEADER_VIA));
    struct cursor routes = cursor_over(sip_message_first(message, SIP_HEADER_RECORD_ROUTE));
    struct sip_address top;
    struct sip_via via;

    if (message->kind == SIP_REQUEST)
        return sip_via_take(&vias, &via) && role_seen_behind_nat(message, &via, source);
    if (!cursor_done(&routes) &&
        (!sip_address_take(&routes, &top) || role_route_where(role->route, &top.uri).listener == CONF_NONE))
        return false;
    return role_contact_behind_nat(contact, source);
}

void proxy_contact_note(const struct role *role, const struct sip_message *message,
                        const struct endpoint *source, struct sip_edits *edits)
{
    struct cursor c = cursor_over(sip_message_first(message, SIP_HEADER_CONTACT));
    struct sip_contact contact;
    char text[ENDPOINT_TEXT_MAX];

    // over a stream the source is a connection, which a Contact cannot name: a flow token does
    if (role->conf->nat_dialog != CONF_NAT_DIALOG_REPAIR || endpoint_is_stream(source) || cursor_done(&c) ||
        !carries_target(message))
        return;
    if (!sip_contact_take(&c, &contact) || contact.star)
        return;
    const struct sip_uri *uri = &contact.address.uri;
    if (!sender_is_behind_nat(role, message, source, uri))
        return;
    // the host and the port behind it, up to what follows
    uint16_t at = (uint16_t)(uri->host.at - message->bytes);
    const char *end = uri->text.at + uri->text.len;
    if (uri->headers.len > 0)
        end = uri->headers.at - 1;
    if (uri->params.len > 0)
        end = uri->params.at;
    sip_edits_replace(edits, at, (uint16_t)(end - uri->host.at),
                      slice_of(text, endpoint_write(source, text)));
}
