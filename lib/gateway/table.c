#include <string.h>

#include "gateway/health.h"

static bool has_calls(const struct gateway_states *states, uint16_t slot)
{
    int64_t calls = 0;

    for (unsigned worker = 0; worker < states->workers; worker++)
        calls += atomic_load_explicit(&gateway_share_of(states, (uint16_t)worker, slot)->calls,
                                      memory_order_relaxed);
    return calls > 0;
}

// Nothing that is in progress can name it.
static bool has_rested(const struct gateway_states *states, uint16_t slot)
{
    const struct gateway_slot *state = &states->slots[slot];

    return state->name[0] == 0 || (state->tables == 0 && states->now_ms - state->left_ms >= GATEWAY_REST_MS &&
                                   !has_calls(states, slot));
}

static void begin_slot(struct gateway_states *states, uint16_t slot, const char *name)
{
    struct gateway_slot *state = &states->slots[slot];
    struct gateway_condition up = {GATEWAY_UP, 0, states->now_ms};

    memset(state, 0, sizeof(*state));
    strncpy(state->name, name, sizeof(state->name) - 1);
    atomic_store_explicit(&state->health, gateway_condition_pack(up), memory_order_relaxed);
    for (unsigned worker = 0; worker < states->workers; worker++)
        memset(gateway_share_of(states, (uint16_t)worker, slot), 0, sizeof(struct gateway_share));
}

// The slot of that name, else the free one that has been left for longest.
static uint16_t slot_for(struct gateway_states *states, const char *name)
{
    uint16_t found = GATEWAY_NONE;

    for (uint16_t i = 0; i < GATEWAY_SLOTS; i++) {
        if (strcmp(states->slots[i].name, name) == 0)
            return i;
        if (has_rested(states, i) &&
            (found == GATEWAY_NONE || states->slots[i].left_ms < states->slots[found].left_ms))
            found = i;
    }
    if (found != GATEWAY_NONE)
        begin_slot(states, found, name);
    return found;
}

static bool take_slots(struct gateway_table *table)
{
    for (unsigned i = 0; i < table->conf->gateways_n; i++) {
        uint16_t slot = slot_for(table->states, table->conf->gateways[i].name);
        if (slot == GATEWAY_NONE)
            return false;
        table->states->slots[slot].tables++;
        table->slot_of[i] = slot;
        table->gateway_of[slot] = (uint16_t)i;
    }
    return true;
}

static struct gateway_member member_of(const struct gateway_table *table, unsigned i)
{
    const struct conf_gateway *gateway = &table->conf->gateways[i];

    return (struct gateway_member){
        .slot = table->slot_of[i],
        .gateway = (uint16_t)i,
        .weight = gateway->weight,
        .priority = gateway->priority,
        .interval_ns = gateway->calls_per_second == 0 ? 0 : 1000000000u / gateway->calls_per_second,
        .mark = hash_sip13(&table->key, gateway->name, strlen(gateway->name)).low,
    };
}

// The members of each group one behind the other, lowest priority number first, those of one number in file order.
static void fill_groups(struct gateway_table *table)
{
    const struct conf *conf = table->conf;
    unsigned end = 0;

    for (unsigned g = 0; g < conf->groups_n; g++) {
        struct gateway_group *group = &table->groups[g];
        *group = (struct gateway_group){&conf->groups[g], (uint16_t)end, 0};
        for (unsigned i = 0; i < conf->gateways_n; i++) {
            if (conf->gateways[i].group != (int)g)
                continue;
            unsigned at = end++;
            for (; at > group->first && table->members[at - 1].priority > conf->gateways[i].priority; at--)
                table->members[at] = table->members[at - 1];
            table->members[at] = member_of(table, i);
            group->n++;
        }
    }
}

static void fill_probed(struct gateway_table *table)
{
    unsigned workers = table->states->workers;
    uint16_t n = 0;

    for (unsigned worker = 0; worker < workers; worker++) {
        table->probed_by[worker] = n;
        for (unsigned i = 0; i < table->conf->gateways_n; i++) {
            if (table->slot_of[i] % workers == worker && gateway_group_of(table, i)->probe_ms != 0)
                table->probed[n++] = table->slot_of[i];
        }
    }
    table->probed_by[workers] = n;
}

