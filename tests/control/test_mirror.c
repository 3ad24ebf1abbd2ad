// Routes and neighbours of the real kernel, in a private namespace, as workers then see them.
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/mirror.h"
#include "control/twin.h"

#define PEER "02:00:00:00:00:02"

struct scene {
    struct rte_mempool *pool;
    struct control_twin twins[2];
    struct rte_rcu_qsbr *qsbr;
    struct net_hops *hops;
    struct control_mirror *mirror;
    struct control_neighbour last; // of the news
    unsigned ready_n, failed_n;
};

static void note(void *owner, const struct control_neighbour *neighbour, bool ready)
{
    struct scene *scene = owner;

    scene->last = *neighbour;
    scene->ready_n += ready;
    scene->failed_n += !ready;
}

static void open_mirror(struct scene *scene, uint32_t candidates)
{
    struct control_mirror_setup setup = {.hops = scene->hops,
                                         .candidates_max = candidates,
                                         .memory = &memory_system,
                                         .news = note,
                                         .owner = scene};

    assert_int_equal(control_mirror_create(&scene->mirror, &setup), 0);
    for (unsigned i = 0; i < RTE_DIM(scene->twins); i++)
        assert_int_equal(control_mirror_twin(scene->mirror, scene->twins[i].ifindex, (uint16_t)i), 0);
}

// Two ports, sip0 and sip1, without addresses; the mirror is open and has read nothing yet.
static void open_scene(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    fixture_namespace();
    scene->pool = fixture_pool(2048);
    for (unsigned i = 0; i < RTE_DIM(scene->twins); i++) {
        char name[] = {'s', 'i', 'p', (char)('0' + i), 0};
        struct rte_ether_addr mac = {{0x02, 0, 0, 0, 1, (uint8_t)i}};
        struct conf_port conf = {.name = name, .twin = name, .mtu = 1500};
        assert_int_equal(control_twin_open(&scene->twins[i], &conf, (uint16_t)i, &mac, scene->pool), 0);
    }
    scene->qsbr = fixture_qsbr();
    scene->hops = fixture_hops(scene->qsbr, 1024, 64);
    open_mirror(scene, 4096);
}

static void close_scene(struct scene *scene)
{
    control_mirror_destroy(scene->mirror);
    for (unsigned i = 0; i < RTE_DIM(scene->twins); i++)
        control_twin_close(&scene->twins[i]);
    net_hops_destroy(scene->hops);
    rte_free(scene->qsbr);
    fixture_pool_free(scene->pool);
}

static void load(struct scene *scene)
{
    assert_int_equal(control_mirror_load(scene->mirror, 2000), 0);
}

// Takes in what the kernel said. Events are in the socket's queue when the command that caused them is over; a resync
// that they ask for is several answers.
static void follow(struct scene *scene)
{
    struct pollfd readable = {.fd = control_mirror_fd(scene->mirror), .events = POLLIN};

    do {
        control_mirror_read(scene->mirror);
        control_mirror_tick(scene->mirror);
    } while (poll(&readable, 1, 20) > 0);
}

static uint8_t state_of(const struct scene *scene, const char *destination)
{
    return fixture_hop(scene->hops, destination)->state;
}

static void assert_ready(const struct scene *scene, const char *destination, const char *mac, uint16_t port)
{
    const struct net_hop *hop = fixture_hop(scene->hops, destination);
    struct rte_ether_addr wanted = fixture_mac(mac);

    assert_int_equal(hop->state, NET_HOP_READY);
    assert_true(rte_is_same_ether_addr(&hop->mac, &wanted));
    assert_int_equal(hop->port, port);
    assert_int_equal(hop->source.addr_bytes[5], port); // the twin's own
    assert_int_equal(hop->mtu, 1500);
    assert_int_equal(hop->vlan, 0);
}

static void assert_gateway(const struct scene *scene, const char *destination, const char *gateway)
{
    struct endpoint address = fixture_address(gateway);

    assert_true(endpoint_same_address(&fixture_hop(scene->hops, destination)->address, &address));
}

