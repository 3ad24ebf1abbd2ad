// NOTIFYs that UDP is not right for (RFC 3261 18.1.1).
#include "flow.h"
#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UDP "192.0.2.4:5060"
#define TCP "tcp:192.0.2.4:5060"
// A note of a thousand bytes, and what is around it.
#define HUNDRED \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define LARGE_BODY(note)                                                                               \
    PIDF("sip:bob@example.com", "t",                                                                   \
         "<note>" note HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED \
         "</note>")

static int set_up(void **state)
{
    struct flow *flow = flow_open("policy = open\nnotify_interval = 0\n",
                                  "[listener t]\naddress = 198.18.0.1:5060\ntransport = tcp\n");
    const struct flow_step steps[] = {
        {.what = "Bob has much to say",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" LARGE_BODY("A"),
         .answer = "200"},
    };

    FLOW(flow, steps);
    *state = flow;
    return 0;
}

static void expect_sent(struct flow *flow, const char *what, const char *left, const char *notify)
{
    fixture_left(flow->fixture, what, left);
    assert_int_equal(flow_notifies(flow), 1);
    flow_expect(what, flow->notify, notify);
}

// A request of alice's or of bob's, and what leaves behind its answer.
static void ask(struct flow *flow, const char *source, const char *request)
{
    flow_request(flow, source, request);
    flow->fixture->outlet->log[0] = 0;
    flow_wait(flow, 8);
}

// What was sent last comes back, as control gives it back where there is no connection.
static void comes_back(struct flow *flow)
{
    struct fixture *f = flow->fixture;
    const struct sent *sent = outlet_find(f->outlet, NULL, "NOTIFY");

    assert_non_null(sent);
    struct endpoint to = sent->to;
    char *bytes = strndup(sent->bytes, sent->len);
    f->outlet->log[0] = 0;
    assert_true(service_unsent(&f->role, slice_of(bytes, sent->len), &to, sent->listener, &f->arrival.now));
    free(bytes);
}

static void test_what_is_large_goes_by_tcp(void **state)
{
    struct flow *flow = *state;

    ask(flow, NULL, SUBSCRIBE "Event: presence\n");
    // Contact leads to where the watcher's requests go, whatever came by TCP
    expect_sent(flow, "the first one", "NOTIFY@" TCP,
                "~Via: SIP/2.0/TCP 198.18.0.1:5060;branch=\n~Contact: <sip:198.18.0.1:5060\n!transport=tcp");
    flow_wait(flow, 20000);
    fixture_left(flow->fixture, "over a stream nothing is sent again", "");
    flow_answer(flow, 200, NULL);
    ask(flow, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY);
    expect_sent(flow, "a small one", "NOTIFY@" UDP, "~Via: SIP/2.0/UDP 198.18.0.1:5060;branch=\n~busy");
    flow_wait(flow, 600);
    fixture_left(flow->fixture, "is sent again", "NOTIFY@" UDP);
    flow_answer(flow, 200, NULL);
    assert_int_equal(flow->fixture->role.grown, 1);
    assert_int_equal(flow->fixture->role.shrunk, 0);
}

