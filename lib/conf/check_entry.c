// What checks look at: keys by their fields, entries by their keys.
#include "conf/check.h"

const struct conf_key *conf_key_of(enum conf_section_kind kind, size_t offset)
{
    const struct conf_key *key = conf_sections[kind].keys;

    while (key->offset != offset)
        key++;
    return key;
}

const struct conf_entry *conf_entry_of(const struct conf_block *block, const struct conf_key *key)
{
    return &block->entries[key - block->section->keys];
}

bool conf_block_faulty(const struct conf_block *block)
{
    bool faulty = block->faulty;

    for (unsigned i = 0; i < block->section->keys_n; i++)
        faulty |= block->entries[i].faulty;
    return faulty;
}
