// rules: the [route] sections, compiled: which one takes a request (first match in file order).
//
// Built by control, read by all workers, never changed. Regular expressions are PCRE2, compiled to machine code and run
// without heap (a pattern that cannot be is refused when the configuration is read). Cost: rules whose conditions are
// all exact or prefixes a few compares each; a domain-only mismatch one compare.
#ifndef ROLE_RULES_H
#define ROLE_RULES_H

#include <stdio.h>

#include "conf/conf.h"
#include "role/request.h"

struct role_rules;

// NULL after a line on `errors`.
struct role_rules *role_rules_create(const struct conf *conf, const struct role_route *route, FILE *errors);
void role_rules_destroy(struct role_rules *rules);

// Index into conf->routes of the first rule that takes the request, or CONF_NONE. A rule takes a REGISTER from the
// registrar here only where its methods name it: whoever routes calls does not mean to lose his registrations.
int role_rules_find(const struct role_rules *rules, struct role_request *request);

// Whether there is any rule that may do so.
bool role_rules_take_register(const struct role_rules *rules);

#endif
