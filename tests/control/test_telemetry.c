// The commands as an operator reads them: through the real telemetry socket.
#include "scene.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/telemetry.h"
#include "role/policy.h"

static char answer[32768];

static int connect_to_telemetry(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", fixture_telemetry());
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_true(read(fd, answer, sizeof(answer)) > 0); // the greeting
    return fd;
}

static const char *ask(const char *command)
{
    int fd = connect_to_telemetry();

    assert_int_equal(write(fd, command, strlen(command)), strlen(command));
    ssize_t len = read(fd, answer, sizeof(answer) - 1);
    assert_true(len > 0);
    answer[len] = 0;
    close(fd);
    return answer;
}

static void assert_says(const char *command, const char *words)
{
    if (strstr(ask(command), words) == NULL)
        fail_msg("%s: no %s in %s", command, words, answer);
}

static void assert_does_not_say(const char *command, const char *words)
{
    if (strstr(ask(command), words) != NULL)
        fail_msg("%s: %s in %s", command, words, answer);
}

static void test_workers(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.worker->counters.busy_cycles = 11;
    scene.worker->counters.mailbox_high = 22;
    assert_says("/strowger/workers", "{\"/strowger/workers\":{\"0\":{\"lcore\":7,");
    assert_says("/strowger/workers,0", "\"busy_cycles\":11");
    assert_says("/strowger/workers", "\"mailbox_high\":22");
    assert_says("/strowger/workers,1", "{\"/strowger/workers\":null}");
    assert_says("/strowger/workers,x", "{\"/strowger/workers\":null}");
    scene_close(&scene);
}

static void test_ports(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.worker->counters.port[0].rx_packets = 33;
    scene.worker->counters.port[0].injected = 44;
    assert_says("/strowger/ports", "{\"p\":{\"device\":\"net_null0\",\"rx_packets\":33,");
    assert_says("/strowger/ports", "\"injected\":44");
    assert_says("/strowger/ports", "\"twin\":\"sip0\"");
    scene_close(&scene);
}

static void test_buffers_that_are_taken_are_not_free(void **state)
{
    struct scene scene;
    char words[64];

    (void)state;
    scene_open(&scene);
    unsigned unused = rte_mempool_avail_count(scene.pool);
    struct rte_mbuf *taken = rte_pktmbuf_alloc(scene.pool);
    snprintf(words, sizeof(words), "\"size\":%u,\"free\":%u}", scene.pool->populated_size, unused - 1);
    assert_says("/strowger/buffers", words);
    rte_pktmbuf_free(taken);
    snprintf(words, sizeof(words), "\"size\":%u,\"free\":%u}", scene.pool->populated_size, unused);
    assert_says("/strowger/buffers", words);
    scene_close(&scene);
}

static void test_drops_of_workers_and_control_add_up_and_are_explained(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.worker->counters.drops[DROP_NO_TWIN] = 5;
    scene.control->counters.drops[DROP_NO_TWIN] = 2;
    assert_says("/strowger/drops", "\"no_twin\":7");
    assert_says("/strowger/drops,no_twin", "\"count\":7");
    assert_says("/strowger/drops,no_twin", drop_explanation(DROP_NO_TWIN));
    assert_says("/strowger/drops,no_such", "null");
    for (enum drop reason = DROP_NONE + 1; reason < DROP_COUNT; reason++) {
        char key[64];
        snprintf(key, sizeof(key), "\"%s\":", drop_name(reason));
        for (char *letter = key; *letter != 0; letter++)
            *letter = (char)tolower((unsigned char)*letter);
        assert_says("/strowger/drops", key);
    }
    scene_close(&scene);
}

static void test_messages_by_method_and_class(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.worker->counters.requests[SIP_METHOD_INVITE] = 1;
    scene.worker->counters.forwarded_requests[SIP_METHOD_BYE] = 2;
    scene.worker->counters.responses[1] = 3;
    scene.worker->counters.replies[6] = 4;
    assert_says("/strowger/messages", "\"requests\":{\"other\":0,\"invite\":1,");
    assert_says("/strowger/messages,0", "\"bye\":2");
    assert_says("/strowger/messages", "\"responses\":{\"1xx\":3,");
    assert_says("/strowger/messages", "\"6xx\":4");
    assert_says("/strowger/messages,1", "null");
    scene_close(&scene);
}

