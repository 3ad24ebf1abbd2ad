#include <errno.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <string.h>

#include "control/loop.h"
#include "start.h"

// Buffers for what the kernel sends and what comes over streams: of control's node where there are some, else of a
// worker's.
static void give_pools(const struct strowger *strowger, struct control_setup *setup)
{
    unsigned node = rte_socket_id();
    bool own = strowger->pool[node] != NULL;

    setup->pool = own ? strowger->pool[node] : strowger->workers[0]->pool;
    setup->large = own ? strowger->large[node] : strowger->workers[0]->large;
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
        .memory = &memory_system,
    };

    give_pools(strowger, &setup);
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
