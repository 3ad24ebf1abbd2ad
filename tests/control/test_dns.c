// RFC 3263 4 branch by branch, with a name server of the test's own.
#include "dns_scene.h"

#include <stdio.h>

static void assert_hops(const struct name_answer *answer, const char *expected)
{
    assert_string_equal(dns_scene_hops(answer), expected);
    assert_false(answer->failed);
}

static uint64_t lifetime(const struct dns_scene *scene, const struct name_answer *answer)
{
    return answer->expires_ms - scene->now_ms;
}

static void test_a_name_with_a_port_is_its_addresses_alone(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.2");
    nameserver_add(&s.server, "gw.example.com AAAA 2001:db8::5");
    nameserver_add(&s.server, "_sip._udp.gw.example.com SRV 1 1 9999 wrong.example.com");
    assert_hops(dns_scene_ask(&s, "gw.example.com", 5060, NAME_SIP),
                "192.0.2.1:5060/0/0 192.0.2.2:5060/0/0 [2001:db8::5]:5060/0/0");
    assert_int_equal(nameserver_asked(&s.server), 2); // neither NAPTR nor SRV, 5060 or not
    dns_scene_close(&s);
}

static void test_naptr_leads_to_srv_and_to_addresses(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "example.com NAPTR 10 50 s SIPS+D2T '' _sips._tcp.example.com");
    nameserver_add(&s.server, "example.com NAPTR 20 50 s SIP+D2T '' _sip._tcp.example.com");
    nameserver_add(&s.server, "example.com NAPTR 40 50 s SIP+D2U '' _sip._udp.worse.example.com");
    nameserver_add(&s.server, "example.com NAPTR 30 60 s SIP+D2U '' _sip._udp.bad.example.com");
    nameserver_add(&s.server, "example.com NAPTR 30 50 S sip+d2u '' _sip._udp.better.example.net");
    nameserver_add(&s.server, "_sip._udp.better.example.net SRV 2 7 5070 b.example.net");
    nameserver_add(&s.server, "_sip._udp.better.example.net SRV 1 20 5062 a.example.net");
    nameserver_add(&s.server, "a.example.net A 192.0.2.1");
    nameserver_add(&s.server, "b.example.net A 192.0.2.2");
    nameserver_add(&s.server, "b.example.net AAAA 2001:db8::2");
    assert_hops(dns_scene_ask(&s, "example.com", 0, NAME_SIP),
                "192.0.2.1:5062/1/20 192.0.2.2:5070/2/7 [2001:db8::2]:5070/2/7");
    assert_int_equal(nameserver_asked_for(&s.server, "_sip._udp.worse.example.com SRV udp"), 0);
    assert_int_equal(nameserver_asked_for(&s.server, "_sip._tcp.example.com SRV udp"), 0);
    dns_scene_close(&s);
}

static void test_naptr_of_other_transports_alone_is_as_none(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "example.com NAPTR 10 50 s SIP+D2T '' _sip._tcp.example.com");
    nameserver_add(&s.server, "example.com NAPTR 10 50 u E2U+sip '!.*!sip:x@y!' .");
    nameserver_add(&s.server, "example.com NAPTR 10 50 s SIP+D2U '!.*!x!' .");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 0 0 5061 a.example.com");
    nameserver_add(&s.server, "a.example.com A 192.0.2.1");
    assert_hops(dns_scene_ask(&s, "example.com", 0, NAME_SIP), "192.0.2.1:5061/0/0");
    dns_scene_close(&s);
}

static void test_naptr_flag_a_leads_to_addresses(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "example.com NAPTR 10 50 a SIP+D2U '' a.example.com");
    nameserver_add(&s.server, "a.example.com A 192.0.2.1");
    assert_hops(dns_scene_ask(&s, "example.com", 0, NAME_SIP), "192.0.2.1:5060/0/0");
    dns_scene_close(&s);
}

