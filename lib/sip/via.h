// via: one element of the Via header field (RFC 3261 20.42, RFC 3581).
// Any thread.
#ifndef SIP_VIA_H
#define SIP_VIA_H

#include <stdbool.h>

#include "base/cursor.h"
#include "base/endpoint.h"
#include "sip/error.h"

// RFC 3261 8.1.1.7
#define SIP_BRANCH_COOKIE "z9hG4bK"

enum sip_transport {
    SIP_TRANSPORT_OTHER = 0,
    SIP_TRANSPORT_UDP,
    SIP_TRANSPORT_TCP,
    SIP_TRANSPORT_TLS,
    SIP_TRANSPORT_SCTP,
    SIP_TRANSPORT_WS,
    SIP_TRANSPORT_WSS,
};

struct sip_via {
    struct slice text;     // the whole element
    struct slice host;     // sent-by host, with the brackets of an IPv6 reference
    struct slice branch;   // at == NULL: none
    struct slice received; // at == NULL: none; an IPv6 address with or without brackets
    struct slice maddr;    // at == NULL: none
    struct slice
        rport_at; // the parameter's text "rport" or "rport=N" without its ";", to edit it; at == NULL: none
    struct slice params; // from the first ";" on
    uint16_t port;       // sent-by port; 0: none given
    uint16_t rport;      // value; 0: none or without value
    uint8_t transport;   // enum sip_transport
    uint8_t ttl;         // 0: none
    bool has_rport;
};

// One element of the comma list, the cursor on it or on white space before it; afterwards on the comma or at the
// end. False on an error, which is SIP_ERROR_VIA in the cursor (what could be read is set, `text` is empty); a
// parameter that is read here and stands there twice is one (RFC 3261 7.3.1).
// Cost: about 200 instructions with a branch, 260 with rport too; up to 500 for rarer ones.
bool sip_via_take(struct cursor *c, struct sip_via *via);

// Where a response to the request with this Via goes (RFC 3261 18.2.2, RFC 3581 4): maddr, else received and rport
// (both only where the transport is not reliable), else received or sent-by with the sent-by port or the transport's.
// By the transport that the Via says. An rport without received does not count. False: only a name is known.
bool sip_via_response_endpoint(const struct sip_via *via, struct endpoint *endpoint);

#endif
