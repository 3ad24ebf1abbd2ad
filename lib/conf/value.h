// value: between the text of a value and its field, by the type that the schema gives it.
//
// Fields are reached through conf_key's offsets from `base`: struct conf itself, or one element of its arrays.
// Reading: control thread. Printing: any thread that may read the configuration.
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/conf.h"
#include "conf/tree.h"

// Room for any single value as text, with NUL.
#define CONF_VALUE_MAX (CONF_TEXT_MAX + 1)

struct conf_reader {
    const struct conf_tree *tree; // the sections that references may name
    struct conf_arena *arena;     // what fields point to
    struct conf_faults *faults;
};

// Reads an entry into its field. A fault is noted, the field stays or is unset, and false returned; so it is, without
// a fault, where memory fails (arena->failed).
bool conf_value_read(const struct conf_reader *reader, const struct conf_key *key,
                     const struct conf_entry *entry, void *base);

// Bytes of one element of a list.
size_t conf_value_size(const struct conf_key *key);

// Whether a list's field is its array, instead of a pointer to it.
bool conf_value_in_place(const struct conf_key *key);

// How many values the field has: of a list, its elements; else 1, or 0 where an optional field is unset.
unsigned conf_value_count(const struct conf_key *key, const void *base);

// The i-th of them as the INI would say it.
void conf_value_text(const struct conf_key *key, const struct conf *conf, const void *base, unsigned i,
                     char text[CONF_VALUE_MAX]);

// The value of a number or choice, in its unit.
uint64_t conf_value_number(const struct conf_key *key, const void *base);

// The i-th element of a repeatable section's array, and how many there are (1 for a section that is not repeatable:
// struct conf itself).
const void *conf_section_at(const struct conf_section *section, const struct conf *conf, unsigned i);
unsigned conf_section_count(const struct conf_section *section, const struct conf *conf);

// NAME of an element; "" where the section is not repeatable.
const char *conf_section_name(const struct conf_section *section, const void *base);

#endif