static void test_naptr_without_its_srv_gives_way_to_the_next(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "example.com NAPTR 10 50 s SIP+D2U '' _sip._udp.none.example.com");
    nameserver_add(&s.server, "example.com NAPTR 20 50 s SIP+D2U '' _sip._udp.some.example.com");
    nameserver_add(&s.server, "_sip._udp.some.example.com SRV 0 0 5061 a.example.com");
    nameserver_add(&s.server, "a.example.com A 192.0.2.1");
    assert_hops(dns_scene_ask(&s, "example.com", 0, NAME_SIP), "192.0.2.1:5061/0/0");
    dns_scene_close(&s);
}

static void test_without_naptr_srv_of_the_name_is_asked(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 0 5 5061 A.Example.com");
    nameserver_add(&s.server, "a.example.com A 192.0.2.1");
    assert_hops(dns_scene_ask(&s, "EXAMPLE.com.", 0, NAME_SIP), "192.0.2.1:5061/0/5");
    dns_scene_close(&s);
}

static void test_without_srv_the_addresses_at_5060(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "example.com A 192.0.2.1");
    assert_hops(dns_scene_ask(&s, "example.com", 0, NAME_SIP), "192.0.2.1:5060/0/0");
    assert_int_equal(nameserver_asked_for(&s.server, "example.com NAPTR udp"), 1);
    assert_int_equal(nameserver_asked_for(&s.server, "_sip._udp.example.com SRV udp"), 1);
    dns_scene_close(&s);
}

static void test_srv_target_dot_is_decidedly_not_available(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 0 0 0 .");
    nameserver_add(&s.server, "example.com A 192.0.2.1"); // RFC 2782: this is not asked any more
    const struct name_answer *answer = dns_scene_ask(&s, "example.com", 0, NAME_SIP);
    assert_hops(answer, "");
    assert_int_equal(lifetime(&s, answer), 7000);
    assert_int_equal(nameserver_asked_for(&s.server, "example.com A udp"), 0);
    dns_scene_close(&s);
}

static void test_srv_keeps_priority_and_weight_whatever_the_answers_order(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "[listener four]\naddress = 198.18.0.1:5060\nport = p\n");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 5 0 5060 z.example.com");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 0 30 5060 c.example.com");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 0 10 5060 b.example.com");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 0 10 5060 a.example.com");
    for (char host = 'a'; host <= 'c'; host++)
        nameserver_add(&s.server, "%c.example.com A 192.0.2.%d", host, host - 'a' + 1);
    nameserver_add(&s.server, "z.example.com A 192.0.2.26");
    const struct name_answer *answer = dns_scene_ask(&s, "example.com", 0, NAME_SIP);
    assert_hops(answer, "192.0.2.3:5060/0/30 192.0.2.1:5060/0/10 192.0.2.2:5060/0/10 192.0.2.26:5060/5/0");
    for (unsigned i = 0; i < 4; i++)
        assert_int_not_equal(answer->hops[i].target, answer->hops[(i + 1) % 4].target);
    dns_scene_close(&s);
}

static void test_a_target_that_is_not_there_does_not_hurt_the_others(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 1 0 5060 none.example.com");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 2 0 5060 broken.example.com");
    nameserver_add(&s.server, "broken.example.com ! servfail");
    nameserver_add(&s.server, "_sip._udp.example.com SRV 3 0 5060 good.example.com");
    nameserver_add(&s.server, "good.example.com A 192.0.2.1");
    assert_hops(dns_scene_ask(&s, "example.com", 0, NAME_SIP), "192.0.2.1:5060/3/0");
    dns_scene_close(&s);
}

static void test_only_families_that_a_listener_has(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "[listener six]\naddress = [2001:db8::1]:5060\nport = p\n");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    nameserver_add(&s.server, "gw.example.com AAAA 2001:db8::5");
    assert_hops(dns_scene_ask(&s, "gw.example.com", 5070, NAME_SIP), "[2001:db8::5]:5070/0/0");
    assert_int_equal(nameserver_asked_for(&s.server, "gw.example.com A udp"), 0);
    dns_scene_close(&s);
}

