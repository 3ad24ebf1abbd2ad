// RFC 3261 10.3, step by step, RFC 3327, and what is kept for clients behind a NAT.
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define REGISTER "REGISTER sip:example.com\n"
#define TO       "To: <sip:bob@example.com>\n"

static struct location_binding bindings[LOCATION_CONTACTS_MAX];

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

static unsigned bob(struct fixture *f)
{
    return fixture_bindings(f, "bob@example.com", bindings);
}

static void test_register_adds_a_contact_and_lists_it(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER TO "Contact: \"Bob\" <sip:bob@192.0.2.4:5060;ob>;q=0.5;expires=600");
    assert_string_equal(fixture_verdict(f), "reply 200 192.0.2.4:5060 by 0");
    assert_string_equal(f->text, "SIP/2.0 200 OK\n"
                                 "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKnashds8\n"
                                 "From: Alice <sip:alice@example.com>;tag=a1\n"
                                 "Call-ID: c1@192.0.2.4\n"
                                 "CSeq: 1 REGISTER\n"
                                 "To: <sip:bob@example.com>;tag=TAG\n"
                                 "Contact: <sip:bob@192.0.2.4:5060;ob>;expires=600;q=0.5\n"
                                 "Date: Sat, 13 Nov 2010 23:29:00 GMT\n"
                                 "Content-Length: 0\n"
                                 "\n");
    assert_int_equal(bob(f), 1);
    assert_int_equal(bindings[0].q, 500);
    assert_int_equal(bindings[0].cseq, 1);
    assert_int_equal(bindings[0].expires_ms, f->arrival.now.ms + 600000);
    assert_true(slice_equal(bindings[0].contact, SLICE("sip:bob@192.0.2.4:5060;ob")));
    assert_true(slice_equal(bindings[0].call_id, SLICE("c1@192.0.2.4")));
}

static const struct fixture_case expiries[] = {
    {"the contact's expires comes first", NULL,
     REGISTER TO "Expires: 700\nContact: <sip:bob@192.0.2.4>;expires=800\nCSeq: 1 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=800"},
    {"then the Expires header field", NULL,
     REGISTER TO "Expires: 700\nContact: <sip:bob@192.0.2.4>\nCSeq: 2 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=700"},
    {"then the configured default", NULL, REGISTER TO "Contact: <sip:bob@192.0.2.4>\nCSeq: 3 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=3600"},
    {"too long is cut", NULL, REGISTER TO "Contact: <sip:bob@192.0.2.4>;expires=999999\nCSeq: 4 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=7200"},
    {"garbage means an hour", NULL, REGISTER TO "Contact: <sip:bob@192.0.2.4>;expires=soon\nCSeq: 5 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=3600"},
    {"too brief is 423 with the minimum", NULL,
     REGISTER TO "Contact: <sip:bob@192.0.2.4>;expires=59\nCSeq: 6 REGISTER",
     "reply 423 192.0.2.4:5060 by 0\n+SIP/2.0 423 Interval Too Brief\n+Min-Expires: 60\n-Contact"},
    {"the minimum itself is granted", NULL,
     REGISTER TO "Contact: <sip:bob@192.0.2.4>;expires=60\nCSeq: 7 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=60"},
    {"one brief contact of two fails both", NULL,
     REGISTER TO "Contact: <sip:bob@192.0.2.5>;expires=600, <sip:bob@192.0.2.6>;expires=1\nCSeq: 8 REGISTER",
     "reply 423 192.0.2.4:5060 by 0"},
    {"a fetch lists what is there and changes nothing", NULL, REGISTER TO "CSeq: 9 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=60\n-Contact: <sip:bob@192.0.2.5"},
    {"expires 0 removes", NULL, REGISTER TO "Contact: <sip:bob@192.0.2.4>;expires=0\nCSeq: 10 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n-Contact"},
    {"removing what is not there is no error", NULL,
     REGISTER TO "Contact: <sip:bob@192.0.2.4>;expires=0\nCSeq: 11 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n-Contact"},
};

static void test_expires(void **state)
{
    FIXTURE_RUN(*state, expiries);
}

