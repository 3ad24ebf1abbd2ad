// Calls through the packet path: what the roles keep in mbufs, and what they send of it.
#include "phones.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <stdio.h>
#include <string.h>

#include "datapath/datapath.h"
#include "name/name.h"
#include "worker/parked.h"

#define TICK TRANSACTION_TICK_MS // by which a timer may be late

#define BODY "v=0\r\no=- 1 1 IN IP4 198.18.0.10\r\n"

static int open_phones(void **state)
{
    (void)state;
    phones_open(PHONES_INI "kept_max = 1024\n");
    return 0;
}

static int close_phones(void **state)
{
    (void)state;
    return rig_stop(&rig) ? 0 : -1;
}

static uint64_t sum(size_t offset)
{
    uint64_t all = 0;

    for (unsigned id = 0; id < rig.strowger.workers_n; id++)
        all += *(const uint64_t *)((const char *)&rig.strowger.workers[id]->counters + offset);
    return all;
}

#define SUM(counter) sum(offsetof(struct counters, counter))

static uint64_t kept_large(void)
{
    return rig.strowger.workers[0]->kept_large + rig.strowger.workers[1]->kept_large;
}

// INVITE, as far as the first gateway; its text stands in phones_text.
static void ring_first(const char *call_id)
{
    struct endpoint caller = CALLER, first = FIRST;

    phones_call("INVITE", "+4930", call_id, "", BODY);
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&first, "INVITE sip:+4930@");
}

static void test_call_leaves_nothing_kept_when_its_timers_have_ended(void **state)
{
    struct endpoint caller = CALLER, first = FIRST;
    char invite[PHONES_TEXT];

    (void)state;
    ring_first("whole-call");
    memcpy(invite, phones_text, sizeof(invite));
    phones_answer(&first, "180 Ringing");
    phones_expect(&caller, "SIP/2.0 180 Ringing");
    memcpy(phones_text, invite, sizeof(invite));
    phones_answer(&first, "200 OK");
    phones_expect(&caller, "SIP/2.0 200 OK");
    assert_non_null(strstr(phones_text, ";tag=answer"));
    assert_null(strstr(phones_text, "stg.")); // our Via has gone
    assert_int_equal(rig_transactions(&rig), 1);
    for (unsigned i = 0; i < 200; i++)
        rig_pass(&rig, 1000);
    assert_int_equal(rig_kept(&rig), 0);
    assert_int_equal(rig_transactions(&rig), 0);
    phones_expect_nothing();
}

static void test_kept_request_is_sent_again_from_its_own_buffer(void **state)
{
    char once[PHONES_TEXT];
    struct rte_mbuf *mbufs[3];
    struct endpoint first = FIRST;

    (void)state;
    ring_first("again");
    memcpy(once, phones_text, sizeof(once));
    for (unsigned i = 0; i < RTE_DIM(mbufs); i++) {
        rig_pass(&rig, (500u << i) + TICK); // timer A doubles
        mbufs[i] = rig_sent(&rig, 0);
        assert_non_null(mbufs[i]);
        assert_null(rig_sent(&rig, 0));
        assert_int_equal(rte_mbuf_refcnt_read(mbufs[i]), 2); // the transaction's and the sending's
        rte_pktmbuf_free(mbufs[i]);
    }
    assert_ptr_equal(mbufs[0], mbufs[1]);
    assert_ptr_equal(mbufs[1], mbufs[2]);
    assert_int_equal(SUM(sent_copies), 0);
    assert_int_equal(SUM(sent_requests), 3);
    rig_pass(&rig, 4000 + TICK);
    phones_expect(&first, "INVITE");
    assert_string_equal(phones_text, once);
}

