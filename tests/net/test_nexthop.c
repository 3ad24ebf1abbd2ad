#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <rte_malloc.h>

#include "bench.h"
#include "net/nexthop.h"

#define ROUTES     512
#define NEIGHBOURS 64
#define PORT       3
#define MTU        1500
#define READER     0 // its number in the QSBR

static struct rte_rcu_qsbr *qsbr;
static struct net_hops *hops;

static const struct rte_ether_addr own = {{2, 0, 0, 0, 0, 1}};
static const struct rte_ether_addr mac_a = {{2, 0, 0, 0, 0, 0xaa}};
static const struct rte_ether_addr mac_b = {{2, 0, 0, 0, 0, 0xbb}};

static int start(void **state)
{
    struct net_hops_limits limits = {.routes = ROUTES, .neighbours = NEIGHBOURS};

    (void)state;
    qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
    if (qsbr == NULL || rte_rcu_qsbr_init(qsbr, 1) != 0)
        return -1;
    return net_hops_create(&hops, &limits, SOCKET_ID_ANY, qsbr);
}

static int stop(void **state)
{
    (void)state;
    net_hops_destroy(hops);
    rte_free(qsbr);
    return 0;
}

static struct endpoint ip(const char *text)
{
    struct endpoint endpoint;

    assert_true(endpoint_parse_host(slice_text(text), &endpoint));
    return endpoint;
}

static int put_on(const char *prefix, uint8_t depth, enum net_hop_state kind, const char *gateway,
                  uint16_t port, uint16_t vlan)
{
    struct net_route route = {.prefix = ip(prefix),
                              .depth = depth,
                              .kind = (uint8_t)kind,
                              .source = own,
                              .port = port,
                              .mtu = MTU,
                              .vlan = vlan};

    if (gateway != NULL)
        route.gateway = ip(gateway);
    return net_hops_route_put(hops, &route);
}

static void put(const char *prefix, uint8_t depth, enum net_hop_state kind, const char *gateway)
{
    assert_int_equal(put_on(prefix, depth, kind, gateway, PORT, 0), 0);
}

static void remove_route(const char *prefix, uint8_t depth)
{
    struct endpoint endpoint = ip(prefix);
    assert_int_equal(net_hops_route_remove(hops, &endpoint, depth), 0);
}

static int neighbour(const char *address, const struct rte_ether_addr *mac)
{
    struct endpoint endpoint = ip(address);
    return net_hops_neighbour_put(hops, &endpoint, mac, &own, PORT, MTU, 0);
}

static int forget(const char *address)
{
    struct endpoint endpoint = ip(address);
    return net_hops_neighbour_remove(hops, &endpoint);
}

static uint32_t find(const char *destination)
{
    struct endpoint endpoint = ip(destination);

    endpoint.port = 5060; // of no matter
    return net_hops_find(hops, &endpoint);
}

static const struct net_hop *hop(const char *destination)
{
    return net_hop_at(hops, find(destination));
}

static int state_of(const char *destination)
{
    return hop(destination)->state;
}

static struct net_hops_usage usage(void)
{
    struct net_hops_usage now;

    net_hops_usage(hops, &now);
    return now;
}

static void check_empty(void)
{
    net_hops_reclaim(hops);
    struct net_hops_usage now = usage();
    assert_int_equal(now.routes4 + now.routes6 + now.neighbours + now.hops, 0);
    assert_int_equal(net_hops_next(hops, 0), 0);
}

static void test_nothing_leads_nowhere(void **state)
{
    struct endpoint none = {0};

    (void)state;
    assert_int_equal(find("198.18.0.1"), NET_HOP_NONE);
    assert_int_equal(find("2001:db8::1"), NET_HOP_NONE);
    assert_int_equal(net_hops_find(hops, &none), NET_HOP_NONE);
    assert_int_equal(net_hop_at(hops, NET_HOP_NONE)->state, NET_HOP_UNREACHABLE);
    assert_int_equal(net_hop_at(hops, UINT32_MAX)->state, NET_HOP_UNREACHABLE);
    check_empty();
}

