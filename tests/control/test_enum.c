// ENUM by the sections of RFC 6116, and what its expressions may do.
#include "dns_scene.h"

#include <errno.h>
#include <stdio.h>

#include "control/dns_rewrite.h"

#define NUMBER "441164960348"
#define DOMAIN "8.4.3.0.6.9.4.6.1.1.4.4.e164.example"

static void assert_uri(struct dns_scene *scene, const char *number, const char *expected)
{
    const struct name_answer *answer = dns_scene_ask(scene, number, 0, NAME_ENUM);

    assert_true(slice_equal(answer->uri, slice_text(expected)));
    assert_false(answer->failed);
    assert_int_equal(answer->hops_n, 0);
}

static void test_digits_are_asked_for_in_reverse(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, DOMAIN " NAPTR/90 10 50 u E2U+sip '!^.*$!sip:info@example.com!' .");
    assert_uri(&s, NUMBER, "sip:info@example.com");
    assert_int_equal(nameserver_asked_for(&s.server, DOMAIN " NAPTR udp"), 1);
    const struct name_answer *answer = dns_scene_find(&s, NUMBER, 0, NAME_ENUM);
    assert_int_equal(answer->expires_ms - s.now_ms, 90000);
    dns_scene_close(&s);
}

static void test_plus_and_separators_do_not_count(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, DOMAIN " NAPTR 10 50 u E2U+sip '!^.*$!sip:info@example.com!' .");
    assert_uri(&s, "+44-116-496-0348", "sip:info@example.com");
    assert_uri(&s, "+", "");
    assert_uri(&s, "no-digits", "");
    assert_uri(&s, "12345678901234567890123456789012", ""); // 32 of them
    assert_int_equal(nameserver_asked(&s.server), 1);
    dns_scene_close(&s);
}

static void test_order_then_preference_decide(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, DOMAIN " NAPTR 20 10 u E2U+sip '!^.*$!sip:third@example.com!' .");
    nameserver_add(&s.server, DOMAIN " NAPTR 10 60 u E2U+sip '!^.*$!sip:second@example.com!' .");
    nameserver_add(&s.server, DOMAIN " NAPTR 10 50 u E2U+sip '!^.*$!sip:first@example.com!' .");
    assert_uri(&s, NUMBER, "sip:first@example.com");
    dns_scene_close(&s);
}

static void test_services_that_lead_to_sip(void **state)
{
    static const struct {
        const char *service;
        bool taken;
    } cases[] = {
        {"E2U+sip", true},         {"e2u+SIP", true},           {"E2U+pstn:sip", true},
        {"E2U+h323+sip", true},    {"E2U+sip+tel", true},       {"sip+E2U", true},
        {"E2U+pstn:tel", false},   {"E2U+email:mailto", false}, {"E2U", false},
        {"E2U+", false},           {"E2U+x-sip", false},        {"sip", false},
        {"E2U+voice:sipx", false}, {"SIP+D2U", false},          {"E2U+P-sip", false},
    };

    (void)state;
    struct dns_scene s;
    dns_scene_open(&s, "");
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        char number[16];
        snprintf(number, sizeof(number), "1%02u", i);
        nameserver_add(&s.server, "%c.%c.1.e164.example NAPTR 1 1 u %s '!^.*$!sip:x@example.com!' .",
                       number[2], number[1], cases[i].service);
        assert_uri(&s, number, cases[i].taken ? "sip:x@example.com" : "");
    }
    dns_scene_close(&s);
}

static void test_a_record_that_does_not_do_gives_way_to_the_next(void **state)
{
    static const char *const bad[] = {
        "u E2U+sip '!^\\+49(.*)$!sip:\\1@example.com!' .", // does not match
        "u E2U+sip '!^.*$!tel:+441164960348!' .",          // no sip URI
        "u E2U+sip '!^.*$!sips:x@example.com!' .",         // not over UDP
        "u E2U+sip '!^.*$!sip:a b@example.com!' .",        // no URI at all
        "u E2U+sip '!^.*$!sip:!' .",                       // no host
        "u E2U+sip '!^.*$!sip:x@example.com' .",           // two delimiters
        "u E2U+sip '!^.*$!sip:x@example.com!!' .",         // four
        "u E2U+sip '!^.*($!sip:x@example.com!' .",         // no expression
        "u E2U+sip '' sip.example.com",                    // no regexp
        "s E2U+sip '!^.*$!sip:x@example.com!' .",          // another flag
        "'' E2U+sip '!^.*$!sip:x@example.com!' .",         // non-terminal, without a replacement
    };
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    for (unsigned i = 0; i < RTE_DIM(bad); i++)
        nameserver_add(&s.server, DOMAIN " NAPTR 10 %u %s", i, bad[i]);
    nameserver_add(&s.server, DOMAIN " NAPTR 10 99 u E2U+sip '!^\\+44(.*)$!sip:\\1@uk.example.com!' .");
    assert_uri(&s, NUMBER, "sip:1164960348@uk.example.com");
    dns_scene_close(&s);
}

