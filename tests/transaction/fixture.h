// fixture: a transaction table over counted memory, on a clock that the test turns.
#ifndef TESTS_TRANSACTION_FIXTURE_H
#define TESTS_TRANSACTION_FIXTURE_H

#include "base/random.h"
#include "counted.h"
#include "sip/method.h"
#include "transaction/transaction.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

enum { T1 = 500, T2 = 4000, T4 = 5000, C = 181000 };

// Deadlines are cut to 32 bits: a time at which nothing happens to them, and one at which all of them wrap.
#define FIXTURE_EARLY UINT64_C(1000)
#define FIXTURE_WRAP  ((UINT64_C(1) << 32) - T1 + 7)

struct fixture {
    struct transaction_table *table;
    uint64_t now_ms;
    enum endpoint_transport transport; // of the peers of what is begun: UDP
    struct counted counted;
    unsigned evicted;
    uint32_t last_evicted; // its slot
    uint64_t noted_ms;     // the test's own
};

void fixture_open(struct fixture *f, uint64_t records, uint64_t branches, uint64_t now_ms);
void fixture_close(struct fixture *f); // checks that all memory came back

// A key that no other number has.
struct hash128 fixture_key(uint64_t number);

// transaction_open with an eviction that is noted.
struct transaction *fixture_begin(struct fixture *f, uint64_t number, uint8_t method);

// The same with its first branch begun.
struct transaction *fixture_forward(struct fixture *f, uint64_t number, uint8_t method);

struct transaction_usage fixture_usage(const struct fixture *f);

// Turns the clock, one millisecond after the other. Whatever is due is run through its timers, told of,
// settled, and closed when it has ended.
void fixture_run(struct fixture *f, uint64_t ms,
                 void (*fired)(void *owner, struct transaction *, struct transaction_branch *,
                               unsigned actions),
                 void *owner);

// splitmix64

#endif
