// endpoint: where a peer is: an IP address and a port, of either family, and how it is spoken to.
//
// A plain value: copy it, compare it, hash its bytes (unused address bytes are always zero). Any thread.
//
// Over a stream an endpoint is also a way back: `flow` names the one connection to it that the peer made (RFC 5626), so
// that what is meant for that peer never reaches another one that came by the same address and port later. An endpoint
// without a flow is an address: any connection to it will do, or a new one.
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

enum endpoint_family {
    ENDPOINT_NONE = 0,
    ENDPOINT_IP4 = 4,
    ENDPOINT_IP6 = 6,
};

// RFC 3261 18, RFC 7118. UDP is 0, so an endpoint of which nothing is said is a datagram's.
enum endpoint_transport {
    ENDPOINT_UDP = 0,
    ENDPOINT_TCP,
    ENDPOINT_TLS,
    ENDPOINT_WS,
    ENDPOINT_WSS,
    ENDPOINT_TRANSPORTS,
};

// Room for "[" IPv6 "]:" port and a NUL.
#define ENDPOINT_TEXT_MAX 56

struct endpoint {
    uint8_t address[16];   // network order; IPv4 in the first four, the rest zero
    uint16_t port;         // host order; 0: none given
    uint8_t family : 4;    // enum endpoint_family
    uint8_t transport : 4; // enum endpoint_transport
    uint8_t flow;          // stream: which of the connections that ever came from here; 0: none is meant
};

// A flow that no connection ever has: of one whose process is no more. Whatever is meant for it arrives nowhere.
#define ENDPOINT_FLOW_GONE 255

static inline void endpoint_flow_end(struct endpoint *endpoint)
{
    if (endpoint->flow != 0)
        endpoint->flow = ENDPOINT_FLOW_GONE;
}

// Nothing is lost or doubled on the way, and order is kept (RFC 3261 17: "reliable").
static inline bool endpoint_is_stream(const struct endpoint *endpoint)
{
    return endpoint->transport != ENDPOINT_UDP;
}

// TLS below: what a sips URI asks for (RFC 3261 26.2.2).
static inline bool endpoint_is_secure(const struct endpoint *endpoint)
{
    return endpoint->transport == ENDPOINT_TLS || endpoint->transport == ENDPOINT_WSS;
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

// Same family and address, whatever the port.
static inline bool endpoint_same_address(const struct endpoint *a, const struct endpoint *b)
{
    return a->family == b->family && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static inline struct endpoint endpoint_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
    return (struct endpoint){.address = {a, b, c, d}, .port = port, .family = ENDPOINT_IP4};
}

// An IPv4 address, an IPv6 address, or an IPv6 reference in brackets, and nothing else (no port, no zone).
// True and the endpoint with port 0; false when it is a host name or neither.
bool endpoint_parse_host(struct slice host, struct endpoint *endpoint);

// "ADDRESS", "ADDRESS:PORT", "[IPV6]" or "[IPV6]:PORT"; port 0 where none is given.
bool endpoint_parse(struct slice text, struct endpoint *endpoint);

// Writes the address alone, IPv6 in brackets as a SIP host is written (RFC 3261 25.1 IPv6reference), without NUL.
// `text` has room for ENDPOINT_TEXT_MAX bytes. Returns the bytes written.
unsigned endpoint_write_host(const struct endpoint *endpoint, char *text);

// As endpoint_write_host with ":" and the port behind it where the port is not 0.
unsigned endpoint_write(const struct endpoint *endpoint, char *text);

// Private, shared, loopback or link-local space, which no host elsewhere can reach
// (RFC 1918, 6598, 3927, 4193, 4291 2.5.6).
bool endpoint_is_private(const struct endpoint *endpoint);

#endif
