// One target after the other, until there is none.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

#define TRUST "[trust]\nnetworks = 192.0.2.4, 203.0.113.3\n"

static void bind(struct scene *s, unsigned n, const char *const contacts[], const uint16_t q[])
{
    struct location_binding bindings[8] = {0};

    for (unsigned i = 0; i < n; i++) {
        bindings[i] = scene_contact(contacts[i]);
        bindings[i].q = q[i];
    }
    scene_bind(s, "bob@example.com", bindings, n);
}

static const char *const three[] = {"sip:1@192.0.2.21", "sip:2@192.0.2.22", "sip:3@192.0.2.23"};

static void test_bindings_follow_their_q(void **state)
{
    struct scene *s = scene_open("");

    (void)state;
    bind(s, 3, three, (const uint16_t[]){200, 1000, 500});
    assert_string_equal(
        scene_say(s, "INVITE sip:bob@example.com"),
        "location; 192.0.2.22:5060/0 sip:2@192.0.2.22 +; 192.0.2.23:5060/0 sip:3@192.0.2.23 +; "
        "192.0.2.21:5060/0 sip:1@192.0.2.21");
    assert_int_equal(s->target.q, 200);
    assert_false(s->target.alone);
    scene_close(s);
}

static void test_the_first_alone(void **state)
{
    struct scene *s = scene_open("[proxy]\nfork = first\n");

    (void)state;
    bind(s, 3, three, (const uint16_t[]){200, 1000, 500});
    assert_string_equal(scene_say(s, "INVITE sip:bob@example.com"),
                        "location; 192.0.2.22:5060/0 sip:2@192.0.2.22");
    scene_close(s);
}

// RFC 3261 16.5: no target twice. Nobody can be reached at a name, so there is nothing behind it.
static void test_more_is_said_where_there_is_more(void **state)
{
    static const char *const contacts[] = {"sip:1@192.0.2.21", "sip:1@192.0.2.21", "sip:x@pc.example"};
    struct scene *s = scene_open("");

    (void)state;
    bind(s, 3, contacts, (const uint16_t[]){1000, 900, 800});
    assert_string_equal(scene_say(s, "INVITE sip:bob@example.com"),
                        "location; 192.0.2.21:5060/0 sip:1@192.0.2.21");
    scene_close(s);
}

static void test_who_registers_meanwhile_is_seen(void **state)
{
    struct scene *s = scene_open("");

    (void)state;
    bind(s, 1, three, (const uint16_t[]){500});
    scene_say(s, "INVITE sip:bob@example.com");
    bind(s, 2, three, (const uint16_t[]){500, 1000});
    assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target), ROLE_TARGET);
    assert_true(slice_equal(s->target.uri, slice_text(three[1])));
    assert_false(s->target.more);
    scene_close(s);
}

// RFC 3261 8.2.1 is the phone's to say: ask the next one before it.
static void test_405_only_where_no_binding_takes_the_method(void **state)
{
    struct scene *s = scene_open("");
    struct location_binding bindings[2] = {scene_contact(three[0]), scene_contact(three[1])};

    (void)state;
    bindings[0].methods = SIP_METHOD_BIT(SIP_METHOD_INVITE);
    bindings[1].q = 500;
    scene_bind(s, "bob@example.com", bindings, 2);
    assert_string_equal(scene_say(s, "MESSAGE sip:bob@example.com"),
                        "location; 192.0.2.22:5060/0 sip:2@192.0.2.22");
    bindings[1].methods = SIP_METHOD_BIT(SIP_METHOD_BYE);
    scene_bind(s, "bob@example.com", bindings, 2);
    assert_string_equal(scene_say(s, "MESSAGE sip:bob@example.com"), "location; 405");
    assert_non_null(strstr(scene_answer(s), "\nAllow: INVITE, BYE\n"));
    assert_string_equal(scene_say(s, "CANCEL sip:bob@example.com"),
                        "location; 192.0.2.21:5060/0 sip:1@192.0.2.21 +; 192.0.2.22:5060/0 sip:2@192.0.2.22");
    scene_close(s);
}

static void test_nobody_is_told_once(void **state)
{
    static const char *const nowhere[] = {"sip:x@pc.example"};
    struct scene *s = scene_open("");

    (void)state;
    assert_string_equal(scene_say(s, "INVITE sip:bob@example.com"), "location; 404");
    assert_string_equal(scene_say(s, "INVITE sip:bob@198.18.0.1"), "location; 404");
    bind(s, 1, nowhere, (const uint16_t[]){1000});
    assert_string_equal(scene_say(s, "INVITE sip:bob@example.com"), "location; 480");
    // there was somebody, who is gone
    bind(s, 1, three, (const uint16_t[]){1000});
    scene_say(s, "INVITE sip:bob@example.com");
    bind(s, 0, NULL, NULL);
    memset(&s->verdict, 0, sizeof(s->verdict));
    assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target), ROLE_TARGET_NONE);
    assert_int_equal(s->verdict.status, 0);
    scene_close(s);
}

