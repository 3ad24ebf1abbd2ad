// Which worker gets a message: all that belongs together meets at one, and AoR state at its owner.
#include "fixture.h"

#include "role/branch.h"
#include "role/presentity.h"

#include <stdio.h>
#include <string.h>

#define WORKERS 4

static int set_up(void **state)
{
    *state = fixture_open(fixture_conf, WORKERS);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static struct steered steer_text(struct fixture *f, const char *text, unsigned workers)
{
    struct steered steer = {.worker = 77};
    struct sip_message message;
    char bytes[4096];
    size_t len = 0;

    for (; *text != 0; text++) {
        if (*text == '\n')
            bytes[len++] = '\r';
        bytes[len++] = *text;
    }
    sip_message_parse(&message, bytes, len);
    role_steer(&f->role, &message, workers, &steer);
    assert_true(steer.worker < workers);
    return steer;
}

static struct steered steer(struct fixture *f, const char *method, const char *uri, const char *to,
                            const char *call_id)
{
    char text[2048];

    snprintf(text, sizeof(text),
             "%s %s SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\nFrom: <sip:a@example.com>;tag=1\n"
             "To: %s\nCall-ID: %s\nCSeq: 1 %s\n\n",
             method, uri, to, call_id, method);
    return steer_text(f, text, WORKERS);
}

static unsigned owner(struct fixture *f, const char *aor)
{
    return location_owner(f->location, location_key(f->location, slice_text(aor)));
}

static void test_register_goes_to_the_owner_of_the_to_whatever_the_call(void **state)
{
    struct fixture *f = *state;
    char to[64], aor[64], call[16];

    for (unsigned i = 0; i < 50; i++) {
        snprintf(to, sizeof(to), "<sip:u%u@EXAMPLE.net>", i);
        snprintf(aor, sizeof(aor), "u%u@example.com", i);
        snprintf(call, sizeof(call), "call%u", i * 7);
        struct steered s = steer(f, "REGISTER", "sip:example.com", to, call);
        assert_int_equal(s.worker, owner(f, aor));
        assert_true(s.has_aor);
        assert_true(hash128_equal(s.aor, location_key(f->location, slice_text(aor))));
    }
}

static void test_publish_and_initial_subscribe_go_to_the_owner_of_the_request_uri(void **state)
{
    struct fixture *f = *state;
    unsigned other = 0;

    for (unsigned i = 0; i < 50; i++) {
        char uri[64], aor[64];
        snprintf(uri, sizeof(uri), "sip:u%u@example.com", i);
        snprintf(aor, sizeof(aor), "u%u@example.com", i);
        assert_int_equal(steer(f, "PUBLISH", uri, "<sip:x@example.com>", "c1").worker, owner(f, aor));
        assert_int_equal(steer(f, "SUBSCRIBE", uri, "<sip:x@example.com>", "c1").worker, owner(f, aor));
        other += steer(f, "SUBSCRIBE", uri, "<sip:x@example.com>;tag=1", "c1").worker != owner(f, aor);
    }
    assert_true(other > 10); // in a dialog: by Call-ID
}

// In a dialog that the presence server made our tag names the owner, whoever is called by whatever name.
static void test_a_subscribe_in_a_dialog_of_ours_goes_to_the_owner(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 50; i++) {
        char aor[64], to[128], tag[ROLE_DIALOG_TAG_LEN];
        snprintf(aor, sizeof(aor), "u%u@example.com", i);
        struct hash128 key = location_key(f->location, slice_text(aor));
        role_dialog_tag_write(&(struct role_dialog_tag){(uint32_t)(key.high >> 32), 7 + i}, tag);
        snprintf(to, sizeof(to), "<sip:x@else.example>;tag=%.*s", (int)sizeof(tag), tag);
        assert_int_equal(steer(f, "SUBSCRIBE", "sip:198.18.0.1:5060", to, "c1").worker, owner(f, aor));
    }
}

static void test_the_answer_to_a_notify_goes_to_who_sent_it(void **state)
{
    struct fixture *f = *state;

    for (unsigned worker = 0; worker < WORKERS; worker++) {
        const struct role_branch branch = {
            .transaction = 99, .slot = ROLE_BRANCH_NOTIFY | 5, .loop = 17, .worker = (uint16_t)worker};
        char text[ROLE_BRANCH_LEN], message[512];
        role_branch_write(&branch, text);
        snprintf(
            message, sizeof(message),
            "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 198.18.0.1:5060;branch=%.*s\nFrom: <sip:a@example.com>;tag=1\n"
            "To: <sip:b@example.com>;tag=2\nCall-ID: c%u\nCSeq: 17 NOTIFY\n\n",
            (int)sizeof(text), text, worker);
        struct steered s = steer_text(f, message, WORKERS);
        assert_int_equal(s.worker, worker);
        assert_true(role_branch_is_notify(s.slot));
    }
}

