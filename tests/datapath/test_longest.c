// Messages of our own that are longer than any that may come in: as long as a datagram can be.
#include "phones.h"

#include <rte_ip.h>
#include <string.h>

#include "datapath/datapath.h"
#include "datapath/stage.h"
#include "role/branch.h"

#define INI                                                                                           \
    "[presence]\nserve = yes\npresentities_max = 64\npublications_max = 64\nsubscriptions_max = 64\n" \
    "rules_max = 64\nmembers_max = 64\n" PHONES_INI "kept_max = 1024\n"                               \
    "[listener tcp]\naddress = 198.18.0.1:5060\ntransport = tcp\n"
#define LONG 65000

static char text[UINT16_MAX + 1];

static int begin(void **state)
{
    (void)state;
    phones_open(INI);
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 7 + i / 251);
    memcpy(text, "NOTIFY ", 7);
    return 0;
}

static int end(void **state)
{
    (void)state;
    phones_close();
    return 0;
}

static const struct outlet *outlet(void)
{
    return &rig.strowger.workers[0]->role->outlet;
}

static struct buffer *copy(uint32_t len)
{
    struct worker *worker = rig.strowger.workers[0];

    sip_edits_clear(&worker->role->spare);
    return outlet()->copy(outlet()->owner, slice_of(text, len), &worker->role->spare, NULL);
}

static void say(uint32_t len, const struct endpoint *to, uint8_t listener)
{
    struct buffer *buffer = copy(len);

    assert_non_null(buffer);
    outlet()->send(outlet()->owner, buffer, to, listener, 0);
    outlet()->release(outlet()->owner, buffer);
    rig_turn(&rig);
}

// What left as one datagram, put together again. Returns its fragments.
static unsigned joined(char *to, uint32_t *len)
{
    unsigned fragments = 0;

    *len = 0;
    for (struct rte_mbuf *mbuf = rig_sent(&rig, 0); mbuf != NULL; mbuf = rig_sent(&rig, 0)) {
        const struct rte_ipv4_hdr *ip =
            rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
        uint32_t at = (rte_be_to_cpu_16(ip->fragment_offset) & RTE_IPV4_HDR_OFFSET_MASK) * 8u;
        uint32_t bytes = rte_be_to_cpu_16(ip->total_length) - (uint32_t)sizeof(*ip);
        assert_true(mbuf->pkt_len - sizeof(struct rte_ether_hdr) <= 1500);
        assert_true(at + bytes <= UINT16_MAX);
        const char *part = rte_pktmbuf_read(mbuf, sizeof(struct rte_ether_hdr) + sizeof(*ip), bytes, to + at);
        if (part != to + at)
            memcpy(to + at, part, bytes);
        *len += bytes;
        fragments++;
        rte_pktmbuf_free(mbuf);
    }
    return fragments;
}

static void test_it_leaves_in_fragments(void **state)
{
    static const uint32_t lens[] = {20000, 24448, 24449, 50000, LONG};
    static char datagram[UINT16_MAX];
    struct endpoint to = CALLER;
    uint32_t len;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(lens); i++) {
        say(lens[i], &to, 0);
        assert_int_equal(joined(datagram, &len), (lens[i] + 8 + 1479) / 1480);
        assert_int_equal(len, lens[i] + 8);
        assert_memory_equal(datagram + 8, text, lens[i]);
    }
}

static void test_it_leaves_by_a_stream_in_one_piece(void **state)
{
    struct endpoint to = CALLER;
    struct rte_mbuf *mbuf = NULL;

    (void)state;
    to.transport = ENDPOINT_TCP;
    say(LONG, &to, 1);
    assert_int_equal(rte_ring_dequeue(rig.strowger.workers[0]->punt, (void **)&mbuf), 0);
    assert_int_equal(packet_of(mbuf)->errand, PACKET_STREAM);
    assert_int_equal(mbuf->nb_segs, 1);
    assert_int_equal(mbuf->pkt_len, LONG);
    assert_memory_equal(rte_pktmbuf_mtod(mbuf, char *), text, LONG);
    rte_pktmbuf_free(mbuf);
}

