// What is refused, and for what reason; each input stands right before a page that cannot be read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "document/reader.h"
#include "fence.h"

#define NS    "xmlns='urn:ietf:params:xml:ns:pidf'"
#define ROOT  "<presence " NS " entity='sip:a@b'>"
#define TUPLE "<tuple id='t'><status><basic>open</basic></status></tuple>"
#define END   "</presence>"

struct fixture {
    struct document_reader *reader;
    struct document_reading reading;
    struct document_text text;
    char bytes[FENCE_MAX];
};

static int make(void **state)
{
    static struct fixture fixture;

    fixture.reader = document_reader_create(&memory_system, MEMORY_ANY_NODE, 7);
    *state = &fixture;
    return fixture.reader == NULL;
}

static int unmake(void **state)
{
    document_reader_destroy(((struct fixture *)*state)->reader);
    return 0;
}

static enum document_error read_of(struct fixture *fixture, enum document_kind kind, struct slice bytes)
{
    return document_read(fixture->reader, kind, fence_copy(bytes.at, bytes.len), &fixture->reading);
}

static const struct bad {
    const char *why;
    struct slice document;
    enum document_error error;
} bad[] = {
    {"nothing", SLICE(""), DOCUMENT_MALFORMED},
    {"blank", SLICE(" \r\n"), DOCUMENT_MALFORMED},
    {"no XML", SLICE("hello"), DOCUMENT_MALFORMED},
    {"cut off", SLICE(ROOT TUPLE), DOCUMENT_MALFORMED},
    {"two roots", SLICE(ROOT END ROOT END), DOCUMENT_MALFORMED},
    {"text behind", SLICE(ROOT END "x"), DOCUMENT_MALFORMED},
    {"tags crossed", SLICE(ROOT "<tuple id='a'><status></tuple></status>" END), DOCUMENT_MALFORMED},
    {"attribute twice", SLICE(ROOT "<tuple id='a' id='b'><status/></tuple>" END), DOCUMENT_MALFORMED},
    {"attributes joined", SLICE("<presence " NS "entity='a'/>"), DOCUMENT_MALFORMED},
    {"prefix unknown", SLICE(ROOT "<x:y/>" END), DOCUMENT_MALFORMED},
    {"attribute twice by its namespace", SLICE(ROOT "<x:y xmlns:x='u' xmlns:z='u' x:a='' z:a=''/>" END),
     DOCUMENT_MALFORMED},
    {"xml bound to another", SLICE("<presence " NS " xmlns:xml='urn:x' entity='a'/>"), DOCUMENT_MALFORMED},
    {"xmlns bound", SLICE("<presence " NS " xmlns:xmlns='urn:x' entity='a'/>"), DOCUMENT_MALFORMED},
    {"prefix bound to nothing", SLICE("<presence " NS " xmlns:x='' entity='a'/>"), DOCUMENT_MALFORMED},
    {"line end in a namespace", SLICE(ROOT "<x:y xmlns:x='urn:a&#10;b'/>" END), DOCUMENT_MALFORMED},
    {"CDATA's end in text", SLICE(ROOT "<note>]]></note>" END), DOCUMENT_MALFORMED},
    {"no UTF-8", SLICE(ROOT "<note>\xff</note>" END), DOCUMENT_MALFORMED},
    {"UTF-8 too long", SLICE(ROOT "<note>\xc0\xaf</note>" END), DOCUMENT_MALFORMED},
    {"surrogate", SLICE(ROOT "<note>\xed\xa0\x80</note>" END), DOCUMENT_MALFORMED},
    {"control character", SLICE(ROOT "<note>\x01</note>" END), DOCUMENT_MALFORMED},
    {"NUL", SLICE(ROOT "<note>a\0b</note>" END), DOCUMENT_MALFORMED},
    {"NUL by reference", SLICE(ROOT "<note>&#0;</note>" END), DOCUMENT_MALFORMED},
    {"latin-1", SLICE("<?xml version='1.0' encoding='ISO-8859-1'?>" ROOT END), DOCUMENT_ENCODING},
    {"UTF-16 by name", SLICE("<?xml version='1.0' encoding='UTF-16'?>" ROOT END), DOCUMENT_ENCODING},
    {"UTF-16 by mark", SLICE("\xff\xfe<\0a\0/\0>\0"), DOCUMENT_ENCODING},
    {"UTF-16 without", SLICE("\0<\0a\0/\0>"), DOCUMENT_ENCODING},
    {"UTF-7", SLICE("<?xml version='1.0' encoding='UTF-7'?>" ROOT END), DOCUMENT_ENCODING},
    {"document type", SLICE("<!DOCTYPE presence>" ROOT END), DOCUMENT_FORBIDDEN},
    {"outer document type", SLICE("<!DOCTYPE presence SYSTEM 'file:///etc/passwd'>" ROOT END),
     DOCUMENT_FORBIDDEN},
    {"entity", SLICE("<!DOCTYPE p [<!ENTITY a 'b'>]>" ROOT "<note>&a;</note>" END), DOCUMENT_FORBIDDEN},
    {"outer entity", SLICE("<!DOCTYPE p [<!ENTITY a SYSTEM 'file:///dev/zero'>]>" ROOT "&a;" END),
     DOCUMENT_FORBIDDEN},
    {"parameter entity", SLICE("<!DOCTYPE p [<!ENTITY % a SYSTEM 'http://192.0.2.1/'> %a;]>" ROOT END),
     DOCUMENT_FORBIDDEN},
    {"bomb",
     SLICE("<!DOCTYPE p [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
           "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>]>" ROOT
           "<note>&d;</note>" END),
     DOCUMENT_FORBIDDEN},
    {"entity of nobody", SLICE(ROOT "<note>&a;</note>" END), DOCUMENT_FORBIDDEN},
    {"instruction before", SLICE("<?php x?>" ROOT END), DOCUMENT_FORBIDDEN},
    {"instruction within", SLICE(ROOT "<?x y?>" END), DOCUMENT_FORBIDDEN},
    {"instruction behind", SLICE(ROOT END "<?x y?>"), DOCUMENT_FORBIDDEN},
    {"other root", SLICE("<tuple " NS " entity='a'/>"), DOCUMENT_ROOT},
    {"other namespace", SLICE("<presence xmlns='urn:x' entity='a'/>"), DOCUMENT_ROOT},
    {"no namespace", SLICE("<presence entity='a'/>"), DOCUMENT_ROOT},
    {"other package", SLICE("<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' entity='a'/>"),
     DOCUMENT_ROOT},
    {"no entity", SLICE("<presence " NS "/>"), DOCUMENT_INVALID},
    {"empty entity", SLICE("<presence " NS " entity=''/>"), DOCUMENT_INVALID},
    {"entity of another namespace", SLICE("<presence " NS " xmlns:x='u' x:entity='a'/>"), DOCUMENT_INVALID},
    {"text in the root", SLICE(ROOT "x" END), DOCUMENT_INVALID},
    {"text in a tuple", SLICE(ROOT "<tuple id='t'><status/>x</tuple>" END), DOCUMENT_INVALID},
    {"text before a status", SLICE(ROOT "<tuple id='t'>x<status/></tuple>" END), DOCUMENT_INVALID},
    {"text in a status", SLICE(ROOT "<tuple id='t'><status>open</status></tuple>" END), DOCUMENT_INVALID},
    {"no status", SLICE(ROOT "<tuple id='t'/>" END), DOCUMENT_INVALID},
    {"a status of another namespace", SLICE(ROOT "<tuple id='t'><x:status xmlns:x='u'/></tuple>" END),
     DOCUMENT_INVALID},
    {"two statuses", SLICE(ROOT "<tuple id='t'><status/><status/></tuple>" END), DOCUMENT_INVALID},
    {"two contacts",
     SLICE(ROOT "<tuple id='t'><status/><contact>a</contact><contact>b</contact></tuple>" END),
     DOCUMENT_INVALID},
    {"half open", SLICE(ROOT "<tuple id='t'><status><basic>ajar</basic></status></tuple>" END),
     DOCUMENT_INVALID},
    {"nothing basic", SLICE(ROOT "<tuple id='t'><status><basic/></status></tuple>" END), DOCUMENT_INVALID},
    {"open and closed",
     SLICE(ROOT "<tuple id='t'><status><basic>open</basic><basic>closed</basic></status></tuple>" END),
     DOCUMENT_INVALID},
    {"basic that is not plain",
     SLICE(ROOT "<tuple id='t'><status><basic>op<b/>en</basic></status></tuple>" END), DOCUMENT_INVALID},
    {"no id", SLICE(ROOT "<tuple><status/></tuple>" END), DOCUMENT_INVALID},
    {"empty id", SLICE(ROOT "<tuple id=''><status/></tuple>" END), DOCUMENT_INVALID},
    {"id that is no name", SLICE(ROOT "<tuple id='1'><status/></tuple>" END), DOCUMENT_INVALID},
    {"id with a quote", SLICE(ROOT "<tuple id=\"a'b\"><status/></tuple>" END), DOCUMENT_INVALID},
    {"id of another namespace", SLICE(ROOT "<tuple x:id='a' xmlns:x='u'><status/></tuple>" END),
     DOCUMENT_INVALID},
    {"id twice", SLICE(ROOT TUPLE TUPLE END), DOCUMENT_INVALID},
    {"id of two kinds",
     SLICE(ROOT TUPLE "<d:person id='t' xmlns:d='urn:ietf:params:xml:ns:pidf:data-model'/>" END),
     DOCUMENT_INVALID},
    {"person without id", SLICE(ROOT "<d:person xmlns:d='urn:ietf:params:xml:ns:pidf:data-model'/>" END),
     DOCUMENT_INVALID},
    {"element of no namespace", SLICE(ROOT "<note xmlns=''>a</note>" END), DOCUMENT_INVALID},
};

