// Rules: what each condition takes and does not take, and which rule wins.
#include <stdio.h>
#include <stdlib.h>

#include "role/match.h"
#include "role/rules.h"
#include "scene.h"

struct match_case {
    const char *conditions; // of the one rule
    const char *request;
    bool takes;
};

#define RULE(conditions) "[route r]\naction = reject\ncode = 499\n" conditions

static bool takes(const struct match_case *one)
{
    char text[1000];

    snprintf(text, sizeof(text), "[trust]\nnetworks = 192.0.2.0/24\n" RULE("%s"), one->conditions);
    struct scene *s = scene_open(text);
    scene_request(s, one->request);
    int rule = role_rules_find(s->policy->rules, &s->request);
    scene_close(s);
    return rule == 0;
}

static void run(const struct match_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (takes(&cases[i]) != cases[i].takes)
            fail_msg("%s with %s: expected %s", cases[i].request, cases[i].conditions,
                     cases[i].takes ? "a match" : "none");
    }
}
#define RUN(cases) run(cases, sizeof(cases) / sizeof(*(cases)))

static void test_users(void **state)
{
    static const struct match_case cases[] = {
        {"user = bob\n", "INVITE sip:bob@example.com", true},
        {"user = bob\n", "INVITE sip:Bob@example.com", false}, // RFC 3261 19.1.4
        {"user = bob\n", "INVITE sip:bobby@example.com", false},
        {"user = bob\n", "INVITE sip:bo@example.com", false},
        {"user = bob\n", "INVITE sip:example.com", false},
        {"user = bob\n", "INVITE sip:%62ob@example.com", true},
        {"user = bob\n", "INVITE sip:bob:secret@example.com", true},
        {"user = bob\n", "INVITE sip:bob%00@example.com", false},
        {"user = longer-than-8\n", "INVITE sip:longer-than-8@example.com", true},
        {"user = longer-than-8\n", "INVITE sip:longer-than-9@example.com", false},
        {"user = longer-t\n", "INVITE sip:longer-than-9@example.com", false},
        {"user = 00*\n", "INVITE sip:0049@example.com", true},
        {"user = 00*\n", "INVITE sip:00@example.com", true},
        {"user = 00*\n", "INVITE sip:0@example.com", false},
        {"user = 00*\n", "INVITE sip:%300900@example.com", true},
        {"user = 00*\n", "INVITE sip:1900@example.com", false},
        {"user = longer-than*\n", "INVITE sip:longer-than-9@example.com", true},
        {"user = longer-than*\n", "INVITE sip:longer-thin-9@example.com", false},
        {"user = /^[0-9]{3}$/\n", "INVITE sip:123@example.com", true},
        {"user = /^[0-9]{3}$/\n", "INVITE sip:1234@example.com", false},
        {"user = /^b/\n", "INVITE sip:Bob@example.com", false},
        {"user = /^$/\n", "INVITE sip:example.com", true},
        {"user = +49*\n", "INVITE tel:+49-30-(12).34", true},
        {"user = +493012*\n", "INVITE tel:+49-30-(12).34", true},
        {"user = +49301234\n", "INVITE tel:+49-30-(12).34;phone-context=x", true},
        {"user = /^\\+49301234$/\n", "INVITE tel:+49-30-(12).34", true},
        {"user = +49-30*\n", "INVITE tel:+49-30-(12).34", false},
        {"user = +49*\n", "INVITE sip:+4-9@example.com", false}, // a user of a domain, whose name has a dash
    };

    (void)state;
    RUN(cases);
}

static void test_domains(void **state)
{
    static const struct match_case cases[] = {
        {"domain = example.com\n", "INVITE sip:b@example.com", true},
        {"domain = example.com\n", "INVITE sip:b@EXAMPLE.net", true}, // by any of its names
        {"domain = example.net\n", "INVITE sip:b@example.com", true},
        {"domain = example.net\n", "INVITE sip:b@198.18.1.1", true},
        {"domain = example.com\n", "INVITE sip:b@example.com.", true},
        {"domain = example.com\n", "INVITE sip:b@example.com:9999", true},
        {"domain = example.com\n", "INVITE sip:b@example.com;maddr=192.0.2.9", true},
        {"domain = example.com\n", "INVITE sip:b@other.example", false},
        {"domain = example.com\n", "INVITE sip:b@far.example", false},
        {"domain = far.example\n", "INVITE sip:b@Far.Example", true},
        {"domain = far.example\n", "INVITE sip:b@far.example.", true},
        {"domain = far.example\n", "INVITE sip:b@example.com", false},
        {"domain = far.example\n", "INVITE sip:b@a.far.example", false},
        {"domain = far.example\n", "INVITE tel:+49", false},
        {"domain = 203.0.113.9\n", "INVITE sip:b@203.0.113.9", true},
        {"domain = 203.0.113.9\n", "INVITE sip:b@203.0.113.10", false},
        {"domain = [2001:db8::9]\n", "INVITE sip:b@[2001:DB8:0:0:0::9]", true},
        {"domain = [2001:db8::9]\n", "INVITE sip:b@[2001:db8::8]", false},
        {"domain = far*\n", "INVITE sip:b@FAR.example", true},
        {"domain = far*\n", "INVITE sip:b@fa.example", false},
        {"domain = far*\n", "INVITE tel:+49", false},
        {"domain = /\\.example$/\n", "INVITE sip:b@a.EXAMPLE", true},
        {"domain = /\\.example$/\n", "INVITE sip:b@example.com", false},
        {"domain = /^$/\n", "INVITE tel:+49", false},
        {"user = +49\n", "INVITE tel:+49", true},
    };

    (void)state;
    RUN(cases);
}

