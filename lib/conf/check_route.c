#include "conf/check.h"
#include "conf/host.h"
#include "conf/match.h"

#define BIT(action)    (1u << (action))
#define ALL_BUT_REJECT (BIT(CONF_ACTION_REJECT) - 1) // it is the last

// Which actions use a key.
static const struct use {
    size_t offset;
    unsigned actions; // bits
    bool required;
} uses[] = {
    {offsetof(struct conf_route, strip), ALL_BUT_REJECT, false},
    {offsetof(struct conf_route, prepend), ALL_BUT_REJECT, false},
    {offsetof(struct conf_route, set_domain), ALL_BUT_REJECT, false},
    {offsetof(struct conf_route, gateways), BIT(CONF_ACTION_GATEWAYS), true},
    {offsetof(struct conf_route, hop), BIT(CONF_ACTION_HOP), true},
    {offsetof(struct conf_route, contact), BIT(CONF_ACTION_REDIRECT), false},
    {offsetof(struct conf_route, code), BIT(CONF_ACTION_REJECT), true},
    {offsetof(struct conf_route, reason), BIT(CONF_ACTION_REJECT), false},
};

// One rule that is checked.
struct rule {
    const struct conf_reader *reader;
    const struct conf *conf;
    const struct conf_block *block;
    const struct conf_route *route;
    const struct conf_key *action;
};

static const struct conf_key *key_at(size_t offset)
{
    return conf_key_of(CONF_ROUTE, offset);
}

static unsigned line_of(const struct rule *rule, const struct conf_key *key)
{
    unsigned line = conf_entry_of(rule->block, key)->line;

    return line != 0 ? line : rule->block->line;
}

static bool is_given(const struct conf_key *key, const struct conf_route *route)
{
    return conf_value_count(key, route) > 0 &&
           (key->type != CONF_NUMBER || conf_value_number(key, route) != 0);
}

static const char *action_name(const struct conf_key *action, unsigned bits)
{
    const struct conf_choice *choice = action->choices;

    while (BIT(choice->value) != bits)
        choice++;
    return choice->name;
}

static void check_use(const struct rule *rule, const struct use *use)
{
    const struct conf_key *key = key_at(use->offset);
    const char *action = action_name(rule->action, BIT(rule->route->action));
    bool given = is_given(key, rule->route), used = use->actions & BIT(rule->route->action);
    char expected[CONF_EXPECT_MAX];

    if (used && use->required && !given) {
        conf_key_expect(key, expected);
        conf_fault(rule->reader->faults, line_of(rule, rule->action), NULL, "%s = %s needs %s; expected %s",
                   rule->action->name, action, key->name, expected);
    } else if (given && !used && use->actions == ALL_BUT_REJECT) {
        conf_fault(rule->reader->faults, line_of(rule, key), NULL,
                   "%s is not used with %s = %s; expected it away", key->name, rule->action->name, action);
    } else if (given && !used) {
        conf_fault(rule->reader->faults, line_of(rule, key), NULL,
                   "%s is not used with %s = %s; expected it away, or %s = %s", key->name, rule->action->name,
                   action, rule->action->name, action_name(rule->action, use->actions));
    }
}

// A redirection says where to by `contact`, or by what it changes; not to where the request went anyway.
static void check_redirect(const struct rule *rule)
{
    const struct conf_key *contact = key_at(offsetof(struct conf_route, contact));
    bool changed = false;

    for (const struct use *use = uses; use->actions == ALL_BUT_REJECT; use++) {
        const struct conf_key *key = key_at(use->offset);
        if (!is_given(key, rule->route))
            continue;
        changed = true;
        if (is_given(contact, rule->route))
            conf_fault(rule->reader->faults, line_of(rule, key), NULL,
                       "%s is not used beside %s; expected one of them", key->name, contact->name);
    }
    if (!changed && !is_given(contact, rule->route))
        conf_fault(rule->reader->faults, line_of(rule, rule->action), NULL,
                   "%s = %s leads back to what was asked for; expected %s, %s, %s or %s", rule->action->name,
                   action_name(rule->action, BIT(CONF_ACTION_REDIRECT)), contact->name,
                   key_at(uses[0].offset)->name, key_at(uses[1].offset)->name, key_at(uses[2].offset)->name);
}

