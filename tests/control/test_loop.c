// The loop as a whole: a real kernel behind the twin, a worker played by the test.
#include "scene.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define PEER "02:00:00:00:00:02"

static const char *port_mac(const struct scene *scene)
{
    static char text[RTE_ETHER_ADDR_FMT_SIZE];
    struct rte_ether_addr mac;

    assert_int_equal(rte_eth_macaddr_get(scene->port, &mac), 0);
    rte_ether_format_addr(text, sizeof(text), &mac);
    return text;
}

static bool is_arp(struct rte_mbuf *mbuf)
{
    return packet_of(mbuf)->errand == PACKET_FRAME && fixture_is_arp_for(mbuf, "198.18.0.2", 0);
}

static bool is_solicitation(struct rte_mbuf *mbuf)
{
    return packet_of(mbuf)->errand == PACKET_FRAME && fixture_is_solicitation_for(mbuf, "2001:db8:1::2");
}

static bool is_arp_reply(struct rte_mbuf *mbuf)
{
    const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);

    return packet_of(mbuf)->errand == PACKET_FRAME && frame[12] == 8 && frame[13] == 6 && frame[21] == 2;
}

static bool is_datagram(struct rte_mbuf *mbuf)
{
    return packet_of(mbuf)->errand == PACKET_DATAGRAM;
}

static bool link_is_known(const struct scene *scene)
{
    return fixture_hop(scene->hops, "198.18.0.2")->state != NET_HOP_UNREACHABLE &&
           fixture_hop(scene->hops, "2001:db8:1::2")->state != NET_HOP_UNREACHABLE;
}

static void punt_datagram(struct scene *scene, const char *byte, const char *to)
{
    scene_punt(scene, fixture_frame(scene->pool, byte, 1), PACKET_DATAGRAM, to);
}

static void test_punted_frame_reaches_the_kernel_and_its_answer_the_worker(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene_punt(&scene,
               fixture_arp(scene.pool, true, PEER, "198.18.0.2", "ff:ff:ff:ff:ff:ff", "198.18.0.1", 0),
               PACKET_FRAME, NULL);
    struct rte_mbuf *reply = scene_await(&scene, is_arp_reply, 5000);
    assert_non_null(reply);
    assert_int_equal(packet_of(reply)->port, 0);
    rte_pktmbuf_free(reply);
    assert_int_equal(scene.control->counters.punted, 1);
    assert_true(scene.control->counters.injected >= 1);
    scene_close(&scene);
}

static void test_datagram_waits_for_arp_and_comes_back(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    assert_true(scene_turn_until(&scene, link_is_known, 5000));
    punt_datagram(&scene, "a", "198.18.0.2");
    punt_datagram(&scene, "b", "198.18.0.2");
    struct rte_mbuf *request = scene_await(&scene, is_arp, 5000);
    assert_non_null(request);
    rte_pktmbuf_free(request);
    scene_punt(&scene, fixture_arp(scene.pool, false, PEER, "198.18.0.2", port_mac(&scene), "198.18.0.1", 0),
               PACKET_FRAME, NULL);
    for (const char *byte = "ab"; *byte != 0; byte++) {
        struct rte_mbuf *back = scene_await(&scene, is_datagram, 5000);
        assert_non_null(back);
        assert_int_equal(*rte_pktmbuf_mtod(back, char *), *byte);
        rte_pktmbuf_free(back);
    }
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->state, NET_HOP_READY);
    scene_close(&scene);
}

static void test_datagram_waits_for_neighbour_discovery_and_comes_back(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    assert_true(scene_turn_until(&scene, link_is_known, 5000));
    punt_datagram(&scene, "a", "2001:db8:1::2");
    struct rte_mbuf *request = scene_await(&scene, is_solicitation, 5000);
    assert_non_null(request);
    scene_punt(&scene, fixture_advertisement(scene.pool, PEER, "2001:db8:1::2", request), PACKET_FRAME, NULL);
    rte_pktmbuf_free(request);
    struct rte_mbuf *back = scene_await(&scene, is_datagram, 5000);
    assert_non_null(back);
    rte_pktmbuf_free(back);
    scene_close(&scene);
}

static bool resolution_failed(const struct scene *scene)
{
    return scene->control->counters.drops[DROP_RESOLVE_FAILED] == 1;
}

static void test_datagram_is_dropped_when_the_kernel_gives_up(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    fixture_setting("ipv4/neigh/sip0/retrans_time_ms", "20");
    assert_true(scene_turn_until(&scene, link_is_known, 5000));
    uint64_t start = fixture_ms();
    punt_datagram(&scene, "a", "198.18.0.2");
    assert_true(scene_turn_until(&scene, resolution_failed, 5000));
    assert_in_range(fixture_ms() - start, 20, CONTROL_RESOLVE_MS - 500);
    scene_close(&scene);
}

static void test_datagram_is_dropped_when_the_kernel_tries_for_too_long(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    fixture_setting("ipv4/neigh/sip0/mcast_solicit", "30");
    assert_true(scene_turn_until(&scene, link_is_known, 5000));
    uint64_t start = fixture_ms();
    punt_datagram(&scene, "a", "198.18.0.2");
    assert_true(scene_turn_until(&scene, resolution_failed, 10000));
    assert_in_range(fixture_ms() - start, CONTROL_RESOLVE_MS - 10, CONTROL_RESOLVE_MS + 5000);
    scene_close(&scene);
}

