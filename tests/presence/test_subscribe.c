// SUBSCRIBE and the NOTIFYs that follow it (RFC 6665, RFC 3856).
#include "flow.h"
#include "requests.h"

#include <string.h>

static int set_up(void **state)
{
    *state = flow_open("policy = open\nnotify_interval = 0\n", "");
    return 0;
}

// RFC 3856 8: watcher and server; the presence agent publishes itself.
static void test_a_watcher_is_told_at_once_and_of_each_change(void **state)
{
    const struct flow_step steps[] = {
        {.what = "a subscription",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\nAccept: application/pidf+xml\n",
         .answer = "200\n+Expires: 600\n+Contact: <sip:198.18.0.1:5060;gr>\n~;tag=stp-",
         .notify = "+NOTIFY sip:alice@192.0.2.4:5060 SIP/2.0\n+Event: presence\n"
                   "+Subscription-State: active;expires=600\n+To: Alice <sip:alice@example.com>;tag=a1\n"
                   "+From: Bob <sip:bob@example.com>;tag={tag}\n+Call-ID: s1\n"
                   "+Contact: <sip:198.18.0.1:5060;gr>\n+Max-Forwards: 70\n"
                   "+Content-Type: application/pidf+xml\n~entity=\"sip:bob@example.com\"",
         .status = 200},
        {.what = "he publishes",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200\n+Expires: 3600\n~SIP-ETag: ",
         .notify = "~<basic>open</basic>\n!busy",
         .status = 200},
        {.what = "he is busy",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY,
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

// RFC 6665 4.2.1.4, 4.1.2.3; RFC 3261 12.2.2.
static void test_a_subscription_is_prolonged_moved_and_ended(void **state)
{
    const struct flow_step steps[] = {
        {.what = "begun",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\n",
         .answer = "200",
         .notify = "+CSeq: 2 NOTIFY",
         .status = 200},
        {.what = "prolonged, from another place",
         .wait_ms = 100,
         .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 7000\n"
                          "Contact: <sip:alice@192.0.2.4:5080>\n",
         .answer = "200\n+Expires: 7000",
         .notify = "+NOTIFY sip:alice@192.0.2.4:5080 SIP/2.0\n+CSeq: 3 NOTIFY\n"
                   "+Subscription-State: active;expires=7000",
         .status = 200},
        {.what = "a CSeq of the past",
         .request = AGAIN "CSeq: 1 SUBSCRIBE\nEvent: presence\n",
         .answer = "500"},
        {.what = "of another event",
         .request = AGAIN "CSeq: 3 SUBSCRIBE\nEvent: dialog\n",
         .answer = "403\n~Dialog Sharing Is Not Supported"},
        {.what = "of another id",
         .request = AGAIN "CSeq: 3 SUBSCRIBE\nEvent: presence;id=7\n",
         .answer = "403"},
        {.what = "in another's dialog",
         .request = "SUBSCRIBE {target}\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
                    "To: <sip:bob@example.com>;tag={tag}\nCall-ID: other\nEvent: presence\n",
         .answer = "481"},
        {.what = "ended",
         .request = AGAIN "CSeq: 4 SUBSCRIBE\nEvent: presence\nExpires: 0\n",
         .answer = "200\n+Expires: 0",
         .notify = "+Subscription-State: terminated;reason=timeout\n+Content-Type: application/pidf+xml",
         .status = 200},
        {.what = "it was", .request = AGAIN "CSeq: 5 SUBSCRIBE\nEvent: presence\n", .answer = "481"},
    };

    FLOW(*state, steps);
}

// RFC 6665 4.4.3.
static void test_a_fetch_is_answered_by_one_notify(void **state)
{
    const struct flow_step steps[] = {
        {.what = "a fetch",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n",
         .answer = "200\n+Expires: 0",
         .notify = "+Subscription-State: terminated;reason=timeout\n+Content-Type: application/pidf+xml",
         .status = 200},
        {.what = "and no more",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200",
         .wait_ms = 1000},
    };

    FLOW(*state, steps);
    assert_int_equal(presence_counters(((struct flow *)*state)->presence)->fetched, 1);
}

static void test_what_is_not_served_is_refused(void **state)
{
    const struct flow_step steps[] = {
        {.what = "an unknown event",
         .request = SUBSCRIBE "Event: weather\n",
         .answer = "489\n+Allow-Events: presence, presence.winfo, reg, dialog, message-summary"},
        {.what = "none", .request = SUBSCRIBE, .answer = "489"},
        {.what = "one that is broken", .request = SUBSCRIBE "Event: presence;=\n", .answer = "400"},
        {.what = "too brief",
         .request = SUBSCRIBE "Event: presence\nExpires: 59\n",
         .answer = "423\n+Min-Expires: 60"},
        {.what = "another type of content",
         .request = SUBSCRIBE "Event: presence\nAccept: text/plain\n",
         .answer = "406\n+Accept: application/pidf+xml"},
        {.what = "a difference alone is a form of the same",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\nAccept: application/*\n",
         .answer = "200",
         .notify = "",
         .status = 200},
        {.what = "no Contact",
         .request = "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
                    "Event: presence\n",
         .answer = "400"},
        {.what = "an extension that is not known",
         .request = SUBSCRIBE "Event: presence\nRequire: telepathy\n",
         .answer = "420\n+Unsupported: telepathy"},
        {.what = "a dialog that is not known",
         .request = "SUBSCRIBE sip:198.18.0.1:5060\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
                    "To: <sip:bob@example.com>;tag=stp-000000000000000000000001\nEvent: presence\n",
         .answer = "481"},
        {.what = "a long wish is cut",
         .request = SUBSCRIBE "Event: presence\nExpires: 4294967295\n",
         .answer = "200\n+Expires: 7200",
         .notify = "+Subscription-State: active;expires=7200",
         .status = 481},
    };

    FLOW(*state, steps);
}

// RFC 3261 17.2.3 without server transactions: the same request gets the same answer, and makes nothing new.
static void test_a_repeated_subscribe_makes_nothing_new(void **state)
{
    static const char request[] = "SUBSCRIBE sip:bob@example.com\n"
                                  "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKsame\n"
                                  "Contact: <sip:alice@192.0.2.4:5060>\nEvent: presence\nExpires: 600\n";
    struct flow *flow = *state;
    char tag[64];

    flow_request(flow, NULL, request);
    strcpy(tag, flow->tag);
    flow_request(flow, NULL, request);
    assert_int_equal(flow->fixture->verdict.status, 200);
    assert_string_equal(flow->tag, tag);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_answer(flow, 200, NULL);
    assert_int_equal(presence_counters(flow->presence)->repeated, 1);
    // by another way: RFC 3261 8.2.2.2
    flow->fixture->merges = true;
    flow_request(flow, NULL, request);
    flow_request(flow, NULL,
                 "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKother\n"
                 "Contact: <sip:alice@192.0.2.4:5060>\nEvent: presence\nExpires: 600\n");
    assert_int_equal(flow->fixture->verdict.status, 482);
}

// RFC 3261 17.1.2: Timers E and F; RFC 6665 4.2.2: what is not answered is over.
static void test_a_notify_is_sent_again_until_it_is_answered_or_given_up(void **state)
{
    const struct flow_step steps[] = {
        {.what = "begun",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\n",
         .answer = "200",
         .notify = "+CSeq: 2 NOTIFY",
         .wait_ms = 100},
        {.what = "after T1", .wait_ms = 450, .notify = "+CSeq: 2 NOTIFY"},
        {.what = "he publishes meanwhile: not before that one is answered",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" BUSY_BODY,
         .answer = "200",
         .wait_ms = 300},
        {.what = "twice T1, still the same",
         .wait_ms = 800,
         .notify = "+CSeq: 2 NOTIFY\n!busy",
         .status = 200},
        {.what = "now the newest", .wait_ms = 8, .notify = "+CSeq: 3 NOTIFY\n~busy"},
        {.what = "silence: 10 copies in 64 T1", .wait_ms = 33000, .notify = "", .notifies = 10},
        {.what = "then it is gone", .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\n", .answer = "481"},
    };

    FLOW(*state, steps);
}

// RFC 3261 12.1.1, 12.2.1.1.
static void test_the_route_of_the_subscribe_leads_the_notify_back(void **state)
{
    const struct flow_step steps[] = {
        {.what = "two proxies on the way",
         .source = "192.0.2.30:5060",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\n"
                              "Record-Route: <sip:192.0.2.30;lr>, <sip:192.0.2.31:5070;lr>\n",
         .answer = "200\n+Record-Route: <sip:192.0.2.30;lr>, <sip:192.0.2.31:5070;lr>",
         .notify = "+NOTIFY sip:alice@192.0.2.4:5060 SIP/2.0\n"
                   "+Route: <sip:192.0.2.30;lr>, <sip:192.0.2.31:5070;lr>",
         .status = 200},
        {.what = "a strict router",
         .source = "192.0.2.30:5060",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\n"
                              "Record-Route: <sip:192.0.2.30>, <sip:192.0.2.31;lr>\n",
         .answer = "200",
         .notify = "+NOTIFY sip:192.0.2.30 SIP/2.0\n"
                   "+Route: <sip:192.0.2.31;lr>, <sip:alice@192.0.2.4:5060>",
         .status = 200},
    };
    struct flow *flow = *state;
    struct endpoint proxy;

    FLOW(flow, steps);
    assert_true(endpoint_parse(SLICE("192.0.2.30:5060"), &proxy));
    assert_non_null(outlet_find(flow->fixture->outlet, &proxy, "NOTIFY"));
}

// A watcher behind a NAT is reached where it was seen.
static void test_who_is_behind_a_nat_is_reached_there(void **state)
{
    struct flow *flow = *state;
    struct endpoint seen;

    flow_request(flow, "198.51.100.7:40000",
                 "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKn\n"
                 "Contact: <sip:alice@10.0.0.5:5060>\nEvent: presence\n");
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    assert_true(endpoint_parse(SLICE("198.51.100.7:40000"), &seen));
    assert_non_null(outlet_find(flow->fixture->outlet, &seen, "NOTIFY"));
    flow_expect("its Contact stays", flow->notify, "+NOTIFY sip:alice@10.0.0.5:5060 SIP/2.0");
    flow_answer(flow, 200, NULL);
}

// RFC 6665 4.2.2: these end it; others do not, and Retry-After says when it goes on.
static void test_what_is_answered_to_a_notify_decides(void **state)
{
    static const struct {
        unsigned status;
        const char *header;
        bool stays;
    } cases[] = {
        {404, "", false},
        {405, "", false},
        {410, "", false},
        {416, "", false},
        {480, "", false},
        {481, "", false},
        {482, "", false},
        {483, "", false},
        {484, "", false},
        {485, "", false},
        {489, "", false},
        {501, "", false},
        {604, "", false},
        {408, "", false}, // RFC 3261 12.2.1.2
        {300, "Contact: <sip:elsewhere.example>\n", true},
        {302, "Contact: <sip:elsewhere.example>\n", true},
        {400, "", true},
        {401, "WWW-Authenticate: Digest realm=\"x\", nonce=\"n\"\n", true},
        {403, "", true},
        {407, "Proxy-Authenticate: Digest realm=\"x\", nonce=\"n\"\n", true},
        {486, "", true},
        {487, "", true},
        {500, "", true},
        {503, "Retry-After: 5\n", true},
        {600, "", true},
        {603, "", true},
        {200, "", true},
        {202, "", true},
        {299, "", true},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct flow_step steps[] = {
            {.what = "begun",
             .request = SUBSCRIBE "Event: presence\nExpires: 600\n",
             .answer = "200",
             .notify = "",
             .status = cases[i].status,
             .header = cases[i].header},
            {.what = "nothing follows at once", .wait_ms = 4000},
            {.what = "still there?",
             .wait_ms = 8,
             .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 0\n",
             .answer = cases[i].stays ? "200" : "481",
             .notify = cases[i].stays ? "" : NULL,
             .status = cases[i].stays ? 200 : 0},
        };
        FLOW(*state, steps);
    }
}

// RFC 6446: the newest state, and no more often than is asked for.
static void test_no_more_notifies_than_asked_for(void **state)
{
    const struct flow_step steps[] = {
        {.what = "one in ten seconds",
         .request = SUBSCRIBE "Event: presence;max-rate=0.1\nExpires: 600\n",
         .answer = "200",
         .notify = "+Subscription-State: active;expires=600;max-rate=0.100000",
         .status = 200},
        {.what = "a change",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200"},
        {.what = "another one",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY,
         .answer = "200",
         .wait_ms = 5000},
        {.what = "then the last of them", .wait_ms = 5100, .notify = "~busy", .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 3261 17.1.2: nothing is sent again over a stream, and it goes by the connection that the watcher made alone.
static void test_over_a_stream_it_goes_by_the_watchers_connection(void **state)
{
    struct flow *flow = flow_open("policy = open\nnotify_interval = 0\n",
                                  "[listener tcp]\naddress = 198.18.0.1:5060\ntransport = tcp\n");
    struct fixture *f = flow->fixture;
    struct test_outlet *o = f->outlet;

    (void)state;
    fixture_from(f, "198.51.100.7:40000", 2);
    f->arrival.source.transport = ENDPOINT_TCP;
    f->arrival.source.flow = 3;
    const struct endpoint peer = f->arrival.source;
    fixture_request(f, "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/TCP 10.0.0.5:5060;branch=z9hG4bKn\n"
                       "Contact: <sip:alice@10.0.0.5:5060;transport=tcp>\nEvent: presence");
    assert_int_equal(f->verdict.status, 200);
    flow_expect("our Contact", f->text, "+Contact: <sip:198.18.0.1:5060;transport=tcp;gr>");
    flow_wait(flow, 20000);
    assert_int_equal(flow_notifies(flow), 1);
    const struct sent *sent = outlet_find(o, NULL, "NOTIFY");
    assert_true(endpoint_equal(&sent->to, &peer));
    assert_int_equal(sent->listener, 2);
    flow_expect("by TCP", flow->notify,
                "~Via: SIP/2.0/TCP 198.18.0.1:5060;branch=\n"
                "+Contact: <sip:198.18.0.1:5060;transport=tcp;gr>");
    // it is gone; so is he, unless he comes again
    assert_true(service_unsent(&f->role, slice_of(sent->bytes, sent->len), &peer, 2, &f->arrival.now));
    flow_wait(flow, 1000);
    assert_int_equal(flow_notifies(flow), 0);
    assert_false(
        service_unsent(&f->role, SLICE("NOTIFY sip:x@y SIP/2.0\r\n\r\n"), &peer, 2, &f->arrival.now));
    flow_close(flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_watcher_is_told_at_once_and_of_each_change, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_subscription_is_prolonged_moved_and_ended, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_fetch_is_answered_by_one_notify, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_served_is_refused, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_repeated_subscribe_makes_nothing_new, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_notify_is_sent_again_until_it_is_answered_or_given_up, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_the_route_of_the_subscribe_leads_the_notify_back, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_behind_a_nat_is_reached_there, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_answered_to_a_notify_decides, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_no_more_notifies_than_asked_for, set_up, flow_tear_down),
        cmocka_unit_test(test_over_a_stream_it_goes_by_the_watchers_connection),
    };

    return cmocka_run_group_tests_name("presence subscribe", tests, NULL, NULL);
}
