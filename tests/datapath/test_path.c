// The packet path from a frame in to a frame out, over ring ports, driven by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <stdio.h>

#include "datapath/datapath.h"
#include "rig/rig.h"

static const char ini[] = "[network]\nmbufs = 4096\nmailbox_size = 64\nroute_max = 64\nneighbour_max = 64\n"
                          "reassembly_max = 16\nreassembly_timeout = 10ms\n"
                          "[location]\nbindings_max = 1000\n"
                          "[transaction]\ntransactions_max = 1024\nkept_max = 1024\n"
                          "[port p0]\ndevice = net_ring_rig0\ntwin = sip0\n"
                          "[port p1]\ndevice = net_ring_rig1\n"
                          "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n"
                          "[listener six]\naddress = [2001:db8::1]:5060\nport = p0\n"
                          "[domain example.com]\nrole = proxy\n";

static struct rig rig;

#define PHONE  endpoint_ip4(198, 18, 0, 10, 5060)
#define CALLEE endpoint_ip4(198, 18, 0, 11, 5070)
#define SERVER endpoint_ip4(198, 18, 0, 1, 5060)

static int start(void **state)
{
    struct endpoint phone = PHONE, callee = CALLEE;

    (void)state;
    rig_start(&rig, ini, 1);
    rig_link(&rig, 0);
    rig_neighbour(&rig, 0, &phone);
    rig_neighbour(&rig, 0, &callee);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return rig_stop(&rig) ? 0 : -1;
}

static size_t request(char *text, size_t room, const char *method, const char *uri, const char *call_id,
                      const char *lines, const char *body)
{
    return (size_t)snprintf(text, room,
                            "%s %s SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 198.18.0.10:5060;branch=z9hG4bK%s\r\n"
                            "Max-Forwards: 70\r\n"
                            "From: <sip:alice@example.com>;tag=1\r\n"
                            "To: <sip:bob@example.com>\r\n"
                            "Call-ID: %s\r\n"
                            "CSeq: 1 %s\r\n"
                            "%sContent-Length: %zu\r\n\r\n%s",
                            method, uri, call_id, call_id, method, lines, strlen(body), body);
}

static void receive(const struct endpoint *source, const struct endpoint *destination, const char *text,
                    size_t len)
{
    rig_receive(&rig, 0, 0, rig_frame(&rig, source, destination, text, len, 0));
    rig_turn(&rig);
}

static void receive_from_phone(const char *text, size_t len)
{
    struct endpoint phone = PHONE, server = SERVER;

    receive(&phone, &server, text, len);
}

// The status of the response that left to the phone, or 0.
static unsigned answer(char *text, size_t room)
{
    struct endpoint source, destination, phone = PHONE, server = SERVER;
    unsigned status = 0;

    if (!rig_sent_datagram(&rig, 0, &source, &destination, text, room))
        return 0;
    assert_true(endpoint_equal(&source, &server));
    assert_true(endpoint_equal(&destination, &phone));
    sscanf(text, "SIP/2.0 %u", &status);
    return status;
}

static void register_bob(void)
{
    char text[2048];
    size_t len = request(text, sizeof(text), "REGISTER", "sip:example.com", "reg-bob",
                         "Contact: <sip:bob@198.18.0.11:5070>\r\nExpires: 600\r\n", "");

    receive_from_phone(text, len);
    assert_int_equal(answer(text, sizeof(text)), 200);
}

static void test_register_is_answered_from_the_listener_to_the_source(void **state)
{
    (void)state;
    register_bob();
    assert_int_equal(rig.strowger.workers[0]->counters.requests[SIP_METHOD_REGISTER] +
                         rig.strowger.workers[1]->counters.requests[SIP_METHOD_REGISTER],
                     1);
}