#define GROUP(more)             TRUST "[gateways g]\nalgorithm = priority\nprobe_interval = 0\n" more
#define RULE                    "[route r]\naction = gateways\ngateways = g\n"
#define GW(name, address, more) "[gateway " name "]\ngroup = g\naddress = " address "\n" more

static void test_gateways_are_tried_in_turn(void **state)
{
    struct scene *s = scene_open(GROUP("tries_max = 2\n") GW("a", "203.0.113.1", "")
                                     GW("b", "203.0.113.2:5070", "") GW("c", "203.0.113.3", "") RULE);

    (void)state;
    assert_string_equal(scene_say(s, "INVITE sip:+49@example.com"),
                        "gateways; 203.0.113.1:5060 +; 203.0.113.2:5070");
    assert_true(s->target.alone);
    assert_int_equal(s->target.q, 1000);
    assert_int_equal(s->target.gateway, gateway_slot_of(s->policy->gateways, 1));
    scene_close(s);
}

static void test_trusted_targets_are_said_to_be(void **state)
{
    struct scene *s = scene_open(GROUP("") GW("a", "203.0.113.1", "") GW(
        "b", "203.0.113.2", "trusted = yes\n") GW("c", "203.0.113.3", "") RULE);

    (void)state;
    scene_request(s, "INVITE sip:+49@example.com");
    assert_int_equal(role_course_find(&s->request, &s->course), ROLE_TARGET);
    for (unsigned i = 0; i < 3; i++) { // nobody, by its gateway, by its network
        assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target), ROLE_TARGET);
        assert_int_equal(s->target.trusted, i > 0);
        s->tried.one[i].hash = s->target.hash;
        s->tried.one[i].gateway = s->target.gateway;
        s->tried.n++;
    }
    assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target), ROLE_TARGET_NONE);
    scene_close(s);
}

static void test_all_that_a_gateways_name_leads_to_is_tried(void **state)
{
    struct scene *s = scene_open(GROUP("tries_max = 3\n") GW("a", "gw.example", "") GW("b", "203.0.113.2", "")
                                     GW("c", "none.example:5080", "") RULE);

    (void)state;
    assert_string_equal(scene_say(s, "INVITE sip:+49@example.com"), "gateways; park gw.example:0/1");
    scene_name(s, "gw.example", 0, "203.0.113.10:5060 203.0.113.11:5090 0.0.0.0:5060 203.0.113.10:5060");
    assert_string_equal(
        scene_say(s, "INVITE sip:+49@example.com"),
        "gateways; 203.0.113.10:5060 +; 203.0.113.11:5090 +; 203.0.113.2:5060 +; park none.example:5080/1");
    scene_name(s, "none.example", 5080, "");
    assert_string_equal(scene_say(s, "INVITE sip:+49@example.com"),
                        "gateways; 203.0.113.10:5060 +; 203.0.113.11:5090 +; 203.0.113.2:5060 +");
    scene_close(s);
}

// One call a second and one call: it counts when it is sent, not when it is asked where to.
static void test_a_call_that_waits_for_a_gateways_name_counts_once(void **state)
{
    struct scene *s = scene_open(GROUP("tries_max = 1\n") GW("a", "gw.example", "calls_per_second = 1\n")
                                     GW("b", "gw2.example", "calls_per_second = 1\n") RULE);
    struct gateway_report report;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(scene_say(s, "INVITE sip:+49@example.com"), "gateways; park gw.example:0/1");
    scene_name(s, "gw.example", 0, "203.0.113.10:5060");
    assert_string_equal(scene_say(s, "INVITE sip:+49@example.com"), "gateways; 203.0.113.10:5060");
    gateway_report(s->policy->gateways, 0, SCENE_NOW_MS, &report);
    assert_int_equal(report.sent, 1);
    scene_close(s);
}

// From a timer there is no message to park.
static void test_a_resumed_request_is_not_parked(void **state)
{
    struct scene *s = scene_open(GROUP("") GW("a", "203.0.113.1", "") GW("b", "gw.example", "")
                                     GW("c", "203.0.113.3", "") RULE);

    (void)state;
    scene_request(s, "INVITE sip:+49@example.com");
    assert_int_equal(role_course_find(&s->request, &s->course), ROLE_TARGET);
    assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target), ROLE_TARGET);
    s->tried.n = 1;
    s->tried.one[0].hash = s->target.hash;
    s->tried.one[0].gateway = s->target.gateway;
    s->request.resumed = true;
    assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target), ROLE_TARGET);
    assert_int_equal(s->target.gateway, gateway_slot_of(s->policy->gateways, 2));
    scene_close(s);
}

