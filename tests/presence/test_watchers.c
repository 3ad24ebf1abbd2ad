// Who watches: as whom he counts, by what he is judged, and what the user hears of him (RFC 3325, RFC 3856 6.6, RFC 3857).
#include "flow.h"
#include "requests.h"

#include <string.h>

#define GATEWAY "192.0.2.77:5060"
#define ASSERTING(identity)                                 \
    "SUBSCRIBE sip:bob@example.com\n"                       \
    "Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKg{n}\n" \
    "From: <sip:anonymous@anonymous.invalid>;tag=g{n}\n"    \
    "Call-ID: g{n}\n"                                       \
    "Contact: <sip:gateway@192.0.2.77:5060>\n"              \
    "Event: presence\n" identity
#define BOB_WATCHES_WATCHERS BOB_SUBSCRIBES "Event: presence.winfo\n"

static int set_up(void **state)
{
    *state = flow_open("notify_interval = 0\n", "[trust]\nnetworks = 192.0.2.77\n");
    return 0;
}

// RFC 3325 9.1: From may say anything, where somebody is trusted to say who it is.
static void test_whom_the_trusted_assert_is_who_watches(void **state)
{
    static const struct {
        const char *what, *source, *request, *state;
    } cases[] = {
        {"of the domain", GATEWAY, ASSERTING("P-Asserted-Identity: \"Alice\" <sip:alice@example.com>\n"),
         "active"},
        {"behind a number", GATEWAY,
         ASSERTING("P-Asserted-Identity: <tel:+15550100>, <sip:alice@example.com>\n"), "active"},
        {"in two lines", GATEWAY,
         ASSERTING("P-Asserted-Identity: <tel:+15550100>\nP-Asserted-Identity: <sip:alice@example.com>\n"),
         "active"},
        {"a stranger", GATEWAY, ASSERTING("P-Asserted-Identity: <sip:eve@example.org>\n"), "pending"},
        {"by nobody who is trusted", "192.0.2.5:5060",
         ASSERTING("P-Asserted-Identity: <sip:alice@example.com>\n"), "pending"},
        {"who wants to be nobody", GATEWAY,
         ASSERTING("P-Asserted-Identity: <sip:alice@example.com>\nPrivacy: id\n"), "pending"},
        {"who does not mind", GATEWAY,
         ASSERTING("P-Asserted-Identity: <sip:alice@example.com>\nPrivacy: none\n"), "active"},
        {"what is no identity", GATEWAY, ASSERTING("P-Asserted-Identity: <<>>\n"), "pending"},
    };
    struct flow *flow = *state;
    char expected[64];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(expected, sizeof(expected), "~Subscription-State: %s", cases[i].state);
        const struct flow_step step = {.what = cases[i].what,
                                       .source = cases[i].source,
                                       .request = cases[i].request,
                                       .answer = "200",
                                       .notify = expected,
                                       .status = 481};
        flow_step(flow, &step);
    }
}

// RFC 3858 3.2: "the authenticated identity", and what is decided of it later concerns that, too.
static void test_an_asserted_watcher_is_seen_and_judged_as_such(void **state)
{
    struct flow *flow = *state;
    struct fixture *f = flow->fixture;
    const struct flow_step steps[] = {
        {.what = "bob watches his watchers",
         .source = BOB,
         .request = BOB_WATCHES_WATCHERS,
         .answer = "200",
         .notify = "!<watcher ",
         .status = 200},
        {.what = "one comes by the gateway",
         .source = GATEWAY,
         .request = ASSERTING("P-Asserted-Identity: <sip:eve@example.org>\n"),
         .answer = "200",
         .notify = "",
         .notifies = 2},
    };
    struct endpoint bob, gateway;

    FLOW(flow, steps);
    endpoint_parse(SLICE("192.0.2.9:5060"), &bob);
    endpoint_parse(SLICE("192.0.2.77:5060"), &gateway);
    assert_non_null(strstr(outlet_find(f->outlet, &bob, "NOTIFY")->bytes, ">sip:eve@example.org</watcher>"));
    fixture_answer(f, "192.0.2.9:5060", "NOTIFY", 200, "");
    fixture_answer(f, "192.0.2.77:5060", "NOTIFY", 200, "");
    flow_rule(flow, "eve@example.org", ROSTER_ALLOW);
    flow_wait(flow, 24);
    assert_int_equal(flow_notifies(flow), 2);
    assert_non_null(strstr(outlet_find(f->outlet, &gateway, "NOTIFY")->bytes, "Subscription-State: active"));
    fixture_answer(f, "192.0.2.9:5060", "NOTIFY", 200, "");
    fixture_answer(f, "192.0.2.77:5060", "NOTIFY", 200, "");
}