static void test_longest_prefix_wins(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        uint8_t depth;
        const char *gateway;
    } routes[] = {
        {"0.0.0.0", 0, "10.0.0.1"},        {"198.18.0.0", 15, "10.0.0.2"},
        {"198.18.5.0", 24, "10.0.0.3"},    {"198.18.5.128", 25, "10.0.0.4"},
        {"198.18.5.200", 32, "10.0.0.5"},  {"::", 0, "fe80::1"},
        {"2001:db8::", 32, "fe80::2"},     {"2001:db8:5::", 48, "fe80::3"},
        {"2001:db8:5:8::", 61, "fe80::4"}, {"2001:db8:5:9::7", 128, "fe80::5"},
    };
    static const struct {
        const char *destination, *gateway;
    } looks[] = {
        {"8.8.8.8", "10.0.0.1"},        {"198.19.255.255", "10.0.0.2"},
        {"198.18.5.127", "10.0.0.3"},   {"198.18.5.199", "10.0.0.4"},
        {"198.18.5.200", "10.0.0.5"},   {"198.20.0.0", "10.0.0.1"},
        {"2001:db9::", "fe80::1"},      {"2001:db8:4:ffff::1", "fe80::2"},
        {"2001:db8:5:7::", "fe80::3"},  {"2001:db8:5:f:ffff::", "fe80::4"},
        {"2001:db8:5:9::7", "fe80::5"}, {"2001:db8:5:9::6", "fe80::4"},
    };

    for (unsigned order = 0; order < 2; order++) {
        for (unsigned i = 0; i < RTE_DIM(routes); i++) {
            unsigned n = order == 0 ? i : (unsigned)RTE_DIM(routes) - 1 - i;
            put(routes[n].prefix, routes[n].depth, NET_HOP_READY, routes[n].gateway);
        }
        for (unsigned i = 0; i < RTE_DIM(looks); i++) {
            struct endpoint gateway = ip(looks[i].gateway);
            assert_true(endpoint_same_address(&hop(looks[i].destination)->address, &gateway));
        }
        assert_int_equal(usage().routes4, 5);
        assert_int_equal(usage().routes6, 5);
        for (unsigned i = 0; i < RTE_DIM(routes); i++)
            remove_route(routes[i].prefix, routes[i].depth);
        assert_int_equal(find("198.18.5.200"), NET_HOP_NONE);
        check_empty();
    }
}

static void test_kinds_of_routes(void **state)
{
    (void)state;
    put("198.18.0.0", 24, NET_HOP_LINK, NULL);
    put("198.18.0.1", 32, NET_HOP_LOCAL, NULL);
    put("0.0.0.0", 0, NET_HOP_READY, "198.18.0.254");
    put("192.0.2.0", 24, NET_HOP_UNREACHABLE, NULL);
    assert_int_equal(state_of("198.18.0.7"), NET_HOP_LINK);
    assert_int_equal(state_of("198.18.0.1"), NET_HOP_LOCAL);
    assert_int_equal(state_of("203.0.113.1"), NET_HOP_RESOLVING);
    assert_int_equal(state_of("192.0.2.1"), NET_HOP_UNREACHABLE);
    const struct net_hop *link = hop("198.18.0.7");
    assert_int_equal(link->port, PORT);
    assert_int_equal(link->mtu, MTU);
    assert_int_equal(link->address.family, ENDPOINT_NONE);
    assert_true(rte_is_same_ether_addr(&link->source, &own));
}

