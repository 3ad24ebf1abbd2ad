// Control with a policy: SIGHUP, names, accounting, and what telemetry says of them. The test plays the worker.
#include "scene.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "call/call.h"
#include "role/role.h"
#include "worker/parked.h"

// Nobody answers on the name server's port: the kernel says so at once.
#define INI                                                                                           \
    "[network]\nroute_max = 1024\nneighbour_max = 64\nresolve_queue_max = 4\n"                        \
    "[dns]\nservers = 127.0.0.1:5353\nnames_max = 64\nparked_max = 8\n[port p]\ndevice = net_null0\n" \
    "twin = sip0\n[listener l]\naddress = 198.18.0.1:5060\nport = p\n[domain example.com]\n"          \
    "[transaction]\ntransactions_max = 64\n"

static const struct hash_key key = {3, 4};

struct served {
    struct scene scene; // first: callbacks get it
    char ini[64], lines[64];
    struct gateway_states *states;
    struct name_table *names;
    struct role_policy *policy;
    struct role role;
};

static void write_ini(const struct served *s, const char *more)
{
    FILE *file = fopen(s->ini, "w");

    assert_non_null(file);
    fprintf(file, "%s[cdr]\nfile = %s\n%s", INI, s->lines, more);
    assert_int_equal(fclose(file), 0);
}

static void make_role(struct served *s)
{
    struct transaction_limits records = {.records = 64, .branches = 16, .node = MEMORY_ANY_NODE};
    struct transaction_timers timers = {500, 4000, 5000, 181000};
    struct call_limits calls = {.calls = 16, .longest_ms = 60000, .node = MEMORY_ANY_NODE};

    assert_int_equal(transaction_table_create(&s->role.transactions, &records, &timers, &memory_system), 0);
    assert_int_equal(call_table_create(&s->role.calls, &calls, &key, &memory_system), 0);
    s->scene.worker->role = &s->role;
}

static void open_served(struct served *s)
{
    struct scene *scene = &s->scene;

    memset(s, 0, sizeof(*s));
    scene_prepare(scene);
    snprintf(s->ini, sizeof(s->ini), "/tmp/strowger-served-%d.ini", getpid());
    snprintf(s->lines, sizeof(s->lines), "/tmp/strowger-served-%d.json", getpid());
    write_ini(s, "");
    assert_int_equal(gateway_states_create(&s->states, 1, &memory_system), 0);
    assert_int_equal(name_table_create(&s->names, 64, &key, scene->qsbr, &memory_system), 0);
    struct conf *conf = conf_load(s->ini, stderr);
    assert_non_null(conf);
    s->policy = role_policy_create(conf, s->states, &key, 1, fixture_ms(), stderr);
    assert_non_null(s->policy);
    make_role(s);
    atomic_store(&scene->worker->policy, s->policy);
    scene->setup.conf = conf;
    scene->setup.path = s->ini;
    scene->setup.policy = &s->policy;
    scene->setup.gateways = s->states;
    scene->setup.names = s->names;
    scene->setup.secret = &key;
    scene->setup.qsbr = scene->qsbr;
    assert_int_equal(control_create(&scene->control, &scene->setup), 0);
}

static void close_served(struct served *s)
{
    control_destroy(s->scene.control);
    s->scene.control = NULL;
    call_table_destroy(s->role.calls);
    transaction_table_destroy(s->role.transactions);
    role_policy_destroy(s->policy);
    name_table_destroy(s->names);
    gateway_states_destroy(s->states);
    unlink(s->ini);
    unlink(s->lines);
    scene_close(&s->scene);
}

static const char *ask(const char *command)
{
    static char answer[16384];
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", fixture_telemetry());
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_true(read(fd, answer, sizeof(answer)) > 0); // the greeting
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
        fail_msg("%s: no %s in %s", command, words, ask(command));
}

static bool reload_is_over(const struct scene *scene)
{
    struct control_reload_counters counters;

    control_reload_counters(scene->control->reload, &counters);
    return counters.reloaded + counters.refused > 0 && control_reload_idle(scene->control->reload);
}

static void test_hangup_reloads_the_file(void **state)
{
    struct served s;

    (void)state;
    open_served(&s);
    const struct role_policy *before = s.policy;
    write_ini(&s, "[server]\nmax_forwards = 33\n");
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_true(scene_turn_until(&s.scene, reload_is_over, 10000));
    assert_ptr_not_equal(s.policy, before);
    assert_ptr_equal(s.scene.worker->policy, s.policy);
    assert_ptr_equal(s.scene.control->setup.conf, s.policy->conf);
    assert_int_equal(s.policy->conf->max_forwards, 33);
    assert_says("/strowger/conf", "max_forwards = 33"); // of the new one: the old one is freed
    assert_says("/strowger/control", "\"reloaded\":1,\"reloads_refused\":0");
    close_served(&s);
}

static void test_hangup_with_a_wrong_file_changes_nothing(void **state)
{
    struct served s;

    (void)state;
    open_served(&s);
    const struct role_policy *before = s.policy;
    write_ini(&s, "[serve]\n");
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_true(scene_turn_until(&s.scene, reload_is_over, 10000));
    assert_ptr_equal(s.policy, before);
    assert_says("/strowger/control", "\"reloaded\":0,\"reloads_refused\":1");
    close_served(&s);
}

static bool is_served(struct rte_mbuf *mbuf)
{
    return packet_of(mbuf)->errand == PACKET_SERVE;
}

