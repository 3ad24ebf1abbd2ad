// fixture: a location table over counted memory, with a quiescent state variable whose reader 0 is the test itself.
#ifndef TESTS_LOCATION_FIXTURE_H
#define TESTS_LOCATION_FIXTURE_H

#include "base/random.h"
#include "counted.h"
#include "location/location.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

struct fixture {
    struct location *location;
    struct rte_rcu_qsbr *qsbr;
    struct counted counted;
    unsigned shards;
};

struct rte_rcu_qsbr *fixture_qsbr(unsigned readers);

// A table whose reader 0 is registered and online. `seed` makes the key.
void fixture_open(struct fixture *f, unsigned shards, uint64_t bindings, uint64_t seed);
void fixture_close(struct fixture *f); // checks that all memory came back

void fixture_quiescent(struct fixture *f);

// Reports a quiescent state and expires all shards, `rounds` times.
unsigned fixture_expire(struct fixture *f, uint64_t now_ms, unsigned budget, unsigned rounds);

// A put of `contact` alone that lives until `expires_ms`, at time 0.
int fixture_put(struct fixture *f, struct slice aor, struct slice contact, uint64_t expires_ms);
const struct location_set *fixture_find(const struct fixture *f, struct slice aor);

// The bindings that live at `now_ms`.
unsigned fixture_live(const struct location_set *set, uint64_t now_ms);

// All shards added up.
struct location_usage fixture_usage(const struct fixture *f);

// splitmix64

// "userN@example.com" in `text`.
struct slice fixture_aor(char text[32], uint64_t n);

#endif
