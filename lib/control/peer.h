// peer: who is at the other end of a TLS connection: which gateway a name in a certificate stands for, and which name
// whoever a message is for must prove (RFC 5922 7).
//
// Both are callbacks of lib/stream; `owner` is a struct control with a policy. Main lcore. Cost: a walk over the
// gateways, once for each handshake.
#ifndef CONTROL_PEER_H
#define CONTROL_PEER_H

#include <rte_mbuf.h>

#include "base/endpoint.h"
#include "base/slice.h"

#define CONTROL_PEER_NAME_MAX 256 // bytes of a name with its NUL

// The gateway whose `identity`, or else the host of its address, is this name: 1 + its slot, one that is trusted before
// others. 0: none.
uint16_t control_peer_identify(void *owner, struct slice name);

// The name that is expected of whoever is at `to`: of the gateway or the static hop that is there, as the configuration
// says it or as it was found by DNS; else the host of the message's top Route or request-URI, and of a response that of
// its top Via. False: an address, which must then be in the certificate. `name` has room for CONTROL_PEER_NAME_MAX bytes.
bool control_peer_expect(void *owner, const struct endpoint *to, const struct rte_mbuf *mbuf, char *name);

#endif
