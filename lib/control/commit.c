#include "control/commit.h"

#include <errno.h>
#include <time.h>

#include "control/commit_parts.h"

#define TRIAL_BYTES 16384 // as much as a batch of a few hundred registrations

static bool promises(const struct control_commit *commit)
{
    return commit->setup.durability == CONF_DURABILITY_COMMIT;
}

static uint64_t microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool gate_is_shut(const struct control_commit *commit)
{
    return atomic_load_explicit(&commit->setup.gate->turns, memory_order_relaxed) % 2 != 0;
}

static void turn_gate(struct control_commit *commit)
{
    atomic_fetch_add_explicit(&commit->setup.gate->turns, 1, memory_order_release);
}

// Every write goes through here: while it is under way, workers can tell how long.
int control_commit_write(struct control_commit *commit, const struct store_change *changes, unsigned n,
                         bool sync)
{
    struct control_commit_counters *counters = &commit->counters;
    uint64_t began = microseconds();

    atomic_store_explicit(&commit->setup.gate->busy_ms, began / 1000, memory_order_relaxed);
    int error = store_apply(commit->setup.store, changes, n, sync);
    atomic_store_explicit(&commit->setup.gate->busy_ms, 0, memory_order_relaxed);
    counters->batch_us = microseconds() - began;
    if (counters->batch_us > counters->slowest_us)
        counters->slowest_us = counters->batch_us;
    if (error != 0) {
        counters->failures++;
        counters->error = error;
    }
    return error;
}

static void take(struct control_commit *commit)
{
    for (unsigned i = 0; i < commit->setup.journals_n; i++) {
        struct journal_record *record;
        while (commit->n < commit->room && (record = journal_take(commit->setup.journals[i])) != NULL)
            commit->records[commit->n++] = record;
    }
}

static int write_taken(struct control_commit *commit)
{
    unsigned n = 0;

    for (unsigned i = 0; i < commit->n; i++) {
        struct journal_record *record = commit->records[i];
        if (record->key_len == 0)
            continue;
        commit->changes[n++] = (struct store_change){
            .kind = record->kind,
            .key = slice_of(record->text, record->key_len),
            .value = slice_of(record->value_len == 0 ? NULL : journal_value(record), record->value_len)};
    }
    if (n == 0)
        return 0;
    int error =
        control_commit_write(commit, commit->changes, n, commit->setup.durability != CONF_DURABILITY_NONE);
    if (error == 0) {
        commit->counters.batches++;
        commit->counters.records += n;
        if (n > commit->counters.batch_max)
            commit->counters.batch_max = n;
    }
    return error;
}

static void settle(struct control_commit *commit)
{
    commit->n = 0;
    for (unsigned i = 0; i < commit->setup.journals_n; i++)
        journal_settle(commit->setup.journals[i]);
}

static void settle_written(struct control_commit *commit)
{
    for (unsigned i = 0; i < commit->n; i++)
        commit->records[i]->outcome = JOURNAL_WRITTEN;
    settle(commit);
}

// With what the disk has in the place of what was to be written. Where that does not fit, the value came from a record
// before this one, and that one brings it back: a record has room for what was in the table when it was made.
static void refuse(struct control_commit *commit, struct journal_record *record)
{
    record->outcome = JOURNAL_REFUSED;
    commit->counters.refused++;
    if (record->key_len == 0)
        return;
    int len = store_get(commit->setup.store, record->kind, slice_of(record->text, record->key_len),
                        journal_value(record), record->value_room);
    if (len < 0 || (uint32_t)len > record->value_room)
        record->outcome = JOURNAL_UNKNOWN;
    else
        record->value_len = (uint32_t)len;
}

static void refuse_taken(struct control_commit *commit)
{
    for (unsigned i = 0; i < commit->n; i++)
        refuse(commit, commit->records[i]);
    settle(commit);
}

// What was appended before a worker saw the gate shut is refused by now, put back, and answered.
static bool all_quiet(struct control_commit *commit)
{
    for (unsigned i = 0; i < commit->setup.journals_n; i++) {
        if (!journal_quiet(commit->setup.journals[i]))
            return false;
    }
    return true;
}

static int write_trial(struct control_commit *commit)
{
    static const char zeros[TRIAL_BYTES];
    const struct store_change change = {STORE_TRIAL, SLICE("trial"), slice_of(zeros, sizeof(zeros))};

    return control_commit_write(commit, &change, 1, true);
}

static void try_again(struct control_commit *commit, uint64_t now_ms)
{
    if (now_ms < commit->retry_ms || (promises(commit) && !all_quiet(commit)))
        return;
    int error = promises(commit) ? write_trial(commit) : write_taken(commit);

    if (error != 0) {
        commit->retry_ms = now_ms + CONTROL_COMMIT_RETRY_MS;
        return;
    }
    settle_written(commit);
    turn_gate(commit);
}

static void fail(struct control_commit *commit, uint64_t now_ms)
{
    commit->counters.shut++;
    commit->retry_ms = now_ms + CONTROL_COMMIT_RETRY_MS;
    turn_gate(commit);
}

// Nobody waits for it, so the later it is written the more of it is one write of the same key.
static bool is_lazy(struct control_commit *commit, uint64_t now_ms)
{
    if (commit->setup.durability != CONF_DURABILITY_NONE)
        return false;
    if (commit->due_ms == 0)
        commit->due_ms = now_ms + CONTROL_COMMIT_LAZY_MS;
    if (now_ms < commit->due_ms && commit->n < commit->room / 2)
        return true;
    commit->due_ms = 0;
    return false;
}

static void sweep(struct control_commit *commit, uint64_t now_ms)
{
    if (now_ms < commit->sweep_ms)
        return;
    commit->sweep_ms = now_ms + CONTROL_COMMIT_SWEEP_MS;
    if (control_commit_sweep(commit, (uint64_t)time(NULL)))
        commit->sweep_ms = now_ms;
}

unsigned control_commit_turn(struct control_commit *commit, uint64_t now_ms)
{
    control_commit_serve(commit);
    take(commit);
    unsigned n = commit->n;
    if (!gate_is_shut(commit)) {
        if (n == 0) {
            sweep(commit, now_ms);
            return 0;
        }
        if (is_lazy(commit, now_ms))
            return 0;
        if (write_taken(commit) == 0) {
            settle_written(commit);
            return n;
        }
        fail(commit, now_ms);
    }
    if (promises(commit))
        refuse_taken(commit);
    try_again(commit, now_ms);
    return n - commit->n;
}

void control_commit_finish(struct control_commit *commit)
{
    take(commit);
    if (write_taken(commit) == 0)
        settle_written(commit);
    else
        refuse_taken(commit);
}
