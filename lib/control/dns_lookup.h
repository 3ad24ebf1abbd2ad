// dns_lookup: one name or number on its way through the DNS.
//
// Internal to control's DNS. dns.c begins lookups, dns_hops.c and dns_enum.c take them along: each step asks, counts
// what it waits for, and goes on when all has been answered; dns_lookup.c ends them. Control thread only.
#ifndef CONTROL_DNS_LOOKUP_H
#define CONTROL_DNS_LOOKUP_H

#include "control/dns.h"
#include "control/dns_answer.h"
#include "control/dns_channel.h"
#include "control/dns_watch.h"
#include "control/park.h"

struct control_lookup;

struct control_dns {
    struct control_dns_setup setup;
    const struct conf *conf;
    struct control_dns_channel *channel;
    // The one of the configuration before, until it has answered what it was asked; or NULL.
    struct control_dns_channel *before;
    uint64_t before_until_ms;
    struct control_park *park;
    struct control_watch watch;
    struct control_lookup *lookups;       // CONTROL_LOOKUPS_MAX
    struct control_lookup *active, *free; // lists
    // Of the listeners, which never change: the families, the first listener's first, and what each of them is spoken
    // over, a bit for each enum endpoint_transport.
    bool ip6[2];
    unsigned transports[2];
    bool closing;
    uint64_t now_ms; // of the last tick or message
    struct control_dns_counters counters;
};

static inline void control_dns_count(uint64_t *counter, int64_t by)
{
    __atomic_store_n(counter, *counter + (uint64_t)by, __ATOMIC_RELAXED);
}

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
    unsigned transports; // that may be led to, a bit each
    uint8_t transport;   // enum endpoint_transport of the targets
    unsigned waiting;    // answers that are still to come
    unsigned rules_n, rule;
    struct control_rule rules[CONTROL_RULES_MAX];
    unsigned referrals; // RFC 6116 5.2.1: non-terminal records that were followed
    unsigned targets_n;
    struct control_target targets[NAME_HOPS_MAX];
    struct control_found found[NAME_HOPS_MAX][2]; // of each target
};

// The lookup of that question that is on its way, or NULL.
struct control_lookup *control_lookup_find(struct control_dns *dns, const struct name_question *question);
// A new one that has not begun, or NULL: too many are on their way.
struct control_lookup *control_lookup_take(struct control_dns *dns, const struct name_question *question);
// May end it before returning.
void control_lookup_begin(struct control_lookup *lookup);
// Puts the answer into the name table, gives back what waited, and the lookup is gone. False: there is no room now.
bool control_lookup_settle(struct control_dns *dns, struct control_lookup *lookup);

bool control_question_same(const struct name_question *a, const struct name_question *b);

// The rest is of the steps on the way.

// The question of a lookup that has just begun. Ends it by control_lookup_end, perhaps before returning.
void control_hops_begin(struct control_lookup *lookup); // dns_hops.c
void control_enum_begin(struct control_lookup *lookup); // dns_enum.c

// Asks; the answer comes with what is passed as `owner`, and is counted down by control_lookup_heard.
void control_lookup_ask(struct control_lookup *lookup, const char *name, enum control_dns_type type,
                        ares_callback answered, void *owner);
// First thing in every answer: false: the lookup is being taken down, touch nothing.
bool control_lookup_heard(struct control_lookup *lookup, const struct control_reply *reply);
// The answer stands in the lookup, which is settled now or as soon as there is room.
void control_lookup_end(struct control_lookup *lookup);

// What of the configuration matters on the way.
struct slice control_lookup_suffix(const struct control_lookup *lookup);

#endif