static void test_full_ring_to_the_worker_is_a_counted_drop(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    for (unsigned i = 0; i < SCENE_RING + 4; i++) {
        scene_punt(&scene,
                   fixture_arp(scene.pool, true, PEER, "198.18.0.2", "ff:ff:ff:ff:ff:ff", "198.18.0.1", 0),
                   PACKET_FRAME, NULL);
        control_turn(scene.control);
        control_turn(scene.control);
    }
    assert_true(scene.control->counters.drops[DROP_MAILBOX_FULL] >= 4);
    assert_int_equal(rte_ring_count(scene.worker->inject), SCENE_RING);
    scene_close(&scene);
}

static bool frame_was_dropped(const struct scene *scene)
{
    return scene->control->counters.drops[DROP_NO_TWIN] == 3;
}

static void test_punt_that_leads_nowhere_is_a_counted_drop(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    struct rte_mbuf *mbuf = fixture_frame(scene.pool, "a", 1);
    scene_punt(&scene, mbuf, PACKET_FRAME, NULL);
    packet_of(mbuf)->port = 1; // there is one port
    mbuf = fixture_frame(scene.pool, "a", 1);
    scene_punt(&scene, mbuf, PACKET_FRAME, NULL);
    packet_of(mbuf)->port = UINT16_MAX;
    scene_punt(&scene, fixture_frame(scene.pool, "a", 1), PACKET_SERVE, NULL); // no errand for control
    assert_true(scene_turn_until(&scene, frame_was_dropped, 5000));
    scene_close(&scene);
}

static void test_what_is_left_on_the_ring_at_the_end_is_freed(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    assert_true(scene_turn_until(&scene, link_is_known, 5000));
    punt_datagram(&scene, "a", "198.18.0.2");
    control_turn(scene.control);
    punt_datagram(&scene, "b", "198.18.0.2");
    scene_close(&scene); // asserts that the ring is empty and the pool whole
}

static void test_signal_calls_back_and_ends_the_loop(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};
    struct scene scene;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(signals); i++) {
        scene_open(&scene);
        assert_int_equal(kill(getpid(), signals[i]), 0);
        assert_int_equal(control_run(scene.control), 0);
        assert_int_equal(scene.stops, 1);
        scene_close(&scene);
    }
}

static void *stop_from_elsewhere(void *argument)
{
    control_stop(argument);
    return NULL;
}

static void test_other_thread_ends_the_loop(void **state)
{
    struct scene scene;
    pthread_t thread;

    (void)state;
    scene_open(&scene);
    assert_int_equal(pthread_create(&thread, NULL, stop_from_elsewhere, scene.control), 0);
    assert_int_equal(control_run(scene.control), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(scene.stops, 0);
    scene_close(&scene);
}

static uint64_t cpu_ms(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

static void test_idle_loop_sleeps(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    uint64_t start = fixture_ms(), used = cpu_ms();
    while (fixture_ms() < start + 300)
        control_turn(scene.control);
    assert_in_range(cpu_ms() - used, 0, 150);
    assert_in_range(scene.control->counters.idle_turns, 1, 400);
    scene_close(&scene);
}

// The second of two ports has a busy twin: that of the first goes again.
static void test_busy_twin_leaves_nothing_behind(void **state)
{
    struct conf_port ports[2];
    struct scene scene;

    (void)state;
    scene_prepare(&scene);
    struct conf two = *scene.conf;
    ports[0] = ports[1] = scene.conf->ports[0];
    ports[1].twin = (char *)"sip1";
    two.ports = ports;
    two.ports_n = 2;
    scene.setup.conf = &two;
    scene.setup.ports = (uint16_t[]){scene.port, scene.port};
    fixture_ip("link add sip1 type veth peer name other");
    assert_int_equal(control_create(&scene.control, &scene.setup), -EEXIST);
    assert_null(scene.control);
    assert_int_equal(if_nametoindex("sip0"), 0);
    fixture_ip("link del sip1");
    assert_int_equal(control_create(&scene.control, &scene.setup), 0);
    assert_int_not_equal(if_nametoindex("sip1"), 0);
    scene_close(&scene);
    assert_int_equal(if_nametoindex("sip1"), 0);
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
    struct memory failing = {failing_take, memory_system.give, NULL};

    (void)state;
    scene_prepare(&scene);
    scene.setup.memory = &failing;
    for (unsigned failure = 0; scene.control == NULL; failure++) {
        assert_in_range(failure, 0, 20);
        takes_left = failure;
        int error = control_create(&scene.control, &scene.setup);
        assert_true(error == 0 || error == -ENOMEM);
        assert_true(error == 0 || if_nametoindex("sip0") == 0);
    }
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_punted_frame_reaches_the_kernel_and_its_answer_the_worker),
        cmocka_unit_test(test_datagram_waits_for_arp_and_comes_back),
        cmocka_unit_test(test_datagram_waits_for_neighbour_discovery_and_comes_back),
        cmocka_unit_test(test_datagram_is_dropped_when_the_kernel_gives_up),
        cmocka_unit_test(test_datagram_is_dropped_when_the_kernel_tries_for_too_long),
        cmocka_unit_test(test_full_ring_to_the_worker_is_a_counted_drop),
        cmocka_unit_test(test_punt_that_leads_nowhere_is_a_counted_drop),
        cmocka_unit_test(test_what_is_left_on_the_ring_at_the_end_is_freed),
        cmocka_unit_test(test_signal_calls_back_and_ends_the_loop),
        cmocka_unit_test(test_other_thread_ends_the_loop),
        cmocka_unit_test(test_idle_loop_sleeps),
        cmocka_unit_test(test_busy_twin_leaves_nothing_behind),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
