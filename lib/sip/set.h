// set: sets of ASCII bytes, and how far a run of one set goes.
//
// RFC 3261 25.1 is made of classes of bytes (token, user, paramchar …). Each is one row of 16 bytes here: rows[low
// nibble] has bit (high nibble) set when the byte is in the set. Bytes of 0x80 and above, and NUL, are in none, so one
// vector shuffle per nibble classes 16 bytes at once and the end of a short input needs no check of its own.
// sip_set_run() never reads outside of [at, end). Constant data, pure functions: any thread.
// Cost: about 15 instructions for a run of up to 16 bytes.
#ifndef SIP_SET_H
#define SIP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSSE3__
#include <immintrin.h>
#endif

#define SIP_SET_WIDTH 16

struct sip_set {
    uint8_t rows[SIP_SET_WIDTH];
} __attribute__((aligned(SIP_SET_WIDTH)));

// RFC 3261 25.1 unless said otherwise. The URI sets are without the "%" of an escape, which wants two digits behind
// it and is looked at where it stands (sip/uri.c).
extern const struct sip_set sip_set_token;         // alphanum and -.!%*_+`'~
extern const struct sip_set sip_set_word;          // token and ()<>:\"/[]?{}, for Call-ID
extern const struct sip_set sip_set_value;         // a parameter's value, more than token: see set.c
extern const struct sip_set sip_set_quoted;        // what stands in a quoted string for itself, of ASCII
extern const struct sip_set sip_set_host;          // alphanum and -._
extern const struct sip_set sip_set_ip6;           // hexadecimal digits, ":" and "."
extern const struct sip_set sip_set_scheme;        // alphanum and +-.
extern const struct sip_set sip_set_user;          // unreserved, &=+$,;?/ and #
extern const struct sip_set sip_set_bare_user;     // the same for a URI outside of "<>": without ,;?
extern const struct sip_set sip_set_password;      // unreserved and &=+$,
extern const struct sip_set sip_set_uri_param;     // paramchar: unreserved and []/:&+$
extern const struct sip_set sip_set_uri_params;    // paramchar and ;=, a whole list of them
extern const struct sip_set sip_set_uri_header;    // hname, hvalue: unreserved and []/?:+$
extern const struct sip_set sip_set_uri_headers;   // the same and &=
extern const struct sip_set sip_set_absolute;      // an absoluteURI: what is visible, without <>"
extern const struct sip_set sip_set_bare_absolute; // the same outside of "<>": without ,;?
extern const struct sip_set sip_set_phone;         // RFC 3966 3: phonedigit
extern const struct sip_set sip_set_phone_local;   // RFC 3966 3: phonedigit-hex

static inline bool sip_set_has(const struct sip_set *set, char byte)
{
    unsigned c = (unsigned char)byte;

    return c < 0x80 && (set->rows[c & 15] >> (c >> 4) & 1);
}

#ifdef __SSSE3__

// The `n` bytes at `at` (fewer than 16), the rest zero, with loads that overlap instead of going past the end.
static inline __m128i sip_set_tail(const char *at, size_t n)
{
    uint64_t low = 0, high = 0;
    uint32_t first, last;

    if (n >= 8) {
        memcpy(&low, at, 8);
        memcpy(&high, at + n - 8, 8);
        high = high >> 1 >> (127 - 8 * n); // n == 8 leaves nothing
    } else if (n >= 4) {
        memcpy(&first, at, 4);
        memcpy(&last, at + n - 4, 4);
        low = first | (uint64_t)last << (8 * (n - 4));
    } else if (n > 0) {
        low = (uint64_t)(uint8_t)at[0] | (uint64_t)(uint8_t)at[n / 2] << (8 * (n / 2)) |
              (uint64_t)(uint8_t)at[n - 1] << (8 * (n - 1));
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

// One bit per byte of `bytes` that is not in the set.
static inline unsigned sip_set_stops(const struct sip_set *set, __m128i bytes)
{
    const __m128i bits = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
    __m128i rows = _mm_load_si128((const __m128i *)(const void *)set->rows);
    __m128i low = _mm_shuffle_epi8(rows, bytes); // gives 0 for bytes of 0x80 and above
    __m128i high = _mm_shuffle_epi8(bits, _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15)));

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128()));
}

