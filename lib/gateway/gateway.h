// gateway: groups of gateways: who of them is up, how much each may take, and which one is next.
//
// A gateway keeps its slot and its state by its name over a reload. Two kinds of data: the table, compiled from one
// configuration, immutable and published with it (but for the addresses of trusted names); and the live state, one
// array of slots for the life of the process. Of a slot, health and the bound are shared by all workers and changed by
// compare-and-swap: the one when health changes, the other once for each call to a gateway that has a bound. All else
// belongs to one worker each: counts to each worker in a line of its own, probing to the owner (slot modulo workers).
// No lock, no allocation on a worker. What is said to be control's may be called by several of its threads. A choice
// costs a few loads a member of the group.
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/endpoint.h"
#include "base/hash.h"
#include "base/memory.h"
#include "conf/conf.h"

#define GATEWAY_SLOTS         (2 * CONF_GATEWAYS_MAX) // so that a reload may rename all of them
#define GATEWAY_NONE          UINT16_MAX
#define GATEWAY_TRIED_MAX     16
#define GATEWAY_ADDRESSES_MAX 16 // of one name that count for gateway_trusts
#define GATEWAY_REST_MS \
    600000 // for which a slot stays empty once no table has it: transactions may still name it
#define GATEWAY_HOLD_MS 30000 // after which one that calls took out, and that is not probed, is tried again
#define GATEWAY_BURST_MS \
    250 // so much of calls_per_second may go at once after a pause, and at least one call

struct gateway_states; // the live state of all slots
struct gateway_table;  // one configuration's groups

// Control. 0 or -ENOMEM. Tables take their memory from `memory`, too.
int gateway_states_create(struct gateway_states **states, unsigned workers, const struct memory *memory);
void gateway_states_destroy(struct gateway_states *states); // after all tables; NULL is allowed

// Control. Gives each [gateway] of the configuration the slot of its name, or a free one: `conf` must outlive the
// table. NULL: no memory, or no slot is left (GATEWAY_REST_MS; and while calls over it are in progress).
struct gateway_table *gateway_table_create(struct gateway_states *states, const struct conf *conf,
                                           const struct hash_key *key, uint64_t now_ms);
void gateway_table_destroy(struct gateway_table *table); // after quiescence; NULL is allowed

// What one choice depends on, and who was tried already.
struct gateway_choice {
    uint64_t affinity; // hash of Call-ID, From or user, as gateway_algorithm asks
    uint64_t now_ms;
    uint16_t worker;
    uint8_t tried_n;
    uint16_t tried[GATEWAY_TRIED_MAX]; // slots
    // Forwarded without state: the choice must come out the same for the CANCEL (RFC 3261 16.11), so it is made by the
    // hash, which is of the Call-ID, where the algorithm would go by turn; the bound is neither asked nor counted.
    bool stateless;
};

static inline bool gateway_was_tried(const struct gateway_choice *choice, uint16_t slot)
{
    for (unsigned i = 0; i < choice->tried_n; i++) {
        if (choice->tried[i] == slot)
            return true;
    }
    return false;
}

// Which of them `affinity` must be the hash of.
enum conf_algorithm gateway_algorithm(const struct gateway_table *table, unsigned group);

// The slot to try next, counted against its bound of calls per second; GATEWAY_NONE: all were tried, are down, or are
// at their bound. The members of the lowest priority number that can take it share it, by the group's algorithm. A
// group all of whose members are down is tried all the same, for a probe may be wrong where a call is not.
uint16_t gateway_choose(struct gateway_table *table, unsigned group, struct gateway_choice *choice);

// Takes back the choice that this worker made last: nothing was sent, for the gateway's name is not known yet. The next
// one comes out the same.
void gateway_unchoose(struct gateway_table *table, unsigned group, const struct gateway_choice *choice,
                      uint16_t slot);

// The index into conf->gateways of a slot in this configuration, or CONF_NONE when it has gone.
int gateway_of_slot(const struct gateway_table *table, uint16_t slot);
uint16_t gateway_slot_of(const struct gateway_table *table, unsigned gateway);

// Whether a packet's source is the address (any port) of a trusted gateway. Names: the addresses last resolved.
bool gateway_trusts(const struct gateway_table *table, const struct endpoint *source);
// Control, of the table in force: what a gateway's name leads to (ports are not looked at); none leaves what was. Kept
// for the tables to come.
void gateway_resolved(struct gateway_table *table, unsigned gateway, const struct endpoint *endpoints,
                      unsigned n);

// What became of a request sent to a slot. Any worker, saying who it is. Good: any answer but 408, 503; bad: those,
// silence, ICMP.
void gateway_heard(struct gateway_table *table, uint16_t slot, uint16_t worker, bool good, uint64_t now_ms);
// A call that it carries begins or ends (CONF_ALGORITHM_LEAST_CALLS, telemetry). `worker` does both.
void gateway_call(struct gateway_states *states, uint16_t slot, uint16_t worker, int more);

// Probing by the owner worker: the next gateway whose OPTIONS is due, or GATEWAY_NONE; and what came of it. A load and
// a compare while none is due.
uint16_t gateway_probe_next(struct gateway_table *table, uint16_t worker, uint64_t now_ms);
void gateway_probed(struct gateway_table *table, uint16_t slot, bool good, uint64_t now_ms);
uint64_t gateway_probe_failures(const struct gateway_table *table, uint16_t slot); // ever

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
