#include <errno.h>
#include <stdio.h>

#include "call/call.h"
#include "control/loop.h"
#include "control/report.h"
#include "role/role.h"

static void add_transactions(struct rte_tel_data *row, const struct worker *worker)
{
    const struct counters *counters = &worker->counters;
    struct transaction_usage usage;

    transaction_usage(worker->role->transactions, &usage);
    rte_tel_data_add_dict_u64(row, "records", usage.records);
    rte_tel_data_add_dict_u64(row, "records_max", usage.records_max);
    rte_tel_data_add_dict_u64(row, "lingering", usage.lingering);
    rte_tel_data_add_dict_u64(row, "branches", usage.branches);
    rte_tel_data_add_dict_u64(row, "branches_max", usage.branches_max);
    rte_tel_data_add_dict_u64(row, "opened", usage.opened);
    rte_tel_data_add_dict_u64(row, "evicted", usage.evicted);
    rte_tel_data_add_dict_u64(row, "refused", usage.refused);
    rte_tel_data_add_dict_u64(row, "bytes", usage.bytes);
    rte_tel_data_add_dict_u64(row, "kept", worker->kept);
    rte_tel_data_add_dict_u64(row, "kept_max", worker->kept_max);
    rte_tel_data_add_dict_u64(row, "kept_large", worker->kept_large);
    rte_tel_data_add_dict_u64(row, "kept_refused", counters->kept_refused + worker->role->crowded);
    rte_tel_data_add_dict_u64(row, "sent_requests", counters->sent_requests);
    for (unsigned status = 1; status < COUNTERS_STATUS_CLASSES; status++) {
        char name[24];
        snprintf(name, sizeof(name), "sent_%uxx", status);
        rte_tel_data_add_dict_u64(row, name, counters->sent_responses[status]);
    }
    rte_tel_data_add_dict_u64(row, "sent_copies", counters->sent_copies);
    rte_tel_data_add_dict_u64(row, "unreachable", counters->unreachable);
    rte_tel_data_add_dict_u64(row, "large_by_tcp", worker->role->grown);
    rte_tel_data_add_dict_u64(row, "large_by_udp", worker->role->shrunk);
    rte_tel_data_add_dict_u64(row, "parked", counters->parked);
    rte_tel_data_add_dict_u64(row, "nameless", counters->nameless);
}

int control_report_transactions(const struct control *control, const char *parameter,
                                struct rte_tel_data *reply)
{
    struct control_span span;

    if (control_report_span(control, parameter, &span) != 0)
        return -EINVAL;
    rte_tel_data_start_dict(reply);
    for (unsigned w = span.first; control->setup.policy != NULL && w < span.end; w++) {
        struct rte_tel_data *row = control_report_row(reply, w);
        if (row == NULL)
            return -ENOMEM;
        add_transactions(row, control->setup.workers[w]);
    }
    return 0;
}

static void add_lines(struct rte_tel_data *reply, const struct control *control)
{
    const struct control_cdr_counters *cdr = control_cdr_counters(control->cdr);

    rte_tel_data_add_dict_u64(reply, "lines", cdr->lines);
    rte_tel_data_add_dict_u64(reply, "failures", cdr->failures);
    rte_tel_data_add_dict_u64(reply, "short_writes", cdr->short_writes);
    rte_tel_data_add_dict_u64(reply, "rotations", cdr->rotations);
    rte_tel_data_add_dict_u64(reply, "reopened", cdr->reopened);
    rte_tel_data_add_dict_u64(reply, "lost_at_the_end", cdr->lost);
}

int control_report_calls(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct control_span span;

    if (control_report_span(control, parameter, &span) != 0)
        return -EINVAL;
    rte_tel_data_start_dict(reply);
    if (control->cdr == NULL)
        return 0;
    add_lines(reply, control);
    for (unsigned w = span.first; w < span.end; w++) {
        struct rte_tel_data *row = control_report_row(reply, w);
        struct call_usage usage;
        if (row == NULL)
            return -ENOMEM;
        call_usage(control->calls[w], &usage);
        rte_tel_data_add_dict_u64(row, "calls", usage.calls);
        rte_tel_data_add_dict_u64(row, "calls_max", usage.calls_max);
        rte_tel_data_add_dict_u64(row, "begun", usage.begun);
        rte_tel_data_add_dict_u64(row, "unfollowed", usage.unfollowed);
        rte_tel_data_add_dict_u64(row, "lost_lines", usage.lost_lines);
    }
    return 0;
}

int control_report_names(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct control_dns_counters dns;
    struct name_usage names;

    (void)parameter;
    rte_tel_data_start_dict(reply);
    if (control->dns == NULL)
        return 0;
    name_usage(control->setup.names, &names);
    control_dns_counters(control->dns, &dns);
    rte_tel_data_add_dict_u64(reply, "names", names.names);
    rte_tel_data_add_dict_u64(reply, "names_max", names.names_max);
    rte_tel_data_add_dict_u64(reply, "hits", names.hits);
    rte_tel_data_add_dict_u64(reply, "misses", names.misses);
    rte_tel_data_add_dict_u64(reply, "evicted", names.evicted);
    rte_tel_data_add_dict_u64(reply, "lookups", dns.lookups);
    rte_tel_data_add_dict_u64(reply, "queries", dns.queries);
    rte_tel_data_add_dict_u64(reply, "found", dns.found);
    rte_tel_data_add_dict_u64(reply, "absent", dns.absent);
    rte_tel_data_add_dict_u64(reply, "failures", dns.failures);
    rte_tel_data_add_dict_u64(reply, "on_their_way", dns.on_their_way);
    rte_tel_data_add_dict_u64(reply, "parked", dns.parked);
    rte_tel_data_add_dict_u64(reply, "parked_high", dns.parked_high);
    rte_tel_data_add_dict_u64(reply, "parked_total", dns.parked_total);
    rte_tel_data_add_dict_u64(reply, "refused", dns.refused);
    return 0;
}
