// users: subscribers come and go while the server runs.
//
// What an operator says becomes hashes, is written to the store and then told to the workers' table (user/user.h), so
// nobody is let in who would be forgotten by a restart. Passwords are wiped from the caller's memory as soon as they
// are hashed, and are never written or logged. Main lcore; every change waits for the disk.
#ifndef CONTROL_USERS_H
#define CONTROL_USERS_H

#include <stdio.h>

#include "conf/conf.h"
#include "control/commit.h"
#include "store/store.h"
#include "user/user.h"

#define CONTROL_USERS_STEP 64 // lines of an import between two turns of the loop

struct control_users {
    struct user_table *table;      // NULL: there is no [auth], so nobody looks; they are stored all the same
    struct control_commit *commit; // NULL: there is no store
    const struct conf *conf;       // that is in force
};

// The realm that users of a domain are kept under: that of the first [auth] which asks for the domain's users, else the
// domain's first name; a realm of some [auth] is one, too. Empty: it is neither.
struct slice control_users_realm(const struct conf *conf, struct slice domain);

// "user,domain,password" or "user,domain,md5:HEX,…" (user/password.h); the line is wiped. NULL: it is done; else why
// not, to be read by the operator.
const char *control_users_put(const struct control_users *users, char *line, size_t len);
// A realm that is configured no more can be given as well.
const char *control_users_remove(const struct control_users *users, struct slice name, struct slice domain);

// A file of such lines; empty ones and those that begin with "#" are passed over. First all are checked, so that a file
// with a fault changes nothing; then they are put, some at each step.
struct control_users_import {
    const struct control_users *users;
    char *at, *end; // what is left
    const char *name;
    unsigned line, done;
};

// False after a line on `errors` for each fault, "NAME:LINE: what was expected".
bool control_users_import_begin(struct control_users_import *import, const struct control_users *users,
                                char *text, size_t len, const char *name, FILE *errors);
// 1: there is more; 0: all is done; -1: after a line on `errors`: what the steps before did is done.
int control_users_import_step(struct control_users_import *import, FILE *errors);

// At start: everybody whom the store has, into the table. 0, or -errno after a line on `errors`.
int control_users_load(struct store *store, struct user_table *table, FILE *errors);

#endif
