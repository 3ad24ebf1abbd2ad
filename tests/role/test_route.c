// Whose a URI is, and the table's memory.
#include "mixed.h"

#include <stdio.h>
#include <string.h>

static unsigned allocations, failing;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return ++allocations == failing ? NULL : __real_calloc(n, size);
}

static int set_up(void **state)
{
    *state = fixture_open(fixture_conf, 1);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

#define ELSEWHERE                            \
    {                                        \
        ROLE_ELSEWHERE, CONF_NONE, CONF_NONE \
    }

static const struct {
    const char *uri;
    struct role_where where;
} uris[] = {
    {"sip:a@example.com", {ROLE_DOMAIN, CONF_NONE, 0}},
    {"sip:EXAMPLE.Net", {ROLE_DOMAIN, CONF_NONE, 0}},
    {"sip:a@example.com.", {ROLE_DOMAIN, CONF_NONE, 0}},
    {"sips:a@example.com", {ROLE_DOMAIN, CONF_NONE, 0}},
    {"sip:a@example.com:5060", {ROLE_DOMAIN, CONF_NONE, 0}},
    {"sip:a@redirect.example", {ROLE_DOMAIN, CONF_NONE, 1}},
    {"sip:a@198.18.0.1", {ROLE_HERE, 0, CONF_NONE}},
    {"sip:a@198.18.0.1:5060", {ROLE_HERE, 0, CONF_NONE}},
    {"sip:[2001:db8::1]", {ROLE_HERE, 2, CONF_NONE}},
    {"sip:[2001:0DB8:0:0:0:0:0:1]:5060", {ROLE_HERE, 2, CONF_NONE}},
    {"sip:a@198.18.1.1", {ROLE_DOMAIN, 1, 0}},
    {"sip:a@198.18.1.1:5060", {ROLE_DOMAIN, 1, 0}},
    {"sip:a@xexample.com", ELSEWHERE},
    {"sip:a@example.co", ELSEWHERE},
    {"sip:a@sub.example.com", ELSEWHERE},
    {"sip:a@198.18.0.2", ELSEWHERE},
    {"sip:a@198.18.0.1:5061", ELSEWHERE},
    {"sips:a@198.18.0.1", ELSEWHERE},
    {"sip:a@198.18.1.1:5061", ELSEWHERE},
    {"sip:a@[2001:db8::2]", ELSEWHERE},
    {"tel:+44", ELSEWHERE},
};

static void test_whose_a_uri_is(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof(uris) / sizeof(*uris); i++) {
        struct sip_uri uri;
        assert_int_equal(sip_uri_parse(slice_text(uris[i].uri), &uri), SIP_OK);
        struct role_where where = role_route_where(f->route, &uri);
        bool same = where.place == uris[i].where.place &&
                    (where.place == ROLE_ELSEWHERE ||
                     (where.listener == uris[i].where.listener && where.domain == uris[i].where.domain));
        if (!same)
            fail_msg("%s: place %u, listener %d, domain %d", uris[i].uri, where.place, where.listener,
                     where.domain);
    }
}

static void test_a_port_that_no_listener_has_makes_a_domain_foreign(void **state)
{
    struct fixture *f = *state;
    struct sip_uri uri;

    assert_int_equal(sip_uri_parse(SLICE("sip:a@example.com:5061"), &uri), SIP_OK);
    assert_int_equal(role_route_where(f->route, &uri).place, ROLE_ELSEWHERE);
}

static void test_advertised_address_is_ours_and_what_peers_see(void **state)
{
    static const char conf[] = "[server]\nserver_header =\n[port p]\ndevice = net_null0\n[listener a]\n"
                               "address = 198.18.0.1:5060\nadvertised = 203.0.113.10:5070\nport = p\n"
                               "[domain example.com]\n[trust]\nnetworks = 192.0.2.4\n";
    struct fixture *f = fixture_open(conf, 1);
    struct endpoint own = endpoint_ip4(198, 18, 0, 1, 5060);
    struct endpoint advertised = endpoint_ip4(203, 0, 113, 10, 5070);

    (void)state;
    assert_int_equal(role_route_listener(f->route, &own), 0);
    assert_int_equal(role_route_listener(f->route, &advertised), 0);
    const struct sip_via via = {.host = SLICE("203.0.113.10"), .port = 5070, .transport = SIP_TRANSPORT_UDP};
    assert_int_equal(role_route_sent_by(f->route, &via), 0);
    fixture_request(f, "INVITE sip:x@192.0.2.9");
    fixture_expect(f, "INVITE",
                   "forward 192.0.2.9:5060 by 0\n+Via: SIP/2.0/UDP 203.0.113.10:5070;branch=BRANCH\n"
                   "+Record-Route: <sip:FLOW@203.0.113.10:5070;lr>");
    fixture_close(f);
}

