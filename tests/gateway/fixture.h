// fixture: groups of gateways from a few words, over counted memory.
#ifndef TESTS_GATEWAY_FIXTURE_H
#define TESTS_GATEWAY_FIXTURE_H

#include "base/random.h"
#include "counted.h"
#include "gateway/gateway.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#define FIXTURE_MEMBERS 16
#define FIXTURE_WORKERS 4

struct fixture {
    struct conf conf;
    struct conf_gateways groups[2];
    struct conf_gateway gateways[GATEWAY_SLOTS];
    struct gateway_states *states;
    struct gateway_table *table;
    struct hash_key key;
    uint64_t now_ms;
    struct counted counted;
};

struct fixture_member {
    const char *name; // NULL ends a list
    uint32_t weight, priority, calls_per_second;
    const char *address; // NULL: 192.0.2.1; not an address: a name to be resolved
    bool trusted;
};

// One group by this algorithm: down after 3, up after 2, eased in for 10 s, probed every second.
void fixture_open(struct fixture *f, enum conf_algorithm algorithm, const struct fixture_member *members);
void fixture_close(struct fixture *f); // checks that all memory came back

// Another configuration in the place of the one in force: its table first, then the old one goes.
void fixture_reload(struct fixture *f, struct fixture *next);
void fixture_conf(struct fixture *f, enum conf_algorithm algorithm, const struct fixture_member *members);

// Chooses for `affinity` on `worker`; the index into conf->gateways or CONF_NONE.
int fixture_choose(struct fixture *f, uint16_t worker, uint64_t affinity);
// The same once those of a list that CONF_NONE ends were tried.
int fixture_choose_but(struct fixture *f, uint64_t affinity, const int *tried);

void fixture_heard(struct fixture *f, unsigned gateway, bool good, unsigned times);
void fixture_probed(struct fixture *f, unsigned gateway, bool good, unsigned times);
struct gateway_report fixture_report(struct fixture *f, unsigned gateway);

#endif
