// Neighbours of the real kernel, and its answers to control's questions.
#include "mirror_scene.h"

#include <errno.h>
#include <poll.h>

static void test_states_of_a_neighbour(void **state)
{
    static const char *const usable[] = {"reachable", "stale", "delay", "probe", "permanent", "noarp"};
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    mirror_scene_load(&scene);
    for (unsigned i = 0; i < RTE_DIM(usable); i++) {
        fixture_ip("neigh replace 198.18.0.2 lladdr " PEER " dev sip0 nud %s", usable[i]);
        mirror_scene_follow(&scene);
        mirror_scene_expect_ready(&scene, "198.18.0.2", PEER, 0);
        fixture_ip("neigh replace 198.18.0.2 dev sip0 nud failed");
        mirror_scene_follow(&scene);
        mirror_scene_expect(&scene, "198.18.0.2", NET_HOP_LINK);
    }
    assert_int_equal(scene.failed_n, RTE_DIM(usable));
    mirror_scene_close(&scene);
}

static void test_neighbour_that_moves_gets_its_new_mac(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0 nud reachable");
    mirror_scene_load(&scene);
    fixture_ip("neigh replace 198.18.0.2 lladdr 02:00:00:00:00:03 dev sip0 nud reachable");
    mirror_scene_follow(&scene);
    mirror_scene_expect_ready(&scene, "198.18.0.2", "02:00:00:00:00:03", 0);
    mirror_scene_close(&scene);
}

static void test_more_neighbours_than_fit_are_counted_and_fail(void **state)
{
    struct mirror_scene scene;
    struct control_mirror_counters counters;

    (void)state;
    mirror_scene_open(&scene); // 64 neighbours
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    mirror_scene_load(&scene);
    for (unsigned i = 2; i < 72; i++)
        fixture_ip("neigh add 198.18.0.%u lladdr " PEER " dev sip0", i);
    mirror_scene_follow(&scene);
    control_mirror_counters(scene.mirror, &counters);
    assert_int_equal(counters.refused_neighbours, 6);
    assert_int_equal(scene.ready_n, 64);
    assert_int_equal(scene.failed_n, 6);
    mirror_scene_close(&scene);
}

// The next frame that the kernel sends by a twin and for which `wanted` holds; NULL when `ms` are over.
static struct rte_mbuf *await(struct mirror_scene *scene, bool (*wanted)(const struct rte_mbuf *),
                              uint64_t ms)
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
    struct mirror_scene scene;
    struct control_neighbour peer = {.address = fixture_address("198.18.0.2")};

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    mirror_scene_load(&scene);
    assert_int_equal(control_mirror_ask(scene.mirror, &peer), 0);
    struct rte_mbuf *request = await(&scene, is_arp, 5000);
    assert_non_null(request);
    rte_pktmbuf_free(request);
    mirror_scene_follow(&scene);
    mirror_scene_expect(&scene, "198.18.0.2", NET_HOP_LINK);
    control_twin_write(&scene.twins[0], fixture_arp(scene.pool, false, PEER, "198.18.0.2",
                                                    "02:00:00:00:01:00", "198.18.0.1", 0));
    mirror_scene_follow(&scene);
    mirror_scene_expect_ready(&scene, "198.18.0.2", PEER, 0);
    assert_int_equal(scene.ready_n, 1);
    assert_true(endpoint_same_address(&scene.last.address, &peer.address));
    mirror_scene_close(&scene);
}

static void test_question_makes_the_kernel_solicit_and_the_advertisement_arrives(void **state)
{
    struct mirror_scene scene;
    struct control_neighbour peer = {.address = fixture_address("2001:db8:1::2")};

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 2001:db8:1::1/64 dev sip0 nodad");
    mirror_scene_load(&scene);
    assert_int_equal(control_mirror_ask(scene.mirror, &peer), 0);
    struct rte_mbuf *request = await(&scene, is_solicitation, 5000);
    assert_non_null(request);
    control_twin_write(&scene.twins[0], fixture_advertisement(scene.pool, PEER, "2001:db8:1::2", request));
    rte_pktmbuf_free(request);
    mirror_scene_follow(&scene);
    mirror_scene_expect_ready(&scene, "2001:db8:1::2", PEER, 0);
    mirror_scene_close(&scene);
}

static void test_question_about_an_unknown_interface_is_refused(void **state)
{
    struct mirror_scene scene;
    struct control_neighbour peer = {.address = fixture_address("198.18.0.2"), .vlan = 7};

    (void)state;
    mirror_scene_open(&scene);
    mirror_scene_load(&scene);
    assert_int_equal(control_mirror_ask(scene.mirror, &peer), -ENODEV);
    mirror_scene_close(&scene);
}

// A worker's traffic does not pass the kernel, which would never find out that the neighbour is gone.
static void test_used_stale_neighbour_is_verified_and_a_dead_one_noticed(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_setting("ipv4/neigh/sip0/delay_first_probe_time", "0");
    fixture_setting("ipv4/neigh/sip0/retrans_time_ms", "50");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0 nud stale");
    mirror_scene_load(&scene);
    control_mirror_verify(scene.mirror); // nobody used it
    assert_null(await(&scene, is_arp, 200));
    fixture_hop(scene.hops, "198.18.0.2")->used = 1;
    control_mirror_verify(scene.mirror);
    assert_int_equal(fixture_hop(scene.hops, "198.18.0.2")->used, 0);
    struct rte_mbuf *request = await(&scene, is_arp, 5000);
    assert_non_null(request);
    rte_pktmbuf_free(request);
    uint64_t deadline = fixture_ms() + 5000;
    while (scene.failed_n == 0 && fixture_ms() < deadline)
        mirror_scene_follow(&scene);
    assert_int_equal(scene.failed_n, 1);
    mirror_scene_expect(&scene, "198.18.0.2", NET_HOP_LINK);
    mirror_scene_close(&scene);
}

static void test_permanent_neighbour_is_never_asked_about(void **state)
{
    struct mirror_scene scene;

    (void)state;
    mirror_scene_open(&scene);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER " dev sip0 nud permanent");
    mirror_scene_load(&scene);
    fixture_hop(scene.hops, "198.18.0.2")->used = 1;
    control_mirror_verify(scene.mirror);
    mirror_scene_follow(&scene);
    assert_true(fixture_ip_says("neigh show dev sip0", "PERMANENT"));
    mirror_scene_expect_ready(&scene, "198.18.0.2", PEER, 0);
    mirror_scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_of_a_neighbour),
        cmocka_unit_test(test_neighbour_that_moves_gets_its_new_mac),
        cmocka_unit_test(test_more_neighbours_than_fit_are_counted_and_fail),
        cmocka_unit_test(test_question_makes_the_kernel_ask_by_arp_and_the_answer_arrives),
        cmocka_unit_test(test_question_makes_the_kernel_solicit_and_the_advertisement_arrives),
        cmocka_unit_test(test_question_about_an_unknown_interface_is_refused),
        cmocka_unit_test(test_used_stale_neighbour_is_verified_and_a_dead_one_noticed),
        cmocka_unit_test(test_permanent_neighbour_is_never_asked_about),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
