// commit: the one thread that writes to the store.
//
// It takes what all workers have appended to their journals since it last looked, writes it as one transaction, waits
// for the disk once, and settles it: so one flush serves as many registrations as came while the one before was under
// way. What it costs a registration is the rest of that flush and its own: at most two, and a look every
// CONTROL_COMMIT_NAP_US while nothing is to do, since workers cannot wake anybody.
//
// When the store fails (the disk or size_max is full, an error of the disk), the gate is shut: workers answer REGISTER
// with 503 and calls go on. With durability = commit all that was not yet promised is refused, with the value that the
// disk has for it; the gate opens again when every worker has put that back and a trial write succeeds. With relaxed
// and none the promises are made already: the batch is kept and tried again until it succeeds. A write that only takes
// long shuts the gate by itself (JOURNAL_SLOW_MS). Each is logged when it begins, once a minute while it lasts, and
// when it is over.
//
// Bindings that died are removed from the store here, a few at a time, as far as nothing else is to do.
//
// Threads: one writer of its own from launch to destroy; control_commit_turn by hand where there is none (tests). The
// others by control's thread.
#ifndef CONTROL_COMMIT_H
#define CONTROL_COMMIT_H

#include "base/memory.h"
#include "conf/conf.h"
#include "store/store.h"
#include "worker/journal.h"

#define CONTROL_COMMIT_NAP_US   50
#define CONTROL_COMMIT_RETRY_MS 500  // between trials while the store fails
#define CONTROL_COMMIT_LAZY_MS  500  // durability = none: what came in this time is written together
#define CONTROL_COMMIT_SWEEP_MS 100  // between looks for what died
#define CONTROL_COMMIT_APPLY_MS 2000 // longest wait of control_commit_apply
#define CONTROL_COMMIT_LOG_MS   60000

struct control_commit;

struct control_commit_setup {
    struct store *store;             // written by nobody else from launch to destroy
    struct journal_gate *gate;       // the journals'
    struct journal *const *journals; // of all workers; they outlive this
    unsigned journals_n;
    enum conf_durability durability;
    const char *path; // for the log
    const struct memory *memory;
};

// writer: wo, telemetry: ro
struct control_commit_counters {
    uint64_t batches, records;     // written
    uint64_t refused;              // records
    uint64_t failures;             // of writing, trials included
    uint64_t shut;                 // times the gate was shut
    uint64_t swept;                // dead bindings' keys removed
    uint64_t batch_max;            // records
    uint64_t batch_us, slowest_us; // the last write, and the slowest
    int64_t error;                 // the last failure, -errno
};

// 0 or -ENOMEM.
int control_commit_create(struct control_commit **commit, const struct control_commit_setup *setup);

// The writer's thread. 0 or -errno.
int control_commit_launch(struct control_commit *commit);

// Ends the thread, writes what is left as far as that succeeds, and settles everything. The workers have stopped. NULL
// is allowed.
void control_commit_destroy(struct control_commit *commit);

// One look at everything, and what follows from it. Returns the records that were settled. `now_ms` as clock.ms has it.
unsigned control_commit_turn(struct control_commit *commit, uint64_t now_ms);

// All changes or none, on the disk when it returns: for users and whatever else control itself keeps. 0, what
// store_apply says, -EBUSY (an earlier one is not done), or -ETIMEDOUT: it did not come to an end in
// CONTROL_COMMIT_APPLY_MS and may still. For large imports in several calls, so that the loop gets its turns.
int control_commit_apply(struct control_commit *commit, const struct store_change *changes, unsigned n);

// Now and then: says in the log what the operator must know.
void control_commit_tick(struct control_commit *commit, uint64_t now_ms);

// Any thread.
const struct control_commit_counters *control_commit_counters(const struct control_commit *commit);
const struct control_commit_setup *control_commit_setup(const struct control_commit *commit);
bool control_commit_failing(const struct control_commit *commit);

#endif
