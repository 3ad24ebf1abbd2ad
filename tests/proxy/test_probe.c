// OPTIONS to gateways: what is sent, when, and what becomes of it.
#include <stdio.h>
#include <stdlib.h>

#include "proxy/probe.h"
#include "proxy/proxy.h"
#include "scene.h"

// T1 is 500 ms, T2 4 s.
static const char sections[] =
    "[gateways G]\nprobe_interval = 10s\nprobe_down = 3\nprobe_up = 2\nease_in = 10s\n"
    "[gateway a]\ngroup = G\naddress = 192.0.2.9:5070\n";

struct buffer {
    unsigned len;
    char bytes[2048];
};

struct sent {
    unsigned n;         // messages ever
    unsigned held;      // buffers that were not given back
    bool none;          // no buffer is left
    struct endpoint to; // of the last one
    unsigned listener;
    char text[2048];
};

static struct buffer *take_copy(void *owner, struct slice source, struct sip_edits *edits,
                                const struct arrival *arrival)
{
    struct sent *sent = owner;
    struct buffer *buffer = calloc(1, sizeof(*buffer));

    (void)arrival;
    assert_non_null(buffer);
    assert_int_equal(edits->n, 0);
    assert_in_range(source.len, 1, sizeof(buffer->bytes) - 1);
    memcpy(buffer->bytes, source.at, source.len);
    buffer->len = source.len;
    sent->held++;
    return buffer;
}

static void take_send(void *owner, struct buffer *buffer, const struct endpoint *to, uint8_t listener,
                      uint16_t status)
{
    struct sent *sent = owner;

    assert_int_equal(status, 0);
    sent->n++;
    sent->to = *to;
    sent->listener = listener;
    memcpy(sent->text, buffer->bytes, buffer->len + 1);
}

static void take_release(void *owner, struct buffer *buffer)
{
    ((struct sent *)owner)->held--;
    free(buffer);
}

static bool has_room(void *owner, unsigned buffers)
{
    (void)buffers;
    return !((struct sent *)owner)->none;
}

static struct scene *open_scene(struct sent *sent, const char *text)
{
    struct scene *s = scene_open(text);

    *sent = (struct sent){0};
    s->role.outlet = (struct outlet){
        .owner = sent, .copy = take_copy, .send = take_send, .release = take_release, .room = has_room};
    return s;
}

static void close_scene(struct scene *s, const struct sent *sent)
{
    assert_int_equal(sent->held, 0);
    scene_close(s);
}

// Turns of a millisecond until `until_ms` behind the start.
static void turn_until(struct scene *s, uint64_t until_ms)
{
    while (s->arrival.now.ms < SCENE_NOW_MS + until_ms) {
        s->arrival.now.ms++;
        proxy_probe_turn(&s->role, &s->arrival.now);
    }
}

// Until the next message leaves; when it did, behind the start. Not for longer than a minute.
static uint64_t turn_to_next(struct scene *s, const struct sent *sent)
{
    unsigned n = sent->n;

    for (unsigned i = 0; sent->n == n && i < 60000; i++)
        turn_until(s, s->arrival.now.ms - SCENE_NOW_MS + 1);
    assert_int_equal(sent->n, n + 1);
    return s->arrival.now.ms - SCENE_NOW_MS;
}

static struct gateway_report report_of(struct scene *s)
{
    struct gateway_report report;

    gateway_report(s->policy->gateways, 0, s->arrival.now.ms, &report);
    return report;
}

static void answer(struct scene *s, uint16_t status)
{
    proxy_probe_response(&s->role, gateway_slot_of(s->policy->gateways, 0), status, &s->arrival.now);
}

static void expect_line(const struct sent *sent, const char *line)
{
    if (strstr(sent->text, line) == NULL)
        fail_msg("no \"%s\" in\n%s", line, sent->text);
}

static struct slice branch_of(const struct sent *sent)
{
    const char *branch = strstr(sent->text, ROLE_BRANCH_MARK);

    assert_non_null(branch);
    return slice_of(branch, ROLE_BRANCH_LEN);
}

