// WebSockets: the upgrade, and frames both ways (RFC 6455, RFC 7118).
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "box.h"
#include "stream/upgrade.h"

static struct box box;

#define ONE BOX_OPTIONS("1", "", "Content-Length: 0\r\n")
#define TWO BOX_OPTIONS("2", "a body without a length", "")

#define REQUEST(more)                                                                                     \
    "GET /sip HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" more \
    "\r\n"
#define KEY      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION  "Sec-WebSocket-Version: 13\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: sip\r\n"
#define GOOD     REQUEST(KEY VERSION PROTOCOL)
// RFC 6455 1.3: the key and what is to be said to it
#define SWITCHING                                                                       \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n"

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

// --- the upgrade

struct upgrade_case {
    const char *name;
    const char *request;
    const char *status;
};

static const struct upgrade_case upgrades[] = {
    {"RFC 6455 1.3", GOOD, "101 "},
    {"as browsers write it",
     "GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\nOrigin: "
     "https://b\r\n"
     "sec-websocket-protocol: chat, sip\r\nsec-websocket-version: 13\r\n"
     "sec-websocket-extensions: permessage-deflate\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
     "101 "},
    {"two lines of protocols", REQUEST(KEY VERSION "Sec-WebSocket-Protocol: chat\r\n" PROTOCOL), "101 "},
    {"no body", REQUEST(KEY VERSION PROTOCOL "Content-Length: 0\r\n"), "101 "},
    {"another version", REQUEST(KEY PROTOCOL "Sec-WebSocket-Version: 8\r\n"), "426 "},
    {"no version", REQUEST(KEY PROTOCOL), "426 "},
    {"no upgrade", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426 "},
    {"another protocol to upgrade to",
     "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" KEY VERSION PROTOCOL "\r\n",
     "426 "},
    {"no Connection", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" KEY VERSION PROTOCOL "\r\n",
     "426 "},
    {"no subprotocol", REQUEST(KEY VERSION), "400 "},
    {"another subprotocol", REQUEST(KEY VERSION "Sec-WebSocket-Protocol: xmpp\r\n"), "400 "},
    {"no key", REQUEST(VERSION PROTOCOL), "400 "},
    {"two keys", REQUEST(KEY KEY VERSION PROTOCOL), "400 "},
    {"a short key", REQUEST("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n" VERSION PROTOCOL), "400 "},
    {"a key of 18 bytes", REQUEST("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n" VERSION PROTOCOL),
     "400 "},
    {"a key of 17 bytes", REQUEST("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n" VERSION PROTOCOL),
     "400 "},
    {"a key that is no base64", REQUEST("Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n" VERSION PROTOCOL),
     "400 "},
    {"a body", REQUEST(KEY VERSION PROTOCOL "Content-Length: 5\r\n"), "400 "},
    {"a body in chunks", REQUEST(KEY VERSION PROTOCOL "Transfer-Encoding: chunked\r\n"), "400 "},
    {"no Host", "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY VERSION PROTOCOL "\r\n",
     "400 "},
    {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "400 "},
    {"no line", "GET\r\n\r\n", "400 "},
    {"a header line that is none", REQUEST(KEY VERSION PROTOCOL "nonsense\r\n"), "400 "},
};

static void test_upgrades_are_judged(void **state)
{
    char answer[UPGRADE_ANSWER_MAX];
    struct sip_message message;
    unsigned len;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(upgrades); i++) {
        bool good = stream_upgrade(&message, slice_text(upgrades[i].request), answer, &len);
        if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || strncmp(answer + 9, upgrades[i].status, 4) != 0)
            fail_msg("%s: %s", upgrades[i].name, answer);
        assert_int_equal(good, upgrades[i].status[0] == '1');
        assert_int_equal(len, strlen(answer));
        assert_string_equal(answer + len - 4, "\r\n\r\n");
        if (upgrades[i].status[0] == '4')
            assert_non_null(strstr(answer, "\r\nSec-WebSocket-Version: 13\r\n"));
    }
    stream_upgrade(&message, slice_text(GOOD), answer, &len);
    assert_string_equal(answer, SWITCHING);
}

static int open_socket(void)
{
    int peer = box_connect(&box, BOX_WS);

    box_say_text(peer, GOOD);
    box_hears(&box, peer, SWITCHING);
    return peer;
}

