// What a right configuration becomes.
#include "reading.h"

#include <stdlib.h>

static void test_defaults_fill_the_struct(void **state)
{
    struct conf *conf = reading_good(READING_LEAST "[domain example.com]\n[group g]\nmembers = 192.0.2.9\n"
                                                   "[route r]\ngroup = g\n");
    struct endpoint address = endpoint_ip4(192, 0, 2, 1, 5060), member = endpoint_ip4(192, 0, 2, 9, 5060);

    (void)state;
    assert_string_equal(conf->server_name.text, "strowger");
    assert_int_equal(conf->server_name.len, 8);
    assert_int_equal(conf->message_max, 16384);
    assert_int_equal(conf->uri_max, 512);
    assert_int_equal(conf->max_forwards, 70);
    assert_true(conf->record_route);
    assert_false(conf->open_relay);
    assert_int_equal(conf->scanners_n, 11);
    assert_string_equal(conf->scanners[0].text, "friendly-scanner");
    assert_string_equal(conf->scanners[10].text, "vaxsipuseragent");
    assert_int_equal(conf->expires_default, 3600);
    assert_int_equal(conf->expires_min, 60);
    assert_int_equal(conf->expires_max, 7200);
    assert_int_equal(conf->expires_jitter, 0);
    assert_int_equal(conf->contacts_max, 10);
    assert_int_equal(conf->nat, CONF_NAT_DETECT);
    assert_true(conf->path);
    assert_int_equal(conf->bindings_max, 1000000);
    assert_int_equal(conf->route_max, 65536);
    assert_int_equal(conf->neighbour_max, 8192);
    assert_int_equal(conf->resolve_queue_max, 16);
    assert_int_equal(conf->reassembly_max, 1024);
    assert_int_equal(conf->reassembly_ms, 2000);
    assert_int_equal(conf->mbufs, 32768);
    assert_int_equal(conf->mailbox_size, 4096);

    assert_int_equal(conf->ports_n, 1);
    assert_string_equal(conf->ports[0].name, "outside");
    assert_string_equal(conf->ports[0].device, "d0");
    assert_null(conf->ports[0].twin);
    assert_int_equal(conf->ports[0].mtu, 1500);
    assert_int_equal(conf->ports[0].rx_descriptors, 1024);
    assert_int_equal(conf->ports[0].tx_descriptors, 1024);

    assert_int_equal(conf->listeners_n, 1);
    assert_string_equal(conf->listeners[0].name, "main");
    assert_true(endpoint_equal(&conf->listeners[0].address, &address));
    assert_true(endpoint_equal(&conf->listeners[0].advertised, &address));
    assert_string_equal(conf->listeners[0].advertised_text.text, "192.0.2.1:5060");
    assert_int_equal(conf->listeners[0].advertised_text.len, 14);
    assert_int_equal(conf->listeners[0].port, 0);

    assert_int_equal(conf->domains_n, 1);
    assert_string_equal(conf->domains[0].name, "example.com");
    assert_int_equal(conf->domains[0].names_n, 1);
    assert_string_equal(conf->domains[0].names[0].text, "example.com");
    assert_int_equal(conf->domains[0].role, CONF_ROLE_PROXY);
    assert_true(conf->domains[0].registrar);
    assert_false(conf->domains[0].redirect_multiple);

    assert_int_equal(conf->groups_n, 1);
    assert_int_equal(conf->groups[0].members_n, 1);
    assert_true(endpoint_equal(&conf->groups[0].members[0], &member));

    assert_int_equal(conf->routes_n, 1);
    assert_string_equal(conf->routes[0].name, "r");
    assert_int_equal(conf->routes[0].domain.len, 0);
    assert_int_equal(conf->routes[0].prefix.len, 0);
    assert_int_equal(conf->routes[0].group, 0);
    conf_free(conf);
}

static void test_bool_has_three_spellings(void **state)
{
    static const struct {
        const char *text;
        bool value;
    } cases[] = {{"yes", true},  {"no", false},    {"on", true},  {"off", false},
                 {"true", true}, {"false", false}, {"YES", true}, {"Off", false}};
    char text[256];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text), "[server]\nrecord_route = %s\nopen_relay = %s\n%s", cases[i].text,
                 cases[i].text, READING_LEAST);
        struct conf *conf = reading_good(text);
        assert_int_equal(conf->record_route, cases[i].value);
        assert_int_equal(conf->open_relay, cases[i].value);
        conf_free(conf);
    }
}

