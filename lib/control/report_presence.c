// What is published and watched, and what became of PUBLISH and SUBSCRIBE.
#include <errno.h>

#include "control/loop.h"
#include "control/report.h"
#include "presence/presence.h"
#include "role/role.h"

static void add_counters(struct rte_tel_data *row, const struct presence_counters *counters)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        {"subscribed", counters->subscribed}, {"refreshed", counters->refreshed},
        {"fetched", counters->fetched},       {"ended", counters->ended},
        {"published", counters->published},   {"changed", counters->changed},
        {"prolonged", counters->prolonged},   {"removed", counters->removed},
        {"repeated", counters->repeated},     {"unmatched", counters->unmatched},
        {"bad_event", counters->bad_event},   {"bad_body", counters->bad_body},
        {"brief", counters->brief},           {"forbidden", counters->forbidden},
        {"crowded", counters->crowded},       {"refused", counters->refused},
        {"notified", counters->notified},     {"unsent", counters->unsent},
        {"composed", counters->composed},     {"overlong", counters->overlong},
    };

    for (unsigned i = 0; i < RTE_DIM(all); i++)
        rte_tel_data_add_dict_u64(row, all[i].name, all[i].value);
}

static void add_usage(struct rte_tel_data *row, const struct subscription_usage *usage)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        {"presentities", usage->presentities},
        {"presentities_max", usage->presentities_max},
        {"publications", usage->publications},
        {"publications_max", usage->publications_max},
        {"subscriptions", usage->subscriptions},
        {"subscriptions_max", usage->subscriptions_max},
        {"pending", usage->pending},
        {"sources", usage->sources},
        {"bytes", usage->bytes},
        {"bytes_max", usage->bytes_max},
        {"index_bytes", usage->index_bytes},
        {"deferred", usage->deferred},
        {"resent", usage->resent},
        {"answered", usage->answered},
        {"failed", usage->failed},
        {"refused_source", usage->refused_source},
        {"refused_watchers", usage->refused_watchers},
    };

    for (unsigned i = 0; i < RTE_DIM(all); i++)
        rte_tel_data_add_dict_u64(row, all[i].name, all[i].value);
}

int control_report_presence(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct control_span span;
    int error = control_report_span(control, parameter, &span);

    if (error != 0)
        return error;
    rte_tel_data_start_dict(reply);
    for (unsigned id = span.first; id < span.end; id++) {
        const struct role *role = control->setup.workers[id]->role;
        const struct presence *presence = role != NULL ? role->presence : NULL;
        struct subscription_usage usage;
        if (presence == NULL)
            continue;
        struct rte_tel_data *row = control_report_row(reply, id);
        if (row == NULL)
            return -ENOMEM;
        subscription_usage(presence_table(presence), &usage);
        add_usage(row, &usage);
        add_counters(row, presence_counters(presence));
    }
    return 0;
}
