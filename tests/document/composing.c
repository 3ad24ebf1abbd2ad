#include "composing.h"

#include <stdio.h>
#include <stdlib.h>

// A copy of the block, or none.
static struct document_block *read_one(struct document_reader *reader, const struct section *section)
{
    bool dialog = slice_equal(section->argument, SLICE("dialog"));
    struct document_reading reading;
    enum document_error error =
        document_read(reader, dialog ? DOCUMENT_DIALOG : DOCUMENT_PIDF, section->body, &reading);

    if (error != DOCUMENT_OK) {
        fprintf(stderr, "line %u: %s\n%.*s", reading.line, document_error_text(error),
                SLICE_PRINT(section->body));
        abort();
    }
    struct document_block *block = malloc(reading.block->bytes);
    memcpy(block, reading.block, reading.block->bytes);
    return block;
}

static void take_registered(struct document_sources *sources, struct slice argument)
{
    uint32_t space = slice_find(argument, ' ');

    sources->registered = slice_starts(argument, SLICE("open")) ? DOCUMENT_OPEN : DOCUMENT_CLOSED;
    space += space < argument.len;
    sources->contact = slice_of(argument.at + space, argument.len - space);
}

enum document_error composing_of(const struct sections *sections, unsigned from, unsigned to,
                                 struct document_block *block)
{
    struct document_reader *reader = document_reader_create(&memory_system, MEMORY_ANY_NODE, 1);
    struct document_block *blocks[SECTIONS_MAX];
    struct document_sources sources = {.blocks = (const struct document_block *const *)blocks};

    for (unsigned i = from; i < to; i++) {
        const struct section *section = &sections->section[i];
        if (slice_equal(section->name, SLICE("publication"))) {
            blocks[sources.count] = read_one(reader, section);
            sources.kind = blocks[sources.count++]->kind;
        } else if (slice_equal(section->name, SLICE("registered"))) {
            take_registered(&sources, section->argument);
        }
    }
    enum document_error error = document_compose(&sources, block, COMPOSING_ROOM);
    for (unsigned i = 0; i < sources.count; i++)
        free(blocks[i]);
    document_reader_destroy(reader);
    return error;
}