static void test_request_is_forwarded_to_the_binding_with_its_body_untouched(void **state)
{
    char text[4096];
    struct endpoint source, destination, callee = CALLEE, server = SERVER;
    const char *body = "v=0\r\no=- 1 1 IN IP4 198.18.0.10\r\n";

    (void)state;
    register_bob();
    size_t len = request(text, sizeof(text), "INVITE", "sip:bob@example.com", "call-1",
                         "Contact: <sip:alice@198.18.0.10>\r\nContent-Type: application/sdp\r\n", body);
    receive_from_phone(text, len);
    char trying[1024];
    assert_int_equal(answer(trying, sizeof(trying)), 100);
    assert_true(rig_sent_datagram(&rig, 0, &source, &destination, text, sizeof(text)));
    assert_true(endpoint_equal(&source, &server));
    assert_true(endpoint_equal(&destination, &callee));
    assert_int_equal(strncmp(text, "INVITE sip:bob@198.18.0.11:5070 SIP/2.0\r\n", 41), 0);
    assert_non_null(strstr(text, "Max-Forwards: 69\r\n"));
    assert_non_null(strstr(text, body));
}

static void test_vlan_tag_is_kept_on_the_answer(void **state)
{
    char text[2048];
    struct endpoint phone = PHONE, server = SERVER;
    size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", "opt-1", "", "");

    (void)state;
    rig_receive(&rig, 0, 0, rig_frame(&rig, &phone, &server, text, len, 0x6064)); // priority 3, VLAN 100
    rig_turn(&rig);
    struct rte_mbuf *mbuf = rig_sent(&rig, 0);
    assert_non_null(mbuf);
    const uint8_t *at = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    assert_int_equal(at[12] << 8 | at[13], RTE_ETHER_TYPE_VLAN);
    assert_int_equal(at[14] << 8 | at[15], 0x6064);
    rte_pktmbuf_free(mbuf);
}

static void test_ip6_request_is_answered_over_ip6(void **state)
{
    char text[2048];
    struct endpoint phone, server, source, destination;
    size_t len = request(text, sizeof(text), "OPTIONS", "sip:[2001:db8::1]", "opt-6", "", "");

    (void)state;
    assert_true(endpoint_parse(SLICE("[2001:db8::10]:5060"), &phone));
    assert_true(endpoint_parse(SLICE("[2001:db8::1]:5060"), &server));
    rig_neighbour(&rig, 0, &phone);
    receive(&phone, &server, text, len);
    assert_true(rig_sent_datagram(&rig, 0, &source, &destination, text, sizeof(text)));
    assert_true(endpoint_equal(&source, &server));
    assert_true(endpoint_equal(&destination, &phone));
    assert_int_equal(strncmp(text, "SIP/2.0 200 ", 12), 0);
    assert_non_null(strstr(text, ";received=2001:db8::10"));
}

// Cuts one IPv4 frame into fragments with DPDK's own library and receives them, last first when `reversed`.
static unsigned receive_fragmented(struct rte_mbuf *whole, uint16_t mtu, bool reversed)
{
    struct worker *worker = rig.strowger.workers[0];
    struct rte_mbuf *out[16];
    struct rte_ether_hdr eth = *rte_pktmbuf_mtod(whole, struct rte_ether_hdr *);

    rte_pktmbuf_adj(whole, sizeof(eth));
    whole->l2_len = 0;
    whole->l3_len = sizeof(struct rte_ipv4_hdr);
    int n = rte_ipv4_fragment_packet(whole, out, 16, mtu, worker->pool, worker->indirect);
    rte_pktmbuf_free(whole);
    assert_true(n > 1);
    for (int i = 0; i < n; i++) {
        struct rte_mbuf *fragment = out[reversed ? n - 1 - i : i];
        struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(fragment, struct rte_ipv4_hdr *);
        ip->hdr_checksum = 0;
        ip->hdr_checksum = rte_ipv4_cksum(ip);
        *(struct rte_ether_hdr *)rte_pktmbuf_prepend(fragment, sizeof(eth)) = eth;
        fragment->ol_flags = 0;
        rig_receive(&rig, 0, 0, fragment);
    }
    return (unsigned)n;
}

static void fragmented_options(bool reversed, bool lose_one)
{
    char text[8192], filler[3000];
    struct endpoint phone = PHONE, server = SERVER;

    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = 0;
    size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", "opt-frag", "", filler);
    receive_fragmented(rig_frame(&rig, &phone, &server, text, len, 0), 1004, reversed);
    if (lose_one) {
        struct rte_mbuf *lost = NULL;
        assert_int_equal(rte_ring_dequeue(rig.rx[0][0], (void **)&lost), 0);
        rte_pktmbuf_free(lost);
    }
    rig_turn(&rig);
}

