#include "start.h"

#include <errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <stdio.h>

#include "control/commit.h"
#include "datapath/datapath.h"

static int start_launch(struct strowger *strowger)
{
    if (strowger->commit != NULL && control_commit_launch(strowger->commit) != 0) {
        fputs("strowger: no thread for the store's writer\n", stderr);
        return -EAGAIN;
    }
    for (unsigned id = 0; id < strowger->workers_n; id++) {
        int error = rte_eal_remote_launch(datapath_run, strowger->workers[id], strowger->workers[id]->lcore);
        if (error != 0) {
            fprintf(stderr, "strowger: worker lcore %u does not take its loop\n",
                    strowger->workers[id]->lcore);
            return error;
        }
        strowger->launched = id + 1;
    }
    return 0;
}

// Workers end their turn, send what waits for tx and free what is in their rings.
static void stop_launch(struct strowger *strowger)
{
    atomic_store(&strowger->stop, true);
    while (strowger->launched > 0)
        rte_eal_wait_lcore(strowger->workers[--strowger->launched]->lcore);
}

static const struct stage_of_start {
    int (*start)(struct strowger *strowger);
    void (*stop)(struct strowger *strowger);
} stages[] = {
    {start_store, stop_store},       {start_pools, stop_pools},     {start_tables, stop_tables},
    {start_ports, stop_ports},       {start_workers, stop_workers}, {start_presence, stop_presence},
    {start_journals, stop_journals}, {start_control, stop_control}, {start_launch, stop_launch},
};

static int run(struct strowger *strowger)
{
    const struct conf *conf = strowger->conf;
    unsigned done = 0;
    int status = 1;

    while (done < RTE_DIM(stages) && stages[done].start(strowger) == 0)
        done++;
    if (done == RTE_DIM(stages)) {
        fprintf(stderr, "strowger: %u worker%s, %u port%s, %u listener%s: serving\n", strowger->workers_n,
                strowger->workers_n == 1 ? "" : "s", conf->ports_n, conf->ports_n == 1 ? "" : "s",
                conf->listeners_n, conf->listeners_n == 1 ? "" : "s");
        status = serve_control(strowger) == 0 ? 0 : 1;
    }
    while (done > 0)
        stages[--done].stop(strowger);
    return status;
}

int strowger_run(struct conf *conf, const char *path)
{
    struct strowger strowger = {.conf = conf, .path = path, .workers_n = rte_lcore_count() - 1};
    int status = 1;

    if (strowger.workers_n == 0 || strowger.workers_n > WORKERS_MAX) {
        fprintf(stderr,
                "strowger: EAL was given %u lcore%s; one for control and 1 to %d for workers are needed: -l "
                "0,1\n",
                rte_lcore_count(), rte_lcore_count() == 1 ? "" : "s", WORKERS_MAX);
    } else {
        status = run(&strowger);
    }
    conf_free(strowger.conf);
    return status;
}
