// What decides where a request goes: a dialog, a rule, or whose its request-URI is; and what becomes of the
// request-URI.
#include <stdio.h>
#include <string.h>

#include "scene.h"

#define TRUST "[trust]\nnetworks = 192.0.2.4\n"
#define FAR   "203.0.113.66:5060"

static void rewritten(struct scene *s, const char *request, const char *uri)
{
    scene_say(s, request);
    struct slice is = s->request.uri.text;
    if (!s->request.uri_rewritten || !slice_equal(is, slice_text(uri)))
        fail_msg("%s: became %.*s, not %s", request, SLICE_PRINT(is), uri);
}

static const char rewriting[] =
    TRUST "[route strip]\nuser = 1*\nstrip = 2\naction = hop\nhop = 192.0.2.9\n"
          "[route prepend]\nuser = 2*\nprepend = 00\naction = hop\nhop = 192.0.2.9\n"
          "[route both]\nuser = 3*\nstrip = 1\nprepend = +49\naction = hop\nhop = 192.0.2.9\n"
          "[route domain]\nuser = 4*\nset_domain = pstn.example:5070\naction = hop\nhop = 192.0.2.9\n"
          "[route all]\nuser = 5*\nstrip = 1\nprepend = +\nset_domain = pstn.example\naction = hop\nhop = "
          "192.0.2.9\n"
          "[route tel]\nuser = +6*\nset_domain = pstn.example\naction = hop\nhop = 192.0.2.9\n"
          "[route tels]\nuser = +7*\nstrip = 3\nprepend = 0\naction = hop\nhop = 192.0.2.9\n"
          "[route none]\nuser = 8\nstrip = 1\naction = hop\nhop = 192.0.2.9\n"
          "[route escape]\nuser = a*\nstrip = 2\naction = hop\nhop = 192.0.2.9\n"
          "[route bare]\nuser = /^$/\nstrip = 2\nprepend = 1\nset_domain = pstn.example\naction = hop\nhop = "
          "192.0.2.9\n";

static void test_request_uri_is_rewritten(void **state)
{
    static const char *const cases[][2] = {
        {"INVITE sip:1234@example.com", "sip:34@example.com"},
        {"INVITE sip:1234:pw@example.com:5060;user=phone", "sip:34:pw@example.com:5060;user=phone"},
        {"INVITE sip:2@example.com", "sip:002@example.com"},
        {"INVITE sip:3012@example.com;x", "sip:+49012@example.com;x"},
        {"INVITE sip:4@example.com", "sip:4@pstn.example:5070"},
        {"INVITE sip:4@far.example:9999;maddr=192.0.2.77;user=phone;Transport=tcp;x=y",
         "sip:4@pstn.example:5070;user=phone;x=y"},
        {"INVITE sip:5123@example.com", "sip:+123@pstn.example"},
        {"INVITE tel:+6-12;phone-context=x", "sip:+6-12;phone-context=x@pstn.example;user=phone"},
        {"INVITE tel:+7.(12)-34", "tel:02)-34"},
        {"INVITE sip:a%62c@example.com", "sip:c@example.com"},
        {"OPTIONS sip:example.com;x=y", "sip:pstn.example;x=y"},
    };
    struct scene *s = scene_open(rewriting);

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        rewritten(s, cases[i][0], cases[i][1]);
    assert_string_equal(scene_say(s, "INVITE sip:8@example.com"), "484");
    scene_close(s);
}

static void test_a_request_uri_too_long_to_rewrite_is_414(void **state)
{
    struct scene *s = scene_open(rewriting);

    (void)state;
    for (unsigned digits = ROLE_URI_MAX - 20; digits < ROLE_URI_MAX; digits++) {
        char request[2 * ROLE_URI_MAX] = "INVITE sip:";
        memset(request + strlen(request), '2', digits);
        strcat(request, "@example.com");
        bool fits = strlen("sip:00@example.com") + digits <= ROLE_URI_MAX;
        assert_int_equal(strcmp(scene_say(s, request), "414") == 0, !fits);
    }
    scene_close(s);
}

static const char actions[] =
    TRUST "[route keep]\nuser = loc*\nprepend = my\naction = location\n"
          "[route dns]\nuser = dns*\nset_domain = 203.0.113.7:5070\naction = domain\n"
          "[route moved]\nuser = moved*\naction = redirect\ncontact = sip:new@example.com\n"
          "[route away]\nuser = away*\nset_domain = far.example\naction = redirect\n"
          "[route no]\nuser = no*\naction = reject\ncode = 403\nreason = Not Today\n"
          "[route usual]\nuser = busy*\naction = reject\ncode = 486\n"
          "[route enum]\nuser = +49*\naction = enum\n"
          "[route stateless]\nuser = sl*\naction = hop\nhop = 192.0.2.9\nmode = stateless\n";