static void test_no_gateway_is_503_with_retry_after(void **state)
{
    struct scene *s = scene_open(GROUP("") GW("a", "203.0.113.1", "calls_per_second = 1\n")
                                     GW("b", "none.example", "") RULE);

    (void)state;
    scene_name(s, "none.example", 0, "");
    unsigned taken = 0;
    while (taken < 100 && strstr(scene_say(s, "INVITE sip:+49@example.com"), "203.0.113.1") != NULL)
        taken++;
    assert_in_range(taken, 1, 10);
    assert_string_equal(s->text, "gateways; 503");
    assert_non_null(strstr(scene_answer(s), "\nRetry-After: "));
    // what comes without state is not counted, so its CANCEL goes the same way
    assert_string_equal(scene_say(s, "CANCEL sip:+49@example.com"), "gateways; 203.0.113.1:5060 +");
    scene_close(s);
}

static uint16_t gateway_of(struct scene *s, const char *method, unsigned call)
{
    char request[200];

    snprintf(request, sizeof(request),
             "%s sip:+49%u@example.com\nCall-ID: call-%u\nFrom: <sip:%u@example.com>;tag=1", method, call,
             call, call);
    scene_request(s, request);
    assert_int_equal(role_course_find(&s->request, &s->course), ROLE_TARGET);
    assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target), ROLE_TARGET);
    return s->target.gateway;
}

// RFC 3261 16.11: without state an INVITE, its retransmissions, its CANCEL and its ACK reach the same gateway, whatever
// the group's algorithm; and calls still spread.
static void test_stateless_choice_comes_out_the_same(void **state)
{
    static const char *const algorithms[] = {"weighted", "call_id",     "from",
                                             "user",     "least_calls", "priority"};

    (void)state;
    for (unsigned a = 0; a < sizeof(algorithms) / sizeof(*algorithms); a++) {
        char text[1000];
        unsigned used = 0;
        snprintf(text, sizeof(text),
                 TRUST "[gateways g]\nalgorithm = %s\n" GW("a", "203.0.113.1", "calls_per_second = 3\n")
                     GW("b", "203.0.113.2", "") GW("c", "203.0.113.3", "") RULE "mode = stateless\n",
                 algorithms[a]);
        struct scene *s = scene_open(text);
        for (unsigned call = 0; call < 100; call++) {
            uint16_t gateway = gateway_of(s, "INVITE", call);
            used |= 1u << gateway;
            assert_int_equal(gateway_of(s, "INVITE", call), gateway);
            assert_int_equal(gateway_of(s, "CANCEL", call), gateway);
            assert_int_equal(gateway_of(s, "ACK", call), gateway);
        }
        assert_int_equal(__builtin_popcount(used), a == 5 ? 1 : 3);
        scene_close(s);
    }
}

static void test_affinity_is_of_what_the_group_says(void **state)
{
    static const struct {
        const char *algorithm, *same, *other;
    } cases[] = {
        {"from", "INVITE sip:%u@example.com\nCall-ID: %u",
         "INVITE sip:1@example.com\nFrom: <sip:%u@example.com>;tag=%u"},
        {"user", "INVITE sip:1@example.com\nFrom: <sip:%u@example.com>;tag=%u",
         "INVITE sip:%u@example.com\nCall-ID: %u"},
        {"call_id", "INVITE sip:%u@example.com\nFrom: <sip:%u@example.com>;tag=1",
         "INVITE sip:1@example.com\nCall-ID: %u\nContact: <sip:%u@192.0.2.4>"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[1000];
        unsigned same = 0, other = 0;
        snprintf(text, sizeof(text),
                 TRUST "[gateways g]\nalgorithm = %s\n" GW("a", "203.0.113.1", "") GW("b", "203.0.113.2", "")
                     RULE,
                 cases[i].algorithm);
        struct scene *s = scene_open(text);
        for (unsigned n = 0; n < 60; n++) {
            for (unsigned differs = 0; differs < 2; differs++) {
                snprintf(text, sizeof(text), differs ? cases[i].other : cases[i].same, n, n);
                scene_request(s, text);
                assert_int_equal(role_course_find(&s->request, &s->course), ROLE_TARGET);
                assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target),
                                 ROLE_TARGET);
                *(differs ? &other : &same) |= 1u << s->target.gateway;
            }
        }
        if (__builtin_popcount(same) != 1 || __builtin_popcount(other) != 2)
            fail_msg("%s: %x and %x", cases[i].algorithm, same, other);
        scene_close(s);
    }
}

