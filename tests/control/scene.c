#include "scene.h"

#include <inttypes.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <stdio.h>

static const char ini[] = "[network]\n"
                          "route_max = 1024\n"
                          "neighbour_max = 64\n"
                          "resolve_queue_max = 4\n"
                          "[port p]\n"
                          "device = net_null0\n"
                          "twin = sip0\n"
                          "[listener l]\n"
                          "address = 198.18.0.1:5060\n"
                          "port = p\n"
                          "[domain d]\n"
                          "names = example.com\n";

static struct rte_ring *make_ring(const char *name)
{
    char unique[RTE_RING_NAMESIZE];

    snprintf(unique, sizeof(unique), "%s%" PRIx64, name, fixture_ms() ^ (uintptr_t)&unique);
    struct rte_ring *ring = rte_ring_create(unique, SCENE_RING, SOCKET_ID_ANY, RING_F_EXACT_SZ);
    assert_non_null(ring);
    return ring;
}

static void stop(void *owner)
{
    struct scene *scene = owner;

    scene->stops++;
}

void scene_prepare(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    fixture_namespace();
    scene->pool = fixture_pool(2048);
    scene->qsbr = fixture_qsbr();
    scene->hops = fixture_hops(scene->qsbr, 1024, 64);
    scene->conf = conf_parse(ini, strlen(ini), "scene", stderr);
    assert_non_null(scene->conf);
    assert_int_equal(rte_eth_dev_get_port_by_name("net_null0", &scene->port), 0);
    scene->worker = rte_zmalloc(NULL, sizeof(*scene->worker), RTE_CACHE_LINE_SIZE);
    assert_non_null(scene->worker);
    scene->worker->conf = scene->conf;
    scene->worker->workers_n = 1;
    scene->worker->lcore = 7;
    scene->worker->punt = make_ring("punt");
    scene->worker->inject = make_ring("inject");
    scene->setup = (struct control_setup){.conf = scene->conf,
                                          .ports = &scene->port,
                                          .workers = &scene->worker,
                                          .workers_n = 1,
                                          .hops = scene->hops,
                                          .pool = scene->pool,
                                          .memory = &memory_system,
                                          .stop = stop,
                                          .owner = scene};
}

void scene_open(struct scene *scene)
{
    scene_prepare(scene);
    assert_int_equal(control_create(&scene->control, &scene->setup), 0);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("addr add 2001:db8:1::1/64 dev sip0 nodad");
}

void scene_close(struct scene *scene)
{
    struct rte_mbuf *mbuf;

    control_destroy(scene->control);
    while (rte_ring_dequeue(scene->worker->inject, (void **)&mbuf) == 0)
        rte_pktmbuf_free(mbuf);
    assert_true(rte_ring_empty(scene->worker->punt));
    rte_ring_free(scene->worker->punt);
    rte_ring_free(scene->worker->inject);
    rte_free(scene->worker);
    conf_free(scene->conf);
    net_hops_destroy(scene->hops);
    rte_free(scene->qsbr);
    fixture_pool_free(scene->pool);
}

static struct rte_mbuf *next_wanted(struct scene *scene, bool (*wanted)(struct rte_mbuf *))
{
    struct rte_mbuf *mbuf;

    while (rte_ring_dequeue(scene->worker->inject, (void **)&mbuf) == 0) {
        if (wanted(mbuf))
            return mbuf;
        rte_pktmbuf_free(mbuf);
    }
    return NULL;
}

struct rte_mbuf *scene_await(struct scene *scene, bool (*wanted)(struct rte_mbuf *), uint64_t ms)
{
    uint64_t deadline = fixture_ms() + ms;
    struct rte_mbuf *mbuf;

    while ((mbuf = next_wanted(scene, wanted)) == NULL && fixture_ms() < deadline)
        assert_int_equal(control_turn(scene->control), 0);
    return mbuf;
}

bool scene_turn_until(struct scene *scene, bool (*done)(const struct scene *), uint64_t ms)
{
    uint64_t deadline = fixture_ms() + ms;

    while (!done(scene) && fixture_ms() < deadline)
        assert_int_equal(control_turn(scene->control), 0);
    return done(scene);
}

void scene_punt(struct scene *scene, struct rte_mbuf *mbuf, uint8_t errand, const char *to)
{
    struct packet *packet = packet_of(mbuf);

    packet->errand = errand;
    packet->port = 0;
    if (to != NULL)
        packet->to = fixture_address(to);
    assert_int_equal(rte_ring_enqueue(scene->worker->punt, mbuf), 0);
}
