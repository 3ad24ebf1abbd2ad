// Another configuration under traffic: taken whole or refused whole, and no message lost meanwhile.
#include "phones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/reload.h"
#include "datapath/datapath.h"

#define RUNNING PHONES_INI "kept_max = 1024\n"

static char path[] = "/tmp/strowger-reload-XXXXXX";
static struct control_reload *reload;
static unsigned published;

static void write_ini(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// RUNNING with one thing replaced by another.
static void write_edited(const char *from, const char *to)
{
    static char text[2 * sizeof(RUNNING)];
    const char *at = strstr(RUNNING, from);

    assert_non_null(at);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - RUNNING), RUNNING, to, at + strlen(from));
    write_ini(text);
}

static void take(void *owner, struct role_policy *policy, struct stream_tls *tls)
{
    struct strowger *strowger = owner;

    assert_null(tls); // there are no streams
    strowger->policy = policy;
    strowger->conf = policy->conf;
    rig.conf = policy->conf;
    published++;
}

static int open_reload(void **state)
{
    struct control_reload_setup setup = {.path = path,
                                         .workers = rig.strowger.workers,
                                         .published = take,
                                         .owner = &rig.strowger,
                                         .memory = &memory_system};

    (void)state;
    published = 0;
    phones_open(RUNNING);
    setup.policy = rig.strowger.policy;
    setup.workers_n = rig.strowger.workers_n;
    setup.qsbr = rig.strowger.qsbr;
    setup.gateways = rig.strowger.gateways;
    setup.secret = &rig.strowger.secret;
    return control_reload_create(&reload, &setup);
}

static int close_reload(void **state)
{
    (void)state;
    rig_drain(&rig);
    control_reload_destroy(reload);
    return rig_stop(&rig) ? 0 : -1;
}

static struct control_reload_counters counters(void)
{
    struct control_reload_counters now;

    control_reload_counters(reload, &now);
    return now;
}

// Control's ticks until it has decided so often, while the workers have no turn.
static void decide(unsigned times)
{
    struct control_reload_counters now = counters();

    for (unsigned i = 0; i < 5000 && now.reloaded + now.refused < times; i++) {
        control_reload_tick(reload, i);
        usleep(1000);
        now = counters();
    }
    assert_int_equal(now.reloaded + now.refused, times);
}

static void reload_all(void)
{
    control_reload_ask(reload, 1);
    decide(1);
    rig_turn(&rig);
    control_reload_tick(reload, 2);
}

static void test_reloaded_rules_hold_for_the_next_request(void **state)
{
    struct endpoint caller = CALLER, first = FIRST;

    (void)state;
    phones_call("INVITE", "+4930", "before", "", "");
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&first, "INVITE");
    write_edited("action = gateways\ngateways = trunk", "action = reject\ncode = 410");
    reload_all();
    assert_int_equal(counters().reloaded, 1);
    assert_true(control_reload_idle(reload));
    phones_call("INVITE", "+4930", "after", "", "");
    phones_expect(&caller, "SIP/2.0 410 ");
    phones_expect_nothing();
}

static void refuse(const char *what)
{
    const struct role_policy *policy = rig.strowger.policy;

    (void)what;
    reload_all();
    assert_int_equal(counters().refused, 1);
    assert_int_equal(published, 0);
    assert_ptr_equal(rig.strowger.policy, policy);
    assert_ptr_equal(rig.strowger.workers[0]->policy, policy);
    assert_true(control_reload_idle(reload));
}

static void test_what_only_a_restart_changes_is_refused(void **state)
{
    struct endpoint caller = CALLER, first = FIRST;

    (void)state;
    write_edited("address = 198.18.0.1:5060", "address = 198.18.0.1:5070");
    refuse("listener");
    phones_call("INVITE", "+4930", "as-before", "", "");
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&first, "INVITE");
}

static void test_file_with_a_fault_is_refused_whole(void **state)
{
    (void)state;
    write_edited("action = hop", "action = hopp");
    refuse("fault");
}

static void test_numbers_that_do_not_load_are_refused_whole(void **state)
{
    (void)state;
    write_edited("[domain", "[numbers]\nfile = /nonexistent/numbers.csv\n[domain");
    refuse("numbers");
}

static void test_missing_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(unlink(path), 0);
    refuse("missing");
}

// The one before is freed (and this test would then read it) only after each worker has had a turn.
static void test_old_policy_stays_until_every_worker_has_turned(void **state)
{
    const struct role_policy *before = rig.strowger.policy;

    (void)state;
    write_ini(RUNNING);
    control_reload_ask(reload, 1);
    decide(1);
    assert_int_equal(published, 1);
    for (unsigned id = 0; id < rig.strowger.workers_n; id++) {
        for (unsigned i = 0; i < 10; i++)
            control_reload_tick(reload, i);
        assert_false(control_reload_idle(reload));
        assert_int_equal(before->generation, 0);
        datapath_turn(rig.strowger.workers[id]);
    }
    control_reload_tick(reload, 1);
    assert_true(control_reload_idle(reload));
    assert_int_equal(rig.strowger.policy->generation, 1);
}

static void test_asking_during_a_reload_does_it_once_more(void **state)
{
    (void)state;
    write_ini(RUNNING);
    control_reload_ask(reload, 1);
    control_reload_ask(reload, 1);
    control_reload_ask(reload, 1);
    decide(1);
    rig_turn(&rig);
    control_reload_tick(reload, 2);
    assert_false(control_reload_idle(reload));
    decide(2);
    rig_turn(&rig);
    control_reload_tick(reload, 3);
    assert_true(control_reload_idle(reload));
    assert_int_equal(counters().reloaded, 2);
}

