// host: host and port as a URI and a Via write them (RFC 3261 25.1 hostport, sent-by). Any thread.
#ifndef SIP_HOST_H
#define SIP_HOST_H

#include "base/endpoint.h"
#include "sip/token.h"

#define SIP_PORT_DEFAULT     5060
#define SIP_PORT_DEFAULT_TLS 5061

// A host name, an IPv4 address, or an IPv6 reference with its brackets. Only the bytes are looked at: whether an
// address is one says sip_host_endpoint. The error given when there is none.
struct slice sip_take_host(struct cursor *c, enum sip_error error);

// The same with a window over sip_set_host.
static inline struct slice sip_take_host_in(struct cursor *c, struct sip_window *window, enum sip_error error)
{
    const char *from = c->at;

    c->at = sip_window_stop(window, from);
    return c->at > from ? slice_of(from, (size_t)(c->at - from)) : sip_take_host(c, error);
}

// The decimal port at the cursor, 1 to 65535; 0 and the error given when there is none of that kind.
static inline uint16_t sip_take_port(struct cursor *c, enum sip_error error)
{
    const char *at = c->at;
    const char *end = c->end;
    unsigned port = 0;

    for (; at < end; at++) {
        unsigned digit = (unsigned char)*at - '0';
        if (digit > 9)
            break;
        port = port > UINT16_MAX ? port : port * 10 + digit;
    }
    c->at = at;
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
