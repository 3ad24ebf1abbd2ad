// Routes of the real kernel, in a private namespace, as workers then see them.
#include "mirror_scene.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static uint64_t resyncs(const struct mirror_scene *scene)
{
    struct control_mirror_counters counters;

    control_mirror_counters(scene->mirror, &counters);
    return counters.resyncs;
}

static void test_what_is_there_at_the_start_is_read(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 2001:db8:1::1/64 dev sip1 nodad");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2");
    fixture_ip_await("-6 route show table local",
                     "local 2001:db8:1::1"); // the kernel takes its time with those
    mirror_scene_load(&scene);
    mirror_scene_expect(&scene, "198.18.0.1", NET_HOP_LOCAL);
    mirror_scene_expect(&scene, "198.18.0.9", NET_HOP_LINK);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.9")->port, 0);
    mirror_scene_expect_ready(&scene, "198.18.0.2", PEER, 0);
    mirror_scene_expect_ready(&scene, "192.0.2.77", PEER, 0);
    mirror_scene_expect(&scene, "2001:db8:1::1", NET_HOP_LOCAL);
    mirror_scene_expect(&scene, "2001:db8:1::9", NET_HOP_LINK);
    assert_int_equal(fixture_hop(scene.hops, "2001:db8:1::9")->port, 1);
    mirror_scene_expect(&scene, "203.0.113.1", NET_HOP_UNREACHABLE);
    mirror_scene_close(&scene);
}

static void test_what_comes_and_goes_later_is_followed(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    mirror_scene_load(&scene);
    mirror_scene_expect(&scene, "198.18.0.9", NET_HOP_UNREACHABLE);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("route add default via 198.18.0.254");
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "198.18.0.9", NET_HOP_LINK);
    mirror_scene_expect(&scene, "203.0.113.1", NET_HOP_RESOLVING);
    fixture_ip("neigh add 198.18.0.254 lladdr " PEER " dev sip0");
    mirror_scene_follow(&scene);
    mirror_scene_expect_ready(&scene, "203.0.113.1", PEER, 0);
    assert_int_equal(scene.ready_n, 1);
    fixture_ip("neigh del 198.18.0.254 dev sip0");
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "203.0.113.1", NET_HOP_RESOLVING);
    fixture_ip("route del default");
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "203.0.113.1", NET_HOP_UNREACHABLE);
    fixture_ip("addr del 198.18.0.1/24 dev sip0");
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "198.18.0.1", NET_HOP_UNREACHABLE);
    mirror_scene_expect(&scene, "198.18.0.9", NET_HOP_UNREACHABLE);
    mirror_scene_close(&scene);
}

static void test_ipv6_gateway_by_its_link_local_address(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    mirror_scene_load(&scene);
    fixture_ip("addr add 2001:db8:1::1/64 dev sip1 nodad");
    fixture_ip("-6 route add default via fe80::1 dev sip1");
    fixture_ip("neigh add fe80::1 lladdr " PEER " dev sip1");
    fixture_ip("neigh add fe80::1 lladdr 02:00:00:00:00:99 dev sip0"); // another one on the other port
    mirror_scene_follow(&scene);
    mirror_scene_expect_ready(&scene, "2001:db8:ffff::1", PEER, 1);
    mirror_scene_close(&scene);
}

static void test_blackhole_unreachable_and_prohibit_lead_nowhere(void **state)
{
    static const char *const kinds[] = {"blackhole", "unreachable", "prohibit"};
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 2001:db8:1::1/64 dev sip0 nodad");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2");
    fixture_ip("-6 route add 2001:db8:2::/48 via 2001:db8:1::2");
    mirror_scene_load(&scene);
    for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
        fixture_ip("route add %s 192.0.2.%u/32", kinds[i], i + 1);
        fixture_ip("-6 route add %s 2001:db8:2:%u::/64", kinds[i], i + 1);
    }
    mirror_scene_follow(&scene);
    for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
        char text[32];
        snprintf(text, sizeof(text), "192.0.2.%u", i + 1);
        mirror_scene_expect(&scene, text, NET_HOP_UNREACHABLE);
        snprintf(text, sizeof(text), "2001:db8:2:%u::1", i + 1);
        mirror_scene_expect(&scene, text, NET_HOP_UNREACHABLE);
    }
    mirror_scene_expect(&scene, "192.0.2.9", NET_HOP_RESOLVING);
    mirror_scene_expect(&scene, "2001:db8:2:9::1", NET_HOP_RESOLVING);
    mirror_scene_close(&scene);
}

static void test_broadcast_and_multicast_lead_nowhere(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 broadcast 198.18.0.255 dev sip0");
    mirror_scene_load(&scene);
    mirror_scene_expect(&scene, "198.18.0.255", NET_HOP_UNREACHABLE);
    mirror_scene_expect(&scene, "ff02::1", NET_HOP_UNREACHABLE);
    assert_int_equal(scene.ready_n, 0); // the kernel lists multicast groups among its neighbours
    mirror_scene_close(&scene);
}

