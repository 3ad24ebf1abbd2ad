// bench-pipeline: the whole packet path in one process, from the receive ring to the transmit ring, by stage.
//
//   bench-pipeline [--case forward|forward-stateful|register|redirect|options] [--bindings N] [--workers N]
//                  [--checksum hw|sw] [--batches N] [--json]
//
// Batches of frames, each message different from all before, are laid into ring ports while the clock stands; then the
// workers turn until everything has left. What is counted is TSC cycles from the first turn to the last, receive and
// transmit through DPDK's ethdev layer included. The frames of a batch (about 5 MB of memory touched) do not fit the
// second-level cache, as packets that a NIC has just written would not.
// Two workers: the bench's own thread is the first, a second lcore on another core the second.
#include <getopt.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/datapath.h"
#include "figure.h"
#include "pipeline_traffic.h"

#define BUFFERS "65536"

// Every buffer is used once before anything counts: memory that a virtual machine touches for the first time is slow.
#define WARM_BATCHES 24

struct options {
    enum traffic_case which;
    uint32_t bindings;
    unsigned workers;
    unsigned batches;
    bool checksum_hw;
    bool json;
};

static const char ini[] =
    "[network]\nmbufs = " BUFFERS "\nmailbox_size = 8192\nroute_max = 64\nneighbour_max = 64\n"
    "[location]\nbindings_max = %u\n"
    "[transaction]\ntransactions_max = 65536\nkept_max = 32768\nt1 = 4s\nt2 = 8s\n"
    "[proxy]\nmode = %s\n"
    "[trust]\nnetworks = 0.0.0.0/0, ::/0\n"
    "[port p0]\ndevice = net_ring_rig0\n"
    "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n"
    "[listener six]\naddress = [2001:db8::1]:5060\nport = p0\n"
    "[domain example.com]\nrole = %s\n";

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"case", required_argument, NULL, 'c'},
        {"bindings", required_argument, NULL, 'n'},
        {"workers", required_argument, NULL, 'w'},
        {"checksum", required_argument, NULL, 's'},
        {"batches", required_argument, NULL, 'b'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    struct options options = {.bindings = 1000000, .workers = 1, .batches = 100, .checksum_hw = true};
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'c':
            while (options.which < TRAFFIC_CASES && strcmp(traffic_name(options.which), optarg) != 0)
                options.which++;
            break;
        case 'n':
            options.bindings = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'w':
            options.workers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            options.checksum_hw = strcmp(optarg, "hw") == 0;
            break;
        case 'b':
            options.batches = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'j':
            options.json = true;
            break;
        default:
            options.which = TRAFFIC_CASES;
        }
    }
    if (options.which == TRAFFIC_CASES || options.bindings == 0 || options.batches == 0 ||
        options.workers == 0 || options.workers > 2) {
        fputs("usage: bench-pipeline [--case forward|forward-stateful|register|redirect|options] [--bindings "
              "N] [--workers "
              "1|2]\n"
              "                      [--checksum hw|sw] [--batches N] [--json]\n",
              stderr);
        exit(2);
    }
    return options;
}

static uint64_t dropped(const struct strowger *strowger)
{
    uint64_t sum = 0;

    for (unsigned id = 0; id < strowger->workers_n; id++) {
        for (unsigned drop = 0; drop < DROP_COUNT; drop++)
            sum += strowger->workers[id]->counters.drops[drop];
    }
    return sum;
}

static uint64_t finished(const struct strowger *strowger)
{
    uint64_t sum = dropped(strowger);

    for (unsigned id = 0; id < strowger->workers_n; id++)
        sum += *(volatile uint64_t *)&strowger->workers[id]->counters.port[0].tx_packets;
    return sum;
}

static atomic_bool ending;

static int turn_until_end(void *argument)
{
    while (!atomic_load_explicit(&ending, memory_order_relaxed))
        datapath_turn(argument);
    return 0;
}

// One batch from ring to ring. Returns the cycles.
static uint64_t run_batch(struct rig *rig, unsigned frames)
{
    struct strowger *strowger = &rig->strowger;
    uint64_t goal = finished(strowger) + frames;
    bool idle = false;

    atomic_store(&ending, false);
    uint64_t before = rte_rdtsc_precise();
    for (unsigned id = 1; id < strowger->workers_n; id++)
        rte_eal_remote_launch(turn_until_end, strowger->workers[id], strowger->workers[id]->lcore);
    // Answers of its own, as the 100 to an INVITE, make more frames leave than came in: the first idle turn is the end.
    while (finished(strowger) < goal || (strowger->workers_n == 1 && !idle))
        idle = datapath_turn(strowger->workers[0]) == 0;
    uint64_t cycles = rte_rdtsc_precise() - before;
    atomic_store(&ending, true);
    rte_eal_mp_wait_lcore();
    return cycles;
}