static void test_number_takes_suffix(void **state)
{
    struct conf *conf =
        reading_good("[server]\nmessage_max = 8k\nrequest_uri_max = 1K\n"
                     "[registrar]\nexpires_min = 90s\nexpires_default = 30m\nexpires_max = 12 h\n"
                     "expires_jitter = 10%\n"
                     "[network]\nreassembly_timeout = 500ms\nmbufs = 0065536\n" READING_LEAST);

    (void)state;
    assert_int_equal(conf->message_max, 8192);
    assert_int_equal(conf->uri_max, 1024);
    assert_int_equal(conf->expires_min, 90);
    assert_int_equal(conf->expires_default, 1800);
    assert_int_equal(conf->expires_max, 43200);
    assert_int_equal(conf->expires_jitter, 10);
    assert_int_equal(conf->reassembly_ms, 500);
    assert_int_equal(conf->mbufs, 65536);
    conf_free(conf);
}

static void test_ends_of_ranges_are_in_range(void **state)
{
    struct conf *least =
        reading_good("[server]\nmessage_max = 1024\nmax_forwards = 1\n[registrar]\nexpires_min = 0\n"
                     "[network]\nmailbox_size = 64\nreassembly_timeout = 10\n" READING_LEAST);
    struct conf *most =
        reading_good("[server]\nmessage_max = 16384\nmax_forwards = 255\n"
                     "[registrar]\nexpires_jitter = 50\n[location]\nbindings_max = 1000000000\n"
                     "[network]\nmailbox_size = 1048576\nreassembly_timeout = 1m\n" READING_LEAST);

    (void)state;
    assert_int_equal(least->message_max, 1024);
    assert_int_equal(least->max_forwards, 1);
    assert_int_equal(least->expires_min, 0);
    assert_int_equal(least->mailbox_size, 64);
    assert_int_equal(least->reassembly_ms, 10);
    assert_int_equal(most->message_max, 16384);
    assert_int_equal(most->max_forwards, 255);
    assert_int_equal(most->expires_jitter, 50);
    assert_int_equal(most->bindings_max, 1000000000);
    assert_int_equal(most->mailbox_size, 1048576);
    assert_int_equal(most->reassembly_ms, 60000);
    conf_free(least);
    conf_free(most);
}

static void test_list_goes_on_in_indented_lines(void **state)
{
    struct conf *conf =
        reading_good("[server]\nscanners =\n    Foo,bar ; comment\n# comment\n\n\tSome Scanner/1.0,,\n"
                     "   = : [x]\n" READING_LEAST);

    (void)state;
    assert_int_equal(conf->scanners_n, 4);
    assert_string_equal(conf->scanners[0].text, "foo");
    assert_string_equal(conf->scanners[1].text, "bar");
    assert_string_equal(conf->scanners[2].text, "some scanner/1.0");
    assert_string_equal(conf->scanners[3].text, "= : [x]");
    assert_int_equal(conf->scanners[2].len, 16);
    conf_free(conf);
}

static void test_empty_takes_an_option_away(void **state)
{
    struct conf *conf = reading_good("[server]\nserver_header =\nscanners =\n[port a]\ndevice = a\ntwin =\n"
                                     "[listener x]\nport = a\naddress = [2001:db8::1]:5070\nadvertised =\n"
                                     "[route r]\ngroup = g\ndomain =\nprefix =\n"
                                     "[group g]\nmembers = 2001:db8::2\n" READING_LEAST);

    (void)state;
    assert_int_equal(conf->server_name.len, 0);
    assert_int_equal(conf->scanners_n, 0);
    assert_null(conf->ports[0].twin);
    assert_string_equal(conf->listeners[0].advertised_text.text, "[2001:db8::1]:5070");
    assert_int_equal(conf->routes[0].domain.len, 0);
    assert_int_equal(conf->routes[0].prefix.len, 0);
    conf_free(conf);
}

static void test_line_of_full_length_is_read(void **state)
{
    char text[512];
    struct conf *conf;

    (void)state;
    // "device = " and 63 bytes, and a comment that fills the line to 199
    int len = snprintf(text, sizeof(text), "[port a]\ndevice = %063d ;", 7);
    memset(text + len, 'x', (size_t)(9 + 199 - len));
    snprintf(text + 9 + 199, sizeof(text) - 9 - 199, "\n%s", READING_LEAST);
    conf = reading_good(text);
    assert_int_equal(strlen(conf->ports[0].device), 63);
    conf_free(conf);
}

static void test_long_comment_is_no_fault(void **state)
{
    char text[2048];

    (void)state;
    memset(text, '#', 1000);
    snprintf(text + 1000, sizeof(text) - 1000, "\001\n%s", READING_LEAST);
    conf_free(reading_good(text));
}

static void test_mark_and_crlf_are_taken(void **state)
{
    struct conf *conf =
        reading_good("\xef\xbb\xbf[server]\r\nserver_header = S\xc3\xa4ge\r\n\r\n[port p] ; c\r\n"
                     "device=d\r\n[listener l]\r\naddress : 192.0.2.1\r\nport=p");

    (void)state;
    assert_string_equal(conf->server_name.text, "S\xc3\xa4ge");
    assert_string_equal(conf->ports[0].device, "d");
    assert_int_equal(conf->listeners[0].address.port, 5060);
    conf_free(conf);
}

