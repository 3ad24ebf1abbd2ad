#include "conf/check.h"

#include <stdlib.h>

#include "conf/match.h"

// Numbers of one section of which the first must not be larger than the second, by their fields.
static const struct order {
    enum conf_section_kind section;
    size_t low, high;
} orders[] = {
    {CONF_REGISTRAR, offsetof(struct conf, expires_min), offsetof(struct conf, expires_max)},
    {CONF_REGISTRAR, offsetof(struct conf, expires_min), offsetof(struct conf, expires_default)},
    {CONF_REGISTRAR, offsetof(struct conf, expires_default), offsetof(struct conf, expires_max)},
};

// Checks find keys by their fields: names stand in the schema only.
static const struct conf_key *key_of(enum conf_section_kind kind, size_t offset)
{
    const struct conf_key *key = conf_sections[kind].keys;

    while (key->offset != offset)
        key++;
    return key;
}

static const struct conf_entry *entry_of(const struct conf_block *block, const struct conf_key *key)
{
    return &block->entries[key - block->section->keys];
}

static const struct conf_block *block_at(const struct conf_tree *tree, const struct conf_section *section,
                                         unsigned index)
{
    const struct conf_block *block = tree->first;

    while (block != NULL && (block->section != section || block->index != index))
        block = block->next;
    return block;
}

static bool check_order(const struct conf_reader *reader, const struct conf *conf, const struct order *order)
{
    const struct conf_block *block = block_at(reader->tree, &conf_sections[order->section], 0);
    const struct conf_key *low = key_of(order->section, order->low),
                          *high = key_of(order->section, order->high);
    const struct conf_entry *a = entry_of(block, low), *b = entry_of(block, high);
    uint64_t x = conf_value_number(low, conf), y = conf_value_number(high, conf);

    if (a->faulty || b->faulty || x <= y)
        return true;
    conf_fault(reader->faults, a->line > b->line ? a->line : b->line, NULL,
               "%s = %llu%s is larger than %s = %llu%s; expected at most that", low->name,
               (unsigned long long)x, a->line == 0 ? " (default)" : "", high->name, (unsigned long long)y,
               b->line == 0 ? " (default)" : "");
    return false;
}

// One value of a key that must be unique.
struct claim {
    const struct conf_block *block;
    unsigned line;
    char text[CONF_VALUE_MAX];
};

