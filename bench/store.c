// bench-store: how long a restart takes: bindings from the store's file into the location table.
//
//   bench-store [--bindings N] [--workers N] [--path FOLDER] [--json]
//
// The store is written first (sorted, so in one pass), closed and opened again, so its pages lie in the kernel's memory
// but in nobody's tables, as after a crash of the process. Between 150 and 200 bytes a binding, as phones send them.
#include <getopt.h>
#include <rte_rcu_qsbr.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/load.h"
#include "registrar/stored.h"

#define BATCH      20000
#define EXPIRES_MS 3600000
#define VALUE_MAX  512

struct options {
    uint64_t bindings;
    unsigned workers;
    const char *path;
    bool json;
};

static const char ini[] = "[location]\nbindings_max = %lu\n[port p0]\ndevice = net_null0\n"
                          "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n[domain example.com]\n";

static void die(const char *what)
{
    fprintf(stderr, "bench-store: %s\n", what);
    exit(1);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {{"bindings", required_argument, NULL, 'b'},
                                          {"workers", required_argument, NULL, 'w'},
                                          {"path", required_argument, NULL, 'p'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    struct options options = {.bindings = 1000000, .workers = 1, .path = "/var/tmp/strowger-bench-store"};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'b')
            options.bindings = strtoull(optarg, NULL, 10);
        else if (option == 'w')
            options.workers = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'p')
            options.path = optarg;
        else if (option == 'j')
            options.json = true;
        else
            exit(2);
    }
    if (options.bindings == 0 || options.workers == 0)
        die("at least one binding and one worker");
    return options;
}

static struct store *open_store(const struct options *options)
{
    struct store_setup setup = {.path = options->path, .size_max = UINT64_C(64) << 30};
    struct store *store;

    if (store_open(&store, &setup, stderr) != 0)
        exit(1);
    return store;
}

static void write_all(const struct options *options, const struct conf *conf, const struct clock *now)
{
    static char keys[BATCH][64], values[BATCH][VALUE_MAX];
    static struct store_change changes[BATCH];
    struct store *store = open_store(options);

    for (uint64_t first = 0; first < options->bindings; first += BATCH) {
        unsigned n = 0;
        for (; n < BATCH && first + n < options->bindings; n++) {
            char contact[96], call_id[64];
            uint64_t user = first + n;
            struct location_binding binding = {
                .contact =
                    slice_of(contact, (size_t)snprintf(contact, sizeof(contact),
                                                       "sip:user%09lu@198.19.%lu.%lu:5060;line=%lx", user,
                                                       user >> 8 & 255, user & 255, user * 2654435761)),
                .call_id = slice_of(call_id, (size_t)snprintf(call_id, sizeof(call_id),
                                                              "%016lx-registration@198.19.1.1", user)),
                .received = endpoint_ip4(198, 19, (uint8_t)(user >> 8), (uint8_t)user, 5060),
                .expires_ms = now->ms + EXPIRES_MS,
                .cseq = 1,
                .q = 1000,
            };
            int len = snprintf(keys[n], sizeof(keys[n]), "user%09lu@example.com", user);
            uint32_t value_len = registrar_stored_write(conf, now, &binding, 1, values[n]);
            changes[n] = (struct store_change){STORE_BINDINGS, slice_of(keys[n], (size_t)len),
                                               slice_of(values[n], value_len)};
        }
        if (store_apply(store, changes, n, false) != 0)
            die("the store cannot be written");
    }
    store_close(store);
}

static struct location *make_table(const struct options *options)
{
    struct location_limits limits = {.shards = options->workers, .bindings = options->bindings};
    struct hash_key key = {1, 2};
    struct rte_rcu_qsbr *qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(1));
    struct location *location = NULL;

    if (qsbr == NULL || rte_rcu_qsbr_init(qsbr, 1) != 0 ||
        location_create(&location, &limits, &key, qsbr, &memory_system) != 0)
        die("no memory for the location table");
    return location;
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

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct clock now = {1000, (uint64_t)time(NULL)};
    struct control_load loaded;
    struct store_usage usage;
    char text[512], data[512];
    struct stat status;

    snprintf(text, sizeof(text), ini, options.bindings);
    struct conf *conf = conf_parse(text, strlen(text), "bench", stderr);
    snprintf(data, sizeof(data), "%s/data.mdb", options.path);
    if (conf == NULL || stat(data, &status) == 0)
        die("the folder has a store already, which is not this one's to write over");
    write_all(&options, conf, &now);
    struct location *location = make_table(&options);
    struct store *store = open_store(&options);
    int error = control_load(store, location, options.workers, conf, &now, &loaded, stderr);
    store_usage(store, &usage);
    store_close(store);
    remove_store(options.path);
    if (error != 0 || loaded.bindings != options.bindings)
        die("not everything was loaded");
    if (options.json)
        printf("{\"bench\":\"store\",\"case\":\"load\",\"unit\":\"s\",\"value\":%.2f,\"bindings\":%lu,"
               "\"workers\":%u,"
               "\"bytes\":%lu}\n",
               (double)loaded.ms / 1000, options.bindings, options.workers, usage.bytes);
    else
        printf("%lu bindings, %u workers, %lu MB: %.2f s\n", options.bindings, options.workers,
               usage.bytes / 1000000, (double)loaded.ms / 1000);
    location_destroy(location);
    conf_free(conf);
    return 0;
}
