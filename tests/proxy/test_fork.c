// Forking: whom it rings, and which response wins. RFC 3261 16.6, 16.7, RFC 5393 5.3.3.
#include "story.h"

#include <stdio.h>
#include <string.h>

#define ALL "100>u INVITE>b INVITE>a " // the copies are sent before the message in hand
#define PAR "fork = parallel\n"

#define GATEWAYS                                                                                   \
    "[gateways g]\nalgorithm = priority\nanswer_timeout = 2s\ntries_max = 3\nprobe_interval = 0\n" \
    "[gateway a]\ngroup = g\naddress = 192.0.2.10\n[gateway b]\ngroup = g\naddress = 192.0.2.11\n" \
    "[gateway c]\ngroup = g\naddress = 192.0.2.12\n"                                               \
    "[route out]\nuser = +*\naction = gateways\ngateways = g\n"

// Both were rung together; who says what, and what goes up.
static const struct story best[] = {
    {"the first 2xx; the others are cancelled", "a b", PAR, "a180 b180 a200",
     ALL "180>u 180>u CANCEL>b 200>u"},
    {"a cancelled branch's 487 is of no interest", "a b", PAR, "a180 b180 a200 b+200 b487",
     ALL "180>u 180>u CANCEL>b 200>u ACK>b"},
    {"a branch without a provisional answer is cancelled with its first", "a b", PAR, "a200 b180",
     ALL "200>u CANCEL>b"},
    {"a second 2xx goes up as well", "a b", PAR, "a200 b200", ALL "200>u 200>u"},
    {"a negative answer waits for the others", "a b", PAR, "a486", ALL "ACK>a"},
    {"2xx after a negative one", "a b", PAR, "a486 b200", ALL "ACK>a 200>u"},
    {"the lowest class: 4xx before 5xx", "a b", PAR, "a500 b486", ALL "ACK>a ACK>b 486>u"},
    {"the same the other way round", "a b", PAR, "b486 a500", ALL "ACK>b ACK>a 486>u"},
    {"3xx before 4xx", "a b", PAR, "a404 b302:c", ALL "ACK>a ACK>b 302>u"},
    {"6xx before all, and the others are cancelled", "a b", PAR, "b180 a603 b487",
     ALL "180>u ACK>a CANCEL>b ACK>b 603>u"},
    {"6xx even before what came earlier", "a b", PAR, "b404 a600", ALL "ACK>b ACK>a 600>u"},
    {"401 before 404", "a b", PAR, "a404 b401:x", ALL "ACK>a ACK>b 401>u"},
    {"407 before 486", "a b", PAR, "a407:x b486", ALL "ACK>a ACK>b 407>u"},
    {"415 before 480", "a b", PAR, "a480 b415", ALL "ACK>a ACK>b 415>u"},
    {"420 before 404", "a b", PAR, "b420 a404", ALL "ACK>b ACK>a 420>u"},
    {"484 before 404", "a b", PAR, "a404 b484", ALL "ACK>a ACK>b 484>u"},
    {"the first of equals", "a b", PAR, "a404 b480", ALL "ACK>a ACK>b 404>u"},
    {"any 5xx before 503", "a b", PAR, "a503 b501", ALL "ACK>a ACK>b 501>u"},
    {"503 from all is 500", "a b", PAR, "a503 b503", ALL "ACK>a ACK>b 500>u"},
    {"an answer before silence", "a b", PAR, "b180 a486 b404", ALL "180>u ACK>a ACK>b 486>u"},
    {"three of them", "a b c", PAR, "a404 b486 c500",
     "100>u INVITE>b INVITE>c INVITE>a ACK>a ACK>b ACK>c 404>u"},
    {"the 4 of RFC 3261 16.7 step 6", "a b c d", PAR, "a503 b407:x c501 d404",
     "100>u INVITE>b INVITE>c INVITE>d INVITE>a ACK>a ACK>b ACK>c ACK>d 407>u"},
    {"ICMP from both is 500", "a b", PAR, "a! b!", ALL "500>u"},
    {"ICMP from one, busy from the other", "a b", PAR, "a! b486", ALL "ACK>b 486>u"},
};

static void test_best_response(void **state)
{
    (void)state;
    STORY_TELL(best, "");
}