// Whoever measures drops or answers of another kind measures something else.
static void check(const struct rig *rig, const struct options *options)
{
    uint64_t messages = 0, drops = dropped(&rig->strowger), wrong = 0;

    for (unsigned id = 0; id < rig->strowger.workers_n; id++) {
        const struct counters *counters = &rig->strowger.workers[id]->counters;
        messages += counters->port[0].tx_packets;
        for (unsigned class = 1; class < COUNTERS_STATUS_CLASSES; class ++) {
            bool wanted =
                (options->which == TRAFFIC_REDIRECT && class == 3) ||
                ((options->which == TRAFFIC_REGISTER || options->which == TRAFFIC_OPTIONS) && class == 2);
            wrong += wanted ? 0 : counters->replies[class];
        }
    }
    if (drops * 100 <= messages && wrong * 100 <= messages)
        return;
    fprintf(stderr, "bench-pipeline: %lu drops and %lu answers of the wrong class in %lu messages:\n", drops,
            wrong, messages);
    for (unsigned drop = 0; drop < DROP_COUNT; drop++) {
        if (rig_drops(rig, drop) > 0)
            fprintf(stderr, "  %lu %s\n", rig_drops(rig, drop), drop_name(drop));
    }
    for (unsigned class = 1; class < COUNTERS_STATUS_CLASSES; class ++)
        fprintf(stderr, "  %lu answers %uxx by worker 0\n", rig->strowger.workers[0]->counters.replies[class],
                class);
    exit(1);
}

static void print_json(const struct options *options, const char *unit, double value, const char *stage)
{
    printf("{\"bench\":\"pipeline\",\"case\":\"%s\",\"unit\":\"%s\",\"value\":%.1f,\"workers\":%u,"
           "\"bindings\":%u,"
           "\"checksum\":\"%s\"%s%s%s}\n",
           traffic_name(options->which), unit, value, options->workers, options->bindings,
           options->checksum_hw ? "hw" : "sw", stage == NULL ? "" : ",\"stage\":\"",
           stage == NULL ? "" : stage, stage == NULL ? "" : "\"");
}

static void report(const struct rig *rig, const struct options *options, double cycles)
{
    double rate = (double)rte_get_tsc_hz() / cycles / options->workers;

    if (options->json) {
        print_json(options, "cycles/msg", cycles * options->workers, NULL);
        print_json(options, "msgs/s/worker", rate, NULL);
    } else {
        printf("%-9s %9u bindings  %u worker%s  checksum %s: %7.0f cycles/msg  %9.0f msgs/s/worker\n",
               traffic_name(options->which), options->bindings, options->workers,
               options->workers == 1 ? " " : "s", options->checksum_hw ? "hw" : "sw",
               cycles * options->workers, rate);
    }
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
        uint64_t spent = 0, messages = 0;
        for (unsigned id = 0; id < rig->strowger.workers_n; id++) {
            spent += rig->strowger.workers[id]->counters.stage[stage].cycles;
            messages += rig->strowger.workers[id]->counters.stage[stage].messages;
        }
        double each = messages == 0 ? 0 : (double)spent / (double)messages;
        if (options->json)
            print_json(options, "cycles/msg/stage", each, stage_name(stage));
        else
            printf("  %-9s %7.0f\n", stage_name(stage), each);
    }
}

static void measure(struct rig *rig, const struct options *options)
{
    struct traffic traffic;
    uint64_t *cycles = calloc(options->batches, sizeof(*cycles));

    if (cycles == NULL ||
        traffic_open(&traffic, rig, options->which, options->bindings, options->checksum_hw) != 0) {
        fputs("bench-pipeline: no memory\n", stderr);
        exit(1);
    }
    for (unsigned batch = 0; batch < WARM_BATCHES + options->batches; batch++) {
        if (batch == WARM_BATCHES) {
            for (unsigned id = 0; id < rig->strowger.workers_n; id++)
                memset(&rig->strowger.workers[id]->counters, 0, sizeof(struct counters));
        }
        uint64_t took = run_batch(rig, traffic_fill(&traffic));
        if (batch >= WARM_BATCHES)
            cycles[batch - WARM_BATCHES] = took;
        traffic_drain(&traffic);
    }
    check(rig, options);
    // The median batch: a batch that the host stole time from says nothing.
    report(rig, options, (double)figure_median_count(cycles, options->batches) / TRAFFIC_BATCH);
    traffic_close(&traffic);
    free(cycles);
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    static struct rig rig;
    char text[1024];
    struct endpoint gateway = endpoint_ip4(198, 18, 0, 254, 0);

    snprintf(text, sizeof(text), ini, options.bindings + options.bindings / 4 + 1000,
             options.which == TRAFFIC_FORWARD_STATEFUL ? "stateful" : "stateless",
             options.which == TRAFFIC_REDIRECT ? "redirect" : "proxy");
    rig_eal_parallel(options.workers);
    rig_start(&rig, text, options.workers);
    rig_gateway(&rig, 0, &gateway);
    if (options.checksum_hw) {
        for (unsigned id = 0; id < options.workers; id++)
            rig.strowger.workers[id]->ports[0].tx_offloads |=
                RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    }
    traffic_populate(&rig, options.which, options.bindings);
    measure(&rig, &options);
    return rig_stop(&rig) ? 0 : 1;
}
