#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <rte_ether.h>

#include "bench.h"
#include "net/frame.h"

#define CHANGES_MAX 3

static struct rte_mempool *pool;

enum base { NOTHING, ETH, IP, UDP };

// Two bytes of a frame that are made to lie, in network order, at an offset from the start of a header.
struct change {
    enum base base;
    uint8_t at;
    uint16_t value;
};

struct sample {
    const char *name;
    struct bench_recipe recipe;
    struct change changes[CHANGES_MAX];
    uint16_t cut;    // bytes of the frame that are there; 0: all
    bool ip_unfixed; // the IPv4 checksum is not made again after the changes
    enum net_error error;
    enum net_kind kind;
};

#define HEX8(a)                  \
    {                            \
        (a), 0, 1, 4, 0, 0, 0, 0 \
    } // an options header of 8 bytes: PadN of 4

static const struct sample samples[] = {
    // what is well
    {"IPv4", {.family = 4, .payload_len = 100}, .kind = NET_UDP},
    {"IPv6", {.family = 6, .payload_len = 100}, .kind = NET_UDP},
    {"IPv4, empty payload", {.family = 4}, .kind = NET_UDP},
    {"IPv6, empty payload", {.family = 6}, .kind = NET_UDP},
    {"IPv4, odd payload", {.family = 4, .payload_len = 101}, .kind = NET_UDP},
    {"IPv4, padding", {.family = 4, .payload_len = 4, .padding = 14}, .kind = NET_UDP},
    {"IPv6, padding", {.family = 6, .payload_len = 4, .padding = 3}, .kind = NET_UDP},
    {"IPv4, bytes behind UDP",
     {.family = 4, .payload_len = 40, .surplus = 12, .padding = 5},
     .kind = NET_UDP},
    {"IPv6, bytes behind UDP", {.family = 6, .payload_len = 40, .surplus = 12}, .kind = NET_UDP},
    {"IPv4, options", {.family = 4, .options = 8, .payload_len = 10}, .kind = NET_UDP},
    {"IPv4, most options", {.family = 4, .options = 40, .payload_len = 10}, .kind = NET_UDP},
    {"IPv4, no UDP checksum", {.family = 4, .payload_len = 30, .no_udp_checksum = true}, .kind = NET_UDP},
    {"IPv4, jumbo", {.family = 4, .payload_len = 8000}, .kind = NET_UDP},
    {"one tag", {.family = 4, .tags_n = 1, .tags = {0x6064}, .payload_len = 20}, .kind = NET_UDP},
    {"one tag, IPv6", {.family = 6, .tags_n = 1, .tags = {100}, .payload_len = 20}, .kind = NET_UDP},
    {"two tags",
     {.family = 4, .tags_n = 2, .types = {RTE_ETHER_TYPE_QINQ}, .tags = {7, 100}, .payload_len = 20},
     .kind = NET_UDP},
    {"two tags, IPv6, options",
     {.family = 6,
      .tags_n = 2,
      .tags = {7, 100},
      .first_extension = 0,
      .extensions = HEX8(17),
      .extensions_len = 8,
      .payload_len = 20},
     .kind = NET_UDP},
    {"hop-by-hop",
     {.family = 6, .first_extension = 0, .extensions = HEX8(17), .extensions_len = 8, .payload_len = 9},
     .kind = NET_UDP},
    {"destination options of 16 bytes",
     {.family = 6,
      .first_extension = 60,
      .extensions = {17, 1, 1, 12},
      .extensions_len = 16,
      .payload_len = 9},
     .kind = NET_UDP},
    {"routing header that is done",
     {.family = 6, .first_extension = 43, .extensions = {17, 0, 2, 0}, .extensions_len = 8, .payload_len = 9},
     .kind = NET_UDP},
    {"four extension headers",
     {.family = 6,
      .first_extension = 0,
      .extensions = {60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 1, 4, 0, 0, 0, 0, 60, 0, 2, 0, 0, 0, 0, 0, 17, 0, 1, 4},
      .extensions_len = 32,
      .payload_len = 9},
     .kind = NET_UDP},
    {"atomic fragment",
     {.family = 6,
      .first_extension = 44,
      .extensions = {17, 0, 0, 0, 1, 2, 3, 4},
      .extensions_len = 8,
      .payload_len = 9},
     .kind = NET_UDP},

    // fragments
    {"IPv4, first fragment", {.family = 4, .payload_len = 24}, {{IP, 6, 0x2000}}, .kind = NET_FRAGMENT},
    {"IPv4, last fragment",
     {.family = 4, .payload_len = 24, .padding = 9},
     {{IP, 6, 0x0003}},
     .kind = NET_FRAGMENT},
    {"IPv6, first fragment",
     {.family = 6,
      .first_extension = 44,
      .extensions = {17, 0, 0, 1, 1, 2, 3, 4},
      .extensions_len = 8,
      .payload_len = 24},
     .kind = NET_FRAGMENT},
    {"IPv6, last fragment behind options",
     {.family = 6,
      .first_extension = 0,
      .extensions = {44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 8, 1, 2, 3, 4},
      .extensions_len = 16,
      .payload_len = 24},
     .kind = NET_FRAGMENT},

    // the kernel's
    {"ARP", {.family = 4, .payload_len = 20}, {{ETH, 12, 0x0806}}, .kind = NET_OTHER},
    {"802.3 length", {.family = 4, .payload_len = 20}, {{ETH, 12, 0x0040}}, .kind = NET_OTHER},
    {"bare Ethernet header", {.family = 4}, {{ETH, 12, 0x88cc}}, .cut = 14, .kind = NET_OTHER},
    {"three tags", {.family = 4, .tags_n = 3, .tags = {1, 2, 3}, .payload_len = 20}, .kind = NET_OTHER},
    {"IPv4, TCP", {.family = 4, .payload_len = 20}, {{IP, 8, 0x4006}}, .kind = NET_OTHER},
    {"IPv4, fragment of TCP",
     {.family = 4, .payload_len = 24},
     {{IP, 8, 0x4006}, {IP, 6, 0x2000}},
     .kind = NET_OTHER},
    {"IPv6, ICMP", {.family = 6, .payload_len = 20}, {{IP, 6, 0x3aff}}, .kind = NET_OTHER},
    {"IPv6, ICMP behind hop-by-hop",
     {.family = 6, .first_extension = 0, .extensions = HEX8(58), .extensions_len = 8, .payload_len = 20},
     .kind = NET_OTHER},
    {"IPv6, no next header", {.family = 6}, {{IP, 6, 0x3b40}}, .kind = NET_OTHER},
    {"IPv6, fragment of TCP",
     {.family = 6, .first_extension = 44, .extensions = {6, 0, 0, 1}, .extensions_len = 8, .payload_len = 24},
     .kind = NET_OTHER},
    {"IPv6, routing header still under way",
     {.family = 6, .first_extension = 43, .extensions = {17, 0, 4, 1}, .extensions_len = 8, .payload_len = 9},
     .kind = NET_OTHER},

    // what lies
    {"no Ethernet header", {.family = 4}, .cut = 13, .error = NET_ETH_SHORT},
    {"nothing at all", {.family = 4}, .cut = 0xffff, .error = NET_ETH_SHORT},
    {"tag cut short", {.family = 4, .tags_n = 1}, .cut = 17, .error = NET_ETH_SHORT},
    {"second tag cut short", {.family = 4, .tags_n = 2}, .cut = 21, .error = NET_ETH_SHORT},
    {"IPv4 header cut short", {.family = 4}, .cut = 33, .error = NET_IP_SHORT},
    {"IPv6 header cut short", {.family = 6}, .cut = 53, .error = NET_IP_SHORT},
    {"IPv4, version 6", {.family = 4, .payload_len = 40}, {{IP, 0, 0x6500}}, .error = NET_IP_VERSION},
    {"IPv6, version 4", {.family = 6, .payload_len = 40}, {{IP, 0, 0x4500}}, .error = NET_IP_VERSION},
    {"IPv4, header of 16 bytes", {.family = 4}, {{IP, 0, 0x4400}}, .error = NET_IP_HEADER_LENGTH},
    {"IPv4, header longer than the frame",
     {.family = 4},
     {{IP, 0, 0x4f00}},
     .ip_unfixed = true,
     .error = NET_IP_HEADER_LENGTH},
    {"IPv4, total length shorter than the header",
     {.family = 4},
     {{IP, 2, 19}},
     .error = NET_IP_TOTAL_LENGTH},
    {"IPv4, total length longer than the frame",
     {.family = 4, .payload_len = 10},
     {{IP, 2, 39}},
     .error = NET_IP_TOTAL_LENGTH},
    {"IPv4, total length 65535", {.family = 4}, {{IP, 2, 0xffff}}, .error = NET_IP_TOTAL_LENGTH},
    {"IPv6, payload length longer than the frame",
     {.family = 6, .payload_len = 10},
     {{IP, 4, 19}},
     .error = NET_IP_TOTAL_LENGTH},
    {"IPv4, wrong checksum", {.family = 4}, {{IP, 8, 0x3f11}}, .ip_unfixed = true, .error = NET_IP_CHECKSUM},
    {"extension header cut short",
     {.family = 6, .payload_len = 2},
     {{IP, 6, 0x3c40}, {IP, 4, 7}},
     .error = NET_IP_EXTENSION},
    {"extension header longer than the packet",
     {.family = 6, .first_extension = 60, .extensions = {17, 9}, .extensions_len = 8, .payload_len = 9},
     .error = NET_IP_EXTENSION},
    {"extension header beyond what is read",
     {.family = 6, .first_extension = 60, .extensions = {17, 40}, .extensions_len = 8, .payload_len = 600},
     .error = NET_IP_EXTENSION},
    {"UDP beyond what is read", // 14 + 40 + 200 are 254
     {.family = 6, .first_extension = 60, .extensions = {17, 24}, .extensions_len = 8, .payload_len = 600},
     .error = NET_IP_EXTENSION},
    {"five extension headers",
     {.family = 6,
      .first_extension = 60,
      .extensions = {60, 0, 1, 4, 0, 0, 0,  0, 60, 0, 1, 4, 0, 0, 0,  0, 60, 0,
                     1,  4, 0, 0, 0, 0, 60, 0, 1,  4, 0, 0, 0, 0, 17, 0, 1,  4},
      .extensions_len = 40,
      .payload_len = 9},
     .error = NET_IP_EXTENSION},
    {"hop-by-hop that is not first",
     {.family = 6,
      .first_extension = 60,
      .extensions = {0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4},
      .extensions_len = 16,
      .payload_len = 9},
     .error = NET_IP_EXTENSION},
    {"fragment header cut short", {.family = 6}, {{IP, 6, 0x2c40}, {IP, 4, 7}}, .error = NET_IP_EXTENSION},
    {"IPv4, no room for UDP", {.family = 4, .payload_len = 10}, {{IP, 2, 27}}, .error = NET_UDP_SHORT},
    {"IPv6, no room for UDP", {.family = 6, .payload_len = 10}, {{IP, 4, 7}}, .error = NET_UDP_SHORT},
    {"UDP length 7", {.family = 4, .payload_len = 10}, {{UDP, 4, 7}}, .error = NET_UDP_LENGTH},
    {"UDP length 0", {.family = 6, .payload_len = 10}, {{UDP, 4, 0}}, .error = NET_UDP_LENGTH},
    {"UDP longer than IP",
     {.family = 4, .payload_len = 10, .padding = 20},
     {{UDP, 4, 19}},
     .error = NET_UDP_LENGTH},
    {"UDP shorter than it was", {.family = 4, .payload_len = 10}, {{UDP, 4, 16}}, .error = NET_UDP_CHECKSUM},
    {"IPv4, wrong UDP checksum",
     {.family = 4, .payload_len = 10},
     {{UDP, 6, 0x1234}},
     .error = NET_UDP_CHECKSUM},
    {"IPv6, wrong UDP checksum",
     {.family = 6, .payload_len = 10},
     {{UDP, 6, 0x1234}},
     .error = NET_UDP_CHECKSUM},
    {"IPv6, no UDP checksum",
     {.family = 6, .payload_len = 10, .no_udp_checksum = true},
     .error = NET_UDP_CHECKSUM},
};