static const struct fixture_case refusals[] = {
    {"Require with an unknown option is 420 and names it", NULL,
     REGISTER TO "Require: path, gruu, 100rel\nContact: <sip:bob@192.0.2.4>",
     "reply 420 192.0.2.4:5060 by 0\n+SIP/2.0 420 Bad Extension\n+Unsupported: gruu, 100rel"},
    {"To in a foreign domain is 404", NULL,
     REGISTER "To: <sip:bob@else.example>\nContact: <sip:bob@192.0.2.4>", "reply 404 192.0.2.4:5060 by 0"},
    {"To in another domain of ours is 404", NULL,
     REGISTER "To: <sip:bob@redirect.example>\nContact: <sip:bob@192.0.2.4>",
     "reply 404 192.0.2.4:5060 by 0"},
    {"To without a user is 404", NULL, REGISTER "To: <sip:example.com>\nContact: <sip:bob@192.0.2.4>",
     "reply 404 192.0.2.4:5060 by 0"},
    {"a domain without registrar is 405 with Allow", NULL,
     "REGISTER sip:closed.example\nTo: <sip:bob@closed.example>\nContact: <sip:bob@192.0.2.4>",
     "reply 405 192.0.2.4:5060 by 0\n+Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH, "
     "MESSAGE, INFO, PRACK, UPDATE, REFER"},
    {"a foreign registrar is not relayed to for strangers", "203.0.113.66:5060", "REGISTER sip:192.0.2.77",
     "reply 403 203.0.113.66:5060 by 0"},
    {"a foreign registrar is forwarded to for the trusted", NULL, "REGISTER sip:192.0.2.77",
     "forward 192.0.2.77:5060 by 0\n-Record-Route"},
    {"* with another contact is 400", NULL, REGISTER TO "Expires: 0\nContact: *, <sip:bob@192.0.2.4>",
     "reply 400 192.0.2.4:5060 by 0"},
    {"* in a second line is 400", NULL, REGISTER TO "Expires: 0\nContact: <sip:bob@192.0.2.4>\nContact: *",
     "reply 400 192.0.2.4:5060 by 0"},
    {"* with another expiry than 0 is 400", NULL, REGISTER TO "Expires: 5\nContact: *",
     "reply 400 192.0.2.4:5060 by 0"},
    {"* without Expires is 400", NULL, REGISTER TO "Contact: *", "reply 400 192.0.2.4:5060 by 0"},
    {"a broken contact is 400 and nothing is added", NULL,
     REGISTER TO "Contact: <sip:bob@192.0.2.4>, <sip:bob@192.0.2.4", "reply 400 192.0.2.4:5060 by 0"},
    {"a broken q is 400", NULL, REGISTER TO "Contact: <sip:bob@192.0.2.4>;q=2",
     "reply 400 192.0.2.4:5060 by 0"},
    {"the same contact twice is 400", NULL,
     REGISTER TO "Contact: <sip:bob@192.0.2.4>, <sip:bob@192.0.2.4>;q=0.1", "reply 400 192.0.2.4:5060 by 0"},
    {"more contacts than allowed are 403", NULL,
     REGISTER TO "Contact: <sip:1@192.0.2.4>, <sip:2@192.0.2.4>, <sip:3@192.0.2.4>, <sip:4@192.0.2.4>",
     "reply 403 192.0.2.4:5060 by 0\n+SIP/2.0 403 Too Many Contacts"},
    {"Path that the client does not know of is 420", NULL,
     REGISTER TO "Path: <sip:192.0.2.30;lr>\nContact: <sip:bob@192.0.2.4>",
     "reply 420 192.0.2.4:5060 by 0\n+Unsupported: path"},
    {"Path without lr is 400", NULL,
     REGISTER TO "Supported: path\nPath: <sip:192.0.2.30>\nContact: <sip:bob@192.0.2.4>",
     "reply 400 192.0.2.4:5060 by 0"},
    {"a broken Path is 400", NULL,
     REGISTER TO "Supported: path\nPath: <sip:192.0.2.30;lr\nContact: <sip:bob@192.0.2.4>",
     "reply 400 192.0.2.4:5060 by 0"},
};

static void test_refusals_change_nothing(void **state)
{
    struct fixture *f = *state;

    FIXTURE_RUN(f, refusals);
    assert_int_equal(bob(f), 0);
}