static void test_other_interfaces_and_tables_are_passed_over_but_addresses_are_ours(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("link add other0 type veth peer name other1");
    fixture_ip("link set other0 up");
    fixture_ip("link set other1 up");
    fixture_ip("addr add 203.0.113.1/24 dev other0");
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 203.0.113.2 lladdr " PEER " dev other0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2 table 100");
    mirror_scene_load(&scene);
    mirror_scene_expect(&scene, "203.0.113.2", NET_HOP_UNREACHABLE);
    mirror_scene_expect(&scene, "203.0.113.9", NET_HOP_UNREACHABLE);
    mirror_scene_expect(&scene, "192.0.2.1", NET_HOP_UNREACHABLE);
    mirror_scene_expect(&scene, "203.0.113.1", NET_HOP_LOCAL);
    mirror_scene_expect(&scene, "127.0.0.1", NET_HOP_LOCAL);
    mirror_scene_close(&scene);
}

static void test_first_next_hop_of_a_multipath_route_is_used(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 198.18.1.1/24 dev sip1");
    mirror_scene_load(&scene);
    fixture_ip("route add 192.0.2.0/24 nexthop via 198.18.0.2 nexthop via 198.18.1.2");
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "192.0.2.1", "198.18.0.2");
    fixture_ip("link set sip0 down"); // takes its next hop along, without a word
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "192.0.2.1", "198.18.1.2");
    assert_int_equal(fixture_hop(scene.hops, "192.0.2.1")->port, 1);
    mirror_scene_close(&scene);
}

static void test_ipv6_multipath_route_loses_one_next_hop(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 2001:db8:1::1/64 dev sip0 nodad");
    fixture_ip("addr add 2001:db8:2::1/64 dev sip1 nodad");
    mirror_scene_load(&scene);
    fixture_ip("-6 route add 2001:db8:f::/48 nexthop via 2001:db8:1::2 nexthop via 2001:db8:2::2");
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "2001:db8:f::1", "2001:db8:1::2");
    fixture_ip("-6 route del 2001:db8:f::/48 via 2001:db8:1::2");
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "2001:db8:f::1", "2001:db8:2::2");
    mirror_scene_close(&scene);
}

static void test_nexthop_objects_are_followed(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    mirror_scene_load(&scene);
    fixture_ip("nexthop add id 7 via 198.18.0.2 dev sip0");
    fixture_ip("route add 192.0.2.0/24 nhid 7");
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "192.0.2.1", "198.18.0.2");
    fixture_ip("nexthop replace id 7 via 198.18.0.3 dev sip0");
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "192.0.2.1", "198.18.0.3");
    fixture_ip("nexthop del id 7"); // and the route with it, without a word
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "192.0.2.1", NET_HOP_UNREACHABLE);
    mirror_scene_close(&scene);
}

static void test_ipv4_route_over_an_ipv6_gateway(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    mirror_scene_load(&scene);
    fixture_ip("route add 192.0.2.0/24 via inet6 fe80::1 dev sip0");
    fixture_ip("neigh add fe80::1 lladdr " PEER " dev sip0");
    mirror_scene_follow(&scene);
    mirror_scene_expect_ready(&scene, "192.0.2.1", PEER, 0);
    mirror_scene_close(&scene);
}

static void test_replaced_route_and_lower_metric(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 198.18.1.1/24 dev sip1");
    mirror_scene_load(&scene);
    fixture_ip("route add default via 198.18.0.2 metric 100");
    fixture_ip("route add default via 198.18.1.2 metric 50");
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "192.0.2.1", "198.18.1.2");
    fixture_ip("route replace default via 198.18.1.3 metric 50");
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "192.0.2.1", "198.18.1.3");
    fixture_ip("route del default via 198.18.1.3 metric 50");
    mirror_scene_follow(&scene);
    mirror_scene_expect_gateway(&scene, "192.0.2.1", "198.18.0.2");
    mirror_scene_close(&scene);
}

static void test_routes_of_an_interface_that_goes_down_and_up(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2");
    mirror_scene_load(&scene);
    fixture_ip("link set sip0 down");
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "192.0.2.1", NET_HOP_UNREACHABLE);
    mirror_scene_expect(&scene, "198.18.0.9", NET_HOP_UNREACHABLE);
    fixture_ip("link set sip0 up");
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "198.18.0.9", NET_HOP_LINK);
    mirror_scene_close(&scene);
}

static void test_route_goes_with_the_address_that_it_prefers(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 198.51.100.1/32 dev sip0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2 src 198.51.100.1");
    mirror_scene_load(&scene);
    mirror_scene_expect(&scene, "192.0.2.1", NET_HOP_RESOLVING);
    fixture_ip("addr del 198.51.100.1/32 dev sip0");
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "192.0.2.1", NET_HOP_UNREACHABLE);
    mirror_scene_close(&scene);
}

