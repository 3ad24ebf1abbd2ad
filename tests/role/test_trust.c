// Who may relay to foreign domains, and whose Route is believed: by default nobody (RFC 3261 16.3, 26.3.2).
#include "lines.h"
#include "scene.h"

#include <stdio.h>

#include "role/flow.h"
#include "role/nat.h"
#include "role/trust.h"

#define SECTIONS                                                                         \
    "[trust]\nnetworks = 198.51.100.0/24, 192.0.2.64/27, 2001:db8:1::/48, 192.0.2.200\n" \
    "[gateways carriers]\n"                                                              \
    "[gateway one]\ngroup = carriers\naddress = 203.0.113.50:5070\ntrusted = yes\n"      \
    "[gateway two]\ngroup = carriers\naddress = 203.0.113.51:5060\n"                     \
    "[gateway six]\ngroup = carriers\naddress = [2001:db8:2::50]:5060\ntrusted = yes\n"

static int set_up(void **state)
{
    *state = scene_open(SECTIONS);
    return 0;
}

static int set_up_closed(void **state)
{
    *state = scene_open("");
    return 0;
}

static int tear_down(void **state)
{
    scene_close(*state);
    return 0;
}

static const struct {
    const char *source;
    bool trusted;
} sources[] = {
    {"198.51.100.1:5060", true},    {"198.51.100.255:1", true},       {"198.51.101.1:5060", false},
    {"192.0.2.63:5060", false},     {"192.0.2.64:5060", true},        {"192.0.2.95:5060", true},
    {"192.0.2.96:5060", false},     {"192.0.2.200:40000", true},      {"192.0.2.201:5060", false},
    {"[2001:db8:1::9]:5060", true}, {"[2001:db8:3::9]:5060", false},  {"203.0.113.50:5070", true},
    {"203.0.113.50:5060", true},    {"203.0.113.51:5060", false},     {"[2001:db8:2::50]:5060", true},
    {"192.0.2.4:5060", false},      {"[2001:db8:2::51]:5060", false},
};

static void test_networks_and_trusted_gateways_are_believed(void **state)
{
    struct scene *s = *state;

    for (unsigned i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
        scene_from(s, sources[i].source, 0);
        scene_request(s, "INVITE sip:x@else.example");
        if (role_trusts(&s->request) != sources[i].trusted)
            fail_msg("%s", sources[i].source);
        if (role_may_relay(&s->request, false) != sources[i].trusted)
            fail_msg("%s may relay", sources[i].source);
        if (!sources[i].trusted)
            assert_int_equal(s->verdict.status, 403);
    }
}

// RFC 5922: what a certificate proves, whatever address it came from; of a gateway that is not trusted it proves
// nothing.
static void test_a_certificate_of_a_trusted_gateway_is_believed(void **state)
{
    static const struct {
        uint16_t peer;
        bool trusted;
    } peers[] = {{0, false}, {1, true}, {2, false}, {3, true}, {4, false}, {UINT16_MAX, false}};
    struct scene *s = *state;

    for (unsigned i = 0; i < sizeof(peers) / sizeof(*peers); i++) {
        scene_from(s, "192.0.2.4:40000", 0);
        s->arrival.source.transport = ENDPOINT_TLS;
        s->arrival.source.flow = 1;
        s->arrival.peer = peers[i].peer;
        scene_request(s, "INVITE sip:x@else.example");
        if (role_trusts(&s->request) != peers[i].trusted)
            fail_msg("peer %u", peers[i].peer);
        assert_int_equal(role_trusts_arrival(&s->role, &s->arrival), peers[i].trusted);
        // a gateway says where it listens, trusted or not; of others the connection is all that there is
        assert_int_equal(role_keeps_connection(&s->request), peers[i].peer == 0);
    }
    s->arrival.peer = 0;
}

