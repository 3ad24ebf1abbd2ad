// report: the answers of telemetry's commands (control/telemetry.h says what each holds).
//
// Each fills `reply` from what `control` serves. `parameter` is NULL when there is none. Telemetry's thread.
// 0, or -EINVAL for a parameter that means nothing, -ENOMEM; then the client sees null.
#ifndef CONTROL_REPORT_H
#define CONTROL_REPORT_H

#include <rte_telemetry.h>

struct control;

typedef int (*control_report)(const struct control *control, const char *parameter,
                              struct rte_tel_data *reply);

// The workers that an answer is about: all, or the one that the parameter names. 0 or -EINVAL.
struct control_span {
    unsigned first, end;
};
int control_report_span(const struct control *control, const char *parameter, struct control_span *span);

// A dictionary of its own in the reply, or in one that is in it, named by a number or a word; NULL: no memory.
struct rte_tel_data *control_report_nest(struct rte_tel_data *reply, const char *key);
struct rte_tel_data *control_report_row(struct rte_tel_data *reply, unsigned number);

// report_counters.c: what the workers count.
int control_report_workers(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_ports(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_drops(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_messages(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_parse(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_stages(const struct control *control, const char *parameter, struct rte_tel_data *reply);

// report_tables.c: what the tables hold, and control's own counters.
int control_report_location(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_hops(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_conf(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_control(const struct control *control, const char *parameter, struct rte_tel_data *reply);

// report_buffers.c: pools.
int control_report_buffers(const struct control *control, const char *parameter, struct rte_tel_data *reply);

// report_calls.c: what is in progress: transactions and what they keep, calls, names.
int control_report_transactions(const struct control *control, const char *parameter,
                                struct rte_tel_data *reply);
int control_report_calls(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_names(const struct control *control, const char *parameter, struct rte_tel_data *reply);

// report_store.c: what is on its way to the disk, and what is there.
int control_report_store(const struct control *control, const char *parameter, struct rte_tel_data *reply);

// report_presence.c: what is published and watched, by worker.
int control_report_presence(const struct control *control, const char *parameter, struct rte_tel_data *reply);

// report_streams.c: connections.
int control_report_streams(const struct control *control, const char *parameter, struct rte_tel_data *reply);

// report_auth.c: users, and what became of requests that had to carry credentials.
int control_report_auth(const struct control *control, const char *parameter, struct rte_tel_data *reply);

// report_gateways.c: what the policy in force says of gateways and of numbers.
int control_report_gateways(const struct control *control, const char *parameter, struct rte_tel_data *reply);
int control_report_numbers(const struct control *control, const char *parameter, struct rte_tel_data *reply);

#endif
