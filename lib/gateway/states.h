// states: what lives of the gateways beyond a reload, and the tables that are compiled over it.
//
// Internal to the room. Every field says who writes it; whoever else reads it takes what he finds.
#ifndef GATEWAY_STATES_H
#define GATEWAY_STATES_H

#include <stdatomic.h>

#include "conf/schema.h"
#include "gateway/gateway.h"

// One gateway.
struct gateway_slot {
    // all workers: rw, when its health changes
    _Atomic uint64_t health; // health.h
    // owner worker: wo, telemetry: ro
    _Atomic uint64_t probes, probe_failures;
    uint64_t probe_at_ms; // 0: not thought of yet

    // all workers: rw, once a call where there is a bound
    _Atomic uint64_t due_ns __attribute__((aligned(64))); // when the next call were due if they came evenly

    // control: rw
    unsigned tables __attribute__((aligned(64))); // that have it
    uint64_t left_ms;                             // when the last one went
    char name[CONF_NAME_MAX + 1];                 // empty: never used
    struct hash128 host;                          // what `addresses` are the addresses of
    unsigned addresses_n;
    struct endpoint addresses[GATEWAY_ADDRESSES_MAX];
};

// What one worker has of one gateway, in a line of its own.
struct gateway_share {
    // worker: wo, telemetry: ro
    _Atomic uint64_t sent, good, bad, over_bound;
    _Atomic int64_t calls;
    // worker: rw
    int64_t turn;    // smooth weighted round robin: how much it is behind what it should have had
    uint32_t weight; // in the choice that is being made; 0: it takes no part
    uint32_t eased;  // while it eases in: adds up to the choices that it takes part in
} __attribute__((aligned(64)));

// Worker: rw. Where it stands in the list of those that it probes.
struct gateway_prober {
    uint64_t generation; // of the table that the rest is about
    uint64_t next_ms;    // none is due before
    unsigned at;
} __attribute__((aligned(64)));

struct gateway_states {
    struct memory memory;
    size_t bytes;
    unsigned workers;
    // control: rw
    atomic_flag busy;
    uint64_t generation; // of the newest table
    uint64_t now_ms;     // of its creation
    uint64_t resolved;   // times that some slot's addresses changed
    struct gateway_share *shares;
    struct gateway_prober *probers;
    struct gateway_slot slots[GATEWAY_SLOTS];
};

struct gateway_member {
    uint16_t slot;
    uint16_t gateway; // index into conf->gateways
    uint32_t weight;
    uint32_t priority;
    uint64_t interval_ns; // between two calls at its bound; 0: it has none
    uint64_t mark;        // for rendezvous hashing
};

struct gateway_group {
    const struct conf_gateways *conf;
    uint16_t first, n; // of table->members, by priority
};

// Addresses as two words, IPv4 mapped into IPv6 (RFC 4291 2.5.5.2); both 0: free.
struct gateway_address {
    _Atomic uint64_t high, low;
};

// Two copies, of which `version` says which one holds. Control fills the other and steps on.
struct gateway_trusted {
    uint32_t mask; // cells of a copy - 1
    _Atomic uint32_t version;
    struct gateway_address *copy[2];
};

struct gateway_table {
    struct gateway_states *states;
    const struct conf *conf;
    struct hash_key key;
    uint64_t generation;
    size_t bytes;
    struct gateway_group *groups;
    struct gateway_member *members;
    uint16_t *slot_of;   // by index into conf->gateways
    uint16_t *probed;    // slots that are probed, by owner worker
    uint16_t *probed_by; // by worker: its first in `probed`; one more at the end
    struct gateway_trusted trusted;
    uint64_t resolved; // control: rw; states->resolved when `trusted` was filled
    uint16_t gateway_of[GATEWAY_SLOTS];
};

// Between threads of control: a reload makes a table in one while the loop tells addresses in another. Never a worker.
static inline void gateway_states_hold(struct gateway_states *states)
{
    while (atomic_flag_test_and_set_explicit(&states->busy, memory_order_acquire))
        __builtin_ia32_pause();
}

static inline void gateway_states_let_go(struct gateway_states *states)
{
    atomic_flag_clear_explicit(&states->busy, memory_order_release);
}

static inline struct gateway_share *gateway_share_of(const struct gateway_states *states, uint16_t worker,
                                                     uint16_t slot)
{
    return &states->shares[(size_t)worker * GATEWAY_SLOTS + slot];
}

// One writer: no need to lock the bus.
static inline void gateway_count(_Atomic uint64_t *count)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
}

static inline void gateway_uncount(_Atomic uint64_t *count)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) - 1, memory_order_relaxed);
}

static inline const struct conf_gateways *gateway_group_of(const struct gateway_table *table,
                                                           unsigned gateway)
{
    return &table->conf->groups[table->conf->gateways[gateway].group];
}

// trust.c. Cells of one copy for the gateways of `conf`; the first filling, with the states held.
uint32_t gateway_trusted_cells(const struct conf *conf);
void gateway_trusted_fill(struct gateway_table *table);

#endif
