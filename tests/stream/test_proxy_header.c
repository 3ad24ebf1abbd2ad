// Who a connection is for, said by a load balancer.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "box.h"
#include "stream/proxy_header.h"

static struct box box;

#define ONE BOX_OPTIONS("1", "", "Content-Length: 0\r\n")

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4           \
    "\x21\x11\x00\x0c" \
    "\xcb\x00\x71\x07" \
    "\xc0\x00\x02\x01" \
    "\x9c\x40"         \
    "\x13\xc4"
#define TCP4_TLV       \
    "\x21\x11\x00\x13" \
    "\xcb\x00\x71\x07" \
    "\xc0\x00\x02\x01" \
    "\x9c\x40"         \
    "\x13\xc4"         \
    "\x03\x00\x04"     \
    "abcd"
#define IP6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"

struct header_case {
    const char *name;
    const char *bytes;
    size_t len;
    bool good;
    const char *source; // NULL: who connected
};

#define BYTES(text) text, sizeof(text) - 1

static const struct header_case cases[] = {
    {"IPv4", BYTES(SIGNATURE TCP4), true, "203.0.113.7:40000"},
    {"IPv4 with more", BYTES(SIGNATURE TCP4_TLV), true, "203.0.113.7:40000"},
    {"IPv6", BYTES(SIGNATURE "\x21\x21\x00\x24" IP6 IP6 "\x9c\x41\x13\xc4"), true, "[2001:db8::7]:40001"},
    {"the balancer itself", BYTES(SIGNATURE "\x20\x00\x00\x00"), true, NULL},
    {"the balancer itself, with addresses",
     BYTES(SIGNATURE "\x20\x11\x00\x0c"
                     "abcdefghijkl"),
     true, NULL},
    {"no family",
     BYTES(SIGNATURE "\x21\x00\x00\x03"
                     "abc"),
     true, NULL},
    {"version 1", BYTES("PROXY TCP4 203.0.113.7 192.0.2.1 40000 5060\r\n"), false, NULL},
    {"no header", BYTES(ONE), false, NULL},
    {"another version",
     BYTES(SIGNATURE "\x11\x11\x00\x0c"
                     "abcdefghijkl"),
     false, NULL},
    {"another command",
     BYTES(SIGNATURE "\x22\x11\x00\x0c"
                     "abcdefghijkl"),
     false, NULL},
    {"UDP",
     BYTES(SIGNATURE "\x21\x12\x00\x0c"
                     "abcdefghijkl"),
     false, NULL},
    {"a Unix socket", BYTES(SIGNATURE "\x21\x31\x00\x00"), false, NULL},
    {"too short for IPv4",
     BYTES(SIGNATURE "\x21\x11\x00\x0b"
                     "abcdefghijk"),
     false, NULL},
    {"too short for IPv6", BYTES(SIGNATURE "\x21\x21\x00\x23" IP6 IP6 "\x9c\x41\x13"), false, NULL},
    {"too long", BYTES(SIGNATURE "\x21\x11\xff\xff"), false, NULL},
    {"a broken signature", BYTES("\r\n\r\n\0\r\nQUIX\n"), false, NULL},
};

static int setup(void **state)
{
    (void)state;
    box_make(&box);
    box_start(&box, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void test_headers_are_read(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        struct endpoint source = {.port = 7, .transport = ENDPOINT_TLS}, expected;
        uint32_t needs = stream_proxy_header_needs(bytes, 0), len = 0;
        while (needs > len && len < cases[i].len) {
            len = needs < cases[i].len ? needs : (uint32_t)cases[i].len;
            needs = stream_proxy_header_needs(bytes, len);
        }
        bool good = needs == len && needs != 0 && stream_proxy_header_read(bytes, len, &source);
        if (good != cases[i].good)
            fail_msg("%s", cases[i].name);
        assert_int_equal(source.transport, ENDPOINT_TLS);
        if (cases[i].source != NULL) {
            assert_int_equal(len, cases[i].len);
            assert_true(endpoint_parse(slice_text(cases[i].source), &expected));
            expected.transport = ENDPOINT_TLS;
            assert_true(endpoint_equal(&source, &expected));
        }
    }
}

static void test_a_peer_is_who_the_header_says(void **state)
{
    struct endpoint expected;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        uint64_t before = box_ended(&box, STREAM_END_PROXY_HEADER);
        int peer = box_connect(&box, BOX_PROXIED);
        box_say(peer, cases[i].bytes, cases[i].len);
        if (!cases[i].good) {
            box_until(&box, box_ended(&box, STREAM_END_PROXY_HEADER) == before + 1);
            close(peer);
            continue;
        }
        box_say_text(peer, ONE);
        box_until(&box, box.taken_n == 1);
        struct endpoint source = box_packet(box.taken[0])->arrival.source;
        box_forget(&box);
        assert_true(
            endpoint_parse(slice_text(cases[i].source != NULL ? cases[i].source : "127.0.0.1"), &expected));
        if (cases[i].source != NULL) {
            assert_true(endpoint_same_address(&source, &expected));
            assert_int_equal(source.port, expected.port);
        } else {
            assert_int_equal(source.address[0], 127);
        }
        // Its answer finds the way.
        box_send(&box, ONE, &source, BOX_PROXIED);
        box_hears(&box, peer, ONE);
        close(peer);
        box_until(&box, box_connections(&box) == 0);
    }
}