static void test_neighbour_appears_and_disappears(void **state)
{
    static const char *const address[] = {"198.18.0.7", "2001:db8::7"};
    static const char *const sibling[] = {"198.18.0.8", "2001:db8::8"};

    (void)state;
    put("198.18.0.0", 24, NET_HOP_LINK, NULL);
    put("2001:db8::", 64, NET_HOP_LINK, NULL);
    for (unsigned i = 0; i < 2; i++) {
        struct endpoint endpoint = ip(address[i]);
        assert_int_equal(state_of(address[i]), NET_HOP_LINK);
        assert_int_equal(neighbour(address[i], NULL), 0);
        assert_int_equal(state_of(address[i]), NET_HOP_RESOLVING);
        assert_int_equal(neighbour(address[i], &mac_a), 0);
        const struct net_hop *there = hop(address[i]);
        assert_int_equal(there->state, NET_HOP_READY);
        assert_true(rte_is_same_ether_addr(&there->mac, &mac_a));
        assert_true(endpoint_same_address(&there->address, &endpoint));
        assert_int_equal(there->address.port, 0);
        assert_int_equal(state_of(sibling[i]), NET_HOP_LINK);
        assert_int_equal(neighbour(address[i], &mac_b), 0); // moved: the same hop says so
        assert_ptr_equal(hop(address[i]), there);
        assert_true(rte_is_same_ether_addr(&there->mac, &mac_b));
        assert_int_equal(forget(address[i]), 0);
        assert_int_equal(state_of(address[i]), NET_HOP_LINK);
        assert_int_equal(forget(address[i]), -ENOENT);
    }
    remove_route("198.18.0.0", 24);
    remove_route("2001:db8::", 64);
    check_empty();
}

// Whoever shares the link may make the kernel know any address as a neighbour; routes are not impressed.
static void test_neighbour_off_link_draws_no_traffic(void **state)
{
    (void)state;
    put("0.0.0.0", 0, NET_HOP_READY, "198.18.0.254");
    put("198.18.0.0", 24, NET_HOP_LINK, NULL);
    put("198.18.0.1", 32, NET_HOP_LOCAL, NULL);
    assert_int_equal(neighbour("203.0.113.5", &mac_b), 0);
    assert_int_equal(neighbour("198.18.0.1", &mac_b), 0);
    assert_int_equal(state_of("203.0.113.5"), NET_HOP_RESOLVING);
    assert_int_equal(state_of("198.18.0.1"), NET_HOP_LOCAL);
    // It is there all the same, and answers once its prefix is on-link.
    struct endpoint address = ip("203.0.113.5");
    uint32_t found = net_hops_neighbour_find(hops, &address, PORT, 0);
    assert_int_not_equal(found, NET_HOP_NONE);
    put("203.0.113.0", 24, NET_HOP_LINK, NULL);
    assert_int_equal(find("203.0.113.5"), found);
    assert_int_equal(forget("203.0.113.5"), 0);
    assert_int_equal(net_hops_neighbour_find(hops, &address, PORT, 0), NET_HOP_NONE);
}

static void test_routes_share_and_follow_their_gateway(void **state)
{
    (void)state;
    put("198.18.0.0", 24, NET_HOP_LINK, NULL);
    put("192.0.2.0", 24, NET_HOP_READY, "198.18.0.254");
    put("203.0.113.0", 24, NET_HOP_READY, "198.18.0.254");
    uint32_t gateway = find("192.0.2.1");
    struct endpoint address = ip("198.18.0.254");
    assert_int_equal(find("203.0.113.9"), gateway);
    assert_int_equal(find("198.18.0.254"), gateway);
    assert_true(endpoint_same_address(&net_hop_at(hops, gateway)->address, &address));
    assert_int_equal(net_hop_at(hops, gateway)->state, NET_HOP_RESOLVING);
    assert_int_equal(neighbour("198.18.0.254", &mac_a), 0);
    assert_int_equal(find("192.0.2.1"), gateway);
    assert_int_equal(net_hop_at(hops, gateway)->state, NET_HOP_READY);
    assert_int_equal(forget("198.18.0.254"), 0);
    assert_int_equal(find("192.0.2.1"), gateway); // routes still lead there, but it must be resolved again
    assert_int_equal(net_hop_at(hops, gateway)->state, NET_HOP_RESOLVING);
    remove_route("192.0.2.0", 24);
    assert_int_equal(find("203.0.113.9"), gateway);
    remove_route("203.0.113.0", 24);
    assert_int_equal(state_of("198.18.0.254"), NET_HOP_LINK);
    assert_int_equal(usage().neighbours, 0);
    // A neighbour stays when the last route over it goes.
    assert_int_equal(neighbour("198.18.0.254", &mac_a), 0);
    put("192.0.2.0", 24, NET_HOP_READY, "198.18.0.254");
    remove_route("192.0.2.0", 24);
    assert_int_equal(state_of("198.18.0.254"), NET_HOP_READY);
}