static void test_what_else_is_asked(void **state)
{
    static const struct match_case cases[] = {
        {"methods = INVITE\n", "INVITE sip:b@example.com", true},
        {"methods = INVITE\n", "CANCEL sip:b@example.com", true}, // which follow it
        {"methods = INVITE\n", "ACK sip:b@example.com", true},
        {"methods = INVITE\n", "MESSAGE sip:b@example.com", false},
        {"methods = MESSAGE, INFO\n", "INFO sip:b@example.com", true},
        {"methods = MESSAGE, INFO\n", "CANCEL sip:b@example.com", false},
        {"methods = SING\n", "SING sip:b@example.com", true},
        {"methods = SING\n", "DANCE sip:b@example.com", false},
        {"", "DANCE sip:b@example.com", true},
        {"to_user = bob\n", "INVITE sip:x@example.com", true},
        {"to_user = bob\n", "INVITE sip:x@example.com\nTo: <sip:eve@example.com>", false},
        {"to_user = +49*\n", "INVITE sip:x@example.com\nTo: <tel:+4-9>", true},
        {"to_user = bob\n", "INVITE sip:x@example.com\nTo: <mailto:bob>", false},
        {"to_domain = example.com\n", "INVITE sip:x@example.com\nTo: <sip:bob@example.net>", true},
        {"to_domain = example.com\n", "INVITE sip:x@example.com\nTo: <mailto:bob@example.com>", false},
        {"from_user = alice\n", "INVITE sip:x@example.com", true},
        {"from_user = alice\n", "INVITE sip:x@example.com\nFrom: <sip:eve@example.com>;tag=1", false},
        {"from_domain = far.example\n", "INVITE sip:x@example.com\nFrom: <sip:eve@far.example>;tag=1", true},
        {"from_domain = far.example\n", "INVITE sip:x@example.com", false},
        {"source = 192.0.2.0/24\n", "INVITE sip:x@example.com", true},
        {"source = 198.51.100.0/24, 192.0.2.4\n", "INVITE sip:x@example.com", true},
        {"source = 192.0.2.8/29, 2001:db8::/32\n", "INVITE sip:x@example.com", false},
        {"source = 0.0.0.0/0\n", "INVITE sip:x@example.com", true},
        {"source = ::/0\n", "INVITE sip:x@example.com", false},
        {"listener = a\n", "INVITE sip:x@example.com", true},
        {"listener = b\n", "INVITE sip:x@example.com", false},
        {"who = trusted\n", "INVITE sip:x@example.com", true},
        {"who = untrusted\n", "INVITE sip:x@example.com", false},
        {"user = x\ndomain = example.com\nfrom_user = bob\n", "INVITE sip:x@example.com", false},
        {"user = x\ndomain = example.com\nfrom_user = alice\nto_user = bob\n", "INVITE sip:x@example.net",
         true},
    };

    (void)state;
    RUN(cases);
}

// An escape or a wall of separators is no way round a rule, however long.
static void test_users_are_compared_as_far_as_they_count(void **state)
{
    char request[3000] = "INVITE tel:+49-";
    struct match_case prefix = {"user = +49301*\n", request, true};
    struct match_case regex = {"user = /^\\+49301/\n", request, true};

    (void)state;
    memset(request + strlen(request), '.', 1000);
    strcat(request, "30");
    memset(request + strlen(request), '1', 1000);
    strcat(request, "9");
    run(&prefix, 1);
    run(&regex, 1);
}

static const char several[] =
    RULE("user = /^1/\n") "[route second]\naction = reject\ncode = 498\ndomain = example.com\nuser = 12*\n"
                          "[route third]\naction = reject\ncode = 497\nuser = /^2/\n"
                          "[route last]\naction = reject\ncode = 496\ndomain = example.com\n";

static void test_the_first_one_wins(void **state)
{
    static const struct scene_case cases[] = {
        {"the first", "INVITE sip:123@example.com", "499"},
        {"a later one", "INVITE sip:23@example.com", "497"},
        {"the last", "INVITE sip:x@example.net", "496"},
        {"none", "INVITE sip:x@other.example", "location; 404"},
    };
    struct scene *s = scene_open(several);

    (void)state;
    SCENE_RUN(s, cases);
    scene_close(s);
}

// Catastrophic backtracking ends early, as no match, and leaves the worker what it needs for the next.
static void test_a_pattern_without_end_is_cut_off(void **state)
{
    struct scene *s = scene_open(RULE("user = /^(a+)+$/\n"));
    char request[400] = "INVITE sip:";

    (void)state;
    memset(request + strlen(request), 'a', 200);
    strcat(request, "!@example.com");
    assert_string_equal(scene_say(s, request), "location; 404");
    assert_string_equal(scene_say(s, "INVITE sip:aaa@example.com"), "499");
    scene_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_what_else_is_asked),
        cmocka_unit_test(test_users_are_compared_as_far_as_they_count),
        cmocka_unit_test(test_the_first_one_wins),
        cmocka_unit_test(test_a_pattern_without_end_is_cut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
