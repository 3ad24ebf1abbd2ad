// A TLS client in numbers: holds connections, shakes hands as fast as it is let, or exchanges OPTIONS over connections that
// stand. bench/tls runs it against strowger and against Kamailio.
//
//   bench-stream idle      opens N connections, prints "open N", and holds them until its standard input ends
//   bench-stream handshake keeps N handshakes under way; a connection that stands is reset, and the next begins
//   bench-stream message   one OPTIONS under way on each of N connections
//
// One thread, one epoll. The certificate is not verified: that is the client's work, and not what is measured.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "generator_report.h"
#include "stream_client.h"

#define NS_PER_S    1000000000ull
#define EVENTS_MAX  256
#define OPENING_MAX 128 // handshakes under way while connections are opened to be held

enum mode { MODE_IDLE, MODE_HANDSHAKE, MODE_MESSAGE, MODES };

static const char *const mode_names[MODES] = {"idle", "handshake", "message"};

struct options {
    enum mode mode;
    struct stream_client_setup setup;
    unsigned connections;
    double seconds, warmup;
};

struct run {
    const struct options *options;
    struct stream_client *clients;
    int epoll;
    unsigned begun, standing, failed;
    uint64_t done, resumed;   // handshakes, or answers
    uint64_t since_ns;        // when counting began; 0: not yet
    struct histogram latency; // of what was counted
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void usage(FILE *out)
{
    fputs(
        "usage: bench-stream idle|handshake|message --server ADDRESS:PORT [OPTIONS]\n"
        "  --connections N  that are held, or under way at a time (64)\n"
        "  --sources N      addresses 127.0.0.1, 127.0.0.2 … that they come from; 0: as the kernel says (0)\n"
        "  --seconds S      measured time (5)\n"
        "  --warmup S       time before it, not counted (1)\n"
        "  --tls 1.2|1.3    that version alone (1.3)\n"
        "  --resume         handshake: with the ticket of the first one\n"
        "Exit: 0 all as expected, 1 something failed, 2 wrong usage.\n",
        out);
}

static void watch(struct run *run, struct stream_client *client, bool first)
{
    struct epoll_event event = {.events = stream_client_events(client), .data.ptr = client};

    if (epoll_ctl(run->epoll, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, client->fd, &event) != 0) {
        perror("bench-stream: epoll");
        exit(1);
    }
}

static void begin(struct run *run, struct stream_client *client)
{
    client->since_ns = now_ns();
    if (stream_client_begin(client, run->begun++) != 0) {
        run->failed++;
        return;
    }
    watch(run, client, true);
}

static void count(struct run *run, const struct stream_client *client, uint64_t now)
{
    if (run->since_ns == 0)
        return;
    run->done++;
    histogram_add(&run->latency, now - client->since_ns);
}

// Its handshake has ended.
static void stands(struct run *run, struct stream_client *client)
{
    run->standing++;
    switch (run->options->mode) {
    case MODE_HANDSHAKE:
        count(run, client, now_ns());
        run->resumed += run->since_ns != 0 && SSL_session_reused(client->ssl);
        stream_client_reset(client);
        begin(run, client);
        break;
    case MODE_MESSAGE:
        client->since_ns = now_ns();
        stream_client_ask(client);
        break;
    default:
        if (run->begun < run->options->connections)
            begin(run, &run->clients[run->begun]);
    }
}

static void serve(struct run *run, struct stream_client *client)
{
    switch (stream_client_turn(client)) {
    case STREAM_CLIENT_STANDS:
        stands(run, client);
        break;
    case STREAM_CLIENT_ANSWERED:
        count(run, client, now_ns());
        client->since_ns = now_ns();
        stream_client_ask(client);
        break;
    case STREAM_CLIENT_FAILED:
        run->failed++;
        stream_client_reset(client);
        if (run->options->mode == MODE_HANDSHAKE)
            begin(run, client);
        return;
    default:
        break;
    }
    if (client->fd >= 0 && stream_client_events(client) != client->events) {
        watch(run, client, false);
        client->events = stream_client_events(client);
    }
}

static void turn(struct run *run, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(run->epoll, events, EVENTS_MAX, timeout_ms);

    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr != NULL)
            serve(run, events[i].data.ptr);
    }
}

