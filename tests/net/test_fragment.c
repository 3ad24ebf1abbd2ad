#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ip.h>

#include "bench.h"
#include "net/encap.h"
#include "net/fragment.h"
#include "net/frame.h"

#define DATAGRAMS   16
#define TIMEOUT_MS  100
#define PIECES_MAX  64
#define DPDK_PIECES RTE_LIBRTE_IP_FRAG_MAX_FRAG

static struct rte_mempool *pool, *direct, *indirect;
static struct net_reassembly *reassembly;
static uint64_t now; // the virtual clock, TSC cycles

static int start(void **state)
{
    (void)state;
    now = 1000;
    return net_reassembly_create(&reassembly, DATAGRAMS, TIMEOUT_MS, SOCKET_ID_ANY);
}

static int stop(void **state)
{
    (void)state;
    net_reassembly_destroy(reassembly);
    return bench_pool_whole(pool) && bench_pool_whole(direct) && bench_pool_whole(indirect) ? 0 : -1;
}

static uint64_t timeout(void)
{
    return TIMEOUT_MS * (rte_get_tsc_hz() / 1000);
}

// Decaps a frame that must be a fragment and puts it to the table.
static struct rte_mbuf *take(struct rte_mbuf *mbuf)
{
    struct net_frame frame;

    assert_int_equal(net_decap(mbuf, &frame), NET_OK);
    assert_int_equal(frame.kind, NET_FRAGMENT);
    return net_reassemble(reassembly, mbuf, &frame, now);
}

static void check_whole(struct rte_mbuf *mbuf, const struct bench_frame *made, uint8_t family)
{
    struct endpoint source = bench_source(family), destination = bench_destination(family);
    uint8_t bytes[sizeof(made->at)];
    struct net_frame frame;

    assert_non_null(mbuf);
    assert_int_equal(net_decap(mbuf, &frame), NET_OK);
    assert_int_equal(frame.kind, NET_UDP);
    assert_true(endpoint_equal(&frame.source, &source));
    assert_true(endpoint_equal(&frame.destination, &destination));
    assert_int_equal(frame.payload_len, made->len - made->payload);
    assert_int_equal(bench_bytes(mbuf, bytes, sizeof(bytes)), frame.payload + frame.payload_len);
    assert_memory_equal(bytes + frame.payload, made->at + made->payload, frame.payload_len);
    rte_pktmbuf_free(mbuf);
}

// A piece of a datagram as a frame of its own, cut here by hand: bytes `from` up to `to` of what follows IP.
static struct rte_mbuf *piece(const struct bench_frame *made, uint32_t id, uint32_t from, uint32_t to)
{
    bool ip6 = made->at[made->ip] >> 4 == 6;
    struct bench_frame cut = *made;
    uint32_t bytes = made->len - made->udp;
    uint32_t header = ip6 ? 8 : 0;
    bool more = to < bytes;

    memcpy(cut.at + made->udp + header, made->at + made->udp + from, to - from);
    cut.len = made->udp + header + to - from;
    if (ip6) {
        uint8_t fragment[8] = {17, 0, (uint8_t)(from >> 8), (uint8_t)((from & 0xf8) | more),
                               0,  0, (uint8_t)(id >> 8),   (uint8_t)id};
        memcpy(cut.at + made->udp, fragment, sizeof(fragment));
        cut.at[made->ip + 6] = 44;
        bench_put16(&cut, made->ip + 4, (uint16_t)(cut.len - made->ip - 40));
    } else {
        bench_put16(&cut, made->ip + 2, (uint16_t)(cut.len - made->ip));
        bench_put16(&cut, made->ip + 4, (uint16_t)id);
        bench_put16(&cut, made->ip + 6, (uint16_t)(from / 8 | (more ? 0x2000 : 0)));
        bench_fix_ip(&cut);
    }
    return bench_mbuf(pool, cut.at, cut.len, cut.len, 0);
}

static void make(struct bench_frame *made, uint8_t family, uint16_t payload_len)
{
    bench_frame_make(made, &(struct bench_recipe){.family = family, .payload_len = payload_len});
}

static const uint32_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
static const uint32_t cuts[4] = {0, 64, 160, 208}; // 200 bytes of payload and the UDP header

