// transport: how a peer is spoken to, as URIs and Vias write it (RFC 3261 18, 19.1.1, 26.2.2, RFC 7118 5.2, 5.5).
// Any thread.
#ifndef SIP_TRANSPORT_H
#define SIP_TRANSPORT_H

#include "sip/uri.h"
#include "sip/via.h"

#define SIP_TRANSPORT_ANY 0xff // nothing is said: whatever suits (RFC 3263 4.1)

// Where it is spoken when no port is said: 5060, 5061, 80, 443 (RFC 3261 19.1.2, RFC 7118 5.5).
uint16_t sip_transport_port(enum endpoint_transport transport);

// "UDP", "TCP", "TLS", "WS", "WSS": a Via's (RFC 3261 20.42, RFC 7118 5.2).
struct slice sip_transport_name(enum endpoint_transport transport);

// ";transport=tcp": what a sip URI needs to say, nothing for UDP. WSS is ";transport=ws" in a sips URI.
struct slice sip_transport_param(enum endpoint_transport transport);

// What a URI asks for: an enum endpoint_transport, of a sips URI one with TLS below, or SIP_TRANSPORT_ANY. False: none
// that is known, or UDP with sips. transport=tls and =wss are understood in a sip URI, as everybody writes them.
bool sip_uri_transport(const struct sip_uri *uri, uint8_t *transport);

// What a Via says it was sent by; UDP for one that is not known.
enum endpoint_transport sip_via_transport(const struct sip_via *via);

#endif