static int hold(struct run *run)
{
    unsigned wanted = run->options->connections;
    char byte;

    for (unsigned i = 0; i < OPENING_MAX && i < wanted; i++)
        begin(run, &run->clients[i]);
    while (run->standing + run->failed < wanted)
        turn(run, 1000);
    printf("open %u\n", run->standing);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    return run->failed == 0 ? 0 : 1;
}

static void print_json(const struct run *run, double seconds)
{
    printf(
        "{\"mode\":\"%s\",\"connections\":%u,\"seconds\":%.3f,\"done\":%llu,\"rate\":%.1f,\"resumed\":%llu,"
        "\"p50_us\":%.1f,\"p99_us\":%.1f,\"failed\":%u}\n",
        mode_names[run->options->mode], run->options->connections, seconds, (unsigned long long)run->done,
        (double)run->done / seconds, (unsigned long long)run->resumed,
        (double)histogram_at(&run->latency, 500) / 1000, (double)histogram_at(&run->latency, 990) / 1000,
        run->failed);
}

static int measure(struct run *run)
{
    uint64_t start = now_ns(), now = start;
    uint64_t from = start + (uint64_t)(run->options->warmup * (double)NS_PER_S);
    uint64_t until = from + (uint64_t)(run->options->seconds * (double)NS_PER_S);

    for (unsigned i = 0; i < run->options->connections; i++)
        begin(run, &run->clients[i]);
    while ((now = now_ns()) < until) {
        if (run->since_ns == 0 && now >= from)
            run->since_ns = now;
        turn(run, 100);
    }
    print_json(run, (double)(now - run->since_ns) / (double)NS_PER_S);
    return run->failed == 0 && run->done > 0 ? 0 : 1;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"server", required_argument, NULL, 's'},  {"connections", required_argument, NULL, 'n'},
        {"sources", required_argument, NULL, 'a'}, {"seconds", required_argument, NULL, 't'},
        {"warmup", required_argument, NULL, 'w'},  {"tls", required_argument, NULL, 'v'},
        {"resume", no_argument, NULL, 'r'},        {NULL, 0, NULL, 0}};
    int letter;

    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (letter == 's' && !endpoint_parse(slice_of(optarg, strlen(optarg)), &options->setup.server))
            return false;
        if (letter == 'n')
            options->connections = (unsigned)strtoul(optarg, NULL, 10);
        if (letter == 'a')
            options->setup.sources = (unsigned)strtoul(optarg, NULL, 10);
        if (letter == 't')
            options->seconds = strtod(optarg, NULL);
        if (letter == 'w')
            options->warmup = strtod(optarg, NULL);
        if (letter == 'v')
            options->setup.version = strcmp(optarg, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        if (letter == 'r')
            options->setup.resume = true;
        if (letter == '?')
            return false;
    }
    if (optind + 1 != argc || options->setup.server.port == 0 || options->connections == 0)
        return false;
    while (options->mode < MODES && strcmp(argv[optind], mode_names[options->mode]) != 0)
        options->mode++;
    return options->mode < MODES;
}

// A connection is a descriptor; as many as are allowed.
static void raise_descriptors(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    struct options options = {.connections = 64, .seconds = 5, .warmup = 1, .setup.version = TLS1_3_VERSION};
    static struct run run;

    if (!read_options(argc, argv, &options)) {
        usage(stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    run = (struct run){.options = &options, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    run.clients = calloc(options.connections, sizeof(*run.clients));
    if (run.epoll < 0 || run.clients == NULL || !stream_client_prepare(&options.setup)) {
        fputs("bench-stream: no memory, or no TLS\n", stderr);
        return 1;
    }
    for (unsigned i = 0; i < options.connections; i++)
        run.clients[i] = (struct stream_client){.setup = &options.setup, .fd = -1, .number = i};
    int status = options.mode == MODE_IDLE ? hold(&run) : measure(&run);
    for (unsigned i = 0; i < options.connections; i++)
        stream_client_reset(&run.clients[i]);
    stream_client_forget(&options.setup);
    free(run.clients);
    close(run.epoll);
    return status;
}
