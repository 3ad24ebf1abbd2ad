// Publications in, document out: each case is a file, and what comes out holds by the RFC's schema.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "composing.h"
#include "document/reginfo.h"
#include "document/rlmi.h"
#include "document/winfo.h"
#include "schema.h"

#define CASES_MAX 64

static _Alignas(8) char memory[COMPOSING_ROOM], written[2 * COMPOSING_ROOM], wanted[2 * COMPOSING_ROOM];

// As it is written: a case may be broken into lines between tags.
static struct slice on_one_line(struct slice body)
{
    uint32_t len = 0;

    while (body.len > 0) {
        uint32_t end = slice_find(body, '\n');
        struct slice line = slice_trim(slice_of(body.at, end));
        memcpy(wanted + len, line.at, line.len);
        len += line.len;
        end += end < body.len;
        body = slice_of(body.at + end, body.len - end);
    }
    return slice_of(wanted, len);
}

static struct slice without_frame(struct slice text)
{
    uint32_t first = slice_find(text, '\n') + 1;

    return slice_of(text.at + first, text.len - first - 1);
}

static bool runs(const char *path)
{
    static struct sections sections;
    struct document_block *block = (struct document_block *)memory;
    struct document_text text = document_text_over(written, sizeof(written));
    struct slice entity = SLICE("sip:alice@example.com");

    assert_true(sections_load(&sections, path));
    const struct section *last = &sections.section[sections.count - 1];
    assert_true(slice_equal(last->name, SLICE("expect")));
    assert_int_equal(composing_of(&sections, 0, sections.count - 1, block), DOCUMENT_OK);
    assert_true(document_block_check(block, block->bytes, block->kind));
    if (block->kind == DOCUMENT_DIALOG)
        assert_int_equal(document_dialog_write(block, entity, 7, &text), DOCUMENT_OK);
    else
        assert_int_equal(document_pidf_write(block, entity, &text), DOCUMENT_OK);
    struct slice all = slice_of(text.at, text.len), got = without_frame(all), want = on_one_line(last->body);
    if (!slice_equal(got, want)) {
        fprintf(stderr, "%s\n  got  %.*s\n  want %.*s\n", path, SLICE_PRINT(got), SLICE_PRINT(want));
        return false;
    }
    return schema_holds(all, block->kind == DOCUMENT_DIALOG ? "dialog-info" : "presence");
}

static void test_publications_become_the_document_of_their_case(void **state)
{
    static char paths[CASES_MAX][512];
    unsigned count = sections_list(CASES_DIRECTORY, paths, CASES_MAX), bad = 0;

    (void)state;
    assert_true(count > 10);
    for (unsigned i = 0; i < count; i++)
        bad += !runs(paths[i]);
    assert_int_equal(bad, 0);
}

// As many pieces as a document may have, of as many publications as that takes.
static void test_too_many_pieces_are_refused(void **state)
{
    static char publication[DOCUMENT_READ_MAX];
    struct document_reader *reader = document_reader_create(&memory_system, MEMORY_ANY_NODE, 1);
    struct document_text text = document_text_over(publication, sizeof(publication));
    const struct document_block *blocks[3];
    struct document_sources sources = {.blocks = blocks};
    struct document_reading reading;

    (void)state;
    text.len +=
        (uint32_t)sprintf(publication, "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'>");
    for (unsigned i = 0; i < DOCUMENT_PIECES_MAX; i++)
        text.len += (uint32_t)sprintf(publication + text.len, "<tuple id='t%u'><status/></tuple>", i);
    text.len += (uint32_t)sprintf(publication + text.len, "</presence>");
    assert_int_equal(document_read(reader, DOCUMENT_PIDF, slice_of(text.at, text.len), &reading),
                     DOCUMENT_OK);
    for (unsigned i = 0; i < 3; i++)
        blocks[i] = reading.block;
    sources.count = 2;
    assert_int_equal(document_compose(&sources, (struct document_block *)memory, sizeof(memory)),
                     DOCUMENT_OK);
    assert_int_equal(((struct document_block *)memory)->pieces, DOCUMENT_COMPOSED_MAX);
    sources.count = 3;
    assert_int_equal(document_compose(&sources, (struct document_block *)memory, sizeof(memory)),
                     DOCUMENT_TOO_LARGE);
    document_reader_destroy(reader);
}

static void test_too_little_room_is_said_at_every_length(void **state)
{
    struct document_sources sources = {.registered = DOCUMENT_OPEN,
                                       .contact = SLICE("sip:alice@example.com;x=<&>")};
    struct document_block *block = (struct document_block *)memory;
    struct document_text text = document_text_over(written, sizeof(written));

    (void)state;
    assert_int_equal(document_compose(&sources, block, sizeof(memory)), DOCUMENT_OK);
    uint32_t bytes = block->bytes;
    assert_int_equal(document_pidf_write(block, SLICE("sip:alice@example.com"), &text), DOCUMENT_OK);
    for (uint32_t room = 0; room < text.len; room++) {
        char *small = malloc(room + 1); // the sanitizer stands behind its end
        struct document_text little = document_text_over(small, room);
        assert_int_equal(document_pidf_write(block, SLICE("sip:alice@example.com"), &little),
                         DOCUMENT_TOO_LARGE);
        free(small);
    }
    for (uint32_t room = 0; room < bytes; room++) {
        struct document_block *small = malloc(room + 1);
        assert_int_equal(document_compose(&sources, small, room), DOCUMENT_TOO_LARGE);
        free(small);
    }
}

