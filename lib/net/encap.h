// encap: Ethernet, IP and UDP headers in front of a payload, in its headroom.
//
// The payload's mbuf becomes the frame; nothing is copied. Checksums are left to the NIC where the port offers it, so
// the mbuf carries l2_len, l3_len and the offload flags it then needs. Owner worker only. Cost: about 40 cycles, and
// the UDP checksum where it is made in software.
#ifndef NET_ENCAP_H
#define NET_ENCAP_H

#include <rte_mbuf.h>

#include "net/nexthop.h"

// Bytes of headroom that net_encap() takes at most: Ethernet, two tags, IPv6, UDP.
#define NET_ENCAP_MAX (14 + 8 + 40 + 8)

struct net_encap {
    const struct net_hop *hop;          // READY
    const struct endpoint *source;      // address and port of the listener
    const struct endpoint *destination; // of the same family
    uint64_t tx_offloads;               // of the port, RTE_ETH_TX_OFFLOAD_…
    uint16_t
        *id; // identification of the worker's next datagram that must be fragmented; counted up only then
    uint16_t vlan;       // tag control information to keep where the hop names no VLAN of its own; 0: none
    uint16_t vlan_outer; // of an 802.1ad tag around that one; 0: none
    uint8_t ttl;         // TTL or hop limit
    uint8_t dscp;        // 0 … 63
};

// `payload` in one or more segments, the first with `headroom` for NET_ENCAP_MAX bytes, not shared with anyone (its
// headroom and lengths are written; a shared one goes behind a header mbuf of its own). Flags of its reception are
// dropped. Returns
//   0          the frame is whole: transmit it (rte_eth_tx_prepare() where the driver asks for it);
//   1          it is larger than the hop's MTU: net_fragment() it. Its UDP checksum is made in software, since no NIC
//              sees the whole datagram, and it has no offload flags;
//   -EINVAL    the families differ;
//   -EMSGSIZE  no UDP datagram is that large;
//   -ENOSPC    no headroom.
// On an error the mbuf is as it was.
int net_encap(struct rte_mbuf *payload, const struct net_encap *how);

#endif