static void test_advertised_takes_the_port_of_the_address(void **state)
{
    struct conf *conf =
        reading_good("[listener a]\naddress = 10.0.0.1:5080\nadvertised = 203.0.113.7\nport = outside\n"
                     "[listener b]\naddress = 10.0.0.1:5081\nadvertised = 203.0.113.7:5060\n"
                     "port = outside\n" READING_LEAST);

    (void)state;
    assert_string_equal(conf->listeners[0].advertised_text.text, "203.0.113.7:5080");
    assert_string_equal(conf->listeners[1].advertised_text.text, "203.0.113.7:5060");
    conf_free(conf);
}

static void test_names_are_canonical(void **state)
{
    struct conf *conf =
        reading_good("[domain Main]\nnames = SIP.Example.COM, 198.18.0.1, 2001:DB8:0:0::1, [::1],\n"
                     "  a_b.example\nrole = Redirect\nredirect_multiple = on\nregistrar = off\n"
                     "[route r]\ndomain = Example.NET\nprefix = Bob\ngroup = g\n"
                     "[group g]\nmembers = 192.0.2.9\n" READING_LEAST);
    static const char *const names[] = {"sip.example.com", "198.18.0.1", "[2001:db8::1]", "[::1]",
                                        "a_b.example"};

    (void)state;
    assert_string_equal(conf->domains[0].name, "Main");
    assert_int_equal(conf->domains[0].names_n, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_string_equal(conf->domains[0].names[i].text, names[i]);
        assert_int_equal(conf->domains[0].names[i].len, strlen(names[i]));
    }
    assert_int_equal(conf->domains[0].role, CONF_ROLE_REDIRECT);
    assert_true(conf->domains[0].redirect_multiple);
    assert_false(conf->domains[0].registrar);
    assert_string_equal(conf->routes[0].domain.text, "example.net");
    assert_string_equal(conf->routes[0].prefix.text, "Bob"); // RFC 3261 19.1.4: the user part has case
    conf_free(conf);
}

static void test_references_look_ahead_and_keep_file_order(void **state)
{
    struct conf *conf =
        reading_good("[listener l]\naddress = 192.0.2.2\nport = b\n[route 1]\ngroup = y\nprefix = 1\n"
                     "[port a]\ndevice = a\n[route 2]\ngroup = x\nprefix = 2\n[port b]\ndevice = b\n"
                     "[group x]\nmembers = 192.0.2.3:6000, [2001:db8::3]\n"
                     "[route 3]\ngroup = x\n[group y]\nmembers = 192.0.2.4\n" READING_LEAST);
    struct endpoint third = {{0x20, 0x01, 0x0d, 0xb8, [15] = 3}, 5060, ENDPOINT_IP6, 0};

    (void)state;
    assert_int_equal(conf->ports_n, 3);
    assert_string_equal(conf->ports[conf->listeners[0].port].name, "b");
    assert_string_equal(conf->ports[conf->listeners[1].port].name, "outside");
    assert_string_equal(conf->routes[0].name, "1");
    assert_string_equal(conf->routes[2].name, "3");
    assert_string_equal(conf->groups[conf->routes[0].group].name, "y");
    assert_string_equal(conf->groups[conf->routes[1].group].name, "x");
    assert_int_equal(conf->groups[0].members_n, 2);
    assert_int_equal(conf->groups[0].members[0].port, 6000);
    assert_true(endpoint_equal(&conf->groups[0].members[1], &third));
    conf_free(conf);
}

static void test_routes_that_overlap_without_shade(void **state)
{
    (void)state;
    conf_free(reading_good(
        "[group g]\nmembers = 192.0.2.9\n[route a]\ngroup = g\nprefix = +4930\n"
        "[route b]\ngroup = g\nprefix = +49\n[route c]\ngroup = g\ndomain = x.com\n"
        "[route d]\ngroup = g\ndomain = y.com\nprefix = 5\n[route e]\ngroup = g\n" READING_LEAST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_fill_the_struct),
        cmocka_unit_test(test_bool_has_three_spellings),
        cmocka_unit_test(test_number_takes_suffix),
        cmocka_unit_test(test_ends_of_ranges_are_in_range),
        cmocka_unit_test(test_list_goes_on_in_indented_lines),
        cmocka_unit_test(test_empty_takes_an_option_away),
        cmocka_unit_test(test_line_of_full_length_is_read),
        cmocka_unit_test(test_long_comment_is_no_fault),
        cmocka_unit_test(test_mark_and_crlf_are_taken),
        cmocka_unit_test(test_advertised_takes_the_port_of_the_address),
        cmocka_unit_test(test_names_are_canonical),
        cmocka_unit_test(test_references_look_ahead_and_keep_file_order),
        cmocka_unit_test(test_routes_that_overlap_without_shade),
    };
    return cmocka_run_group_tests_name("conf values", tests, NULL, NULL);
}
