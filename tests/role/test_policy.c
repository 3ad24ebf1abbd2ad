// A configuration compiled: whole or not at all, and what it says when it cannot be.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "role/rules.h"
#include "scene.h"

static const struct hash_key key = {1, 2};

static const char text[] = "[server]\nserver_header =\n[port p]\ndevice = net_null0\n"
                           "[listener a]\naddress = 198.18.0.1\nport = p\n[domain example.com]\n"
                           "[trust]\nnetworks = 192.0.2.0/24\n"
                           "[gateways west]\n[gateways east]\n[gateways north]\n"
                           "[gateway w]\ngroup = west\naddress = 203.0.113.1\n"
                           "[gateway e]\ngroup = east\naddress = 203.0.113.2\n"
                           "[gateway n]\ngroup = north\naddress = 203.0.113.3\n"
                           "[route n]\nuser = /^\\+?[0-9]+$/\naction = numbers\n"
                           "[route r]\nuser = x\naction = reject\ncode = 403\n[numbers]\nfile = ";

// A file of numbers, and a configuration that has it.
static struct conf *conf_with(const char *numbers, char path[64])
{
    char all[2000];

    strcpy(path, "/tmp/strowger-numbers-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, numbers, strlen(numbers)), strlen(numbers));
    close(file);
    snprintf(all, sizeof(all), "%s%s\n", text, path);
    struct conf *conf = conf_parse(all, strlen(all), "policy", stderr);
    assert_non_null(conf);
    return conf;
}

static void test_numbers_lead_to_their_gateways_on_every_node(void **state)
{
    char path[64];
    struct gateway_states *states;
    struct conf *conf = conf_with("prefix,gateways\n+1,west\n49,east\n+4930,north\n", path);

    (void)state;
    assert_int_equal(gateway_states_create(&states, 1, &memory_system), 0);
    struct role_policy *policy = role_policy_create(conf, states, &key, 1u << 1 | 1u << 31, 0, stderr);
    assert_non_null(policy);
    assert_ptr_equal(policy->conf, conf);
    assert_ptr_equal(role_policy_numbers(policy), policy->numbers[1]);
    assert_ptr_not_equal(policy->numbers[1], policy->numbers[31]);
    for (unsigned node = 0; node < ROLE_NODES_MAX;
         node++) { // each its own, and none where nobody would read it
        const struct number_table *numbers = policy->numbers[node];
        assert_int_equal(numbers != NULL, node == 1 || node == 31);
        if (numbers == NULL)
            continue;
        assert_int_equal(number_find(numbers, SLICE("+1202")), 0);
        assert_int_equal(number_find(numbers, SLICE("4930")), 1);
        assert_int_equal(number_find(numbers, SLICE("+49301")), 2);
        assert_int_equal(number_find(numbers, SLICE("+49")), NUMBER_NONE);
    }
    role_policy_destroy(policy);
    gateway_states_destroy(states);
    unlink(path);
}

static void test_a_number_goes_where_the_table_says(void **state)
{
    static const struct scene_case cases[] = {
        {"by the longest prefix", "INVITE sip:+4930123@example.com", "gateways; 203.0.113.3:5060"},
        {"escaped", "INVITE sip:%2b1202@example.com", "gateways; 203.0.113.1:5060"},
        {"with separators", "INVITE tel:+1-(202)", "gateways; 203.0.113.1:5060"},
        {"nowhere", "INVITE sip:+7@example.com", "404"},
    };
    char path[64], sections[600];

    (void)state;
    conf_free(conf_with("+1,west\n+4930,north\n", path));
    snprintf(sections, sizeof(sections),
             "[trust]\nnetworks = 192.0.2.4\n[gateways west]\n[gateways north]\n"
             "[gateway w]\ngroup = west\naddress = 203.0.113.1\n"
             "[gateway n]\ngroup = north\naddress = 203.0.113.3\n"
             "[route n]\naction = numbers\n[numbers]\nfile = %s\n",
             path);
    struct scene *s = scene_open(sections);
    unlink(path);
    SCENE_RUN(s, cases);
    scene_close(s);
}

static void refused(struct conf *conf, const char *said)
{
    struct gateway_states *states;
    char *out;
    size_t len;
    FILE *errors = open_memstream(&out, &len);

    assert_int_equal(gateway_states_create(&states, 1, &memory_system), 0);
    assert_null(role_policy_create(conf, states, &key, 1, 0, errors));
    fclose(errors);
    if (strstr(out, said) == NULL)
        fail_msg("%s is not in: %s", said, out);
    free(out);
    gateway_states_destroy(states);
    conf_free(conf); // still the caller's
}

static void test_numbers_of_gateways_that_are_not_there_are_refused(void **state)
{
    char path[64];

    (void)state;
    struct conf *conf = conf_with("+1,west\n+2,nowhere\n", path);
    refused(conf, "nowhere");
    unlink(path);
}

static void test_a_missing_file_is_refused(void **state)
{
    char path[64];

    (void)state;
    struct conf *conf = conf_with("", path);
    unlink(path);
    refused(conf, "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_lead_to_their_gateways_on_every_node),
        cmocka_unit_test(test_a_number_goes_where_the_table_says),
        cmocka_unit_test(test_numbers_of_gateways_that_are_not_there_are_refused),
        cmocka_unit_test(test_a_missing_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
