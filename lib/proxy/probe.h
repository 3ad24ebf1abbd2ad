// probe: OPTIONS of our own, by which gateways show that they are there.
//
// They have no record: their Via branch has the slot ROLE_BRANCH_PROBE and a transaction part that names the gateway
// and that nobody else can write. Whatever final answer comes says that the gateway lives.
#ifndef PROXY_PROBE_H
#define PROXY_PROBE_H

#include "role/branch.h"

// The branch for a probe of the gateway with this slot (gateway/gateway.h), sent from `listener`.
struct role_branch proxy_branch_probe(const struct role *role, uint16_t gateway, unsigned listener);

// The gateway that a response's branch names, or GATEWAY_NONE: the branch is not from here.
uint16_t proxy_branch_probed(const struct role *role, const struct role_branch *branch);

// A response to a probe of this gateway came. probe.c.
void proxy_probe_response(struct role *role, uint16_t gateway, uint16_t status, const struct clock *now);

// ICMP says that one with this branch did not arrive. False: none that waits for an answer has it. probe.c.
bool proxy_probe_unreachable(struct role *role, const struct role_branch *branch, const struct clock *now);

// Sends what is due, and takes silence as an answer. Once a turn. probe.c.
void proxy_probe_turn(struct role *role, const struct clock *now);

#endif