static void test_bad_documents_are_refused_for_their_reason(void **state)
{
    struct fixture *fixture = *state;
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        enum document_error error = read_of(fixture, DOCUMENT_PIDF, bad[i].document);
        if (error != bad[i].error)
            fprintf(stderr, "%s: %s\n", bad[i].why, document_error_text(error));
        wrong += error != bad[i].error;
        // The next one finds nothing of it.
        assert_int_equal(read_of(fixture, DOCUMENT_PIDF, SLICE(ROOT TUPLE END)), DOCUMENT_OK);
        assert_int_equal(fixture->reading.block->pieces, 1);
    }
    assert_int_equal(wrong, 0);
}

static const struct slice good[] = {
    SLICE(ROOT END),
    SLICE("<presence " NS " entity='sip:a@b'/>"),
    SLICE("\xef\xbb\xbf<?xml version='1.0'?>" ROOT TUPLE END),
    SLICE("<?xml version='1.0' encoding='utf-8' standalone='yes'?>\r\n" ROOT "\r\n" TUPLE END "\r\n"),
    SLICE("<?xml version='1.0' encoding='US-ASCII'?><!-- a -->" ROOT "<!-- b -->" TUPLE END "<!-- c -->"),
    SLICE(ROOT "<note xml:lang='de'>\xc3\xa4 \xf0\x9f\x98\x80 ]] &amp; \x7f</note>" END),
    SLICE(ROOT "<tuple id='\xc3\xa4'><status/></tuple>" END),
    SLICE("<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'><p:tuple "
          "id='t'><p:status/></p:tuple></p:presence>"),
};

