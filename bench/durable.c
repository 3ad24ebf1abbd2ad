// bench-durable: what it costs a registration to be on the disk before it is answered.
//
//   bench-durable [--users N] [--rounds N] [--path FOLDER] [--json]
//
// One worker on the first core, the store's writer on the second, a store on a real file system. A round is ROUND
// refreshes of random users, WINDOW of them at a time as many clients at once would send them, timed until the last
// one is answered; durability = none and = commit each have a process of their own and a store of their own, and
// `memory` is a server without any. The figure is the median round. Then one registration at a time, and THIN at a
// time: the time from the frame in to the frame out, over the time of one flush (4 KiB and fdatasync) on the same file
// system.
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/commit.h"
#include "datapath/datapath.h"
#include "figure.h"
#include "pipeline_traffic.h"

#define ROUND      196608
#define WINDOW     57344 // registrations that are not yet answered: less than queue_max
#define FEED       WORKER_BURST
#define THIN       32
#define LATENCIES  2000
#define FLUSHES    300
#define ROUNDS_MAX 100

struct options {
    uint32_t users;
    unsigned rounds;
    const char *path;
    bool json;
};

static const char ini[] =
    "[network]\nmbufs = 262143\nmailbox_size = 8192\nroute_max = 64\nneighbour_max = 64\n"
    "[location]\nbindings_max = %u\n"
    "[transaction]\ntransactions_max = 4096\nkept_max = 4096\n"
    "%s"
    "[port p0]\ndevice = net_ring_rig0\n"
    "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n"
    "[domain example.com]\n";

struct bench {
    struct options options;
    struct rig rig;
    struct corpus corpus;
    struct rte_mbuf *frames[ROUND];
    uint64_t answers, good;
};

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct rte_mbuf *next_frame(struct bench *bench)
{
    const struct endpoint phone = endpoint_ip4(198, 19, 1, 1, 5060),
                          server = endpoint_ip4(198, 18, 0, 1, 5060);
    char text[CORPUS_MESSAGE_MAX];
    struct corpus_note note;
    unsigned len = corpus_next(&bench->corpus, text, &note);

    return rig_frame(&bench->rig, &phone, &server, text, len, 0);
}

// Frees what left; counts what of it is a 200.
static void collect(struct bench *bench)
{
    struct rte_mbuf *mbuf;

    while ((mbuf = rig_sent(&bench->rig, 0)) != NULL) {
        bench->answers++;
        bench->good += memcmp(rte_pktmbuf_mtod_offset(mbuf, char *, 14 + 20 + 8), "SIP/2.0 200", 11) == 0;
        rte_pktmbuf_free(mbuf);
    }
}

static double run_round(struct bench *bench)
{
    uint64_t before = bench->answers;
    unsigned fed = 0;

    for (unsigned i = 0; i < ROUND; i++)
        bench->frames[i] = next_frame(bench);
    double began = seconds();
    while (bench->answers - before < ROUND) {
        for (unsigned i = 0; i < FEED && fed < ROUND && fed - (bench->answers - before) < WINDOW; i++)
            rig_receive(&bench->rig, 0, 0, bench->frames[fed++]);
        datapath_turn(bench->rig.strowger.workers[0]);
        collect(bench);
    }
    return seconds() - began;
}

// `window` registrations at a time; the median time of one, in seconds.
static double run_latency(struct bench *bench, unsigned window)
{
    static double took[LATENCIES];

    for (unsigned i = 0; i < LATENCIES; i++) {
        // The first of them is timed: the others came when it did, or while the flush before was under way.
        uint64_t first = bench->answers + 1, all = bench->answers + window;
        double began = seconds();
        for (unsigned n = 0; n < window; n++)
            rig_receive(&bench->rig, 0, 0, next_frame(bench));
        while (bench->answers < first) {
            datapath_turn(bench->rig.strowger.workers[0]);
            collect(bench);
        }
        took[i] = seconds() - began;
        while (bench->answers < all) {
            datapath_turn(bench->rig.strowger.workers[0]);
            collect(bench);
        }
    }
    return figure_median(took, LATENCIES);
}

// One flush of the disk as such.
static double time_flush(const char *folder)
{
    static double took[FLUSHES];
    static char page[4096];
    char name[512];

    mkdir(folder, 0700);
    snprintf(name, sizeof(name), "%s/flush", folder);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, 1 << 20) != 0)
        return 0;
    for (unsigned i = 0; i < FLUSHES; i++) {
        double began = seconds();
        if (pwrite(fd, page, sizeof(page), (off_t)(i % 256) * 4096) != sizeof(page) || fdatasync(fd) != 0)
            exit(1);
        took[i] = seconds() - began;
    }
    close(fd);
    unlink(name);
    rmdir(folder);
    return figure_median(took, FLUSHES);
}