static void test_options_are_a_right_request(void **state)
{
    (void)state;
    struct sent sent;
    struct scene *s = open_scene(&sent, sections);
    struct sip_message message;
    struct role_branch branch;

    turn_to_next(s, &sent);
    struct endpoint to = endpoint_ip4(192, 0, 2, 9, 5070);
    assert_true(endpoint_equal(&sent.to, &to));
    assert_int_equal(sent.listener, 0);
    assert_int_equal(sip_message_parse(&message, sent.text, strlen(sent.text)), SIP_OK);
    assert_int_equal(sip_message_check(&message), SIP_OK);
    assert_int_equal(message.method, SIP_METHOD_OPTIONS);
    expect_line(&sent, "OPTIONS sip:192.0.2.9:5070 SIP/2.0\r\n");
    expect_line(&sent, "\r\nVia: SIP/2.0/UDP 198.18.0.1:5060");
    expect_line(&sent, "\r\nMax-Forwards: 70\r\n");
    expect_line(&sent, "\r\nFrom: <sip:198.18.0.1:5060>;tag=");
    expect_line(&sent, "\r\nTo: <sip:192.0.2.9:5070>\r\n");
    expect_line(&sent, "\r\nCSeq: 1 OPTIONS\r\n");
    expect_line(&sent, "\r\nContent-Length: 0\r\n\r\n");
    assert_true(role_branch_parse(branch_of(&sent), &branch));
    assert_int_equal(proxy_branch_probed(&s->role, &branch), gateway_slot_of(s->policy->gateways, 0));
    branch.transaction ^= 1; // forged
    assert_int_equal(proxy_branch_probed(&s->role, &branch), GATEWAY_NONE);
    close_scene(s, &sent);
}

static void test_silence_is_retransmitted_by_timer_e_and_then_a_failure(void **state)
{
    (void)state;
    static const unsigned after_ms[] = {500, 1500, 3500, 7500};
    struct sent sent;
    struct scene *s = open_scene(&sent, sections);
    char first[sizeof(sent.text)];

    uint64_t start_ms = turn_to_next(s, &sent);
    memcpy(first, sent.text, sizeof(first));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(turn_to_next(s, &sent), start_ms + after_ms[i]);
        assert_string_equal(sent.text, first); // it is the same one
    }
    turn_until(s, start_ms + 9999);
    assert_int_equal(report_of(s).probe_failures, 0);
    // The interval is over: that was a failure, and the next one leaves, which is another.
    turn_until(s, start_ms + 10000);
    assert_int_equal(report_of(s).probe_failures, 1);
    assert_int_equal(sent.n, 6);
    assert_string_not_equal(sent.text, first);
    turn_until(s, start_ms + 29999);
    assert_int_equal(report_of(s).health, GATEWAY_UP);
    turn_until(s, start_ms + 30000);
    assert_int_equal(report_of(s).health, GATEWAY_DOWN);
    close_scene(s, &sent);
}

#define STREAMS                                                  \
    "[listener t]\naddress = 198.18.0.1:5060\ntransport = tcp\n" \
    "[listener s]\naddress = 198.18.0.1:5061\ntransport = tls\n" \
    "[certificate c]\nchain = /nowhere/a.pem\nkey = /nowhere/b.pem\n"

// 17.1.2.2: nothing is sent again where nothing is lost.
static void test_over_a_stream_a_probe_leaves_once(void **state)
{
    static const struct {
        const char *address, *uri, *via, *own;
        struct endpoint to;
        unsigned listener;
    } cases[] = {
        {"192.0.2.9:5070;transport=tcp",
         "OPTIONS sip:192.0.2.9:5070;transport=tcp SIP/2.0\r\n",
         "\r\nVia: SIP/2.0/TCP 198.18.0.1:5060;branch=",
         "\r\nContact: <sip:198.18.0.1:5060;transport=tcp>\r\n",
         {{192, 0, 2, 9}, 5070, ENDPOINT_IP4, ENDPOINT_TCP, 0},
         3},
        {"192.0.2.9;transport=tls",
         "OPTIONS sip:192.0.2.9;transport=tls SIP/2.0\r\n",
         "\r\nVia: SIP/2.0/TLS 198.18.0.1:5061;alias;branch=",
         "\r\nContact: <sip:198.18.0.1:5061;transport=tls>\r\n",
         {{192, 0, 2, 9}, 5061, ENDPOINT_IP4, ENDPOINT_TLS, 0},
         4},
        // what the DNS says is not said in the URI
        {"gw.example",
         "OPTIONS sip:gw.example SIP/2.0\r\n",
         "\r\nVia: SIP/2.0/TLS 198.18.0.1:5061;alias;branch=",
         "\r\nFrom: <sip:198.18.0.1:5061;transport=tls>;tag=",
         {{203, 0, 113, 9}, 5071, ENDPOINT_IP4, ENDPOINT_TLS, 0},
         4},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sent sent;
        char text[1000];
        snprintf(text, sizeof(text),
                 STREAMS
                 "[gateways G]\nprobe_interval = 10s\nprobe_down = 3\n[gateway a]\ngroup = G\naddress = %s\n",
                 cases[i].address);
        struct scene *s = open_scene(&sent, text);
        scene_name(s, "gw.example", 0, "tls:203.0.113.9:5071");
        uint64_t start_ms = turn_to_next(s, &sent);
        assert_true(endpoint_equal(&sent.to, &cases[i].to));
        assert_int_equal(sent.listener, cases[i].listener);
        expect_line(&sent, cases[i].uri);
        expect_line(&sent, cases[i].via);
        expect_line(&sent, cases[i].own);
        turn_until(s, start_ms + 9999);
        assert_int_equal(sent.n, 1);
        turn_until(s, start_ms + 10000); // silence is a failure all the same
        assert_int_equal(report_of(s).probe_failures, 1);
        assert_int_equal(sent.n, 2);
        // a connection that cannot be made says so at once
        char unsent[sizeof(sent.text)];
        memcpy(unsent, sent.text, sizeof(unsent));
        assert_true(proxy_unsent(&s->role, slice_text(unsent), &sent.to, sent.listener, &s->arrival.now));
        assert_int_equal(report_of(s).probe_failures, 2);
        close_scene(s, &sent);
    }
}

