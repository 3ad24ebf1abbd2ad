// RFC 3263 4 for a client that speaks UDP: NAPTR, then SRV, then A and AAAA.
#include <stdio.h>

#include "base/slice.h"
#include "control/dns_lookup.h"

#define SIP_PORT 5060

enum rule_kind {
    RULE_SRV = 1, // flag "s": the replacement has SRV records
    RULE_ADDRESS, // flag "a": the replacement has addresses (RFC 3404 4.3)
};

// RFC 3263 4.1: "discard any service fields that identify a resolution service whose value is not D2X, for values of X
// that indicate transport protocols supported by the client".
static unsigned wanted(const struct ares_naptr_reply *record, const char **text)
{
    struct slice flags = slice_text((const char *)record->flags);

    *text = record->replacement;
    if (!slice_equal_nocase(slice_text((const char *)record->service), SLICE("SIP+D2U")) ||
        record->regexp[0] != 0)
        return 0;
    if (slice_equal_nocase(flags, SLICE("s")))
        return RULE_SRV;
    return slice_equal_nocase(flags, SLICE("a")) ? RULE_ADDRESS : 0;
}

static void add_hop(struct control_lookup *lookup, unsigned target, const struct endpoint *address)
{
    const struct control_target *from = &lookup->targets[target];
    struct name_hop *hop = &lookup->hops[lookup->hops_n];

    if (lookup->hops_n == NAME_HOPS_MAX)
        return;
    *hop = (struct name_hop){*address, from->priority, from->weight, (uint16_t)(target + 1)};
    hop->endpoint.port = from->port;
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

// The addresses of all targets at once.
static void ask_addresses(struct control_lookup *lookup)
{
    bool ip6[2];
    unsigned families = control_lookup_families(lookup, ip6);

    lookup->waiting++; // answers may come before all is asked
    for (unsigned t = 0; t < lookup->targets_n; t++) {
        for (unsigned family = 0; family < 2; family++) {
            struct control_found *found = &lookup->found[t][family];
            found->lookup = lookup;
            found->ip6 = ip6[family];
            found->n = 0;
            if (family < families)
                control_lookup_ask(lookup, lookup->targets[t].host,
                                   found->ip6 ? CONTROL_DNS_AAAA : CONTROL_DNS_A, on_addresses, found);
        }
    }
    if (--lookup->waiting == 0)
        collect(lookup);
}

static void ask_host(struct control_lookup *lookup, const char *host, uint16_t port)
{
    struct control_target *target = &lookup->targets[0];

    snprintf(target->host, sizeof(target->host), "%s", host);
    target->port = port;
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

// The NAPTR records one after the other; where there was none, the SRV records that the name would have; then, as there
// are no SRV records, the name's own addresses (RFC 3263 4.2).
static void next_rule(struct control_lookup *lookup)
{
    static const char prefix[] = "_sip._udp.";
    char service[sizeof(prefix) + NAME_TEXT_MAX];

    if (lookup->rule < lookup->rules_n) {
        const struct control_rule *rule = &lookup->rules[lookup->rule++];
        if (rule->kind == RULE_ADDRESS)
            ask_host(lookup, rule->text, SIP_PORT);
        else
            control_lookup_ask(lookup, rule->text, CONTROL_DNS_SRV, on_services, lookup);
        return;
    }
    if (lookup->rules_n == 0 && lookup->rule == 0) {
        lookup->rule = 1;
        int len = snprintf(service, sizeof(service), "%s%s", prefix, lookup->name);
        if (len <= NAME_TEXT_MAX) {
            control_lookup_ask(lookup, service, CONTROL_DNS_SRV, on_services, lookup);
            return;
        }
    }
    ask_host(lookup, lookup->name, SIP_PORT);
}

static void on_pointers(void *owner, int status, int timeouts, unsigned char *bytes, int len)
{
    struct control_lookup *lookup = owner;
    const struct control_reply reply = {status, bytes, len};

    (void)timeouts;
    if (!control_lookup_heard(lookup, &reply))
        return;
    lookup->failed = control_answer_rules(&reply, wanted, lookup->rules, &lookup->rules_n) == CONTROL_FAILED;
    if (lookup->failed)
        control_lookup_end(lookup);
    else
        next_rule(lookup);
}

void control_hops_begin(struct control_lookup *lookup)
{
    // RFC 3263 4.1, 4.2: with a port it is UDP, and neither NAPTR nor SRV are looked at.
    if (lookup->question.port != 0)
        ask_host(lookup, lookup->name, lookup->question.port);
    else
        control_lookup_ask(lookup, lookup->name, CONTROL_DNS_NAPTR, on_pointers, lookup);
}
