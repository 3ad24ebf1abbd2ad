// ICMP errors about datagrams that left here: what is taken from them, and from those that lie.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <rte_ether.h>

#include "bench.h"
#include "net/icmp.h"

#define PAYLOAD 300 // bytes of the datagram that did not arrive

static struct rte_mempool *pool;
static uint64_t random_state = 5;

static uint32_t draw(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

struct recipe {
    uint8_t family;
    uint8_t type, code;
    uint16_t tag;    // 0: none
    uint16_t quoted; // bytes of the datagram's IP packet that are quoted; 0: all
    uint8_t length;  // RFC 4884's field
    uint8_t options; // bytes of options of the quoted IPv4 header
};

// An error in one frame, and where its parts lie.
struct error_frame {
    uint8_t at[1500];
    uint32_t len, ip, icmp, quoted;
    uint8_t family;
};

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t pseudo_sum(const struct error_frame *frame)
{
    uint32_t len = frame->len - frame->icmp, sum = len + 58;

    if (frame->family == 4)
        return 0;
    for (uint32_t i = 0; i < 32; i += 2)
        sum += (uint32_t)frame->at[frame->ip + 8 + i] << 8 | frame->at[frame->ip + 9 + i];
    return sum;
}

static void fix(struct error_frame *frame)
{
    put16(frame->at + frame->icmp + 2, 0);
    put16(frame->at + frame->icmp + 2,
          bench_checksum(frame->at + frame->icmp, frame->len - frame->icmp, pseudo_sum(frame)));
}

// From the datagram's destination to its source, as a host tells that nobody listens there.
static void make(struct error_frame *frame, const struct recipe *recipe)
{
    static struct bench_frame datagram;
    struct bench_recipe inner = {
        .family = recipe->family, .options = recipe->options, .payload_len = PAYLOAD};
    bool ip6 = recipe->family == 6;

    bench_frame_make(&datagram, &inner);
    uint32_t whole = datagram.len - datagram.ip;
    uint32_t quoted = recipe->quoted == 0 ? whole : recipe->quoted;
    memset(frame, 0, sizeof(*frame));
    frame->family = recipe->family;
    frame->ip = recipe->tag != 0 ? 18 : 14;
    frame->icmp = frame->ip + (ip6 ? 40 : 20);
    frame->quoted = frame->icmp + 8;
    frame->len = frame->quoted + quoted;
    if (recipe->tag != 0) {
        put16(frame->at + 12, RTE_ETHER_TYPE_VLAN);
        put16(frame->at + 14, recipe->tag);
    }
    put16(frame->at + frame->ip - 2, ip6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
    uint8_t *ip = frame->at + frame->ip;
    const uint8_t *inner_ip = datagram.at + datagram.ip;
    if (ip6) {
        ip[0] = 0x60;
        put16(ip + 4, 8 + quoted);
        ip[6] = 58;
        memcpy(ip + 8, inner_ip + 24, 16);
        memcpy(ip + 24, inner_ip + 8, 16);
    } else {
        ip[0] = 0x45;
        put16(ip + 2, 28 + quoted);
        ip[9] = 1;
        memcpy(ip + 12, inner_ip + 16, 4);
        memcpy(ip + 16, inner_ip + 12, 4);
        put16(ip + 10, bench_checksum(ip, 20, 0));
    }
    uint8_t *icmp = frame->at + frame->icmp;
    icmp[0] = recipe->type;
    icmp[1] = recipe->code;
    icmp[ip6 ? 4 : 5] = recipe->length;
    memcpy(frame->at + frame->quoted, inner_ip, quoted);
    fix(frame);
}

// Reads the first `len` bytes of the frame, whose last is the last that may be read.
static bool read_error(const struct error_frame *frame, uint32_t len, struct net_icmp_quote *quote)
{
    struct rte_mbuf *mbuf = bench_mbuf_exact(pool, frame->at, len);
    struct net_frame decapped;
    bool is_error = net_decap(mbuf, &decapped) == NET_OK && net_icmp_error(mbuf, &decapped, quote);

    // Whatever it says, it says it of bytes that are there.
    if (is_error)
        assert_true((uint32_t)quote->payload + quote->payload_len <= mbuf->data_len);
    rte_pktmbuf_free(mbuf);
    return is_error;
}

static void test_error_quotes_the_datagram_that_did_not_arrive(void **state)
{
    static const struct recipe recipes[] = {
        {.family = 4, .type = 3, .code = 3},
        {.family = 4, .type = 3, .code = 1, .tag = 100},
        {.family = 4, .type = 12},
        {.family = 6, .type = 1, .code = 4},
        {.family = 6, .type = 4, .tag = 7},
        {.family = 4, .type = 3, .options = 12},
        {.family = 4, .type = 3, .code = 13},
        {.family = 6, .type = 1, .code = 0},
    };

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(recipes); i++) {
        struct endpoint source = bench_source(recipes[i].family);
        struct endpoint destination = bench_destination(recipes[i].family);
        struct error_frame frame;
        struct net_icmp_quote quote;
        make(&frame, &recipes[i]);
        assert_true(read_error(&frame, frame.len, &quote));
        assert_true(endpoint_equal(&quote.source, &source));
        assert_true(endpoint_equal(&quote.destination, &destination));
        assert_int_equal(quote.payload_len, PAYLOAD);
        assert_int_equal(quote.payload + PAYLOAD, frame.len);
        assert_int_equal(frame.at[quote.payload + 5], 5); // the recipe's bytes count up
    }
}

static void test_what_is_no_such_error_is_left_alone(void **state)
{
    static const struct recipe recipes[] = {
        {.family = 4, .type = 3, .code = 4}, // fragmentation needed
        {.family = 4, .type = 11},           // time exceeded: ignored (RFC 3261 18.4)
        {.family = 4, .type = 4},            // source quench: the same
        {.family = 4, .type = 8},
        {.family = 4, .type = 0},
        {.family = 6, .type = 2}, // packet too big
        {.family = 6, .type = 3},
        {.family = 6, .type = 128},
        {.family = 6, .type = 135},
    };
    struct net_icmp_quote quote;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(recipes); i++) {
        struct error_frame frame;
        make(&frame, &recipes[i]);
        if (read_error(&frame, frame.len, &quote))
            fail_msg("IPv%u type %u code %u was taken", recipes[i].family, recipes[i].type, recipes[i].code);
    }
}