static void remove_store(const char *path)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "strowger.lock"};
    char name[512];

    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s/%s", path, files[i]);
        unlink(name);
    }
    rmdir(path);
}

struct figures {
    double rate, one_s, thin_s, batch;
};

static struct figures measure(const struct options *options, const char *durability)
{
    static struct bench bench;
    struct endpoint gateway = endpoint_ip4(198, 18, 0, 254, 0);
    struct corpus_options corpus = {.kinds = CORPUS_REGISTER,
                                    .users = options->users,
                                    .domain = "example.com",
                                    .self = endpoint_ip4(198, 18, 0, 1, 5060),
                                    .source = endpoint_ip4(198, 19, 1, 1, 5060),
                                    .seed = 1};
    char text[1024], store[512] = "";
    static double took[ROUNDS_MAX];
    struct figures figures = {0};

    bench.options = *options;
    if (durability != NULL)
        snprintf(store, sizeof(store), "[store]\npath = %s\ndurability = %s\nqueue_max = 65536\n",
                 options->path, durability);
    snprintf(text, sizeof(text), ini, options->users * 2, store);
    rig_eal_parallel(1);
    rig_start(&bench.rig, text, 1);
    rig_gateway(&bench.rig, 0, &gateway);
    traffic_populate(&bench.rig, TRAFFIC_REGISTER, options->users);
    corpus_open(&bench.corpus, &corpus);
    struct control_commit *commit = bench.rig.strowger.commit;
    if (commit != NULL && control_commit_launch(commit) != 0)
        exit(1);
    // Until every user is in the store, which the first rounds fill.
    for (unsigned i = 0; i < 2 + 3 * options->users / ROUND; i++)
        run_round(&bench);
    bench.answers = bench.good = 0;
    uint64_t batches = commit != NULL ? control_commit_counters(commit)->batches : 0;
    for (unsigned i = 0; i < options->rounds; i++)
        took[i] = run_round(&bench);
    figures.rate = ROUND / figure_median(took, options->rounds);
    if (bench.good != bench.answers) {
        fprintf(stderr, "bench-durable: %lu of %lu answers were no 200\n", bench.answers - bench.good,
                bench.answers);
        exit(1);
    }
    if (commit != NULL)
        figures.batch =
            (double)options->rounds * ROUND / (double)(control_commit_counters(commit)->batches - batches);
    figures.one_s = run_latency(&bench, 1);
    figures.thin_s = run_latency(&bench, THIN);
    if (!rig_stop(&bench.rig))
        exit(1);
    return figures;
}

// EAL starts once a process.
static struct figures measure_apart(const struct options *options, const char *durability)
{
    struct figures figures = {0};
    int ends[2], status;

    fflush(stdout);
    if (pipe(ends) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        figures = measure(options, durability);
        _exit(write(ends[1], &figures, sizeof(figures)) == sizeof(figures) ? 0 : 1);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], &figures, sizeof(figures));
    close(ends[0]);
    bool good = waitpid(child, &status, 0) == child && status == 0 && got == sizeof(figures);
    remove_store(options->path);
    if (!good) {
        fputs("bench-durable: a measurement failed\n", stderr);
        exit(1);
    }
    return figures;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"users", required_argument, NULL, 'u'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"path", required_argument, NULL, 'p'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    struct options options = {.users = 100000, .rounds = 7, .path = "/var/tmp/strowger-bench-durable"};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'u')
            options.users = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'r')
            options.rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'p')
            options.path = optarg;
        else if (option == 'j')
            options.json = true;
        else
            return 2;
    }
    if (options.users == 0 || options.rounds == 0 || options.rounds > ROUNDS_MAX ||
        access(options.path, F_OK) == 0) {
        fputs("usage: bench-durable [--users N] [--rounds 1..100] [--path NEW-FOLDER] [--json]\n", stderr);
        return 2;
    }
    double flush = time_flush(options.path);
    struct figures memory = measure_apart(&options, NULL);
    struct figures none = measure_apart(&options, "none");
    struct figures commit = measure_apart(&options, "commit");
    const struct figure_of of = {"durable", "users", options.users, options.json};

    figure_print(of, "memory", "registers/s", memory.rate);
    figure_print(of, "none", "registers/s", none.rate);
    figure_print(of, "commit", "registers/s", commit.rate);
    figure_print(of, "commit", "ratio", commit.rate / none.rate);
    figure_print(of, "commit", "registers/batch", commit.batch);
    figure_print(of, "flush", "us", flush * 1e6);
    figure_print(of, "one", "us", commit.one_s * 1e6);
    figure_print(of, "one", "flushes", commit.one_s / flush);
    figure_print(of, "thin", "flushes", commit.thin_s / flush);
    return 0;
}