static void test_each_probe_has_a_branch_and_a_call_id_of_its_own(void **state)
{
    (void)state;
    struct sent sent;
    struct scene *s = open_scene(&sent, sections);
    char branch[ROLE_BRANCH_LEN], call_id[16];

    turn_to_next(s, &sent);
    memcpy(branch, branch_of(&sent).at, sizeof(branch));
    memcpy(call_id, strstr(sent.text, "Call-ID: ") + 9, sizeof(call_id));
    answer(s, 200);
    turn_to_next(s, &sent);
    assert_memory_not_equal(branch, branch_of(&sent).at, sizeof(branch));
    assert_memory_not_equal(call_id, strstr(sent.text, "Call-ID: ") + 9, sizeof(call_id));
    close_scene(s, &sent);
}

static void test_answers_decide(void **state)
{
    (void)state;
    static const struct {
        uint16_t status;
        bool good;
    } cases[] = {{200, true}, {302, true}, {403, true}, {404, true}, {405, true},  {480, true}, {481, true},
                 {500, true}, {501, true}, {504, true}, {603, true}, {408, false}, {503, false}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sent sent;
        struct scene *s = open_scene(&sent, sections);
        turn_to_next(s, &sent);
        answer(s, 100);
        assert_int_equal(report_of(s).probes, 0);
        answer(s, cases[i].status);
        answer(s, cases[i].good ? 503 : 200); // a copy, or somebody else: too late
        assert_int_equal(report_of(s).probes, 1);
        assert_int_equal(report_of(s).probe_failures, cases[i].good ? 0 : 1);
        turn_until(s, 9000);
        assert_int_equal(sent.n, 1); // nothing is sent again
        close_scene(s, &sent);
    }
}

static void test_one_that_was_down_answers_its_way_back(void **state)
{
    (void)state;
    struct sent sent;
    struct scene *s = open_scene(&sent, sections);

    for (unsigned i = 0; i < 3; i++) {
        turn_to_next(s, &sent);
        answer(s, 503);
    }
    assert_int_equal(report_of(s).health, GATEWAY_DOWN);
    turn_to_next(s, &sent);
    answer(s, 200);
    assert_int_equal(report_of(s).health, GATEWAY_DOWN);
    turn_to_next(s, &sent);
    answer(s, 200);
    assert_int_equal(report_of(s).health, GATEWAY_EASING);
    close_scene(s, &sent);
}

static void test_icmp_error_is_a_failure_at_once(void **state)
{
    (void)state;
    struct sent sent;
    struct scene *s = open_scene(&sent, sections);
    char forged[sizeof(sent.text)];

    turn_to_next(s, &sent);
    struct slice quoted = slice_of(sent.text, 200); // as routers cut it off
    memcpy(forged, sent.text, sizeof(forged));
    strstr(forged, ROLE_BRANCH_MARK)[ROLE_BRANCH_LEN - 9] ^= 1; // the last digit of the check
    assert_false(proxy_unreachable(&s->role, slice_of(forged, 200), &s->arrival.now));
    assert_int_equal(report_of(s).probe_failures, 0);
    assert_true(proxy_unreachable(&s->role, quoted, &s->arrival.now));
    assert_int_equal(report_of(s).probe_failures, 1);
    assert_false(proxy_unreachable(&s->role, quoted, &s->arrival.now)); // it is over
    // Late news of an older one says nothing of the next.
    memcpy(forged, sent.text, sizeof(forged));
    turn_to_next(s, &sent);
    assert_false(proxy_unreachable(&s->role, slice_of(forged, 200), &s->arrival.now));
    assert_int_equal(report_of(s).probe_failures, 1);
    close_scene(s, &sent);
}

