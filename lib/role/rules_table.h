// rules_table: what role/rules.h hides: the compiled rules, which control fills (rules_compile.c) and workers read
// (rules.c).
#ifndef ROLE_RULES_TABLE_H
#define ROLE_RULES_TABLE_H

#include "role/match.h"
#include "role/rules.h"

enum part { PART_URI, PART_TO, PART_FROM, PARTS };

#define KEY_ANY     UINT64_MAX
#define METHODS_ANY UINT32_MAX // of a rule that names none

// What turns most requests away, side by side for all rules.
struct gate {
    uint64_t user, user_mask; // of the request-URI's user: its first eight bytes
    uint64_t domain;          // role_route_host_key of the request-URI's host, or KEY_ANY
    uint32_t methods;         // SIP_METHOD_BITs
};

struct rule {
    const struct conf_route *from;
    struct role_condition user[PARTS], domain[PARTS];
    uint64_t domain_key[PARTS]; // of an exact one
};

struct role_rules {
    const struct conf *conf;
    const struct role_route *route;
    struct role_matcher *matcher;
    unsigned n;
    bool asks_user, asks_domain; // of the request-URI, some rule
    bool names_register;         // some rule among its methods
    struct gate *gates;
    struct rule *rules; // as in conf->routes
};

// The first bytes of a user as one number, absent ones zero.
static inline uint64_t first_bytes(struct slice user)
{
    return slice_word(user.at, user.len < sizeof(uint64_t) ? user.len : sizeof(uint64_t));
}

#endif
