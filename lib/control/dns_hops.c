// RFC 3263 4: NAPTR, then SRV, then A and AAAA, for what a question may be answered over and some listener has.
#include <stdio.h>

#include "base/slice.h"
#include "control/dns_lookup.h"
#include "sip/transport.h"

#define BIT(transport) (1u << (transport))

// Those that names lead to of themselves. WebSocket has no names in the DNS for servers to look for (RFC 7118 5.5: its
// clients cannot ask): it is spoken where a URI says so.
#define BY_DNS (BIT(ENDPOINT_UDP) | BIT(ENDPOINT_TCP) | BIT(ENDPOINT_TLS))
#define SECURE (BIT(ENDPOINT_TLS) | BIT(ENDPOINT_WSS))

// What the rules of a lookup lead to: SRV records, or addresses; and the transport.
enum rule_kind {
    RULE_SRV = 0x10,     // NAPTR flag "s": the replacement has SRV records
    RULE_ADDRESS = 0x20, // flag "a": the replacement has addresses (RFC 3404 4.3)
    RULE_TRANSPORT = 0x0f,
};

// RFC 3263 4.1, 4.2, and RFC 3263 8's registry.
static const struct service {
    const char *naptr, *srv;
} services[ENDPOINT_TRANSPORTS] = {
    [ENDPOINT_UDP] = {"SIP+D2U", "_sip._udp."},
    [ENDPOINT_TCP] = {"SIP+D2T", "_sip._tcp."},
    [ENDPOINT_TLS] = {"SIPS+D2T", "_sips._tcp."},
};

// RFC 3263 4.1: "discard any service fields that identify a resolution service whose value is not D2X, for values of X
// that indicate transport protocols supported by the client", and for sips what is not SIPS.
static unsigned wanted(const struct ares_naptr_reply *record, unsigned transports, const char **text)
{
    struct slice service = slice_text((const char *)record->service);
    struct slice flags = slice_text((const char *)record->flags);
    unsigned kind = slice_equal_nocase(flags, SLICE("s"))   ? RULE_SRV
                    : slice_equal_nocase(flags, SLICE("a")) ? RULE_ADDRESS
                                                            : 0;

    *text = record->replacement;
    if (kind == 0 || record->regexp[0] != 0)
        return 0;
    for (unsigned transport = 0; transport < ENDPOINT_TRANSPORTS; transport++) {
        if ((transports & BY_DNS & BIT(transport)) &&
            slice_equal_nocase(service, slice_text(services[transport].naptr)))
            return kind | transport;
    }
    return 0;
}

static void add_hop(struct control_lookup *lookup, unsigned target, const struct endpoint *address)
{
    const struct control_target *from = &lookup->targets[target];
    struct name_hop *hop = &lookup->hops[lookup->hops_n];

    if (lookup->hops_n == NAME_HOPS_MAX)
        return;
    *hop = (struct name_hop){*address, from->priority, from->weight, (uint16_t)(target + 1)};
    hop->endpoint.port = from->port;
    hop->endpoint.transport = lookup->transport & 0xf;
    lookup->hops_n++;
}

// All addresses are there, or not to be had. A target that fails beside others that do not is no failure.
static void collect(struct control_lookup *lookup)
{
    for (unsigned t = 0; t < lookup->targets_n; t++) {
        for (unsigned family = 0; family < 2; family++) {
            const struct control_found *found = &lookup->found[t][family];
            for (unsigned i = 0; i < found->n; i++)
                add_hop(lookup, t, &found->addresses[i]);
        }
    }
    lookup->failed = lookup->failed && lookup->hops_n == 0;
    control_lookup_end(lookup);
}

static void on_addresses(void *owner, int status, int timeouts, unsigned char *bytes, int len)
{
    struct control_found *found = owner;
    struct control_lookup *lookup = found->lookup;
    const struct control_reply reply = {status, bytes, len};

    (void)timeouts;
    if (!control_lookup_heard(lookup, &reply))
        return;
    if (control_answer_addresses(&reply, found->ip6, found->addresses, &found->n) == CONTROL_FAILED)
        lookup->failed = true;
    if (lookup->waiting == 0)
        collect(lookup);
}

// The addresses of all targets at once, of the families that have the transport.
static void ask_addresses(struct control_lookup *lookup)
{
    const struct control_dns *dns = lookup->dns;

    lookup->waiting++; // answers may come before all is asked
    for (unsigned t = 0; t < lookup->targets_n; t++) {
        for (unsigned family = 0; family < 2; family++) {
            struct control_found *found = &lookup->found[t][family];
            found->lookup = lookup;
            found->ip6 = dns->ip6[family];
            found->n = 0;
            if (dns->transports[family] & BIT(lookup->transport))
                control_lookup_ask(lookup, lookup->targets[t].host,
                                   found->ip6 ? CONTROL_DNS_AAAA : CONTROL_DNS_A, on_addresses, found);
        }
    }
    if (--lookup->waiting == 0)
        collect(lookup);
}

