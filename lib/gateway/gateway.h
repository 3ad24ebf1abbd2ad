// gateway: groups of gateways: who of them is up, how much each may take, and which one is next.
//
// A gateway keeps its slot and its state by its name over a reload. Two kinds of data: the table, compiled from one
// configuration, immutable and published with it; and the live state, one array of slots for the life of the process.
// Of a slot, health is written by the gateway's owner worker (slot modulo workers), which probes it; failures of calls
// are added by any worker; each worker has its own counts of calls and of what it sent this second.
// Selection reads the workers' counts of the worker that asks alone: bounds and shares are split evenly among workers.
// No lock, no allocation on a worker.
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/endpoint.h"
#include "base/hash.h"
#include "base/memory.h"
#include "conf/conf.h"

#define GATEWAY_SLOTS CONF_GATEWAYS_MAX
#define GATEWAY_NONE  UINT16_MAX

struct gateway_states; // the live state of all slots
struct gateway_table;  // one configuration's groups

int gateway_states_create(struct gateway_states **states, unsigned workers, const struct memory *memory);
void gateway_states_destroy(struct gateway_states *states);

// Control. Gives each [gateway] of the configuration the slot of its name, or a free one. NULL: no memory, or no slot is
// left (a slot is free again a while after no table has it: transactions and calls may still name it).
struct gateway_table *gateway_table_create(struct gateway_states *states, const struct conf *conf,
                                           const struct hash_key *key, uint64_t now_ms);
void gateway_table_destroy(struct gateway_table *table); // after quiescence

// What one choice depends on, and who was tried already.
struct gateway_choice {
    uint64_t affinity;           // hash of Call-ID, From or user, as gateway_affinity asks
    uint64_t now_ms;
    uint16_t worker;
    uint8_t tried_n;
    uint16_t tried[16];          // slots
    bool stateless; // nothing is remembered of this choice, and it comes again for the CANCEL (RFC 3261 16.11): by hash of
                    // `affinity` whatever the algorithm says, bounds neither asked nor counted
};

// Which of them `affinity` must be the hash of.
enum conf_algorithm gateway_algorithm(const struct gateway_table *table, unsigned group);

// The slot to try next, counted against its bound of calls per second; GATEWAY_NONE: all were tried, are down, or are at
// their bound. A group all of whose members are down is tried all the same, for a probe may be wrong where a call is not.
uint16_t gateway_choose(struct gateway_table *table, unsigned group, struct gateway_choice *choice);

// The index into conf->gateways of a slot in this configuration, or CONF_NONE when it has gone.
int gateway_of_slot(const struct gateway_table *table, uint16_t slot);
uint16_t gateway_slot_of(const struct gateway_table *table, unsigned gateway);

// Whether a packet's source is the address (any port) of a trusted gateway. Names: the addresses last resolved.
bool gateway_trusts(const struct gateway_table *table, const struct endpoint *source);

// What became of a request sent to a slot. Any worker, saying who it is. Good: any answer but 408, 503; bad: those,
// silence, ICMP.
void gateway_heard(struct gateway_table *table, uint16_t slot, uint16_t worker, bool good, uint64_t now_ms);
// A call that it carries begins or ends (CONF_ALGORITHM_LEAST_CALLS, telemetry).
void gateway_call(struct gateway_states *states, uint16_t slot, uint16_t worker, int more);

// Probing by the owner worker: the next gateway whose OPTIONS is due, or GATEWAY_NONE; and what came of it.
uint16_t gateway_probe_next(struct gateway_table *table, uint16_t worker, uint64_t now_ms);
void gateway_probed(struct gateway_table *table, uint16_t slot, bool good, uint64_t now_ms);

enum gateway_health {
    GATEWAY_UP = 0, // as long as nothing says otherwise
    GATEWAY_EASING, // came back, grows to its share
    GATEWAY_DOWN,
};

struct gateway_report {
    const char *name, *group;
    enum gateway_health health;
    uint64_t since_ms; // of this health
    uint32_t share;    // per cent of its weight that it takes now
    uint64_t calls;    // in progress, all workers
    uint64_t sent, good, bad, over_bound, probes, probe_failures;
};
// Telemetry: the i-th gateway of the configuration.
void gateway_report(const struct gateway_table *table, unsigned gateway, uint64_t now_ms,
                    struct gateway_report *report);

#endif
