// The schema table itself, and all that is printed from it.
#include "base/random.h"
#include "reading.h"

#include <stdlib.h>

#include "conf/nearest.h"
#include "conf/schema.h"

// Every key once more, with what it is when the file does not say: a changed default is seen here.
static const struct {
    const char *section, *key, *value;
} defaults[] = {
    {"server", "server_header", "strowger"},
    {"server", "message_max", "16384"},
    {"server", "request_uri_max", "512"},
    {"server", "max_forwards", "70"},
    {"server", "record_route", "yes"},
    {"server", "retry_after", "10"},
    {"server", "scanners",
     "friendly-scanner, friendly-request, sipvicious, sipcli, sip-scan, sundayddr, iwar, smap,\n"
     "    gulp, pplsip, vaxsipuseragent"},
    {"registrar", "expires_default", "3600"},
    {"registrar", "expires_min", "60"},
    {"registrar", "expires_max", "7200"},
    {"registrar", "expires_jitter", "0"},
    {"registrar", "contacts_max", "10"},
    {"registrar", "nat", "detect"},
    {"registrar", "path", "yes"},
    {"location", "bindings_max", "1000000"},
    {"store", "path", ""},
    {"store", "durability", "commit"},
    {"store", "size_max", "17179869184"},
    {"store", "queue_max", "65536"},
    {"store", "users_max", "1000000"},
    {"store", "secret_file", ""},
    {"proxy", "mode", "stateful"},
    {"proxy", "fork", "by_q"},
    {"proxy", "branches_max", "8"},
    {"proxy", "breadth_max", "60"},
    {"proxy", "ring_timeout", "30000ms"},
    {"proxy", "recursion", "no"},
    {"proxy", "nat", "flow"},
    {"proxy", "udp_max", "1300"},
    {"stream", "connections_max", "32768"},
    {"stream", "connections_source_max", "1024"},
    {"stream", "buffer_max", "65536"},
    {"stream", "idle", "7200"},
    {"stream", "message_timeout", "10000ms"},
    {"stream", "connect_timeout", "5000ms"},
    {"stream", "handshake_timeout", "10000ms"},
    {"stream", "handshake_threads", "2"},
    {"tls", "minimum", "1.2"},
    {"tls", "ciphers", "ECDHE+AESGCM:ECDHE+CHACHA20"},
    {"tls", "ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"},
    {"tls", "authorities", ""},
    {"tls", "verify_servers", "yes"},
    {"presence", "serve", "no"},
    {"presence", "policy", "domain"},
    {"presence", "polite", "yes"},
    {"presence", "registered", "yes"},
    {"presence", "expires_default", "3600"},
    {"presence", "expires_min", "60"},
    {"presence", "expires_max", "7200"},
    {"presence", "publish_default", "3600"},
    {"presence", "publish_min", "60"},
    {"presence", "publish_max", "7200"},
    {"presence", "notify_interval", "5000ms"},
    {"presence", "document_max", "8192"},
    {"presence", "presentities_max", "100000"},
    {"presence", "publications_max", "100000"},
    {"presence", "subscriptions_max", "200000"},
    {"presence", "watchers_max", "1000"},
    {"presence", "source_max", "10000"},
    {"presence", "list_max", "500"},
    {"presence", "members_max", "20000"},
    {"presence", "rules_max", "100000"},
    {"transaction", "transactions_max", "262144"},
    {"transaction", "t1", "500ms"},
    {"transaction", "t2", "4000ms"},
    {"transaction", "t4", "5000ms"},
    {"transaction", "timer_c", "181000ms"},
    {"transaction", "kept_max", "24576"},
    {"trust", "networks", ""},
    {"trust", "registered", "no"},
    {"dns", "servers", ""},
    {"dns", "timeout", "2000ms"},
    {"dns", "tries", "2"},
    {"dns", "ttl_min", "1"},
    {"dns", "ttl_max", "3600"},
    {"dns", "negative_ttl", "30"},
    {"dns", "names_max", "65536"},
    {"dns", "parked_max", "1024"},
    {"dns", "enum_suffix", "e164.arpa"},
    {"numbers", "file", ""},
    {"cdr", "file", ""},
    {"cdr", "rotate_size", "104857600"},
    {"cdr", "files", "10"},
    {"cdr", "calls_max", "100000"},
    {"cdr", "call_max", "43200"},
    {"control", "socket", "/s"}, // an [auth] needs users
    {"control", "group", ""},
    {"network", "route_max", "65536"},
    {"network", "neighbour_max", "8192"},
    {"network", "resolve_queue_max", "16"},
    {"network", "reassembly_max", "1024"},
    {"network", "reassembly_timeout", "2000ms"},
    {"network", "mbufs", "32768"},
    {"network", "mailbox_size", "4096"},
    {"port", "device", "d0"}, // required, as READING_LEAST has it
    {"port", "twin", ""},
    {"port", "mtu", "1500"},
    {"port", "rx_descriptors", "1024"},
    {"port", "tx_descriptors", "1024"},
    {"listener", "transport", "udp"},
    {"listener", "address", "192.0.2.1:5060"},
    {"listener", "advertised", "192.0.2.1:5060"},
    {"listener", "port", "outside"},
    {"listener", "proxy_protocol", "no"},
    {"listener", "balancers", ""},
    {"listener", "client_certificate", "no"},
    {"certificate", "chain", "/c"}, // required, as these two
    {"certificate", "key", "/k"},
    {"domain", "names", "example.com"},
    {"domain", "role", "proxy"},
    {"domain", "registrar", "yes"},
    {"domain", "redirect_multiple", "no"},
    {"auth", "domain", ""},
    {"auth", "methods", ""},
    {"auth", "source", ""},
    {"auth", "trusted", "no"},
    {"auth", "realm", ""},
    {"auth", "algorithms", "SHA-256, MD5"},
    {"auth", "nonce_lifetime", "300"},
    {"auth", "nonce_count", "no"},
    {"auth", "failures", "20"},
    {"gateways", "algorithm", "weighted"},
    {"gateways", "probe_interval", "10000ms"},
    {"gateways", "probe_down", "3"},
    {"gateways", "probe_up", "2"},
    {"gateways", "ease_in", "30000ms"},
    {"gateways", "tries_max", "3"},
    {"gateways", "answer_timeout", "2000ms"},
    {"gateway", "group", "g"},
    {"gateway", "address", "192.0.2.9"},
    {"gateway", "weight", "1"},
    {"gateway", "priority", "0"},
    {"gateway", "calls_per_second", "0"},
    {"gateway", "trusted", "no"},
    {"gateway", "identity", ""},
    {"route", "methods", ""},
    {"route", "domain", ""},
    {"route", "user", ""},
    {"route", "to_domain", ""},
    {"route", "to_user", ""},
    {"route", "from_domain", ""},
    {"route", "from_user", ""},
    {"route", "source", ""},
    {"route", "listener", ""},
    {"route", "who", "any"},
    {"route", "strip", "0"},
    {"route", "prepend", ""},
    {"route", "set_domain", ""},
    {"route", "action", "location"},
    {"route", "gateways", ""},
    {"route", "hop", ""},
    {"route", "contact", ""},
    {"route", "code", ""},
    {"route", "reason", ""},
    {"route", "mode", "stateful"},
};

