#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <rte_ethdev.h>
#include <rte_ip.h>

#include "bench.h"
#include "net/encap.h"
#include "net/frame.h"

#define BY_NIC (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

static struct rte_mempool *pool;

// A message from the listener to a peer, over a hop of MTU 1500.
struct trip {
    struct net_hop hop;
    struct endpoint source, destination;
    uint16_t id;
    struct net_encap how;
};

static void trip_start(struct trip *trip, uint8_t family)
{
    *trip = (struct trip){.hop = {.mac = {{2, 0, 0, 0, 0, 9}},
                                  .source = {{2, 0, 0, 0, 0, 8}},
                                  .mtu = 1500,
                                  .state = NET_HOP_READY},
                          .source = bench_source(family),
                          .destination = bench_destination(family),
                          .id = 0xfffe};
    trip->how = (struct net_encap){.hop = &trip->hop,
                                   .source = &trip->source,
                                   .destination = &trip->destination,
                                   .id = &trip->id,
                                   .ttl = 63,
                                   .dscp = 24};
}

static struct rte_mbuf *payload_of(uint32_t len, uint32_t first)
{
    uint8_t bytes[60000];

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7);
    return bench_mbuf(pool, bytes, len, first, 1900);
}

static void check_payload(const struct rte_mbuf *mbuf, const struct net_frame *frame, uint32_t len)
{
    uint8_t bytes[61000];

    assert_int_equal(frame->payload_len, len);
    assert_int_equal(bench_bytes(mbuf, bytes, sizeof(bytes)), frame->payload + len);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(bytes[frame->payload + i], (uint8_t)(i * 7));
}

static void test_what_encap_builds_decap_reads(void **state)
{
    (void)state;
    uint32_t sizes[] = {0, 1, 2, 700, 1452, 1472};

    for (uint8_t family = 4; family <= 6; family += 2) {
        for (unsigned i = 0; i < RTE_DIM(sizes) - (family == 6); i++) {
            struct trip trip;
            struct net_frame frame;
            trip_start(&trip, family);
            struct rte_mbuf *mbuf = payload_of(sizes[i], sizes[i] / 2);
            mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD | RTE_MBUF_F_RX_RSS_HASH; // of its reception
            assert_int_equal(net_encap(mbuf, &trip.how), 0);
            assert_int_equal(mbuf->ol_flags, 0);
            assert_int_equal(net_decap(mbuf, &frame), NET_OK);
            assert_int_equal(frame.kind, NET_UDP);
            assert_true(endpoint_equal(&frame.source, &trip.source));
            assert_true(endpoint_equal(&frame.destination, &trip.destination));
            assert_int_equal(mbuf->l2_len, frame.l2_len);
            assert_int_equal(mbuf->l3_len, frame.l3_len);
            assert_false(frame.has_vlan);
            check_payload(mbuf, &frame, sizes[i]);
            assert_int_equal(trip.id, 0xfffe);
            rte_pktmbuf_free(mbuf);
        }
    }
    assert_true(bench_pool_whole(pool));
}

static void test_header_fields(void **state)
{
    (void)state;
    struct trip trip;

    trip_start(&trip, 4);
    struct rte_mbuf *mbuf = payload_of(10, 10);
    assert_int_equal(net_encap(mbuf, &trip.how), 0);
    const uint8_t *at = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    assert_memory_equal(at, &trip.hop.mac, 6);
    assert_memory_equal(at + 6, &trip.hop.source, 6);
    static const uint8_t ip4[] = {0x45, 24 << 2, 0, 38, 0,
                                  0,    0x40,    0, 63, 17}; // RFC 6864: DF, and no identification
    assert_memory_equal(at + 14, ip4, sizeof(ip4));
    rte_pktmbuf_free(mbuf);

    trip_start(&trip, 6);
    mbuf = payload_of(10, 10);
    assert_int_equal(net_encap(mbuf, &trip.how), 0);
    static const uint8_t ip6[] = {0x66, 0, 0, 0, 0, 18, 17, 63}; // traffic class is 24 << 2
    assert_memory_equal(rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, 14), ip6, sizeof(ip6));
    rte_pktmbuf_free(mbuf);
}