static void test_one_address_on_two_links_is_two_neighbours(void **state)
{
    struct endpoint address = ip("fe80::1");

    (void)state;
    assert_int_equal(put_on("2001:db8:1::", 48, NET_HOP_READY, "fe80::1", 1, 0), 0);
    assert_int_equal(put_on("2001:db8:2::", 48, NET_HOP_READY, "fe80::1", 2, 0), 0);
    assert_int_equal(put_on("2001:db8:3::", 48, NET_HOP_READY, "fe80::1", 2, 100), 0);
    assert_int_equal(net_hops_neighbour_put(hops, &address, &mac_a, &own, 1, MTU, 0), 0);
    assert_int_equal(net_hops_neighbour_put(hops, &address, &mac_b, &own, 2, MTU, 0), 0);
    assert_true(rte_is_same_ether_addr(&hop("2001:db8:1::")->mac, &mac_a));
    assert_true(rte_is_same_ether_addr(&hop("2001:db8:2::")->mac, &mac_b));
    assert_int_equal(state_of("2001:db8:3::"), NET_HOP_RESOLVING);
    assert_int_equal(net_hops_neighbour_remove_on(hops, &address, 1, 0), 0);
    assert_int_equal(net_hops_neighbour_remove_on(hops, &address, 1, 0), -ENOENT);
    assert_int_equal(state_of("2001:db8:1::"), NET_HOP_RESOLVING);
    assert_int_equal(state_of("2001:db8:2::"), NET_HOP_READY);
    assert_int_equal(net_hops_neighbour_put(hops, &address, &mac_a, &own, 1, MTU, 0), 0);
    assert_int_equal(forget("fe80::1"), 0); // on every link
    assert_int_equal(state_of("2001:db8:1::"), NET_HOP_RESOLVING);
    assert_int_equal(state_of("2001:db8:2::"), NET_HOP_RESOLVING);
}

static void test_adding_what_is_there_replaces_it(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"192.0.2.0", "0.0.0.0", "192.0.2.128"};
    static const uint8_t depths[] = {24, 0, 25};

    for (unsigned i = 0; i < RTE_DIM(prefixes); i++) {
        put(prefixes[i], depths[i], NET_HOP_READY, "198.18.0.1");
        put(prefixes[i], depths[i], NET_HOP_READY, "198.18.0.2");
        put(prefixes[i], depths[i], NET_HOP_READY, "198.18.0.2");
        struct endpoint second = ip("198.18.0.2");
        assert_true(endpoint_same_address(&hop("192.0.2.129")->address, &second));
        assert_int_equal(usage().routes4, 1);
        assert_int_equal(usage().neighbours, 1); // the first gateway is forgotten
        put(prefixes[i], depths[i], NET_HOP_UNREACHABLE, NULL);
        assert_int_equal(state_of("192.0.2.129"), NET_HOP_UNREACHABLE);
        put(prefixes[i], depths[i], NET_HOP_LINK, NULL);
        assert_int_equal(state_of("192.0.2.129"), NET_HOP_LINK);
        remove_route(prefixes[i], depths[i]);
        check_empty();
    }
}

static void test_host_bits_of_a_prefix_do_not_matter(void **state)
{
    (void)state;
    put("198.18.0.77", 24, NET_HOP_LINK, NULL);
    put("2001:db8::77", 64, NET_HOP_LINK, NULL);
    assert_int_equal(state_of("198.18.0.1"), NET_HOP_LINK);
    assert_int_equal(state_of("2001:db8::1"), NET_HOP_LINK);
    remove_route("198.18.0.3", 24);
    remove_route("2001:db8::3", 64);
    check_empty();
}