// A copy goes out while the one before is still on its way.
static void test_it_is_sent_again(void **state)
{
    static char datagram[UINT16_MAX];
    struct buffer *buffer = copy(LONG);
    struct endpoint to = CALLER;
    uint32_t len;

    (void)state;
    assert_non_null(buffer);
    for (unsigned i = 0; i < 3; i++) {
        outlet()->send(outlet()->owner, buffer, &to, 0, 0);
        rig_turn(&rig);
        assert_true(joined(datagram, &len) > 40);
        assert_memory_equal(datagram + 8, text, LONG);
    }
    outlet()->send(outlet()->owner, buffer, &to, 0, 0);
    outlet()->send(outlet()->owner, buffer, &to, 0, 0);
    outlet()->release(outlet()->owner, buffer);
    rig_turn(&rig);
    joined(datagram, &len);
    assert_int_equal(len, 2 * (LONG + 8));
}

// A subscription that heard nothing would end with Timer F.
static void test_a_notify_that_does_not_leave_is_told_of(void **state)
{
    static const char notify[] =
        "NOTIFY sip:a@198.18.0.10 SIP/2.0\r\nVia: SIP/2.0/TCP 198.18.0.1:5060;branch=";
    static const uint32_t slots[] = {ROLE_BRANCH_NOTIFY | 7, ROLE_BRANCH_STATELESS};
    struct worker *worker = rig.strowger.workers[0];
    struct endpoint to = CALLER;

    (void)state;
    to.transport = ENDPOINT_TCP;
    while (rte_ring_full(worker->punt) == 0)
        assert_int_equal(rte_ring_enqueue(worker->punt, worker), 0);
    for (unsigned i = 0; i < RTE_DIM(slots); i++) {
        const struct role_branch branch = {.transaction = 1, .slot = slots[i]};
        memcpy(text, notify, sizeof(notify) - 1);
        role_branch_write(&branch, text + sizeof(notify) - 1);
        struct buffer *buffer = copy(LONG);
        outlet()->send(outlet()->owner, buffer, &to, 1, 0);
        outlet()->release(outlet()->owner, buffer);
        datapath_outlet_flush(worker);
        assert_int_equal(rte_ring_count(worker->mailbox), i == 0);
        rte_ring_reset(worker->punt);
        rig_turn(&rig); // nobody has such a subscription
        while (rte_ring_full(worker->punt) == 0)
            assert_int_equal(rte_ring_enqueue(worker->punt, worker), 0);
    }
    rte_ring_reset(worker->punt);
    assert_int_equal(rig_drops(&rig, DROP_STREAM_FULL), 2);
}

static void test_there_are_only_so_many(void **state)
{
    struct buffer *held[256];
    unsigned n = 0;

    (void)state;
    assert_null(copy(UINT16_MAX));
    uint64_t refused = rig.strowger.workers[0]->counters.kept_refused;
    while ((held[n] = copy(LONG)) != NULL)
        assert_true(++n < RTE_DIM(held));
    assert_true(n > 8);
    assert_int_equal(rig.strowger.workers[0]->counters.kept_refused, refused + 1);
    struct buffer *ordinary = copy(1000); // has room as ever
    assert_non_null(ordinary);
    outlet()->release(outlet()->owner, ordinary);
    while (n > 0)
        outlet()->release(outlet()->owner, held[--n]);
    struct buffer *again = copy(LONG);
    assert_non_null(again);
    outlet()->release(outlet()->owner, again);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(test_it_leaves_in_fragments), CASE(test_it_leaves_by_a_stream_in_one_piece),
        CASE(test_it_is_sent_again),       CASE(test_a_notify_that_does_not_leave_is_told_of),
        CASE(test_there_are_only_so_many),
    };

    rig_eal(2);
    return cmocka_run_group_tests_name("datapath longest", tests, NULL, NULL);
}