// A driver that frees late still holds the first sending when it is time for the next.
static void test_buffer_that_is_under_way_is_never_written(void **state)
{
    struct endpoint caller = CALLER, first = FIRST, source, destination;
    char once[PHONES_TEXT], again[PHONES_TEXT];
    uint8_t before[2048];

    (void)state;
    phones_call("INVITE", "+4930", "late", "", BODY);
    phones_expect(&caller, "SIP/2.0 100 ");
    struct rte_mbuf *held = rig_sent(&rig, 0);
    assert_non_null(held);
    memcpy(before, held->buf_addr, sizeof(before));
    rig_pass(&rig, 500 + TICK);
    assert_int_equal(SUM(sent_copies), 1);
    assert_memory_equal(before, held->buf_addr, sizeof(before));
    struct rte_mbuf *other = rig_sent(&rig, 0);
    assert_ptr_not_equal(other, held);
    assert_int_equal(rte_mbuf_refcnt_read(other), 1);
    assert_int_equal(other->data_len, held->data_len);
    assert_memory_equal(rte_pktmbuf_mtod(other, void *), rte_pktmbuf_mtod(held, void *), held->data_len);
    rte_pktmbuf_free(other);
    rte_pktmbuf_free(held);
    rig_pass(&rig, 1000 + TICK);
    assert_int_equal(SUM(sent_copies), 1);
    assert_true(rig_sent_datagram(&rig, 0, &source, &destination, once, sizeof(once)));
    assert_true(endpoint_equal(&destination, &first));
    rig_pass(&rig, 2000 + TICK);
    assert_true(rig_sent_datagram(&rig, 0, &source, &destination, again, sizeof(again)));
    assert_string_equal(once, again);
}

static void test_callers_repetition_gets_the_last_response_again(void **state)
{
    struct endpoint caller = CALLER, first = FIRST;
    char ringing[PHONES_TEXT], invite[PHONES_TEXT];

    (void)state;
    ring_first("repeat");
    memcpy(invite, phones_text, sizeof(invite));
    phones_call("INVITE", "+4930", "repeat", "", BODY);
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect_nothing();
    memcpy(phones_text, invite, sizeof(invite));
    phones_answer(&first, "180 Ringing");
    phones_expect(&caller, "SIP/2.0 180 ");
    memcpy(ringing, phones_text, sizeof(ringing));
    for (unsigned i = 0; i < 3; i++) {
        phones_call("INVITE", "+4930", "repeat", "", BODY);
        phones_expect(&caller, "SIP/2.0 180 ");
        assert_string_equal(phones_text, ringing);
        phones_expect_nothing();
    }
    assert_int_equal(SUM(sent_responses[1]), 1 + 1 + 3); // 100 twice
}

static void test_negative_answer_is_acknowledged_and_repeated_until_it_is(void **state)
{
    struct endpoint caller = CALLER, first = FIRST;
    char busy[PHONES_TEXT];

    (void)state;
    ring_first("busy");
    phones_answer(&first, "486 Busy Here");
    phones_expect(&first, "ACK sip:+4930@");
    phones_expect(&caller, "SIP/2.0 486 ");
    memcpy(busy, phones_text, sizeof(busy));
    rig_pass(&rig, 500 + TICK);
    phones_expect(&caller, "SIP/2.0 486 "); // timer G
    assert_string_equal(phones_text, busy);
    phones_call("ACK", "+4930", "busy", "", "");
    phones_expect_nothing();
    for (unsigned i = 0; i < 100; i++)
        rig_pass(&rig, 1000);
    phones_expect_nothing();
    assert_int_equal(rig_kept(&rig), 0);
}

static unsigned take_frames(void)
{
    unsigned frames = 0;

    for (struct rte_mbuf *mbuf = rig_sent(&rig, 0); mbuf != NULL; mbuf = rig_sent(&rig, 0), frames++)
        rte_pktmbuf_free(mbuf);
    return frames;
}

// Fragments refer to the kept buffer; one of them on its way is enough to leave it alone.
static void test_large_request_is_sent_again_in_fragments(void **state)
{
    static char body[5000];
    struct endpoint caller = CALLER;

    (void)state;
    memset(body, 'b', sizeof(body) - 1);
    phones_call("INVITE", "+4930", "large", "", body);
    phones_expect(&caller, "SIP/2.0 100 ");
    assert_int_equal(kept_large(), 2); // as it came, and as it went
    struct rte_mbuf *held = rig_sent(&rig, 0);
    assert_non_null(held);
    assert_int_equal(take_frames(), 3);
    rig_pass(&rig, 500 + TICK);
    assert_int_equal(take_frames(), 4);
    assert_int_equal(SUM(sent_copies), 1);
    rte_pktmbuf_free(held);
    rig_pass(&rig, 1000 + TICK);
    assert_int_equal(take_frames(), 4);
    assert_int_equal(SUM(sent_copies), 1);
    assert_int_equal(SUM(fragmented), 3);
}

