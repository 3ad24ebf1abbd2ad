// fixture: a name table over counted memory, whose reader 0 is the test itself.
#ifndef TESTS_NAME_FIXTURE_H
#define TESTS_NAME_FIXTURE_H

#include <errno.h>

#include "base/random.h"
#include "name/name.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

struct fixture_memory {
    unsigned fail;   // takings that get nothing
    unsigned pieces; // outstanding
    size_t bytes;    // outstanding
};

struct fixture {
    struct name_table *table;
    struct rte_rcu_qsbr *qsbr;
    struct fixture_memory counted;
    struct memory memory;
};

// An answer with all the room that one may have.
struct fixture_answer {
    union {
        struct name_answer answer;
        char room[sizeof(struct name_answer) + (NAME_HOPS_MAX + 1) * sizeof(struct name_hop)];
    };
};

void fixture_open(struct fixture *f, uint32_t names);
void fixture_close(struct fixture *f); // all memory came back
void fixture_quiescent(struct fixture *f);

struct name_question fixture_sip(const char *name);
struct endpoint fixture_hop(uint32_t number); // 10.x.x.x:5060

void fixture_add(struct fixture_answer *answer, uint32_t number, uint16_t priority, uint16_t weight,
                 uint16_t target);

// Puts a name with one hop of that number.
int fixture_put(struct fixture *f, const char *name, uint32_t number, uint64_t expires_ms, uint64_t now_ms);
// The number of the first hop, or 0: not found.
uint32_t fixture_find(const struct fixture *f, const char *name, uint64_t now_ms);

#endif
