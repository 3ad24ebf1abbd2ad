// Datagrams that wait for their next hop: the bounds, with a kernel that the test plays.
#include "fixture.h"

#include <errno.h>
#include <rte_malloc.h>

#include "control/resolve.h"

#define PACKETS_MAX 4

struct scene {
    struct rte_mempool *pool;
    struct rte_rcu_qsbr *qsbr;
    struct net_hops *hops;
    struct control_resolve *resolve;
    int answer; // of the kernel to a question
    struct control_neighbour asked;
    unsigned asked_n, released_n;
    char released[64]; // first bytes of the released datagrams
    uint16_t worker;   // of the last one
    unsigned dropped[DROP_COUNT];
};

static int ask(void *owner, const struct control_neighbour *neighbour)
{
    struct scene *scene = owner;

    scene->asked = *neighbour;
    scene->asked_n++;
    return scene->answer;
}

static void release(void *owner, struct rte_mbuf *mbuf, uint16_t worker)
{
    struct scene *scene = owner;

    scene->released[scene->released_n++ % sizeof(scene->released)] = *rte_pktmbuf_mtod(mbuf, const char *);
    scene->worker = worker;
    rte_pktmbuf_free(mbuf);
}

static void drop(void *owner, struct rte_mbuf *mbuf, enum drop reason)
{
    struct scene *scene = owner;

    scene->dropped[reason]++;
    rte_pktmbuf_free(mbuf);
}

static struct control_resolve_setup setup_of(struct scene *scene)
{
    return (struct control_resolve_setup){.hops = scene->hops,
                                          .packets_max = PACKETS_MAX,
                                          .memory = &memory_system,
                                          .ask = ask,
                                          .release = release,
                                          .drop = drop,
                                          .owner = scene};
}

static void put_route(struct scene *scene, const char *prefix, uint8_t depth, uint8_t kind,
                      const char *gateway, uint16_t port, uint16_t vlan)
{
    struct net_route route = {.prefix = fixture_address(prefix),
                              .depth = depth,
                              .kind = kind,
                              .port = port,
                              .vlan = vlan,
                              .mtu = 1500};

    if (gateway != NULL)
        route.gateway = fixture_address(gateway);
    assert_int_equal(net_hops_route_put(scene->hops, &route), 0);
}

// 198.18.0.0/16 and 2001:db8::/32 are on port 1, tag 7; 192.0.2.0/24 is behind 198.18.0.254.
static void open_scene(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->pool = fixture_pool(128);
    scene->qsbr = fixture_qsbr();
    scene->hops = fixture_hops(scene->qsbr, 64, 512);
    put_route(scene, "198.18.0.0", 16, NET_HOP_LINK, NULL, 1, 7);
    put_route(scene, "2001:db8::", 32, NET_HOP_LINK, NULL, 1, 7);
    put_route(scene, "192.0.2.0", 24, NET_HOP_READY, "198.18.0.254", 1, 7);
    put_route(scene, "192.0.2.66", 32, NET_HOP_UNREACHABLE, NULL, 0, 0);
    put_route(scene, "198.18.0.1", 32, NET_HOP_LOCAL, NULL, 1, 7);
    struct control_resolve_setup setup = setup_of(scene);
    assert_int_equal(control_resolve_create(&scene->resolve, &setup), 0);
}

static void close_scene(struct scene *scene)
{
    control_resolve_destroy(scene->resolve);
    net_hops_destroy(scene->hops);
    rte_free(scene->qsbr);
    fixture_pool_free(scene->pool);
}

static void put(struct scene *scene, const char *destination, const char *byte, uint64_t now_ms)
{
    struct endpoint to = fixture_address(destination);

    to.port = 5060;
    control_resolve_put(scene->resolve, fixture_frame(scene->pool, byte, 1), &to, 3, now_ms);
}

// The kernel has resolved a neighbour (or another one), or given up on it.
static void hear(struct scene *scene, const char *address, uint16_t vlan, bool ready)
{
    struct control_neighbour neighbour = {fixture_address(address), 1, vlan};
    struct rte_ether_addr mac = {{2, 0, 0, 0, 0, 2}};

    if (ready)
        assert_int_equal(net_hops_neighbour_put(scene->hops, &neighbour.address, &mac, &mac, 1, 1500, vlan),
                         0);
    control_resolve_hear(scene->resolve, &neighbour, ready);
}