static void test_pieces_join_in_any_order(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        for (unsigned order = 0; order < 6; order++) {
            struct bench_frame made;
            struct rte_mbuf *mbuf = NULL;
            make(&made, family, 200);
            for (unsigned i = 0; i < 3; i++) {
                assert_null(mbuf);
                uint32_t n = orders[order][i];
                mbuf = take(piece(&made, 7, cuts[n], cuts[n + 1]));
            }
            check_whole(mbuf, &made, family);
        }
    }
    assert_int_equal(net_reassembly_counters(reassembly)->fragments, 36);
    assert_int_equal(net_reassembly_counters(reassembly)->joined, 12);
    assert_int_equal(net_reassembly_counters(reassembly)->refused, 0);
}

static void test_datagrams_mixed_do_not_mix(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct bench_frame a, b;
        make(&a, family, 200);
        make(&b, family, 200);
        b.at[b.payload] ^= 0xff; // one byte differs, and its checksum
        bench_put16(&b, b.udp + 6, 0);
        struct rte_mbuf *none = take(piece(&a, 1, 0, 64));
        assert_null(none);
        assert_null(take(piece(&b, 2, 0, 64)));
        assert_null(take(piece(&b, 2, 64, 160)));
        assert_null(take(piece(&a, 1, 64, 160)));
        check_whole(take(piece(&a, 1, 160, 208)), &a, family);
        if (family == 4) // without a checksum, which IPv6 does not allow
            check_whole(take(piece(&b, 2, 160, 208)), &b, family);
    }
}

static void test_vlan_and_verdict_of_one_piece(void **state)
{
    (void)state;
    struct bench_frame made;

    bench_frame_make(&made,
                     &(struct bench_recipe){.family = 6, .tags_n = 1, .tags = {100}, .payload_len = 200});
    struct rte_mbuf *last = piece(&made, 3, 64, 208);
    last->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
    struct rte_mbuf *first = piece(&made, 3, 0, 64);
    first->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
    assert_null(take(last));
    struct rte_mbuf *whole = take(first);
    struct net_frame frame;
    assert_non_null(whole);
    assert_int_equal(net_decap(whole, &frame), NET_OK);
    assert_int_equal(frame.vlan, 100);
    rte_pktmbuf_free(whole);
}

static void test_wrong_checksum_of_the_whole_is_seen(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct bench_frame made;
        struct net_frame frame;
        make(&made, family, 200);
        made.at[made.payload + 150] ^= 1;
        assert_null(take(piece(&made, 3, 0, 64)));
        struct rte_mbuf *whole = take(piece(&made, 3, 64, 208));
        assert_non_null(whole);
        assert_int_equal(net_decap(whole, &frame), NET_UDP_CHECKSUM);
        rte_pktmbuf_free(whole);
    }
}

// Pieces of 208 bytes that must never become a datagram; all of them are given back.
struct bad_set {
    const char *name;
    unsigned n;
    uint32_t from[4], to[4];
};

static const struct bad_set bad_sets[] = {
    {"second overlaps the first", 3, {0, 56, 160}, {64, 160, 208}},
    {"overlap and hole of one size", 4, {0, 56, 120, 168}, {64, 120, 160, 208}},
    {"a piece twice", 3, {64, 64, 0}, {160, 160, 64}},
    {"the first twice", 3, {0, 0, 64}, {64, 64, 208}},
    {"the last twice", 3, {160, 160, 0}, {208, 208, 160}},
    {"one inside another", 4, {0, 64, 80, 160}, {64, 160, 96, 208}},
};

static void test_overlaps_are_refused_whole(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        for (unsigned i = 0; i < RTE_DIM(bad_sets); i++) {
            struct bench_frame made;
            make(&made, family, 200);
            for (unsigned n = 0; n < bad_sets[i].n; n++)
                assert_null(take(piece(&made, 100 + i, bad_sets[i].from[n], bad_sets[i].to[n])));
        }
    }
    assert_int_equal(net_reassembly_counters(reassembly)->joined, 0);
    assert_true(net_reassembly_counters(reassembly)->refused > 0);
    // Whatever was kept is let go in time, and every mbuf is counted once.
    net_reassembly_expire(reassembly, now + 2 * timeout());
    const struct net_reassembly_counters *counters = net_reassembly_counters(reassembly);
    assert_int_equal(counters->refused + counters->timed_out, counters->fragments);
    assert_true(bench_pool_whole(pool));
}

static void check_refused(struct rte_mbuf *mbuf)
{
    uint64_t before = net_reassembly_counters(reassembly)->refused;

    assert_null(take(mbuf));
    assert_int_equal(net_reassembly_counters(reassembly)->refused, before + 1);
    assert_true(bench_pool_whole(pool));
}