// Two contacts with Call-ID c1: a by CSeq 5, b by CSeq 6.
static const struct fixture_case orders[] = {
    {"first", NULL, REGISTER TO "CSeq: 5 REGISTER\nContact: <sip:a@192.0.2.4>",
     "reply 200 192.0.2.4:5060 by 0"},
    {"second", NULL, REGISTER TO "CSeq: 6 REGISTER\nContact: <sip:b@192.0.2.4>",
     "reply 200 192.0.2.4:5060 by 0"},
    {"a lower CSeq fails", NULL, REGISTER TO "CSeq: 4 REGISTER\nContact: <sip:a@192.0.2.4>;q=0.1",
     "reply 500 192.0.2.4:5060 by 0"},
    {"an old contact takes the new one down with it", NULL,
     REGISTER TO "CSeq: 5 REGISTER\nContact: <sip:new@192.0.2.4>, <sip:b@192.0.2.4>",
     "reply 500 192.0.2.4:5060 by 0"},
    {"a retransmission is answered with what is there", NULL,
     REGISTER TO "CSeq: 6 REGISTER\nContact: <sip:b@192.0.2.4>",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:b@192.0.2.4>;expires=3600\n"
     "+Contact: <sip:a@192.0.2.4>;expires=3600"},
    {"the same CSeq with something new is no retransmission", NULL,
     REGISTER TO "CSeq: 6 REGISTER\nContact: <sip:b@192.0.2.4>, <sip:new@192.0.2.4>",
     "reply 500 192.0.2.4:5060 by 0"},
    {"the same CSeq does not remove", NULL,
     REGISTER TO "CSeq: 6 REGISTER\nContact: <sip:b@192.0.2.4>;expires=0", "reply 500 192.0.2.4:5060 by 0"},
    {"* with a CSeq that one binding has fails for all", NULL,
     REGISTER TO "CSeq: 6 REGISTER\nExpires: 0\nContact: *", "reply 500 192.0.2.4:5060 by 0"},
    {"both are there still", NULL, REGISTER TO "CSeq: 6 REGISTER",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:b@192.0.2.4>;expires=3600\n"
     "+Contact: <sip:a@192.0.2.4>;expires=3600\n-Contact: <sip:new"},
    {"another Call-ID updates whatever the CSeq", NULL,
     REGISTER TO "Call-ID: c2\nCSeq: 1 REGISTER\nContact: <sip:a@192.0.2.4>;q=0.3",
     "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:a@192.0.2.4>;expires=3600;q=0.3"},
    {"* from another Call-ID removes everything", NULL,
     REGISTER TO "Call-ID: c3\nCSeq: 1 REGISTER\nExpires: 0\nContact: *",
     "reply 200 192.0.2.4:5060 by 0\n-Contact"},
    {"* again is answered again", NULL, REGISTER TO "Call-ID: c3\nCSeq: 1 REGISTER\nExpires: 0\nContact: *",
     "reply 200 192.0.2.4:5060 by 0\n-Contact"},
};

static void test_call_id_and_cseq_order_updates_all_or_nothing(void **state)
{
    FIXTURE_RUN(*state, orders);
}

static void test_removal_of_all_on_star_with_higher_cseq(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER TO "Contact: <sip:a@192.0.2.4>, <sip:b@192.0.2.4>");
    assert_int_equal(bob(f), 2);
    fixture_request(f, REGISTER TO "CSeq: 2 REGISTER\nExpires: 0\nContact: *");
    assert_int_equal(f->verdict.status, 200);
    assert_int_equal(bob(f), 0);
}

static void test_contacts_are_compared_as_uris(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER TO "Contact: <sip:%62ob@HOST.example;x=1>;q=0.1");
    fixture_request(f, REGISTER TO "CSeq: 2 REGISTER\nContact: <SIP:bob@host.EXAMPLE>;q=0.2");
    assert_int_equal(bob(f), 1);
    assert_int_equal(bindings[0].q, 200);
    fixture_request(f, REGISTER TO "CSeq: 3 REGISTER\nContact: <sip:bob@host.example:5060>");
    assert_int_equal(bob(f), 2); // 19.1.4: a port given does not match one left out
}

static void test_latest_registered_comes_first_and_a_refresh_keeps_its_place(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER TO "Contact: <sip:a@192.0.2.4>");
    fixture_request(f, REGISTER TO "Call-ID: c2\nContact: <sip:b@192.0.2.4>");
    fixture_request(f, REGISTER TO "CSeq: 2 REGISTER\nContact: <sip:a@192.0.2.4>");
    assert_int_equal(bob(f), 2);
    assert_true(slice_equal(bindings[0].contact, SLICE("sip:b@192.0.2.4")));
    assert_true(slice_equal(bindings[1].contact, SLICE("sip:a@192.0.2.4")));
    assert_int_equal(bindings[1].cseq, 2);
}

