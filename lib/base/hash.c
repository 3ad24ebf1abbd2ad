#include "base/hash.h"

#include <string.h>

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void round_once(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void rounds(uint64_t v[4], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        round_once(v);
}

// The 128-bit form of SipHash: 0xee mixed in before the first half, 0xdd before the second.
static inline __attribute__((always_inline)) struct hash128
siphash(const struct hash_key *key, const uint8_t *bytes, size_t len, unsigned c, unsigned d)
{
    uint64_t v[4] = {
        key->k0 ^ 0x736f6d6570736575u,
        key->k1 ^ 0x646f72616e646f6du ^ 0xee,
        key->k0 ^ 0x6c7967656e657261u,
        key->k1 ^ 0x7465646279746573u,
    };
    uint64_t last = (uint64_t)len << 56;
    uint64_t word;
    struct hash128 result;

    for (; len >= 8; len -= 8, bytes += 8) {
        memcpy(&word, bytes, 8);
        v[3] ^= word;
        rounds(v, c);
        v[0] ^= word;
    }
    for (size_t i = 0; i < len; i++)
        last |= (uint64_t)bytes[i] << (8 * i);
    v[3] ^= last;
    rounds(v, c);
    v[0] ^= last;

    v[2] ^= 0xee;
    rounds(v, d);
    result.low = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    rounds(v, d);
    result.high = v[0] ^ v[1] ^ v[2] ^ v[3];
    return result;
}

struct hash128 hash_sip13(const struct hash_key *key, const void *bytes, size_t len)
{
    return siphash(key, bytes, len, 1, 3);
}

struct hash128 hash_sip24(const struct hash_key *key, const void *bytes, size_t len)
{
    return siphash(key, bytes, len, 2, 4);
}