static uint32_t version_at(struct slice text)
{
    const char *at = memmem(text.at, text.len, " version=\"0\"", 12);

    assert_non_null(at);
    return (uint32_t)(at - text.at);
}

// However many namespaces it declares and however long the entity is.
static void test_the_version_stands_in_the_first_bytes(void **state)
{
    static char entity[400];
    struct document_block block = {.bytes = sizeof(block), .namespaces = UINT32_MAX};
    struct document_text text = document_text_over(written, sizeof(written));
    uint32_t last = DOCUMENT_VERSION_SEEN - 12;

    (void)state;
    memset(entity, 'a', sizeof(entity));
    assert_int_equal(document_pidf_full_write(&block, slice_of(entity, sizeof(entity)), 0, &text),
                     DOCUMENT_OK);
    assert_in_range(version_at(slice_of(text.at, text.len)), 1, last);
    text.len = 0;
    assert_int_equal(document_pidf_diff_write(&block, &block, slice_of(entity, sizeof(entity)), 0, &text),
                     DOCUMENT_OK);
    assert_in_range(version_at(slice_of(text.at, text.len)), 1, last);
    text.len = 0;
    assert_int_equal(document_dialog_write(&block, slice_of(entity, sizeof(entity)), 0, &text), DOCUMENT_OK);
    assert_in_range(version_at(slice_of(text.at, text.len)), 1, last);
    text.len = 0;
    document_rlmi_begin(&text, slice_of(entity, sizeof(entity)), 0, true, SLICE(""));
    assert_in_range(version_at(slice_of(text.at, text.len)), 1, last);
    text.len = 0;
    document_winfo_begin(&text, 0, true, slice_of(entity, sizeof(entity)), SLICE("presence"));
    assert_in_range(version_at(slice_of(text.at, text.len)), 1, last);
    text.len = 0;
    document_reginfo_begin(&text, 0, true);
    assert_in_range(version_at(slice_of(text.at, text.len)), 1, last);
}

// Whoever registers chooses its length, and must not thereby take what others published out of the document.
static void test_a_contact_that_is_too_long_is_not_said(void **state)
{
    static char contact[4096];
    struct document_sources sources = {.registered = DOCUMENT_OPEN, .contact = slice_of(contact, 0)};
    struct document_block *block = (struct document_block *)memory;

    (void)state;
    memset(contact, '&', sizeof(contact));
    for (; sources.contact.len < sizeof(contact); sources.contact.len += 64) {
        struct document_text text = document_text_over(written, sizeof(written));
        assert_int_equal(document_compose(&sources, block, sizeof(memory)), DOCUMENT_OK);
        assert_int_equal(document_pidf_write(block, SLICE("sip:a@b"), &text), DOCUMENT_OK);
        assert_true(sources.contact.len % 1024 != 0 || schema_holds(slice_of(text.at, text.len), "presence"));
        assert_int_equal(block->piece[0].basic, DOCUMENT_OPEN);
    }
}

// What a disk gives back may be anything.
static void test_a_block_that_reaches_out_of_itself_is_none(void **state)
{
    struct document_sources sources = {.registered = DOCUMENT_CLOSED};
    struct document_block *block = (struct document_block *)memory;
    static _Alignas(8) char copy[4096];

    (void)state;
    assert_int_equal(document_compose(&sources, block, sizeof(memory)), DOCUMENT_OK);
    assert_true(document_block_check(block, block->bytes, DOCUMENT_PIDF));
    assert_false(document_block_check(block, block->bytes, DOCUMENT_DIALOG));
    for (uint32_t bytes = 0; bytes < block->bytes; bytes++)
        assert_false(document_block_check(block, bytes, DOCUMENT_PIDF));
    for (uint32_t at = 0; at < sizeof(*block) + sizeof(*block->piece); at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct document_text text = document_text_over(written, sizeof(written));
            memcpy(copy, block, block->bytes);
            copy[at] ^= (char)(1 << bit);
            if (document_block_check(copy, block->bytes, DOCUMENT_PIDF))
                document_pidf_write((struct document_block *)copy, SLICE("sip:a@b"), &text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publications_become_the_document_of_their_case),
        cmocka_unit_test(test_too_many_pieces_are_refused),
        cmocka_unit_test(test_too_little_room_is_said_at_every_length),
        cmocka_unit_test(test_the_version_stands_in_the_first_bytes),
        cmocka_unit_test(test_a_contact_that_is_too_long_is_not_said),
        cmocka_unit_test(test_a_block_that_reaches_out_of_itself_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