static void test_bindings_die_on_time(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER TO "Contact: <sip:a@192.0.2.4>;expires=60, <sip:b@192.0.2.4>;expires=120");
    f->arrival.now.ms += 59001;
    fixture_request(f, REGISTER TO "CSeq: 2 REGISTER");
    fixture_expect(f, "one second left",
                   "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:a@192.0.2.4>;expires=1\n"
                   "+Contact: <sip:b@192.0.2.4>;expires=61");
    f->arrival.now.ms += 999;
    fixture_request(f, REGISTER TO "CSeq: 3 REGISTER");
    fixture_expect(f, "dead",
                   "reply 200 192.0.2.4:5060 by 0\n-Contact: <sip:a\n+Contact: <sip:b@192.0.2.4>;expires=60");
}

static void test_dead_bindings_do_not_count_against_the_cap(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER TO "Contact: <sip:1@192.0.2.4>;expires=60, <sip:2@192.0.2.4>;expires=60, "
                                   "<sip:3@192.0.2.4>");
    fixture_request(f, REGISTER TO "CSeq: 2 REGISTER\nContact: <sip:4@192.0.2.4>");
    assert_int_equal(f->verdict.status, 403);
    f->arrival.now.ms += 60000;
    fixture_request(f, REGISTER TO "CSeq: 2 REGISTER\nContact: <sip:4@192.0.2.4>");
    assert_int_equal(f->verdict.status, 200);
    assert_int_equal(bob(f), 2);
}

static void test_names_of_one_domain_share_their_users(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, "REGISTER sip:EXAMPLE.net\nTo: <sips:%62ob@Example.NET:5060;user=phone>\n"
                       "Contact: <sip:bob@192.0.2.4>");
    assert_int_equal(f->verdict.status, 200);
    assert_int_equal(bob(f), 1);
    fixture_request(f, "REGISTER sip:198.18.1.1\nTo: <sip:bob@198.18.1.1>\nCSeq: 2 REGISTER");
    fixture_expect(f, "by address",
                   "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.4>;expires=3600");
}

static void test_the_servers_own_address_serves_every_domain(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, "REGISTER sip:198.18.0.1\nTo: <sip:bob@example.com>\nContact: <sip:bob@192.0.2.4>");
    assert_int_equal(f->verdict.status, 200);
    fixture_request(f, "REGISTER sip:198.18.0.1\nTo: <sip:bob@closed.example>\nContact: <sip:bob@192.0.2.4>");
    assert_int_equal(f->verdict.status, 404);
}

static void test_record_route_in_register_is_ignored(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER TO "Record-Route: <sip:192.0.2.9;lr>\nContact: <sip:bob@192.0.2.4>");
    fixture_expect(f, "10.3", "reply 200 192.0.2.4:5060 by 0\n-Record-Route");
}

static void test_path_is_stored_in_order_and_given_back(void **state)
{
    struct fixture *f = *state;

    fixture_request(f,
                    REGISTER TO "Supported: gruu, path\nPath: <sip:192.0.2.30;lr>,\n <sip:p@192.0.2.31;lr>\n"
                                "Path: <sip:192.0.2.32;lr;ob>\nContact: <sip:bob@10.0.0.1>");
    char path[1024];
    fixture_line(f, "Path: ", path);
    assert_string_equal(path, "<sip:192.0.2.30;lr>,   <sip:p@192.0.2.31;lr>, <sip:192.0.2.32;lr;ob>");
    assert_int_equal(bob(f), 1);
    assert_true(slice_equal(bindings[0].path, slice_text(path)));
}

static void test_path_of_a_stranger_is_ignored(void **state)
{
    struct fixture *f = *state;

    fixture_from(f, "203.0.113.66:5060", 0);
    fixture_request(f,
                    REGISTER TO "Supported: path\nPath: <sip:192.0.2.30;lr>\nContact: <sip:bob@192.0.2.9>");
    fixture_expect(f, "ignored", "reply 200 203.0.113.66:5060 by 0\n-Path");
    assert_int_equal(bob(f), 1);
    assert_int_equal(bindings[0].path.len, 0);
    fixture_request(f, REGISTER TO "CSeq: 2 REGISTER\nRequire: path\nContact: <sip:bob@192.0.2.9>");
    fixture_expect(f, "required", "reply 420 203.0.113.66:5060 by 0\n+Unsupported: path");
}

