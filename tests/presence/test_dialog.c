// Dialogs that SUBSCRIBEs make (RFC 3261 12, RFC 6665 4.4, 4.5): moved, mistaken, repeated, and by whom they are in.
#include "flow.h"
#include "requests.h"

#include <string.h>

static int set_up(void **state)
{
    *state = flow_open("policy = open\nnotify_interval = 0\n",
                       "[listener tcp]\naddress = 198.18.0.1:5060\ntransport = tcp\n");
    return 0;
}

// What the flow's step does, but over a connection of the watcher's.
static void by_connection(struct flow *flow, uint8_t number, const char *contact, unsigned cseq)
{
    struct fixture *f = flow->fixture;
    char request[1024];

    fixture_from(f, "198.51.100.7:40000", 2);
    f->arrival.source.transport = ENDPOINT_TCP;
    f->arrival.source.flow = number;
    snprintf(request, sizeof(request),
             "SUBSCRIBE sip:%s\nVia: SIP/2.0/TCP 10.0.0.5:5060;branch=z9hG4bKc%u\nCall-ID: c\n"
             "To: <sip:bob@example.com>%s%s\nCSeq: %u SUBSCRIBE\nContact: <sip:%s;transport=tcp>\n"
             "Event: presence\nExpires: 3600",
             cseq == 1 ? "bob@example.com" : "198.18.0.1:5060", cseq,
             cseq == 1 ? "" : ";tag=", cseq == 1 ? "" : flow->tag, cseq, contact);
    fixture_request(f, request);
    assert_int_equal(f->verdict.status, 200);
    const char *tag = strstr(f->text, "tag=stp-");
    snprintf(flow->tag, sizeof(flow->tag), "%.28s", tag + 4);
}

// The connection dies without a word while a NOTIFY is on it; the phone comes again by another one. What was lost with
// the first must not end what goes on over the second.
static void test_who_comes_again_by_another_connection_is_not_forgotten(void **state)
{
    struct flow *flow = *state;
    struct fixture *f = flow->fixture;

    by_connection(flow, 3, "alice@10.0.0.5:5060", 1);
    flow_wait(flow, 20000);
    assert_int_equal(flow_notifies(flow), 1);
    by_connection(flow, 4, "alice@10.0.0.5:5060", 2);
    const struct endpoint now = f->arrival.source;
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    const struct sent *sent = outlet_find(f->outlet, NULL, "NOTIFY");
    assert_true(endpoint_equal(&sent->to, &now));
    flow_expect("the next one", flow->notify, "+CSeq: 3 NOTIFY\n~Subscription-State: active");
    flow_wait(flow, 15000); // Timer F of the first
    assert_int_equal(flow_notifies(flow), 0);
    by_connection(flow, 4, "alice@10.0.0.5:5060", 3); // 200, not 481
}

// What never left, for want of a route or a neighbour, is tried again soon; what the network says is not there, later.
static void test_what_never_left_is_tried_again_soon(void **state)
{
    struct flow *flow = *state;
    struct fixture *f = flow->fixture;
    const unsigned soon = (f->conf->t2_ms + 999) / 1000 * 1000 + 50, late = 64 * f->conf->t1_ms + 50;

    flow_request(flow, NULL, SUBSCRIBE "Event: presence\nExpires: 600\n");
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    const struct sent *sent = outlet_find(f->outlet, NULL, "NOTIFY");
    const struct endpoint to = sent->to;
    assert_true(
        service_unsent(&f->role, slice_of(sent->bytes, sent->len), &to, sent->listener, &f->arrival.now));
    flow_wait(flow, soon);
    assert_int_equal(flow_notifies(flow), 1);
    flow_expect("another one", flow->notify, "~Subscription-State: active");
    sent = outlet_find(f->outlet, NULL, "NOTIFY");
    assert_true(service_unreachable(&f->role, slice_of(sent->bytes, sent->len), &f->arrival.now));
    flow_wait(flow, late - 2000);
    assert_int_equal(flow_notifies(flow), 0);
    flow_wait(flow, 2000);
    assert_int_equal(flow_notifies(flow), 1);
}

