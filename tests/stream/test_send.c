// What workers send: over the connection that is meant, over a new one, or back to them.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "box.h"

static struct box box;

#define ONE BOX_OPTIONS("1", "", "Content-Length: 0\r\n")
#define TWO BOX_OPTIONS("2", "abc", "Content-Length: 3\r\n")

static int setup(void **state)
{
    (void)state;
    box_make(&box);
    return 0;
}

static int setup_started(void **state)
{
    setup(state);
    box_start(&box, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

// Where somebody came from who is connected and has spoken.
static struct endpoint source_of(int peer)
{
    box_say_text(peer, ONE);
    box_until(&box, box.taken_n == 1);
    struct endpoint source = box_packet(box.taken[0])->arrival.source;
    box_forget(&box);
    return source;
}

static void came_back(unsigned n, const char *const *texts)
{
    assert_int_equal(box.unsent_n, n);
    assert_int_equal(stream_counters(box.stream)->unsent, n);
    for (unsigned i = 0; i < n; i++) {
        struct slice bytes = box_bytes(box.unsent[i]);
        assert_int_equal(bytes.len, strlen(texts[i]));
        assert_memory_equal(bytes.at, texts[i], bytes.len);
        assert_int_equal(box.unsent_worker[i], 3);
    }
}

static void test_an_answer_goes_back_over_its_connection(void **state)
{
    (void)state;
    for (unsigned listener = BOX_TCP; listener <= BOX_TCP6; listener++) {
        int peer = box_connect(&box, listener), other = box_connect(&box, listener);
        struct endpoint to = source_of(peer);
        box_send(&box, TWO, &to, listener);
        box_send(&box, ONE, &to, listener);
        box_hears(&box, peer, TWO ONE);
        assert_int_equal(recv(other, &to, sizeof(to), 0), -1);
        close(peer);
        close(other);
        box_until(&box, box_connections(&box) == 0);
    }
    assert_int_equal(stream_counters(box.stream)->sent[ENDPOINT_TCP], 4);
}

// A message for a connection that is gone reaches nobody else, though he came by the same address and port.
static void test_a_dead_flow_is_never_somebody_elses(void **state)
{
    struct linger at_once = {.l_onoff = 1};
    uint8_t flows[20];

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(flows); i++) {
        int peer = box_connect_from(&box, BOX_TCP, 90, 40000);
        struct endpoint to = source_of(peer);
        flows[i] = to.flow;
        assert_int_not_equal(to.flow, 0);
        for (unsigned j = 0; j < i; j++) {
            assert_int_not_equal(flows[j], to.flow);
            struct endpoint dead = to;
            dead.flow = flows[j];
            box_send(&box, TWO, &dead, BOX_TCP);
            came_back(1, (const char *const[]){TWO});
            box_forget(&box);
            box.stream->counters.unsent = 0;
        }
        box_send(&box, ONE, &to, BOX_TCP);
        box_hears(&box, peer, ONE);
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(peer);
        box_until(&box, box_connections(&box) == 0);
    }
    assert_int_equal(box_ended(&box, STREAM_END_RESET), RTE_DIM(flows));
}

static void test_a_connection_is_made_once_and_used_again(void **state)
{
    struct endpoint to;
    struct stream_view view;
    int listening = box_listen(&box, 50, &to);

    (void)state;
    box_send(&box, ONE, &to, BOX_TCP);
    box_send(&box, TWO, &to, BOX_TCP); // while it connects
    int peer = box_accept(&box, listening);
    box_hears(&box, peer, ONE TWO);
    box_send(&box, ONE, &to, BOX_TCP);
    box_hears(&box, peer, ONE);
    assert_int_equal(box_connections(&box), 1);
    assert_int_equal(stream_counters(box.stream)->connected[ENDPOINT_TCP], 1);
    assert_true(box_view(&box, &view));
    assert_true(view.outgoing);
    assert_int_equal(view.sent, 3);
    // It comes from the listener's address, and what is answered comes in by that listener.
    box_say_text(peer, TWO);
    box_until(&box, box.taken_n == 1);
    const struct packet *packet = box_packet(box.taken[0]);
    assert_int_equal(packet->arrival.listener, BOX_TCP);
    assert_true(endpoint_same_address(&packet->arrival.source, &to));
    assert_int_equal(packet->arrival.source.port, to.port);
    struct endpoint back = packet->arrival.source;
    assert_int_not_equal(back.flow, 0);
    box_send(&box, TWO, &back, BOX_TCP);
    box_hears(&box, peer, TWO);
    assert_int_equal(box_connections(&box), 1);
    // When it is gone there is a new one for the address, and none for the flow.
    close(peer);
    box_until(&box, box_connections(&box) == 0);
    box_send(&box, ONE, &back, BOX_TCP);
    came_back(1, (const char *const[]){ONE});
    box_send(&box, TWO, &to, BOX_TCP);
    peer = box_accept(&box, listening);
    box_hears(&box, peer, TWO);
    close(peer);
    close(listening);
}

// Whoever connected from the address and port that is meant needs no second connection.
static void test_a_peers_own_connection_is_used(void **state)
{
    int peer = box_connect_from(&box, BOX_TCP, 91, 5060);
    struct endpoint to = source_of(peer);

    (void)state;
    to.flow = 0;
    box_send(&box, TWO, &to, BOX_TCP);
    box_hears(&box, peer, TWO);
    assert_int_equal(box_connections(&box), 1);
    // but not by another listener: he would see another server
    box_send(&box, TWO, &to, BOX_PROXIED);
    box_until(&box, box.unsent_n == 1);
    assert_int_equal(box_ended(&box, STREAM_END_REFUSED), 1);
    close(peer);
}

static void test_refused_comes_back_in_order(void **state)
{
    struct endpoint to;
    int listening = box_listen(&box, 51, &to);

    (void)state;
    close(listening);
    box_send(&box, ONE, &to, BOX_TCP);
    box_send(&box, TWO, &to, BOX_TCP);
    box_until(&box, box.unsent_n == 2);
    came_back(2, (const char *const[]){ONE, TWO});
    assert_int_equal(box_ended(&box, STREAM_END_REFUSED), 1);
    assert_int_equal(box_connections(&box), 0);
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
}

// A peer whose queue of connections is full says nothing, as one that is not there.
static void test_silence_comes_back_in_time(void **state)
{
    struct endpoint to;
    int listening = box_listen(&box, 52, &to), filler;

    (void)state;
    assert_int_equal(listen(listening, 0), 0);
    filler = box_connect_to(&to);
    box_send(&box, ONE, &to, BOX_TCP);
    box_send(&box, TWO, &to, BOX_TCP);
    box_pass(&box, box.conf.stream_connect_ms - 200);
    assert_int_equal(box_connections(&box), 1);
    box_pass(&box, 400);
    came_back(2, (const char *const[]){ONE, TWO});
    assert_int_equal(box_ended(&box, STREAM_END_UNREACHABLE), 1);
    assert_int_equal(box_connections(&box), 0);
    close(filler);
    close(listening);
}

static void test_what_has_no_way_comes_back_at_once(void **state)
{
    struct endpoint to = box.listeners[BOX_TCP].address;
    static const struct {
        const char *name;
        unsigned listener;
        enum endpoint_transport transport;
        uint16_t port;
        uint8_t flow;
    } cases[] = {
        {"no such listener", BOX_LISTENERS_MAX, ENDPOINT_TCP, 5060, 0},
        {"a UDP listener", BOX_UDP, ENDPOINT_TCP, 5060, 0},
        {"another transport's listener", BOX_TCP, ENDPOINT_TLS, 5061, 0},
        {"another family's listener", BOX_TCP6, ENDPOINT_TCP, 5060, 0},
        {"a WebSocket without flow", BOX_WS, ENDPOINT_WS, 80, 0},
        {"a flow that never was", BOX_TCP, ENDPOINT_TCP, 5060, 1},
        {"no port", BOX_TCP, ENDPOINT_TCP, 0, 0},
    };

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        to.transport = cases[i].transport & 0xf;
        to.port = cases[i].port;
        to.flow = cases[i].flow;
        box_send(&box, ONE, &to, cases[i].listener);
        if (box.unsent_n != i + 1)
            fail_msg("%s", cases[i].name);
    }
    assert_int_equal(box_connections(&box), 0);
}

