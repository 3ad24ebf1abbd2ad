// What the policy in force says of gateways and of numbers.
#include <errno.h>

#include "control/loop.h"
#include "control/report.h"
#include "role/policy.h"

#define GATEWAYS_A_PAGE 30 // telemetry cuts an answer at 16 KiB

static const struct role_policy *policy_of(const struct control *control)
{
    return control->setup.policy != NULL ? *control->setup.policy : NULL;
}

static void add_gateway(struct rte_tel_data *row, const struct gateway_report *report, uint64_t now_ms)
{
    static const char *const healths[] = {
        [GATEWAY_UP] = "up", [GATEWAY_EASING] = "easing in", [GATEWAY_DOWN] = "down"};
    // The worker that wrote it may be a little ahead.
    uint64_t for_ms = now_ms > report->since_ms ? now_ms - report->since_ms : 0;

    rte_tel_data_add_dict_string(row, "name", report->name);
    rte_tel_data_add_dict_string(row, "group", report->group);
    rte_tel_data_add_dict_string(row, "health", healths[report->health]);
    rte_tel_data_add_dict_u64(row, "for_s", for_ms / 1000);
    rte_tel_data_add_dict_u64(row, "share", report->share);
    rte_tel_data_add_dict_u64(row, "calls", report->calls);
    rte_tel_data_add_dict_u64(row, "sent", report->sent);
    rte_tel_data_add_dict_u64(row, "good", report->good);
    rte_tel_data_add_dict_u64(row, "bad", report->bad);
    rte_tel_data_add_dict_u64(row, "over_bound", report->over_bound);
    rte_tel_data_add_dict_u64(row, "probes", report->probes);
    rte_tel_data_add_dict_u64(row, "probe_failures", report->probe_failures);
}

static int add_row(struct rte_tel_data *reply, const struct control *control, unsigned gateway)
{
    struct rte_tel_data *row = control_report_row(reply, gateway);
    struct gateway_report report;

    if (row == NULL)
        return -ENOMEM;
    gateway_report(policy_of(control)->gateways, gateway, control->now_ms, &report);
    add_gateway(row, &report, control->now_ms);
    return 0;
}

static int gateway_named(const struct conf *conf, const char *name)
{
    for (unsigned i = 0; i < conf->gateways_n; i++) {
        if (strcmp(conf->gateways[i].name, name) == 0)
            return (int)i;
    }
    return CONF_NONE;
}

int control_report_gateways(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    const struct role_policy *policy = policy_of(control);
    unsigned n = policy != NULL ? policy->conf->gateways_n : 0;
    uint64_t start = 0;
    int error = 0;

    rte_tel_data_start_dict(reply);
    if (parameter != NULL && policy != NULL) {
        int named = gateway_named(policy->conf, parameter);
        if (named != CONF_NONE)
            return add_row(reply, control, (unsigned)named);
    }
    if (parameter != NULL && !slice_number(slice_text(parameter), n, &start))
        return -EINVAL;
    for (unsigned i = (unsigned)start; error == 0 && i < n; i++) {
        if (i - start == GATEWAYS_A_PAGE) {
            rte_tel_data_add_dict_u64(reply, "next", i);
            break;
        }
        error = add_row(reply, control, i);
    }
    return error;
}

int control_report_numbers(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    const struct role_policy *policy = policy_of(control);
    const struct number_table *numbers = policy == NULL ? NULL : role_policy_numbers(policy);

    (void)parameter;
    rte_tel_data_start_dict(reply);
    if (numbers == NULL)
        return 0;
    rte_tel_data_add_dict_u64(reply, "prefixes", number_table_prefixes(numbers));
    rte_tel_data_add_dict_u64(reply, "bytes", number_table_bytes(numbers)); // of each node's copy
    return 0;
}
