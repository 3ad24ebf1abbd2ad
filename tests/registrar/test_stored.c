// Bindings as the store keeps them: what was written comes back, whatever was changed in the configuration meanwhile,
// and what was not written here is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// behind those that it needs
#include <cmocka.h>

#include "fence.h"
#include "registrar/stored.h"

static const char ini[] = "[port p]\ndevice = net_null0\n"
                          "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
                          "[listener six]\naddress = [2001:db8::1]:5060\nport = p\n"
                          "[listener b]\naddress = 198.18.1.1:5060\nport = p\n"
                          "[domain example.com]\n";

// The same box a year later: another order, and one is no more.
static const char later_ini[] = "[port p]\ndevice = net_null0\n"
                                "[listener other]\naddress = [2001:db8::7]:5060\nport = p\n"
                                "[listener b]\naddress = 198.18.1.1:5060\nport = p\n"
                                "[listener c]\naddress = 198.18.2.1:5060\nport = p\n"
                                "[domain example.com]\n";

static const struct clock now = {500000, 1700000000};
static struct conf *conf, *later_conf;
static struct location_binding bindings[2];
static char value[1024];
static uint32_t value_len;

static int begin(void **state)
{
    (void)state;
    conf = conf_parse(ini, sizeof(ini) - 1, "conf", stderr);
    later_conf = conf_parse(later_ini, sizeof(later_ini) - 1, "later", stderr);
    assert_non_null(conf);
    assert_non_null(later_conf);
    bindings[0] = (struct location_binding){.contact = SLICE("sip:bob@192.0.2.1"),
                                            .call_id = SLICE("call"),
                                            .path = SLICE("<sip:edge.example.com;lr>"),
                                            .received = endpoint_ip4(192, 0, 2, 1, 5062),
                                            .expires_ms = now.ms + 60000,
                                            .cseq = 4000000000u,
                                            .methods = 0x80000001,
                                            .q = 500,
                                            .listener = 2};
    bindings[1] = (struct location_binding){.contact = SLICE("sip:bob@[2001:db8::9]"),
                                            .call_id = SLICE(""),
                                            .path = SLICE(""),
                                            .expires_ms = now.ms + 3600001,
                                            .q = 1000,
                                            .listener = 1};
    assert_true(endpoint_parse(SLICE("[2001:db8::9]:5070"), &bindings[1].received));
    value_len = registrar_stored_write(conf, &now, bindings, 2, value);
    assert_true(value_len <= registrar_stored_room(bindings, 2));
    return 0;
}

static int end(void **state)
{
    (void)state;
    conf_free(conf);
    conf_free(later_conf);
    return 0;
}

static void expect_same(const struct location_binding *a, const struct location_binding *b)
{
    assert_true(slice_equal(a->contact, b->contact));
    assert_true(slice_equal(a->call_id, b->call_id));
    assert_true(slice_equal(a->path, b->path));
    assert_true(endpoint_equal(&a->received, &b->received));
    assert_int_equal(a->cseq, b->cseq);
    assert_int_equal(a->methods, b->methods);
    assert_int_equal(a->q, b->q);
}

static void test_what_was_written_comes_back(void **state)
{
    struct location_binding read[LOCATION_CONTACTS_MAX];
    unsigned n;

    (void)state;
    assert_true(registrar_stored_read(conf, &now, slice_of(value, value_len), read, &n));
    assert_int_equal(n, 2);
    for (unsigned i = 0; i < n; i++) {
        expect_same(&read[i], &bindings[i]);
        assert_int_equal(read[i].listener, bindings[i].listener);
        assert_in_range(read[i].expires_ms, bindings[i].expires_ms, bindings[i].expires_ms + 999);
    }
    assert_int_equal(registrar_stored_expires(slice_of(value, value_len)), now.unix_s + 3601);
}

