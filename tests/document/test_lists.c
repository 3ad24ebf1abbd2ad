// Watchers, registrations, lists of resources: what is written of tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "document/reginfo.h"
#include "document/rlmi.h"
#include "document/text.h"
#include "document/winfo.h"
#include "schema.h"

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static char bytes[65536];

static struct document_text begin(void)
{
    return document_text_over(bytes, sizeof(bytes));
}

static void assert_written(const struct document_text *text, const char *wanted)
{
    assert_int_equal(document_text_error(text), DOCUMENT_OK);
    assert_int_equal(text->len, strlen(wanted));
    assert_memory_equal(text->at, wanted, text->len);
}

// The example of RFC 3858 5.
static void test_watchers_as_in_the_rfc(void **state)
{
    struct document_text text = begin();

    (void)state;
    document_winfo_begin(&text, 0, true, SLICE("sip:professor@example.net"), SLICE("presence"));
    document_winfo_watcher(&text, &(struct document_watcher){.id = SLICE("8ajksjda7s"),
                                                             .uri = SLICE("sip:userA@example.net"),
                                                             .status = DOCUMENT_WATCHER_ACTIVE,
                                                             .event = DOCUMENT_WATCHER_APPROVED,
                                                             .expiration_s = -1,
                                                             .subscribed_s = 509});
    document_winfo_watcher(&text, &(struct document_watcher){.id = SLICE("hh8juja87s997-ass7"),
                                                             .uri = SLICE("sip:userB@example.org"),
                                                             .display_name = SLICE("Mr. Subscriber"),
                                                             .status = DOCUMENT_WATCHER_PENDING,
                                                             .event = DOCUMENT_WATCHER_SUBSCRIBE,
                                                             .expiration_s = 0,
                                                             .subscribed_s = -1});
    document_winfo_end(&text);
    assert_written(
        &text,
        XML "<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" version=\"0\" state=\"full\">"
            "<watcher-list resource=\"sip:professor@example.net\" package=\"presence\">"
            "<watcher id=\"8ajksjda7s\" status=\"active\" event=\"approved\" duration-subscribed=\"509\">"
            "sip:userA@example.net</watcher>"
            "<watcher id=\"hh8juja87s997-ass7\" status=\"pending\" event=\"subscribe\" "
            "display-name=\"Mr. Subscriber\" expiration=\"0\">sip:userB@example.org</watcher>"
            "</watcher-list></watcherinfo>\n");
    assert_true(schema_holds(slice_of(text.at, text.len), "watcherinfo"));
}

static void test_every_status_and_event_of_a_watcher_has_its_word(void **state)
{
    struct document_text text = begin();

    (void)state;
    document_winfo_begin(&text, UINT32_MAX, false, SLICE("sip:a@b"), SLICE("presence"));
    for (unsigned status = 0; status <= DOCUMENT_WATCHER_TERMINATED; status++) {
        for (unsigned event = 0; event <= DOCUMENT_WATCHER_NORESOURCE; event++)
            document_winfo_watcher(
                &text, &(struct document_watcher){.id = SLICE("i"),
                                                  .uri = SLICE("sip:c@d?x=\"1\"&y=<2>"),
                                                  .display_name = SLICE("\"<&>\r\n\t\x01\xff\xc3\xa4\""),
                                                  .status = (enum document_watcher_status)status,
                                                  .event = (enum document_watcher_event)event});
    }
    document_winfo_end(&text);
    assert_true(schema_holds(slice_of(text.at, text.len), "watcherinfo"));
}