static void test_actions(void **state)
{
    static const struct scene_case cases[] = {
        {"the location service, by the new user", "INVITE sip:loc@example.net",
         "location; 192.0.2.21:5060/0 sip:m@192.0.2.21"},
        {"of a domain that is not ours there is none", "INVITE sip:loc@far.example", "location; 404"},
        {"the new domain", "INVITE sip:dns@example.com", "domain; 203.0.113.7:5070 sip:dns@203.0.113.7:5070"},
        {"a redirection", "INVITE sip:moved@example.com", "302"},
        {"its CANCEL", "CANCEL sip:moved@example.com", "200"},
        {"its ACK", "ACK sip:moved@example.com", "drop ACK_UNROUTABLE"},
        {"a rejection", "INVITE sip:no@example.com", "403"},
        {"its CANCEL", "CANCEL sip:no@example.com", "481"},
        {"its ACK", "ACK sip:no@example.com", "drop ACK_UNROUTABLE"},
        {"REGISTER is not for the location service", "REGISTER sip:loc@example.com", "405"},
    };
    struct scene *s = scene_open(actions);
    struct location_binding binding = scene_contact("sip:m@192.0.2.21");

    (void)state;
    scene_bind(s, "myloc@example.com", &binding, 1);
    SCENE_RUN(s, cases);
    scene_close(s);
}

static void test_answers_say_what_the_rule_says(void **state)
{
    struct scene *s = scene_open(actions);

    (void)state;
    scene_say(s, "INVITE sip:moved@example.com");
    assert_non_null(strstr(scene_answer(s), "\nContact: <sip:new@example.com>\n"));
    scene_say(s, "INVITE sip:away@example.com;x=y");
    assert_non_null(strstr(scene_answer(s), "\nContact: <sip:away@far.example;x=y>\n"));
    scene_say(s, "INVITE sip:no@example.com");
    assert_non_null(strstr(scene_answer(s), "SIP/2.0 403 Not Today\n"));
    scene_say(s, "INVITE sip:busy@example.com");
    assert_non_null(strstr(scene_answer(s), "SIP/2.0 486 Busy Here\n"));
    scene_close(s);
}

static void test_course_says_rule_and_mode(void **state)
{
    struct scene *s = scene_open(actions);

    (void)state;
    scene_say(s, "INVITE sip:sl@example.com");
    assert_int_equal(s->course.mode, CONF_MODE_STATELESS);
    assert_int_equal(s->course.rule, 7);
    scene_say(s, "INVITE sip:x@example.com");
    assert_int_equal(s->course.mode, CONF_MODE_STATEFUL);
    assert_int_equal(s->course.rule, UINT16_MAX);
    scene_close(s);
}

static void test_enum(void **state)
{
    static const struct scene_case cases[] = {
        {"an unknown one waits", "INVITE sip:+49-30@example.com", "park 4930:0/3"},
        {"a foreign one goes by DNS", "INVITE sip:+491@example.com",
         "domain; 203.0.113.8:5060 sip:x@203.0.113.8;y"},
        {"one of ours is looked up", "INVITE tel:+4-92", "location; 192.0.2.22:5060/0 sip:m@192.0.2.22"},
        {"no rule is asked again", "INVITE sip:+493@example.com", "location; 404"},
        {"there is none", "INVITE sip:+494@example.com", "404"},
        {"the servers are silent", "INVITE sip:+495@example.com", "503"},
        {"only sip will do", "INVITE sip:+496@example.com", "404"},
        {"what is no URI", "INVITE sip:+497@example.com", "404"},
        {"headers are left out", "INVITE sip:+498@example.com", "domain; 203.0.113.8:5060 sip:y@203.0.113.8"},
        {"what is no number", "INVITE sip:+49x@example.com", "404"},
        {"too many digits", "INVITE sip:+4912345678901234@example.com", "404"},
    };
    struct scene *s = scene_open(actions);
    struct location_binding binding = scene_contact("sip:m@192.0.2.22");
    struct name_question silent = {.name = SLICE("495"), .kind = NAME_ENUM};
    struct name_answer failed = {.expires_ms = SCENE_NOW_MS + 1000, .failed = true};

    (void)state;
    scene_bind(s, "desk@example.com", &binding, 1);
    scene_enum(s, "491", "sip:x@203.0.113.8;y");
    scene_enum(s, "492", "sip:desk@example.net");
    scene_enum(s, "493", "sip:+493@example.com");
    scene_enum(s, "494", "");
    assert_int_equal(name_put(s->names, &silent, &failed, SCENE_NOW_MS), 0);
    scene_enum(s, "496", "sips:x@203.0.113.8");
    scene_enum(s, "497", "sip:<>");
    scene_enum(s, "498", "sip:y@203.0.113.8?Subject=x");
    SCENE_RUN(s, cases);
    scene_close(s);
}

