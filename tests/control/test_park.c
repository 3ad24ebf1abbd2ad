// Messages that wait for a name: joined, bounded, given back; and the names that the configuration has.
#include "dns_scene.h"

#include <errno.h>
#include <stdio.h>

#include "control/park.h"

#define GATEWAYS                                                 \
    "[gateways carrier]\nalgorithm = weighted\n"                 \
    "[gateway literal]\ngroup = carrier\naddress = 192.0.2.99\n" \
    "[gateway named]\ngroup = carrier\naddress = GW.example.com:5070\n"

static void test_messages_for_one_name_ask_once_and_go_back_in_order(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    dns_scene_park(&s, "gw.example.com", 5060, NAME_SIP, 'a');
    dns_scene_park(&s, "GW.example.com", 5060, NAME_SIP, 'b'); // a retransmission, or another call
    dns_scene_park(&s, "gw.example.com", 5060, NAME_SIP, 'c');
    assert_int_equal(s.served_n, 0);
    assert_int_equal(dns_scene_counters(&s).parked, 3);
    dns_scene_await(&s, 3);
    assert_memory_equal(s.served, "abc", 3);
    assert_int_equal(s.worker, 3);
    assert_int_equal(nameserver_asked_for(&s.server, "gw.example.com A udp"), 1);
    assert_int_equal(dns_scene_counters(&s).parked, 0);
    assert_int_equal(dns_scene_counters(&s).parked_high, 3);
    assert_int_equal(dns_scene_counters(&s).parked_total, 3);
    assert_int_equal(dns_scene_counters(&s).lookups, 1);
    assert_int_equal(dns_scene_counters(&s).found, 1);
    dns_scene_close(&s);
}

static void test_other_ports_and_kinds_are_other_questions(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "123 A 192.0.2.1");
    dns_scene_park(&s, "123", 5060, NAME_SIP, 'a');
    dns_scene_park(&s, "123", 5070, NAME_SIP, 'b');
    dns_scene_park(&s, "123", 0, NAME_ENUM, 'c');
    dns_scene_await(&s, 3);
    assert_int_equal(dns_scene_counters(&s).lookups, 3);
    dns_scene_close(&s);
}

static void test_what_is_known_by_now_goes_back_at_once(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    dns_scene_ask(&s, "gw.example.com", 5060, NAME_SIP);
    dns_scene_park(&s, "gw.example.com", 5060, NAME_SIP, 'b');
    assert_int_equal(s.served_n, 2);
    assert_int_equal(dns_scene_counters(&s).lookups, 1);
    dns_scene_close(&s);
}

static void test_one_name_gets_a_quarter_of_the_places_and_all_get_no_more_than_there_are(void **state)
{
    struct dns_scene s;
    char name[32];

    (void)state;
    dns_scene_open(&s, ""); // parked_max = 16
    nameserver_add(&s.server, "dead.example.com ! silent");
    for (unsigned i = 0; i < 6; i++)
        dns_scene_park(&s, "dead.example.com", 5060, NAME_SIP, 'd');
    assert_int_equal(s.nameless_n, 2);
    for (unsigned n = 0; n < 14; n++) {
        snprintf(name, sizeof(name), "n%u.example.com", n);
        nameserver_add(&s.server, "%s A 192.0.2.1", name);
        dns_scene_park(&s, name, 5060, NAME_SIP, 'n');
    }
    assert_int_equal(s.nameless_n, 4); // 4 + 14 are two more than 16
    assert_int_equal(dns_scene_counters(&s).parked, 16);
    assert_int_equal(dns_scene_counters(&s).refused, 4);
    dns_scene_await(&s, 4 + 12);
    // What could not wait for want of a place was asked for all the same: the next one finds it.
    dns_scene_await_lookups(&s, 14);
    assert_non_null(dns_scene_find(&s, "n13.example.com", 5060, NAME_SIP));
    dns_scene_await(&s, 20); // and silence ends
    assert_true(dns_scene_find(&s, "dead.example.com", 5060, NAME_SIP)->failed);
    assert_int_equal(dns_scene_counters(&s).parked, 0);
    dns_scene_close(&s);
}

static void test_lookups_on_their_way_are_bounded(void **state)
{
    struct dns_scene s;
    char name[32];

    (void)state;
    dns_scene_open(&s, "[listener four]\naddress = 198.18.0.1:5060\nport = p\n");
    for (unsigned n = 0; n < CONTROL_LOOKUPS_MAX + 3; n++) {
        snprintf(name, sizeof(name), "n%u.example.com", n);
        dns_scene_park(&s, name, 5060, NAME_SIP, 'n');
    }
    assert_int_equal(dns_scene_counters(&s).on_their_way, CONTROL_LOOKUPS_MAX);
    assert_int_equal(s.nameless_n, CONTROL_LOOKUPS_MAX + 3 - 16);
    dns_scene_await_lookups(&s, CONTROL_LOOKUPS_MAX);
    assert_int_equal(dns_scene_counters(&s).on_their_way, 0);
    dns_scene_close(&s);
}