static void make(const struct sample *sample, struct bench_frame *frame)
{
    bench_frame_make(frame, &sample->recipe);
    for (unsigned i = 0; i < CHANGES_MAX && sample->changes[i].base != NOTHING; i++) {
        const struct change *change = &sample->changes[i];
        uint32_t base = change->base == ETH ? 0 : change->base == IP ? frame->ip : frame->udp;
        bench_put16(frame, base + change->at, change->value);
    }
    if (sample->recipe.family == 4 && !sample->ip_unfixed)
        bench_fix_ip(frame);
    if (sample->cut != 0)
        frame->len = sample->cut == 0xffff ? 0 : sample->cut;
}

static void check_frame(const struct sample *sample, const struct bench_frame *made,
                        const struct rte_mbuf *mbuf, const struct net_frame *frame)
{
    const struct bench_recipe *recipe = &sample->recipe;
    struct endpoint source = bench_source(recipe->family), destination = bench_destination(recipe->family);
    uint16_t behind_ip = (uint16_t)(recipe->surplus + 8 + recipe->payload_len);
    bool udp = sample->kind == NET_UDP;

    assert_int_equal(frame->kind, sample->kind);
    if (sample->kind == NET_OTHER) {
        assert_int_equal(mbuf->pkt_len, made->len);
        return;
    }
    if (!udp)
        source.port = destination.port = 0;
    assert_true(endpoint_equal(&frame->source, &source));
    assert_true(endpoint_equal(&frame->destination, &destination));
    assert_int_equal(frame->l2_len, made->ip);
    assert_int_equal(frame->l3_len, made->udp - made->ip);
    assert_int_equal(frame->payload, udp ? made->payload : made->udp);
    assert_int_equal(frame->payload_len, udp ? recipe->payload_len : behind_ip);
    assert_int_equal(mbuf->pkt_len, frame->payload + frame->payload_len);
    assert_int_equal(frame->has_vlan, recipe->tags_n > 0);
    assert_int_equal(frame->vlan, recipe->tags_n > 0 ? recipe->tags[recipe->tags_n - 1] : 0);
    assert_int_equal(frame->vlan_outer, recipe->tags_n > 1 ? recipe->tags[0] : 0);
}