static void test_a_non_terminal_record_leads_to_others(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, DOMAIN " NAPTR/500 10 1 '' E2U+anything '!ignored!' carrier.example");
    nameserver_add(&s.server, DOMAIN " NAPTR/500 10 2 u E2U+sip '!^.*$!sip:later@example.com!' .");
    // Its ORDER is of its own set: 900 is tried before the 10 of the set above.
    nameserver_add(&s.server,
                   "carrier.example NAPTR/50 900 1 u E2U+sip '!^(.*)$!sip:\\1@carrier.example!' .");
    assert_uri(&s, NUMBER, "sip:+441164960348@carrier.example");
    assert_int_equal(dns_scene_find(&s, NUMBER, 0, NAME_ENUM)->expires_ms - s.now_ms, 50000);
    dns_scene_close(&s);
}

static void test_trouble_behind_a_reference_does_not_end_the_query(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, DOMAIN " NAPTR 10 1 '' '' '' none.example");
    nameserver_add(&s.server, DOMAIN " NAPTR 10 2 '' '' '' broken.example");
    nameserver_add(&s.server, "broken.example ! servfail");
    nameserver_add(&s.server, DOMAIN " NAPTR 10 3 u E2U+sip '!^.*$!sip:x@example.com!' .");
    assert_uri(&s, NUMBER, "sip:x@example.com");
    dns_scene_close(&s);
}

static void test_a_loop_of_references_ends_after_five(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, DOMAIN " NAPTR 10 1 '' '' '' loop.example");
    nameserver_add(&s.server, DOMAIN " NAPTR 10 2 u E2U+sip '!^.*$!sip:x@example.com!' .");
    nameserver_add(&s.server, "loop.example NAPTR 10 1 '' '' '' " DOMAIN);
    nameserver_add(&s.server, "loop.example NAPTR 10 0 '' '' '' loop.example");
    assert_uri(&s, NUMBER, "sip:x@example.com");
    assert_int_equal(nameserver_asked(&s.server), 6);
    dns_scene_close(&s);
}

static void test_a_number_that_nobody_has_and_servers_that_fail(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    assert_uri(&s, "4930", "");
    assert_int_equal(dns_scene_find(&s, "4930", 0, NAME_ENUM)->expires_ms - s.now_ms, 7000);
    nameserver_add(&s.server, DOMAIN " ! servfail");
    const struct name_answer *answer = dns_scene_ask(&s, NUMBER, 0, NAME_ENUM);
    assert_true(answer->failed);
    assert_int_equal(answer->uri.len, 0);
    dns_scene_close(&s);
}

