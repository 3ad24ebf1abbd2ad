// Corners of the RFCs where parties that behave well meet: relayed answers, in-dialog requests, NAT, broken option
// lists.
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role/flow.h"

#define REGISTER "REGISTER sip:example.com\nTo: <sip:bob@example.com>\n"

static int set_up(void **state)
{
    *state = fixture_open(fixture_conf, 1);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

// Bob's binding is a PBX, a stateful proxy, which sends the call back to us for somebody who is not there. Our 404
// comes back through us, and the PBX repeats it until it gets its ACK (RFC 3261 17.1.1.3, 17.2.1).
static void hairpin(struct fixture *f, const char *to_user, char to[1024])
{
    char via[1024], request[4096];

    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    fixture_request(f, "INVITE sip:bob@example.com");
    fixture_line(f, "Via: ", via);
    fixture_from(f, "192.0.2.9:5060", 0);
    snprintf(request, sizeof(request),
             "INVITE sip:%s@example.com\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKpbx\nVia: %s\n"
             "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKnashds8",
             to_user, via);
    fixture_request(f, request);
    fixture_line(f, "To: ", to);
    snprintf(request, sizeof(request),
             "ACK sip:%s@example.com\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKpbx\nTo: %s", to_user, to);
    fixture_request(f, request);
    assert_string_equal(fixture_verdict(f), "drop ACK_ABSORBED");
    fixture_from(f, "192.0.2.4:5060", 0);
    snprintf(request, sizeof(request), "ACK sip:bob@example.com\nTo: %s", to);
    fixture_request(f, request);
}

static void test_ack_goes_on_to_who_relayed_our_answer(void **state)
{
    char to[1024];

    hairpin(*state, "nobody", to);
    assert_string_equal(fixture_verdict(*state), "forward 192.0.2.9:5060 by 0");
}

static void test_ack_goes_on_to_who_relayed_our_482(void **state)
{
    char to[1024];

    hairpin(*state, "bob", to);
    assert_string_equal(fixture_verdict(*state), "forward 192.0.2.9:5060 by 0");
}

// RFC 3261 19.3: two branches of one forked INVITE, refused here both.
static void test_branches_of_a_fork_get_tags_of_their_own(void **state)
{
    struct fixture *f = *state;
    char first[1024], second[1024];

    fixture_request(f, "INVITE sip:1@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1");
    fixture_line(f, "To: ", first);
    fixture_request(f, "INVITE sip:2@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK2");
    assert_string_not_equal(first, fixture_line(f, "To: ", second));
}

// RFC 3261 25.1: user-unreserved has ";" and "?".
static void test_contact_with_question_mark_or_semicolon_in_its_user(void **state)
{
    struct fixture *f = *state;

    fixture_bind(f, "q@example.com", fixture_contact("sip:who?me@192.0.2.9;x?Subject=y"));
    fixture_bind(f, "m@example.com", fixture_contact("sip:a;method=x@192.0.2.9;b=1"));
    fixture_request(f, "INVITE sip:q@example.com");
    fixture_expect(f, "?", "forward 192.0.2.9:5060 by 0\n+INVITE sip:who?me@192.0.2.9;x SIP/2.0");
    fixture_request(f, "INVITE sip:m@example.com");
    fixture_expect(f, ";", "forward 192.0.2.9:5060 by 0\n+INVITE sip:a;method=x@192.0.2.9;b=1 SIP/2.0");
}

// Equality is not transitive (19.1.4), all of a REGISTER is done or nothing (10.3 step 7).
static void test_two_contacts_that_equal_one_binding_are_both_bound(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER "Contact: <sip:bob@192.0.2.4>");
    fixture_request(f,
                    REGISTER "CSeq: 2 REGISTER\nContact: <sip:bob@192.0.2.4;x=1>, <sip:bob@192.0.2.4;x=2>");
    fixture_expect(f, "both",
                   "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4;x=1>;expires=3600\n"
                   "+Contact: <sip:bob@192.0.2.4;x=2>;expires=3600");
}

static void test_removal_does_not_take_the_contact_just_bound(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER "Contact: <sip:bob@192.0.2.4>");
    fixture_request(f, REGISTER
                    "CSeq: 2 REGISTER\nContact: <sip:bob@192.0.2.4;x=1>, <sip:bob@192.0.2.4;x=2>;expires=0");
    fixture_expect(f, "one", "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4;x=1>;expires=3600");
}

// A phone's remote target is its private address; the ACK to its 200 and its BYE must find it as the INVITE did.
static void test_in_dialog_requests_reach_a_client_behind_a_nat(void **state)
{
    struct fixture *f = *state;

    fixture_from(f, "203.0.113.7:40000", 1);
    fixture_request(f,
                    REGISTER "Via: SIP/2.0/UDP 10.0.0.9;rport;branch=z9hG4bKr\nContact: <sip:bob@10.0.0.9>");
    fixture_from(f, "192.0.2.4:5060", 0);
    char token[ROLE_FLOW_LEN], ack[200];
    const struct endpoint none = {.family = ENDPOINT_NONE};
    unsigned len = role_flow_write(&f->role, SLICE("c1@192.0.2.4"), &none, 0, token);
    snprintf(ack, sizeof(ack),
             "ACK sip:bob@10.0.0.9\nRoute: <sip:%.*s@198.18.0.1;lr>, <sip:198.18.1.1;lr>\n"
             "To: <sip:bob@example.com>;tag=b1",
             (int)len, token);
    fixture_request(f, ack);
    fixture_expect(f, "ACK", "forward 203.0.113.7:40000 by 1\n+ACK sip:bob@10.0.0.9 SIP/2.0\n-Route");
}

