// Calls between phones of every transport, each with each, from the REGISTER to the BYE of either end: what leaves is
// what the ends send back (RFC 3261 12, 16.6 step 4, 18, RFC 5626 5.3, RFC 5658, RFC 7118).
#include "mixed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct phone {
    const char *name;
    const char *seen; // where it sends from
    unsigned listener;
    const char *via, *contact;
    bool kept;       // the way to it is where it was seen, and its Contact leads nowhere
    const char *own; // what our URI for its side says behind the token
    const char *our_via;
};

static const struct phone phones[] = {
    {"udp", "192.0.2.20:5060", MIXED_UDP, "UDP 192.0.2.20", "sip:x@192.0.2.20:5060", false,
     "198.18.0.1:5060;lr", "UDP 198.18.0.1:5060"},
    {"udp behind a nat", "203.0.113.7:40000", MIXED_UDP, "UDP 10.0.0.7;rport", "sip:x@10.0.0.7", true,
     "198.18.0.1:5060;lr", "UDP 198.18.0.1:5060"},
    {"tcp", "tcp:203.0.113.8:41000#3", MIXED_TCP, "TCP 10.0.0.8:5060", "sip:x@10.0.0.8;transport=tcp", true,
     "198.18.0.1:5060;transport=tcp;lr", "TCP 198.18.0.1:5060"},
    {"tcp that listens", "tcp:192.0.2.21:41001#1", MIXED_TCP, "TCP 192.0.2.21",
     "sip:x@192.0.2.21;transport=tcp", true, "198.18.0.1:5060;transport=tcp;lr", "TCP 198.18.0.1:5060"},
    {"tls", "tls:203.0.113.9:42000#255", MIXED_TLS, "TLS 10.0.0.9:5061;rport;alias",
     "sip:x@10.0.0.9:5061;transport=tls", true, "198.18.0.1:5061;transport=tls;lr",
     "TLS 198.18.0.1:5061;alias"},
    {"ws", "ws:203.0.113.10:43000#9", MIXED_WS, "WS df7jal23ls0d.invalid",
     "sip:x@df7jal23ls0d.invalid;transport=ws", true, "198.18.0.1:80;transport=ws;lr", "WS 198.18.0.1:80"},
    {"wss", "wss:203.0.113.11:44000#10", MIXED_WSS, "WSS a7jal23ls0d.invalid",
     "sip:x@a7jal23ls0d.invalid;transport=ws", true, "198.18.0.1:443;transport=ws;lr", "WSS 198.18.0.1:443"},
    {"tcp over IPv6", "tcp:[2001:db8::8]:45000#2", MIXED_TCP6, "TCP [2001:db8::8]",
     "sip:x@[2001:db8::8];transport=tcp", true, "[2001:db8::1]:5060;transport=tcp;lr",
     "TCP [2001:db8::1]:5060"},
};

#define PHONES (sizeof(phones) / sizeof(*phones))

struct routes {
    unsigned n;
    char value[4][160];
};

