#include "role/rules.h"

#include <stdlib.h>

#include "role/match.h"
#include "role/trust.h"

enum part { PART_URI, PART_TO, PART_FROM, PARTS };

#define KEY_ANY UINT64_MAX

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
    struct gate *gates;
    struct rule *rules; // as in conf->routes
};

// The parts of one request, each prepared when it is asked for.
struct subject {
    struct role_request *request;
    const struct role_rules *rules;
    struct {
        bool has_user, has_key;
        struct slice user;
        uint64_t key;
        char room[ROLE_USER_MAX];
    } part[PARTS];
};

static const struct sip_uri *uri_of(const struct role_request *request, enum part part)
{
    return part == PART_URI ? &request->uri : part == PART_TO ? &request->to.uri : &request->from.uri;
}

static struct slice user_of(struct subject *subject, enum part part)
{
    if (!subject->part[part].has_user)
        subject->part[part].user = role_user_plain(uri_of(subject->request, part), subject->part[part].room);
    subject->part[part].has_user = true;
    return subject->part[part].user;
}

// Without the dot of a fully qualified name; empty where the URI has no host, as a number has none.
static struct slice host_of(const struct subject *subject, enum part part)
{
    const struct sip_uri *uri = uri_of(subject->request, part);
    struct slice host = uri->host;

    if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
        return slice_of("", 0);
    if (host.len > 0 && host.at[host.len - 1] == '.')
        host.len--;
    return host;
}

static uint64_t key_of(struct subject *subject, enum part part)
{
    const struct role_where *where = &subject->request->where;

    if (subject->part[part].has_key)
        return subject->part[part].key;
    subject->part[part].key = part == PART_URI && where->place == ROLE_DOMAIN
                                  ? (uint64_t)where->domain
                                  : role_route_host_key(subject->rules->route, host_of(subject, part));
    subject->part[part].has_key = true;
    return subject->part[part].key;
}

// The first bytes of a user as one number, absent ones zero.
static uint64_t first_bytes(struct slice user)
{
    return slice_word(user.at, user.len < sizeof(uint64_t) ? user.len : sizeof(uint64_t));
}

// A CANCEL and an ACK go where their INVITE went (RFC 3261 16.11, 17.1.1.3).
static uint32_t methods_of(const struct conf_route *from)
{
    const uint32_t follow = SIP_METHOD_BIT(SIP_METHOD_ACK) | SIP_METHOD_BIT(SIP_METHOD_CANCEL);
    uint32_t methods = 0;

    for (unsigned i = 0; i < from->methods_n; i++)
        methods |= SIP_METHOD_BIT(sip_method_of(slice_of(from->methods[i].text, from->methods[i].len)));
    if (from->methods_n == 0)
        return UINT32_MAX;
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

static bool holds_user(struct subject *subject, const struct rule *rule, enum part part)
{
    const struct role_condition *condition = &rule->user[part];

    return condition->kind == CONF_MATCH_ANY ||
           role_condition_holds(subject->rules->matcher, condition, user_of(subject, part),
                                subject->request->role->worker);
}

// A key of one of our domains says it all; the others may be the same by chance.
static bool holds_domain(struct subject *subject, const struct rule *rule, enum part part)
{
    const struct role_condition *condition = &rule->domain[part];
    struct slice host = host_of(subject, part);

    if (condition->kind == CONF_MATCH_ANY)
        return true;
    if (host.len == 0)
        return false;
    if (condition->kind == CONF_MATCH_EXACT) {
        uint64_t key = key_of(subject, part);
        if (key != rule->domain_key[part] || key <= INT16_MAX)
            return key == rule->domain_key[part];
    }
    return role_condition_holds(subject->rules->matcher, condition, host, subject->request->role->worker);
}

// Of methods outside the table the gate knows no more than that.
static bool holds_method(const struct role_request *request, const struct conf_route *from)
{
    const struct sip_message *message = request->message;

    if (message->method != SIP_METHOD_OTHER || from->methods_n == 0)
        return true;
    for (unsigned i = 0; i < from->methods_n; i++) {
        if (slice_equal(slice_of(from->methods[i].text, from->methods[i].len),
                        sip_message_span(message, message->method_text)))
            return true;
    }
    return false;
}

static bool holds_source(const struct role_request *request, const struct conf_route *from)
{
    if (from->source_n == 0)
        return true;
    for (unsigned i = 0; i < from->source_n; i++) {
        if (role_network_has(&from->source[i], &request->arrival->source))
            return true;
    }
    return false;
}

// The cheap ones first.
static bool holds(struct subject *subject, const struct rule *rule)
{
    struct role_request *request = subject->request;
    const struct conf_route *from = rule->from;

    if (from->listener != CONF_NONE && from->listener != request->arrival->listener)
        return false;
    if (!holds_method(request, from) || !holds_source(request, from))
        return false;
    for (enum part part = PART_URI; part < PARTS; part++) {
        if (!holds_domain(subject, rule, part) || !holds_user(subject, rule, part))
            return false;
    }
    return from->who == CONF_WHO_ANY || role_trusts(request) == (from->who == CONF_WHO_TRUSTED);
}

int role_rules_find(const struct role_rules *rules, struct role_request *request)
{
    uint32_t method = SIP_METHOD_BIT(request->message->method);
    struct subject subject;

    // not cleared: its rooms are large
    subject.request = request;
    subject.rules = rules;
    for (unsigned part = 0; part < PARTS; part++)
        subject.part[part].has_user = subject.part[part].has_key = false;
    uint64_t user = rules->asks_user ? first_bytes(user_of(&subject, PART_URI)) : 0;
    uint64_t domain = rules->asks_domain ? key_of(&subject, PART_URI) : KEY_ANY;
    for (unsigned i = 0; i < rules->n; i++) {
        const struct gate *gate = &rules->gates[i];
        if (((user ^ gate->user) & gate->user_mask) != 0 || !(gate->methods & method) ||
            (gate->domain != KEY_ANY && gate->domain != domain))
            continue;
        if (holds(&subject, &rules->rules[i]))
            return (int)i;
    }
    return CONF_NONE;
}

void role_rules_print(const struct role_rules *rules, FILE *out)
{
    for (unsigned i = 0; i < rules->n; i++)
        role_rule_print(rules->conf, i, out);
}