static void test_an_answer_waits_for_room_in_the_name_table(void **state)
{
    struct dns_scene s;
    struct name_question other = {SLICE("other"), 0, NAME_SIP};
    struct name_answer answer = {.expires_ms = UINT64_MAX};

    (void)state;
    dns_scene_open(&s, "");
    assert_int_equal(rte_rcu_qsbr_thread_register(s.qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(s.qsbr, 0); // a worker that does not come round
    while (name_put(s.names, &other, &answer, s.now_ms) == 0)
        ;
    dns_scene_park(&s, "", 0, NAME_SIP, 'a'); // no name: answered without asking
    assert_int_equal(s.served_n, 0);
    control_dns_tick(s.dns, s.now_ms);
    assert_int_equal(s.served_n, 0);
    rte_rcu_qsbr_quiescent(s.qsbr, 0);
    control_dns_tick(s.dns, s.now_ms);
    assert_int_equal(s.served_n, 1);
    rte_rcu_qsbr_thread_offline(s.qsbr, 0);
    dns_scene_close(&s);
}

static void test_the_end_drops_what_waits(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "dead.example.com ! silent");
    dns_scene_park(&s, "dead.example.com", 5060, NAME_SIP, 'a');
    dns_scene_park(&s, "123", 0, NAME_ENUM, 'b');
    control_dns_destroy(s.dns);
    s.dns = NULL;
    assert_int_equal(s.dropped[DROP_STOPPING], 2);
    assert_int_equal(s.served_n, 0);
    dns_scene_close(&s);
}

static void test_gateways_names_are_asked_for_at_the_start_and_in_time(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, GATEWAYS);
    nameserver_add(&s.server, "gw.example.com A/100 192.0.2.1");
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 1);
    assert_int_equal(s.resolved_n, 1);
    assert_int_equal(s.gateway, 1); // the literal one needs none
    assert_int_equal(s.address.port, 5070);
    assert_int_equal(s.address.address[3], 1);
    assert_non_null(dns_scene_find(&s, "gw.example.com", 5070, NAME_SIP));

    nameserver_remove(&s.server, "gw.example.com");
    nameserver_add(&s.server, "gw.example.com A/100 192.0.2.2");
    s.now_ms += 74000;
    control_dns_tick(s.dns, s.now_ms);
    assert_int_equal(dns_scene_counters(&s).lookups, 1);
    s.now_ms += 1000; // three quarters of its time
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 2);
    assert_int_equal(s.resolved_n, 2);
    assert_int_equal(s.address.address[3], 2);
    dns_scene_close(&s);
}

static void test_a_gateway_stays_where_it_was_while_no_server_answers(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, GATEWAYS);
    nameserver_add(&s.server, "gw.example.com A/20 192.0.2.1");
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 1);
    nameserver_add(&s.server, "gw.example.com ! servfail");
    s.now_ms += 15000;
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 2);
    for (uint64_t lookups = 3; lookups < 10; lookups++) { // negative_ttl = 7: again after 5.25 s
        s.now_ms += 5250;
        control_dns_tick(s.dns, s.now_ms);
        dns_scene_await_lookups(&s, lookups);
        assert_int_equal(dns_scene_find(&s, "gw.example.com", 5070, NAME_SIP)->hops_n, 1);
    }
    assert_int_equal(dns_scene_counters(&s).failures, 8);
    nameserver_remove(&s.server, "gw.example.com"); // that it does not exist is another matter
    s.now_ms += 5250;
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 10);
    assert_int_equal(dns_scene_find(&s, "gw.example.com", 5070, NAME_SIP)->hops_n, 0);
    nameserver_add(&s.server, "gw.example.com A/20 192.0.2.7");
    s.now_ms += 5250;
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 11);
    assert_int_equal(s.address.address[3], 7);
    dns_scene_close(&s);
}

static void test_next_hops_with_names_are_asked_for_too(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "[route out]\naction = hop\nhop = peer.example.com:5062\n");
    nameserver_add(&s.server, "peer.example.com A 192.0.2.1");
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 1);
    assert_int_equal(dns_scene_find(&s, "peer.example.com", 5062, NAME_SIP)->hops_n, 1);
    assert_int_equal(s.resolved_n, 0);
    dns_scene_close(&s);
}