static void test_time_passes_by_the_wall_clock(void **state)
{
    struct location_binding read[LOCATION_CONTACTS_MAX];
    const struct clock restarted = {7000, now.unix_s + 100}; // the first is dead, and milliseconds begin anew
    const struct clock after_all = {7000, now.unix_s + 3601};
    unsigned n;

    (void)state;
    assert_true(registrar_stored_read(conf, &restarted, slice_of(value, value_len), read, &n));
    assert_int_equal(n, 1);
    expect_same(&read[0], &bindings[1]);
    assert_int_equal(read[0].expires_ms, 7000 + 3501 * 1000);
    assert_true(registrar_stored_read(conf, &after_all, slice_of(value, value_len), read, &n));
    assert_int_equal(n, 0);
}

static void test_listener_is_found_by_its_address(void **state)
{
    struct location_binding read[LOCATION_CONTACTS_MAX];
    unsigned n;

    (void)state;
    assert_true(registrar_stored_read(later_conf, &now, slice_of(value, value_len), read, &n));
    assert_int_equal(read[0].listener, 1); // b
    assert_int_equal(read[1].listener, 0); // the one that was is gone: another of its family
}

static void test_cut_off_anywhere_is_refused_without_a_read_behind(void **state)
{
    struct location_binding read[LOCATION_CONTACTS_MAX];
    unsigned n;

    (void)state;
    for (uint32_t len = 0; len < value_len; len++)
        assert_false(registrar_stored_read(conf, &now, fence_copy(value, len), read, &n));
    assert_true(registrar_stored_read(conf, &now, fence_copy(value, value_len), read, &n));
    value[value_len] = 'x';
    assert_false(registrar_stored_read(conf, &now, fence_copy(value, value_len + 1), read, &n));
}

static void test_any_byte_changed_reads_nothing_behind(void **state)
{
    struct location_binding read[LOCATION_CONTACTS_MAX];
    unsigned n;

    (void)state;
    for (uint32_t at = 0; at < value_len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            value[at] = (char)(value[at] ^ 1 << bit);
            struct slice hostile = fence_copy(value, value_len);
            if (registrar_stored_read(conf, &now, hostile, read, &n)) {
                assert_in_range(n, 0, LOCATION_CONTACTS_MAX);
                for (unsigned i = 0; i < n; i++)
                    assert_true(read[i].contact.at >= hostile.at &&
                                read[i].contact.at + read[i].contact.len <= hostile.at + hostile.len);
            }
            registrar_stored_expires(hostile);
            value[at] = (char)(value[at] ^ 1 << bit);
        }
    }
}

// As the version before wrote it: one binding, whose endpoints are a family, a port and an address.
static void test_version_1_is_read_as_udp(void **state)
{
    static const uint8_t old[] = {
        1,    1,    0,    0,    0, 0, 0,    0,    0x3c, 0xf1, 0x53, 0x65, 0, 0,    0,    0, // until now + 60
        0x3c, 0xf1, 0x53, 0x65, 0, 0, 0,    0,    7,    0,    0,    0,    1, 0,    0,    0x80, 0xf4, 1, 17,
        0,    0,    0,    4,    0, 4, 0xc4, 0x13, 198,  18,   1,    1,    4, 0xc6, 0x13, 192,  0,    2, 1};
    static const char texts[] = "sip:bob@192.0.2.1call";
    const struct endpoint received = endpoint_ip4(192, 0, 2, 1, 5062);
    struct location_binding read[LOCATION_CONTACTS_MAX];
    unsigned n;

    (void)state;
    memcpy(value, old, sizeof(old));
    memcpy(value + sizeof(old), texts, sizeof(texts) - 1);
    struct slice all = fence_copy(value, sizeof(old) + sizeof(texts) - 1);
    assert_true(registrar_stored_read(conf, &now, all, read, &n));
    assert_int_equal(n, 1);
    assert_true(slice_equal(read[0].contact, SLICE("sip:bob@192.0.2.1")));
    assert_true(slice_equal(read[0].call_id, SLICE("call")));
    assert_true(endpoint_equal(&read[0].received, &received));
    assert_int_equal(read[0].listener, 2);
    assert_int_equal(read[0].cseq, 7);
    assert_int_equal(read[0].q, 500);
    assert_int_equal(read[0].expires_ms, now.ms + 60000);
    assert_int_equal(registrar_stored_expires(all), now.unix_s + 60);
    // written again it is of this version
    value_len = registrar_stored_write(conf, &now, read, 1, value);
    assert_int_equal(value[0], 2);
    assert_true(registrar_stored_read(conf, &now, slice_of(value, value_len), read, &n) && n == 1);
    assert_true(endpoint_equal(&read[0].received, &received));
}