static uint64_t resyncs(const struct scene *scene)
{
    struct control_mirror_counters counters;

    control_mirror_counters(scene->mirror, &counters);
    return counters.resyncs;
}

static void test_what_is_there_at_the_start_is_read(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 2001:db8:1::1/64 dev sip1 nodad");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2");
    load(&scene);
    assert_int_equal(state_of(&scene, "198.18.0.1"), NET_HOP_LOCAL);
    assert_int_equal(state_of(&scene, "198.18.0.9"), NET_HOP_LINK);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.9")->port, 0);
    assert_ready(&scene, "198.18.0.2", PEER, 0);
    assert_ready(&scene, "192.0.2.77", PEER, 0);
    assert_int_equal(state_of(&scene, "2001:db8:1::1"), NET_HOP_LOCAL);
    assert_int_equal(state_of(&scene, "2001:db8:1::9"), NET_HOP_LINK);
    assert_int_equal(fixture_hop(scene.hops, "2001:db8:1::9")->port, 1);
    assert_int_equal(state_of(&scene, "203.0.113.1"), NET_HOP_UNREACHABLE);
    close_scene(&scene);
}

static void test_what_comes_and_goes_later_is_followed(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    load(&scene);
    assert_int_equal(state_of(&scene, "198.18.0.9"), NET_HOP_UNREACHABLE);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("route add default via 198.18.0.254");
    follow(&scene);
    assert_int_equal(state_of(&scene, "198.18.0.9"), NET_HOP_LINK);
    assert_int_equal(state_of(&scene, "203.0.113.1"), NET_HOP_RESOLVING);
    fixture_ip("neigh add 198.18.0.254 lladdr " PEER " dev sip0");
    follow(&scene);
    assert_ready(&scene, "203.0.113.1", PEER, 0);
    assert_int_equal(scene.ready_n, 1);
    fixture_ip("neigh del 198.18.0.254 dev sip0");
    follow(&scene);
    assert_int_equal(state_of(&scene, "203.0.113.1"), NET_HOP_RESOLVING);
    fixture_ip("route del default");
    follow(&scene);
    assert_int_equal(state_of(&scene, "203.0.113.1"), NET_HOP_UNREACHABLE);
    fixture_ip("addr del 198.18.0.1/24 dev sip0");
    follow(&scene);
    assert_int_equal(state_of(&scene, "198.18.0.1"), NET_HOP_UNREACHABLE);
    assert_int_equal(state_of(&scene, "198.18.0.9"), NET_HOP_UNREACHABLE);
    close_scene(&scene);
}

static void test_ipv6_gateway_by_its_link_local_address(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    load(&scene);
    fixture_ip("addr add 2001:db8:1::1/64 dev sip1 nodad");
    fixture_ip("-6 route add default via fe80::1 dev sip1");
    fixture_ip("neigh add fe80::1 lladdr " PEER " dev sip1");
    fixture_ip("neigh add fe80::1 lladdr 02:00:00:00:00:99 dev sip0"); // another one on the other port
    follow(&scene);
    assert_ready(&scene, "2001:db8:ffff::1", PEER, 1);
    close_scene(&scene);
}

static void test_blackhole_unreachable_and_prohibit_lead_nowhere(void **state)
{
    static const char *const kinds[] = {"blackhole", "unreachable", "prohibit"};
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 2001:db8:1::1/64 dev sip0 nodad");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2");
    fixture_ip("-6 route add 2001:db8:2::/48 via 2001:db8:1::2");
    load(&scene);
    for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
        fixture_ip("route add %s 192.0.2.%u/32", kinds[i], i + 1);
        fixture_ip("-6 route add %s 2001:db8:2:%u::/64", kinds[i], i + 1);
    }
    follow(&scene);
    for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
        char text[32];
        snprintf(text, sizeof(text), "192.0.2.%u", i + 1);
        assert_int_equal(state_of(&scene, text), NET_HOP_UNREACHABLE);
        snprintf(text, sizeof(text), "2001:db8:2:%u::1", i + 1);
        assert_int_equal(state_of(&scene, text), NET_HOP_UNREACHABLE);
    }
    assert_int_equal(state_of(&scene, "192.0.2.9"), NET_HOP_RESOLVING);
    assert_int_equal(state_of(&scene, "2001:db8:2:9::1"), NET_HOP_RESOLVING);
    close_scene(&scene);
}

