// Record-Route with flow tokens, there and back: what the two ends of a dialog make of it (RFC 3261 12.1, RFC 5626 5.3,
// RFC 5658), and what those make of it who were not told.
#include "scene.h"

#include <stdio.h>

#include "proxy/core.h"
#include "role/trust.h"

static int set_up(void **state)
{
    *state = scene_open("");
    return 0;
}

static int tear_down(void **state)
{
    scene_close(*state);
    return 0;
}

// Our values as they stand in the INVITE that leaves, from the top.
struct values {
    unsigned n;
    char value[4][160];
};

static struct endpoint endpoint_of(const char *text)
{
    struct endpoint endpoint;

    assert_true(endpoint_parse(slice_text(text), &endpoint));
    return endpoint;
}

static void record(struct scene *s, unsigned out, struct values *values)
{
    static const char name[] = "\nRecord-Route: ";

    sip_edits_begin(&s->edits, s->message.lines[0].name, 0);
    proxy_record_route_put(&s->request, &s->target, out);
    sip_edits_end(&s->edits);
    values->n = 0;
    for (const char *at = strstr(scene_answer(s), name); at != NULL; at = strstr(at + 1, name))
        assert_int_equal(sscanf(at, "\nRecord-Route: %159[^\n]", values->value[values->n++]), 1);
}

// A request in the dialog: the callee's route set is in the order of the INVITE, the caller's in the other.
static bool follow(struct scene *s, const char *method, const struct values *values, bool by_caller)
{
    char text[1000];
    int len = sprintf(text, "%s sip:peer@10.0.0.1:5060\nTo: <sip:bob@example.com>;tag=b1", method);

    for (unsigned i = 0; i < values->n; i++)
        len += sprintf(text + len, "\nRoute: %s", values->value[by_caller ? values->n - 1 - i : i]);
    return scene_take(s, text);
}

static void leads(struct scene *s, const char *name, const char *flow, int listener)
{
    const struct role_routes *routes = &s->request.routes;
    struct endpoint expected = {.family = ENDPOINT_NONE};

    if (flow != NULL)
        expected = endpoint_of(flow);
    if (!routes->ours || !routes->proven || routes->first != routes->last)
        fail_msg("%s: not a dialog of ours", name);
    if (!endpoint_equal(&routes->flow, &expected))
        fail_msg("%s: leads elsewhere", name);
    if (routes->listener != listener)
        fail_msg("%s: by listener %d", name, routes->listener);
}

#define NATED  "Via: SIP/2.0/UDP 10.0.0.7:5060;rport;branch=z9hG4bKn\nContact: <sip:alice@10.0.0.7>"
#define DIRECT "Contact: <sip:alice@192.0.2.4>"
#define SIX    "Via: SIP/2.0/UDP [2001:db8::4];branch=z9hG4bKs\nContact: <sip:alice@[2001:db8::4]>"

static const struct {
    const char *name;
    const char *source; // of the caller
    unsigned in;
    const char *lines;
    const char *contact, *hop; // of the callee
    unsigned out;
    unsigned values_n;
    const char *to_callee, *to_caller; // flows that are followed later
} calls[] = {
    {"nobody behind a NAT", "192.0.2.4:5060", 0, DIRECT, "sip:bob@192.0.2.9", "192.0.2.9:5060", 0, 1, NULL,
     NULL},
    {"two listeners", "192.0.2.4:5060", 0, DIRECT, "sip:bob@192.0.2.9", "192.0.2.9:5060", 1, 2, NULL, NULL},
    {"the caller behind a NAT", "203.0.113.7:40000", 0, NATED, "sip:bob@192.0.2.9", "192.0.2.9:5060", 0, 2,
     NULL, "203.0.113.7:40000"},
    {"the callee behind a NAT", "192.0.2.4:5060", 0, DIRECT, "sip:bob@10.0.0.9", "203.0.113.9:1024", 0, 2,
     "203.0.113.9:1024", NULL},
    {"both", "203.0.113.7:40000", 0, NATED, "sip:bob@10.0.0.9:5062;ob", "203.0.113.9:1024", 0, 2,
     "203.0.113.9:1024", "203.0.113.7:40000"},
    {"both, behind the same NAT", "203.0.113.7:40000", 0, NATED, "sip:bob@10.0.0.9", "203.0.113.7:40001", 0,
     2, "203.0.113.7:40001", "203.0.113.7:40000"},
    {"both, over two listeners", "203.0.113.7:40000", 1, NATED, "sip:bob@10.0.0.9", "203.0.113.9:1024", 0, 2,
     "203.0.113.9:1024", "203.0.113.7:40000"},
    {"IPv4 to IPv6", "203.0.113.7:40000", 0, NATED, "sip:bob@[fd00::9]", "[2001:db8::9]:1024", 2, 2,
     "[2001:db8::9]:1024", "203.0.113.7:40000"},
    {"IPv6 to IPv4", "[2001:db8::4]:5060", 2, SIX, "sip:bob@10.0.0.9", "203.0.113.9:1024", 1, 2,
     "203.0.113.9:1024", NULL},
    {"a callee with a name for its Contact", "192.0.2.4:5060", 0, DIRECT, "sip:bob@phone.local",
     "203.0.113.9:1024", 0, 2, "203.0.113.9:1024", NULL},
};

