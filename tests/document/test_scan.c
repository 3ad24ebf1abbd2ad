// Which documents are read without expat. That both tell the same is the fuzz target's to check.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "document/scan.h"
#include "fence.h"

#define NS  "xmlns=\"urn:ietf:params:xml:ns:pidf\""
#define P   "<presence " NS " entity=\"sip:a@b\">"
#define END "</presence>"

static char text[DOCUMENT_BLOCK_MAX];

static bool takes(struct slice document)
{
    struct document_cut cut;

    document_cut_begin(&cut, DOCUMENT_PIDF, text, sizeof(text));
    return document_scan(fence_copy(document.at, document.len), &cut);
}

static void test_plain_documents_are_taken(void **state)
{
    static const struct slice plain[] = {
        SLICE(P END),
        SLICE("<presence " NS " entity=\"sip:a@b\" />"),
        SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" P "\r\n\t<note>a\r\nb</note>\r\n" END "\r\n"),
        SLICE("<?xml version='1.0' encoding='UTF-8'?>\n" P END),
        SLICE("<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' entity = 'sip:a@b'><p:note\n>x</p:note "
              "></p:presence>"),
        SLICE(P "<x:y xmlns:x=\"urn:x\" x:a=\"1\" a='2'><x:y/></x:y><y xmlns='urn:x' xml:lang='en'/>" END),
        SLICE(P "<note>\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 \"quoted\" 'too'</note>" END),
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        if (!takes(plain[i]))
            fail_msg("not taken: %.*s", SLICE_PRINT(plain[i]));
    }
}

static void test_all_else_is_given_up(void **state)
{
    static const struct slice others[] = {
        SLICE(""),
        SLICE("\xef\xbb\xbf" P END),
        SLICE("<?xml version='1.0' encoding='latin1'?>" P END),
        SLICE("<!DOCTYPE p>" P END),
        SLICE("<!-- -->" P END),
        SLICE(P "<!-- -->" END),
        SLICE(P "<?x?>" END),
        SLICE(P END "<!-- -->"),
        SLICE(P END "x"),
        SLICE(P),
        SLICE(P "<note>&amp;</note>" END),
        SLICE(P "<note><![CDATA[x]]></note>" END),
        SLICE(P "<note>]]></note>" END),
        SLICE(P "<note>a\rb</note>" END),
        SLICE(P "<note>\xff</note>" END),
        SLICE(P "<note>\x01</note>" END),
        SLICE(P "<note a=\"&lt;\"/>" END),
        SLICE(P "<note a=\"<\"/>" END),
        SLICE(P "<note a=\"1\"b=\"2\"/>" END),
        SLICE(P "<note a=\"1\" a=\"2\"/>" END),
        SLICE(P "<note a=\"1\tb\"/>" END),
        SLICE(P "<note a=1/>" END),
        SLICE(P "<note a/>" END),
        SLICE(P "<note></notes>" END),
        SLICE(P "<note></not>" END),
        SLICE(P "< note/>" END),
        SLICE(P "<x:y/>" END),
        SLICE(P "<x:y:z xmlns:x='u'/>" END),
        SLICE(P "<note x:a=''/>" END),
        SLICE(P "<x:y xmlns:x='u' xmlns:z='u' x:a='' z:a=''/>" END),
        SLICE(P "<x:y xmlns:x='u' xmlns:x='v'/>" END),
        SLICE(P "<x:y xmlns:x=''/>" END),
        SLICE(P "<y xmlns:xml='urn:x'/>" END),
        SLICE(P "<y xmlns:x='http://www.w3.org/XML/1998/namespace'/>" END),
        SLICE(P "<x:y xmlns:x='u'></x:y><x:y/>" END),
        SLICE(P "<\xc3\xa4/>" END),
        SLICE(P "<tuple/>" END),
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (takes(others[i]))
            fail_msg("taken: %.*s", SLICE_PRINT(others[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_documents_are_taken),
        cmocka_unit_test(test_all_else_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
