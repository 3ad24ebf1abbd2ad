// dns_answer: what one answer of a name server says, in plain values of bounded size.
//
// The answer's bytes are whatever somebody sent: c-ares takes the records apart, here their number and lengths are cut.
// Pure. A record that is beyond its bound or makes no sense is as if it were not there.
#ifndef CONTROL_DNS_ANSWER_H
#define CONTROL_DNS_ANSWER_H

#include "name/name.h"

#define CONTROL_RULES_MAX     16 // NAPTR records, of those that are of use
#define CONTROL_ADDRESSES_MAX 8  // of one family of one host

enum control_outcome {
    CONTROL_FOUND,
    CONTROL_ABSENT, // there is no such name, or no record of this type
    CONTROL_FAILED, // the servers did not answer, or not sensibly
};

// A NAPTR record (RFC 3403) as far as it is used.
struct control_rule {
    uint16_t order, preference;
    uint8_t kind;                 // what `wanted` said of it
    char text[NAME_TEXT_MAX + 1]; // its regexp or its replacement
};

struct control_target {
    char host[NAME_TEXT_MAX + 1];
    uint16_t port, priority, weight;
};

struct control_reply {
    int status; // ARES_…
    const unsigned char *bytes;
    int len;
};

// What a record is good for: a number of the caller's, and which of its texts; or 0: nothing. `transports`: those that
// it may be of, a bit each.
struct ares_naptr_reply;
typedef unsigned (*control_rule_wanted)(const struct ares_naptr_reply *record, unsigned transports,
                                        const char **text);

// The best CONTROL_RULES_MAX of the wanted records by order, then preference; equals stay as they came. ABSENT: none.
enum control_outcome control_answer_rules(const struct control_reply *reply, control_rule_wanted wanted,
                                          unsigned transports, struct control_rule rules[CONTROL_RULES_MAX],
                                          unsigned *n);

// The best NAME_HOPS_MAX SRV records by priority and weight, in an order that does not depend on the answer's. FOUND
// with none: the service is decidedly not available ("." or no port, RFC 2782 Target).
enum control_outcome control_answer_targets(const struct control_reply *reply,
                                            struct control_target targets[NAME_HOPS_MAX], unsigned *n);

// A or AAAA, with port 0.
enum control_outcome control_answer_addresses(const struct control_reply *reply, bool ip6,
                                              struct endpoint addresses[CONTROL_ADDRESSES_MAX], unsigned *n);

// The smallest time to live, in seconds, of the records that the answer consists of (CNAMEs too) or `ttl`.
uint32_t control_answer_ttl(const struct control_reply *reply, uint32_t ttl);

#endif
