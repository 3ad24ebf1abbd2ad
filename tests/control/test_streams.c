// Control with a listener of TCP: its sockets, what workers get and give, what an operator sees. The test plays the worker.
#include "command_scene.h"

#include <arpa/inet.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/parts.h"
#include "role/policy.h"
#include "role/role.h"

#define PORT 5060
#define SAYS                                                                                \
    "OPTIONS sip:127.0.0.5 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\nFrom: " \
    "<sip:a@b>;tag=1\r\n"                                                                   \
    "To: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
#define HEARS                                                                                   \
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n" \
    "To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

static const struct hash_key key = {7, 8};

struct connected {
    struct commanded c; // first: callbacks get it
    struct rte_mempool *large;
    struct gateway_states *states;
    struct role_policy *policy;
};

static void open_connected(struct connected *s)
{
    char ini[512];

    memset(s, 0, sizeof(*s));
    commands_prepare(&s->c, NULL);
    struct scene *scene = &s->c.scene;
    snprintf(
        ini, sizeof(ini),
        "[port p]\ndevice = net_null0\ntwin = sip0\n[listener udp]\naddress = 127.0.0.5\nport = p\n"
        "[listener tcp]\naddress = 127.0.0.5\ntransport = tcp\n[control]\nsocket = %s\n[network]\n"
        "route_max = 1024\nneighbour_max = 64\n[stream]\nconnections_max = 64\nconnections_source_max = 64\n",
        s->c.path);
    struct conf *conf = conf_parse(ini, strlen(ini), "streams", stderr);
    assert_non_null(conf);
    assert_int_equal(gateway_states_create(&s->states, 1, &memory_system), 0);
    s->policy = role_policy_create(conf, s->states, &key, 1, 1, stderr);
    assert_non_null(s->policy);
    s->policy->generation = 5;
    s->large = fixture_pool(20000);
    scene->setup.conf = conf;
    scene->setup.policy = &s->policy;
    scene->setup.gateways = s->states;
    scene->setup.large = s->large;
    // Without a path there is nothing to reload, without names nothing to look up: control's own parts alone.
    scene->control = NULL;
    assert_int_equal(name_table_create(&scene->setup.names, 64, &key, s->c.qsbr, &memory_system), 0);
    scene->worker->role = rte_zmalloc(NULL, sizeof(struct role), 0);
    assert_int_equal(control_create(&scene->control, &scene->setup), 0);
}

static void close_connected(struct connected *s)
{
    struct name_table *names = s->c.scene.setup.names;
    struct role *role = s->c.scene.worker->role;
    struct rte_mbuf *mbuf;

    control_destroy(s->c.scene.control);
    s->c.scene.control = NULL;
    while (rte_ring_dequeue(s->c.scene.worker->inject, (void **)&mbuf) == 0)
        rte_pktmbuf_free(mbuf);
    fixture_pool_free(s->large);
    name_table_destroy(names);
    rte_free(role);
    role_policy_destroy(s->policy);
    gateway_states_destroy(s->states);
    commands_close(&s->c);
}