// Nobody comes back by a connection that has gone, so hardly anything is tried there; by another he is told what he missed.
static void test_nothing_is_sent_to_a_connection_that_has_gone(void **state)
{
    struct flow *flow = *state;
    struct fixture *f = flow->fixture;

    by_connection(flow, 3, "alice@10.0.0.5:5060", 1);
    const struct endpoint gone = f->arrival.source;
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    const struct sent *sent = outlet_find(f->outlet, NULL, "NOTIFY");
    assert_true(service_unsent(&f->role, slice_of(sent->bytes, sent->len), &gone, 2, &f->arrival.now));
    flow_request(flow, BOB, PUBLISH "Event: presence\n" BUSY_BODY);
    flow_wait(flow, 31000);
    assert_int_equal(flow_notifies(flow), 0);
    flow_wait(flow, 1500); // it may have been for want of room
    assert_int_equal(flow_notifies(flow), 1);
    sent = outlet_find(f->outlet, NULL, "NOTIFY");
    assert_true(service_unsent(&f->role, slice_of(sent->bytes, sent->len), &gone, 2, &f->arrival.now));
    flow_wait(flow, 590000);
    assert_int_equal(flow_notifies(flow), 0);
    by_connection(flow, 4, "alice@10.0.0.5:5060", 2);
    flow_wait(flow, 8);
    assert_int_equal(flow_notifies(flow), 1);
    flow_expect("the newest", flow->notify, "~busy");
}

