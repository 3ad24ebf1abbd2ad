// RFC 3263 4.1 and 4.2: which transport a name is spoken to over, by what the URI says, what the DNS says and what this
// server has listeners for.
#include "dns_scene.h"

#include <stdio.h>

#define CERTIFICATE "[certificate c]\nchain = /nowhere/chain.pem\nkey = /nowhere/key.pem\n"
#define UDP         "[listener udp]\naddress = 198.18.0.1:5060\nport = p\n"
#define TCP         "[listener tcp]\naddress = 198.18.0.1:5060\ntransport = tcp\n"
#define TLS         "[listener tls]\naddress = 198.18.0.1:5061\ntransport = tls\n"
#define WSS         "[listener wss]\naddress = 198.18.0.1:443\ntransport = wss\n"
#define TCP6        "[listener tcp6]\naddress = [2001:db8::1]:5060\ntransport = tcp\n"

#define ANY NAME_TRANSPORT_ANY

// RFC 3263 4.1's example, with addresses.
static const char *const rfc3263[] = {
    "example.com NAPTR 50 50 s SIPS+D2T '' _sips._tcp.example.com",
    "example.com NAPTR 90 50 s SIP+D2T '' _sip._tcp.example.com",
    "example.com NAPTR 100 50 s SIP+D2U '' _sip._udp.example.com",
    "_sip._tcp.example.com SRV 0 1 5060 server1.example.com",
    "_sip._tcp.example.com SRV 0 2 5060 server2.example.com",
    "_sip._udp.example.com SRV 0 1 5060 server1.example.com",
    "_sips._tcp.example.com SRV 0 1 5061 server1.example.com",
    "server1.example.com A 192.0.2.1",
    "server2.example.com A 192.0.2.2",
    "example.com A 192.0.2.9",
};

// The same zone without NAPTR.
static const char *const services[] = {
    "_sip._tcp.example.com SRV 0 1 5070 server1.example.com",
    "_sip._udp.example.com SRV 0 1 5060 server1.example.com",
    "_sips._tcp.example.com SRV 0 1 5071 server2.example.com",
    "server1.example.com A 192.0.2.1",
    "server2.example.com A 192.0.2.2",
    "example.com A 192.0.2.9",
};

static const char *const secure_only[] = {
    "_sips._tcp.example.com SRV 0 1 5071 server2.example.com",
    "server2.example.com A 192.0.2.2",
    "example.com A 192.0.2.9",
};

static const char *const address_only[] = {"example.com A 192.0.2.9", "example.com AAAA 2001:db8::9"};

struct zone {
    const char *const *records;
    unsigned n;
};

#define ZONE(records)             \
    {                             \
        records, RTE_DIM(records) \
    }

