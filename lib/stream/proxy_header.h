// proxy_header: who a connection is for, said by the load balancer in front (PROXY protocol, version 2, section 2.2 of
// its specification by HAProxy). It comes before everything else, TLS included.
//
// Pure: bytes in, what they say out.
#ifndef STREAM_PROXY_HEADER_H
#define STREAM_PROXY_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"

#define PROXY_HEADER_FIXED 16 // bytes before the addresses
#define PROXY_HEADER_MAX \
    2048 // bytes in all that are taken; addresses need 52, the rest is of no interest here

// How many bytes must be there before more can be said: PROXY_HEADER_FIXED, and then all of them; 0: these are none of
// a header, or of a larger one.
uint32_t stream_proxy_header_needs(const uint8_t *bytes, uint32_t len);

// Reads a whole header. True and `source`: who the connection is for (its transport and flow stay as they are); LOCAL
// and connections of no known family are the balancer's own, and `source` stays as it is. False: another version, a
// command or family that no TCP connection has, or too short for its addresses.
bool stream_proxy_header_read(const uint8_t *bytes, uint32_t len, struct endpoint *source);

#endif
