// A closed-loop SIP load generator: client and called end in one thread over the kernel's UDP sockets.
//
// One sipp saturates at a few thousand calls a second and then reports its own lateness as loss; this one keeps a
// fixed window of exchanges in flight, so it measures the server's pace and never overruns it.
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "generator_flow.h"

#define NS_PER_S     1000000000ull
#define TIMER_EVERY  5000000ull // ns between two looks at the timers
#define WINDOW_MAX   65536
#define WATCHERS_MAX 10000
#define WATCHED_MAX  50000000 // subscriptions

struct options {
    enum flow_mode mode;
    const char *mode_name;
    struct endpoint server;
    struct endpoint bind;
    const char *domain;
    unsigned users;
    unsigned window;
    unsigned watchers;
    unsigned t1;
    double seconds;
    double warmup;
    bool json;
};

static const struct {
    const char *name;
    enum flow_mode mode;
} modes[] = {
    {"register", FLOW_REGISTER}, {"call", FLOW_CALL}, {"redirect", FLOW_REDIRECT},
    {"options", FLOW_OPTIONS},   {"echo", FLOW_ECHO}, {"publish", FLOW_PUBLISH},
    {"notify", FLOW_NOTIFY},
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void usage(FILE *out)
{
    fputs("usage: generator MODE --server ADDRESS:PORT --bind ADDRESS[:PORT] [OPTIONS]\n"
          "  register   registers the users, then refreshes them in random order\n"
          "  call       registers the users, then calls them through the server: INVITE 180 200 ACK BYE 200\n"
          "  redirect   registers the users, then calls them at a server that redirects: INVITE 302 ACK\n"
          "  options    OPTIONS to the server\n"
          "  echo       what `register` sends, to something that sends it back\n"
          "  publish    publishes a state of every user, then others in random order\n"
          "  notify     the same with watchers of each user; counts the NOTIFYs that tell them, and answers "
          "them\n"
          "options:\n"
          "  --users N      how many (1000)\n"
          "  --watchers N   of each user, for notify (10)\n"
          "  --window N     exchanges in flight (64)\n"
          "  --seconds S    measured time (5)\n"
          "  --warmup S     time before it, not counted (1)\n"
          "  --domain NAME  of the users (example.com)\n"
          "  --t1 MS        first retransmission interval (500)\n"
          "  --json         one line of JSON\n"
          "The called end has the port after the client's (5070 unless --bind says otherwise).\n"
          "Exit: 0 all as expected, 1 unexpected answers or timeouts, 2 wrong usage or no socket.\n",
          out);
}

static bool parse_number(const char *text, unsigned max, unsigned *number)
{
    uint64_t value = 0;

    if (!slice_number(slice_text(text), max, &value) || value == 0)
        return false;
    *number = (unsigned)value;
    return true;
}

static bool parse_seconds(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    return end != text && *end == 0 && *seconds >= 0 && *seconds <= 86400;
}

static bool parse_option(int option, const char *value, struct options *o)
{
    switch (option) {
    case 's':
        return endpoint_parse(slice_text(value), &o->server);
    case 'b':
        return endpoint_parse(slice_text(value), &o->bind);
    case 'u':
        return parse_number(value, MESSAGE_USERS_MAX, &o->users);
    case 'w':
        return parse_number(value, WINDOW_MAX, &o->window);
    case 'n':
        return parse_number(value, WATCHERS_MAX, &o->watchers);
    case 't':
        return parse_number(value, 60000, &o->t1);
    case 'S':
        return parse_seconds(value, &o->seconds) && o->seconds > 0;
    case 'W':
        return parse_seconds(value, &o->warmup);
    case 'd':
        o->domain = value;
        return strlen(value) <= 128;
    case 'j':
        o->json = true;
        return true;
    default:
        return false;
    }
}

static bool parse_mode(const char *name, struct options *o)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(name, modes[i].name) != 0)
            continue;
        o->mode = modes[i].mode;
        o->mode_name = modes[i].name;
        return true;
    }
    return false;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"server", required_argument, NULL, 's'},
        {"bind", required_argument, NULL, 'b'},
        {"users", required_argument, NULL, 'u'},
        {"window", required_argument, NULL, 'w'},
        {"t1", required_argument, NULL, 't'},
        {"seconds", required_argument, NULL, 'S'},
        {"warmup", required_argument, NULL, 'W'},
        {"domain", required_argument, NULL, 'd'},
        {"json", no_argument, NULL, 'j'},
        {"watchers", required_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    int option, at = 0;

    *o = (struct options){.users = 1000,
                          .window = 64,
                          .watchers = 10,
                          .t1 = 500,
                          .seconds = 5,
                          .warmup = 1,
                          .domain = "example.com"};
    while ((option = getopt_long(argc, argv, "", known, &at)) != -1) {
        if (option == '?')
            return false;
        if (!parse_option(option, optarg, o)) {
            fprintf(stderr, "generator: --%s: cannot use \"%s\"\n", known[at].name, optarg);
            return false;
        }
    }
    if (optind != argc - 1 || !parse_mode(argv[optind], o) || o->server.port == 0 ||
        o->server.family != o->bind.family)
        return false;
    if (o->mode != FLOW_NOTIFY)
        o->watchers = 0;
    if ((uint64_t)o->users * o->watchers > WATCHED_MAX)
        return false;
    if (o->bind.port == 0)
        o->bind.port = 5070;
    if (o->window > o->users)
        o->window = o->users; // a user has one exchange at a time
    return o->bind.port < UINT16_MAX;
}

