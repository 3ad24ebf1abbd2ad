// What peers say over TCP, and what becomes of it.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "box.h"

static struct box box;

#define ONE   BOX_OPTIONS("1", "", "Content-Length: 0\r\n")
#define TWO   BOX_OPTIONS("2", "v=0\r\n\r\nx", "Content-Length: 8\r\n")
#define THREE BOX_OPTIONS("3", "abc", "l: 3\r\n")

static int setup(void **state)
{
    (void)state;
    box_make(&box);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static int setup_started(void **state)
{
    setup(state);
    box_start(&box, NULL);
    return 0;
}

static void test_a_message_arrives_with_where_it_came_from(void **state)
{
    struct stream_view view;

    (void)state;
    for (unsigned listener = BOX_TCP; listener <= BOX_TCP6; listener++) {
        int peer = box_connect(&box, listener);
        box_say_text(peer, TWO);
        box_until(&box, box.taken_n == 1);
        const struct packet *packet = box_packet(box.taken[0]);
        assert_int_equal(packet->errand, PACKET_SERVE);
        assert_int_equal(packet->parsed, SIP_OK);
        assert_int_equal(packet->message.kind, SIP_REQUEST);
        assert_ptr_equal(packet->message.bytes, box_bytes(box.taken[0]).at);
        assert_int_equal(packet->message.body_len, 8);
        assert_int_equal(packet->frame.payload, 0);
        assert_int_equal(packet->frame.payload_len, strlen(TWO));
        assert_true(slice_equal(sip_message_first(&packet->message, SIP_HEADER_CALL_ID), SLICE("2")));
        assert_true(endpoint_equal(&packet->arrival.destination, &box.listeners[listener].address));
        assert_int_equal(packet->arrival.listener, listener);
        assert_int_equal(packet->arrival.source.transport, ENDPOINT_TCP);
        assert_int_not_equal(packet->arrival.source.flow, 0);
        assert_int_not_equal(packet->arrival.source.port, 0);
        assert_int_equal(packet->arrival.peer, 0);
        assert_true(box_view(&box, &view));
        assert_true(endpoint_equal(&view.peer, &packet->arrival.source));
        assert_int_equal(view.received, 1);
        assert_string_equal(view.state, "open");
        assert_false(view.outgoing);
        // Room for what a proxy puts in front.
        assert_true(rte_pktmbuf_headroom(box.taken[0]) >= 400);
        box_forget(&box);
        close(peer);
        box_until(&box, box_connections(&box) == 0);
    }
    assert_int_equal(box_ended(&box, STREAM_END_PEER), 2);
    assert_int_equal(stream_counters(box.stream)->accepted[ENDPOINT_TCP], 2);
    assert_int_equal(stream_counters(box.stream)->received[ENDPOINT_TCP], 2);
}

static void test_messages_come_one_by_one_however_they_are_cut(void **state)
{
    static const char all[] = "\r\n" ONE TWO "\r\n\r\n" THREE ONE;
    static const char *const texts[] = {ONE, TWO, THREE, ONE};
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    for (size_t cut = 1; cut < sizeof(all) - 1; cut++) {
        uint64_t heard = stream_counters(box.stream)->received[ENDPOINT_TCP];
        box_say(peer, all, cut);
        // The second part comes when the first has been read.
        box_turn(&box);
        box_turn(&box);
        box_say(peer, all + cut, sizeof(all) - 1 - cut);
        box_until(&box, stream_counters(box.stream)->received[ENDPOINT_TCP] == heard + 4);
        box_took(&box, 4, texts);
        box_hears(&box, peer, "\r\n");
        assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    }
    close(peer);
}

static void test_messages_come_byte_by_byte(void **state)
{
    static const char all[] = ONE TWO;
    static const char *const texts[] = {ONE, TWO};
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    for (size_t at = 0; at < sizeof(all) - 1; at++) {
        box_say(peer, all + at, 1);
        box_turn(&box);
        box_turn(&box);
    }
    box_took(&box, 2, texts);
    close(peer);
}

static void test_many_messages_come_at_once_in_order(void **state)
{
    enum { MANY = 500 };
    static char all[MANY * 400];
    unsigned len = 0;
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        len += (unsigned)snprintf(all + len, sizeof(all) - len, BOX_OPTIONS("%u", "", "l: 0\r\n"), i, i);
    for (unsigned at = 0; at < len;) {
        ssize_t n = send(peer, all + at, len - at, MSG_NOSIGNAL);
        at += n > 0 ? (unsigned)n : 0;
        box_turn(&box);
    }
    box_until(&box, box.taken_n == MANY);
    for (unsigned i = 0; i < MANY; i++) {
        char text[12];
        snprintf(text, sizeof(text), "%u", i);
        const struct packet *packet = box_packet(box.taken[i]);
        assert_true(slice_equal(sip_message_first(&packet->message, SIP_HEADER_CALL_ID), slice_text(text)));
    }
    close(peer);
}

static void test_pings_are_answered(void **state)
{
    char heard[64];
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    box_say_text(peer, "\r\n");
    box_say_text(peer, "\r\n");
    box_hears(&box, peer, "\r\n");
    box_say_text(peer, "\r\n"); // a pong
    box_say_text(peer, ONE "\r\n\r\n" TWO);
    box_hears(&box, peer, "\r\n");
    box_took(&box, 2, (const char *const[]){ONE, TWO});
    assert_int_equal(stream_counters(box.stream)->pings, 2);
    // A ping is as good as a word: nobody is idle who pings.
    box_pass(&box, 3599000);
    box_say_text(peer, "\r\n\r\n");
    box_hears(&box, peer, "\r\n");
    box_pass(&box, 3599000);
    assert_int_equal(box_connections(&box), 1);
    assert_int_equal(recv(peer, heard, sizeof(heard), 0), -1);
    close(peer);
}

static void test_large_messages_have_a_large_buffer(void **state)
{
    static char body[6001], text[7000];
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    memset(body, 'x', sizeof(body) - 1);
    snprintf(text, sizeof(text), BOX_OPTIONS("1", "%s", "l: 6000\r\n"), body);
    box_say_text(peer, text);
    box_took(&box, 1, (const char *const[]){text});
    close(peer);
}

// --- what ends a connection

struct fault {
    const char *name;
    const char *said;
    const char *answer; // how it begins; NULL: none
    enum stream_end end;
};

#define BAD(length) BOX_OPTIONS("1", "abc", length)

static const struct fault faults[] = {
    {"no length", BAD(""), "SIP/2.0 400 Malformed Content-Length\r\nVia: SIP/2.0/TCP 192.0.2.1;",
     STREAM_END_NO_LENGTH},
    {"two lengths", BAD("l: 3\r\nl: 4\r\n"), "SIP/2.0 400 ", STREAM_END_NO_LENGTH},
    {"no number", BAD("l: three\r\n"), "SIP/2.0 400 ", STREAM_END_NO_LENGTH},
    {"a lie", BAD("l: 8192\r\n"), "SIP/2.0 513 Message Too Large\r\n", STREAM_END_TOO_LARGE},
    {"a monstrous lie", BAD("l: 18446744073709551617\r\n"), "SIP/2.0 513 ", STREAM_END_TOO_LARGE},
    {"an ACK is not answered", "ACK sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKa\r\n\r\n", NULL,
     STREAM_END_NO_LENGTH},
    {"a response is not answered", "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKa\r\n\r\n", NULL,
     STREAM_END_NO_LENGTH},
    {"no Via to answer by", "OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n", NULL, STREAM_END_NO_LENGTH},
    {"HTTP", "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", NULL, STREAM_END_NO_SIP},
    {"TLS", "\x16\x03\x01\x02\x05", NULL, STREAM_END_NO_SIP},
    {"words", "hello?\r\n\r\n", NULL, STREAM_END_NO_SIP},
    {"PROXY's words", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n\r\n", NULL, STREAM_END_NO_SIP},
};

static void test_what_cannot_be_read_ends_by_name(void **state)
{
    char heard[2048];

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(faults); i++) {
        const struct fault *fault = &faults[i];
        uint64_t before = box_ended(&box, fault->end);
        int peer = box_connect(&box, BOX_TCP), other = box_connect(&box, BOX_TCP);
        box_say_text(peer, fault->said);
        box_hear(&box, peer, heard, sizeof(heard) - 1);
        if (fault->answer == NULL ? heard[0] != 0 : strncmp(heard, fault->answer, strlen(fault->answer)) != 0)
            fail_msg("%s: %s", fault->name, heard);
        if (fault->answer != NULL) {
            assert_non_null(strstr(heard, "\r\nCall-ID: 1\r\n"));
            assert_non_null(strstr(heard, "To: <sip:b@example.com>;tag="));
            assert_non_null(strstr(heard, "Content-Length: 0\r\n\r\n"));
        }
        close(peer);
        box_until(&box, box_ended(&box, fault->end) == before + 1);
        // Others hear nothing of it.
        box_say_text(other, ONE);
        box_took(&box, 1, (const char *const[]){ONE});
        close(other);
        box_until(&box, box_connections(&box) == 0);
    }
}

static void test_what_came_before_a_fault_is_served(void **state)
{
    char heard[2048];
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    box_say_text(peer, ONE TWO "\r\n\r\n" BAD("") THREE);
    box_took(&box, 2, (const char *const[]){ONE, TWO});
    box_hear(&box, peer, heard, sizeof(heard) - 1);
    assert_int_equal(strncmp(heard, "\r\nSIP/2.0 400 ", 14), 0);
    close(peer);
    box_until(&box, box_ended(&box, STREAM_END_NO_LENGTH) == 1);
    assert_int_equal(box.taken_n, 0);
}

// Who was told to go may take a second to do so.
static void test_who_does_not_go_is_thrown_out(void **state)
{
    int peer = box_connect(&box, BOX_TCP);
    struct stream_view view;

    (void)state;
    box_say_text(peer, BAD(""));
    box_until(&box, box_view(&box, &view) && strcmp(view.state, "closing") == 0);
    box_pass(&box, LINGER_MS - 200);
    assert_int_equal(box_connections(&box), 1);
    box_say_text(peer, ONE);
    box_pass(&box, 400);
    assert_int_equal(box_connections(&box), 0);
    assert_int_equal(box_ended(&box, STREAM_END_NO_LENGTH), 1);
    assert_int_equal(box.taken_n, 0);
    close(peer);
}

static void test_an_endless_head_is_cut_off(void **state)
{
    char heard[2048];
    int peer = box_connect(&box, BOX_TCP);
    unsigned said = 0;

    (void)state;
    box_say_text(peer, "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKa\r\n");
    while (said < box.conf.message_max) {
        box_say_text(peer, "X: it goes on\r\n");
        said += 15;
        box_turn(&box);
    }
    box_hear(&box, peer, heard, sizeof(heard) - 1);
    assert_int_equal(strncmp(heard, "SIP/2.0 513 Message Too Large\r\n", 31), 0);
    close(peer);
    box_until(&box, box_ended(&box, STREAM_END_TOO_LARGE) == 1);
}

static void test_a_slow_message_ends_and_a_fast_one_does_not(void **state)
{
    static const char text[] = ONE;
    int slow = box_connect(&box, BOX_TCP), peer = box_connect(&box, BOX_TCP);

    (void)state;
    box_until(&box, box_connections(&box) == 2);
    box_say(slow, text, 10);
    box_say(peer, text, 10);
    box_until(&box, stream_counters(box.stream)->bytes_held == 20);
    // A byte now and then does not help.
    for (unsigned i = 0; i < 4; i++) {
        box_say(slow, text + 10 + i, 1);
        box_pass(&box, 1000);
    }
    box_say(peer, text + 10, sizeof(text) - 1 - 10);
    box_took(&box, 1, (const char *const[]){ONE});
    assert_int_equal(box_connections(&box), 2);
    box_say(slow, text + 14, 1);
    box_pass(&box, 1200);
    assert_int_equal(box_ended(&box, STREAM_END_MESSAGE_SLOW), 1);
    assert_int_equal(box_connections(&box), 1);
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    // The next one has the whole time again.
    box_say(peer, text, 10);
    box_until(&box, stream_counters(box.stream)->bytes_held == 10);
    box_pass(&box, 4000);
    assert_int_equal(box_connections(&box), 1);
    box_pass(&box, 1200);
    assert_int_equal(box_ended(&box, STREAM_END_MESSAGE_SLOW), 2);
    close(slow);
    close(peer);
}

static void test_silence_ends(void **state)
{
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    box_until(&box, box_connections(&box) == 1);
    box_pass(&box, 3500000);
    assert_int_equal(box_connections(&box), 1);
    box_say_text(peer, ONE);
    box_took(&box, 1, (const char *const[]){ONE});
    box_pass(&box, 3500000);
    assert_int_equal(box_connections(&box), 1);
    box_pass(&box, 101000);
    assert_int_equal(box_ended(&box, STREAM_END_IDLE), 1);
    box_hears_end(&box, peer);
    close(peer);
}

// --- bounds

static void test_connections_are_bounded_in_all_and_by_source(void **state)
{
    int peers[8];

    (void)state;
    box.conf.connections_max = 6;
    box.conf.connections_source_max = 4;
    box_start(&box, NULL);
    for (unsigned i = 0; i < 5; i++)
        peers[i] = box_connect_from(&box, BOX_TCP, 77, 0);
    box_until(&box, box_ended(&box, STREAM_END_CROWDED_SOURCE) == 1);
    assert_int_equal(box_connections(&box), 4);
    for (unsigned i = 5; i < 8; i++)
        peers[i] = box_connect_from(&box, BOX_TCP, 78, 0);
    box_until(&box, box_ended(&box, STREAM_END_CROWDED) == 1);
    assert_int_equal(box_connections(&box), 6);
    close(peers[0]);
    box_until(&box, box_connections(&box) == 5);
    peers[0] = box_connect_from(&box, BOX_TCP, 77, 0);
    box_until(&box, box_connections(&box) == 6);
    box_say_text(peers[0], ONE);
    box_took(&box, 1, (const char *const[]){ONE});
    for (unsigned i = 0; i < 8; i++)
        close(peers[i]);
}

// Workers have no room: nothing is lost, nothing is out of order, and nobody's time runs.
static void test_what_waits_for_workers_is_neither_lost_nor_turned_round(void **state)
{
    static const char *const texts[] = {ONE, TWO, THREE, ONE, TWO};
    int first = box_connect(&box, BOX_TCP), second = box_connect(&box, BOX_TCP);

    (void)state;
    box_until(&box, box_connections(&box) == 2);
    box.full = true;
    box_say_text(first, ONE TWO THREE);
    box_until(&box, stream_counters(box.stream)->waited == 1);
    box_say_text(second, ONE);
    box_until(&box, stream_counters(box.stream)->waited == 2);
    box_say_text(second, TWO);
    box_pass(&box, 100000);
    assert_int_equal(box_connections(&box), 2);
    assert_int_equal(box.taken_n, 0);
    box.full = false;
    box_took(&box, 5, texts);
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    box_say_text(first, ONE);
    box_took(&box, 1, texts);
    close(first);
    close(second);
}

// One worker's ring is full: whoever it serves waits, others do not.
static void test_who_waits_for_his_worker_makes_nobody_else_wait(void **state)
{
    int peers[40], other = box_connect(&box, BOX_TCP);

    (void)state;
    box_until(&box, box_connections(&box) == 1);
    box_say_text(other, ONE);
    box_until(&box, box.taken_n == 1);
    box.only = box_packet(box.taken[0])->arrival.source;
    box_forget(&box);
    for (unsigned i = 0; i < 40; i++) {
        peers[i] = box_connect(&box, BOX_TCP);
        box_say_text(peers[i], TWO THREE);
    }
    box_until(&box, stream_counters(box.stream)->waited == 40);
    for (unsigned i = 0; i < 3; i++) {
        box_say_text(other, ONE);
        box_took(&box, 1, (const char *const[]){ONE});
    }
    box.only = (struct endpoint){0};
    box_until(&box, box.taken_n == 80);
    for (unsigned i = 0; i < 40; i++)
        close(peers[i]);
    close(other);
}

// More of them than buffers may be held by: then all wait, and go on when there is room.
static void test_buffers_that_wait_are_bounded(void **state)
{
    enum { MANY = 100 };
    int peers[MANY];

    (void)state;
    box.conf.connections_max = box.conf.connections_source_max = MANY;
    box_start(&box, NULL);
    box.full = true;
    for (unsigned i = 0; i < MANY; i++) {
        peers[i] = box_connect(&box, BOX_TCP);
        box_say_text(peers[i], ONE TWO);
        box_turn(&box);
    }
    box_until(&box, box_connections(&box) == MANY && stream_counters(box.stream)->waited >= MANY);
    assert_in_range(rte_mempool_in_use_count(box.pool), 60, 70);
    box.full = false;
    box_until(&box, box.taken_n == 2 * MANY);
    box_forget(&box);
    // What is in hand when the server stops is lost, its buffer is not.
    box.full = true;
    for (unsigned i = 0; i < MANY; i++)
        box_say_text(peers[i], ONE);
    box_until(&box, box.stream->stalled_n > 50);
    for (unsigned i = 0; i < MANY; i++)
        close(peers[i]);
}

static void test_without_buffers_it_waits_as_well(void **state)
{
    struct rte_mbuf *all[2048];
    unsigned n = 0;
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    box_until(&box, box_connections(&box) == 1);
    while ((all[n] = rte_pktmbuf_alloc(box.pool)) != NULL)
        n++;
    box_say_text(peer, ONE TWO);
    box_until(&box, stream_counters(box.stream)->waited == 1);
    assert_int_equal(box.taken_n, 0);
    rte_pktmbuf_free_bulk(all, n);
    box_took(&box, 2, (const char *const[]){ONE, TWO});
    close(peer);
}

// The message that workers had no room for comes, though whoever said it went meanwhile.
static void test_a_peer_that_goes_while_it_waits_was_heard(void **state)
{
    int peer = box_connect(&box, BOX_TCP);

    (void)state;
    box_until(&box, box_connections(&box) == 1);
    box.full = true;
    box_say_text(peer, ONE TWO);
    box_until(&box, stream_counters(box.stream)->waited == 1);
    close(peer);
    box.full = false;
    box_took(&box, 2, (const char *const[]){ONE, TWO});
    box_until(&box, box_connections(&box) == 0);
}

static void test_a_stop_in_the_middle_leaves_nothing(void **state)
{
    int peers[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        peers[i] = box_connect(&box, i == 2 ? BOX_PROXIED : BOX_TCP);
    box_until(&box, box_connections(&box) == 3);
    box.full = true;
    box_say_text(peers[0], ONE TWO);
    box_say_text(peers[1], "OPTIONS");
    box_until(&box, stream_counters(box.stream)->waited >= 1);
    for (unsigned i = 0; i < 3; i++)
        close(peers[i]);
    // the teardown stops it and counts
}

static void test_every_want_of_memory_is_told(void **state)
{
    int error = 0;

    (void)state;
    for (int takes = 0; error != 1; takes++) {
        const struct stream_setup wanted = {
            .base = box.base, .conf = &box.conf, .pool = box.pool, .large = box.large, .memory = &box.memory};
        assert_in_range(takes, 0, 32);
        box.takes_left = takes;
        error = stream_create(&box.stream, &wanted);
        if (error == 0)
            break;
        assert_int_equal(error, -ENOMEM);
        assert_int_equal(box.taken_bytes, 0);
    }
}

static void test_an_address_in_use_is_told(void **state)
{
    struct stream *second = NULL;
    const struct stream_setup wanted = {
        .base = box.base, .conf = &box.conf, .pool = box.pool, .large = box.large, .memory = &box.memory};
    size_t before = box.taken_bytes;

    (void)state;
    assert_int_equal(stream_create(&second, &wanted), -EADDRINUSE);
    assert_int_equal(box.taken_bytes, before);
}

static void test_two_thousand_connections_leave_nothing(void **state)
{
    enum { MANY = 2000, AT_A_TIME = 100 };
    int peers[AT_A_TIME];
    uint64_t heard = 0;

    (void)state;
    box.conf.connections_max = box.conf.connections_source_max = AT_A_TIME;
    box_start(&box, NULL);
    for (unsigned round = 0; round < MANY / AT_A_TIME; round++) {
        for (unsigned i = 0; i < AT_A_TIME; i++) {
            peers[i] = box_connect(&box, BOX_TCP);
            // One a third each: silent, with half a message, with a whole one.
            if (i % 3 == 1)
                box_say_text(peers[i], "OPTIONS sip:a");
            if (i % 3 == 2)
                box_say_text(peers[i], ONE);
            heard += i % 3 == 2;
            box_turn(&box);
        }
        box_until(&box, stream_counters(box.stream)->received[ENDPOINT_TCP] == heard &&
                            box_connections(&box) == AT_A_TIME);
        for (unsigned i = 0; i < AT_A_TIME; i++)
            close(peers[i]);
        box_until(&box, box_connections(&box) == 0);
        box_forget(&box);
    }
    assert_int_equal(stream_counters(box.stream)->accepted[ENDPOINT_TCP], MANY);
    assert_int_equal(box_ended(&box, STREAM_END_PEER) + box_ended(&box, STREAM_END_RESET), MANY);
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
}

int main(void)
{
#define STARTED(test) cmocka_unit_test_setup_teardown(test, setup_started, teardown)
#define MADE(test)    cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        STARTED(test_a_message_arrives_with_where_it_came_from),
        STARTED(test_messages_come_one_by_one_however_they_are_cut),
        STARTED(test_messages_come_byte_by_byte),
        STARTED(test_many_messages_come_at_once_in_order),
        STARTED(test_pings_are_answered),
        STARTED(test_large_messages_have_a_large_buffer),
        STARTED(test_what_cannot_be_read_ends_by_name),
        STARTED(test_what_came_before_a_fault_is_served),
        STARTED(test_who_does_not_go_is_thrown_out),
        STARTED(test_an_endless_head_is_cut_off),
        STARTED(test_a_slow_message_ends_and_a_fast_one_does_not),
        STARTED(test_silence_ends),
        MADE(test_connections_are_bounded_in_all_and_by_source),
        STARTED(test_what_waits_for_workers_is_neither_lost_nor_turned_round),
        STARTED(test_who_waits_for_his_worker_makes_nobody_else_wait),
        MADE(test_buffers_that_wait_are_bounded),
        STARTED(test_without_buffers_it_waits_as_well),
        STARTED(test_a_peer_that_goes_while_it_waits_was_heard),
        STARTED(test_a_stop_in_the_middle_leaves_nothing),
        MADE(test_every_want_of_memory_is_told),
        STARTED(test_an_address_in_use_is_told),
        MADE(test_two_thousand_connections_leave_nothing),
    };

    return cmocka_run_group_tests(tests, box_eal, box_eal_end);
}
