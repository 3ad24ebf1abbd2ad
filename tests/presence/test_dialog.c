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

static int tear_down(void **state)
{
    flow_close(*state);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_comes_again_by_another_connection_is_not_forgotten, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("presence dialog", tests, NULL, NULL);
}
