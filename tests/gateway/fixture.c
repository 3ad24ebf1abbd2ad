#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static struct conf_text text_of(const char *text)
{
    return (struct conf_text){(char *)(uintptr_t)text, (uint32_t)strlen(text)};
}

void fixture_conf(struct fixture *f, enum conf_algorithm algorithm, const struct fixture_member *members)
{
    *f = (struct fixture){.key = {1, 2}, .now_ms = 1000000};
    f->groups[0] = (struct conf_gateways){.name = (char *)(uintptr_t) "group",
                                          .algorithm = algorithm,
                                          .probe_ms = 1000,
                                          .probe_down = 3,
                                          .probe_up = 2,
                                          .ease_in_ms = 10000,
                                          .tries_max = 16};
    f->conf = (struct conf){.groups = f->groups, .groups_n = 1, .gateways = f->gateways};
    for (; members[f->conf.gateways_n].name != NULL; f->conf.gateways_n++) {
        const struct fixture_member *member = &members[f->conf.gateways_n];
        struct conf_gateway *gateway = &f->gateways[f->conf.gateways_n];
        const char *address = member->address == NULL ? "192.0.2.1" : member->address;
        *gateway = (struct conf_gateway){.name = (char *)(uintptr_t)member->name,
                                         .weight = member->weight,
                                         .priority = member->priority,
                                         .calls_per_second = member->calls_per_second,
                                         .trusted = member->trusted,
                                         .address.host = text_of(address)};
        (void)endpoint_parse(slice_text(address), &gateway->address.address);
    }
}

void fixture_open(struct fixture *f, enum conf_algorithm algorithm, const struct fixture_member *members)
{
    fixture_conf(f, algorithm, members);
    struct memory memory = counted_lines(&f->counted);
    assert_int_equal(gateway_states_create(&f->states, FIXTURE_WORKERS, &memory), 0);
    f->table = gateway_table_create(f->states, &f->conf, &f->key, f->now_ms);
    assert_non_null(f->table);
}

void fixture_close(struct fixture *f)
{
    gateway_table_destroy(f->table);
    gateway_states_destroy(f->states);
    assert_int_equal(f->counted.bytes, 0);
}

void fixture_reload(struct fixture *f, struct fixture *next)
{
    struct gateway_table *table = gateway_table_create(f->states, &next->conf, &f->key, f->now_ms);

    assert_non_null(table);
    gateway_table_destroy(f->table);
    f->table = table;
}

static int choose(struct fixture *f, struct gateway_choice *choice)
{
    uint16_t slot = gateway_choose(f->table, 0, choice);

    return slot == GATEWAY_NONE ? CONF_NONE : gateway_of_slot(f->table, slot);
}

int fixture_choose(struct fixture *f, uint16_t worker, uint64_t affinity)
{
    struct gateway_choice choice = {.affinity = affinity, .now_ms = f->now_ms, .worker = worker};

    return choose(f, &choice);
}

int fixture_choose_but(struct fixture *f, uint64_t affinity, const int *tried)
{
    struct gateway_choice choice = {.affinity = affinity, .now_ms = f->now_ms};

    for (; tried[choice.tried_n] != CONF_NONE; choice.tried_n++)
        choice.tried[choice.tried_n] = gateway_slot_of(f->table, (unsigned)tried[choice.tried_n]);
    return choose(f, &choice);
}

void fixture_heard(struct fixture *f, unsigned gateway, bool good, unsigned times)
{
    while (times-- > 0)
        gateway_heard(f->table, gateway_slot_of(f->table, gateway), (uint16_t)(times % FIXTURE_WORKERS), good,
                      f->now_ms);
}

void fixture_probed(struct fixture *f, unsigned gateway, bool good, unsigned times)
{
    while (times-- > 0)
        gateway_probed(f->table, gateway_slot_of(f->table, gateway), good, f->now_ms);
}

struct gateway_report fixture_report(struct fixture *f, unsigned gateway)
{
    struct gateway_report report;

    gateway_report(f->table, gateway, f->now_ms, &report);
    return report;
}