static void test_malformed_pieces_are_refused_at_once(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct bench_frame made;
        make(&made, family, 200);
        check_refused(piece(&made, 1, 0, 63));    // not a multiple of 8, and more to come
        check_refused(piece(&made, 1, 64, 64));   // nothing in it
        check_refused(piece(&made, 1, 208, 208)); // nothing in the last
        struct rte_mbuf *far = piece(&made, 1, 64, 208);
        uint8_t *ip = rte_pktmbuf_mtod_offset(far, uint8_t *, 14);
        if (family == 4) {
            ip[6] = 0x1f; // offset 65528
            ip[7] = 0xff;
            ((struct rte_ipv4_hdr *)ip)->hdr_checksum = 0;
            ((struct rte_ipv4_hdr *)ip)->hdr_checksum = rte_ipv4_cksum((struct rte_ipv4_hdr *)ip);
        } else {
            ip[42] = 0xff;
            ip[43] = 0xf8;
        }
        check_refused(far); // ends behind 65535
    }
}

static void test_headers_in_two_segments_are_refused(void **state)
{
    (void)state;
    struct bench_frame made;
    uint8_t bytes[400];

    make(&made, 4, 200);
    struct rte_mbuf *mbuf = piece(&made, 1, 0, 64);
    uint32_t len = bench_bytes(mbuf, bytes, sizeof(bytes));
    rte_pktmbuf_free(mbuf);
    check_refused(bench_mbuf(pool, bytes, len, 20, 0));
}

static void test_options_in_front_of_the_fragment_header_are_refused(void **state)
{
    (void)state;
    struct bench_frame made;

    bench_frame_make(&made, &(struct bench_recipe){.family = 6,
                                                   .first_extension = 0,
                                                   .extensions = {44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1},
                                                   .extensions_len = 16,
                                                   .payload_len = 24});
    check_refused(bench_mbuf(pool, made.at, made.len, made.len, 0));
}

static void test_pieces_split_behind_their_headers_join(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        uint32_t headers = family == 4 ? 34 : 62;
        for (uint32_t first = headers; first < headers + 30; first++) {
            struct bench_frame made;
            uint8_t bytes[400];
            make(&made, family, 200);
            struct rte_mbuf *mbuf = piece(&made, 9, 0, 64);
            uint32_t len = bench_bytes(mbuf, bytes, sizeof(bytes) - 4);
            rte_pktmbuf_free(mbuf);
            assert_null(
                take(bench_mbuf(pool, bytes, len + 4, first, 31))); // with padding in the last segment
            check_whole(take(piece(&made, 9, 64, 208)), &made, family);
        }
    }
}

static void test_what_never_becomes_whole_times_out(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct bench_frame made;
        uint64_t before = net_reassembly_counters(reassembly)->timed_out;
        make(&made, family, 200);
        assert_null(take(piece(&made, 1, 0, 64)));
        assert_null(take(piece(&made, 1, 64, 160)));
        net_reassembly_expire(reassembly, now + timeout());
        assert_int_equal(net_reassembly_counters(reassembly)->timed_out, before);
        now += timeout() + 1;
        net_reassembly_expire(reassembly, now);
        assert_int_equal(net_reassembly_counters(reassembly)->timed_out, before + 2);
        assert_true(bench_pool_whole(pool));
        // Too late; and a fragment lets go of the old itself.
        assert_null(take(piece(&made, 1, 160, 208)));
        now += timeout() + 1;
        assert_null(take(piece(&made, 2, 160, 208)));
        assert_int_equal(net_reassembly_counters(reassembly)->timed_out, before + 3);
        now += timeout() + 1;
        net_reassembly_expire(reassembly, now);
        assert_true(bench_pool_whole(pool));
    }
}

static void test_full_table_refuses_and_recovers(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct bench_frame made;
        unsigned kept = BENCH_MBUFS - rte_mempool_avail_count(pool);
        assert_int_equal(kept, 0);
        make(&made, family, 200);
        for (uint32_t id = 0; id < 4 * DATAGRAMS; id++)
            assert_null(take(piece(&made, id, 0, 64)));
        kept = BENCH_MBUFS - rte_mempool_avail_count(pool);
        assert_true(kept > 0 && kept <= DATAGRAMS);
        assert_true(net_reassembly_counters(reassembly)->refused >= 3 * DATAGRAMS);
        // The first is in and still becomes whole.
        check_whole(take(piece(&made, 0, 64, 208)), &made, family);
        now += timeout() + 1;
        assert_null(take(piece(&made, 77, 0, 64)));
        check_whole(take(piece(&made, 77, 64, 208)), &made, family);
        assert_true(bench_pool_whole(pool));
    }
}