static void test_hops_and_names(void **state)
{
    static const struct scene_case cases[] = {
        {"a static hop", "INVITE sip:hop@example.com", "hop; 192.0.2.9:5070"},
        {"one with a name", "INVITE sip:name@example.com", "hop; 203.0.113.10:5060 +; [2001:db8::10]:5060"},
        {"that nobody knows", "INVITE sip:lost@example.com", "hop; 503"},
        {"the domain itself", "INVITE sip:x@Far.Example", "domain; 203.0.113.12:5062"},
        {"with a port", "INVITE sip:x@far.example:5080", "domain; park far.example:5080/1"},
        {"its maddr", "INVITE sip:x@a.example;maddr=far.example", "domain; 203.0.113.12:5062"},
        {"its address", "INVITE sip:x@203.0.113.20:5077", "domain; 203.0.113.20:5077"},
        {"where nobody listens", "INVITE sip:x@0.0.0.0", "domain; 404"},
        {"the next hop first", "INVITE sip:x@203.0.113.20\nRoute: <sip:far.example;lr>",
         "domain; 203.0.113.12:5062"},
        {"over TCP there is no way", "INVITE sip:x@far.example;transport=tcp", "domain; 404"},
        {"a number is no domain", "INVITE tel:+49", "domain; 404"},
        {"no such name", "INVITE sip:x@none.example", "domain; 404"},
        {"its servers are silent", "INVITE sip:x@silent.example", "domain; 503"},
        {"its ACK dies", "ACK sip:x@none.example", "domain; drop ACK_UNROUTABLE"},
    };
    struct scene *s = scene_open(TRUST "[route hop]\nuser = hop\naction = hop\nhop = 192.0.2.9:5070\n"
                                       "[route name]\nuser = name\naction = hop\nhop = gw.example\n"
                                       "[route lost]\nuser = lost\naction = hop\nhop = none.example\n");

    (void)state;
    scene_name(s, "gw.example", 0, "203.0.113.10:5060 [2001:db8::10]:5060");
    scene_name(s, "far.example", 0, "203.0.113.12:5062");
    scene_name(s, "none.example", 0, "");
    scene_name(s, "silent.example", 0, "!");
    SCENE_RUN(s, cases);
    scene_close(s);
}

#define STREAMS                                                  \
    "[listener t]\naddress = 198.18.0.1:5060\ntransport = tcp\n" \
    "[listener s]\naddress = 198.18.0.1:5061\ntransport = tls\n" \
    "[certificate c]\nchain = /nowhere/chain.pem\nkey = /nowhere/key.pem\n"

// RFC 3263: by what the URI, the configuration or the DNS says, where some listener has it.
static void test_hops_have_transports(void **state)
{
    static const struct scene_case cases[] = {
        {"by TCP", "INVITE sip:x@203.0.113.20;transport=tcp", "domain; tcp:203.0.113.20:5060"},
        {"by TLS", "INVITE sip:x@203.0.113.20;transport=TLS", "domain; tls:203.0.113.20:5061"},
        {"at a port", "INVITE sip:x@203.0.113.20:5099;transport=tcp", "domain; tcp:203.0.113.20:5099"},
        {"sips", "INVITE sips:x@203.0.113.20", "domain; tls:203.0.113.20:5061"},
        {"by WebSocket there is no way", "INVITE sip:x@203.0.113.20;transport=ws", "domain; 404"},
        {"nor by SCTP", "INVITE sip:x@203.0.113.20;transport=sctp", "domain; 404"},
        {"as the DNS prefers", "INVITE sip:x@far.example",
         "domain; tls:203.0.113.12:5061 +; tcp:203.0.113.13:5060 +; 203.0.113.14:5060"},
        {"sips leaves out what has no TLS", "INVITE sips:x@secure.example", "domain; tls:203.0.113.15:5061"},
        {"a name by TCP is another question", "INVITE sip:x@far.example;transport=tcp",
         "domain; park far.example:0/1/tcp:"},
        {"and by sips", "INVITE sips:x@far.example", "domain; park far.example:0/2"},
        {"and by a Route", "INVITE sip:x@203.0.113.20\nRoute: <sips:far.example:5071;lr>",
         "domain; park far.example:5071/2"},
        {"what no listener has is not asked for", "INVITE sip:x@far.example;transport=ws", "domain; 404"},
        {"of TCP over IPv6 there is none", "INVITE sip:x@six.example", "domain; 404"},
        {"a static hop", "INVITE sip:hop@example.com", "hop; tcp:192.0.2.9:5070"},
        {"one with a name", "INVITE sip:name@example.com", "hop; park gw.example:0/1/tls:"},
        {"a contact by TCP", "INVITE sip:tcp@example.com",
         "location; tcp:192.0.2.9:5060/0 sip:tcp@192.0.2.9;transport=tcp"},
        {"one by WebSocket, which nobody listens for", "INVITE sip:ws@example.com", "location; 480"},
    };
    const struct name_question sips = {SLICE("secure.example"), 0, NAME_SIPS, NAME_TRANSPORT_ANY};
    struct scene *s =
        scene_open(TRUST STREAMS "[route hop]\nuser = hop\naction = hop\nhop = 192.0.2.9:5070;transport=tcp\n"
                                 "[route name]\nuser = name\naction = hop\nhop = gw.example;transport=tls\n");
    struct location_binding tcp = scene_contact("sip:tcp@192.0.2.9;transport=tcp");
    struct location_binding ws = scene_contact("sip:ws@192.0.2.9;transport=ws");

    (void)state;
    scene_name(s, "far.example", 0, "tls:203.0.113.12:5061 tcp:203.0.113.13:5060 203.0.113.14:5060");
    scene_name(s, "six.example", 0, "tcp:[2001:db8::9]:5060");
    scene_name_over(s, &sips, "tls:203.0.113.15:5061");
    scene_bind(s, "tcp@example.com", &tcp, 1);
    scene_bind(s, "ws@example.com", &ws, 1);
    SCENE_RUN(s, cases);
    scene_close(s);
}