static void test_broadcast_and_multicast_lead_nowhere(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 broadcast 198.18.0.255 dev sip0");
    load(&scene);
    assert_int_equal(state_of(&scene, "198.18.0.255"), NET_HOP_UNREACHABLE);
    assert_int_equal(state_of(&scene, "ff02::1"), NET_HOP_UNREACHABLE);
    assert_int_equal(scene.ready_n, 0); // the kernel lists multicast groups among its neighbours
    close_scene(&scene);
}

static void test_other_interfaces_and_tables_are_passed_over_but_addresses_are_ours(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("link add other0 type veth peer name other1");
    fixture_ip("link set other0 up");
    fixture_ip("link set other1 up");
    fixture_ip("addr add 203.0.113.1/24 dev other0");
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 203.0.113.2 lladdr " PEER " dev other0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2 table 100");
    load(&scene);
    assert_int_equal(state_of(&scene, "203.0.113.2"), NET_HOP_UNREACHABLE);
    assert_int_equal(state_of(&scene, "203.0.113.9"), NET_HOP_UNREACHABLE);
    assert_int_equal(state_of(&scene, "192.0.2.1"), NET_HOP_UNREACHABLE);
    assert_int_equal(state_of(&scene, "203.0.113.1"), NET_HOP_LOCAL);
    assert_int_equal(state_of(&scene, "127.0.0.1"), NET_HOP_LOCAL);
    close_scene(&scene);
}

static void test_first_next_hop_of_a_multipath_route_is_used(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 198.18.1.1/24 dev sip1");
    load(&scene);
    fixture_ip("route add 192.0.2.0/24 nexthop via 198.18.0.2 nexthop via 198.18.1.2");
    follow(&scene);
    assert_gateway(&scene, "192.0.2.1", "198.18.0.2");
    fixture_ip("link set sip0 down"); // takes its next hop along, without a word
    follow(&scene);
    assert_gateway(&scene, "192.0.2.1", "198.18.1.2");
    assert_int_equal(fixture_hop(scene.hops, "192.0.2.1")->port, 1);
    close_scene(&scene);
}

static void test_ipv6_multipath_route_loses_one_next_hop(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 2001:db8:1::1/64 dev sip0 nodad");
    fixture_ip("addr add 2001:db8:2::1/64 dev sip1 nodad");
    load(&scene);
    fixture_ip("-6 route add 2001:db8:f::/48 nexthop via 2001:db8:1::2 nexthop via 2001:db8:2::2");
    follow(&scene);
    assert_gateway(&scene, "2001:db8:f::1", "2001:db8:1::2");
    fixture_ip("-6 route del 2001:db8:f::/48 via 2001:db8:1::2");
    follow(&scene);
    assert_gateway(&scene, "2001:db8:f::1", "2001:db8:2::2");
    close_scene(&scene);
}

static void test_nexthop_objects_are_followed(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    load(&scene);
    fixture_ip("nexthop add id 7 via 198.18.0.2 dev sip0");
    fixture_ip("route add 192.0.2.0/24 nhid 7");
    follow(&scene);
    assert_gateway(&scene, "192.0.2.1", "198.18.0.2");
    fixture_ip("nexthop replace id 7 via 198.18.0.3 dev sip0");
    follow(&scene);
    assert_gateway(&scene, "192.0.2.1", "198.18.0.3");
    fixture_ip("nexthop del id 7"); // and the route with it, without a word
    follow(&scene);
    assert_int_equal(state_of(&scene, "192.0.2.1"), NET_HOP_UNREACHABLE);
    close_scene(&scene);
}

static void test_ipv4_route_over_an_ipv6_gateway(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    load(&scene);
    fixture_ip("route add 192.0.2.0/24 via inet6 fe80::1 dev sip0");
    fixture_ip("neigh add fe80::1 lladdr " PEER " dev sip0");
    follow(&scene);
    assert_ready(&scene, "192.0.2.1", PEER, 0);
    close_scene(&scene);
}

