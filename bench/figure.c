#include "figure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void figure_print(struct figure_of of, const char *name, const char *unit, double value)
{
    if (of.json)
        printf("{\"bench\":\"%s\",\"case\":\"%s\",\"unit\":\"%s\",\"value\":%.3f,\"%s\":%" PRIu64 "}\n",
               of.bench, name, unit, value, of.what, of.number);
    else
        printf("%-11s %-14s %9" PRIu64 " %-13s %12.2f %s\n", of.bench, name, of.number, of.what, value, unit);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int compare_counts(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

double figure_median(double *values, unsigned n)
{
    qsort(values, n, sizeof(*values), compare);
    return values[n / 2];
}

uint64_t figure_percentile(uint64_t *values, unsigned n, unsigned percent)
{
    qsort(values, n, sizeof(*values), compare_counts);
    return values[(uint64_t)n * percent / 100];
}

uint64_t figure_median_count(uint64_t *values, unsigned n)
{
    return figure_percentile(values, n, 50);
}

void figure_note(struct figure_rounds *rounds, uint64_t cycles, uint64_t operations)
{
    if (operations > 0 && rounds->n < FIGURE_ROUNDS)
        rounds->cycles[rounds->n++] = (double)cycles / (double)operations;
}

void figure_print_rounds(struct figure_of of, const char *name, struct figure_rounds *rounds)
{
    if (rounds->n > 0)
        figure_print(of, name, "cycles", figure_median(rounds->cycles, rounds->n));
    rounds->n = 0;
}
