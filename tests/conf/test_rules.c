// What rules need of their actions and of each other, and how their order is printed.
#include "reading.h"

#include <stdlib.h>

#define CARRIER "[gateways g]\n[gateway one]\ngroup = g\naddress = 192.0.2.9\n"

// `text` is followed by READING_LEAST.
static const struct {
    const char *name, *text, *messages;
} faults[] = {
    {"gateways without any", "[route r]\naction = gateways\n",
     "t:2: action = gateways needs gateways; expected the name of a [gateways]\n"},
    {"hop without one", "[route r]\naction = hop\n",
     "t:2: action = hop needs hop; expected HOST or HOST:PORT, a name or unicast address of up to 160 "
     "bytes, and perhaps ;transport=udp, tcp or tls\n"},
    {"reject without a code", "[route r]\naction = reject\nreason = No\n",
     "t:2: action = reject needs code; expected 400 to 699 as a status code\n"},
    {"gateways of another action", CARRIER "[route r]\ngateways = g\n",
     "t:6: gateways is not used with action = location; expected it away, or action = gateways\n"},
    {"hop of another action", "[route r]\naction = domain\nhop = a\n",
     "t:3: hop is not used with action = domain; expected it away, or action = hop\n"},
    {"contact of another action", "[route r]\naction = enum\ncontact = sip:a\n",
     "t:3: contact is not used with action = enum; expected it away, or action = redirect\n"},
    {"code and reason of another action", "[route r]\ncode = 404\nreason = No\n",
     "t:2: code is not used with action = location; expected it away, or action = reject\n"
     "t:3: reason is not used with action = location; expected it away, or action = reject\n"},
    {"changes of what is refused",
     "[route r]\naction = reject\ncode = 403\nstrip = 1\nprepend = 1\nset_domain = a\n",
     "t:4: strip is not used with action = reject; expected it away\n"
     "t:5: prepend is not used with action = reject; expected it away\n"
     "t:6: set_domain is not used with action = reject; expected it away\n"},
    {"redirection to itself", "[route r]\naction = redirect\n",
     "t:2: action = redirect leads back to what was asked for; expected contact, strip, prepend or "
     "set_domain\n"},
    {"redirection to two places",
     "[route r]\naction = redirect\ncontact = tel:+1\nstrip = 2\nset_domain = a\n",
     "t:4: strip is not used beside contact; expected one of them\n"
     "t:5: set_domain is not used beside contact; expected one of them\n"},
    {"numbers without a table", "[route r]\naction = numbers\n",
     "t:2: action = numbers needs file of [numbers]\n"},
    {"ENUM without a domain", "[dns]\nenum_suffix =\n[route r]\naction = enum\n",
     "t:4: action = enum needs enum_suffix of [dns]\n"},
    {"trusted where nobody is", "[route r]\nwho = trusted\n",
     "t:2: [route r] is never reached: nobody is trusted; expected networks of [trust], or a [gateway] that "
     "is "
     "trusted\n"},
    {"a fault of a rule alone", "[route a]\nuser = /(/\n[route b]\nuser = 1\n",
     "t:2: user = /(/: the pattern is wrong: missing closing parenthesis at offset 1\n"},
};

static void assert_messages(const char *name, const char *text, const char *expected)
{
    char *messages = NULL;
    struct conf *conf = reading_parse(slice_text(text), &messages);

    if (strcmp(messages, expected) != 0)
        print_error("case: %s\n", name);
    assert_string_equal(messages, expected);
    assert_int_equal(conf == NULL, expected[0] != 0);
    conf_free(conf);
    free(messages);
}

static void test_rule_has_what_its_action_needs(void **state)
{
    char text[1024];

    (void)state;
    for (unsigned i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        snprintf(text, sizeof(text), "%s%s", faults[i].text, READING_LEAST);
        assert_messages(faults[i].name, text, faults[i].messages);
    }
}

