#include <ctype.h>
#include <errno.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <strings.h>

#include "control/loop.h"
#include "control/report.h"
#include "role/role.h"

#define NAME_MAX_BYTES 64 // of a key: telemetry takes no longer ones

int control_report_span(const struct control *control, const char *parameter, struct control_span *span)
{
    uint64_t id;

    *span = (struct control_span){0, control->setup.workers_n};
    if (parameter == NULL)
        return 0;
    if (control->setup.workers_n == 0 ||
        !slice_number(slice_text(parameter), control->setup.workers_n - 1, &id))
        return -EINVAL;
    *span = (struct control_span){(unsigned)id, (unsigned)id + 1};
    return 0;
}

// The sum over workers of the counter that lies `offset` bytes into struct counters.
static uint64_t sum(const struct control *control, struct control_span span, size_t offset)
{
    uint64_t total = 0;

    for (unsigned w = span.first; w < span.end; w++) {
        const char *counters = (const char *)&control->setup.workers[w]->counters;
        total += *(const volatile uint64_t *)(const void *)(counters + offset);
    }
    return total;
}

// A key as telemetry takes it: letters, digits and '_' only.
static const char *key_of(const char *text, size_t len, char *key)
{
    size_t n = RTE_MIN(len, (size_t)NAME_MAX_BYTES - 1);

    for (size_t i = 0; i < n; i++)
        key[i] = isalnum((unsigned char)text[i]) ? (char)tolower((unsigned char)text[i]) : '_';
    key[n] = 0;
    return key;
}

int control_report_workers(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct control_span span;

    if (control_report_span(control, parameter, &span) != 0)
        return -EINVAL;
    rte_tel_data_start_dict(reply);
    for (unsigned w = span.first; w < span.end; w++) {
        const struct worker *worker = control->setup.workers[w];
        const struct counters *counters = &worker->counters;
        char key[NAME_MAX_BYTES];
        snprintf(key, sizeof(key), "%u", w);
        struct rte_tel_data *row = control_report_nest(reply, key);
        if (row == NULL)
            return -ENOMEM;
        rte_tel_data_add_dict_u64(row, "lcore", worker->lcore);
        rte_tel_data_add_dict_int(row, "socket", worker->socket);
        rte_tel_data_add_dict_u64(row, "busy_cycles", counters->busy_cycles);
        rte_tel_data_add_dict_u64(row, "idle_cycles", counters->idle_cycles);
        rte_tel_data_add_dict_u64(row, "handed_over", counters->handed_over);
        rte_tel_data_add_dict_u64(row, "reassembled", counters->reassembled);
        rte_tel_data_add_dict_u64(row, "fragmented", counters->fragmented);
        rte_tel_data_add_dict_u64(row, "linearised", counters->linearised);
        rte_tel_data_add_dict_u64(row, "keepalives", counters->keepalives);
        if (worker->role != NULL)
            rte_tel_data_add_dict_u64(row, "tokens_refused", worker->role->tokens_refused);
        rte_tel_data_add_dict_u64(row, "mailbox_high", counters->mailbox_high);
        rte_tel_data_add_dict_u64(row, "punt_high", counters->punt_high);
        rte_tel_data_add_dict_u64(row, "inject_high", counters->inject_high);
    }
    return 0;
}

static const struct {
    const char *name;
    size_t offset; // into struct counters_port
} port_counters[] = {
    {"rx_packets", offsetof(struct counters_port, rx_packets)},
    {"rx_bytes", offsetof(struct counters_port, rx_bytes)},
    {"tx_packets", offsetof(struct counters_port, tx_packets)},
    {"tx_bytes", offsetof(struct counters_port, tx_bytes)},
    {"punted", offsetof(struct counters_port, punted)},
    {"injected", offsetof(struct counters_port, injected)},
};

static void add_twin(struct rte_tel_data *row, const struct control_twin *twin)
{
    const struct control_twin_counters *counters = &twin->counters;

    rte_tel_data_add_dict_string(row, "twin", twin->name);
    rte_tel_data_add_dict_u64(row, "twin_to_kernel", counters->to_kernel);
    rte_tel_data_add_dict_u64(row, "twin_from_kernel", counters->from_kernel);
    rte_tel_data_add_dict_u64(row, "twin_refused", counters->refused);
    rte_tel_data_add_dict_u64(row, "twin_no_mbuf", counters->no_mbuf);
    rte_tel_data_add_dict_u64(row, "twin_truncated", counters->truncated);
}

int control_report_ports(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    const struct conf *conf = control->setup.conf;
    struct control_span all = {0, control->setup.workers_n};

    (void)parameter;
    rte_tel_data_start_dict(reply);
    for (unsigned p = 0; p < conf->ports_n; p++) {
        char key[NAME_MAX_BYTES];
        struct rte_eth_stats stats;
        struct rte_tel_data *row =
            control_report_nest(reply, key_of(conf->ports[p].name, strlen(conf->ports[p].name), key));
        if (row == NULL)
            return -ENOMEM;
        rte_tel_data_add_dict_string(row, "device", conf->ports[p].device);
        for (unsigned i = 0; i < RTE_DIM(port_counters); i++) {
            size_t offset = offsetof(struct counters, port) + p * sizeof(struct counters_port);
            rte_tel_data_add_dict_u64(row, port_counters[i].name,
                                      sum(control, all, offset + port_counters[i].offset));
        }
        if (rte_eth_stats_get(control->setup.ports[p], &stats) == 0) {
            rte_tel_data_add_dict_u64(row, "missed", stats.imissed);
            rte_tel_data_add_dict_u64(row, "rx_errors", stats.ierrors);
            rte_tel_data_add_dict_u64(row, "rx_no_mbuf", stats.rx_nombuf);
            rte_tel_data_add_dict_u64(row, "tx_errors", stats.oerrors);
        }
        if (control->ports[p].twin.fd >= 0)
            add_twin(row, &control->ports[p].twin);
    }
    return 0;
}

