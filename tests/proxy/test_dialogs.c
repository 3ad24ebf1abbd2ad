// Calls among those whom nobody trusts, from the INVITE to the BYE of either end: what leaves is what the ends send
// back (RFC 3261 12, 16.12.1.2, RFC 5626 5.3). All through service_serve.
#include "fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int set_up(void **state)
{
    struct fixture *f = fixture_open(fixture_conf, 1);

    f->conf->trusted_n = 0;
    *state = f;
    return 0;
}

static int set_up_stateful(void **state)
{
    set_up(state);
    fixture_stateful(*state, 100);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

struct call {
    const char *name;
    const char *caller; // where it sends from
    unsigned in;
    const char *via, *contact; // of the caller
    const char *callee;        // where it registered from
    unsigned out;
    const char *bound; // its Contact
    unsigned n;        // Record-Route values
};

static const struct call calls[] = {
    {"nobody behind a NAT", "192.0.2.20:5060", 0, "192.0.2.20", "sip:alice@192.0.2.20:5060", "192.0.2.9:5060",
     0, "sip:bob@192.0.2.9:5060", 1},
    {"the caller behind a NAT", "203.0.113.7:40000", 0, "10.0.0.7;rport", "sip:alice@10.0.0.7",
     "192.0.2.9:5060", 0, "sip:bob@192.0.2.9:5060", 2},
    {"the callee behind a NAT", "192.0.2.20:5060", 0, "192.0.2.20", "sip:alice@192.0.2.20:5060",
     "203.0.113.9:1024", 0, "sip:bob@10.0.0.9:5062", 2},
    {"both", "203.0.113.7:40000", 0, "10.0.0.7;rport", "sip:alice@10.0.0.7", "203.0.113.9:1024", 0,
     "sip:bob@10.0.0.9:5062;ob", 2},
    {"both by two listeners", "203.0.113.7:40000", 1, "10.0.0.7;rport", "sip:alice@10.0.0.7",
     "203.0.113.9:1024", 0, "sip:bob@10.0.0.9", 2},
    {"both with one private address", "203.0.113.7:40000", 0, "10.0.0.7;rport", "sip:alice@10.0.0.7",
     "203.0.113.9:1024", 0, "sip:bob@10.0.0.7", 2},
    {"two lines of one phone", "203.0.113.7:40000", 0, "10.0.0.7;rport", "sip:alice@10.0.0.7",
     "203.0.113.7:40000", 0, "sip:bob@10.0.0.7", 2},
    {"from IPv4 to IPv6", "203.0.113.7:40000", 0, "10.0.0.7;rport", "sip:alice@10.0.0.7",
     "[2001:db8::9]:1024", 2, "sip:bob@[fd00::9]", 2},
    {"from IPv6 to IPv4", "[2001:db8::4]:5060", 2, "[2001:db8::4]", "sip:alice@[2001:db8::4]:5060",
     "203.0.113.9:1024", 1, "sip:bob@10.0.0.9", 2},
};

struct routes {
    unsigned n;
    char value[4][160];
};

static void read_routes(const struct fixture *f, struct routes *routes)
{
    static const char name[] = "\r\nRecord-Route: ";
    char text[FIXTURE_BYTES];

    routes->n = 0;
    snprintf(text, sizeof(text), "%.*s", (int)f->out.len, f->out.at);
    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name))
        assert_int_equal(sscanf(at, "\r\nRecord-Route: %159[^\r]", routes->value[routes->n++]), 1);
}

static void invite(struct fixture *f, const struct call *call, struct routes *routes)
{
    struct location_binding binding = fixture_contact(call->bound);
    char text[1000];

    assert_true(endpoint_parse(slice_text(call->callee), &binding.received));
    binding.expires_ms = f->arrival.now.ms + 3600000;
    binding.listener = (uint8_t)call->out;
    fixture_bind(f, "bob@example.com", binding);
    fixture_from(f, call->caller, call->in);
    snprintf(text, sizeof(text),
             "INVITE sip:bob@example.com\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%" PRIu64 "\nContact: <%s>",
             call->via, f->arrival.now.ms, call->contact);
    fixture_request(f, text);
    snprintf(text, sizeof(text), "forward %s by %u", call->callee, call->out);
    fixture_expect(f, call->name, text);
    read_routes(f, routes);
    if (routes->n != call->n)
        fail_msg("%s: %u values\n%s", call->name, routes->n, f->text);
}

