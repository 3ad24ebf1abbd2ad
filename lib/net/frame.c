#include "net/frame.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "net/checksum.h"

#define VLAN_TAG       4 // bytes: type and tag control information
#define VLAN_TAGS_MAX  2
#define EXTENSIONS_MAX 4 // IPv6 extension headers in front of UDP; RFC 8200 4.1 has use for no more
#define FRAGMENT_BYTES 8 // of a fragment header (RFC 8200 4.5)

// RFC 8200 4, and the registry it points to.
enum next_header {
    HOP_BY_HOP = 0,
    UDP = NET_PROTOCOL_UDP,
    ROUTING = 43,
    FRAGMENT = 44,
    DESTINATION_OPTIONS = 60,
};

// The front of a frame as contiguous bytes.
struct headers {
    const uint8_t *at;
    uint32_t len;   // bytes readable
    uint32_t total; // bytes of the frame
};

// What the IP header said of what follows it.
struct datagram {
    uint32_t upper; // offset of the protocol's header from the start of the frame
    uint32_t end;   // offset behind the datagram's last byte
    uint8_t protocol;
};

static inline uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static struct headers headers_copy(const struct rte_mbuf *mbuf, uint8_t *copy)
{
    uint32_t want = RTE_MIN(mbuf->pkt_len, (uint32_t)NET_HEADERS_MAX);
    uint32_t len = 0;

    for (const struct rte_mbuf *seg = mbuf; seg != NULL && len < want; seg = seg->next) {
        uint32_t part = RTE_MIN(want - len, (uint32_t)seg->data_len);
        memcpy(copy + len, rte_pktmbuf_mtod(seg, const uint8_t *), part);
        len += part;
    }
    return (struct headers){copy, len, mbuf->pkt_len};
}

// In place where the first segment has all that may be asked for; copied when headers may be split.
static inline struct headers headers_of(const struct rte_mbuf *mbuf, uint8_t *copy)
{
    if (likely(mbuf->nb_segs == 1 || mbuf->data_len >= NET_HEADERS_MAX)) {
        uint32_t len = RTE_MIN(mbuf->data_len, (uint32_t)NET_HEADERS_MAX);
        return (struct headers){rte_pktmbuf_mtod(mbuf, const uint8_t *), len, mbuf->pkt_len};
    }
    return headers_copy(mbuf, copy);
}

static inline void tag_put(struct net_frame *frame, uint16_t tag)
{
    if (frame->has_vlan)
        frame->vlan_outer = frame->vlan;
    frame->vlan = tag;
    frame->has_vlan = true;
}

// A tag that the NIC took out stood in front of those still in the frame.
static void tags_stripped(const struct rte_mbuf *mbuf, struct net_frame *frame)
{
    if (mbuf->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED)
        tag_put(frame, mbuf->vlan_tci_outer);
    tag_put(frame, mbuf->vlan_tci);
}

static inline enum net_error read_ethernet(const struct rte_mbuf *mbuf, const struct headers *h,
                                           struct net_frame *frame, uint16_t *type)
{
    uint32_t at = RTE_ETHER_HDR_LEN;

