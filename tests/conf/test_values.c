// What a right configuration becomes.
#include "reading.h"

#include <stdlib.h>

static void test_defaults_fill_the_struct(void **state)
{
    struct conf *conf =
        reading_good(READING_LEAST "[domain example.com]\n[gateways g]\n"
                                   "[gateway a]\ngroup = g\naddress = 192.0.2.9\n[route r]\n");
    struct endpoint address = endpoint_ip4(192, 0, 2, 1, 5060), member = endpoint_ip4(192, 0, 2, 9, 5060);

    (void)state;
    assert_string_equal(conf->server_name.text, "strowger");
    assert_int_equal(conf->server_name.len, 8);
    assert_int_equal(conf->message_max, 16384);
    assert_int_equal(conf->uri_max, 512);
    assert_int_equal(conf->max_forwards, 70);
    assert_true(conf->record_route);
    assert_int_equal(conf->retry_after, 10);
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
    assert_int_equal(conf->mode, CONF_MODE_STATEFUL);
    assert_int_equal(conf->fork, CONF_FORK_BY_Q);
    assert_int_equal(conf->branches_max, 8);
    assert_int_equal(conf->breadth_max, 60);
    assert_int_equal(conf->ring_ms, 30000);
    assert_false(conf->recursion);
    assert_int_equal(conf->nat_dialog, CONF_NAT_DIALOG_FLOW);
    assert_int_equal(conf->transactions_max, 262144);
    assert_int_equal(conf->t1_ms, 500);
    assert_int_equal(conf->t2_ms, 4000);
    assert_int_equal(conf->t4_ms, 5000);
    assert_int_equal(conf->timer_c_ms, 181000);
    assert_int_equal(conf->kept_max, 24576);
    assert_int_equal(conf->trusted_n, 0);
    assert_false(conf->trust_registered);
    assert_int_equal(conf->dns_servers_n, 0);
    assert_int_equal(conf->dns_timeout_ms, 2000);
    assert_int_equal(conf->dns_tries, 2);
    assert_int_equal(conf->dns_ttl_min, 1);
    assert_int_equal(conf->dns_ttl_max, 3600);
    assert_int_equal(conf->dns_negative, 30);
    assert_int_equal(conf->names_max, 65536);
    assert_int_equal(conf->parked_max, 1024);
    assert_string_equal(conf->enum_suffix.text, "e164.arpa");
    assert_null(conf->numbers_file);
    assert_null(conf->cdr_file);
    assert_int_equal(conf->cdr_rotate, 100 << 20);
    assert_int_equal(conf->cdr_files, 10);
    assert_int_equal(conf->calls_max, 100000);
    assert_int_equal(conf->call_max_s, 12 * 3600);
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
    assert_int_equal(conf->groups[0].algorithm, CONF_ALGORITHM_WEIGHTED);
    assert_int_equal(conf->groups[0].probe_ms, 10000);
    assert_int_equal(conf->groups[0].probe_down, 3);
    assert_int_equal(conf->groups[0].probe_up, 2);
    assert_int_equal(conf->groups[0].ease_in_ms, 30000);
    assert_int_equal(conf->groups[0].tries_max, 3);
    assert_int_equal(conf->groups[0].answer_ms, 2000);
    assert_int_equal(conf->groups[0].members_n, 1);
    assert_int_equal(conf->groups[0].members[0], 0);

    assert_int_equal(conf->gateways_n, 1);
    assert_string_equal(conf->gateways[0].name, "a");
    assert_int_equal(conf->gateways[0].group, 0);
    assert_string_equal(conf->gateways[0].address.host.text, "192.0.2.9");
    assert_true(endpoint_equal(&conf->gateways[0].address.address, &member));
    assert_int_equal(conf->gateways[0].address.port, 0);
    assert_int_equal(conf->gateways[0].weight, 1);
    assert_int_equal(conf->gateways[0].priority, 0);
    assert_int_equal(conf->gateways[0].calls_per_second, 0);
    assert_false(conf->gateways[0].trusted);

    assert_int_equal(conf->routes_n, 1);
    assert_string_equal(conf->routes[0].name, "r");
    assert_int_equal(conf->routes[0].methods_n, 0);
    assert_int_equal(conf->routes[0].domain.kind, CONF_MATCH_ANY);
    assert_int_equal(conf->routes[0].user.kind, CONF_MATCH_ANY);
    assert_int_equal(conf->routes[0].from_user.kind, CONF_MATCH_ANY);
    assert_int_equal(conf->routes[0].source_n, 0);
    assert_int_equal(conf->routes[0].listener, CONF_NONE);
    assert_int_equal(conf->routes[0].who, CONF_WHO_ANY);
    assert_int_equal(conf->routes[0].strip, 0);
    assert_int_equal(conf->routes[0].prepend.len, 0);
    assert_int_equal(conf->routes[0].set_domain.len, 0);
    assert_int_equal(conf->routes[0].action, CONF_ACTION_LOCATION);
    assert_int_equal(conf->routes[0].gateways, CONF_NONE);
    assert_int_equal(conf->routes[0].hop.host.len, 0);
    assert_int_equal(conf->routes[0].contact.len, 0);
    assert_int_equal(conf->routes[0].code, 0);
    assert_int_equal(conf->routes[0].mode, CONF_MODE_STATEFUL);
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
        snprintf(text, sizeof(text), "[server]\nrecord_route = %s\n[proxy]\nrecursion = %s\n%s",
                 cases[i].text, cases[i].text, READING_LEAST);
        struct conf *conf = reading_good(text);
        assert_int_equal(conf->record_route, cases[i].value);
        assert_int_equal(conf->recursion, cases[i].value);
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
                                     "[route r]\nmethods =\ndomain =\nuser =\nsource =\nlistener =\n"
                                     "prepend =\nset_domain =\ngateways =\nhop =\ncode =\n"
                                     "[dns]\nservers =\nenum_suffix =\n" READING_LEAST);

    (void)state;
    assert_int_equal(conf->server_name.len, 0);
    assert_int_equal(conf->scanners_n, 0);
    assert_null(conf->ports[0].twin);
    assert_string_equal(conf->listeners[0].advertised_text.text, "[2001:db8::1]:5070");
    assert_int_equal(conf->routes[0].domain.kind, CONF_MATCH_ANY);
    assert_int_equal(conf->routes[0].user.kind, CONF_MATCH_ANY);
    assert_int_equal(conf->routes[0].listener, CONF_NONE);
    assert_int_equal(conf->routes[0].gateways, CONF_NONE);
    assert_int_equal(conf->routes[0].code, 0);
    assert_int_equal(conf->enum_suffix.len, 0);
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
                     "[route r]\ndomain = Example.NET\nuser = Bob\n" READING_LEAST);
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
    assert_string_equal(conf->routes[0].domain.text.text, "example.net");
    assert_string_equal(conf->routes[0].user.text.text, "Bob"); // RFC 3261 19.1.4: the user part has case
    conf_free(conf);
}