static void invite(struct scene *s, const char *lines)
{
    char text[1000];

    snprintf(text, sizeof(text), "INVITE sip:bob@example.com\n%s", lines);
    scene_request(s, text);
    s->target = (struct role_target){.listener = CONF_NONE, .gateway = GATEWAY_NONE};
}

// Another letter of those that a token is made of.
static void forge(char *letter)
{
    *letter = *letter == 'x' ? 'y' : 'x';
}

static void expect_status(const struct scene *s, unsigned status)
{
    assert_int_equal(s->verdict.kind, VERDICT_REPLY);
    assert_int_equal(s->verdict.status, status);
}

static void begin(struct scene *s, unsigned i, struct values *values)
{
    scene_from(s, calls[i].source, calls[i].in);
    invite(s, calls[i].lines);
    s->target.uri = slice_text(calls[i].contact);
    s->target.hop = endpoint_of(calls[i].hop);
    record(s, calls[i].out, values);
}

static void test_both_ends_reach_each_other(void **state)
{
    struct scene *s = *state;
    struct values values;

    for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        begin(s, i, &values);
        if (values.n != calls[i].values_n)
            fail_msg("%s: %u values\n%s", calls[i].name, values.n, s->text);
        assert_true(follow(s, "BYE", &values, true));
        leads(s, calls[i].name, calls[i].to_callee, (int)calls[i].out);
        scene_from(s, calls[i].hop, calls[i].out);
        assert_true(follow(s, "BYE", &values, false));
        leads(s, calls[i].name, calls[i].to_caller, (int)calls[i].in);
    }
}

static void test_retransmission_says_the_same(void **state)
{
    struct scene *s = *state;
    struct values first, second;

    for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        begin(s, i, &first);
        begin(s, i, &second);
        assert_int_equal(first.n, second.n);
        for (unsigned n = 0; n < first.n; n++)
            assert_string_equal(first.value[n], second.value[n]);
    }
}

static void test_strict_router_puts_our_value_into_the_request_uri(void **state)
{
    struct scene *s = *state;
    struct values values;
    char text[700];

    begin(s, 4, &values);
    // the caller's next hop took its top value for the request-URI and put the remote target last (RFC 3261 16.6)
    snprintf(text, sizeof(text),
             "BYE %.*s\nTo: <sip:bob@example.com>;tag=b1\nRoute: %s\nRoute: <sip:bob@10.0.0.9>",
             (int)strlen(values.value[1]) - 2, values.value[1] + 1, values.value[0]);
    assert_true(scene_take(s, text));
    leads(s, "strict", "203.0.113.9:1024", 0);
    assert_true(slice_equal(s->request.uri.text, SLICE("sip:bob@10.0.0.9")));
    forge(text + strlen("BYE sip:") + 3);
    assert_false(scene_take(s, text));
    expect_status(s, 403);
}

static void test_values_are_written_for_their_listeners(void **state)
{
    struct scene *s = *state;
    struct values values;

    begin(s, 6, &values);
    assert_non_null(strstr(values.value[0], "@198.18.0.1:5060;lr>"));
    assert_non_null(strstr(values.value[1], "@198.18.1.1:5060;lr>"));
}

// What somebody else is told when it is not [proxy] nat = flow.
static void test_other_ways_with_nats_put_no_flow_in(void **state)
{
    struct scene *s = *state;
    struct values values;

    s->policy->conf->nat_dialog = CONF_NAT_DIALOG_KEEP;
    begin(s, 4, &values);
    assert_int_equal(values.n, 1);
    assert_true(follow(s, "BYE", &values, true));
    leads(s, "keep", NULL, 0);
}

static const struct {
    const char *name, *lines;
    const char *hop, *uri, *path;
    bool alone;
} servers[] = {
    {"behind a proxy",
     "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa\nVia: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKb\nContact: "
     "<sip:a@10.0.0.7>",
     "192.0.2.9:5060", "sip:bob@192.0.2.9", "", false},
    {"a caller with names", "Via: SIP/2.0/UDP pbx.example;branch=z9hG4bKa\nContact: <sip:pbx.example>",
     "192.0.2.9:5060", "sip:bob@192.0.2.9", "", false},
    {"a Contact that is a number", "Contact: <tel:+4930>", "192.0.2.9:5060", "sip:bob@192.0.2.9", "", false},
    {"a Contact that is broken", "Contact: <", "192.0.2.9:5060", "sip:bob@192.0.2.9", "", false},
    {"a public Contact elsewhere", "Contact: <sip:alice@192.0.2.5>", "192.0.2.9:5060", "sip:bob@192.0.2.9",
     "", false},
    {"a callee behind a Path", DIRECT, "192.0.2.30:5060", "sip:bob@10.0.0.9", "<sip:192.0.2.30;lr>", false},
    {"a gateway", DIRECT, "192.0.2.50:5070", NULL, "", true},
    {"a name", DIRECT, "192.0.2.50:5070", "sip:bob@phone.example", "", true},
};