static const struct story order[] = {
    {"by q: the highest together, then the next", "a b c:0.5", "", "a404 b404",
     "100>u INVITE>b INVITE>a ACK>a ACK>b INVITE>c"},
    {"by q: the next after all of the highest", "a b c:0.5", "", "a404", ALL "ACK>a"},
    {"by q: the best of all in the end", "a b:0.5", "", "a486 b404",
     "100>u INVITE>a ACK>a INVITE>b ACK>b 486>u"},
    {"serial: one after the other", "a b c:0.5", "fork = serial\n", "a404 b486",
     "100>u INVITE>a ACK>a INVITE>b ACK>b INVITE>c"},
    {"serial: 2xx ends it", "a b", "fork = serial\n", "a404 b200", "100>u INVITE>a ACK>a INVITE>b 200>u"},
    {"serial: 6xx ends it", "a b", "fork = serial\n", "a603", "100>u INVITE>a ACK>a 603>u"},
    {"serial: challenges of all that were asked", "a b", "fork = serial\n", "a407:x b401:y",
     "100>u INVITE>a ACK>a INVITE>b ACK>b 407>u"},
    {"serial: who rings too long makes way", "a b", "fork = serial\nring_timeout = 10s\n", "a180 11s a487",
     "100>u INVITE>a 180>u CANCEL>a CANCEL>a ACK>a INVITE>b"},
    {"serial: the last one may ring on", "a", "fork = serial\nring_timeout = 10s\n", "a180 60s",
     "100>u INVITE>a 180>u"},
    {"serial: ICMP", "a b", "fork = serial\n", "a! b200", "100>u INVITE>a INVITE>b 200>u"},
    {"first: nobody else", "a b", "fork = first\n", "a404", "100>u INVITE>a ACK>a 404>u"},
    {"parallel: not more than branches_max at a time", "a b c", PAR "branches_max = 2\n", "a404 b404",
     ALL "ACK>a ACK>b INVITE>c"},
};

static void test_order_of_targets(void **state)
{
    (void)state;
    STORY_TELL(order, "");
}

static const struct story recursion[] = {
    {"the contacts of a 3xx are tried", "a", "recursion = yes\n", "a302:cd c486 d200",
     "100>u INVITE>a ACK>a INVITE>c INVITE>d ACK>c 200>u"},
    {"in serial order", "a", "recursion = yes\nfork = serial\n", "a302:cd c486 d200",
     "100>u INVITE>a ACK>a INVITE>c ACK>c INVITE>d 200>u"},
    {"the 3xx is no answer then", "a", "recursion = yes\n", "a302:c c486",
     "100>u INVITE>a ACK>a INVITE>c ACK>c 486>u"},
    {"who was asked is not asked again", "a b", "recursion = yes\n", "a302:b b486", ALL "ACK>a ACK>b 302>u"},
    {"a ring of them ends", "a", "recursion = yes\n", "a302:c c302:a",
     "100>u INVITE>a ACK>a INVITE>c ACK>c 302>u"},
    {"a 3xx that leads nowhere goes up", "a", "recursion = yes\n", "a302", "100>u INVITE>a ACK>a 302>u"},
    {"without recursion it goes up", "a", "", "a302:c", "100>u INVITE>a ACK>a 302>u"},
    {"before those of a lower q", "a b:0.5", "recursion = yes\n", "a302:c c404 b200",
     "100>u INVITE>a ACK>a INVITE>c ACK>c INVITE>b 200>u"},
};

static void test_recursion(void **state)
{
    (void)state;
    STORY_TELL(recursion, "");
}