static void test_every_default(void **state)
{
    struct conf *conf =
        reading_good(READING_LEAST "[control]\nsocket = /s\n[certificate c]\nchain = /c\nkey = /k\n"
                                   "[domain example.com]\n[auth u]\n[gateways g]\n"
                                   "[gateway a]\ngroup = g\naddress = 192.0.2.9\n[route r]\n");
    char *printed = reading_printed(conf), *expected = NULL;
    size_t len = 0, rows = 0;
    FILE *out = open_memstream(&expected, &len);
    const char *section = "";

    (void)state;
    for (unsigned i = 0; i < CONF_SECTIONS; i++)
        rows += conf_sections[i].keys_n;
    assert_int_equal(sizeof(defaults) / sizeof(*defaults), rows);
    for (unsigned i = 0; i < rows; i++) {
        if (strcmp(section, defaults[i].section) != 0) {
            static const char *const names[] = {" outside", " main", " c", " example.com",
                                                " u",       " g",    " a", " r"};
            section = defaults[i].section;
            unsigned kind = 0;
            while (strcmp(conf_sections[kind].name, section) != 0)
                kind++;
            fprintf(out, "%s[%s%s]\n", i == 0 ? "" : "\n", section,
                    kind < CONF_PORT ? "" : names[kind - CONF_PORT]);
        }
        fprintf(out, "%s =%s%s\n", defaults[i].key, defaults[i].value[0] == 0 ? "" : " ", defaults[i].value);
    }
    fclose(out);
    assert_string_equal(printed, expected);
    free(expected);
    free(printed);
    conf_free(conf);
}

