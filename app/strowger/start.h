// start: everything that stands while strowger runs, put up in stages, each with its undo.
//
// Control thread. A stage that fails says on stderr what was wrong and what to do; the stages before it are then
// undone in reverse order.
#ifndef APP_START_H
#define APP_START_H

#include <stdatomic.h>

#include "name/name.h"
#include "role/policy.h"
#include "role/role.h"
#include "roster/roster.h"
#include "sip/edit.h"
#include "user/user.h"
#include "worker/journal.h"
#include "worker/worker.h"

struct control;        // control/loop.h
struct control_commit; // control/commit.h
struct store;          // store/store.h

// What one worker has that control made for it.
struct worker_parts {
    struct role role;
    struct sip_edits edits;
};

struct strowger {
    const char *path;           // of the configuration
    struct conf *conf;          // as it was read; the policy's, once there is one
    struct role_policy *policy; // in force; control puts another one here when it reloads
    atomic_bool stop;
    unsigned workers_n;
    struct worker *workers[WORKERS_MAX];
    struct worker_parts *parts[WORKERS_MAX];
    struct rte_mempool *pool[RTE_MAX_NUMA_NODES]; // by NUMA node; NULL where no worker is
    struct rte_mempool *large[RTE_MAX_NUMA_NODES];
    struct rte_mempool *longest[RTE_MAX_NUMA_NODES]; // NULL where no lists are told of
    struct rte_mempool *indirect[RTE_MAX_NUMA_NODES];
    struct worker_port ports[CONF_PORTS_MAX]; // what all workers share of them
    uint16_t queues[CONF_PORTS_MAX];          // RX/TX queue pairs
    uint16_t port_ids[CONF_PORTS_MAX];        // DPDK port numbers
    unsigned ports_configured;
    unsigned ports_started;
    uint8_t listener_table[256];
    struct rte_rcu_qsbr *qsbr;
    struct net_hops *hops;
    struct location *location;
    struct name_table *names;
    struct gateway_states *gateways;
    struct user_table *users; // NULL: nobody is asked for credentials
    struct roster *roster;    // NULL: presence is not served
    struct presence *presence[WORKERS_MAX];
    struct hash_key secret;
    struct store *store;           // NULL: nothing outlives the process
    struct control_commit *commit; // its writer
    struct journal_gate gate;
    struct journal *journals[WORKERS_MAX];
    struct control *control;
    unsigned launched;
};

// Puts everything up, runs until SIGTERM or SIGINT, and takes it down. Takes the configuration, which was read from
// `path` and is read from there again by SIGHUP. Returns the exit status, 0 or 1.
int strowger_run(struct conf *conf, const char *path);

// The stages, each in a file of its own. 0, or a negative errno after having said why on stderr.
int start_pools(struct strowger *strowger);
void stop_pools(struct strowger *strowger);
int start_tables(struct strowger *strowger);
void stop_tables(struct strowger *strowger);
int start_store(struct strowger *strowger); // opens what a test has not put there
void stop_store(struct strowger *strowger);
int start_ports(struct strowger *strowger);
void stop_ports(struct strowger *strowger);
int start_workers(struct strowger *strowger);
void stop_workers(struct strowger *strowger);
int start_presence(struct strowger *strowger);
void stop_presence(struct strowger *strowger);
int start_journals(struct strowger *strowger); // loads the store, and makes its writer
void stop_journals(struct strowger *strowger);
int start_control(struct strowger *strowger);
void stop_control(struct strowger *strowger);

// Runs the control loop until a signal ends it. 0 or a negative errno.
int serve_control(struct strowger *strowger);

#endif
