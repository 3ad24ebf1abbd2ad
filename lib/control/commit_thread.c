// The writer from its making to its end, and what the operator hears of it.
#include <errno.h>
#include <rte_lcore.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/clock.h"
#include "control/commit_parts.h"
#include "control/log.h"

#define NAP_LONG_US 500  // where nothing has come for
#define NAP_LONG_MS 1000 // so long

static size_t records_bytes(const struct control_commit *commit)
{
    return commit->room * sizeof(commit->records[0]);
}

static size_t changes_bytes(const struct control_commit *commit)
{
    return commit->room * sizeof(commit->changes[0]);
}

static void unmake(struct control_commit *commit)
{
    const struct memory *memory = commit->setup.memory;

    memory->give(memory->owner, commit->changes, changes_bytes(commit));
    memory->give(memory->owner, commit->records, records_bytes(commit));
    memory->give(memory->owner, commit, sizeof(*commit));
}

int control_commit_create(struct control_commit **created, const struct control_commit_setup *setup)
{
    const struct memory *memory = setup->memory;
    struct control_commit *commit = memory->take(memory->owner, sizeof(*commit), MEMORY_ANY_NODE);

    if (commit == NULL)
        return -ENOMEM;
    commit->setup = *setup;
    // All that can be under way, so that whatever is taken fits.
    for (unsigned i = 0; i < setup->journals_n; i++)
        commit->room += setup->journals[i]->records_max;
    commit->records = memory->take(memory->owner, records_bytes(commit), MEMORY_ANY_NODE);
    commit->changes = memory->take(memory->owner, changes_bytes(commit), MEMORY_ANY_NODE);
    if (commit->records == NULL || commit->changes == NULL) {
        unmake(commit);
        return -ENOMEM;
    }
    pthread_mutex_init(&commit->lock, NULL);
    pthread_cond_init(&commit->done, NULL);
    *created = commit;
    return 0;
}

static void *run(void *argument)
{
    struct control_commit *commit = argument;
    uint64_t busy_ms = 0;

    // Else the kernel adds up to 50 us to each nap, as long as the nap itself. Of this thread alone.
    prctl(PR_SET_TIMERSLACK, 1L);
    while (!atomic_load_explicit(&commit->stopping, memory_order_relaxed)) {
        uint64_t now_ms = clock_monotonic_ms();
        if (control_commit_turn(commit, now_ms) > 0) {
            busy_ms = now_ms;
            continue;
        }
        bool long_nap = now_ms > busy_ms + NAP_LONG_MS;
        struct timespec nap = {.tv_nsec = (long_nap ? NAP_LONG_US : CONTROL_COMMIT_NAP_US) * 1000};
        nanosleep(&nap, NULL);
    }
    return NULL;
}

int control_commit_launch(struct control_commit *commit)
{
    // Beside the lcores, not on one of the workers'.
    int error = rte_ctrl_thread_create(&commit->thread, "strowger-store", NULL, run, commit);

    commit->launched = error == 0;
    return error;
}

void control_commit_destroy(struct control_commit *commit)
{
    if (commit == NULL)
        return;
    if (commit->launched) {
        atomic_store(&commit->stopping, true);
        pthread_join(commit->thread, NULL);
        commit->launched = false;
    }
    control_commit_serve(commit);
    control_commit_finish(commit);
    pthread_cond_destroy(&commit->done);
    pthread_mutex_destroy(&commit->lock);
    unmake(commit);
}

bool control_commit_failing(const struct control_commit *commit)
{
    return atomic_load_explicit(&commit->setup.gate->turns, memory_order_relaxed) % 2 != 0;
}

static bool is_slow(const struct control_commit *commit, uint64_t now_ms)
{
    uint64_t busy_ms = atomic_load_explicit(&commit->setup.gate->busy_ms, memory_order_relaxed);

    return busy_ms != 0 && now_ms > busy_ms + JOURNAL_SLOW_MS;
}

static void tell(const struct control_commit *commit, bool slow)
{
    const char *path = commit->setup.path;
    const char *so = commit->setup.durability == CONF_DURABILITY_NONE
                         ? "what is registered or published would not outlive a restart"
                         : "REGISTER, PUBLISH and SUBSCRIBE are answered 503, calls go on";

    if (slow)
        CONTROL_LOG(ERR, "the store in %s does not end a write for over %d s: %s; look after the disk", path,
                    JOURNAL_SLOW_MS / 1000, so);
    else if (commit->counters.error == -ENOSPC)
        CONTROL_LOG(
            ERR, "the store in %s is full: %s; make room on its disk, or raise [store] size_max and restart",
            path, so);
    else
        CONTROL_LOG(ERR, "the store in %s cannot be written: %s: %s; look after the disk", path,
                    strerror((int)-commit->counters.error), so);
}

void control_commit_tick(struct control_commit *commit, uint64_t now_ms)
{
    bool slow = is_slow(commit, now_ms);

    if (slow || control_commit_failing(commit)) {
        if (commit->told_failing && now_ms < commit->log_ms)
            return;
        commit->told_failing = true;
        commit->log_ms = now_ms + CONTROL_COMMIT_LOG_MS;
        tell(commit, slow);
    } else if (commit->told_failing) {
        commit->told_failing = false;
        CONTROL_LOG(INFO, "the store in %s is written again", commit->setup.path);
    }
}

const struct control_commit_counters *control_commit_counters(const struct control_commit *commit)
{
    return &commit->counters;
}

const struct control_commit_setup *control_commit_setup(const struct control_commit *commit)
{
    return &commit->setup;
}
