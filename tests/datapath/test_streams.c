// Messages of streams on their way through a worker: what control puts into its ring, and what it gives back to it.
#include "phones.h"

#include <stdio.h>
#include <string.h>

#include "datapath/datapath.h"

// The first listener is none of UDP's.
#define INI                                                                                                \
    "[listener tcp]\naddress = 198.18.0.1:5070\ntransport = tcp\n"                                         \
    "[gateways mixed]\nalgorithm = priority\nprobe_interval = 0\nprobe_down = 100\nanswer_timeout = 30s\n" \
    "[gateway stream]\ngroup = mixed\naddress = 198.18.0.21:5070;transport=tcp\n"                          \
    "[gateway datagram]\ngroup = mixed\naddress = 198.18.0.22:5070\npriority = 1\n"                        \
    "[route mixed]\nuser = mixed\naction = gateways\ngateways = mixed\n" PHONES_INI "kept_max = 1024\n"    \
    "[listener other]\naddress = 198.18.0.1:5060\ntransport = tcp\n"

#define OPTIONS                                                                                      \
    "OPTIONS sip:198.18.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 198.18.0.10:40000;branch=z9hG4bK%u\r\n"      \
    "Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:198.18.0.1>\r\nCall-ID: %u\r\n" \
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

static const struct endpoint peer = {{198, 18, 0, 10}, 40000, ENDPOINT_IP4, ENDPOINT_TCP, 7};

static int begin(void **state)
{
    (void)state;
    phones_open(INI);
    return 0;
}

static int end(void **state)
{
    (void)state;
    phones_close();
    return 0;
}

// As control's streams do it.
static void deliver(unsigned number)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(rig.strowger.workers[0]->pool);
    char text[1024];

    assert_non_null(mbuf);
    int len = snprintf(text, sizeof(text), OPTIONS, number, number);
    struct packet *packet = packet_of(mbuf);
    memset(packet, 0, sizeof(*packet));
    memcpy(rte_pktmbuf_append(mbuf, (uint16_t)len), text, (size_t)len);
    packet->errand = PACKET_SERVE;
    packet->frame.payload_len = (uint16_t)len;
    packet->arrival.source = peer;
    packet->arrival.destination = rig.conf->listeners[0].address;
    packet->generation = PACKET_UNSTEERED;
    assert_int_equal(sip_message_parse(&packet->message, rte_pktmbuf_mtod(mbuf, char *), (size_t)len),
                     SIP_OK);
    assert_int_equal(rte_ring_enqueue(rig.strowger.workers[number % 2]->inject, mbuf), 0);
}

// What the workers gave to control, of this kind; the rest is freed.
static unsigned punted(uint8_t errand, struct rte_mbuf **mbufs, unsigned max)
{
    struct rte_mbuf *mbuf;
    unsigned n = 0;

    for (unsigned w = 0; w < rig.strowger.workers_n; w++) {
        while (rte_ring_dequeue(rig.strowger.workers[w]->punt, (void **)&mbuf) == 0) {
            if (packet_of(mbuf)->errand == errand && n < max)
                mbufs[n++] = mbuf;
            else
                rte_pktmbuf_free(mbuf);
        }
    }
    return n;
}

static void test_answer_goes_back_by_the_connection_without_headers(void **state)
{
    struct rte_mbuf *answer = NULL;

    (void)state;
    deliver(1);
    rig_turn(&rig);
    assert_int_equal(punted(PACKET_STREAM, &answer, 1), 1);
    assert_true(endpoint_equal(&packet_of(answer)->to, &peer));
    assert_int_equal(packet_of(answer)->listener, 0);
    assert_memory_equal(rte_pktmbuf_mtod(answer, char *), "SIP/2.0 200 OK\r\n", 16);
    assert_int_equal(answer->nb_segs, 1);
    assert_null(rig_sent(&rig, 0));
    rte_pktmbuf_free(answer);
}

static void test_datagrams_beside_streams_leave_as_ever(void **state)
{
    struct endpoint caller = CALLER;
    struct rte_mbuf *answers[8];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        deliver(i);
        phones_say(&caller, "OPTIONS sip:198.18.0.1 SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 198.18.0.10:5060;branch=z9hG4bKu\r\nMax-Forwards: 70\r\n"
                            "From: <sip:a@example.com>;tag=1\r\nTo: <sip:198.18.0.1>\r\nCall-ID: u\r\n"
                            "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
        phones_expect(&caller, "SIP/2.0 200 ");
    }
    assert_int_equal(punted(PACKET_STREAM, answers, 8), 4);
    for (unsigned i = 0; i < 4; i++)
        rte_pktmbuf_free(answers[i]);
}

