#include "document/reader.h"

#include <stddef.h>

#include "document/parse.h"
#include "document/scan.h"

struct document_reader {
    const struct memory *memory;
    unsigned long salt;
    struct document_cut cut;
    struct document_arena arena;
    char text[DOCUMENT_BLOCK_MAX];
    _Alignas(8) char block[DOCUMENT_BLOCK_MAX];
};

struct document_reader *document_reader_create(const struct memory *memory, int node, uint64_t salt)
{
    struct document_reader *reader = memory->take(memory->owner, sizeof(*reader), node);

    if (reader == NULL)
        return NULL;
    if (!document_arena_enter(&reader->arena)) {
        memory->give(memory->owner, reader, sizeof(*reader));
        return NULL;
    }
    reader->memory = memory;
    reader->salt = (unsigned long)salt | 1; // 0 would be none
    return reader;
}

void document_reader_destroy(struct document_reader *reader)
{
    if (reader == NULL)
        return;
    document_arena_leave(&reader->arena);
    reader->memory->give(reader->memory->owner, reader, sizeof(*reader));
}

// UTF-16 and UTF-32, by their first bytes (XML 1.0 F.1), which expat would believe whatever it was told.
static bool other_encoding(struct slice bytes)
{
    if (bytes.len < 2)
        return false;
    uint8_t first = (uint8_t)bytes.at[0], second = (uint8_t)bytes.at[1];
    return first >= 0xfe || first == 0 || second == 0;
}

enum document_error document_read(struct document_reader *reader, enum document_kind kind, struct slice bytes,
                                  struct document_reading *reading)
{
    struct document_cut *cut = &reader->cut;
    struct document_block *block = (struct document_block *)reader->block;

    *reading = (struct document_reading){.block = block};
    if (bytes.len > DOCUMENT_READ_MAX)
        return DOCUMENT_TOO_LARGE;
    if (other_encoding(bytes))
        return DOCUMENT_ENCODING;
    document_cut_begin(cut, kind, reader->text, sizeof(reader->text));
    enum document_error error = DOCUMENT_OK;
    if (!document_scan(bytes, cut)) {
        document_cut_begin(cut, kind, reader->text, sizeof(reader->text));
        error = document_parse(&reader->arena, reader->salt, bytes, cut, &reading->line);
    }
    if (error == DOCUMENT_OK)
        error = document_cut_finish(cut, block, sizeof(reader->block));
    reading->entity = slice_of(cut->entity, cut->entity_len);
    return error;
}
