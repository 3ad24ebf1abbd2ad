#include <errno.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <string.h>

#include "control/loop.h"
#include "start.h"

// Buffers for what the kernel sends: of control's node where there are some, else of a worker's.
static struct rte_mempool *pool_for_control(const struct strowger *strowger)
{
    struct rte_mempool *own = strowger->pool[rte_socket_id()];

    return own != NULL ? own : strowger->workers[0]->pool;
}

int start_control(struct strowger *strowger)
{
    struct control_setup setup = {
        .conf = strowger->conf,
        .path = strowger->path,
        .policy = &strowger->policy,
        .gateways = strowger->gateways,
        .names = strowger->names,
        .secret = &strowger->secret,
        .qsbr = strowger->qsbr,
        .ports = strowger->port_ids,
        .workers = strowger->workers,
        .workers_n = strowger->workers_n,
        .hops = strowger->hops,
        .location = strowger->location,
        .commit = strowger->commit,
        .users = strowger->users,
        .roster = strowger->roster,
        .pool = pool_for_control(strowger),
        .memory = &memory_system,
    };

    for (unsigned i = 0; i < strowger->conf->ports_n; i++)
        strowger->port_ids[i] = strowger->ports[i].id;
    int error = control_create(&strowger->control, &setup);
    if (error != 0)
        fprintf(stderr, "strowger: the control core did not start: %s; its reason stands above\n",
                strerror(-error));
    return error;
}

void stop_control(struct strowger *strowger)
{
    control_destroy(strowger->control);
    strowger->control = NULL;
    strowger->conf = strowger->policy->conf; // it may have been reloaded
}

int serve_control(struct strowger *strowger)
{
    return control_run(strowger->control);
}