// A large buffer that held a message in segments goes back at once when the message fits an ordinary one.
static void test_joined_request_is_kept_in_an_ordinary_buffer(void **state)
{
    struct endpoint caller = CALLER, first = FIRST, server = SERVER;
    char text[2048];

    (void)state;
    int len = snprintf(
        text, sizeof(text),
        "INVITE sip:+4930@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.0.10:5060;branch=z9hG4bKseg\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=1\r\nTo: <sip:+4930@example.com>\r\n"
        "Call-ID: seg\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@198.18.0.10>\r\nContent-Length: 0\r\n\r\n");
    struct rte_mbuf *head = rig_frame(&rig, &caller, &server, text, (size_t)len, 0);
    struct rte_mbuf *tail = rte_pktmbuf_alloc(rig.strowger.workers[0]->pool);
    uint16_t rest = (uint16_t)(head->data_len - 100);
    memcpy(rte_pktmbuf_append(tail, rest), rte_pktmbuf_mtod_offset(head, char *, 100), rest);
    rte_pktmbuf_trim(head, rest);
    assert_int_equal(rte_pktmbuf_chain(head, tail), 0);
    rig_receive(&rig, 0, 0, head);
    rig_turn(&rig);
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&first, "INVITE");
    assert_int_equal(SUM(linearised), 1);
    assert_int_equal(kept_large(), 0);
    rig_pass(&rig, 500 + TICK);
    phones_expect(&first, "INVITE");
}

static void test_calls_beyond_what_may_be_kept_are_told_to_come_later(void **state)
{
    unsigned trying = 0, refused = 0, forwarded = 0;
    struct endpoint source, destination;
    char call_id[32];

    (void)state;
    rig_stop(&rig);
    phones_open(PHONES_INI "kept_max = 64\n");
    for (unsigned i = 0; i < 100; i++) {
        snprintf(call_id, sizeof(call_id), "many-%u", i);
        phones_call("INVITE", "+4930", call_id, "", BODY);
        while (rig_sent_datagram(&rig, 0, &source, &destination, phones_text, sizeof(phones_text))) {
            trying += strncmp(phones_text, "SIP/2.0 100 ", 12) == 0;
            forwarded += strncmp(phones_text, "INVITE", 6) == 0;
            if (strncmp(phones_text, "SIP/2.0 503 ", 12) == 0) {
                assert_non_null(strstr(phones_text, "Retry-After: "));
                refused++;
            }
        }
    }
    assert_int_equal(trying, forwarded);
    assert_int_equal(refused + forwarded, 100);
    assert_true(refused > 0 && forwarded > 10);
    assert_true(rig_kept(&rig) <= 64);
}

// Control's part: takes what a worker gave it.
static struct rte_mbuf *punted(enum packet_errand errand, struct worker **by)
{
    for (unsigned id = 0; id < rig.strowger.workers_n; id++) {
        struct rte_mbuf *mbuf;
        *by = rig.strowger.workers[id];
        if (rte_ring_dequeue((*by)->punt, (void **)&mbuf) != 0)
            continue;
        assert_int_equal(packet_of(mbuf)->errand, errand);
        return mbuf;
    }
    return NULL;
}

static void learn(const struct parked *parked)
{
    struct name_question question = {
        .name = parked->name, .port = parked->port, .kind = parked->kind, .transport = parked->transport};
    struct name_answer *answer = calloc(1, sizeof(*answer) + sizeof(answer->hops[0]));
    struct endpoint hop = endpoint_ip4(198, 18, 0, 22, 5080);

    assert_non_null(answer);
    answer->expires_ms = rig.strowger.workers[0]->now.ms + 60000;
    answer->hops_n = 1;
    answer->hops[0] = (struct name_hop){.endpoint = hop};
    assert_int_equal(name_put(rig.strowger.names, &question, answer, rig.strowger.workers[0]->now.ms), 0);
    free(answer);
}

