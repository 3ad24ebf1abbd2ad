// options: strowger's own command line, behind EAL's.
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>

struct options {
    const char *config; // path of the INI file
    bool check;         // print the effective configuration and end
    int eal_argc;       // the arguments for rte_eal_init: argv[0] … up to "--"
};

enum options_outcome {
    OPTIONS_RUN,   // go on
    OPTIONS_DONE,  // said what was asked for (--help, --version): exit 0
    OPTIONS_WRONG, // said what is wrong: exit 2
};

// Reads argv. Everything before the first "--" is EAL's and not looked at; without "--" everything is strowger's.
// `argv` is reordered as getopt does and outlives `options`.
enum options_outcome options_read(int argc, char **argv, struct options *options);

#endif