static void receive(struct flow *f, struct batch_socket *s,
                    void (*take)(struct flow *f, struct slice text, uint64_t now), unsigned *got)
{
    unsigned n = batch_socket_receive(s);

    if (n == 0)
        return;
    uint64_t now = now_ns();
    for (unsigned i = 0; i < n; i++)
        take(f, batch_socket_message(s, i), now);
    *got += n;
}

// Until `until` (ns), or until nothing is in flight any more.
static void run(struct flow *f, uint64_t until)
{
    uint64_t now = now_ns(), timers = now + TIMER_EVERY;
    struct pollfd fds[2] = {{f->client->fd, POLLIN, 0}, {f->called != NULL ? f->called->fd : -1, POLLIN, 0}};

    flow_start(f, now);
    while (now < until && f->busy > 0 && !interrupted) {
        unsigned got = 0;
        batch_socket_flush(f->client);
        receive(f, f->client, flow_client_message, &got);
        if (f->called != NULL) {
            receive(f, f->called, flow_called_message, &got);
            batch_socket_flush(f->called);
        }
        now = now_ns();
        if (now >= timers) {
            flow_timers(f, now);
            timers = now + TIMER_EVERY;
        }
        if (got == 0 && f->client->queued == 0)
            (void)poll(fds, 2, 1);
    }
    batch_socket_flush(f->client); // the last ACK
}

static void take_socket_counts(struct flow *f)
{
    struct batch_socket *sockets[] = {f->client, f->called};

    for (int i = 0; i < 2; i++) {
        if (sockets[i] == NULL)
            continue;
        f->tally.sent += sockets[i]->sent;
        f->tally.received += sockets[i]->received;
        f->tally.refused += sockets[i]->refused;
        sockets[i]->sent = sockets[i]->received = sockets[i]->refused = 0;
    }
}

static void forget_counts(struct flow *f)
{
    take_socket_counts(f);
    memset(&f->tally, 0, sizeof(f->tally));
}