static void test_destroy_gives_back_what_waits(void **state)
{
    struct bench_frame made;

    make(&made, 4, 200);
    assert_null(take(piece(&made, 1, 0, 64)));
    net_reassembly_destroy(reassembly);
    assert_true(bench_pool_whole(pool));
    net_reassembly_destroy(NULL);
    assert_int_equal(start(state), 0);
}

static void test_limits_are_checked(void **state)
{
    (void)state;
    struct net_reassembly *none;

    assert_int_equal(net_reassembly_create(&none, 0, 100, SOCKET_ID_ANY), -EINVAL);
    assert_int_equal(net_reassembly_create(&none, 65537, 100, SOCKET_ID_ANY), -EINVAL);
    assert_int_equal(net_reassembly_create(&none, 16, 0, SOCKET_ID_ANY), -EINVAL);
    assert_null(none);
}

static void test_short_memory_leaks_nothing(void **state)
{
    struct bench_hoard hoard;
    struct net_reassembly *second;
    unsigned failures = 0;

    (void)state;
    bench_hoard_fill(&hoard);
    while (net_reassembly_create(&second, 4096, TIMEOUT_MS, SOCKET_ID_ANY) == -ENOMEM) {
        assert_null(second);
        failures++;
        assert_true(bench_hoard_give(&hoard));
    }
    assert_true(failures > 5);
    assert_non_null(second);
    net_reassembly_destroy(second);
    assert_true(bench_hoard_empty(&hoard));
}

// A datagram larger than the MTU, ready to be cut.
static struct rte_mbuf *large(uint8_t family, uint32_t len, uint16_t vlan, uint16_t id)
{
    struct net_hop hop = {
        .mac = {{2, 0, 0, 0, 0, 2}}, .source = {{2, 0, 0, 0, 0, 1}}, .mtu = 1300, .state = NET_HOP_READY};
    struct endpoint source = bench_source(family), destination = bench_destination(family);
    struct net_encap how = {.hop = &hop,
                            .source = &source,
                            .destination = &destination,
                            .id = &id,
                            .vlan = vlan,
                            .ttl = 64,
                            .tx_offloads = RTE_ETH_TX_OFFLOAD_UDP_CKSUM};
    uint8_t bytes[20000];

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)i;
    struct rte_mbuf *mbuf = bench_mbuf(pool, bytes, len, 1000, 777);
    assert_int_equal(net_encap(mbuf, &how), 1);
    return mbuf;
}

static void check_piece(const struct rte_mbuf *mbuf, uint8_t family, uint64_t offloads, uint16_t vlan)
{
    uint32_t l2_len = vlan != 0 ? 18 : 14;
    const uint8_t *ip = rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, l2_len);

    assert_true(mbuf->pkt_len - l2_len <= 1300);
    assert_int_equal(mbuf->l2_len, l2_len);
    assert_int_equal(mbuf->ol_flags, 0);
    if (offloads == 0)
        assert_int_equal(mbuf->nb_segs, 1);
    if (family == 4)
        assert_int_equal(ip[4] << 8 | ip[5], 0xabcd);
    else
        assert_memory_equal(ip + 44, "\x12\x34\x56\x78", 4);
}

static void round_trip(uint8_t family, uint32_t len, uint64_t offloads, uint16_t vlan)
{
    struct rte_mbuf *pieces[PIECES_MAX], *whole = NULL;
    struct net_fragmentation how = {direct, indirect, offloads, 0x12345678, 1300};
    struct bench_frame made;

    make(&made, family, (uint16_t)len);
    int n = net_fragment(large(family, len, vlan, 0xabcd), &how, pieces, PIECES_MAX);
    assert_true(n >= 2);
    for (int i = 0; i < n; i++) {
        assert_null(whole);
        check_piece(pieces[i], family, offloads, vlan);
        whole = take(pieces[i]);
    }
    check_whole(whole, &made, family);
    assert_true(bench_pool_whole(pool) && bench_pool_whole(direct) && bench_pool_whole(indirect));
}

static void test_what_is_cut_joins_again(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1273, 1300, 2048, 4000, 8000};

    for (uint8_t family = 4; family <= 6; family += 2) {
        for (unsigned i = 0; i < RTE_DIM(sizes); i++) {
            round_trip(family, sizes[i], 0, 0);
            round_trip(family, sizes[i], RTE_ETH_TX_OFFLOAD_MULTI_SEGS, 0);
            round_trip(family, sizes[i], 0, 100);
        }
    }
}