// Of listeners with one address the transport decides; a transport that none of them has does not make it another's.
static void test_which_listener_a_uri_means(void **state)
{
    static const struct {
        const char *uri;
        int listener; // -2: not ours
    } cases[] = {
        {"sip:198.18.0.1", MIXED_UDP},
        {"sip:198.18.0.1:5060;lr", MIXED_UDP},
        {"sip:198.18.0.1:5060;transport=udp", MIXED_UDP},
        {"sip:198.18.0.1;transport=tcp;lr", MIXED_TCP},
        {"sip:198.18.0.1:5060;transport=TCP", MIXED_TCP},
        {"sip:198.18.0.1;transport=tls", MIXED_TLS},
        {"sip:198.18.0.1:5061", MIXED_TLS},
        {"sips:198.18.0.1", MIXED_TLS},
        {"sips:x@198.18.0.1:5061;lr", MIXED_TLS},
        {"sips:198.18.0.1;transport=tcp", MIXED_TLS},
        {"sip:198.18.0.1;transport=ws", MIXED_WS},
        {"sip:198.18.0.1:443;transport=ws", MIXED_WSS},
        {"sips:198.18.0.1;transport=ws", MIXED_WSS},
        {"sip:[2001:db8::1];transport=tcp", MIXED_TCP6},
        {"sip:[2001:DB8:0::1]:5060", MIXED_UDP6},
        {"sip:198.18.0.1:5060;transport=sctp", MIXED_UDP},
        {"sip:[2001:db8::1]:5060;transport=tls", MIXED_UDP6},
        {"sip:198.18.0.1:5062;transport=tcp", -2},
        {"sip:[2001:db8::1];transport=tls", -2},
        {"sip:198.18.0.2;transport=tcp", -2},
    };
    struct fixture *f = fixture_open(MIXED_CONF, 1);

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sip_uri uri;
        assert_int_equal(sip_uri_parse(slice_text(cases[i].uri), &uri), SIP_OK);
        struct role_where where = role_route_where(f->route, &uri);
        int is = where.place == ROLE_ELSEWHERE ? -2 : where.listener;
        if (is != cases[i].listener)
            fail_msg("%s: %d", cases[i].uri, is);
    }
    fixture_close(f);
}

static void test_what_is_sent_leaves_by_a_listener_of_its_transport(void **state)
{
    static const char *const conf =
        "[port p]\ndevice = net_null0\n"
        "[listener a]\naddress = 198.18.0.1:5060\nport = p\n[listener b]\naddress = 198.18.1.1:5060\nport = "
        "p\n"
        "[listener at]\naddress = 198.18.0.1:5060\ntransport = tcp\n"
        "[listener bt]\naddress = 198.18.1.1:5060\ntransport = tcp\n"
        "[listener six]\naddress = [2001:db8::1]:5060\ntransport = tcp\n[domain example.com]\n";
    static const struct {
        uint8_t transport, family;
        int wanted, listener;
    } cases[] = {
        {ENDPOINT_UDP, ENDPOINT_IP4, 1, 1},         {ENDPOINT_UDP, ENDPOINT_IP4, CONF_NONE, 0},
        {ENDPOINT_TCP, ENDPOINT_IP4, 3, 3},         {ENDPOINT_TCP, ENDPOINT_IP4, CONF_NONE, 2},
        {ENDPOINT_TCP, ENDPOINT_IP4, 0, 2},         {ENDPOINT_TCP, ENDPOINT_IP4, 1, 3}, // of the same address
        {ENDPOINT_UDP, ENDPOINT_IP4, 3, 1},         {ENDPOINT_TCP, ENDPOINT_IP6, 1, 4},
        {ENDPOINT_UDP, ENDPOINT_IP4, 4, 0},         {ENDPOINT_UDP, ENDPOINT_IP6, 4, CONF_NONE},
        {ENDPOINT_TLS, ENDPOINT_IP4, 0, CONF_NONE}, {ENDPOINT_TCP, ENDPOINT_IP4, 99, 2},
    };
    struct fixture *f = fixture_open(conf, 1);

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(
            role_route_listener_for(f->route, cases[i].transport, cases[i].family, cases[i].wanted),
            cases[i].listener);
    assert_true(role_route_speaks(f->route, ENDPOINT_UDP) && role_route_speaks(f->route, ENDPOINT_TCP));
    assert_false(role_route_speaks(f->route, ENDPOINT_TLS) || role_route_is_secure(f->route));
    fixture_close(f);
}

