// table: prefixes in buckets of one line of memory each. Internal to the room.
//
// A prefix is one word: its digits plus one from the top down, four bits each, so that the prefix of any length is a
// mask; above them whether there is a "+". A bucket that is full flows over into the next one.
#ifndef NUMBER_TABLE_H
#define NUMBER_TABLE_H

#include "number/number.h"

#define NUMBER_BUCKET 6
#define NUMBER_PLUS   ((uint64_t)1 << 60)

struct number_bucket {
    uint64_t key[NUMBER_BUCKET]; // 0: free, and so are those behind it
    uint16_t leads_to[NUMBER_BUCKET];
} __attribute__((aligned(64)));

struct number_table {
    struct memory memory;
    size_t bytes;
    uint64_t prefixes;
    uint32_t buckets_n;
    uint16_t lengths[2]; // bit per length that there is, without and with "+"
    struct number_bucket buckets[];
};

struct number_digits {
    uint64_t key;
    unsigned n;
};

// Of a number's first NUMBER_DIGITS_MAX digits. `text` becomes what is behind the last digit or separator that was
// read.
struct number_digits number_digits_take(struct slice *text);

static inline uint64_t number_prefix(uint64_t key, unsigned len)
{
    return key & ~(((uint64_t)1 << (60 - 4 * len)) - 1);
}

static inline const struct number_bucket *number_bucket_of(const struct number_table *table, uint64_t key)
{
    key ^= key >> 32; // digits stand at the top: they must reach every bit (the finalizer of MurmurHash3)
    key *= 0xff51afd7ed558ccdu;
    key ^= key >> 33;
    key *= 0xc4ceb9fe1a85ec53u;
    return &table->buckets[(uint32_t)((key >> 32) * table->buckets_n >> 32)];
}

#endif
