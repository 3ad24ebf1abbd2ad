// bench-presence-path: what a PUBLISH and a NOTIFY cost a worker, from the receive ring to the transmit ring.
//
//   bench-presence-path [--case publish|fanout] [--subscriptions N] [--batches N] [--json]
//
// publish  users publish in random order, N of them: one in 17 begins with it or ends it, the others say something else
//          (SIP-If-Match). Nobody watches.
// fanout   N subscriptions, a hundred to each user. A batch is ten PUBLISHes of as many random users, the thousand
//          NOTIFYs that they make leave, and the thousand answers to those: all three are in the figure.
//
// N is a million where it is not said. Frames are laid into the rings, and what left is read, while the clock stands. The
// median batch counts.
#include <getopt.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/datapath.h"
#include "figure.h"
#include "presence_traffic.h"

#define BATCH        500 // PUBLISHes of different users
#define WATCHERS     100
#define CHANGES      10 // PUBLISHes of a batch that is watched
#define FILL         2000
#define WARM_BATCHES 48
#define PATIENCE_S   5

static const char ini[] =
    "[network]\nmbufs = 32768\nmailbox_size = 8192\nroute_max = 64\nneighbour_max = 64\n"
    "[location]\nbindings_max = 1000\n"
    "[transaction]\ntransactions_max = 4096\nkept_max = 4096\nt1 = 4s\nt2 = 8s\n"
    "[presence]\nserve = yes\npolicy = open\nnotify_interval = 0\npublish_max = 7200\nexpires_max = 7200\n"
    "presentities_max = %u\npublications_max = %u\nsubscriptions_max = %u\nsource_max = 1000000\n"
    "[port p0]\ndevice = net_ring_rig0\n"
    "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n"
    "[domain example.com]\n";

struct options {
    bool fanout;
    uint32_t subscriptions; // or publications
    unsigned batches;
    bool json;
};

struct bench {
    struct options options;
    struct rig rig;
    struct traffic traffic;
};

static void stop(const char *why)
{
    fprintf(stderr, "bench-presence-path: %s\n", why);
    exit(1);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"case", required_argument, NULL, 'c'},
        {"subscriptions", required_argument, NULL, 's'},
        {"batches", required_argument, NULL, 'b'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    struct options options = {.batches = 400, .subscriptions = 1000000};
    bool good = true;
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (c == 'c')
            options.fanout = strcmp(optarg, "fanout") == 0,
            good &= options.fanout || strcmp(optarg, "publish") == 0;
        else if (c == 's')
            options.subscriptions = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'b')
            options.batches = (unsigned)strtoul(optarg, NULL, 10);
        else
            good &= c == 'j', options.json = true;
    }
    if (good && options.batches > 0 && options.subscriptions >= 2 * BATCH &&
        options.subscriptions <= 10000000)
        return options;
    fputs("usage: bench-presence-path [--case publish|fanout] [--subscriptions N] [--batches N] [--json]\n",
          stderr);
    exit(2);
}

// Until so many frames more have left. Returns the cycles.
static __attribute__((noinline)) uint64_t run(struct bench *bench, unsigned frames)
{
    struct worker *worker = bench->rig.strowger.workers[0];
    const uint64_t *left = &worker->counters.port[0].tx_packets;
    uint64_t goal = *left + frames, before = rte_rdtsc_precise(), patience = PATIENCE_S * rte_get_tsc_hz();
    bool idle = false;

    while (*left < goal || !idle) {
        idle = datapath_turn(worker) == 0;
        if (idle && *left < goal && rte_rdtsc() - before > patience)
            stop("what should have left did not");
    }
    uint64_t took = rte_rdtsc_precise() - before;
    if (*left != goal)
        stop("more left than should have");
    return took;
}

