// bench-calls: whole calls through one worker in one process, and the delay that the server adds to a message.
//
//   bench-calls [--case call|latency-p99] [--bindings N] [--concurrent N] [--calls N]
//               [--mode stateful|stateless] [--json]
//
// call: INVITE, 100, 180, 200, ACK, BYE, 200 of randomised calls at all stages at once. Frames are laid into the
// receive ring while the clock stands; counted are the TSC cycles of the worker's turns until everything has left.
// `concurrent` calls were answered before and stay, so that their transactions fill the table while others come and
// go.
//
// latency-p99: the same messages at half the rate that the first case measured in this process. A frame is put into the
// receive ring when its time has come, and is seen again in the transmit ring after the turn that sent it: the delay of
// the box without a wire, waiting for the turn before included.
#include <getopt.h>
#include <math.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>

#include "calls_flow.h"
#include "datapath/datapath.h"
#include "figure.h"

#define BATCH   4096
#define POOL    (1u << 20)
#define RECORDS 262144 // transactions beside those that stay
#define KEPT    131072 // messages kept
#define BUFFERS (KEPT + 32768)

// Every buffer is used once before anything counts: memory that a virtual machine touches for the first time is slow.
#define WARM_BATCHES (BUFFERS / BATCH + 20)

struct options {
    bool latency, json, stateless;
    uint32_t bindings, concurrent, calls;
};

// Timers are far away: what the bench leaves unanswered while it works on the ends is not sent again.
static const char ini[] = "[network]\nmbufs = %u\nmailbox_size = 8192\nroute_max = 64\nneighbour_max = 64\n"
                          "[location]\nbindings_max = %u\n"
                          "[transaction]\ntransactions_max = %u\nkept_max = %u\nt1 = 4s\nt2 = 8s\n"
                          "[proxy]\nmode = %s\n"
                          "[trust]\nnetworks = 198.18.0.0/15\n"
                          "[port p0]\ndevice = net_ring_rig0\nmtu = 9000\n"
                          "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n"
                          "[domain example.com]\n";

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"case", required_argument, NULL, 'c'},
        {"bindings", required_argument, NULL, 'n'},
        {"concurrent", required_argument, NULL, 'o'},
        {"calls", required_argument, NULL, 'a'},
        {"mode", required_argument, NULL, 'm'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    struct options options = {.bindings = 1000000, .concurrent = 1000, .calls = 100000};
    bool good = true;
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'c':
            options.latency = strcmp(optarg, "latency-p99") == 0;
            good &= options.latency || strcmp(optarg, "call") == 0;
            break;
        case 'n':
            options.bindings = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'o':
            options.concurrent = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'a':
            options.calls = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'm':
            options.stateless = strcmp(optarg, "stateless") == 0;
            good &= options.stateless || strcmp(optarg, "stateful") == 0;
            break;
        case 'j':
            options.json = true;
            break;
        default:
            good = false;
        }
    }
    if (!good || options.bindings == 0 || options.calls == 0) {
        fputs("usage: bench-calls [--case call|latency-p99] [--bindings N] [--concurrent N] [--calls N]\n"
              "                   [--mode stateful|stateless] [--json]\n",
              stderr);
        exit(2);
    }
    return options;
}

static void give_up(void)
{
    fputs("bench-calls: no memory\n", stderr);
    exit(1);
}

// One batch from ring to ring. Returns the cycles.
static uint64_t run(struct rig *rig)
{
    struct worker *worker = rig->strowger.workers[0];
    unsigned idle = 0;

    uint64_t before = rte_rdtsc_precise();
    uint64_t after = before;
    // The turns that find nothing any more only tell the end; they are not counted.
    while (idle < 4) {
        if (datapath_turn(worker) > 0) {
            idle = 0;
            after = rte_rdtsc_precise();
        } else {
            idle++;
        }
    }
    return after - before;
}

// Fills the table with answered calls that stay.
static void fill_table(struct flow *flow, uint32_t concurrent)
{
    flow->answer_only = true;
    while (flow->answered < concurrent && flow->wrong == 0) {
        flow_fill(flow, BATCH / 2,
                  flow->begun < concurrent); // an INVITE makes two frames, and the ring holds 8191
        run(flow->rig);
        flow_drain(flow);
        if (flow->begun >= concurrent && flow->waiting_n == 0)
            break;
    }
    flow->answer_only = false;
}

static void check(const struct rig *rig, const struct flow *flow)
{
    uint64_t drops = 0;

    for (unsigned drop = 0; drop < DROP_COUNT; drop++)
        drops += rig_drops(rig, drop);
    if (flow->wrong == 0 && drops * 1000 <= flow->begun)
        return;
    fprintf(
        stderr,
        "bench-calls: %lu messages that no call expects (last: %s), %lu drops, %lu calls begun, %lu ended:\n",
        flow->wrong, flow->last_wrong, drops, flow->begun, flow->ended);
    for (unsigned drop = 0; drop < DROP_COUNT; drop++) {
        if (rig_drops(rig, drop) > 0)
            fprintf(stderr, "  %lu %s\n", rig_drops(rig, drop), drop_name(drop));
    }
    exit(1);
}

// Cycles for a whole call: the median batch, by what a call is of a batch.
static double measure_calls(struct flow *flow, uint32_t calls)
{
    unsigned batches = calls * FLOW_MESSAGES_PER_CALL / BATCH + 1;
    uint64_t *cycles = calloc(batches, sizeof(*cycles));

    if (cycles == NULL)
        give_up();
    for (unsigned batch = 0; batch < WARM_BATCHES + batches; batch++) {
        unsigned n = flow_fill(flow, BATCH, true);
        uint64_t took = run(flow->rig);
        flow_drain(flow);
        if (batch >= WARM_BATCHES)
            cycles[batch - WARM_BATCHES] = took * FLOW_MESSAGES_PER_CALL / n;
    }
    double median = (double)figure_median_count(cycles, batches);
    free(cycles);
    return median;
}