#define PARTNER "To: <sip:x@partner.example>;tag=b1\nRoute: <sip:198.18.0.1;lr>, <sip:[2001:db8::1];lr>"

// The partner's proxy records itself by name, or its user agent's Contact has the name (RFC 3261 16.6 step 7 applies
// the same procedures to either): both are looked up, and no rule is asked in a dialog.
static const struct fixture_case names[] = {
    {"a Route that is a name", NULL, "BYE sip:x@192.0.2.99\n" PARTNER ", <sip:partner.example;lr>",
     "forward [2001:db8::51]:5062 by 2\n+BYE sip:x@192.0.2.99 SIP/2.0\n+Route: <sip:partner.example;lr>"},
    {"a remote target that is one", NULL, "BYE sip:x@partner.example\n" PARTNER,
     "forward [2001:db8::51]:5062 by 2\n+BYE sip:x@partner.example SIP/2.0\n-Route"},
};

static void test_names_in_a_dialog_are_looked_up(void **state)
{
    struct fixture *f = *state;
    struct name_question question = {
        .name = SLICE("partner.example"), .kind = NAME_SIP, .transport = NAME_TRANSPORT_ANY};
    struct name_answer *answer = calloc(1, sizeof(*answer) + sizeof(answer->hops[0]));

    assert_non_null(answer);
    answer->expires_ms = f->arrival.now.ms + 60000;
    answer->hops_n = 1;
    assert_true(endpoint_parse(SLICE("[2001:db8::51]:5062"), &answer->hops[0].endpoint));
    assert_int_equal(name_put(f->names, &question, answer, f->arrival.now.ms), 0);
    FIXTURE_RUN(f, names);
    free(answer);
}

static const struct fixture_case checks[] = {
    {"a Proxy-Require that cannot be read is not passed over", NULL,
     "INVITE sip:+49@example.com\nProxy-Require: \"x", "reply 400 192.0.2.4:5060 by 0"},
    {"nor a Require", NULL, REGISTER "Require: \"x\nContact: <sip:bob@192.0.2.4>",
     "reply 400 192.0.2.4:5060 by 0"},
    {"an empty Call-ID is 400", NULL,
     "INVITE sip:+49@example.com\nCall-ID:", "reply 400 192.0.2.4:5060 by 0"},
    {"* twice is no Contact", NULL, REGISTER "Expires: 0\nContact: *, *", "reply 400 192.0.2.4:5060 by 0"},
};

static void test_checks(void **state)
{
    FIXTURE_RUN(*state, checks);
}

static void test_without_record_route_dialogs_are_not_ours_to_judge(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;

    changed.record_route = false;
    f->role.conf = &changed;
    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    fixture_request(f, "BYE sip:bob@example.com\nTo: <sip:bob@example.com>;tag=b1");
    fixture_expect(f, "address of record as remote target", "forward 192.0.2.9:5060 by 0");
    fixture_request(f, "BYE sip:x@192.0.2.99\nTo: <sip:x@else.example>;tag=b1\nRoute: <sip:192.0.2.40;lr>");
    fixture_expect(f, "a route set without us", "forward 192.0.2.40:5060 by 0\n+Route: <sip:192.0.2.40;lr>");
}

static void test_register_at_a_redirect_domain_without_registrar_is_405(void **state)
{
    char text[4096], *role;

    (void)state;
    snprintf(text, sizeof(text), "%s", fixture_conf);
    role = strstr(text, "names = redirect.example\n");
    memmove(role + 15, role, strlen(role) + 1);
    memcpy(role, "registrar = no\n", 15);
    struct fixture *f = fixture_open(text, 1);
    fixture_request(f, "REGISTER sip:redirect.example\nTo: <sip:b@redirect.example>");
    fixture_expect(f, "405", "reply 405 192.0.2.4:5060 by 0");
    fixture_close(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_in_dialog_requests_reach_a_client_behind_a_nat),
        TEST(test_ack_goes_on_to_who_relayed_our_answer),
        TEST(test_ack_goes_on_to_who_relayed_our_482),
        TEST(test_branches_of_a_fork_get_tags_of_their_own),
        TEST(test_names_in_a_dialog_are_looked_up),
        TEST(test_contact_with_question_mark_or_semicolon_in_its_user),
        TEST(test_two_contacts_that_equal_one_binding_are_both_bound),
        TEST(test_removal_does_not_take_the_contact_just_bound),
        TEST(test_checks),
        TEST(test_without_record_route_dialogs_are_not_ours_to_judge),
        cmocka_unit_test(test_register_at_a_redirect_domain_without_registrar_is_405),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