// The conditions of two rules, and whether the first leaves nothing to the second.
static const struct {
    const char *wide, *narrow;
    bool shade;
} pairs[] = {
    {"", "", true},
    {"", "user = 1\ndomain = x.com\nmethods = INVITE\nwho = trusted\n", true},
    {"user = 1\n", "", false},
    {"user = 1\n", "user = 1\n", true},
    {"user = 1\n", "user = 12\n", false},
    {"user = a\n", "user = A\n", false},
    {"user = +49*\n", "user = +4930*\n", true},
    {"user = +49*\n", "user = +49\n", true},
    {"user = +49*\n", "user = +49*\n", true},
    {"user = +4930*\n", "user = +49*\n", false},
    {"user = +49*\n", "user = /^\\+49/\n", false},
    {"user = +49\n", "user = +49*\n", false},
    {"user = *\n", "user = /1/\n", true},
    {"user = *\n", "", true},
    {"user = /^1/\n", "user = /^1/\n", true},
    {"user = /^1/\n", "user = /^12/\n", false},
    {"user = /1/\n", "user = 1\n", false},
    {"user = 1\n", "user = /1/\n", false},
    {"user = 1\n", "to_user = 1\n", false},
    {"to_user = 1*\n", "to_user = 1\n", true},
    {"from_user = 1*\n", "from_user = 1\n", true},
    {"from_user = 1\n", "from_user = 2\n", false},
    {"domain = x.com\n", "domain = X.COM\nuser = 1\n", true},
    {"domain = x.com\n", "domain = y.com\n", false},
    {"domain = sip.*\n", "domain = SIP.x.com\n", true},
    {"to_domain = x.com\n", "to_domain = x.com\n", true},
    {"to_domain = x.com\n", "to_domain = y.com\n", false},
    {"from_domain = x.com\n", "from_domain = x.com\n", true},
    {"from_domain = x.com\n", "", false},
    {"methods = INVITE, MESSAGE\n", "methods = MESSAGE\n", true},
    {"methods = INVITE, MESSAGE\n", "methods = MESSAGE, INVITE\n", true},
    {"methods = INVITE\n", "methods = MESSAGE, INVITE\n", false},
    {"methods = INVITE\n", "methods = invite\n", false}, // RFC 3261 7.1: methods have case
    {"methods = INVITE\n", "", false},
    {"", "methods = REGISTER\n", false}, // which only who names it takes from the registrar
    {"methods = INVITE, REGISTER\n", "methods = REGISTER\nuser = 1\n", true},
    {"source = 192.0.2.0/24\n", "source = 192.0.2.7\n", true},
    {"source = 192.0.2.0/24\n", "source = 192.0.2.0/23\n", false},
    {"source = 192.0.2.0/24\n", "source = 192.0.3.0/24\n", false},
    {"source = 192.0.2.0/24\n", "source = 192.0.2.7, 192.0.3.7\n", false},
    {"source = 192.0.2.0/24, 192.0.3.0/24\n", "source = 192.0.2.7, 192.0.3.7\n", true},
    {"source = 0.0.0.0/0\n", "source = 2001:db8::1\n", false},
    {"source = 0.0.0.0/0\n", "", false},
    {"source = ::/0\n", "source = 2001:db8::/32\n", true},
    {"listener = main\n", "listener = main\n", true},
    {"listener = main\n", "listener = other\n", false},
    {"listener = main\n", "", false},
    {"", "listener = other\n", true},
    {"who = trusted\n", "who = trusted\n", true},
    {"who = trusted\n", "who = untrusted\n", false},
    {"who = untrusted\n", "", false},
};

static void test_rule_that_is_never_reached(void **state)
{
    char text[1024], message[256];

    (void)state;
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        int line = 2;
        for (const char *at = pairs[i].wide; (at = strchr(at, '\n')) != NULL; at++)
            line++;
        snprintf(text, sizeof(text),
                 "[route a]\n%s[route b]\n%s[trust]\nnetworks = 192.0.2.0/24\n"
                 "[listener other]\naddress = 192.0.2.2\nport = outside\n%s",
                 pairs[i].wide, pairs[i].narrow, READING_LEAST);
        snprintf(message, sizeof(message),
                 "t:%d: [route b] is never reached: [route a] on line 1 takes all of it; expected the "
                 "narrower one "
                 "first\n",
                 line);
        assert_messages(text, text, pairs[i].shade ? message : "");
    }
}

static void test_shade_is_told_of_the_first_that_gives_it(void **state)
{
    (void)state;
    assert_messages(
        "three", "[route a]\nuser = 1*\n[route b]\nuser = 1*\n[route c]\nuser = 12\n" READING_LEAST,
        "t:3: [route b] is never reached: [route a] on line 1 takes all of it; expected the narrower "
        "one first\n"
        "t:5: [route c] is never reached: [route a] on line 1 takes all of it; expected the narrower "
        "one first\n");
}

static char *routes_of(const char *text)
{
    struct conf *conf = reading_good(text);
    char *printed = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&printed, &len);

    assert_non_null(out);
    conf_print_routes(conf, out);
    fclose(out);
    conf_free(conf);
    return printed;
}

static void test_order_of_rules_is_printed(void **state)
{
    char *printed = routes_of(
        "[trust]\nnetworks = 192.0.2.0/24\n" CARRIER
        "[route emergency]\nuser = /^11[02]$/\nmethods = INVITE, MESSAGE\naction = gateways\ngateways = g\n"
        "[route out]\nuser = 0*\nsource = 192.0.2.0/24, ::1\nwho = trusted\nstrip = 1\nprepend = +49\n"
        "set_domain = x.example\naction = hop\nhop = 192.0.2.8:5070\nmode = stateless\n"
        "[route no]\naction = reject\ncode = 403\nreason = Not you\n" READING_LEAST);

    (void)state;
    assert_string_equal(
        printed,
        "# Rules as they are tried; the first whose conditions hold wins.\n"
        "#   no  rule       conditions                                                action\n"
        "#    1  emergency  methods INVITE|MESSAGE, user /^11[02]$/                   gateways g\n"
        "#    2  out        user 0*, source 192.0.2.0/24|::1/128, who trusted         hop 192.0.2.8:5070, "
        "strip 1, "
        "prepend +49, set_domain x.example, stateless\n"
        "#    3  no         any                                                       reject 403 Not you\n"
        "# last  (none)     any                                                       location of own users, "
        "domain "
        "of others\n");
    free(printed);
}

static void test_no_rules_are_printed_as_such(void **state)
{
    char *printed = routes_of("[proxy]\nmode = stateless\n" READING_LEAST);

    (void)state;
    assert_non_null(strstr(printed, "\n# last  (none)  any  "));
    assert_non_null(strstr(printed, "domain of others, stateless\n"));
    free(printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_has_what_its_action_needs),
        cmocka_unit_test(test_rule_that_is_never_reached),
        cmocka_unit_test(test_shade_is_told_of_the_first_that_gives_it),
        cmocka_unit_test(test_order_of_rules_is_printed),
        cmocka_unit_test(test_no_rules_are_printed_as_such),
    };
    return cmocka_run_group_tests_name("conf rules", tests, NULL, NULL);
}
