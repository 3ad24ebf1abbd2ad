#include "net/icmp.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "net/checksum.h"

#define ICMP_HEADER 8 // bytes, of both families, in front of what is quoted

// RFC 792, RFC 4443 3.
enum icmp_type {
    ICMP4_UNREACHABLE = 3,
    ICMP4_PARAMETER = 12,
    ICMP6_UNREACHABLE = 1,
    ICMP6_PARAMETER = 4,
};

enum {
    ICMP4_FRAGMENTATION_NEEDED = 4, // code of UNREACHABLE: the kernel learns the path's MTU from it
    PROTOCOL_ICMP4 = 1,
    PROTOCOL_ICMP6 = 58,
    PROTOCOL_FRAGMENT = 44,
    FRAGMENT_HEADER = 8, // bytes
};

// Bytes from `at` up to `end`, offsets from the start of the frame. Nothing is read that is not in between.
struct span {
    const uint8_t *frame;
    uint32_t at, end;
};

static inline uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline bool has(const struct span *span, uint32_t bytes)
{
    return span->end >= span->at && span->end - span->at >= bytes;
}

static inline void cut(struct span *span, uint32_t bytes)
{
    if (has(span, bytes))
        span->end = span->at + bytes;
}

static bool sum_is_right(const struct rte_mbuf *mbuf, uint32_t at, uint32_t len, uint32_t pseudo)
{
    return at + len <= mbuf->pkt_len &&
           net_checksum_fold((uint64_t)net_checksum_mbuf(mbuf, at, len) + pseudo) == 0xffff;
}

// From the IPv4 header to what the error quotes.
static bool enter4(const struct rte_mbuf *mbuf, struct span *span)
{
    const uint8_t *ip = span->frame + span->at;

    if (!has(span, sizeof(struct rte_ipv4_hdr)))
        return false;
    uint32_t header = (uint32_t)(ip[0] & RTE_IPV4_HDR_IHL_MASK) * RTE_IPV4_IHL_MULTIPLIER;
    uint32_t total = read16(ip + 2);
    bool fragment = read16(ip + 6) & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK);
    if (ip[9] != PROTOCOL_ICMP4 || fragment || header < sizeof(struct rte_ipv4_hdr) ||
        total < header + ICMP_HEADER || !has(span, header + ICMP_HEADER))
        return false;
    const uint8_t *icmp = ip + header;
    if (!(icmp[0] == ICMP4_UNREACHABLE && icmp[1] != ICMP4_FRAGMENTATION_NEEDED) &&
        icmp[0] != ICMP4_PARAMETER)
        return false;
    if (!sum_is_right(mbuf, span->at + header, total - header, 0))
        return false;
    cut(span, total);
    span->at += header + ICMP_HEADER;
    // RFC 4884 5.1: behind so many words stand extensions.
    if (icmp[5] != 0)
        cut(span, icmp[5] * 4u);
    return true;
}

static bool enter6(const struct rte_mbuf *mbuf, const struct net_frame *frame, struct span *span)
{
    const uint8_t *ip = span->frame + span->at;
    const uint32_t header = sizeof(struct rte_ipv6_hdr);

    if (!has(span, header + ICMP_HEADER) || ip[6] != PROTOCOL_ICMP6)
        return false;
    uint32_t len = read16(ip + 4);
    const uint8_t *icmp = ip + header;
    if (len < ICMP_HEADER || (icmp[0] != ICMP6_UNREACHABLE && icmp[0] != ICMP6_PARAMETER))
        return false;
    // The pseudo header is UDP's but for the protocol's number (RFC 8200 8.1).
    uint32_t pseudo = (uint32_t)net_checksum_pseudo(&frame->source, &frame->destination, (uint16_t)len) +
                      rte_cpu_to_be_16(PROTOCOL_ICMP6 - NET_PROTOCOL_UDP);
    if (!sum_is_right(mbuf, span->at + header, len, pseudo))
        return false;
    cut(span, header + len);
    span->at += header + ICMP_HEADER;
    if (icmp[4] != 0)
        cut(span, icmp[4] * 8u); // RFC 4884 5.2
    return true;
}

// From the quoted IP header to UDP's; the datagram's first fragment will do.
static bool enter_quoted4(struct span *span, struct net_icmp_quote *quote)
{
    const uint8_t *ip = span->frame + span->at;

    if (!has(span, sizeof(struct rte_ipv4_hdr)) || ip[0] >> 4 != 4 || ip[9] != NET_PROTOCOL_UDP ||
        (read16(ip + 6) & RTE_IPV4_HDR_OFFSET_MASK) != 0)
        return false;
    uint32_t header = (uint32_t)(ip[0] & RTE_IPV4_HDR_IHL_MASK) * RTE_IPV4_IHL_MULTIPLIER;
    uint32_t total = read16(ip + 2);
    if (header < sizeof(struct rte_ipv4_hdr) || total < header || !has(span, header))
        return false;
    quote->source = endpoint_ip4(ip[12], ip[13], ip[14], ip[15], 0);
    quote->destination = endpoint_ip4(ip[16], ip[17], ip[18], ip[19], 0);
    cut(span, total);
    span->at += header;
    return true;
}

static bool enter_quoted6(struct span *span, struct net_icmp_quote *quote)
{
    const uint8_t *ip = span->frame + span->at;
    uint32_t header = sizeof(struct rte_ipv6_hdr);

    if (!has(span, header) || ip[0] >> 4 != 6)
        return false;
    uint8_t protocol = ip[6];
    uint32_t total = header + read16(ip + 4);
    if (protocol == PROTOCOL_FRAGMENT) {
        if (!has(span, header + FRAGMENT_HEADER) || (read16(ip + header + 2) & 0xfff8) != 0)
            return false;
        protocol = ip[header];
        header += FRAGMENT_HEADER;
    }
    if (protocol != NET_PROTOCOL_UDP || total < header)
        return false;
    quote->source = quote->destination = (struct endpoint){.family = ENDPOINT_IP6};
    memcpy(quote->source.address, ip + 8, 16);
    memcpy(quote->destination.address, ip + 24, 16);
    cut(span, total);
    span->at += header;
    return true;
}

static bool read_udp(struct span *span, struct net_icmp_quote *quote)
{
    const uint8_t *udp = span->frame + span->at;

    if (!has(span, sizeof(struct rte_udp_hdr)) || read16(udp + 4) < sizeof(struct rte_udp_hdr))
        return false;
    quote->source.port = read16(udp);
    quote->destination.port = read16(udp + 2);
    cut(span, read16(udp + 4));
    span->at += (uint32_t)sizeof(struct rte_udp_hdr);
    quote->payload = (uint16_t)span->at;
    quote->payload_len = (uint16_t)(span->end - span->at);
    return true;
}

bool net_icmp_error(const struct rte_mbuf *mbuf, const struct net_frame *frame, struct net_icmp_quote *quote)
{
    struct span span = {rte_pktmbuf_mtod(mbuf, const uint8_t *), frame->l2_len, mbuf->data_len};

    if (frame->kind != NET_OTHER || span.end < span.at || span.at < RTE_ETHER_HDR_LEN)
        return false;
    switch (read16(span.frame + span.at - 2)) {
    case RTE_ETHER_TYPE_IPV4:
        return enter4(mbuf, &span) && enter_quoted4(&span, quote) && read_udp(&span, quote);
    case RTE_ETHER_TYPE_IPV6:
        return enter6(mbuf, frame, &span) && enter_quoted6(&span, quote) && read_udp(&span, quote);
    default:
        return false;
    }
}
