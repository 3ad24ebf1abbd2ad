// What keeps a NAT's hole open, from a frame in to a frame out: answered in the burst that it came by, never parsed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/datapath.h"
#include "rig/rig.h"

static const char ini[] = "[network]\nmbufs = 4096\nmailbox_size = 64\nroute_max = 64\nneighbour_max = 64\n"
                          "reassembly_max = 16\n[transaction]\ntransactions_max = 1000\nkept_max = 1000\n"
                          "[location]\nbindings_max = 1000\n"
                          "[port p0]\ndevice = net_ring_rig0\ntwin = sip0\n"
                          "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n"
                          "[listener six]\naddress = [2001:db8::1]:5060\nport = p0\n"
                          "[domain example.com]\nrole = proxy\n";

static struct rig rig;

struct path {
    struct endpoint phone, server;
};

static struct path path_of(const char *phone, const char *server)
{
    struct path path;

    assert_true(endpoint_parse(slice_text(phone), &path.phone));
    assert_true(endpoint_parse(slice_text(server), &path.server));
    return path;
}

#define FOUR path_of("198.18.0.10:40000", "198.18.0.1:5060")
#define SIX  path_of("[2001:db8::10]:40000", "[2001:db8::1]:5060")

static int start(void **state)
{
    struct path four = FOUR, six = SIX;

    (void)state;
    rig_start(&rig, ini, 1);
    rig_link(&rig, 0);
    rig_neighbour(&rig, 0, &four.phone);
    rig_neighbour(&rig, 0, &six.phone);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return rig_stop(&rig) ? 0 : -1;
}

static void receive(const struct path *path, const char *bytes, size_t len)
{
    rig_receive(&rig, 0, 0, rig_frame(&rig, &path->phone, &path->server, bytes, len, 0));
    rig_turn(&rig);
}

// The one datagram that went back to where the last came from, in `text`; its length.
static size_t sent_back(const struct path *path, char *text, size_t room)
{
    struct endpoint source, destination;

    memset(text, 0x7f, room);
    assert_true(rig_sent_datagram(&rig, 0, &source, &destination, text, room));
    assert_true(endpoint_equal(&source, &path->server));
    assert_true(endpoint_equal(&destination, &path->phone));
    assert_null(rig_sent(&rig, 0));
    const char *end = memchr(text, 0x7f, room);
    assert_non_null(end);
    return (size_t)(end - text) - 1; // and a NUL behind it
}

#define BINDING    "\0\x01\0\0\x21\x12\xa4\x42 transaction"
#define INDICATION "\0\x11\0\0\x21\x12\xa4\x42 transaction"
#define NO_COOKIE  "\0\x01\0\0\x21\x12\xa4\x43 transaction"

static const struct {
    const char *bytes;
    unsigned len;
    enum drop drop;
} silent[] = {
    {"", 0, DROP_KEEPALIVE},
    {"\r\n", 2, DROP_KEEPALIVE},
    {"\r\n\r", 3, DROP_KEEPALIVE},
    {"\0", 1, DROP_KEEPALIVE},
    {"\0\0\0\0", 4, DROP_KEEPALIVE},
    {INDICATION, 20, DROP_KEEPALIVE},
    {NO_COOKIE, 20, DROP_STUN},
    {BINDING, 19, DROP_STUN},
    {"\0\0\0\0\0", 5, DROP_STUN},
    {"\x01\x01\0\0\x21\x12\xa4\x42 transaction", 20, DROP_STUN}, // an answer that nobody asked for
    {"complete garbage", 16, DROP_PARSE},
    {"\r\n\r\nx", 5, DROP_PARSE},
};

static void test_what_wants_no_answer_is_counted(void **state)
{
    struct path path = FOUR;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(silent); i++) {
        uint64_t before = rig_drops(&rig, silent[i].drop);
        receive(&path, silent[i].bytes, silent[i].len);
        if (rig_drops(&rig, silent[i].drop) != before + 1)
            fail_msg("%u: not counted as %s", i, drop_name(silent[i].drop));
        assert_null(rig_sent(&rig, 0));
    }
    assert_int_equal(rig.strowger.workers[0]->counters.keepalives, 0);
}

static void test_double_crlf_is_answered_with_one(void **state)
{
    char text[256];
    struct path path = FOUR;

    (void)state;
    receive(&path, "\r\n\r\n", 4);
    assert_int_equal(sent_back(&path, text, sizeof(text)), 2);
    assert_memory_equal(text, "\r\n", 2);
    assert_int_equal(rig_drops(&rig, DROP_KEEPALIVE), 0);
    assert_int_equal(rig.strowger.workers[0]->counters.keepalives, 1);
}

static void test_stun_request_is_told_where_it_came_from(void **state)
{
    static const uint8_t mapped[] = {0x00,        0x20,        0x00,       0x08,      0x00,     0x01,
                                     0x9c ^ 0x21, 0x40 ^ 0x12, 198 ^ 0x21, 18 ^ 0x12, 0 ^ 0xa4, 10 ^ 0x42};
    char text[256];
    struct path path = FOUR;

    (void)state;
    receive(&path, BINDING, 20);
    assert_int_equal(sent_back(&path, text, sizeof(text)), 32);
    assert_memory_equal(text, "\x01\x01\0\x0c\x21\x12\xa4\x42 transaction", 20);
    assert_memory_equal(text + 20, mapped, sizeof(mapped));
}

static void test_stun_request_over_ip6(void **state)
{
    char text[256];
    struct path path = SIX;

    (void)state;
    receive(&path, BINDING, 20);
    assert_int_equal(sent_back(&path, text, sizeof(text)), 44);
    assert_memory_equal(text, "\x01\x01\0\x18\x21\x12\xa4\x42 transaction\0\x20\0\x14\0\x02", 26);
}

// In one burst with messages, which are not disturbed.
static void test_keepalives_between_messages(void **state)
{
    static const char message[] =
        "\r\n\r\nOPTIONS sip:198.18.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.0.10:40000;branch=z9hG4bKa\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=1\r\nTo: <sip:198.18.0.1>\r\n"
        "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    struct endpoint source, destination;
    struct path path = FOUR;
    unsigned answers = 0, pongs = 0, mapped = 0;
    char text[2048];

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        const char *bytes = i % 3 == 0 ? message : i % 3 == 1 ? "\r\n\r\n" : BINDING;
        size_t len = i % 3 == 0 ? sizeof(message) - 1 : i % 3 == 1 ? 4 : 20;
        rig_receive(&rig, 0, 0, rig_frame(&rig, &path.phone, &path.server, bytes, len, 0));
    }
    rig_turn(&rig);
    while (rig_sent_datagram(&rig, 0, &source, &destination, text, sizeof(text))) {
        answers += strncmp(text, "SIP/2.0 200 ", 12) == 0;
        pongs += strcmp(text, "\r\n") == 0;
        mapped += memcmp(text, "\x01\x01", 2) == 0;
    }
    assert_int_equal(answers, 20);
    assert_int_equal(pongs, 20);
    assert_int_equal(mapped, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
        CASE(test_what_wants_no_answer_is_counted),
        CASE(test_double_crlf_is_answered_with_one),
        CASE(test_stun_request_is_told_where_it_came_from),
        CASE(test_stun_request_over_ip6),
        CASE(test_keepalives_between_messages),
    };

    rig_eal(2);
    return cmocka_run_group_tests_name("datapath keepalive", tests, NULL, NULL);
}
