// worker: one lcore of the data path, and everything that crosses between it and others.
//
// There is one struct worker per worker lcore, made by control before launch and passed as an argument ever after.
// Its fields are grouped by who writes them. Between threads there are only rings, QSBR-published pointers and
// counters: a worker never locks, allocates, logs or makes a syscall.
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <stdatomic.h>

#include "conf/conf.h"
#include "net/nexthop.h"
#include "worker/counters.h"
#include "worker/packet.h"

#define WORKERS_MAX       64
#define WORKER_NO_QUEUE   0xffff
#define WORKER_BURST      32    // packets taken from a queue or ring at a time
#define WORKER_LARGE_ROOM 24576 // bytes of a large buffer: SIP_MESSAGE_MAX, its edits, headroom
// Of one for a message of our own that is as long as a datagram can be: an mbuf has no more.
#define WORKER_LONGEST_ROOM 65535

// One port as one worker uses it.
struct worker_port {
    uint16_t id;       // DPDK port number
    uint16_t rx_queue; // WORKER_NO_QUEUE: fewer queues than workers, others receive for this one
    uint16_t tx_queue; // WORKER_NO_QUEUE: frames go by the mailbox of worker `tx_worker`
    uint16_t tx_worker;
    uint16_t mtu;         // bytes of IP
    uint64_t tx_offloads; // RTE_ETH_TX_OFFLOAD_…, as configured
    struct rte_ether_addr mac;
    bool has_twin;
    uint16_t tx_n; // frames waiting for the end of the burst
    struct rte_mbuf *tx[2 * WORKER_BURST];
};

struct role;           // role/role.h
struct role_policy;    // role/policy.h
struct service_drain;  // service/drain.h
struct location;       // location/location.h
struct net_reassembly; // net/fragment.h
struct sip_edits;      // sip/edit.h
struct journal;        // worker/journal.h

struct worker {
    // control: wo before launch, worker: ro
    uint16_t id; // 0 … workers_n - 1; also its reader number in qsbr and its shard
    uint16_t workers_n;
    unsigned lcore;
    int socket;                    // NUMA node, or SOCKET_ID_ANY
    struct worker *const *workers; // all, by id
    const atomic_bool *stop;       // control: wo, workers: ro
    struct rte_rcu_qsbr *qsbr;
    struct rte_mempool *pool;     // received frames; private area is a struct packet
    struct rte_mempool *large;    // messages joined from segments, or grown out of their buffer
    struct rte_mempool *longest;  // messages of our own that no peer may send; NULL: there are none
    struct rte_mempool *indirect; // headers of output fragments
    struct rte_ring *mailbox;     // many workers -> this one
    struct rte_ring *punt;        // this one -> control
    struct rte_ring *inject;      // control -> this one
    struct net_hops *hops;
    struct location *location;
    struct role *role;
    struct net_reassembly *reassembly;
    struct journal *journal;       // the role's; NULL: there is no store
    struct sip_edits *edits;       // of the message in hand
    const uint8_t *listener_table; // datapath/datapath.h

    // control: wo, worker: ro. Measured anew now and then: DPDK's estimate of the TSC may be off by minutes a day, and
    // an expiry that control wrote is read by workers.
    _Atomic uint64_t tsc_hz;
    _Atomic uint64_t unix_offset_s; // wall clock when now.ms was 0

    // control: wo, worker: ro. The policy in force; control frees the one before after a grace period.
    const struct role_policy *_Atomic policy;
    const struct service_drain *_Atomic drain; // the same way; NULL: everything is served

    // worker: wo
    const struct conf *conf;           // the policy's, of this turn
    uint32_t generation;               // the policy's, of this turn
    uint32_t kept_max, kept_large_max; // this worker's share of what roles may keep
    uint64_t kept;                     // messages that roles hold now; telemetry: ro
    uint64_t kept_large;               // of these, in large buffers; telemetry: ro
    bool pools_low;                    // as the last look found them
    struct rte_mbuf *spare; // that the next message of a role's own is written to; NULL: none is ready
    uint16_t outgoing_n;
    struct rte_mbuf *outgoing[WORKER_BURST];  // what roles sent beside the message in hand
    struct worker_port ports[CONF_PORTS_MAX]; // index into conf->ports
    struct clock now;
    uint64_t now_tsc;
    uint64_t next_tick_tsc;       // when expiry runs next
    uint64_t next_look_tsc;       // when the pools are looked at next
    uint16_t ip4_id;              // identification of the next datagram that is fragmented (RFC 6864)
    uint32_t ip6_id;              // the same (RFC 8200 4.5); the worker's number is in its upper bits
    uint64_t clock_tsc, clock_ms; // base of `now`

    // worker: wo, telemetry: ro
    struct counters counters;
} __rte_cache_aligned;

// A drop is counted under its reason and the buffer goes back.
static inline void worker_drop(struct worker *worker, struct rte_mbuf *mbuf, enum drop drop)
{
    worker->counters.drops[drop]++;
    rte_pktmbuf_free(mbuf);
}

// Renews worker->now from the TSC. Monotonic.
void worker_clock(struct worker *worker);

#endif