static void test_nonsense_is_refused(void **state)
{
    struct endpoint nowhere = {0}, prefix = ip("198.18.0.0");

    (void)state;
    assert_int_equal(put_on("198.18.0.0", 33, NET_HOP_LINK, NULL, 0, 0), -EINVAL);
    assert_int_equal(put_on("2001:db8::", 129, NET_HOP_LINK, NULL, 0, 0), -EINVAL);
    assert_int_equal(put_on("198.18.0.0", 24, NET_HOP_READY, NULL, 0, 0), -EINVAL);
    assert_int_equal(put_on("198.18.0.0", 24, NET_HOP_LINK, "198.18.0.1", 0, 0), -EINVAL);
    assert_int_equal(put_on("198.18.0.0", 24, NET_HOP_RESOLVING, NULL, 0, 0), -EINVAL);
    assert_int_equal(net_hops_neighbour_put(hops, &nowhere, &mac_a, &own, 0, MTU, 0), -EINVAL);
    assert_int_equal(net_hops_route_remove(hops, &nowhere, 0), -EINVAL);
    assert_int_equal(net_hops_route_remove(hops, &prefix, 24), -ENOENT);
    assert_int_equal(net_hops_route_remove(hops, &prefix, 0), -ENOENT);
    assert_int_equal(forget("198.18.0.1"), -ENOENT);
    check_empty();
}

static void test_full_table_of_neighbours(void **state)
{
    char text[32];

    (void)state;
    put("198.18.0.0", 16, NET_HOP_LINK, NULL);
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        snprintf(text, sizeof(text), "198.18.1.%u", i);
        assert_int_equal(neighbour(text, &mac_a), 0);
    }
    assert_int_equal(neighbour("198.18.2.1", &mac_a), -ENOSPC);
    assert_int_equal(state_of("198.18.2.1"), NET_HOP_LINK);
    assert_int_equal(neighbour("198.18.1.0", &mac_b), 0); // one that is there can be changed
    assert_int_equal(put_on("192.0.2.0", 24, NET_HOP_READY, "198.18.2.1", PORT, 0), -ENOSPC);
    assert_int_equal(find("192.0.2.1"), NET_HOP_NONE);
    put("192.0.2.0", 24, NET_HOP_READY, "198.18.1.1");
    assert_int_equal(forget("198.18.1.0"), 0);
    assert_int_equal(neighbour("198.18.2.1", &mac_a), 0);
    assert_int_equal(state_of("198.18.2.1"), NET_HOP_READY);
}

static void test_full_table_of_routes(void **state)
{
    char text[32];

    (void)state;
    for (unsigned i = 0; i < ROUTES; i++) {
        snprintf(text, sizeof(text), "10.%u.%u.128", i / 256, i % 256);
        put(text, 25, NET_HOP_LINK, NULL); // each with a group of its own
        snprintf(text, sizeof(text), "2001:db8:%x::", i);
        put(text, 48, NET_HOP_LINK, NULL);
    }
    assert_int_equal(put_on("192.0.2.0", 24, NET_HOP_READY, "198.18.0.1", PORT, 0), -ENOSPC);
    assert_int_equal(put_on("2001:db9::", 48, NET_HOP_READY, "fe80::1", PORT, 0), -ENOSPC);
    assert_int_equal(usage().neighbours, 0);            // no gateway is left behind
    put("10.0.0.128", 25, NET_HOP_READY, "198.18.0.1"); // replacing needs no room
    put("0.0.0.0", 0, NET_HOP_LINK, NULL);
    assert_int_equal(usage().routes4, ROUTES + 1);
    remove_route("10.0.0.128", 25);
    put("192.0.2.0", 24, NET_HOP_READY, "198.18.0.1");
    assert_int_equal(state_of("192.0.2.1"), NET_HOP_RESOLVING);
}

