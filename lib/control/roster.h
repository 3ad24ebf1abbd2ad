// roster: who may watch whom, and lists of users to watch as one, while the server runs.
//
// What an operator says is checked, written to the store and then told to the workers' tables (roster/roster.h), so
// nobody is let in, or kept out, by what a restart would forget. Who watches already hears of it: each change names the
// user whose watchers are to be looked at anew. Main lcore; every change waits for the disk.
#ifndef CONTROL_ROSTER_H
#define CONTROL_ROSTER_H

#include <stdio.h>

#include "conf/conf.h"
#include "control/commit.h"
#include "role/route.h"
#include "roster/roster.h"
#include "store/store.h"

#define CONTROL_LIST_MAX   500 // members, as [presence] list_max allows
#define CONTROL_LISTS_STEP 64  // lists of an import between two turns of the loop

struct control_roster {
    struct roster *roster;
    struct control_commit *commit; // NULL: there is no store
    const struct conf *conf;       // that is in force, with its route
    const struct role_route *route;
    // The address of record of a user, or of a list, that is not what it was. False: nobody could be told.
    bool (*changed)(void *owner, struct slice aor);
    void *owner;
};

// Why nothing was done, to be read by the operator: `what` stands behind `word`, unless that is empty. what == NULL: it
// was done.
struct control_fault {
    struct slice word;
    const char *what;
};

// Words are as control/aor.h reads them: a user of ours; anybody, "*@example.com", or "*".
struct control_fault control_roster_rule_put(const struct control_roster *roster, struct slice presentity,
                                             struct slice watcher, enum roster_decision decision);
struct control_fault control_roster_rule_remove(const struct control_roster *roster, struct slice presentity,
                                                struct slice watcher);

// control_lists.c. Puts members behind those that are there; one that is there stays as it is.
struct control_fault control_roster_list_add(const struct control_roster *roster, struct slice list,
                                             const struct slice *members, unsigned n);
// The members, or with n == 0 the whole list; without members there is no list.
struct control_fault control_roster_list_remove(const struct control_roster *roster, struct slice list,
                                                const struct slice *members, unsigned n);

// A file of lines "list,member" or "list,member,name", the name to the end of the line; empty ones and those that begin
// with "#" are passed over. A list of which lines are there becomes what they say, in their order, and no more; the
// others stay. First all are checked, so that a file with a fault changes nothing; then lists are put, each whole, some
// at each step.
struct control_lists_line;
struct control_lists_import {
    struct control_roster roster; // conf and route are renewed before each step
    const char *name;
    struct slice text;
    struct control_lists_line *lines; // by list, then in the order of the file
    size_t n, room;
    size_t at;                      // the first of those that are not put yet
    struct control_member *members; // of the list in hand
    char *values;                   // of the lists of a step
    unsigned lists, done;           // lists, and members, that are put
    unsigned untold;                // lists of which no worker could be told
};

// False after a line on `errors` for each fault, "NAME:LINE: what was expected". `text` and `name` outlive the import.
bool control_lists_import_begin(struct control_lists_import *import, const struct control_roster *roster,
                                struct slice text, const char *name, FILE *errors);
// 1: there is more; 0: all is done; -1: after a line on `errors`: what the steps before did is done.
int control_lists_import_step(struct control_lists_import *import, FILE *errors);
void control_lists_import_end(struct control_lists_import *import); // in any case, once or more

// At start: all rules and lists that the store has. 0, or -errno after a line on `errors`.
int control_roster_load(struct store *store, struct roster *roster, FILE *errors);

#endif