static void test_quote_counts_as_far_as_it_goes(void **state)
{
    struct error_frame frame;
    struct net_icmp_quote quote;

    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        uint16_t headers = family == 4 ? 28 : 48;
        for (uint16_t quoted = 1; quoted < headers + PAYLOAD; quoted++) {
            make(&frame,
                 &(struct recipe){.family = (uint8_t)family, .type = family == 4 ? 3 : 1, .quoted = quoted});
            bool is_error = read_error(&frame, frame.len, &quote);
            assert_int_equal(is_error, quoted >= headers);
            if (is_error)
                assert_int_equal(quote.payload_len, quoted - headers);
        }
    }
}

// RFC 4884: what is quoted ends where the extensions begin.
static void test_extensions_are_no_part_of_the_quote(void **state)
{
    struct error_frame frame;
    struct net_icmp_quote quote;

    (void)state;
    make(&frame, &(struct recipe){.family = 4, .type = 3, .length = 128 / 4});
    assert_true(read_error(&frame, frame.len, &quote));
    assert_int_equal(quote.payload_len, 128 - 28);
    make(&frame, &(struct recipe){.family = 6, .type = 1, .length = 128 / 8});
    assert_true(read_error(&frame, frame.len, &quote));
    assert_int_equal(quote.payload_len, 128 - 48);
}

