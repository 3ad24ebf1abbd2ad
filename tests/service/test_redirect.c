// The redirect server: RFC 3261 8.3, 21.3.1, 21.3.3.
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static int set_up(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 1);
    struct location_binding binding = fixture_contact("sip:bob@192.0.2.8");

    binding.q = 750;
    fixture_bind(f, "bob@redirect.example", binding);
    fixture_bind(f, "bob@redirect.example", fixture_contact("sip:bob@192.0.2.9;ob"));
    binding = fixture_contact("sip:brief@192.0.2.7");
    binding.q = 5;
    binding.expires_ms = f->arrival.now.ms + 1;
    fixture_bind(f, "bob@redirect.example", binding);
    fixture_bind(f, "bob@many.example", fixture_contact("sip:1@192.0.2.9"));
    fixture_bind(f, "bob@many.example", fixture_contact("sip:2@192.0.2.9"));
    fixture_bind(f, "one@many.example", fixture_contact("sip:one@192.0.2.9"));
    fixture_bind(f, "self@redirect.example", fixture_contact("sip:self@redirect.example"));
    fixture_bind(f, "both@redirect.example", fixture_contact("sip:both@redirect.example"));
    fixture_bind(f, "both@redirect.example", fixture_contact("mailto:both@mail.example"));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void test_302_lists_all_contacts_by_q(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, "INVITE sip:bob@redirect.example\nContact: <sip:alice@192.0.2.4>");
    assert_string_equal(fixture_verdict(f), "reply 302 192.0.2.4:5060 by 0");
    assert_string_equal(f->text, "SIP/2.0 302 Moved Temporarily\n"
                                 "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKnashds8\n"
                                 "From: Alice <sip:alice@example.com>;tag=a1\n"
                                 "To: Bob <sip:bob@example.com>;tag=TAG\n"
                                 "Call-ID: c1@192.0.2.4\n"
                                 "CSeq: 1 INVITE\n"
                                 "Contact: <sip:bob@192.0.2.9;ob>;expires=3600\n"
                                 "Contact: <sip:bob@192.0.2.8>;expires=3600;q=0.75\n"
                                 "Contact: <sip:brief@192.0.2.7>;expires=1;q=0.005\n"
                                 "Content-Length: 0\n\n");
}

static const struct fixture_case cases[] = {
    {"300 where configured and there are several", NULL, "INVITE sip:bob@many.example",
     "reply 300 192.0.2.4:5060 by 0\n+SIP/2.0 300 Multiple Choices\n+Contact: "
     "<sip:2@192.0.2.9>;expires=3600\n"
     "+Contact: <sip:1@192.0.2.9>;expires=3600"},
    {"302 for one, even there", NULL, "INVITE sip:one@many.example", "reply 302 192.0.2.4:5060 by 0"},
    {"an unknown user is 404", NULL, "INVITE sip:nobody@redirect.example", "reply 404 192.0.2.4:5060 by 0"},
    {"no user is 484", NULL, "INVITE sip:redirect.example", "reply 484 192.0.2.4:5060 by 0"},
    {"never to the request-URI itself", NULL, "INVITE sip:self@redirect.example",
     "reply 404 192.0.2.4:5060 by 0"},
    {"but to the others, SIP or not", NULL, "INVITE sip:both@redirect.example",
     "reply 302 192.0.2.4:5060 by 0\n+Contact: <mailto:both@mail.example>;expires=3600\n-Contact: <sip"},
    {"any method", NULL, "FOO sip:bob@redirect.example", "reply 302 192.0.2.4:5060 by 0"},
    {"Require is ignored", NULL, "INVITE sip:bob@redirect.example\nRequire: x\nProxy-Require: y",
     "reply 302 192.0.2.4:5060 by 0"},
    {"and Max-Forwards: nothing is forwarded", NULL, "INVITE sip:bob@redirect.example\nMax-Forwards: 0",
     "reply 302 192.0.2.4:5060 by 0"},
    {"CANCEL is 200", NULL, "CANCEL sip:bob@redirect.example", "reply 200 192.0.2.4:5060 by 0"},
    {"a stray ACK is dropped", NULL, "ACK sip:bob@redirect.example\nTo: <sip:bob@redirect.example>;tag=x",
     "drop ACK_UNROUTABLE"},
    {"OPTIONS for the domain is answered", NULL, "OPTIONS sip:redirect.example",
     "reply 200 192.0.2.4:5060 by 0"},
    {"REGISTER is served", NULL,
     "REGISTER sip:redirect.example\nTo: <sip:new@redirect.example>\nContact: <sip:new@192.0.2.4>",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:new@192.0.2.4>;expires=3600"},
};

static void test_redirect(void **state)
{
    FIXTURE_RUN(*state, cases);
}

static void test_a_user_whose_bindings_are_dead_is_480(void **state)
{
    struct fixture *f = *state;

    f->arrival.now.ms += 3600000;
    fixture_request(f, "INVITE sip:bob@redirect.example");
    assert_string_equal(fixture_verdict(f), "reply 480 192.0.2.4:5060 by 0");
}

static void test_ack_to_a_302_is_absorbed(void **state)
{
    struct fixture *f = *state;
    char to[1024], request[2048];

    fixture_request(f, "INVITE sip:bob@redirect.example");
    snprintf(request, sizeof(request), "ACK sip:bob@redirect.example\nTo: %s", fixture_line(f, "To: ", to));
    fixture_request(f, request);
    assert_string_equal(fixture_verdict(f), "drop ACK_ABSORBED");
}

static void test_contacts_that_do_not_fit_are_500(void **state)
{
    struct fixture *f = *state;
    char contact[1600];

    memset(contact, 'x', sizeof(contact));
    memcpy(contact, "sip:1", 5);
    strcpy(contact + 1500, "@192.0.2.9");
    for (unsigned i = 0; i < 3; i++) {
        contact[4] = (char)('1' + i);
        fixture_bind(f, "long@redirect.example", fixture_contact(contact));
    }
    fixture_request(f, "INVITE sip:long@redirect.example");
    assert_string_equal(fixture_verdict(f), "reply 500 192.0.2.4:5060 by 0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_302_lists_all_contacts_by_q),           TEST(test_redirect),
        TEST(test_a_user_whose_bindings_are_dead_is_480), TEST(test_ack_to_a_302_is_absorbed),
        TEST(test_contacts_that_do_not_fit_are_500),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
