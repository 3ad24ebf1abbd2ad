// strowger: reads the options, the configuration, and hands over to the stages.
#include <rte_eal.h>
#include <rte_errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "start.h"
#include "stream/stream.h"

static int eal_start(const struct options *options, char **argv)
{
    if (rte_eal_init(options->eal_argc, argv) >= 0)
        return 0;
    fprintf(stderr,
            "strowger: DPDK's EAL did not start: %s\n"
            "strowger: its reason stands above. Without huge pages add --no-huge -m 1024; without the right "
            "to use\n"
            "strowger: devices run as root; see strowger --help\n",
            rte_strerror(rte_errno));
    return -1;
}

// What the configuration names is as whole as itself; start-up loads it again where it is needed.
static struct conf *load(const char *path)
{
    struct conf *conf = conf_load(path, stderr);

    if (conf == NULL || !conf_has_streams(conf))
        return conf;
    struct stream_tls *tls = stream_tls_create(conf, stderr);
    if (tls == NULL) {
        conf_free(conf);
        return NULL;
    }
    stream_tls_destroy(tls);
    return conf;
}

int main(int argc, char **argv)
{
    struct options options;

    switch (options_read(argc, argv, &options)) {
    case OPTIONS_DONE:
        return 0;
    case OPTIONS_WRONG:
        return 2;
    case OPTIONS_RUN:
        break;
    }
    // The configuration is whole before anything starts.
    struct conf *conf = load(options.config);
    if (conf == NULL)
        return 2;
    if (options.check) {
        conf_print(conf, stdout);
        putchar('\n');
        conf_print_routes(conf, stdout);
        conf_free(conf);
        return 0;
    }
    if (eal_start(&options, argv) != 0) {
        conf_free(conf);
        return 1;
    }
    int status = strowger_run(conf, options.config);
    rte_eal_cleanup();
    return status;
}