static void test_parse_errors_all_have_their_name(void **state)
{
    struct scene scene;
    unsigned names = 0;

    (void)state;
    scene_open(&scene);
    scene.worker->counters.parse_errors[SIP_ERROR_MISSING_CALL_ID] = 9;
    assert_says("/strowger/parse", "\"missing_call_id\":9");
    for (const char *at = ask("/strowger/parse"); (at = strstr(at, "\":")) != NULL; at++)
        names++;
    assert_int_equal(names, SIP_ERROR_COUNT); // each but SIP_OK, and the command itself
    scene_close(&scene);
}

static void test_stages_with_their_histogram(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    counters_stage_add(&scene.worker->counters.stage[STAGE_PARSE], 500 * 32, 32);
    assert_says("/strowger/stages", "\"parse\":{\"cycles\":16000,\"messages\":32,\"below_2_to_the\":[0,");
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        assert_says("/strowger/stages", stage_name(stage));
    assert_says("/strowger/stages,9", "null");
    scene_close(&scene);
}

static bool forty_are_known(const struct scene *scene)
{
    return fixture_hop(scene->hops, "198.18.0.41")->state == NET_HOP_READY;
}

static void test_hops_by_page(void **state)
{
    struct scene scene;
    char *next;

    (void)state;
    scene_open(&scene);
    for (unsigned i = 2; i < 42; i++)
        fixture_ip("neigh add 198.18.0.%u lladdr 02:00:00:00:00:%02x dev sip0", i, i);
    assert_true(scene_turn_until(&scene, forty_are_known, 5000));
    assert_says("/strowger/hops", "\"neighbours\":40");
    assert_says("/strowger/hops", "\"state\":\"local\"");
    assert_says("/strowger/hops",
                "{\"address\":\"198.18.0.41\",\"state\":\"ready\",\"port\":\"p\",\"vlan\":0,\"mtu\":1500,"
                "\"mac\":\"02:00:00:00:00:29\"}");
    assert_null(strstr(ask("/strowger/hops"), "\"next\""));
    for (unsigned i = 42; i < 66; i++)
        fixture_ip("neigh add 198.18.0.%u lladdr 02:00:00:00:00:%02x dev sip0", i, i);
    for (unsigned turn = 0; turn < 50; turn++)
        control_turn(scene.control);
    assert_non_null(next = strstr(ask("/strowger/hops"), "\"next\":"));
    char command[64];
    snprintf(command, sizeof(command), "/strowger/hops,%d", atoi(next + 7));
    assert_does_not_say(command, "198.18.0.2\"");
    assert_says(command, "\"state\":");
    assert_says("/strowger/hops,99999999", "null");
    scene_close(&scene);
}

static void test_configuration_by_line(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    assert_says("/strowger/conf", "[\"[server]\"");
    assert_does_not_say("/strowger/conf", "\"twin = sip0\""); // a page has an end
    assert_says("/strowger/conf,100", "\"twin = sip0\"");
    assert_does_not_say("/strowger/conf,1", "[server]");
    assert_says("/strowger/conf,x", "null");
    scene_close(&scene);
}

static void test_control_and_a_location_that_is_not_there(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    assert_says("/strowger/control", "\"netlink_resyncs\":");
    assert_says("/strowger/control", "\"hops_waited_for\":0");
    assert_says("/strowger/location", "{\"/strowger/location\":{}}");
    scene_close(&scene);
}

static void test_after_the_end_the_answer_is_null(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene_close(&scene);
    assert_says("/strowger/workers", "{\"/strowger/workers\":null}");
}

// A policy for telemetry alone: the control that is asked was made without one.
struct policed {
    struct scene scene;
    struct gateway_states *states;
    struct role_policy *policy;
};

static void police(struct policed *p, const char *sections)
{
    static const char base[] = "[port p]\ndevice = net_null0\n"
                               "[listener l]\naddress = 198.18.0.1:5060\nport = p\n[domain example.com]\n";
    struct hash_key key = {1, 2};
    char text[16384];

    scene_open(&p->scene);
    snprintf(text, sizeof(text), "%s%s", base, sections);
    struct conf *conf = conf_parse(text, strlen(text), "test", stderr);
    assert_non_null(conf);
    assert_int_equal(gateway_states_create(&p->states, 2, &memory_system), 0);
    p->policy = role_policy_create(conf, p->states, &key, 1, p->scene.control->now_ms, stderr);
    assert_non_null(p->policy);
    p->scene.control->setup.policy = &p->policy;
}

static void unpolice(struct policed *p)
{
    p->scene.control->setup.policy = NULL;
    scene_close(&p->scene);
    role_policy_destroy(p->policy);
    gateway_states_destroy(p->states);
}

