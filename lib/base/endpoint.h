// endpoint: an IP address and a port, of either family.
//
// A plain value: copy it, compare it, hash its bytes (unused address bytes are always zero). Any thread.
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

// Room for "[" IPv6 "]:" port and a NUL.
#define ENDPOINT_TEXT_MAX 56

struct endpoint {
    uint8_t address[16]; // network order; IPv4 in the first four, the rest zero
    uint16_t port;       // host order; 0: none given
    uint8_t family;      // enum endpoint_family
    uint8_t unused;      // always 0
};

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
    return (struct endpoint){{a, b, c, d}, port, ENDPOINT_IP4, 0};
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