static void test_changes_without_end_wear_nothing_out(void **state)
{
    char text[40];

    (void)state;
    put("198.18.0.0", 15, NET_HOP_READY, "10.0.0.1");
    put("2001:db8::", 32, NET_HOP_READY, "10.0.0.1");
    put("fd00::", 64, NET_HOP_LINK, NULL);
    for (unsigned i = 0; i < 20000; i++) {
        put("198.18.5.128", 25, NET_HOP_READY, "10.0.0.1"); // the same hop as the prefix around it
        remove_route("198.18.5.128", 25);
        snprintf(text, sizeof(text), "2001:db8:%x:%x::", i & 0xffff, i * 7 & 0xffff);
        put(text, (uint8_t)(33 + i % 96), NET_HOP_READY, i % 2 == 0 ? "10.0.0.1" : "fe80::9");
        remove_route(text, (uint8_t)(33 + i % 96));
        snprintf(text, sizeof(text), "fd00::%x:%x", i, i * 31 & 0xffff);
        assert_int_equal(neighbour(text, &mac_a), 0);
        assert_int_equal(state_of(text), NET_HOP_READY);
        assert_int_equal(forget(text), 0);
    }
    remove_route("198.18.0.0", 15);
    remove_route("2001:db8::", 32);
    remove_route("fd00::", 64);
    check_empty();
}

static void test_hop_in_a_readers_hand_is_not_used_again(void **state)
{
    struct net_hop before;

    (void)state;
    put("198.18.0.0", 16, NET_HOP_LINK, NULL);
    assert_int_equal(neighbour("198.18.0.7", &mac_a), 0);
    rte_rcu_qsbr_thread_register(qsbr, READER);
    rte_rcu_qsbr_thread_online(qsbr, READER);
    uint32_t held = find("198.18.0.7");
    before = *net_hop_at(hops, held);
    before.state = NET_HOP_RESOLVING; // its neighbour is gone, that much is told at once
    assert_int_equal(forget("198.18.0.7"), 0);
    // As many come and go as there are hops: all are refused that would need the one in hand.
    unsigned refused = 0;
    for (unsigned i = 0; i < 2 * usage().hops_max; i++) {
        char text[32];
        snprintf(text, sizeof(text), "198.18.%u.%u", i / 250 + 1, i % 250 + 1);
        if (neighbour(text, &mac_b) == 0)
            assert_int_equal(forget(text), 0);
        else
            refused++;
        net_hops_reclaim(hops);
    }
    assert_true(refused > 0);
    assert_memory_equal(net_hop_at(hops, held), &before, sizeof(before));
    assert_int_equal(usage().hops, usage().hops_max);
    rte_rcu_qsbr_quiescent(qsbr, READER);
    net_hops_reclaim(hops);
    assert_int_equal(usage().hops, 1); // the link
    assert_int_equal(net_hop_at(hops, held)->state, NET_HOP_UNREACHABLE);
    assert_int_equal(neighbour("198.18.0.7", &mac_b), 0);
    assert_int_equal(state_of("198.18.0.7"), NET_HOP_READY);
    rte_rcu_qsbr_thread_offline(qsbr, READER);
    rte_rcu_qsbr_thread_unregister(qsbr, READER);
}

static void test_next_walks_every_hop_once(void **state)
{
    unsigned links = 0, neighbours = 0;

    (void)state;
    put("198.18.0.0", 24, NET_HOP_LINK, NULL);
    put("198.18.0.1", 32, NET_HOP_LOCAL, NULL);
    put("198.18.1.0", 24, NET_HOP_LINK, NULL); // the same interface, so the same hop
    assert_int_equal(put_on("198.18.2.0", 24, NET_HOP_LINK, NULL, PORT + 1, 0), 0);
    assert_int_equal(put_on("198.18.3.0", 24, NET_HOP_LINK, NULL, PORT, 9), 0);
    assert_int_equal(neighbour("198.18.0.7", &mac_a), 0);
    put("0.0.0.0", 0, NET_HOP_READY, "198.18.0.254");
    for (uint32_t h = net_hops_next(hops, 0); h != 0; h = net_hops_next(hops, h)) {
        assert_true(h <= usage().hops_max);
        if (net_hop_at(hops, h)->address.family == ENDPOINT_NONE)
            links++;
        else
            neighbours++;
    }
    assert_int_equal(links, 4);
    assert_int_equal(neighbours, 2);
    assert_int_equal(usage().hops, 6);
}

