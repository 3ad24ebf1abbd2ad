// role: what every server in here has in common: registrar, proxy, and what else serves a request.
//
// A role knows tables and time but no packet: it reads the index of a message, notes edits, writes the location table's
// own shard and its worker's transactions and calls, and says what is to become of the message. What it keeps or sends
// beside that one goes through an outlet (worker/outlet.h). So a role is a function of the message, its arrival and the
// tables, and is tested without EAL, NIC or network. A struct role belongs to one worker and is used by it alone; the
// tables in it are shared as their headers say. Which role serves a message, service/service.h knows.
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "base/hash.h"
#include "conf/conf.h"
#include "location/location.h"
#include "name/name.h"
#include "role/allow.h"
#include "role/merged.h"
#include "sip/date.h"
#include "sip/edit.h"
#include "sip/message.h"
#include "transaction/transaction.h"
#include "worker/arrival.h"
#include "worker/outlet.h"
#include "worker/steered.h"
#include "worker/verdict.h"

struct role_policy;        // role/policy.h
struct service_drain;      // service/drain.h
struct role_route;         // role/route.h
struct call_table;         // call/call.h
struct gateway_states;     // gateway/gateway.h
struct user_table;         // user/user.h
struct roster;             // roster/roster.h
struct auth_guard;         // auth/guard.h
struct journal;            // worker/journal.h
struct presence;           // presence/presence.h
struct subscription_table; // subscription/subscription.h

#define ROLE_PROBES_MAX 256 // OPTIONS of a worker that wait for an answer; further gateways wait their turn

// An OPTIONS to a gateway, see proxy/probe.h.
struct role_probe {
    struct endpoint to;
    uint64_t started_ms, next_ms, ends_ms; // next_ms: when it is sent again
    uint32_t interval_ms;                  // Timer E now
    uint16_t gateway;                      // slot
    uint8_t listener;                      // it is sent from
};

struct role_probes {
    uint64_t next_ms; // nothing is to be done before; where n is not 0
    unsigned n;
    struct role_probe one[ROLE_PROBES_MAX];
};

// Requests that had to carry credentials, see auth/auth.h.
struct role_auth_counts {
    uint64_t challenged; // had none
    uint64_t failed;     // had wrong ones
    uint64_t stale;      // had some for a nonce that was too old, or right ones that were used before
    uint64_t foreign;    // had those of another user than the one they named
    uint64_t blocked;    // came from an address that had sent too many wrong ones
    uint64_t passed;
};

// The hashes of A2, of a client's and of our own proof, for the REGISTER that was checked last (RFC 7616 3.4.3).
struct role_a2 {
    uint8_t algorithm;
    uint16_t uri_len; // 0: none was
    char uri[64];
    char theirs[64], ours[64]; // as long as the algorithm makes them
};

struct role {
    const struct role_policy *policy;  // these three by service_renew only
    const struct conf *conf;           // policy->conf
    const struct role_route *route;    // policy->route
    const struct service_drain *drain; // NULL: everything is served
    uint16_t worker;                   // whose role it is
    uint8_t node;                      // that it runs on, for policy->numbers
    uint16_t workers_n;
    struct location *location;
    const struct name_table *names;
    struct transaction_table *transactions; // this worker's; NULL: everything goes without state
    struct call_table *calls;               // this worker's; NULL: no accounting
    struct journal *journal;                // this worker's; NULL: registrations do not outlive the process
    struct presence *presence; // this worker's; these two NULL: PUBLISH and SUBSCRIBE are forwarded
    struct subscription_table *subscriptions; // the same one's, for whoever changes what it tells
    struct gateway_states *gateways;          // of all workers; NULL: calls are not counted
    const struct user_table *users;           // NULL: there is nobody
    const struct roster *roster;              // NULL: no rules and no lists
    struct auth_guard *guard; // this worker's; NULL: nothing is counted, nor let in where that is needed
    struct outlet outlet;
    struct role_probes probes;
    struct sip_edits spare; // of messages other than the one in hand
    struct hash_key secret; // for branches and tags; the same on all workers
    uint64_t random;        // state of the jitter's generator
    struct role_a2 a2;
    struct role_auth_counts auths; // telemetry: ro
    uint64_t crowded;              // requests whose messages there was no room to keep; telemetry: ro
    uint64_t grown;                // branches that went by TCP for their size (RFC 3261 18.1.1) ...
    uint64_t shrunk;               // ... and of these such as went by UDP after all; telemetry: ro
    uint64_t tokens_refused;       // requests with a flow token that was not made here; telemetry: ro
    struct role_allow allow;
    struct role_merged merged;
    uint64_t date_s; // the second that `date` is for, once that is not empty
    char date[SIP_DATE_LEN];
    char asked[NAME_TEXT_MAX]; // the name or number that was looked up last: verdict.name of what is parked
};

// Which worker must serve the message (DESIGN's order of steering), of `workers`, and the key that the role
// will look up, so that it can be prefetched.
void role_steer(const struct role *role, const struct sip_message *message, unsigned workers,
                struct steered *steered);

#endif
