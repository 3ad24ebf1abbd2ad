// Rules that name REGISTER: they come before the registrar.
#include "fixture.h"

#define REGISTER "REGISTER sip:example.com\nTo: <sip:bob@example.com>\nContact: <sip:bob@192.0.2.4>"

static const char conf[] =
    "[server]\nserver_header =\n"
    "[port p]\ndevice = net_null0\n"
    "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
    "[domain example.com]\n"
    "[domain moved.example]\n"
    "[domain closed.example]\nregistrar = no\n"
    "[route calls]\nuser = +*\naction = hop\nhop = 192.0.2.60\n" // names no method
    "[route away]\nmethods = REGISTER\ndomain = moved.example\naction = hop\nhop = 192.0.2.70\n"
    "[route bad]\nmethods = INVITE, REGISTER\nsource = 203.0.113.66\naction = reject\ncode = 603\n"
    "reason = Not From There\n"
    "[route here]\nmethods = REGISTER\nsource = 192.0.2.0/24\naction = location\n"
    "[route nobody]\nmethods = REGISTER\nto_domain = example.com\naction = reject\ncode = 403\n"
    "[route rest]\naction = hop\nhop = 192.0.2.80\n"; // of any method: takes what no registrar serves

static const struct fixture_case cases[] = {
    {"from where a rule leaves it to the registrar it is served", NULL, REGISTER,
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=3600"},
    {"from anywhere else the next rule refuses it", "198.51.100.1:5060", REGISTER,
     "reply 403 198.51.100.1:5060 by 0"},
    {"the server's own address is no way round", "198.51.100.1:5060",
     "REGISTER sip:198.18.0.1\nTo: <sip:bob@example.com>\nContact: <sip:x@198.51.100.1>",
     "reply 403 198.51.100.1:5060 by 0"},
    {"the first that takes it wins, with its reason", "203.0.113.66:5060", REGISTER,
     "reply 603 203.0.113.66:5060 by 0\n+SIP/2.0 603 Not From There"},
    {"another registrar", NULL,
     "REGISTER sip:moved.example\nTo: <sip:bob@moved.example>\nContact: <sip:bob@192.0.2.4>",
     "forward 192.0.2.70:5060 by 0\n+REGISTER sip:moved.example SIP/2.0\n+Contact: <sip:bob@192.0.2.4>"},
    {"a rule that names no method leaves it to the registrar", NULL,
     "REGISTER sip:+49@example.com\nTo: <sip:+49@example.com>\nContact: <sip:x@192.0.2.4>",
     "reply 200 192.0.2.4:5060 by 0"},
    {"but takes it where there is no registrar", NULL,
     "REGISTER sip:+49@closed.example\nTo: <sip:bob@closed.example>", "forward 192.0.2.60:5060 by 0"},
    {"the location of a user is no registrar", NULL,
     "REGISTER sip:closed.example\nTo: <sip:bob@closed.example>", "reply 405 192.0.2.4:5060 by 0"},
    {"other methods go on as they did", NULL, "INVITE sip:+49@example.com", "forward 192.0.2.60:5060 by 0"},
};

static int set_up(void **state)
{
    *state = fixture_open(conf, 1);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void test_rules_take_register_by_its_name(void **state)
{
    FIXTURE_RUN(*state, cases);
}

static void test_what_a_rule_refused_is_not_bound(void **state)
{
    struct location_binding bindings[LOCATION_CONTACTS_MAX];
    struct fixture *f = *state;

    fixture_from(f, "203.0.113.66:5060", 0);
    fixture_request(f, REGISTER);
    assert_int_equal(fixture_bindings(f, "bob@example.com", bindings), 0);
    fixture_from(f, "192.0.2.4:5060", 0);
    fixture_request(f, REGISTER);
    assert_int_equal(fixture_bindings(f, "bob@example.com", bindings), 1);
}

// To the other registrar with a transaction like any other request, and the answer back.
static void test_forwarded_register_has_a_transaction(void **state)
{
    struct fixture *f = *state;

    fixture_stateful(f, 8);
    fixture_request(f,
                    "REGISTER sip:moved.example\nTo: <sip:bob@moved.example>\nContact: <sip:bob@192.0.2.4>");
    fixture_left(f, "forwarded", "REGISTER@192.0.2.70:5060");
    fixture_answer(f, "192.0.2.70:5060", "REGISTER", 200, "");
    fixture_left(f, "answered", "200@192.0.2.4:5060");
    fixture_finish(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rules_take_register_by_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_rule_refused_is_not_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forwarded_register_has_a_transaction, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