static void test_references_look_ahead_and_keep_file_order(void **state)
{
    struct conf *conf =
        reading_good("[listener l]\naddress = 192.0.2.2\nport = b\n"
                     "[route 1]\nlistener = main\naction = gateways\ngateways = y\n"
                     "[port a]\ndevice = a\n[route 2]\nlistener = l\naction = gateways\ngateways = x\n"
                     "[gateway 1]\ngroup = x\naddress = 192.0.2.3\n[port b]\ndevice = b\n"
                     "[gateway 2]\ngroup = y\naddress = 192.0.2.4\n[gateways x]\n[route 3]\n"
                     "[gateway 3]\ngroup = x\naddress = 192.0.2.5\n[gateways y]\n" READING_LEAST);

    (void)state;
    assert_int_equal(conf->ports_n, 3);
    assert_string_equal(conf->ports[conf->listeners[0].port].name, "b");
    assert_string_equal(conf->ports[conf->listeners[1].port].name, "outside");
    assert_string_equal(conf->routes[0].name, "1");
    assert_string_equal(conf->routes[2].name, "3");
    assert_int_equal(conf->routes[0].listener, 1);
    assert_string_equal(conf->groups[conf->routes[0].gateways].name, "y");
    assert_string_equal(conf->groups[conf->routes[1].gateways].name, "x");
    assert_int_equal(conf->groups[0].members_n, 2);
    assert_int_equal(conf->groups[0].members[0], 0);
    assert_int_equal(conf->groups[0].members[1], 2);
    assert_int_equal(conf->groups[1].members_n, 1);
    assert_int_equal(conf->groups[1].members[0], 1);
    conf_free(conf);
}

static void test_listeners_have_the_port_of_their_transport(void **state)
{
    static const struct {
        const char *transport, *advertised, *text;
        enum endpoint_transport kind;
        uint16_t port;
    } cases[] = {
        {"udp\nport = outside", "", "192.0.2.7:5060", ENDPOINT_UDP, 5060},
        {"tcp", "", "192.0.2.7:5060", ENDPOINT_TCP, 5060},
        {"tls", "198.51.100.1", "198.51.100.1:5061", ENDPOINT_TLS, 5061},
        {"ws\nproxy_protocol = yes", "198.51.100.1:8080", "198.51.100.1:8080", ENDPOINT_WS, 80},
        {"wss\nclient_certificate = asked", "", "192.0.2.7:443", ENDPOINT_WSS, 443},
    };
    char text[512];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text),
                 "[listener x]\naddress = 192.0.2.7\nadvertised = %s\ntransport = %s\n"
                 "[certificate c]\nchain = /c\nkey = /k\n%s",
                 cases[i].advertised, cases[i].transport, READING_LEAST);
        struct conf *conf = reading_good(text);
        const struct conf_listener *listener = &conf->listeners[0];
        struct endpoint address = endpoint_ip4(192, 0, 2, 7, cases[i].port);
        address.transport = cases[i].kind & 0xf;
        assert_int_equal(listener->transport, cases[i].kind);
        assert_true(endpoint_equal(&listener->address, &address));
        assert_int_equal(listener->advertised.transport, cases[i].kind);
        assert_string_equal(listener->advertised_text.text, cases[i].text);
        assert_int_equal(listener->port, i == 0 ? 0 : CONF_NONE);
        assert_int_equal(listener->proxy_protocol, cases[i].kind == ENDPOINT_WS);
        assert_int_equal(conf_has_streams(conf), cases[i].kind != ENDPOINT_UDP);
        conf_free(conf);
    }
}

