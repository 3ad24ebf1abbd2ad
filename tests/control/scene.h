// scene: control on one port with one worker, whose part the test plays.
#ifndef TESTS_CONTROL_SCENE_H
#define TESTS_CONTROL_SCENE_H

#include "fixture.h"

#include "control/loop.h"

#define SCENE_RING 16

struct scene {
    struct rte_mempool *pool;
    struct rte_rcu_qsbr *qsbr;
    struct net_hops *hops;
    struct conf *conf;
    struct worker *worker;
    uint16_t port;  // DPDK port number
    unsigned stops; // calls of the stop callback
    struct control_setup setup;
    struct control *control;
};

// In a namespace of its own: port "p" on net_null0 with the twin sip0, 198.18.0.1/24 and 2001:db8:1::1/64 on it.
void scene_open(struct scene *scene);
// Everything but control itself.
void scene_prepare(struct scene *scene);
void scene_close(struct scene *scene);

// Turns control until the worker is given something for which `wanted` holds; what else comes is freed. NULL after
// `ms`.
struct rte_mbuf *scene_await(struct scene *scene, bool (*wanted)(struct rte_mbuf *), uint64_t ms);

// Turns control until `done` holds; false after `ms`.
bool scene_turn_until(struct scene *scene, bool (*done)(const struct scene *), uint64_t ms);

// The worker punts.
void scene_punt(struct scene *scene, struct rte_mbuf *mbuf, uint8_t errand, const char *to);

#endif