static void test_fragments_in_order_are_joined(void **state)
{
    char text[4096];

    (void)state;
    fragmented_options(false, false);
    assert_int_equal(answer(text, sizeof(text)), 200);
    assert_int_equal(rig.strowger.workers[0]->counters.reassembled, 1);
}

static void test_fragments_in_reverse_order_are_joined(void **state)
{
    char text[4096];

    (void)state;
    fragmented_options(true, false);
    assert_int_equal(answer(text, sizeof(text)), 200);
}

static void test_lost_fragment_leaves_nothing_behind(void **state)
{
    char text[4096];

    (void)state;
    fragmented_options(false, true);
    assert_int_equal(answer(text, sizeof(text)), 0);
    // Time passes: what waited is given up, and counted.
    struct worker *worker = rig.strowger.workers[0];
    worker->tsc_hz = 1000; // a millisecond of the table's is now a cycle of the loop's
    for (unsigned tries = 0; tries < 1000000 && rig_drops(&rig, DROP_FRAGMENT_TIMEOUT) == 0; tries++)
        datapath_turn(worker);
    assert_int_equal(rig_drops(&rig, DROP_FRAGMENT_TIMEOUT), 3);
    // rig_stop finds them back in the pool
}

static void test_message_larger_than_the_mtu_leaves_in_fragments(void **state)
{
    static char text[8192], filler[5000];
    struct endpoint phone = PHONE, server = SERVER;
    unsigned frames = 0;
    uint32_t bytes = 0;

    (void)state;
    register_bob();
    memset(filler, 'y', sizeof(filler) - 1);
    size_t len = request(text, sizeof(text), "MESSAGE", "sip:bob@example.com", "big", "", filler);
    rig_receive(&rig, 0, 0, rig_frame(&rig, &phone, &server, text, len, 0));
    rig_turn(&rig);
    for (struct rte_mbuf *mbuf = rig_sent(&rig, 0); mbuf != NULL; mbuf = rig_sent(&rig, 0)) {
        const struct rte_ipv4_hdr *ip =
            rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
        struct rte_ipv4_hdr copy = *ip;
        assert_true(mbuf->pkt_len - sizeof(struct rte_ether_hdr) <= 1500);
        assert_true(rte_ipv4_frag_pkt_is_fragmented(ip));
        copy.hdr_checksum = 0;
        assert_int_equal(rte_ipv4_cksum(&copy), ip->hdr_checksum);
        bytes += rte_be_to_cpu_16(ip->total_length) - (uint32_t)sizeof(*ip);
        frames++;
        rte_pktmbuf_free(mbuf);
    }
    assert_int_equal(frames, 4);
    assert_true(bytes > len + 8); // it gained a Via
    assert_int_equal(
        rig.strowger.workers[0]->counters.fragmented + rig.strowger.workers[1]->counters.fragmented, 1);
}

static void test_message_in_segments_is_served_wherever_it_is_split(void **state)
{
    char text[2048];
    struct endpoint phone = PHONE, server = SERVER;

    (void)state;
    size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", "opt-seg", "", "");
    for (unsigned split = 1; split < 14 + 20 + 8 + len; split += 7) {
        request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", "opt-seg", "", "");
        struct rte_mbuf *head = rig_frame(&rig, &phone, &server, text, len, 0);
        struct rte_mbuf *tail = rte_pktmbuf_alloc(rig.strowger.workers[0]->pool);
        assert_non_null(tail);
        uint16_t rest = (uint16_t)(head->data_len - split);
        memcpy(rte_pktmbuf_append(tail, rest), rte_pktmbuf_mtod_offset(head, char *, split), rest);
        rte_pktmbuf_trim(head, rest);
        assert_int_equal(rte_pktmbuf_chain(head, tail), 0);
        rig_receive(&rig, 0, 0, head);
        rig_turn(&rig);
        assert_int_equal(answer(text, sizeof(text)), 200);
    }
}