static void test_path_is_ignored_when_configured_off(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;

    changed.path = false;
    f->role.conf = &changed;
    fixture_request(f, REGISTER TO "Path: <sip:192.0.2.30;lr>\nContact: <sip:bob@192.0.2.4>");
    fixture_expect(f, "ignored", "reply 200 192.0.2.4:5060 by 0\n-Path");
    fixture_request(f, REGISTER TO "CSeq: 2 REGISTER\nRequire: path\nContact: <sip:bob@192.0.2.4>");
    fixture_expect(f, "required", "reply 420 192.0.2.4:5060 by 0\n+Unsupported: path");
}

static void test_allow_becomes_the_methods_of_the_binding(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, REGISTER TO "Allow: INVITE, ACK\nAllow: BYE,FOO\nContact: <sip:bob@192.0.2.4>");
    assert_int_equal(bob(f), 1);
    assert_int_equal(bindings[0].methods, SIP_METHOD_BIT(SIP_METHOD_INVITE) | SIP_METHOD_BIT(SIP_METHOD_ACK) |
                                              SIP_METHOD_BIT(SIP_METHOD_BYE) |
                                              SIP_METHOD_BIT(SIP_METHOD_OTHER));
}

static void test_jitter_only_shortens_and_never_below_the_minimum(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;
    uint64_t least = UINT64_MAX, most = 0;

    changed.expires_jitter = 20;
    f->role.conf = &changed;
    for (unsigned i = 1; i <= 200; i++) {
        char request[256];
        snprintf(request, sizeof(request),
                 REGISTER TO "CSeq: %u REGISTER\nContact: <sip:a@192.0.2.4>;expires=%u", i,
                 i % 2 ? 1000 : 61);
        fixture_request(f, request);
        assert_int_equal(bob(f), 1);
        uint64_t granted = (bindings[0].expires_ms - f->arrival.now.ms) / 1000;
        if (i % 2 == 0) {
            assert_in_range(granted, 60, 61);
            continue;
        }
        least = granted < least ? granted : least;
        most = granted > most ? granted : most;
    }
    assert_in_range(least, 800, 850);
    assert_in_range(most, 950, 1000);
}

static void test_full_table_is_503_with_retry_after_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    char request[256];
    char value[1024];
    unsigned status = 200;

    fixture_request(f, REGISTER TO "Contact: <sip:bob@192.0.2.4>");
    for (unsigned i = 0; i < 3000 && status == 200; i++) {
        snprintf(request, sizeof(request), REGISTER "To: <sip:u%u@example.com>\nContact: <sip:u@192.0.2.4>",
                 i);
        fixture_request(f, request);
        status = f->verdict.status;
    }
    assert_int_equal(status, 503);
    assert_in_range(atoi(fixture_line(f, "Retry-After: ", value)), 30, 59);
    assert_int_equal(bob(f), 1);
}

static void test_contacts_that_no_answer_can_list_are_refused(void **state)
{
    struct fixture *f = *state;
    char request[6000];
    char longer[1500];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    for (unsigned i = 0; i < 3; i++) {
        snprintf(request, sizeof(request), REGISTER TO "CSeq: %u REGISTER\nContact: <sip:%u%s@192.0.2.4>",
                 i + 1, i, longer);
        fixture_request(f, request);
        assert_int_equal(f->verdict.status, i < 2 ? 200 : 403);
    }
    assert_int_equal(bob(f), 2);
}

