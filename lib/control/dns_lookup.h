// dns_lookup: one name or number on its way through the DNS; between dns.c, which starts and ends it, dns_hops.c and
// dns_enum.c, which take it there. Each step asks, counts what it waits for, and goes on when all has been answered.
#ifndef CONTROL_DNS_LOOKUP_H
#define CONTROL_DNS_LOOKUP_H

#include "control/dns_answer.h"
#include "control/dns_channel.h"
#include "control/park.h"

struct control_lookup;

// The addresses of one family of a target, and what is passed with the question for them.
struct control_found {
    struct control_lookup *lookup;
    bool ip6;
    unsigned n;
    struct endpoint addresses[CONTROL_ADDRESSES_MAX];
};

struct control_lookup {
    struct control_dns *dns;
    struct control_lookup *next; // in progress, or free
    struct name_question question;
    char name[NAME_TEXT_MAX + 1]; // the question's, in lower case
    struct control_park_list parked;

    // The answer as it grows.
    bool ended;   // it waits for room in the name table
    bool failed;  // a server that had to answer did not
    uint32_t ttl; // seconds: the smallest so far
    uint16_t hops_n;
    struct name_hop hops[NAME_HOPS_MAX];
    uint32_t uri_len;
    char uri[NAME_URI_MAX];

    // Where it is.
    unsigned waiting; // answers that are still to come
    unsigned rules_n, rule;
    struct control_rule rules[CONTROL_RULES_MAX];
    unsigned referrals; // RFC 6116 5.2.1: non-terminal records that were followed
    unsigned targets_n;
    struct control_target targets[NAME_HOPS_MAX];
    struct control_found found[NAME_HOPS_MAX][2]; // of each target
};

// The question of a lookup that has just begun. Ends it by control_lookup_end, perhaps before returning.
void control_hops_begin(struct control_lookup *lookup); // dns_hops.c
void control_enum_begin(struct control_lookup *lookup); // dns_enum.c

// dns.c: asks; the answer comes with what is passed as `owner`, and is counted down by control_lookup_heard.
void control_lookup_ask(struct control_lookup *lookup, const char *name, enum control_dns_type type,
                        ares_callback answered, void *owner);
// First thing in every answer: false: the lookup is being taken down, touch nothing.
bool control_lookup_heard(struct control_lookup *lookup, const struct control_reply *reply);
// The answer stands in the lookup; it is put into the table and the lookup is gone.
void control_lookup_end(struct control_lookup *lookup);

// What of the configuration matters on the way.
struct slice control_lookup_suffix(const struct control_lookup *lookup);
// The families of the listeners, those of the first listener first.
unsigned control_lookup_families(const struct control_lookup *lookup, bool ip6[2]);

#endif
