// hash: keyed hashing that an attacker cannot steer.
//
// SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) with 128 bits of result. Tables use the
// 1-3 form (one compression round, three final ones); the 2-4 form is there for the published test vectors and for
// values that leave the box. Cost of 1-3: about 1.5 cycles per byte and 40 to start and end. Pure: any thread.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1; // drawn from the kernel at start, or kept from an earlier one
};

struct hash128 {
    uint64_t low, high;
};

static inline bool hash128_equal(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

struct hash128 hash_sip13(const struct hash_key *key, const void *bytes, size_t len);
struct hash128 hash_sip24(const struct hash_key *key, const void *bytes, size_t len);

#endif