static void test_without_a_section_nobody_is_believed(void **state)
{
    struct scene *s = *state;

    for (unsigned i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
        scene_from(s, sources[i].source, 0);
        scene_request(s, "INVITE sip:x@else.example");
        assert_false(role_trusts(&s->request));
        assert_false(role_may_relay(&s->request, false));
    }
}

static void test_from_of_ours_gives_no_rights(void **state)
{
    struct scene *s = *state;

    scene_request(s, "INVITE sip:x@else.example\nFrom: <sip:alice@example.com>;tag=a");
    assert_false(role_may_relay(&s->request, false));
    assert_int_equal(s->verdict.status, 403);
    assert_true(lines_have(scene_answer(s), "SIP/2.0 403 No Relay Between Foreign Domains"));
}

// [trust] registered = yes.
static void test_registered_user_relays_from_where_he_registered(void **state)
{
    static const struct {
        const char *source, *from;
        bool may;
    } cases[] = {
        {"192.0.2.4:5060", "<sip:alice@example.com>;tag=a", true},
        {"192.0.2.4:5060", "<sip:alice@example.net>;tag=a", true}, // another name of the domain
        {"192.0.2.4:5061", "<sip:alice@example.com>;tag=a", false},
        {"192.0.2.5:5060", "<sip:alice@example.com>;tag=a", false},
        {"192.0.2.4:5060", "<sip:bob@example.com>;tag=a", false},
        {"192.0.2.4:5060", "<sip:alice@other.example>;tag=a", false},
        {"192.0.2.4:5060", "<sip:alice@else.example>;tag=a", false},
        {"203.0.113.7:40000", "<sip:nated@example.com>;tag=a", true},
        {"10.0.0.7:5060", "<sip:nated@example.com>;tag=a", false},
        {"192.0.2.30:5060", "<sip:pathed@example.com>;tag=a", false}, // the proxy of the Path
        {"192.0.2.6:5060", "<sip:gone@example.com>;tag=a", false},
    };
    struct scene *s = *state;
    struct location_binding binding = scene_contact("sip:alice@192.0.2.4");
    char text[200];

    scene_bind(s, "alice@example.com", &binding, 1);
    binding = scene_contact("sip:nated@10.0.0.7");
    assert_true(endpoint_parse(SLICE("203.0.113.7:40000"), &binding.received));
    scene_bind(s, "nated@example.com", &binding, 1);
    binding = scene_contact("sip:pathed@10.0.0.7");
    binding.path = SLICE("<sip:192.0.2.30;lr>");
    scene_bind(s, "pathed@example.com", &binding, 1);
    binding = scene_contact("sip:gone@192.0.2.6");
    binding.expires_ms = SCENE_NOW_MS + 1;
    scene_bind(s, "gone@example.com", &binding, 1);
    s->arrival.now.ms++;
    for (unsigned registered = 0; registered < 2; registered++) {
        s->policy->conf->trust_registered = registered;
        for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            scene_from(s, cases[i].source, 0);
            snprintf(text, sizeof(text), "INVITE sip:x@else.example\nFrom: %s", cases[i].from);
            scene_request(s, text);
            if (role_may_relay(&s->request, false) != (registered && cases[i].may))
                fail_msg("%s from %s", cases[i].from, cases[i].source);
        }
    }
}

static void route_to_us(struct scene *s, const char *call_id, char text[300])
{
    struct endpoint none = {.family = ENDPOINT_NONE};
    char token[ROLE_FLOW_LEN];
    unsigned len = role_flow_write(&s->role, slice_text(call_id), &none, 0, token);

    snprintf(text, 300,
             "BYE sip:x@192.0.2.77\nTo: <sip:bob@example.com>;tag=b1\nCall-ID: c9\nRoute: "
             "<sip:%.*s@198.18.0.1;lr>",
             (int)len, token);
}

