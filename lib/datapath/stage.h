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

// Keeps SIP to a listener of UDP, joins its fragments, punts the rest to the port's twin.
void datapath_classify(struct worker *worker, struct burst *burst);

// Asks for the lines of a datagram and of its index before they are needed; its frame is known.
void datapath_prefetch(const struct rte_mbuf *mbuf);

// Takes what keeps a NAT's hole open and STUN, of which it answers what wants an answer; `answers` has room. False: it
// is neither, and the mbuf stays the caller's.
bool datapath_keepalive(struct worker *worker, struct rte_mbuf *mbuf, struct burst *answers);

// Makes each message contiguous and indexes it; sends the answers to keep-alives.
void datapath_parse(struct worker *worker, struct burst *burst);

// Keeps the messages that this worker owns, hands the others over, and prefetches what serving will read.
void datapath_steer(struct worker *worker, struct burst *burst);

// The same for one message, whoever it belongs to.
void datapath_steer_one(struct worker *worker, struct packet *packet);

// Asks for what serving will look up first.
void datapath_prefetch_tables(const struct worker *worker, const struct packet *packet);
// A little later, where presence is served: what a PUBLISH or SUBSCRIBE is about.
void datapath_prefetch_presentity(const struct worker *worker, const struct packet *packet);

// Lets the roles decide and rewrites each message accordingly; leaves datagrams without headers, to `packet.to`.
void datapath_serve(struct worker *worker, struct burst *burst);

// Turns the mbuf's frame into the edited datagram. DROP_NONE, or why not; *mbuf may be another one afterwards.
enum drop datapath_rewrite(struct worker *worker, struct rte_mbuf **mbuf);

// The datagram as it stands, as a buffer that a role keeps while the datagram goes on. NULL when it is too large to be
// kept now.
struct buffer *datapath_keep(struct worker *worker, struct rte_mbuf *mbuf);

// Sends the answers that waited for the disk, at most so many bursts of them; what the disk did not take is undone and
// refused. Returns the records that are settled.
#define DATAPATH_SETTLE_BURSTS 2
unsigned datapath_settle(struct worker *worker);

// Puts headers on what roles sent through their outlet.
void datapath_outlet_flush(struct worker *worker);

// Finds each datagram's next hop and puts UDP, IP and Ethernet in front, in fragments where it must; hands it to tx.
// What is for a stream goes to control as it is.
void datapath_encap(struct worker *worker, struct burst *burst);

// Queues a whole frame for a port; sent at the latest by datapath_tx_flush.
void datapath_tx(struct worker *worker, unsigned port, struct rte_mbuf *mbuf);
void datapath_tx_flush(struct worker *worker);

// Which listener an address and port is, or DATAPATH_NO_LISTENER.
#define DATAPATH_NO_LISTENER 0xff
unsigned datapath_listener_of(const struct worker *worker, const struct endpoint *destination);

// Looks whether a frame that is not UDP is an ICMP error about a request of ours, and lets the role know that served
// it. True: another worker did, and has the frame now. False: the frame goes on to the kernel.
bool datapath_icmp(struct worker *worker, struct rte_mbuf *mbuf);

// The same for one whose `frame.payload` is known to be what was quoted.
void datapath_unreachable(struct worker *worker, struct rte_mbuf *mbuf);

// A datagram that no next hop takes; `drop` says why. Where a role keeps it, it hears of that in the next turn, since
// this may be called while the role sends.
void datapath_unsent(struct worker *worker, struct rte_mbuf *mbuf, enum drop drop);

// Gives a message to control until the name in the verdict is known. False: it cannot wait, and stays the caller's.
bool datapath_park(struct worker *worker, struct rte_mbuf *mbuf, const struct verdict *verdict);

// Gives a packet to control with its errand. A stream's message for which there is no room is unsent.
void datapath_punt(struct worker *worker, struct rte_mbuf *mbuf, enum packet_errand errand);

// Takes what control wants sent. Returns the packets taken.
unsigned datapath_inject(struct worker *worker);

// Takes what other workers handed over, and serves it to its end. Returns the packets taken.
unsigned datapath_mailbox(struct worker *worker);

// Puts a packet into another worker's mailbox with its errand; a full one is a counted drop.
void datapath_hand_over(struct worker *worker, unsigned to, struct rte_mbuf *mbuf, enum packet_errand errand);

#endif
