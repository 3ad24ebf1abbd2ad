// Whole flows in the manner of RFC 3665, each message made of what the server sent on before.
#include "fixture.h"

#include <stdio.h>
#include <string.h>

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

static void register_bob(struct fixture *f, const char *source, unsigned listener, const char *via,
                         const char *contact)
{
    char text[1024];

    fixture_from(f, source, listener);
    snprintf(text, sizeof(text),
             "REGISTER sip:example.com\nVia: %s\nTo: <sip:bob@example.com>\nCall-ID: reg\nContact: <%s>", via,
             contact);
    fixture_request(f, text);
    assert_int_equal(f->verdict.status, 200);
}

// All lines of one header field as the last message has them, in their order.
static void lines_of(const struct fixture *f, const char *name, char text[2048])
{
    size_t len = strlen(name);

    *text = 0;
    for (const char *line = f->text; line != NULL && *line != 0;) {
        const char *end = strchr(line, '\n');
        if (strncmp(line, name, len) == 0)
            strncat(text, line, (size_t)(end + 1 - line));
        line = end + 1;
    }
}

// The same with what hashes made as it is.
static void raw_lines_of(const struct fixture *f, const char *name, char text[4096])
{
    char out[FIXTURE_BYTES];
    size_t len = 0;

    for (uint32_t i = 0; i < f->out.len; i++) {
        if (f->out.at[i] != '\r')
            out[len++] = f->out.at[i];
    }
    out[len] = 0;
    *text = 0;
    for (char *line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strncmp(line, name, strlen(name)) == 0)
            strcat(strcat(text, line), "\n");
    }
}

static void vias_of(const struct fixture *f, char text[4096])
{
    raw_lines_of(f, "Via: ", text);
}

// The Route of either side, from the Record-Route of the last message (RFC 3261 12.1): the callee's is that as it
// stands, the caller's reversed.
static void routes_of(const struct fixture *f, bool caller, char routes[4096])
{
    char recorded[4096], *lines[8];
    unsigned n = 0;

    raw_lines_of(f, "Record-Route: ", recorded);
    for (char *line = strtok(recorded, "\n"); line != NULL; line = strtok(NULL, "\n"))
        lines[n++] = line + strlen("Record-");
    *routes = 0;
    for (unsigned i = 0; i < n; i++)
        strcat(strcat(routes, lines[caller ? n - 1 - i : i]), "\n");
}

// The callee's answer to the request that was forwarded last.
static void answer(struct fixture *f, const char *status, const char *rest)
{
    char vias[4096], recorded[4096], text[10000];

    vias_of(f, vias);
    raw_lines_of(f, "Record-Route: ", recorded);
    snprintf(
        text, sizeof(text),
        "SIP/2.0 %s\n%s%sFrom: Alice <sip:alice@example.com>;tag=a1\nTo: Bob <sip:bob@example.com>;tag=b1\n"
        "Call-ID: c1@192.0.2.4\nCSeq: 1 INVITE\n%s\n",
        status, vias, recorded, rest);
    fixture_text(f, text);
}

