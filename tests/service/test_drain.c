// A server that is about to end: what is new goes elsewhere, what it knows goes on. And what its own operator may do.
#include "fixture.h"

#include <string.h>

#include "service/drain.h"

static struct service_drain unavailable = {.peer_len = 0};
static struct service_drain redirecting = {.peer_len = 17, .peer = "peer.example:5070"};

static int set_up(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 1);

    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    f->role.drain = &unavailable;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

#define REFUSED "reply 503 192.0.2.4:5060 by 0\n+Retry-After: 10"

static const struct fixture_case refused[] = {
    {"a call", NULL, "INVITE sip:bob@example.com", REFUSED},
    {"a registration", NULL, "REGISTER sip:example.com\nContact: <sip:bob@192.0.2.4>", REFUSED},
    {"a message", NULL, "MESSAGE sip:bob@example.com", REFUSED},
    {"a peer that asks whether this server is there", NULL, "OPTIONS sip:198.18.0.1", REFUSED},
};

static const struct fixture_case served[] = {
    {"BYE", NULL, "BYE sip:bob@192.0.2.9\nTo: <sip:bob@example.com>;tag=b", "forward 192.0.2.9:5060 by 0"},
    {"re-INVITE", NULL, "INVITE sip:bob@192.0.2.9\nTo: <sip:bob@example.com>;tag=b",
     "forward 192.0.2.9:5060 by 0"},
    {"ACK", NULL, "ACK sip:bob@192.0.2.9\nTo: <sip:bob@example.com>;tag=b", "forward 192.0.2.9:5060 by 0"},
    {"CANCEL", NULL, "CANCEL sip:bob@example.com", "forward 192.0.2.9:5060 by 0"},
};

static const struct fixture_case redirected[] = {
    {"a call, to the same user there", NULL, "INVITE sip:bob@example.com",
     "reply 302 192.0.2.4:5060 by 0\n+Contact: <sip:bob@peer.example:5070>"},
    {"a number", NULL, "INVITE tel:+1-201-555-0123",
     "reply 302 192.0.2.4:5060 by 0\n+Contact: <sip:+1-201-555-0123@peer.example:5070;user=phone>"},
    {"a registration", NULL, "REGISTER sip:example.com\nContact: <sip:bob@192.0.2.4>",
     "reply 302 192.0.2.4:5060 by 0\n+Contact: <sip:peer.example:5070>"},
    {"what belongs to a call goes on", NULL, "BYE sip:bob@192.0.2.9\nTo: <sip:bob@example.com>;tag=b",
     "forward 192.0.2.9:5060 by 0"},
};

static void test_what_is_new_is_refused(void **state)
{
    struct fixture *f = *state;
    struct location_binding bindings[LOCATION_CONTACTS_MAX];

    f->role.drain = &unavailable;
    FIXTURE_RUN(f, refused);
    assert_int_equal(fixture_bindings(f, "bob@example.com", bindings), 1);
}

static void test_what_is_known_is_served(void **state)
{
    FIXTURE_RUN((struct fixture *)*state, served);
}

static void test_what_is_new_is_redirected(void **state)
{
    struct fixture *f = *state;

    f->role.drain = &redirecting;
    FIXTURE_RUN(f, redirected);
}

static void test_afterwards_everything_is_served_again(void **state)
{
    struct fixture *f = *state;

    f->role.drain = NULL;
    fixture_request(f, "INVITE sip:bob@example.com");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.9:5060 by 0");
}

static void test_retransmissions_of_a_known_request_are_absorbed(void **state)
{
    struct fixture *f = *state;

    f->role.drain = NULL;
    fixture_stateful(f, 8);
    fixture_request(f, "INVITE sip:bob@example.com\nContact: <sip:alice@192.0.2.4>");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.9:5060 by 0");
    f->role.drain = &unavailable;
    fixture_request(f, "INVITE sip:bob@example.com\nContact: <sip:alice@192.0.2.4>");
    assert_string_equal(fixture_verdict(f), "drop RETRANSMISSION");
    fixture_answer(f, "192.0.2.9:5060", "INVITE", 200, "");
    fixture_finish(f);
}

// From nowhere, by the way that control's own requests come.
static void from_operator(struct fixture *f)
{
    f->arrival.source = (struct endpoint){.family = ENDPOINT_NONE};
    f->arrival.listener = 0;
}

static void test_the_operator_binds_for_as_long_as_he_likes(void **state)
{
    struct fixture *f = *state;
    struct location_binding bindings[LOCATION_CONTACTS_MAX];

    from_operator(f);
    fixture_request(f, "REGISTER sip:198.18.0.1:5060\nTo: <sip:desk@example.com>\n"
                       "Contact: <sip:desk@10.0.0.9>\nExpires: 4294967295");
    assert_int_equal(f->verdict.kind, VERDICT_REPLY);
    assert_int_equal(f->verdict.status, 200);
    assert_int_equal(f->verdict.to.family, ENDPOINT_NONE);
    assert_int_equal(fixture_bindings(f, "desk@example.com", bindings), 1);
    // no NAT, and neither cut nor jitter
    assert_true(
        endpoint_equal(&bindings[0].received,
                       &(struct endpoint){.address = {10, 0, 0, 9}, .port = 5060, .family = ENDPOINT_IP4}));
    assert_int_equal(bindings[0].expires_ms, f->arrival.now.ms + UINT64_C(4294967295) * 1000);
}

static void test_the_operator_binds_for_as_short_as_he_likes(void **state)
{
    struct fixture *f = *state;
    struct location_binding bindings[LOCATION_CONTACTS_MAX];

    from_operator(f);
    fixture_request(f, "REGISTER sip:198.18.0.1:5060\nTo: <sip:desk@example.com>\n"
                       "Contact: <sip:desk@10.0.0.9>\nExpires: 3");
    assert_int_equal(f->verdict.status, 200);
    assert_int_equal(fixture_bindings(f, "desk@example.com", bindings), 1);
    assert_int_equal(bindings[0].expires_ms, f->arrival.now.ms + 3000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_new_is_refused),
        TEST(test_what_is_known_is_served),
        TEST(test_what_is_new_is_redirected),
        TEST(test_afterwards_everything_is_served_again),
        TEST(test_retransmissions_of_a_known_request_are_absorbed),
        TEST(test_the_operator_binds_for_as_long_as_he_likes),
        TEST(test_the_operator_binds_for_as_short_as_he_likes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
