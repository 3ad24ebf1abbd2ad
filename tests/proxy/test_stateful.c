// One request, one branch, with a record: RFC 3261 16.6, 16.7, 17, RFC 6026, RFC 4320.
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "name/name.h"

#define CALLER "192.0.2.4:5060"
#define BOB    "192.0.2.9:5062"
#define INVITE "INVITE sip:bob@example.com\n"

static const char conf[] = "[server]\nserver_header =\n"
                           "[proxy]\nfork = serial\n"
                           "[port p]\ndevice = net_null0\n"
                           "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
                           "[listener b]\naddress = 198.18.1.1:5060\nport = p\n"
                           "[domain example.com]\n"
                           "[trust]\nnetworks = 192.0.2.0/24\n"
                           "[route quick]\nuser = quick\naction = location\nmode = stateless\n";

static int set_up(void **state)
{
    struct fixture *f = fixture_open(conf, 1);

    fixture_bind(f, "bob@example.com", fixture_contact("sip:bob@" BOB));
    fixture_bind(f, "quick@example.com", fixture_contact("sip:quick@" BOB));
    fixture_stateful(f, 64);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void expect_line(const char *bytes, const char *line)
{
    char whole[520];

    snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);
    if (strstr(bytes, whole) == NULL)
        fail_msg("no line %s in\n%s", line, bytes);
}

static const struct sent *last_sent(struct fixture *f, const char *what)
{
    const struct sent *sent = outlet_find(f->outlet, NULL, what);

    if (sent == NULL)
        fail_msg("no %s was sent", what);
    return sent;
}

static void test_invite_gets_100_at_once_and_goes_on(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE "Timestamp: 54");
    fixture_left(f, "INVITE", "100@" CALLER " INVITE@" BOB);
    const struct sent *trying = last_sent(f, "100");
    expect_line(trying->bytes, "Timestamp: 54");                 // 8.2.6.1
    expect_line(trying->bytes, "To: Bob <sip:bob@example.com>"); // no tag: 100 makes no dialog
    expect_line(trying->bytes, "Content-Length: 0");
}

static void test_retransmitted_invite_is_absorbed(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_left(f, "new", "100@" CALLER " INVITE@" BOB);
    fixture_request(f, INVITE);
    assert_string_equal(fixture_verdict(f), "drop RETRANSMISSION");
    fixture_left(f, "answered by the last response", "100@" CALLER);
    fixture_answer(f, BOB, "INVITE", 180, "");
    fixture_left(f, "ringing", "180@" CALLER);
    fixture_request(f, INVITE);
    fixture_left(f, "answered by the last response, which is 180 now", "180@" CALLER);
    fixture_answer(f, BOB, "INVITE", 200, "");
    fixture_left(f, "answered", "200@" CALLER);
    fixture_request(f, INVITE);
    assert_string_equal(fixture_verdict(f), "drop RETRANSMISSION");
    fixture_left(f, "RFC 6026 7.1: in Accepted the callee repeats his 200", "");
    assert_int_equal(f->outlet->buffers, 0);
}

// 17.1.1.3
static void test_negative_answer_is_acknowledged_hop_by_hop(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE "Subject: x\nContact: <sip:alice@192.0.2.4>");
    fixture_left(f, "INVITE", "100@" CALLER " INVITE@" BOB);
    char branch[512];
    snprintf(branch, sizeof(branch), "%s", strstr(last_sent(f, "INVITE")->bytes, "Via: "));
    *strstr(branch, "\r\n") = 0;
    fixture_answer(f, BOB, "INVITE", 486, "");
    fixture_left(f, "486", "ACK@" BOB " 486@" CALLER);
    const struct sent *ack = last_sent(f, "ACK");
    assert_memory_equal(ack->bytes, "ACK sip:bob@192.0.2.9:5062 SIP/2.0\r\n", 36);
    expect_line(ack->bytes, branch);
    expect_line(ack->bytes, "From: Alice <sip:alice@example.com>;tag=a1");
    expect_line(ack->bytes, "To: Bob <sip:bob@example.com>;tag=" BOB);
    expect_line(ack->bytes, "CSeq: 1 ACK");
    expect_line(ack->bytes, "Content-Length: 0");
    assert_null(strstr(ack->bytes, "Subject"));
    assert_null(strstr(strstr(ack->bytes, "Via: ") + 5, "Via: "));
    fixture_answer(f, BOB, "INVITE", 486, "");
    assert_string_equal(fixture_verdict(f), "drop RESPONSE_REPEATED");
    fixture_left(f, "again", "ACK@" BOB);
    fixture_advance(f, 600);
    fixture_left(f, "timer G", "486@" CALLER);
    fixture_request(f, "ACK sip:bob@example.com\nTo: Bob <sip:bob@example.com>;tag=" BOB);
    assert_string_equal(fixture_verdict(f), "drop ACK_ABSORBED");
    fixture_advance(f, 4000);
    fixture_left(f, "confirmed: no more", "");
}