static void test_datagram_waits_and_goes_back_to_its_worker_in_order(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    put(&scene, "198.18.0.2", "a", 0);
    put(&scene, "198.18.0.2", "b", 10);
    assert_int_equal(scene.asked_n, 1);
    assert_int_equal(scene.asked.port, 1);
    assert_int_equal(scene.asked.vlan, 7);
    assert_int_equal(scene.asked.address.port, 0);
    assert_int_equal(scene.released_n, 0);
    assert_int_equal(control_resolve_waiting(scene.resolve), 1);
    hear(&scene, "198.18.0.2", 7, true);
    assert_int_equal(scene.released_n, 2);
    assert_memory_equal(scene.released, "ab", 2);
    assert_int_equal(scene.worker, 3);
    assert_int_equal(control_resolve_waiting(scene.resolve), 0);
    close_scene(&scene);
}

static void test_datagram_behind_a_gateway_waits_for_the_gateway(void **state)
{
    struct scene scene;
    struct endpoint gateway = fixture_address("198.18.0.254");

    (void)state;
    open_scene(&scene);
    put(&scene, "192.0.2.1", "a", 0);
    put(&scene, "192.0.2.2", "b", 0);
    assert_int_equal(scene.asked_n, 1);
    assert_true(endpoint_same_address(&scene.asked.address, &gateway));
    hear(&scene, "198.18.0.254", 7, true);
    assert_memory_equal(scene.released, "ab", 2);
    close_scene(&scene);
}

static void test_hop_that_is_ready_by_now_does_not_wait(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    hear(&scene, "2001:db8::2", 7, true);
    put(&scene, "2001:db8::2", "a", 0);
    assert_int_equal(scene.asked_n, 0);
    assert_int_equal(scene.released_n, 1);
    close_scene(&scene);
}

static void test_news_of_others_release_nothing(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    put(&scene, "198.18.0.2", "a", 0);
    hear(&scene, "198.18.0.3", 7, true);
    hear(&scene, "198.18.0.2", 8, true); // the same address on another VLAN
    assert_int_equal(scene.released_n, 0);
    close_scene(&scene);
}

static void test_failure_of_the_kernel_drops_what_waits(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    put(&scene, "198.18.0.2", "a", 0);
    put(&scene, "198.18.0.2", "b", 0);
    put(&scene, "198.18.0.3", "c", 0);
    hear(&scene, "198.18.0.2", 7, false);
    assert_int_equal(scene.dropped[DROP_RESOLVE_FAILED], 2);
    assert_int_equal(control_resolve_waiting(scene.resolve), 1);
    hear(&scene, "198.18.0.3", 7, true);
    assert_memory_equal(scene.released, "c", 1);
    close_scene(&scene);
}

static void test_silence_drops_after_three_seconds_and_not_before(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    put(&scene, "198.18.0.2", "a", 1000);
    put(&scene, "198.18.0.3", "b", 2000);
    control_resolve_tick(scene.resolve, 3999);
    assert_int_equal(scene.dropped[DROP_RESOLVE_FAILED], 0);
    control_resolve_tick(scene.resolve, 4000);
    assert_int_equal(scene.dropped[DROP_RESOLVE_FAILED], 1);
    put(&scene, "198.18.0.2", "c", 4500); // asked for anew
    assert_int_equal(scene.asked_n, 3);
    control_resolve_tick(scene.resolve, 5000);
    assert_int_equal(scene.dropped[DROP_RESOLVE_FAILED], 2);
    assert_int_equal(control_resolve_waiting(scene.resolve), 1);
    close_scene(&scene);
}

static void test_packets_for_one_hop_are_bounded(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    for (unsigned i = 0; i < PACKETS_MAX + 3; i++)
        put(&scene, "198.18.0.2", "a", 0);
    assert_int_equal(scene.dropped[DROP_RESOLVE_FULL], 3);
    hear(&scene, "198.18.0.2", 7, true);
    assert_int_equal(scene.released_n, PACKETS_MAX);
    close_scene(&scene);
}

static void test_place_of_one_that_ended_is_not_shared(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    put(&scene, "198.18.0.2", "a", 0);
    put(&scene, "198.18.0.3", "b", 0);
    hear(&scene, "198.18.0.2", 7, false);
    put(&scene, "198.18.0.4", "c", 0);
    hear(&scene, "198.18.0.3", 7, true);
    hear(&scene, "198.18.0.4", 7, true);
    assert_int_equal(scene.released_n, 2);
    assert_memory_equal(scene.released, "bc", 2);
    close_scene(&scene);
}

static void test_places_of_hops_are_used_again(void **state)
{
    struct scene scene;
    char address[32];

    (void)state;
    open_scene(&scene);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 200; i++) {
            snprintf(address, sizeof(address), "198.18.%u.%u", round + 1, i + 1);
            put(&scene, address, "a", round * 10000);
        }
        assert_int_equal(control_resolve_waiting(scene.resolve), 200);
        control_resolve_tick(scene.resolve, round * 10000 + 5000);
        assert_int_equal(control_resolve_waiting(scene.resolve), 0);
    }
    assert_int_equal(scene.dropped[DROP_RESOLVE_FAILED], 600);
    assert_int_equal(scene.dropped[DROP_RESOLVE_FULL], 0);
    close_scene(&scene);
}

