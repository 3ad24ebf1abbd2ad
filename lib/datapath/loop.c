#include <rte_cycles.h>

#include "datapath/datapath.h"
#include "datapath/stage.h"
#include "location/location.h"
#include "net/fragment.h"
#include "proxy/proxy.h"
#include "role/policy.h"
#include "service/service.h"
#include "worker/journal.h"

#define TICK_PER_SECOND 1000 // how often what waits for siblings is looked at
#define LOOK_PER_SECOND 50   // how often the pools are counted, which reads every core's cache of them
#define POOL_LOW_SHARE  8    // a pool is low with less than this part of it free
#define FOREVER_MS      (UINT64_C(1) << 32) // by which a leap of the clock makes every timer due
#define LARGE_SHARE     2                   // this part of the large buffers may be kept by roles

// Notes what each message cost in a stage that began at `since`; returns the time now, when the next one begins.
static uint64_t lap(struct worker *worker, enum stage stage, uint64_t since, unsigned messages)
{
    uint64_t now = rte_rdtsc();

    counters_stage_add(&worker->counters.stage[stage], now - since, messages);
    return now;
}

static unsigned serve_port(struct worker *worker, unsigned port)
{
    struct burst burst;
    uint64_t since = rte_rdtsc();

    datapath_rx(worker, port, &burst);
    unsigned received = burst.n;
    unsigned n = received;
    if (n == 0)
        return 0;
    since = lap(worker, STAGE_RX, since, n);
    datapath_decap(worker, &burst);
    since = lap(worker, STAGE_DECAP, since, n);
    n = burst.n;
    datapath_classify(worker, &burst);
    since = lap(worker, STAGE_CLASSIFY, since, n);
    n = burst.n;
    datapath_parse(worker, &burst);
    since = lap(worker, STAGE_PARSE, since, n);
    n = burst.n;
    datapath_steer(worker, &burst);
    lap(worker, STAGE_STEER, since, n);
    // These are reached from the rings, too, and take their time themselves.
    datapath_serve(worker, &burst);
    datapath_encap(worker, &burst);
    return received;
}

static void flush(struct worker *worker)
{
    uint64_t since = rte_rdtsc();
    unsigned waiting = 0;

    for (unsigned port = 0; port < worker->conf->ports_n; port++)
        waiting += worker->ports[port].tx_n;
    datapath_tx_flush(worker);
    lap(worker, STAGE_TX, since, waiting);
}

// As much as this turn may have put: one burst of each port and of each ring, and what was undone.
static void expire(struct worker *worker)
{
    unsigned bursts = worker->conf->ports_n + 2 + DATAPATH_SETTLE_BURSTS;

    location_expire(worker->location, worker->id, worker->now.ms, bursts * WORKER_BURST);
}

// What control published last holds for this turn.
static void renew(struct worker *worker)
{
    const struct role_policy *policy = atomic_load_explicit(&worker->policy, memory_order_acquire);

    worker->role->drain = atomic_load_explicit(&worker->drain, memory_order_acquire);
    if (policy == worker->role->policy)
        return;
    service_renew(worker->role, policy);
    worker->conf = policy->conf;
    worker->generation = policy->generation;
    worker->kept_max = policy->conf->kept_max / worker->workers_n;
    worker->kept_large_max = worker->large->size / LARGE_SHARE / worker->workers_n;
}

static bool is_low(const struct rte_mempool *pool)
{
    return rte_mempool_avail_count(pool) < pool->size / POOL_LOW_SHARE;
}

static void look_at_pools(struct worker *worker)
{
    if (worker->now_tsc < worker->next_look_tsc)
        return;
    worker->next_look_tsc = worker->now_tsc + worker->tsc_hz / LOOK_PER_SECOND;
    worker->pools_low = is_low(worker->pool);
}

static void tick(struct worker *worker)
{
    if (worker->now_tsc < worker->next_tick_tsc)
        return;
    worker->next_tick_tsc = worker->now_tsc + worker->tsc_hz / TICK_PER_SECOND;
    net_reassembly_expire(worker->reassembly, worker->now_tsc);
    const struct net_reassembly_counters *fragments = net_reassembly_counters(worker->reassembly);
    worker->counters.drops[DROP_FRAGMENT] = fragments->refused;
    worker->counters.drops[DROP_FRAGMENT_TIMEOUT] = fragments->timed_out;
}

unsigned datapath_turn(struct worker *worker)
{
    unsigned received = 0;

    worker_clock(worker);
    renew(worker);
    if (worker->journal != NULL)
        journal_turn(worker->journal, worker->now.ms);
    uint64_t start = worker->now_tsc;
    for (unsigned port = 0; port < worker->conf->ports_n; port++)
        received += serve_port(worker, port);
    received += datapath_mailbox(worker);
    received += datapath_inject(worker);
    received += datapath_settle(worker);
    service_turn(worker->role, &worker->now);
    datapath_outlet_flush(worker);
    flush(worker);
    expire(worker);
    tick(worker);
    look_at_pools(worker);
    // Nothing read from a shared table is held from one turn to the next.
    rte_rcu_qsbr_quiescent(worker->qsbr, worker->id);

    uint64_t took = rte_rdtsc() - start;
    if (received > 0)
        worker->counters.busy_cycles += took;
    else
        worker->counters.idle_cycles += took;
    return received;
}

static void drain_ring(struct worker *worker, struct rte_ring *ring)
{
    struct rte_mbuf *mbuf;

    while (rte_ring_dequeue(ring, (void **)&mbuf) == 0)
        worker_drop(worker, mbuf, DROP_STOPPING);
}

// What transactions keep goes back to its pools; they would have had to be served to their end.
static void close_transactions(const struct worker *worker)
{
    struct transaction_table *table = worker->role->transactions;
    uint64_t later = worker->now.ms + FOREVER_MS;
    struct transaction *transaction;

    while ((transaction = transaction_due(table, later)) != NULL) {
        proxy_record_evict(worker->role, transaction);
        transaction_close(table, transaction);
    }
}

void datapath_drain(struct worker *worker)
{
    datapath_tx_flush(worker);
    close_transactions(worker);
    rte_pktmbuf_free(worker->spare);
    worker->spare = NULL;
    drain_ring(worker, worker->mailbox);
    drain_ring(worker, worker->inject);
}

int datapath_run(void *argument)
{
    struct worker *worker = argument;

    rte_rcu_qsbr_thread_register(worker->qsbr, worker->id);
    rte_rcu_qsbr_thread_online(worker->qsbr, worker->id);
    while (!atomic_load_explicit(worker->stop, memory_order_relaxed))
        datapath_turn(worker);
    datapath_drain(worker);
    rte_rcu_qsbr_thread_offline(worker->qsbr, worker->id);
    rte_rcu_qsbr_thread_unregister(worker->qsbr, worker->id);
    return 0;
}
