// bench-presence: what a subscription and a publication take, and what the tables of presence cost.
//
//   bench-presence [--subscriptions N] [--json]
//
// Without N it measures with a thousand and with a million subscriptions, a hundred to each presentity, which has one
// publication. Texts and documents have the usual lengths (PIDF of one phone: 600 bytes). TSC cycles an operation: the
// median of rounds over random presentities; as in the data path, batches of 32 are prefetched.
//
// subscription  bytes of one with its texts and its share of index, wheel, sources, presentity and document
// publication   bytes of one that has a presentity and a document to itself, without its own body
// change        another body for a publication, and the document that is made of it; nobody watches
// read          a look at a presentity's current document by its key, as from another worker
// refresh       a subscription found by its tag's check, prolonged, and asked to notify, which is begun and answered
// notify        a document's way to one of a hundred watchers: found due, begun, and its answer heard
#include <getopt.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "figure.h"
#include "subscription/subscription.h"

enum { BATCH = 32, ROUND = 8 * BATCH, ROUNDS = 500, WATCHERS = 100, BODY = 600, BUDGET = 4 * WATCHERS };

struct bench {
    struct subscription_table *table;
    struct rte_rcu_qsbr *qsbr;
    uint64_t subscriptions, presentities, publications;
    bool json;
    uint64_t random, now_ms, tag;
    uint64_t sum; // of what was read, so that nothing is left out
    char document[BODY];
    struct figure_rounds rounds;
};

static uint64_t random_below(struct bench *bench, uint64_t n)
{
    return random_next(&bench->random) % n;
}

static struct hash128 key_of(uint64_t presentity)
{
    return (struct hash128){random_mix(presentity + 1), random_mix(~presentity)};
}

static uint64_t check_of(uint64_t subscription)
{
    return random_mix(subscription + 1);
}

static void stop(const char *what)
{
    fprintf(stderr, "bench-presence: %s\n", what);
    exit(1);
}

static struct figure_of of(const struct bench *bench)
{
    return (struct figure_of){"presence", "subscriptions", bench->subscriptions, bench->json};
}

// The table.

static void open_table(struct bench *bench)
{
    const struct subscription_timers timers = {500, 4000};
    const struct hash_key key = {1, 2};
    const struct subscription_limits limits = {
        .presentities = bench->presentities,
        .publications = bench->publications,
        .subscriptions = bench->subscriptions,
        .watchers = WATCHERS,
        .per_source = WATCHERS,
        .node = MEMORY_ANY_NODE,
    };
    size_t bytes = rte_rcu_qsbr_get_memsize(1);

    bench->now_ms = 1000;
    bench->qsbr = aligned_alloc(64, bytes);
    if (bench->qsbr == NULL || rte_rcu_qsbr_init(bench->qsbr, 1) != 0 ||
        subscription_table_create(&bench->table, &limits, &timers, &key, bench->qsbr, &memory_system) != 0)
        stop("no memory");
    rte_rcu_qsbr_thread_register(bench->qsbr, 0);
    rte_rcu_qsbr_thread_online(bench->qsbr, 0);
}

static void close_table(struct bench *bench)
{
    subscription_table_destroy(bench->table);
    free(bench->qsbr);
}

static struct subscription_presentity *presentity_of(struct bench *bench, uint64_t number)
{
    char owner[40];
    size_t len = (size_t)snprintf(owner, sizeof(owner), "u%08u@sip.example.com", (unsigned)number);
    struct subscription_presentity *presentity =
        subscription_presentity_open(bench->table, key_of(number), slice_of(owner, len), 0, 1800000000);

    if (presentity == NULL)
        stop("a presentity found no room");
    return presentity;
}

static void begin_turn(struct bench *bench)
{
    rte_rcu_qsbr_quiescent(bench->qsbr, 0);
    subscription_turn(bench->table, BUDGET);
}

static void compose(struct bench *bench, struct subscription_presentity *presentity)
{
    if (subscription_document_put(bench->table, presentity, ++bench->tag, 0, slice_of(bench->document, BODY),
                                  bench->now_ms) != 0)
        stop("a document found no room");
}

// All that is due, NOTIFYs begun and not answered.
static unsigned serve(struct bench *bench, struct subscription **sent)
{
    struct subscription_due due;
    unsigned n = 0;

    begin_turn(bench);
    while (subscription_due(bench->table, bench->now_ms, &due)) {
        if (due.kind == SUBSCRIPTION_DUE_COMPOSE)
            compose(bench, due.presentity);
        if ((due.actions & SUBSCRIPTION_SEND) == 0)
            continue;
        subscription_notify_begin(bench->table, due.subscription, due.presentity->forms[0], bench->now_ms);
        if (sent != NULL)
            sent[n] = due.subscription;
        n++;
    }
    return n;
}

