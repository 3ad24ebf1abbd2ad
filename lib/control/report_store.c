#include <errno.h>

#include "control/commit.h"
#include "control/loop.h"
#include "control/report.h"

static const char *const kinds[STORE_KINDS] = {[STORE_BINDINGS] = "bindings",
                                               [STORE_USERS] = "users",
                                               [STORE_PUBLICATIONS] = "publications",
                                               [STORE_SUBSCRIPTIONS] = "subscriptions",
                                               [STORE_RULES] = "rules",
                                               [STORE_LISTS] = "lists"};

static void add_writer(struct rte_tel_data *reply, const struct control_commit *commit)
{
    const struct control_commit_counters *counters = control_commit_counters(commit);

    rte_tel_data_add_dict_string(reply, "state", control_commit_failing(commit) ? "failing" : "good");
    rte_tel_data_add_dict_u64(reply, "batches", counters->batches);
    rte_tel_data_add_dict_u64(reply, "records", counters->records);
    rte_tel_data_add_dict_u64(reply, "batch_max", counters->batch_max);
    rte_tel_data_add_dict_u64(reply, "batch_us", counters->batch_us);
    rte_tel_data_add_dict_u64(reply, "slowest_us", counters->slowest_us);
    rte_tel_data_add_dict_u64(reply, "failures", counters->failures);
    rte_tel_data_add_dict_u64(reply, "alarms", counters->shut);
    rte_tel_data_add_dict_u64(reply, "refused_behind", counters->refused);
    rte_tel_data_add_dict_u64(reply, "swept", counters->swept);
}

static void add_journals(struct rte_tel_data *reply, const struct control_commit_setup *setup)
{
    struct journal sum = {0};

    for (unsigned i = 0; i < setup->journals_n; i++) {
        const struct journal *journal = setup->journals[i];
        sum.appended += journal->appended;
        sum.parked += journal->parked;
        sum.refused += journal->refused;
        sum.skipped += journal->skipped;
        sum.restored += journal->restored;
        sum.lost += journal->lost;
        sum.records += journal->records;
        sum.records_max += journal->records_max;
        sum.records_high = RTE_MAX(sum.records_high, journal->records_high);
    }
    rte_tel_data_add_dict_u64(reply, "waiting", sum.records);
    rte_tel_data_add_dict_u64(reply, "waiting_max", sum.records_max);
    rte_tel_data_add_dict_u64(reply, "waiting_high", sum.records_high);
    rte_tel_data_add_dict_u64(reply, "changes", sum.appended);
    rte_tel_data_add_dict_u64(reply, "answers", sum.parked);
    rte_tel_data_add_dict_u64(reply, "refused", sum.refused);
    rte_tel_data_add_dict_u64(reply, "skipped", sum.skipped);
    rte_tel_data_add_dict_u64(reply, "restored", sum.restored);
    rte_tel_data_add_dict_u64(reply, "not_restored", sum.lost);
}

int control_report_store(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    const struct control_commit *commit = control->setup.commit;
    struct store_usage usage;

    (void)parameter;
    rte_tel_data_start_dict(reply);
    if (commit == NULL)
        return 0;
    const struct control_commit_setup *setup = control_commit_setup(commit);
    add_writer(reply, commit);
    add_journals(reply, setup);
    if (store_usage(setup->store, &usage) != 0)
        return 0;
    for (unsigned kind = 1; kind < STORE_KINDS; kind++) {
        if (kinds[kind] != NULL)
            rte_tel_data_add_dict_u64(reply, kinds[kind], usage.keys[kind]);
    }
    rte_tel_data_add_dict_u64(reply, "bytes", usage.bytes);
    rte_tel_data_add_dict_u64(reply, "bytes_max", usage.bytes_max);
    return 0;
}