static void test_good_documents_are_read(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_int_equal(read_of(fixture, DOCUMENT_PIDF, good[i]), DOCUMENT_OK);
        assert_true(slice_equal(fixture->reading.entity, SLICE("sip:a@b")));
        assert_true(
            document_block_check(fixture->reading.block, fixture->reading.block->bytes, DOCUMENT_PIDF));
    }
}

static void test_a_reading_says_what_stands_in_it(void **state)
{
    struct fixture *fixture = *state;
    const struct document_block *block;

    assert_int_equal(read_of(fixture, DOCUMENT_PIDF,
                             SLICE("<presence " NS " entity='sip:a&amp;b@example.com'><note>hi</note>"
                                   "<tuple id='x1'><status><basic>closed</basic></status></tuple>"
                                   "<tuple id='x2'><status/></tuple>" TUPLE END)),
                     DOCUMENT_OK);
    assert_true(slice_equal(fixture->reading.entity, SLICE("sip:a&b@example.com")));
    block = fixture->reading.block;
    assert_int_equal(block->pieces, 4);
    assert_int_equal(block->piece[0].basic, DOCUMENT_CLOSED);
    assert_true(slice_equal(document_piece_id(block, &block->piece[0]), SLICE("x1")));
    assert_int_equal(block->piece[1].basic, DOCUMENT_UNSAID);
    assert_int_equal(block->piece[2].basic, DOCUMENT_OPEN);
    assert_int_equal(block->piece[3].kind, DOCUMENT_NOTE);
    assert_true(slice_equal(document_piece_text(block, &block->piece[3]), SLICE("<note>hi</note>")));
}