    if (unlikely(h->len < at))
        return NET_ETH_SHORT;
    if (unlikely(mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
        tags_stripped(mbuf, frame);
    *type = read16(h->at + at - 2);
    for (int tags = 0; unlikely(*type == RTE_ETHER_TYPE_VLAN || *type == RTE_ETHER_TYPE_QINQ); tags++) {
        if (tags == VLAN_TAGS_MAX)
            break; // stays a VLAN type, so OTHER
        if (h->len < at + VLAN_TAG)
            return NET_ETH_SHORT;
        tag_put(frame, read16(h->at + at));
        at += VLAN_TAG;
        *type = read16(h->at + at - 2);
    }
    frame->l2_len = (uint16_t)at;
    return NET_OK;
}

static inline bool ip_checksum_wrong(const struct rte_mbuf *mbuf, const uint8_t *header, uint32_t bytes)
{
    uint64_t verdict = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

    if (verdict == RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN)
        return net_checksum_ip4(header, bytes) != 0xffff;
    return verdict == RTE_MBUF_F_RX_IP_CKSUM_BAD;
}

static inline void address4(struct endpoint *endpoint, const uint8_t *at)
{
    memset(endpoint, 0, sizeof(*endpoint));
    memcpy(endpoint->address, at, 4);
    endpoint->family = ENDPOINT_IP4;
}

static inline void address6(struct endpoint *endpoint, const uint8_t *at)
{
    memcpy(endpoint->address, at, 16);
    endpoint->port = 0;
    endpoint->family = ENDPOINT_IP6;
    endpoint->transport = ENDPOINT_UDP;
    endpoint->flow = 0;
}

static inline enum net_error read_ip4(const struct rte_mbuf *mbuf, const struct headers *h,
                                      struct net_frame *frame, struct datagram *d)
{
    const uint8_t *ip = h->at + frame->l2_len;
    uint32_t left = h->total - frame->l2_len;

    if (unlikely(left < sizeof(struct rte_ipv4_hdr)))
        return NET_IP_SHORT;
    if (unlikely(ip[0] >> 4 != 4))
        return NET_IP_VERSION;
    uint32_t bytes = (uint32_t)(ip[0] & RTE_IPV4_HDR_IHL_MASK) * RTE_IPV4_IHL_MULTIPLIER;
    if (unlikely(bytes < sizeof(struct rte_ipv4_hdr) || bytes > left))
        return NET_IP_HEADER_LENGTH;
    uint32_t total = read16(ip + 2);
    if (unlikely(total < bytes || total > left))
        return NET_IP_TOTAL_LENGTH;
    if (unlikely(ip_checksum_wrong(mbuf, ip, bytes)))
        return NET_IP_CHECKSUM;
    address4(&frame->source, ip + 12);
    address4(&frame->destination, ip + 16);
    d->protocol = ip[9];
    d->upper = frame->l2_len + bytes;
    d->end = frame->l2_len + total;
    // More fragments, or an offset: RFC 791 3.1. Whoever fragments other protocols deals with the kernel.
    bool fragment = read16(ip + 6) & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK);
    frame->kind = d->protocol != UDP ? NET_OTHER : fragment ? NET_FRAGMENT : NET_UDP;
    return NET_OK;
}

// The one extension header at d->upper. `more` tells whether another header follows that is not yet read.
static enum net_error read_extension(const struct headers *h, struct net_frame *frame, struct datagram *d,
                                     bool *more)
{
    const uint8_t *at = h->at + d->upper;

    if (d->upper + FRAGMENT_BYTES > RTE_MIN(d->end, h->len))
        return NET_IP_EXTENSION;
    uint8_t header = d->protocol;
    d->protocol = at[0];
    if (header == FRAGMENT) {
        d->upper += FRAGMENT_BYTES;
        // Neither an offset nor more fragments: whole in itself (RFC 6946).
        if ((read16(at + 2) & 0xfff9) == 0)
            return NET_OK;
        *more = false;
        frame->kind = d->protocol == UDP || d->protocol == DESTINATION_OPTIONS ? NET_FRAGMENT : NET_OTHER;
        return NET_OK;
    }
    if (header == ROUTING && at[3] != 0) { // still under way to somewhere else (RFC 8200 4.4): the kernel's
        *more = false;
        frame->kind = NET_OTHER;
        return NET_OK;
    }
    d->upper += (uint32_t)(at[1] + 1) * 8;
    return d->upper > RTE_MIN(d->end, h->len) ? NET_IP_EXTENSION : NET_OK;
}

static inline bool is_extension(uint8_t protocol)
{
    return protocol == ROUTING || protocol == FRAGMENT || protocol == DESTINATION_OPTIONS;
}

static enum net_error read_extensions(const struct headers *h, struct net_frame *frame, struct datagram *d)
{
    bool more = true;

