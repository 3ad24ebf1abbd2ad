#include "sip/transport.h"

#include "sip/host.h"

static const struct {
    const char *name, *param;
    uint16_t port;
} transports[ENDPOINT_TRANSPORTS] = {
    [ENDPOINT_UDP] = {"UDP", "", SIP_PORT_DEFAULT},
    [ENDPOINT_TCP] = {"TCP", ";transport=tcp", SIP_PORT_DEFAULT},
    [ENDPOINT_TLS] = {"TLS", ";transport=tls", SIP_PORT_DEFAULT_TLS},
    [ENDPOINT_WS] = {"WS", ";transport=ws", SIP_PORT_DEFAULT_WS},
    [ENDPOINT_WSS] = {"WSS", ";transport=ws", SIP_PORT_DEFAULT_WSS},
};

uint16_t sip_transport_port(enum endpoint_transport transport)
{
    return transports[transport].port;
}

struct slice sip_transport_name(enum endpoint_transport transport)
{
    return slice_text(transports[transport].name);
}

struct slice sip_transport_param(enum endpoint_transport transport)
{
    return slice_text(transports[transport].param);
}

static bool named(struct slice name, uint8_t *transport)
{
    for (uint8_t i = 0; i < ENDPOINT_TRANSPORTS; i++) {
        if (slice_equal_nocase(name, slice_text(transports[i].name))) {
            *transport = i;
            return true;
        }
    }
    return false;
}

// RFC 3261 26.2.2: what sips is spoken over has TLS below; transport=tcp is TLS over TCP (19.1.4).
static bool secured(uint8_t *transport)
{
    static const uint8_t with_tls[ENDPOINT_TRANSPORTS] = {
        [ENDPOINT_TCP] = ENDPOINT_TLS,
        [ENDPOINT_TLS] = ENDPOINT_TLS,
        [ENDPOINT_WS] = ENDPOINT_WSS,
        [ENDPOINT_WSS] = ENDPOINT_WSS,
    };

    *transport = with_tls[*transport];
    return *transport != ENDPOINT_UDP;
}

bool sip_uri_transport(const struct sip_uri *uri, uint8_t *transport)
{
    struct slice name;

    *transport = SIP_TRANSPORT_ANY;
    if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
        return false;
    if (uri->params.len == 0 || !sip_uri_param(uri, SLICE("transport"), &name))
        return true;
    return named(name, transport) && (uri->scheme == SIP_SCHEME_SIP || secured(transport));
}

enum endpoint_transport sip_via_transport(const struct sip_via *via)
{
    switch (via->transport) {
    case SIP_TRANSPORT_TCP:
        return ENDPOINT_TCP;
    case SIP_TRANSPORT_TLS:
        return ENDPOINT_TLS;
    case SIP_TRANSPORT_WS:
        return ENDPOINT_WS;
    case SIP_TRANSPORT_WSS:
        return ENDPOINT_WSS;
    default:
        return ENDPOINT_UDP;
    }
}
