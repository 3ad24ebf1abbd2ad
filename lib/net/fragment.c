#include "net/fragment.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>

#include "net/checksum.h"

#define L2_MAX 22 // Ethernet with two tags

static int cut(struct rte_mbuf *whole, const struct net_fragmentation *how, struct rte_mbuf **fragments,
               uint16_t room, bool ip6)
{
    if (ip6)
        return rte_ipv6_fragment_packet(whole, fragments, room, RTE_MAX(how->mtu, (uint16_t)RTE_IPV6_MIN_MTU),
                                        how->direct, how->indirect);
    return rte_ipv4_fragment_packet(whole, fragments, room, how->mtu, how->direct, how->indirect);
}

// DPDK leaves the IPv4 checksum and the IPv6 identification to the caller.
static void finish_ip(struct rte_mbuf *fragment, const struct net_fragmentation *how, bool ip6)
{
    if (ip6) {
        struct rte_ipv6_fragment_ext *header =
            rte_pktmbuf_mtod_offset(fragment, struct rte_ipv6_fragment_ext *, sizeof(struct rte_ipv6_hdr));
        header->id = rte_cpu_to_be_32(how->id);
        fragment->l3_len = sizeof(struct rte_ipv6_hdr) + sizeof(*header);
    } else {
        struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(fragment, struct rte_ipv4_hdr *);
        ip->hdr_checksum = (uint16_t)~net_checksum_ip4(ip, rte_ipv4_hdr_len(ip));
        fragment->l3_len = rte_ipv4_hdr_len(ip);
    }
}

static int finish(struct rte_mbuf *fragment, const struct net_fragmentation *how, const uint8_t *l2,
                  uint16_t l2_len, bool ip6)
{
    finish_ip(fragment, how, ip6);
    fragment->l2_len = l2_len;
    char *at = rte_pktmbuf_prepend(fragment, l2_len);
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, l2, l2_len);
    if (!(how->tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) && rte_pktmbuf_linearize(fragment) != 0)
        return -ENOMEM;
    return 0;
}

int net_fragment(struct rte_mbuf *whole, const struct net_fragmentation *how, struct rte_mbuf **fragments,
                 uint16_t room)
{
    uint16_t l2_len = whole->l2_len;
    uint8_t l2[L2_MAX];

    if (l2_len > sizeof(l2) || whole->data_len < l2_len + whole->l3_len)
        return -EINVAL;
    memcpy(l2, rte_pktmbuf_mtod(whole, uint8_t *), l2_len);
    rte_pktmbuf_adj(whole, l2_len);
    bool ip6 = *rte_pktmbuf_mtod(whole, uint8_t *) >> 4 == 6;
    int n = cut(whole, how, fragments, room, ip6);
    if (n < 0)
        return n == -ENOMEM ? -ENOMEM : -EINVAL;
    for (int i = 0; i < n; i++) {
        int error = finish(fragments[i], how, l2, l2_len, ip6);
        if (error != 0) {
            rte_pktmbuf_free_bulk(fragments, (unsigned)n);
            return error;
        }
    }
    rte_pktmbuf_free(whole); // the fragments refer to its buffers
    return n;
}
