// fixture: a private network namespace, EAL without huge pages, and frames by hand, for control's tests.
//
// The test plays the wire: what the kernel sends through a twin is read there, answers are written there. Nothing
// leaves the namespace, and it goes with the process.
#ifndef TESTS_CONTROL_FIXTURE_H
#define TESTS_CONTROL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rte_mbuf.h>

#include "base/endpoint.h"
#include "net/nexthop.h"
#include "worker/packet.h"

#define FIXTURE_MBUFS 255

// cmocka group setup and teardown: EAL with the port net_null0, once a process. The telemetry socket lies in a
// directory of the test's own.
int fixture_eal(void **state);
int fixture_eal_end(void **state);

// Path of the telemetry socket.
const char *fixture_telemetry(void);

// A fresh namespace without anything in it but a loopback that is up. Skips the test, and says why, where the system
// does not permit it.
void fixture_namespace(void);

// Runs `ip WORDS` in the namespace; fails the test when it fails.
__attribute__((format(printf, 1, 2))) void fixture_ip(const char *format, ...);

// Whether the words stand in what `ip WORDS` prints.
bool fixture_ip_says(const char *arguments, const char *words);

// Waits until it does, at most five seconds.
void fixture_ip_await(const char *arguments, const char *words);

// Writes /proc/sys/net/PATH of the namespace.
void fixture_setting(const char *path, const char *value);

// A pool of FIXTURE_MBUFS buffers with room for a struct packet; the freeing fails the test when one is missing.
struct rte_mempool *fixture_pool(uint16_t data_room);
void fixture_pool_free(struct rte_mempool *pool);

struct rte_rcu_qsbr *fixture_qsbr(void); // no reader is registered
struct net_hops *fixture_hops(struct rte_rcu_qsbr *qsbr, uint32_t routes, uint32_t neighbours);

struct endpoint fixture_address(const char *text);
struct rte_ether_addr fixture_mac(const char *text);

// The hop that a destination has now.
struct net_hop *fixture_hop(const struct net_hops *hops, const char *destination);

// Milliseconds of the monotonic clock, for deadlines of waiting loops.
uint64_t fixture_ms(void);

struct rte_mbuf *fixture_frame(struct rte_mempool *pool, const void *bytes, size_t len);

// An ARP frame of a peer; `request` or reply. `vlan` 0: none.
struct rte_mbuf *fixture_arp(struct rte_mempool *pool, bool request, const char *sender_mac,
                             const char *sender, const char *target_mac, const char *target, uint16_t vlan);

// Whether a frame is an ARP request for `target`, or a neighbour solicitation for it; `vlan` 0: untagged.
bool fixture_is_arp_for(const struct rte_mbuf *mbuf, const char *target, uint16_t vlan);
bool fixture_is_solicitation_for(const struct rte_mbuf *mbuf, const char *target);

// The neighbour advertisement (RFC 4861 4.4) that answers a solicitation.
struct rte_mbuf *fixture_advertisement(struct rte_mempool *pool, const char *sender_mac, const char *sender,
                                       const struct rte_mbuf *solicitation);

#endif
