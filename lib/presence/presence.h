// presence: the presence server: PUBLISH (RFC 3903), SUBSCRIBE and NOTIFY (RFC 6665), for every package in its table.
//
// It is a user agent of its own: it answers, makes dialogs, and sends requests of its own in them. What it knows is in
// the worker's table (subscription/subscription.h), which says what is due; documents are written by the packages
// (presence/package.h), headers here, anew each time a NOTIFY leaves, so no message is kept. A NOTIFY's Via names the
// subscription and its CSeq (ROLE_BRANCH_NOTIFY), its dialog's tag of ours the subscription and its owner
// (role/presentity.h), and both are the same after a restart or reckoned upwards.
//
// Nothing here is a server transaction: tags of dialogs and of publications are keyed hashes of their requests, so a
// retransmission finds what its first made and gets its answer.
//
// One struct presence belongs to one worker; others read documents out of its table.
#ifndef PRESENCE_PRESENCE_H
#define PRESENCE_PRESENCE_H

#include "role/presentity.h"
#include "subscription/subscription.h"

struct presence;
struct role_branch; // role/branch.h

struct presence_setup {
    const struct conf *conf;
    const struct hash_key *key; // for hashes that strangers must not steer
    struct rte_rcu_qsbr *qsbr;
    const struct memory *memory;
    uint64_t salt; // drawn from the kernel
    unsigned workers;
    int node;
};

// Control, once for each worker. 0, -ENOMEM, -EINVAL.
int presence_create(struct presence **presence, const struct presence_setup *setup);
void presence_destroy(struct presence *presence); // NULL is allowed
// All of them by worker, once each is made; the array outlives them. Lists are composed of what all have.
void presence_join(struct presence *presence, struct presence *const *all, unsigned n);
struct subscription_table *presence_table(const struct presence *presence);

// What follows is the worker's.

// Another configuration holds: by another policy all who watch are judged anew, in the turns that follow.
void presence_renew(struct presence *presence, const struct conf *conf);

// Sets the verdict of a request that role_is_presences(). By the owner of the address of record.
void presence_serve(struct role_request *request);

// "presence, presence.winfo, …": the value of Allow-Events.
void presence_put_events(struct role_text *lines);

// A response whose branch has a slot that role_branch_is_notify(). Sets the verdict: nothing of it goes further.
void presence_response(struct role *role, const struct sip_message *message, enum sip_error parsed,
                       const struct arrival *arrival, struct verdict *verdict);
// The network has no way for the NOTIFY of this branch, or it never left for there. False: there is none such under way.
bool presence_unreachable(struct role *role, const struct role_branch *branch, const struct clock *now);
bool presence_unsent(struct role *role, const struct role_branch *branch, const struct endpoint *to,
                     const struct clock *now);

// What is due: documents that are to be composed, NOTIFYs, ends. Once a turn; bounded.
void presence_turn(struct role *role, const struct clock *now);

// Who may watch this address of record was changed: its watchers are looked at anew, in the next turn.
void presence_touched(struct role *role, struct hash128 aor);

// worker: wo, telemetry: ro
struct presence_counters {
    uint64_t subscribed, refreshed, fetched, ended;  // SUBSCRIBEs that did so
    uint64_t published, changed, prolonged, removed; // PUBLISHes: initial, modify, refresh, remove
    uint64_t repeated;                               // retransmissions of either that were answered again
    uint64_t unmatched; // 481, 412: of no dialog, or no publication, that is known
    uint64_t bad_event; // 489
    uint64_t bad_body;  // 400, 413, 415
    uint64_t brief;     // 423
    uint64_t forbidden; // 403
    uint64_t crowded;   // 503 for want of room, 480 where only that user or that source has none
    uint64_t refused;   // anything else
    uint64_t notified;  // NOTIFYs that left, those sent again included
    uint64_t unsent;    // NOTIFYs for which there was no buffer, or that do not fit one
    uint64_t composed;  // documents
    uint64_t overlong;  // documents that were cut, since a message could not have carried them
};

const struct presence_counters *presence_counters(const struct presence *presence);

#endif