static void test_where_nobody_takes_it_it_goes_by_udp(void **state)
{
    struct flow *flow = *state;
    char first[80], second[80];

    ask(flow, NULL, SUBSCRIBE "Event: presence\n");
    expect_sent(flow, "by TCP", "NOTIFY@" TCP, "~Via: SIP/2.0/TCP ");
    sscanf(strstr(flow->notify, ";branch="), "%70s", first);
    const char *cseq = strstr(flow->notify, "\nCSeq: ");
    char line[32];
    snprintf(line, sizeof(line), "~%.*s", (int)strcspn(cseq + 1, "\n"), cseq + 1);
    comes_back(flow);
    expect_sent(flow, "by UDP", "NOTIFY@" UDP, "~Via: SIP/2.0/UDP ");
    flow_expect("it is the same one", flow->notify, line);
    sscanf(strstr(flow->notify, ";branch="), "%70s", second);
    // nothing but the listener that it leaves by is another
    assert_memory_equal(first + sizeof(";branch=z9hG4bKstg.000000") - 1,
                        second + sizeof(";branch=z9hG4bKstg.000000") - 1, 32);
    flow_wait(flow, 600);
    expect_sent(flow, "and again, as UDP needs it", "NOTIFY@" UDP, line);
    flow_answer(flow, 200, NULL);

    ask(flow, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" LARGE_BODY("B"));
    expect_sent(flow, "the next one does not try", "NOTIFY@" UDP, "~B012");
    flow_answer(flow, 200, NULL);
    ask(flow, NULL, AGAIN "CSeq: 2 SUBSCRIBE\nContact: <sip:alice@192.0.2.4:5060>\nEvent: presence\n");
    expect_sent(flow, "nor behind a SUBSCRIBE from there", "NOTIFY@" UDP, "~B012");
    flow_answer(flow, 200, NULL);
    ask(flow, NULL, AGAIN "CSeq: 3 SUBSCRIBE\nContact: <sip:alice@192.0.2.4:5066>\nEvent: presence\n");
    expect_sent(flow, "who moves is asked anew", "NOTIFY@tcp:192.0.2.4:5066", "~B012");
    flow_answer(flow, 200, NULL);
    assert_int_equal(flow->fixture->role.grown, 2);
    assert_int_equal(flow->fixture->role.shrunk, 1);
}

static void test_no_notify_overtakes_the_one_that_goes_by_tcp(void **state)
{
    struct flow *flow = *state;

    ask(flow, NULL, SUBSCRIBE "Event: presence\n");
    expect_sent(flow, "by TCP", "NOTIFY@" TCP, "~A012");
    ask(flow, BOB, PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY);
    fixture_left(flow->fixture, "it waits", "");
    comes_back(flow);
    expect_sent(flow, "what came back says what it said", "NOTIFY@" UDP, "~A012\n!busy");
    flow->fixture->outlet->log[0] = 0;
    flow_answer(flow, 200, NULL);
    expect_sent(flow, "then the newest", "NOTIFY@" UDP, "~busy");
    flow_answer(flow, 200, NULL);
}

// 100 came by the connection: it was heard, and once is enough.
static void test_who_has_heard_is_not_told_by_udp(void **state)
{
    struct flow *flow = *state;

    ask(flow, NULL, SUBSCRIBE "Event: presence\n");
    expect_sent(flow, "by TCP", "NOTIFY@" TCP, "");
    flow_answer(flow, 100, NULL);
    comes_back(flow);
    fixture_left(flow->fixture, "no more", "");
    assert_int_equal(flow->fixture->role.shrunk, 0);
}

static void test_who_cannot_be_reached_by_tcp_gets_udp(void **state)
{
    static const struct {
        const char *what, *source, *request, *left;
    } watchers[] = {
        {"behind a NAT", "203.0.113.4:1024",
         "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 10.0.0.4:5060;rport;branch=z9hG4bKs{n}\n"
         "Call-ID: s{n}\nContact: <sip:alice@10.0.0.4:5060>\nEvent: presence\n",
         "NOTIFY@203.0.113.4:1024"},
        {"IPv6, where no listener has TCP", NULL,
         "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
         "Call-ID: s{n}\nContact: <sip:alice@[2001:db8::4]:5060>\nEvent: presence\n",
         "NOTIFY@[2001:db8::4]:5060"},
        {"over a stream already", "tcp:192.0.2.4:40000#7",
         "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/TCP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
         "Call-ID: s{n}\nContact: <sip:alice@192.0.2.4;transport=tcp>\nEvent: presence\n",
         "NOTIFY@tcp:192.0.2.4:40000#7"},
        {"through a proxy that has it", NULL,
         "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
         "Record-Route: <sip:192.0.2.77;lr>\nCall-ID: s{n}\nContact: <sip:alice@10.0.0.4>\nEvent: presence\n",
         "NOTIFY@tcp:192.0.2.77:5060"},
    };
    struct flow *flow = *state;

    for (unsigned i = 0; i < sizeof(watchers) / sizeof(*watchers); i++) {
        ask(flow, watchers[i].source, watchers[i].request);
        expect_sent(flow, watchers[i].what, watchers[i].left, "~A012");
        flow_answer(flow, 200, NULL);
    }
    assert_int_equal(flow->fixture->role.grown, 1);
}

static void test_any_size_goes_by_udp_where_that_is_wished(void **state)
{
    struct flow *flow = *state;

    flow->fixture->conf->udp_max = 0;
    ask(flow, NULL, SUBSCRIBE "Event: presence\n");
    expect_sent(flow, "0: UDP takes any", "NOTIFY@" UDP, "~A012");
    flow_answer(flow, 200, NULL);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, flow_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_large_goes_by_tcp),
        TEST(test_where_nobody_takes_it_it_goes_by_udp),
        TEST(test_no_notify_overtakes_the_one_that_goes_by_tcp),
        TEST(test_who_has_heard_is_not_told_by_udp),
        TEST(test_who_cannot_be_reached_by_tcp_gets_udp),
        TEST(test_any_size_goes_by_udp_where_that_is_wished),
    };

    return cmocka_run_group_tests_name("presence large", tests, NULL, NULL);
}
