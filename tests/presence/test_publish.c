// PUBLISH (RFC 3903).
#include "flow.h"
#include "requests.h"

#include <stdio.h>
#include <string.h>

static int set_up(void **state)
{
    *state = flow_open("policy = open\nnotify_interval = 0\ndocument_max = 2048\n",
                       "[trust]\nnetworks = 192.0.2.77\n");
    return 0;
}

// RFC 3903 12: initial, refresh, modify, remove, with another watcher's eyes.
static void test_a_publication_lives_changes_and_goes(void **state)
{
    const struct flow_step steps[] = {
        {.what = "M1: somebody watches",
         .request = SUBSCRIBE "Event: presence\nExpires: 3600\n",
         .answer = "200",
         .notify = "!<tuple",
         .status = 200},
        {.what = "M5: initial",
         .source = BOB,
         .request = PUBLISH "Event: presence\nExpires: 1800\n" OPEN_BODY,
         .answer = "200\n+Expires: 1800",
         .notify = "~<basic>open</basic>",
         .status = 200},
        {.what = "M9: refreshed, which nobody is told",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 1800\n",
         .answer = "200\n+Expires: 1800"},
        {.what = "M11: modified",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 1800\n" BUSY_BODY,
         .answer = "200",
         .notify = "~busy",
         .status = 200},
        {.what = "removed",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 0\n",
         .answer = "200\n+Expires: 0",
         .notify = "!<tuple",
         .status = 200},
        {.what = "what was removed is not there",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n",
         .answer = "412"},
    };

    FLOW(*state, steps);
}

