#include "dns_scene.h"

#include <rte_malloc.h>
#include <stdio.h>

#include "worker/parked.h"

static const char *const listeners = "[listener four]\naddress = 198.18.0.1:5060\nport = p\n"
                                     "[listener six]\naddress = [2001:db8::1]:5060\nport = p\n";

static void release(void *owner, struct rte_mbuf *mbuf, uint16_t worker)
{
    struct dns_scene *scene = owner;

    assert_int_equal(packet_of(mbuf)->errand, PACKET_SERVE);
    if (packet_of(mbuf)->arrival.nameless) {
        scene->nameless_n++;
    } else {
        assert_in_range(scene->served_n, 0, DNS_SCENE_SERVED_MAX - 1);
        scene->served[scene->served_n++] = *rte_pktmbuf_mtod(mbuf, const char *);
    }
    scene->worker = worker;
    rte_pktmbuf_free(mbuf);
}

static void drop(void *owner, struct rte_mbuf *mbuf, enum drop reason)
{
    struct dns_scene *scene = owner;

    scene->dropped[reason]++;
    rte_pktmbuf_free(mbuf);
}

static void resolved(void *owner, unsigned gateway, const struct endpoint *endpoints, unsigned n)
{
    struct dns_scene *scene = owner;

    assert_in_range(n, 1, NAME_HOPS_MAX);
    scene->resolved_n++;
    scene->gateway = gateway;
    scene->address = endpoints[0];
}

struct conf *dns_scene_conf(const struct dns_scene *scene, const char *more)
{
    char ini[4096];

    snprintf(ini, sizeof(ini),
             "[dns]\nservers = 127.0.0.1:%u\ntimeout = 150ms\ntries = 1\nttl_min = 5\nttl_max = 1000\n"
             "negative_ttl = 7\nparked_max = 16\nenum_suffix = e164.example\n[port p]\ndevice = net_null0\n%s"
             "[domain d]\nnames = here.example.com\n%s",
             scene->server.port, strncmp(more, "[listener", 9) == 0 ? "" : listeners, more);
    struct conf *conf = conf_parse(ini, strlen(ini), "scene", stderr);
    assert_non_null(conf);
    return conf;
}

void dns_scene_open(struct dns_scene *scene, const char *more)
{
    const struct hash_key key = {3, 4};

    memset(scene, 0, sizeof(*scene));
    nameserver_open(&scene->server);
    scene->pool = fixture_pool(512);
    scene->qsbr = fixture_qsbr();
    scene->base = event_base_new();
    scene->conf = dns_scene_conf(scene, more);
    scene->now_ms = 1000000;
    assert_non_null(scene->base);
    assert_int_equal(name_table_create(&scene->names, 64, &key, scene->qsbr, &memory_system), 0);
    const struct control_dns_setup setup = {.conf = scene->conf,
                                            .base = scene->base,
                                            .names = scene->names,
                                            .memory = &memory_system,
                                            .release = release,
                                            .drop = drop,
                                            .resolved = resolved,
                                            .owner = scene};
    assert_int_equal(control_dns_create(&scene->dns, &setup), 0);
}

void dns_scene_close(struct dns_scene *scene)
{
    control_dns_destroy(scene->dns);
    event_base_free(scene->base);
    name_table_destroy(scene->names);
    conf_free(scene->conf);
    rte_free(scene->qsbr);
    fixture_pool_free(scene->pool);
    nameserver_close(&scene->server);
}

static uint8_t any_transport(uint8_t kind)
{
    return kind == NAME_ENUM ? 0 : NAME_TRANSPORT_ANY;
}

static void park(struct dns_scene *scene, const struct name_question *question, char byte)
{
    struct rte_mbuf *mbuf = fixture_frame(scene->pool, &byte, 1);
    const struct parked parked = {question->name, question->port, question->kind, question->transport};

    assert_true(packet_park_write(mbuf, &parked));
    packet_of(mbuf)->errand = PACKET_RESOLVE;
    packet_of(mbuf)->arrival.nameless = false;
    control_dns_park(scene->dns, mbuf, 3, scene->now_ms);
}

void dns_scene_park(struct dns_scene *scene, const char *name, uint16_t port, uint8_t kind, char byte)
{
    const struct name_question question = {slice_text(name), port, kind, any_transport(kind)};

    park(scene, &question, byte);
}

static unsigned ended(const struct dns_scene *scene)
{
    unsigned n = scene->served_n + scene->nameless_n;

    for (unsigned i = 0; i < DROP_COUNT; i++)
        n += scene->dropped[i];
    return n;
}

static void nothing(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument;
}

// One round of the loop, of 20 ms at most.
static void turn(struct dns_scene *scene, uint64_t deadline)
{
    const struct timeval nap = {.tv_usec = 20000};

    assert_true(fixture_ms() < deadline);
    assert_int_equal(event_base_once(scene->base, -1, EV_TIMEOUT, nothing, NULL, &nap), 0);
    assert_true(event_base_loop(scene->base, EVLOOP_ONCE) >= 0);
}

void dns_scene_await(struct dns_scene *scene, unsigned messages)
{
    uint64_t deadline = fixture_ms() + 60000;

    while (ended(scene) < messages)
        turn(scene, deadline);
}

struct control_dns_counters dns_scene_counters(const struct dns_scene *scene)
{
    struct control_dns_counters counters;

    control_dns_counters(scene->dns, &counters);
    return counters;
}

void dns_scene_await_lookups(struct dns_scene *scene, uint64_t lookups)
{
    uint64_t deadline = fixture_ms() + 60000;
    struct control_dns_counters counters = dns_scene_counters(scene);

    while (counters.found + counters.absent + counters.failures < lookups) {
        turn(scene, deadline);
        counters = dns_scene_counters(scene);
    }
}

const struct name_answer *dns_scene_find(const struct dns_scene *scene, const char *name, uint16_t port,
                                         uint8_t kind)
{
    const struct name_question question = {slice_text(name), port, kind, any_transport(kind)};

    return name_find(scene->names, &question, scene->now_ms);
}

const struct name_answer *dns_scene_ask(struct dns_scene *scene, const char *name, uint16_t port,
                                        uint8_t kind)
{
    return dns_scene_ask_over(scene, name, port, kind, any_transport(kind));
}

const struct name_answer *dns_scene_ask_over(struct dns_scene *scene, const char *name, uint16_t port,
                                             uint8_t kind, uint8_t transport)
{
    const struct name_question question = {slice_text(name), port, kind, transport};
    unsigned before = ended(scene);

    park(scene, &question, 'm');
    dns_scene_await(scene, before + 1);
    const struct name_answer *answer = name_find(scene->names, &question, scene->now_ms);
    assert_non_null(answer);
    return answer;
}

const char *dns_scene_hops(const struct name_answer *answer)
{
    static const char *const transports[] = {"", ";tcp", ";tls", ";ws", ";wss"};
    static char text[NAME_HOPS_MAX * 80];
    size_t n = 0;

    text[0] = 0;
    for (unsigned i = 0; i < answer->hops_n; i++) {
        const struct name_hop *hop = &answer->hops[i];
        char endpoint[ENDPOINT_TEXT_MAX];
        endpoint[endpoint_write(&hop->endpoint, endpoint)] = 0;
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s/%u/%u", i == 0 ? "" : " ", endpoint,
                              transports[hop->endpoint.transport], hop->priority, hop->weight);
    }
    return text;
}