// Where the arrays behind the struct begin.
struct layout {
    size_t groups, members, copies, slot_of, probed, probed_by, bytes;
    uint32_t cells;
};

static struct layout layout_of(const struct conf *conf, unsigned workers)
{
    struct layout at = {.cells = gateway_trusted_cells(conf)};

    // from the largest alignment down
    at.copies = (sizeof(struct gateway_table) + 63) & ~(size_t)63;
    at.groups = at.copies + 2 * at.cells * sizeof(struct gateway_address);
    at.members = at.groups + conf->groups_n * sizeof(struct gateway_group);
    at.slot_of = at.members + conf->gateways_n * sizeof(struct gateway_member);
    at.probed = at.slot_of + conf->gateways_n * sizeof(uint16_t);
    at.probed_by = at.probed + conf->gateways_n * sizeof(uint16_t);
    at.bytes = at.probed_by + (workers + 1) * sizeof(uint16_t);
    return at;
}

static struct gateway_table *make_table(struct gateway_states *states, const struct conf *conf)
{
    struct layout layout = layout_of(conf, states->workers);
    char *at = states->memory.take(states->memory.owner, layout.bytes, MEMORY_ANY_NODE);

    if (at == NULL)
        return NULL;
    struct gateway_table *table = (struct gateway_table *)at;
    table->bytes = layout.bytes;
    table->states = states;
    table->conf = conf;
    table->trusted.copy[0] = (struct gateway_address *)(at + layout.copies);
    table->trusted.copy[1] = table->trusted.copy[0] + layout.cells;
    table->trusted.mask = layout.cells - 1;
    table->groups = (struct gateway_group *)(at + layout.groups);
    table->members = (struct gateway_member *)(at + layout.members);
    table->slot_of = (uint16_t *)(at + layout.slot_of);
    table->probed = (uint16_t *)(at + layout.probed);
    table->probed_by = (uint16_t *)(at + layout.probed_by);
    memset(table->slot_of, 0xff, conf->gateways_n * sizeof(uint16_t)); // GATEWAY_NONE
    memset(table->gateway_of, 0xff, sizeof(table->gateway_of));
    return table;
}

struct gateway_table *gateway_table_create(struct gateway_states *states, const struct conf *conf,
                                           const struct hash_key *key, uint64_t now_ms)
{
    struct gateway_table *table = make_table(states, conf);

    if (table == NULL)
        return NULL;
    gateway_states_hold(states);
    states->now_ms = now_ms;
    table->key = *key;
    table->generation = ++states->generation;
    bool taken = take_slots(table);
    if (taken)
        gateway_trusted_fill(table);
    gateway_states_let_go(states);
    if (!taken) {
        gateway_table_destroy(table);
        return NULL;
    }
    fill_groups(table);
    fill_probed(table);
    return table;
}

void gateway_table_destroy(struct gateway_table *table)
{
    if (table == NULL)
        return;
    struct gateway_states *states = table->states;

    gateway_states_hold(states);
    for (unsigned i = 0; i < table->conf->gateways_n; i++) {
        if (table->slot_of[i] == GATEWAY_NONE)
            continue;
        struct gateway_slot *slot = &states->slots[table->slot_of[i]];
        slot->tables--;
        slot->left_ms = states->now_ms; // of the table that comes in its place
    }
    gateway_states_let_go(states);
    states->memory.give(states->memory.owner, table, table->bytes);
}

int gateway_of_slot(const struct gateway_table *table, uint16_t slot)
{
    if (slot >= GATEWAY_SLOTS || table->gateway_of[slot] == GATEWAY_NONE)
        return CONF_NONE;
    return table->gateway_of[slot];
}

uint16_t gateway_slot_of(const struct gateway_table *table, unsigned gateway)
{
    return table->slot_of[gateway];
}