// Decaps, compares with what is expected, gives the mbuf back.
static void check(const struct sample *sample, const struct bench_frame *made, struct rte_mbuf *mbuf)
{
    struct net_frame frame;
    uint8_t left[sizeof(made->at)];

    memset(&frame, 0xa5, sizeof(frame));
    enum net_error error = net_decap(mbuf, &frame);
    if (error != sample->error)
        print_message("%s: error %d\n", sample->name, (int)error);
    assert_int_equal(error, sample->error);
    if (error == NET_OK)
        check_frame(sample, made, mbuf, &frame);
    uint32_t len = bench_bytes(mbuf, left, sizeof(left));
    assert_int_equal(len, mbuf->pkt_len);
    assert_memory_equal(left, made->at, len);
    const char *reason;
    assert_int_equal(rte_mbuf_check(mbuf, 1, &reason), 0);
    rte_pktmbuf_free(mbuf);
}

static void test_every_frame_in_one_segment(void **state)
{
    (void)state;
    for (size_t i = 0; i < RTE_DIM(samples); i++) {
        struct bench_frame made;
        make(&samples[i], &made);
        check(&samples[i], &made, bench_mbuf_exact(pool, made.at, made.len));
    }
    assert_true(bench_pool_whole(pool));
}

static void test_every_frame_split_at_every_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < RTE_DIM(samples); i++) {
        struct bench_frame made;
        make(&samples[i], &made);
        for (uint32_t first = 0; first < RTE_MIN(made.len, 700u); first++)
            check(&samples[i], &made, bench_mbuf(pool, made.at, made.len, first, 2000));
        for (uint32_t size = 40; size < 60; size++)
            check(&samples[i], &made, bench_mbuf(pool, made.at, made.len, size, size));
    }
    assert_true(bench_pool_whole(pool));
}