static void test_the_words_of_each_listener(void **state)
{
    static const struct {
        unsigned listener;
        const char *via, *sip, *sips;
    } cases[] = {
        {MIXED_UDP, "Via: SIP/2.0/UDP 198.18.0.1:5060;branch=", "Record-Route: <sip:198.18.0.1:5060;lr>\r\n",
         NULL},
        {MIXED_TCP, "Via: SIP/2.0/TCP 198.18.0.1:5060;branch=",
         "Record-Route: <sip:198.18.0.1:5060;transport=tcp;lr>\r\n", NULL},
        {MIXED_TLS, "Via: SIP/2.0/TLS 198.18.0.1:5061;alias;branch=",
         "Record-Route: <sip:198.18.0.1:5061;transport=tls;lr>\r\n",
         "Record-Route: <sips:198.18.0.1:5061;lr>\r\n"},
        {MIXED_WS, "Via: SIP/2.0/WS 198.18.0.1:80;branch=",
         "Record-Route: <sip:198.18.0.1:80;transport=ws;lr>\r\n", NULL},
        {MIXED_WSS,
         "Via: SIP/2.0/WSS 198.18.0.1:443;branch=", "Record-Route: <sip:198.18.0.1:443;transport=ws;lr>\r\n",
         "Record-Route: <sips:198.18.0.1:443;transport=ws;lr>\r\n"},
        {MIXED_TCP6, "Via: SIP/2.0/TCP [2001:db8::1]:5060;branch=",
         "Record-Route: <sip:[2001:db8::1]:5060;transport=tcp;lr>\r\n", NULL},
    };
    struct fixture *f = fixture_open(MIXED_CONF, 1);

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned listener = cases[i].listener;
        struct slice via = role_route_via(f->route, listener);
        assert_true(slice_equal(via, slice_text(cases[i].via)));
        assert_true(role_route_wrote_via(f->route, slice_of(via.at + 5, via.len - 5)));
        assert_true(
            slice_equal(role_route_record_route(f->route, listener, false), slice_text(cases[i].sip)));
        if (cases[i].sips != NULL)
            assert_true(
                slice_equal(role_route_record_route(f->route, listener, true), slice_text(cases[i].sips)));
        struct sip_via parsed; // and it is known again
        char text[200];
        struct cursor c =
            cursor_over(slice_of(text, (size_t)sprintf(text, "%.*sz9hG4bKx", (int)via.len - 5, via.at + 5)));
        assert_true(sip_via_take(&c, &parsed));
        assert_int_equal(role_route_sent_by(f->route, &parsed), listener);
    }
    fixture_close(f);
}

// Few domains and many: every name is found, and none that is not there.
static void test_many_domains(void **state)
{
    char text[60000] = "[port p]\ndevice = net_null0\n[listener a]\naddress = 198.18.0.1\nport = p\n";
    char one[64];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(one, sizeof(one), "[domain d%u.example]\n", i);
        strcat(text, one);
    }
    struct fixture *f = fixture_open(text, 1);
    for (unsigned i = 0; i < 2000; i++) {
        struct sip_uri uri;
        snprintf(one, sizeof(one), "sip:u@D%u.Example", i);
        assert_int_equal(sip_uri_parse(slice_text(one), &uri), SIP_OK);
        struct role_where where = role_route_where(f->route, &uri);
        assert_int_equal(where.place, i < 1000 ? ROLE_DOMAIN : ROLE_ELSEWHERE);
        assert_true(i >= 1000 || where.domain == (int)i);
    }
    fixture_close(f);
}

static void test_every_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    struct role_route *route = NULL;
    unsigned failed = 0;

    for (; route == NULL && failed < 20; failed++) {
        allocations = 0;
        failing = failed + 1;
        route = role_route_create(f->conf);
    }
    failing = 0;
    assert_non_null(route);
    assert_int_equal(failed, 5); // four that fail, and the fifth time none does
    role_route_destroy(route);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_whose_a_uri_is),
        TEST(test_a_port_that_no_listener_has_makes_a_domain_foreign),
        cmocka_unit_test(test_advertised_address_is_ours_and_what_peers_see),
        cmocka_unit_test(test_which_listener_a_uri_means),
        cmocka_unit_test(test_what_is_sent_leaves_by_a_listener_of_its_transport),
        cmocka_unit_test(test_the_words_of_each_listener),
        cmocka_unit_test(test_many_domains),
        TEST(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