static void test_an_error_has_its_line(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(read_of(fixture, DOCUMENT_PIDF, SLICE(ROOT "\n\n<tuple/>\n" END)), DOCUMENT_INVALID);
    assert_int_equal(fixture->reading.line, 3);
}

static struct document_text *begin(struct fixture *fixture)
{
    fixture->text = document_text_over(fixture->bytes, sizeof(fixture->bytes));
    return &fixture->text;
}

static void print(struct document_text *text, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    text->len += (uint32_t)vsnprintf(text->at + text->len, text->room - text->len, format, list);
    va_end(list);
    assert_true(text->len < text->room);
}

static enum document_error read_text(struct fixture *fixture)
{
    return read_of(fixture, DOCUMENT_PIDF, slice_of(fixture->text.at, fixture->text.len));
}

// `open`, `count` times with its number, then `close` as often.
static enum document_error read_many(struct fixture *fixture, const char *open, const char *close,
                                     unsigned count)
{
    struct document_text *text = begin(fixture);

    print(text, "%s", ROOT);
    for (unsigned i = 0; i < count; i++)
        print(text, open, i);
    for (unsigned i = 0; i < count; i++)
        print(text, "%s", close);
    print(text, "%s", END);
    return read_text(fixture);
}

static void test_what_is_over_a_bound_is_too_large(void **state)
{
    struct fixture *fixture = *state;
    unsigned deep = DOCUMENT_DEPTH_MAX - 1;

    assert_int_equal(read_many(fixture, "<x:a xmlns:x='u'>", "</x:a>", deep), DOCUMENT_OK);
    assert_int_equal(read_many(fixture, "<x:a xmlns:x='u'>", "</x:a>", deep + 1), DOCUMENT_TOO_LARGE);
    assert_int_equal(read_many(fixture, "<note>", "</note>", 1000), DOCUMENT_TOO_LARGE);
    assert_int_equal(read_many(fixture, "<note>%u</note>", "", DOCUMENT_PIECES_MAX), DOCUMENT_OK);
    assert_int_equal(read_many(fixture, "<note>%u</note>", "", DOCUMENT_PIECES_MAX + 1), DOCUMENT_TOO_LARGE);
    assert_int_equal(read_many(fixture, "<note xmlns:x%u='u'/>", "", DOCUMENT_NAMESPACES_MAX - 1),
                     DOCUMENT_OK);
    assert_int_equal(read_many(fixture, "<note xmlns:x%u='u'/>", "", DOCUMENT_NAMESPACES_MAX),
                     DOCUMENT_TOO_LARGE);
}

static void test_elements_and_attributes_are_bounded(void **state)
{
    static const unsigned more[] = {0, 1};
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < 2; i++) {
        enum document_error wanted = i == 0 ? DOCUMENT_OK : DOCUMENT_TOO_LARGE;
        struct document_text *text = begin(fixture);
        print(text, "%s<note>", ROOT);
        for (unsigned k = 2; k < DOCUMENT_ELEMENTS_MAX + more[i]; k++)
            print(text, "<b/>");
        print(text, "</note>%s", END);
        assert_int_equal(read_text(fixture), wanted);
        text = begin(fixture);
        print(text, "%s<note", ROOT);
        for (unsigned k = 0; k < DOCUMENT_ATTRIBUTES_MAX + more[i]; k++)
            print(text, " a%u=''", k);
        print(text, "/>%s", END);
        assert_int_equal(read_text(fixture), wanted);
        text = begin(fixture);
        print(text, "%s<tuple id='i%0*u'><status/></tuple>%s", ROOT, (int)(DOCUMENT_ID_MAX - 1 + more[i]), 0,
              END);
        assert_int_equal(read_text(fixture), wanted);
    }
}