static void test_servers_lead_on_by_themselves(void **state)
{
    struct scene *s = *state;
    struct values values;

    for (unsigned i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
        invite(s, servers[i].lines);
        if (servers[i].uri != NULL)
            s->target.uri = slice_text(servers[i].uri);
        s->target.path = slice_text(servers[i].path);
        s->target.hop = endpoint_of(servers[i].hop);
        s->target.alone = servers[i].alone;
        record(s, 0, &values);
        if (values.n != 1)
            fail_msg("%s: %u values", servers[i].name, values.n);
    }
}

// Every proxy between the ends adds its own; those of a spiral are ours twice.
static void test_spiral_leads_on_by_what_was_written_last(void **state)
{
    struct scene *s = *state;
    struct values first, second, all = {.n = 4};

    begin(s, 2, &first);
    begin(s, 3, &second);
    for (unsigned i = 0; i < 2; i++) {
        strcpy(all.value[i], second.value[i]);
        strcpy(all.value[2 + i], first.value[i]);
    }
    assert_true(follow(s, "BYE", &all, true));
    leads(s, "caller", "203.0.113.9:1024", 0);
    assert_true(follow(s, "BYE", &all, false));
    leads(s, "callee", "203.0.113.7:40000", 0);
}

static void test_flow_is_kept_while_the_dialog_goes_on(void **state)
{
    struct scene *s = *state;
    struct values values, again;

    begin(s, 3, &values);
    assert_true(follow(s, "INVITE", &values, true));
    s->target.hop = s->request.routes.flow;
    record(s, 0, &again);
    assert_int_equal(again.n, 2);
    assert_string_equal(again.value[0], values.value[0]);
}

static void test_phone_may_name_us_as_its_outbound_proxy(void **state)
{
    static const char *const routes[] = {
        "<sip:198.18.0.1;lr>",  "<sip:orig@198.18.0.1;lr>",          "<sip:491234567890@198.18.0.1:5060;lr>",
        "<sip:example.com;lr>", "<sip:AAAAAAAAAAAA@example.com;lr>",
    };
    struct scene *s = *state;
    char lines[200];

    for (unsigned i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        snprintf(lines, sizeof(lines), "Route: %s", routes[i]);
        invite(s, lines);
        assert_true(s->request.routes.ours);
        assert_false(s->request.routes.proven);
        assert_int_equal(s->request.routes.flow.family, ENDPOINT_NONE);
    }
    assert_int_equal(s->role.tokens_refused, 0);
}

static void test_forged_token_is_refused_and_counted(void **state)
{
    struct scene *s = *state;
    struct values values, other;

    begin(s, 4, &values);
    other = values;
    forge(other.value[1] + strlen("<sip:") + 4);
    assert_false(follow(s, "BYE", &other, true));
    expect_status(s, 403);
    assert_int_equal(s->role.tokens_refused, 1);
    // even where another value on top is good
    assert_false(follow(s, "BYE", &other, false));
    expect_status(s, 403);
    assert_false(follow(s, "ACK", &other, false));
    assert_int_equal(s->verdict.kind, VERDICT_DROP);
    assert_int_equal(s->role.tokens_refused, 3);
}

static void test_token_of_another_call_is_refused(void **state)
{
    struct scene *s = *state;
    struct values values;
    char text[300];

    begin(s, 0, &values);
    snprintf(text, sizeof(text),
             "BYE sip:bob@192.0.2.9\nCall-ID: c2\nTo: <sip:bob@example.com>;tag=b1\nRoute: %s",
             values.value[0]);
    assert_false(scene_take(s, text));
    expect_status(s, 403);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_both_ends_reach_each_other),
        TEST(test_retransmission_says_the_same),
        TEST(test_strict_router_puts_our_value_into_the_request_uri),
        TEST(test_values_are_written_for_their_listeners),
        TEST(test_other_ways_with_nats_put_no_flow_in),
        TEST(test_servers_lead_on_by_themselves),
        TEST(test_spiral_leads_on_by_what_was_written_last),
        TEST(test_flow_is_kept_while_the_dialog_goes_on),
        TEST(test_phone_may_name_us_as_its_outbound_proxy),
        TEST(test_forged_token_is_refused_and_counted),
        TEST(test_token_of_another_call_is_refused),
    };

    return cmocka_run_group_tests_name("record_route", tests, NULL, NULL);
}