static void test_message_waits_for_the_dns_and_comes_back(void **state)
{
    const struct parked parked = {.name = SLICE("gw.example.net"), .port = 5060, .kind = NAME_SIP};
    struct served s;

    (void)state;
    open_served(&s);
    struct rte_mbuf *mbuf = fixture_frame(s.scene.pool, "m", 1);
    assert_true(packet_park_write(mbuf, &parked));
    scene_punt(&s.scene, mbuf, PACKET_RESOLVE, NULL);
    assert_ptr_equal(scene_await(&s.scene, is_served, 30000), mbuf);
    rte_pktmbuf_free(mbuf);
    const struct name_question question = {.name = parked.name, .port = parked.port, .kind = parked.kind};
    const struct name_answer *answer = name_find(s.names, &question, fixture_ms());
    assert_non_null(answer);
    assert_true(answer->failed); // nobody was there to ask
    assert_says("/strowger/names", "\"names\":1,");
    assert_says("/strowger/names", "\"parked_total\":1");
    close_served(&s);
}

static bool is_unsent(struct rte_mbuf *mbuf)
{
    return packet_of(mbuf)->errand == PACKET_UNSENT;
}

static bool no_route_was_counted(const struct scene *scene)
{
    return scene->control->counters.drops[DROP_NO_ROUTE] == 2;
}

// Nothing leads there: what somebody keeps goes back to him, what nobody waits for is dropped.
static void test_kept_datagram_without_a_next_hop_goes_back(void **state)
{
    struct served s;

    (void)state;
    open_served(&s);
    struct rte_mbuf *kept = fixture_frame(s.scene.pool, "k", 1);
    struct rte_mbuf *other = fixture_frame(s.scene.pool, "o", 1);
    rte_mbuf_refcnt_update(kept, 1);
    packet_of(kept)->arrival.worker = packet_of(other)->arrival.worker = 0;
    scene_punt(&s.scene, other, PACKET_DATAGRAM, "203.0.113.1");
    scene_punt(&s.scene, kept, PACKET_DATAGRAM, "203.0.113.1");
    assert_ptr_equal(scene_await(&s.scene, is_unsent, 5000), kept);
    assert_true(scene_turn_until(&s.scene, no_route_was_counted, 5000));
    assert_int_equal(rte_mbuf_refcnt_read(kept), 2);
    rte_pktmbuf_free(kept);
    rte_pktmbuf_free(kept);
    close_served(&s);
}

static bool line_was_written(const struct scene *scene)
{
    return control_cdr_counters(scene->control->cdr)->lines == 1;
}

static void test_call_that_ended_leaves_its_line(void **state)
{
    const struct slice text[CALL_TEXTS] = {SLICE("id"), SLICE("sip:a@example.com"),
                                           SLICE("sip:b@example.com"), SLICE("sip:b@example.com")};
    struct clock now = {.ms = 1, .unix_s = 1700000000};
    struct endpoint source = endpoint_ip4(192, 0, 2, 1, 5060);
    struct served s;

    (void)state;
    open_served(&s);
    uint32_t call = call_begin(s.role.calls, &now, text, &source);
    assert_says("/strowger/calls", "\"0\":{\"calls\":1,\"calls_max\":16,\"begun\":1");
    call_end(s.role.calls, call, &now, CALL_FAILED, 486);
    assert_true(scene_turn_until(&s.scene, line_was_written, 5000));
    assert_says("/strowger/calls", "{\"lines\":1,");
    assert_says("/strowger/calls", "\"0\":{\"calls\":0,");
    close_served(&s);
}

static void test_transactions_show_by_worker(void **state)
{
    struct served s;

    (void)state;
    open_served(&s);
    assert_non_null(
        transaction_open(s.role.transactions, (struct hash128){5, 6}, SIP_METHOD_INVITE, 1000, NULL, NULL));
    s.scene.worker->kept = 7;
    s.scene.worker->counters.sent_responses[1] = 8;
    assert_says("/strowger/transactions", "{\"0\":{\"records\":1,\"records_max\":64,");
    assert_says("/strowger/transactions", "\"kept\":7,");
    assert_says("/strowger/transactions", "\"sent_1xx\":8,");
    close_served(&s);
}

static unsigned takes_left;

static void *failing_take(void *owner, size_t bytes, int node)
{
    (void)owner;
    return takes_left-- == 0 ? NULL : memory_system.take(memory_system.owner, bytes, node);
}

static void test_every_allocation_may_fail(void **state)
{
    struct memory failing = {failing_take, memory_system.give, NULL};
    struct served s;

    (void)state;
    open_served(&s);
    control_destroy(s.scene.control);
    s.scene.control = NULL;
    s.scene.setup.memory = &failing;
    for (unsigned failure = 0; s.scene.control == NULL; failure++) {
        assert_in_range(failure, 0, 40);
        takes_left = failure;
        int error = control_create(&s.scene.control, &s.scene.setup);
        assert_true(error == 0 || error == -ENOMEM);
    }
    takes_left = UINT32_MAX;
    close_served(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hangup_reloads_the_file),
        cmocka_unit_test(test_hangup_with_a_wrong_file_changes_nothing),
        cmocka_unit_test(test_message_waits_for_the_dns_and_comes_back),
        cmocka_unit_test(test_kept_datagram_without_a_next_hop_goes_back),
        cmocka_unit_test(test_call_that_ended_leaves_its_line),
        cmocka_unit_test(test_transactions_show_by_worker),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
