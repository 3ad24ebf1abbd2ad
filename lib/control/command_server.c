// What concerns the server as a whole.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/command_run.h"
#include "control/log.h"
#include "control/reload.h"
#include "location/location.h"
#include "role/policy.h"

#define RELOAD_MS 600000 // a table of numbers takes its time
#define DRAIN_MAX 604800 // seconds

static const char *const levels[] = {
    [RTE_LOG_EMERG] = "emergency", [RTE_LOG_ALERT] = "alert",     [RTE_LOG_CRIT] = "critical",
    [RTE_LOG_ERR] = "error",       [RTE_LOG_WARNING] = "warning", [RTE_LOG_NOTICE] = "notice",
    [RTE_LOG_INFO] = "info",       [RTE_LOG_DEBUG] = "debug"};

static void put_drain(const struct control *control, struct control_json *reply)
{
    const struct control_drain *drain = &control->drain;
    const struct service_drain *order = &drain->orders[drain->order];

    control_json_text(reply, "state", drain->on ? SLICE("draining") : SLICE("serving"));
    if (!drain->on)
        return;
    control_json_number(reply, "draining_s", (control->now_ms - drain->since_ms) / 1000);
    if (drain->deadline_ms == 0)
        control_json_null(reply, "deadline_s");
    else
        control_json_number(
            reply, "deadline_s",
            drain->deadline_ms > control->now_ms ? (drain->deadline_ms - control->now_ms + 999) / 1000 : 0);
    if (order->peer_len > 0)
        control_json_text(reply, "redirect", slice_of(order->peer, order->peer_len));
}

static void put_location(const struct control *control, struct control_json *reply)
{
    struct location_usage sum = {0};

    for (unsigned w = 0; control->setup.location != NULL && w < control->setup.workers_n; w++) {
        struct location_usage usage;
        location_usage(control->setup.location, w, &usage);
        sum.aors += usage.aors;
        sum.bindings += usage.bindings;
        sum.bindings_max += usage.bindings_max;
    }
    control_json_number(reply, "aors", sum.aors);
    control_json_number(reply, "bindings", sum.bindings);
    control_json_number(reply, "bindings_max", sum.bindings_max);
}

static void put_roster(const struct roster *roster, struct control_json *reply)
{
    struct roster_usage usage;

    if (roster == NULL)
        return;
    roster_usage(roster, &usage);
    control_json_number(reply, "rules", usage.rules);
    control_json_number(reply, "rules_max", usage.rules_max);
    control_json_number(reply, "lists", usage.lists);
    control_json_number(reply, "members", usage.members);
    control_json_number(reply, "members_max", usage.members_max);
}

static void put_store(const struct control *control, struct control_json *reply)
{
    struct user_usage users;

    if (control->setup.users != NULL) {
        user_usage(control->setup.users, &users);
        control_json_number(reply, "users", users.users);
        control_json_number(reply, "users_max", users.users_max);
    }
    if (control->setup.commit != NULL)
        control_json_text(reply, "store",
                          control_commit_failing(control->setup.commit) ? SLICE("failing: see the log")
                                                                        : SLICE("well"));
}

static void put_connections(const struct control *control, struct control_json *reply)
{
    uint64_t connections = 0;

    if (control->streams == NULL)
        return;
    for (unsigned i = 0; i < ENDPOINT_TRANSPORTS; i++)
        connections += stream_counters(control->streams)->connections[i];
    control_json_number(reply, "connections", connections);
    control_json_number(reply, "connections_max", control->setup.conf->connections_max);
}

static void put_gateways(const struct control *control, struct control_json *reply)
{
    const struct role_policy *policy = control->setup.policy != NULL ? *control->setup.policy : NULL;
    uint64_t n[3] = {0};

    for (unsigned i = 0; policy != NULL && i < policy->conf->gateways_n; i++) {
        struct gateway_report report;
        gateway_report(policy->gateways, i, control->now_ms, &report);
        n[report.health]++;
    }
    control_json_number(reply, "gateways_up", n[GATEWAY_UP] + n[GATEWAY_EASING]);
    control_json_number(reply, "gateways_down", n[GATEWAY_DOWN]);
}

static void put_traffic(const struct control *control, struct control_json *reply)
{
    uint64_t requests = 0, responses = 0, dropped = 0, busy = 0, idle = 0;

    for (unsigned w = 0; w < control->setup.workers_n; w++) {
        const struct counters *counters = &control->setup.workers[w]->counters;
        for (unsigned i = 0; i < SIP_METHOD_COUNT; i++)
            requests += counters->requests[i];
        for (unsigned i = 0; i < COUNTERS_STATUS_CLASSES; i++)
            responses += counters->responses[i];
        for (unsigned i = 0; i < DROP_COUNT; i++)
            dropped += counters->drops[i];
        busy += counters->busy_cycles;
        idle += counters->idle_cycles;
    }
    for (unsigned i = 0; i < DROP_COUNT; i++)
        dropped += control->counters.drops[i];
    control_json_number(reply, "requests", requests);
    control_json_number(reply, "responses", responses);
    control_json_number(reply, "drops", dropped);
    control_json_number(reply, "busy_percent",
                        busy == 0 ? 0 : 100 * (busy / 1000) / ((busy + idle) / 1000 + 1));
}

enum control_command_outcome control_command_status(struct control_command *command,
                                                    struct control_json *reply)
{
    const struct control *control = command->control;
    struct control_drain_usage usage;
    int level = rte_log_get_level(control_logtype);