// The example of RFC 3680 6, its second NOTIFY, and what a contact may have besides.
static void test_registrations_as_in_the_rfc(void **state)
{
    struct document_text text = begin();

    (void)state;
    document_reginfo_begin(&text, 1, false);
    document_reginfo_registration(&text, SLICE("sip:joe@example.com"), SLICE("a7"),
                                  DOCUMENT_REGISTRATION_ACTIVE);
    document_reginfo_contact(&text, &(struct document_contact){.id = SLICE("76"),
                                                               .uri = SLICE("sip:joe@pc34.example.com"),
                                                               .event = DOCUMENT_CONTACT_REGISTERED,
                                                               .expires_s = -1,
                                                               .registered_s = 0,
                                                               .q = 1001});
    document_reginfo_contact(&text, &(struct document_contact){.id = SLICE("77"),
                                                               .uri = SLICE("sip:joe@192.0.2.1;ob"),
                                                               .display_name = SLICE("Joe & <son>"),
                                                               .call_id = SLICE("a\"b"),
                                                               .cseq = 4294967295,
                                                               .event = DOCUMENT_CONTACT_EXPIRED,
                                                               .expires_s = 0,
                                                               .registered_s = 3600,
                                                               .q = 85});
    document_reginfo_registration_end(&text);
    document_reginfo_end(&text);
    assert_written(&text,
                   XML "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"1\" state=\"partial\">"
                       "<registration aor=\"sip:joe@example.com\" id=\"a7\" state=\"active\">"
                       "<contact id=\"76\" state=\"active\" event=\"registered\" duration-registered=\"0\">"
                       "<uri>sip:joe@pc34.example.com</uri></contact>"
                       "<contact id=\"77\" state=\"terminated\" event=\"expired\" expires=\"0\" "
                       "duration-registered=\"3600\" q=\"0.085\" callid=\"a&quot;b\" cseq=\"4294967295\">"
                       "<uri>sip:joe@192.0.2.1;ob</uri><display-name>Joe &amp; &lt;son&gt;</display-name>"
                       "</contact></registration></reginfo>\n");
    assert_true(schema_holds(slice_of(text.at, text.len), "reginfo"));
}

static void test_every_event_of_a_contact_has_its_word(void **state)
{
    struct document_text text = begin();

    (void)state;
    document_reginfo_begin(&text, 0, true);
    for (unsigned i = 0; i <= DOCUMENT_REGISTRATION_TERMINATED; i++) {
        document_reginfo_registration(&text, SLICE("sip:a@b"), SLICE("i"),
                                      (enum document_registration_state)i);
        for (unsigned event = 0; event <= DOCUMENT_CONTACT_REJECTED; event++)
            document_reginfo_contact(&text,
                                     &(struct document_contact){.id = SLICE("c"),
                                                                .uri = SLICE("sip:c@d"),
                                                                .event = (enum document_contact_event)event,
                                                                .q = 1000});
        document_reginfo_registration_end(&text);
    }
    document_reginfo_end(&text);
    assert_true(schema_holds(slice_of(text.at, text.len), "reginfo"));
}

// The list of RFC 4662 5.1, without its second name.
static void add_list(struct document_text *text)
{
    document_rlmi_begin(text, SLICE("sip:adam-friends@lists.vancouver.example.com"), 7, true,
                        SLICE("Buddy List"));
    document_rlmi_resource(text, SLICE("sip:bob@vancouver.example.com"), SLICE("Bob <Smith>"));
    document_rlmi_instance(text,
                           &(struct document_instance){.id = SLICE("juwigmtboe"),
                                                       .state = DOCUMENT_INSTANCE_ACTIVE,
                                                       .cid = SLICE("bUZBsM@pres.vancouver.example.com")});
    document_rlmi_resource_end(text);
    document_rlmi_resource(text, SLICE("sip:jim@vancouver.example.com"), SLICE(""));
    document_rlmi_instance(text, &(struct document_instance){.id = SLICE("oflzxqzuvg"),
                                                             .state = DOCUMENT_INSTANCE_TERMINATED,
                                                             .reason = SLICE("rejected")});
    document_rlmi_instance(text,
                           &(struct document_instance){.id = SLICE("2"), .state = DOCUMENT_INSTANCE_PENDING});
    document_rlmi_resource_end(text);
    document_rlmi_resource(text, SLICE("sip:ed@dallas.example.net"), SLICE("Ed at NET"));
    document_rlmi_resource_end(text);
    document_rlmi_end(text);
}

#define LIST                                                                                              \
    XML "<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" version=\"7\" "                                      \
        "uri=\"sip:adam-friends@lists.vancouver.example.com\" fullState=\"true\"><name>Buddy List</name>" \
        "<resource uri=\"sip:bob@vancouver.example.com\"><name>Bob &lt;Smith&gt;</name>"                  \
        "<instance id=\"juwigmtboe\" state=\"active\" "                                                   \
        "cid=\"bUZBsM@pres.vancouver.example.com\"/></resource>"                                          \
        "<resource uri=\"sip:jim@vancouver.example.com\">"                                                \
        "<instance id=\"oflzxqzuvg\" state=\"terminated\" reason=\"rejected\"/>"                          \
        "<instance id=\"2\" state=\"pending\"/></resource>"                                               \
        "<resource uri=\"sip:ed@dallas.example.net\"><name>Ed at NET</name></resource></list>\n"

