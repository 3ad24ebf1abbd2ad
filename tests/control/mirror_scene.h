// mirror_scene: the mirror of a private namespace with two twins, whose wires the test plays.
#ifndef TESTS_CONTROL_MIRROR_SCENE_H
#define TESTS_CONTROL_MIRROR_SCENE_H

#include "fixture.h"

#include "control/mirror.h"
#include "control/twin.h"

#define PEER "02:00:00:00:00:02"

struct mirror_scene {
    struct rte_mempool *pool;
    struct control_twin twins[2];
    struct rte_rcu_qsbr *qsbr;
    struct net_hops *hops;
    struct control_mirror *mirror;
    struct control_neighbour last; // of the news
    unsigned ready_n, failed_n;
};

// Two ports, sip0 and sip1, without addresses; the mirror is open and has read nothing yet.
void mirror_scene_open(struct mirror_scene *scene);
void mirror_scene_close(struct mirror_scene *scene);

// A mirror of so many candidates in place of the one that open() made.
void mirror_scene_reopen(struct mirror_scene *scene, uint32_t candidates);

void mirror_scene_load(struct mirror_scene *scene);

// Takes in what the kernel said. Events are in the socket's queue when the command that caused them is over; a resync
// that they ask for is several answers.
void mirror_scene_follow(struct mirror_scene *scene);

// What must come true, at once or with what the kernel says within five seconds: the state of a destination's hop; that
// it is ready, with this MAC and otherwise as its port's twin has it; that it is this gateway.
void mirror_scene_expect(struct mirror_scene *scene, const char *destination, uint8_t state);
void mirror_scene_expect_ready(struct mirror_scene *scene, const char *destination, const char *mac,
                               uint16_t port);
void mirror_scene_expect_gateway(struct mirror_scene *scene, const char *destination, const char *gateway);

#endif
