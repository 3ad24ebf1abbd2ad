// fixture: number tables from CSV text, names "g0" to "g99", over counted memory.
#ifndef TESTS_NUMBER_FIXTURE_H
#define TESTS_NUMBER_FIXTURE_H

#include "counted.h"
#include "number/number.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

struct fixture {
    struct number_table *table;
    int error;      // what loading said
    char *faults;   // what it wrote, FILE as "csv"
    unsigned asked; // for names
    uint64_t lines; // of the last progress
    struct counted counted;
};

// `len` bytes as the file. Fields for failures are the caller's.
void fixture_load(struct fixture *f, const char *csv, size_t len);
void fixture_load_text(struct fixture *f, const char *csv);
void fixture_close(struct fixture *f); // checks that all memory came back

int fixture_find(const struct fixture *f, const char *number); // -1: none

#endif
