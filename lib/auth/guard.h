// guard: what a worker remembers of credentials: how often they were wrong, by where they came from, and how far each
// nonce was counted.
//
// Two tables of fixed size in lines of memory, keyed by hashes that nobody can steer; full, the least of a line goes.
// What goes opens no door: a nonce that is not known any more, or was issued before such a one, counts as stale.
// Belongs to one worker.
#ifndef AUTH_GUARD_H
#define AUTH_GUARD_H

#include "base/endpoint.h"
#include "base/hash.h"
#include "base/memory.h"

struct auth_guard;

// `start_s`: nonces that were issued before it, perhaps counted by who ran before, are stale. 0 or -ENOMEM.
int auth_guard_create(struct auth_guard **guard, const struct hash_key *key, uint64_t start_s,
                      const struct memory *memory, int node);
void auth_guard_destroy(struct auth_guard *guard); // NULL is allowed

// Whether an address (of IPv6: its /64) sent `most` wrong credentials or more in the last minute. A NULL guard never.
bool auth_guard_blocks(const struct auth_guard *guard, const struct endpoint *source, unsigned most,
                       uint64_t now_ms);
void auth_guard_failed(struct auth_guard *guard, const struct endpoint *source, uint64_t now_ms);

// One use of a nonce that is ours. `request`: what a retransmission has in common with its first, and nobody else.
struct role_use {
    struct hash128 nonce;
    uint64_t request;
    uint32_t issued_s; // when the nonce was
    uint32_t count;    // nc
};

// RFC 7616 3.4: each use counts higher than the one before. False: it does not, or nobody knows. The same request again
// is no other use for as long as one is repeated (`repeats_ms`).
bool auth_guard_counts(struct auth_guard *guard, const struct role_use *use, uint64_t now_ms,
                       uint64_t repeats_ms);

#endif