static void test_replaced_route_and_lower_metric(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 198.18.1.1/24 dev sip1");
    load(&scene);
    fixture_ip("route add default via 198.18.0.2 metric 100");
    fixture_ip("route add default via 198.18.1.2 metric 50");
    follow(&scene);
    assert_gateway(&scene, "192.0.2.1", "198.18.1.2");
    fixture_ip("route replace default via 198.18.1.3 metric 50");
    follow(&scene);
    assert_gateway(&scene, "192.0.2.1", "198.18.1.3");
    fixture_ip("route del default via 198.18.1.3 metric 50");
    follow(&scene);
    assert_gateway(&scene, "192.0.2.1", "198.18.0.2");
    close_scene(&scene);
}

static void test_routes_of_an_interface_that_goes_down_and_up(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2");
    load(&scene);
    fixture_ip("link set sip0 down");
    follow(&scene);
    assert_int_equal(state_of(&scene, "192.0.2.1"), NET_HOP_UNREACHABLE);
    assert_int_equal(state_of(&scene, "198.18.0.9"), NET_HOP_UNREACHABLE);
    fixture_ip("link set sip0 up");
    follow(&scene);
    assert_int_equal(state_of(&scene, "198.18.0.9"), NET_HOP_LINK);
    close_scene(&scene);
}

static void test_new_mtu_and_mac_of_a_twin_reach_its_hops(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0");
    load(&scene);
    fixture_ip("link set sip0 mtu 1300");
    follow(&scene);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.9")->mtu, 1300);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->mtu, 1300);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->state, NET_HOP_READY);
    fixture_ip("link set sip0 address 02:00:00:00:77:00");
    follow(&scene);
    // The kernel forgets all neighbours over it.
    assert_int_equal(state_of(&scene, "198.18.0.2"), NET_HOP_LINK);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->source.addr_bytes[4], 0x77);
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0");
    follow(&scene);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->source.addr_bytes[4], 0x77);
    close_scene(&scene);
}

static void test_states_of_a_neighbour(void **state)
{
    static const char *const usable[] = {"reachable", "stale", "delay", "probe", "permanent", "noarp"};
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    load(&scene);
    for (unsigned i = 0; i < RTE_DIM(usable); i++) {
        fixture_ip("neigh replace 198.18.0.2 lladdr " PEER " dev sip0 nud %s", usable[i]);
        follow(&scene);
        assert_ready(&scene, "198.18.0.2", PEER, 0);
        fixture_ip("neigh replace 198.18.0.2 dev sip0 nud failed");
        follow(&scene);
        assert_int_equal(state_of(&scene, "198.18.0.2"), NET_HOP_LINK);
    }
    assert_int_equal(scene.failed_n, RTE_DIM(usable));
    close_scene(&scene);
}

static void test_neighbour_that_moves_gets_its_new_mac(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0 nud reachable");
    load(&scene);
    fixture_ip("neigh replace 198.18.0.2 lladdr 02:00:00:00:00:03 dev sip0 nud reachable");
    follow(&scene);
    assert_ready(&scene, "198.18.0.2", "02:00:00:00:00:03", 0);
    close_scene(&scene);
}