// Mostly it is said where the dialog begins, and not again; somebody else in that dialog is nobody.
static void test_who_was_asserted_stays_so_in_his_dialog(void **state)
{
#define REFRESH(address, cseq)                          \
    "SUBSCRIBE {target}\n"                              \
    "Via: SIP/2.0/UDP " address ";branch=z9hG4bKr{n}\n" \
    "From: <sip:anonymous@anonymous.invalid>;tag=g1\n"  \
    "To: Bob <sip:bob@example.com>;tag={tag}\n"         \
    "Call-ID: g1\nCSeq: " cseq " SUBSCRIBE\nEvent: presence\n"
    const struct flow_step steps[] = {
        {.what = "begun",
         .source = GATEWAY,
         .request = ASSERTING("P-Asserted-Identity: <sip:alice@example.com>\n"),
         .answer = "200",
         .notify = "~Subscription-State: active",
         .status = 200},
        {.what = "prolonged",
         .source = GATEWAY,
         .request = REFRESH("192.0.2.77:5060", "2"),
         .answer = "200",
         .notify = "~Subscription-State: active",
         .status = 200},
        {.what = "by who is asserted to be another",
         .source = GATEWAY,
         .request = REFRESH("192.0.2.77:5060", "3") "P-Asserted-Identity: <sip:eve@example.org>\n",
         .answer = "200",
         .notify = "~Subscription-State: pending",
         .status = 200},
        {.what = "by the first again",
         .source = GATEWAY,
         .request = REFRESH("192.0.2.77:5060", "4"),
         .answer = "200",
         .notify = "~Subscription-State: active",
         .status = 200},
        {.what = "by nobody who is trusted",
         .source = "192.0.2.5:5060",
         .request = REFRESH("192.0.2.5:5060", "5"),
         .answer = "200",
         .notify = "~Subscription-State: pending",
         .status = 200},
    };

    FLOW(*state, steps);
}

// A gateway that is trusted to say who somebody is does not give him what only that gateway may have.
static void test_who_is_asserted_may_no_more_than_he(void **state)
{
    static const struct {
        const char *what, *identity;
        unsigned watches, publishes;
    } cases[] = {
        {"a voicemail, for its own sake", "", 200, 200},
        {"an element that says its name", "P-Asserted-Identity: <sip:voicemail.example.com>\n", 200, 200},
        {"the user himself", "P-Asserted-Identity: <sip:bob@example.com>\n", 200, 200},
        {"another user", "P-Asserted-Identity: <sip:alice@example.com>\n", 403, 403},
        {"another user who does not say so", "P-Asserted-Identity: <sip:alice@example.com>\nPrivacy: id\n",
         403, 403},
    };
    struct flow *flow = *state;
    char request[2048];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(request, sizeof(request),
                 "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKe{n}\n"
                 "From: <sip:x@gateway.example>;tag=e{n}\nCall-ID: e{n}\nContact: <sip:192.0.2.77>\n"
                 "Event: presence.winfo\n%s",
                 cases[i].identity);
        flow_request(flow, GATEWAY, request);
        assert_int_equal(flow->fixture->verdict.status, cases[i].watches);
        flow_wait(flow, 8);
        if (flow_notifies(flow) > 0)
            flow_answer(flow, 481, NULL);
        snprintf(request, sizeof(request),
                 "PUBLISH sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKp{n}\n"
                 "From: <sip:x@gateway.example>;tag=p{n}\nTo: <sip:bob@example.com>\nCall-ID: p{n}\n%s"
                 "Event: presence\n" OPEN_BODY,
                 cases[i].identity);
        flow_request(flow, GATEWAY, request);
        assert_int_equal(flow->fixture->verdict.status, cases[i].publishes);
    }
}

// RFC 3856 5: a watcher may name himself by a pres URI.
static void test_a_pres_uri_names_the_same_user(void **state)
{
    const struct flow_step steps[] = {
        {.what = "of the domain",
         .request = "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKs{n}\n"
                    "From: <pres:alice@example.com>;tag=p\nTo: <pres:bob@example.com>\nCall-ID: p{n}\n"
                    "Contact: <sip:alice@192.0.2.4:5060>\nEvent: presence\n",
         .answer = "200",
         .notify = "~Subscription-State: active\n+To: <pres:alice@example.com>;tag=p",
         .status = 200},
    };

    FLOW(*state, steps);
}

