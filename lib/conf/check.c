#include "conf/check.h"

// Numbers of which the first, for each section of its kind, must not be larger than `factor` times the second.
static const struct order {
    enum conf_section_kind low_section;
    size_t low;
    enum conf_section_kind high_section;
    size_t high;
    unsigned factor;
    bool smaller; // nor equal
    bool follows; // from the one before: is told only where that holds
} orders[] = {
    {CONF_REGISTRAR, offsetof(struct conf, expires_min), CONF_REGISTRAR, offsetof(struct conf, expires_max),
     1},
    {CONF_REGISTRAR, offsetof(struct conf, expires_min), CONF_REGISTRAR,
     offsetof(struct conf, expires_default), 1, .follows = true},
    {CONF_REGISTRAR, offsetof(struct conf, expires_default), CONF_REGISTRAR,
     offsetof(struct conf, expires_max), 1, .follows = true},
    {CONF_TRANSACTION, offsetof(struct conf, t1_ms), CONF_TRANSACTION, offsetof(struct conf, t2_ms), 1},
    {CONF_TRANSACTION, offsetof(struct conf, t1_ms), CONF_TRANSACTION, offsetof(struct conf, t4_ms), 1},
    {CONF_TRANSACTION, offsetof(struct conf, kept_max), CONF_NETWORK, offsetof(struct conf, mbufs), 1,
     .smaller = true},
    {CONF_STREAM, offsetof(struct conf, connections_source_max), CONF_STREAM,
     offsetof(struct conf, connections_max), 1},
    {CONF_PRESENCE, offsetof(struct conf, presence_expires_min), CONF_PRESENCE,
     offsetof(struct conf, presence_expires_default), 1},
    {CONF_PRESENCE, offsetof(struct conf, presence_expires_default), CONF_PRESENCE,
     offsetof(struct conf, presence_expires_max), 1, .follows = true},
    {CONF_PRESENCE, offsetof(struct conf, publish_expires_min), CONF_PRESENCE,
     offsetof(struct conf, publish_expires_default), 1},
    {CONF_PRESENCE, offsetof(struct conf, publish_expires_default), CONF_PRESENCE,
     offsetof(struct conf, publish_expires_max), 1, .follows = true},
    {CONF_DNS, offsetof(struct conf, dns_ttl_min), CONF_DNS, offsetof(struct conf, dns_ttl_max), 1},
    // RFC 3261 17.1.1.2: timer B ends what waits longer.
    {CONF_GATEWAYS, offsetof(struct conf_gateways, answer_ms), CONF_TRANSACTION, offsetof(struct conf, t1_ms),
     64},
};

// One side of an order.
struct side {
    const struct conf_block *block;
    const struct conf_key *key;
    const struct conf_entry *entry;
    uint64_t number;
};

static struct side side_of(const struct conf *conf, const struct conf_block *block, size_t offset)
{
    const struct conf_key *key =
        conf_key_of((enum conf_section_kind)(block->section - conf_sections), offset);

    return (struct side){block, key, conf_entry_of(block, key),
                         conf_value_number(key, conf_section_at(block->section, conf, block->index))};
}

#define SIDE_MAX (CONF_VALUE_MAX + CONF_TITLE_MAX + 64)

// "KEY = VALUE", and where it comes from as far as the line that is told does not show it.
static const char *side_text(const struct conf *conf, const struct side *side, const struct side *other,
                             unsigned told, char text[SIDE_MAX])
{
    char value[CONF_VALUE_MAX], title[CONF_TITLE_MAX], line[32] = "";
    bool own = side->block == other->block || side->entry->line == told;

    conf_value_text(side->key, conf, conf_section_at(side->block->section, conf, side->block->index), 0,
                    value);
    if (side->entry->line == 0)
        snprintf(line, sizeof(line), " (default)");
    else if (side->entry->line != told)
        snprintf(line, sizeof(line), " on line %u", side->entry->line);
    snprintf(text, SIDE_MAX, "%s = %s%s%s%s", side->key->name, value, line, own ? "" : " in ",
             own ? "" : conf_block_title(side->block->section, side->block->name, title));
    return text;
}