static void test_a_reload_changes_names_and_servers(void **state)
{
    struct dns_scene s;
    struct nameserver other;

    (void)state;
    dns_scene_open(&s, GATEWAYS);
    nameserver_add(&s.server, "slow.example.com ! silent");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 1);
    dns_scene_park(&s, "slow.example.com", 5060, NAME_SIP, 's'); // on its way while it happens

    struct nameserver before = s.server;
    nameserver_open(&other);
    nameserver_add(&other, "new.example.com A 192.0.2.3");
    s.server.port = other.port;
    struct conf *conf =
        dns_scene_conf(&s, "[gateways c]\n[gateway g]\ngroup = c\naddress = new.example.com:5060\n");
    assert_int_equal(control_dns_names(s.dns, conf), 0);
    conf_free(s.conf);
    s.conf = conf;
    s.server = before;

    control_dns_tick(s.dns, s.now_ms);
    dns_scene_await_lookups(&s, 3);
    assert_int_equal(s.served_n, 1); // by the old server's silence
    assert_int_equal(s.gateway, 0);
    assert_int_equal(s.address.address[3], 3);
    assert_int_equal(nameserver_asked_for(&s.server, "new.example.com A udp"), 0);
    s.now_ms += 60000;
    control_dns_tick(s.dns, s.now_ms); // gw.example.com is nobody's now
    dns_scene_await_lookups(&s, 4);
    assert_int_equal(nameserver_asked_for(&s.server, "gw.example.com A udp"), 1);
    nameserver_close(&other);
    dns_scene_close(&s);
}

struct scarce {
    unsigned left;   // takings that still succeed
    unsigned pieces; // outstanding
};

static void *scarce_take(void *owner, size_t bytes, int node)
{
    struct scarce *scarce = owner;

    if (scarce->left == 0)
        return NULL;
    scarce->left--;
    scarce->pieces++;
    return memory_system.take(NULL, bytes, node);
}

static void scarce_give(void *owner, void *at, size_t bytes)
{
    struct scarce *scarce = owner;

    scarce->pieces -= at != NULL;
    memory_system.give(NULL, at, bytes);
}

static void test_no_memory_is_said_and_nothing_is_left(void **state)
{
    struct dns_scene s;
    struct scarce scarce = {0};
    struct memory memory = {scarce_take, scarce_give, &scarce};
    struct control_dns *dns = NULL;
    int error = -ENOMEM;

    (void)state;
    dns_scene_open(&s, GATEWAYS);
    const struct control_dns_setup setup = {
        .conf = s.conf, .base = s.base, .names = s.names, .memory = &memory};
    for (unsigned takings = 0; error != 0; takings++) {
        assert_int_equal(error, -ENOMEM);
        assert_int_equal(scarce.pieces, 0);
        scarce.left = takings;
        error = control_dns_create(&dns, &setup);
    }
    assert_int_equal(scarce.pieces, 4);
    scarce.left = 0;
    assert_int_equal(control_dns_names(dns, s.conf), -ENOMEM);
    control_dns_tick(dns, s.now_ms); // without names of its own
    control_dns_destroy(dns);
    control_dns_destroy(NULL);
    assert_int_equal(scarce.pieces, 0);
    dns_scene_close(&s);
}

static void test_places_are_used_again(void **state)
{
    struct control_park *park;
    struct control_park_list lists[4] = {0};
    struct rte_mbuf mbufs[8];
    uint16_t worker;

    (void)state;
    assert_int_equal(control_park_create(&park, 8, &memory_system), 0); // two for each list
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 8; i++)
            assert_true(control_park_put(park, &lists[i % 4], &mbufs[i], (uint16_t)i));
        assert_false(control_park_put(park, &lists[round % 4], &mbufs[0], 0));
        for (unsigned i = 0; i < 8; i++) {
            unsigned which = (i + round) % 8;
            assert_ptr_equal(control_park_take(park, &lists[which % 4], &worker),
                             &mbufs[i < 4 ? which % 4 : which % 4 + 4]);
            assert_int_equal(worker, i < 4 ? which % 4 : which % 4 + 4);
        }
        assert_null(control_park_take(park, &lists[0], &worker));
    }
    assert_int_equal(control_park_waiting(park), 0);
    assert_int_equal(control_park_high(park), 8);
    control_park_destroy(park);
    control_park_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_for_one_name_ask_once_and_go_back_in_order),
        cmocka_unit_test(test_other_ports_and_kinds_are_other_questions),
        cmocka_unit_test(test_what_is_known_by_now_goes_back_at_once),
        cmocka_unit_test(test_one_name_gets_a_quarter_of_the_places_and_all_get_no_more_than_there_are),
        cmocka_unit_test(test_lookups_on_their_way_are_bounded),
        cmocka_unit_test(test_an_answer_waits_for_room_in_the_name_table),
        cmocka_unit_test(test_the_end_drops_what_waits),
        cmocka_unit_test(test_gateways_names_are_asked_for_at_the_start_and_in_time),
        cmocka_unit_test(test_a_gateway_stays_where_it_was_while_no_server_answers),
        cmocka_unit_test(test_next_hops_with_names_are_asked_for_too),
        cmocka_unit_test(test_a_reload_changes_names_and_servers),
        cmocka_unit_test(test_no_memory_is_said_and_nothing_is_left),
        cmocka_unit_test(test_places_are_used_again),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