static void test_rewriting(void **state)
{
    static const struct {
        const char *regexp, *result; // NULL: refused
    } cases[] = {
        {"!^.*$!sip:x@y!", "sip:x@y"},
        {"/^.*$/sip:x@y/", "sip:x@y"},
        {"!^\\+44(.*)$!sip:\\1@y!", "sip:1164960348@y"},
        {"!^\\+(44)(116)(.*)$!\\3.\\2.\\1.\\0!", "4960348.116.44.+441164960348"},
        {"!(x)?^.*$!a\\1b!", "ab"}, // a group that took no part
        {"!^.*$!a\\9b!", "ab"},     // or is not there
        {"!^.*$!a\\!b!", "a!b"},    // an escaped delimiter
        {"!^.*$!a\\\\b!", "a\\b"},  // an escaped escape
        {"!^.*$!X!i", "X"},
        {"!^\\+44[[:digit:]]{10}$!X!", "X"},
        {"!^.{100}$!X!", NULL}, // does not match
        {"!^\\+(.{1,5})(.{1,5})!\\2!", "49603"},
        {"", NULL},
        {"!", NULL},
        {"!!", NULL},
        {"!a", NULL},
        {"!a!b", NULL},
        {"!.*!b!x", NULL},
        {"!.*!b!ii", NULL},
        {"!.*!b!!", NULL},
        {"1.*1b1", NULL}, // a digit is no delimiter
        {"i.*ibi", NULL},
        {"\\.*\\b\\", NULL},
        {"!(!b!", NULL},
        {"![!b!", NULL},
        {"!*(!b!", NULL},
        {"!a{!b!", NULL},
        {"!\\!b!", NULL},
        {"!a{99999999999999999999}!b!", NULL},
    };
    char result[64];

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        int len = control_rewrite(cases[i].regexp, "+441164960348", result, sizeof(result));
        if ((len >= 0) != (cases[i].result != NULL))
            fail_msg("%s: %d", cases[i].regexp, len);
        if (len >= 0 && !slice_equal(slice_of(result, (size_t)len), slice_text(cases[i].result)))
            fail_msg("%s: %.*s", cases[i].regexp, len, result);
    }
}

// Each of these takes the C library's regcomp or regexec minutes or gigabytes, or a matcher without bounds ages.
static void test_hostile_expressions_end_soon(void **state)
{
    static const char *const hostile[] = {
        "!((((.{99}){99}){99}){99}){99}!b!",
        "!^.?+{2}{1,20}!b!",
        "!((((((((((((((((.+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+x!b!",
        "!(((((((((.|.)|(.|.))|((.|.)|(.|.)))|.)*)*)*)*)*){200}x!b!",
        "!^(.|..)*(.|..)*(.|..)*(.|..)*x$!b!",
        "!^(.*)(.*)(.*)(.*)(.*)(.*)(.*)\\1\\2\\3\\4\\5\\6\\7x$!b!",
        "!((?R)|.)*x!b!",
        "!(?:(?1)|(.*(?1)*)*)*x!b!",
    };
    uint64_t start = fixture_ms();
    char result[8];

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(hostile); i++)
        assert_in_range(
            control_rewrite(hostile[i], "+4411649603481164960348116496034", result, sizeof(result)) + 100, 0,
            99);
    assert_in_range(fixture_ms() - start, 0, 2000); // it is a few milliseconds
}

static void test_rewriting_writes_no_more_than_there_is_room_for(void **state)
{
    char guarded[9] = "12345678#";
    char many[200] = "!^(.*)$!";
    char long_input[CONTROL_REWRITE_INPUT_MAX + 2];

    (void)state;
    assert_int_equal(control_rewrite("!^.*$!12345678!", "x", guarded, 8), 8);
    assert_int_equal(control_rewrite("!^.*$!123456789!", "x", guarded, 8), -ENOSPC);
    for (unsigned i = 0; i < 90; i++) // RFC 6116 5.2: many copies of back-references
        strcat(many, "\\1");
    strcat(many, "!");
    assert_int_equal(control_rewrite(many, "+441164960348", guarded, 8), -ENOSPC);
    assert_int_equal(guarded[8], '#');
    memset(long_input, '1', sizeof(long_input));
    long_input[CONTROL_REWRITE_INPUT_MAX + 1] = 0;
    assert_int_equal(control_rewrite("!^.*$!x!", long_input, guarded, 8), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits_are_asked_for_in_reverse),
        cmocka_unit_test(test_plus_and_separators_do_not_count),
        cmocka_unit_test(test_order_then_preference_decide),
        cmocka_unit_test(test_services_that_lead_to_sip),
        cmocka_unit_test(test_a_record_that_does_not_do_gives_way_to_the_next),
        cmocka_unit_test(test_a_non_terminal_record_leads_to_others),
        cmocka_unit_test(test_trouble_behind_a_reference_does_not_end_the_query),
        cmocka_unit_test(test_a_loop_of_references_ends_after_five),
        cmocka_unit_test(test_a_number_that_nobody_has_and_servers_that_fail),
        cmocka_unit_test(test_rewriting),
        cmocka_unit_test(test_hostile_expressions_end_soon),
        cmocka_unit_test(test_rewriting_writes_no_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
