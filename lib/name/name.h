// name: what the DNS said: host names -> ordered next hops (RFC 3263), and ENUM numbers -> URIs (RFC 6116).
//
// A cache that control fills and workers read without locks: entries are replaced as a whole and freed after a grace
// period. A worker that finds nothing parks the message with control, which asks the DNS, puts the answer here, good or
// not, and hands the message back. Bounded: full, the entry used longest ago goes.
#ifndef NAME_NAME_H
#define NAME_NAME_H

#include <rte_rcu_qsbr.h>

#include "base/endpoint.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/slice.h"

#define NAME_HOPS_MAX 16  // of one name
#define NAME_TEXT_MAX 255 // bytes of a host name or of a number
#define NAME_URI_MAX  512 // bytes of what ENUM says

enum name_kind {
    NAME_SIP = 1, // RFC 3263 4 for a sip URI over UDP: NAPTR and SRV without a port, A and AAAA with one
    NAME_ENUM,    // a number in digits; the answer is a URI
};

struct name_question {
    struct slice name; // lower case
    uint16_t port;     // NAME_SIP: that the URI has; 0: none
    uint8_t kind;
};

struct name_hop {
    struct endpoint endpoint;
    uint16_t priority; // lower first
    uint16_t weight;   // of those of one priority (RFC 2782)
};

// Immutable, valid until the calling thread's next quiescent state.
struct name_answer {
    uint64_t expires_ms;
    uint16_t hops_n;  // 0 of NAME_SIP, and an empty uri of NAME_ENUM: there is no such name, or nobody knows
    bool failed;      // the servers did not answer: 503 rather than 404
    struct slice uri; // NAME_ENUM
    struct name_hop hops[];
};

struct name_table;

int name_table_create(struct name_table **table, uint32_t names, const struct hash_key *key,
                      struct rte_rcu_qsbr *qsbr, const struct memory *memory);
void name_table_destroy(struct name_table *table);

// Any registered reader. NULL: not known, or expired: ask control.
const struct name_answer *name_find(const struct name_table *table, const struct name_question *question,
                                    uint64_t now_ms);

// The i-th hop to try, in the order of RFC 2782 drawn from `random` (a keyed hash of the call, so that its retransmissions
// and its CANCEL get the same). False: there are not so many.
bool name_hop(const struct name_answer *answer, uint64_t random, unsigned i, struct endpoint *hop);

// Control. Copies; what was there before is freed after the grace period. 0 or -ENOMEM.
int name_put(struct name_table *table, const struct name_question *question, const struct name_answer *answer,
             uint64_t now_ms);
// Control, now and then: frees what is expired or replaced.
void name_expire(struct name_table *table, uint64_t now_ms);

struct name_usage {
    uint64_t names, names_max, hits, misses, evicted;
};
void name_usage(const struct name_table *table, struct name_usage *usage);

#endif
