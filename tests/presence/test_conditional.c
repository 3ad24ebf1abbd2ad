// What a watcher says of the NOTIFYs he wants: none that he has already (RFC 5839), and how many (RFC 6446).
#include "flow.h"
#include "requests.h"

#include <string.h>

static int set_up(void **state)
{
    *state = flow_open("policy = open\nnotify_interval = 0\n", "");
    return 0;
}

// RFC 5839 5.4, 6.1: nobody else watches, so between two polls nothing is kept; the tag is reckoned anew.
static void test_who_polls_alone_gets_no_body_twice(void **state)
{
    const struct flow_step steps[] = {
        {.what = "a fetch",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n",
         .answer = "200",
         .notify = "~<presence ",
         .status = 200,
         .wait_ms = 100},
        {.what = "much later", .wait_ms = 60000},
        {.what = "another one",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\nSuppress-If-Match: {version}\n",
         .answer = "200",
         .notify = "+Content-Length: 0\n-Content-Type\n+SIP-ETag: {version}\n"
                   "+Subscription-State: terminated;reason=timeout",
         .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 5839 6.2: "as long as the condition remains true", what else is to be said has no body.
static void test_what_ends_unchanged_ends_without_body(void **state)
{
    const struct flow_step steps[] = {
        {.what = "begun",
         .request = SUBSCRIBE "Event: presence;min-rate=0.01\nExpires: 600\n",
         .answer = "200",
         .notify = "~<presence ",
         .status = 200},
        {.what = "prolonged, and not reminded every 100 s",
         .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence;min-rate=0.01\nExpires: 600\n"
                          "Suppress-If-Match: {version}\n",
         .answer = "204\n+Expires: 600",
         .wait_ms = 590000},
        {.what = "run out",
         .until_ms = 11000,
         .notify = "+Subscription-State: terminated;reason=timeout\n+Content-Length: 0\n-Content-Type\n"
                   "+SIP-ETag: {version}",
         .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 6665 6.2: who is blocked politely sees what he would see of who is away, to the last header field.
static void test_who_is_blocked_politely_cannot_tell(void **state)
{
    struct flow *flow = *state;
    const struct flow_step truth[] = {
        {.what = "bob is there",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200"},
        {.what = "his document's tag",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n",
         .answer = "200",
         .notify = "~<basic>open</basic>\n~SIP-ETag: ",
         .status = 200},
    };
    const struct flow_step blocked[] = {
        {.what = "with a tag as any other",
         .request = SUBSCRIBE "Event: presence\nExpires: 600\nSuppress-If-Match: {version}\n",
         .answer = "200",
         .notify = "+Subscription-State: active;expires=600\n~SIP-ETag: \n~<presence \n!open",
         .status = 200},
    };
    const struct flow_step again[] = {
        {.what = "which counts as any other",
         .request = AGAIN "CSeq: 2 SUBSCRIBE\nEvent: presence\nExpires: 600\nSuppress-If-Match: {version}\n",
         .answer = "204"},
        {.what = "and in a dialog of his own",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\nSuppress-If-Match: {version}\n",
         .answer = "200",
         .notify = "+Content-Length: 0\n+SIP-ETag: {version}",
         .status = 200},
    };
    const struct flow_step guess = {
        .what = "the truth is not among what can be guessed",
        .request = AGAIN "CSeq: 3 SUBSCRIBE\nEvent: presence\nExpires: 600\nSuppress-If-Match: {version}\n",
        .answer = "200",
        .notify = "~<presence \n!open",
        .status = 200};
    const struct flow_step let_in = {
        .what = "let in", .until_ms = 100, .notify = "~open\n!closed", .status = 200};
    char true_tag[64], call[64], tag[64];

    FLOW(flow, truth);
    strcpy(true_tag, flow->version);
    flow_rule(flow, "alice@example.com", ROSTER_POLITE);
    FLOW(flow, blocked);
    assert_string_not_equal(flow->version, true_tag);
    strcpy(call, flow->call);
    strcpy(tag, flow->tag);
    FLOW(flow, again);
    strcpy(flow->call, call);
    strcpy(flow->tag, tag);
    strcpy(flow->version, true_tag);
    flow_step(flow, &guess);
    flow_rule(flow, "alice@example.com", ROSTER_ALLOW);
    flow_step(flow, &let_in);
}

// RFC 6446 5.3: fewer than one in its life makes no sense. 9.2: ten places behind the point.
static void test_a_rate_that_leaves_nothing_is_raised(void **state)
{
    const struct flow_step steps[] = {
        {.what = "one in 2,000 s, of 600",
         .request = SUBSCRIBE "Event: presence;max-rate=0.0005\nExpires: 600\n",
         .answer = "200",
         .notify = "+Subscription-State: active;expires=600;max-rate=0.001666",
         .status = 200},
        {.what = "as many as there may be",
         .request = SUBSCRIBE "Event: presence;max-rate=99.9999999999;min-rate=0.0004000000\nExpires: 6000\n",
         .answer = "200",
         .notify = "+Subscription-State: active;expires=6000;max-rate=100.000000;min-rate=0.000400",
         .status = 200},
        {.what = "what is no number says nothing",
         .request = SUBSCRIBE "Event: presence;max-rate=1e3;min-rate=123\nExpires: 600\n",
         .answer = "200",
         .notify = "+Subscription-State: active;expires=600",
         .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 6446 9.3: all rates that are wanted are said again, by the answer to a NOTIFY, too.
static void test_the_answer_to_a_notify_changes_the_rate(void **state)
{
    const struct flow_step steps[] = {
        {.what = "ten seconds between two, twenty at most",
         .request = SUBSCRIBE "Event: presence;max-rate=0.1;min-rate=0.05\nExpires: 600\n",
         .answer = "200",
         .notify = "~;max-rate=0.100000;min-rate=0.050000",
         .status = 200,
         .header = "Event: presence;max-rate=0.5\n"},
        {.what = "two are enough",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" BUSY_BODY,
         .answer = "200",
         .until_ms = 2200,
         .notify = "~busy\n~;max-rate=0.500000\n!min-rate",
         .status = 200},
        {.what = "an answer that says nothing changes nothing, and nothing reminds any more",
         .wait_ms = 60000},
    };

    FLOW(*state, steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_polls_alone_gets_no_body_twice, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_what_ends_unchanged_ends_without_body, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_blocked_politely_cannot_tell, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_rate_that_leaves_nothing_is_raised, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_the_answer_to_a_notify_changes_the_rate, set_up, flow_tear_down),
    };

    return cmocka_run_group_tests_name("presence conditional", tests, NULL, NULL);
}