static void test_without_a_buffer_nothing_is_said_of_the_gateway(void **state)
{
    (void)state;
    struct sent sent;
    struct scene *s = open_scene(&sent, sections);

    sent.none = true;
    turn_until(s, 25000);
    assert_int_equal(sent.n, 0);
    assert_int_equal(report_of(s).probes, 0);
    sent.none = false;
    turn_to_next(s, &sent);
    answer(s, 200);
    assert_int_equal(report_of(s).probes, 1);
    close_scene(s, &sent);
}

static const char named[] = "[gateways G]\nprobe_interval = 10s\n"
                            "[gateway a]\ngroup = G\naddress = gw.example.org\n";

static void test_name_that_nobody_knows_is_a_failure(void **state)
{
    (void)state;
    struct sent sent;
    struct scene *s = open_scene(&sent, named);

    turn_until(s, 1001);
    assert_int_equal(report_of(s).probe_failures, 1);
    scene_name(s, "gw.example.org", 0, "");
    turn_until(s, 11001);
    assert_int_equal(report_of(s).probe_failures, 2);
    assert_int_equal(sent.n, 0);
    close_scene(s, &sent);
}

static void test_addresses_of_a_name_take_turns_as_they_fail(void **state)
{
    (void)state;
    struct sent sent;
    struct scene *s = open_scene(&sent, named);
    struct endpoint dead = endpoint_ip4(192, 0, 2, 1, 5060), alive = endpoint_ip4(192, 0, 2, 2, 5062);

    scene_name(s, "gw.example.org", 0, "192.0.2.1:5060 192.0.2.2:5062");
    turn_to_next(s, &sent);
    expect_line(&sent, "OPTIONS sip:gw.example.org SIP/2.0\r\n");
    assert_true(endpoint_equal(&sent.to, &dead));
    answer(s, 503);
    for (unsigned i = 0; i < 4; i++) {
        turn_to_next(s, &sent);
        assert_true(endpoint_equal(&sent.to, &alive)); // and stays, for it answers
        answer(s, 200);
    }
    close_scene(s, &sent);
}

static void test_listener_of_the_address_family_sends(void **state)
{
    (void)state;
    struct sent sent;
    struct scene *s = open_scene(&sent, "[gateways G]\nprobe_interval = 10s\n"
                                        "[gateway a]\ngroup = G\naddress = [2001:db8::9]\n");

    turn_to_next(s, &sent);
    assert_int_equal(sent.listener, 2); // the IPv6 one
    expect_line(&sent, "OPTIONS sip:[2001:db8::9] SIP/2.0\r\n");
    answer(s, 200);
    close_scene(s, &sent);
}

static void test_no_more_are_under_way_than_there_is_room_for(void **state)
{
    (void)state;
    enum { GATEWAYS = ROLE_PROBES_MAX + 50 };
    struct sent sent;
    char *text = malloc(GATEWAYS * 100);
    int len = sprintf(text, "[gateways G]\nprobe_interval = 10s\n");

    for (unsigned i = 0; i < GATEWAYS; i++)
        len += sprintf(text + len, "[gateway g%u]\ngroup = G\naddress = 192.0.2.%u:%u\n", i, i % 250 + 1,
                       5060 + i);
    struct scene *s = open_scene(&sent, text);
    turn_until(s, 2000);
    assert_int_equal(s->role.probes.n, ROLE_PROBES_MAX);
    turn_until(s, 40000); // they are late, and none is left out
    for (unsigned i = 0; i < GATEWAYS; i++) {
        struct gateway_report report;
        gateway_report(s->policy->gateways, i, s->arrival.now.ms, &report);
        assert_in_range(report.probe_failures, 1, 4);
    }
    free(text);
    close_scene(s, &sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_are_a_right_request),
        cmocka_unit_test(test_silence_is_retransmitted_by_timer_e_and_then_a_failure),
        cmocka_unit_test(test_over_a_stream_a_probe_leaves_once),
        cmocka_unit_test(test_each_probe_has_a_branch_and_a_call_id_of_its_own),
        cmocka_unit_test(test_answers_decide),
        cmocka_unit_test(test_one_that_was_down_answers_its_way_back),
        cmocka_unit_test(test_icmp_error_is_a_failure_at_once),
        cmocka_unit_test(test_without_a_buffer_nothing_is_said_of_the_gateway),
        cmocka_unit_test(test_name_that_nobody_knows_is_a_failure),
        cmocka_unit_test(test_addresses_of_a_name_take_turns_as_they_fail),
        cmocka_unit_test(test_listener_of_the_address_family_sends),
        cmocka_unit_test(test_no_more_are_under_way_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