static uint64_t answer(struct bench *bench)
{
    struct worker *worker = bench->rig.strowger.workers[0];
    const uint64_t *seen = &worker->counters.port[0].rx_packets;
    uint64_t goal = *seen + traffic_answer(&bench->traffic), before = rte_rdtsc_precise();
    bool idle = false;

    while (*seen < goal || !idle)
        idle = datapath_turn(worker) == 0;
    return rte_rdtsc_precise() - before;
}

// Requests are in the ring that make so many frames leave; then what answers those.
static uint64_t serve(struct bench *bench, unsigned frames)
{
    uint64_t took = run(bench, frames);

    traffic_drain(&bench->traffic);
    return took + answer(bench);
}

static uint64_t run_batch(struct bench *bench)
{
    uint64_t notified = bench->traffic.notified, frames = BATCH;

    if (!bench->options.fanout) {
        for (unsigned i = 0; i < BATCH; i++)
            traffic_publish(&bench->traffic, true);
        return serve(bench, (unsigned)frames);
    }
    for (unsigned i = 0; i < CHANGES; i++)
        traffic_publish(&bench->traffic, false);
    uint64_t took = serve(bench, CHANGES + CHANGES * WATCHERS);
    if (bench->traffic.notified != notified + CHANGES * WATCHERS)
        stop("not all who watch were told");
    return took;
}

// Everybody has published; watchers of each come in turns.
static void fill(struct bench *bench)
{
    uint32_t users = bench->traffic.users, subscriptions = bench->options.subscriptions;

    for (uint32_t user = 0; user < users;) {
        unsigned n = 0;
        for (; n < FILL && user < users; n++)
            traffic_publish_of(&bench->traffic, user++);
        serve(bench, n);
    }
    for (uint32_t watcher = 0; bench->options.fanout && watcher < subscriptions;) {
        unsigned n = 0;
        for (; n < FILL && watcher < subscriptions; n++, watcher++)
            traffic_subscribe(&bench->traffic, watcher % users, watcher);
        serve(bench, 2 * n);
    }
}

static void measure(struct bench *bench)
{
    const struct options *options = &bench->options;
    uint64_t *cycles = calloc(options->batches, sizeof(*cycles));
    unsigned messages = options->fanout ? CHANGES * WATCHERS : BATCH;

    if (cycles == NULL)
        stop("no memory");
    for (unsigned i = 0; i < WARM_BATCHES; i++)
        run_batch(bench);
    for (unsigned i = 0; i < options->batches; i++)
        cycles[i] = run_batch(bench);
    double each = (double)figure_median_count(cycles, options->batches) / messages;
    const char *name = options->fanout ? "fanout" : "publish";
    const struct figure_of of = {"presence", options->fanout ? "subscriptions" : "publications",
                                 options->subscriptions, options->json};

    figure_print(of, name, options->fanout ? "cycles/notify" : "cycles/publish", each);
    figure_print(of, name, options->fanout ? "notifies/s/worker" : "publishes/s/worker",
                 (double)rte_get_tsc_hz() / each);
    free(cycles);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct options options = read_options(argc, argv);
    struct endpoint gateway = endpoint_ip4(198, 18, 0, 254, 0);
    uint32_t users = options.fanout ? options.subscriptions / WATCHERS : options.subscriptions;
    uint32_t watched = options.fanout ? users * WATCHERS : 0;
    char text[1024];

    options.subscriptions = options.fanout ? watched : users;
    bench.options = options;
    snprintf(text, sizeof(text), ini, users + 16, users + 16, watched + 16);
    rig_eal_parallel(1);
    rig_start(&bench.rig, text, 1);
    rig_gateway(&bench.rig, 0, &gateway);
    bench.rig.strowger.workers[0]->ports[0].tx_offloads |=
        RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    if (traffic_open(&bench.traffic, &bench.rig, users) != 0)
        stop("no memory");
    fill(&bench);
    measure(&bench);
    traffic_close(&bench.traffic);
    return rig_stop(&bench.rig) ? 0 : 1;
}