static void test_an_old_tag_is_no_tag(void **state)
{
    struct flow *flow = *state;
    char old[64];

    flow_request(flow, BOB, PUBLISH "Event: presence\n" OPEN_BODY);
    strcpy(old, flow->etag);
    flow_request(flow, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY);
    assert_int_equal(flow->fixture->verdict.status, 200);
    assert_string_not_equal(flow->etag, old);
    strcpy(flow->etag, old);
    flow_request(flow, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n");
    assert_int_equal(flow->fixture->verdict.status, 412);
}

static void test_several_devices_are_one_document(void **state)
{
    const struct flow_step steps[] = {
        {.what = "the desk",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" PIDF("sip:bob@example.com", "desk", ""),
         .answer = "200"},
        {.what = "the mobile, for a short time",
         .source = "192.0.2.10:5060",
         .request = PUBLISH "Event: presence\nExpires: 60\n" PIDF("sip:bob@example.com", "mobile", ""),
         .answer = "200"},
        {.what = "both are told",
         .request = SUBSCRIBE "Event: presence\nExpires: 3600\n",
         .answer = "200",
         .notify = "~id=\"desk\"\n~id=\"mobile\"",
         .status = 200},
        {.what = "one expires", .wait_ms = 60300, .notify = "~id=\"desk\"\n!mobile", .status = 200},
    };

    FLOW(*state, steps);
}

static void test_what_cannot_be_published_is_refused(void **state)
{
    static char large[4096];
    const struct flow_step steps[] = {
        {.what = "step 1: nobody",
         .source = BOB,
         .request = "PUBLISH sip:example.com\nEvent: presence\n",
         .answer = "484"},
        {.what = "step 2: no event", .source = BOB, .request = PUBLISH OPEN_BODY, .answer = "489"},
        {.what = "one that nobody publishes",
         .source = BOB,
         .request = PUBLISH "Event: reg\n" OPEN_BODY,
         .answer = "489\n~Allow-Events: presence"},
        {.what = "step 3: two tags",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: a b\n",
         .answer = "400"},
        {.what = "nobody's tag",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: anything\n",
         .answer = "412"},
        {.what = "step 4: too brief",
         .source = BOB,
         .request = PUBLISH "Event: presence\nExpires: 10\n" OPEN_BODY,
         .answer = "423\n+Min-Expires: 60"},
        {.what = "step 5: nothing", .source = BOB, .request = PUBLISH "Event: presence\n", .answer = "400"},
        {.what = "another type",
         .source = BOB,
         .request = PUBLISH "Event: presence\nContent-Type: text/plain\n\nhello",
         .answer = "415\n+Accept: application/pidf+xml"},
        {.what = "in another encoding",
         .source = BOB,
         .request = PUBLISH "Event: presence\nContent-Encoding: gzip\n" OPEN_BODY,
         .answer = "415\n+Accept-Encoding: identity\n-Accept:"},
        {.what = "in other letters",
         .source = BOB,
         .request = PUBLISH "Event: presence\nContent-Type: application/pidf+xml;charset=\"UTF-16\"\n\n<p/>",
         .answer = "415\n+Accept: application/pidf+xml"},
        {.what = "broken XML",
         .source = BOB,
         .request = PUBLISH "Event: presence\nContent-Type: application/pidf+xml\n\n<presence",
         .answer = "400"},
        {.what = "an entity bomb",
         .source = BOB,
         .request = PUBLISH "Event: presence\nContent-Type: application/pidf+xml\n\n"
                            "<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
                            "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:bob@example.com\">"
                            "<note>&b;</note></presence>",
         .answer = "400"},
        {.what = "of another entity",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" PIDF("sip:carol@example.com", "t", ""),
         .answer = "400"},
        {.what = "too long", .source = BOB, .request = large, .answer = "413"},
        {.what = "by another user",
         .source = "192.0.2.5:5060",
         .request = "PUBLISH sip:bob@example.com\nFrom: <sip:mallory@example.com>;tag=m\n"
                    "Event: presence\n" OPEN_BODY,
         .answer = "403"},
        {.what = "by who is trusted",
         .source = "192.0.2.77:5060",
         .request = "PUBLISH sip:bob@example.com\nFrom: <sip:mail@example.net>;tag=m\n"
                    "Event: presence\n" OPEN_BODY,
         .answer = "200"},
    };
    int len = snprintf(large, sizeof(large), "%s",
                       PUBLISH "Event: presence\nContent-Type: application/pidf+xml\n\n");

    memset(large + len, ' ', 2049);
    large[len + 2049] = 0;
    FLOW(*state, steps);
    assert_int_equal(presence_counters(((struct flow *)*state)->presence)->published, 1);
}

// What no NOTIFY could carry is not taken: nobody would hear of it, and he who published would not know.
static void test_what_cannot_be_told_is_refused(void **state)
{
    struct flow *flow = flow_open("policy = open\nnotify_interval = 0\n", "");
    static char request[8192];
    static const struct {
        unsigned quotes; // each of them grows to six bytes
        unsigned status;
    } cases[] = {{1500, 200}, {2500, 413}, {4000, 413}};

    (void)state;
    flow_request(flow, NULL, SUBSCRIBE "Event: presence\n");
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    for (unsigned i = 0; i < 3; i++) {
        int len = sprintf(request,
                          "%s<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:bob@example.com\">"
                          "<note xml:lang='%u",
                          PUBLISH "Event: presence\nContent-Type: application/pidf+xml\n\n", i);
        memset(request + len, '"', cases[i].quotes);
        strcpy(request + len + cases[i].quotes, "'/></presence>");
        flow_request(flow, BOB, request);
        assert_int_equal(flow->fixture->verdict.status, cases[i].status);
        flow_wait(flow, 8);
        assert_int_equal(flow_notifies(flow), cases[i].status == 200);
        if (cases[i].status == 200)
            flow_answer(flow, 200, NULL);
    }
    flow_close(flow);
}

// The same tag again for a copy that was on its way while the answer was.
static void test_a_repeated_publish_changes_nothing(void **state)
{
    static const char initial[] = "PUBLISH sip:bob@example.com\n"
                                  "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKfirst\n"
                                  "From: <sip:bob@example.com>;tag=b\nEvent: presence\n" OPEN_BODY;
    static const char removal[] = "PUBLISH sip:bob@example.com\nSIP-If-Match: {etag}\nCSeq: 2 PUBLISH\n"
                                  "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKlast\n"
                                  "From: <sip:bob@example.com>;tag=b\nEvent: presence\nExpires: 0\n";
    struct flow *flow = *state;
    struct subscription_usage usage;
    char tag[64];

    flow_request(flow, BOB, initial);
    strcpy(tag, flow->etag);
    flow_request(flow, BOB, initial);
    assert_string_equal(flow->etag, tag);
    subscription_usage(flow->fixture->role.subscriptions, &usage);
    assert_int_equal(usage.publications, 1);
    flow_request(flow, BOB, removal);
    assert_int_equal(flow->fixture->verdict.status, 200);
    strcpy(flow->etag, tag);
    flow_request(flow, BOB, removal);
    assert_int_equal(flow->fixture->verdict.status, 200);
    assert_int_equal(presence_counters(flow->presence)->repeated, 2);
}

#define FIRST                                               \
    "PUBLISH sip:bob@example.com\n"                         \
    "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKfirst\n" \
    "From: <sip:bob@example.com>;tag=b\nEvent: presence\n" OPEN_BODY

// One that the network kept back until its publication had become another, or had gone.
static void test_a_copy_that_comes_late_publishes_nothing(void **state)
{
    struct flow *flow = *state;
    struct subscription_usage usage;
    char tag[64];

    flow_request(flow, BOB, FIRST);
    flow_request(flow, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY);
    strcpy(tag, flow->etag);
    flow_request(flow, BOB, FIRST);
    assert_int_equal(flow->fixture->verdict.status, 200);
    subscription_usage(flow->fixture->role.subscriptions, &usage);
    assert_int_equal(usage.publications, 1);
    strcpy(flow->etag, tag);
    flow_request(flow, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 0\n");
    assert_int_equal(flow->fixture->verdict.status, 200);
    flow_request(flow, BOB, FIRST);
    subscription_usage(flow->fixture->role.subscriptions, &usage);
    assert_int_equal(usage.publications, 0);
    assert_int_equal(presence_counters(flow->presence)->repeated, 2);
}

// RFC 3903 6: none of this means anything here.
static void test_a_publish_has_no_dialog(void **state)
{
    const struct flow_step steps[] = {
        {.what = "Contact and Record-Route",
         .source = BOB,
         .request = PUBLISH "Event: presence\nContact: <sip:bob@192.0.2.9>\n"
                            "Record-Route: <sip:192.0.2.9;lr>\n" OPEN_BODY,
         .answer = "200\n-Record-Route\n-Contact"},
    };

    FLOW(*state, steps);
}

static void test_a_body_may_say_that_it_is_plain(void **state)
{
    const struct flow_step steps[] = {
        {.what = "identity, and a charset",
         .source = BOB,
         .request =
             PUBLISH "Event: presence\nContent-Encoding: Identity\n"
                     "Content-Type: Application/PIDF+xml ; charset=\"utf-8\"\n\n"
                     "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:bob@example.com\"/>",
         .answer = "200"},
    };

    FLOW(*state, steps);
}

// RFC 3903 4.1: an entity-tag is one of a resource and a package.
static void test_a_tag_is_nobody_elses(void **state)
{
#define DIALOGS                                                                               \
    "Content-Type: application/dialog-info+xml\n\n"                                           \
    "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" state=\"full\" " \
    "entity=\"sip:bob@example.com\"/>"
    const struct flow_step steps[] = {
        {.what = "bob's presence",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200"},
        {.what = "bob's dialogs",
         .source = BOB,
         .request = PUBLISH "Event: dialog\nSIP-If-Match: {etag}\n" DIALOGS,
         .answer = "412"},
        {.what = "carol's presence",
         .request = "PUBLISH sip:carol@example.com\nFrom: <sip:carol@example.com>;tag=c\n"
                    "Event: presence\nSIP-If-Match: {etag}\nExpires: 0\n",
         .answer = "412"},
        {.what = "two of them",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\nSIP-If-Match: {etag}\n",
         .answer = "400"},
        {.what = "two in one",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}, {etag}\n",
         .answer = "400"},
        {.what = "it is still there",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n",
         .answer = "200\n+Expires: 3600"},
    };

    FLOW(*state, steps);
}

// RFC 3903 6 step 4.
static void test_time_is_what_the_server_grants(void **state)
{
    const struct flow_step steps[] = {
        {.what = "not said",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200\n+Expires: 3600"},
        {.what = "too much",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 99999999999\n",
         .answer = "200\n+Expires: 7200"},
        {.what = "too little, for what is there as well",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\nExpires: 59\n",
         .answer = "423\n+Min-Expires: 60\n-SIP-ETag"},
        {.what = "no more than nothing, which stores nothing",
         .source = BOB,
         .request = PUBLISH "Event: presence\nExpires: 0\n" OPEN_BODY,
         .answer = "200\n+Expires: 0"},
    };
    struct subscription_usage usage;

    FLOW(*state, steps);
    subscription_usage(((struct flow *)*state)->fixture->role.subscriptions, &usage);
    assert_int_equal(usage.publications, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_publication_lives_changes_and_goes, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_an_old_tag_is_no_tag, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_several_devices_are_one_document, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_published_is_refused, set_up, flow_tear_down),
        cmocka_unit_test(test_what_cannot_be_told_is_refused),
        cmocka_unit_test_setup_teardown(test_a_repeated_publish_changes_nothing, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_copy_that_comes_late_publishes_nothing, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_publish_has_no_dialog, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_body_may_say_that_it_is_plain, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_tag_is_nobody_elses, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_time_is_what_the_server_grants, set_up, flow_tear_down),
    };

    return cmocka_run_group_tests_name("presence publish", tests, NULL, NULL);
}
