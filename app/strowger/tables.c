#include <rte_lcore.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/roster.h"
#include "control/users.h"
#include "datapath/datapath.h"
#include "secret.h"
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

_Static_assert(ROLE_NODES_MAX >= RTE_MAX_NUMA_NODES, "a bit for each node");

static uint32_t nodes_of_workers(void)
{
    uint32_t nodes = 0;
    unsigned lcore;

    RTE_LCORE_FOREACH_WORKER(lcore)
    nodes |= UINT32_C(1) << rte_lcore_to_socket_id(lcore);
    return nodes;
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

// Whoever the store has is there before the first packet.
static int make_users(struct strowger *strowger)
{
    const struct conf *conf = strowger->conf;

    if (conf->auths_n == 0)
        return 0;
    int error = user_table_create(&strowger->users, conf->users_max, &strowger->secret, strowger->qsbr,
                                  &memory_system);
    if (error != 0) {
        fprintf(stderr, "strowger: no memory for [store] users_max = %u users: %s\n", conf->users_max,
                strerror(-error));
        return error;
    }
    return strowger->store == NULL ? 0 : control_users_load(strowger->store, strowger->users, stderr);
}

// The same of who may watch whom, and of lists.
static int make_roster(struct strowger *strowger)
{
    const struct conf *conf = strowger->conf;
    const struct roster_limits limits = {.rules = conf->rules_max, .members = conf->list_members_max};

    if (!conf->presence)
        return 0;
    int error =
        roster_create(&strowger->roster, &limits, &strowger->secret, strowger->qsbr, &memory_system);
    if (error != 0) {
        fprintf(stderr, "strowger: no memory for [presence] rules_max = %u and members_max = %u: %s\n",
                conf->rules_max, conf->list_members_max, strerror(-error));
        return error;
    }
    return strowger->store == NULL ? 0 : control_roster_load(strowger->store, strowger->roster, stderr);
}

int start_tables(struct strowger *strowger)
{
    const struct conf *conf = strowger->conf;
    struct net_hops_limits limits = {.routes = conf->route_max, .neighbours = conf->neighbour_max};
    const char *what = "the list of readers";
    int error = secret_get(conf->secret_file, &strowger->secret, stderr);

    if (error != 0)
        return error;
    datapath_listeners_build(conf, strowger->listener_table);
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
    what = "the table of names ([dns] names_max)";
    error = name_table_create(&strowger->names, conf->names_max, &strowger->secret, strowger->qsbr,
                              &memory_system);
    if (error != 0)
        goto failed;
    what = "the gateways' states";
    error = gateway_states_create(&strowger->gateways, strowger->workers_n, &memory_system);
    if (error != 0)
        goto failed;
    // These say what is wrong themselves.
    error = make_users(strowger);
    if (error == 0)
        error = make_roster(strowger);
    if (error != 0) {
        stop_tables(strowger);
        return error;
    }
    strowger->policy = role_policy_create(strowger->conf, strowger->gateways, &strowger->secret,
                                          nodes_of_workers(), clock_monotonic_ms(), stderr);
    if (strowger->policy != NULL)
        return 0;
    stop_tables(strowger);
    return -EINVAL;
failed:
    fprintf(stderr, "strowger: cannot make %s: %s\n", what, strerror(-error));
    stop_tables(strowger);
    return error;
}

void stop_tables(struct strowger *strowger)
{
    if (strowger->policy != NULL) {
        role_policy_destroy(strowger->policy);
        strowger->policy = NULL;
        strowger->conf = NULL; // it was the policy's
    }
    roster_destroy(strowger->roster);
    user_table_destroy(strowger->users);
    gateway_states_destroy(strowger->gateways);
    name_table_destroy(strowger->names);
    location_destroy(strowger->location);
    net_hops_destroy(strowger->hops);
    rte_free(strowger->qsbr);
    strowger->roster = NULL;
    strowger->users = NULL;
    strowger->gateways = NULL;
    strowger->names = NULL;
    strowger->location = NULL;
    strowger->hops = NULL;
    strowger->qsbr = NULL;
}
