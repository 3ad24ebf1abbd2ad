#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench.h"
#include "net/checksum.h"

#define ROOM 1700

static struct rte_mempool *pool;

// The room's sums lie in memory order and are not complemented.
static uint16_t expected(const uint8_t *at, size_t len)
{
    return rte_cpu_to_be_16((uint16_t)~bench_checksum(at, len, 0));
}

static void fill(uint8_t *bytes, size_t len, unsigned seed)
{
    srand(seed);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(rand() >> 7);
}

static void check_both(const uint8_t *at, size_t len)
{
    uint16_t want = expected(at, len);

    assert_int_equal(net_checksum_portable(at, len), want);
    assert_int_equal(net_checksum(at, len), want);
    if (__builtin_cpu_supports("avx2"))
        assert_int_equal(net_checksum_avx2(at, len), want);
}

static void test_forms_agree_at_every_alignment_and_length(void **state)
{
    (void)state;
    for (size_t offset = 0; offset < 64; offset++) {
        for (size_t len = 0; len <= ROOM - 64; len += len < 300 ? 1 : 37) {
            uint8_t *bytes = malloc(offset + len + 1); // the address sanitizer watches the end
            fill(bytes, offset + len, (unsigned)(offset * 7919 + len));
            check_both(bytes + offset, len);
            free(bytes);
        }
    }
}

static void test_carries_are_not_lost(void **state)
{
    (void)state;
    size_t sizes[] = {1, 2, 31, 32, 33, 127, 128, 1500, 9000, 65535};
    uint8_t *bytes = malloc(65535);

    memset(bytes, 0xff, 65535);
    for (size_t i = 0; i < RTE_DIM(sizes); i++)
        check_both(bytes, sizes[i]);
    assert_int_equal(net_checksum(bytes, 1500), 0xffff);
    memset(bytes, 0, 65535);
    for (size_t i = 0; i < RTE_DIM(sizes); i++)
        assert_int_equal(net_checksum(bytes, sizes[i]), 0);
    free(bytes);
}

// RFC 1071 3: the numerical example, 0001 f203 f4f5 f6f7 sums to ddf2.
static void test_example_of_rfc1071(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    assert_int_equal(rte_be_to_cpu_16(net_checksum(bytes, sizeof(bytes))), 0xddf2);
}

static void test_segments_sum_as_one(void **state)
{
    (void)state;
    uint8_t bytes[400];

    fill(bytes, sizeof(bytes), 1);
    for (uint32_t first = 1; first < sizeof(bytes); first++) {
        struct rte_mbuf *mbuf = bench_mbuf(pool, bytes, sizeof(bytes), first, first % 29 + 1);
        for (uint32_t offset = 0; offset < 90; offset += 13) {
            uint32_t len = (uint32_t)sizeof(bytes) - offset - first % 5;
            assert_int_equal(net_checksum_mbuf(mbuf, offset, len), expected(bytes + offset, len));
        }
        assert_int_equal(net_checksum_mbuf(mbuf, (uint32_t)sizeof(bytes), 0), 0);
        rte_pktmbuf_free(mbuf);
    }
    assert_true(bench_pool_whole(pool));
}

static void test_pseudo_header_of_both_families(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct bench_frame frame;
        bench_frame_make(&frame, &(struct bench_recipe){.family = family, .payload_len = 77});
        struct endpoint source = bench_source(family), destination = bench_destination(family);
        uint64_t sum = net_checksum_pseudo(&source, &destination, 85);
        assert_int_equal(net_checksum_fold(sum + net_checksum(frame.at + frame.udp, 85)), 0xffff);
    }
}

static void test_ip4_header_with_options(void **state)
{
    (void)state;
    for (uint8_t options = 0; options <= 40; options += 4) {
        struct bench_frame frame;
        bench_frame_make(&frame, &(struct bench_recipe){.family = 4, .options = options, .payload_len = 1});
        assert_int_equal(net_checksum_ip4(frame.at + frame.ip, 20u + options), 0xffff);
        frame.at[frame.ip + 8]--;
        assert_int_not_equal(net_checksum_ip4(frame.at + frame.ip, 20u + options), 0xffff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_agree_at_every_alignment_and_length),
        cmocka_unit_test(test_carries_are_not_lost),
        cmocka_unit_test(test_example_of_rfc1071),
        cmocka_unit_test(test_segments_sum_as_one),
        cmocka_unit_test(test_pseudo_header_of_both_families),
        cmocka_unit_test(test_ip4_header_with_options),
    };

    bench_start();
    pool = bench_pool("frames", BENCH_MBUFS, 2048);
    return pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