// RFC 3261 16.5: a request-URI that is none of ours gets no other targets.
static void test_no_recursion_for_the_users_of_others(void **state)
{
    const struct story story = {"", "a", "recursion = yes\n", "a200", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    story_left(f);
    fixture_request(f, "INVITE sip:carol@192.0.2.12\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKother");
    story_go_on(f, "c302:d");
    assert_string_equal(story_left(f), "100>u INVITE>c ACK>c 302>u");
    story_end(f);
}

// Who rings for too long makes way for somebody, and not for nobody.
static void test_no_buffer_for_the_next_leaves_the_one_before(void **state)
{
    const struct story story = {"", "a b", "fork = serial\nring_timeout = 10s\n", "9s", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    f->outlet->room = 0;
    story_go_on(f, "2s");
    f->outlet->room = 1000;
    story_left(f);
    story_go_on(f, "a180 a200");
    assert_string_equal(story_left(f), "180>u 200>u");
    story_end(f);
}

static void test_no_buffer_for_the_next_is_tried_again(void **state)
{
    const struct story story = {"", "a b", "fork = serial\nring_timeout = 10s\n", "9s", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    f->outlet->room = 0;
    story_go_on(f, "2s");
    f->outlet->room = 1000;
    story_left(f);
    story_go_on(f, "a486 b200");
    assert_string_equal(story_left(f), "ACK>a INVITE>b 200>u");
    story_end(f);
}

static void test_gateway_that_no_buffer_was_left_for_is_tried_later(void **state)
{
    const struct story story = {"", NULL, "", "a! 1900ms", ""};
    struct fixture *f = story_begin(&story, GATEWAYS);

    (void)state;
    story_go_on(f, story.events);
    f->outlet->room = 0;
    story_go_on(f, "200ms");
    f->outlet->room = 1000;
    story_left(f);
    story_go_on(f, "b503");
    assert_string_equal(story_left(f), "ACK>b INVITE>c");
    story_end(f);
}

// They made room for somebody who cannot be asked: the caller is told, once there is a buffer for that.
static void test_nobody_is_left_when_breadth_and_buffers_are_short(void **state)
{
    const struct story story = {"", "a b", "fork = serial\nring_timeout = 10s\n", "9s", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    f->outlet->fail_each = 1;
    story_go_on(f, "1016ms");
    f->outlet->fail_each = 0;
    story_left(f);
    story_go_on(f, "600ms");
    assert_string_equal(story_left(f), "408>u");
    story_end(f);
}

static const struct story gateways[] = {
    {"one that answers", NULL, "", "a180 a200", "100>u INVITE>a 180>u 200>u"},
    {"5xx: the next", NULL, "", "a503 b200", "100>u INVITE>a ACK>a INVITE>b 200>u"},
    {"500 as well", NULL, "", "a500 b200", "100>u INVITE>a ACK>a INVITE>b 200>u"},
    {"408: the next", NULL, "", "a408 b200", "100>u INVITE>a ACK>a INVITE>b 200>u"},
    {"4xx is an answer", NULL, "", "a486", "100>u INVITE>a ACK>a 486>u"},
    {"6xx is an answer", NULL, "", "a603", "100>u INVITE>a ACK>a 603>u"},
    {"ICMP: the next", NULL, "", "a! b200", "100>u INVITE>a INVITE>b 200>u"},
    {"two dead ones: the third", NULL, "", "a! b! c200", "100>u INVITE>a INVITE>b INVITE>c 200>u"},
    {"none is left", NULL, "", "a503 b500 c502", "100>u INVITE>a ACK>a INVITE>b ACK>b INVITE>c ACK>c 500>u"},
    {"silence: the next", NULL, "", "2100ms b486", "100>u INVITE>a INVITE>a INVITE>a INVITE>b ACK>b 486>u"},
    {"one that was given up and rings late is cancelled", NULL, "", "2100ms a180",
     "100>u INVITE>a INVITE>a INVITE>a INVITE>b CANCEL>a 180>u"},
    {"one that was given up and is picked up late goes up", NULL, "", "2100ms a200",
     "100>u INVITE>a INVITE>a INVITE>a INVITE>b 200>u"},
    {"one that was given up is not asked again", NULL, "", "2100ms b100 5s",
     "100>u INVITE>a INVITE>a INVITE>a INVITE>b"},
    {"100 is a sign of life", NULL, "", "a100 5s", "100>u INVITE>a"},
    {"5xx after ringing", NULL, "", "a183 a503 b200", "100>u INVITE>a 183>u ACK>a INVITE>b 200>u"},
};

static void test_gateways(void **state)
{
    (void)state;
    STORY_TELL(gateways, GATEWAYS);
}

// 16.7 step 7
static void test_all_challenges_go_up(void **state)
{
    const struct story story = {"", "a b c", PAR, "a407:x b401:y c486", ""};
    struct fixture *f = story_begin(&story, "");
    struct endpoint caller = endpoint_ip4(192, 0, 2, 4, 5060);

    (void)state;
    story_go_on(f, story.events);
    const char *bytes = outlet_find(f->outlet, &caller, "407")->bytes;
    assert_non_null(strstr(bytes, "\r\nProxy-Authenticate: x\r\n"));
    assert_non_null(strstr(bytes, "\r\nWWW-Authenticate: y\r\n"));
    story_end(f);
    const struct story last = {"", "a b", PAR, "a401:x b401:y", ""};
    f = story_begin(&last, ""); // the one that is sent is the one in hand, or is kept: both add the other's
    story_go_on(f, last.events);
    bytes = outlet_find(f->outlet, &caller, "401")->bytes;
    assert_non_null(strstr(bytes, "\r\nWWW-Authenticate: x\r\n"));
    assert_non_null(strstr(bytes, "\r\nWWW-Authenticate: y\r\n"));
    story_end(f);
}

static unsigned breadth_of(struct fixture *f, char who)
{
    struct endpoint to;
    unsigned breadth = 0;

    assert_true(endpoint_parse(slice_text(story_address(who)), &to));
    const struct sent *sent = outlet_find(f->outlet, &to, "INVITE");
    assert_non_null(sent);
    assert_int_equal(sscanf(strstr(sent->bytes, "\r\nMax-Breadth:"), "\r\nMax-Breadth: %u", &breadth), 1);
    return breadth;
}

// More than fits: the answer leaves with those that do.
static void test_too_many_challenges(void **state)
{
    const struct story story = {"", "a b c d e f", PAR, "", ""};
    struct fixture *f = story_begin(&story, "");
    char lines[1200] = "WWW-Authenticate: Digest realm=\"", end[] = "\"\n";
    size_t len = strlen(lines);

    (void)state;
    memset(lines + len, 'r', 1000);
    memcpy(lines + len + 1000, end, sizeof(end));
    story_left(f);
    for (char who = 'a'; who <= 'f'; who++) {
        char from[32];
        strcpy(from, story_address(who));
        fixture_answer(f, from, "INVITE", 401, lines);
    }
    assert_string_equal(story_left(f), "ACK>a ACK>b ACK>c ACK>d ACK>e ACK>f 401>u");
    story_end(f);
}

static void test_max_breadth_is_shared_out(void **state) // RFC 5393 5.3.3
{
    const struct story story = {"", "a b c d:0.5", "breadth_max = 10\n", "", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    assert_int_equal(breadth_of(f, 'a') + breadth_of(f, 'b') + breadth_of(f, 'c'), 10);
    assert_true(breadth_of(f, 'a') >= 3 && breadth_of(f, 'b') >= 3 && breadth_of(f, 'c') >= 3);
    story_go_on(f, "a404 b404 c404");
    assert_int_equal(breadth_of(f, 'd'), 10); // 5.3.3.1: it is there again
    story_end(f);
}

static void test_too_little_breadth_forks_one_after_the_other(void **state)
{
    const struct story story = {"", "a b c", PAR "breadth_max = 1\n", "", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, "a404 b404");
    assert_string_equal(story_left(f), "100>u INVITE>a ACK>a INVITE>b ACK>b INVITE>c");
    assert_int_equal(breadth_of(f, 'c'), 1);
    story_end(f);
}

// The branches differ, and only by their number; a response finds its own.
static void test_branches_have_vias_of_their_own(void **state)
{
    const struct story story = {"", "a b", PAR, "", ""};
    struct fixture *f = story_begin(&story, "");
    char via[2][64];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct endpoint to;
        assert_true(endpoint_parse(slice_text(story_address((char)('a' + i))), &to));
        strncpy(via[i], strstr(outlet_find(f->outlet, &to, "INVITE")->bytes, "z9hG4bKstg."), 49);
        via[i][49] = 0;
    }
    assert_true(strcmp(via[0], via[1]) != 0);
    via[0][26] = via[1][26]; // the second digit of the number
    assert_string_equal(via[0], via[1]);
    story_end(f);
}

static void test_no_buffer_for_the_original_is_no_failover(void **state)
{
    const struct story story = {"", "a", "", "", ""};
    struct fixture *f = story_begin(&story, GATEWAYS);

    (void)state;
    f->outlet->fail_each = 1;
    fixture_request(f, "INVITE sip:+4930@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKother");
    f->outlet->fail_each = 0;
    f->outlet->log[0] = 0;
    fixture_answer(f, "192.0.2.10:5060", "INVITE", 503, "");
    assert_string_equal(story_left(f), "ACK>a 500>u");
    story_end(f);
}

// 16.7 step 5: exactly one final answer to what is no INVITE, and nothing to cancel.
static void test_other_methods_fork_as_well(void **state)
{
    const struct story story = {"", "a b", PAR, "a603 b603", ""};
    struct fixture *f = story_begin(&story, "");

    (void)state;
    story_go_on(f, story.events);
    f->outlet->log[0] = 0;
    fixture_request(f, "MESSAGE sip:bob@example.com");
    assert_string_equal(story_left(f), "MESSAGE>b MESSAGE>a");
    fixture_answer(f, story_address('a'), "MESSAGE", 404, "");
    fixture_answer(f, story_address('b'), "MESSAGE", 200, "");
    assert_string_equal(story_left(f), "200>u");
    fixture_request(f, "INFO sip:bob@example.com");
    f->outlet->log[0] = 0;
    fixture_answer(f, story_address('a'), "INFO", 200, "");
    fixture_answer(f, story_address('b'), "INFO", 200, "");
    assert_string_equal(fixture_verdict(f), "drop RESPONSE_LATE");
    assert_string_equal(story_left(f), "200>u");
    fixture_request(f, "UPDATE sip:bob@example.com");
    f->outlet->log[0] = 0;
    fixture_answer(f, story_address('a'), "UPDATE", 404, "");
    fixture_answer(f, story_address('b'), "UPDATE", 408, "");
    assert_string_equal(story_left(f), "404>u");
    story_end(f);
}

// Another configuration holds from a turn to the next; what is in progress goes on by it.
static void reload(struct fixture *f, const char *sections, struct role_policy **before)
{
    static const char base[] = "[server]\nserver_header =\nrecord_route = no\n[port p]\ndevice = net_null0\n"
                               "[listener a]\naddress = 198.18.0.1:5060\nport = p\n[domain example.com]\n";
    struct hash_key key = {1, 2};
    char text[2048];

    snprintf(text, sizeof(text), "%s%s", base, sections);
    struct conf *conf = conf_parse(text, strlen(text), "reload", stderr);
    assert_non_null(conf);
    *before = f->policy;
    f->policy = role_policy_create(conf, f->states, &key, 1, f->arrival.now.ms, stderr);
    assert_non_null(f->policy);
    f->conf = conf;
    f->route = f->policy->route;
    service_renew(&f->role, f->policy);
    role_policy_destroy(*before);
}

static void test_failover_goes_by_the_configuration_of_the_day(void **state)
{
    static const struct {
        const char *name, *phones, *sections, *events, *left;
    } cases[] = {
        {"the same", "a b", "[proxy]\nfork = serial\n", "a404 b486", "ACK>a INVITE>b ACK>b 404>u"},
        {"nobody goes there any more", "a b", "[route no]\naction = reject\ncode = 403\n", "a404",
         "ACK>a 404>u"},
        {"somewhere else now", "a b", "[route hop]\naction = hop\nhop = 192.0.2.13\n", "a503 d200",
         "ACK>a INVITE>d 200>u"},
        {"without transactions for what is new", "a b", "[proxy]\nmode = stateless\nfork = serial\n",
         "a404 b200", "ACK>a INVITE>b 200>u"},
        {"the gateways are gone", NULL, "", "a503", "ACK>a 500>u"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct story story = {"", cases[i].phones, "fork = serial\n", "", ""};
        struct fixture *f = story_begin(&story, cases[i].phones == NULL ? GATEWAYS : "");
        struct role_policy *before;
        story_left(f);
        reload(f, cases[i].sections, &before);
        story_go_on(f, cases[i].events);
        const char *left = story_left(f);
        if (strcmp(left, cases[i].left) != 0)
            fail_msg("%s\nleft:     %s\nexpected: %s", cases[i].name, left, cases[i].left);
        story_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_response),
        cmocka_unit_test(test_order_of_targets),
        cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_no_recursion_for_the_users_of_others),
        cmocka_unit_test(test_no_buffer_for_the_next_leaves_the_one_before),
        cmocka_unit_test(test_no_buffer_for_the_next_is_tried_again),
        cmocka_unit_test(test_gateway_that_no_buffer_was_left_for_is_tried_later),
        cmocka_unit_test(test_nobody_is_left_when_breadth_and_buffers_are_short),
        cmocka_unit_test(test_gateways),
        cmocka_unit_test(test_all_challenges_go_up),
        cmocka_unit_test(test_too_many_challenges),
        cmocka_unit_test(test_max_breadth_is_shared_out),
        cmocka_unit_test(test_too_little_breadth_forks_one_after_the_other),
        cmocka_unit_test(test_branches_have_vias_of_their_own),
        cmocka_unit_test(test_other_methods_fork_as_well),
        cmocka_unit_test(test_failover_goes_by_the_configuration_of_the_day),
        cmocka_unit_test(test_no_buffer_for_the_original_is_no_failover),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