// Default: denied. A rule says where to, and not that anybody may.
static void test_strangers_are_not_relayed(void **state)
{
    static const struct scene_case strangers[] = {
        {"to a stranger", "INVITE sip:x@203.0.113.9", "403"},
        {"whatever the From says", "INVITE sip:x@203.0.113.9\nFrom: <sip:alice@example.com>;tag=1", "403"},
        {"by a rule", "INVITE sip:sl@203.0.113.9", "403"},
        {"nor a number", "INVITE tel:+491", "403"},
        {"by a Route", "INVITE sip:x@203.0.113.9\nRoute: <sip:203.0.113.10;lr>", "403"},
        {"a rule rejects", "INVITE sip:no@203.0.113.9", "403"},
        {"a rule redirects", "INVITE sip:moved@203.0.113.9", "302"},
        {"ours are reached", "INVITE sip:sl@example.com", "hop; 192.0.2.9:5060"},
        {"by an outbound proxy, too", "INVITE sip:sl@example.com\nRoute: <sip:198.18.0.1;lr>",
         "hop; 192.0.2.9:5060"},
        {"but not with a Route beyond it", "INVITE sip:sl@example.com\nRoute: <sip:203.0.113.10;lr>", "403"},
        {"its ACK dies", "ACK sip:x@203.0.113.9", "drop ACK_UNROUTABLE"},
        {"a tag alone makes no dialog", "BYE sip:x@203.0.113.9\nTo: <sip:b@example.com>;tag=1", "403"},
        {"nor does a Route of ours alone",
         "BYE sip:x@203.0.113.9\nTo: <sip:b@example.com>;tag=1\nRoute: <sip:198.18.0.1;lr>", "403"},
    };
    static const struct scene_case trusted[] = {
        {"to a stranger", "INVITE sip:x@203.0.113.9", "domain; 203.0.113.9:5060"},
        {"by a rule", "INVITE sip:sl@203.0.113.9", "hop; 192.0.2.9:5060"},
        {"by a Route", "INVITE sip:x@203.0.113.9\nRoute: <sip:203.0.113.10;lr>", "domain; 203.0.113.10:5060"},
        {"a rule comes before a Route", "INVITE sip:sl@203.0.113.9\nRoute: <sip:203.0.113.10;lr>",
         "hop; 192.0.2.9:5060"},
    };
    struct scene *s = scene_open(actions);

    (void)state;
    SCENE_RUN(s, trusted);
    scene_from(s, FAR, 0);
    SCENE_RUN(s, strangers);
    scene_close(s);
}

#define TAGGED "To: <sip:bob@example.com>;tag=b1\n"

static void test_a_dialog_asks_no_rule(void **state)
{
    static const struct scene_case cases[] = {
        {"the remote target", "BYE sip:sl@203.0.113.9\n" TAGGED "Route: <sip:198.18.0.1;lr>",
         "domain; 203.0.113.9:5060/0"},
        {"the rest of the Route set",
         "BYE sip:sl@203.0.113.9\n" TAGGED "Route: <sip:198.18.0.1;lr>, <sip:203.0.113.10;lr>",
         "domain; 203.0.113.10:5060/0"},
        {"a remote target of ours", "BYE sip:sl@example.com\n" TAGGED "Route: <sip:198.18.0.1;lr>",
         "location; 404"},
        {"no tag: a phone's outbound proxy", "INVITE sip:sl@example.com\nRoute: <sip:198.18.0.1;lr>",
         "hop; 192.0.2.9:5060"},
        {"the ACK to its negative answer follows it",
         "ACK sip:sl@example.com\n" TAGGED "Route: <sip:198.18.0.1;lr>", "hop; 192.0.2.9:5060"},
    };
    struct scene *s = scene_open(actions);

    (void)state;
    SCENE_RUN(s, cases);
    assert_false(s->course.in_dialog);
    scene_say(s, "BYE sip:sl@203.0.113.9\n" TAGGED "Route: <sip:198.18.0.1;lr>");
    assert_true(s->course.in_dialog);
    scene_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_uri_is_rewritten),
        cmocka_unit_test(test_a_request_uri_too_long_to_rewrite_is_414),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_answers_say_what_the_rule_says),
        cmocka_unit_test(test_course_says_rule_and_mode),
        cmocka_unit_test(test_enum),
        cmocka_unit_test(test_strangers_are_not_relayed),
        cmocka_unit_test(test_a_dialog_asks_no_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
