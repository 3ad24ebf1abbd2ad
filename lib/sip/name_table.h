// name_table: recognises one of a fixed list of names by one multiplication and one comparison.
//
// The private half of header.c and method.c, inline for the parser's loop. The tables are made at build time
// (names.py) from the lists in header.h and method.h. Constant data: any thread.
#ifndef SIP_NAME_TABLE_H
#define SIP_NAME_TABLE_H

#include <stdint.h>
#include <string.h>

#include "base/slice.h"

#define SIP_NAME_MAX  24 // bytes of the longest name that the tables can hold
#define SIP_NAME_ROWS 96

struct sip_name_row {
    uint64_t word[3]; // the name under its mask
    uint64_t mask[3]; // per byte: 0xff exact, 0xdf a letter in any case, 0 behind the name
    uint8_t len;      // 0: matches nothing
    uint8_t id;
};

struct sip_name_table {
    uint64_t factor;
    uint8_t slot[256];
    struct sip_name_row row[SIP_NAME_ROWS];
};

// The first SIP_NAME_MAX bytes from a name's beginning.
struct sip_name {
    uint64_t word[3];
};

static inline uint64_t sip_name_little(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

static inline struct sip_name sip_name_pack(const char bytes[SIP_NAME_MAX])
{
    struct sip_name name;

    memcpy(&name, bytes, sizeof(name));
    for (unsigned i = 0; i < 3; i++)
        name.word[i] = sip_name_little(name.word[i]);
    return name;
}

// As sip_name_pack, but reads only `len` bytes.
static inline struct sip_name sip_name_copy(const char *bytes, uint32_t len)
{
    char padded[SIP_NAME_MAX] = {0};

    if (len > 0)
        memcpy(padded, bytes, len < SIP_NAME_MAX ? len : SIP_NAME_MAX);
    return sip_name_pack(padded);
}

// The number of the name that is the first `len` bytes, or 0.
static inline uint8_t sip_name_find(const struct sip_name_table *table, struct sip_name name, uint32_t len)
{
    uint64_t mask = len < 8 ? (1ull << (8 * len)) - 1 : ~0ull;
    uint64_t key = ((name.word[0] | 0x2020202020202020) & mask) ^ ((uint64_t)len << 56);
    const struct sip_name_row *row = &table->row[table->slot[(key * table->factor) >> 56]];
    uint64_t differs = 0;

    for (unsigned i = 0; i < 3; i++)
        differs |= (name.word[i] & row->mask[i]) ^ row->word[i];
    return differs == 0 && row->len == len ? row->id : 0;
}

#endif
