// The candidates for each prefix, against a real next-hop table and no kernel.
#include "fixture.h"

#include <errno.h>
#include <rte_malloc.h>

#include "control/routes.h"

struct table {
    struct rte_rcu_qsbr *qsbr;
    struct net_hops *hops;
    struct control_routes *routes;
};

static void open_table(struct table *table, uint32_t max)
{
    table->qsbr = fixture_qsbr();
    table->hops = fixture_hops(table->qsbr, 64, 64);
    assert_int_equal(control_routes_create(&table->routes, max, table->hops, &memory_system), 0);
}

static void close_table(struct table *table)
{
    control_routes_destroy(table->routes);
    net_hops_destroy(table->hops);
    rte_free(table->qsbr);
}

static struct control_route link_route(const char *prefix, uint8_t depth, uint32_t metric, int ifindex)
{
    return (struct control_route){.net = {.prefix = fixture_address(prefix),
                                          .depth = depth,
                                          .kind = NET_HOP_LINK,
                                          .port = (uint16_t)ifindex,
                                          .mtu = 1500},
                                  .metric = metric,
                                  .ifindex = ifindex};
}

static struct control_route gateway_route(const char *prefix, uint8_t depth, const char *gateway,
                                          uint32_t metric)
{
    struct control_route route = link_route(prefix, depth, metric, 1);

    route.net.kind = NET_HOP_READY;
    route.net.gateway = fixture_address(gateway);
    return route;
}

static uint16_t port_to(const struct table *table, const char *destination)
{
    return fixture_hop(table->hops, destination)->port;
}

static void put(const struct table *table, struct control_route route)
{
    assert_int_equal(control_routes_put(table->routes, &route), 0);
}

static void take(const struct table *table, struct control_route route)
{
    control_routes_remove(table->routes, &route);
}

static uint32_t candidates(const struct table *table)
{
    struct control_routes_counters counters;

    control_routes_counters(table->routes, &counters);
    return counters.candidates;
}

static void test_lowest_metric_wins_and_the_next_follows_it(void **state)
{
    struct table table;

    (void)state;
    open_table(&table, 16);
    put(&table, link_route("198.18.0.0", 16, 200, 2));
    put(&table, link_route("198.18.0.0", 16, 100, 1));
    put(&table, link_route("198.18.0.0", 16, 300, 3));
    assert_int_equal(port_to(&table, "198.18.9.9"), 1);
    take(&table, link_route("198.18.0.0", 16, 100, 1));
    assert_int_equal(port_to(&table, "198.18.9.9"), 2);
    take(&table, link_route("198.18.0.0", 16, 300, 3));
    assert_int_equal(port_to(&table, "198.18.9.9"), 2);
    take(&table, link_route("198.18.0.0", 16, 200, 2));
    assert_int_equal(fixture_hop(table.hops, "198.18.9.9")->state, NET_HOP_UNREACHABLE);
    assert_int_equal(candidates(&table), 0);
    close_table(&table);
}

static void test_local_table_wins_over_any_metric(void **state)
{
    struct table table;
    struct control_route local = link_route("198.18.0.1", 32, 500, 1);

    (void)state;
    open_table(&table, 16);
    local.local = true;
    local.net.kind = NET_HOP_LOCAL;
    put(&table, link_route("198.18.0.1", 32, 0, 2));
    put(&table, local);
    assert_int_equal(fixture_hop(table.hops, "198.18.0.1")->state, NET_HOP_LOCAL);
    take(&table, local);
    assert_int_equal(port_to(&table, "198.18.0.1"), 2);
    close_table(&table);
}

// Every interface has its own fe80::/64, all of one metric.
static void test_first_announced_wins_among_equals(void **state)
{
    struct table table;

    (void)state;
    open_table(&table, 16);
    for (int ifindex = 1; ifindex <= 3; ifindex++)
        put(&table, link_route("fe80::", 64, 256, ifindex));
    put(&table, link_route("fe80::", 64, 256, 2)); // announced again: nothing changes
    assert_int_equal(candidates(&table), 3);
    assert_int_equal(port_to(&table, "fe80::5"), 1);
    take(&table, link_route("fe80::", 64, 256, 1));
    assert_int_equal(port_to(&table, "fe80::5"), 2);
    close_table(&table);
}

static void test_renewed_route_changes_what_workers_see(void **state)
{
    struct table table;
    struct control_route route = link_route("198.18.0.0", 24, 0, 1);

    (void)state;
    open_table(&table, 16);
    put(&table, route);
    route.net.mtu = 9000;
    put(&table, route);
    assert_int_equal(fixture_hop(table.hops, "198.18.0.9")->mtu, 9000);
    assert_int_equal(candidates(&table), 1);
    close_table(&table);
}