// One target: a host at its port, or at that of the transport.
static void ask_host(struct control_lookup *lookup, const char *host, uint16_t port)
{
    struct control_target *target = &lookup->targets[0];

    snprintf(target->host, sizeof(target->host), "%s", host);
    target->port = port != 0 ? port : sip_transport_port(lookup->transport);
    target->priority = target->weight = 0;
    lookup->targets_n = 1;
    ask_addresses(lookup);
}

static void next_rule(struct control_lookup *lookup);

static void on_services(void *owner, int status, int timeouts, unsigned char *bytes, int len)
{
    struct control_lookup *lookup = owner;
    const struct control_reply reply = {status, bytes, len};

    (void)timeouts;
    if (!control_lookup_heard(lookup, &reply))
        return;
    switch (control_answer_targets(&reply, lookup->targets, &lookup->targets_n)) {
    case CONTROL_FOUND:
        ask_addresses(lookup); // RFC 2782: with none, "the service is decidedly not available"
        break;
    case CONTROL_ABSENT:
        next_rule(lookup);
        break;
    case CONTROL_FAILED: // what comes next is for names that have no SRV records, which nobody said
        lookup->failed = true;
        control_lookup_end(lookup);
        break;
    }
}

// What a name is spoken over of which nothing is known: UDP, and TLS for sips (RFC 3263 4.1); where no listener has it
// the next one.
static uint8_t usual(const struct control_lookup *lookup)
{
    return (uint8_t)__builtin_ctz(lookup->transports);
}

// One rule after the other; then, as there are no SRV records, the name's own addresses (RFC 3263 4.2).
static void next_rule(struct control_lookup *lookup)
{
    if (lookup->rule == lookup->rules_n) {
        lookup->transport = usual(lookup);
        ask_host(lookup, lookup->name, 0);
        return;
    }
    const struct control_rule *rule = &lookup->rules[lookup->rule++];
    lookup->transport = rule->kind & RULE_TRANSPORT;
    if (rule->kind & RULE_ADDRESS)
        ask_host(lookup, rule->text, 0);
    else
        control_lookup_ask(lookup, rule->text, CONTROL_DNS_SRV, on_services, lookup);
}

// RFC 3263 4.1: without NAPTR records "the client constructs SRV queries for those transport protocols it supports".
static void take_services(struct control_lookup *lookup)
{
    lookup->rules_n = 0;
    for (unsigned transport = 0; transport < ENDPOINT_TRANSPORTS; transport++) {
        struct control_rule *rule = &lookup->rules[lookup->rules_n];
        if (!(lookup->transports & BY_DNS & BIT(transport)))
            continue;
        *rule = (struct control_rule){.kind = (uint8_t)(RULE_SRV | transport)};
        int len = snprintf(rule->text, sizeof(rule->text), "%s%s", services[transport].srv, lookup->name);
        lookup->rules_n += len <= NAME_TEXT_MAX;
    }
    next_rule(lookup);
}

static void on_pointers(void *owner, int status, int timeouts, unsigned char *bytes, int len)
{
    struct control_lookup *lookup = owner;
    const struct control_reply reply = {status, bytes, len};

    (void)timeouts;
    if (!control_lookup_heard(lookup, &reply))
        return;
    switch (control_answer_rules(&reply, wanted, lookup->transports, lookup->rules, &lookup->rules_n)) {
    case CONTROL_FOUND:
        next_rule(lookup);
        break;
    case CONTROL_ABSENT:
        take_services(lookup);
        break;
    case CONTROL_FAILED:
        lookup->failed = true;
        control_lookup_end(lookup);
        break;
    }
}

// What the question may be answered over (RFC 3263 4.1): what it says, sips with TLS below; all that the DNS may name
// where it says nothing; of these what some listener has.
static unsigned transports_of(const struct control_lookup *lookup)
{
    static const unsigned secured[ENDPOINT_TRANSPORTS] = {
        [ENDPOINT_TCP] = BIT(ENDPOINT_TLS),
        [ENDPOINT_TLS] = BIT(ENDPOINT_TLS),
        [ENDPOINT_WS] = BIT(ENDPOINT_WSS),
        [ENDPOINT_WSS] = BIT(ENDPOINT_WSS),
    };
    const struct name_question *question = &lookup->question;
    unsigned ours = lookup->dns->transports[0] | lookup->dns->transports[1];
    bool sips = question->kind == NAME_SIPS;

    if (question->transport == NAME_TRANSPORT_ANY)
        return ours & BY_DNS & (sips ? SECURE : BY_DNS);
    if (question->transport >= ENDPOINT_TRANSPORTS)
        return 0;
    return ours & (sips ? secured[question->transport] : BIT(question->transport));
}

void control_hops_begin(struct control_lookup *lookup)
{
    lookup->transports = transports_of(lookup);
    if (lookup->transports == 0) { // nothing here could send to it
        control_lookup_end(lookup);
        return;
    }
    lookup->transport = usual(lookup);
    if (lookup->question.port != 0) // neither NAPTR nor SRV are looked at (4.1, 4.2)
        ask_host(lookup, lookup->name, lookup->question.port);
    else if (lookup->question.transport != NAME_TRANSPORT_ANY)
        take_services(lookup);
    else
        control_lookup_ask(lookup, lookup->name, CONTROL_DNS_NAPTR, on_pointers, lookup);
}