static void test_a_list_as_in_the_rfc(void **state)
{
    struct document_text text = begin();

    (void)state;
    add_list(&text);
    assert_written(&text, LIST);
    assert_true(schema_holds(slice_of(text.at, text.len), "rlmi"));
}

// RFC 4662 6, the first NOTIFY.
static void test_parts_are_bounded_and_named(void **state)
{
    struct document_text text = begin();
    struct slice boundary = SLICE("50UBfW7LSCVLtggUPe5z");

    (void)state;
    document_related_begin(&text, boundary, SLICE("nXYxAE@pres.vancouver.example.com"));
    add_list(&text);
    document_related_part(&text, boundary, SLICE("bUZBsM@pres.vancouver.example.com"),
                          SLICE(DOCUMENT_TYPE_PIDF));
    document_text_literal(&text, "<presence/>\n");
    document_related_end(&text, boundary);
    assert_written(&text, "--50UBfW7LSCVLtggUPe5z\r\n"
                          "Content-Transfer-Encoding: binary\r\n"
                          "Content-ID: <nXYxAE@pres.vancouver.example.com>\r\n"
                          "Content-Type: application/rlmi+xml\r\n\r\n" LIST "\r\n--50UBfW7LSCVLtggUPe5z\r\n"
                          "Content-Transfer-Encoding: binary\r\n"
                          "Content-ID: <bUZBsM@pres.vancouver.example.com>\r\n"
                          "Content-Type: application/pidf+xml\r\n\r\n<presence/>\n"
                          "\r\n--50UBfW7LSCVLtggUPe5z--\r\n");
    text = begin();
    document_related_type(&text, boundary, SLICE("nXYxAE@pres.vancouver.example.com"));
    assert_written(&text, "multipart/related;type=\"application/rlmi+xml\";"
                          "start=\"<nXYxAE@pres.vancouver.example.com>\";boundary=\"50UBfW7LSCVLtggUPe5z\"");
}

static void test_what_does_not_fit_is_said(void **state)
{
    struct document_text whole = begin();

    (void)state;
    add_list(&whole);
    for (uint32_t room = 0; room < whole.len; room++) {
        struct document_text text = document_text_over(bytes, room);
        add_list(&text);
        assert_int_equal(document_text_error(&text), DOCUMENT_TOO_LARGE);
        assert_true(text.len <= room);
    }
}

static void test_text_is_escaped_as_its_place_asks(void **state)
{
    static const struct {
        struct slice text, content, value;
    } cases[] = {
        {SLICE(""), SLICE(""), SLICE("")},
        {SLICE("<a href=\"b\">&amp;</a>"), SLICE("&lt;a href=\"b\"&gt;&amp;amp;&lt;/a&gt;"),
         SLICE("&lt;a href=&quot;b&quot;&gt;&amp;amp;&lt;/a&gt;")},
        {SLICE("a\tb\nc\rd"), SLICE("a\tb\nc&#13;d"), SLICE("a&#9;b&#10;c&#13;d")},
        {SLICE("\x01\x1f\x7f"), SLICE("??\x7f"), SLICE("??\x7f")},
        {SLICE("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), SLICE("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
         SLICE("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")},
        {SLICE("\xff\xc0\x80\xed\xa0\x80\xef\xbf\xbe\xf4\x90\x80\x80"), SLICE("?????????????"),
         SLICE("?????????????")},
        {SLICE("\xe2\x82"), SLICE("??"), SLICE("??")},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct document_text text = begin();
        document_text_escape(&text, cases[i].text);
        assert_true(slice_equal(slice_of(text.at, text.len), cases[i].content));
        text = begin();
        document_text_quote(&text, cases[i].text);
        assert_true(slice_equal(slice_of(text.at, text.len), cases[i].value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watchers_as_in_the_rfc),
        cmocka_unit_test(test_every_status_and_event_of_a_watcher_has_its_word),
        cmocka_unit_test(test_registrations_as_in_the_rfc),
        cmocka_unit_test(test_every_event_of_a_contact_has_its_word),
        cmocka_unit_test(test_a_list_as_in_the_rfc),
        cmocka_unit_test(test_parts_are_bounded_and_named),
        cmocka_unit_test(test_what_does_not_fit_is_said),
        cmocka_unit_test(test_text_is_escaped_as_its_place_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