static uint64_t largest(size_t size)
{
    return size == 8 ? UINT64_MAX : (1ull << (8 * size)) - 1;
}

static void check_row(const struct conf_key *key)
{
    char expected[CONF_EXPECT_MAX];

    assert_non_null(key->help);
    assert_int_equal(key->help[strlen(key->help) - 1], '.');
    conf_key_expect(key, expected);
    assert_true(strlen(expected) > 0 && strlen(expected) < CONF_EXPECT_MAX - 1);
    assert_true(strlen(key->name) + strlen(" = ") + CONF_TEXT_MAX < 199);
    assert_true(!(key->flags & CONF_REQUIRED) || key->fallback == NULL);
    if (key->type == CONF_NUMBER) {
        assert_non_null(key->unit);
        assert_true(key->fallback != NULL || key->min > 0); // 0 stands for none
        assert_true(key->min < key->max && key->max <= largest(key->size));
    }
    if (key->type >= CONF_TEXT && key->type <= CONF_DOMAIN_MATCH)
        assert_true(key->list || key->max <= CONF_TEXT_MAX);
    assert_true(key->type != CONF_BOOL || key->size == sizeof(bool));
    assert_true(key->type != CONF_REFERENCE || key->size == sizeof(int));
}

static void test_rows_are_sound(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONF_SECTIONS; i++) {
        const struct conf_section *section = &conf_sections[i];
        assert_non_null(section->name);
        assert_non_null(section->help);
        for (unsigned k = 0; k < section->keys_n; k++) {
            check_row(&section->keys[k]);
            for (unsigned j = 0; j < k; j++) {
                assert_string_not_equal(section->keys[k].name, section->keys[j].name);
                assert_true(section->keys[k].offset != section->keys[j].offset);
            }
        }
    }
}

#define FILE_ROOM (1 << 18)

static char *file_text(const char *path)
{
    char *text = calloc(1, FILE_ROOM);
    FILE *file = fopen(path, "r");

    assert_non_null(text);
    assert_non_null(file);
    assert_true(fread(text, 1, FILE_ROOM - 1, file) > 0);
    fclose(file);
    return text;
}

static void test_template_is_the_committed_file(void **state)
{
    char *template = reading_output(conf_print_template), *file = file_text(TEMPLATE_PATH);

    (void)state;
    assert_string_equal(template, file);
    free(file);
    free(template);
}

static void test_template_loads(void **state)
{
    struct conf *conf = conf_load(TEMPLATE_PATH, stderr);

    (void)state;
    assert_non_null(conf);
    assert_int_equal(conf->ports_n, 1);
    assert_int_equal(conf->listeners_n, 1);
    assert_int_equal(conf->domains_n, 1);
    assert_int_equal(conf->message_max, 16384);
    conf_free(conf);
}

// The template without the "#" before its keys, with a rule's `action`, and without the keys that it does not use,
// which stand between blanks in `unused`. Counts the keys that are left.
static char *uncomment(const char *template, const char *action, const char *unused, unsigned *keys)
{
    char *bare = NULL, name[32];
    size_t size = 0;
    FILE *out = open_memstream(&bare, &size);

    assert_non_null(out);
    for (const char *at = template; *at != 0;) {
        size_t len = strcspn(at, "\n") + 1;
        bool prose = at[0] == '#' && (at[1] == ' ' || at[1] == '\n') && strncmp(at, "#    ", 5) != 0;
        const char *from = at[0] == '#' && !prose ? at + 1 : at;
        bool key = !prose && memchr(at, '=', len) != NULL;
        snprintf(name, sizeof(name), " %.*s ", (int)strcspn(from, " "), from);
        if (key && strcmp(name, " action ") == 0)
            fprintf(out, "action = %s\n", action);
        else if (!key || strstr(unused, name) == NULL)
            fwrite(from, 1, len - (size_t)(from - at), out);
        *keys += key;
        at += len;
    }
    fclose(out);
    return bare;
}

