// bench-transaction: what a record takes, and what it costs to open one, to find it, to hear a response and
// to visit it.
//
//   bench-transaction [--concurrent N] [--json]
//
// Without N it measures with a thousand and with a million records. TSC cycles an operation: the median of
// rounds of 256 random records. As in the data path, operations come in batches of 32, whose chain heads,
// then records are prefetched.
//
// size      bytes of a record with its share of index, wheel, lists and further branches (one for four
// records) open      a new record in a full table, so the oldest that lingers goes; its branch begun; settled
// find      by key, and a look at its state response  by slot and check, both machines hear of a 180, settled
// visit     taken from the wheel, its timers asked, settled again
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "base/random.h"
#include "figure.h"
#include "sip/method.h"
#include "transaction/transaction.h"

enum { BATCH = 32, ROUND = 8 * BATCH, ROUNDS = 2000, HORIZON_MS = 65000, PAUSE = 1000 };

struct bench {
    struct transaction_table *table;
    uint64_t concurrent;
    bool json;
    uint64_t random;
    uint64_t now_ms;
    uint64_t opened; // the next one's number
    uint32_t first_slot;
    uint64_t sum; // of what was read, so that nothing is left out
    struct figure_rounds rounds;
};

static struct hash128 key_of(uint64_t number)
{
    return (struct hash128){random_mix(number), random_mix(~number)};
}

static void evict(void *owner, struct transaction *transaction)
{
    struct bench *bench = owner;

    // As a role does, which releases what they point to.
    bench->sum += transaction->response != NULL || transaction->first.request != NULL;
}

static struct transaction *open_next(struct bench *bench)
{
    struct hash128 key = key_of(bench->opened++);
    struct transaction *transaction =
        transaction_open(bench->table, key, SIP_METHOD_INVITE, bench->now_ms, evict, bench);

    if (transaction == NULL) {
        fprintf(stderr, "bench-transaction: no record is free\n");
        exit(1);
    }
    transaction->check = key.high;
    transaction_client_begin(bench->table, transaction, transaction_branch_add(bench->table, transaction),
                             bench->now_ms);
    transaction_settle(bench->table, transaction, bench->now_ms);
    return transaction;
}

static void hear(struct bench *bench, struct transaction *transaction, uint16_t status)
{
    transaction_client_response(bench->table, transaction, &transaction->first, status, bench->now_ms);
    transaction_server_respond(bench->table, transaction, status, bench->now_ms);
    transaction_settle(bench->table, transaction, bench->now_ms);
}

// Other work, while memory that was asked for comes.
static void pause(void)
{
    for (uint64_t from = __rdtsc(); __rdtsc() - from < PAUSE;)
        ;
    _mm_lfence();
}

// Cycles since `from`, all work done and the clock's own cost taken off.
static uint64_t timed(uint64_t from)
{
    _mm_lfence();
    uint64_t to = __rdtsc();

    _mm_lfence();
    return to - from - (__rdtsc() - to);
}

static struct figure_of of(const struct bench *bench)
{
    return (struct figure_of){"transaction", "concurrent", bench->concurrent, bench->json};
}

static void open_table(struct bench *bench)
{
    // Timer C is out of the way: the records are to stay.
    const struct transaction_timers timers = {500, 4000, 5000, 1000000000};
    const struct transaction_limits limits = {bench->concurrent, bench->concurrent / 4, MEMORY_ANY_NODE};

    if (transaction_table_create(&bench->table, &limits, &timers, &memory_system) != 0) {
        fprintf(stderr, "bench-transaction: no memory for %llu records\n",
                (unsigned long long)bench->concurrent);
        exit(1);
    }
    transaction_due(bench->table, bench->now_ms);
}

static void print_size(const struct bench *bench)
{
    struct transaction_usage usage;

    transaction_usage(bench->table, &usage);
    figure_print(of(bench), "size", "bytes", (double)usage.bytes / (double)usage.records_max);
}

// All ring. When they are visited first is random, so that the order of the wheel is not the order of memory.
static void fill(struct bench *bench)
{
    for (uint64_t i = 0; i < bench->concurrent; i++) {
        struct transaction *transaction = open_next(bench);

        if (i == 0)
            bench->first_slot = transaction_slot(bench->table, transaction);
        hear(bench, transaction, 180);
        transaction->first.answer_at =
            (uint32_t)(bench->now_ms + 1 + random_next(&bench->random) % HORIZON_MS);
        transaction_settle(bench->table, transaction, bench->now_ms);
    }
}

static void visit_some(struct bench *bench, uint64_t ms)
{
    struct transaction *transaction;
    uint64_t visits = 0, from = __rdtsc();

    bench->now_ms += ms;
    for (; (transaction = transaction_due(bench->table, bench->now_ms)) != NULL; visits++) {
        struct transaction_branch *branch = &transaction->first;

        bench->sum += transaction_server_timer(bench->table, transaction, bench->now_ms);
        bench->sum += transaction_client_timer(bench->table, transaction, branch, bench->now_ms);
        if (transaction_is_due(branch->answer_at, bench->now_ms))
            branch->answer_at = TRANSACTION_NEVER;
        transaction_settle(bench->table, transaction, bench->now_ms);
    }
    figure_note(&bench->rounds, __rdtsc() - from, visits);
}

