#include <errno.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <string.h>

#include "control/commit.h"
#include "control/load.h"
#include "control/load_presence.h"
#include "start.h"
#include "worker/journal.h"

#define JOURNAL_MIN 16 // records of a worker

int start_store(struct strowger *strowger)
{
    const struct conf *conf = strowger->conf;
    struct store_setup setup = {.path = conf->store_path, .size_max = conf->store_size_max};

    if (strowger->store != NULL || conf->store_path == NULL)
        return 0;
    return store_open(&strowger->store, &setup, stderr);
}

void stop_store(struct strowger *strowger)
{
    store_close(strowger->store);
    strowger->store = NULL;
}

// Answers that wait are buffers that do not receive: at most half of them.
static uint32_t records_each(const struct strowger *strowger)
{
    const struct conf *conf = strowger->conf;
    uint32_t all = conf->durability == CONF_DURABILITY_COMMIT
                       ? RTE_MIN(conf->store_queue_max, conf->mbufs / 2)
                       : conf->store_queue_max;

    return RTE_MAX(all / strowger->workers_n, (uint32_t)JOURNAL_MIN);
}

static int make_journals(struct strowger *strowger)
{
    for (unsigned id = 0; id < strowger->workers_n; id++) {
        struct worker *worker = strowger->workers[id];
        int error = journal_create(&strowger->journals[id], &strowger->gate, records_each(strowger),
                                   (int)rte_lcore_to_socket_id(worker->lcore), &memory_system);
        if (error != 0)
            return error;
        worker->journal = strowger->journals[id];
        worker->role->journal = strowger->journals[id];
    }
    return 0;
}

static int make_commit(struct strowger *strowger)
{
    struct control_commit_setup setup = {
        .store = strowger->store,
        .gate = &strowger->gate,
        .journals = strowger->journals,
        .journals_n = strowger->workers_n,
        .durability = strowger->conf->durability,
        .path = strowger->conf->store_path != NULL ? strowger->conf->store_path : "memory",
        .memory = &memory_system,
    };

    return control_commit_create(&strowger->commit, &setup);
}

static int load(struct strowger *strowger)
{
    struct control_load loaded;
    int error = control_load(strowger->store, strowger->location, strowger->workers_n, strowger->conf,
                             &strowger->workers[0]->now, &loaded, stderr);

    if (error == 0)
        fprintf(stderr, "strowger: %lu binding%s of %lu address%s of record loaded in %lu ms\n",
                loaded.bindings, loaded.bindings == 1 ? "" : "s", loaded.aors, loaded.aors == 1 ? "" : "es",
                loaded.ms);
    return error;
}

static int load_presence(struct strowger *strowger)
{
    struct control_load_presence loaded;

    if (!strowger->conf->presence)
        return 0;
    int error = control_load_presence(strowger->store, strowger->presence, strowger->location, strowger->conf,
                                      &strowger->workers[0]->now, &loaded, stderr);
    if (error == 0)
        fprintf(stderr, "strowger: %lu publication%s and %lu subscription%s loaded in %lu ms\n",
                loaded.publications, loaded.publications == 1 ? "" : "s", loaded.subscriptions,
                loaded.subscriptions == 1 ? "" : "s", loaded.ms);
    return error;
}

int start_journals(struct strowger *strowger)
{
    if (strowger->store == NULL)
        return 0;
    int error = load(strowger);
    if (error == 0)
        error = load_presence(strowger);
    if (error != 0)
        return error;
    error = make_journals(strowger);
    if (error == 0)
        error = make_commit(strowger);
    if (error == 0)
        return 0;
    fprintf(stderr, "strowger: no memory for what waits for the store: %s; lower [store] queue_max\n",
            strerror(-error));
    stop_journals(strowger);
    return error;
}

// What was on its way is on the disk when the writer has ended; its answers are not sent any more.
static void free_answers(struct journal *journal)
{
    struct journal_record *record;

    while ((record = journal_settled(journal)) != NULL) {
        rte_pktmbuf_free(record->answer);
        journal_free(journal, record);
    }
}

void stop_journals(struct strowger *strowger)
{
    control_commit_destroy(strowger->commit);
    strowger->commit = NULL;
    for (unsigned id = 0; id < strowger->workers_n; id++) {
        if (strowger->journals[id] == NULL)
            continue;
        free_answers(strowger->journals[id]);
        journal_destroy(strowger->journals[id]);
        strowger->journals[id] = NULL;
        strowger->workers[id]->journal = strowger->workers[id]->role->journal = NULL;
    }
}
