#include "net/checksum.h"

#include <stdbool.h>

// Up to 2^32 words of 32 bits go into 64 bits without a carry lost, and 2^16 is 1 modulo 2^16-1, so words of any
// width give the same folded sum (RFC 1071 2 (C)).
static inline uint64_t sum_words(uint64_t sum, const uint8_t *at, size_t len)
{
    uint64_t word;
    uint32_t half;
    uint16_t pair;

    for (; len >= sizeof(word); at += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sum += (word & 0xffffffff) + (word >> 32);
    }
    if (len & 4) {
        memcpy(&half, at, sizeof(half));
        sum += half;
        at += sizeof(half);
    }
    if (len & 2) {
        memcpy(&pair, at, sizeof(pair));
        sum += pair;
        at += sizeof(pair);
    }
    if (len & 1) {
        uint8_t padded[2] = {*at, 0};
        memcpy(&pair, padded, sizeof(pair));
        sum += pair;
    }
    return sum;
}

uint16_t net_checksum_portable(const void *at, size_t len)
{
    return net_checksum_fold(sum_words(0, at, len));
}

#if defined(__x86_64__)
#include <immintrin.h>

#define LANE sizeof(__m256i)

// Adds the 32-bit words of `v` to the 64-bit lanes of `sum`.
__attribute__((target("avx2"))) static inline __m256i add_lane(__m256i sum, __m256i v)
{
    __m256i low = _mm256_blend_epi32(v, _mm256_setzero_si256(), 0xaa);
    return _mm256_add_epi64(sum, _mm256_add_epi64(low, _mm256_srli_epi64(v, 32)));
}

__attribute__((target("avx2"))) uint16_t net_checksum_avx2(const void *from, size_t len)
{
    const uint8_t *at = from;
    __m256i a = _mm256_setzero_si256();
    __m256i b = a;
    uint64_t lanes[4];

    for (; len >= 4 * LANE; at += 4 * LANE, len -= 4 * LANE) {
        a = add_lane(a, _mm256_loadu_si256((const __m256i *)at));
        b = add_lane(b, _mm256_loadu_si256((const __m256i *)(at + LANE)));
        a = add_lane(a, _mm256_loadu_si256((const __m256i *)(at + 2 * LANE)));
        b = add_lane(b, _mm256_loadu_si256((const __m256i *)(at + 3 * LANE)));
    }
    for (; len >= LANE; at += LANE, len -= LANE)
        a = add_lane(a, _mm256_loadu_si256((const __m256i *)at));
    _mm256_storeu_si256((__m256i *)lanes, _mm256_add_epi64(a, b));
    // Each lane is far below 2^62: a datagram is at most 64 KiB.
    return net_checksum_fold(sum_words(lanes[0] + lanes[1] + lanes[2] + lanes[3], at, len));
}

// Runs while the program is linked, before any sanitizer is ready.
__attribute__((no_sanitize("address", "undefined"), used)) static uint16_t (*choose(void))(const void *,
                                                                                           size_t)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") ? net_checksum_avx2 : net_checksum_portable;
}

uint16_t net_checksum(const void *at, size_t len) __attribute__((ifunc("choose")));
#else
uint16_t net_checksum(const void *at, size_t len)
{
    return net_checksum_portable(at, len);
}
#endif

uint16_t net_checksum_mbuf(const struct rte_mbuf *mbuf, uint32_t offset, uint32_t len)
{
    uint64_t sum = 0;
    bool odd = false; // a segment that starts at an odd byte of the sum counts swapped (RFC 1071 2 (B))

    while (offset > mbuf->data_len) {
        offset -= mbuf->data_len;
        mbuf = mbuf->next;
    }
    while (len > 0) {
        uint32_t part = RTE_MIN(len, mbuf->data_len - offset);
        uint16_t folded = net_checksum(rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, offset), part);
        sum += odd ? rte_bswap16(folded) : folded;
        odd ^= part & 1;
        len -= part;
        offset = 0;
        mbuf = mbuf->next;
    }
    return net_checksum_fold(sum);
}
