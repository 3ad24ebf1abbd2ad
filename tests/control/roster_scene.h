// roster_scene: what control has of rules and lists, with a store in memory and somebody who is told of changes.
#ifndef TESTS_CONTROL_ROSTER_SCENE_H
#define TESTS_CONTROL_ROSTER_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind the four that it needs
#include <cmocka.h>

#include "control/roster.h"

struct roster_scene {
    struct conf *conf;
    struct role_route *route;
    struct rte_rcu_qsbr *qsbr;
    struct store *store;
    struct journal_gate gate;
    struct journal *journal; // nobody writes to it
    struct control_roster roster;
    unsigned told;
    char last[SIP_AOR_MAX + 1]; // who was told of
    bool deaf;                  // nobody can be told
};

// Domains one.example, also known as uno.example, and two.example; lists of up to 150.
void roster_open(struct roster_scene *s, uint32_t rules, uint32_t members);
void roster_close(struct roster_scene *s);

// NULL, or why not.
const char *roster_put(struct roster_scene *s, const char *presentity, const char *watcher,
                       enum roster_decision decision);
const char *roster_add(struct roster_scene *s, const char *list, const char *first,
                       const char *second);                                            // "": only one
const char *roster_take(struct roster_scene *s, const char *list, const char *member); // "": all

enum roster_decision roster_decides(const struct roster_scene *s, const char *presentity,
                                    const char *watcher);

// Members' URIs and names as "uri|name " each; "": there is no such list. The store has the same.
const char *roster_shown(struct roster_scene *s, const char *list);

struct roster *roster_another(struct roster_scene *s, uint32_t rules, uint32_t members);

#endif
