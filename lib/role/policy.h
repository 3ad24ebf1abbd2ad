// policy: one configuration, compiled: all that workers read of it, published by control as one pointer.
//
// Control builds a policy, publishes it, waits until every worker has passed a quiescent state, and frees the one
// before. A worker takes the pointer at the start of a turn and keeps it until the end (service_renew). What must
// outlive a reload is no part of it: transactions, calls, names, the gateways' live state.
#ifndef ROLE_POLICY_H
#define ROLE_POLICY_H

#include <stdio.h>

#include "base/hash.h"
#include "conf/conf.h"
#include "gateway/gateway.h"
#include "number/number.h"

struct role_route; // role/route.h: domains, listeners, ready texts
struct role_rules; // role/rules.h: the [route] sections

#define ROLE_NODES_MAX 32 // NUMA nodes of one machine

struct role_policy {
    struct conf *conf; // owned
    struct role_route *route;
    struct role_rules *rules;
    struct gateway_table *gateways;
    uint32_t nodes;                               // bit for each NUMA node of a worker
    struct number_table *numbers[ROLE_NODES_MAX]; // of each of them its own; NULL: none is configured
    // One more with each reload, by whoever publishes it: what was steered under another policy is steered anew.
    uint32_t generation;
};

// Compiles everything; takes the configuration over when it succeeds. Says on `errors` what is wrong (a regular
// expression, the number table's file, no memory) and returns NULL; the configuration is then still the caller's.
// `nodes`: where there are workers, a bit each; not 0.
struct role_policy *role_policy_create(struct conf *conf, struct gateway_states *states,
                                       const struct hash_key *secret, uint32_t nodes, uint64_t now_ms,
                                       FILE *errors);
void role_policy_destroy(struct role_policy *policy); // the configuration with it; NULL is allowed

// One of the copies, for what is the same of all; NULL: none is configured.
const struct number_table *role_policy_numbers(const struct role_policy *policy);

#endif