static void test_ack_to_2xx_and_a_stray_ack_go_on(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_answer(f, BOB, "INVITE", 200, "");
    fixture_request(f, "ACK sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKack");
    assert_string_equal(fixture_verdict(f), "forward " BOB " by 0");
    fixture_request(f,
                    "ACK sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKstray\nCall-ID: none");
    assert_string_equal(fixture_verdict(f), "forward " BOB " by 0");
}

static void test_every_2xx_goes_on(void **state) // 16.7 step 5, RFC 6026 7.1
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_answer(f, BOB, "INVITE", 200, "");
    fixture_left(f, "first", "100@" CALLER " INVITE@" BOB " 200@" CALLER);
    fixture_answer(f, BOB, "INVITE", 200, "");
    fixture_left(f, "again", "200@" CALLER);
    fixture_advance(f, 33000);
    fixture_left(f, "nothing by itself", "");
    fixture_answer(f, BOB, "INVITE", 200, "");
    assert_string_equal(fixture_verdict(f), "drop RESPONSE_UNKNOWN"); // RFC 6026 8.2
}

static void test_provisional_answers(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_left(f, "INVITE", "100@" CALLER " INVITE@" BOB);
    fixture_answer(f, BOB, "INVITE", 100, "");
    assert_string_equal(fixture_verdict(f), "drop TRYING"); // 16.7 step 5
    fixture_answer(f, BOB, "INVITE", 183, "Contact: <sip:bob@192.0.2.9>\n");
    fixture_answer(f, BOB, "INVITE", 180, "");
    fixture_left(f, "101 to 199 go on", "183@" CALLER " 180@" CALLER);
    fixture_advance(f, 5000);
    fixture_left(f, "and stop timer A", "");
}

static void test_invite_is_sent_again_until_timer_b(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_left(f, "first", "100@" CALLER " INVITE@" BOB);
    fixture_advance(f, 520);
    fixture_left(f, "A at T1", "INVITE@" BOB);
    fixture_advance(f, 1000);
    fixture_left(f, "A at 3 T1", "INVITE@" BOB);
    fixture_advance(f, 30000);
    fixture_left(f, "A at 7, 15, 31 T1 and 63 T1",
                 "INVITE@" BOB " INVITE@" BOB " INVITE@" BOB " INVITE@" BOB);
    fixture_advance(f, 600);
    fixture_left(f, "B: 408", "408@" CALLER);
    expect_line(last_sent(f, "408")->bytes, "CSeq: 1 INVITE");
    fixture_request(f, "ACK sip:bob@example.com");
    assert_string_equal(fixture_verdict(f), "drop ACK_ABSORBED");
}

static void test_other_methods(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_left(f, "no 100", "MESSAGE@" BOB);
    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_left(f, "17.2.2: in Trying nothing is answered", "");
    fixture_advance(f, 520);
    fixture_left(f, "E", "MESSAGE@" BOB);
    fixture_answer(f, BOB, "MESSAGE", 200, "");
    fixture_left(f, "200", "200@" CALLER);
    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_left(f, "the last response again", "200@" CALLER);
    fixture_answer(f, BOB, "MESSAGE", 200, "");
    assert_string_equal(fixture_verdict(f), "drop RESPONSE_REPEATED");
}

// RFC 4320 4.1, 4.2
static void test_silence_to_other_methods_is_100_and_never_408(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_advance(f, 3480);
    assert_null(strstr(f->outlet->log, "100@"));
    fixture_advance(f, 40);
    assert_non_null(strstr(f->outlet->log, "100@" CALLER));
    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_advance(f, 40000);
    assert_null(strstr(f->outlet->log, "408@"));
    fixture_answer(f, BOB, "MESSAGE", 200, "");
    assert_int_equal(f->verdict.kind, VERDICT_DROP); // 4.2: never late
}

