// SUBSCRIBE and the NOTIFYs that follow it (RFC 6665, RFC 3856).
#include "flow.h"

#include <stdio.h>

#define SUBSCRIBE                                          \
    "SUBSCRIBE sip:bob@example.com\n"                      \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n" \
    "Contact: <sip:alice@192.0.2.4:5060>\n"
#define AGAIN                                              \
    "SUBSCRIBE {target}\n"                                 \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n" \
    "To: Bob <sip:bob@example.com>;tag={tag}\n"
#define PUBLISH                                            \
    "PUBLISH sip:bob@example.com\n"                        \
    "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKp{n}\n" \
    "From: <sip:bob@example.com>;tag=b\n"                  \
    "To: <sip:bob@example.com>\n"                          \
    "Call-ID: p{n}\n"                                      \
    "Event: presence\n"
#define OPEN_BODY                                                                     \
    "Content-Type: application/pidf+xml\n\n"                                          \
    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:bob@example.com\">" \
    "<tuple id=\"t\"><status><basic>open</basic></status></tuple></presence>"
#define BUSY_BODY                                                                      \
    "Content-Type: application/pidf+xml\n\n"                                           \
    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:bob@example.com\">" \
    "<tuple id=\"t\"><status><basic>open</basic></status><note>busy</note></tuple></presence>"

static int set_up(void **state)
{
    *state = flow_open("policy = open\nnotify_interval = 0\n", "");
    return 0;
}

static int tear_down(void **state)
{
    flow_close(*state);
    return 0;
}

// RFC 3856 8: watcher and server; the presence agent publishes itself.
static void test_a_watcher_is_told_at_once_and_of_each_change(void **state)
{
    const struct flow_step steps[] = {
        {.what = "a subscription",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\nAccept: application/pidf+xml\n",
         .answer = "200\n+Expires: 600\n+Contact: <sip:198.18.0.1:5060>\n~;tag=stp-",
         .notify = "+NOTIFY sip:alice@192.0.2.4:5060 SIP/2.0\n+Event: presence\n"
                   "+Subscription-State: active;expires=600\n+To: Alice <sip:alice@example.com>;tag=a1\n"
                   "+From: Bob <sip:bob@example.com>;tag={tag}\n+Call-ID: c1@192.0.2.4\n"
                   "+Contact: <sip:198.18.0.1:5060>\n+Max-Forwards: 70\n"
                   "+Content-Type: application/pidf+xml\n~entity=\"sip:bob@example.com\"",
         .status = 200},
        {.what = "he publishes",
         .source = "192.0.2.9:5060",
         .request = PUBLISH OPEN_BODY,
         .answer = "200\n+Expires: 3600\n~SIP-ETag: ",
         .notify = "~<basic>open</basic>\n!busy",
         .status = 200},
        {.what = "he is busy",
         .source = "192.0.2.9:5060",
         .request = PUBLISH "SIP-If-Match: {etag}\n" BUSY_BODY,
         .answer = "200",
         .notify = "~busy\n+Subscription-State: active;expires=600",
         .status = 200},
        {.what = "nothing new, nothing told", .wait_ms = 5000},
        {.what = "it runs out",
         .wait_ms = 595200,
         .notify = "+Subscription-State: terminated;reason=timeout",
         .status = 200},
        {.what = "and is gone", .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\n", .answer = "481"},
    };

    FLOW(*state, steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_watcher_is_told_at_once_and_of_each_change, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("presence subscribe", tests, NULL, NULL);
}