// Bytes are bounded before anything is looked at, and what comes out is bounded as well.
static void test_bytes_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct document_text *text = begin(fixture);

    print(text, "%s<note>%0*u</note>%s", ROOT, 16000, 0, END);
    assert_int_equal(read_text(fixture), DOCUMENT_OK);
    text = begin(fixture);
    print(text, "%s<note a='%0*u'/>%s", ROOT, 16000, 0, END);
    assert_int_equal(read_text(fixture), DOCUMENT_OK);
    text = begin(fixture);
    print(text, "%s<note>%0*u</note>%s", ROOT, DOCUMENT_READ_MAX, 0, END);
    assert_int_equal(read_text(fixture), DOCUMENT_TOO_LARGE);
    // Each of them grows to six bytes.
    text = begin(fixture);
    print(text, "%s<note a='", ROOT);
    for (unsigned i = 0; i < 8000; i++)
        print(text, "\"");
    print(text, "'/>%s", END);
    assert_int_equal(read_text(fixture), DOCUMENT_TOO_LARGE);
}

// Expat's memory: names that are all different, in a document that is asked of expat.
static void test_a_document_of_names_stays_within_the_arena(void **state)
{
    struct fixture *fixture = *state;
    struct document_text *text = begin(fixture);

    print(text, "<!-- -->%s<note>", ROOT);
    for (unsigned i = 0; text->len < 15000; i++)
        print(text, "<x%u a%u='' b%u='' c%u=''/>", i, i, i, i);
    print(text, "</note>%s", END);
    enum document_error error = read_text(fixture);
    assert_true(error == DOCUMENT_OK || error == DOCUMENT_TOO_LARGE);
    assert_int_equal(read_of(fixture, DOCUMENT_PIDF, SLICE("<!-- -->" ROOT TUPLE END)), DOCUMENT_OK);
}

#define DIALOGS \
    "<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='0' state='full' entity='sip:a@b'>"

static void test_dialogs_need_an_id_and_a_state(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        struct slice document;
        enum document_error error;
    } cases[] = {
        {SLICE(DIALOGS "</dialog-info>"), DOCUMENT_OK},
        {SLICE(DIALOGS "<dialog id='1'><state>early</state></dialog></dialog-info>"), DOCUMENT_OK},
        {SLICE(DIALOGS "<dialog id='a b'><state/></dialog></dialog-info>"), DOCUMENT_OK},
        {SLICE(DIALOGS "<dialog id='1'/></dialog-info>"), DOCUMENT_INVALID},
        {SLICE(DIALOGS "<dialog><state>early</state></dialog></dialog-info>"), DOCUMENT_INVALID},
        {SLICE(DIALOGS "<dialog id='1'><state/><state/></dialog></dialog-info>"), DOCUMENT_INVALID},
        {SLICE(ROOT END), DOCUMENT_ROOT},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(read_of(fixture, DOCUMENT_DIALOG, cases[i].document), cases[i].error);
}

// More readers than there are arenas: the one too many is not made, and one that goes makes room.
static void test_readers_are_as_many_as_workers(void **state)
{
    struct document_reader *readers[128] = {0};
    unsigned count = 0;

    (void)state;
    while (count < 128 &&
           (readers[count] = document_reader_create(&memory_system, MEMORY_ANY_NODE, 1)) != NULL)
        count++;
    assert_int_equal(count, 63); // and the fixture's
    document_reader_destroy(readers[5]);
    readers[5] = document_reader_create(&memory_system, MEMORY_ANY_NODE, 1);
    assert_non_null(readers[5]);
    while (count > 0)
        document_reader_destroy(readers[--count]);
    document_reader_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_documents_are_refused_for_their_reason),
        cmocka_unit_test(test_good_documents_are_read),
        cmocka_unit_test(test_a_reading_says_what_stands_in_it),
        cmocka_unit_test(test_an_error_has_its_line),
        cmocka_unit_test(test_what_is_over_a_bound_is_too_large),
        cmocka_unit_test(test_elements_and_attributes_are_bounded),
        cmocka_unit_test(test_bytes_are_bounded),
        cmocka_unit_test(test_a_document_of_names_stays_within_the_arena),
        cmocka_unit_test(test_dialogs_need_an_id_and_a_state),
        cmocka_unit_test(test_readers_are_as_many_as_workers),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