struct call {
    const struct phone *caller, *callee;
    struct routes routes;
    unsigned number;
    char name[80];
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

static void expect(struct fixture *f, const struct call *call, const char *form, const char *to,
                   unsigned listener, const char *more)
{
    char summary[2000];

    snprintf(summary, sizeof(summary), "%s %s by %u%s", form, to, listener, more);
    fixture_expect(f, call->name, summary);
}

static void enrol(struct fixture *f, const struct call *call)
{
    const struct phone *bob = call->callee;
    char text[1000], summary[200];

    snprintf(text, sizeof(text),
             "REGISTER sip:example.com\nVia: SIP/2.0/%s;branch=z9hG4bKr%u\nCall-ID: r%u\nTo: "
             "<sip:bob%u@example.com>\n"
             "Contact: <%s>",
             bob->via, call->number, call->number, call->number, bob->contact);
    fixture_from(f, bob->seen, bob->listener);
    fixture_request(f, text);
    snprintf(summary, sizeof(summary), "\n+Contact: <%s>;expires=3600", bob->contact);
    expect(f, call, "reply 200", bob->seen, bob->listener, summary);
}

static void invite(struct fixture *f, struct call *call)
{
    const struct phone *alice = call->caller, *bob = call->callee;
    char text[1000], summary[1000];
    bool twice = alice->listener != bob->listener || alice->kept || bob->kept;

    snprintf(text, sizeof(text),
             "INVITE sip:bob%u@example.com\nVia: SIP/2.0/%s;branch=z9hG4bKi%u\nCall-ID: c%u\nContact: <%s>",
             call->number, alice->via, call->number, call->number, alice->contact);
    fixture_from(f, alice->seen, alice->listener);
    f->outlet->log[0] = 0;
    fixture_request(f, text);
    snprintf(summary, sizeof(summary),
             "\n+INVITE %s SIP/2.0\n+Via: SIP/2.0/%s;branch=BRANCH\n+Record-Route: <sip:FLOW@%s>\n"
             "+Record-Route: <sip:FLOW@%s>",
             bob->contact, bob->our_via, bob->own, twice ? alice->own : bob->own);
    expect(f, call, "forward", bob->seen, bob->listener, summary);
    snprintf(summary, sizeof(summary), "100@%s INVITE@%s", alice->seen, bob->seen);
    fixture_left(f, call->name, summary);
    read_routes(f, &call->routes);
    if (call->routes.n != (twice ? 2 : 1))
        fail_msg("%s: %u values\n%s", call->name, call->routes.n, f->text);
    fixture_answer(f, bob->seen, "INVITE", 200, "");
    expect(f, call, "forward", alice->seen, alice->listener, "");
}

// A request in the dialog: the callee has the route set in the order of the INVITE, the caller in the other.
static void send(struct fixture *f, const struct call *call, const char *method, bool by_caller)
{
    const struct phone *from = by_caller ? call->caller : call->callee;
    const struct phone *to = by_caller ? call->callee : call->caller;
    const struct routes *routes = &call->routes;
    char text[2000], summary[1000];
    int len = sprintf(text,
                      "%s %s\nVia: SIP/2.0/%s;branch=z9hG4bK%s%u%u\nCall-ID: c%u\n"
                      "%s: <sip:alice@example.com>;tag=a1\n%s: <sip:bob@example.com>;tag=b1",
                      method, to->contact, from->via, method, by_caller, call->number, call->number,
                      by_caller ? "From" : "To", by_caller ? "To" : "From");

    for (unsigned i = 0; i < routes->n; i++)
        len += sprintf(text + len, "\nRoute: %s", routes->value[by_caller ? routes->n - 1 - i : i]);
    fixture_from(f, from->seen, from->listener);
    fixture_request(f, text);
    snprintf(summary, sizeof(summary), "\n+%s %s SIP/2.0\n+Via: SIP/2.0/%s;branch=BRANCH\n-Route:", method,
             to->contact, to->our_via);
    expect(f, call, "forward", to->seen, to->listener, summary);
    if (strcmp(method, "ACK") == 0)
        return;
    fixture_answer(f, to->seen, method, 200, "");
    expect(f, call, "forward", from->seen, from->listener, "");
}

static void test_each_calls_each(void **state)
{
    struct fixture *f = fixture_open(MIXED_CONF, 1);
    unsigned number = 0;

    (void)state;
    f->conf->trusted_n = 0;
    fixture_stateful(f, 2000);
    for (unsigned a = 0; a < PHONES; a++) {
        for (unsigned b = 0; b < PHONES; b++) {
            struct call call = {.caller = &phones[a], .callee = &phones[b], .number = ++number};
            snprintf(call.name, sizeof(call.name), "%s calls %s", phones[a].name, phones[b].name);
            enrol(f, &call);
            invite(f, &call);
            send(f, &call, "ACK", true);
            send(f, &call, "INFO", true);
            send(f, &call, "INFO", false);
            send(f, &call, "BYE", number % 2 == 0);
        }
    }
    fixture_close(f);
}

// The request as it left, answered by whoever got it: its Vias come back.
static void answer_without_state(struct fixture *f, const char *from)
{
    char copy[FIXTURE_BYTES], text[FIXTURE_BYTES];
    int len = sprintf(text, "SIP/2.0 200 OK\n");

    snprintf(copy, sizeof(copy), "%.*s", (int)f->out.len, f->out.at);
    for (const char *at = strstr(copy, "\nVia: "); at != NULL; at = strstr(at + 1, "\nVia: "))
        len += sprintf(text + len, "%.*s\n", (int)strcspn(at + 1, "\r"), at + 1);
    sprintf(text + len, "From: <sip:a@b>;tag=1\nTo: <sip:a@b>;tag=2\nCall-ID: c1@192.0.2.4\nCSeq: 1 OPTIONS\n"
                        "Content-Length: 0\n\n");
    fixture_from(f, from, MIXED_UDP);
    fixture_text(f, text);
}

// Without state the way back is in the Via, and a connection is found by the port that we noted there (16.11).
static void test_without_state_responses_find_their_connection(void **state)
{
    struct fixture *f = fixture_open(MIXED_CONF, 1);

    (void)state;
    f->conf->trusted[0].bits = 0; // all of IPv4
    for (unsigned a = 0; a < PHONES; a++) {
        const struct phone *alice = &phones[a];
        char text[500], summary[200];
        if (alice->listener >= MIXED_UDP6)
            continue;
        snprintf(text, sizeof(text), "OPTIONS sip:x@192.0.2.4\nVia: SIP/2.0/%s;branch=z9hG4bKo%u", alice->via,
                 a);
        fixture_from(f, alice->seen, alice->listener);
        fixture_request(f, text);
        fixture_expect(f, alice->name, "forward 192.0.2.4:5060 by 0");
        answer_without_state(f, "192.0.2.4:5060");
        snprintf(summary, sizeof(summary), "forward %.*s by %u", (int)strcspn(alice->seen, "#"), alice->seen,
                 alice->listener);
        fixture_expect(f, alice->name, summary);
    }
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_calls_each),
        cmocka_unit_test(test_without_state_responses_find_their_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