// Whoever takes every "#" away before a key gets every key, and each of them is right.
static void test_template_loads_with_every_key(void **state)
{
    static const struct {
        const char *action, *unused;
    } cases[] = {{"gateways", " hop contact code reason balancers "},
                 {"hop", " gateways contact code reason balancers "},
                 {"redirect", " gateways hop strip prepend set_domain code reason balancers "},
                 {"reject", " gateways hop strip prepend set_domain contact balancers "}};
    char *template = reading_output(conf_print_template);
    unsigned rows = 0;

    (void)state;
    for (unsigned i = 0; i < CONF_SECTIONS; i++)
        rows += conf_sections[i].keys_n;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned keys = 0;
        char *bare = uncomment(template, cases[i].action, cases[i].unused, &keys);
        assert_int_equal(keys, rows);
        struct conf *conf = reading_good(bare);
        assert_int_equal(conf->groups_n, 1);
        assert_int_equal(conf->groups[0].members_n, 1);
        assert_int_equal(conf->routes_n, 1);
        assert_string_equal(conf->routes[0].user.text.text, "+4930");
        assert_string_equal(conf->listeners[0].advertised_text.text, "203.0.113.10:5060");
        assert_int_equal(conf->domains[0].names_n, 2);
        assert_int_equal(conf->certificates_n, 1);
        conf_free(conf);
        free(bare);
    }
    free(template);
}

static void test_reference_names_every_key(void **state)
{
    char *reference = reading_output(conf_print_reference), line[64];

    (void)state;
    for (unsigned i = 0; i < CONF_SECTIONS; i++) {
        for (unsigned k = 0; k < conf_sections[i].keys_n; k++) {
            snprintf(line, sizeof(line), "\n  %s\n", conf_sections[i].keys[k].name);
            assert_non_null(strstr(reference, line));
        }
    }
    free(reference);
}