static void test_more_hops_than_the_table_has_are_dropped(void **state)
{
    struct scene scene;
    struct rte_mempool *large =
        rte_pktmbuf_pool_create("large", 1023, 0, PACKET_SIZE, RTE_PKTMBUF_HEADROOM + 64, SOCKET_ID_ANY);
    char address[32];

    (void)state;
    assert_non_null(large);
    open_scene(&scene);
    for (unsigned i = 0; i < CONTROL_RESOLVE_HOPS + 5; i++) {
        struct endpoint to;
        snprintf(address, sizeof(address), "198.18.%u.%u", 1 + i / 200, 1 + i % 200);
        to = fixture_address(address);
        control_resolve_put(scene.resolve, fixture_frame(large, "a", 1), &to, 0, 0);
    }
    assert_int_equal(control_resolve_waiting(scene.resolve), CONTROL_RESOLVE_HOPS);
    assert_int_equal(scene.dropped[DROP_RESOLVE_FULL], 5);
    assert_int_equal(scene.asked_n, CONTROL_RESOLVE_HOPS);
    hear(&scene, "198.18.1.1", 7, true); // the first place goes to the last
    hear(&scene, "198.18.2.56", 7, true);
    assert_int_equal(scene.released_n, 2);
    close_scene(&scene);
    assert_int_equal(scene.dropped[DROP_STOPPING], CONTROL_RESOLVE_HOPS - 2);
    fixture_pool_free(large);
}

static void test_route_that_went_meanwhile_drops(void **state)
{
    static const char *const gone[] = {"203.0.113.1", "192.0.2.66", "198.18.0.1"};
    struct scene scene;

    (void)state;
    open_scene(&scene);
    for (unsigned i = 0; i < RTE_DIM(gone); i++)
        put(&scene, gone[i], "a", 0);
    assert_int_equal(scene.dropped[DROP_NO_ROUTE], RTE_DIM(gone));
    assert_int_equal(scene.asked_n, 0);
    close_scene(&scene);
}

static void test_interface_that_went_meanwhile_drops(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    scene.answer = -ENODEV;
    put(&scene, "198.18.0.2", "a", 0);
    assert_int_equal(scene.dropped[DROP_RESOLVE_FAILED], 1);
    assert_int_equal(control_resolve_waiting(scene.resolve), 0);
    close_scene(&scene);
}

static void test_what_waits_at_the_end_is_dropped_as_such(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene);
    put(&scene, "198.18.0.2", "a", 0);
    put(&scene, "198.18.0.3", "b", 0);
    close_scene(&scene);
    assert_int_equal(scene.dropped[DROP_STOPPING], 2);
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
    struct control_resolve *resolve = NULL;
    struct memory failing = {failing_take, memory_system.give, NULL};

    (void)state;
    open_scene(&scene);
    struct control_resolve_setup setup = setup_of(&scene);
    setup.memory = &failing;
    for (takes_left = 0; takes_left < 2;) {
        unsigned failure = takes_left;
        assert_int_equal(control_resolve_create(&resolve, &setup), -ENOMEM);
        takes_left = failure + 1;
    }
    assert_int_equal(control_resolve_create(&resolve, &setup), 0);
    control_resolve_destroy(resolve);
    setup.packets_max = 0;
    assert_int_equal(control_resolve_create(&resolve, &setup), -EINVAL);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_datagram_waits_and_goes_back_to_its_worker_in_order),
        cmocka_unit_test(test_datagram_behind_a_gateway_waits_for_the_gateway),
        cmocka_unit_test(test_hop_that_is_ready_by_now_does_not_wait),
        cmocka_unit_test(test_news_of_others_release_nothing),
        cmocka_unit_test(test_failure_of_the_kernel_drops_what_waits),
        cmocka_unit_test(test_silence_drops_after_three_seconds_and_not_before),
        cmocka_unit_test(test_packets_for_one_hop_are_bounded),
        cmocka_unit_test(test_place_of_one_that_ended_is_not_shared),
        cmocka_unit_test(test_places_of_hops_are_used_again),
        cmocka_unit_test(test_more_hops_than_the_table_has_are_dropped),
        cmocka_unit_test(test_route_that_went_meanwhile_drops),
        cmocka_unit_test(test_interface_that_went_meanwhile_drops),
        cmocka_unit_test(test_what_waits_at_the_end_is_dropped_as_such),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
