// What calls and gateways are told: one attempt, one line, and what a gateway carries is given back.
#include "story.h"

#include <stdio.h>
#include <string.h>

#include "call/call.h"
#include "name/name.h"

#define GATEWAYS                                                                                    \
    "[gateways g]\nalgorithm = priority\nanswer_timeout = 2s\nprobe_interval = 0\nprobe_down = 2\n" \
    "[gateway a]\ngroup = g\naddress = 192.0.2.10\n[gateway b]\ngroup = g\naddress = 192.0.2.11\n"  \
    "[route out]\nuser = +*\naction = gateways\ngateways = g\n"

struct attempt {
    struct fixture *f;
    const struct call *call; // when it is over
};

// Tells a story that begins when calls are followed.
static struct attempt follow(const char *events)
{
    const struct story story = {"", NULL, "", "", ""};
    struct attempt attempt = {.f = story_begin(&story, GATEWAYS)};
    struct call_limits limits = {.calls = 8, .longest_ms = 60000, .node = MEMORY_ANY_NODE};
    struct hash_key key = {1, 2};

    assert_int_equal(call_table_create(&attempt.f->role.calls, &limits, &key, &memory_system), 0);
    attempt.f->arrival.now.unix_s = 1000;
    fixture_request(attempt.f,
                    "INVITE sip:+4930@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKfollowed\n"
                    "Call-ID: followed\nFrom: \"A\" <sip:alice@example.com>;tag=a1");
    story_go_on(attempt.f, events);
    attempt.call = call_take(attempt.f->role.calls);
    return attempt;
}

static uint64_t carried(const struct fixture *f, unsigned gateway)
{
    struct gateway_report report;

    gateway_report(f->policy->gateways, gateway, f->arrival.now.ms, &report);
    return report.calls;
}

static void leave(struct attempt *attempt)
{
    fixture_finish(attempt->f);
    if (attempt->call != NULL)
        call_written(attempt->f->role.calls, attempt->call);
    assert_int_equal(carried(attempt->f, 0) + carried(attempt->f, 1), 0);
    call_table_destroy(attempt->f->role.calls);
    attempt->f->role.calls = NULL;
    story_end(attempt->f);
}

// In the dialog that this tag makes with the caller's.
static void bye_to(struct fixture *f, const char *tag)
{
    char text[512];

    snprintf(text, sizeof(text),
             "BYE sip:b@192.0.2.10\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKbye%s\nCall-ID: followed\n"
             "From: <sip:alice@example.com>;tag=a1\nTo: <sip:+4930@example.com>;tag=%s\n"
             "CSeq: 2 BYE\nRoute: <sip:198.18.0.1;lr>",
             tag, tag);
    fixture_request(f, text);
}

static void bye(struct fixture *f)
{
    bye_to(f, "192.0.2.10:5060"); // fixture_answer's
}

static void test_refused_call_is_one_line(void **state)
{
    struct attempt attempt = follow("a486");

    (void)state;
    assert_non_null(attempt.call);
    assert_int_equal(attempt.call->end, CALL_FAILED);
    assert_int_equal(attempt.call->code, 486);
    assert_int_equal(attempt.call->tries, 1);
    assert_string_equal(attempt.call->rule, "out");
    assert_int_equal(attempt.call->answer_ms, 0);
    struct slice uri = call_text(attempt.call, CALL_URI);
    assert_true(slice_equal(uri, SLICE("sip:+4930@example.com")));
    assert_true(slice_equal(call_text(attempt.call, CALL_FROM), SLICE("sip:alice@example.com")));
    assert_true(slice_equal(call_text(attempt.call, CALL_CALL_ID), SLICE("followed")));
    assert_int_equal(attempt.call->source.address[3], 4);
    assert_int_equal(attempt.call->hop.address[3], 10);
    leave(&attempt);
}

static void test_failover_counts_tries_and_moves_the_call(void **state)
{
    struct attempt attempt = follow("a503");

    (void)state;
    assert_null(attempt.call);
    assert_int_equal(carried(attempt.f, 0), 0);
    assert_int_equal(carried(attempt.f, 1), 1);
    story_go_on(attempt.f, "b480");
    attempt.call = call_take(attempt.f->role.calls);
    assert_non_null(attempt.call);
    assert_int_equal(attempt.call->tries, 2);
    assert_int_equal(attempt.call->code, 480);
    assert_int_equal(attempt.call->hop.address[3], 11);
    leave(&attempt);
}

static void test_cancelled_call(void **state)
{
    struct attempt attempt = follow("a180");

    (void)state;
    fixture_request(attempt.f,
                    "CANCEL sip:+4930@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKfollowed\n"
                    "Call-ID: followed");
    story_go_on(attempt.f, "a487");
    attempt.call = call_take(attempt.f->role.calls);
    assert_non_null(attempt.call);
    assert_int_equal(attempt.call->end, CALL_CANCELLED);
    assert_int_equal(attempt.call->code, 487);
    leave(&attempt);
}

static void test_unanswered_call(void **state)
{
    struct attempt attempt = follow("40s");

    (void)state;
    assert_non_null(attempt.call);
    assert_int_equal(attempt.call->end, CALL_TIMEOUT);
    assert_int_equal(attempt.call->code, 408);
    leave(&attempt);
}

