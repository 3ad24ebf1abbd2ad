#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "version.h"

static const char usage[] =
    "Usage: strowger [EAL options] -- --config FILE [--check]\n"
    "       strowger --help | --version\n"
    "\n"
    "A SIP registrar, proxy and redirect server on DPDK.\n"
    "\n"
    "  -c, --config FILE   the configuration; config/strowger.ini explains every key\n"
    "      --check         read and check it, print what is in force and the order of the rules, start "
    "nothing\n"
    "      --keys          explain every key of the configuration, in short\n"
    "      --template      print a commented configuration with every key and its default\n"
    "      --version       print the version\n"
    "  -h, --help          print this\n"
    "\n"
    "EAL options are DPDK's own and come before \"--\". The main lcore becomes the control core, every "
    "other\n"
    "lcore a worker, so at least two are needed. For example, two workers on a NIC and on huge pages:\n"
    "\n"
    "  strowger -l 0-2 -a 0000:01:00.0 -- --config /etc/strowger/strowger.ini\n"
    "\n"
    "and without huge pages on one end of a veth pair:\n"
    "\n"
    "  strowger -l 0,1 --no-huge -m 1024 --no-pci --vdev net_af_packet0,iface=veth0 -- --config FILE\n"
    "\n"
    "SIGHUP reads FILE again and takes it whole, without losing a message, or says why not and goes on as "
    "before.\n"
    "\n"
    "Exit status: 0 done or stopped by SIGTERM or SIGINT, 1 could not start, 2 wrong options or "
    "configuration.\n";

static int find_separator(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return i;
    }
    return 0;
}

enum options_outcome options_read(int argc, char **argv, struct options *options)
{
    enum { CHECK = 256, VERSION, TEMPLATE, KEYS };
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, CHECK},
        {"version", no_argument, NULL, VERSION},
        {"template", no_argument, NULL, TEMPLATE},
        {"keys", no_argument, NULL, KEYS},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int separator = find_separator(argc, argv);
    int c;

    *options = (struct options){.eal_argc = separator > 0 ? separator : 1};
    // getopt takes the element before the first option for the program's name.
    char *name = argv[separator];
    argv[separator] = argv[0];
    optind = 0;
    while ((c = getopt_long(argc - separator, argv + separator, "c:h", known, NULL)) != -1) {
        switch (c) {
        case 'c':
            options->config = optarg;
            break;
        case CHECK:
            options->check = true;
            break;
        case VERSION:
            printf("strowger %s\n", STROWGER_VERSION);
            return OPTIONS_DONE;
        case KEYS:
            conf_print_reference(stdout);
            return OPTIONS_DONE;
        case TEMPLATE:
            conf_print_template(stdout);
            return OPTIONS_DONE;
        case 'h':
            fputs(usage, stdout);
            return OPTIONS_DONE;
        default:
            fprintf(stderr, "%s", separator > 0 ? "" : "strowger: EAL options go before \"--\"\n");
            fputs("strowger: try strowger --help\n", stderr);
            return OPTIONS_WRONG;
        }
    }
    argv[separator] = name;
    if (separator + optind < argc) {
        fprintf(stderr, "strowger: \"%s\" is no option; try strowger --help\n", argv[separator + optind]);
        return OPTIONS_WRONG;
    }
    if (options->config == NULL) {
        fputs("strowger: no configuration: give --config FILE behind \"--\"; try strowger --help\n", stderr);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}
