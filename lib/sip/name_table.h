// name_table: recognises one of a fixed list of names by one multiplication and one comparison.
//
// The private half of header.c and method.c, inline for the parser's loops. The tables are made at build time
// (names.py) from the lists in header.h and method.h. A name is compared together with the byte that ends it (":" or
// space), so no length is compared. Constant data: any thread.
#ifndef SIP_NAME_TABLE_H
#define SIP_NAME_TABLE_H

#include <stdint.h>
#include <string.h>

#include "base/slice.h"

#define SIP_NAME_BYTES 24 // room for the longest name and its end
#define SIP_NAME_ROWS  96

struct sip_name_row {
    uint64_t word[3]; // the name and its end under the mask
    uint64_t mask[3]; // per byte: 0xff exact, 0xdf a letter in any case, 0 behind the end
    uint8_t id;
    uint8_t len; // of the name
} __attribute__((aligned(64)));

struct sip_name_table {
    struct sip_name_row row[SIP_NAME_ROWS];
    uint64_t mask[32]; // by the length of a name: those of its first eight bytes that it has
    uint64_t factor;
    uint8_t slot[256];
};

extern const struct sip_name_table sip_header_names; // end ':'
extern const struct sip_name_table sip_method_names; // end ' '

static inline uint64_t sip_name_word(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

// The row of the name of `len` bytes at `name`, where SIP_NAME_BYTES can be read and name[len] is the table's end;
// NULL when it is none of the table. Row 0, where free slots lead, is equal to nothing.
static inline const struct sip_name_row *sip_name_find(const struct sip_name_table *table, const char *name,
                                                       uint64_t len)
{
    uint64_t words[3] = {sip_name_word(name), sip_name_word(name + 8), sip_name_word(name + 16)};
    // A longer name takes the wrong mask, and matches no row whatever comes of that.
    uint64_t key = ((words[0] | 0x2020202020202020) & table->mask[len & 31]) + len;
    const struct sip_name_row *row = &table->row[table->slot[(key * table->factor) >> 56]];
    uint64_t differs = ((words[0] & row->mask[0]) ^ row->word[0]) |
                       ((words[1] & row->mask[1]) ^ row->word[1]) |
                       ((words[2] & row->mask[2]) ^ row->word[2]);

    return differs == 0 ? row : NULL;
}

// The number of a name that stands anywhere, 0 when it is none of the table; reads only the name.
static inline unsigned sip_name_number(const struct sip_name_table *table, struct slice name, char end)
{
    char padded[SIP_NAME_BYTES] = {0};

    if (name.len == 0 || name.len >= SIP_NAME_BYTES)
        return 0;
    memcpy(padded, name.at, name.len);
    padded[name.len] = end;
    const struct sip_name_row *row = sip_name_find(table, padded, name.len);
    return row != NULL ? row->id : 0;
}

#endif
