// fixture: a table of calls over counted memory.
#ifndef TESTS_CALL_FIXTURE_H
#define TESTS_CALL_FIXTURE_H

#include "call/call.h"
#include "counted.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

enum { LONGEST_MS = 60000 };

struct fixture {
    struct call_table *table;
    struct clock now;
    struct counted counted;
};

void fixture_open(struct fixture *f, uint32_t calls);
void fixture_close(struct fixture *f); // checks that all memory came back

void fixture_pass(struct fixture *f, uint64_t ms);

// call_begin with "call-N" and short other texts.
uint32_t fixture_begin(struct fixture *f, unsigned n);
uint32_t fixture_find(const struct fixture *f, unsigned n);

struct call_usage fixture_usage(const struct fixture *f);

// What control gets next: "call-N" of it, and gives it back; "" for nothing.
void fixture_take(struct fixture *f, char call_id[32]);

#endif