static void test_full_ring_to_control_is_a_counted_drop(void **state)
{
    struct rte_mbuf *none;

    (void)state;
    for (unsigned i = 0; i < 200; i += 40) {
        for (unsigned j = 0; j < 40; j++)
            deliver(2 * (i + j)); // by worker 0; half of them are served there
        rig_turn(&rig);
    }
    uint64_t waiting = 0;
    for (unsigned w = 0; w < 2; w++)
        waiting += rte_ring_count(rig.strowger.workers[w]->punt);
    assert_int_equal(rig_drops(&rig, DROP_STREAM_FULL), 200 - waiting);
    assert_in_range(waiting, 63, 126); // rings of 64 hold 63
    assert_int_equal(punted(PACKET_ANSWER, &none, 1), 0);
}

// The gateway is tried at another address at once, whether the connection failed or there was no way to it.
static void test_request_that_no_connection_takes_goes_elsewhere(void **state)
{
    struct endpoint caller = CALLER, second = SECOND;
    struct rte_mbuf *request = NULL;

    (void)state;
    phones_call("INVITE", "mixed", "gone", "", "");
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect_nothing();
    assert_int_equal(punted(PACKET_STREAM, &request, 1), 1);
    assert_int_equal(packet_of(request)->to.transport, ENDPOINT_TCP);
    assert_int_equal(packet_of(request)->listener, 0);
    assert_int_equal(rte_mbuf_refcnt_read(request), 2); // kept, for just that case
    packet_of(request)->errand = PACKET_UNSENT;
    assert_int_equal(
        rte_ring_enqueue(rig.strowger.workers[packet_of(request)->arrival.worker]->inject, request), 0);
    rig_turn(&rig);
    phones_expect(&second, "INVITE sip:mixed@");
}

static void test_request_for_which_the_ring_is_full_goes_elsewhere(void **state)
{
    struct endpoint caller = CALLER, second = SECOND, dns = endpoint_ip4(198, 18, 0, 1, 53);

    (void)state;
    for (unsigned w = 0; w < rig.strowger.workers_n; w++) {
        struct rte_mbuf *frame = rig_frame(&rig, &caller, &dns, "x", 1, 0);
        packet_of(frame)->errand = PACKET_FRAME;
        while (rte_ring_enqueue(rig.strowger.workers[w]->punt, frame) == 0) {
            frame = rig_frame(&rig, &caller, &dns, "x", 1, 0);
            packet_of(frame)->errand = PACKET_FRAME;
        }
        rte_pktmbuf_free(frame);
    }
    phones_call("INVITE", "mixed", "full", "", "");
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&second, "INVITE sip:mixed@");
    assert_int_equal(rig_drops(&rig, DROP_STREAM_FULL), 1);
}

// A port that only TCP listens on is the kernel's.
static void test_datagram_to_a_streams_address_goes_to_the_kernel(void **state)
{
    struct endpoint caller = CALLER, tcp = endpoint_ip4(198, 18, 0, 1, 5070);
    struct rte_mbuf *frame = NULL;

    (void)state;
    rig_receive(&rig, 0, 0, rig_frame(&rig, &caller, &tcp, "OPTIONS", 7, 0));
    rig_turn(&rig);
    assert_int_equal(punted(PACKET_FRAME, &frame, 1), 1);
    rte_pktmbuf_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answer_goes_back_by_the_connection_without_headers, begin, end),
        cmocka_unit_test_setup_teardown(test_datagrams_beside_streams_leave_as_ever, begin, end),
        cmocka_unit_test_setup_teardown(test_full_ring_to_control_is_a_counted_drop, begin, end),
        cmocka_unit_test_setup_teardown(test_request_that_no_connection_takes_goes_elsewhere, begin, end),
        cmocka_unit_test_setup_teardown(test_request_for_which_the_ring_is_full_goes_elsewhere, begin, end),
        cmocka_unit_test_setup_teardown(test_datagram_to_a_streams_address_goes_to_the_kernel, begin, end),
    };

    rig_eal(2);
    return cmocka_run_group_tests_name("datapath streams", tests, NULL, NULL);
}
