// scan: the vector steps of the parser.
//
// One looks at the beginning of a line and says which of its first 64 bytes are line feeds, one bit each, and where
// in its first 32 the first colon is; the other says whether 32 bytes are equal under a mask. Three forms (AVX2,
// SSE4.2, portable) give the same answer on every input, and a test holds them to it. They are inline because the
// parser is one loop around them: there is a copy of that loop for each form (head.c), and sip_message_parse takes
// the one that sip_scan_level_best() names. Pure: any thread.
// Cost: 10 and 4 instructions with AVX2, about 90 and 16 in the portable form.
#ifndef SIP_SCAN_H
#define SIP_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define SIP_SCAN_BYTES 64 // that are read, always all of them
#define SIP_SCAN_SAME  32 // that are compared

enum sip_scan_level { SIP_SCAN_PORTABLE = 0, SIP_SCAN_SSE42, SIP_SCAN_AVX2, SIP_SCAN_LEVELS };

struct sip_scan {
    uint64_t feeds; // bit i: byte i is a line feed
    uint64_t colon; // offset of the first colon, 32 when there is none before
};

// The best form this CPU has. libgcc asks the CPU once, when the program starts; this reads that answer, unless the
// build is for such CPUs only.
static inline enum sip_scan_level sip_scan_level_best(void)
{
#if defined(__AVX2__) && defined(__BMI__) && defined(__BMI2__)
    return SIP_SCAN_AVX2;
#elif defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        return SIP_SCAN_AVX2;
    if (__builtin_cpu_supports("sse4.2"))
        return SIP_SCAN_SSE42;
#endif
    return SIP_SCAN_PORTABLE;
}

// Bit i of the result is set where byte i of the eight at `at` is `byte`.
static inline uint64_t sip_scan_eight(const char *at, uint8_t byte)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    uint64_t differs = word ^ (0x0101010101010101 * byte);
    // Exact, unlike the shorter trick with a borrow: the top bit of each byte that is zero, then all eight together.
    uint64_t equal = ~(((differs & low) + low) | differs | low);
    return ((equal >> 7) * 0x0102040810204080) >> 56;
}

// The lowest bit that is set, 32 when none is.
static inline uint64_t sip_scan_first(uint32_t bits)
{
    return bits != 0 ? (uint64_t)__builtin_ctz(bits) : 32;
}

static inline struct sip_scan sip_scan_portable(const char from[SIP_SCAN_BYTES])
{
    uint64_t feeds = 0;
    uint32_t colons = 0;

    for (unsigned i = 0; i < SIP_SCAN_BYTES; i += 8)
        feeds |= sip_scan_eight(from + i, '\n') << i;
    for (unsigned i = 0; i < 32; i += 8)
        colons |= (uint32_t)sip_scan_eight(from + i, ':') << i;
    return (struct sip_scan){feeds, sip_scan_first(colons)};
}

// Whether `bytes` under `mask` is `word`.
static inline bool sip_scan_same_portable(const char bytes[SIP_SCAN_SAME], const uint64_t mask[4],
                                          const uint64_t word[4])
{
    uint64_t eight[4];

    memcpy(eight, bytes, sizeof(eight));
    return (((eight[0] & mask[0]) ^ word[0]) | ((eight[1] & mask[1]) ^ word[1]) |
            ((eight[2] & mask[2]) ^ word[2]) | ((eight[3] & mask[3]) ^ word[3])) == 0;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static inline uint32_t sip_scan_sixteen(const char *at, char byte)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);

    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte)));
}

__attribute__((target("sse4.2"))) static inline struct sip_scan
sip_scan_sse42(const char from[SIP_SCAN_BYTES])
{
    uint64_t feeds = 0;

    for (unsigned i = 0; i < SIP_SCAN_BYTES; i += 16)
        feeds |= (uint64_t)sip_scan_sixteen(from + i, '\n') << i;
    uint32_t colons = sip_scan_sixteen(from, ':') | sip_scan_sixteen(from + 16, ':') << 16;
    return (struct sip_scan){feeds, sip_scan_first(colons)};
}

__attribute__((target("sse4.2"))) static inline __m128i
sip_scan_differs(const char *bytes, const uint64_t *mask, const uint64_t *word)
{
    __m128i masked = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)bytes),
                                   _mm_loadu_si128((const __m128i *)(const void *)mask));

    return _mm_xor_si128(masked, _mm_loadu_si128((const __m128i *)(const void *)word));
}

__attribute__((target("sse4.2"))) static inline bool
sip_scan_same_sse42(const char bytes[SIP_SCAN_SAME], const uint64_t mask[4], const uint64_t word[4])
{
    __m128i differs =
        _mm_or_si128(sip_scan_differs(bytes, mask, word), sip_scan_differs(bytes + 16, mask + 2, word + 2));

    return _mm_testz_si128(differs, differs);
}

__attribute__((target("avx2"))) static inline uint32_t sip_scan_thirty_two(const char *at, char byte)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);

    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte)));
}

__attribute__((target("avx2,bmi"))) static inline struct sip_scan
sip_scan_avx2(const char from[SIP_SCAN_BYTES])
{
    uint64_t feeds = sip_scan_thirty_two(from, '\n') | (uint64_t)sip_scan_thirty_two(from + 32, '\n') << 32;

    return (struct sip_scan){feeds, _tzcnt_u32(sip_scan_thirty_two(from, ':'))}; // 32 for none, too
}

__attribute__((target("avx2"))) static inline bool
sip_scan_same_avx2(const char bytes[SIP_SCAN_SAME], const uint64_t mask[4], const uint64_t word[4])
{
    __m256i masked = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(const void *)bytes),
                                      _mm256_loadu_si256((const __m256i *)(const void *)mask));
    __m256i differs = _mm256_xor_si256(masked, _mm256_loadu_si256((const __m256i *)(const void *)word));

    return _mm256_testz_si256(differs, differs);
}

#endif

#endif