static void test_stopping_during_a_reload_leaves_nothing_behind(void **state)
{
    (void)state;
    write_ini(RUNNING);
    control_reload_ask(reload, 1); // the teardown comes while the thread reads
}

static void test_stopping_in_the_grace_period_leaves_nothing_behind(void **state)
{
    (void)state;
    write_ini(RUNNING);
    control_reload_ask(reload, 1);
    decide(1);
}

// Calls outlive the rule and the gateways that they came by.
static void test_call_goes_on_under_another_configuration(void **state)
{
    struct endpoint caller = CALLER, first = FIRST;
    char invite[PHONES_TEXT];

    (void)state;
    phones_call("INVITE", "+4930", "survivor", "", "");
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&first, "INVITE");
    memcpy(invite, phones_text, sizeof(invite));
    write_ini(
        "[network]\nmbufs = 4096\nmailbox_size = 64\nroute_max = 64\nneighbour_max = 64\nreassembly_max = "
        "16\n"
        "[location]\nbindings_max = 1000\n[dns]\nnames_max = 64\n[transaction]\ntransactions_max = 1024\n"
        "kept_max = 1024\n[port p0]\ndevice = net_ring_rig0\ntwin = sip0\n"
        "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n[domain example.net]\n");
    reload_all();
    assert_int_equal(counters().reloaded, 1);
    rig_pass(&rig, 508);
    phones_expect(&first, "INVITE");
    memcpy(phones_text, invite, sizeof(invite));
    phones_answer(&first, "200 OK");
    phones_expect(&caller, "SIP/2.0 200 OK");
    for (unsigned i = 0; i < 100; i++)
        rig_pass(&rig, 1000);
    assert_int_equal(rig_transactions(&rig), 0);
    assert_int_equal(rig_kept(&rig), 0);
}

// Two configurations in which the same domain has another number, so that what was steered under one must not be served
// under the other: a message for which that was forgotten would be answered 404, or worse.
static const char *const domains[] = {"[domain example.com]\n",
                                      "[domain a.example]\n[domain b.example]\n[domain example.com]\n"};

static void receive_options(const char *uri, const char *call_id)
{
    struct endpoint caller = CALLER, server = SERVER;
    char text[1024];
    int len = snprintf(text, sizeof(text),
                       "OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.0.10:5060;branch=z9hG4bK%s\r\n"
                       "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=1\r\nTo: <%s>\r\n"
                       "Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                       uri, call_id, uri, call_id);

    rig_receive(&rig, 0, 0, rig_frame(&rig, &caller, &server, text, (size_t)len, 0));
}

static void receive_register(unsigned user, const char *call_id)
{
    struct endpoint caller = CALLER, server = SERVER;
    char text[1024];
    int len =
        snprintf(text, sizeof(text),
                 "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.0.10:5060;branch=z9hG4bK%s\r\n"
                 "Max-Forwards: 70\r\nFrom: <sip:u%u@example.com>;tag=1\r\nTo: <sip:u%u@example.com>\r\n"
                 "Call-ID: %s\r\nCSeq: 1 REGISTER\r\nContact: <sip:x@198.18.0.10>\r\n"
                 "Content-Length: 0\r\n\r\n",
                 call_id, user, user, call_id);

    rig_receive(&rig, 0, 0, rig_frame(&rig, &caller, &server, text, (size_t)len, 0));
}

static unsigned count_answers(void)
{
    struct endpoint source, destination;
    unsigned good = 0;

    while (rig_sent_datagram(&rig, 0, &source, &destination, phones_text, sizeof(phones_text))) {
        if (strncmp(phones_text, "SIP/2.0 200 ", 12) != 0)
            fail_msg("this was to be a 200:\n%s", phones_text);
        good++;
    }
    return good;
}

static void test_no_message_is_lost_while_configurations_change(void **state)
{
    unsigned asked = 0, answered = 0, round = 0;
    char call_id[40];

    (void)state;
    while (counters().reloaded < 20) {
        if (control_reload_idle(reload)) {
            write_edited("[domain example.com]\n", domains[++round % 2]);
            control_reload_ask(reload, round);
        }
        for (unsigned i = 0; i < 16; i++, asked += 2) {
            snprintf(call_id, sizeof(call_id), "c%u", asked);
            receive_options("sip:198.18.0.1", call_id);
            receive_register(i, call_id);
        }
        // Worker 1 has its messages in its mailbox when the policy changes.
        datapath_turn(rig.strowger.workers[0]);
        control_reload_tick(reload, round);
        rig_turn(&rig);
        control_reload_tick(reload, round);
        answered += count_answers();
        assert_int_equal(answered, asked);
    }
    assert_int_equal(counters().refused, 0);
    for (enum drop drop = 1; drop < DROP_COUNT; drop++)
        assert_int_equal(rig_drops(&rig, drop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_reload, close_reload)
        CASE(test_reloaded_rules_hold_for_the_next_request),
        CASE(test_what_only_a_restart_changes_is_refused),
        CASE(test_file_with_a_fault_is_refused_whole),
        CASE(test_numbers_that_do_not_load_are_refused_whole),
        CASE(test_missing_file_is_refused),
        CASE(test_old_policy_stays_until_every_worker_has_turned),
        CASE(test_asking_during_a_reload_does_it_once_more),
        CASE(test_stopping_during_a_reload_leaves_nothing_behind),
        CASE(test_stopping_in_the_grace_period_leaves_nothing_behind),
        CASE(test_call_goes_on_under_another_configuration),
        CASE(test_no_message_is_lost_while_configurations_change),
    };

    assert_true(mkstemp(path) >= 0);
    rig_eal(2);
    int failed = cmocka_run_group_tests_name("reload", tests, NULL, NULL);
    unlink(path);
    return failed;
}
