// Who a certificate stands for, and whose is expected.
#include "fixture.h"

#include <rte_malloc.h>
#include <stdio.h>

#include "control/loop.h"
#include "control/peer.h"
#include "name/name.h"
#include "role/policy.h"

static const char ini[] =
    "[port p]\ndevice = d\n[listener udp]\naddress = 198.18.0.1\nport = p\n"
    "[listener tls]\naddress = 198.18.0.1\ntransport = tls\n"
    "[certificate c]\nchain = c\nkey = k\n[domain example.com]\n"
    "[gateways g]\n"
    "[gateway stranger]\ngroup = g\naddress = 192.0.2.1\nidentity = west.example\n"
    "[gateway west]\ngroup = g\naddress = 192.0.2.2;transport=tls\nidentity = West.Example\n"
    "trusted = yes\n"
    "[gateway east]\ngroup = g\naddress = East.Example;transport=tls\n"
    "[gateway bare]\ngroup = g\naddress = 192.0.2.4:5071;transport=tls\n"
    "[route r]\naction = hop\nhop = hop.example:5081;transport=tls\n";

static struct {
    struct gateway_states *states;
    struct role_policy *policy;
    struct rte_rcu_qsbr *qsbr;
    struct name_table *names;
    struct rte_mempool *pool;
    struct control control;
} scene;

static const struct hash_key key = {1, 2};

static int begin(void **state)
{
    (void)state;
    struct conf *conf = conf_parse(ini, strlen(ini), "peer", stderr);
    assert_non_null(conf);
    assert_int_equal(gateway_states_create(&scene.states, 1, &memory_system), 0);
    scene.policy = role_policy_create(conf, scene.states, &key, 1, 1, stderr);
    assert_non_null(scene.policy);
    scene.qsbr = fixture_qsbr();
    assert_int_equal(name_table_create(&scene.names, 64, &key, scene.qsbr, &memory_system), 0);
    scene.pool = fixture_pool(2048);
    scene.control = (struct control){
        .now_ms = 1000,
        .setup = {.policy = &scene.policy, .conf = conf, .names = scene.names, .qsbr = scene.qsbr}};
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_pool_free(scene.pool);
    name_table_destroy(scene.names);
    rte_free(scene.qsbr);
    role_policy_destroy(scene.policy);
    gateway_states_destroy(scene.states);
    return 0;
}

static void test_a_name_stands_for_a_gateway(void **state)
{
    static const struct {
        const char *name, *gateway;                                  // NULL: nobody
    } cases[] = {{"west.example", "west"},                           // two have it, one is trusted
                 {"WEST.EXAMPLE", "west"}, {"east.example", "east"}, // by its address
                 {"192.0.2.4", "bare"},    {"192.0.2.2", NULL},      // which has another identity
                 {"example.com", NULL},    {"sub.west.example", NULL}, {"west.exampl", NULL}, {"", NULL}};

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint16_t peer = control_peer_identify(&scene.control, slice_text(cases[i].name));
        const char *found = NULL;
        if (peer != 0)
            found =
                scene.policy->conf->gateways[gateway_of_slot(scene.policy->gateways, (uint16_t)(peer - 1))]
                    .name;
        if ((found == NULL) != (cases[i].gateway == NULL) ||
            (found != NULL && strcmp(found, cases[i].gateway) != 0))
            fail_msg("%s: %s", cases[i].name, found != NULL ? found : "nobody");
    }
}

// The DNS said so.
static void learn(const char *name, uint16_t port, const char *address, uint16_t at)
{
    _Alignas(struct name_answer) char room[sizeof(struct name_answer) + sizeof(struct name_hop)] = {0};
    struct name_answer *answer = (void *)room;
    const struct name_question question = {slice_text(name), port, NAME_SIP, ENDPOINT_TLS};

    answer->expires_ms = 100000;
    answer->hops_n = 1;
    answer->hops[0].endpoint = fixture_address(address);
    answer->hops[0].endpoint.port = at;
    answer->hops[0].endpoint.transport = ENDPOINT_TLS;
    assert_int_equal(name_put(scene.names, &question, answer, 1000), 0);
}

#define REST                                                                                     \
    "Via: SIP/2.0/TLS via.example;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n" \
    "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

static void test_whoever_is_there_must_prove_a_name(void **state)
{
    static const char to_name[] = "OPTIONS sip:x@uri.example SIP/2.0\r\n" REST,
                      to_route[] = "OPTIONS sip:x@uri.example SIP/2.0\r\n"
                                   "Route: <sip:route.example;lr>, <sip:next.example;lr>\r\n" REST,
                      to_address[] = "OPTIONS sip:x@192.0.2.9 SIP/2.0\r\n" REST,
                      response[] = "SIP/2.0 200 OK\r\n" REST, garbage[] = "\r\n";
    static const struct {
        const char *to;
        uint16_t port;
        const char *text, *name; // NULL: an address
    } cases[] = {
        {"192.0.2.2", 5061, to_name, "west.example"},
        {"192.0.2.2", 5062, to_name, "uri.example"}, // another port is another server
        {"192.0.2.4", 5071, to_name, NULL},          // it is known by its address alone
        {"192.0.2.3", 5065, to_name, "east.example"},
        {"192.0.2.5", 5081, to_route, "hop.example"},
        {"192.0.2.9", 5061, to_name, "uri.example"},
        {"192.0.2.9", 5061, to_route, "route.example"},
        {"192.0.2.9", 5061, response, "via.example"},
        {"192.0.2.9", 5061, to_address, NULL},
        {"192.0.2.9", 5061, garbage, NULL},
    };
    char name[CONTROL_PEER_NAME_MAX];

    (void)state;
    learn("east.example", 0, "192.0.2.3", 5065);
    learn("hop.example", 5081, "192.0.2.5", 5081);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct endpoint to = fixture_address(cases[i].to);
        struct rte_mbuf *mbuf = fixture_frame(scene.pool, cases[i].text, strlen(cases[i].text));
        to.port = cases[i].port;
        to.transport = ENDPOINT_TLS;
        bool named = control_peer_expect(&scene.control, &to, mbuf, name);
        if (named != (cases[i].name != NULL) || (named && strcmp(name, cases[i].name) != 0))
            fail_msg("case %u: %s", i, named ? name : "an address");
        rte_pktmbuf_free(mbuf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_name_stands_for_a_gateway, begin, end),
        cmocka_unit_test_setup_teardown(test_whoever_is_there_must_prove_a_name, begin, end),
    };

    return cmocka_run_group_tests_name("control peer", tests, fixture_eal, fixture_eal_end);
}
