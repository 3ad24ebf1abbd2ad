// What a watcher need not hear twice: differences (RFC 5263) and entity-tags (RFC 5839).
#include "flow.h"
#include "requests.h"

#include <string.h>

static int set_up(void **state)
{
    *state = flow_open("policy = open\nnotify_interval = 0\n", "");
    return 0;
}

#define DESK(more)                                                                                           \
    "Content-Type: application/pidf+xml\n\n"                                                                 \
    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:bob@example.com\">"                        \
    "<tuple id=\"desk\"><status><basic>open</basic></status><contact>sip:bob@desk.example.com;x=1</contact>" \
    "</tuple><tuple id=\"mobile\"><status><basic>" more "</basic></status>"                                  \
    "<contact>sip:bob@mobile.example.com;y=2</contact></tuple></presence>"

// RFC 5263 5: full, then differences with versions that count.
static void test_differences_follow_the_whole(void **state)
{
    const struct flow_step steps[] = {
        {.what = "published",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" DESK("open"),
         .answer = "200"},
        {.what = "F1, F3: full",
         .request = SUBSCRIBE "Event: presence\nExpires: 3600\n"
                              "Accept: application/pidf+xml;q=0.3, application/pidf-diff+xml;q=1\n",
         .answer = "200",
         .notify = "+Content-Type: application/pidf-diff+xml\n~:pidf-full\n~ version=\"1\"\n~id=\"desk\"",
         .status = 200},
        {.what = "F5, F7: the difference",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" DESK("closed"),
         .answer = "200",
         .notify = "+Content-Type: application/pidf-diff+xml\n~:pidf-diff\n~ version=\"2\"\n~closed\n!desk",
         .status = 200},
        {.what = "once more",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" DESK("open"),
         .answer = "200",
         .notify = "~:pidf-diff\n~ version=\"3\"",
         .status = 200},
        {.what = "who asks again gets all of it",
         .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 3600\n"
                          "Accept: application/pidf+xml, application/pidf-diff+xml\n",
         .answer = "200",
         .notify = "~:pidf-full\n~ version=\"4\"",
         .status = 200},
        {.what = "and those who do not take them get none",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n",
         .answer = "200",
         .notify = "+Content-Type: application/pidf+xml\n!pidf-full",
         .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 5263 4.3: as the watcher prefers; RFC 3261 20.1: what has q=0 is not taken at all.
static void test_preferences_are_kept(void **state)
{
    const struct flow_step steps[] = {
        {.what = "published",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" DESK("open"),
         .answer = "200"},
        {.what = "whole rather than partial",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n"
                              "Accept: application/pidf+xml, application/pidf-diff+xml;q=0.999\n",
         .answer = "200",
         .notify = "+Content-Type: application/pidf+xml",
         .status = 200},
        {.what = "equal: partial",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n"
                              "Accept: application/pidf+xml;q=0.5, application/pidf-diff+xml;q=0.500\n",
         .answer = "200",
         .notify = "+Content-Type: application/pidf-diff+xml",
         .status = 200},
        {.what = "never partial",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n"
                              "Accept: application/pidf-diff+xml;q=0.0, application/*;q=0.1\n",
         .answer = "200",
         .notify = "+Content-Type: application/pidf+xml",
         .status = 200},
        {.what = "never whole",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n"
                              "Accept: */*, application/pidf+xml;q=0, application/pidf-diff+xml;q=0.1\n",
         .answer = "200",
         .notify = "+Content-Type: application/pidf-diff+xml",
         .status = 200},
        {.what = "neither",
         .request = SUBSCRIBE "Event: presence\nAccept: application/pidf+xml;level=1;q=0\n",
         .answer = "406\n+Accept: application/pidf+xml"},
    };

    FLOW(*state, steps);
}

// RFC 5263 4.4: who takes differences from now on, and who does so no more.
static void test_a_refresh_may_change_the_type(void **state)
{
    const struct flow_step steps[] = {
        {.what = "published",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" DESK("open"),
         .answer = "200"},
        {.what = "whole",
         .request = SUBSCRIBE "Event: presence\nExpires: 3600\n",
         .answer = "200",
         .notify = "+Content-Type: application/pidf+xml",
         .status = 200},
        {.what = "now partial: all of it first",
         .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 3600\n"
                          "Accept: application/pidf+xml, application/pidf-diff+xml\n",
         .answer = "200",
         .notify = "~:pidf-full\n~ version=\"1\"",
         .status = 200},
        {.what = "the difference",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" DESK("closed"),
         .answer = "200",
         .notify = "~:pidf-diff\n~ version=\"2\"",
         .status = 200},
        {.what = "whole again",
         .request = AGAIN "CSeq: 3 SUBSCRIBE\nEvent: presence\nExpires: 3600\nAccept: application/pidf+xml\n",
         .answer = "200",
         .notify = "+Content-Type: application/pidf+xml\n~<presence",
         .status = 200},
        {.what = "and whole at the end",
         .request = AGAIN "CSeq: 4 SUBSCRIBE\nEvent: presence\nExpires: 0\n"
                          "Accept: application/pidf+xml, application/pidf-diff+xml\n",
         .answer = "200",
         .notify = "~:pidf-full\n~ version=\"3\"\n+Subscription-State: terminated;reason=timeout",
         .status = 200},
    };

    FLOW(*state, steps);
}

// One that was not told of the document before gets all of it.
static void test_who_missed_one_gets_all_of_it(void **state)
{
    const struct flow_step steps[] = {
        {.what = "published",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" DESK("open"),
         .answer = "200"},
        {.what = "full",
         .request =
             SUBSCRIBE "Event: presence;max-rate=1\nExpires: 3600\nAccept: application/pidf-diff+xml\n",
         .answer = "200",
         .notify = "~:pidf-full",
         .status = 200},
        {.what = "two changes at once",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" DESK("closed"),
         .answer = "200"},
        {.what = "of which he missed one",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" OPEN_BODY,
         .answer = "200",
         .wait_ms = 1200,
         .notify = "~:pidf-full\n~ version=\"2\"",
         .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 5839 5.4: figure 3.
static void test_a_poll_of_what_is_known_has_no_body(void **state)
{
    const struct flow_step steps[] = {
        {.what = "(1) to (4)",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n",
         .answer = "200",
         .notify = "~SIP-ETag: \n~<presence",
         .status = 200},
        {.what = "(5) to (8)",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\nSuppress-If-Match: {version}\n",
         .answer = "200",
         .notify = "+SIP-ETag: {version}\n+Content-Length: 0\n-Content-Type\n"
                   "+Subscription-State: terminated;reason=timeout",
         .status = 200},
        {.what = "of what is not known any more",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\nSuppress-If-Match: 0123456789abcdef\n",
         .answer = "200",
         .notify = "~<presence",
         .status = 200},
    };

    FLOW(*state, steps);
}

// Figures 4, 5, 6.
static void test_a_refresh_of_what_is_known_is_answered_204(void **state)
{
    const struct flow_step steps[] = {
        {.what = "begun",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\n",
         .answer = "200",
         .notify = "~<presence",
         .status = 200},
        {.what = "resumed",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\nSuppress-If-Match: {version}\n",
         .answer = "200",
         .notify = "+SIP-ETag: {version}\n+Content-Length: 0\n+Subscription-State: active;expires=600",
         .status = 200},
        {.what = "refreshed",
         .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 3600\nSuppress-If-Match: {version}\n",
         .answer = "204\n+Expires: 3600",
         .wait_ms = 100},
        {.what = "the same again",
         .request = "SUBSCRIBE {target}\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKagain\n"
                    "To: Bob <sip:bob@example.com>;tag={tag}\nCall-ID: {call}\nCSeq: 2 SUBSCRIBE\n"
                    "Event: presence\nExpires: 3600\nSuppress-If-Match: {version}\n",
         .answer = "204",
         .wait_ms = 100},
        {.what = "all that is to come, but not the end",
         .request = AGAIN "CSeq: 3 SUBSCRIBE\nEvent: presence\nExpires: 3600\nSuppress-If-Match: *\n",
         .answer = "204",
         .wait_ms = 100},
    };
    const struct flow_step last[] = {
        {.what = "terminated",
         .request = AGAIN "CSeq: 5 SUBSCRIBE\nEvent: presence\nExpires: 0\nSuppress-If-Match: *\n",
         .answer = "204",
         .wait_ms = 1000},
        {.what = "and gone", .request = AGAIN "CSeq: 6 SUBSCRIBE\nEvent: presence\n", .answer = "481"},
    };
    struct flow *flow = *state;

    FLOW(flow, steps);
    // two watch: the one that began, and the one that is dormant
    flow_request(flow, BOB, PUBLISH "Event: presence\n" BUSY_BODY);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_expect("not him", flow->notify, "+Call-ID: s1");
    flow_answer(flow, 200, NULL);
    strcpy(flow->call, "s2");
    FLOW(flow, last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_differences_follow_the_whole, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_preferences_are_kept, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_refresh_may_change_the_type, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_missed_one_gets_all_of_it, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_poll_of_what_is_known_has_no_body, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_refresh_of_what_is_known_is_answered_204, set_up,
                                        flow_tear_down),
    };

    return cmocka_run_group_tests_name("presence partial", tests, NULL, NULL);
}