static void test_an_upgrade_may_come_in_pieces(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < sizeof(GOOD) - 1; cut += 7) {
        int peer = box_connect(&box, BOX_WS);
        box_say(peer, GOOD, cut);
        box_turn(&box);
        box_turn(&box);
        box_say(peer, &GOOD[cut], sizeof(GOOD) - 1 - cut);
        box_hears(&box, peer, SWITCHING);
        close(peer);
        box_until(&box, box_connections(&box) == 0);
    }
}

static void test_what_is_no_upgrade_ends(void **state)
{
    static const char *const others[] = {ONE, "POST / HTTP/1.1\r\n\r\n", "\x16\x03\x01", "\r\n\r\n"};
    static char flood[UPGRADE_MAX + 64] = "GET / HTTP/1.1\r\nHost: a\r\n";
    char heard[512];
    uint64_t ended = 0;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(others); i++) {
        int peer = box_connect(&box, BOX_WS);
        box_say_text(peer, others[i]);
        ended++;
        box_until(&box, box_ended(&box, STREAM_END_UPGRADE) == ended);
        close(peer);
    }
    int peer = box_connect(&box, BOX_WS);
    box_say_text(peer, upgrades[4].request);
    box_hear(&box, peer, heard, sizeof(heard) - 1);
    assert_int_equal(strncmp(heard, "HTTP/1.1 426 Upgrade Required\r\n", 31), 0);
    close(peer);
    box_until(&box, box_ended(&box, STREAM_END_UPGRADE) == ended + 1);
    peer = box_connect(&box, BOX_WS);
    for (size_t len = strlen(flood); len < UPGRADE_MAX; len += 8)
        memcpy(flood + len, "X: 234\r\n", 8);
    box_say(peer, flood, UPGRADE_MAX + 8);
    box_until(&box, box_ended(&box, STREAM_END_UPGRADE) == ended + 2);
    close(peer);
    peer = box_connect(&box, BOX_WS);
    box_say_text(peer, "GET / HTTP/1.1\r\n");
    box_until(&box, stream_counters(box.stream)->bytes_held > 0);
    box_pass(&box, box.conf.stream_handshake_ms + 200);
    assert_int_equal(box_ended(&box, STREAM_END_HANDSHAKE_SLOW), 1);
    close(peer);
}

// --- frames

enum { FIN = 0x80, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

// A client's frame. Returns its length.
static size_t frame(char *to, unsigned first, const char *payload, size_t len)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t n = 0;

