#include <errno.h>

#include "control/loop.h"
#include "control/report.h"

static const struct {
    const char *name;
    enum endpoint_transport transport;
} transports[] = {{"tcp", ENDPOINT_TCP}, {"tls", ENDPOINT_TLS}, {"ws", ENDPOINT_WS}, {"wss", ENDPOINT_WSS}};

static int add_transports(struct rte_tel_data *reply, const struct stream_counters *counters)
{
    for (unsigned i = 0; i < RTE_DIM(transports); i++) {
        enum endpoint_transport transport = transports[i].transport;
        struct rte_tel_data *row = control_report_nest(reply, transports[i].name);
        if (row == NULL)
            return -ENOMEM;
        rte_tel_data_add_dict_u64(row, "connections", counters->connections[transport]);
        rte_tel_data_add_dict_u64(row, "accepted", counters->accepted[transport]);
        rte_tel_data_add_dict_u64(row, "connected", counters->connected[transport]);
        rte_tel_data_add_dict_u64(row, "received", counters->received[transport]);
        rte_tel_data_add_dict_u64(row, "sent", counters->sent[transport]);
    }
    return 0;
}

static int add_ends(struct rte_tel_data *reply, const struct stream_counters *counters)
{
    struct rte_tel_data *row = control_report_nest(reply, "ends");

    if (row == NULL)
        return -ENOMEM;
    for (enum stream_end end = 0; end < STREAM_ENDS; end++)
        rte_tel_data_add_dict_u64(row, stream_end_name(end), counters->ends[end]);
    return 0;
}

int control_report_streams(const struct control *control, const char *parameter, struct rte_tel_data *reply)
{
    (void)parameter;
    rte_tel_data_start_dict(reply);
    if (control->streams == NULL)
        return 0;
    const struct stream_counters *counters = stream_counters(control->streams);
    int error = add_transports(reply, counters);
    if (error == 0)
        error = add_ends(reply, counters);
    if (error != 0)
        return error;
    rte_tel_data_add_dict_u64(reply, "connections_max", control->setup.conf->connections_max);
    rte_tel_data_add_dict_u64(reply, "unsent", counters->unsent);
    rte_tel_data_add_dict_u64(reply, "pings", counters->pings);
    rte_tel_data_add_dict_u64(reply, "handshaking", counters->handshaking);
    rte_tel_data_add_dict_u64(reply, "handshakes", counters->handshakes);
    rte_tel_data_add_dict_u64(reply, "resumed", counters->resumed);
    rte_tel_data_add_dict_u64(reply, "bytes_held", counters->bytes_held);
    rte_tel_data_add_dict_u64(reply, "waited", counters->waited);
    return 0;
}
