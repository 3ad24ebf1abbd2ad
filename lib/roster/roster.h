// roster: who may watch whom, and lists of resources to watch at once.
//
// Rules are RFC 5025's in spirit: for a presentity and a watcher, or all watchers of a domain, or all there are, the
// decision of RFC 5025 3.2.1. The nearest rule counts, not the most generous one: the watcher's own before that of his
// domain before that of everybody, so that what an operator says of one holds whatever he said of many. Lists are RFC
// 4662's: an address of record of ours that stands for the members' URIs, each with a name for people.
//
// Control fills both (from the store, and live) and workers read them without locks: rules and lists are replaced as
// wholes and their memory given to others after a grace period. All memory is reserved at start. Addresses of record
// are canonical everywhere (sip_uri_write_aor), with the domain's first name where it is one of ours.
//
// Cost: a rule is three keyed hashes and at most two cache misses in a row, since the three places are fetched
// together; a list two, and one for each ROSTER_BLOCK_BYTES of its members.
#ifndef ROSTER_ROSTER_H
#define ROSTER_ROSTER_H

#include <rte_rcu_qsbr.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/slice.h"

#define ROSTER_RULES_MAX   100000000u
#define ROSTER_MEMBERS_MAX 10000000u // of all lists together
#define ROSTER_RULE_KEY    498 // bytes of presentity and watcher together (store/store.h has 500 for a key)
#define ROSTER_LIST_AOR    240 // bytes of a list's address of record
#define ROSTER_MEMBER      240 // bytes of a member's URI, name and, where it differs, address of record together
#define ROSTER_BLOCK_BYTES 256

// RFC 5025 3.2.1. The numbers are in the store.
enum roster_decision {
    ROSTER_UNDECIDED = 0, // no rule: [presence] policy says
    ROSTER_BLOCK,         // refused
    ROSTER_CONFIRM,       // pending until somebody decides
    ROSTER_POLITE,        // active, and told that the presentity is away
    ROSTER_ALLOW,
    ROSTER_DECISIONS
};

struct roster;

struct roster_limits {
    uint32_t rules;   // 1 to ROSTER_RULES_MAX
    uint32_t members; // of all lists together, 1 to ROSTER_MEMBERS_MAX; there are as many lists at most
};

// `qsbr` is the readers'. 0, -EINVAL, -ENOMEM.
int roster_create(struct roster **roster, const struct roster_limits *limits, const struct hash_key *key,
                  struct rte_rcu_qsbr *qsbr, const struct memory *memory);
void roster_destroy(struct roster *roster); // NULL is allowed

// Any registered reader. A NULL roster has no rules, and no lists.
enum roster_decision roster_rule(const struct roster *roster, struct slice presentity, struct slice watcher);

// The rule of exactly this watcher, who may be "*@example.com" or "*".
enum roster_decision roster_rule_exact(const struct roster *roster, struct slice presentity,
                                       struct slice watcher);

// How many changes there were: whoever composed something by rules of several users (a list's document) composes it anew
// when this is another number than before. Any thread.
uint64_t roster_changes(const struct roster *roster);

struct roster_list; // immutable

struct roster_member {
    struct slice uri;  // sip, sips or tel, as the operator wrote it; no angle brackets
    struct slice aor;  // what the tables have it under
    struct slice name; // UTF-8; may be empty
};

// Any registered reader. NULL: that is no list. Valid until the reader's next quiescent state, its members too.
const struct roster_list *roster_list(const struct roster *roster, struct slice aor);
unsigned roster_list_members(const struct roster_list *list); // 1 and more
struct slice roster_list_aor(const struct roster *roster, const struct roster_list *list);

// Each member in the order in which they were put. `*position` starts at 0. False at the end.
bool roster_list_next(const struct roster *roster, const struct roster_list *list, uint64_t *position,
                      struct roster_member *member);

// What follows is control's, one thread at a time.

// What a rule can be of: "user@host" or a telephone number, 1 to SIP_AOR_MAX bytes; watchers also "*@host" and "*".
bool roster_rule_is_good(struct slice presentity, struct slice watcher);
// -EINVAL is said of these: a URI or an address is empty, or too long.
bool roster_member_is_good(const struct roster_member *member);
bool roster_list_is_good(struct slice aor);

// A rule or a list that nobody can find yet. What can fail has not, so the store may be written before it is published.
struct roster_draft {
    void *entry; // NULL: none
    bool is_list;
};

// 0; -EINVAL; -ENOSPC: as many as there may be; -EAGAIN: too much waits for its grace period, try again later.
int roster_rule_draft(struct roster *roster, struct slice presentity, struct slice watcher,
                      enum roster_decision decision, struct roster_draft *draft);
// The list as a whole: what it was before goes. `n`: 1 and more. Texts are copied.
int roster_list_draft(struct roster *roster, struct slice aor, const struct roster_member *members,
                      unsigned n, struct roster_draft *draft);
void roster_publish(struct roster *roster, struct roster_draft *draft);
void roster_discard(struct roster *roster, struct roster_draft *draft);

// False: there is none.
bool roster_rule_remove(struct roster *roster, struct slice presentity, struct slice watcher);
bool roster_list_remove(struct roster *roster, struct slice aor);

// Every list once that is there all the time, in no order. `*position` starts at 0. NULL: the end.
const struct roster_list *roster_list_walk(const struct roster *roster, uint64_t *position);

struct roster_usage {
    uint64_t rules, rules_max;
    uint64_t lists;
    uint64_t members, members_max;
};
// Any thread.
void roster_usage(const struct roster *roster, struct roster_usage *usage);

#endif