// Registers every user once, or publishes and subscribes. False when something could not be.
static bool fill(struct flow *f)
{
    f->filling = true;
    run(f, UINT64_MAX);
    f->filling = false;
    if (interrupted)
        return false;
    if (f->fill_failures == 0)
        return true;
    fprintf(stderr, "generator: %llu of %u %s could not be registered\n",
            (unsigned long long)f->fill_failures, flow_fill_size(f),
            f->watchers > 0 ? "users and watchers" : "users");
    take_socket_counts(f);
    tally_print(&f->tally, "registering", 1, stderr);
    return false;
}

static double measure(struct flow *f, const struct options *o)
{
    run(f, now_ns() + (uint64_t)(o->warmup * (double)NS_PER_S));
    forget_counts(f);
    uint64_t began = now_ns();
    run(f, began + (uint64_t)(o->seconds * (double)NS_PER_S));
    double seconds = (double)(now_ns() - began) / (double)NS_PER_S;
    take_socket_counts(f);
    struct tally measured = f->tally;

    // The rest is answered too: nothing is left behind at the server, and calls that hang would show as timeouts.
    f->stopping = true;
    run(f, UINT64_MAX);
    measured.timeouts = f->tally.timeouts;
    f->tally = measured;
    return seconds;
}

static bool flow_open(struct flow *f, const struct options *o)
{
    char local[ENDPOINT_TEXT_MAX] = {0};
    struct endpoint called = o->bind;

    called.port++;
    endpoint_write(&o->bind, local);
    endpoint_write(&called, f->contact);
    f->mode = o->mode;
    f->users = o->users;
    f->window = o->window;
    f->watchers = o->watchers;
    f->t1 = o->t1;
    f->t2 = o->t1 * 8; // 4 s at the standard T1
    f->exchanges = calloc(f->window, sizeof(*f->exchanges));
    f->registering = calloc(f->users, 1);
    f->templates = calloc(1, sizeof(*f->templates));
    f->client = calloc(1, sizeof(*f->client));
    if (f->exchanges == NULL || f->registering == NULL || f->templates == NULL || f->client == NULL ||
        !flow_open_presence(f))
        return false;
    if (getrandom(&f->run, sizeof(f->run), 0) < 0 || getrandom(&f->random, sizeof(f->random), 0) < 0)
        return false;
    f->random |= 1;
    if (!message_templates_compile(f->templates, &(struct message_names){o->domain, local, f->contact}))
        return false;
    int rc = batch_socket_open(f->client, &o->bind, &o->server);
    if (rc == 0 && o->mode == FLOW_CALL) {
        f->called = calloc(1, sizeof(*f->called));
        f->answers = calloc(f->window, sizeof(*f->answers));
        rc = f->called == NULL || f->answers == NULL ? -ENOMEM
                                                     : batch_socket_open(f->called, &called, &o->server);
    }
    if (rc != 0)
        fprintf(stderr, "generator: socket: %s\n", strerror(-rc));
    return rc == 0;
}

static void flow_close(struct flow *f)
{
    if (f->client != NULL)
        batch_socket_close(f->client);
    if (f->called != NULL)
        batch_socket_close(f->called);
    free(f->client);
    free(f->called);
    free(f->answers);
    free(f->templates);
    flow_close_presence(f);
    free(f->registering);
    free(f->exchanges);
}

int main(int argc, char **argv)
{
    struct options o;
    struct flow f = {0};
    struct sigaction action = {.sa_handler = on_signal};
    int status = 1;

    if (!parse_options(argc, argv, &o)) {
        usage(stderr);
        return 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!flow_open(&f, &o)) {
        status = 2;
    } else if (o.mode == FLOW_ECHO || o.mode == FLOW_OPTIONS || fill(&f)) {
        double seconds = measure(&f, &o);
        if (o.json)
            tally_print_json(
                &f.tally, &(struct tally_run){o.mode_name, f.users, f.watchers, f.window, seconds}, stdout);
        else
            tally_print(&f.tally, o.mode_name, seconds, stdout);
        status = tally_clean(&f.tally) ? 0 : 1;
    }
    flow_close(&f);
    return status;
}