static void test_what_is_not_sip_goes_to_the_twin_untouched(void **state)
{
    struct endpoint phone = PHONE, dns = endpoint_ip4(198, 18, 0, 1, 53);
    struct rte_mbuf *mbuf = rig_frame(&rig, &phone, &dns, "hello", 5, 0);
    struct rte_mbuf *punted = NULL;

    (void)state;
    rig_receive(&rig, 0, 0, mbuf);
    rig_turn(&rig);
    assert_int_equal(rte_ring_dequeue(rig.strowger.workers[0]->punt, (void **)&punted), 0);
    assert_ptr_equal(punted, mbuf);
    assert_int_equal(packet_of(punted)->errand, PACKET_FRAME);
    assert_int_equal(packet_of(punted)->port, 0);
    assert_int_equal(punted->pkt_len, 14 + 20 + 8 + 5);
    assert_int_equal(rig.strowger.workers[0]->counters.port[0].punted, 1);
    rte_pktmbuf_free(punted);
}

static void test_without_a_twin_what_is_not_sip_is_dropped(void **state)
{
    struct endpoint phone = PHONE, dns = endpoint_ip4(198, 18, 0, 1, 53);

    (void)state;
    rig_receive(&rig, 1, 0, rig_frame(&rig, &phone, &dns, "hello", 5, 0));
    rig_turn(&rig);
    assert_int_equal(rig_drops(&rig, DROP_NO_TWIN), 1);
}

static void test_full_punt_ring_is_a_counted_drop(void **state)
{
    struct endpoint phone = PHONE, dns = endpoint_ip4(198, 18, 0, 1, 53);

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        rig_receive(&rig, 0, 0, rig_frame(&rig, &phone, &dns, "hello", 5, 0));
    rig_turn(&rig);
    assert_int_equal(rig_drops(&rig, DROP_PUNT_FULL), 100 - 63); // a ring of 64 holds 63
    assert_int_equal(rig.strowger.workers[0]->counters.punt_high, 63);
}

static void test_unresolved_next_hop_goes_to_control_and_leaves_when_it_is_known(void **state)
{
    char text[2048];
    struct endpoint stranger = endpoint_ip4(198, 18, 0, 99, 5060), server = SERVER, source, destination;
    struct rte_mbuf *waiting = NULL;
    size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", "opt-arp", "", "");

    (void)state;
    receive(&stranger, &server, text, len);
    assert_null(rig_sent(&rig, 0));
    unsigned id = rte_ring_count(rig.strowger.workers[0]->punt) > 0 ? 0 : 1;
    struct worker *worker = rig.strowger.workers[id];
    assert_int_equal(rte_ring_dequeue(worker->punt, (void **)&waiting), 0);
    assert_int_equal(packet_of(waiting)->errand, PACKET_DATAGRAM);
    assert_true(endpoint_same_address(&packet_of(waiting)->to, &stranger));
    rig_neighbour(&rig, 0, &stranger);
    assert_int_equal(rte_ring_enqueue(worker->inject, waiting), 0);
    rig_turn(&rig);
    assert_true(rig_sent_datagram(&rig, 0, &source, &destination, text, sizeof(text)));
    assert_true(endpoint_equal(&destination, &stranger));
}

static void test_what_control_injects_leaves_as_it_is(void **state)
{
    struct endpoint phone = PHONE, server = SERVER;
    struct rte_mbuf *mbuf = rig_frame(&rig, &server, &phone, "ping", 4, 0);

    (void)state;
    packet_of(mbuf)->errand = PACKET_FRAME;
    packet_of(mbuf)->port = 1;
    assert_int_equal(rte_ring_enqueue(rig.strowger.workers[1]->inject, mbuf), 0);
    rig_turn(&rig);
    struct rte_mbuf *sent = rig_sent(&rig, 1);
    assert_ptr_equal(sent, mbuf);
    assert_int_equal(rig.strowger.workers[1]->counters.port[1].injected, 1);
    rte_pktmbuf_free(sent);
}