static const struct question {
    const char *name; // of the test
    const char *listeners;
    struct zone zone;
    uint16_t port;
    uint8_t kind;
    uint8_t transport;
    const char *hops;
} questions[] = {
    // RFC 3263 4.1: "Since the client supports TCP and UDP, TCP will be used"
    {"the example of RFC 3263", UDP TCP, ZONE(rfc3263), 0, NAME_SIP, ANY,
     "192.0.2.2:5060;tcp/0/2 192.0.2.1:5060;tcp/0/1"},
    {"SIPS is retained for sip where TLS is there", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 0, NAME_SIP, ANY,
     "192.0.2.1:5061;tls/0/1"},
    {"UDP alone", UDP, ZONE(rfc3263), 0, NAME_SIP, ANY, "192.0.2.1:5060/0/1"},
    {"TCP alone", TCP, ZONE(rfc3263), 0, NAME_SIP, ANY, "192.0.2.2:5060;tcp/0/2 192.0.2.1:5060;tcp/0/1"},
    {"sips takes SIPS alone", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 0, NAME_SIPS, ANY,
     "192.0.2.1:5061;tls/0/1"},
    {"sips without a TLS listener leads nowhere", UDP TCP, ZONE(rfc3263), 0, NAME_SIPS, ANY, ""},
    // 4.1: a transport that the URI says: no NAPTR
    {"transport=tcp", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 0, NAME_SIP, ENDPOINT_TCP,
     "192.0.2.2:5060;tcp/0/2 192.0.2.1:5060;tcp/0/1"},
    {"transport=udp", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 0, NAME_SIP, ENDPOINT_UDP,
     "192.0.2.1:5060/0/1"},
    {"transport=tls", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 0, NAME_SIP, ENDPOINT_TLS,
     "192.0.2.1:5061;tls/0/1"},
    {"sips and transport=tcp is TLS", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 0, NAME_SIPS, ENDPOINT_TCP,
     "192.0.2.1:5061;tls/0/1"},
    {"sips and transport=udp is nothing", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 0, NAME_SIPS, ENDPOINT_UDP,
     ""},
    {"transport=tcp without a TCP listener", UDP, ZONE(rfc3263), 0, NAME_SIP, ENDPOINT_TCP, ""},
    {"a transport that nobody knows", UDP TCP, ZONE(rfc3263), 0, NAME_SIP, 9, ""},
    // 4.1, 4.2: a port: neither NAPTR nor SRV, UDP or TLS
    {"a port is UDP", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 5080, NAME_SIP, ANY, "192.0.2.9:5080/0/0"},
    {"a port of sips is TLS", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 5080, NAME_SIPS, ANY,
     "192.0.2.9:5080;tls/0/0"},
    {"a port and transport=tcp", UDP TCP TLS CERTIFICATE, ZONE(rfc3263), 5080, NAME_SIP, ENDPOINT_TCP,
     "192.0.2.9:5080;tcp/0/0"},
    {"a port where there is TCP alone", TCP, ZONE(rfc3263), 5080, NAME_SIP, ANY, "192.0.2.9:5080;tcp/0/0"},
    // 4.1: no NAPTR: SRV of the transports that are supported
    {"without NAPTR UDP comes first", UDP TCP TLS CERTIFICATE, ZONE(services), 0, NAME_SIP, ANY,
     "192.0.2.1:5060/0/1"},
    {"without NAPTR, TCP and TLS", TCP TLS CERTIFICATE, ZONE(services), 0, NAME_SIP, ANY,
     "192.0.2.1:5070;tcp/0/1"},
    {"without NAPTR, TLS alone", TLS CERTIFICATE, ZONE(services), 0, NAME_SIP, ANY, "192.0.2.2:5071;tls/0/1"},
    {"sips without NAPTR", UDP TCP TLS CERTIFICATE, ZONE(services), 0, NAME_SIPS, ANY,
     "192.0.2.2:5071;tls/0/1"},
    {"a domain with TLS alone is found by sip, too", UDP TCP TLS CERTIFICATE, ZONE(secure_only), 0, NAME_SIP,
     ANY, "192.0.2.2:5071;tls/0/1"},
    {"a domain with TLS alone where there is none", UDP TCP, ZONE(secure_only), 0, NAME_SIP, ANY,
     "192.0.2.9:5060/0/0"},
    // 4.1, 4.2: no SRV: UDP, TLS for sips, at their ports
    {"addresses are UDP", UDP TCP TLS CERTIFICATE, ZONE(address_only), 0, NAME_SIP, ANY,
     "192.0.2.9:5060/0/0"},
    {"addresses of sips are TLS", UDP TCP TLS CERTIFICATE, ZONE(address_only), 0, NAME_SIPS, ANY,
     "192.0.2.9:5061;tls/0/0"},
    {"addresses with transport=tls", UDP TCP TLS CERTIFICATE, ZONE(address_only), 0, NAME_SIP, ENDPOINT_TLS,
     "192.0.2.9:5061;tls/0/0"},
    {"addresses with transport=tcp", UDP TCP TLS CERTIFICATE, ZONE(address_only), 0, NAME_SIP, ENDPOINT_TCP,
     "192.0.2.9:5060;tcp/0/0"},
    // RFC 7118 5.5: 443
    {"sips and transport=ws", UDP WSS CERTIFICATE, ZONE(address_only), 0, NAME_SIPS, ENDPOINT_WS,
     "192.0.2.9:443;wss/0/0"},
    {"WebSocket is not led to by the DNS", WSS CERTIFICATE, ZONE(rfc3263), 0, NAME_SIP, ANY, ""},
    // a family counts with its transport
    {"UDP of IPv4 and TCP of IPv6: UDP", UDP TCP6, ZONE(address_only), 0, NAME_SIP, ENDPOINT_UDP,
     "192.0.2.9:5060/0/0"},
    {"UDP of IPv4 and TCP of IPv6: TCP", UDP TCP6, ZONE(address_only), 0, NAME_SIP, ENDPOINT_TCP,
     "[2001:db8::9]:5060;tcp/0/0"},
};