static void test_answered_call_ends_with_the_answer_to_its_bye(void **state)
{
    struct attempt attempt = follow("a180 a200");

    (void)state;
    assert_null(attempt.call);
    assert_int_equal(carried(attempt.f, 0), 1);
    story_go_on(attempt.f, "20s");
    bye(attempt.f);
    assert_null(call_take(attempt.f->role.calls));
    fixture_answer(attempt.f, "192.0.2.10:5060", "BYE", 200, "");
    attempt.call = call_take(attempt.f->role.calls);
    assert_non_null(attempt.call);
    assert_int_equal(attempt.call->end, CALL_COMPLETED);
    assert_int_equal(attempt.call->code, 200);
    assert_true(attempt.call->answer_ms >= attempt.call->start_ms);
    leave(&attempt);
}

// A proxy before this one forked it, and the other one rings when the first hangs up.
static void test_bye_ends_the_attempt_that_was_answered(void **state)
{
    struct attempt attempt = follow("a200");

    (void)state;
    fixture_request(attempt.f,
                    "INVITE sip:+4931@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKother\n"
                    "Call-ID: followed\nFrom: \"A\" <sip:alice@example.com>;tag=a1");
    bye(attempt.f);
    fixture_answer(attempt.f, "192.0.2.10:5060", "BYE", 200, "");
    attempt.call = call_take(attempt.f->role.calls);
    assert_non_null(attempt.call);
    assert_int_equal(attempt.call->end, CALL_COMPLETED);
    story_go_on(attempt.f, "40s"); // and silence ends the other
    const struct call *other = call_take(attempt.f->role.calls);
    assert_non_null(other);
    assert_int_equal(other->end, CALL_TIMEOUT);
    call_written(attempt.f->role.calls, other);
    leave(&attempt);
}

static void test_challenged_bye_does_not_end_the_call(void **state)
{
    struct attempt attempt = follow("a200");

    (void)state;
    bye(attempt.f);
    fixture_answer(attempt.f, "192.0.2.10:5060", "BYE", 401, "");
    assert_null(call_take(attempt.f->role.calls));
    story_go_on(attempt.f, "70s"); // longer than a call may last here
    attempt.call = call_take(attempt.f->role.calls);
    assert_non_null(attempt.call);
    assert_int_equal(attempt.call->end, CALL_LOST);
    leave(&attempt);
}

// The call goes on, whatever the callee says to a BYE in a dialog that he does not know.
static void test_bye_of_another_dialog_does_not_end_the_call(void **state)
{
    static const unsigned answers[] = {481, 200};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct attempt attempt = follow("a200");
        bye_to(attempt.f, "another");
        fixture_answer(attempt.f, "192.0.2.10:5060", "BYE", answers[i], "");
        assert_null(call_take(attempt.f->role.calls));
        bye(attempt.f);
        fixture_answer(attempt.f, "192.0.2.10:5060", "BYE", 481, "");
        attempt.call = call_take(attempt.f->role.calls);
        assert_non_null(attempt.call);
        assert_int_equal(attempt.call->end, CALL_COMPLETED);
        leave(&attempt);
    }
}

static void test_callee_may_hang_up(void **state)
{
    struct attempt attempt = follow("a200");

    (void)state;
    fixture_from(attempt.f, "192.0.2.10:5060", 0);
    fixture_request(attempt.f, "BYE sip:alice@192.0.2.4\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKcallee\n"
                               "Call-ID: followed\nFrom: <sip:+4930@example.com>;tag=192.0.2.10:5060\n"
                               "To: <sip:alice@example.com>;tag=a1\nCSeq: 7 BYE\nRoute: <sip:198.18.0.1;lr>");
    fixture_answer(attempt.f, "192.0.2.4:5060", "BYE", 200, "");
    attempt.call = call_take(attempt.f->role.calls);
    assert_non_null(attempt.call);
    assert_int_equal(attempt.call->end, CALL_COMPLETED);
    leave(&attempt);
}

static void test_request_within_a_call_is_no_attempt(void **state)
{
    struct attempt attempt = follow("a486");

    (void)state;
    fixture_request(attempt.f, "INVITE sip:b@192.0.2.10\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKre\n"
                               "To: <sip:+4930@example.com>;tag=t\nRoute: <sip:198.18.0.1;lr>");
    struct call_usage usage;
    call_usage(attempt.f->role.calls, &usage);
    assert_int_equal(usage.begun, 1);
    leave(&attempt);
}

static void test_gateways_hear_what_became_of_requests(void **state)
{
    struct attempt attempt = follow("a503 b486");
    struct gateway_report report;

    (void)state;
    gateway_report(attempt.f->policy->gateways, 0, attempt.f->arrival.now.ms, &report);
    assert_int_equal(report.bad, 1);
    gateway_report(attempt.f->policy->gateways, 1, attempt.f->arrival.now.ms, &report);
    assert_int_equal(report.good, 1);
    leave(&attempt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_call_is_one_line),
        cmocka_unit_test(test_failover_counts_tries_and_moves_the_call),
        cmocka_unit_test(test_cancelled_call),
        cmocka_unit_test(test_unanswered_call),
        cmocka_unit_test(test_answered_call_ends_with_the_answer_to_its_bye),
        cmocka_unit_test(test_bye_ends_the_attempt_that_was_answered),
        cmocka_unit_test(test_challenged_bye_does_not_end_the_call),
        cmocka_unit_test(test_bye_of_another_dialog_does_not_end_the_call),
        cmocka_unit_test(test_callee_may_hang_up),
        cmocka_unit_test(test_request_within_a_call_is_no_attempt),
        cmocka_unit_test(test_gateways_hear_what_became_of_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