// More events than the socket holds are lost; reading everything again finds out what they were.
static void test_overflow_of_the_socket_ends_in_a_resync(void **state)
{
    struct scene scene;
    struct control_mirror_counters counters;
    int small = 1;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0");
    fixture_ip("route add 192.0.2.0/24 via 198.18.0.2");
    load(&scene);
    assert_int_equal(
        setsockopt(control_mirror_fd(scene.mirror), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    uint64_t before = resyncs(&scene);
    for (unsigned i = 0; i < 40; i++)
        fixture_ip("route add 198.51.100.%u/32 via 198.18.0.3", i);
    fixture_ip("route del 192.0.2.0/24");
    fixture_ip("neigh del 198.18.0.2 dev sip0");
    follow(&scene);
    control_mirror_counters(scene.mirror, &counters);
    assert_true(counters.overflows >= 1);
    assert_true(counters.resyncs > before);
    assert_int_equal(state_of(&scene, "192.0.2.1"), NET_HOP_UNREACHABLE);
    assert_int_equal(state_of(&scene, "198.18.0.2"), NET_HOP_LINK);
    assert_gateway(&scene, "198.51.100.39", "198.18.0.3");
    close_scene(&scene);
}

static void test_more_routes_than_fit_are_counted(void **state)
{
    struct scene scene;
    struct control_mirror_counters counters;

    (void)state;
    open_scene(&scene);
    control_mirror_destroy(scene.mirror);
    open_mirror(&scene, 16);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    for (unsigned i = 0; i < 20; i++)
        fixture_ip("route add 198.51.100.%u/32 via 198.18.0.3", i);
    load(&scene);
    control_mirror_counters(scene.mirror, &counters);
    assert_true(counters.refused_routes >= 4);
    close_scene(&scene);
}

static void test_more_neighbours_than_fit_are_counted_and_fail(void **state)
{
    struct scene scene;
    struct control_mirror_counters counters;

    (void)state;
    open_scene(&scene); // 64 neighbours
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    load(&scene);
    for (unsigned i = 2; i < 72; i++)
        fixture_ip("neigh add 198.18.0.%u lladdr " PEER " dev sip0", i);
    follow(&scene);
    control_mirror_counters(scene.mirror, &counters);
    assert_int_equal(counters.refused_neighbours, 6);
    assert_int_equal(scene.ready_n, 64);
    assert_int_equal(scene.failed_n, 6);
    close_scene(&scene);
}

// The next frame that the kernel sends by a twin and for which `wanted` holds; NULL when `ms` are over.
static struct rte_mbuf *await(struct scene *scene, bool (*wanted)(const struct rte_mbuf *), uint64_t ms)
{
    struct pollfd readable = {.fd = scene->twins[0].fd, .events = POLLIN};
    uint64_t deadline = fixture_ms() + ms;

    while (fixture_ms() < deadline) {
        struct rte_mbuf *mbuf;
        poll(&readable, 1, 20);
        while ((mbuf = control_twin_read(&scene->twins[0])) != NULL) {
            if (wanted(mbuf))
                return mbuf;
            rte_pktmbuf_free(mbuf);
        }
    }
    return NULL;
}

static bool is_arp(const struct rte_mbuf *mbuf)
{
    return fixture_is_arp_for(mbuf, "198.18.0.2", 0);
}

static bool is_solicitation(const struct rte_mbuf *mbuf)
{
    return fixture_is_solicitation_for(mbuf, "2001:db8:1::2");
}

static void test_question_makes_the_kernel_ask_by_arp_and_the_answer_arrives(void **state)
{
    struct scene scene;
    struct control_neighbour peer = {.address = fixture_address("198.18.0.2")};

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    load(&scene);
    assert_int_equal(control_mirror_ask(scene.mirror, &peer), 0);
    struct rte_mbuf *request = await(&scene, is_arp, 1000);
    assert_non_null(request);
    rte_pktmbuf_free(request);
    follow(&scene);
    assert_int_equal(state_of(&scene, "198.18.0.2"), NET_HOP_LINK);
    control_twin_write(&scene.twins[0], fixture_arp(scene.pool, false, PEER, "198.18.0.2",
                                                    "02:00:00:00:01:00", "198.18.0.1", 0));
    follow(&scene);
    assert_ready(&scene, "198.18.0.2", PEER, 0);
    assert_int_equal(scene.ready_n, 1);
    assert_true(endpoint_same_address(&scene.last.address, &peer.address));
    close_scene(&scene);
}

static void test_question_makes_the_kernel_solicit_and_the_advertisement_arrives(void **state)
{
    struct scene scene;
    struct control_neighbour peer = {.address = fixture_address("2001:db8:1::2")};

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 2001:db8:1::1/64 dev sip0 nodad");
    load(&scene);
    assert_int_equal(control_mirror_ask(scene.mirror, &peer), 0);
    struct rte_mbuf *request = await(&scene, is_solicitation, 1000);
    assert_non_null(request);
    control_twin_write(&scene.twins[0], fixture_advertisement(scene.pool, PEER, "2001:db8:1::2", request));
    rte_pktmbuf_free(request);
    follow(&scene);
    assert_ready(&scene, "2001:db8:1::2", PEER, 0);
    close_scene(&scene);
}

static void test_question_about_an_unknown_interface_is_refused(void **state)
{
    struct scene scene;
    struct control_neighbour peer = {.address = fixture_address("198.18.0.2"), .vlan = 7};

    (void)state;
    open_scene(&scene);
    load(&scene);
    assert_int_equal(control_mirror_ask(scene.mirror, &peer), -ENODEV);
    close_scene(&scene);
}

static void write_setting(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, value, strlen(value)), strlen(value));
    close(fd);
}

