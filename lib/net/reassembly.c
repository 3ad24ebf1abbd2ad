#include <errno.h>
#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_malloc.h>

#include "net/checksum.h"
#include "net/fragment.h"

#define BUCKET_ENTRIES 16 // of the fragment tables, a power of two
#define DATAGRAMS_MAX  65536
#define PREFETCH       3 // mbufs ahead while a death row is freed
#define MS_PER_S       1000

struct net_reassembly {
    struct rte_ip_frag_tbl *table4;
    struct rte_ip_frag_tbl *table6;
    struct net_reassembly_counters counters;
    struct rte_ip_frag_death_row dead; // empty between calls
};

static struct rte_ip_frag_tbl *make_table(uint32_t datagrams, uint64_t timeout_tsc, int node)
{
    uint32_t buckets = (datagrams + BUCKET_ENTRIES - 1) / BUCKET_ENTRIES;

    return rte_ip_frag_table_create(buckets, BUCKET_ENTRIES, datagrams, timeout_tsc, node);
}

int net_reassembly_create(struct net_reassembly **reassembly, uint32_t datagrams, uint32_t timeout_ms,
                          int node)
{
    uint64_t timeout_tsc = timeout_ms * (rte_get_tsc_hz() / MS_PER_S);

    *reassembly = NULL;
    if (datagrams == 0 || datagrams > DATAGRAMS_MAX || timeout_ms == 0)
        return -EINVAL;
    struct net_reassembly *made =
        rte_zmalloc_socket("net_reassembly", sizeof(*made), RTE_CACHE_LINE_SIZE, node);
    if (made == NULL)
        return -ENOMEM;
    made->table4 = make_table(datagrams, timeout_tsc, node);
    if (made->table4 == NULL)
        goto free_made;
    made->table6 = make_table(datagrams, timeout_tsc, node);
    if (made->table6 == NULL)
        goto free_table4;
    *reassembly = made;
    return 0;

free_table4:
    rte_ip_frag_table_destroy(made->table4);
free_made:
    rte_free(made);
    return -ENOMEM;
}

void net_reassembly_destroy(struct net_reassembly *reassembly)
{
    if (reassembly == NULL)
        return;
    rte_ip_frag_table_destroy(reassembly->table4);
    rte_ip_frag_table_destroy(reassembly->table6);
    rte_free(reassembly);
}

static void bury(struct net_reassembly *reassembly, uint64_t *counter)
{
    *counter += reassembly->dead.cnt;
    rte_ip_frag_free_death_row(&reassembly->dead, PREFETCH);
}

static void expire(struct net_reassembly *reassembly, struct rte_ip_frag_tbl *table, uint64_t tsc)
{
    // One call stops when the row is nearly full, and a row that was empty before it means that none is left.
    do {
        rte_ip_frag_table_del_expired_entries(table, &reassembly->dead, tsc);
        if (reassembly->dead.cnt == 0)
            return;
        bury(reassembly, &reassembly->counters.timed_out);
    } while (true);
}

void net_reassembly_expire(struct net_reassembly *reassembly, uint64_t tsc)
{
    expire(reassembly, reassembly->table4, tsc);
    expire(reassembly, reassembly->table6, tsc);
}

// What DPDK's reassembly takes on trust: that headers are contiguous (it cuts them off the first segment), that every
// fragment but the last is a multiple of 8 bytes (RFC 791 3.2, RFC 8200 4.5) and holds some, and that the whole is
// not larger than a datagram can be.
static bool plausible(const struct rte_mbuf *mbuf, const struct net_frame *frame, uint32_t offset, bool more)
{
    uint32_t ip_len = frame->source.family == ENDPOINT_IP4 ? sizeof(struct rte_ipv4_hdr) : 0;

    if (mbuf->data_len < frame->payload || frame->payload_len == 0)
        return false;
    if (more && frame->payload_len % 8 != 0)
        return false;
    return offset + frame->payload_len + ip_len <= UINT16_MAX;
}

static struct rte_mbuf *join4(struct net_reassembly *reassembly, struct rte_mbuf *mbuf,
                              const struct net_frame *frame, uint64_t tsc)
{
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv4_hdr *, frame->l2_len);
    uint16_t bits = rte_be_to_cpu_16(ip->fragment_offset);
    uint32_t offset = (uint32_t)(bits & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS;

    if (!plausible(mbuf, frame, offset, bits & RTE_IPV4_HDR_MF_FLAG))
        goto refuse;
    expire(reassembly, reassembly->table4, tsc);
    mbuf = rte_ipv4_frag_reassemble_packet(reassembly->table4, &reassembly->dead, mbuf, tsc, ip);
    if (mbuf == NULL)
        return NULL;
    ip = rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv4_hdr *, mbuf->l2_len);
    ip->hdr_checksum = 0; // of the first fragment; the whole has another length
    ip->hdr_checksum = (uint16_t)~net_checksum_ip4(ip, rte_ipv4_hdr_len(ip));
    return mbuf;

refuse:
    reassembly->counters.refused++;
    rte_pktmbuf_free(mbuf);
    return NULL;
}

static struct rte_mbuf *join6(struct net_reassembly *reassembly, struct rte_mbuf *mbuf,
                              const struct net_frame *frame, uint64_t tsc)
{
    struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv6_hdr *, frame->l2_len);
    struct rte_ipv6_fragment_ext *header = (struct rte_ipv6_fragment_ext *)(ip + 1);

    // DPDK takes the fragment header out only where it stands right behind the IPv6 header.
    if (mbuf->data_len < frame->payload || frame->l3_len != sizeof(*ip) + sizeof(*header))
        goto refuse;
    uint16_t bits = rte_be_to_cpu_16(header->frag_data);
    if (!plausible(mbuf, frame, bits & RTE_IPV6_EHDR_FO_MASK, bits & RTE_IPV6_EHDR_MF_MASK))
        goto refuse;
    expire(reassembly, reassembly->table6, tsc);
    return rte_ipv6_frag_reassemble_packet(reassembly->table6, &reassembly->dead, mbuf, tsc, ip, header);

refuse:
    reassembly->counters.refused++;
    rte_pktmbuf_free(mbuf);
    return NULL;
}

struct rte_mbuf *net_reassemble(struct net_reassembly *reassembly, struct rte_mbuf *mbuf,
                                const struct net_frame *frame, uint64_t tsc)
{
    reassembly->counters.fragments++;
    mbuf->l2_len = frame->l2_len;
    mbuf->l3_len = frame->l3_len;
    mbuf = frame->source.family == ENDPOINT_IP4 ? join4(reassembly, mbuf, frame, tsc)
                                                : join6(reassembly, mbuf, frame, tsc);
    bury(reassembly, &reassembly->counters.refused);
    if (mbuf == NULL)
        return NULL;
    reassembly->counters.joined++;
    // What the NIC said of one fragment's checksums says nothing of the whole.
    mbuf->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
    return mbuf;
}

const struct net_reassembly_counters *net_reassembly_counters(const struct net_reassembly *reassembly)
{
    return &reassembly->counters;
}
