#include "location/index.h"

static uint32_t fill(const struct location_index *index, struct location_bucket *bucket, unsigned i,
                     struct hash128 key, uint32_t reference)
{
    __atomic_store_n(&bucket->signatures[i], location_index_signature(key), __ATOMIC_RELAXED);
    __atomic_store_n(&bucket->records[i], reference, __ATOMIC_RELEASE);
    return location_bucket_slot(index, bucket, i);
}

uint32_t location_index_insert(const struct location_index *index, struct hash128 key, uint32_t reference,
                               uint32_t *spare)
{
    struct location_bucket *bucket = location_index_bucket(index, key);

    for (;;) {
        for (unsigned i = 0; i < LOCATION_SLOTS; i++)
            if (bucket->records[i] == 0)
                return fill(index, bucket, i, key, reference);
        if (bucket->next == 0)
            break;
        bucket = &index->buckets[bucket->next];
    }
    if (*spare == 0)
        return 0;
    uint32_t added = *spare;

    *spare = 0;
    index->buckets[added].next = 0;
    uint32_t slot = fill(index, &index->buckets[added], 0, key, reference);

    __atomic_store_n(&bucket->next, added, __ATOMIC_RELEASE);
    return slot;
}

static bool is_empty(const struct location_bucket *bucket)
{
    for (unsigned i = 0; i < LOCATION_SLOTS; i++)
        if (bucket->records[i] != 0)
            return false;
    return true;
}

uint32_t location_index_remove(const struct location_index *index, struct hash128 key, uint32_t slot)
{
    uint32_t number = (slot - 1) / LOCATION_SLOTS;
    struct location_bucket *bucket = &index->buckets[number];

    __atomic_store_n(location_index_slot(index, slot), 0, __ATOMIC_RELEASE);
    if (number < index->hashed || !is_empty(bucket))
        return 0;
    struct location_bucket *before = location_index_bucket(index, key);

    while (before->next != number)
        before = &index->buckets[before->next];
    // The bucket's own link stays: a reader in it goes on from there.
    __atomic_store_n(&before->next, bucket->next, __ATOMIC_RELEASE);
    return number;
}