static void test_dialog_of_ours_is_proven_by_its_route(void **state)
{
    struct scene *s = *state;
    char text[300];

    route_to_us(s, "c9", text);
    scene_request(s, text);
    assert_true(role_in_dialog(&s->request));
    assert_true(role_may_relay(&s->request, true));
    // the same Route without a To tag begins something new, which needs leave of its own
    scene_request(s, text);
    assert_false(role_may_relay(&s->request, false));
    route_to_us(s, "c8", text);
    assert_false(scene_take(s, text));
    scene_request(s, "BYE sip:x@192.0.2.77\nTo: <sip:bob@example.com>;tag=b1\nRoute: <sip:198.18.0.1;lr>");
    assert_false(role_in_dialog(&s->request));
    assert_false(role_may_relay(&s->request, true));
    assert_int_equal(s->verdict.status, 403);
    scene_from(s, "198.51.100.1:5060", 0);
    scene_request(s, "BYE sip:x@192.0.2.77\nTo: <sip:bob@example.com>;tag=b1\nRoute: <sip:198.18.0.1;lr>");
    assert_true(role_in_dialog(&s->request));
    scene_request(s, "BYE sip:x@192.0.2.77\nRoute: <sip:198.18.0.1;lr>");
    assert_false(role_in_dialog(&s->request));
}

static void test_preloaded_route_is_for_the_trusted(void **state)
{
    static const struct {
        const char *source, *route;
        bool may;
    } cases[] = {
        {"192.0.2.4:5060", "<sip:192.0.2.40;lr>", false},
        {"192.0.2.4:5060", "<sip:198.18.0.1;lr>, <sip:192.0.2.40;lr>", false},
        {"192.0.2.4:5060", "<sip:198.18.0.1;lr>", true},
        {"192.0.2.4:5060", "<sip:198.18.0.1;lr>, <sip:198.18.1.1;lr>", true},
        {"198.51.100.1:5060", "<sip:198.18.0.1;lr>, <sip:192.0.2.40;lr>", true},
        {"203.0.113.50:5060", "<sip:192.0.2.40;lr>", true},
        {"203.0.113.51:5060", "<sip:192.0.2.40;lr>", false},
    };
    struct scene *s = *state;
    char text[200];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        scene_from(s, cases[i].source, 0);
        snprintf(text, sizeof(text), "INVITE sip:x@else.example\nRoute: %s", cases[i].route);
        scene_request(s, text);
        if (role_may_preload(&s->request) != cases[i].may)
            fail_msg("%s from %s", cases[i].route, cases[i].source);
        if (!cases[i].may)
            assert_int_equal(s->verdict.status, 403);
    }
}

static void test_refused_ack_is_dropped(void **state)
{
    struct scene *s = *state;

    scene_request(s, "ACK sip:x@192.0.2.77\nTo: <sip:bob@example.com>;tag=b1\nRoute: <sip:192.0.2.40;lr>");
    assert_false(role_may_preload(&s->request));
    assert_int_equal(s->verdict.kind, VERDICT_DROP);
    assert_int_equal(s->verdict.drop, DROP_ACK_UNROUTABLE);
}

static void test_path_is_for_the_trusted(void **state)
{
    struct scene *s = *state;

    scene_request(s, "REGISTER sip:example.com");
    assert_false(role_takes_path(&s->request));
    scene_from(s, "198.51.100.1:5060", 0);
    scene_request(s, "REGISTER sip:example.com");
    assert_true(role_takes_path(&s->request));
    s->policy->conf->path = false;
    assert_false(role_takes_path(&s->request));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_networks_and_trusted_gateways_are_believed),
        cmocka_unit_test_setup_teardown(test_without_a_section_nobody_is_believed, set_up_closed, tear_down),
        TEST(test_a_certificate_of_a_trusted_gateway_is_believed),
        TEST(test_from_of_ours_gives_no_rights),
        TEST(test_registered_user_relays_from_where_he_registered),
        TEST(test_dialog_of_ours_is_proven_by_its_route),
        TEST(test_preloaded_route_is_for_the_trusted),
        TEST(test_refused_ack_is_dropped),
        TEST(test_path_is_for_the_trusted),
    };

    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
