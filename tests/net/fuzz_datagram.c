// What is no SIP: a STUN message, a frame of any kind, and what an ICMP error with right checksums quotes.
#include "../sip/fuzz.h"

#include "net/icmp.h"
#include "net/stun.h"

#define ETHER  14
#define ICMP   8
#define FRAMES 9000

static void check_stun(struct slice input)
{
    uint8_t answer[NET_STUN_ANSWER_MAX], again[NET_STUN_ANSWER_MAX];
    unsigned len = 0, again_len = 0;
    struct endpoint source = {
        .family = input.len & 1 ? ENDPOINT_IP6 : ENDPOINT_IP4, .port = 5060, .address = {192, 0, 2, 1}};

    if (net_stun_serve(input.at, input.len, &source, answer, &len) != NET_STUN_REQUEST)
        return;
    FUZZ_CHECK(len >= 20 && len <= sizeof(answer) && len <= input.len + NET_STUN_GROWTH);
    FUZZ_CHECK(memcmp(answer + 4, input.at + 4, 16) == 0); // the cookie and the transaction
    // An answer to an answer would go on for ever between two servers.
    FUZZ_CHECK(net_stun_serve(answer, len, &source, again, &again_len) == NET_STUN_BROKEN);
}

// In memory that ends with the frame.
static void check_frame(struct slice bytes)
{
    struct rte_mbuf mbuf = {
        .nb_segs = 1, .data_len = (uint16_t)bytes.len, .pkt_len = bytes.len, .buf_len = (uint16_t)bytes.len};
    struct net_frame frame;
    struct net_icmp_quote quote;
    char *exact = malloc(bytes.len + 1);

    FUZZ_CHECK(exact != NULL);
    memcpy(exact + 1, bytes.at, bytes.len); // headers that lie at odd addresses, too
    mbuf.buf_addr = exact + 1;
    if (net_decap(&mbuf, &frame) == NET_OK) {
        if (frame.kind == NET_UDP)
            FUZZ_CHECK((uint32_t)frame.payload + frame.payload_len <= mbuf.data_len);
        if (net_icmp_error(&mbuf, &frame, &quote))
            FUZZ_CHECK(frame.kind == NET_OTHER && (uint32_t)quote.payload + quote.payload_len <= bytes.len);
    }
    free(exact);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint16_t checksum(const uint8_t *at, uint32_t len, uint32_t sum)
{
    for (uint32_t i = 0; i < len; i++)
        sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

// The input as what an error says: two bytes of type and code, then what it quotes. No fuzzer finds a checksum.
static void check_error(struct slice input, bool ip6)
{
    static uint8_t bytes[FRAMES];
    uint32_t header = ip6 ? 40 : 20;
    uint8_t *ip = bytes + ETHER, *icmp = ip + header;

    if (input.len < 2 || input.len - 2 > FRAMES - ETHER - header - ICMP)
        return;
    uint32_t len = ICMP + input.len - 2;
    memset(bytes, 0, ETHER + header + ICMP);
    put16(bytes + 12, ip6 ? 0x86dd : 0x0800);
    memcpy(icmp, input.at, 2);
    memcpy(icmp + ICMP, input.at + 2, input.len - 2);
    if (ip6) {
        ip[0] = 0x60;
        put16(ip + 4, len);
        ip[6] = 58;
        ip[8] = ip[24] = 0x20; // from 2000:: to 2000::
        put16(icmp + 2, checksum(icmp, len, 0x2000 + 0x2000 + len + 58));
    } else {
        ip[0] = 0x45;
        put16(ip + 2, header + len);
        ip[9] = 1;
        ip[12] = ip[16] = 192;
        put16(ip + 10, checksum(ip, header, 0));
        put16(icmp + 2, checksum(icmp, len, 0));
    }
    check_frame(slice_of((const char *)bytes, ETHER + header + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct slice input = slice_of((const char *)bytes, len);

    if (len > UINT16_MAX)
        return 0;
    check_stun(input);
    check_frame(input);
    check_error(input, false);
    check_error(input, true);
    return 0;
}
