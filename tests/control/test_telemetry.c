// The commands as an operator reads them: through the real telemetry socket.
#include "scene.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/telemetry.h"

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
    assert_says("/strowger/conf", "\"twin = sip0\"");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_drops_of_workers_and_control_add_up_and_are_explained),
        cmocka_unit_test(test_messages_by_method_and_class),
        cmocka_unit_test(test_parse_errors_all_have_their_name),
        cmocka_unit_test(test_stages_with_their_histogram),
        cmocka_unit_test(test_hops_by_page),
        cmocka_unit_test(test_configuration_by_line),
        cmocka_unit_test(test_control_and_a_location_that_is_not_there),
        cmocka_unit_test(test_after_the_end_the_answer_is_null),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
