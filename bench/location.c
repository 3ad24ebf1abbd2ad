// bench-location: what a look-up, an insert, a refresh and an expiry cost, and what a binding takes.
//
//   bench-location [--bindings N] [--json]
//
// Fills a table of one shard to N bindings, one an address of record, with texts of the usual lengths, and prints TSC
// cycles per operation: the median of rounds of 4096 random addresses of record. An operation begins with the address
// of record as text, so its key is in the figure. As in the data path they come in batches of 32: keys and buckets of
// the whole batch, then its records, then the operations. `lookup-single` is one by itself, with all its cache misses.
// A look-up reads the first binding's contact. A refresh is a put of what is there, and gives records back, too.
// Bytes: `resident` is what the process grew by, `accounted` what the table says it uses, `bound` all it may ever take.
#include <getopt.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "figure.h"
#include "location/location.h"

enum { BATCH = 32, ROUND = 128 * BATCH, LIFE_MS = 3600000, BUDGET = 64 };

struct subject {
    struct location_binding binding;
    char contact[64], call_id[40];
};

struct bench {
    struct location *location;
    struct rte_rcu_qsbr *qsbr;
    uint64_t bindings;
    bool json;
    uint64_t random;
    uint64_t now_ms;
    uint64_t sum;         // of what was read, so that nothing is left out
    char aors[ROUND][32]; // of the subjects; apart, since a message's own text is in cache
    uint8_t aor_lens[ROUND];
    struct subject subjects[ROUND];
    struct figure_rounds rounds;
};

static void make_subject(struct bench *bench, unsigned i, uint64_t number, uint64_t life_ms)
{
    struct subject *s = &bench->subjects[i];
    uint32_t n = (uint32_t)number;

    bench->aor_lens[i] =
        (uint8_t)snprintf(bench->aors[i], sizeof(bench->aors[i]), "u%08u@sip.example.com", n);
    s->binding = (struct location_binding){
        .contact = slice_of(s->contact, (size_t)snprintf(s->contact, sizeof(s->contact),
                                                         "sip:u%08u@198.18.%u.%u:5062;transport=udp", n,
                                                         n >> 8 & 255, n & 255)),
        .call_id = slice_of(s->call_id, (size_t)snprintf(s->call_id, sizeof(s->call_id), "%032llx",
                                                         (unsigned long long)random_next(&bench->random))),
        .received = endpoint_ip4(198, 18, n >> 8 & 255, n & 255, 5062),
        .expires_ms = bench->now_ms + life_ms,
        .cseq = 1,
        .q = 1000,
    };
}

static void make_random_subjects(struct bench *bench)
{
    for (unsigned i = 0; i < ROUND; i++)
        make_subject(bench, i, random_next(&bench->random) % bench->bindings, LIFE_MS);
}

static void turn_of_the_loop(struct bench *bench)
{
    rte_rcu_qsbr_quiescent(bench->qsbr, 0);
    location_expire(bench->location, 0, bench->now_ms, BUDGET);
}

static struct hash128 key_of(const struct bench *bench, unsigned i)
{
    return location_key(bench->location, slice_of(bench->aors[i], bench->aor_lens[i]));
}

static void prepare(const struct bench *bench, unsigned from, struct hash128 keys[BATCH])
{
    for (unsigned i = 0; i < BATCH; i++) {
        keys[i] = key_of(bench, from + i);
        location_prefetch_bucket(bench->location, keys[i]);
    }
    for (unsigned i = 0; i < BATCH; i++)
        location_prefetch_record(bench->location, keys[i]);
}

static inline void look_up(struct bench *bench, struct hash128 key)
{
    const struct location_set *set = location_find(bench->location, key);
    struct location_binding binding;
    unsigned position = 0;

    if (set == NULL || !location_next(set, bench->now_ms, &position, &binding)) {
        fprintf(stderr, "bench-location: a set is not there\n");
        exit(1);
    }
    bench->sum += (unsigned char)binding.contact.at[binding.contact.len - 1];
}

static void round_lookup(struct bench *bench)
{
    struct hash128 keys[BATCH];

    for (unsigned from = 0; from < ROUND; from += BATCH) {
        prepare(bench, from, keys);
        for (unsigned i = 0; i < BATCH; i++)
            look_up(bench, keys[i]);
    }
}

static void round_lookup_single(struct bench *bench)
{
    for (unsigned i = 0; i < ROUND; i++) {
        look_up(bench, key_of(bench, i));
        // The next look-up waits for this one, as it would with a message's other work between them.
        __asm__ volatile("lfence" ::: "memory");
    }
}

static void put(struct bench *bench, unsigned i, struct hash128 key)
{
    struct slice aor = slice_of(bench->aors[i], bench->aor_lens[i]);
    int error = location_put(bench->location, key, aor, &bench->subjects[i].binding, 1, bench->now_ms);

    if (error != 0) {
        fprintf(stderr, "bench-location: put of %.*s: %d\n", SLICE_PRINT(aor), error);
        exit(1);
    }
}

static void put_some(struct bench *bench, unsigned n)
{
    struct hash128 keys[BATCH];

    for (unsigned from = 0; from < n; from += BATCH) {
        prepare(bench, from, keys);
        for (unsigned i = 0; i < BATCH && from + i < n; i++)
            put(bench, from + i, keys[i]);
        turn_of_the_loop(bench);
    }
}

