#include "mirror_scene.h"

#include <poll.h>
#include <rte_malloc.h>

static void note(void *owner, const struct control_neighbour *neighbour, bool ready)
{
    struct mirror_scene *scene = owner;

    scene->last = *neighbour;
    scene->ready_n += ready;
    scene->failed_n += !ready;
}

static void open_mirror(struct mirror_scene *scene, uint32_t candidates)
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

void mirror_scene_open(struct mirror_scene *scene)
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

void mirror_scene_close(struct mirror_scene *scene)
{
    control_mirror_destroy(scene->mirror);
    for (unsigned i = 0; i < RTE_DIM(scene->twins); i++)
        control_twin_close(&scene->twins[i]);
    net_hops_destroy(scene->hops);
    rte_free(scene->qsbr);
    fixture_pool_free(scene->pool);
}

void mirror_scene_load(struct mirror_scene *scene)
{
    assert_int_equal(control_mirror_load(scene->mirror, 10000), 0);
}

void mirror_scene_follow(struct mirror_scene *scene)
{
    struct pollfd readable = {.fd = control_mirror_fd(scene->mirror), .events = POLLIN};

    do {
        control_mirror_read(scene->mirror);
        control_mirror_tick(scene->mirror);
    } while (poll(&readable, 1, 20) > 0);
}

struct expected {
    const char *destination;
    uint8_t state;
    const struct rte_ether_addr *mac; // NULL: any
    uint16_t port;
    const struct endpoint *gateway; // NULL: any
};

static bool holds(const struct mirror_scene *scene, const struct expected *expected)
{
    const struct net_hop *hop = fixture_hop(scene->hops, expected->destination);

    if (expected->gateway != NULL)
        return endpoint_same_address(&hop->address, expected->gateway);
    if (hop->state != expected->state)
        return false;
    return expected->mac == NULL ||
           (rte_is_same_ether_addr(&hop->mac, expected->mac) && hop->port == expected->port &&
            hop->source.addr_bytes[5] == expected->port && hop->mtu == 1500 && hop->vlan == 0);
}

static void expect(struct mirror_scene *scene, const struct expected *expected)
{
    uint64_t deadline = fixture_ms() + 5000;

    while (!holds(scene, expected) && fixture_ms() < deadline)
        mirror_scene_follow(scene);
    if (!holds(scene, expected))
        fail_msg("%s: state %u", expected->destination,
                 fixture_hop(scene->hops, expected->destination)->state);
}

void mirror_scene_expect(struct mirror_scene *scene, const char *destination, uint8_t state)
{
    expect(scene, &(struct expected){.destination = destination, .state = state});
}

void mirror_scene_expect_ready(struct mirror_scene *scene, const char *destination, const char *mac,
                               uint16_t port)
{
    struct rte_ether_addr wanted = fixture_mac(mac);

    expect(scene, &(struct expected){destination, NET_HOP_READY, &wanted, port, NULL});
}

void mirror_scene_expect_gateway(struct mirror_scene *scene, const char *destination, const char *gateway)
{
    struct endpoint address = fixture_address(gateway);

    expect(scene, &(struct expected){.destination = destination, .gateway = &address});
}

void mirror_scene_reopen(struct mirror_scene *scene, uint32_t candidates)
{
    control_mirror_destroy(scene->mirror);
    open_mirror(scene, candidates);
}
