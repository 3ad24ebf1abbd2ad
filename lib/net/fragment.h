// fragment: IP datagrams larger than a link, joined on the way in and cut on the way out.
//
// Reassembly: one net_reassembly per worker, owned by it; create and destroy are control's. Bounded by a number of
// datagrams, and DPDK holds at most RTE_LIBRTE_IP_FRAG_MAX_FRAG fragments of each (8 as Debian builds it: about
// 11,800 bytes over Ethernet): the worst that an attacker can hold is the product of both in mbufs, for the time-out.
// A datagram with a fragment that overlaps another is refused whole (RFC 5722, RFC 8200 4.5), and so is one with a
// fragment twice, which RFC 8200 allows. All fragments must reach the same worker; RSS over addresses alone or the
// owner's steering sees to that.
//
// Fragmentation: any worker, on its own mbufs; no state.
#ifndef NET_FRAGMENT_H
#define NET_FRAGMENT_H

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "net/frame.h"

struct net_reassembly;

// All count mbufs, except `joined`. worker: wo, telemetry: ro.
struct net_reassembly_counters {
    uint64_t fragments; // seen
    uint64_t joined;    // datagrams that became whole
    uint64_t refused; // freed: malformed, overlapping, twice, too many of one datagram, or the table was full
    uint64_t timed_out; // freed: their datagram never became whole
};

// `datagrams` 1 … 65536, waiting at one time (each family has that many), for `timeout_ms` milliseconds. `node` or
// SOCKET_ID_ANY. 0, -ENOMEM, -EINVAL.
int net_reassembly_create(struct net_reassembly **reassembly, uint32_t datagrams, uint32_t timeout_ms,
                          int node);

// Frees all that waits. NULL is allowed.
void net_reassembly_destroy(struct net_reassembly *reassembly);

// Takes `mbuf`, which net_decap() called NET_FRAGMENT and described in `frame`. Returns the whole datagram as a frame
// in several segments, which begins with the Ethernet header of its first fragment and goes through net_decap()
// again; or NULL: it waits, or was refused and freed (`refused` counts). `tsc` never goes back.
struct rte_mbuf *net_reassemble(struct net_reassembly *reassembly, struct rte_mbuf *mbuf,
                                const struct net_frame *frame, uint64_t tsc);

// Frees what waited too long. net_reassemble() does so, too; call it now and then, for when no fragment comes.
void net_reassembly_expire(struct net_reassembly *reassembly, uint64_t tsc);

const struct net_reassembly_counters *net_reassembly_counters(const struct net_reassembly *reassembly);

struct net_fragmentation {
    struct rte_mempool *direct;   // headers, and with ports that take one segment only the whole fragment
    struct rte_mempool *indirect; // references to the payload; needs no data room
    uint64_t tx_offloads; // of the port: without RTE_ETH_TX_OFFLOAD_MULTI_SEGS fragments are one segment
    uint32_t
        id; // IPv6: identification, different for each datagram to one destination within two minutes, over all
            // workers (RFC 8200 4.5). IPv4 has its own, given by net_encap()
    uint16_t mtu; // of the hop, bytes of IP. IPv6: less than 1280 counts as 1280 (RFC 8200 5)
};

// Cuts a frame for which net_encap() returned 1 into at most `room` frames, ready to transmit, in order. Returns
// their number, and `whole` is used up; or -EINVAL (no such MTU, more than `room` fragments), -ENOMEM (a pool is
// empty, or a fragment does not fit a buffer of `direct`), and `whole` is the caller's to free and nothing else.
int net_fragment(struct rte_mbuf *whole, const struct net_fragmentation *how, struct rte_mbuf **fragments,
                 uint16_t room);

#endif