static void answer(struct bench *bench, struct subscription *subscription)
{
    bench->sum += subscription_notify_answer(bench->table, subscription, subscription->local_cseq, 200, 0,
                                             bench->now_ms);
}

static void publish(struct bench *bench, uint64_t number)
{
    if (subscription_publish(bench->table, presentity_of(bench, number), random_mix(number), 0,
                             slice_of(bench->document, BODY), bench->now_ms + 1000000000) == NULL)
        stop("a publication found no room");
}

static void subscribe(struct bench *bench, uint64_t number)
{
    char text[SUBSCRIPTION_TEXTS][80];
    struct subscription_opening opening = {
        .to = endpoint_ip4(198, 18, number >> 8 & 255, number & 255, 5060),
        .source = endpoint_ip4(10, number >> 16 & 255, number >> 8 & 255, number & 255, 5060),
        .check = check_of(number),
        .expires_ms = bench->now_ms + 3600000 + random_below(bench, 3600000),
        .local_cseq = 1,
        .state = SUBSCRIPTION_ACTIVE,
    };
    static const char *const forms[SUBSCRIPTION_TEXTS] = {
        [SUBSCRIPTION_CALL_ID] = "%08x-3f1c4a52-9d0b-4d3e@198.18.100.100",
        [SUBSCRIPTION_LOCAL_TAG] = "s0102%08x99aabbccddeeff",
        [SUBSCRIPTION_REMOTE_TAG] = "%08x77665544",
        [SUBSCRIPTION_LOCAL_URI] = "<sip:u%08x@sip.example.com>",
        [SUBSCRIPTION_REMOTE_URI] = "\"Alice Smith\" <sip:w%08x@sip.example.com>",
        [SUBSCRIPTION_TARGET] = "sip:w%08x@198.18.100.100:5060;transport=udp",
        [SUBSCRIPTION_ROUTE] = "<sip:edge%08x.sip.example.com;lr>",
    };

    for (unsigned i = 0; i < SUBSCRIPTION_TEXTS; i++)
        if (forms[i] != NULL)
            opening.text[i] =
                slice_of(text[i], (size_t)snprintf(text[i], sizeof(text[i]), forms[i], (unsigned)number));
    struct subscription *subscription;
    struct subscription_presentity *presentity = presentity_of(bench, number % bench->presentities);

    if (subscription_open(bench->table, presentity, &opening, bench->now_ms, &subscription) != 0)
        stop("a subscription found no room");
    if (subscription_ask(bench->table, subscription, bench->now_ms) != 0) {
        subscription_notify_begin(bench->table, subscription, presentity->forms[0], bench->now_ms);
        answer(bench, subscription);
    }
}

// Presentity by presentity would be the order of memory; as in life, watchers of many come in turns.
static void fill(struct bench *bench)
{
    struct subscription *sent[BUDGET];

    for (uint64_t i = 0; i < bench->publications; i++) {
        publish(bench, i);
        serve(bench, NULL);
    }
    for (uint64_t i = 0; i < bench->subscriptions; i++) {
        subscribe(bench, i);
        for (unsigned n = serve(bench, sent), k = 0; k < n; k++)
            answer(bench, sent[k]);
    }
    // The places on the wheel that the first NOTIFYs took are left.
    for (uint64_t end = bench->now_ms + 2000; bench->now_ms < end; bench->now_ms++)
        serve(bench, NULL);
}

static double bytes_taken(const struct bench *bench)
{
    struct subscription_usage usage;

    subscription_usage(bench->table, &usage);
    return (double)(usage.bytes + usage.index_bytes);
}

// Operations.

static void change_some(struct bench *bench)
{
    uint64_t numbers[ROUND];
    struct slice body = slice_of(bench->document, BODY);

    for (unsigned i = 0; i < ROUND; i++)
        numbers[i] = random_below(bench, bench->publications);
    uint64_t from = rte_rdtsc();

    for (unsigned first = 0; first < ROUND; first += BATCH) {
        for (unsigned i = first; i < first + BATCH; i++)
            subscription_prefetch(bench->table, key_of(numbers[i]));
        for (unsigned i = first; i < first + BATCH; i++)
            subscription_prefetch_presentity(bench->table, key_of(numbers[i]));
        for (unsigned i = first; i < first + BATCH; i++)
            subscription_prefetch_publication(bench->table, key_of(numbers[i]));
        for (unsigned i = first; i < first + BATCH; i++) {
            struct subscription_presentity *presentity =
                subscription_presentity_find(bench->table, key_of(numbers[i]));
            struct subscription_publication *publication =
                subscription_publication_find(bench->table, presentity, random_mix(numbers[i]));

            if (subscription_publication_change(bench->table, publication, random_mix(numbers[i]), 0, &body,
                                                bench->now_ms + 1000000000) != 0)
                stop("a body found no room");
        }
        serve(bench, NULL);
    }
    figure_note(&bench->rounds, rte_rdtsc() - from, ROUND);
}

