#include <rte_lcore.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "datapath/datapath.h"
#include "start.h"

// Readers of the shared tables: the workers by id, and one more for control and telemetry.
static int make_qsbr(struct strowger *strowger)
{
    unsigned readers = strowger->workers_n + 1;
    size_t bytes = rte_rcu_qsbr_get_memsize(readers);

    strowger->qsbr = rte_zmalloc("qsbr", bytes, RTE_CACHE_LINE_SIZE);
    if (strowger->qsbr == NULL)
        return -ENOMEM;
    return rte_rcu_qsbr_init(strowger->qsbr, readers) == 0 ? 0 : -EINVAL;
}

static int make_location(struct strowger *strowger)
{
    int nodes[WORKERS_MAX];
    unsigned n = 0;
    unsigned lcore;

    RTE_LCORE_FOREACH_WORKER(lcore)
    nodes[n++] = (int)rte_lcore_to_socket_id(lcore);
    struct location_limits limits = {
        .shards = strowger->workers_n, .bindings = strowger->conf->bindings_max, .nodes = nodes};
    return location_create(&strowger->location, &limits, &strowger->secret, strowger->qsbr, &memory_system);
}

int start_tables(struct strowger *strowger)
{
    const struct conf *conf = strowger->conf;
    struct net_hops_limits limits = {.routes = conf->route_max, .neighbours = conf->neighbour_max};
    const char *what = "a random key from the kernel";
    int error = -EIO;

    if (getrandom(&strowger->secret, sizeof(strowger->secret), 0) != sizeof(strowger->secret))
        goto failed;
    datapath_listeners_build(conf, strowger->listener_table);
    what = "the list of readers";
    error = make_qsbr(strowger);
    if (error != 0)
        goto failed;
    what = "the tables of routes and neighbours ([network] route_max, neighbour_max)";
    error = net_hops_create(&strowger->hops, &limits, (int)rte_socket_id(), strowger->qsbr);
    if (error != 0)
        goto failed;
    what = "the location table ([location] bindings_max)";
    error = make_location(strowger);
    if (error != 0)
        goto failed;
    what = "the table of domains";
    error = -ENOMEM;
    strowger->route = role_route_create(conf);
    if (strowger->route != NULL)
        return 0;
failed:
    fprintf(stderr, "strowger: cannot make %s: %s\n", what, strerror(-error));
    stop_tables(strowger);
    return error;
}

void stop_tables(struct strowger *strowger)
{
    role_route_destroy(strowger->route);
    location_destroy(strowger->location);
    net_hops_destroy(strowger->hops);
    rte_free(strowger->qsbr);
    strowger->route = NULL;
    strowger->location = NULL;
    strowger->hops = NULL;
    strowger->qsbr = NULL;
}