static bool check_pair(const struct conf_reader *reader, const struct conf *conf, const struct order *order,
                       const struct side *low, const struct side *high)
{
    char a[SIDE_MAX], b[SIDE_MAX], times[16] = "";
    uint64_t most = order->factor * high->number;
    unsigned line = low->entry->line > high->entry->line ? low->entry->line : high->entry->line;

    if (low->entry->faulty || high->entry->faulty || low->number < most ||
        (low->number == most && !order->smaller))
        return true;
    if (order->factor > 1)
        snprintf(times, sizeof(times), "%u times ", order->factor);
    conf_fault(reader->faults, line, NULL, "%s is %s than %s%s; expected %s",
               side_text(conf, low, high, line, a), order->smaller ? "not smaller" : "larger", times,
               side_text(conf, high, low, line, b), order->smaller ? "less" : "at most that");
    return false;
}

static bool check_order(const struct conf_reader *reader, const struct conf *conf, const struct order *order)
{
    const struct conf_block *other = reader->tree->first;
    bool good = true;

    while (other->section != &conf_sections[order->high_section])
        other = other->next;
    struct side high = side_of(conf, other, order->high);
    for (const struct conf_block *block = reader->tree->first; block != NULL; block = block->next) {
        if (block->section != &conf_sections[order->low_section])
            continue;
        struct side low = side_of(conf, block, order->low);
        good &= check_pair(reader, conf, order, &low, &high);
    }
    return good;
}

// A gateway whose group could not be read might have been the one.
static bool any_group_faulty(const struct conf_reader *reader)
{
    const struct conf_key *group = conf_key_of(CONF_GATEWAY, offsetof(struct conf_gateway, group));

    for (const struct conf_block *block = reader->tree->first; block != NULL; block = block->next) {
        if (block->section == &conf_sections[CONF_GATEWAY] && conf_entry_of(block, group)->faulty)
            return true;
    }
    return false;
}

static void check_gateways(const struct conf_reader *reader, const struct conf *conf,
                           const struct conf_block *block)
{
    const struct conf_key *group = conf_key_of(CONF_GATEWAY, offsetof(struct conf_gateway, group));
    char title[CONF_TITLE_MAX];

    if (conf->groups[block->index].members_n == 0 && !any_group_faulty(reader))
        conf_fault(reader->faults, block->line, NULL, "%s has no member; expected a [%s] with %s = %s",
                   conf_block_title(block->section, block->name, title), conf_sections[CONF_GATEWAY].name,
                   group->name, block->name);
}

static void check_blocks(const struct conf_reader *reader, const struct conf *conf)
{
    for (const struct conf_block *block = reader->tree->first; block != NULL; block = block->next) {
        if (conf_block_faulty(block))
            continue;
        if (block->section == &conf_sections[CONF_ROUTE])
            conf_check_route(reader, conf, block);
        if (block->section == &conf_sections[CONF_ROUTE])
            conf_check_hop(reader, conf, block, offsetof(struct conf_route, hop));
        if (block->section == &conf_sections[CONF_GATEWAY])
            conf_check_hop(reader, conf, block, offsetof(struct conf_gateway, address));
        if (block->section == &conf_sections[CONF_AUTH])
            conf_check_auth(reader, conf, block);
        if (block->section == &conf_sections[CONF_LISTENER])
            conf_check_listener(reader, conf, block);
        if (block->section == &conf_sections[CONF_GATEWAYS])
            check_gateways(reader, conf, block);
    }
}

static void check_section(const struct conf_reader *reader, const struct conf *conf,
                          const struct conf_section *section)
{
    if (reader->tree->count[section - conf_sections] < section->min)
        conf_fault(reader->faults, reader->tree->lines, NULL,
                   "the file ends without a [%s NAME] section; expected at least %u", section->name,
                   section->min);
    for (unsigned key = 0; key < section->keys_n; key++) {
        if (section->keys[key].flags & CONF_UNIQUE)
            conf_check_unique(reader, conf, section, key);
    }
}

void conf_check(const struct conf_reader *reader, const struct conf *conf)
{
    bool before = true;

    for (unsigned i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
        if (!orders[i].follows || before)
            before = check_order(reader, conf, &orders[i]);
    }
    for (unsigned i = 0; i < CONF_SECTIONS; i++)
        check_section(reader, conf, &conf_sections[i]);
    check_blocks(reader, conf);
}
