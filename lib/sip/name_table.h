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
#include "sip/scan.h"

#define SIP_NAME_BYTES SIP_SCAN_SAME // 32, room for the longest name and its end
#define SIP_NAME_SHORT 16            // two words, and the end has to be in them
#define SIP_NAME_ROWS  96

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "names are compared, and lines written, in words");

struct sip_name_row {
    uint64_t word[4]; // the name and its end under the mask
    uint64_t mask[4]; // per byte: 0xff exact, 0xdf a letter in any case, 0 behind the end
    uint64_t
        line; // for head.c: a struct sip_line of the name, as far as it is always the same; top byte: the id
} __attribute__((aligned(64)));

struct sip_name_table {
    struct sip_name_row row[SIP_NAME_ROWS];
    uint64_t mask[SIP_NAME_BYTES +
                  1]; // by the length of a name: those of its first eight bytes, without their case
    uint64_t factor;
    uint8_t slot[256];
};

extern const struct sip_name_table sip_header_names; // end ':'
extern const struct sip_name_table sip_method_names; // end ' '

static inline uint64_t sip_name_word(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

// The only row that the name of `len` bytes at `name` can be, if it is one of the table; SIP_NAME_BYTES can be read,
// and `len` is no more. It is, if name[len] is the table's end and the bytes under the row's mask are its word
// (sip_scan_same_…).
static inline const struct sip_name_row *sip_name_guess(const struct sip_name_table *table, const char *name,
                                                        uint64_t len)
{
    uint64_t key = (sip_name_word(name) & table->mask[len]) + len;

    return &table->row[table->slot[(key * table->factor) >> 56]];
}

// The number of the name, 0 when it is none of the table.
static inline uint8_t sip_name_find(const struct sip_name_table *table, const char *name, uint64_t len)
{
    const struct sip_name_row *row = sip_name_guess(table, name, len < SIP_NAME_BYTES ? len : SIP_NAME_BYTES);

    return sip_scan_same_portable(name, row->mask, row->word) ? (uint8_t)(row->line >> 56) : 0;
}

// The same for a name of fewer than SIP_NAME_SHORT bytes that has been loaded: `word` are its bytes and the table's
// end behind them; what follows does not count.
static inline uint8_t sip_name_find_short(const struct sip_name_table *table, const uint64_t word[2],
                                          uint64_t len)
{
    uint64_t key = (word[0] & table->mask[len]) + len;
    const struct sip_name_row *row = &table->row[table->slot[(key * table->factor) >> 56]];
    // A row whose mask reaches further is a longer name's.
    uint64_t differs =
        ((word[0] & row->mask[0]) ^ row->word[0]) | ((word[1] & row->mask[1]) ^ row->word[1]) | row->mask[2];

    return differs == 0 ? (uint8_t)(row->line >> 56) : 0;
}

// The same for a name that stands anywhere; reads only the name.
static inline uint8_t sip_name_number(const struct sip_name_table *table, struct slice name, char end)
{
    char padded[SIP_NAME_BYTES] = {0};

    if (name.len == 0 || name.len >= SIP_NAME_BYTES)
        return 0;
    if (name.len < 8) {
        uint64_t word[2] = {slice_word(name.at, name.len) | (uint64_t)(uint8_t)end << (8 * name.len), 0};
        return sip_name_find_short(table, word, name.len);
    }
    if (name.len < SIP_NAME_SHORT) {
        uint32_t over = name.len - 8;                                            // bytes in the second word
        uint64_t second = sip_name_word(name.at + over) >> (63 - 8 * over) >> 1; // no byte leaves nothing
        uint64_t word[2] = {sip_name_word(name.at), second | (uint64_t)(uint8_t)end << (8 * over)};
        return sip_name_find_short(table, word, name.len);
    }
    memcpy(padded, name.at, name.len);
    padded[name.len] = end;
    return sip_name_find(table, padded, name.len);
}

#endif