static void test_lying_headers_are_counted_drops(void **state)
{
    static const struct {
        unsigned at;
        uint8_t flip;
        enum drop drop;
    } cases[] = {
        {14, 0x30, DROP_IP_VERSION},   {14, 0x04, DROP_IP_HEADER_LENGTH}, {24, 0x01, DROP_IP_CHECKSUM},
        {60, 0x01, DROP_UDP_CHECKSUM}, {41, 0x01, DROP_UDP_CHECKSUM},     {38, 0x80, DROP_UDP_LENGTH},
    };
    struct endpoint phone = PHONE, server = SERVER;
    char text[1024];

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", "lie", "", "");
        struct rte_mbuf *mbuf = rig_frame(&rig, &phone, &server, text, len, 0);
        uint64_t before = rig_drops(&rig, cases[i].drop);
        rte_pktmbuf_mtod(mbuf, uint8_t *)[cases[i].at] ^= cases[i].flip;
        rig_receive(&rig, 0, 0, mbuf);
        rig_turn(&rig);
        if (rig_drops(&rig, cases[i].drop) != before + 1)
            fail_msg("byte %u: not counted as %s", cases[i].at, drop_name(cases[i].drop));
        assert_null(rig_sent(&rig, 0));
    }
}

static void test_source_that_is_no_host_is_never_answered(void **state)
{
    const struct endpoint sources[] = {endpoint_ip4(224, 0, 0, 1, 5060),
                                       endpoint_ip4(255, 255, 255, 255, 5060), endpoint_ip4(0, 0, 0, 0, 5060),
                                       endpoint_ip4(198, 18, 0, 10, 0)};
    struct endpoint server = SERVER;
    char text[1024];

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(sources); i++) {
        size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", "src", "", "");
        receive(&sources[i], &server, text, len);
    }
    assert_int_equal(rig_drops(&rig, DROP_SOURCE), RTE_DIM(sources));
    assert_null(rig_sent(&rig, 0));
}

static void test_message_over_the_size_limit_is_told_so(void **state)
{
    static char text[20000], filler[17000];

    (void)state;
    memset(filler, 'z', sizeof(filler) - 1);
    size_t len = request(text, sizeof(text), "MESSAGE", "sip:bob@example.com", "huge", "", filler);
    receive_from_phone(text, len);
    assert_int_equal(answer(text, sizeof(text)), 513);
}

static void test_answer_that_outgrows_its_buffer_moves_to_a_large_one(void **state)
{
    static char text[4096], lines[4096];

    (void)state;
    register_bob();
    // The message fills its buffer to the last bytes, so that neither side has room for Via and Record-Route.
    size_t frame_room = RTE_MBUF_DEFAULT_BUF_SIZE - RTE_PKTMBUF_HEADROOM - 42;
    size_t bare = request(text, sizeof(text), "INVITE", "sip:bob@example.com", "full",
                          "Contact: <sip:alice@198.18.0.10>\r\nSubject: \r\n", "");
    memset(lines, 'q', sizeof(lines));
    int head = snprintf(lines, sizeof(lines), "Contact: <sip:alice@198.18.0.10>\r\nSubject: ");
    lines[head] = 'q';
    snprintf(lines + head + (frame_room - bare), 4, "\r\n");
    size_t len = request(text, sizeof(text), "INVITE", "sip:bob@example.com", "full", lines, "");
    assert_int_equal(len, frame_room);
    receive_from_phone(text, len);
    assert_int_equal(answer(text, sizeof(text)), 100);
    unsigned frames = 0;
    for (struct rte_mbuf *mbuf = rig_sent(&rig, 0); mbuf != NULL; mbuf = rig_sent(&rig, 0)) {
        rte_pktmbuf_free(mbuf);
        frames++;
    }
    assert_int_equal(frames, 2); // larger than one MTU, too
}

