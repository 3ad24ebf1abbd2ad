// stun: a Binding request on a SIP port, and what is answered to it (RFC 8489; RFC 5626 3.5.2 and 8).
//
// A phone behind a NAT sends one now and then where it sends SIP, to keep the NAT's hole open and to learn from the
// address in the answer that it is still the same hole. This usage knows no other method, no authentication and no
// RFC 3489. The answer is at most NET_STUN_GROWTH bytes longer than the request, so nobody is flooded by it with more
// than was spent on it; for that it has no SOFTWARE and no reason phrase, which RFC 8489 6.3.1.1 asks for mildly.
// Pure: any thread. Cost: one pass over the attributes, and a CRC each way where a FINGERPRINT asks for it.
#ifndef NET_STUN_H
#define NET_STUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"

#define NET_STUN_UNKNOWN_MAX 16 // unknown attributes that a 420 lists
#define NET_STUN_ANSWER_MAX  (20 + 8 + 4 + 2 * NET_STUN_UNKNOWN_MAX + 8)
#define NET_STUN_GROWTH      24 // XOR-MAPPED-ADDRESS with an IPv6 address

enum net_stun {
    NET_STUN_REQUEST,    // to be answered
    NET_STUN_INDICATION, // a keep-alive that wants no answer
    NET_STUN_BROKEN, // no STUN, lying about a length, with a wrong fingerprint, or neither of the two above
};

// What the `len` bytes at `message`, a whole datagram from `source`, are; of a request the answer is written and its
// length put into *answer_len. Reads nothing outside.
enum net_stun net_stun_serve(const void *message, size_t len, const struct endpoint *source,
                             uint8_t answer[NET_STUN_ANSWER_MAX], unsigned *answer_len);

// Whether a first byte is STUN's, whose two upper bits are zero and whose methods here are below 0x200; no SIP message
// begins so (RFC 5626 8, RFC 7983 7).
static inline bool net_stun_begins(uint8_t first)
{
    return first < 4;
}

#endif
