// rig: a whole strowger on ring ports, driven by hand, for tests and benches of the packet path.
//
// The rig builds the same parts that the program starts, but for the control loop and the lcores' launch: the caller's
// thread turns the workers. Frames are put into a port's receive ring and taken from its transmit ring. Control's
// part, routes and neighbours, is played by the caller.
#ifndef RIG_RIG_H
#define RIG_RIG_H

#include "base/endpoint.h"
#include "start.h"

#define RIG_RING 8192

struct rig {
    struct conf *conf;
    struct strowger strowger;
    struct rte_ring *rx[CONF_PORTS_MAX][WORKERS_MAX]; // by port and queue
    struct rte_ring *tx[CONF_PORTS_MAX][WORKERS_MAX];
    unsigned queues;
    bool drained;
};

// Starts EAL without huge pages, devices or files of its own, with `workers` worker lcores that sleep. Once a process.
void rig_eal(unsigned workers);

// For benches: on huge pages where some are free, and worker lcores that can run beside the caller: the first shares
// the caller's core, for the caller turns that worker itself; the others have the following cores.
void rig_eal_parallel(unsigned workers);

// Starts a strowger from the text of an INI; its [port] devices must be named net_ring_rigN, N from 0 on in file order.
// Exits with the reason when it cannot. `queues`: RX/TX queue pairs of each port.
void rig_start(struct rig *rig, const char *ini, unsigned queues);

// The same with this store, which is closed at the end. The caller is its writer, by control_commit_turn.
void rig_start_with(struct rig *rig, const char *ini, unsigned queues, struct store *store);

// The workers stop being workers, as at the end of their loops. rig_stop does it where nobody did before.
void rig_drain(struct rig *rig);

// Takes it down, and checks that every buffer is back in its pool: false when one is missing.
bool rig_stop(struct rig *rig);

// Everything on-link: a LINK route for the whole of both families on the port, and a neighbour with a MAC.
void rig_link(struct rig *rig, unsigned port);
// Everything leads over one gateway, which is there.
void rig_gateway(struct rig *rig, unsigned port, const struct endpoint *gateway);
void rig_neighbour(struct rig *rig, unsigned port, const struct endpoint *address);

// An Ethernet frame with a UDP datagram, its checksums right; in a buffer of the pool, in one segment.
// vlan 0: no tag. Never NULL.
struct rte_mbuf *rig_frame(struct rig *rig, const struct endpoint *source, const struct endpoint *destination,
                           const char *payload, size_t len, uint16_t vlan);

// Puts a frame into the receive ring of port and queue. Takes the mbuf.
void rig_receive(struct rig *rig, unsigned port, unsigned queue, struct rte_mbuf *mbuf);

// Turns all workers until nothing moves any more.
void rig_turn(struct rig *rig);

// From now on time passes only by rig_pass.
void rig_hold_clock(struct rig *rig);
// So many milliseconds pass at once; then all workers turn.
void rig_pass(struct rig *rig, uint64_t ms);

// The next frame that left a port, from any queue, or NULL. The caller frees it.
struct rte_mbuf *rig_sent(struct rig *rig, unsigned port);

// The next frame that left, as a datagram: its addresses and the payload in `text`, NUL-terminated. False: none.
bool rig_sent_datagram(struct rig *rig, unsigned port, struct endpoint *source, struct endpoint *destination,
                       char *text, size_t room);

// The sum of a drop counter over all workers.
uint64_t rig_drops(const struct rig *rig, enum drop drop);

// Messages that roles keep, and their records, of all workers.
uint64_t rig_kept(const struct rig *rig);
uint64_t rig_transactions(const struct rig *rig);

#endif