// The first byte of [at, end) that is not in the set, or `end`.
static inline const char *sip_set_run(const struct sip_set *set, const char *at, const char *end)
{
    for (;;) {
        size_t left = (size_t)(end - at);
        __m128i bytes = left >= SIP_SET_WIDTH ? _mm_loadu_si128((const __m128i *)(const void *)at)
                                              : sip_set_tail(at, left);
        unsigned stops = sip_set_stops(set, bytes);
        if (stops != 0)
            return at + __builtin_ctz(stops);
        at += SIP_SET_WIDTH;
    }
}

static inline uint64_t sip_set_stops_16(const struct sip_set *set, const char *at)
{
    return sip_set_stops(set, _mm_loadu_si128((const __m128i *)(const void *)at));
}

#ifdef __AVX2__

static inline uint64_t sip_set_stops_32(const struct sip_set *set, const char *at)
{
    const __m256i bits =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i rows = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(const void *)set->rows));
    __m256i low = _mm256_shuffle_epi8(rows, bytes);
    __m256i nibble = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    __m256i members = _mm256_and_si256(low, _mm256_shuffle_epi8(bits, nibble));

    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(members, _mm256_setzero_si256()));
}

#else

static inline uint64_t sip_set_stops_32(const struct sip_set *set, const char *at)
{
    return sip_set_stops_16(set, at) | sip_set_stops_16(set, at + 16) << 16;
}

#endif

// A header field's value is short and has many runs: this looks at 64 bytes of it once and answers for all runs in
// them. It behaves as sip_set_run() does.
struct sip_window {
    const struct sip_set *set;
    const char *from;
    const char *end;
    uint64_t
        stops; // bit i: from[i] is not in the set, or is not there; no bit says nothing behind the last one
};

static inline uint64_t sip_window_stops(const struct sip_set *set, const char *from, const char *end)
{
    size_t left = (size_t)(end - from);

    // A second load ends where the input ends, over what the first has seen, instead of going past it.
    if (left >= 64)
        return sip_set_stops_32(set, from) | sip_set_stops_32(set, from + 32) << 32;
    if (left >= 32)
        return sip_set_stops_32(set, from) | sip_set_stops_32(set, from + left - 32) << (left - 32) |
               ~0ull << left;
    if (left >= 16)
        return sip_set_stops_16(set, from) | sip_set_stops_16(set, from + left - 16) << (left - 16) |
               ~0ull << left;
    return sip_set_stops(set, sip_set_tail(from, left)) | ~0ull << left;
}

// The same out of line and by value, for the move that mostly does not happen: so the window stays in registers.
uint64_t sip_window_stops_far(const struct sip_set *set, const char *from, const char *end);

static inline struct sip_window sip_window_over(const struct sip_set *set, const char *at, const char *end)
{
    return (struct sip_window){set, at, end, sip_window_stops(set, at, end)};
}

// The first byte at or behind `at` that is not in the set, or the end. The window goes along: its first bit is that
// byte's then, so that a step from one stop to the next is a shift by what the compiler knows.
static inline const char *sip_window_stop(struct sip_window *window, const char *at)
{
    size_t off = (size_t)(at - window->from);
    uint64_t stops = off < 64 ? window->stops >> off : 0;

    while (__builtin_expect(stops == 0, 0)) {
        stops = sip_window_stops_far(window->set, at, window->end);
        at += stops == 0 ? 64 : 0;
    }
    unsigned n = (unsigned)__builtin_ctzll(stops);
    window->from = at + n;
    window->stops = stops >> n;
    return window->from;
}

#else

static inline const char *sip_set_run(const struct sip_set *set, const char *at, const char *end)
{
    while (at < end && sip_set_has(set, *at))
        at++;
    return at;
}

struct sip_window {
    const struct sip_set *set;
    const char *end;
};

static inline struct sip_window sip_window_over(const struct sip_set *set, const char *at, const char *end)
{
    (void)at;
    return (struct sip_window){set, end};
}

static inline const char *sip_window_stop(struct sip_window *window, const char *at)
{
    return sip_set_run(window->set, at, window->end);
}

#endif

#endif
