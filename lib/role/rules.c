#include "role/presentity.h"
#include "role/rules_table.h"
#include "role/trust.h"

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
        if (conf_network_has(&from->source[i], &request->arrival->source))
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

bool role_is_registrars(const struct role_request *request)
{
    if (request->message->method != SIP_METHOD_REGISTER || request->where.place == ROLE_ELSEWHERE)
        return false;
    return request->where.place == ROLE_HERE || request->role->conf->domains[request->where.domain].registrar;
}

int role_rules_find(const struct role_rules *rules, struct role_request *request)
{
    uint32_t method = SIP_METHOD_BIT(request->message->method);
    bool by_name = role_is_registrars(request) || role_is_presences(request);
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
            (gate->domain != KEY_ANY && gate->domain != domain) || (by_name && gate->methods == METHODS_ANY))
            continue;
        if (holds(&subject, &rules->rules[i]))
            return (int)i;
    }
    return CONF_NONE;
}

bool role_rules_take_register(const struct role_rules *rules)
{
    return rules->names_register;
}