static void test_every_error_is_reached(void **state)
{
    (void)state;
    bool reached[NET_ERROR_COUNT] = {false};

    for (size_t i = 0; i < RTE_DIM(samples); i++)
        reached[samples[i].error] = true;
    for (int error = 0; error < NET_ERROR_COUNT; error++)
        assert_true(reached[error]);
}

static void test_no_truncation_is_read_past_or_taken_for_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < RTE_DIM(samples); i++) {
        struct bench_frame made;
        make(&samples[i], &made);
        if (samples[i].kind == NET_OTHER)
            continue;
        uint32_t whole = made.len - samples[i].recipe.padding;
        for (uint32_t len = 0; len < RTE_MIN(whole, 700u); len++) {
            struct rte_mbuf *mbuf = bench_mbuf_exact(pool, made.at, len);
            struct net_frame frame;
            assert_int_not_equal(net_decap(mbuf, &frame), NET_OK);
            rte_pktmbuf_free(mbuf);
        }
    }
    assert_true(bench_pool_whole(pool));
}

// Whatever the bytes, what comes out lies inside the packet.
static void test_random_changes_stay_inside(void **state)
{
    (void)state;
    srand(4711);
    for (unsigned round = 0; round < 40000; round++) {
        struct bench_frame made;
        make(&samples[(unsigned)rand() % RTE_DIM(samples)], &made);
        made.len = RTE_MIN(made.len, 400u);
        for (int n = rand() % 5; n >= 0 && made.len > 0; n--)
            made.at[(unsigned)rand() % RTE_MIN(made.len, 90u)] = (uint8_t)rand();
        struct rte_mbuf *mbuf = round % 2 == 0
                                    ? bench_mbuf_exact(pool, made.at, made.len)
                                    : bench_mbuf(pool, made.at, made.len, (unsigned)rand() % 80, 0);
        struct net_frame frame;
        mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        if (net_decap(mbuf, &frame) == NET_OK && frame.kind != NET_OTHER)
            assert_int_equal(frame.payload + frame.payload_len, mbuf->pkt_len);
        rte_pktmbuf_free(mbuf);
    }
    assert_true(bench_pool_whole(pool));
}

