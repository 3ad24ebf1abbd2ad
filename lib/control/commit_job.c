// Changes of control's own, on the writer's thread. There is one at a time; it lies in memory of its own, so that
// control can give up waiting for a disk that hangs.
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "control/commit_parts.h"

static char *copy(struct slice *bytes, char *to)
{
    if (bytes->at == NULL)
        return to;
    memcpy(to, bytes->at, bytes->len);
    bytes->at = to;
    return to + bytes->len;
}

static struct control_commit_job *make_job(const struct store_change *changes, unsigned n)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < n; i++)
        bytes += changes[i].key.len + changes[i].value.len;
    struct control_commit_job *job = malloc(sizeof(*job) + n * sizeof(job->changes[0]) + bytes);
    if (job == NULL)
        return NULL;
    *job = (struct control_commit_job){.n = n};
    char *to = (char *)(job->changes + n);
    for (unsigned i = 0; i < n; i++) {
        job->changes[i] = changes[i];
        to = copy(&job->changes[i].value, copy(&job->changes[i].key, to));
    }
    return job;
}

void control_commit_serve(struct control_commit *commit)
{
    pthread_mutex_lock(&commit->lock);
    struct control_commit_job *job = commit->job;
    pthread_mutex_unlock(&commit->lock);
    if (job == NULL)
        return;
    int error = control_commit_write(commit, job->changes, job->n, true);

    pthread_mutex_lock(&commit->lock);
    commit->job = NULL;
    job->error = error;
    job->done = true;
    if (job->abandoned)
        free(job);
    pthread_cond_signal(&commit->done);
    pthread_mutex_unlock(&commit->lock);
}

// The lock is held. -ETIMEDOUT: the writer has the job, and frees it.
static int wait_for(struct control_commit *commit, struct control_commit_job *job)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CONTROL_COMMIT_APPLY_MS / 1000;
    while (!job->done) {
        if (pthread_cond_clockwait(&commit->done, &commit->lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT &&
            !job->done) {
            job->abandoned = true;
            return -ETIMEDOUT;
        }
    }
    int error = job->error;
    free(job);
    return error;
}

int control_commit_apply(struct control_commit *commit, const struct store_change *changes, unsigned n)
{
    int error = -EBUSY;

    if (!commit->launched)
        return control_commit_write(commit, changes, n, true);
    struct control_commit_job *job = make_job(changes, n);
    if (job == NULL)
        return -ENOMEM;
    pthread_mutex_lock(&commit->lock);
    if (commit->job == NULL) {
        commit->job = job;
        error = wait_for(commit, job);
    } else {
        free(job);
    }
    pthread_mutex_unlock(&commit->lock);
    return error;
}
