// CANCEL: RFC 3261 9, 16.10.
#include "story.h"

#include <string.h>

static const struct story stories[] = {
    {"while it rings: 200, CANCEL to the callee, 487 when he has answered", "a", "",
     "a180 cancel a+200 a487 ack", "100>u INVITE>a 180>u CANCEL>a 200>u ACK>a 487>u"},
    {"before any provisional answer it waits for one (9.1)", "a", "", "cancel a100 a+200 a487",
     "100>u INVITE>a 200>u CANCEL>a ACK>a 487>u"},
    {"100 is a provisional answer", "a", "", "a100 cancel", "100>u INVITE>a CANCEL>a 200>u"},
    {"all branches", "a b", "fork = parallel\n", "a180 b183 cancel a487 b487",
     "100>u INVITE>b INVITE>a 180>u 183>u CANCEL>a CANCEL>b 200>u ACK>a ACK>b 487>u"},
    {"487 before what others said", "a b", "fork = parallel\n", "a486 b180 cancel b487",
     "100>u INVITE>b INVITE>a ACK>a 180>u CANCEL>b 200>u ACK>b 487>u"},
    {"no new branch afterwards", "a b:0.5", "", "a180 cancel a487",
     "100>u INVITE>a 180>u CANCEL>a 200>u ACK>a 487>u"},
    {"200 crosses the CANCEL: the call is there", "a", "", "a180 cancel a200 a+481",
     "100>u INVITE>a 180>u CANCEL>a 200>u 200>u"},
    {"after the answer it changes nothing (9.2)", "a", "", "a200 cancel", "100>u INVITE>a 200>u 200>u"},
    {"after a negative answer as well", "a", "", "a486 cancel", "100>u INVITE>a ACK>a 486>u 200>u"},
    {"twice: 200 twice, CANCEL once", "a", "", "a180 cancel cancel",
     "100>u INVITE>a 180>u CANCEL>a 200>u 200>u"},
    {"a callee who does not hear: it is sent again", "a", "", "a180 cancel 600ms",
     "100>u INVITE>a 180>u CANCEL>a 200>u CANCEL>a"},
    {"and when he hears it is not", "a", "", "a180 cancel a+200 3s", "100>u INVITE>a 180>u CANCEL>a 200>u"},
    {"a callee who is dead: 487 when B is over", "a", "", "cancel 500ms 1s 2s 4s 8s 16s 900ms",
     "100>u INVITE>a 200>u INVITE>a INVITE>a INVITE>a INVITE>a INVITE>a INVITE>a 487>u"},
    {"a second 2xx after the CANCEL of a losing branch", "a b", "fork = parallel\n", "a180 b180 a200 b200",
     "100>u INVITE>b INVITE>a 180>u 180>u CANCEL>b 200>u 200>u"},
};

static void test_cancel(void **state)
{
    (void)state;
    STORY_TELL(stories, "");
}

// 9.1, 64 * T1 after it was sent.
static void test_nobody_answers_the_cancel(void **state)
{
    const struct story story = {"", "a", "", "a180 cancel a+200 33s", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    assert_non_null(strstr(story_left(f), "487>u"));
    story_end(f);
}

static void test_cancel_is_the_invite_without_its_body(void **state) // 9.1
{
    const struct story story = {"", "a", "", "a180 cancel", ""};
    struct fixture *f = story_begin(&story, "");
    struct endpoint to = endpoint_ip4(192, 0, 2, 10, 5060);
    char via[200];

    (void)state;
    story_go_on(f, story.events);
    const char *invite = outlet_find(f->outlet, &to, "INVITE")->bytes;
    const char *cancel = outlet_find(f->outlet, &to, "CANCEL")->bytes;
    assert_memory_equal(cancel, "CANCEL sip:bob@192.0.2.10:5060 SIP/2.0\r\nVia: ", 45);
    strncpy(via, strstr(invite, "Via: "), sizeof(via) - 1);
    via[strcspn(via, "\r")] = 0;
    assert_non_null(strstr(cancel, via));
    assert_null(strstr(strstr(cancel, "Via: ") + 5, "Via: "));
    assert_non_null(strstr(cancel, "\r\nCSeq: 1 CANCEL\r\n"));
    assert_non_null(strstr(cancel, "\r\nTo: Bob <sip:bob@example.com>\r\n"));
    assert_null(strstr(cancel, "Max-Breadth"));
    assert_null(strstr(cancel, "Reason"));
    story_end(f);
}

static void test_losers_hear_that_somebody_answered(void **state) // RFC 3326
{
    const struct story story = {"", "a b", "fork = parallel\n", "b180 a200", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    assert_non_null(strstr(outlet_find(f->outlet, NULL, "CANCEL")->bytes,
                           "\r\nReason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"));
    story_end(f);
}

// RFC 3326 2. The one that has said nothing yet hears it later.
static void test_losers_hear_what_the_caller_says(void **state)
{
    const struct story story = {"", "a b", "fork = parallel\n", "b180", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    fixture_request(
        f, "CANCEL sip:bob@example.com\nReason: SIP;cause=200;text=\"Elsewhere\"\nReason: Q.850;cause=26");
    story_go_on(f, "a100");
    assert_string_equal(story_left(f), "100>u INVITE>b INVITE>a 180>u CANCEL>b 200>u CANCEL>a");
    for (char who = 'a'; who <= 'b'; who++) {
        struct endpoint to;
        assert_true(endpoint_parse(slice_text(story_address(who)), &to));
        assert_non_null(strstr(outlet_find(f->outlet, &to, "CANCEL")->bytes,
                               "\r\nReason: SIP;cause=200;text=\"Elsewhere\"\r\nReason: Q.850;cause=26\r\n"));
    }
    story_go_on(f, "a487 b487");
    story_end(f);
}

static void test_cancel_that_no_buffer_was_left_for_is_made_later(void **state)
{
    const struct story story = {"", "a", "", "a180", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    story_left(f);
    f->outlet->fail_each = 1;
    story_go_on(f, "cancel");
    assert_string_equal(story_left(f), "200>u");
    f->outlet->fail_each = 0;
    story_go_on(f, "600ms a+200 a487");
    assert_string_equal(story_left(f), "CANCEL>a ACK>a 487>u");
    story_end(f);
}

static void test_tags_of_200_and_487_are_equal(void **state) // 9.2
{
    const struct story story = {"", "a", "", "cancel 33s", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    const char *cancelled = strstr(outlet_find(f->outlet, NULL, "200")->bytes, ";tag=stg-");
    const char *ended = strstr(outlet_find(f->outlet, NULL, "487")->bytes, ";tag=stg-");
    assert_non_null(cancelled);
    assert_non_null(ended);
    assert_memory_equal(cancelled, ended, 25);
    story_end(f);
}

static void test_unmatched_cancel_goes_on_without_state(void **state) // 16.10
{
    const struct story story = {"", "a", "", "", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    fixture_request(f, "CANCEL sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKother");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.10:5060 by 0");
    story_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_nobody_answers_the_cancel),
        cmocka_unit_test(test_cancel_is_the_invite_without_its_body),
        cmocka_unit_test(test_losers_hear_that_somebody_answered),
        cmocka_unit_test(test_losers_hear_what_the_caller_says),
        cmocka_unit_test(test_cancel_that_no_buffer_was_left_for_is_made_later),
        cmocka_unit_test(test_tags_of_200_and_487_are_equal),
        cmocka_unit_test(test_unmatched_cancel_goes_on_without_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