static void test_register_then_call_through_the_proxy(void **state)
{
    struct fixture *f = *state;
    char route[4096], request[10000];

    register_bob(f, "192.0.2.9:5060", 0, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKr", "sip:bob@192.0.2.9");

    fixture_from(f, "192.0.2.4:5060", 0);
    fixture_request(f, "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKi;rport\n"
                       "Contact: <sip:alice@192.0.2.4>");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.9:5060 by 0");
    assert_non_null(strstr(f->text, "INVITE sip:bob@192.0.2.9 SIP/2.0\n"));
    routes_of(f, true, route);

    fixture_from(f, "192.0.2.9:5060", 0);
    answer(f, "200 OK", "Contact: <sip:bob@192.0.2.9>\n");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.4:5060 by 0");
    assert_string_equal(f->text,
                        "SIP/2.0 200 OK\n"
                        "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKi;rport=5060;received=192.0.2.4\n"
                        "Record-Route: <sip:FLOW@198.18.0.1:5060;lr>\n"
                        "From: Alice <sip:alice@example.com>;tag=a1\nTo: Bob <sip:bob@example.com>;tag=b1\n"
                        "Call-ID: c1@192.0.2.4\nCSeq: 1 INVITE\nContact: <sip:bob@192.0.2.9>\n\n");

    fixture_from(f, "192.0.2.4:5060", 0);
    snprintf(request, sizeof(request), "ACK sip:bob@192.0.2.9\n%sTo: <sip:bob@example.com>;tag=b1", route);
    fixture_request(f, request);
    fixture_expect(f, "ACK",
                   "forward 192.0.2.9:5060 by 0\n+ACK sip:bob@192.0.2.9 SIP/2.0\n-Route\n-Record-Route");

    fixture_from(f, "192.0.2.9:5060", 0);
    snprintf(request, sizeof(request),
             "BYE sip:alice@192.0.2.4\n%sVia: SIP/2.0/UDP 192.0.2.9\n"
             "From: <sip:bob@example.com>;tag=b1\nTo: <sip:alice@example.com>;tag=a1",
             route);
    fixture_request(f, request);
    fixture_expect(f, "BYE", "forward 192.0.2.4:5060 by 0\n+BYE sip:alice@192.0.2.4 SIP/2.0\n-Route");
}

static void test_call_between_address_families_comes_back_over_both(void **state)
{
    struct fixture *f = *state;
    char routes[2048], caller[4096], callee[4096], request[10000];

    register_bob(f, "[2001:db8::9]:5060", 2, "SIP/2.0/UDP [2001:db8::9];branch=z9hG4bKr",
                 "sip:bob@[2001:db8::9]");

    fixture_from(f, "192.0.2.4:5060", 1);
    fixture_request(f, "INVITE sip:bob@example.com\nContact: <sip:alice@192.0.2.4>");
    assert_string_equal(fixture_verdict(f), "forward [2001:db8::9]:5060 by 2");
    lines_of(f, "Record-Route: ", routes);
    assert_string_equal(
        routes,
        "Record-Route: <sip:FLOW@[2001:db8::1]:5060;lr>\nRecord-Route: <sip:FLOW@198.18.1.1:5060;lr>\n");

    routes_of(f, true, caller);
    routes_of(f, false, callee);

    fixture_from(f, "[2001:db8::9]:5060", 2);
    answer(f, "200 OK", "");
    assert_string_equal(fixture_verdict(f),
                        "forward 192.0.2.4:5060 by 1"); // by the listener the INVITE came in on

    snprintf(request, sizeof(request),
             "BYE sip:alice@192.0.2.4\nVia: SIP/2.0/UDP [2001:db8::9]\n%sTo: <sip:alice@example.com>;tag=a1",
             callee);
    fixture_request(f, request);
    fixture_expect(f, "callee", "forward 192.0.2.4:5060 by 1\n-Route");
    fixture_from(f, "192.0.2.4:5060", 1);
    snprintf(request, sizeof(request), "BYE sip:bob@[2001:db8::9]\n%sTo: <sip:bob@example.com>;tag=b1",
             caller);
    fixture_request(f, request);
    fixture_expect(f, "caller", "forward [2001:db8::9]:5060 by 2\n-Route");
}

static void test_call_to_a_client_behind_a_nat(void **state)
{
    struct fixture *f = *state;

    register_bob(f, "203.0.113.7:40000", 1, "SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKr;rport",
                 "sip:bob@10.0.0.9");
    fixture_expect(f, "200", "reply 200 203.0.113.7:40000 by 1\n+Contact: <sip:bob@10.0.0.9>;expires=3600");

    fixture_from(f, "192.0.2.4:5060", 0);
    fixture_request(f, "INVITE sip:bob@example.com");
    fixture_expect(f, "INVITE",
                   "forward 203.0.113.7:40000 by 1\n+INVITE sip:bob@10.0.0.9 SIP/2.0\n"
                   "+Via: SIP/2.0/UDP 198.18.1.1:5060;branch=BRANCH");
    fixture_from(f, "203.0.113.7:40000", 1);
    answer(f, "180 Ringing", "");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.4:5060 by 0");
}

static void test_cancelled_call(void **state)
{
    struct fixture *f = *state;
    char invite[4096], cancel[4096], ack[4096];

    register_bob(f, "192.0.2.9:5060", 0, "SIP/2.0/UDP 192.0.2.9", "sip:bob@192.0.2.9");
    fixture_from(f, "192.0.2.4:5060", 0);
    fixture_request(f, "INVITE sip:bob@example.com");
    vias_of(f, invite);
    fixture_request(f, "CANCEL sip:bob@example.com");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.9:5060 by 0");
    vias_of(f, cancel);
    assert_string_equal(invite, cancel);
    answer(f, "487 Request Terminated", "");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.4:5060 by 0");
    fixture_request(f, "ACK sip:bob@example.com\nTo: Bob <sip:bob@example.com>;tag=b1");
    assert_string_equal(fixture_verdict(f), "forward 192.0.2.9:5060 by 0");
    vias_of(f, ack);
    assert_string_equal(invite, ack);
}

static void test_call_via_redirect(void **state)
{
    struct fixture *f = *state;
    char contact[1024], to[1024], text[2048];

    fixture_from(f, "192.0.2.9:5060", 0);
    fixture_request(
        f, "REGISTER sip:redirect.example\nVia: SIP/2.0/UDP 192.0.2.9\nTo: <sip:bob@redirect.example>\n"
           "Contact: <sip:bob@192.0.2.9:5062>");
    assert_int_equal(f->verdict.status, 200);
    fixture_from(f, "192.0.2.4:5060", 0);
    fixture_request(f, "INVITE sip:bob@redirect.example\nTo: <sip:bob@redirect.example>");
    assert_string_equal(fixture_verdict(f), "reply 302 192.0.2.4:5060 by 0");
    assert_string_equal(fixture_line(f, "Contact: ", contact), "<sip:bob@192.0.2.9:5062>;expires=3600");
    snprintf(text, sizeof(text), "ACK sip:bob@redirect.example\nTo: %s", fixture_line(f, "To: ", to));
    fixture_request(f, text);
    assert_string_equal(fixture_verdict(f), "drop ACK_ABSORBED");
}

static void test_registration_refreshed_queried_removed_and_expired(void **state)
{
    struct fixture *f = *state;

    register_bob(f, "192.0.2.9:5060", 0, "SIP/2.0/UDP 192.0.2.9", "sip:bob@192.0.2.9");
    fixture_from(f, "192.0.2.4:5060", 0);
    f->arrival.now.ms += 1800000;
    fixture_request(f, "REGISTER sip:example.com\nTo: <sip:bob@example.com>\nCall-ID: reg\nCSeq: 2 REGISTER");
    fixture_expect(f, "query", "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.9>;expires=1800");
    fixture_request(f, "REGISTER sip:example.com\nTo: <sip:bob@example.com>\nCall-ID: reg\nCSeq: 3 REGISTER\n"
                       "Contact: <sip:bob@192.0.2.9>");
    fixture_expect(f, "refresh", "reply 200 192.0.2.4:5060 by 0\n+Contact: <sip:bob@192.0.2.9>;expires=3600");
    fixture_request(f, "REGISTER sip:example.com\nTo: <sip:bob@example.com>\nCall-ID: reg\nCSeq: 4 REGISTER\n"
                       "Contact: <sip:bob@192.0.2.9>\nExpires: 0");
    fixture_expect(f, "remove", "reply 200 192.0.2.4:5060 by 0\n-Contact");
    fixture_request(f, "INVITE sip:bob@example.com");
    assert_string_equal(fixture_verdict(f), "reply 404 192.0.2.4:5060 by 0");
    fixture_request(f, "REGISTER sip:example.com\nTo: <sip:bob@example.com>\nCall-ID: reg\nCSeq: 5 REGISTER\n"
                       "Contact: <sip:bob@192.0.2.9>\nExpires: 60");
    f->arrival.now.ms += 60000;
    fixture_request(f, "INVITE sip:bob@example.com");
    assert_string_equal(fixture_verdict(f), "reply 480 192.0.2.4:5060 by 0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_register_then_call_through_the_proxy),
        TEST(test_call_between_address_families_comes_back_over_both),
        TEST(test_call_to_a_client_behind_a_nat),
        TEST(test_cancelled_call),
        TEST(test_call_via_redirect),
        TEST(test_registration_refreshed_queried_removed_and_expired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