static void test_everything_else_goes_by_call_id_and_names_what_it_will_look_up(void **state)
{
    struct fixture *f = *state;
    static const char *const methods[] = {"INVITE", "ACK", "CANCEL", "BYE", "MESSAGE", "FOO"};
    unsigned seen[WORKERS] = {0};

    for (unsigned i = 0; i < 100; i++) {
        char call[16];
        snprintf(call, sizeof(call), "call%u", i);
        struct steered first = steer(f, "INVITE", "sip:bob@example.com", "<sip:bob@example.com>", call);
        assert_true(first.has_aor);
        assert_true(hash128_equal(first.aor, location_key(f->location, SLICE("bob@example.com"))));
        seen[first.worker]++;
        for (unsigned m = 0; m < sizeof(methods) / sizeof(*methods); m++)
            assert_int_equal(
                steer(f, methods[m], "sip:b@192.0.2.9", "<sip:b@example.com>;tag=1", call).worker,
                first.worker);
    }
    for (unsigned worker = 0; worker < WORKERS; worker++)
        assert_in_range(seen[worker], 5, 60);
}

static void test_no_address_of_record_where_there_is_none(void **state)
{
    struct fixture *f = *state;

    assert_false(steer(f, "INVITE", "sip:example.com", "<sip:example.com>", "1").has_aor);
    assert_false(steer(f, "INVITE", "sip:bob@192.0.2.9", "<sip:bob@example.com>", "1").has_aor);
    assert_false(steer(f, "INVITE", "sip:bob@198.18.0.1", "<sip:bob@example.com>", "1").has_aor);
    assert_false(steer(f, "INVITE", "tel:112", "<sip:bob@example.com>", "1").has_aor);
    assert_false(steer(f, "REGISTER", "sip:example.com", "<sip:bob@else.example>", "1").has_aor);
    assert_false(steer(f, "REGISTER", "sip:example.com", "<sip:bob@example.com", "1").has_aor);
}

static void test_broken_messages_are_steered_somewhere(void **state)
{
    struct fixture *f = *state;

    steer_text(f, "", WORKERS);
    steer_text(f, "\n\n", WORKERS);
    steer_text(f, "garbage\n\n", WORKERS);
    steer_text(f, "INVITE sip:bob@example.com SIP/2.0\n\n", WORKERS);
    steer_text(f, "SIP/2.0 200 OK\n\n", WORKERS);
    steer_text(f, "REGISTER sip:example.com SIP/2.0\nTo", WORKERS);
}

// Every request's response comes back to the worker that served the request.
static void test_response_goes_to_the_worker_in_our_branch(void **state)
{
    struct fixture *f = *state;
    char request[512], response[2048], via[1024];

    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@192.0.2.9"));
    for (unsigned worker = 0; worker < WORKERS; worker++) {
        f->arrival.worker = (uint16_t)worker;
        snprintf(request, sizeof(request), "INVITE sip:bob@example.com\nCall-ID: call%u", worker);
        fixture_request(f, request);
        snprintf(response, sizeof(response),
                 "SIP/2.0 200 OK\nVia: %s\nVia: SIP/2.0/UDP 192.0.2.4\nCall-ID: elsewhere\n\n",
                 fixture_line(f, "Via: ", via));
        assert_int_equal(steer_text(f, response, WORKERS).worker, worker);
        // fewer workers than when the branch was made
        assert_int_equal(steer_text(f, response, 1).worker, 0);
    }
}

static void test_response_that_is_not_ours_goes_by_call_id(void **state)
{
    struct fixture *f = *state;
    unsigned call = steer(f, "INVITE", "sip:bob@192.0.2.9", "<sip:bob@example.com>", "c1").worker;

    assert_int_equal(
        steer_text(f, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\nCall-ID: c1\n\n", WORKERS)
            .worker,
        call);
    assert_int_equal(steer_text(f,
                                "SIP/2.0 200 OK\nCall-ID: c1\nVia: SIP/2.0/UDP 198.18.0.1;"
                                "branch=z9hG4bKstg.ffff00aaaaaaaaaaaaaaaabbbbbbbb\n\n",
                                WORKERS)
                         .worker,
                     call);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_register_goes_to_the_owner_of_the_to_whatever_the_call),
        TEST(test_publish_and_initial_subscribe_go_to_the_owner_of_the_request_uri),
        TEST(test_a_subscribe_in_a_dialog_of_ours_goes_to_the_owner),
        TEST(test_the_answer_to_a_notify_goes_to_who_sent_it),
        TEST(test_everything_else_goes_by_call_id_and_names_what_it_will_look_up),
        TEST(test_no_address_of_record_where_there_is_none),
        TEST(test_broken_messages_are_steered_somewhere),
        TEST(test_response_goes_to_the_worker_in_our_branch),
        TEST(test_response_that_is_not_ours_goes_by_call_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
