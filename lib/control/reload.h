// reload: another configuration for a server that runs, whole or not at all.
//
// SIGHUP has the configuration's file read again. A thread of its own reads, checks and compiles it, since a table of
// numbers may take seconds, and the loop goes on meanwhile. What it says is wrong, and what only a restart can change,
// is logged, and nothing is changed. Else the new policy is published to all workers, which take it at their next turn,
// and the one before is freed once each of them has passed a quiescent state. Nobody waits for anybody, so no message
// is lost. One reload at a time; what is asked for during one is done once more after it.
//
// Owned by control; all functions belong to the main lcore.
#ifndef CONTROL_RELOAD_H
#define CONTROL_RELOAD_H

#include "base/memory.h"
#include "role/policy.h"
#include "stream/stream.h"
#include "worker/worker.h"

struct control_reload;

struct control_reload_setup {
    const char *path;           // of the configuration; outlives it
    struct role_policy *policy; // in force; not owned, but for one that was replaced
    struct worker *const *workers;
    unsigned workers_n;
    struct rte_rcu_qsbr *qsbr; // the workers are its readers
    struct gateway_states *gateways;
    const struct hash_key *secret;
    const struct memory *memory;
    // Loads certificates, as stream_tls_create does; NULL: there are no streams to show them on.
    struct stream_tls *(*secure)(const struct conf *conf, FILE *errors);
    // Workers have this policy now and it is the callee's, and so is `tls`; who has something of the old one lets go of it. When this
    // returns only workers may still read the old one, which is freed by and by.
    void (*published)(void *owner, struct role_policy *policy, struct stream_tls *tls);
    void *owner;
};

struct control_reload_counters {
    uint64_t reloaded, refused;
};

// 0 or -ENOMEM.
int control_reload_create(struct control_reload **reload, const struct control_reload_setup *setup);

// After the workers have stopped. The policy in force stays. Waits for the thread where there is one. NULL is allowed.
void control_reload_destroy(struct control_reload *reload);

// SIGHUP came.
void control_reload_ask(struct control_reload *reload, uint64_t now_ms);

// Goes on with what was begun, now and then. Never waits.
void control_reload_tick(struct control_reload *reload, uint64_t now_ms);

// Whether there is nothing under way.
bool control_reload_idle(const struct control_reload *reload);

// Why the last one that came to its end was refused, in lines, valid until the next begins; NULL: it was taken, or
// there was none.
const char *control_reload_refusal(const struct control_reload *reload);

// Any thread.
void control_reload_counters(const struct control_reload *reload, struct control_reload_counters *counters);

#endif