static void resume(struct worker *worker, struct rte_mbuf *mbuf)
{
    packet_of(mbuf)->errand = PACKET_SERVE;
    assert_int_equal(rte_ring_enqueue(worker->inject, mbuf), 0);
    rig_turn(&rig);
}

static struct rte_mbuf *park(const char *call_id, struct worker **worker)
{
    struct endpoint caller = CALLER;
    struct parked parked;

    phones_call("INVITE", "named", call_id, "", BODY);
    phones_expect(&caller, "SIP/2.0 100 "); // so that he does not repeat it meanwhile
    phones_expect_nothing();
    struct rte_mbuf *mbuf = punted(PACKET_RESOLVE, worker);
    assert_non_null(mbuf);
    packet_park_read(mbuf, &parked);
    assert_true(slice_equal(parked.name, SLICE("gw.example.net")));
    assert_int_equal(parked.port, 5080);
    return mbuf;
}

static void test_message_waits_for_a_name_and_goes_on_when_it_is_known(void **state)
{
    struct endpoint caller = CALLER, hop = endpoint_ip4(198, 18, 0, 22, 5080);
    struct worker *worker;
    struct parked parked;

    (void)state;
    struct rte_mbuf *mbuf = park("parked", &worker);
    assert_int_equal(SUM(parked), 1);
    assert_int_equal(SUM(requests[SIP_METHOD_INVITE]), 0); // counted once it is served
    packet_park_read(mbuf, &parked);
    learn(&parked);
    resume(worker, mbuf);
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&hop, "INVITE sip:named@");
    assert_non_null(strstr(phones_text, BODY));
    assert_int_equal(SUM(requests[SIP_METHOD_INVITE]), 1);
    rig_pass(&rig, 500 + TICK);
    phones_expect(&hop, "INVITE");
}

// Its caller was told to be patient, so he is told of the end, too.
static void test_message_that_is_never_helped_is_answered(void **state)
{
    struct endpoint caller = CALLER;
    struct worker *worker;

    (void)state;
    struct rte_mbuf *mbuf = park("helpless", &worker);
    for (unsigned times = 1; times < PARKED_TIMES_MAX; times++) {
        resume(worker, mbuf);
        phones_expect(&caller, "SIP/2.0 100 ");
        assert_ptr_equal(punted(PACKET_RESOLVE, &worker), mbuf);
    }
    resume(worker, mbuf);
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&caller, "SIP/2.0 503 ");
    assert_null(punted(PACKET_RESOLVE, &worker));
    assert_int_equal(SUM(nameless), 1);
}

// Nor is a name asked for where control says that there is no place to wait at.
static void test_message_that_may_not_wait_is_answered(void **state)
{
    struct endpoint caller = CALLER;
    struct worker *worker;

    (void)state;
    struct rte_mbuf *mbuf = park("no-place", &worker);
    packet_of(mbuf)->arrival.nameless = true;
    resume(worker, mbuf);
    phones_expect(&caller, "SIP/2.0 503 ");
    phones_expect_nothing();
    assert_null(punted(PACKET_RESOLVE, &worker));
}

static void test_what_does_not_fit_the_ring_to_control_is_answered(void **state)
{
    struct endpoint source, destination;
    char call_id[32];
    unsigned refused = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        snprintf(call_id, sizeof(call_id), "flood-%u", i);
        phones_call("INVITE", "named", call_id, "", BODY);
    }
    while (rig_sent_datagram(&rig, 0, &source, &destination, phones_text, sizeof(phones_text)))
        refused += strncmp(phones_text, "SIP/2.0 503 ", 12) == 0;
    assert_int_equal(refused, 200 - 2 * 63);
    assert_int_equal(SUM(nameless), refused);
    assert_int_equal(rig_kept(&rig), 0);
}