static enum net_error decap_with(const struct bench_frame *made, uint64_t flags)
{
    struct rte_mbuf *mbuf = bench_mbuf_exact(pool, made->at, made->len);
    struct net_frame frame;

    mbuf->ol_flags |= flags;
    enum net_error error = net_decap(mbuf, &frame);
    rte_pktmbuf_free(mbuf);
    return error;
}

static void test_verdict_of_the_nic_counts(void **state)
{
    (void)state;
    struct bench_frame right, wrong_udp, wrong_ip, none;
    uint64_t good = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

    bench_frame_make(&right, &(struct bench_recipe){.family = 4, .payload_len = 50});
    wrong_udp = wrong_ip = right;
    wrong_udp.at[wrong_udp.payload] ^= 1;
    wrong_ip.at[wrong_ip.ip + 8] ^= 1;
    assert_int_equal(decap_with(&right, 0), NET_OK);
    assert_int_equal(decap_with(&right, RTE_MBUF_F_RX_IP_CKSUM_BAD), NET_IP_CHECKSUM);
    assert_int_equal(decap_with(&right, RTE_MBUF_F_RX_L4_CKSUM_BAD), NET_UDP_CHECKSUM);
    assert_int_equal(decap_with(&wrong_udp, 0), NET_UDP_CHECKSUM);
    assert_int_equal(decap_with(&wrong_udp, RTE_MBUF_F_RX_IP_CKSUM_GOOD), NET_UDP_CHECKSUM);
    assert_int_equal(decap_with(&wrong_udp, good), NET_OK);
    // NONE: not right in the packet, but known to be intact, as from a virtual machine next door.
    assert_int_equal(decap_with(&wrong_udp, RTE_MBUF_F_RX_L4_CKSUM_NONE), NET_OK);
    assert_int_equal(decap_with(&wrong_ip, 0), NET_IP_CHECKSUM);
    assert_int_equal(decap_with(&wrong_ip, good), NET_OK);
    bench_frame_make(&none, &(struct bench_recipe){.family = 4, .payload_len = 50, .no_udp_checksum = true});
    assert_int_equal(decap_with(&none, RTE_MBUF_F_RX_L4_CKSUM_BAD), NET_OK);
    bench_frame_make(&none, &(struct bench_recipe){.family = 6, .payload_len = 50, .no_udp_checksum = true});
    assert_int_equal(decap_with(&none, RTE_MBUF_F_RX_L4_CKSUM_GOOD), NET_UDP_CHECKSUM);
}