    control_drain_usage(control, &usage);
    put_drain(control, reply);
    control_json_number(reply, "up_s", (control->now_ms - control->started_ms) / 1000);
    control_json_number(reply, "workers", control->setup.workers_n);
    control_json_number(reply, "transactions", usage.transactions);
    control_json_number(reply, "transactions_max", usage.transactions_max);
    if (control->cdr != NULL)
        control_json_number(reply, "calls", usage.calls);
    else
        control_json_null(reply, "calls");
    put_location(control, reply);
    put_roster(control->setup.roster, reply);
    put_store(control, reply);
    put_connections(control, reply);
    put_gateways(control, reply);
    put_traffic(control, reply);
    if (control->setup.path != NULL)
        control_json_text(reply, "configuration", slice_text(control->setup.path));
    if (control->reload != NULL) {
        struct control_reload_counters reload;
        control_reload_counters(control->reload, &reload);
        control_json_number(reply, "reloaded", reload.reloaded);
        control_json_number(reply, "reloads_refused", reload.refused);
    }
    control_json_text(reply, "log",
                      slice_text(level > 0 && level < (int)RTE_DIM(levels) ? levels[level] : "none"));
    return CONTROL_COMMAND_DONE;
}

static char *print(const struct control *control, void (*how)(const struct conf *conf, FILE *out))
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL)
        return NULL;
    how(control->setup.conf, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

// As --check prints them, by line.
enum control_command_outcome control_command_policy(struct control_command *command,
                                                    struct control_json *reply)
{
    bool routes = command->words_n > 0;

    if (routes && !slice_equal(command->words[0], SLICE("routes")))
        return control_command_refuse(reply, "expected: policy [routes]");
    if (command->text == NULL)
        command->line = command->text = print(command->control, routes ? conf_print_routes : conf_print);
    if (command->text == NULL)
        return control_command_refuse(reply, "no memory");
    control_json_open(reply, "rows", '[');
    while (*command->line != 0 && control_json_slice(reply).len < CONTROL_REPLY_FULL) {
        struct slice line = slice_of(command->line, strcspn(command->line, "\n"));
        command->line += line.len + (command->line[line.len] == '\n');
        control_json_text(reply, NULL, line);
    }
    control_json_close(reply, ']');
    return *command->line != 0 ? CONTROL_COMMAND_MORE : CONTROL_COMMAND_DONE;
}

static enum control_command_outcome reload_done(struct control_command *command, struct control_json *reply)
{
    const struct control *control = command->control;
    struct control_reload_counters counters;

    if (!control_reload_idle(control->reload))
        return control->now_ms < command->until_ms
                   ? CONTROL_COMMAND_WAIT
                   : control_command_refuse(reply, "still reading it; what becomes of it is in the log");
    const char *refusal = control_reload_refusal(control->reload);
    if (refusal != NULL)
        return control_command_refuse(reply, "refused; running with the old configuration:\n%s", refusal);
    control_reload_counters(control->reload, &counters);
    control_json_number(reply, "reloaded", counters.reloaded);
    return CONTROL_COMMAND_DONE;
}

enum control_command_outcome control_command_reload(struct control_command *command,
                                                    struct control_json *reply)
{
    struct control *control = command->control;

    if (control->reload == NULL)
        return control_command_refuse(reply, "there is nothing to reload");
    control_reload_ask(control->reload, control->now_ms);
    command->until_ms = control->now_ms + RELOAD_MS;
    command->next = reload_done;
    return CONTROL_COMMAND_WAIT;
}

enum control_command_outcome control_command_drain(struct control_command *command,
                                                   struct control_json *reply)
{
    struct slice peer = {"", 0};
    uint64_t seconds = 0;

    for (unsigned i = 0; i < command->words_n; i++) {
        struct slice word = command->words[i];
        uint32_t equals = slice_find(word, '=');
        struct slice name = slice_of(word.at, equals);
        struct slice value = slice_of(word.at + equals + 1, equals < word.len ? word.len - equals - 1 : 0);
        bool good = value.len > 0;
        if (slice_equal(name, SLICE("deadline")))
            good = good && slice_number(value, DRAIN_MAX, &seconds) && seconds > 0;
        else if (slice_equal(name, SLICE("redirect")))
            peer = value;
        else
            good = false;
        if (!good)
            return control_command_refuse(
                reply, "\"%.*s\": expected deadline=SECONDS, 1 to %d, or redirect=HOST[:PORT]",
                SLICE_PRINT(word), DRAIN_MAX);
    }
    switch (control_drain_begin(command->control, peer, seconds)) {
    case 0:
        return control_command_status(command, reply);
    case -EAGAIN:
        return control_command_refuse(reply, "the last change was a moment ago: try again");
    default:
        return control_command_refuse(reply, "\"%.*s\" is no HOST or HOST:PORT", SLICE_PRINT(peer));
    }
}

enum control_command_outcome control_command_undrain(struct control_command *command,
                                                     struct control_json *reply)
{
    control_drain_end(command->control);
    return control_command_status(command, reply);
}

enum control_command_outcome control_command_log(struct control_command *command, struct control_json *reply)
{
    for (unsigned i = RTE_LOG_EMERG; i < RTE_DIM(levels); i++) {
        if (!slice_equal(command->words[0], slice_text(levels[i])))
            continue;
        rte_log_set_level((uint32_t)control_logtype, i);
        control_json_text(reply, "log", slice_text(levels[i]));
        return CONTROL_COMMAND_DONE;
    }
    return control_command_refuse(reply,
                                  "\"%.*s\" is no level; there are: emergency, alert, critical, error, "
                                  "warning, notice, info, debug",
                                  SLICE_PRINT(command->words[0]));
}