static void test_a_full_table_makes_no_connection(void **state)
{
    struct endpoint to;
    int listening, peer;

    (void)state;
    box.conf.connections_max = 1;
    box_start(&box, NULL);
    listening = box_listen(&box, 53, &to);
    peer = box_connect(&box, BOX_TCP);
    box_until(&box, box_connections(&box) == 1);
    box_send(&box, ONE, &to, BOX_TCP);
    came_back(1, (const char *const[]){ONE});
    assert_int_equal(box_ended(&box, STREAM_END_CROWDED), 1);
    close(peer);
    close(listening);
}

static char large[6001];

static const char *large_text(void)
{
    memset(large, 'x', sizeof(large) - 1);
    memcpy(large, ONE, sizeof(ONE) - 1);
    return large;
}

// Sends until the kernel takes no more of it.
static unsigned fill(const struct endpoint *to)
{
    unsigned n = 0;

    while (stream_counters(box.stream)->bytes_held == 0) {
        assert_in_range(n, 0, 2000);
        box_send(&box, large_text(), to, BOX_TCP);
        n++;
    }
    return n;
}

static void test_what_a_peer_does_not_take_yet_waits(void **state)
{
    static char heard[2000 * 6000];
    int peer = box_connect(&box, BOX_TCP);
    struct endpoint to = source_of(peer);

    (void)state;
    unsigned n = fill(&to);
    box_send(&box, TWO, &to, BOX_TCP);
    assert_int_equal(box.unsent_n, 0);
    size_t len = box_hear(&box, peer, heard, n * (sizeof(large) - 1) + strlen(TWO));
    for (unsigned i = 0; i < n; i++)
        assert_memory_equal(heard + i * (sizeof(large) - 1), large, sizeof(large) - 1);
    assert_string_equal(heard + n * (sizeof(large) - 1), TWO);
    assert_int_equal(len, n * (sizeof(large) - 1) + strlen(TWO));
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    assert_int_equal(stream_counters(box.stream)->sent[ENDPOINT_TCP], n + 1);
    box_pass(&box, 60000);
    assert_int_equal(box_connections(&box), 1);
    close(peer);
}