static void measure_visits(struct bench *bench)
{
    uint64_t step_ms = HORIZON_MS * ROUND / bench->concurrent;

    step_ms = step_ms < TRANSACTION_TICK_MS ? TRANSACTION_TICK_MS : step_ms;
    // Once around, to where all of them have the places that the wheel gave them.
    for (uint64_t end = bench->now_ms + 2 * HORIZON_MS; bench->now_ms < end;)
        visit_some(bench, step_ms);
    bench->rounds.n = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        visit_some(bench, step_ms);
    figure_print_rounds(of(bench), "visit", &bench->rounds);
}

static void find_some(struct bench *bench)
{
    struct hash128 keys[ROUND];

    for (unsigned i = 0; i < ROUND; i++)
        keys[i] = key_of(random_next(&bench->random) % bench->concurrent);
    uint64_t from = __rdtsc();

    for (unsigned first = 0; first < ROUND; first += BATCH) {
        for (unsigned i = first; i < first + BATCH; i++)
            transaction_prefetch(bench->table, keys[i]);
        for (unsigned i = first; i < first + BATCH; i++)
            transaction_prefetch_record(bench->table, keys[i]);
        for (unsigned i = first; i < first + BATCH; i++)
            bench->sum += transaction_find(bench->table, keys[i], SIP_METHOD_INVITE)->state;
    }
    figure_note(&bench->rounds, __rdtsc() - from, ROUND);
}

static void hear_some(struct bench *bench)
{
    uint32_t slots[ROUND];
    uint64_t checks[ROUND];

    for (unsigned i = 0; i < ROUND; i++) {
        uint64_t number = random_next(&bench->random) % bench->concurrent;

        checks[i] = key_of(number).high;
        slots[i] =
            bench->first_slot + (uint32_t)number; // as they were opened; a look-up would warm the cache
    }
    uint64_t from = __rdtsc();

    for (unsigned first = 0; first < ROUND; first += BATCH) {
        for (unsigned i = first; i < first + BATCH; i++)
            transaction_prefetch_slot(bench->table, slots[i]);
        for (unsigned i = first; i < first + BATCH; i++)
            hear(bench, transaction_at(bench->table, slots[i], checks[i]), 180);
    }
    figure_note(&bench->rounds, __rdtsc() - from, ROUND);
}

static void measure_opens(struct bench *bench)
{
    struct transaction *opened[ROUND];

    // All are answered now, in random order.
    for (uint64_t i = 0, n = bench->concurrent, at = random_next(&bench->random) % n; i < n;
         i++, at = (at + 387420489) % n)
        hear(bench, transaction_find(bench->table, key_of(at), SIP_METHOD_INVITE), 200);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t cycles = 0;

        for (unsigned i = 0; i < ROUND; i++) {
            transaction_prefetch(bench->table, key_of(bench->opened));
            pause();
            uint64_t from = __rdtsc();

            opened[i] = open_next(bench);
            cycles += timed(from);
        }
        figure_note(&bench->rounds, cycles, ROUND);
        for (unsigned i = 0; i < ROUND; i++)
            hear(bench, opened[i], 200);
        bench->now_ms++;
    }
    figure_print_rounds(of(bench), "open", &bench->rounds);
}

static void measure(struct bench *bench, uint64_t concurrent)
{
    bench->concurrent = concurrent;
    bench->now_ms = 1000;
    bench->opened = 0;
    open_table(bench);
    print_size(bench);
    fill(bench);
    for (unsigned i = 0; i < ROUNDS; i++)
        find_some(bench);
    figure_print_rounds(of(bench), "find", &bench->rounds);
    for (unsigned i = 0; i < ROUNDS / 10; i++)
        hear_some(bench);
    figure_print_rounds(of(bench), "response", &bench->rounds);
    measure_visits(bench);
    measure_opens(bench);
    transaction_table_destroy(bench->table);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"concurrent", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'}, {0}};
    static struct bench bench = {.random = 1};
    uint64_t concurrent = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'c')
            concurrent = strtoull(optarg, NULL, 10);
        else if (option == 'j')
            bench.json = true;
        else
            return 2;
    }
    if (concurrent != 0 && (concurrent < ROUND || concurrent > 100000000)) {
        fprintf(stderr, "bench-transaction: --concurrent is %d to 100000000\n", ROUND);
        return 2;
    }
    measure(&bench, concurrent != 0 ? concurrent : 1000);
    if (concurrent == 0)
        measure(&bench, 1000000);
    return bench.sum == 0;
}