static void test_udp_and_streams_share_an_address(void **state)
{
    struct conf *conf =
        reading_good("[listener s]\naddress = 192.0.2.1\ntransport = tcp\n"
                     "[listener t]\naddress = 192.0.2.1:5061\ntransport = tcp\n" READING_LEAST);

    (void)state;
    assert_int_equal(conf->listeners_n, 3);
    conf_free(conf);
}

static void test_streams_and_presence_have_their_fields(void **state)
{
    struct conf *conf = reading_good(
        "[certificate a]\nchain = /a b\nkey = /k\n[certificate b]\nchain = c\nkey = d\n"
        "[stream]\nconnections_max = 20\nconnections_source_max = 17\nbuffer_max = 32k\nidle = 3m\n"
        "message_timeout = 101ms\nconnect_timeout = 102ms\nhandshake_timeout = 103ms\nhandshake_threads = 3\n"
        "[tls]\nminimum = 1.3\nciphers = A\nciphersuites = B:C\nauthorities = /x\nverify_servers = no\n"
        "[presence]\nserve = yes\npolicy = open\npolite = no\nregistered = no\nexpires_min = 11\n"
        "expires_default = 12\nexpires_max = 13\npublish_min = 14\npublish_default = 15\npublish_max = 16\n"
        "notify_interval = 17ms\ndocument_max = 1k\npresentities_max = 18\npublications_max = 19\n"
        "subscriptions_max = 20\nwatchers_max = 21\nsource_max = 22\nlist_max = 23\nmembers_max = 24\nrules_max = 25\n"
        "[proxy]\nudp_max = 65535\n[gateways g]\n[gateway a]\ngroup = g\naddress = 192.0.2.9\n"
        "identity = Gw.Example\n" READING_LEAST);

    (void)state;
    assert_int_equal(conf->certificates_n, 2);
    assert_string_equal(conf->certificates[0].name, "a");
    assert_string_equal(conf->certificates[0].chain, "/a b");
    assert_string_equal(conf->certificates[1].key, "d");
    assert_int_equal(conf->connections_max, 20);
    assert_int_equal(conf->connections_source_max, 17);
    assert_int_equal(conf->stream_buffer_max, 32768);
    assert_int_equal(conf->stream_idle_s, 180);
    assert_int_equal(conf->stream_message_ms, 101);
    assert_int_equal(conf->stream_connect_ms, 102);
    assert_int_equal(conf->stream_handshake_ms, 103);
    assert_int_equal(conf->stream_handshake_threads, 3);
    assert_int_equal(conf->tls_minimum, CONF_TLS_1_3);
    assert_string_equal(conf->tls_ciphers.text, "A");
    assert_string_equal(conf->tls_ciphersuites.text, "B:C");
    assert_string_equal(conf->tls_authorities, "/x");
    assert_false(conf->tls_verify_servers);
    assert_true(conf->presence);
    assert_int_equal(conf->presence_policy, CONF_PRESENCE_OPEN);
    assert_false(conf->presence_polite);
    assert_false(conf->presence_registered);
    assert_int_equal(conf->presence_expires_min, 11);
    assert_int_equal(conf->presence_expires_default, 12);
    assert_int_equal(conf->presence_expires_max, 13);
    assert_int_equal(conf->publish_expires_min, 14);
    assert_int_equal(conf->publish_expires_default, 15);
    assert_int_equal(conf->publish_expires_max, 16);
    assert_int_equal(conf->notify_ms, 17);
    assert_int_equal(conf->document_max, 1024);
    assert_int_equal(conf->presentities_max, 18);
    assert_int_equal(conf->publications_max, 19);
    assert_int_equal(conf->subscriptions_max, 20);
    assert_int_equal(conf->watchers_max, 21);
    assert_int_equal(conf->watches_source_max, 22);
    assert_int_equal(conf->list_max, 23);
    assert_int_equal(conf->list_members_max, 24);
    assert_int_equal(conf->rules_max, 25);
    assert_int_equal(conf->udp_max, 65535);
    assert_string_equal(conf->gateways[0].identity.text, "gw.example");
    conf_free(conf);
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
        cmocka_unit_test(test_listeners_have_the_port_of_their_transport),
        cmocka_unit_test(test_udp_and_streams_share_an_address),
        cmocka_unit_test(test_streams_and_presence_have_their_fields),
    };
    return cmocka_run_group_tests_name("conf values", tests, NULL, NULL);
}
