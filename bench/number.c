// bench-number: what a look-up in the number table costs, how long it takes to load, and what a prefix takes.
//
//   bench-number [--prefixes N] [--json]
//
// Without N: with 1000 and with 5000000. Writes a CSV of N different prefixes (6 to 10 digits, half of them with "+"),
// loads it, and prints TSC cycles per look-up: the median of rounds of 4096 random numbers of 11 digits, each of which
// begins with a prefix of the table; one look-up at a time (the next waits for this one's end).
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/random.h"
#include "figure.h"
#include "number/number.h"

enum { PREFIXES_MAX = 5000000, ROUND = 4096, ROUNDS = 400, NUMBER_ROOM = 16 };

struct bench {
    uint64_t prefixes;
    bool json;
    uint64_t random;
    uint64_t found;
    char numbers[ROUND][NUMBER_ROOM];
    uint8_t lens[ROUND];
};

// The i-th of different prefixes: `scattered` permutes the numbers below 10^digits, so no two of one length are the
// same.
static int write_prefix(char text[NUMBER_ROOM], uint64_t i)
{
    static const uint8_t digits_of[] = {9, 8, 7, 9, 8, 6, 9, 10, 8, 7}; // of each ten
    static const uint64_t tens[] = {1,       10,       100,       1000,       10000,      100000,
                                    1000000, 10000000, 100000000, 1000000000, 10000000000};
    unsigned digits = digits_of[i % 10];

    while (i / 2 >= tens[digits]) // a length that has run out
        digits++;
    uint64_t scattered = (i / 2 * 387420489u + 7) % tens[digits];
    int plus = i % 2 != 0;
    text[0] = '+';
    for (unsigned at = digits; at-- > 0; scattered /= 10)
        text[plus + at] = (char)('0' + scattered % 10);
    text[plus + digits] = 0;
    return plus + (int)digits;
}

static void write_csv(const struct bench *bench, FILE *csv)
{
    char prefix[NUMBER_ROOM];

    fputs("prefix,gateways\n", csv);
    for (uint64_t i = 0; i < bench->prefixes; i++) {
        write_prefix(prefix, i);
        fprintf(csv, "%s,carrier-%u\n", prefix, (unsigned)(i * 7 % 200));
    }
}

static int index_of(void *owner, struct slice name)
{
    uint64_t number;

    (void)owner;
    if (!slice_starts(name, SLICE("carrier-")) ||
        !slice_number(slice_of(name.at + 8, name.len - 8), 199, &number))
        return -1;
    return (int)number;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static struct figure_of of(const struct bench *bench)
{
    return (struct figure_of){"number", "prefixes", bench->prefixes, bench->json};
}

static struct number_table *load(const struct bench *bench)
{
    char path[] = "/tmp/bench-number-XXXXXX";
    int fd = mkstemp(path);
    FILE *csv = fd < 0 ? NULL : fdopen(fd, "w");
    struct number_table *table = NULL;

    if (csv == NULL) {
        perror("bench-number: /tmp");
        exit(1);
    }
    write_csv(bench, csv);
    fclose(csv);
    double from = now_s();
    int error =
        number_table_load(&table, path, index_of, NULL, stderr, NULL, &memory_system, MEMORY_ANY_NODE);
    double took = now_s() - from;
    unlink(path);
    if (error != 0) {
        fprintf(stderr, "bench-number: loading: %d\n", error);
        exit(1);
    }
    figure_print(of(bench), "load", "s", took);
    figure_print(of(bench), "size", "bytes/prefix",
                 (double)number_table_bytes(table) / (double)bench->prefixes);
    return table;
}

static void make_numbers(struct bench *bench)
{
    for (unsigned i = 0; i < ROUND; i++) {
        int len = write_prefix(bench->numbers[i], random_next(&bench->random) % bench->prefixes);
        int all = 11 + (bench->numbers[i][0] == '+');
        while (len < all)
            bench->numbers[i][len++] = (char)('0' + random_next(&bench->random) % 10);
        bench->lens[i] = (uint8_t)len;
    }
}

static void measure(struct bench *bench, const struct number_table *table)
{
    static double cycles[ROUNDS];

    bench->found = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        make_numbers(bench);
        uint64_t from = __rdtsc();
        for (unsigned i = 0; i < ROUND; i++) {
            uint16_t leads_to = number_find(table, slice_of(bench->numbers[i], bench->lens[i]));
            bench->found += leads_to != NUMBER_NONE;
            __asm__ volatile("lfence" ::: "memory");
        }
        cycles[round] = (double)(__rdtsc() - from) / ROUND;
    }
    figure_print(of(bench), "find", "cycles", figure_median(cycles, ROUNDS));
    if (bench->found != (uint64_t)ROUND * ROUNDS) {
        fprintf(stderr, "bench-number: a prefix was not found\n");
        exit(1);
    }
}

static void run(struct bench *bench)
{
    struct number_table *table = load(bench);

    measure(bench, table);
    number_table_destroy(table);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"prefixes", required_argument, NULL, 'p'}, {"json", no_argument, NULL, 'j'}, {0}};
    static struct bench bench = {.random = 1};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'p')
            bench.prefixes = strtoull(optarg, NULL, 10);
        else if (option == 'j')
            bench.json = true;
        else
            return 2;
    }
    if (bench.prefixes > PREFIXES_MAX) {
        fprintf(stderr, "bench-number: --prefixes is 1 to %u\n", PREFIXES_MAX);
        return 2;
    }
    if (bench.prefixes != 0) {
        run(&bench);
        return 0;
    }
    bench.prefixes = 1000;
    run(&bench);
    bench.prefixes = PREFIXES_MAX;
    run(&bench);
    return 0;
}