// A request in the dialog: the callee has the route set in the order of the INVITE, the caller in the other.
static void send(struct fixture *f, const struct call *call, const struct routes *routes, const char *method,
                 bool by_caller)
{
    char text[2000];
    const char *uri = by_caller ? call->bound : call->contact;
    int len = sprintf(text,
                      "%s %s\nVia: SIP/2.0/UDP 10.9.9.9;rport;branch=z9hG4bK%s%d%" PRIu64
                      "\n%s: <sip:alice@example.com>;tag=a1\n"
                      "%s: <sip:bob@example.com>;tag=b1",
                      method, uri, method, by_caller, f->arrival.now.ms, by_caller ? "From" : "To",
                      by_caller ? "To" : "From");

    for (unsigned i = 0; i < routes->n; i++)
        len += sprintf(text + len, "\nRoute: %s", routes->value[by_caller ? routes->n - 1 - i : i]);
    fixture_from(f, by_caller ? call->caller : call->callee, by_caller ? call->in : call->out);
    fixture_request(f, text);
}

static void expect(struct fixture *f, const struct call *call, const char *to, unsigned by, const char *uri)
{
    char summary[500];

    snprintf(summary, sizeof(summary), "forward %s by %u\n+BYE %s SIP/2.0\n-Route:", to, by, uri);
    fixture_expect(f, call->name, summary);
}

static void test_either_end_reaches_the_other(void **state)
{
    struct fixture *f = *state;
    struct routes routes;
    char ack[200];

    for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        const struct call *call = &calls[i];
        invite(f, call, &routes);
        send(f, call, &routes, "ACK", true);
        snprintf(ack, sizeof(ack), "forward %s by %u\n-Route:", call->callee, call->out);
        fixture_expect(f, call->name, ack);
        send(f, call, &routes, "BYE", true);
        expect(f, call, call->callee, call->out, call->bound);
        send(f, call, &routes, "BYE", false);
        expect(f, call, call->caller, call->in, call->contact);
        f->arrival.now.ms += 7200000; // the binding has gone, the next one is the only one
    }
}

// The flow is the dialog's, not the registration's.
static void test_phone_is_reached_after_it_unregistered(void **state)
{
    struct fixture *f = *state;
    struct routes routes;

    invite(f, &calls[3], &routes);
    f->arrival.now.ms += 7200000;
    send(f, &calls[3], &routes, "BYE", true);
    expect(f, &calls[3], calls[3].callee, calls[3].out, calls[3].bound);
}

static void test_refused_without_proof(void **state)
{
    struct fixture *f = *state;
    struct routes routes, forged;

    for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        invite(f, &calls[i], &routes);
        for (unsigned n = 0; n < routes.n; n++) {
            forged = routes;
            char *letter = forged.value[n] + strlen("<sip:") + 8;
            *letter = *letter == 'x' ? 'y' : 'x';
            uint64_t before = f->role.tokens_refused;
            send(f, &calls[i], &forged, "BYE", true);
            assert_int_equal(f->verdict.status, 403);
            assert_int_equal(f->role.tokens_refused, before + 1);
            send(f, &calls[i], &forged, "ACK", true);
            assert_string_equal(fixture_verdict(f), "drop ACK_UNROUTABLE");
        }
        for (unsigned n = 0; n < routes.n; n++)
            strcpy(forged.value[n], "<sip:198.18.0.1;lr>");
        send(f, &calls[i], &forged, "BYE", true);
        assert_int_equal(f->verdict.status, 403);
        f->arrival.now.ms += 7200000;
    }
}

static void test_repeated_invite_leaves_as_it_did(void **state)
{
    struct fixture *f = *state;
    struct routes first, second;

    invite(f, &calls[3], &first);
    invite(f, &calls[3], &second);
    for (unsigned i = 0; i < first.n; i++)
        assert_string_equal(first.value[i], second.value[i]);
}

// [proxy] nat = repair: no flow, but a Contact that can be reached.
static void test_repaired_contact_leads_back(void **state)
{
    struct fixture *f = *state;
    struct call call = calls[3];
    struct routes routes;

    f->conf->nat_dialog = CONF_NAT_DIALOG_REPAIR;
    call.n = 1;
    invite(f, &call, &routes);
    fixture_expect(f, "repaired", "forward 203.0.113.9:1024 by 0\n+Contact: <sip:alice@203.0.113.7:40000>");
    call.contact = "sip:alice@203.0.113.7:40000";
    send(f, &call, &routes, "BYE", false);
    expect(f, &call, call.caller, call.in, call.contact);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_either_end_reaches_the_other),
        TEST(test_phone_is_reached_after_it_unregistered),
        TEST(test_refused_without_proof),
        TEST(test_repeated_invite_leaves_as_it_did),
        TEST(test_repaired_contact_leads_back),
        cmocka_unit_test_setup_teardown(test_either_end_reaches_the_other, set_up_stateful, tear_down),
    };

    return cmocka_run_group_tests_name("dialogs", tests, NULL, NULL);
}