static int claim_compare(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static unsigned claims_collect(const struct conf_reader *reader, const struct conf *conf,
                               const struct conf_section *section, unsigned key, struct claim *claims)
{
    unsigned n = 0;

    for (const struct conf_block *block = reader->tree->first; block != NULL; block = block->next) {
        const struct conf_entry *entry = &block->entries[key];
        if (block->section != section || entry->faulty)
            continue;
        const void *base = conf_section_at(section, conf, block->index);
        unsigned count = conf_value_count(&section->keys[key], base);
        for (unsigned i = 0; i < count; i++, n++) {
            if (claims == NULL)
                continue;
            claims[n].block = block;
            claims[n].line = entry->line != 0 ? entry->line : block->line;
            conf_value_text(&section->keys[key], conf, base, i, claims[n].text);
        }
    }
    return n;
}

static void check_unique(const struct conf_reader *reader, const struct conf *conf,
                         const struct conf_section *section, unsigned key)
{
    struct conf_arena scratch = {0};
    unsigned n = claims_collect(reader, conf, section, key, NULL);
    struct claim *claims = conf_arena_take(&scratch, n * sizeof(*claims));

    if (claims == NULL) {
        reader->arena->failed = true;
        return;
    }
    claims_collect(reader, conf, section, key, claims);
    qsort(claims, n, sizeof(*claims), claim_compare);
    for (unsigned i = 1, first = 0; i < n; i++) {
        char title[CONF_TITLE_MAX];
        if (strcmp(claims[i].text, claims[first].text) != 0) {
            first = i;
            continue;
        }
        conf_fault(reader->faults, claims[i].line, NULL, "%s = %s is taken by %s on line %u already",
                   section->keys[key].name, claims[i].text,
                   conf_block_title(section, claims[first].block->name, title), claims[first].line);
    }
    conf_arena_free(&scratch);
}

static bool route_covers(const struct conf_route *wide, const struct conf_route *narrow)
{
    return conf_match_covers(&wide->domain, &narrow->domain) && conf_match_covers(&wide->user, &narrow->user);
}

static bool any_faulty(const struct conf_block *block)
{
    bool faulty = block->faulty;

    for (unsigned i = 0; i < block->section->keys_n; i++)
        faulty |= block->entries[i].faulty;
    return faulty;
}

// The first match wins, so a route whose every request an earlier one takes is a slip of the hand.
static void check_route(const struct conf_reader *reader, const struct conf *conf,
                        const struct conf_block *narrow)
{
    const struct conf_section *section = narrow->section;
    const struct conf_route *route = &conf->routes[narrow->index];

    for (const struct conf_block *wide = reader->tree->first; wide != narrow; wide = wide->next) {
        if (wide->section != section || any_faulty(wide) || !route_covers(&conf->routes[wide->index], route))
            continue;
        conf_fault(
            reader->faults, narrow->line, NULL,
            "[%s %s] is never reached: [%s %s] on line %u takes all of it; expected the narrower one first",
            section->name, narrow->name, section->name, wide->name, wide->line);
        return;
    }
}

#define IP6_MTU_MIN 1280 // RFC 8200 5; the kernel turns IPv6 off on a twin with less

static void check_listener(const struct conf_reader *reader, const struct conf *conf,
                           const struct conf_block *block)
{
    const struct conf_listener *listener = &conf->listeners[block->index];
    const struct conf_port *port = &conf->ports[listener->port];
    const struct conf_key *address = key_of(CONF_LISTENER, offsetof(struct conf_listener, address));
    const struct conf_key *advertised = key_of(CONF_LISTENER, offsetof(struct conf_listener, advertised));
    const struct conf_key *mtu = key_of(CONF_PORT, offsetof(struct conf_port, mtu));

    // Via and Record-Route name the address on which the peer's packets arrive.
    if (listener->advertised.family != listener->address.family)
        conf_fault(reader->faults, entry_of(block, advertised)->line, NULL,
                   "%s is of another address family than %s; expected both IPv4 or both IPv6",
                   advertised->name, address->name);
    // An mtu that could not be read was told already, and is 0.
    if (listener->address.family == ENDPOINT_IP6 && port->mtu != 0 && port->mtu < IP6_MTU_MIN)
        conf_fault(reader->faults, entry_of(block, address)->line, NULL,
                   "%s is IPv6, and %s of [%s %s] is %u; expected at least %u there", address->name,
                   mtu->name, conf_sections[CONF_PORT].name, port->name, port->mtu, IP6_MTU_MIN);
}

static void check_blocks(const struct conf_reader *reader, const struct conf *conf)
{
    for (const struct conf_block *block = reader->tree->first; block != NULL; block = block->next) {
        if (any_faulty(block))
            continue;
        if (block->section == &conf_sections[CONF_ROUTE])
            check_route(reader, conf, block);
        if (block->section == &conf_sections[CONF_LISTENER])
            check_listener(reader, conf, block);
    }
}

void conf_check(const struct conf_reader *reader, const struct conf *conf)
{
    for (unsigned i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
        if (!check_order(reader, conf, &orders[i]))
            break; // the others would follow from it
    }
    for (unsigned i = 0; i < CONF_SECTIONS; i++) {
        const struct conf_section *section = &conf_sections[i];
        if (reader->tree->count[i] < section->min)
            conf_fault(reader->faults, reader->tree->lines, NULL,
                       "the file ends without a [%s NAME] section; expected at least %u", section->name,
                       section->min);
        for (unsigned key = 0; key < section->keys_n; key++) {
            if (section->keys[key].flags & CONF_UNIQUE)
                check_unique(reader, conf, section, key);
        }
    }
    check_blocks(reader, conf);
}