static void test_the_first_listeners_family_comes_first(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "[listener six]\naddress = [2001:db8::1]:5060\nport = p\n"
                       "[listener four]\naddress = 198.18.0.1:5060\nport = p\n");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    nameserver_add(&s.server, "gw.example.com AAAA 2001:db8::5");
    assert_hops(dns_scene_ask(&s, "gw.example.com", 5070, NAME_SIP),
                "[2001:db8::5]:5070/0/0 192.0.2.1:5070/0/0");
    dns_scene_close(&s);
}

static void test_a_chain_of_cnames_is_followed(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "www.example.com CNAME/20 gw.example.com");
    nameserver_add(&s.server, "gw.example.com CNAME/300 host.example.com");
    nameserver_add(&s.server, "host.example.com A/400 192.0.2.1");
    const struct name_answer *answer = dns_scene_ask(&s, "www.example.com", 5060, NAME_SIP);
    assert_hops(answer, "192.0.2.1:5060/0/0");
    assert_int_equal(lifetime(&s, answer), 20000); // the shortest of the chain
    dns_scene_close(&s);
}

static void test_a_loop_of_cnames_leads_nowhere(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "a.example.com CNAME b.example.com");
    nameserver_add(&s.server, "b.example.com CNAME a.example.com");
    assert_hops(dns_scene_ask(&s, "a.example.com", 0, NAME_SIP), "");
    dns_scene_close(&s);
}

static void test_time_to_live_is_the_smallest_on_the_way(void **state)
{
    static const struct {
        const char *naptr, *srv, *address;
        unsigned seconds;
    } cases[] = {
        {"50", "100", "200", 50}, {"100", "50", "200", 50},       {"200", "100", "50", 50},
        {"0", "100", "100", 5},   {"9000", "8000", "7000", 1000}, {"4294967295", "100", "100", 5},
    };
    struct dns_scene s;
    char name[32];

    (void)state;
    dns_scene_open(&s, "");
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        snprintf(name, sizeof(name), "n%u.example.com", i);
        nameserver_add(&s.server, "%s NAPTR/%s 1 1 s SIP+D2U '' _sip._udp.%s", name, cases[i].naptr, name);
        nameserver_add(&s.server, "_sip._udp.%s SRV/%s 1 1 5060 h%s", name, cases[i].srv, name);
        nameserver_add(&s.server, "h%s A/%s 192.0.2.1", name, cases[i].address);
        assert_int_equal(lifetime(&s, dns_scene_ask(&s, name, 0, NAME_SIP)), cases[i].seconds * 1000);
    }
    dns_scene_close(&s);
}

static void test_a_name_that_does_not_exist_is_a_negative_answer(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    const struct name_answer *answer = dns_scene_ask(&s, "nobody.example.com", 0, NAME_SIP);
    assert_hops(answer, "");
    assert_int_equal(lifetime(&s, answer), 7000);
    unsigned asked = nameserver_asked(&s.server);
    s.now_ms += 6999;
    dns_scene_park(&s, "nobody.example.com", 0, NAME_SIP, 'x'); // known: goes back at once
    assert_int_equal(s.served_n, 2);
    assert_int_equal(nameserver_asked(&s.server), asked);
    s.now_ms++;
    dns_scene_ask(&s, "nobody.example.com", 0, NAME_SIP);
    assert_int_equal(nameserver_asked(&s.server), 2 * asked);
    dns_scene_close(&s);
}

