// Any bytes as a publication. What the scanner takes expat takes too, and both tell the same; what is read is a block
// that holds, and the document written of it is read back as the same one.
#include "../sip/fuzz.h"
#include "document/compose.h"
#include "document/parse.h"
#include "document/reader.h"
#include "document/scan.h"
#include "document/summary.h"

#define ROOM (1 << 18)

static struct document_reader *reader;
static struct document_arena *arena;
static struct document_cut scanned, parsed;
static char scanned_text[DOCUMENT_BLOCK_MAX], parsed_text[DOCUMENT_BLOCK_MAX], written[ROOM];
static _Alignas(8) char scanned_block[DOCUMENT_BLOCK_MAX], parsed_block[DOCUMENT_BLOCK_MAX];
static _Alignas(8) char composed[ROOM], again[ROOM], patched[ROOM];

static void prepare(void)
{
    reader = document_reader_create(&memory_system, MEMORY_ANY_NODE, 1);
    arena = malloc(sizeof(*arena));
    FUZZ_CHECK(reader != NULL && arena != NULL && document_arena_enter(arena));
}

static void check_scan(enum document_kind kind, struct slice input)
{
    struct document_block *one = (struct document_block *)scanned_block,
                          *other = (struct document_block *)parsed_block;
    uint32_t line;

    document_cut_begin(&scanned, kind, scanned_text, sizeof(scanned_text));
    if (!document_scan(input, &scanned))
        return;
    document_cut_begin(&parsed, kind, parsed_text, sizeof(parsed_text));
    FUZZ_CHECK(document_parse(arena, 1, input, &parsed, &line) == DOCUMENT_OK);
    enum document_error error = document_cut_finish(&scanned, one, sizeof(scanned_block));
    FUZZ_CHECK(document_cut_finish(&parsed, other, sizeof(parsed_block)) == error);
    if (error != DOCUMENT_OK)
        return;
    FUZZ_CHECK(one->bytes == other->bytes && memcmp(one, other, one->bytes) == 0);
    FUZZ_CHECK(slice_equal(slice_of(scanned.entity, scanned.entity_len),
                           slice_of(parsed.entity, parsed.entity_len)));
}

static struct slice write_one(const struct document_block *block, struct slice entity)
{
    struct document_text text = document_text_over(written, sizeof(written));

    if (block->kind == DOCUMENT_DIALOG)
        FUZZ_CHECK(document_dialog_write(block, entity, 1, &text) == DOCUMENT_OK);
    else
        FUZZ_CHECK(document_pidf_write(block, entity, &text) == DOCUMENT_OK);
    return slice_of(text.at, text.len);
}

static void check_patch(const struct document_block *block, struct slice entity)
{
    const struct document_block none = {.bytes = sizeof(none), .kind = DOCUMENT_PIDF};
    struct document_text text = document_text_over(patched, sizeof(patched));

    if (block->kind != DOCUMENT_PIDF)
        return;
    FUZZ_CHECK(document_pidf_diff_write(block, &none, entity, 2, &text) == DOCUMENT_OK);
    FUZZ_CHECK(document_pidf_diff_write(&none, block, entity, 2, &text) == DOCUMENT_OK);
    text.len = 0;
    FUZZ_CHECK(document_pidf_diff_write(block, block, entity, 2, &text) == DOCUMENT_OK);
}

// A document of our own is its own canonical form. It declares what it uses where it uses it, which may be too often to
// be read.
static void check_again(const struct document_block *block, struct slice text)
{
    const struct document_block *const blocks[] = {(struct document_block *)again};
    struct document_sources sources = {block->kind, blocks, 1, DOCUMENT_UNSAID, SLICE("")};
    struct document_reading reading;
    enum document_error error = document_read(reader, block->kind, text, &reading);

    FUZZ_CHECK(error == DOCUMENT_OK || error == DOCUMENT_TOO_LARGE);
    if (error != DOCUMENT_OK)
        return;
    FUZZ_CHECK(document_block_check(reading.block, reading.block->bytes, block->kind));
    memcpy(again, reading.block, reading.block->bytes);
    FUZZ_CHECK(document_compose(&sources, (struct document_block *)patched, sizeof(patched)) == DOCUMENT_OK);
    const struct document_block *other = (struct document_block *)patched;
    FUZZ_CHECK(other->bytes == block->bytes &&
               memcmp(other->piece, block->piece, block->bytes - sizeof(*block)) == 0);
}