static uint64_t drops(const struct control *control, enum drop reason)
{
    struct control_span all = {0, control->setup.workers_n};

    return sum(control, all, offsetof(struct counters, drops) + reason * sizeof(uint64_t)) +
           control->counters.drops[reason];
}

int control_report_drops(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    char key[NAME_MAX_BYTES];

    rte_tel_data_start_dict(reply);
    for (enum drop reason = DROP_NONE + 1; reason < DROP_COUNT; reason++) {
        key_of(drop_name(reason), strlen(drop_name(reason)), key);
        if (parameter == NULL) {
            rte_tel_data_add_dict_u64(reply, key, drops(control, reason));
        } else if (strcasecmp(parameter, key) == 0) {
            rte_tel_data_add_dict_string(reply, "reason", key);
            rte_tel_data_add_dict_u64(reply, "count", drops(control, reason));
            rte_tel_data_add_dict_string(reply, "explanation", drop_explanation(reason));
            return 0;
        }
    }
    return parameter == NULL ? 0 : -EINVAL;
}

static int add_methods(const struct control *control, struct control_span span, struct rte_tel_data *reply,
                       const char *name, size_t offset)
{
    struct rte_tel_data *row = control_report_nest(reply, name);
    char key[NAME_MAX_BYTES];

    if (row == NULL)
        return -ENOMEM;
    for (enum sip_method method = SIP_METHOD_OTHER; method < SIP_METHOD_COUNT; method++) {
        struct slice text = sip_method_name(method);
        rte_tel_data_add_dict_u64(row, key_of(text.at, text.len, key),
                                  sum(control, span, offset + method * sizeof(uint64_t)));
    }
    return 0;
}

static int add_classes(const struct control *control, struct control_span span, struct rte_tel_data *reply,
                       const char *name, size_t offset)
{
    static const char *const names[COUNTERS_STATUS_CLASSES] = {NULL,  "1xx", "2xx", "3xx",
                                                               "4xx", "5xx", "6xx"};
    struct rte_tel_data *row = control_report_nest(reply, name);

    if (row == NULL)
        return -ENOMEM;
    for (unsigned class = 1; class < COUNTERS_STATUS_CLASSES; class ++)
        rte_tel_data_add_dict_u64(row, names[class], sum(control, span, offset + class * sizeof(uint64_t)));
    return 0;
}

int control_report_messages(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct control_span span;

    if (control_report_span(control, parameter, &span) != 0)
        return -EINVAL;
    rte_tel_data_start_dict(reply);
    int error = add_methods(control, span, reply, "requests", offsetof(struct counters, requests));
    if (error == 0)
        error = add_methods(control, span, reply, "forwarded_requests",
                            offsetof(struct counters, forwarded_requests));
    if (error == 0)
        error = add_classes(control, span, reply, "responses", offsetof(struct counters, responses));
    if (error == 0)
        error = add_classes(control, span, reply, "forwarded_responses",
                            offsetof(struct counters, forwarded_responses));
    if (error == 0)
        error = add_classes(control, span, reply, "replies", offsetof(struct counters, replies));
    return error;
}

int control_report_parse(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct control_span all = {0, control->setup.workers_n};
    char key[NAME_MAX_BYTES];

    (void)parameter;
    rte_tel_data_start_dict(reply);
    for (enum sip_error error = SIP_OK + 1; error < SIP_ERROR_COUNT; error++) {
        const char *text = sip_error_text(error);
        rte_tel_data_add_dict_u64(
            reply, key_of(text, strlen(text), key),
            sum(control, all, offsetof(struct counters, parse_errors) + error * sizeof(uint64_t)));
    }
    return 0;
}

static int add_stage(const struct control *control, struct control_span span, struct rte_tel_data *reply,
                     enum stage stage)
{
    size_t offset = offsetof(struct counters, stage) + stage * sizeof(struct counters_stage);
    struct rte_tel_data *row = control_report_nest(reply, stage_name(stage));
    struct rte_tel_data *histogram = rte_tel_data_alloc();

    if (row == NULL || histogram == NULL) {
        rte_tel_data_free(histogram); // the row is part of the reply
        return -ENOMEM;
    }
    rte_tel_data_add_dict_u64(row, "cycles",
                              sum(control, span, offset + offsetof(struct counters_stage, cycles)));
    rte_tel_data_add_dict_u64(row, "messages",
                              sum(control, span, offset + offsetof(struct counters_stage, messages)));
    rte_tel_data_start_array(histogram, RTE_TEL_U64_VAL);
    for (unsigned b = 0; b < COUNTERS_CYCLE_BUCKETS; b++)
        rte_tel_data_add_array_u64(
            histogram,
            sum(control, span, offset + offsetof(struct counters_stage, histogram) + b * sizeof(uint64_t)));
    return rte_tel_data_add_dict_container(row, "below_2_to_the", histogram, 0);
}

int control_report_stages(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct control_span span;
    int error = control_report_span(control, parameter, &span);

    if (error == 0)
        rte_tel_data_start_dict(reply);
    for (enum stage stage = 0; error == 0 && stage < STAGE_COUNT; stage++)
        error = add_stage(control, span, reply, stage);
    return error;
}
