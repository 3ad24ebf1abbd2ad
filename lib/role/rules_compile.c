// The [route] sections become gates and conditions: control's part of role/rules.h.
#include <stdlib.h>

#include "role/rules_table.h"

// A CANCEL and an ACK go where their INVITE went (RFC 3261 16.11, 17.1.1.3).
static uint32_t methods_of(const struct conf_route *from)
{
    const uint32_t follow = SIP_METHOD_BIT(SIP_METHOD_ACK) | SIP_METHOD_BIT(SIP_METHOD_CANCEL);
    uint32_t methods = 0;

    for (unsigned i = 0; i < from->methods_n; i++)
        methods |= SIP_METHOD_BIT(sip_method_of(slice_of(from->methods[i].text, from->methods[i].len)));
    if (from->methods_n == 0)
        return METHODS_ANY;
    return methods & SIP_METHOD_BIT(SIP_METHOD_INVITE) ? methods | follow : methods;
}

static struct gate gate_of(const struct rule *rule)
{
    const struct role_condition *user = &rule->user[PART_URI];
    struct gate gate = {.domain = rule->domain_key[PART_URI], .methods = methods_of(rule->from)};

    if (user->kind != CONF_MATCH_EXACT && user->kind != CONF_MATCH_PREFIX)
        return gate;
    gate.user = first_bytes(user->text);
    gate.user_mask = UINT64_MAX;
    if (user->kind == CONF_MATCH_PREFIX && user->text.len < sizeof(uint64_t))
        gate.user_mask = ((uint64_t)1 << 8 * user->text.len) - 1;
    return gate;
}

static bool compile_part(struct role_rules *rules, struct rule *rule, enum part part,
                         const struct conf_match *user, const struct conf_match *domain, FILE *errors)
{
    const char *name = rule->from->name;

    rule->domain_key[part] =
        domain->kind != CONF_MATCH_EXACT
            ? KEY_ANY
            : role_route_host_key(rules->route, slice_of(domain->text.text, domain->text.len));
    return role_condition_compile(rules->matcher, &rule->user[part], user, false, name, errors) &&
           role_condition_compile(rules->matcher, &rule->domain[part], domain, true, name, errors);
}

static bool compile_rule(struct role_rules *rules, const struct conf_route *from, FILE *errors)
{
    struct rule *rule = &rules->rules[rules->n];

    rule->from = from;
    rules->n++; // what is compiled so far is freed with it
    if (!compile_part(rules, rule, PART_URI, &from->user, &from->domain, errors) ||
        !compile_part(rules, rule, PART_TO, &from->to_user, &from->to_domain, errors) ||
        !compile_part(rules, rule, PART_FROM, &from->from_user, &from->from_domain, errors))
        return false;
    struct gate gate = gate_of(rule);
    rules->gates[rules->n - 1] = gate;
    rules->asks_user |= gate.user_mask != 0;
    rules->asks_domain |= gate.domain != KEY_ANY;
    rules->names_register |=
        gate.methods != METHODS_ANY && (gate.methods & SIP_METHOD_BIT(SIP_METHOD_REGISTER)) != 0;
    return true;
}

struct role_rules *role_rules_create(const struct conf *conf, const struct role_route *route, FILE *errors)
{
    struct role_rules *rules = calloc(1, sizeof(*rules));
    bool good = rules != NULL;

    if (good) {
        rules->conf = conf;
        rules->route = route;
        rules->matcher = role_matcher_create();
        rules->gates = calloc(conf->routes_n + 1, sizeof(*rules->gates));
        rules->rules = calloc(conf->routes_n + 1, sizeof(*rules->rules));
        good = rules->matcher != NULL && rules->gates != NULL && rules->rules != NULL;
    }
    if (!good)
        fprintf(errors, "no memory for %u rules\n", conf->routes_n);
    for (unsigned i = 0; i < conf->routes_n && good; i++)
        good = compile_rule(rules, &conf->routes[i], errors);
    if (good)
        return rules;
    role_rules_destroy(rules);
    return NULL;
}

void role_rules_destroy(struct role_rules *rules)
{
    if (rules == NULL)
        return;
    for (unsigned i = 0; i < rules->n; i++) {
        for (unsigned part = 0; part < PARTS; part++) {
            role_condition_free(&rules->rules[i].user[part]);
            role_condition_free(&rules->rules[i].domain[part]);
        }
    }
    role_matcher_destroy(rules->matcher);
    free(rules->gates);
    free(rules->rules);
    free(rules);
}
