// What a reload keeps, who is trusted, and what runs out.
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

static const struct fixture_member first[] = {{"a", 1}, {"b", 1}, {"c", 1}, {0}};
static const struct fixture_member second[] = {{"c", 1}, {"d", 1}, {"a", 1}, {0}}; // b went, d came

static void test_create_gives_all_back_when_memory_fails(void **state)
{
    (void)state;
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, first);
    f.counted.fail = f.counted.taken + 1;
    size_t bytes = f.counted.bytes;
    assert_null(gateway_table_create(f.states, &f.conf, &f.key, f.now_ms));
    assert_int_equal(f.counted.bytes, bytes);
    fixture_close(&f);
    gateway_table_destroy(NULL);
    gateway_states_destroy(NULL);
}

static void test_state_follows_the_name_over_a_reload(void **state)
{
    (void)state;
    struct fixture f, next;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, first);
    uint16_t a = gateway_slot_of(f.table, 0), b = gateway_slot_of(f.table, 1),
             c = gateway_slot_of(f.table, 2);
    fixture_heard(&f, 2, false, 3);
    gateway_call(f.states, a, 0, 2);
    fixture_conf(&next, CONF_ALGORITHM_WEIGHTED, second);
    fixture_reload(&f, &next);
    assert_int_equal(gateway_slot_of(f.table, 0), c);
    assert_int_equal(gateway_slot_of(f.table, 2), a);
    assert_int_equal(gateway_of_slot(f.table, c), 0);
    assert_int_equal(gateway_of_slot(f.table, b), CONF_NONE);
    assert_int_equal(gateway_of_slot(f.table, GATEWAY_NONE), CONF_NONE);
    uint16_t d = gateway_slot_of(f.table, 1);
    assert_true(d != a && d != b && d != c);
    assert_int_equal(fixture_report(&f, 0).health, GATEWAY_DOWN);
    assert_int_equal(fixture_report(&f, 0).bad, 3);
    assert_int_equal(fixture_report(&f, 2).calls, 2);
    assert_string_equal(fixture_report(&f, 1).name, "d");
    assert_string_equal(fixture_report(&f, 1).group, "group");
    // Late news of one that has gone hurts nobody.
    gateway_heard(f.table, b, 0, false, f.now_ms);
    gateway_call(f.states, b, 0, -1);
    gateway_probed(f.table, b, false, f.now_ms);
    fixture_close(&f);
}

// All names "PREFIXn"; the texts are the caller's.
static void name_all(struct fixture_member *members, char (*names)[16], const char *prefix, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        snprintf(names[i], sizeof(names[i]), "%s%u", prefix, i);
        members[i] = (struct fixture_member){names[i], 1};
    }
    members[n] = (struct fixture_member){0};
}

static void test_a_slot_rests_before_another_name_gets_it(void **state)
{
    (void)state;
    static char names[3][CONF_GATEWAYS_MAX][16];
    static struct fixture_member members[CONF_GATEWAYS_MAX + 1];
    static struct fixture f, next[2];

    name_all(members, names[0], "old", CONF_GATEWAYS_MAX);
    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, members);
    // All renamed: there are slots for that.
    name_all(members, names[1], "new", CONF_GATEWAYS_MAX);
    fixture_conf(&next[0], CONF_ALGORITHM_WEIGHTED, members);
    fixture_reload(&f, &next[0]);
    // And again, too early.
    name_all(members, names[2], "newest", CONF_GATEWAYS_MAX);
    fixture_conf(&next[1], CONF_ALGORITHM_WEIGHTED, members);
    f.now_ms += GATEWAY_REST_MS - 1;
    assert_null(gateway_table_create(f.states, &next[1].conf, &f.key, f.now_ms));
    // One of the first still has a call in progress.
    f.now_ms++;
    gateway_call(f.states, 7, 2, 1);
    assert_null(gateway_table_create(f.states, &next[1].conf, &f.key, f.now_ms));
    gateway_call(f.states, 7, 2, -1);
    f.now_ms += GATEWAY_REST_MS;
    fixture_reload(&f, &next[1]);
    struct gateway_report report = fixture_report(&f, 7);
    assert_int_equal(report.health, GATEWAY_UP);
    assert_int_equal(report.bad + report.sent + report.calls, 0);
    fixture_close(&f);
}

static bool trusts(struct fixture *f, const char *address)
{
    struct endpoint source;

    assert_true(endpoint_parse(slice_text(address), &source));
    return gateway_trusts(f->table, &source);
}

static const struct fixture_member trusted[] = {
    {"a", 1, 0, 0, "192.0.2.1:5080", true},         {"b", 1, 0, 0, "192.0.2.2", false},
    {"c", 1, 0, 0, "[2001:db8::1]", true},          {"d", 1, 0, 0, "gw.example.com", true},
    {"e", 1, 0, 0, "untrusted.example.com", false}, {0},
};

static void resolve(struct fixture *f, unsigned gateway, const char *a, const char *b)
{
    struct endpoint endpoints[2];

    assert_true(endpoint_parse(slice_text(a), &endpoints[0]));
    assert_true(endpoint_parse(slice_text(b == NULL ? a : b), &endpoints[1]));
    gateway_resolved(f->table, gateway, endpoints, b == NULL ? 1 : 2);
}

