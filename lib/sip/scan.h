// scan: the vector step of the parser.
//
// Looks at 64 bytes at once and says which are line feeds and which are colons, one bit each. Three forms (AVX2,
// SSE4.2, portable) give the same answer on every input, and a test holds them to it. They are inline because the
// parser is one loop around them: sip_message_parse has a copy of that loop for each form and takes the one that
// sip_scan_level_best() names. None reads outside of bytes[0 .. len): the last 64 bytes are read as they lie and
// shifted, shorter messages byte by byte. Pure: any thread. Cost: about 20 instructions with AVX2.
#ifndef SIP_SCAN_H
#define SIP_SCAN_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define SIP_SCAN_BYTES 64

enum sip_scan_level { SIP_SCAN_PORTABLE = 0, SIP_SCAN_SSE42, SIP_SCAN_AVX2, SIP_SCAN_LEVELS };

// Bit i is the byte at offset `at` + i; bits at and behind `len` are 0.
struct sip_scan {
    uint64_t feeds;
    uint64_t colons;
};

// The best form this CPU has. libgcc asks the CPU once, when the program starts; this reads that answer.
static inline enum sip_scan_level sip_scan_level_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return SIP_SCAN_AVX2;
    if (__builtin_cpu_supports("sse4.2"))
        return SIP_SCAN_SSE42;
#endif
    return SIP_SCAN_PORTABLE;
}

// Bit 8i + 7 of the result is set where byte i of `word` is `byte`. Exact, unlike the shorter trick with a borrow.
static inline uint64_t sip_scan_equal(uint64_t word, uint8_t byte)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t x = word ^ (0x0101010101010101 * byte);

    return ~(((x & low) + low) | x | low);
}

// Gathers the top bits of eight bytes into eight bits.
static inline uint64_t sip_scan_gather(uint64_t tops)
{
    return ((tops >> 7) * 0x0102040810204080) >> 56;
}

// Fewer than SIP_SCAN_BYTES bytes in all.
static inline struct sip_scan sip_scan_short(const char *bytes, uint32_t len, uint32_t at)
{
    struct sip_scan scan = {0, 0};

    for (uint32_t i = at; i < len; i++) {
        scan.feeds |= (uint64_t)(bytes[i] == '\n') << (i - at);
        scan.colons |= (uint64_t)(bytes[i] == ':') << (i - at);
    }
    return scan;
}

// Where the 64 bytes to read begin, so that they end within `len` (which is at least 64).
static inline uint32_t sip_scan_from(uint32_t len, uint32_t at)
{
    return at < len - SIP_SCAN_BYTES ? at : len - SIP_SCAN_BYTES;
}

// All forms: the bytes from offset `at` on, `at` being less than `len`.
static inline struct sip_scan sip_scan_portable(const char *bytes, uint32_t len, uint32_t at)
{
    struct sip_scan scan = {0, 0};

    if (len < SIP_SCAN_BYTES)
        return sip_scan_short(bytes, len, at);
    uint32_t from = sip_scan_from(len, at);
    for (unsigned i = 0; i < SIP_SCAN_BYTES; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + from + i, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        scan.feeds |= sip_scan_gather(sip_scan_equal(word, '\n')) << i;
        scan.colons |= sip_scan_gather(sip_scan_equal(word, ':')) << i;
    }
    scan.feeds >>= at - from;
    scan.colons >>= at - from;
    return scan;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static inline struct sip_scan sip_scan_sse42(const char *bytes,
                                                                               uint32_t len, uint32_t at)
{
    struct sip_scan scan = {0, 0};

    if (len < SIP_SCAN_BYTES)
        return sip_scan_short(bytes, len, at);
    uint32_t from = sip_scan_from(len, at);
    for (unsigned i = 0; i < SIP_SCAN_BYTES; i += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(bytes + from + i));
        __m128i feeds = _mm_cmpeq_epi8(block, _mm_set1_epi8('\n'));
        __m128i colons = _mm_cmpeq_epi8(block, _mm_set1_epi8(':'));
        scan.feeds |= (uint64_t)(uint32_t)_mm_movemask_epi8(feeds) << i;
        scan.colons |= (uint64_t)(uint32_t)_mm_movemask_epi8(colons) << i;
    }
    scan.feeds >>= at - from;
    scan.colons >>= at - from;
    return scan;
}

__attribute__((target("avx2"))) static inline uint64_t sip_scan_avx2_equal(__m256i low, __m256i high,
                                                                           char byte)
{
    __m256i wanted = _mm256_set1_epi8(byte);
    uint32_t first = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    uint32_t second = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));

    return (uint64_t)second << 32 | first;
}

__attribute__((target("avx2"))) static inline struct sip_scan sip_scan_avx2(const char *bytes, uint32_t len,
                                                                            uint32_t at)
{
    if (len < SIP_SCAN_BYTES)
        return sip_scan_short(bytes, len, at);
    uint32_t from = sip_scan_from(len, at);
    __m256i low = _mm256_loadu_si256((const __m256i *)(bytes + from));
    __m256i high = _mm256_loadu_si256((const __m256i *)(bytes + from + 32));
    return (struct sip_scan){sip_scan_avx2_equal(low, high, '\n') >> (at - from),
                             sip_scan_avx2_equal(low, high, ':') >> (at - from)};
}

#endif

#endif
