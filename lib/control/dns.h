// dns: asks the DNS for what workers must know, and holds the messages that wait for it.
//
// A worker whose message needs a name that the name table does not have gives the message to control (PACKET_RESOLVE).
// control_dns_park asks, once for all messages that wait for the same name; the answer, good or not, goes into the name
// table, and the messages back to their workers (PACKET_SERVE), who now find it. Names in the configuration (gateways,
// next hops) are asked for at the start and again before their time to live ends, so that no worker waits for them;
// while no server answers, what was known of them stays.
//
// Control thread only, but for the counters. Bounded: CONTROL_LOOKUPS_MAX names on their way, half of them for
// the configuration's; [dns] parked_max messages, a quarter of them for one name. Beyond that a message goes
// back at once, to be served as if no server had answered. The configuration stays valid until the next one is given
// by control_dns_names.
//
// How the loop uses it: create, after the event_base; control_dns_park for each PACKET_RESOLVE on a punt ring;
// control_dns_tick on each tick; control_dns_names after a reload; destroy, before the event_base goes.
#ifndef CONTROL_DNS_H
#define CONTROL_DNS_H

#include <event2/event.h>
#include <rte_mbuf.h>

#include "base/memory.h"
#include "conf/conf.h"
#include "name/name.h"
#include "worker/drop.h"

#define CONTROL_LOOKUPS_MAX 512

struct control_dns;

struct control_dns_setup {
    const struct conf *conf; // [dns], the listeners' families, the names in it
    struct event_base *base;
    struct name_table *names;
    const struct memory *memory;
    // Takes a message back to its worker, or drops it for a reason. The mbuf is the callee's.
    void (*release)(void *owner, struct rte_mbuf *mbuf, uint16_t worker);
    void (*drop)(void *owner, struct rte_mbuf *mbuf, enum drop reason);
    // A gateway (index into conf->gateways) that has a name leads to these addresses now; never none. May be NULL.
    void (*resolved)(void *owner, unsigned gateway, const struct endpoint *endpoints, unsigned n);
    void *owner;
};

// Asks for the configuration's names from the first tick on. 0, -ENOMEM, -EINVAL: a server that c-ares does not take.
int control_dns_create(struct control_dns **dns, const struct control_dns_setup *setup);

// Drops what waits (DROP_STOPPING). NULL is allowed.
void control_dns_destroy(struct control_dns *dns);

// A new configuration: its names, servers, times to live, ENUM suffix; the bounds and the listeners stay as they were.
// 0; -ENOMEM: its names are asked for only when a message needs them; -ENOMEM, -EINVAL: the servers stay.
int control_dns_names(struct control_dns *dns, const struct conf *conf);

// A message of worker `worker` that waits for the answer to the question written behind it (worker/parked.h).
void control_dns_park(struct control_dns *dns, struct rte_mbuf *mbuf, uint16_t worker, uint64_t now_ms);

// Names of the configuration that are due, answers that found no room in the name table, and the table's own expiry.
void control_dns_tick(struct control_dns *dns, uint64_t now_ms);

// control: wo, telemetry: ro
struct control_dns_counters {
    uint64_t lookups;                           // names and numbers looked up, in several questions each
    uint64_t queries;                           // questions to the servers
    uint64_t found;                             // lookups that led somewhere
    uint64_t absent;                            // there is no such name
    uint64_t failures;                          // the servers did not answer, or not sensibly
    uint64_t on_their_way;                      // lookups now
    uint64_t parked, parked_high, parked_total; // messages: now, the most there were, all
    uint64_t refused;                           // for which there was no room: they went back
};
void control_dns_counters(const struct control_dns *dns, struct control_dns_counters *counters);

#endif
