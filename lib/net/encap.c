#include "net/encap.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "net/checksum.h"

#define IP4_VERSION_IHL 0x45 // no options
#define IP6_VERSION     6u
#define IP6_MTU_MIN     1280 // RFC 8200 5

// What is decided before a header is written.
struct plan {
    uint32_t payload; // bytes
    uint16_t vlan, vlan_outer;
    uint8_t l2_len, l3_len;
    bool fragment;
    bool ip_by_nic, udp_by_nic;
};

static int plan_make(const struct rte_mbuf *payload, const struct net_encap *how, struct plan *plan)
{
    bool ip6 = how->destination->family == ENDPOINT_IP6;
    uint32_t mtu = ip6 ? RTE_MAX(how->hop->mtu, IP6_MTU_MIN) : how->hop->mtu;

    if (unlikely(how->source->family != how->destination->family || how->source->family == ENDPOINT_NONE))
        return -EINVAL;
    plan->payload = payload->pkt_len;
    plan->l3_len = ip6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
    uint32_t udp = plan->payload + (uint32_t)sizeof(struct rte_udp_hdr);
    if (unlikely(udp + (ip6 ? 0 : plan->l3_len) > UINT16_MAX))
        return -EMSGSIZE;
    plan->vlan = how->hop->vlan != 0 ? how->hop->vlan : how->vlan;
    plan->vlan_outer = how->hop->vlan != 0 ? 0 : how->vlan_outer;
    plan->l2_len = (uint8_t)(RTE_ETHER_HDR_LEN + (plan->vlan != 0 ? sizeof(struct rte_vlan_hdr) : 0) +
                             (plan->vlan_outer != 0 ? sizeof(struct rte_vlan_hdr) : 0));
    plan->fragment = udp + plan->l3_len > mtu;
    plan->ip_by_nic = !ip6 && !plan->fragment && (how->tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM);
    plan->udp_by_nic = !plan->fragment && (how->tx_offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
    return 0;
}

static uint8_t *write_tag(uint8_t *at, uint16_t type, uint16_t tag)
{
    at[0] = (uint8_t)(type >> 8);
    at[1] = (uint8_t)type;
    at[2] = (uint8_t)(tag >> 8);
    at[3] = (uint8_t)tag;
    return at + sizeof(struct rte_vlan_hdr);
}

static void write_ethernet(uint8_t *at, const struct net_hop *hop, const struct plan *plan, uint16_t type)
{
    memcpy(at, &hop->mac, RTE_ETHER_ADDR_LEN);
    memcpy(at + RTE_ETHER_ADDR_LEN, &hop->source, RTE_ETHER_ADDR_LEN);
    at += 2 * RTE_ETHER_ADDR_LEN;
    if (unlikely(plan->vlan_outer != 0))
        at = write_tag(at, RTE_ETHER_TYPE_QINQ, plan->vlan_outer);
    if (unlikely(plan->vlan != 0))
        at = write_tag(at, RTE_ETHER_TYPE_VLAN, plan->vlan);
    at[0] = (uint8_t)(type >> 8);
    at[1] = (uint8_t)type;
}

static void write_ip4(struct rte_ipv4_hdr *ip, const struct net_encap *how, const struct plan *plan)
{
    uint32_t total = plan->payload + (uint32_t)(sizeof(*ip) + sizeof(struct rte_udp_hdr));

    ip->version_ihl = IP4_VERSION_IHL;
    ip->type_of_service = (uint8_t)(how->dscp << 2);
    ip->total_length = rte_cpu_to_be_16((uint16_t)total);
    // A datagram that is not to be fragmented says so, and its identification means nothing (RFC 6864 4.1); one that
    // is gets one that no other has for a while (RFC 6864 4.3).
    ip->packet_id = plan->fragment ? rte_cpu_to_be_16((*how->id)++) : 0;
    ip->fragment_offset = plan->fragment ? 0 : rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
    ip->time_to_live = how->ttl;
    ip->next_proto_id = NET_PROTOCOL_UDP;
    ip->hdr_checksum = 0;
    memcpy(&ip->src_addr, how->source->address, 4);
    memcpy(&ip->dst_addr, how->destination->address, 4);
    if (!plan->ip_by_nic)
        ip->hdr_checksum = (uint16_t)~net_checksum_ip4(ip, sizeof(*ip));
}

static void write_ip6(struct rte_ipv6_hdr *ip, const struct net_encap *how, const struct plan *plan)
{
    ip->vtc_flow = rte_cpu_to_be_32(IP6_VERSION << 28 | (uint32_t)how->dscp << 22);
    ip->payload_len = rte_cpu_to_be_16((uint16_t)(plan->payload + sizeof(struct rte_udp_hdr)));
    ip->proto = NET_PROTOCOL_UDP;
    ip->hop_limits = how->ttl;
    memcpy(ip->src_addr, how->source->address, 16);
    memcpy(ip->dst_addr, how->destination->address, 16);
}

static void write_udp(struct rte_udp_hdr *udp, const struct rte_mbuf *frame, const struct net_encap *how,
                      const struct plan *plan)
{
    uint16_t len = (uint16_t)(plan->payload + sizeof(*udp));
    uint16_t sum = net_checksum_pseudo(how->source, how->destination, len);

    udp->src_port = rte_cpu_to_be_16(how->source->port);
    udp->dst_port = rte_cpu_to_be_16(how->destination->port);
    udp->dgram_len = rte_cpu_to_be_16(len);
    udp->dgram_cksum = 0;
    if (plan->udp_by_nic) {
        udp->dgram_cksum = sum; // the NIC adds the rest
        return;
    }
    uint32_t offset = (uint32_t)plan->l2_len + plan->l3_len;
    sum = (uint16_t)~net_checksum_fold((uint64_t)sum + net_checksum_mbuf(frame, offset, len));
    // Zero would mean that there is none (RFC 768).
    udp->dgram_cksum = sum == 0 ? 0xffff : sum;
}

static uint64_t offload_flags(const struct plan *plan)
{
    uint64_t family = plan->l3_len == sizeof(struct rte_ipv6_hdr) ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    uint64_t flags =
        (plan->ip_by_nic ? RTE_MBUF_F_TX_IP_CKSUM : 0) | (plan->udp_by_nic ? RTE_MBUF_F_TX_UDP_CKSUM : 0);

    return flags == 0 ? 0 : flags | family;
}

int net_encap(struct rte_mbuf *payload, const struct net_encap *how)
{
    struct plan plan;

    int error = plan_make(payload, how, &plan);
    if (unlikely(error != 0))
        return error;
    uint16_t bytes = (uint16_t)(plan.l2_len + plan.l3_len + sizeof(struct rte_udp_hdr));
    uint8_t *at = (uint8_t *)rte_pktmbuf_prepend(payload, bytes);
    if (unlikely(at == NULL))
        return -ENOSPC;
    if (plan.l3_len == sizeof(struct rte_ipv6_hdr)) {
        write_ethernet(at, how->hop, &plan, RTE_ETHER_TYPE_IPV6);
        write_ip6((struct rte_ipv6_hdr *)(at + plan.l2_len), how, &plan);
    } else {
        write_ethernet(at, how->hop, &plan, RTE_ETHER_TYPE_IPV4);
        write_ip4((struct rte_ipv4_hdr *)(at + plan.l2_len), how, &plan);
    }
    write_udp((struct rte_udp_hdr *)(at + plan.l2_len + plan.l3_len), payload, how, &plan);
    // What says where the bytes lie stays; what the receiving NIC said of them goes.
    payload->ol_flags =
        (payload->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) | offload_flags(&plan);
    payload->tx_offload = 0;
    payload->l2_len = plan.l2_len;
    payload->l3_len = plan.l3_len;
    return plan.fragment;
}
