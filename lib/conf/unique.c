#include <stdlib.h>

#include "conf/check.h"

// One value of a key that must be unique.
struct claim {
    const struct conf_block *block;
    unsigned line;
    char text[CONF_VALUE_MAX];
};

static int claim_compare(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static unsigned claims_collect(const struct conf_reader *reader, const struct conf *conf,
                               const struct conf_section *section, unsigned key, struct claim *claims)
{
    unsigned n = 0;

    for (const struct conf_block *block = reader->tree->first; block != NULL; block = block->next) {
        const struct conf_entry *entry = &block->entries[key];
        if (block->section != section || entry->faulty)
            continue;
        const void *base = conf_section_at(section, conf, block->index);
        unsigned count = conf_value_count(&section->keys[key], base);
        for (unsigned i = 0; i < count; i++, n++) {
            if (claims == NULL)
                continue;
            claims[n].block = block;
            claims[n].line = entry->line != 0 ? entry->line : block->line;
            conf_value_text(&section->keys[key], conf, base, i, claims[n].text);
        }
    }
    return n;
}

void conf_check_unique(const struct conf_reader *reader, const struct conf *conf,
                       const struct conf_section *section, unsigned key)
{
    struct conf_arena scratch = {0};
    unsigned n = claims_collect(reader, conf, section, key, NULL);
    struct claim *claims = conf_arena_take(&scratch, n * sizeof(*claims));

    if (claims == NULL) {
        reader->arena->failed = true;
        return;
    }
    claims_collect(reader, conf, section, key, claims);
    qsort(claims, n, sizeof(*claims), claim_compare);
    for (unsigned i = 1, first = 0; i < n; i++) {
        char title[CONF_TITLE_MAX];
        if (strcmp(claims[i].text, claims[first].text) != 0) {
            first = i;
            continue;
        }
        conf_fault(reader->faults, claims[i].line, NULL, "%s = %s is taken by %s on line %u already",
                   section->keys[key].name, claims[i].text,
                   conf_block_title(section, claims[first].block->name, title), claims[first].line);
    }
    conf_arena_free(&scratch);
}