// RFC 2782: hops of one priority are drawn by the call, not by its messages.
static void test_the_draw_is_the_calls(void **state)
{
    struct name_question question = {
        .name = SLICE("far.example"), .kind = NAME_SIP, .transport = NAME_TRANSPORT_ANY};
    struct name_answer *answer = calloc(1, sizeof(*answer) + 4 * sizeof(answer->hops[0]));
    struct scene *s = scene_open(TRUST);
    unsigned used = 0;

    (void)state;
    answer->expires_ms = SCENE_NOW_MS + 60000;
    answer->hops_n = 4;
    for (uint8_t i = 0; i < 4; i++)
        answer->hops[i] = (struct name_hop){.endpoint = endpoint_ip4(203, 0, 113, i, 5060), .weight = 10};
    assert_int_equal(name_put(s->names, &question, answer, SCENE_NOW_MS), 0);
    for (unsigned call = 0; call < 100; call++) {
        static const char *const methods[] = {"INVITE", "CANCEL", "ACK"};
        struct endpoint hop[3];
        for (unsigned m = 0; m < 3; m++) {
            char request[200];
            snprintf(request, sizeof(request), "%s sip:x@far.example\nCall-ID: %u", methods[m], call);
            scene_request(s, request);
            assert_int_equal(role_course_find(&s->request, &s->course), ROLE_TARGET);
            assert_int_equal(role_target_next(&s->request, &s->course, &s->tried, &s->target), ROLE_TARGET);
            hop[m] = s->target.hop;
        }
        assert_true(endpoint_equal(&hop[0], &hop[1]) && endpoint_equal(&hop[0], &hop[2]));
        used |= 1u << hop[0].address[3];
    }
    assert_int_equal(used, 15);
    free(answer);
    scene_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bindings_follow_their_q),
        cmocka_unit_test(test_the_first_alone),
        cmocka_unit_test(test_more_is_said_where_there_is_more),
        cmocka_unit_test(test_who_registers_meanwhile_is_seen),
        cmocka_unit_test(test_405_only_where_no_binding_takes_the_method),
        cmocka_unit_test(test_nobody_is_told_once),
        cmocka_unit_test(test_gateways_are_tried_in_turn),
        cmocka_unit_test(test_trusted_targets_are_said_to_be),
        cmocka_unit_test(test_all_that_a_gateways_name_leads_to_is_tried),
        cmocka_unit_test(test_a_call_that_waits_for_a_gateways_name_counts_once),
        cmocka_unit_test(test_a_resumed_request_is_not_parked),
        cmocka_unit_test(test_no_gateway_is_503_with_retry_after),
        cmocka_unit_test(test_stateless_choice_comes_out_the_same),
        cmocka_unit_test(test_affinity_is_of_what_the_group_says),
        cmocka_unit_test(test_hops_and_names),
        cmocka_unit_test(test_hops_have_transports),
        cmocka_unit_test(test_the_draw_is_the_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