// Everything away from its default, and texts as long and as odd as they may be.
static const char rich[] =
    "[server]\nserver_header = %n##;odd: \"=[x]\nmessage_max = 2k\nrequest_uri_max = 64\nmax_forwards = 9\n"
    "record_route = off\nretry_after = 1h\n"
    "scanners = "
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "012345678901234567890123456789012345678901234567890123456789,\n"
    "  a b, c=d, [x], e:f, g;h, i#j, \xc3\xa4\n"
    "[registrar]\nexpires_default = 1h\nexpires_min = 1m\nexpires_max = 720h\nexpires_jitter = 50%\n"
    "contacts_max = 1\nnat = never\npath = no\n[location]\nbindings_max = 1000000000\n"
    "[network]\nroute_max = 16\nneighbour_max = 17\nresolve_queue_max = 1\nreassembly_max = 1\n"
    "reassembly_timeout = 1234ms\nmbufs = 1024\nmailbox_size = 64\n"
    "[port b]\ndevice = 0000:01:00.0\ntwin = sip1\nmtu = 9216\nrx_descriptors = 64\ntx_descriptors = 32768\n"
    "[port a]\ndevice = net_af_xdp0\n"
    "[listener z]\naddress = [2001:db8::1]:5070\nadvertised = 2001:db8::ff\nport = b\n"
    "[listener y]\naddress = 192.0.2.1:5070\nport = a\n"
    "[listener s]\naddress = 192.0.2.1:5070\ntransport = TCP\nproxy_protocol = yes\n"
    "balancers = 192.0.2.0/28, 2001:db8::1\n"
    "[listener t]\naddress = 192.0.2.1\ntransport = tls\nclient_certificate = required\nport = a\n"
    "[listener w]\naddress = 2001:db8::1\ntransport = wss\nclient_certificate = asked\n"
    "[certificate b]\nchain = /c d;e\nkey = k=#\n[certificate a]\nchain = a\nkey = a\n"
    "[stream]\nconnections_max = 16\nconnections_source_max = 16\nbuffer_max = 32k\nidle = 1\n"
    "message_timeout = 100ms\nconnect_timeout = 1m\nhandshake_timeout = 1m\nhandshake_threads = 64\n"
    "[tls]\nminimum = 1.3\nciphers = HIGH:!aNULL:@STRENGTH\nciphersuites = x\nauthorities = /a b\n"
    "verify_servers = no\n[presence]\nserve = yes\npolicy = list\npolite = no\nregistered = no\n"
    "expires_min = 0\nexpires_default = 720h\nexpires_max = 720h\npublish_min = 1h\npublish_default = 1h\n"
    "publish_max = 1h\nnotify_interval = 0\ndocument_max = 16k\npresentities_max = 16\npublications_max = "
    "16\n"
    "subscriptions_max = 16\nwatchers_max = 1\nsource_max = 1\nlist_max = 1\nmembers_max = 1\nrules_max = 1\n"
    "[domain one]\nnames = a.example, b.example, c.example, d.example, e.example, f.example, g.example, "
    "h.example,\n"
    "  i.example, j.example, k.example, l.example, [2001:db8::1], 192.0.2.1\nrole = redirect\nregistrar = "
    "no\n"
    "redirect_multiple = yes\n[domain two.example]\n"
    "[proxy]\nmode = stateless\nfork = serial\nbranches_max = 16\nbreadth_max = 1\nring_timeout = 1s\n"
    "recursion = yes\nnat = repair\nudp_max = 0\n[transaction]\ntransactions_max = 64\nt1 = 10ms\nt2 = "
    "1m\nt4 = 1m\n"
    "timer_c = 180001\nkept_max = 64\n[trust]\nnetworks = 0.0.0.0/0, ::/0, 192.0.2.7, 2001:db8::/33\n"
    "registered = yes\n[dns]\nservers = 192.0.2.53, [2001:db8::53]:5353\ntimeout = 100ms\ntries = 10\n"
    "ttl_min = 24h\nttl_max = 24h\nnegative_ttl = 1\nnames_max = 16\nparked_max = 1\nenum_suffix = "
    "E.Example\n"
    "[numbers]\nfile = /a b/c.csv\n[cdr]\nfile = ./c=d\nrotate_size = 1G\nfiles = 1\ncalls_max = "
    "16\ncall_max = 1m\n"
    "[store]\npath = /a;b\ndurability = relaxed\nsize_max = 1M\nqueue_max = 64\nusers_max = 16\nsecret_file "
    "= x\n"
    "[control]\nsocket = @a b\ngroup = wheel\n"
    "[auth 2]\ndomain = one\nmethods = REGISTER, INVITE\nsource = 192.0.2.0/24, ::/0\ntrusted = yes\n"
    "realm = a:b;c'#\nalgorithms = md5, SHA-512-256, sha-256\nnonce_lifetime = 1h\nnonce_count = "
    "on\nfailures = 0\n"
    "[auth 1]\ndomain = one\n"
    "[gateways g2]\nalgorithm = least_calls\nprobe_interval = 0\nprobe_down = 100\nprobe_up = 100\nease_in = "
    "0\n"
    "tries_max = 16\nanswer_timeout = 640ms\n[gateways g1]\nanswer_timeout = 100ms\n"
    "[gateway c]\ngroup = g2\naddress = [2001:db8::7]\nweight = 1000\npriority = 1000\n"
    "[gateway b]\ngroup = g1\naddress = 192.0.2.8:65535\ncalls_per_second = 1000000\ntrusted = yes\n"
    "[gateway a]\ngroup = g2\naddress = GW.Example:5070;transport=TLS\nidentity = Carrier.Example\n"
    "[route 3]\nmethods = INVITE, x-y.!%*_+`'~\ndomain = X.example\nuser = +49;x=*\nto_domain = /^(a|B)$/\n"
    "to_user = **\nfrom_domain = Sip.*\nfrom_user = /[ ,]/\nsource = 192.0.2.0/24, 2001:db8::/32\nlistener = "
    "z\n"
    "who = trusted\nstrip = 64\nprepend = 00;\nset_domain = 2001:db8::9\naction = gateways\ngateways = g1\n"
    "mode = stateless\n"
    "[route 2]\nuser = 1\naction = hop\nhop = 2001:DB8::8;transport=udp\nset_domain = [2001:db8::9]:5070\n"
    "[route 1]\nuser = 2\naction = redirect\ncontact = SIP:a@b;x=#\n"
    "[route 0]\nuser = 3\naction = reject\ncode = 699\nreason = No, = [way]\n"
    "[route n]\nuser = 4\naction = numbers\n[route e]\nuser = 5\naction = enum\n[route d]\nuser = *\naction "
    "= domain\n";

static void assert_round_trip(struct conf *conf)
{
    char *first = reading_printed(conf);
    struct conf *again = reading_good(first);
    char *second = reading_printed(again);

    assert_string_equal(first, second);
    conf_free(again);
    free(second);
    free(first);
}

static void test_printed_configuration_reads_as_the_same(void **state)
{
    struct conf *conf = reading_good(rich);

    (void)state;
    assert_string_equal(conf->server_name.text, "%n##;odd: \"=[x]");
    assert_int_equal(conf->scanners_n, 8);
    assert_int_equal(conf->scanners[0].len, 160);
    assert_round_trip(conf);
    conf_free(conf);
    conf = reading_good("[server]\nserver_header =\nscanners =\n" READING_LEAST);
    assert_round_trip(conf);
    conf_free(conf);
}