static void test_a_connection_and_its_transport_come_back(void **state)
{
    struct location_binding read[LOCATION_CONTACTS_MAX];
    unsigned n;

    (void)state;
    for (uint8_t transport = ENDPOINT_TCP; transport < ENDPOINT_TRANSPORTS; transport++) {
        for (unsigned i = 0; i < 2; i++) {
            bindings[i].received.transport = transport & 0xf;
            bindings[i].received.flow = (uint8_t)(255 - i);
        }
        value_len = registrar_stored_write(conf, &now, bindings, 2, value);
        assert_true(value_len <= registrar_stored_room(bindings, 2));
        assert_true(registrar_stored_read(conf, &now, slice_of(value, value_len), read, &n) && n == 2);
        for (unsigned i = 0; i < 2; i++)
            assert_true(endpoint_equal(&read[i].received, &bindings[i].received));
    }
    // neither is there a sixth transport, nor has UDP connections
    bindings[0].received.transport = ENDPOINT_TRANSPORTS;
    value_len = registrar_stored_write(conf, &now, bindings, 2, value);
    assert_false(registrar_stored_read(conf, &now, slice_of(value, value_len), read, &n));
    bindings[0].received.transport = ENDPOINT_UDP;
    value_len = registrar_stored_write(conf, &now, bindings, 2, value);
    assert_false(registrar_stored_read(conf, &now, slice_of(value, value_len), read, &n));
}

static const char mixed_ini[] = "[port p]\ndevice = net_null0\n"
                                "[listener udp]\naddress = 198.18.2.1:5060\nport = p\n"
                                "[listener tcp]\naddress = 198.18.2.1:5060\ntransport = tcp\n"
                                "[listener other]\naddress = 198.18.1.1:5060\ntransport = tcp\n"
                                "[listener b]\naddress = 198.18.1.1:5060\nport = p\n"
                                "[domain example.com]\n";

static void test_listener_is_found_by_its_transport_too(void **state)
{
    struct conf *mixed = conf_parse(mixed_ini, sizeof(mixed_ini) - 1, "mixed", stderr);
    struct location_binding read[LOCATION_CONTACTS_MAX];
    unsigned n;

    (void)state;
    assert_non_null(mixed);
    for (uint8_t listener = 0; listener < 4; listener++) {
        bindings[0].listener = listener;
        value_len = registrar_stored_write(mixed, &now, bindings, 1, value);
        assert_true(registrar_stored_read(mixed, &now, slice_of(value, value_len), read, &n) && n == 1);
        assert_int_equal(read[0].listener, listener);
        // elsewhere there is UDP alone
        assert_true(registrar_stored_read(later_conf, &now, slice_of(value, value_len), read, &n) && n == 1);
    }
    conf_free(mixed);
}

static void test_another_version_is_refused(void **state)
{
    struct location_binding read[LOCATION_CONTACTS_MAX];
    unsigned n;

    (void)state;
    value[0] = 3;
    assert_false(registrar_stored_read(conf, &now, slice_of(value, value_len), read, &n));
    assert_true(registrar_stored_expires(slice_of(value, value_len)) > UINT32_MAX); // nothing sweeps it
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
        CASE(test_what_was_written_comes_back),
        CASE(test_time_passes_by_the_wall_clock),
        CASE(test_listener_is_found_by_its_address),
        CASE(test_cut_off_anywhere_is_refused_without_a_read_behind),
        CASE(test_any_byte_changed_reads_nothing_behind),
        CASE(test_version_1_is_read_as_udp),
        CASE(test_a_connection_and_its_transport_come_back),
        CASE(test_listener_is_found_by_its_transport_too),
        CASE(test_another_version_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
