// icmp: errors about UDP datagrams that left here (RFC 792, RFC 4443).
//
// Those that RFC 3261 18.4 lets a transaction know of: destination unreachable and parameter problem; a packet that is
// too big is none, nor are source quench and time exceeded. An ICMP error is easily made up, so what is quoted is no
// more than a hint where to look. Pure: any thread, on an mbuf that is its own.
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include <rte_mbuf.h>
#include <stdbool.h>

#include "net/frame.h"

// What the error quotes of the datagram.
struct net_icmp_quote {
    struct endpoint source; // that it had left from
    struct endpoint destination;
    uint16_t payload;     // offset from the start of the error's frame
    uint16_t payload_len; // bytes of it that are there: 0 where the quoter kept no more than the ports
};

// Reads a frame of which net_decap() said NET_OTHER in `frame`. True: it is such an error with a right checksum, and
// `quote` is set. What is quoted counts as far as the mbuf's first segment reaches. False for everything else, and for
// fragments of ICMP and ICMPv6 behind extension headers, which no error needs.
bool net_icmp_error(const struct rte_mbuf *mbuf, const struct net_frame *frame, struct net_icmp_quote *quote);

#endif