static void test_checksums_left_to_the_nic(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct trip trip;
        trip_start(&trip, family);
        trip.how.tx_offloads = BY_NIC;
        struct rte_mbuf *mbuf = payload_of(100, 100);
        assert_int_equal(net_encap(mbuf, &trip.how), 0);
        uint64_t flags = RTE_MBUF_F_TX_UDP_CKSUM |
                         (family == 4 ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM : RTE_MBUF_F_TX_IPV6);
        assert_int_equal(mbuf->ol_flags, flags);
        // What DPDK's own helper puts there, drivers expect.
        uint16_t pseudo, there;
        const void *ip = rte_pktmbuf_mtod_offset(mbuf, const void *, mbuf->l2_len);
        memcpy(&there, (const uint8_t *)ip + mbuf->l3_len + 6, sizeof(there));
        pseudo = family == 4 ? rte_ipv4_phdr_cksum(ip, flags) : rte_ipv6_phdr_cksum(ip, flags);
        assert_int_equal(there, pseudo);
        if (family == 4)
            assert_int_equal(((const struct rte_ipv4_hdr *)ip)->hdr_checksum, 0);
        rte_pktmbuf_free(mbuf);
    }
}

static void test_only_what_the_port_offers_is_left_to_it(void **state)
{
    (void)state;
    struct trip trip;
    struct net_frame frame;

    trip_start(&trip, 4);
    trip.how.tx_offloads = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
    struct rte_mbuf *mbuf = payload_of(100, 100);
    assert_int_equal(net_encap(mbuf, &trip.how), 0);
    assert_int_equal(mbuf->ol_flags, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
    mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    assert_int_equal(net_decap(mbuf, &frame), NET_OK); // the UDP checksum is right
    rte_pktmbuf_free(mbuf);
}

static void test_udp_checksum_is_never_zero(void **state)
{
    (void)state;
    // One of all values of two payload bytes makes the sum come out as zero.
    for (uint8_t family = 4; family <= 6; family += 2) {
        unsigned ones = 0;
        for (unsigned value = 0; value < 65536; value++) {
            struct trip trip;
            uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
            trip_start(&trip, family);
            struct rte_mbuf *mbuf = bench_mbuf(pool, bytes, 2, 2, 0);
            assert_int_equal(net_encap(mbuf, &trip.how), 0);
            uint16_t checksum;
            memcpy(&checksum, rte_pktmbuf_mtod_offset(mbuf, uint8_t *, mbuf->l2_len + mbuf->l3_len + 6), 2);
            assert_int_not_equal(checksum, 0);
            ones += checksum == 0xffff;
            rte_pktmbuf_free(mbuf);
        }
        assert_int_equal(ones, 1); // a sum over something is never 0, so all ones are that value's only
    }
}

static void check_tags(uint16_t hop_vlan, uint16_t keep, uint16_t keep_outer, uint16_t vlan, uint16_t outer)
{
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct trip trip;
        struct net_frame frame;
        trip_start(&trip, family);
        trip.hop.vlan = hop_vlan;
        trip.how.vlan = keep;
        trip.how.vlan_outer = keep_outer;
        struct rte_mbuf *mbuf = payload_of(33, 33);
        assert_int_equal(net_encap(mbuf, &trip.how), 0);
        assert_int_equal(net_decap(mbuf, &frame), NET_OK);
        assert_int_equal(frame.kind, NET_UDP);
        assert_int_equal(frame.has_vlan, vlan != 0);
        assert_int_equal(frame.vlan, vlan);
        assert_int_equal(frame.vlan_outer, outer);
        rte_pktmbuf_free(mbuf);
    }
}

static void test_tags_are_kept_or_the_hops(void **state)
{
    (void)state;
    check_tags(0, 0, 0, 0, 0);
    check_tags(0, 0x6064, 0, 0x6064, 0);
    check_tags(0, 100, 7, 100, 7);
    check_tags(42, 0, 0, 42, 0);
    check_tags(42, 100, 7, 42, 0);
}

