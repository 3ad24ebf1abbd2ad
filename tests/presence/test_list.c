// Lists of resources (RFC 4662): all of it first, then what changed.
#include "flow.h"
#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST                                               \
    "SUBSCRIBE sip:friends@example.com\n"                  \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKl{n}\n" \
    "To: <sip:friends@example.com>\n"                      \
    "Call-ID: l{n}\n"                                      \
    "Contact: <sip:alice@192.0.2.4:5060>\n"                \
    "Event: presence\n"                                    \
    "Accept: application/pidf+xml, application/rlmi+xml, multipart/related\n"
#define LIST_AGAIN                                         \
    "SUBSCRIBE {target}\n"                                 \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKl{n}\n" \
    "To: <sip:friends@example.com>;tag={tag}\n"            \
    "Call-ID: {call}\n"                                    \
    "Event: presence\n"

static void put_list(struct flow *flow, const struct roster_member *members, unsigned n)
{
    struct roster_draft draft;

    assert_int_equal(roster_list_draft(flow->roster, SLICE("friends@example.com"), members, n, &draft), 0);
    roster_publish(flow->roster, &draft);
}

static int set_up(void **state)
{
    static const struct roster_member members[] = {
        {SLICE("sip:bob@example.com"), SLICE("bob@example.com"), SLICE("Bob")},
        {SLICE("sip:carol@example.com"), SLICE("carol@example.com"), SLICE("Carol & Co")},
        {SLICE("sip:dave@example.com"), SLICE("dave@example.com"), SLICE("")},
        {SLICE("sip:ed@example.net"), SLICE("ed@example.net"), SLICE("Ed")},
    };
    struct flow *flow = flow_open("policy = open\nnotify_interval = 0\n", "");
    struct roster_draft draft;

    put_list(flow, members, 4);
    assert_int_equal(roster_rule_draft(flow->roster, SLICE("dave@example.com"), SLICE("alice@example.com"),
                                       ROSTER_CONFIRM, &draft),
                     0);
    roster_publish(flow->roster, &draft);
    fixture_bind(flow->fixture, "carol@example.com", fixture_contact("sip:carol@192.0.2.12"));
    *state = flow;
    return 0;
}

static int tear_down(void **state)
{
    flow_close(*state);
    return 0;
}

// RFC 4662 6: the flow between subscriber and server.
static void test_a_list_is_told_whole(void **state)
{
    const struct flow_step steps[] = {
        {.what = "Bob is there",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200"},
        {.what = "1, 2: the list",
         .request = LIST "Supported: eventlist\nExpires: 7200\n",
         .answer = "200\n+Require: eventlist\n+Expires: 7200",
         .notify =
             "+Require: eventlist\n~Content-Type: multipart/related;type=\"application/rlmi+xml\"\n"
             "~<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" version=\"0\" uri=\"sip:friends@example.com\" "
             "fullState=\"true\">\n~<resource uri=\"sip:bob@example.com\"><name>Bob</name><instance\n"
             "~state=\"active\"\n~<tuple id=\"t\">\n~<name>Carol &amp; Co</name>\n~sip:carol@192.0.2.12\n"
             "~state=\"pending\"/>\n~<resource uri=\"sip:ed@example.net\"><name>Ed</name></resource>",
         .status = 200},
        {.what = "nothing new", .wait_ms = 3000},
        {.what = "Bob is busy",
         .source = BOB,
         .request = PUBLISH "Event: presence\nSIP-If-Match: {etag}\n" BUSY_BODY,
         .answer = "200",
         .until_ms = 1200,
         .notify = "~version=\"1\"\n~fullState=\"true\"\n~busy\n~carol\n~dave",
         .status = 200},
        {.what = "who asks again gets all of it",
         .request = LIST_AGAIN "CSeq: 2 SUBSCRIBE\nExpires: 7200\nSupported: eventlist\n"
                               "Accept: application/pidf+xml, application/rlmi+xml, multipart/related\n",
         .answer = "200\n+Require: eventlist",
         .notify = "~version=\"2\"\n~fullState=\"true\"\n~busy\n~carol",
         .status = 200},
    };

    FLOW(*state, steps);
}

static void test_a_list_needs_who_can_read_it(void **state)
{
    const struct flow_step steps[] = {
        {.what = "no eventlist", .request = LIST, .answer = "421\n+Require: eventlist"},
    };

    FLOW(*state, steps);
}

static void test_members_come_and_go(void **state)
{
    static const struct roster_member members[] = {
        {SLICE("sip:bob@example.com"), SLICE("bob@example.com"), SLICE("Bob")},
        {SLICE("sip:frank@example.com"), SLICE("frank@example.com"), SLICE("Frank")},
    };
    struct flow *flow = *state;
    const struct flow_step begun = {.what = "begun",
                                    .request = LIST "Supported: eventlist\n",
                                    .answer = "200",
                                    .notify = "~carol\n!frank",
                                    .status = 200};
    const struct flow_step changed = {
        .what = "others", .until_ms = 1200, .notify = "~fullState=\"true\"\n~frank\n!carol", .status = 200};
    const struct flow_step gone = {.what = "no list any more",
                                   .until_ms = 1200,
                                   .notify = "+Subscription-State: terminated;reason=noresource",
                                   .status = 200};

    flow_step(flow, &begun);
    put_list(flow, members, 2);
    flow_step(flow, &changed);
    assert_true(roster_list_remove(flow->roster, SLICE("friends@example.com")));
    flow_step(flow, &gone);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

// Two hundred with a document each fit no message: what does not fit follows, each once.
static void test_a_long_list_is_told_in_pieces(void **state)
{
    enum { MEMBERS = 200 };
    struct roster_member members[MEMBERS];
    char uris[MEMBERS][40];
    struct flow *flow = *state;
    unsigned instances = 0, messages = 0;

    for (unsigned i = 0; i < MEMBERS; i++) {
        snprintf(uris[i], sizeof(uris[i]), "sip:member%03u@example.com", i);
        members[i] = (struct roster_member){slice_text(uris[i]), slice_text(uris[i] + 4), SLICE("")};
    }
    put_list(flow, members, MEMBERS);
    flow_request(flow, NULL, LIST "Supported: eventlist\n");
    for (flow_wait(flow, 8); flow_notifies(flow) > 0; flow_wait(flow, 8)) {
        bool first = messages++ == 0;
        assert_true(strlen(flow->notify) < SIP_MESSAGE_MAX);
        assert_int_equal(count(flow->notify, "fullState=\"true\""), first);
        if (first)
            assert_int_equal(count(flow->notify, "<resource "), MEMBERS);
        instances += count(flow->notify, "<instance ");
        assert_int_equal(count(flow->notify, "<instance "), count(flow->notify, "<presence "));
        flow_answer(flow, 200, NULL);
        assert_true(messages < 20);
    }
    assert_true(messages > 2);
    assert_int_equal(instances, MEMBERS);
    flow_wait(flow, 3000);
    assert_int_equal(flow_notifies(flow), 0);

    const struct flow_step change = {
        .what = "then what changed",
        .until_ms = 1200,
        .notify = "~fullState=\"false\"\n~member007\n!member006\n!member008\n~sip:desk@192.0.2.12",
        .status = 200};
    fixture_bind(flow->fixture, "member007@example.com", fixture_contact("sip:desk@192.0.2.12"));
    flow_step(flow, &change);
    flow_wait(flow, 3000);
    assert_int_equal(flow_notifies(flow), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_list_is_told_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_list_needs_who_can_read_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_members_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_long_list_is_told_in_pieces, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("presence list", tests, NULL, NULL);
}