// RFC 6665 4.6: a CANCEL changes nothing.
static void test_a_subscribe_cannot_be_cancelled(void **state)
{
    struct flow *flow = *state;
    const struct flow_step steps[] = {
        {.what = "begun",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\n",
         .answer = "200",
         .notify = "",
         .status = 200},
        {.what = "cancelled",
         .request = "CANCEL sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs1\n"
                    "Call-ID: s1\nCSeq: 1 CANCEL\n"}, // bob's phone says 481 (RFC 3261 16.10)
        {.what = "it goes on",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" BUSY_BODY,
         .answer = "200",
         .notify = "~busy",
         .status = 200},
    };

    fixture_bind(flow->fixture, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    FLOW(flow, steps);
}

// Answers that nobody gave who got the NOTIFY: with another CSeq, to another method, or made up altogether.
static void test_a_forged_answer_ends_nothing(void **state)
{
    struct flow *flow = *state;
    struct fixture *f = flow->fixture;
    const struct flow_step begun = {.what = "begun",
                                    .request = SUBSCRIBE "Event: presence\nExpires: 600\n",
                                    .answer = "200",
                                    .notify = ""};
    const struct flow_step after = {.what = "still there",
                                    .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 600\n",
                                    .answer = "200",
                                    .notify = "",
                                    .status = 200};
    static const char *const changes[][2] = {
        {"CSeq: 2 NOTIFY", "CSeq: 3 NOTIFY"},
        {"CSeq: 2 NOTIFY", "CSeq: 2 INVITE"},
        {"stg.", "xyz."},
        {"00000002\n", "00000003\n"}, // the CSeq in the branch
    };
    char via[256], answer[1024], line[64];

    flow_step(flow, &begun);
    const char *at = strstr(flow->notify, "Via: ");
    snprintf(via, sizeof(via), "%.*s", (int)strcspn(at, "\n"), at);
    for (unsigned i = 0; i < 4 + 16; i++) {
        snprintf(answer, sizeof(answer),
                 "SIP/2.0 481 Gone\n%s\nFrom: <sip:b@x>;tag=b\nTo: <sip:a@x>;tag=a\n"
                 "Call-ID: s1\nCSeq: 2 NOTIFY\nContent-Length: 0",
                 via);
        snprintf(line, sizeof(line), "%s", i < 4 ? changes[i][0] : "");
        char *found = i < 4 ? strstr(answer, line) : strstr(answer, "stg.") + 4 + 4 + 2 + 8 + (i - 4);
        if (i < 4)
            memcpy(found, changes[i][1], strlen(line));
        else
            *found = *found == '0' ? '1' : '0'; // one digit of what only the watcher was told
        fixture_from(f, "203.0.113.66:5060", 0);
        fixture_request(f, answer);
        assert_int_equal(f->verdict.kind, VERDICT_DROP);
    }
    flow_answer(flow, 200, NULL);
    flow_step(flow, &after);
}

// RFC 3261 12.2.2, RFC 6665 4.5.2.
static void test_whoever_is_not_in_a_dialog_gets_nothing_of_it(void **state)
{
    const struct flow_step steps[] = {
        {.what = "begun",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\n",
         .answer = "200",
         .notify = "",
         .status = 200},
        {.what = "another From tag",
         .request = "SUBSCRIBE {target}\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
                    "From: <sip:alice@example.com>;tag=other\nTo: <sip:bob@example.com>;tag={tag}\n"
                    "Call-ID: {call}\nCSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 0\n",
         .answer = "481"},
        {.what = "another Call-ID",
         .request = "SUBSCRIBE {target}\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
                    "To: <sip:bob@example.com>;tag={tag}\nCall-ID: other\nCSeq: 2 SUBSCRIBE\n"
                    "Event: presence\nExpires: 0\n",
         .answer = "481"},
        {.what = "a usage of its own",
         .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence;id=2\n",
         .answer = "403\n~Dialog Sharing Is Not Supported"},
        {.what = "far ahead is no error",
         .request = AGAIN "CSeq: 2147483000 SUBSCRIBE\nEvent: presence\nExpires: 600\n",
         .answer = "200",
         .notify = "+Subscription-State: active;expires=600",
         .status = 200},
        {.what = "behind is one", .request = AGAIN "CSeq: 3 SUBSCRIBE\nEvent: presence\n", .answer = "500"},
        {.what = "out of the numbers that there are",
         .request = AGAIN "CSeq: 4294967296 SUBSCRIBE\nEvent: presence\n",
         .answer = "400"},
        {.what = "it goes on",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" BUSY_BODY,
         .answer = "200",
         .notify = "~busy",
         .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 3261 17.2.2: the answer to the last SUBSCRIBE was lost, and so it comes again behind the last NOTIFY.
static void test_an_end_that_is_repeated_is_answered_again(void **state)
{
    static const char *const conditions[] = {"", "Suppress-If-Match: *\n"};
    struct flow *flow = *state;
    char end[1024];

    for (unsigned i = 0; i < 2; i++) {
        bool quiet = i == 1;
        const char *status =
            quiet ? "204\n+Expires: 0" : "200\n+Expires: 0\n+Contact: <sip:198.18.0.1:5060;gr>";
        snprintf(end, sizeof(end), "%sCSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 0\n%s",
                 "SUBSCRIBE {target}\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKend\n"
                 "To: Bob <sip:bob@example.com>;tag={tag}\nCall-ID: {call}\n",
                 conditions[i]);
        const struct flow_step steps[] = {
            {.what = "begun",
             .request = SUBSCRIBE "Event: presence\nExpires: 600\n",
             .answer = "200",
             .notify = "",
             .status = 200},
            {.what = "ended",
             .request = end,
             .answer = status,
             .notify = quiet ? NULL : "+Subscription-State: terminated;reason=timeout"},
            {.what = "again, the NOTIFY under way or not", .request = end, .answer = status},
        };
        const struct flow_step rest[] = {
            {.what = "again, when it is over", .request = end, .answer = status},
            {.what = "something else in it",
             .request = AGAIN "CSeq: 3 SUBSCRIBE\nEvent: presence\nExpires: 600\n",
             .answer = "481"},
            {.what = "no more", .wait_ms = 33000},
            {.what = "when the transaction is gone, too", .request = end, .answer = "481"},
        };
        FLOW(flow, steps);
        if (!quiet)
            flow_answer(flow, 200, NULL);
        FLOW(flow, rest);
    }
}

// RFC 6665 8.2.1, 8.4: one event, whose id is a token, for it is written into every NOTIFY.
static void test_an_event_is_one_and_well_formed(void **state)
{
    char long_id[3000];
    struct flow *flow = *state;
    const struct flow_step steps[] = {
        {.what = "two", .request = SUBSCRIBE "Event: presence\nEvent: dialog\n", .answer = "400"},
        {.what = "in one line", .request = SUBSCRIBE "Event: presence, dialog\n", .answer = "400"},
        {.what = "an id that is no token",
         .request = SUBSCRIBE "Event: presence;id=\"a b\"\n",
         .answer = "400"},
        {.what = "an id that says nothing", .request = SUBSCRIBE "Event: presence;id\n", .answer = "400"},
        {.what = "in capitals it is another one", .request = SUBSCRIBE "Event: Presence\n", .answer = "489"},
        {.what = "what is not known of it does not matter",
         .request = SUBSCRIBE "Event: presence;param=\"x\";id=a1\nExpires: 0\n",
         .answer = "200",
         .notify = "+Event: presence;id=a1",
         .status = 200},
    };

    FLOW(flow, steps);
    unsigned len = (unsigned)snprintf(long_id, sizeof(long_id), "%sEvent: presence;id=", SUBSCRIBE);
    memset(long_id + len, 'x', 2000);
    strcpy(long_id + len + 2000, "\n");
    flow_request(flow, NULL, long_id);
    assert_int_equal(flow->fixture->verdict.status, 400); // no NOTIFY would have room for it and a document
}

// RFC 3261 12.1.1: a dialog of sips URIs is answered with one, where the listener can be asked by TLS.
static void test_a_secure_dialog_is_answered_with_a_secure_contact(void **state)
{
    struct flow *flow = flow_open("policy = open\nnotify_interval = 0\n",
                                  "[listener tls]\naddress = 198.18.0.1:5061\ntransport = tls\n"
                                  "[certificate c]\nchain = c.pem\nkey = k.pem\n");
    struct fixture *f = flow->fixture;

    (void)state;
    for (unsigned sips = 0; sips < 2; sips++) {
        char request[512];
        fixture_from(f, "198.51.100.7:40000", 2);
        f->arrival.source.transport = ENDPOINT_TLS;
        f->arrival.source.flow = 3;
        snprintf(request, sizeof(request),
                 "SUBSCRIBE sip%s:bob@example.com\nVia: SIP/2.0/TLS 10.0.0.5:5061;branch=z9hG4bK%u\n"
                 "Call-ID: c%u\nContact: <sip%s:alice@10.0.0.5:5061%s>\nEvent: presence",
                 sips ? "s" : "", sips, sips, sips ? "s" : "", sips ? "" : ";transport=tls");
        fixture_request(f, request);
        assert_int_equal(f->verdict.status, 200);
        const char *contact =
            sips ? "+Contact: <sips:198.18.0.1:5061;gr>" : "+Contact: <sip:198.18.0.1:5061;transport=tls;gr>";
        flow_expect("the answer's", f->text, contact);
        flow_wait(flow, 8);
        assert_int_equal(flow_notifies(flow), 1);
        flow_expect("the NOTIFY's", flow->notify, contact);
    }
    flow_close(flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_comes_again_by_another_connection_is_not_forgotten, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_what_never_left_is_tried_again_soon, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_sent_to_a_connection_that_has_gone, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_subscribe_cannot_be_cancelled, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_forged_answer_ends_nothing, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_whoever_is_not_in_a_dialog_gets_nothing_of_it, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_an_end_that_is_repeated_is_answered_again, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_an_event_is_one_and_well_formed, set_up, flow_tear_down),
        cmocka_unit_test(test_a_secure_dialog_is_answered_with_a_secure_contact),
    };

    return cmocka_run_group_tests_name("presence dialog", tests, NULL, NULL);
}