static void test_larger_than_the_mtu_is_to_be_fragmented(void **state)
{
    (void)state;
    uint32_t most[] = {[4] = 1500 - 28, [6] = 1500 - 48};

    for (uint8_t family = 4; family <= 6; family += 2) {
        struct trip trip;
        struct net_frame frame;
        trip_start(&trip, family);
        trip.how.tx_offloads = BY_NIC;
        for (unsigned n = 0; n < 3; n++) { // the counter wraps
            struct rte_mbuf *mbuf = payload_of(most[family] + 1, 1400);
            assert_int_equal(net_encap(mbuf, &trip.how), 1);
            assert_int_equal(mbuf->ol_flags, 0);
            const uint8_t *ip = rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, mbuf->l2_len);
            if (family == 4) {
                assert_int_equal(ip[4] << 8 | ip[5], (0xfffe + n) & 0xffff);
                assert_int_equal(ip[6] << 8 | ip[7], 0); // may be fragmented
            }
            assert_int_equal(net_decap(mbuf, &frame), NET_OK);
            check_payload(mbuf, &frame, most[family] + 1);
            rte_pktmbuf_free(mbuf);
        }
        assert_int_equal(trip.id, family == 4 ? 1 : 0xfffe);
    }
    assert_true(bench_pool_whole(pool));
}

static void test_ip6_links_have_1280_bytes(void **state)
{
    (void)state;
    struct trip trip;

    trip_start(&trip, 6);
    trip.hop.mtu = 1000;
    struct rte_mbuf *mbuf = payload_of(1280 - 48, 1000);
    assert_int_equal(net_encap(mbuf, &trip.how), 0);
    rte_pktmbuf_free(mbuf);
}

static void check_refused(struct rte_mbuf *mbuf, const struct trip *trip, int error)
{
    uint32_t len = mbuf->pkt_len;
    uint16_t offset = mbuf->data_off;

    assert_int_equal(net_encap(mbuf, &trip->how), error);
    assert_int_equal(mbuf->pkt_len, len);
    assert_int_equal(mbuf->data_off, offset);
    rte_pktmbuf_free(mbuf);
}

static void test_refusals_leave_the_mbuf_alone(void **state)
{
    (void)state;
    struct trip trip;

    trip_start(&trip, 4);
    trip.destination = bench_destination(6);
    check_refused(payload_of(10, 10), &trip, -EINVAL);
    trip.source = trip.destination = (struct endpoint){0};
    check_refused(payload_of(10, 10), &trip, -EINVAL);

    trip_start(&trip, 4);
    struct rte_mbuf *mbuf = payload_of(10, 10);
    mbuf->data_off = 41; // Ethernet, IPv4 and UDP are 42
    check_refused(mbuf, &trip, -ENOSPC);

    mbuf = payload_of(59000, 1000);
    mbuf->pkt_len = UINT16_MAX - 28 + 1; // as if
    check_refused(mbuf, &trip, -EMSGSIZE);
    trip_start(&trip, 6);
    mbuf = payload_of(59000, 1000);
    mbuf->pkt_len = UINT16_MAX - 8 + 1;
    check_refused(mbuf, &trip, -EMSGSIZE);
    assert_true(bench_pool_whole(pool));
}

static void test_headroom_promised_is_enough(void **state)
{
    (void)state;
    struct trip trip;

    trip_start(&trip, 6);
    trip.how.vlan = 1;
    trip.how.vlan_outer = 2;
    struct rte_mbuf *mbuf = payload_of(10, 10);
    mbuf->data_off = NET_ENCAP_MAX;
    assert_int_equal(net_encap(mbuf, &trip.how), 0);
    assert_int_equal(mbuf->data_off, 0);
    rte_pktmbuf_free(mbuf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_encap_builds_decap_reads),
        cmocka_unit_test(test_header_fields),
        cmocka_unit_test(test_checksums_left_to_the_nic),
        cmocka_unit_test(test_only_what_the_port_offers_is_left_to_it),
        cmocka_unit_test(test_udp_checksum_is_never_zero),
        cmocka_unit_test(test_tags_are_kept_or_the_hops),
        cmocka_unit_test(test_larger_than_the_mtu_is_to_be_fragmented),
        cmocka_unit_test(test_ip6_links_have_1280_bytes),
        cmocka_unit_test(test_refusals_leave_the_mbuf_alone),
        cmocka_unit_test(test_headroom_promised_is_enough),
    };

    bench_start();
    pool = bench_pool("payloads", BENCH_MBUFS, 2048);
    return pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