    // Hop-by-Hop options stand first or nowhere (RFC 8200 4.1).
    for (int n = 0; more && (is_extension(d->protocol) || d->protocol == HOP_BY_HOP); n++) {
        if (n == EXTENSIONS_MAX || (n > 0 && d->protocol == HOP_BY_HOP))
            return NET_IP_EXTENSION;
        enum net_error error = read_extension(h, frame, d, &more);
        if (error != NET_OK)
            return error;
    }
    if (more)
        frame->kind = d->protocol == UDP ? NET_UDP : NET_OTHER;
    return NET_OK;
}

static inline enum net_error read_ip6(const struct headers *h, struct net_frame *frame, struct datagram *d)
{
    const uint8_t *ip = h->at + frame->l2_len;
    uint32_t left = h->total - frame->l2_len;

    if (unlikely(left < sizeof(struct rte_ipv6_hdr)))
        return NET_IP_SHORT;
    if (unlikely(ip[0] >> 4 != 6))
        return NET_IP_VERSION;
    uint32_t total = (uint32_t)sizeof(struct rte_ipv6_hdr) + read16(ip + 4);
    if (unlikely(total > left))
        return NET_IP_TOTAL_LENGTH;
    address6(&frame->source, ip + 8);
    address6(&frame->destination, ip + 24);
    d->protocol = ip[6];
    d->upper = frame->l2_len + (uint32_t)sizeof(struct rte_ipv6_hdr);
    d->end = frame->l2_len + total;
    if (likely(d->protocol == UDP)) {
        frame->kind = NET_UDP;
        return NET_OK;
    }
    return read_extensions(h, frame, d);
}

static inline bool udp_checksum_wrong(const struct rte_mbuf *mbuf, const struct net_frame *frame,
                                      const uint8_t *udp, uint32_t offset, uint16_t len)
{
    uint64_t verdict = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

    // Before the NIC's verdict, because some call a missing checksum a bad one.
    if (unlikely((udp[6] | udp[7]) == 0))
        return frame->source.family == ENDPOINT_IP6;
    if (verdict != RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN)
        return verdict == RTE_MBUF_F_RX_L4_CKSUM_BAD;
    uint16_t bytes = likely(offset + len <= mbuf->data_len)
                         ? net_checksum(rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, offset), len)
                         : net_checksum_mbuf(mbuf, offset, len);
    return net_checksum_fold((uint64_t)bytes +
                             net_checksum_pseudo(&frame->source, &frame->destination, len)) != 0xffff;
}

static inline enum net_error read_udp(const struct rte_mbuf *mbuf, const struct headers *h,
                                      struct net_frame *frame, struct datagram *d)
{
    const uint8_t *udp = h->at + d->upper;
    uint32_t left = d->end - d->upper;

    if (unlikely(left < sizeof(struct rte_udp_hdr)))
        return NET_UDP_SHORT;
    if (unlikely(d->upper + sizeof(struct rte_udp_hdr) > h->len))
        return NET_IP_EXTENSION; // extension headers pushed UDP out of what is read
    uint16_t len = read16(udp + 4);
    // What lies behind the UDP length in the IP packet is not the datagram's: cut off, as other stacks do.
    if (unlikely(len < sizeof(struct rte_udp_hdr) || len > left))
        return NET_UDP_LENGTH;
    if (unlikely(udp_checksum_wrong(mbuf, frame, udp, d->upper, len)))
        return NET_UDP_CHECKSUM;
    frame->source.port = read16(udp);
    frame->destination.port = read16(udp + 2);
    d->end = d->upper + len;
    d->upper += (uint32_t)sizeof(struct rte_udp_hdr);
    return NET_OK;
}

// Cuts the packet off behind its first `len` bytes and gives emptied segments back.
static void shorten(struct rte_mbuf *mbuf, uint32_t len)
{
    struct rte_mbuf *last = mbuf;
    uint32_t left = len;
    uint16_t segments = 1;

    for (; left > last->data_len; last = last->next, segments++)
        left -= last->data_len;
    last->data_len = (uint16_t)left;
    rte_pktmbuf_free(last->next);
    last->next = NULL;
    mbuf->nb_segs = segments;
    mbuf->pkt_len = len;
}

enum net_error net_decap(struct rte_mbuf *mbuf, struct net_frame *frame)
{
    uint8_t copy[NET_HEADERS_MAX];
    struct headers h = headers_of(mbuf, copy);
    struct datagram d;
    uint16_t type;

    frame->has_vlan = false;
    frame->vlan = 0;
    frame->vlan_outer = 0;
    frame->kind = NET_OTHER;
    enum net_error error = read_ethernet(mbuf, &h, frame, &type);
    if (unlikely(error != NET_OK))
        return error;
    if (likely(type == RTE_ETHER_TYPE_IPV4))
        error = read_ip4(mbuf, &h, frame, &d);
    else if (type == RTE_ETHER_TYPE_IPV6)
        error = read_ip6(&h, frame, &d);
    else
        return NET_OK;
    if (unlikely(error != NET_OK || frame->kind == NET_OTHER))
        return error;
    frame->l3_len = (uint16_t)(d.upper - frame->l2_len);
    if (likely(frame->kind == NET_UDP))
        error = read_udp(mbuf, &h, frame, &d);
    if (unlikely(error != NET_OK))
        return error;
    frame->payload = (uint16_t)d.upper;
    frame->payload_len = (uint16_t)(d.end - d.upper);
    if (unlikely(d.end < mbuf->pkt_len))
        shorten(mbuf, d.end);
    return NET_OK;
}
