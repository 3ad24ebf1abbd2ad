#include <string.h>

#include "gateway/states.h"

static void words_of(const struct endpoint *endpoint, uint64_t *high, uint64_t *low)
{
    uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};

    if (endpoint->family == ENDPOINT_IP6)
        memcpy(bytes, endpoint->address, sizeof(bytes));
    else
        memcpy(bytes + 12, endpoint->address, 4);
    memcpy(high, bytes, sizeof(*high));
    memcpy(low, bytes + 8, sizeof(*low));
}

static uint32_t cell_of(const struct gateway_table *table, uint64_t high, uint64_t low)
{
    uint64_t h = (high ^ table->key.k0) * 0x9fb21c651e98df25u ^ (low ^ table->key.k1) * 0xd6e8feb86659fd93u;

    return (uint32_t)(h ^ h >> 32) & table->trusted.mask;
}

static bool is_literal(const struct conf_gateway *gateway)
{
    return gateway->address.address.family != ENDPOINT_NONE;
}

uint32_t gateway_trusted_cells(const struct conf *conf)
{
    uint32_t addresses = 0, cells = 2;

    for (unsigned i = 0; i < conf->gateways_n; i++) {
        if (conf->gateways[i].trusted)
            addresses += is_literal(&conf->gateways[i]) ? 1 : GATEWAY_ADDRESSES_MAX;
    }
    while (cells < 2 * addresses)
        cells *= 2;
    return cells;
}

static void put(struct gateway_table *table, struct gateway_address *copy, const struct endpoint *endpoint)
{
    uint64_t high, low;

    if (endpoint->family == ENDPOINT_NONE)
        return;
    words_of(endpoint, &high, &low);
    if ((high | low) == 0)
        return;
    uint32_t cell = cell_of(table, high, low);
    for (;; cell = (cell + 1) & table->trusted.mask) {
        uint64_t there_high = atomic_load_explicit(&copy[cell].high, memory_order_relaxed);
        uint64_t there_low = atomic_load_explicit(&copy[cell].low, memory_order_relaxed);
        if (there_high == high && there_low == low)
            return;
        if ((there_high | there_low) == 0)
            break;
    }
    atomic_store_explicit(&copy[cell].high, high, memory_order_relaxed);
    atomic_store_explicit(&copy[cell].low, low, memory_order_relaxed);
}

static struct hash128 host_of(const struct gateway_table *table, unsigned gateway)
{
    const struct conf_text *host = &table->conf->gateways[gateway].address.host;

    return hash_sip13(&table->key, host->text, host->len);
}

void gateway_trusted_fill(struct gateway_table *table)
{
    struct gateway_trusted *trusted = &table->trusted;
    uint32_t version = atomic_load_explicit(&trusted->version, memory_order_relaxed) + 1;
    struct gateway_address *copy = trusted->copy[version & 1];

    // Nothing of this copy is written before everybody can see that it does not hold any more.
    atomic_thread_fence(memory_order_release);
    for (uint32_t cell = 0; cell <= trusted->mask; cell++) {
        atomic_store_explicit(&copy[cell].high, 0, memory_order_relaxed);
        atomic_store_explicit(&copy[cell].low, 0, memory_order_relaxed);
    }
    for (unsigned i = 0; i < table->conf->gateways_n; i++) {
        const struct conf_gateway *gateway = &table->conf->gateways[i];
        const struct gateway_slot *slot = &table->states->slots[table->slot_of[i]];
        if (!gateway->trusted)
            continue;
        if (is_literal(gateway)) {
            put(table, copy, &gateway->address.address);
            continue;
        }
        // Under this name another host may have stood before a reload: its addresses are nobody's now.
        for (unsigned a = 0; hash128_equal(slot->host, host_of(table, i)) && a < slot->addresses_n; a++)
            put(table, copy, &slot->addresses[a]);
    }
    atomic_store_explicit(&trusted->version, version, memory_order_release);
    table->resolved = table->states->resolved;
}

// Whether this is news of the gateway.
static bool keep(struct gateway_table *table, unsigned gateway, const struct endpoint *endpoints, unsigned n)
{
    struct gateway_slot *slot = &table->states->slots[table->slot_of[gateway]];
    struct hash128 host = host_of(table, gateway);

    if (hash128_equal(slot->host, host) && slot->addresses_n == n &&
        memcmp(slot->addresses, endpoints, n * sizeof(*endpoints)) == 0)
        return false;
    slot->host = host;
    slot->addresses_n = n;
    memcpy(slot->addresses, endpoints, n * sizeof(*endpoints));
    return true;
}

void gateway_resolved(struct gateway_table *table, unsigned gateway, const struct endpoint *endpoints,
                      unsigned n)
{
    struct gateway_states *states = table->states;

    if (n > GATEWAY_ADDRESSES_MAX)
        n = GATEWAY_ADDRESSES_MAX;
    if (n == 0)
        return;
    gateway_states_hold(states);
    if (keep(table, gateway, endpoints, n))
        states->resolved++;
    // The table may have been filled before what was told of the one that was in force then.
    if (table->conf->gateways[gateway].trusted && table->resolved != states->resolved)
        gateway_trusted_fill(table);
    gateway_states_let_go(states);
}

static bool is_in(const struct gateway_table *table, const struct gateway_address *copy, uint64_t high,
                  uint64_t low)
{
    uint32_t cell = cell_of(table, high, low);

    // A copy in change may be without a free cell for a moment.
    for (uint32_t looked = 0; looked <= table->trusted.mask; looked++) {
        uint64_t there_high = atomic_load_explicit(&copy[cell].high, memory_order_relaxed);
        uint64_t there_low = atomic_load_explicit(&copy[cell].low, memory_order_relaxed);
        if (there_high == high && there_low == low)
            return true;
        if ((there_high | there_low) == 0)
            return false;
        cell = (cell + 1) & table->trusted.mask;
    }
    return false;
}

bool gateway_trusts(const struct gateway_table *table, const struct endpoint *source)
{
    const struct gateway_trusted *trusted = &table->trusted;
    uint64_t high, low;

    words_of(source, &high, &low);
    if ((high | low) == 0) // "::" sends nothing, and is how a free cell looks
        return false;
    // The copy that is read is not written before the other one holds. Who sees that this has happened looks again;
    // names do not change so often that three times would not do, and then nobody is believed.
    for (unsigned tries = 0; tries < 3; tries++) {
        uint32_t version = atomic_load_explicit(&trusted->version, memory_order_acquire);
        bool found = is_in(table, trusted->copy[version & 1], high, low);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&trusted->version, memory_order_relaxed) == version)
            return found;
    }
    return false;
}