// What an action needs of another section.
static void check_source(const struct rule *rule, enum conf_action action, enum conf_section_kind kind,
                         size_t offset)
{
    const struct conf_key *key = conf_key_of(kind, offset);

    if (rule->route->action == action && conf_value_count(key, rule->conf) == 0)
        conf_fault(rule->reader->faults, line_of(rule, rule->action), NULL, "%s = %s needs %s of [%s]",
                   rule->action->name, action_name(rule->action, BIT(action)), key->name,
                   conf_sections[kind].name);
}

// One that names no method leaves REGISTER to the registrar, so whoever names it is reached.
static bool methods_cover(const struct conf_route *wide, const struct conf_route *narrow)
{
    if (wide->methods_n == 0 && conf_text_is_among(SLICE("REGISTER"), narrow->methods, narrow->methods_n))
        return false;
    return conf_methods_cover(wide->methods, wide->methods_n, narrow->methods, narrow->methods_n);
}

static bool route_covers(const struct conf_route *wide, const struct conf_route *narrow)
{
    return (wide->listener == CONF_NONE || wide->listener == narrow->listener) &&
           (wide->who == CONF_WHO_ANY || wide->who == narrow->who) && methods_cover(wide, narrow) &&
           conf_match_covers(&wide->user, &narrow->user) &&
           conf_match_covers(&wide->domain, &narrow->domain) &&
           conf_match_covers(&wide->to_user, &narrow->to_user) &&
           conf_match_covers(&wide->to_domain, &narrow->to_domain) &&
           conf_match_covers(&wide->from_user, &narrow->from_user) &&
           conf_match_covers(&wide->from_domain, &narrow->from_domain) &&
           conf_networks_cover(wide->source, wide->source_n, narrow->source, narrow->source_n);
}

// The first match wins, so a rule whose every request an earlier one takes is a slip of the hand.
static void check_shade(const struct rule *rule)
{
    const struct conf_section *section = rule->block->section;

    for (const struct conf_block *wide = rule->reader->tree->first; wide != rule->block; wide = wide->next) {
        if (wide->section != section || conf_block_faulty(wide) ||
            !route_covers(&rule->conf->routes[wide->index], rule->route))
            continue;
        conf_fault(rule->reader->faults, rule->block->line, NULL,
                   "[%s %s] is never reached: [%s %s] on line %u takes all of it; expected the narrower one "
                   "first",
                   section->name, rule->block->name, section->name, wide->name, wide->line);
        return;
    }
}

static bool anyone_is_trusted(const struct conf *conf)
{
    bool any = conf->trusted_n > 0;

    for (unsigned i = 0; i < conf->gateways_n; i++)
        any |= conf->gateways[i].trusted;
    return any;
}

static void check_who(const struct rule *rule)
{
    const struct conf_key *who = key_at(offsetof(struct conf_route, who));
    const struct conf_key *networks = conf_key_of(CONF_TRUST, offsetof(struct conf, trusted));
    const struct conf_key *trusted = conf_key_of(CONF_GATEWAY, offsetof(struct conf_gateway, trusted));

    if (rule->route->who == CONF_WHO_TRUSTED && !anyone_is_trusted(rule->conf))
        conf_fault(rule->reader->faults, line_of(rule, who), NULL,
                   "[%s %s] is never reached: nobody is trusted; expected %s of [%s], or a [%s] that is %s",
                   rule->block->section->name, rule->block->name, networks->name,
                   conf_sections[CONF_TRUST].name, conf_sections[CONF_GATEWAY].name, trusted->name);
}

void conf_check_route(const struct conf_reader *reader, const struct conf *conf,
                      const struct conf_block *block)
{
    struct rule rule = {reader, conf, block, &conf->routes[block->index],
                        key_at(offsetof(struct conf_route, action))};

    for (unsigned i = 0; i < sizeof(uses) / sizeof(*uses); i++)
        check_use(&rule, &uses[i]);
    if (rule.route->action == CONF_ACTION_REDIRECT)
        check_redirect(&rule);
    check_source(&rule, CONF_ACTION_NUMBERS, CONF_NUMBERS, offsetof(struct conf, numbers_file));
    check_source(&rule, CONF_ACTION_ENUM, CONF_DNS, offsetof(struct conf, enum_suffix));
    check_who(&rule);
    check_shade(&rule);
}
