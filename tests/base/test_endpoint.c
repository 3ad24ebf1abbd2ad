#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "base/endpoint.h"
#include "fence.h"

static void test_text_is_read_and_written_back(void **state)
{
    static const struct {
        const char *text;
        const char *written; // NULL: no endpoint
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:5060", "192.0.2.1:5060"},
        {"0.0.0.0:1", "0.0.0.0:1"},
        {"255.255.255.255:65535", "255.255.255.255:65535"},
        {"2001:db8::1", "[2001:db8::1]"},
        {"[2001:db8::1]", "[2001:db8::1]"},
        {"[2001:DB8:0:0:0:0:0:1]:5061", "[2001:db8::1]:5061"},
        {"::", "[::]"},
        {"[::ffff:192.0.2.33]:5060", "[::ffff:192.0.2.33]:5060"},
        {"2001:db8:1111:2222:3333:4444:5555:6666", "[2001:db8:1111:2222:3333:4444:5555:6666]"},
        {"::ffff:111.111.111.111", "[::ffff:111.111.111.111]"},
        {"", NULL},
        {":5060", NULL},
        {"192.0.2.1:", NULL},
        {"192.0.2.1:0", NULL},
        {"192.0.2.1:65536", NULL},
        {"192.0.2.1:99999999999999999999", NULL},
        {"192.0.2.1:50 60", NULL},
        {"192.0.2.1 ", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.1.1", NULL},
        {"192.0.02.1", NULL},
        {"192..2.1", NULL},
        {"1.2.3.4.", NULL},
        {"[192.0.2.1]", NULL},
        {"[]", NULL},
        {"[", NULL},
        {"]", NULL},
        {"[::1", NULL},
        {"::1]", NULL},
        {"[::1]5060", NULL},
        {"[::1]:", NULL},
        {"[[::1]]", NULL},
        {"fe80::1%eth0", NULL},
        {"2001:db8:::1", NULL},
        {"2001:db8:1111:2222:3333:4444:5555:6666:7777", NULL},
        {"0000000000000000000000000000000000000000000000000000::1", NULL},
        {"atlanta.com", NULL},
        {"atlanta.com:5060", NULL},
        {"dead.beef", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct endpoint endpoint;
        char written[ENDPOINT_TEXT_MAX] = "";
        bool good = endpoint_parse(fence_copy(cases[i].text, strlen(cases[i].text)), &endpoint);
        unsigned len = good ? endpoint_write(&endpoint, written) : 0;
        written[len] = 0;
        if (good != (cases[i].written != NULL) || (good && strcmp(written, cases[i].written) != 0))
            fail_msg("%s is %s, not %s", cases[i].text, good ? written : "nothing", cases[i].written);
    }
}

// The room's own reader of IPv4 against libc's, over every text of few characters and around every number.
static void test_ip4_is_read_as_inet_pton_reads_it(void **state)
{
    static const char alphabet[] = "0129.a";
    char text[64];

    (void)state;
    for (unsigned long code = 0; code < 6ul * 6 * 6 * 6 * 6 * 6 * 6; code++) {
        size_t len = 0;
        for (unsigned long rest = code; len < 7; rest /= 6)
            text[len++] = alphabet[rest % 6];
        text[len] = 0;
        struct endpoint endpoint;
        uint8_t expected[16] = {0};
        bool good = inet_pton(AF_INET, text, expected) == 1;
        assert_int_equal(endpoint_parse_host(fence_copy(text, len), &endpoint), good);
        if (good)
            assert_memory_equal(endpoint.address, expected, sizeof(expected));
    }
    for (unsigned value = 0; value < 1100; value++) {
        int len = snprintf(text, sizeof(text), "%u.1.%u.9", value, 1099 - value);
        struct in_addr address;
        struct endpoint endpoint;
        assert_int_equal(endpoint_parse_host(slice_of(text, (size_t)len), &endpoint),
                         inet_pton(AF_INET, text, &address) == 1);
    }
}

static void test_embedded_nul_is_no_address(void **state)
{
    struct endpoint endpoint;

    (void)state;
    assert_false(endpoint_parse_host(SLICE("192.0.2.1\0"), &endpoint));
    assert_false(endpoint_parse_host(SLICE("::1\0"), &endpoint));
    assert_false(endpoint_parse_host(SLICE("[::1\0]"), &endpoint));
    assert_false(endpoint_parse(SLICE("192.0.2.1:5\0"), &endpoint));
}

static void test_failure_leaves_nothing_behind(void **state)
{
    static const struct endpoint none;
    struct endpoint endpoint = endpoint_ip4(1, 2, 3, 4, 5);

    (void)state;
    assert_false(endpoint_parse_host(SLICE("1.2.3.x"), &endpoint));
    assert_true(endpoint_equal(&endpoint, &none));
}

static void test_equality_is_of_family_address_and_port(void **state)
{
    struct endpoint a = endpoint_ip4(192, 0, 2, 1, 5060), b = a, c = a;

    (void)state;
    assert_true(endpoint_equal(&a, &b));
    b.port = 5061;
    assert_false(endpoint_equal(&a, &b));
    assert_true(endpoint_same_address(&a, &b));
    c.family = ENDPOINT_IP6;
    assert_false(endpoint_same_address(&a, &c));
}

static void test_nothing_is_written_of_nothing(void **state)
{
    static const struct endpoint none;
    char text[ENDPOINT_TEXT_MAX];

    (void)state;
    assert_int_equal(endpoint_write(&none, text), 0);
}

static void test_private_space_is_known(void **state)
{
    static const struct {
        const char *text;
        bool is_private;
    } cases[] = {
        {"10.0.0.0", true},     {"10.255.255.255", true}, {"11.0.0.0", false},      {"9.255.255.255", false},
        {"172.15.0.1", false},  {"172.16.0.1", true},     {"172.31.255.255", true}, {"172.32.0.0", false},
        {"192.168.0.1", true},  {"192.167.0.1", false},   {"192.169.0.1", false},   {"100.63.255.255", false},
        {"100.64.0.0", true},   {"100.127.255.1", true},  {"100.128.0.0", false},   {"169.254.1.1", true},
        {"169.253.1.1", false}, {"127.0.0.1", true},      {"198.18.0.1", false},    {"::1", true},
        {"::2", false},         {"fc00::1", true},        {"fdff::1", true},        {"fe80::1", true},
        {"febf::1", true},      {"fec0::1", false},       {"2001:db8::1", false},   {"fb00::1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct endpoint endpoint;
        assert_true(endpoint_parse(slice_text(cases[i].text), &endpoint));
        if (endpoint_is_private(&endpoint) != cases[i].is_private)
            fail_msg("%s", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_read_and_written_back),
        cmocka_unit_test(test_ip4_is_read_as_inet_pton_reads_it),
        cmocka_unit_test(test_embedded_nul_is_no_address),
        cmocka_unit_test(test_failure_leaves_nothing_behind),
        cmocka_unit_test(test_equality_is_of_family_address_and_port),
        cmocka_unit_test(test_nothing_is_written_of_nothing),
        cmocka_unit_test(test_private_space_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