// RFC 3857 4.7.2: no notifications for states that pass at once.
static void test_a_fetch_is_no_watcher(void **state)
{
    const struct flow_step steps[] = {
        {.what = "bob watches his watchers",
         .source = BOB,
         .request = BOB_WATCHES_WATCHERS,
         .answer = "200",
         .notify = "!<watcher ",
         .status = 200},
        {.what = "alice looks once",
         .request = SUBSCRIBE "Event: presence\nExpires: 0\n",
         .answer = "200",
         .notify = "+Subscription-State: terminated;reason=timeout\n+Call-ID: s2",
         .status = 200},
        {.what = "which is nobody's business", .wait_ms = 1000},
    };

    FLOW(*state, steps);
}

#define TOLD(text) "+Event: presence.winfo\n" text

// RFC 3857 4.7.1: he comes too early, and the user learns of it when he comes home himself.
static void test_who_waited_in_vain_is_told_of(void **state)
{
    struct flow *flow = *state;
    const struct flow_step before[] = {
        {.what = "a stranger asks",
         .source = "192.0.2.5:5060",
         .request = STRANGER "Expires: 60\n",
         .answer = "200",
         .notify = "~Subscription-State: pending",
         .status = 200},
        {.what = "and gives up", .until_ms = 61000, .notify = "~terminated;reason=timeout", .status = 200},
        {.what = "bob comes home, days later", .wait_ms = 300000000},
        {.what = "he looks",
         .source = BOB,
         .request = BOB_WATCHES_WATCHERS,
         .answer = "200",
         .notify = TOLD("~status=\"waiting\" event=\"timeout\"\n~>sip:eve@example.org</watcher>"),
         .status = 200},
        {.what = "eve looks once",
         .source = "192.0.2.5:5060",
         .request = STRANGER "Expires: 0\n",
         .answer = "200",
         .notify = "~terminated;reason=timeout\n+Content-Length: 0",
         .status = 200},
    };
    struct fixture *f = flow->fixture;
    struct endpoint bob;

    FLOW(flow, before);
    endpoint_parse(SLICE("192.0.2.9:5060"), &bob);
    const char *told = outlet_find(f->outlet, &bob, "NOTIFY")->bytes;
    assert_non_null(strstr(told, "status=\"waiting\""));
    assert_null(strstr(strstr(told, "<watcher ") + 1, "<watcher ")); // once, though she asked twice
    flow_rule(flow, "eve@example.org", ROSTER_ALLOW);
    const struct flow_step decided = {
        .what = "he has decided", .until_ms = 100, .notify = TOLD("!<watcher "), .status = 200};
    flow_step(flow, &decided);
}

// Who asks again is not told of twice; who was let in is not, either.
static void test_who_asks_again_waits_no_more(void **state)
{
    struct flow *flow = *state;
    struct fixture *f = flow->fixture;
    const struct flow_step steps[] = {
        {.what = "a fetch",
         .source = "192.0.2.5:5060",
         .request = STRANGER "Expires: 0\n",
         .answer = "200",
         .notify = "",
         .status = 200},
        {.what = "a subscription",
         .source = "192.0.2.5:5060",
         .request = STRANGER,
         .answer = "200",
         .notify = "~pending",
         .status = 200},
        {.what = "he looks",
         .source = BOB,
         .request = BOB_WATCHES_WATCHERS,
         .answer = "200",
         .notify = TOLD("~status=\"pending\"\n!waiting"),
         .status = 200},
    };
    struct endpoint bob;

    FLOW(flow, steps);
    flow_rule(flow, "eve@example.org", ROSTER_ALLOW);
    flow_wait(flow, 24);
    assert_int_equal(flow_notifies(flow), 2);
    fixture_answer(f, "192.0.2.5:5060", "NOTIFY", 481, "");
    fixture_answer(f, "192.0.2.9:5060", "NOTIFY", 200, "");
    flow_wait(flow, 24);
    assert_int_equal(flow_notifies(flow), 1);
    endpoint_parse(SLICE("192.0.2.9:5060"), &bob);
    assert_null(strstr(outlet_find(f->outlet, &bob, "NOTIFY")->bytes, "<watcher "));
    fixture_answer(f, "192.0.2.9:5060", "NOTIFY", 200, "");
}

