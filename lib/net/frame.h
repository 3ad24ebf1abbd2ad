// frame: what lies around a datagram: Ethernet, VLAN, IPv4 or IPv6, UDP.
//
// net_decap() reads the headers of a received frame in place and says what it is; it trusts no length field and
// verifies the checksums, the NIC's verdict where it has one (ol_flags), in software where not. Owner worker only.
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <rte_mbuf.h>
#include <stdbool.h>

#include "base/endpoint.h"

// Each value has its drop reason of the same name in worker/drop.h.
enum net_error {
    NET_OK = 0,
    NET_ETH_SHORT,
    NET_IP_SHORT,
    NET_IP_VERSION,
    NET_IP_HEADER_LENGTH,
    NET_IP_TOTAL_LENGTH,
    NET_IP_CHECKSUM,
    NET_IP_EXTENSION,
    NET_UDP_SHORT,
    NET_UDP_LENGTH,
    NET_UDP_CHECKSUM,
    NET_ERROR_COUNT
};

enum net_kind {
    NET_OTHER = 0, // not IP, or IP that is not UDP: for the kernel
    NET_UDP,
    NET_FRAGMENT, // a fragment of a UDP datagram: addresses are set, ports are not
};

struct net_frame {
    struct endpoint source;
    struct endpoint destination;
    uint16_t vlan;       // tag control information, valid when has_vlan; of two tags the inner one
    uint16_t vlan_outer; // tag control information of the outer tag (802.1ad) where there are two, else 0
    uint16_t l2_len;     // Ethernet with the tags that are in the frame, bytes
    uint16_t
        l3_len; // IP header with options or extension headers up to UDP, bytes. FRAGMENT: up to its bytes
    uint16_t payload; // offset of the UDP payload from the start of the frame. FRAGMENT: of its bytes
    uint16_t payload_len;
    uint8_t kind;  // enum net_kind
    bool has_vlan; // in the frame or stripped by the NIC into mbuf->vlan_tci
};

// Bytes of a frame in which all its headers lie; extension headers that reach further are NET_IP_EXTENSION.
#define NET_HEADERS_MAX 256

// Reads the headers of a frame in one or more segments, split anywhere. UDP and FRAGMENT: everything is set, and the
// mbuf ends where the datagram does (Ethernet padding and what lies behind the UDP length are cut off, RFC 768). On
// OTHER the mbuf is untouched, `source` and `destination` are set when it is IP, and the checksum behind IP is the
// kernel's to verify. On an error `frame` says nothing and the mbuf is still the caller's.
//
// Checked: IPv4 header checksum, lengths of IP and UDP, UDP checksum (IPv4: 0 means none, RFC 768; IPv6: must be
// there, RFC 8200 8.1). Not checked: whether the addresses make sense, nor the UDP ports.
enum net_error net_decap(struct rte_mbuf *mbuf, struct net_frame *frame);

#endif