// Where requests for the binding will go.
static const struct {
    const char *name, *request, *source, *hop;
} nats[] = {
    {"everything matches",
     "Via: SIP/2.0/UDP 203.0.113.4:5060;branch=z9hG4bK1\nContact: <sip:b@203.0.113.4:5062>",
     "203.0.113.4:5060", "203.0.113.4:5062"},
    {"Via says another address", "Via: SIP/2.0/UDP 10.0.0.4:5060;branch=z9hG4bK1\nContact: <sip:b@10.0.0.4>",
     "203.0.113.4:7000", "203.0.113.4:7000"},
    {"Via says a name", "Via: SIP/2.0/UDP pc.example;branch=z9hG4bK1\nContact: <sip:b@203.0.113.4>",
     "203.0.113.4:7000", "203.0.113.4:7000"},
    {"rport, and another port",
     "Via: SIP/2.0/UDP 203.0.113.4:5060;branch=z9hG4bK1;rport\nContact: <sip:b@203.0.113.4>",
     "203.0.113.4:7000", "203.0.113.4:7000"},
    {"rport, and the same port",
     "Via: SIP/2.0/UDP 203.0.113.4:7000;branch=z9hG4bK1;rport\nContact: <sip:b@203.0.113.4>",
     "203.0.113.4:7000", "203.0.113.4:5060"},
    {"a private Contact", "Via: SIP/2.0/UDP 203.0.113.4:5060;branch=z9hG4bK1\nContact: <sip:b@192.168.1.4>",
     "203.0.113.4:7000", "203.0.113.4:7000"},
    {"a private Contact that is the source",
     "Via: SIP/2.0/UDP 192.168.1.4;branch=z9hG4bK1\nContact: <sip:b@192.168.1.4:5062>", "192.168.1.4:7000",
     "192.168.1.4:5062"},
    {"a public Contact elsewhere",
     "Via: SIP/2.0/UDP 203.0.113.4;branch=z9hG4bK1\nContact: <sip:b@203.0.113.99>", "203.0.113.4:5060",
     "203.0.113.99:5060"},
    {"a Contact that is a name", "Via: SIP/2.0/UDP 203.0.113.4;branch=z9hG4bK1\nContact: <sip:b@pc.example>",
     "203.0.113.4:7000", "203.0.113.4:7000"},
    {"a Contact that is no SIP URI",
     "Via: SIP/2.0/UDP 203.0.113.4;branch=z9hG4bK1\nContact: <mailto:b@example.com>", "203.0.113.4:7000",
     NULL},
    {"a proxy in between",
     "Via: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK2\nVia: SIP/2.0/UDP 10.0.0.4;branch=z9hG4bK1\n"
     "Contact: <sip:b@10.0.0.4>",
     "203.0.113.4:5060", "10.0.0.4:5060"},
    {"a proxy in between, in one line",
     "Via: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK2, SIP/2.0/UDP 10.0.0.4;branch=z9hG4bK1\n"
     "Contact: <sip:b@10.0.0.4>",
     "203.0.113.4:5060", "10.0.0.4:5060"},
    {"a Path, whatever the Via",
     "Via: SIP/2.0/UDP 10.0.0.4\nSupported: path\nPath: <sip:192.0.2.30;lr>\n"
     "Contact: <sip:b@10.0.0.4>",
     "192.0.2.4:5060", "192.0.2.30:5060"},
};

static void test_binding_leads_where_the_client_can_be_reached(void **state)
{
    struct fixture *f = *state;
    char request[512];

    for (unsigned i = 0; i < sizeof(nats) / sizeof(*nats); i++) {
        struct endpoint hop = {.family = ENDPOINT_NONE};
        snprintf(request, sizeof(request), REGISTER "To: <sip:n%u@example.com>\n%s", i, nats[i].request);
        fixture_from(f, nats[i].source, 1);
        fixture_request(f, request);
        snprintf(request, sizeof(request), "n%u@example.com", i);
        if (fixture_bindings(f, request, bindings) != 1)
            fail_msg("%s: %s", nats[i].name, f->text);
        assert_true(nats[i].hop == NULL || endpoint_parse(slice_text(nats[i].hop), &hop));
        if (!endpoint_equal(&bindings[0].received, &hop))
            fail_msg("%s", nats[i].name);
        assert_int_equal(bindings[0].listener, 1);
    }
}

static void test_source_is_kept_as_configured(void **state)
{
    struct fixture *f = *state;
    struct conf changed = *f->conf;

    f->role.conf = &changed;
    fixture_from(f, "192.0.2.4:7000", 0);
    changed.nat = CONF_NAT_ALWAYS;
    fixture_request(f, REGISTER TO "Contact: <sip:bob@192.0.2.4:7000>");
    assert_int_equal(bob(f), 1);
    assert_true(endpoint_equal(&bindings[0].received, &f->arrival.source));
    changed.nat = CONF_NAT_NEVER;
    fixture_request(f, REGISTER TO "Call-ID: c2\nContact: <sip:bob@192.0.2.5>\nVia: SIP/2.0/UDP pc.example");
    assert_int_equal(bob(f), 2);
    struct endpoint contact = endpoint_ip4(192, 0, 2, 5, 5060);
    assert_true(endpoint_equal(&bindings[0].received, &contact));
}