static void test_a_header_may_come_in_pieces(void **state)
{
    static const char bytes[] = SIGNATURE TCP4_TLV ONE;

    (void)state;
    for (size_t cut = 1; cut < sizeof(SIGNATURE TCP4_TLV); cut++) {
        int peer = box_connect(&box, BOX_PROXIED);
        box_say(peer, bytes, cut);
        box_turn(&box);
        box_turn(&box);
        box_say(peer, bytes + cut, sizeof(bytes) - 1 - cut);
        box_took(&box, 1, (const char *const[]){ONE});
        close(peer);
        box_until(&box, box_connections(&box) == 0);
    }
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
}

static void test_who_says_nothing_is_not_waited_for(void **state)
{
    int peer = box_connect(&box, BOX_PROXIED), half = box_connect(&box, BOX_PROXIED);

    (void)state;
    box_say(half, SIGNATURE, 8);
    box_until(&box, stream_counters(box.stream)->bytes_held == 8);
    box_pass(&box, box.conf.stream_handshake_ms - 200);
    assert_int_equal(box_connections(&box), 2);
    box_pass(&box, 400);
    assert_int_equal(box_ended(&box, STREAM_END_HANDSHAKE_SLOW), 2);
    close(peer);
    close(half);
}

// The balancer makes all connections, but its clients are counted.
static void test_clients_are_bounded_not_their_balancer(void **state)
{
    static const char one[] = SIGNATURE TCP4, other[] = SIGNATURE "\x21\x11\x00\x0c"
                                                                  "\xcb\x00\x71\x08"
                                                                  "\xc0\x00\x02\x01"
                                                                  "\x9c\x40"
                                                                  "\x13\xc4";
    int peers[5];

    (void)state;
    box.conf.connections_source_max = 2;
    for (unsigned i = 0; i < 5; i++) {
        peers[i] = box_connect(&box, BOX_PROXIED);
        box_say(peers[i], i < 3 ? one : other, sizeof(one) - 1);
    }
    box_until(&box, box_ended(&box, STREAM_END_CROWDED_SOURCE) == 1);
    box_until(&box, box_connections(&box) == 4);
    for (unsigned i = 0; i < 5; i++)
        close(peers[i]);
}

static void test_nobody_but_a_balancer_says_who_he_is(void **state)
{
    struct conf_listener *listener = &box.listeners[BOX_PROXIED];
    static const char hello[] = SIGNATURE TCP4 ONE;

    (void)state;
    listener->balancers[0] = (struct conf_network){endpoint_ip4(127, 0, 0, 0, 0), 8};
    listener->balancers_n = 1;
    int balancer = box_connect(&box, BOX_PROXIED);
    box_say(balancer, hello, sizeof(hello) - 1);
    box_took(&box, 1, (const char *const[]){ONE});
    listener->balancers[0] = (struct conf_network){endpoint_ip4(10, 0, 0, 0, 0), 8};
    int stranger = box_connect(&box, BOX_PROXIED);
    box_hears_end(&box, stranger);
    assert_int_equal(box_ended(&box, STREAM_END_PROXY_HEADER), 1);
    assert_int_equal(box_connections(&box), 1);
    close(balancer);
    close(stranger);
}

int main(void)
{
#define STARTED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_are_read),
        STARTED(test_a_peer_is_who_the_header_says),
        STARTED(test_a_header_may_come_in_pieces),
        STARTED(test_who_says_nothing_is_not_waited_for),
        STARTED(test_clients_are_bounded_not_their_balancer),
        STARTED(test_nobody_but_a_balancer_says_who_he_is),
    };

    return cmocka_run_group_tests(tests, box_eal, box_eal_end);
}