static void test_a_slow_reader_is_cut_off_in_time(void **state)
{
    int peer = box_connect(&box, BOX_TCP);
    struct endpoint to = source_of(peer);

    (void)state;
    fill(&to);
    box_send(&box, TWO, &to, BOX_TCP);
    box_pass(&box, 4800);
    assert_int_equal(box_connections(&box), 1);
    box_pass(&box, 400);
    assert_int_equal(box_ended(&box, STREAM_END_READER_SLOW), 1);
    came_back(2, (const char *const[]){large, TWO});
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    close(peer);
}

static void test_a_slow_reader_is_cut_off_in_bytes(void **state)
{
    int peer = box_connect(&box, BOX_TCP), other = box_connect(&box, BOX_TCP);
    struct endpoint to = source_of(peer);

    (void)state;
    fill(&to);
    for (unsigned i = 0; box_ended(&box, STREAM_END_READER_SLOW) == 0; i++) {
        assert_in_range(i, 0, box.conf.stream_buffer_max / 6000 + 1);
        box_send(&box, large_text(), &to, BOX_TCP);
    }
    assert_in_range(box.unsent_n, box.conf.stream_buffer_max / 6000, box.conf.stream_buffer_max / 6000 + 2);
    box_forget(&box);
    to = source_of(other);
    box_send(&box, TWO, &to, BOX_TCP);
    box_hears(&box, other, TWO);
    close(peer);
    close(other);
}

// What waits for a connection is bounded too; that one is not ended for it.
static void test_what_waits_for_a_connection_is_bounded(void **state)
{
    struct endpoint to;
    int listening = box_listen(&box, 54, &to);
    unsigned n = 0;

    (void)state;
    while (box.unsent_n == 0) {
        box_send(&box, large_text(), &to, BOX_TCP);
        n++;
    }
    assert_int_equal(n, box.conf.stream_buffer_max / 6000 + 1);
    int peer = box_accept(&box, listening);
    box_until(&box, stream_counters(box.stream)->connected[ENDPOINT_TCP] == 1);
    assert_int_equal(box_connections(&box), 1);
    close(peer);
    close(listening);
}

// The mbuf may be a role's as well: it is not changed, and given back.
static void test_a_message_that_somebody_keeps_is_left_alone(void **state)
{
    int peer = box_connect(&box, BOX_TCP);
    struct endpoint to = source_of(peer);
    struct rte_mbuf *kept = box_message(&box, TWO, &to, BOX_TCP);

    (void)state;
    rte_mbuf_refcnt_update(kept, 1);
    stream_send(box.stream, kept, 0, box.now_ms);
    assert_int_equal(rte_mbuf_refcnt_read(kept), 1);
    assert_int_equal(box_bytes(kept).len, strlen(TWO));
    assert_memory_equal(box_bytes(kept).at, TWO, strlen(TWO));
    rte_pktmbuf_free(kept);
    box_hears(&box, peer, TWO);
    close(peer);
}

static void test_a_stop_gives_back_what_waits(void **state)
{
    int peer = box_connect(&box, BOX_TCP);
    struct endpoint to = source_of(peer);

    (void)state;
    fill(&to);
    stream_destroy(box.stream);
    box.stream = NULL;
    assert_int_equal(box.unsent_n, 1);
    close(peer);
}

int main(void)
{
#define STARTED(test) cmocka_unit_test_setup_teardown(test, setup_started, teardown)
#define MADE(test)    cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        STARTED(test_an_answer_goes_back_over_its_connection),
        STARTED(test_a_dead_flow_is_never_somebody_elses),
        STARTED(test_a_connection_is_made_once_and_used_again),
        STARTED(test_a_peers_own_connection_is_used),
        STARTED(test_refused_comes_back_in_order),
        STARTED(test_silence_comes_back_in_time),
        STARTED(test_what_has_no_way_comes_back_at_once),
        MADE(test_a_full_table_makes_no_connection),
        STARTED(test_what_a_peer_does_not_take_yet_waits),
        STARTED(test_a_slow_reader_is_cut_off_in_time),
        STARTED(test_a_slow_reader_is_cut_off_in_bytes),
        STARTED(test_what_waits_for_a_connection_is_bounded),
        STARTED(test_a_message_that_somebody_keeps_is_left_alone),
        STARTED(test_a_stop_gives_back_what_waits),
    };

    return cmocka_run_group_tests(tests, box_eal, box_eal_end);
}