static void test_another_workers_shard_is_never_written(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 2);
    unsigned served = 0;

    (void)state;
    for (unsigned worker = 0; worker < 2; worker++) {
        f->arrival.worker = (uint16_t)worker;
        fixture_request(f, REGISTER TO "Contact: <sip:bob@192.0.2.4>");
        served += f->verdict.status == 200;
        assert_true(f->verdict.status == 200 || f->verdict.status == 500);
    }
    assert_int_equal(served, 1);
    fixture_close(f);
}

// RFC 3261 8.2.2.2: forked on its way, and met again.
static void test_merged_request_is_482(void **state)
{
    static const struct fixture_case cases[] = {
        {"the first", NULL, "REGISTER sip:example.com\nCall-ID: m\nContact: <sip:m@192.0.2.9>",
         "reply 200 192.0.2.4:5060 by 0"},
        {"by another way", NULL,
         "REGISTER sip:example.com\nCall-ID: m\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKother\n"
         "Contact: <sip:m@192.0.2.9>",
         "reply 482 192.0.2.4:5060 by 0\n+SIP/2.0 482 Merged Request"},
        {"the first again is a retransmission", NULL,
         "REGISTER sip:example.com\nCall-ID: m\nContact: <sip:m@192.0.2.9>", "reply 200 192.0.2.4:5060 by 0"},
        {"another CSeq is another request", NULL,
         "REGISTER sip:example.com\nCall-ID: m\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKthird\n"
         "CSeq: 2 REGISTER\nContact: <sip:m@192.0.2.9>",
         "reply 200 192.0.2.4:5060 by 0"},
        {"OPTIONS", NULL, "OPTIONS sip:198.18.0.1\nCall-ID: m", "reply 200 192.0.2.4:5060 by 0"},
        {"OPTIONS by another way", NULL,
         "OPTIONS sip:198.18.0.1\nCall-ID: m\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKother",
         "reply 482 192.0.2.4:5060 by 0"},
        {"in a dialog it is none", NULL,
         "OPTIONS sip:198.18.0.1\nCall-ID: m\nTo: <sip:198.18.0.1>;tag=x\nRoute: <sip:198.18.0.1;lr>\n"
         "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKfourth",
         "reply 200 192.0.2.4:5060 by 0"},
    };
    struct fixture *f = *state;

    f->merges = true;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        fixture_request(f, cases[i].request);
        fixture_expect(f, cases[i].name, cases[i].summary);
    }
    for (unsigned i = 0; i < 20000; i++) { // none is taken for another
        char request[200];
        snprintf(request, sizeof(request), "%s\nCall-ID: c%u\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKm%u",
                 i % 2 ? "OPTIONS sip:198.18.0.1" : "REGISTER sip:example.com", i / 2, i);
        fixture_request(f, request);
        fixture_expect(f, request, "reply 200 192.0.2.4:5060 by 0");
    }
    f->arrival.now.ms += 32001; // 64 * T1
    fixture_request(f, "OPTIONS sip:198.18.0.1\nCall-ID: m\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKlate");
    fixture_expect(f, "its transaction is over", "reply 200 192.0.2.4:5060 by 0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_register_adds_a_contact_and_lists_it),
        TEST(test_expires),
        TEST(test_refusals_change_nothing),
        TEST(test_call_id_and_cseq_order_updates_all_or_nothing),
        TEST(test_removal_of_all_on_star_with_higher_cseq),
        TEST(test_contacts_are_compared_as_uris),
        TEST(test_latest_registered_comes_first_and_a_refresh_keeps_its_place),
        TEST(test_bindings_die_on_time),
        TEST(test_dead_bindings_do_not_count_against_the_cap),
        TEST(test_names_of_one_domain_share_their_users),
        TEST(test_the_servers_own_address_serves_every_domain),
        TEST(test_record_route_in_register_is_ignored),
        TEST(test_path_is_stored_in_order_and_given_back),
        TEST(test_path_of_a_stranger_is_ignored),
        TEST(test_path_is_ignored_when_configured_off),
        TEST(test_allow_becomes_the_methods_of_the_binding),
        TEST(test_jitter_only_shortens_and_never_below_the_minimum),
        TEST(test_full_table_is_503_with_retry_after_and_changes_nothing),
        TEST(test_contacts_that_no_answer_can_list_are_refused),
        TEST(test_binding_leads_where_the_client_can_be_reached),
        TEST(test_source_is_kept_as_configured),
        TEST(test_merged_request_is_482),
        TEST(test_another_workers_shard_is_never_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
