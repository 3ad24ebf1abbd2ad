// user: subscribers and their digest credentials, for workers to look up.
//
// A table that control fills (from the store, and live when users come and go) and workers read without locks: an entry
// is replaced as a whole and freed after a grace period. Passwords are never here, only HA1 = H(user:realm:password) for
// each algorithm that was given (RFC 7616 3.4.2). Bounded by [store] users_max; the memory is taken at start.
#ifndef USER_USER_H
#define USER_USER_H

#include <rte_rcu_qsbr.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/slice.h"
#include "conf/conf.h"

#define USER_HA1_MAX 32 // bytes; MD5 has 16

struct user {
    uint8_t ha1[CONF_DIGESTS][USER_HA1_MAX]; // by enum conf_digest
    uint8_t has;                             // bit by enum conf_digest
};

struct user_table;

int user_table_create(struct user_table **table, uint32_t users, const struct hash_key *key,
                      struct rte_rcu_qsbr *qsbr, const struct memory *memory);
void user_table_destroy(struct user_table *table); // NULL is allowed

// Any registered reader. False: there is no such user; `user` is then filled with what costs the same to check and never
// fits, so that nobody can tell by the time (the caller goes on as if there was one).
bool user_find(const struct user_table *table, struct slice name, struct slice realm, struct user *found);

// Control. 0, -ENOSPC, -EINVAL (name or realm empty or too long).
int user_put(struct user_table *table, struct slice name, struct slice realm, const struct user *user);
bool user_remove(struct user_table *table, struct slice name, struct slice realm);
void user_expire(struct user_table *table); // now and then: frees what was replaced

struct user_usage {
    uint64_t users, users_max;
};
void user_usage(const struct user_table *table, struct user_usage *usage);

#endif