static void test_source_is_trusted_by_address_whatever_its_port(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        bool trusted;
    } cases[] = {
        {"192.0.2.1:5080", true},     {"192.0.2.1:1", true},
        {"192.0.2.2:5060", false},    {"192.0.2.3:5060", false},
        {"[2001:db8::1]:5060", true}, {"[2001:db8::2]:5060", false},
        {"[c000:201::]:5060", false}, // the bytes of 192.0.2.1
        {"0.0.0.0", false},           {"[::]", false},
    };
    struct fixture f;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, trusted);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (trusts(&f, cases[i].source) != cases[i].trusted)
            fail_msg("%s", cases[i].source);
    }
    fixture_close(&f);
}

static void test_names_are_trusted_by_the_addresses_last_resolved(void **state)
{
    (void)state;
    struct fixture f, next;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, trusted);
    resolve(&f, 3, "198.51.100.1:5060", "[2001:db8::7]:5060");
    resolve(&f, 4, "198.51.100.9:5060", NULL);
    assert_true(trusts(&f, "198.51.100.1:9"));
    assert_true(trusts(&f, "[2001:db8::7]:9"));
    assert_false(trusts(&f, "198.51.100.9:5060"));
    assert_true(trusts(&f, "192.0.2.1"));
    gateway_resolved(f.table, 3, NULL, 0); // the DNS is away: what was known holds
    assert_true(trusts(&f, "198.51.100.1"));
    resolve(&f, 3, "198.51.100.2", NULL);
    assert_true(trusts(&f, "198.51.100.2"));
    assert_false(trusts(&f, "198.51.100.1"));
    assert_false(trusts(&f, "[2001:db8::7]"));
    // A reload knows them at once; under another host they are nobody's.
    fixture_conf(&next, CONF_ALGORITHM_WEIGHTED, trusted);
    fixture_reload(&f, &next);
    assert_true(trusts(&f, "198.51.100.2"));
    struct fixture_member moved[6];
    memcpy(moved, trusted, sizeof(trusted));
    moved[3].address = "elsewhere.example.com";
    struct fixture other;
    fixture_conf(&other, CONF_ALGORITHM_WEIGHTED, moved);
    fixture_reload(&f, &other);
    assert_false(trusts(&f, "198.51.100.2"));
    assert_true(trusts(&f, "192.0.2.1"));
    fixture_close(&f);
}

static void test_a_table_hears_of_what_changed_while_it_was_made(void **state)
{
    (void)state;
    struct fixture f, next;

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, trusted);
    resolve(&f, 3, "198.51.100.1", "198.51.100.2");
    fixture_conf(&next, CONF_ALGORITHM_WEIGHTED, trusted);
    struct gateway_table *table = gateway_table_create(f.states, &next.conf, &f.key, f.now_ms);
    resolve(&f, 3, "198.51.100.2", NULL); // the old one is still in force
    gateway_table_destroy(f.table);
    f.table = table;
    resolve(&f, 3, "198.51.100.2", NULL);
    assert_true(trusts(&f, "198.51.100.2"));
    assert_false(trusts(&f, "198.51.100.1"));
    fixture_close(&f);
}

static void test_addresses_of_a_name_are_bounded(void **state)
{
    (void)state;
    struct fixture f;
    struct endpoint endpoints[GATEWAY_ADDRESSES_MAX + 4];

    fixture_open(&f, CONF_ALGORITHM_WEIGHTED, trusted);
    for (unsigned i = 0; i < GATEWAY_ADDRESSES_MAX + 4; i++)
        endpoints[i] = endpoint_ip4(203, 0, 113, (uint8_t)i, 5060);
    gateway_resolved(f.table, 3, endpoints, GATEWAY_ADDRESSES_MAX + 4);
    for (unsigned i = 0; i < GATEWAY_ADDRESSES_MAX + 4; i++)
        assert_int_equal(gateway_trusts(f.table, &endpoints[i]), i < GATEWAY_ADDRESSES_MAX);
    fixture_close(&f);
}

static void test_table_stands_on_system_memory(void **state)
{
    (void)state;
    static struct fixture f;
    struct gateway_states *states;

    fixture_conf(&f, CONF_ALGORITHM_WEIGHTED, trusted);
    assert_int_equal(gateway_states_create(&states, 2, &memory_system), 0);
    struct gateway_table *table = gateway_table_create(states, &f.conf, &f.key, 5);
    assert_non_null(table);
    assert_int_equal(gateway_algorithm(table, 0), CONF_ALGORITHM_WEIGHTED);
    gateway_table_destroy(table);
    gateway_states_destroy(states);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_gives_all_back_when_memory_fails),
        cmocka_unit_test(test_state_follows_the_name_over_a_reload),
        cmocka_unit_test(test_a_slot_rests_before_another_name_gets_it),
        cmocka_unit_test(test_source_is_trusted_by_address_whatever_its_port),
        cmocka_unit_test(test_names_are_trusted_by_the_addresses_last_resolved),
        cmocka_unit_test(test_a_table_hears_of_what_changed_while_it_was_made),
        cmocka_unit_test(test_addresses_of_a_name_are_bounded),
        cmocka_unit_test(test_table_stands_on_system_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
