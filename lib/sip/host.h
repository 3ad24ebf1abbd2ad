// host: host and port as a URI and a Via write them (RFC 3261 25.1 hostport, sent-by). Any thread.
#ifndef SIP_HOST_H
#define SIP_HOST_H

#include "base/endpoint.h"
#include "sip/token.h"

#define SIP_PORT_DEFAULT     5060
#define SIP_PORT_DEFAULT_TLS 5061
#define SIP_PORT_DEFAULT_WS  80 // RFC 7118 5.5
#define SIP_PORT_DEFAULT_WSS 443

// A host name, an IPv4 address, or an IPv6 reference with its brackets. Only the bytes are looked at: whether an
// address is one says sip_host_endpoint. The error given when there is none.
struct slice sip_take_host(struct cursor *c, enum sip_error error);

// The decimal port at the cursor, 1 to 65535; 0 and the error given when there is none of that kind.
static inline uint16_t sip_take_port(struct cursor *c, enum sip_error error)
{
    uint64_t port = cursor_take_number(c, UINT16_MAX);

    if (port - 1 >= UINT16_MAX) {
        cursor_fail(c, error);
        return 0;
    }
    return (uint16_t)port;
}

// The literal address that a host is, with port 0. False: it is a name. The extra colon that RFC 3261's grammar asks
// for before an embedded IPv4 address is taken too (RFC 5118 4.10).
bool sip_host_endpoint(struct slice host, struct endpoint *endpoint);

#endif
