#include <errno.h>
#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "auth/guard.h"
#include "base/clock.h"
#include "call/call.h"
#include "datapath/datapath.h"
#include "net/fragment.h"
#include "start.h"

static struct rte_ring *make_ring(const struct strowger *strowger, const char *what, unsigned id, int node,
                                  unsigned flags)
{
    char name[RTE_RING_NAMESIZE];

    snprintf(name, sizeof(name), "%s_%u", what, id);
    return rte_ring_create(name, strowger->conf->mailbox_size, node, flags);
}

// The port as this worker uses it: its own queue pair where there is one.
static void give_ports(const struct strowger *strowger, struct worker *worker)
{
    for (unsigned i = 0; i < strowger->conf->ports_n; i++) {
        struct worker_port *port = &worker->ports[i];
        bool has_queue = worker->id < strowger->queues[i];
        *port = strowger->ports[i];
        port->rx_queue = has_queue ? worker->id : WORKER_NO_QUEUE;
        port->tx_queue = has_queue ? worker->id : WORKER_NO_QUEUE;
        port->tx_worker = (uint16_t)(worker->id % strowger->queues[i]);
    }
}

static void give_clock(struct worker *worker)
{
    worker->tsc_hz = rte_get_tsc_hz();
    worker->clock_tsc = rte_rdtsc();
    worker->clock_ms = clock_monotonic_ms();
    worker->now.ms = worker->clock_ms;
    worker->now.unix_s = (uint64_t)time(NULL);
    worker->unix_offset_s = worker->now.unix_s - worker->clock_ms / 1000;
}

static int make_transactions(const struct strowger *strowger, struct role *role, int node)
{
    const struct conf *conf = strowger->conf;
    // A box's bound, split: steering spreads calls evenly.
    struct transaction_limits limits = {.records = conf->transactions_max / strowger->workers_n,
                                        .node = node};
    struct transaction_timers timers = {conf->t1_ms, conf->t2_ms, conf->t4_ms, conf->timer_c_ms};

    // Most requests have one branch; those that fork take more from here.
    limits.branches = limits.records / 2;
    return transaction_table_create(&role->transactions, &limits, &timers, &memory_system);
}

static int make_calls(const struct strowger *strowger, struct role *role, int node)
{
    const struct conf *conf = strowger->conf;
    struct call_limits limits = {.calls = RTE_MAX(conf->calls_max / strowger->workers_n, 1u),
                                 .longest_ms = conf->call_max_s * 1000,
                                 .node = node};

    if (!conf_follows_calls(conf))
        return 0;
    return call_table_create(&role->calls, &limits, &strowger->secret, &memory_system);
}

static int make(struct strowger *strowger, unsigned id, unsigned lcore)
{
    int node = (int)rte_lcore_to_socket_id(lcore);
    struct worker *worker = rte_zmalloc_socket("worker", sizeof(*worker), RTE_CACHE_LINE_SIZE, node);
    struct worker_parts *parts = rte_zmalloc_socket("worker", sizeof(*parts), RTE_CACHE_LINE_SIZE, node);

    strowger->workers[id] = worker;
    strowger->parts[id] = parts;
    if (worker == NULL || parts == NULL)
        return -ENOMEM;
    worker->id = (uint16_t)id;
    worker->workers_n = (uint16_t)strowger->workers_n;
    worker->lcore = lcore;
    worker->socket = node;
    worker->conf = strowger->conf;
    atomic_init(&worker->policy, strowger->policy);
    worker->workers = strowger->workers;
    worker->stop = &strowger->stop;
    worker->qsbr = strowger->qsbr;
    worker->pool = strowger->pool[node];
    worker->large = strowger->large[node];
    worker->longest = strowger->longest[node];
    worker->indirect = strowger->indirect[node];
    worker->hops = strowger->hops;
    worker->location = strowger->location;
    worker->listener_table = strowger->listener_table;
    worker->ip6_id = (uint32_t)id << 26;
    worker->edits = &parts->edits;
    worker->role = &parts->role;
    parts->role = (struct role){
        .worker = (uint16_t)id,
        .workers_n = (uint16_t)strowger->workers_n,
        .node = (uint8_t)node,
        .location = strowger->location,
        .names = strowger->names,
        .gateways = strowger->gateways,
        .users = strowger->users,
        .roster = strowger->roster,
        .outlet = datapath_outlet(worker),
        .secret = strowger->secret,
    };
    // Nothing of the key: parts of it are seen outside, in expiries and nonces.
    if (getrandom(&parts->role.random, sizeof(parts->role.random), 0) != sizeof(parts->role.random))
        return -EIO;
    int error = make_transactions(strowger, &parts->role, node);
    if (error == 0)
        error = make_calls(strowger, &parts->role, node);
    if (error == 0 && strowger->users != NULL)
        error = auth_guard_create(&parts->role.guard, &strowger->secret, (uint64_t)time(NULL), &memory_system,
                                  node);
    if (error != 0)
        return error;
    give_ports(strowger, worker);
    give_clock(worker);
    worker->mailbox = make_ring(strowger, "mailbox", id, node, RING_F_SC_DEQ);
    worker->punt = make_ring(strowger, "punt", id, node, RING_F_SP_ENQ | RING_F_SC_DEQ);
    worker->inject = make_ring(strowger, "inject", id, node, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (worker->mailbox == NULL || worker->punt == NULL || worker->inject == NULL)
        return -ENOMEM;
    return net_reassembly_create(&worker->reassembly, strowger->conf->reassembly_max,
                                 strowger->conf->reassembly_ms, node);
}

int start_workers(struct strowger *strowger)
{
    unsigned id = 0;
    unsigned lcore;

    RTE_LCORE_FOREACH_WORKER(lcore)
    {
        int error = make(strowger, id++, lcore);
        if (error != 0) {
            fprintf(
                stderr,
                "strowger: no memory for the worker on lcore %u: %s; give EAL more (-m MEGABYTES, huge "
                "pages), or\n"
                "strowger: lower [transaction] transactions_max, [cdr] calls_max, [network] mailbox_size or "
                "reassembly_max\n",
                lcore, strerror(-error));
            stop_workers(strowger);
            return error;
        }
    }
    return 0;
}

static void drain(struct rte_ring *ring)
{
    struct rte_mbuf *mbuf;

    while (ring != NULL && rte_ring_dequeue(ring, (void **)&mbuf) == 0)
        rte_pktmbuf_free(mbuf);
}

void stop_workers(struct strowger *strowger)
{
    for (unsigned id = 0; id < strowger->workers_n; id++) {
        struct worker *worker = strowger->workers[id];
        if (worker != NULL && worker->role != NULL) {
            // A worker that stopped later may have put something into the mailbox of one that had stopped.
            drain(worker->mailbox);
            drain(worker->punt);
            drain(worker->inject);
            auth_guard_destroy(worker->role->guard);
            call_table_destroy(worker->role->calls);
            transaction_table_destroy(worker->role->transactions);
            net_reassembly_destroy(worker->reassembly);
            rte_ring_free(worker->inject);
            rte_ring_free(worker->punt);
            rte_ring_free(worker->mailbox);
        }
        rte_free(strowger->parts[id]);
        rte_free(worker);
        strowger->parts[id] = NULL;
        strowger->workers[id] = NULL;
    }
}