static void test_replaced_route_leaves_no_gap_and_nothing_behind(void **state)
{
    struct table table;
    struct control_route old = gateway_route("0.0.0.0", 0, "198.18.0.2", 10);
    struct control_route new = gateway_route("0.0.0.0", 0, "198.18.0.3", 10);
    struct endpoint gateway = fixture_address("198.18.0.3");

    (void)state;
    open_table(&table, 16);
    put(&table, old);
    put(&table, gateway_route("0.0.0.0", 0, "198.18.0.4", 20));
    control_routes_age(table.routes, &old);
    assert_int_equal(fixture_hop(table.hops, "192.0.2.1")->state, NET_HOP_RESOLVING);
    put(&table, new);
    assert_int_not_equal(fixture_hop(table.hops, "192.0.2.1")->state, NET_HOP_UNREACHABLE);
    control_routes_prune(table.routes, &new);
    assert_true(endpoint_same_address(&fixture_hop(table.hops, "192.0.2.1")->address, &gateway));
    assert_int_equal(candidates(&table), 2);
    close_table(&table);
}

static void test_sweep_takes_what_was_not_put_since_the_mark(void **state)
{
    struct table table;

    (void)state;
    open_table(&table, 16);
    put(&table, link_route("198.18.1.0", 24, 0, 1));
    put(&table, link_route("198.18.2.0", 24, 0, 2));
    put(&table, link_route("198.18.2.0", 24, 5, 3));
    control_routes_mark(table.routes);
    put(&table, link_route("198.18.2.0", 24, 5, 3));
    assert_int_equal(port_to(&table, "198.18.2.1"), 2); // untouched until the sweep
    control_routes_sweep(table.routes);
    assert_int_equal(fixture_hop(table.hops, "198.18.1.1")->state, NET_HOP_UNREACHABLE);
    assert_int_equal(port_to(&table, "198.18.2.1"), 3);
    assert_int_equal(candidates(&table), 1);
    close_table(&table);
}

static void test_full_table_refuses_counts_and_recovers(void **state)
{
    struct table table;
    struct control_routes_counters counters;
    struct control_route one_more = link_route("198.18.9.0", 24, 0, 1);

    (void)state;
    open_table(&table, 3);
    put(&table, link_route("198.18.1.0", 24, 0, 1));
    put(&table, link_route("198.18.2.0", 24, 0, 1));
    put(&table, link_route("198.18.3.0", 24, 0, 1));
    assert_int_equal(control_routes_put(table.routes, &one_more), -ENOSPC);
    control_routes_counters(table.routes, &counters);
    assert_int_equal(counters.refused, 1);
    take(&table, link_route("198.18.2.0", 24, 0, 1));
    put(&table, one_more);
    assert_int_equal(port_to(&table, "198.18.9.1"), 1);
    close_table(&table);
}

static void test_route_that_workers_have_no_room_for_gets_its_turn_later(void **state)
{
    struct table table;
    char prefix[32];

    (void)state;
    open_table(&table, 256);
    unsigned put_n = 0;
    for (unsigned i = 0; i < 100; i++) { // net_hops takes 64
        snprintf(prefix, sizeof(prefix), "10.0.%u.0", i);
        struct control_route route = link_route(prefix, 24, 0, 1);
        put_n += control_routes_put(table.routes, &route) == 0;
    }
    assert_in_range(put_n, 1, 99);
    assert_int_equal(fixture_hop(table.hops, "10.0.99.1")->state, NET_HOP_UNREACHABLE);
    for (unsigned i = 0; i < 50; i++) {
        snprintf(prefix, sizeof(prefix), "10.0.%u.0", i);
        take(&table, link_route(prefix, 24, 0, 1));
    }
    put(&table, link_route("10.0.99.0", 24, 0, 1)); // a resync announces it again
    assert_int_equal(fixture_hop(table.hops, "10.0.99.1")->state, NET_HOP_LINK);
    close_table(&table);
}

static unsigned takes_left;

static void *failing_take(void *owner, size_t bytes, int node)
{
    (void)owner;
    if (takes_left-- == 0)
        return NULL;
    return memory_system.take(memory_system.owner, bytes, node);
}

static void test_every_allocation_may_fail(void **state)
{
    struct table table;
    struct memory failing = {failing_take, memory_system.give, NULL};

    (void)state;
    open_table(&table, 4);
    control_routes_destroy(table.routes);
    for (unsigned failure = 0;; failure++) {
        takes_left = failure;
        int error = control_routes_create(&table.routes, 4, table.hops, &failing);
        if (error == 0) {
            assert_int_equal(failure, 3);
            break;
        }
        assert_int_equal(error, -ENOMEM);
    }
    assert_int_equal(control_routes_create(&table.routes, 0, table.hops, &failing), -EINVAL);
    close_table(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lowest_metric_wins_and_the_next_follows_it),
        cmocka_unit_test(test_local_table_wins_over_any_metric),
        cmocka_unit_test(test_first_announced_wins_among_equals),
        cmocka_unit_test(test_renewed_route_changes_what_workers_see),
        cmocka_unit_test(test_replaced_route_leaves_no_gap_and_nothing_behind),
        cmocka_unit_test(test_sweep_takes_what_was_not_put_since_the_mark),
        cmocka_unit_test(test_full_table_refuses_counts_and_recovers),
        cmocka_unit_test(test_route_that_workers_have_no_room_for_gets_its_turn_later),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