static void read_some(struct bench *bench)
{
    struct hash128 keys[ROUND];

    for (unsigned i = 0; i < ROUND; i++)
        keys[i] = key_of(random_below(bench, bench->presentities));
    uint64_t from = rte_rdtsc();

    for (unsigned first = 0; first < ROUND; first += BATCH) {
        for (unsigned i = first; i < first + BATCH; i++)
            subscription_prefetch(bench->table, keys[i]);
        for (unsigned i = first; i < first + BATCH; i++)
            subscription_prefetch_presentity(bench->table, keys[i]);
        for (unsigned i = first; i < first + BATCH; i++)
            bench->sum += subscription_document_read(bench->table, keys[i])->tag;
    }
    figure_note(&bench->rounds, rte_rdtsc() - from, ROUND);
}

static void refresh_some(struct bench *bench)
{
    uint64_t checks[ROUND];

    for (unsigned i = 0; i < ROUND; i++)
        checks[i] = check_of(random_below(bench, bench->subscriptions));
    uint64_t from = rte_rdtsc();

    for (unsigned first = 0; first < ROUND; first += BATCH) {
        for (unsigned i = first; i < first + BATCH; i++)
            subscription_prefetch_check(bench->table, checks[i]);
        for (unsigned i = first; i < first + BATCH; i++)
            subscription_prefetch_found(bench->table, checks[i]);
        for (unsigned i = first; i < first + BATCH; i++) {
            struct subscription *subscription = subscription_find(bench->table, checks[i]);

            subscription_refresh(bench->table, subscription, bench->now_ms + 3600000, bench->now_ms);
            if (subscription_ask(bench->table, subscription, bench->now_ms) != SUBSCRIPTION_SEND)
                stop("a refresh is not told");
            subscription_notify_begin(bench->table, subscription, 0, bench->now_ms);
            answer(bench, subscription);
        }
    }
    figure_note(&bench->rounds, rte_rdtsc() - from, ROUND);
    bench->now_ms += 2;
    serve(bench, NULL);
}

static void notify_some(struct bench *bench)
{
    struct subscription *sent[BUDGET];
    struct hash128 key = key_of(random_below(bench, bench->presentities));
    unsigned n = 0;

    subscription_presentity_touch(bench->table, subscription_presentity_find(bench->table, key));
    uint64_t from = rte_rdtsc();

    n = serve(bench, sent);
    for (unsigned i = 0; i < n; i++) {
        if (i + 8 < n)
            subscription_prefetch_slot(bench->table, subscription_slot(bench->table, sent[i + 8]));
        answer(bench, sent[i]);
    }
    figure_note(&bench->rounds, rte_rdtsc() - from, n);
    if (n != WATCHERS)
        stop("not all watchers were told");
    bench->now_ms += 1;
}

static void measure(struct bench *bench, const char *name, void (*round)(struct bench *bench))
{
    for (unsigned i = 0; i < ROUNDS; i++)
        round(bench);
    figure_print_rounds(of(bench), name, &bench->rounds);
}

static void measure_subscriptions(struct bench *bench)
{
    bench->presentities = bench->subscriptions / WATCHERS;
    bench->publications = bench->presentities;
    open_table(bench);
    fill(bench);
    figure_print(of(bench), "subscription", "bytes", bytes_taken(bench) / (double)bench->subscriptions);
    measure(bench, "read", read_some);
    measure(bench, "refresh", refresh_some);
    measure(bench, "notify", notify_some);
    close_table(bench);
}

static void measure_publications(struct bench *bench)
{
    uint64_t subscriptions = bench->subscriptions;

    bench->publications = bench->presentities = subscriptions;
    bench->subscriptions = 1;
    open_table(bench);
    bench->subscriptions = 0;
    fill(bench);
    bench->subscriptions = subscriptions; // as many publications
    figure_print(of(bench), "publication", "bytes", bytes_taken(bench) / (double)bench->publications - BODY);
    measure(bench, "change", change_some);
    close_table(bench);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"subscriptions", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'}, {0}};
    static struct bench bench = {.random = 1};
    uint64_t sizes[] = {1000, 1000000};
    unsigned sizes_n = 2;
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'j')
            bench.json = true;
        else if (option == 's' && strtoull(optarg, NULL, 10) / WATCHERS > 0 && atol(optarg) <= 10000000)
            sizes[0] = strtoull(optarg, NULL, 10) / WATCHERS * WATCHERS, sizes_n = 1;
        else
            return 2;
    }
    memset(bench.document, 'd', sizeof(bench.document));
    for (unsigned i = 0; i < sizes_n; i++) {
        bench.subscriptions = sizes[i];
        measure_subscriptions(&bench);
        measure_publications(&bench);
    }
    return bench.sum == 0;
}