static void test_servers_that_fail_are_no_proof_that_there_is_no_name(void **state)
{
    static const struct {
        const char *fault, *other;
    } cases[] = {
        {"n.example.com !NAPTR servfail", NULL},
        {"n.example.com !NAPTR refused", NULL},
        {"n.example.com !NAPTR silent", NULL},
        {"_sip._udp.n.example.com !SRV servfail", NULL},
        {"_sip._udp.n.example.com !SRV silent", NULL},
        {"n.example.com !A servfail", "n.example.com !AAAA servfail"},
    };

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        struct dns_scene s;
        dns_scene_open(&s, "");
        nameserver_add(&s.server, "%s", cases[i].fault);
        if (cases[i].other != NULL)
            nameserver_add(&s.server, "%s", cases[i].other);
        else
            nameserver_add(&s.server, "n.example.com A 192.0.2.1");
        const struct name_answer *answer = dns_scene_ask(&s, "n.example.com", 0, NAME_SIP);
        assert_true(answer->failed);
        assert_int_equal(answer->hops_n, 0);
        assert_int_equal(lifetime(&s, answer), 7000);
        assert_int_equal(dns_scene_counters(&s).failures, 1);
        dns_scene_close(&s);
    }
}

static void test_one_family_that_fails_does_not_hurt_the_other(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "gw.example.com !AAAA silent");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    assert_hops(dns_scene_ask(&s, "gw.example.com", 5060, NAME_SIP), "192.0.2.1:5060/0/0");
    dns_scene_close(&s);
}

static void test_an_answer_that_was_cut_off_is_asked_for_by_tcp(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    nameserver_add(&s.server, "gw.example.com !A truncated");
    assert_hops(dns_scene_ask(&s, "gw.example.com", 5060, NAME_SIP), "192.0.2.1:5060/0/0");
    assert_int_equal(nameserver_asked_for(&s.server, "gw.example.com A tcp"), 1);
    dns_scene_close(&s);
}

static void test_an_answer_with_a_wrong_id_is_not_believed(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    nameserver_add(&s.server, "gw.example.com A 192.0.2.1");
    nameserver_add(&s.server, "gw.example.com !A forged");
    assert_hops(dns_scene_ask(&s, "gw.example.com", 5060, NAME_SIP), "192.0.2.1:5060/0/0");
    dns_scene_close(&s);
}

static void test_answers_that_make_no_sense_are_failures(void **state)
{
    static const char *const faults[] = {"garbage", "lying"};

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(faults); i++) {
        struct dns_scene s;
        dns_scene_open(&s, "");
        nameserver_add(&s.server, "n.example.com A 192.0.2.1");
        nameserver_add(&s.server, "n.example.com NAPTR 1 1 s SIP+D2U '' _sip._udp.n.example.com");
        nameserver_add(&s.server, "n.example.com ! %s", faults[i]);
        assert_true(dns_scene_ask(&s, "n.example.com", 0, NAME_SIP)->failed);
        assert_true(dns_scene_ask(&s, "n.example.com", 5060, NAME_SIP)->failed);
        dns_scene_close(&s);
    }
}

static void test_hostile_sizes_are_cut(void **state)
{
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    for (unsigned i = 0; i < 300; i++)
        nameserver_add(&s.server, "huge.example.com A 10.0.%u.%u", i / 250, i % 250 + 1);
    assert_int_equal(dns_scene_ask(&s, "huge.example.com", 5060, NAME_SIP)->hops_n, 8);
    for (unsigned i = 0; i < 60; i++) {
        nameserver_add(&s.server, "_sip._udp.many.example.com SRV %u 0 5060 t%u.example.com", 100 - i, i);
        nameserver_add(&s.server, "t%u.example.com A 10.1.1.%u", i, i + 1);
        nameserver_add(&s.server, "many.example.com NAPTR %u 0 s SIP+D2U '' _none%u.example.com", i, i);
    }
    nameserver_add(&s.server, "many.example.com A 10.9.9.9");
    assert_hops(dns_scene_ask(&s, "many.example.com", 0, NAME_SIP), "10.9.9.9:5060/0/0");
    assert_int_equal(nameserver_asked_for(&s.server, "_none15.example.com SRV udp"), 1);
    assert_int_equal(nameserver_asked_for(&s.server, "_none16.example.com SRV udp"), 0);
    nameserver_remove(&s.server, "many.example.com");
    s.now_ms += 1000000;
    const struct name_answer *answer = dns_scene_ask(&s, "many.example.com", 0, NAME_SIP);
    assert_int_equal(answer->hops_n, NAME_HOPS_MAX); // those of the best priorities: the last ones
    assert_int_equal(answer->hops[0].priority, 41);
    assert_int_equal(answer->hops[NAME_HOPS_MAX - 1].priority, 56);
    dns_scene_close(&s);
}