    to[n++] = (char)first;
    if (len < 126) {
        to[n++] = (char)(0x80 | len);
    } else {
        to[n++] = (char)(0x80 | 126);
        to[n++] = (char)(len >> 8);
        to[n++] = (char)len;
    }
    memcpy(to + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        to[n++] = (char)(payload[i] ^ mask[i % 4]);
    return n;
}

static size_t text_frame(char *to, unsigned first, const char *text)
{
    return frame(to, first, text, strlen(text));
}

static void hears_bytes(int peer, const void *bytes, size_t len)
{
    char heard[1024];

    assert_int_equal(box_hear(&box, peer, heard, len), len);
    assert_memory_equal(heard, bytes, len);
}

static void test_each_frame_is_a_message(void **state)
{
    char bytes[2048];
    int peer = open_socket();

    (void)state;
    box_say(peer, bytes, text_frame(bytes, FIN | TEXT, ONE));
    box_until(&box, box.taken_n == 1);
    const struct packet *packet = box_packet(box.taken[0]);
    assert_int_equal(packet->arrival.source.transport, ENDPOINT_WS);
    assert_int_equal(packet->arrival.listener, BOX_WS);
    assert_int_equal(packet->parsed, SIP_OK);
    box_took(&box, 1, (const char *const[]){ONE});
    size_t n = text_frame(bytes, FIN | BINARY, TWO);
    n += text_frame(bytes + n, FIN | TEXT, ONE);
    box_say(peer, bytes, n);
    box_until(&box, box.taken_n == 2);
    assert_int_equal(box_packet(box.taken[0])->message.body_len, 23);
    box_took(&box, 2, (const char *const[]){TWO, ONE});
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    close(peer);
}

// Fragments with a ping between, two messages behind each other: cut at every byte.
static void test_frames_may_be_cut_anywhere(void **state)
{
    char bytes[2048], text[] = ONE;
    size_t n = frame(bytes, TEXT, text, 50);
    int peer = open_socket();

    (void)state;
    n += text_frame(bytes + n, FIN | PING, "hi");
    n += frame(bytes + n, 0, text + 50, 0);
    n += text_frame(bytes + n, FIN, text + 50);
    n += text_frame(bytes + n, FIN | BINARY, TWO);
    for (size_t cut = 1; cut < n; cut++) {
        box_say(peer, bytes, cut);
        box_turn(&box);
        box_turn(&box);
        box_say(peer, bytes + cut, n - cut);
        box_took(&box, 2, (const char *const[]){ONE, TWO});
        hears_bytes(peer, "\x8a\x02hi", 4);
        assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    }
    close(peer);
}

static void test_frames_behind_the_upgrade_are_read(void **state)
{
    char bytes[2048] = GOOD;
    size_t n = strlen(bytes);
    int peer = box_connect(&box, BOX_WS);

    (void)state;
    n += text_frame(bytes + n, FIN | TEXT, ONE);
    box_say(peer, bytes, n);
    box_took(&box, 1, (const char *const[]){ONE});
    close(peer);
}

struct frame_case {
    const char *name;
    const char *bytes;
    size_t len;
    const char *answer; // frames
    size_t answer_len;
    int end; // CONNECTION_LIVES, or enum stream_end
};

#define BYTES(text)  text, sizeof(text) - 1
#define CLOSED(code) BYTES("\x88\x02" code)

static const struct frame_case frames[] = {
    {"an empty ping", BYTES("\x89\x80\x37\xfa\x21\x3d"), BYTES("\x8a\x00"), CONNECTION_LIVES},
    // RFC 6455 5.7: a masked "Hello", as the ping that it is there
    {"a ping", BYTES("\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), BYTES("\x8a\x05Hello"),
     CONNECTION_LIVES},
    {"a pong", BYTES("\x8a\x80\x37\xfa\x21\x3d\x89\x80\x37\xfa\x21\x3d"), BYTES("\x8a\x00"),
     CONNECTION_LIVES},
    {"an empty message", BYTES("\x81\x80\0\0\0\0\x89\x80\0\0\0\0"), BYTES("\x8a\x00"), CONNECTION_LIVES},
    {"RFC 5626's ping", BYTES("\x81\x84\0\0\0\0\r\n\r\n"), BYTES("\x81\x02\r\n"), CONNECTION_LIVES},
    {"RFC 5626's pong", BYTES("\x81\x82\0\0\0\0\r\n\x89\x80\0\0\0\0"), BYTES("\x8a\x00"), CONNECTION_LIVES},
    {"a goodbye", BYTES("\x88\x82\0\0\0\0\x03\xe8"), CLOSED("\x03\xe8"), STREAM_END_PEER},
    {"a goodbye without a reason", BYTES("\x88\x80\0\0\0\0"), BYTES("\x88\x00"), STREAM_END_PEER},
    // RFC 6455 5.7: an unmasked "Hello"
    {"no mask", BYTES("\x81\x05Hello"), CLOSED("\x03\xea"), STREAM_END_FRAME},
    {"no mask on a ping", BYTES("\x89\x05Hello"), CLOSED("\x03\xea"), STREAM_END_FRAME},
    {"a reserved bit", BYTES("\xc1\x81\0\0\0\0x"), CLOSED("\x03\xea"), STREAM_END_FRAME},
    {"a reserved kind", BYTES("\x83\x81\0\0\0\0x"), CLOSED("\x03\xea"), STREAM_END_FRAME},
    {"a reserved control frame", BYTES("\x8b\x80\0\0\0\0"), CLOSED("\x03\xea"), STREAM_END_FRAME},
    {"a fragment of a ping", BYTES("\x09\x80\0\0\0\0"), CLOSED("\x03\xea"), STREAM_END_FRAME},
    {"a long ping", BYTES("\x89\xfe\x00\x7e\0\0\0\0"), CLOSED("\x03\xea"), STREAM_END_FRAME},
    {"a length longer than it need be", BYTES("\x81\xfe\x00\x05\0\0\0\0Hello"), CLOSED("\x03\xea"),
     STREAM_END_FRAME},
    {"an end of nothing", BYTES("\x80\x81\0\0\0\0x"), CLOSED("\x03\xea"), STREAM_END_FRAME},
    {"a message in a message", BYTES("\x01\x81\0\0\0\0O\x81\x81\0\0\0\0x"), CLOSED("\x03\xea"),
     STREAM_END_FRAME},
    {"text that is none", BYTES("\x81\x82\0\0\0\0\xc3\x28"), CLOSED("\x03\xef"), STREAM_END_FRAME},
    {"too large", BYTES("\x81\xfe\x20\x01\0\0\0\0x"), CLOSED("\x03\xf1"), STREAM_END_TOO_LARGE},
    {"monstrous", BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0x"), CLOSED("\x03\xf1"),
     STREAM_END_TOO_LARGE},
    {"too large together", BYTES("\x01\x81\0\0\0\0O\x80\xfe\x20\x00\0\0\0\0x"), CLOSED("\x03\xf1"),
     STREAM_END_TOO_LARGE},
    {"no SIP", BYTES("\x81\x85\0\0\0\0Hello"), CLOSED("\x03\xeb"), STREAM_END_NO_SIP},
};

static void test_frames_are_answered_by_the_rules(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RTE_DIM(frames); i++) {
        const struct frame_case *c = &frames[i];
        uint64_t before = c->end < 0 ? 0 : box_ended(&box, (enum stream_end)c->end);
        int peer = open_socket();
        box_say(peer, c->bytes, c->len);
        char heard[64];
        size_t n = box_hear(&box, peer, heard, c->answer_len);
        if (n != c->answer_len || memcmp(heard, c->answer, n) != 0)
            fail_msg("%s: %zu bytes", c->name, n);
        if (c->end >= 0)
            box_hears_end(&box, peer);
        else
            assert_int_equal(recv(peer, heard, 1, 0), -1);
        close(peer);
        box_until(&box, box_connections(&box) == 0);
        if (c->end >= 0)
            assert_int_equal(box_ended(&box, (enum stream_end)c->end), before + 1);
        assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    }
    assert_int_equal(box.taken_n, 0);
    assert_int_equal(stream_counters(box.stream)->pings, 6);
}

static void test_many_pings_are_many_pongs(void **state)
{
    enum { MANY = 1000 };
    static char bytes[MANY * 6], pongs[MANY * 2 + 1];
    int peer = open_socket();

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        memcpy(bytes + 6 * (size_t)i, "\x89\x80\0\0\0\0", 6);
    box_say(peer, bytes, sizeof(bytes));
    assert_int_equal(box_hear(&box, peer, pongs, MANY * 2), MANY * 2);
    for (unsigned i = 0; i < MANY; i++)
        assert_memory_equal(pongs + 2 * (size_t)i, "\x8a\x00", 2);
    close(peer);
}

static void test_messages_go_out_as_text_or_as_bytes(void **state)
{
    static const struct {
        const char *body;
        uint8_t kind;
    } bodies[] = {
        {"plain", TEXT},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\x9e", TEXT},
        {"\xff", BINARY},
        {"\xc0\x80", BINARY},     // overlong
        {"\xe0\x80\x80", BINARY}, // the same
        {"\xed\xa0\x80", BINARY}, // a surrogate
        {"\xf4\x90\x80\x80", BINARY},
        {"\xc3", BINARY},
        {"\x80", BINARY},
    };
    char bytes[512], text[400], heard[512];
    int peer = open_socket();

    (void)state;
    box_say(peer, bytes, text_frame(bytes, FIN | TEXT, ONE));
    box_until(&box, box.taken_n == 1);
    struct endpoint to = box_packet(box.taken[0])->arrival.source;
    for (unsigned i = 0; i < RTE_DIM(bodies); i++) {
        snprintf(text, sizeof(text), BOX_OPTIONS("1", "%s", ""), bodies[i].body);
        size_t len = strlen(text);
        box_send(&box, text, &to, BOX_WS);
        assert_int_equal(box_hear(&box, peer, heard, len + 4), len + 4);
        assert_int_equal((uint8_t)heard[0], FIN | bodies[i].kind);
        assert_int_equal(heard[1], 126); // not masked
        assert_int_equal((uint8_t)heard[2] << 8 | (uint8_t)heard[3], len);
        assert_memory_equal(heard + 4, text, len);
    }
    box_send(&box, "short", &to, BOX_WS);
    hears_bytes(peer, "\x81\x05short", 7);
    close(peer);
}

// By the port that its Via was given, where nobody remembers the request (RFC 3261 16.11). Nothing else is for an
// address.
static void test_an_answer_goes_to_who_asked(void **state)
{
    static const char answer[] = "SIP/2.0 200 OK\r\n\r\n";
    char bytes[512];
    int peer = open_socket();

    (void)state;
    box_say(peer, bytes, text_frame(bytes, FIN | TEXT, ONE));
    box_until(&box, box.taken_n == 1);
    struct endpoint to = box_packet(box.taken[0])->arrival.source;
    to.flow = 0;
    box_send(&box, ONE, &to, BOX_WS);
    assert_int_equal(box.unsent_n, 1);
    box_send(&box, answer, &to, BOX_WS);
    hears_bytes(peer, "\x81\x12SIP/2.0 200 OK\r\n\r\n", 2 + sizeof(answer) - 1);
    close(peer);
    box_until(&box, box_connections(&box) == 0);
    box_send(&box, answer, &to, BOX_WS);
    assert_int_equal(box.unsent_n, 2);
}

static void test_a_slow_message_ends(void **state)
{
    char bytes[2048];
    size_t n = frame(bytes, TEXT, ONE, 20);
    int peer = open_socket(), other = open_socket();

    (void)state;
    box_say(peer, bytes, n);
    box_until(&box, stream_counters(box.stream)->bytes_held > 0);
    // Pings between are no progress.
    for (unsigned i = 0; i < 4; i++) {
        box_pass(&box, 1200);
        box_say(peer, "\x89\x80\0\0\0\0", 6);
        hears_bytes(peer, "\x8a\x00", 2);
    }
    assert_int_equal(box_connections(&box), 2);
    box_pass(&box, 400);
    assert_int_equal(box_ended(&box, STREAM_END_MESSAGE_SLOW), 1);
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    box_say(other, bytes, text_frame(bytes, FIN | TEXT, ONE));
    box_took(&box, 1, (const char *const[]){ONE});
    close(peer);
    close(other);
}

static void test_frames_of_nothing_are_bounded(void **state)
{
    int peer = open_socket();

    (void)state;
    box_say(peer, "\x01\x80\0\0\0\0", 6);
    for (unsigned said = 0; box_connections(&box) == 1; said += 6) {
        assert_in_range(said, 0, 4 * box.conf.stream_buffer_max);
        (void)send(peer, "\x00\x80\0\0\0\0", 6, MSG_NOSIGNAL);
        if (said % 600 == 0)
            box_turn(&box);
    }
    assert_int_equal(box_ended(&box, STREAM_END_TOO_LARGE), 1);
    close(peer);
}

static void test_frames_wait_for_workers(void **state)
{
    char bytes[4096];
    size_t n = text_frame(bytes, FIN | TEXT, ONE);
    int first = open_socket(), second = open_socket();

    (void)state;
    n += frame(bytes + n, TEXT, TWO, 30);
    n += text_frame(bytes + n, FIN, &TWO[30]);
    n += text_frame(bytes + n, FIN | TEXT, ONE);
    box.full = true;
    box_say(first, bytes, n);
    box_until(&box, stream_counters(box.stream)->waited == 1);
    box_say(second, bytes, text_frame(bytes, FIN | TEXT, ONE));
    box_until(&box, stream_counters(box.stream)->waited == 2);
    box_pass(&box, 100000);
    box.full = false;
    box_took(&box, 4, (const char *const[]){ONE, TWO, ONE, ONE});
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    close(first);
    close(second);
}

static void test_who_is_silent_is_told_goodbye(void **state)
{
    int peer = open_socket();

    (void)state;
    box_pass(&box, 3601000);
    assert_int_equal(box_ended(&box, STREAM_END_IDLE), 1);
    hears_bytes(peer, "\x88\x02\x03\xe9", 4);
    box_hears_end(&box, peer);
    close(peer);
}

int main(void)
{
#define STARTED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upgrades_are_judged),
        STARTED(test_an_upgrade_may_come_in_pieces),
        STARTED(test_what_is_no_upgrade_ends),
        STARTED(test_each_frame_is_a_message),
        STARTED(test_frames_may_be_cut_anywhere),
        STARTED(test_frames_behind_the_upgrade_are_read),
        STARTED(test_frames_are_answered_by_the_rules),
        STARTED(test_many_pings_are_many_pongs),
        STARTED(test_messages_go_out_as_text_or_as_bytes),
        STARTED(test_an_answer_goes_to_who_asked),
        STARTED(test_a_slow_message_ends),
        STARTED(test_frames_of_nothing_are_bounded),
        STARTED(test_frames_wait_for_workers),
        STARTED(test_who_is_silent_is_told_goodbye),
    };

    return cmocka_run_group_tests(tests, box_eal, box_eal_end);
}