static void test_408_to_other_methods_is_not_passed_on(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_answer(f, BOB, "MESSAGE", 408, "");
    assert_int_equal(f->verdict.kind, VERDICT_DROP);
    fixture_left(f, "nothing", "MESSAGE@" BOB);
    fixture_answer(f, BOB, "MESSAGE", 408, "");
    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_left(f, "and nobody asks anew", "");
}

static void test_provisional_to_other_methods_is_not_passed_on(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_answer(f, BOB, "MESSAGE", 180, "");
    assert_string_equal(fixture_verdict(f), "drop TRYING");
}

static void test_503_becomes_500(void **state) // 16.7 step 6
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_answer(f, BOB, "INVITE", 503, "Retry-After: 5\n");
    fixture_left(f, "503", "100@" CALLER " INVITE@" BOB " ACK@" BOB " 500@" CALLER);
    fixture_request(f, "MESSAGE sip:bob@example.com\nCall-ID: 2");
    fixture_answer(f, BOB, "MESSAGE", 503, "");
    fixture_left(f, "503", "MESSAGE@" BOB " 500@" CALLER);
}

// 16.6 step 11, 16.8
static void test_timer_c_cancels(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_answer(f, BOB, "INVITE", 180, "");
    fixture_advance(f, 100000);
    fixture_answer(f, BOB, "INVITE", 183, ""); // C begins anew
    fixture_left(f, "ringing", "100@" CALLER " INVITE@" BOB " 180@" CALLER " 183@" CALLER);
    fixture_advance(f, 180000);
    fixture_left(f, "not yet", "");
    fixture_advance(f, 1100);
    fixture_left(f, "C", "CANCEL@" BOB);
    fixture_answer(f, BOB, "CANCEL", 200, "");
    fixture_answer(f, BOB, "INVITE", 487, "");
    fixture_left(f, "answered", "ACK@" BOB " 487@" CALLER);
}

static void test_timer_c_and_a_callee_who_is_gone(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_answer(f, BOB, "INVITE", 180, "");
    fixture_advance(f, 181100);
    f->outlet->log[0] = 0;
    fixture_advance(f, 33000);
    assert_non_null(strstr(f->outlet->log, "408@" CALLER));
}

static void test_forged_responses(void **state)
{
    struct fixture *f = *state;
    char text[4096];

    fixture_request(f, INVITE);
    const struct sent *sent = last_sent(f, "INVITE");
    const char *via = strstr(sent->bytes, "Via: ");
    for (unsigned digit = 17; digit < 41; digit++) { // slot, number and check
        snprintf(text, sizeof(text),
                 "SIP/2.0 200 OK\n%.*s\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\n"
                 "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>;tag=2\n"
                 "Call-ID: 1\nCSeq: 1 INVITE\n\n",
                 (int)strcspn(via, "\r"), via);
        char *at = strstr(text, "z9hG4bKstg.") + digit;
        *at = *at == '3' ? '4' : '3';
        fixture_text(f, text);
        if (f->verdict.kind != VERDICT_DROP)
            fail_msg("digit %u: %s", digit, fixture_verdict(f));
    }
    fixture_left(f, "nothing came of them", "100@" CALLER " INVITE@" BOB);
}

static void test_response_of_another_method_is_refused(void **state) // 17.1.3
{
    struct fixture *f = *state;
    char text[4096];

    fixture_request(f, INVITE);
    const char *via = strstr(last_sent(f, "INVITE")->bytes, "Via: ");
    snprintf(text, sizeof(text),
             "SIP/2.0 200 OK\n%.*s\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\n"
             "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>;tag=2\n"
             "Call-ID: 1\nCSeq: 1 BYE\n\n",
             (int)strcspn(via, "\r"), via);
    fixture_text(f, text);
    assert_string_equal(fixture_verdict(f), "drop RESPONSE_FORGED");
}

static void test_max_breadth(void **state) // RFC 5393 5.3.3
{
    static const struct {
        const char *name, *header, *line;
    } cases[] = {
        {"none: one is added", "Subject: x", "Max-Breadth: 60"},
        {"as it came", "Max-Breadth: 5", "Max-Breadth: 5"},
        {"more than we allow", "Max-Breadth: 1000", "Max-Breadth: 60"},
        {"no number", "Max-Breadth: many", "Max-Breadth: 60"},
    };
    struct fixture *f = *state;
    char text[512];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text),
                 "MESSAGE sip:bob@example.com\nCall-ID: b%u\nCSeq: %u MESSAGE\n"
                 "Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKb%u\n%s",
                 i, i + 1, i, cases[i].header);
        fixture_request(f, text);
        const char *bytes = last_sent(f, "MESSAGE")->bytes;
        expect_line(bytes, cases[i].line);
        assert_null(strstr(strstr(bytes, "Max-Breadth") + 1, "Max-Breadth"));
    }
    fixture_request(f, INVITE "Max-Breadth: 0");
    assert_string_equal(fixture_verdict(f), "reply 440 " CALLER " by 0");
}