// The frame that `sent` left in, as a host quotes it that has nobody on its port.
static struct rte_mbuf *unreachable(const struct rte_mbuf *sent)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_copy(sent, rig.strowger.workers[0]->pool, 0, UINT32_MAX);
    const size_t room = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + 8;

    assert_non_null(mbuf);
    rte_pktmbuf_adj(mbuf, sizeof(struct rte_ether_hdr));
    uint8_t *at = (uint8_t *)rte_pktmbuf_prepend(mbuf, (uint16_t)room);
    if (at == NULL) {
        fail_msg("no headroom for the error");
        return mbuf;
    }
    memset(at, 0, room);
    memset(at, 2, 12);
    at[12] = 8;
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(at + sizeof(struct rte_ether_hdr));
    const struct rte_ipv4_hdr *quoted = (const struct rte_ipv4_hdr *)(at + room);
    uint8_t *icmp = (uint8_t *)(ip + 1);
    ip->version_ihl = 0x45;
    ip->total_length = rte_cpu_to_be_16((uint16_t)(mbuf->data_len - sizeof(struct rte_ether_hdr)));
    ip->time_to_live = 64;
    ip->next_proto_id = 1;
    ip->src_addr = quoted->dst_addr;
    ip->dst_addr = quoted->src_addr;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    icmp[0] = icmp[1] = 3;
    uint16_t check =
        (uint16_t)~rte_raw_cksum(icmp, (size_t)(mbuf->data_len - sizeof(struct rte_ether_hdr) - 20));
    memcpy(icmp + 2, &check, 2);
    mbuf->ol_flags = 0;
    return mbuf;
}

// Worker 0 alone receives: every second call or so is another worker's.
static void test_unreachable_gateway_is_left_for_the_next_at_once(void **state)
{
    struct endpoint caller = CALLER, second = SECOND;
    uint64_t served[2];
    char call_id[32];
    struct worker *by;

    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        snprintf(call_id, sizeof(call_id), "unreachable-%u", i);
        phones_call("INVITE", "+4930", call_id, "", BODY);
        phones_expect(&caller, "SIP/2.0 100 ");
        struct rte_mbuf *sent = rig_sent(&rig, 0);
        assert_non_null(sent);
        // The first gateway fails so often that it counts as down.
        const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(sent, const struct rte_ipv4_hdr *, 14);
        bool to_first = (rte_be_to_cpu_32(ip->dst_addr) & 0xff) == 21;
        struct rte_mbuf *error = unreachable(sent);
        rte_pktmbuf_free(sent);
        if (!to_first) {
            rte_pktmbuf_free(error);
            continue;
        }
        rig_receive(&rig, 0, 0, error);
        rig_turn(&rig);
        phones_expect(&second, "INVITE sip:+4930@");
        phones_expect_nothing();
        struct rte_mbuf *kernels = punted(PACKET_FRAME, &by); // which hears of it, too
        assert_ptr_equal(kernels, error);
        rte_pktmbuf_free(kernels);
    }
    for (unsigned id = 0; id < 2; id++)
        served[id] = rig.strowger.workers[id]->counters.unreachable;
    assert_true(served[0] > 0);
    assert_true(served[1] > 0);
}

static void test_made_up_errors_change_nothing(void **state)
{
    struct endpoint caller = CALLER;
    struct worker *by;

    (void)state;
    phones_call("INVITE", "+4930", "forged", "", BODY);
    phones_expect(&caller, "SIP/2.0 100 ");
    struct rte_mbuf *sent = rig_sent(&rig, 0);
    assert_non_null(sent);
    const char *text = rte_pktmbuf_mtod_offset(sent, const char *, 42);
    size_t branch = (size_t)(strstr(text, "stg.") + 4 - text);
    // Behind worker and listener stand slot, branch number and check: whoever guesses must guess all of it.
    for (unsigned digit = 4 + 2; digit < 4 + 2 + 8 + 16; digit++) {
        struct rte_mbuf *error = unreachable(sent);
        char *at = rte_pktmbuf_mtod_offset(error, char *, 14 + 20 + 8 + 28 + branch + digit);
        *at = *at == '0' ? '1' : '0';
        // Over all, not only over what is quoted: a change needs a right sum.
        uint8_t *icmp = rte_pktmbuf_mtod_offset(error, uint8_t *, 34);
        memset(icmp + 2, 0, 2);
        uint16_t check = (uint16_t)~rte_raw_cksum(icmp, (size_t)(error->data_len - 34));
        memcpy(icmp + 2, &check, 2);
        rig_receive(&rig, 0, 0, error);
        rig_turn(&rig);
        struct rte_mbuf *kernels = punted(PACKET_FRAME, &by);
        assert_int_equal(SUM(unreachable), 0);
        assert_ptr_equal(kernels, error);
        rte_pktmbuf_free(kernels);
    }
    rte_pktmbuf_free(sent);
}