// Though he never answered: he is sent away, and that is told.
static void test_who_is_sent_away_is_told_of(void **state)
{
    struct flow *flow = flow_open("policy = open\nnotify_interval = 0\npolite = no\n", "");
    struct fixture *f = flow->fixture;
    const struct flow_step steps[] = {
        {.what = "bob watches his watchers",
         .source = BOB,
         .request = BOB_WATCHES_WATCHERS,
         .answer = "200",
         .notify = TOLD("!<watcher "),
         .status = 200},
        {.what = "a stranger watches",
         .source = "192.0.2.5:5060",
         .request = STRANGER,
         .answer = "200",
         .notify = "",
         .notifies = 2},
    };
    struct endpoint bob;

    (void)state;
    FLOW(flow, steps);
    fixture_answer(f, "192.0.2.9:5060", "NOTIFY", 200, "");
    flow_rule(flow, "eve@example.org", ROSTER_BLOCK);
    flow_wait(flow, 24);
    endpoint_parse(SLICE("192.0.2.9:5060"), &bob);
    assert_non_null(
        strstr(outlet_find(f->outlet, &bob, "NOTIFY")->bytes, "status=\"terminated\" event=\"rejected\""));
    flow_close(flow);
}

// By any number of strangers no more than a few are remembered, the latest of them.
static void test_few_who_wait_are_remembered(void **state)
{
    struct flow *flow = *state;
    char request[1024];

    for (unsigned i = 0; i < 40; i++) {
        snprintf(request, sizeof(request),
                 "SUBSCRIBE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bKx{n}\n"
                 "From: <sip:eve%u@example.org>;tag=e{n}\nCall-ID: x{n}\n"
                 "Contact: <sip:eve@192.0.2.5:5060>\nEvent: presence\nExpires: 0\n",
                 i);
        flow_request(flow, "192.0.2.5:5060", request);
        flow_wait(flow, 8);
        assert_int_equal(flow_notifies(flow), 1);
        flow_answer(flow, 200, NULL);
    }
    const struct flow_step look = {.what = "he looks",
                                   .source = BOB,
                                   .request = BOB_WATCHES_WATCHERS,
                                   .answer = "200",
                                   .notify = TOLD("~sip:eve39@\n~sip:eve24@\n!sip:eve23@"),
                                   .status = 200};
    flow_step(flow, &look);
}

// By a reload: whoever watches is judged by what holds now, not when he asks again an hour later.
static void test_another_policy_holds_at_once(void **state)
{
    struct flow *flow = *state;
    struct fixture *f = flow->fixture;
    const struct flow_step before[] = {
        {.what = "bob is there",
         .source = BOB,
         .request = PUBLISH "Event: presence\n" OPEN_BODY,
         .answer = "200"},
        {.what = "a stranger waits",
         .source = "192.0.2.5:5060",
         .request = STRANGER,
         .answer = "200",
         .notify = "~Subscription-State: pending",
         .status = 200},
    };
    const struct flow_step open = {.what = "everybody may",
                                   .until_ms = 100,
                                   .notify = "~Subscription-State: active\n~<basic>open</basic>",
                                   .status = 200};
    const struct flow_step list = {.what = "nobody may",
                                   .until_ms = 100,
                                   .notify = "~Subscription-State: pending\n+Content-Length: 0",
                                   .status = 200};

    FLOW(flow, before);
    f->conf->presence_policy = CONF_PRESENCE_OPEN;
    service_renew(&f->role, f->policy);
    flow_step(flow, &open);
    service_renew(&f->role, f->policy); // the same again
    flow_wait(flow, 1000);
    assert_int_equal(flow_notifies(flow), 0);
    f->conf->presence_policy = CONF_PRESENCE_LIST;
    service_renew(&f->role, f->policy);
    flow_step(flow, &list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whom_the_trusted_assert_is_who_watches, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_an_asserted_watcher_is_seen_and_judged_as_such, set_up,
                                        flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_was_asserted_stays_so_in_his_dialog, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_asserted_may_no_more_than_he, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_pres_uri_names_the_same_user, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_a_fetch_is_no_watcher, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_waited_in_vain_is_told_of, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_who_asks_again_waits_no_more, set_up, flow_tear_down),
        cmocka_unit_test(test_who_is_sent_away_is_told_of),
        cmocka_unit_test_setup_teardown(test_few_who_wait_are_remembered, set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(test_another_policy_holds_at_once, set_up, flow_tear_down),
    };

    return cmocka_run_group_tests_name("presence watchers", tests, NULL, NULL);
}
