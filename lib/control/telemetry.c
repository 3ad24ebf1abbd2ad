#include "control/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <rte_common.h>
#include <rte_telemetry.h>
#include <string.h>

#include "control/report.h"

static const struct {
    const char *name;
    control_report run;
    const char *help;
} commands[] = {
    {"/strowger/workers", control_report_workers,
     "Workers: lcore, cycles, ring high-water marks. Parameter: worker"},
    {"/strowger/ports", control_report_ports, "Ports: frames and bytes, and those of their twins"},
    {"/strowger/buffers", control_report_buffers, "Pools of buffers: their size, and how many are free"},
    {"/strowger/drops", control_report_drops, "Drops by reason. Parameter: a reason, to have it explained"},
    {"/strowger/messages", control_report_messages, "Messages by method and status class. Parameter: worker"},
    {"/strowger/parse", control_report_parse, "Malformed messages by what was wrong with them"},
    {"/strowger/location", control_report_location, "Location table: fill of each shard. Parameter: worker"},
    {"/strowger/transactions", control_report_transactions,
     "Transactions of each worker, the messages they keep, what they sent. Parameter: worker"},
    {"/strowger/calls", control_report_calls,
     "Calls followed by each worker, accounting lines. Parameter: worker"},
    {"/strowger/names", control_report_names, "Names that the DNS was asked for, messages that wait for one"},
    {"/strowger/gateways", control_report_gateways,
     "Gateways: health, share, calls, probes. Parameter: a name, or the number to start from"},
    {"/strowger/store", control_report_store,
     "Store: state, batches, what waits for the disk, keys and bytes"},
    {"/strowger/presence", control_report_presence,
     "Publications and subscriptions, and what became of requests for them. Parameter: worker"},
    {"/strowger/streams", control_report_streams,
     "Connections of TCP, TLS and WebSocket by transport, and why they ended"},
    {"/strowger/auth", control_report_auth, "Users, and requests that had to carry credentials"},
    {"/strowger/numbers", control_report_numbers, "Number table: prefixes and bytes"},
    {"/strowger/stages", control_report_stages,
     "Cycles per message by stage: total, and histogram. Parameter: worker"},
    {"/strowger/hops", control_report_hops,
     "Next hops. Parameter: the hop to start from (next of the last answer)"},
    {"/strowger/conf", control_report_conf,
     "Effective configuration by line. Parameter: the line to start from"},
    {"/strowger/control", control_report_control, "The main lcore: turns, netlink, waiting next hops"},
};

// The exception to "no writable globals", see telemetry.h.
static struct {
    pthread_mutex_t lock;
    const struct control *control;
} served = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int answer(const char *command, const char *parameter, struct rte_tel_data *reply)
{
    int error = -ENOENT;

    if (parameter != NULL && parameter[0] == 0)
        parameter = NULL;
    pthread_mutex_lock(&served.lock);
    for (unsigned i = 0; served.control != NULL && i < RTE_DIM(commands); i++) {
        if (strcmp(commands[i].name, command) == 0)
            error = commands[i].run(served.control, parameter, reply);
    }
    pthread_mutex_unlock(&served.lock);
    return error;
}

RTE_INIT(control_telemetry_register)
{
    for (unsigned i = 0; i < RTE_DIM(commands); i++)
        (void)rte_telemetry_register_cmd(commands[i].name, answer, commands[i].help);
}

void control_telemetry_open(const struct control *control)
{
    pthread_mutex_lock(&served.lock);
    served.control = control;
    pthread_mutex_unlock(&served.lock);
}

void control_telemetry_pause(void)
{
    pthread_mutex_lock(&served.lock);
}

void control_telemetry_resume(void)
{
    pthread_mutex_unlock(&served.lock);
}

void control_telemetry_close(void)
{
    control_telemetry_open(NULL);
}