static void forbid(const struct endpoint *prefix, uint8_t depth)
{
    struct net_route route = {.kind = NET_HOP_UNREACHABLE, .prefix = *prefix, .depth = depth, .mtu = 1500};

    route.prefix.port = 0;
    assert_int_equal(net_hops_route_put(rig.strowger.hops, &route), 0);
}

static void test_gateway_without_a_route_is_left_for_the_next(void **state)
{
    struct endpoint caller = CALLER, first = FIRST, second = SECOND;

    (void)state;
    forbid(&first, 32);
    phones_call("INVITE", "+4930", "no-route", "", BODY);
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect(&second, "INVITE sip:+4930@");
    assert_int_equal(rig_drops(&rig, DROP_NO_ROUTE), 1);
    assert_int_equal(SUM(unreachable), 1);
}

// Control gives back what it found no MAC for.
static void test_gateway_that_does_not_resolve_is_left_for_the_next(void **state)
{
    struct endpoint caller = CALLER, first = FIRST, second = SECOND;
    struct worker *worker;

    (void)state;
    first.port = 0;
    assert_int_equal(net_hops_neighbour_remove(rig.strowger.hops, &first), 0);
    phones_call("INVITE", "+4930", "no-mac", "", BODY);
    phones_expect(&caller, "SIP/2.0 100 ");
    phones_expect_nothing();
    struct rte_mbuf *mbuf = punted(PACKET_DATAGRAM, &worker);
    assert_non_null(mbuf);
    assert_int_equal(packet_of(mbuf)->arrival.worker, worker->id);
    assert_int_equal(rte_mbuf_refcnt_read(mbuf), 2);
    packet_of(mbuf)->errand = PACKET_UNSENT;
    assert_int_equal(rte_ring_enqueue(worker->inject, mbuf), 0);
    rig_turn(&rig);
    phones_expect(&second, "INVITE sip:+4930@");
}

// What is alive when the server stops is given back (the teardown finds every buffer).
static void test_stopping_gives_back_what_calls_keep(void **state)
{
    char call_id[32];

    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        snprintf(call_id, sizeof(call_id), "alive-%u", i);
        phones_call("INVITE", "+4930", call_id, "", BODY);
    }
    assert_int_equal(rig_transactions(&rig), 50);
    assert_true(rig_kept(&rig) >= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_phones, close_phones)
        CASE(test_call_leaves_nothing_kept_when_its_timers_have_ended),
        CASE(test_kept_request_is_sent_again_from_its_own_buffer),
        CASE(test_buffer_that_is_under_way_is_never_written),
        CASE(test_callers_repetition_gets_the_last_response_again),
        CASE(test_negative_answer_is_acknowledged_and_repeated_until_it_is),
        CASE(test_large_request_is_sent_again_in_fragments),
        CASE(test_joined_request_is_kept_in_an_ordinary_buffer),
        CASE(test_calls_beyond_what_may_be_kept_are_told_to_come_later),
        CASE(test_message_waits_for_a_name_and_goes_on_when_it_is_known),
        CASE(test_message_that_is_never_helped_is_answered),
        CASE(test_message_that_may_not_wait_is_answered),
        CASE(test_what_does_not_fit_the_ring_to_control_is_answered),
        CASE(test_unreachable_gateway_is_left_for_the_next_at_once),
        CASE(test_made_up_errors_change_nothing),
        CASE(test_gateway_without_a_route_is_left_for_the_next),
        CASE(test_gateway_that_does_not_resolve_is_left_for_the_next),
        CASE(test_stopping_gives_back_what_calls_keep),
    };

    rig_eal(2);
    return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
