// dns_scene: control's DNS between a worker, whose part the test plays, and a name server of the test's own.
#ifndef TESTS_CONTROL_DNS_SCENE_H
#define TESTS_CONTROL_DNS_SCENE_H

#include "fixture.h"
#include "nameserver.h"

#include "control/dns.h"

#define DNS_SCENE_SERVED_MAX 64

struct dns_scene {
    struct nameserver server;
    struct rte_mempool *pool;
    struct rte_rcu_qsbr *qsbr;
    struct event_base *base;
    struct name_table *names;
    struct conf *conf;
    struct control_dns *dns;
    uint64_t now_ms;
    unsigned served_n;                 // messages that came back
    unsigned nameless_n;               // and those that came back at once, for want of a place
    char served[DNS_SCENE_SERVED_MAX]; // first byte of each
    uint16_t worker;                   // of the last one
    unsigned dropped[DROP_COUNT];
    unsigned resolved_n; // news of gateways
    unsigned gateway;    // of the last of them
    struct endpoint address;
};

// `more` is further INI; listeners of both families unless it begins with "[listener".
void dns_scene_open(struct dns_scene *scene, const char *more);
void dns_scene_close(struct dns_scene *scene); // every mbuf came back
struct conf *dns_scene_conf(const struct dns_scene *scene, const char *more);

// A message that begins with `byte`, parked for a question, which names no transport.
void dns_scene_park(struct dns_scene *scene, const char *name, uint16_t port, uint8_t kind, char byte);

// Runs the loop until so many messages have been served or dropped, a minute at most.
void dns_scene_await(struct dns_scene *scene, unsigned messages);
// The same until so many lookups have ended.
void dns_scene_await_lookups(struct dns_scene *scene, uint64_t lookups);

// Parks one message, waits until it is back, and gives what the name table says now.
const struct name_answer *dns_scene_ask(struct dns_scene *scene, const char *name, uint16_t port,
                                        uint8_t kind);
const struct name_answer *dns_scene_find(const struct dns_scene *scene, const char *name, uint16_t port,
                                         uint8_t kind);

// The same for a name and a transport: NAME_SIP or NAME_SIPS.
const struct name_answer *dns_scene_ask_over(struct dns_scene *scene, const char *name, uint16_t port,
                                             uint8_t kind, uint8_t transport);

// The hops in the order kept, as "ADDRESS:PORT/PRIORITY/WEIGHT", with spaces between; of a stream with its transport
// behind the port, as a URI has it: ";tcp".
const char *dns_scene_hops(const struct name_answer *answer);

struct control_dns_counters dns_scene_counters(const struct dns_scene *scene);

#endif