static void check_tags(const struct bench_recipe *recipe, uint64_t flags, uint16_t vlan, uint16_t outer)
{
    struct bench_frame made;
    struct net_frame frame;

    bench_frame_make(&made, recipe);
    struct rte_mbuf *mbuf = bench_mbuf(pool, made.at, made.len, made.len, 0);
    mbuf->ol_flags = flags;
    mbuf->vlan_tci = 200;
    mbuf->vlan_tci_outer = 300;
    assert_int_equal(net_decap(mbuf, &frame), NET_OK);
    assert_int_equal(frame.kind, NET_UDP);
    assert_int_equal(frame.has_vlan, vlan != 0);
    assert_int_equal(frame.vlan, vlan);
    assert_int_equal(frame.vlan_outer, outer);
    assert_int_equal(frame.l2_len, made.ip);
    rte_pktmbuf_free(mbuf);
}

static void test_tags_that_the_nic_stripped(void **state)
{
    (void)state;
    struct bench_recipe bare = {.family = 4, .payload_len = 20};
    struct bench_recipe tagged = {.family = 6, .tags_n = 1, .tags = {100}, .payload_len = 20};
    uint64_t one = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    uint64_t two = one | RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;

    check_tags(&bare, 0, 0, 0);
    check_tags(&bare, RTE_MBUF_F_RX_VLAN, 0, 0); // seen, but left in the frame: then it would be there
    check_tags(&bare, one, 200, 0);
    check_tags(&bare, two, 200, 300);
    check_tags(&tagged, 0, 100, 0);
    check_tags(&tagged, one, 100, 200);
    assert_true(bench_pool_whole(pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_frame_in_one_segment),
        cmocka_unit_test(test_every_frame_split_at_every_point),
        cmocka_unit_test(test_every_error_is_reached),
        cmocka_unit_test(test_no_truncation_is_read_past_or_taken_for_whole),
        cmocka_unit_test(test_random_changes_stay_inside),
        cmocka_unit_test(test_verdict_of_the_nic_counts),
        cmocka_unit_test(test_tags_that_the_nic_stripped),
    };

    bench_start();
    pool = bench_pool("frames", BENCH_MBUFS, 2048);
    return pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
