// index: 128-bit key -> record, for one writer and many lock-free readers.
//
// Buckets of one cache line: ten 16-bit signatures, ten record references, a link. At the configured bound four keys
// fall into a bucket on average; a full bucket is chained to overflow buckets, one for eight buckets, which a keyed
// hash cannot be made to need (in steady churn at the bound about one in fifty is in use).
// A key keeps its slot as long as it is there, so a slot has one number (1 up) by which the wheel knows it, and a
// reader never misses a key that stays. A slot is published by one store of its reference, after its signature; a
// reader that sees the one without the other finds a key that differs. An overflow bucket that runs empty is
// unchained, and comes back after the readers' grace period.
#ifndef LOCATION_INDEX_H
#define LOCATION_INDEX_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/arena.h"
#include "location/set.h"

#define LOCATION_SLOTS 10 // in a bucket
#define LOCATION_LOAD  4  // keys in a bucket at the bound

struct location_bucket {
    uint16_t signatures[LOCATION_SLOTS];
    uint32_t records[LOCATION_SLOTS]; // references; 0: slot is free
    uint32_t next;                    // overflow bucket, 0: none (bucket 0 is none of them)
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct location_bucket) == 64, "a bucket is a cache line");

// Never changed after start.
struct location_index {
    struct location_bucket *buckets; // `hashed` that keys fall into, then the overflow buckets
    const char *records;
    uint32_t hashed, all;
};

static inline struct location_bucket *location_index_bucket(const struct location_index *index,
                                                            struct hash128 key)
{
    // Multiply and shift: any number of buckets. Owner, bucket and signature use different bits of the key.
    return &index->buckets[(uint64_t)(uint32_t)key.low * index->hashed >> 32];
}

static inline uint16_t location_index_signature(struct hash128 key)
{
    return (uint16_t)(key.low >> 48);
}

// One bit for each slot of the bucket that has the signature, free slots included.
static inline unsigned location_bucket_match(const struct location_bucket *bucket, uint16_t signature)
{
#ifdef __SSE2__
    const __m128i *at = (const __m128i *)bucket; // the second load reaches into the references: masked off
    __m128i wanted = _mm_set1_epi16((short)signature);
    __m128i low = _mm_cmpeq_epi16(_mm_load_si128(at), wanted);
    __m128i high = _mm_cmpeq_epi16(_mm_load_si128(at + 1), wanted);

    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & ((1u << LOCATION_SLOTS) - 1);
#else
    unsigned match = 0;

    for (unsigned i = 0; i < LOCATION_SLOTS; i++)
        match |= (unsigned)(__atomic_load_n(&bucket->signatures[i], __ATOMIC_RELAXED) == signature) << i;
    return match;
#endif
}

static inline uint32_t location_bucket_slot(const struct location_index *index,
                                            const struct location_bucket *bucket, unsigned i)
{
    return (uint32_t)(bucket - index->buckets) * LOCATION_SLOTS + i + 1;
}

static inline uint32_t location_bucket_record(const struct location_bucket *bucket, unsigned i)
{
    return __atomic_load_n(&bucket->records[i], __ATOMIC_ACQUIRE);
}

static inline struct location_set *location_index_set(const struct location_index *index, uint32_t reference)
{
    return arena_at(index->records, reference);
}

// Any reader. The record and its slot's number, or NULL.
static inline struct location_set *location_index_find(const struct location_index *index, struct hash128 key,
                                                       uint32_t *slot)
{
    const struct location_bucket *bucket = location_index_bucket(index, key);
    uint16_t signature = location_index_signature(key);

    for (;;) {
        for (unsigned match = location_bucket_match(bucket, signature); match != 0; match &= match - 1) {
            unsigned i = (unsigned)__builtin_ctz(match);
            uint32_t reference = location_bucket_record(bucket, i);

            if (reference == 0)
                continue;
            struct location_set *set = location_index_set(index, reference);

            if (hash128_equal(set->key, key)) {
                *slot = location_bucket_slot(index, bucket, i);
                return set;
            }
        }
        uint32_t next = __atomic_load_n(&bucket->next, __ATOMIC_ACQUIRE);

        if (next == 0)
            return NULL;
        bucket = &index->buckets[next];
    }
}

// The rest is the owner worker's alone.

// The reference in a slot.
static inline uint32_t *location_index_slot(const struct location_index *index, uint32_t slot)
{
    return &index->buckets[(slot - 1) / LOCATION_SLOTS].records[(slot - 1) % LOCATION_SLOTS];
}

// Puts another record of the same key in.
static inline void location_index_replace(const struct location_index *index, uint32_t slot,
                                          uint32_t reference)
{
    __atomic_store_n(location_index_slot(index, slot), reference, __ATOMIC_RELEASE);
}

// Publishes the record of a key that is not there. `spare` is a free overflow bucket or 0; it is set to 0 when it
// was used. Returns the slot, or 0 when there is none.
uint32_t location_index_insert(const struct location_index *index, struct hash128 key, uint32_t reference,
                               uint32_t *spare);

// Frees the slot of `key`. Returns the overflow bucket that was unchained for it, or 0: readers may still be in it.
uint32_t location_index_remove(const struct location_index *index, struct hash128 key, uint32_t slot);

#endif
