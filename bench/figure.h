// figure: what a bench has found, and how it says so.
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

enum { FIGURE_ROUNDS = 4096 };

// What a bench's figures are of: its name, and with how many of what it was measured.
struct figure_of {
    const char *bench, *what;
    uint64_t number;
    bool json; // as bench/run reads it: an object a line
};

void figure_print(struct figure_of of, const char *name, const char *unit, double value);

// Of `n`, at least one; sorts them.
double figure_median(double *values, unsigned n);

// The same for counts, and what `percent` of a hundred do not exceed.
uint64_t figure_median_count(uint64_t *values, unsigned n);
uint64_t figure_percentile(uint64_t *values, unsigned n, unsigned percent);

// Cycles of an operation, a round each.
struct figure_rounds {
    double cycles[FIGURE_ROUNDS];
    unsigned n;
};

// A round without an operation says nothing, and those beyond FIGURE_ROUNDS are left out.
void figure_note(struct figure_rounds *rounds, uint64_t cycles, uint64_t operations);

// Prints their median as "cycles", and begins anew.
void figure_print_rounds(struct figure_of of, const char *name, struct figure_rounds *rounds);

#endif
