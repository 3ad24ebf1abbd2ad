// user: subscribers and their digest credentials, for workers to look up.
//
// A table that control fills (from the store, and live when users come and go) and workers read without locks: an entry
// is replaced as a whole and its place given to others after a grace period. Passwords are never here, only
// HA1 = H(user:realm:password) for each algorithm that was given (RFC 7616 3.4.2). The memory is reserved at start.
// Cost of a look-up: one keyed hash of name and realm and two dependent cache misses, whether there is such a user or
// not.
#ifndef USER_USER_H
#define USER_USER_H

#include <rte_rcu_qsbr.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/slice.h"
#include "conf/conf.h"

#define USER_HA1_MAX   32  // bytes; MD5 has 16
#define USER_NAME_MAX  128 // bytes
#define USER_REALM_MAX 160 // bytes; as many as [auth] realm may have
#define USER_USERS_MAX 100000000u

struct user {
    uint8_t ha1[CONF_DIGESTS][USER_HA1_MAX]; // by enum conf_digest; zeros where it is shorter or not given
    uint8_t has;                             // bit by enum conf_digest
};

struct user_table;

// `users`: 1 to USER_USERS_MAX; `qsbr` is the readers'. 0, -EINVAL, -ENOMEM.
int user_table_create(struct user_table **table, uint32_t users, const struct hash_key *key,
                      struct rte_rcu_qsbr *qsbr, const struct memory *memory);
void user_table_destroy(struct user_table *table); // NULL is allowed

// Any registered reader. False: there is no such user; `found` is then somebody else's or zeros, read from as far away
// in memory, so that the caller can do the same work with it and nobody can tell by the time. What it proves does not
// count: the caller must ask for both. A NULL table has nobody.
bool user_find(const struct user_table *table, struct slice name, struct slice realm, struct user *found);

// Names that can be users: 1 to USER_NAME_MAX visible bytes or UTF-8, without quotation mark, backslash, colon, comma
// (RFC 7616 3.4.2 puts ":" behind it, a file of users ","). Realms: the same with a length of USER_REALM_MAX.
bool user_name_is_good(struct slice name);
bool user_realm_is_good(struct slice realm);

// Control, one thread at a time. 0; -ENOSPC: as many users as there may be; -EAGAIN: too much waits for its grace
// period, try again later; -EINVAL: name or realm cannot be one.
int user_put(struct user_table *table, struct slice name, struct slice realm, const struct user *user);
bool user_remove(struct user_table *table, struct slice name, struct slice realm);
void user_expire(struct user_table *table); // now and then: takes back what was replaced

struct user_usage {
    uint64_t users, users_max;
};
// Any thread.
void user_usage(const struct user_table *table, struct user_usage *usage);

#endif
