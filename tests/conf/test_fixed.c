// What a running server refuses to have changed.
#include "reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"

#define RUNNING                                                                                             \
    "[port outside]\ndevice = d0\ntwin = t0\n[port inside]\ndevice = d1\n"                                  \
    "[listener a]\naddress = 192.0.2.1\nport = outside\n[listener b]\naddress = 192.0.2.2\nport = inside\n" \
    "[domain example.com]\n[gateways g]\n[gateway one]\ngroup = g\naddress = 192.0.2.9\n"                   \
    "[route r]\naction = gateways\ngateways = g\n"

// The running configuration with one thing replaced by another.
static char *edited(const char *from, const char *to)
{
    const char *at = strstr(RUNNING, from);
    char *text = malloc(sizeof(RUNNING) + strlen(to));

    assert_non_null(at);
    assert_non_null(text);
    sprintf(text, "%.*s%s%s", (int)(at - RUNNING), RUNNING, to, at + strlen(from));
    return text;
}

// How many differences are told, and what is said of them, for the caller to free.
static unsigned differences(const char *wanted, char **said)
{
    struct conf *running = reading_good(RUNNING), *other = reading_good(wanted);
    size_t len;
    FILE *out = open_memstream(said, &len);

    assert_non_null(out);
    unsigned n = conf_fixed_differences(running, other, out);
    fclose(out);
    conf_free(running);
    conf_free(other);
    return n;
}

static void test_what_only_a_restart_changes_is_told_by_section_and_key(void **state)
{
    static const struct {
        const char *from, *to, *said;
    } cases[] = {
        {"device = d0", "device = d7",
         "[port outside] device is d0 and cannot become d7 without a restart\n"},
        {"twin = t0\n", "", "[port outside] twin is t0 and cannot become nothing without a restart\n"},
        {"device = d1", "device = d1\ntwin = t1",
         "[port inside] twin is nothing and cannot become t1 without"},
        {"192.0.2.2", "192.0.2.3", "[listener b] address is 192.0.2.2:5060 and cannot become 192.0.2.3:5060"},
        {"port = inside", "port = inside\ntransport = tcp",
         "[listener b] transport is udp and cannot become tcp"},
        {"port = inside", "port = outside", "[listener b] port is inside and cannot become outside"},
        {"[listener b]\naddress = 192.0.2.2\nport = inside\n", "",
         "there are 2 [listener] sections and cannot become 1 without a restart\n"},
        {"[listener b]", "[listener c]", "[listener c] stands where [listener b] stood"},
        {"[domain", "[network]\nmbufs = 65536\n[domain", "[network] mbufs is 32768 and cannot become 65536"},
        {"[domain", "[location]\nbindings_max = 5\n[domain", "[location] bindings_max is 1000000"},
        {"[domain", "[transaction]\ntransactions_max = 64\n[domain",
         "[transaction] transactions_max is 262144"},
        {"[domain", "[stream]\nconnections_max = 2000\n[domain", "[stream] connections_max is 32768"},
        {"[domain", "[stream]\nhandshake_threads = 4\n[domain", "[stream] handshake_threads is 2"},
        {"[domain", "[presence]\nserve = yes\n[domain", "[presence] serve is no and cannot become yes"},
        {"[domain", "[presence]\nsubscriptions_max = 16\n[domain", "[presence] subscriptions_max is 200000"},
        {"[domain", "[dns]\nnames_max = 64\n[domain", "[dns] names_max is 65536"},
        {"[domain", "[store]\npath = /s\n[domain", "[store] path is nothing and cannot become /s"},
        {"[domain", "[store]\nusers_max = 16\n[domain", "[store] users_max is 1000000"},
        {"[domain", "[control]\nsocket = /c\n[domain", "[control] socket is nothing and cannot become /c"},
        {"[gateways g]", "[gateways g]\nalgorithm = least_calls", "calls are not followed"},
        {"[domain", "[cdr]\nfile = /tmp/x\n[domain", "calls are not followed"},
        {"[domain", "[cdr]\ncalls_max = 64\n[domain", "[cdr] calls_max is 100000"},
        {"[domain", "[cdr]\ncall_max = 60s\n[domain", "[cdr] call_max is 43200 and cannot become 60"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = edited(cases[i].from, cases[i].to), *said;
        unsigned n = differences(text, &said);
        // An address is advertised as it is, too.
        bool twice = strstr(cases[i].said, "] address") != NULL;
        if (n != (twice ? 2 : 1) || strstr(said, cases[i].said) == NULL)
            fail_msg("\"%s\" as \"%s\": %u differences: %s", cases[i].from, cases[i].to, n, said);
        free(said);
        free(text);
    }
}

static void test_what_workers_take_with_the_policy_may_change(void **state)
{
    static const char *const cases[][2] = {
        {"[domain example.com]", "[domain example.net]"},
        {"[domain", "[transaction]\nt1 = 100ms\nkept_max = 64\n[domain"},
        {"[domain", "[server]\nmessage_max = 4096\n[registrar]\nexpires_min = 10\n[domain"},
        {"[domain", "[trust]\nnetworks = 192.0.2.0/24\n[domain"},
        {"192.0.2.9\n", "192.0.2.9\n[gateway two]\ngroup = g\naddress = gw.example.com\n"},
        {"[route r]", "[route q]\naction = reject\ncode = 404\nmethods = MESSAGE\n[route r]"},
        {"[domain", "[certificate c]\nchain = /c\nkey = /k\n[tls]\nminimum = 1.3\n[domain"},
        {"[domain", "[stream]\nidle = 60\nconnections_source_max = 1\nbuffer_max = 1M\n[domain"},
        {"[domain", "[presence]\npolicy = open\nnotify_interval = 0\n[domain"},
        {"[domain", "[proxy]\nudp_max = 0\n[domain"},
        {"d0", "d0"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = edited(cases[i][0], cases[i][1]), *said;
        if (differences(text, &said) != 0)
            fail_msg("\"%s\" as \"%s\": %s", cases[i][0], cases[i][1], said);
        free(said);
        free(text);
    }
}

static void test_every_difference_is_told(void **state)
{
    char *text = edited("[domain",
                        "[network]\nmbufs = 65536\nmailbox_size = 64\n[location]\nbindings_max = 7\n[domain");
    char *said;

    (void)state;
    assert_int_equal(differences(text, &said), 3);
    assert_non_null(strstr(said, "mbufs"));
    assert_non_null(strstr(said, "mailbox_size"));
    assert_non_null(strstr(said, "bindings_max"));
    free(said);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_only_a_restart_changes_is_told_by_section_and_key),
        cmocka_unit_test(test_what_workers_take_with_the_policy_may_change),
        cmocka_unit_test(test_every_difference_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