// A worker's traffic does not pass the kernel, which would never find out that the neighbour is gone.
static void test_used_stale_neighbour_is_verified_and_a_dead_one_noticed(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    write_setting("/proc/sys/net/ipv4/neigh/sip0/delay_first_probe_time", "0");
    write_setting("/proc/sys/net/ipv4/neigh/sip0/retrans_time_ms", "50");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0 nud stale");
    load(&scene);
    control_mirror_verify(scene.mirror); // nobody used it
    assert_null(await(&scene, is_arp, 200));
    fixture_hop(scene.hops, "198.18.0.2")->used = 1;
    control_mirror_verify(scene.mirror);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->used, 0);
    struct rte_mbuf *request = await(&scene, is_arp, 1000);
    assert_non_null(request);
    rte_pktmbuf_free(request);
    uint64_t deadline = fixture_ms() + 5000;
    while (scene.failed_n == 0 && fixture_ms() < deadline)
        follow(&scene);
    assert_int_equal(scene.failed_n, 1);
    assert_int_equal(state_of(&scene, "198.18.0.2"), NET_HOP_LINK);
    close_scene(&scene);
}

static void test_permanent_neighbour_is_never_asked_about(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0 nud permanent");
    load(&scene);
    fixture_hop(scene.hops, "198.18.0.2")->used = 1;
    control_mirror_verify(scene.mirror);
    follow(&scene);
    assert_true(fixture_ip_says("neigh show dev sip0", "PERMANENT"));
    assert_ready(&scene, "198.18.0.2", PEER, 0);
    close_scene(&scene);
}

static unsigned takes_left;

static void *failing_take(void *owner, size_t bytes, int node)
{
    (void)owner;
    return takes_left-- == 0 ? NULL : memory_system.take(memory_system.owner, bytes, node);
}

static void test_every_allocation_may_fail(void **state)
{
    struct scene scene;
    struct control_mirror *mirror = NULL;
    struct memory failing = {failing_take, memory_system.give, NULL};

    (void)state;
    open_scene(&scene);
    struct control_mirror_setup setup = {.hops = scene.hops, .candidates_max = 16, .memory = &failing};
    for (unsigned failure = 0; mirror == NULL; failure++) {
        assert_in_range(failure, 0, 5);
        takes_left = failure;
        int error = control_mirror_create(&mirror, &setup);
        assert_true(error == 0 || error == -ENOMEM);
    }
    control_mirror_destroy(mirror);
    close_scene(&scene);
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
        cmocka_unit_test(test_new_mtu_and_mac_of_a_twin_reach_its_hops),
        cmocka_unit_test(test_states_of_a_neighbour),
        cmocka_unit_test(test_neighbour_that_moves_gets_its_new_mac),
        cmocka_unit_test(test_overflow_of_the_socket_ends_in_a_resync),
        cmocka_unit_test(test_more_routes_than_fit_are_counted),
        cmocka_unit_test(test_more_neighbours_than_fit_are_counted_and_fail),
        cmocka_unit_test(test_question_makes_the_kernel_ask_by_arp_and_the_answer_arrives),
        cmocka_unit_test(test_question_makes_the_kernel_solicit_and_the_advertisement_arrives),
        cmocka_unit_test(test_question_about_an_unknown_interface_is_refused),
        cmocka_unit_test(test_used_stale_neighbour_is_verified_and_a_dead_one_noticed),
        cmocka_unit_test(test_permanent_neighbour_is_never_asked_about),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
