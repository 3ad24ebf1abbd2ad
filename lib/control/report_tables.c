#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/loop.h"
#include "control/report.h"
#include "location/location.h"

// Telemetry cuts an answer at 16 KiB.
#define HOPS_A_PAGE  64
#define LINES_A_PAGE 100

struct rte_tel_data *control_report_nest(struct rte_tel_data *outer, const char *key)
{
    struct rte_tel_data *inner = rte_tel_data_alloc();

    if (inner == NULL)
        return NULL;
    if (rte_tel_data_start_dict(inner) != 0 || rte_tel_data_add_dict_container(outer, key, inner, 0) != 0) {
        rte_tel_data_free(inner);
        return NULL;
    }
    return inner;
}

struct rte_tel_data *control_report_row(struct rte_tel_data *outer, unsigned number)
{
    char key[16];

    snprintf(key, sizeof(key), "%u", number);
    return control_report_nest(outer, key);
}

int control_report_location(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    struct control_span span;

    if (control_report_span(control, parameter, &span) != 0)
        return -EINVAL;
    rte_tel_data_start_dict(reply);
    for (unsigned shard = span.first; control->setup.location != NULL && shard < span.end; shard++) {
        struct location_usage usage;
        location_usage(control->setup.location, shard, &usage);
        struct rte_tel_data *row = control_report_row(reply, shard);
        if (row == NULL)
            return -ENOMEM;
        rte_tel_data_add_dict_u64(row, "aors", usage.aors);
        rte_tel_data_add_dict_u64(row, "aors_max", usage.aors_max);
        rte_tel_data_add_dict_u64(row, "bindings", usage.bindings);
        rte_tel_data_add_dict_u64(row, "bindings_max", usage.bindings_max);
        rte_tel_data_add_dict_u64(row, "bytes", usage.bytes);
        rte_tel_data_add_dict_u64(row, "bytes_max", usage.bytes_max);
        rte_tel_data_add_dict_u64(row, "deferred", usage.deferred);
        rte_tel_data_add_dict_u64(row, "refused", usage.refused);
    }
    return 0;
}

static void add_hop(struct rte_tel_data *row, const struct control *control, const struct net_hop *hop)
{
    static const char *const states[] = {[NET_HOP_UNREACHABLE] = "unreachable",
                                         [NET_HOP_LOCAL] = "local",
                                         [NET_HOP_LINK] = "link",
                                         [NET_HOP_RESOLVING] = "resolving",
                                         [NET_HOP_READY] = "ready"};
    char text[ENDPOINT_TEXT_MAX];

    text[endpoint_write_host(&hop->address, text)] = 0;
    rte_tel_data_add_dict_string(row, "address", text);
    rte_tel_data_add_dict_string(row, "state", hop->state < RTE_DIM(states) ? states[hop->state] : "?");
    if (hop->port < control->setup.conf->ports_n)
        rte_tel_data_add_dict_string(row, "port", control->setup.conf->ports[hop->port].name);
    rte_tel_data_add_dict_u64(row, "vlan", hop->vlan);
    rte_tel_data_add_dict_u64(row, "mtu", hop->mtu);
    if (hop->state == NET_HOP_READY) {
        char mac[RTE_ETHER_ADDR_FMT_SIZE];
        rte_ether_format_addr(mac, sizeof(mac), &hop->mac);
        rte_tel_data_add_dict_string(row, "mac", mac);
    }
}

int control_report_hops(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    const struct net_hops *hops = control->setup.hops;
    struct net_hops_usage usage;
    uint64_t start = 0;

    net_hops_usage(hops, &usage);
    if (parameter != NULL && !slice_number(slice_text(parameter), usage.hops_max, &start))
        return -EINVAL;
    rte_tel_data_start_dict(reply);
    rte_tel_data_add_dict_u64(reply, "routes4", usage.routes4);
    rte_tel_data_add_dict_u64(reply, "routes6", usage.routes6);
    rte_tel_data_add_dict_u64(reply, "neighbours", usage.neighbours);
    rte_tel_data_add_dict_u64(reply, "hops", usage.hops);
    rte_tel_data_add_dict_u64(reply, "hops_max", usage.hops_max);
    unsigned shown = 0;
    uint32_t last = (uint32_t)start;
    for (uint32_t hop = net_hops_next(hops, last); hop != 0; hop = net_hops_next(hops, hop)) {
        if (shown++ == HOPS_A_PAGE) {
            rte_tel_data_add_dict_u64(reply, "next", last);
            break;
        }
        struct rte_tel_data *row = control_report_row(reply, hop);
        if (row == NULL)
            return -ENOMEM;
        add_hop(row, control, net_hop_at(hops, hop));
        last = hop;
    }
    return 0;
}

// A line longer than telemetry's strings goes on in the next element.
static void add_line(struct rte_tel_data *reply, const char *line)
{
    char piece[RTE_TEL_MAX_STRING_LEN];

    do {
        size_t len = RTE_MIN(strlen(line), sizeof(piece) - 1);
        memcpy(piece, line, len);
        piece[len] = 0;
        rte_tel_data_add_array_string(reply, piece);
        line += len;
    } while (*line != 0);
}

int control_report_conf(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    char *text = NULL, *rest = NULL;
    size_t bytes = 0;
    uint64_t start = 0, number = 0;

    if (parameter != NULL && !slice_number(slice_text(parameter), UINT32_MAX, &start))
        return -EINVAL;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        return -ENOMEM;
    conf_print(control->setup.conf, out);
    if (fclose(out) != 0) {
        free(text);
        return -ENOMEM;
    }
    rte_tel_data_start_array(reply, RTE_TEL_STRING_VAL);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest), number++) {
        if (number >= start && number < start + LINES_A_PAGE)
            add_line(reply, line);
    }
    free(text);
    return 0;
}

int control_report_control(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    const struct control_counters *own = &control->counters;
    struct control_mirror_counters mirror;

    (void)parameter;
    control_mirror_counters(control->mirror, &mirror);
    rte_tel_data_start_dict(reply);
    rte_tel_data_add_dict_u64(reply, "punted", own->punted);
    rte_tel_data_add_dict_u64(reply, "injected", own->injected);
    rte_tel_data_add_dict_u64(reply, "busy_turns", own->busy_turns);
    rte_tel_data_add_dict_u64(reply, "idle_turns", own->idle_turns);
    if (control->reload != NULL) {
        struct control_reload_counters reload;
        control_reload_counters(control->reload, &reload);
        rte_tel_data_add_dict_u64(reply, "reloaded", reload.reloaded);
        rte_tel_data_add_dict_u64(reply, "reloads_refused", reload.refused);
    }
    rte_tel_data_add_dict_u64(reply, "hops_waited_for", control_resolve_waiting(control->resolve));
    rte_tel_data_add_dict_u64(reply, "netlink_messages", mirror.messages);
    rte_tel_data_add_dict_u64(reply, "netlink_overflows", mirror.overflows);
    rte_tel_data_add_dict_u64(reply, "netlink_resyncs", mirror.resyncs);
    rte_tel_data_add_dict_u64(reply, "neighbour_questions", mirror.questions);
    rte_tel_data_add_dict_u64(reply, "routes_refused", mirror.refused_routes);
    rte_tel_data_add_dict_u64(reply, "neighbours_refused", mirror.refused_neighbours);
    rte_tel_data_add_dict_u64(reply, "links_refused", mirror.refused_links);
    return 0;
}