static void test_new_mtu_and_mac_of_a_twin_reach_its_hops(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0");
    mirror_scene_load(&scene);
    fixture_ip("link set sip0 mtu 1300");
    mirror_scene_follow(&scene);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.9")->mtu, 1300);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->mtu, 1300);
    mirror_scene_expect(&scene, "198.18.0.2", NET_HOP_READY);
    fixture_ip("link set sip0 address 02:00:00:00:77:00");
    mirror_scene_follow(&scene);
    // The kernel forgets all neighbours over it.
    mirror_scene_expect(&scene, "198.18.0.2", NET_HOP_LINK);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->source.addr_bytes[4], 0x77);
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0");
    mirror_scene_follow(&scene);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->source.addr_bytes[4], 0x77);
    mirror_scene_close(&scene);
}

// More events than the socket holds are lost; reading everything again finds out what they were.
static void test_overflow_of_the_socket_ends_in_a_resync(void **state)
{
    struct mirror_scene scene;
    struct control_mirror_counters counters;
    int small = 1;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2");
    mirror_scene_load(&scene);
    assert_int_equal(
        setsockopt(control_mirror_fd(scene.mirror), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    uint64_t before = resyncs(&scene);
    for (unsigned i = 0; i < 40; i++)
        fixture_ip("route add 198.51.100.%u/32 via 198.18.0.3", i);
    fixture_ip("route del 192.0.2.0/24");
    fixture_ip("neigh del 198.18.0.2 dev sip0");
    mirror_scene_follow(&scene);
    control_mirror_counters(scene.mirror, &counters);
    assert_true(counters.overflows >= 1);
    assert_true(counters.resyncs > before);
    mirror_scene_expect(&scene, "192.0.2.1", NET_HOP_UNREACHABLE);
    mirror_scene_expect(&scene, "198.18.0.2", NET_HOP_LINK);
    mirror_scene_expect_gateway(&scene, "198.51.100.39", "198.18.0.3");
    mirror_scene_close(&scene);
}

static void test_more_routes_than_fit_are_counted(void **state)
{
    struct mirror_scene scene;
    struct control_mirror_counters counters;

    (void)state;
    mirror_scene_open(&scene);
    mirror_scene_reopen(&scene, 16);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    for (unsigned i = 0; i < 20; i++)
        fixture_ip("route add 198.51.100.%u/32 via 198.18.0.3", i);
    mirror_scene_load(&scene);
    control_mirror_counters(scene.mirror, &counters);
    assert_true(counters.refused_routes >= 4);
    mirror_scene_close(&scene);
}

static unsigned takes_left;

static void *failing_take(void *owner, size_t bytes, int node)
{
    (void)owner;
    return takes_left-- == 0 ? NULL : memory_system.take(memory_system.owner, bytes, node);
}

static void test_every_allocation_may_fail(void **state)
{
    struct mirror_scene scene;
    struct control_mirror *mirror = NULL;
    struct memory failing = {failing_take, memory_system.give, NULL};

    (void)state;
    mirror_scene_open(&scene);
    struct control_mirror_setup setup = {.hops = scene.hops, .candidates_max = 16, .memory = &failing};
    for (unsigned failure = 0; mirror == NULL; failure++) {
        assert_in_range(failure, 0, 5);
        takes_left = failure;
        int error = control_mirror_create(&mirror, &setup);
        assert_true(error == 0 || error == -ENOMEM);
    }
    control_mirror_destroy(mirror);
    mirror_scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_there_at_the_start_is_read),
        cmocka_unit_test(test_what_comes_and_goes_later_is_followed),
        cmocka_unit_test(test_ipv6_gateway_by_its_link_local_address),
        cmocka_unit_test(test_blackhole_unreachable_and_prohibit_lead_nowhere),
        cmocka_unit_test(test_broadcast_and_multicast_lead_nowhere),
        cmocka_unit_test(test_other_interfaces_and_tables_are_passed_over_but_addresses_are_ours),
        cmocka_unit_test(test_first_next_hop_of_a_multipath_route_is_used),
        cmocka_unit_test(test_ipv6_multipath_route_loses_one_next_hop),
        cmocka_unit_test(test_nexthop_objects_are_followed),
        cmocka_unit_test(test_ipv4_route_over_an_ipv6_gateway),
        cmocka_unit_test(test_replaced_route_and_lower_metric),
        cmocka_unit_test(test_routes_of_an_interface_that_goes_down_and_up),
        cmocka_unit_test(test_route_goes_with_the_address_that_it_prefers),
        cmocka_unit_test(test_new_mtu_and_mac_of_a_twin_reach_its_hops),
        cmocka_unit_test(test_overflow_of_the_socket_ends_in_a_resync),
        cmocka_unit_test(test_more_routes_than_fit_are_counted),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