// Random routes and a look-up by the plainest search there is.
static void test_random_routes_agree_with_a_list(void **state)
{
    enum { MANY = 200 };
    struct net_route list[MANY];

    (void)state;
    srand(99);
    for (unsigned i = 0; i < MANY; i++) {
        list[i] =
            (struct net_route){.prefix = endpoint_ip4(10, (uint8_t)(rand() % 2), (uint8_t)(rand() % 4), 0, 0),
                               .depth = (uint8_t)(8 + rand() % 25),
                               .kind = NET_HOP_READY,
                               .source = own,
                               .port = PORT,
                               .mtu = MTU};
        list[i].prefix.address[3] = (uint8_t)rand();
        list[i].gateway = endpoint_ip4(198, 18, 0, (uint8_t)(i % NEIGHBOURS), 0);
        assert_int_equal(net_hops_route_put(hops, &list[i]), 0);
    }
    for (unsigned n = 0; n < 20000; n++) {
        struct endpoint to =
            endpoint_ip4(10, (uint8_t)(rand() % 2), (uint8_t)(rand() % 5), (uint8_t)rand(), 5060);
        uint32_t address =
            (uint32_t)to.address[0] << 24 | to.address[1] << 16 | to.address[2] << 8 | to.address[3];
        const struct net_route *best = NULL;
        for (unsigned i = 0; i < MANY; i++) {
            const uint8_t *a = list[i].prefix.address;
            uint32_t prefix = (uint32_t)a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];
            if ((prefix ^ address) >> (32 - list[i].depth) == 0 &&
                (best == NULL || list[i].depth >= best->depth))
                best = &list[i]; // of two alike the later replaced the earlier
        }
        const struct net_hop *found = net_hop_at(hops, net_hops_find(hops, &to));
        assert_int_equal(found->state, best != NULL ? NET_HOP_RESOLVING : NET_HOP_UNREACHABLE);
        if (best != NULL)
            assert_true(endpoint_same_address(&found->address, &best->gateway));
    }
}

static void test_limits_are_checked(void **state)
{
    static const struct net_hops_limits wrong[] = {{0, 1}, {1, 0}, {(1u << 22) + 1, 1}, {1, (1u << 20) + 1}};
    struct net_hops *none;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(wrong); i++) {
        assert_int_equal(net_hops_create(&none, &wrong[i], SOCKET_ID_ANY, qsbr), -EINVAL);
        assert_null(none);
    }
    assert_int_equal(net_hops_create(&none, &(struct net_hops_limits){16, 16}, SOCKET_ID_ANY, NULL), -EINVAL);
    net_hops_destroy(NULL);
}

// The heap is full, and a little more of it is given back each time, until all that create needs is there.
static void test_short_memory_leaks_nothing(void **state)
{
    struct net_hops_limits limits = {.routes = 4096, .neighbours = 4096};
    struct bench_hoard hoard;
    struct net_hops *second;
    unsigned failures = 0;

    (void)state;
    bench_hoard_fill(&hoard);
    while (net_hops_create(&second, &limits, SOCKET_ID_ANY, qsbr) == -ENOMEM) {
        assert_null(second);
        failures++;
        assert_true(bench_hoard_give(&hoard));
    }
    assert_true(failures > 5);
    assert_non_null(second);
    net_hops_destroy(second);
    assert_true(bench_hoard_empty(&hoard));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_nothing_leads_nowhere),
        CASE(test_longest_prefix_wins),
        CASE(test_kinds_of_routes),
        CASE(test_neighbour_appears_and_disappears),
        CASE(test_neighbour_off_link_draws_no_traffic),
        CASE(test_routes_share_and_follow_their_gateway),
        CASE(test_one_address_on_two_links_is_two_neighbours),
        CASE(test_adding_what_is_there_replaces_it),
        CASE(test_host_bits_of_a_prefix_do_not_matter),
        CASE(test_nonsense_is_refused),
        CASE(test_full_table_of_neighbours),
        CASE(test_full_table_of_routes),
        CASE(test_changes_without_end_wear_nothing_out),
        CASE(test_hop_in_a_readers_hand_is_not_used_again),
        CASE(test_next_walks_every_hop_once),
        CASE(test_random_routes_agree_with_a_list),
        CASE(test_limits_are_checked),
        CASE(test_short_memory_leaks_nothing),
    };

    bench_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