static void test_question(void **state)
{
    const struct question *question = *state;
    struct dns_scene s;

    dns_scene_open(&s, question->listeners);
    for (unsigned i = 0; i < question->zone.n; i++)
        nameserver_add(&s.server, "%s", question->zone.records[i]);
    const struct name_answer *answer =
        dns_scene_ask_over(&s, "example.com", question->port, question->kind, question->transport);
    assert_string_equal(dns_scene_hops(answer), question->hops);
    assert_false(answer->failed);
    bool any = question->transport == ANY && question->port == 0 && question->hops[0] != 0;
    assert_int_equal(nameserver_asked_for(&s.server, "example.com NAPTR udp"), any);
    dns_scene_close(&s);
}

static void test_what_was_said_of_one_transport_says_nothing_of_another(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, UDP TCP TLS CERTIFICATE);
    for (unsigned i = 0; i < RTE_DIM(rfc3263); i++)
        nameserver_add(&s.server, "%s", rfc3263[i]);
    dns_scene_ask_over(&s, "example.com", 0, NAME_SIP, ENDPOINT_TCP);
    assert_null(dns_scene_find(&s, "example.com", 0, NAME_SIP));
    assert_null(dns_scene_find(&s, "example.com", 0, NAME_SIPS));
    // Two messages that wait for the same name by different transports wait for different lookups.
    nameserver_add(&s.server, "slow.example.com ! silent");
    uint64_t before = dns_scene_counters(&s).lookups;
    dns_scene_park(&s, "slow.example.com", 5060, NAME_SIP, 'a');
    dns_scene_park(&s, "slow.example.com", 5060, NAME_SIPS, 'b');
    assert_int_equal(dns_scene_counters(&s).lookups, before + 2);
    dns_scene_await(&s, 3);
    dns_scene_close(&s);
}

static void test_a_gateways_name_is_asked_for_over_its_transport(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, UDP TCP TLS CERTIFICATE
                   "[gateways g]\n[gateway a]\ngroup = g\naddress = gw.example.com;transport=tls\n");
    nameserver_add(&s.server, "_sips._tcp.gw.example.com SRV 0 1 5071 server2.example.com");
    nameserver_add(&s.server, "server2.example.com A 192.0.2.2");
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 1);
    assert_int_equal(s.resolved_n, 1);
    assert_int_equal(s.address.port, 5071);
    assert_int_equal(s.address.transport, ENDPOINT_TLS);
    dns_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest named[] = {
        cmocka_unit_test(test_what_was_said_of_one_transport_says_nothing_of_another),
        cmocka_unit_test(test_a_gateways_name_is_asked_for_over_its_transport),
    };
    struct CMUnitTest tests[RTE_DIM(questions)];

    for (unsigned i = 0; i < RTE_DIM(questions); i++)
        tests[i] = (struct CMUnitTest){.name = questions[i].name,
                                       .test_func = test_question,
                                       .initial_state = (void *)(uintptr_t)&questions[i]};
    int failed = cmocka_run_group_tests(tests, fixture_eal, NULL);

    return failed + cmocka_run_group_tests(named, NULL, fixture_eal_end);
}