static void round_refresh(struct bench *bench)
{
    put_some(bench, ROUND);
}

static struct figure_of of(const struct bench *bench)
{
    return (struct figure_of){"location", "bindings", bench->bindings, bench->json};
}

static void measure(struct bench *bench, const char *name, unsigned rounds,
                    void (*round)(struct bench *bench))
{
    bench->rounds.n = 0;
    for (unsigned i = 0; i < rounds; i++) {
        make_random_subjects(bench);
        uint64_t from = rte_rdtsc();

        round(bench);
        figure_note(&bench->rounds, rte_rdtsc() - from, ROUND);
    }
    figure_print_rounds(of(bench), name, &bench->rounds);
}

// All bindings in random order of their memory (their keys are hashes), their deaths spread over the hour.
static void fill(struct bench *bench)
{
    bench->rounds.n = 0;
    for (uint64_t first = 0; first < bench->bindings; first += ROUND) {
        uint64_t left = bench->bindings - first;
        unsigned n = left < ROUND ? (unsigned)left : ROUND;

        for (unsigned i = 0; i < n; i++)
            make_subject(bench, i, first + i, 1 + random_next(&bench->random) % LIFE_MS);
        uint64_t from = rte_rdtsc();

        put_some(bench, n);
        figure_note(&bench->rounds, rte_rdtsc() - from, n);
    }
}

// Rounds that are seconds: every loop's look at the clock in between is in the figure.
static void expire(struct bench *bench, uint64_t life_ms)
{
    struct location_usage usage;
    uint64_t end_ms = bench->now_ms + life_ms + 1000;

    bench->rounds.n = 0;
    for (uint64_t from, removed; bench->now_ms < end_ms; bench->now_ms += 1000) {
        uint64_t once;

        for (from = rte_rdtsc(), removed = 0;; removed += once) {
            rte_rcu_qsbr_quiescent(bench->qsbr, 0);
            once = location_expire(bench->location, 0, bench->now_ms, BUDGET);
            if (once == 0)
                break;
        }
        figure_note(&bench->rounds, rte_rdtsc() - from, removed);
    }
    location_usage(bench->location, 0, &usage);
    if (usage.aors != 0) {
        fprintf(stderr, "bench-location: %llu sets did not expire\n", (unsigned long long)usage.aors);
        exit(1);
    }
    figure_print_rounds(of(bench), "expire", &bench->rounds);
}

// Resident memory, huge pages too, in bytes.
static uint64_t resident(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    unsigned long long sum = 0, kib;
    char line[128];

    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "VmRSS: %llu", &kib) == 1 || sscanf(line, "HugetlbPages: %llu", &kib) == 1)
            sum += kib << 10;
    if (status != NULL)
        fclose(status);
    return sum;
}

static void print_bytes(const struct bench *bench, uint64_t grown)
{
    struct location_usage u;
    double bindings = (double)bench->bindings;

    location_usage(bench->location, 0, &u);
    figure_print(of(bench), "resident", "bytes/binding", (double)grown / bindings);
    figure_print(of(bench), "accounted", "bytes/binding", (double)(u.bytes + u.index_bytes) / bindings);
    figure_print(of(bench), "bound", "bytes/binding", (double)(u.bytes_max + u.index_bytes) / bindings);
}

static void open_table(struct bench *bench)
{
    struct location_limits limits = {.shards = 1, .bindings = bench->bindings};
    struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    size_t bytes = rte_rcu_qsbr_get_memsize(1);

    bench->qsbr = aligned_alloc(64, bytes);
    if (bench->qsbr == NULL || rte_rcu_qsbr_init(bench->qsbr, 1) != 0 ||
        location_create(&bench->location, &limits, &key, bench->qsbr, &memory_system) != 0) {
        fprintf(stderr, "bench-location: no memory for %llu bindings\n", (unsigned long long)bench->bindings);
        exit(1);
    }
    rte_rcu_qsbr_thread_register(bench->qsbr, 0);
    rte_rcu_qsbr_thread_online(bench->qsbr, 0);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"bindings", required_argument, NULL, 'b'}, {"json", no_argument, NULL, 'j'}, {0}};
    static struct bench bench = {.bindings = 1000000, .random = 1};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'b')
            bench.bindings = strtoull(optarg, NULL, 10);
        else if (option == 'j')
            bench.json = true;
        else
            return 2;
    }
    if (bench.bindings < 1 || bench.bindings > 99999999) {
        fprintf(stderr, "bench-location: --bindings is 1 to 99999999\n");
        return 2;
    }
    memset(bench.subjects, 1, sizeof(bench.subjects)); // resident before the table is
    uint64_t before = resident();

    open_table(&bench);
    fill(&bench);
    print_bytes(&bench, resident() - before);
    measure(&bench, "lookup", 500, round_lookup);
    measure(&bench, "lookup-single", 100, round_lookup_single);
    expire(&bench, LIFE_MS);
    // Once more, now that no page of the memory is touched for the first time.
    fill(&bench);
    figure_print_rounds(of(&bench), "insert", &bench.rounds);
    measure(&bench, "refresh", 500, round_refresh);
    location_destroy(bench.location);
    free(bench.qsbr);
    return bench.sum == 0;
}