// Some values have more spellings than one; they are printed in one.
static void test_values_print_in_one_spelling(void **state)
{
    static const char *const lines[] = {
        "networks = 0.0.0.0/0, ::/0, 192.0.2.7/32, 2001:db8::/33\n",
        "servers = 192.0.2.53:53, [2001:db8::53]:5353\n",
        "enum_suffix = e.example\n",
        "address = [2001:db8::7]\n",
        "address = gw.example:5070;transport=tls\n",
        "identity = carrier.example\n",
        "transport = tls\naddress = 192.0.2.1:5061\nadvertised = 192.0.2.1:5061\nport = a\n",
        "transport = wss\naddress = [2001:db8::1]:443\nadvertised = [2001:db8::1]:443\nport =\n",
        "methods = INVITE, x-y.!%*_+`'~\n",
        "domain = x.example\n",
        "user = +49;x=*\n",
        "to_domain = /^(a|B)$/\n",
        "to_user = **\n",
        "from_domain = sip.*\n",
        "from_user = /[ ,]/\n",
        "set_domain = [2001:db8::9]\n",
        "set_domain = [2001:db8::9]:5070\n",
        "hop = [2001:db8::8];transport=udp\n",
        "code = 699\nreason = No, = [way]\n",
        "algorithms = MD5, SHA-512-256, SHA-256\n",
        "realm = a.example\n",                      // of the domain
        "[route d]\nmethods =\ndomain =\nuser =\n", // "*" is any
    };
    struct conf *conf = reading_good(rich);
    char *printed = reading_printed(conf);

    (void)state;
    for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        if (strstr(printed, lines[i]) == NULL)
            print_error("not printed: %s", lines[i]);
        assert_non_null(strstr(printed, lines[i]));
    }
    free(printed);
    conf_free(conf);
}

// Whatever stands in the file: it is refused with a message, or it reads as the same again.
static void test_broken_files_are_refused_or_round_trip(void **state)
{
    uint64_t random = 0x5eed5eed5eedull;
    char text[sizeof(rich)];
    unsigned accepted = 0;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        char *messages = NULL;
        uint32_t len = sizeof(rich) - 1;
        memcpy(text, rich, len);
        for (unsigned n = (unsigned)(random_next(&random) % 4); n > 0; n--)
            text[random_next(&random) % len] = " \n\t;#,=:[]a0\r\xff"[random_next(&random) % 14];
        if (round % 3 == 0)
            len = (uint32_t)(random_next(&random) % len);
        struct conf *conf = reading_parse(slice_of(text, len), &messages);
        assert_int_equal(conf == NULL, messages[0] != 0);
        if (conf != NULL) {
            assert_round_trip(conf);
            accepted++;
        }
        conf_free(conf);
        free(messages);
    }
    assert_in_range(accepted, 100, 2900); // both ways were gone
}

static void test_nearest_is_a_slip_away(void **state)
{
    static const struct {
        const char *wanted, *first, *second, *best;
    } cases[] = {
        {"max_foward", "max_forwards", "message_max", "max_forwards"},
        {"prot", "port", "group", "port"},       // two neighbours swapped
        {"DOMAIN", "route", "domain", "domain"}, // whatever the case
        {"x", "y", "z", "y"},                    // one byte of one is a slip; the first stays
        {"abc", "xyz", "", NULL},                // too far
        {"", "server", "a", NULL},               // nothing to go by
        {"0123456789012345678901234567890123456789012345678901234567890123456789",
         "0123456789012345678901234567890123456789012345678901234567890123456788", "a",
         NULL}, // too long to matter
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct conf_nearest nearest = conf_nearest_to(slice_text(cases[i].wanted));
        conf_nearest_offer(&nearest, cases[i].first);
        conf_nearest_offer(&nearest, cases[i].second);
        if (cases[i].best == NULL)
            assert_null(nearest.best);
        else
            assert_string_equal(nearest.best, cases[i].best);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_default),
        cmocka_unit_test(test_rows_are_sound),
        cmocka_unit_test(test_template_is_the_committed_file),
        cmocka_unit_test(test_template_loads),
        cmocka_unit_test(test_template_loads_with_every_key),
        cmocka_unit_test(test_reference_names_every_key),
        cmocka_unit_test(test_printed_configuration_reads_as_the_same),
        cmocka_unit_test(test_values_print_in_one_spelling),
        cmocka_unit_test(test_broken_files_are_refused_or_round_trip),
        cmocka_unit_test(test_nearest_is_a_slip_away),
    };
    return cmocka_run_group_tests_name("conf schema", tests, NULL, NULL);
}
