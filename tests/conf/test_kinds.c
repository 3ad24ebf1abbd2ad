// Networks, next hops and what users and hosts are compared with.
#include "reading.h"

static void test_networks(void **state)
{
    static const struct {
        const char *text;
        struct conf_network network;
    } cases[] = {
        {"192.0.2.0/24", {{{192, 0, 2}, 0, ENDPOINT_IP4, 0}, 24}},
        {"192.0.2.7", {{{192, 0, 2, 7}, 0, ENDPOINT_IP4, 0}, 32}},
        {"192.0.2.254/31", {{{192, 0, 2, 254}, 0, ENDPOINT_IP4, 0}, 31}},
        {"0.0.0.0/0", {{{0}, 0, ENDPOINT_IP4, 0}, 0}},
        {"2001:db8::/33", {{{0x20, 0x01, 0x0d, 0xb8}, 0, ENDPOINT_IP6, 0}, 33}},
        {"2001:db8::7", {{{0x20, 0x01, 0x0d, 0xb8, [15] = 7}, 0, ENDPOINT_IP6, 0}, 128}},
        {"[2001:db8::7]/128", {{{0x20, 0x01, 0x0d, 0xb8, [15] = 7}, 0, ENDPOINT_IP6, 0}, 128}},
        {"::/0", {{{0}, 0, ENDPOINT_IP6, 0}, 0}},
    };
    char text[512];
    int len = snprintf(text, sizeof(text), "%s[trust]\nnetworks =\n", READING_LEAST);

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "  %s,\n", cases[i].text);
    struct conf *conf = reading_good(text);
    assert_int_equal(conf->trusted_n, sizeof(cases) / sizeof(*cases));
    for (unsigned i = 0; i < conf->trusted_n; i++) {
        assert_true(endpoint_equal(&conf->trusted[i].address, &cases[i].network.address));
        assert_int_equal(conf->trusted[i].bits, cases[i].network.bits);
    }
    conf_free(conf);
}

#define STREAMS                                                                                 \
    "[certificate c]\nchain = c\nkey = k\n[listener t]\ntransport = tls\naddress = 192.0.2.1\n" \
    "[listener s]\ntransport = tcp\naddress = ::2\n"

static void test_hops(void **state)
{
    struct endpoint none = {.family = ENDPOINT_NONE}, four = endpoint_ip4(192, 0, 2, 9, 5060),
                    six = {{[15] = 1}, 5070, ENDPOINT_IP6, ENDPOINT_UDP, 0}, secure = four, stream = six;
    secure.transport = ENDPOINT_TLS;
    secure.port = 5061;
    stream.transport = ENDPOINT_TCP;
    const struct {
        const char *text, *host;
        struct endpoint address;
        uint16_t port;
        uint8_t transport;
    } cases[] = {
        {"GW.Example.com", "gw.example.com", none, 0, CONF_TRANSPORT_ANY},
        {"gw:65535", "gw", none, 65535, CONF_TRANSPORT_ANY},
        {"192.0.2.9", "192.0.2.9", four, 0, CONF_TRANSPORT_ANY},
        {"192.0.2.9:5060", "192.0.2.9", four, 5060, CONF_TRANSPORT_ANY},
        {"[0:0::1]:5070", "[::1]", six, 5070, CONF_TRANSPORT_ANY},
        {"gw;transport=udp", "gw", none, 0, ENDPOINT_UDP},
        {"192.0.2.9;Transport=TLS", "192.0.2.9", secure, 0, ENDPOINT_TLS}, // RFC 3261 19.1.2
        {"[0:0::1]:5070;transport=tcp", "[::1]", stream, 5070, ENDPOINT_TCP},
    };
    char text[512];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text), "[route r]\naction = hop\nhop = %s\n%s%s", cases[i].text, READING_LEAST,
                 STREAMS);
        struct conf *conf = reading_good(text);
        const struct conf_hop *hop = &conf->routes[0].hop;
        assert_string_equal(hop->host.text, cases[i].host);
        assert_int_equal(hop->host.len, strlen(cases[i].host));
        assert_true(endpoint_equal(&hop->address, &cases[i].address));
        assert_int_equal(hop->port, cases[i].port);
        assert_int_equal(hop->transport, cases[i].transport);
        conf_free(conf);
    }
}

static void test_matches(void **state)
{
    static const struct {
        const char *key, *value, *text;
        enum conf_match_kind kind;
    } cases[] = {
        {"user", "Bob", "Bob", CONF_MATCH_EXACT},
        {"user", "+49*", "+49", CONF_MATCH_PREFIX},
        {"user", "*", NULL, CONF_MATCH_ANY},
        {"user", "**", "*", CONF_MATCH_PREFIX},
        {"user", "/", "/", CONF_MATCH_EXACT},
        {"user", "/^(?:0|00)[1-9] +$/", "^(?:0|00)[1-9] +$", CONF_MATCH_REGEX},
        {"user", "/a*", "/a", CONF_MATCH_PREFIX},
        {"domain", "SIP.Example", "sip.example", CONF_MATCH_EXACT},
        {"domain", "2001:DB8::0:1", "[2001:db8::1]", CONF_MATCH_EXACT},
        {"domain", "192.0.*", "192.0.", CONF_MATCH_PREFIX},
        {"domain", "SIP*", "sip", CONF_MATCH_PREFIX},
        {"domain", "/\\.Example$/", "\\.Example$", CONF_MATCH_REGEX},
    };
    char text[256];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text), "[route r]\n%s = %s\n%s", cases[i].key, cases[i].value, READING_LEAST);
        struct conf *conf = reading_good(text);
        const struct conf_match *match =
            cases[i].key[0] == 'u' ? &conf->routes[0].user : &conf->routes[0].domain;
        assert_int_equal(match->kind, cases[i].kind);
        if (cases[i].text != NULL) {
            assert_string_equal(match->text.text, cases[i].text);
            assert_int_equal(match->text.len, strlen(cases[i].text));
        }
        conf_free(conf);
    }
}

static void test_rule_with_everything(void **state)
{
    struct conf *conf =
        reading_good("[route r]\nmethods = INVITE,\n  MESSAGE\nsource = 192.0.2.0/24, ::1\n"
                     "listener = main\nwho = untrusted\nstrip = 3\nprepend = 0049\n"
                     "set_domain = Carrier.Example:5080\naction = enum\nmode = stateless\n"
                     "[route s]\naction = reject\ncode = 404\nreason = Not here\n" READING_LEAST);
    const struct conf_route *route = &conf->routes[0];

    (void)state;
    assert_int_equal(route->methods_n, 2);
    assert_string_equal(route->methods[1].text, "MESSAGE");
    assert_int_equal(route->source_n, 2);
    assert_int_equal(route->source[1].bits, 128);
    assert_int_equal(route->listener, 0);
    assert_int_equal(route->who, CONF_WHO_UNTRUSTED);
    assert_int_equal(route->strip, 3);
    assert_string_equal(route->prepend.text, "0049");
    assert_string_equal(route->set_domain.text, "carrier.example:5080");
    assert_int_equal(route->set_domain.len, 20);
    assert_int_equal(route->action, CONF_ACTION_ENUM);
    assert_int_equal(route->mode, CONF_MODE_STATELESS);
    assert_int_equal(route[1].code, 404);
    assert_string_equal(route[1].reason.text, "Not here");
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_hops),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_rule_with_everything),
    };
    return cmocka_run_group_tests_name("conf kinds", tests, NULL, NULL);
}