static void test_weird_names_are_not_asked_for(void **state)
{
    static const char *const names[] = {"", "a b", "a\\b", "a%41", "x\xff", "[::1]", "a/b"};
    struct dns_scene s;

    (void)state;
    dns_scene_open(&s, "");
    for (unsigned i = 0; i < RTE_DIM(names); i++)
        assert_hops(dns_scene_ask(&s, names[i], 0, NAME_SIP), "");
    assert_int_equal(nameserver_asked(&s.server), 0);
    dns_scene_close(&s);
}

static void test_names_beyond_what_the_dns_has_end(void **state)
{
    static const char *const names[] = {"a..b", ".a", "..", "a."};
    struct dns_scene s;
    char label[80], name[256];

    (void)state;
    dns_scene_open(&s, "");
    for (unsigned i = 0; i < RTE_DIM(names); i++)
        assert_hops(dns_scene_ask(&s, names[i], 0, NAME_SIP), "");
    memset(label, 'l', sizeof(label));
    label[70] = 0; // a label has 63 bytes at most
    assert_hops(dns_scene_ask(&s, label, 0, NAME_SIP), "");
    memset(name, 'n', sizeof(name));
    for (unsigned i = 50; i < 255; i += 50)
        name[i] = '.';
    name[253] = 0; // no room for _sip._udp in front
    assert_hops(dns_scene_ask(&s, name, 0, NAME_SIP), "");
    dns_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_with_a_port_is_its_addresses_alone),
        cmocka_unit_test(test_naptr_leads_to_srv_and_to_addresses),
        cmocka_unit_test(test_naptr_of_other_transports_alone_is_as_none),
        cmocka_unit_test(test_naptr_flag_a_leads_to_addresses),
        cmocka_unit_test(test_naptr_without_its_srv_gives_way_to_the_next),
        cmocka_unit_test(test_without_naptr_srv_of_the_name_is_asked),
        cmocka_unit_test(test_without_srv_the_addresses_at_5060),
        cmocka_unit_test(test_srv_target_dot_is_decidedly_not_available),
        cmocka_unit_test(test_srv_keeps_priority_and_weight_whatever_the_answers_order),
        cmocka_unit_test(test_a_target_that_is_not_there_does_not_hurt_the_others),
        cmocka_unit_test(test_only_families_that_a_listener_has),
        cmocka_unit_test(test_the_first_listeners_family_comes_first),
        cmocka_unit_test(test_a_chain_of_cnames_is_followed),
        cmocka_unit_test(test_a_loop_of_cnames_leads_nowhere),
        cmocka_unit_test(test_time_to_live_is_the_smallest_on_the_way),
        cmocka_unit_test(test_a_name_that_does_not_exist_is_a_negative_answer),
        cmocka_unit_test(test_servers_that_fail_are_no_proof_that_there_is_no_name),
        cmocka_unit_test(test_one_family_that_fails_does_not_hurt_the_other),
        cmocka_unit_test(test_an_answer_that_was_cut_off_is_asked_for_by_tcp),
        cmocka_unit_test(test_an_answer_with_a_wrong_id_is_not_believed),
        cmocka_unit_test(test_answers_that_make_no_sense_are_failures),
        cmocka_unit_test(test_hostile_sizes_are_cut),
        cmocka_unit_test(test_weird_names_are_not_asked_for),
        cmocka_unit_test(test_names_beyond_what_the_dns_has_end),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
