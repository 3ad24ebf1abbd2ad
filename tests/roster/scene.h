// scene: a roster, its readers' list and memory that can be made to fail.
#ifndef TESTS_ROSTER_SCENE_H
#define TESTS_ROSTER_SCENE_H

#include "roster/roster.h"

struct scene {
    struct roster *roster;
    struct rte_rcu_qsbr *qsbr; // reader 0 is the test itself
    struct memory memory;
    unsigned pieces, fail; // fail: the n-th piece from now is not there; 0: all are
};

void scene_open(struct scene *s, uint32_t rules, uint32_t members);
void scene_close(struct scene *s); // everything was given back

// Drafted and published. 0 or what the draft said.
int scene_rule(struct scene *s, const char *presentity, const char *watcher, enum roster_decision decision);

uint64_t scene_random(uint64_t *state);

#endif