static int connect_peer(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.5", &to.sin_addr), 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static bool is_served(struct rte_mbuf *mbuf)
{
    return packet_of(mbuf)->errand == PACKET_SERVE;
}

static bool is_unsent(struct rte_mbuf *mbuf)
{
    return packet_of(mbuf)->errand == PACKET_UNSENT;
}

// What a worker got of this peer.
static struct rte_mbuf *served(struct connected *s, int peer)
{
    assert_int_equal(write(peer, SAYS, strlen(SAYS)), strlen(SAYS));
    struct rte_mbuf *mbuf = scene_await(&s->c.scene, is_served, 10000);
    assert_non_null(mbuf);
    return mbuf;
}

static void answer(struct connected *s, const struct endpoint *to)
{
    struct rte_mbuf *mbuf = fixture_frame(s->c.scene.pool, HEARS, strlen(HEARS));

    packet_of(mbuf)->to = *to;
    packet_of(mbuf)->listener = 1;
    scene_punt(&s->c.scene, mbuf, PACKET_STREAM, NULL);
}

static void test_message_comes_to_a_worker_and_its_answer_back(void **state)
{
    struct connected s;
    char heard[1024] = "";

    (void)state;
    open_connected(&s);
    int peer = connect_peer();
    struct rte_mbuf *mbuf = served(&s, peer);
    const struct packet *packet = packet_of(mbuf);
    assert_int_equal(packet->generation, PACKET_UNSTEERED); // whoever takes it steers it, under 4 and 5 alike
    assert_int_equal(packet->frame.payload, 0);
    assert_int_equal(packet->frame.payload_len, strlen(SAYS));
    assert_int_equal(packet->arrival.listener, 1);
    assert_int_equal(packet->arrival.source.transport, ENDPOINT_TCP);
    assert_int_not_equal(packet->arrival.source.flow, 0);
    assert_int_equal(packet->message.method, SIP_METHOD_OPTIONS);
    answer(&s, &packet->arrival.source);
    for (uint64_t end = fixture_ms() + 10000; recv(peer, heard, sizeof(heard) - 1, MSG_DONTWAIT) <= 0;) {
        assert_int_equal(control_turn(s.c.scene.control), 0);
        assert_true(fixture_ms() < end);
    }
    assert_string_equal(heard, HEARS);
    close(peer);
    rte_pktmbuf_free(mbuf);
    close_connected(&s);
}

static bool peer_has_gone(const struct scene *scene)
{
    return stream_counters(scene->control->streams)->ends[STREAM_END_PEER] == 1;
}

static void test_answer_to_a_connection_that_has_gone_comes_back(void **state)
{
    struct connected s;

    (void)state;
    open_connected(&s);
    int peer = connect_peer();
    struct rte_mbuf *mbuf = served(&s, peer);
    close(peer);
    assert_true(scene_turn_until(&s.c.scene, peer_has_gone, 10000));
    answer(&s, &packet_of(mbuf)->arrival.source);
    struct rte_mbuf *unsent = scene_await(&s.c.scene, is_unsent, 10000);
    assert_non_null(unsent);
    assert_memory_equal(rte_pktmbuf_mtod(unsent, char *), HEARS, strlen(HEARS));
    assert_int_equal(s.c.scene.control->counters.drops[DROP_STREAM_UNSENT], 1);
    rte_pktmbuf_free(unsent);
    rte_pktmbuf_free(mbuf);
    close_connected(&s);
}

static bool waits(const struct scene *scene)
{
    return stream_counters(scene->control->streams)->waited > 0;
}

// What workers have no room for stays with the kernel, and a part of the ring is left to others.
static void test_full_ring_holds_connections_back(void **state)
{
    struct connected s;
    struct rte_mbuf *mbuf;
    unsigned n = 0;

    (void)state;
    open_connected(&s);
    int peer = connect_peer();
    for (unsigned i = 0; i < 3 * SCENE_RING; i++)
        assert_int_equal(write(peer, SAYS, strlen(SAYS)), strlen(SAYS));
    assert_true(scene_turn_until(&s.c.scene, waits, 10000));
    while (rte_ring_dequeue(s.c.scene.worker->inject, (void **)&mbuf) == 0) {
        n += is_served(mbuf); // beside them the kernel's frames
        rte_pktmbuf_free(mbuf);
    }
    assert_in_range(n, 1, SCENE_RING - SCENE_RING / 4);
    for (; n < 3 * SCENE_RING && (mbuf = scene_await(&s.c.scene, is_served, 10000)) != NULL; n++)
        rte_pktmbuf_free(mbuf);
    assert_int_equal(n, 3 * SCENE_RING);
    close(peer);
    close_connected(&s);
}

static void test_operator_sees_every_connection(void **state)
{
    struct connected s;
    int peers[40];
    char name[32];

    (void)state;
    open_connected(&s);
    for (unsigned i = 0; i < RTE_DIM(peers); i++) {
        peers[i] = connect_peer();
        rte_pktmbuf_free(served(&s, peers[i]));
    }
    int fd = commands_greet(&s.c);
    json_t *reply = commands_take(&s.c, fd, "connections");
    const json_t *row = json_array_get(json_object_get(reply, "rows"), 0);
    assert_int_equal(json_array_size(json_object_get(reply, "rows")), RTE_DIM(peers));
    snprintf(name, sizeof(name), "%.10s", json_string_value(json_object_get(row, "peer")));
    assert_string_equal(name, "127.0.0.1:");
    assert_string_equal(json_string_value(json_object_get(row, "transport")), "tcp");
    assert_string_equal(json_string_value(json_object_get(row, "listener")), "tcp");
    assert_string_equal(json_string_value(json_object_get(row, "direction")), "in");
    assert_int_equal(json_integer_value(json_object_get(row, "received")), 1);
    assert_true(json_is_null(json_object_get(row, "name")));
    json_decref(reply);
    reply = commands_take(&s.c, fd, "status");
    assert_int_equal(json_integer_value(json_object_get(reply, "connections")), RTE_DIM(peers));
    assert_int_equal(json_integer_value(json_object_get(reply, "connections_max")), 64);
    json_decref(reply);
    close(fd);
    for (unsigned i = 0; i < RTE_DIM(peers); i++)
        close(peers[i]);
    close_connected(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_comes_to_a_worker_and_its_answer_back),
        cmocka_unit_test(test_answer_to_a_connection_that_has_gone_comes_back),
        cmocka_unit_test(test_full_ring_holds_connections_back),
        cmocka_unit_test(test_operator_sees_every_connection),
    };

    return cmocka_run_group_tests_name("control streams", tests, fixture_eal, fixture_eal_end);
}
