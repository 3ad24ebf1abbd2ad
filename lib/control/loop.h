// loop: what runs on the main lcore.
//
// Control makes the twins, mirrors the kernel's tables, lets datagrams wait for their next hop, carries messages between
// connections and workers, and answers telemetry. Workers make no syscall and so cannot wake it: it polls their punt
// rings, without sleeping while there is work and a moment beyond, and otherwise sleeps in epoll for CONTROL_IDLE_MS at
// most. There is one struct control, made by start-up and passed as an argument ever after.
//
// Threads: all functions belong to the main lcore, but for control_stop.
#ifndef CONTROL_LOOP_H
#define CONTROL_LOOP_H

#include <event2/event.h>
#include <stdatomic.h>

#include "control/cdr.h"
#include "control/command.h"
#include "control/commit.h"
#include "control/dns.h"
#include "control/drain.h"
#include "control/mirror.h"
#include "control/reload.h"
#include "control/resolve.h"
#include "control/streams.h"
#include "control/tune.h"
#include "control/twin.h"
#include "worker/worker.h"

#define CONTROL_IDLE_MS   1     // longest sleep with empty rings: also what a ping pays at most
#define CONTROL_AWAKE_US  500   // for so long after it had something to do it does not sleep
#define CONTROL_TICK_MS   50    // timeouts of waiting datagrams, grace periods
#define CONTROL_VERIFY_MS 10000 // how often stale neighbours in use are verified
#define CONTROL_LOAD_MS   5000  // longest silence of the kernel while its tables are first read

struct control_setup {
    const struct conf *conf; // the policy's, where there is one
    const char *path;        // of the configuration, for SIGHUP
    // in force: a reload puts the next one here. NULL: there is none, and no reload
    struct role_policy **policy;
    // These with a policy.
    struct gateway_states *gateways;
    struct name_table *names;
    const struct hash_key *secret;
    struct rte_rcu_qsbr *qsbr;     // the workers are its readers
    const uint16_t *ports;         // DPDK port number by index into conf->ports; started
    struct worker *const *workers; // with their rings and ports
    unsigned workers_n;
    struct net_hops *hops;
    const struct location *location; // for telemetry; may be NULL
    struct control_commit *commit;   // NULL: there is no store
    struct user_table *users;        // NULL: there is no [auth]
    struct roster *roster;           // NULL: presence is not served
    struct rte_mempool *pool;        // for the kernel's frames; private area is a struct packet
    struct rte_mempool *large;       // for streams' long messages; the same
    const struct memory *memory;
    void (*stop)(void *owner); // SIGTERM or SIGINT came; the loop ends after it. May be NULL
    void *owner;
};

struct control;

// A port's twin as the loop serves it.
struct control_port {
    struct control *control;
    struct control_twin twin; // fd -1: the port has none
    struct event *readable;
    struct worker *sender; // who transmits what the kernel sends
};

// control: wo, telemetry: ro
struct control_counters {
    uint64_t drops[DROP_COUNT]; // of packets that were in control's hands
    uint64_t punted;            // taken from the workers' rings
    uint64_t injected;          // given to them
    uint64_t busy_turns, idle_turns;
};

struct control {
    struct control_setup setup;
    struct event_base *base;
    struct event *tick, *verify, *idle, *netlink, *terminate, *interrupt, *hangup;
    struct control_port *ports; // by index into conf->ports
    struct control_mirror *mirror;
    struct control_resolve *resolve;
    struct control_dns *dns;       // NULL without a policy
    struct control_reload *reload; // the same
    struct control_cdr *cdr;       // NULL where calls are not followed
    struct stream *streams;        // NULL: every listener is one of UDP
    struct call_table *calls[WORKERS_MAX];
    struct control_commands *commands; // NULL: no socket is configured
    struct control_drain drain;
    struct control_tune tune;
    uint64_t awake_tsc;       // until when it does not sleep
    uint64_t injected_before; // counters.injected of the turn before
    uint64_t started_ms;
    uint64_t now_ms;      // of this turn
    atomic_bool stopping; // any thread: wo
    struct control_counters counters;
};

// Everything up to the kernel's tables read once, so that workers may be launched. In the network namespace of the
// calling thread; everything in `setup` outlives it. Logs what is wrong. 0 or -errno, and then nothing is left.
int control_create(struct control **control, const struct control_setup *setup);

// Runs until control_stop or a signal. 0 or -errno.
int control_run(struct control *control);

// One turn of the loop: everything that is there, or a sleep of CONTROL_IDLE_MS at most. 0 or -errno.
int control_turn(struct control *control);

// Any thread. The loop ends within CONTROL_IDLE_MS.
void control_stop(struct control *control);

// After the workers have stopped: takes what is left on their punt rings (DROP_STOPPING). NULL is allowed.
void control_destroy(struct control *control);

#endif
