// stage: the steps of the packet path, one file each, in the order in which a message meets them.
//
//   rx -> decap -> classify -> parse -> steer -> serve (-> rewrite for each message) -> encap -> tx
//
// Each takes the burst that the one before left and leaves in it what goes on; what does not go on was dropped,
// punted or handed over by the stage itself. All run on the worker that owns the burst. Every stage says in its file
// what it drops.
#ifndef DATAPATH_STAGE_H
#define DATAPATH_STAGE_H

#include "worker/worker.h"

struct verdict;

struct burst {
    uint16_t n;
    struct rte_mbuf *mbuf[WORKER_BURST];
};

// Takes up to a burst from the port's receive queue.
void datapath_rx(struct worker *worker, unsigned port, struct burst *burst);

// Reads Ethernet, IP and UDP headers into each packet's frame; drops what lies about its lengths or checksums.
void datapath_decap(struct worker *worker, struct burst *burst);

// Keeps SIP to a listener, joins its fragments, punts the rest to the port's twin.
void datapath_classify(struct worker *worker, struct burst *burst);

// Asks for the lines of a datagram and of its index before they are needed; its frame is known.
void datapath_prefetch(const struct rte_mbuf *mbuf);

// Makes each message contiguous and indexes it.
void datapath_parse(struct worker *worker, struct burst *burst);

// Keeps the messages that this worker owns, hands the others over, and prefetches what serving will read.
void datapath_steer(struct worker *worker, struct burst *burst);

// Lets the roles decide and rewrites each message accordingly; leaves datagrams without headers, to `packet.to`.
void datapath_serve(struct worker *worker, struct burst *burst);

// Turns the mbuf's frame into the edited datagram. DROP_NONE, or why not; *mbuf may be another one afterwards.
enum drop datapath_rewrite(struct worker *worker, struct rte_mbuf **mbuf);

// Finds each datagram's next hop and puts UDP, IP and Ethernet in front, in fragments where it must; hands it to tx.
void datapath_encap(struct worker *worker, struct burst *burst);

// Queues a whole frame for a port; sent at the latest by datapath_tx_flush.
void datapath_tx(struct worker *worker, unsigned port, struct rte_mbuf *mbuf);
void datapath_tx_flush(struct worker *worker);

// Gives a packet to control with its errand.
void datapath_punt(struct worker *worker, struct rte_mbuf *mbuf, enum packet_errand errand);

// Takes what control wants sent. Returns the packets taken.
unsigned datapath_inject(struct worker *worker);

// Takes what other workers handed over, and serves it to its end. Returns the packets taken.
unsigned datapath_mailbox(struct worker *worker);

// Puts a packet into another worker's mailbox with its errand; a full one is a counted drop.
void datapath_hand_over(struct worker *worker, unsigned to, struct rte_mbuf *mbuf, enum packet_errand errand);

#endif