// One byte, or two, of an error changed, and the checksum made right again where that is said.
static void test_lying_errors_are_refused(void **state)
{
    static const struct {
        const char *name;
        uint8_t family;
        char base; // 'o'uter IP, 'i'cmp, 'q'uoted IP
        uint8_t at, value;
        bool unfixed;
    } cases[] = {
        {"checksum", 4, 'i', 7, 9, true},
        {"checksum, IPv6", 6, 'i', 7, 9, true},
        {"quoted version", 4, 'q', 0, 0x65, false},
        {"quoted header length 16", 4, 'q', 0, 0x44, false},
        {"quoted total length 0", 4, 'q', 3, 0, false},
        {"quoted protocol TCP", 4, 'q', 9, 6, false},
        {"quoted later fragment", 4, 'q', 7, 3, false},
        {"quoted UDP length 7", 4, 'q', 25, 7, false},
        {"quoted version, IPv6", 6, 'q', 0, 0x45, false},
        {"quoted protocol TCP, IPv6", 6, 'q', 6, 6, false},
        {"quoted hop-by-hop", 6, 'q', 6, 0, false},
        {"quoted UDP length 0, IPv6", 6, 'q', 45, 0, false},
    };
    struct error_frame frame;
    struct net_icmp_quote quote;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        make(&frame, &(struct recipe){.family = cases[i].family, .type = cases[i].family == 4 ? 3 : 1});
        uint32_t base = cases[i].base == 'o' ? frame.ip : cases[i].base == 'i' ? frame.icmp : frame.quoted;
        frame.at[base + cases[i].at] = cases[i].value;
        if (cases[i].at == 3 || cases[i].at == 25 || cases[i].at == 45) // the other byte of a length
            frame.at[base + cases[i].at - 1] = 0;
        if (!cases[i].unfixed)
            fix(&frame);
        if (read_error(&frame, frame.len, &quote))
            fail_msg("%s was taken", cases[i].name);
    }
}

// The datagram's first fragment says as much as the whole.
static void test_quoted_first_fragments_are_read(void **state)
{
    struct error_frame frame;
    struct net_icmp_quote quote;

    (void)state;
    make(&frame, &(struct recipe){.family = 4, .type = 3});
    frame.at[frame.quoted + 6] = 0x20; // more fragments
    fix(&frame);
    assert_true(read_error(&frame, frame.len, &quote));
    assert_int_equal(quote.payload_len, PAYLOAD);
}

// Bytes at random, lengths above all, with checksums that are right again: nothing behind the frame is ever read, and
// nothing behind it is ever said to be there (read_error looks).
static void test_errors_broken_at_random_read_nothing_behind_the_frame(void **state)
{
    unsigned taken = 0;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        bool ip6 = draw(2) == 1;
        struct error_frame frame;
        struct net_icmp_quote quote;
        make(&frame, &(struct recipe){.family = ip6 ? 6 : 4,
                                      .type = ip6 ? 1 : 3,
                                      .quoted = (uint16_t)(20 + draw(200)),
                                      .length = (uint8_t)(draw(4) == 0 ? draw(256) : 0)});
        for (unsigned changes = draw(4); changes > 0; changes--)
            frame.at[frame.quoted + draw(60)] = (uint8_t)draw(256);
        fix(&frame);
        taken += read_error(&frame, draw(4) == 0 ? 1 + draw(frame.len) : frame.len, &quote);
    }
    assert_in_range(taken, 1000, 19000);
}

static void test_error_in_segments_is_read_as_far_as_the_first_reaches(void **state)
{
    struct error_frame frame;
    struct net_icmp_quote quote;
    struct net_frame decapped;

    (void)state;
    make(&frame, &(struct recipe){.family = 4, .type = 3});
    for (uint32_t first = 1; first < frame.len; first += 3) {
        struct rte_mbuf *mbuf = bench_mbuf(pool, frame.at, frame.len, first, 0);
        assert_int_equal(net_decap(mbuf, &decapped), NET_OK);
        bool is_error = net_icmp_error(mbuf, &decapped, &quote);
        assert_int_equal(is_error, first >= frame.quoted + 28);
        if (is_error)
            assert_int_equal(quote.payload + quote.payload_len, first);
        rte_pktmbuf_free(mbuf);
    }
}

static int make_pool(void **state)
{
    (void)state;
    bench_start();
    pool = bench_pool("icmp", BENCH_MBUFS, 2048);
    return pool == NULL ? -1 : 0;
}

static int check_pool(void **state)
{
    (void)state;
    return bench_pool_whole(pool) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_teardown(name, check_pool)
        CASE(test_error_quotes_the_datagram_that_did_not_arrive),
        CASE(test_what_is_no_such_error_is_left_alone),
        CASE(test_quote_counts_as_far_as_it_goes),
        CASE(test_extensions_are_no_part_of_the_quote),
        CASE(test_lying_errors_are_refused),
        CASE(test_quoted_first_fragments_are_read),
        CASE(test_errors_broken_at_random_read_nothing_behind_the_frame),
        CASE(test_error_in_segments_is_read_as_far_as_the_first_reaches),
    };

    return cmocka_run_group_tests_name("icmp", tests, make_pool, NULL);
}