// Two devices that publish the same make one document, whatever their ids (RFC 3863 4.1.2).
static void check_twice(const struct document_block *one, struct slice entity)
{
    const struct document_block *const blocks[] = {one, one, one};
    struct document_sources sources = {one->kind, blocks, 3, DOCUMENT_OPEN, SLICE("sip:a@b;x=<&>\"")};
    struct document_block *block = (struct document_block *)composed;
    struct document_reading reading;

    if (document_compose(&sources, block, sizeof(composed)) != DOCUMENT_OK)
        return;
    FUZZ_CHECK(document_block_check(block, block->bytes, one->kind));
    check_patch(block, entity);
    enum document_error error = document_read(reader, one->kind, write_one(block, entity), &reading);
    FUZZ_CHECK(error == DOCUMENT_OK || error == DOCUMENT_TOO_LARGE);
    FUZZ_CHECK(error != DOCUMENT_OK || reading.block->pieces == block->pieces);
}

static void check_kind(enum document_kind kind, struct slice input)
{
    const struct document_block *const blocks[] = {(struct document_block *)again};
    struct document_sources sources = {kind, blocks, 1, DOCUMENT_UNSAID, SLICE("")};
    struct document_block *block = (struct document_block *)composed;
    struct document_reading reading;
    char entity[DOCUMENT_ENTITY_MAX];

    check_scan(kind, input);
    if (document_read(reader, kind, input, &reading) != DOCUMENT_OK)
        return;
    FUZZ_CHECK(document_block_check(reading.block, reading.block->bytes, kind));
    FUZZ_CHECK(reading.entity.len > 0 && reading.entity.len <= sizeof(entity));
    memcpy(again, reading.block, reading.block->bytes);
    memcpy(entity, reading.entity.at, reading.entity.len);
    FUZZ_CHECK(document_compose(&sources, block, sizeof(composed)) == DOCUMENT_OK);
    FUZZ_CHECK(document_block_check(block, block->bytes, kind));
    check_patch(block, slice_of(entity, reading.entity.len));
    check_twice((struct document_block *)again, slice_of(entity, reading.entity.len));
    FUZZ_CHECK(document_compose(&sources, block, sizeof(composed)) == DOCUMENT_OK);
    check_again(block, write_one(block, slice_of(entity, reading.entity.len)));
}

// The other bodies that are published: lines, which are passed on as they are read.
static void check_summary(struct slice input)
{
    struct document_text text = document_text_over(written, DOCUMENT_SUMMARY_ROOM);
    struct document_text second = document_text_over(patched, sizeof(patched));
    struct document_summary summary, other;

    if (document_summary_read(input, &summary, &text) != DOCUMENT_OK)
        return;
    FUZZ_CHECK(fuzz_inside(input, summary.account));
    enum document_error error = document_summary_read(slice_of(text.at, text.len), &other, &second);
    FUZZ_CHECK(error == DOCUMENT_OK || (error == DOCUMENT_TOO_LARGE && text.len > DOCUMENT_SUMMARY_MAX));
    FUZZ_CHECK(error != DOCUMENT_OK ||
               slice_equal(slice_of(text.at, text.len), slice_of(second.at, second.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice input = slice_of((const char *)bytes, len);

    if (reader == NULL)
        prepare();
    check_kind(DOCUMENT_PIDF, input);
    check_kind(DOCUMENT_DIALOG, input);
    check_summary(input);
    return 0;
}
