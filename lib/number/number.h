// number: the table of prefixes: telephone number -> what the longest prefix in it leads to (a group of gateways).
//
// Built by control from a CSV file, read-only afterwards, on the NUMA node asked for, swapped as a whole. Prefixes are
// digits, perhaps with a "+" in front, which counts. A prefix stands in one line of memory of six; a look-up asks for
// the lines of all lengths that the table has at once, so their misses overlap. Five lengths: about 130 to 160 cycles
// in cache, 700 to 760 with five million prefixes and every line a miss. 16 bytes a prefix.
#ifndef NUMBER_NUMBER_H
#define NUMBER_NUMBER_H

#include <stdio.h>

#include "base/memory.h"
#include "base/slice.h"

#define NUMBER_DIGITS_MAX   15 // E.164, without "+"; what is behind them does not count
#define NUMBER_PREFIXES_MAX 100000000
#define NUMBER_NONE         UINT16_MAX

struct number_table;

// Reads "PREFIX,NAME" lines, in double quotes or not; "#" begins a comment line, a first line "prefix,gateways" is a
// heading. `name_index` gives the number of a name, below NUMBER_NONE, or a negative number when there is none. Every
// fault is a line on `errors` ("FILE:LINE: …"), the first hundred of them; a prefix that stands twice is one.
// `progress` (may be NULL) is called every million lines. 0; -EINVAL after faults; of the rest nothing is written:
// -errno of the file, -EBUSY: it grew meanwhile, -EFBIG: more than NUMBER_PREFIXES_MAX lines, -ENOMEM.
int number_table_load(struct number_table **table, const char *path,
                      int (*name_index)(void *owner, struct slice name), void *owner, FILE *errors,
                      void (*progress)(void *owner, uint64_t lines), const struct memory *memory, int node);
// The same on another node, from the same memory; NULL: there is none.
struct number_table *number_table_copy(const struct number_table *table, int node);
void number_table_destroy(struct number_table *table); // NULL is allowed

// Any thread. Visual separators (RFC 3966) in the number do not count; it ends at whatever is neither those nor a
// digit. NUMBER_NONE: no prefix of it is in the table.
uint16_t number_find(const struct number_table *table, struct slice number);

uint64_t number_table_prefixes(const struct number_table *table);
uint64_t number_table_bytes(const struct number_table *table);

#endif
