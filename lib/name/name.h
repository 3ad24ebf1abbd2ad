// name: what the DNS said: host names -> ordered next hops (RFC 3263), and ENUM numbers -> URIs (RFC 6116).
//
// A cache that control fills and workers read without locks: entries are replaced as a whole and freed after a grace
// period. A worker that finds nothing parks the message with control, which asks the DNS, puts the answer here, good or
// not, and hands the message back. Bounded in number, and each entry in bytes: all memory is taken at start. Full, an
// entry goes that nobody asked for since the clock's hand passed it last.
// Cost of a look-up: one keyed hash of the name and two dependent cache misses.
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

#define NAME_TRANSPORT_ANY 0xff // what the DNS prefers among those that this server has listeners for

#define NAME_NAMES_MAX    (1u << 24)
#define NAME_EXPIRE_SWEEP 1024

enum name_kind {
    NAME_SIP = 1, // RFC 3263 4 for a sip URI: NAPTR and SRV without a port, A and AAAA with one
    NAME_SIPS,    // the same for a sips URI: only what has TLS below
    NAME_ENUM,    // a number in digits; the answer is a URI
};

struct name_question {
    struct slice name; // in any case, with or without the final dot of a full domain name
    uint16_t port;     // NAME_SIP, NAME_SIPS: that the URI has; 0: none
    uint8_t kind;
    // NAME_SIP, NAME_SIPS: enum endpoint_transport that the URI has, or NAME_TRANSPORT_ANY; NAME_ENUM: 0
    uint8_t transport;
};

struct name_hop {
    struct endpoint endpoint; // with port and transport
    uint16_t priority;        // lower first
    uint16_t weight;          // of those of one priority (RFC 2782)
    // Neighbours with the same number are addresses of one SRV target, which is drawn once, with its weight, and they
    // follow one another. 0: a target of its own.
    uint16_t target;
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

// `names`: 1 to NAME_NAMES_MAX; `qsbr` is the readers'. 0, -EINVAL, -ENOMEM.
int name_table_create(struct name_table **table, uint32_t names, const struct hash_key *key,
                      struct rte_rcu_qsbr *qsbr, const struct memory *memory);
void name_table_destroy(struct name_table *table); // NULL is allowed

// Any registered reader. NULL: not known, or expired: ask control. What is longer than NAME_TEXT_MAX is no name: that
// answer is always here.
const struct name_answer *name_find(const struct name_table *table, const struct name_question *question,
                                    uint64_t now_ms);

// The i-th hop to try, in the order of RFC 2782 drawn from `random` (a keyed hash of the call, so that its
// retransmissions and its CANCEL get the same, on every worker). Hops of equal weight 0 keep the order of the DNS.
// False: there are not so many.
bool name_hop(const struct name_answer *answer, uint64_t random, unsigned i, struct endpoint *hop);

// Control. Copies, hops in the order of their priorities; what was there before is freed after the grace period.
// 0; -EINVAL: name, hops or uri are beyond their bounds; -ENOMEM: too much waits for its grace period, try again later.
int name_put(struct name_table *table, const struct name_question *question, const struct name_answer *answer,
             uint64_t now_ms);
// Control, now and then: frees what was replaced, and of the table's next NAME_EXPIRE_SWEEP entries what is expired.
void name_expire(struct name_table *table, uint64_t now_ms);

struct name_usage {
    uint64_t names, names_max, evicted;
    uint64_t hits, misses; // of all readers; of readers that are no lcores about
};
// Any thread.
void name_usage(const struct name_table *table, struct name_usage *usage);

#endif