static void test_calls_are_spread_over_the_workers_whatever_queue_they_came_by(void **state)
{
    char text[2048], call_id[32];

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        snprintf(call_id, sizeof(call_id), "spread-%u", i);
        size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", call_id, "", "");
        receive_from_phone(text, len);
        assert_int_equal(answer(text, sizeof(text)), 200);
    }
    uint64_t served[2];
    for (unsigned id = 0; id < 2; id++)
        served[id] = rig.strowger.workers[id]->counters.requests[SIP_METHOD_OPTIONS];
    assert_int_equal(served[0] + served[1], 200);
    assert_true(served[0] > 50 && served[1] > 50);
    // One queue for two workers: the second got its messages, and sent its frames, by mailbox.
    assert_true(rig.strowger.workers[0]->counters.handed_over >= served[1]);
    assert_true(rig.strowger.workers[1]->counters.handed_over >= served[1]);
}

static void test_full_mailbox_is_a_counted_drop(void **state)
{
    char text[2048], call_id[32];
    struct endpoint phone = PHONE, server = SERVER;

    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        snprintf(call_id, sizeof(call_id), "flood-%u", i);
        size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", call_id, "", "");
        rig_receive(&rig, 0, 0, rig_frame(&rig, &phone, &server, text, len, 0));
    }
    // The second worker does not turn.
    for (unsigned i = 0; i < 20; i++)
        datapath_turn(rig.strowger.workers[0]);
    assert_true(rig_drops(&rig, DROP_MAILBOX_FULL) > 0);
    assert_int_equal(rte_ring_count(rig.strowger.workers[1]->mailbox), 63);
}

static void test_draining_counts_what_was_in_flight(void **state)
{
    char text[2048], call_id[32];
    struct endpoint phone = PHONE, server = SERVER;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        snprintf(call_id, sizeof(call_id), "drain-%u", i);
        size_t len = request(text, sizeof(text), "OPTIONS", "sip:198.18.0.1", call_id, "", "");
        rig_receive(&rig, 0, 0, rig_frame(&rig, &phone, &server, text, len, 0));
    }
    datapath_turn(rig.strowger.workers[0]);
    datapath_turn(rig.strowger.workers[0]);
    unsigned waiting = rte_ring_count(rig.strowger.workers[1]->mailbox);
    assert_true(waiting > 0);
    datapath_drain(rig.strowger.workers[1]);
    assert_int_equal(rig.strowger.workers[1]->counters.drops[DROP_STOPPING], waiting);
}

static void test_every_stage_is_timed(void **state)
{
    (void)state;
    register_bob();
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
        uint64_t messages = rig.strowger.workers[0]->counters.stage[stage].messages +
                            rig.strowger.workers[1]->counters.stage[stage].messages;
        if (messages == 0)
            fail_msg("stage %s saw nothing", stage_name(stage));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
        CASE(test_register_is_answered_from_the_listener_to_the_source),
        CASE(test_request_is_forwarded_to_the_binding_with_its_body_untouched),
        CASE(test_vlan_tag_is_kept_on_the_answer),
        CASE(test_ip6_request_is_answered_over_ip6),
        CASE(test_fragments_in_order_are_joined),
        CASE(test_fragments_in_reverse_order_are_joined),
        CASE(test_lost_fragment_leaves_nothing_behind),
        CASE(test_message_larger_than_the_mtu_leaves_in_fragments),
        CASE(test_message_in_segments_is_served_wherever_it_is_split),
        CASE(test_what_is_not_sip_goes_to_the_twin_untouched),
        CASE(test_without_a_twin_what_is_not_sip_is_dropped),
        CASE(test_full_punt_ring_is_a_counted_drop),
        CASE(test_unresolved_next_hop_goes_to_control_and_leaves_when_it_is_known),
        CASE(test_what_control_injects_leaves_as_it_is),
        CASE(test_lying_headers_are_counted_drops),
        CASE(test_source_that_is_no_host_is_never_answered),
        CASE(test_message_over_the_size_limit_is_told_so),
        CASE(test_answer_that_outgrows_its_buffer_moves_to_a_large_one),
        CASE(test_calls_are_spread_over_the_workers_whatever_queue_they_came_by),
        CASE(test_full_mailbox_is_a_counted_drop),
        CASE(test_draining_counts_what_was_in_flight),
        CASE(test_every_stage_is_timed),
    };

    rig_eal(2);
    return cmocka_run_group_tests_name("datapath", tests, NULL, NULL);
}