static void test_stateless_route_keeps_nothing(void **state)
{
    struct fixture *f = *state;
    struct transaction_usage usage;

    fixture_request(f, "INVITE sip:quick@example.com\n");
    fixture_left(f, "forwarded", "INVITE@" BOB);
    transaction_usage(f->role.transactions, &usage);
    assert_int_equal(usage.opened, 0);
    fixture_answer(f, BOB, "INVITE", 200, "");
    fixture_left(f, "its response, too", "200@" CALLER);
    fixture_answer(f, BOB, "INVITE", 486, "");
    fixture_left(f, "and any other", "486@" CALLER);
}

static void test_no_record_is_503_for_new_calls_alone(void **state)
{
    struct fixture *f = *state;
    char text[256];

    for (unsigned i = 0; i < 64; i++) {
        snprintf(text, sizeof(text), INVITE "Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKf%u\n", i);
        fixture_request(f, text);
        assert_int_equal(f->verdict.kind, VERDICT_FORWARD);
    }
    fixture_request(f, INVITE "Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKlast\n");
    assert_string_equal(fixture_verdict(f), "reply 503 " CALLER " by 0");
    expect_line(last_sent(f, "503")->bytes, "Retry-After: 10");
    fixture_request(f, "MESSAGE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKm\n");
    assert_string_equal(fixture_verdict(f), "forward " BOB " by 0");
    fixture_request(f, INVITE "To: <sip:bob@example.com>;tag=1\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKr\n"
                              "Route: <sip:198.18.0.1;lr>");
    assert_string_equal(fixture_verdict(f), "forward " BOB " by 0");
}

static void test_no_buffer_is_503_for_new_calls_alone(void **state)
{
    struct fixture *f = *state;

    f->outlet->room = 1;
    fixture_request(f, INVITE);
    assert_string_equal(fixture_verdict(f), "reply 503 " CALLER " by 0");
    fixture_request(f, "MESSAGE sip:bob@example.com\n");
    assert_string_equal(fixture_verdict(f), "forward " BOB " by 0");
}

static void test_icmp_ends_a_branch_as_503(void **state) // 16.9
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    const struct sent *sent = last_sent(f, "INVITE");
    f->outlet->log[0] = 0;
    assert_false(service_unreachable(&f->role, SLICE("INVITE sip:x SIP/2.0\r\nVia: no"), &f->arrival.now));
    assert_true(service_unreachable(&f->role, slice_of(sent->bytes, 200), &f->arrival.now));
    fixture_left(f, "503 is 500 upstream", "500@" CALLER);
    assert_false(service_unreachable(&f->role, SLICE("SIP/2.0 200 OK\r\n"), &f->arrival.now));
}

static void test_icmp_about_what_was_answered_is_ignored(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    const struct sent *sent = last_sent(f, "INVITE");
    char quoted[200];
    memcpy(quoted, sent->bytes, sizeof(quoted));
    fixture_answer(f, BOB, "INVITE", 180, "");
    f->outlet->log[0] = 0;
    service_unreachable(&f->role, slice_of(quoted, sizeof(quoted)), &f->arrival.now);
    fixture_left(f, "it arrived", "");
}

// Its name is not known yet: the caller hears 100, and the request comes back when it is.
static void test_request_that_waits_for_a_name(void **state)
{
    struct fixture *f = *state;
    struct name_question question = {
        .name = SLICE("far.example"), .kind = NAME_SIP, .transport = NAME_TRANSPORT_ANY};
    union {
        struct name_answer answer;
        char room[sizeof(struct name_answer) + sizeof(struct name_hop)];
    } said = {.answer = {.expires_ms = UINT64_MAX / 2, .hops_n = 1}};
    const char *request = "INVITE sip:x@far.example\nFrom: <sip:alice@example.com>;tag=a1";

    assert_true(endpoint_parse(SLICE("192.0.2.77:5060"), &said.answer.hops[0].endpoint));
    fixture_request(f, request);
    assert_int_equal(f->verdict.kind, VERDICT_PARK);
    fixture_left(f, "100 for now", "100@" CALLER);
    fixture_request(f, request);
    assert_int_equal(f->verdict.kind, VERDICT_PARK); // nothing was opened yet
    f->outlet->log[0] = 0;
    assert_int_equal(name_put(f->names, &question, &said.answer, f->arrival.now.ms), 0);
    fixture_request(f, request);
    fixture_left(f, "now it goes", "100@" CALLER " INVITE@192.0.2.77:5060");
    fixture_request(f, request);
    fixture_left(f, "and the second one is a retransmission", "100@" CALLER);
}

