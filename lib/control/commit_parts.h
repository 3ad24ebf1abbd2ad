// commit_parts: what the writer consists of. Internal to commit*.c.
#ifndef CONTROL_COMMIT_PARTS_H
#define CONTROL_COMMIT_PARTS_H

#include <pthread.h>

#include "control/commit.h"

// Control's own changes, in memory of their own, so that control need not wait for their end.
struct control_commit_job {
    int error;
    bool done, abandoned;
    unsigned n;
    struct store_change changes[];
};

struct control_commit {
    struct control_commit_setup setup;
    struct control_commit_counters counters;

    // writer
    struct journal_record **records; // taken, and not yet settled
    struct store_change *changes;    // theirs
    unsigned n, room;
    uint64_t due_ms;    // of a lazy batch
    uint64_t retry_ms;  // of the next trial
    uint64_t sweep_ms;  // of the next look for what died
    uint32_t sweep_len; // the key behind which it goes on
    unsigned sweep_kind; // index into the kinds that are swept
    char sweep_key[STORE_KEY_MAX];

    // control and writer
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct control_commit_job *job;
    pthread_t thread;
    bool launched;
    atomic_bool stopping;

    // control
    bool told_failing;
    uint64_t log_ms;
};

// commit.c: every write goes through here. 0 or -errno.
int control_commit_write(struct control_commit *commit, const struct store_change *changes, unsigned n,
                         bool sync);

// The last write, and everything settled whatever comes of it.
void control_commit_finish(struct control_commit *commit);

// commit_job.c: what control asked for, if anything.
void control_commit_serve(struct control_commit *commit);

// commit_sweep.c: looks at a part of the store and removes what died. False: nothing did.
bool control_commit_sweep(struct control_commit *commit, uint64_t unix_s);

#endif