// One batch of frames, each with the time at which it is due, and what left with the time at which it was seen.
struct paced {
    struct rte_mbuf *in[BATCH], *out[2 * BATCH];
    uint64_t due[BATCH], seen[2 * BATCH];
    unsigned in_n, out_n;
};

static void collect(struct paced *paced, struct rig *rig)
{
    uint64_t now = rte_rdtsc();

    while (paced->out_n < 2 * BATCH && (paced->out[paced->out_n] = rig_sent(rig, 0)) != NULL)
        paced->seen[paced->out_n++] = now;
}

static void run_paced(struct paced *paced, struct rig *rig)
{
    struct worker *worker = rig->strowger.workers[0];
    uint64_t start = rte_rdtsc_precise();
    unsigned idle = 0;

    for (unsigned next = 0; next < paced->in_n || idle < 4;) {
        uint64_t now = rte_rdtsc() - start;
        for (; next < paced->in_n && paced->due[next] <= now; next++)
            rig_receive(rig, 0, 0, paced->in[next]);
        idle = datapath_turn(worker) > 0 ? 0 : idle + 1;
        collect(paced, rig);
    }
    for (unsigned i = 0; i < paced->in_n; i++)
        paced->due[i] += start;
}

// The delays of one batch at an average of one message per `gap` cycles, Poisson arrivals. What leaves does so in the
// order in which it came in: the n-th message that is no 100 is the n-th that came. Returns the number of samples.
static unsigned measure_delays(struct flow *flow, struct paced *paced, double gap, uint64_t *samples)
{
    unsigned n = 0;
    double due = 0;

    for (paced->in_n = 0; paced->in_n < BATCH; paced->in_n++) {
        due -= log(1 - drand48()) * gap;
        paced->in[paced->in_n] = flow_next(flow, true);
        paced->due[paced->in_n] = (uint64_t)due;
    }
    paced->out_n = 0;
    run_paced(paced, flow->rig);
    for (unsigned i = 0; i < paced->out_n; i++) {
        if (flow_take(flow, paced->out[i]) && n < BATCH) {
            samples[n] = paced->seen[i] - paced->due[n];
            n++;
        }
        rte_pktmbuf_free(paced->out[i]);
    }
    return n == BATCH ? n : 0;
}

// The 99th percentile of each batch, and the median of those: a batch that the host took the core away from says
// nothing of this program.
static double measure_latency(struct flow *flow, double cycles_per_call, uint32_t calls)
{
    unsigned batches = calls * FLOW_MESSAGES_PER_CALL / BATCH + 1;
    uint64_t *percentiles = calloc(batches, sizeof(*percentiles)), *samples = calloc(BATCH, sizeof(*samples));
    struct paced *paced = calloc(1, sizeof(*paced));
    unsigned measured = 0;

    if (percentiles == NULL || samples == NULL || paced == NULL)
        give_up();
    for (unsigned batch = 0; batch < batches; batch++) {
        unsigned n = measure_delays(flow, paced, 2 * cycles_per_call / FLOW_MESSAGES_PER_CALL, samples);
        if (n == 0)
            continue;
        percentiles[measured++] = figure_percentile(samples, n, 99);
    }
    if (measured * 2 < batches) {
        fputs("bench-calls: messages were lost, so that delays cannot be told\n", stderr);
        exit(1);
    }
    double median = (double)figure_median_count(percentiles, measured);
    free(percentiles);
    free(samples);
    free(paced);
    return median * 1e6 / (double)rte_get_tsc_hz();
}

static void report(const struct options *options, const char *name, const char *unit, double value)
{
    if (options->json)
        printf("{\"bench\":\"calls\",\"case\":\"%s\",\"unit\":\"%s\",\"value\":%.1f,\"concurrent\":%u,"
               "\"bindings\":%u,\"mode\":\"%s\"}\n",
               name, unit, value, options->concurrent, options->bindings,
               options->stateless ? "stateless" : "stateful");
    else
        printf("%-12s %9u concurrent  %9u bindings  %s: %10.1f %s\n", name, options->concurrent,
               options->bindings, options->stateless ? "stateless" : "stateful", value, unit);
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    static struct rig rig;
    static struct flow flow;
    char text[1024];
    struct endpoint gateway = endpoint_ip4(198, 18, 0, 254, 0);
    uint32_t kept = KEPT;

    snprintf(text, sizeof(text), ini, BUFFERS, options.bindings + options.bindings / 4 + 1000,
             options.concurrent + RECORDS, kept, options.stateless ? "stateless" : "stateful");
    rig_eal_parallel(1);
    rig_start(&rig, text, 1);
    rig_gateway(&rig, 0, &gateway);
    rig.strowger.workers[0]->ports[0].tx_offloads |=
        RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    flow_populate(&rig, options.bindings);
    if (flow_open(&flow, &rig, options.bindings, POOL) != 0)
        give_up();
    fill_table(&flow, options.concurrent);
    double cycles = measure_calls(&flow, options.calls);
    if (options.latency) {
        report(&options, "latency-p99", "us", measure_latency(&flow, cycles, options.calls));
    } else {
        report(&options, "call", "calls/s/worker", (double)rte_get_tsc_hz() / cycles);
        report(&options, "call", "cycles/call", cycles);
    }
    check(&rig, &flow);
    flow_close(&flow);
    return rig_stop(&rig) ? 0 : 1;
}