// What is only kept to be repeated leaves room for what is new.
static void test_answer_that_is_not_kept_is_asked_for_anew(void **state)
{
    struct fixture *f = *state;
    struct transaction_usage usage;

    f->outlet->room = 100; // less than a quarter of kept_max
    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_answer(f, BOB, "MESSAGE", 200, "");
    fixture_left(f, "answered", "MESSAGE@" BOB " 200@" CALLER);
    transaction_usage(f->role.transactions, &usage);
    assert_int_equal(usage.records, 0);
    fixture_request(f, "MESSAGE sip:bob@example.com");
    fixture_left(f, "again", "MESSAGE@" BOB);
}

// It is repeated until it is acknowledged (17.2.1), in the place of the provisional one.
static void test_final_answer_is_kept_when_no_more_can_be(void **state)
{
    struct fixture *f = *state;

    fixture_request(f, INVITE);
    fixture_answer(f, BOB, "INVITE", 180, "");
    f->outlet->log[0] = 0;
    unsigned room = f->outlet->room;
    f->outlet->room = f->outlet->buffers;
    fixture_answer(f, BOB, "INVITE", 486, "");
    fixture_left(f, "no buffer for the ACK", "486@" CALLER);
    f->outlet->room = room;
    fixture_answer(f, BOB, "INVITE", 486, "");
    fixture_advance(f, 520);
    fixture_left(f, "both are there later", "ACK@" BOB " 486@" CALLER);
}

// RFC 3261 9.1, 17.1.1.3: they go where their INVITE went.
static void test_hop_requests_keep_the_route(void **state)
{
    struct fixture *f = *state;
    struct location_binding binding = fixture_contact("sip:p@192.0.2.30");

    binding.path = SLICE("<sip:192.0.2.31;lr>,<sip:192.0.2.32;lr>");
    fixture_bind(f, "pathed@example.com", binding);
    fixture_request(f, "INVITE sip:pathed@example.com");
    fixture_answer(f, "192.0.2.31:5060", "INVITE", 486, "");
    const char *ack = last_sent(f, "ACK")->bytes;
    assert_memory_equal(ack, "ACK sip:p@192.0.2.30 SIP/2.0\r\n", 30);
    expect_line(ack, "Route: <sip:192.0.2.31;lr>,<sip:192.0.2.32;lr>");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_invite_gets_100_at_once_and_goes_on),
        TEST(test_retransmitted_invite_is_absorbed),
        TEST(test_negative_answer_is_acknowledged_hop_by_hop),
        TEST(test_ack_to_2xx_and_a_stray_ack_go_on),
        TEST(test_every_2xx_goes_on),
        TEST(test_provisional_answers),
        TEST(test_invite_is_sent_again_until_timer_b),
        TEST(test_other_methods),
        TEST(test_silence_to_other_methods_is_100_and_never_408),
        TEST(test_408_to_other_methods_is_not_passed_on),
        TEST(test_provisional_to_other_methods_is_not_passed_on),
        TEST(test_503_becomes_500),
        TEST(test_timer_c_cancels),
        TEST(test_timer_c_and_a_callee_who_is_gone),
        TEST(test_forged_responses),
        TEST(test_response_of_another_method_is_refused),
        TEST(test_max_breadth),
        TEST(test_stateless_route_keeps_nothing),
        TEST(test_no_record_is_503_for_new_calls_alone),
        TEST(test_no_buffer_is_503_for_new_calls_alone),
        TEST(test_request_that_waits_for_a_name),
        TEST(test_answer_that_is_not_kept_is_asked_for_anew),
        TEST(test_final_answer_is_kept_when_no_more_can_be),
        TEST(test_hop_requests_keep_the_route),
        TEST(test_icmp_ends_a_branch_as_503),
        TEST(test_icmp_about_what_was_answered_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