static void test_gateways_by_number_and_by_name(void **state)
{
    struct policed p;
    struct gateway_choice choice = {.worker = 1};

    (void)state;
    police(&p, "[gateways carrier]\nprobe_down = 2\n"
               "[gateway berlin-1]\ngroup = carrier\naddress = 192.0.2.1\n"
               "[gateway berlin-2]\ngroup = carrier\naddress = 192.0.2.2\npriority = 1\n");
    uint64_t now_ms = p.scene.control->now_ms;
    choice.now_ms = now_ms;
    uint16_t slot = gateway_choose(p.policy->gateways, 0, &choice);
    gateway_call(p.states, slot, 1, 1);
    gateway_heard(p.policy->gateways, slot, 1, true, now_ms);
    gateway_heard(p.policy->gateways, slot, 0, false, now_ms);
    gateway_probed(p.policy->gateways, slot, false, now_ms);
    assert_says(
        "/strowger/gateways",
        "{\"/strowger/gateways\":{\"0\":{\"name\":\"berlin-1\",\"group\":\"carrier\",\"health\":"
        "\"down\",\"for_s\":0,\"share\":0,\"calls\":1,\"sent\":1,\"good\":1,\"bad\":1,\"over_bound\":0,"
        "\"probes\":1,\"probe_failures\":1},\"1\":{\"name\":\"berlin-2\"");
    assert_says("/strowger/gateways,berlin-2", "\"health\":\"up\",\"for_s\":0,\"share\":100");
    assert_does_not_say("/strowger/gateways,berlin-2", "berlin-1");
    assert_does_not_say("/strowger/gateways,1", "berlin-1");
    assert_says("/strowger/gateways,berlin-3", "null");
    unpolice(&p);
}

static void test_gateways_come_in_pages(void **state)
{
    struct policed p;
    char text[8192], name[80];
    int len = sprintf(text, "[gateways %063d]\n", 0); // the longest names

    (void)state;
    for (unsigned i = 0; i < 31; i++)
        len +=
            sprintf(text + len, "[gateway %063u]\ngroup = %063d\naddress = 192.0.2.1:%u\n", i, 0, 1000 + i);
    police(&p, text);
    snprintf(name, sizeof(name), "\"name\":\"%063u\"", 29);
    assert_says("/strowger/gateways", name);
    assert_says("/strowger/gateways", "\"next\":30}}");
    assert_says("/strowger/gateways,30", "{\"/strowger/gateways\":{\"30\":{");
    assert_does_not_say("/strowger/gateways,30", "next");
    unpolice(&p);
}

static void test_gateways_and_numbers_without_any(void **state)
{
    struct scene scene;
    struct policed p;

    (void)state;
    scene_open(&scene);
    assert_says("/strowger/gateways", "{\"/strowger/gateways\":{}}");
    assert_says("/strowger/numbers", "{\"/strowger/numbers\":{}}");
    scene_close(&scene);
    police(&p, "");
    assert_says("/strowger/gateways", "{\"/strowger/gateways\":{}}");
    assert_says("/strowger/numbers", "{\"/strowger/numbers\":{}}");
    unpolice(&p);
}

static void test_numbers(void **state)
{
    char path[] = "/tmp/strowger-numbers-XXXXXX", text[256];
    struct policed p;

    (void)state;
    FILE *csv = fdopen(mkstemp(path), "w");
    assert_non_null(csv);
    fputs("49,g\n4930,g\n+1,g\n", csv);
    fclose(csv);
    snprintf(text, sizeof(text),
             "[gateways g]\n[gateway a]\ngroup = g\naddress = 192.0.2.1\n[numbers]\nfile = %s\n", path);
    police(&p, text);
    unlink(path);
    assert_says("/strowger/numbers", "{\"/strowger/numbers\":{\"prefixes\":3,\"bytes\":");
    unpolice(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_buffers_that_are_taken_are_not_free),
        cmocka_unit_test(test_drops_of_workers_and_control_add_up_and_are_explained),
        cmocka_unit_test(test_messages_by_method_and_class),
        cmocka_unit_test(test_parse_errors_all_have_their_name),
        cmocka_unit_test(test_stages_with_their_histogram),
        cmocka_unit_test(test_hops_by_page),
        cmocka_unit_test(test_configuration_by_line),
        cmocka_unit_test(test_control_and_a_location_that_is_not_there),
        cmocka_unit_test(test_after_the_end_the_answer_is_null),
        cmocka_unit_test(test_gateways_by_number_and_by_name),
        cmocka_unit_test(test_gateways_come_in_pages),
        cmocka_unit_test(test_gateways_and_numbers_without_any),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