static void test_largest_message_is_cut(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct rte_mbuf *pieces[PIECES_MAX];
        struct net_fragmentation how = {direct, indirect, 0, 1, 1300};
        uint32_t bytes = 0;
        int n = net_fragment(large(family, 16384, 0, 1), &how, pieces, PIECES_MAX);
        assert_int_equal(n, family == 4 ? 13 : 14);
        for (int i = 0; i < n; i++)
            bytes += pieces[i]->pkt_len - 14 - (family == 4 ? 20 : 48);
        assert_int_equal(bytes, 16384 + 8);
        rte_pktmbuf_free_bulk(pieces, (unsigned)n);
    }
}

static void test_more_pieces_than_dpdk_holds_are_refused(void **state)
{
    (void)state;
    struct rte_mbuf *pieces[PIECES_MAX];
    struct net_fragmentation how = {direct, indirect, 0, 1, 1300};

    int n = net_fragment(large(4, 16384, 0, 1), &how, pieces, PIECES_MAX);
    assert_true(n > DPDK_PIECES);
    for (int i = 0; i < n; i++)
        assert_null(take(pieces[i]));
    assert_int_equal(net_reassembly_counters(reassembly)->refused, DPDK_PIECES);
    net_reassembly_expire(reassembly, now + 2 * timeout());
    assert_int_equal(net_reassembly_counters(reassembly)->timed_out, n - DPDK_PIECES);
    assert_true(bench_pool_whole(direct));
}

static void check_uncut(uint8_t family, const struct net_fragmentation *how, uint16_t room, int error)
{
    struct rte_mbuf *pieces[PIECES_MAX];
    struct rte_mbuf *whole = large(family, 8000, 0, 1);

    assert_int_equal(net_fragment(whole, how, pieces, room), error);
    rte_pktmbuf_free(whole);
    assert_true(bench_pool_whole(pool) && bench_pool_whole(direct) && bench_pool_whole(indirect));
}

static void test_refusals_leak_nothing(void **state)
{
    (void)state;
    struct rte_mempool *small = bench_pool("small", 4, 2048), *tight = bench_pool("tight", 63, 256);

    assert_true(small != NULL && tight != NULL);
    for (uint8_t family = 4; family <= 6; family += 2) {
        check_uncut(family, &(struct net_fragmentation){direct, indirect, 0, 1, 1300}, 3, -EINVAL);
        check_uncut(family, &(struct net_fragmentation){small, indirect, 0, 1, 1300}, PIECES_MAX, -ENOMEM);
        check_uncut(family, &(struct net_fragmentation){direct, small, 0, 1, 1300}, PIECES_MAX, -ENOMEM);
        check_uncut(family, &(struct net_fragmentation){tight, indirect, 0, 1, 1300}, PIECES_MAX, -ENOMEM);
    }
    check_uncut(4, &(struct net_fragmentation){direct, indirect, 0, 1, 60}, PIECES_MAX, -EINVAL);
    assert_true(bench_pool_whole(small) && bench_pool_whole(tight));
    rte_mempool_free(small);
    rte_mempool_free(tight);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_pieces_join_in_any_order),
        CASE(test_datagrams_mixed_do_not_mix),
        CASE(test_vlan_and_verdict_of_one_piece),
        CASE(test_wrong_checksum_of_the_whole_is_seen),
        CASE(test_overlaps_are_refused_whole),
        CASE(test_malformed_pieces_are_refused_at_once),
        CASE(test_headers_in_two_segments_are_refused),
        CASE(test_options_in_front_of_the_fragment_header_are_refused),
        CASE(test_pieces_split_behind_their_headers_join),
        CASE(test_what_never_becomes_whole_times_out),
        CASE(test_full_table_refuses_and_recovers),
        CASE(test_destroy_gives_back_what_waits),
        CASE(test_limits_are_checked),
        CASE(test_short_memory_leaks_nothing),
        CASE(test_what_is_cut_joins_again),
        CASE(test_largest_message_is_cut),
        CASE(test_more_pieces_than_dpdk_holds_are_refused),
        CASE(test_refusals_leak_nothing),
    };

    bench_start();
    pool = bench_pool("frames", BENCH_MBUFS, 2048);
    direct = bench_pool("direct", BENCH_MBUFS, 2048);
    indirect = bench_pool("indirect", BENCH_MBUFS, 0);
    return pool == NULL || direct == NULL || indirect == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
