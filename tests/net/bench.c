#include "bench.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <stdio.h>
#include <stdlib.h>

void bench_start(void)
{
    // In 22.11 --no-huge is legacy memory and refuses --in-memory; --no-shconf leaves no files, either.
    char words[][16] = {"test", "--no-huge", "--no-shconf",    "--no-pci",    "-m", "512",
                        "-l",   "0",         "--no-telemetry", "--log-level", "3"};
    char *argv[RTE_DIM(words)];

    for (unsigned i = 0; i < RTE_DIM(words); i++)
        argv[i] = words[i];
    if (rte_eal_init((int)RTE_DIM(words), argv) < 0) {
        fprintf(stderr, "EAL: %s\n", rte_strerror(rte_errno));
        exit(1);
    }
}

struct rte_mempool *bench_pool(const char *name, unsigned n, unsigned room)
{
    return rte_pktmbuf_pool_create(name, n, 0, 0, (uint16_t)(RTE_PKTMBUF_HEADROOM + room), SOCKET_ID_ANY);
}

bool bench_pool_whole(const struct rte_mempool *pool)
{
    return rte_mempool_avail_count(pool) == pool->size;
}

void bench_hoard_fill(struct bench_hoard *hoard)
{
    hoard->n = 0;
    rte_malloc_get_socket_stats(0, &hoard->before);
    for (size_t size = (size_t)64 << 20; size >= (size_t)16 << 10; size /= 2) {
        while (hoard->n < BENCH_HOARD_MAX && (hoard->piece[hoard->n] = rte_malloc(NULL, size, 0)) != NULL)
            hoard->n++;
    }
}

bool bench_hoard_give(struct bench_hoard *hoard)
{
    if (hoard->n == 0)
        return false;
    rte_free(hoard->piece[--hoard->n]);
    return true;
}

bool bench_hoard_empty(struct bench_hoard *hoard)
{
    struct rte_malloc_socket_stats now;

    while (bench_hoard_give(hoard))
        ;
    rte_malloc_get_socket_stats(0, &now);
    return now.heap_allocsz_bytes == hoard->before.heap_allocsz_bytes;
}

struct endpoint bench_source(uint8_t family)
{
    struct endpoint e = endpoint_ip4(198, 18, 0, 1, 5060);

    if (family == ENDPOINT_IP6)
        e = (struct endpoint){{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 5060, ENDPOINT_IP6, 0};
    return e;
}

struct endpoint bench_destination(uint8_t family)
{
    struct endpoint e = endpoint_ip4(198, 18, 0, 2, 5062);

    if (family == ENDPOINT_IP6)
        e = (struct endpoint){{0x20, 0x01, 0x0d, 0xb8, [15] = 2}, 5062, ENDPOINT_IP6, 0};
    return e;
}

void bench_put16(struct bench_frame *frame, uint32_t at, uint16_t value)
{
    frame->at[at] = (uint8_t)(value >> 8);
    frame->at[at + 1] = (uint8_t)value;
}

uint16_t bench_checksum(const uint8_t *at, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

void bench_fix_ip(struct bench_frame *frame)
{
    uint32_t bytes = (frame->at[frame->ip] & 0xfu) * 4;

    bench_put16(frame, frame->ip + 10, 0);
    bench_put16(frame, frame->ip + 10, bench_checksum(frame->at + frame->ip, bytes, 0));
}

static void put_bytes(struct bench_frame *frame, const void *bytes, uint32_t len)
{
    memcpy(frame->at + frame->len, bytes, len);
    frame->len += len;
}

static void put_number(struct bench_frame *frame, uint16_t value)
{
    bench_put16(frame, frame->len, value);
    frame->len += 2;
}

static void put_ethernet(struct bench_frame *frame, const struct bench_recipe *recipe)
{
    static const uint8_t addresses[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

    put_bytes(frame, addresses, sizeof(addresses));
    for (unsigned i = 0; i < recipe->tags_n; i++) {
        put_number(frame, recipe->types[i] != 0 ? recipe->types[i] : RTE_ETHER_TYPE_VLAN);
        put_number(frame, recipe->tags[i]);
    }
    put_number(frame, recipe->family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
}

static void put_ip4(struct bench_frame *frame, const struct bench_recipe *recipe, uint16_t upper)
{
    struct endpoint source = bench_source(4), destination = bench_destination(4);
    uint8_t front[12] = {(uint8_t)(0x40 | (20 + recipe->options) / 4), [8] = 64, [9] = 17};
    uint8_t no_operation[40];

    memset(no_operation, 1, sizeof(no_operation));
    put_bytes(frame, front, sizeof(front));
    bench_put16(frame, frame->ip + 2, (uint16_t)(20 + recipe->options + upper));
    put_bytes(frame, source.address, 4);
    put_bytes(frame, destination.address, 4);
    put_bytes(frame, no_operation, recipe->options);
    bench_fix_ip(frame);
}

static void put_ip6(struct bench_frame *frame, const struct bench_recipe *recipe, uint16_t upper)
{
    struct endpoint source = bench_source(6), destination = bench_destination(6);
    uint8_t front[8] = {0x60, [6] = recipe->extensions_len > 0 ? recipe->first_extension : 17, [7] = 64};

    put_bytes(frame, front, sizeof(front));
    bench_put16(frame, frame->ip + 4, (uint16_t)(recipe->extensions_len + upper));
    put_bytes(frame, source.address, 16);
    put_bytes(frame, destination.address, 16);
    put_bytes(frame, recipe->extensions, recipe->extensions_len);
}

static uint16_t udp_checksum(const struct bench_frame *frame, uint8_t family, uint16_t len)
{
    struct endpoint source = bench_source(family), destination = bench_destination(family);
    uint8_t tail[4] = {(uint8_t)(len >> 8), (uint8_t)len, 0, 17};
    uint32_t sum = (uint16_t)~bench_checksum(source.address, 16, 0);

    sum = (uint16_t)~bench_checksum(destination.address, 16, sum);
    sum = (uint16_t)~bench_checksum(tail, 4, sum);
    uint16_t checksum = bench_checksum(frame->at + frame->udp, len, sum);
    return checksum == 0 ? 0xffff : checksum;
}

void bench_frame_make(struct bench_frame *frame, const struct bench_recipe *recipe)
{
    uint16_t udp_len = (uint16_t)(8 + recipe->payload_len);

    memset(frame, 0, sizeof(*frame));
    put_ethernet(frame, recipe);
    frame->ip = frame->len;
    if (recipe->family == 4)
        put_ip4(frame, recipe, (uint16_t)(udp_len + recipe->surplus));
    else
        put_ip6(frame, recipe, (uint16_t)(udp_len + recipe->surplus));
    frame->udp = frame->len;
    put_number(frame, 5060);
    put_number(frame, 5062);
    put_number(frame, udp_len);
    put_number(frame, 0);
    frame->payload = frame->len;
    for (unsigned i = 0; i < recipe->payload_len; i++)
        frame->at[frame->len++] = (uint8_t)i;
    if (!recipe->no_udp_checksum)
        bench_put16(frame, frame->udp + 6, udp_checksum(frame, recipe->family, udp_len));
    memset(frame->at + frame->len, 0xee, recipe->surplus + recipe->padding);
    frame->len += (uint32_t)recipe->surplus + recipe->padding;
}

struct rte_mbuf *bench_mbuf(struct rte_mempool *pool, const uint8_t *bytes, uint32_t len, uint32_t first,
                            uint32_t rest)
{
    struct rte_mbuf *head = rte_pktmbuf_alloc(pool);
    struct rte_mbuf *last = head;
    uint32_t part = RTE_MIN(first, len);

    for (uint32_t done = 0;; part = rest == 0 ? len - done : RTE_MIN(rest, len - done)) {
        memcpy(rte_pktmbuf_mtod(last, uint8_t *), bytes + done, part);
        last->data_len = (uint16_t)part;
        done += part;
        if (done == len)
            break;
        last->next = rte_pktmbuf_alloc(pool);
        last = last->next;
        head->nb_segs++;
    }
    head->pkt_len = len;
    return head;
}

static void free_exact(void *at, void *shared)
{
    free(at);
    free(shared);
}

struct rte_mbuf *bench_mbuf_exact(struct rte_mempool *pool, const uint8_t *bytes, uint32_t len)
{
    struct rte_mbuf_ext_shared_info *shared = calloc(1, sizeof(*shared));
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
    uint8_t *copy = malloc(len > 0 ? len : 1);

    memcpy(copy, bytes, len);
    shared->free_cb = free_exact;
    shared->fcb_opaque = shared;
    rte_mbuf_ext_refcnt_set(shared, 1);
    rte_pktmbuf_attach_extbuf(mbuf, copy, RTE_BAD_IOVA, (uint16_t)len, shared);
    mbuf->data_off = 0;
    mbuf->data_len = (uint16_t)len;
    mbuf->pkt_len = len;
    return mbuf;
}

uint32_t bench_bytes(const struct rte_mbuf *mbuf, uint8_t *bytes, uint32_t room)
{
    uint32_t len = 0;

    for (const struct rte_mbuf *seg = mbuf; seg != NULL; seg = seg->next) {
        if (len + seg->data_len > room)
            return 0;
        memcpy(bytes + len, rte_pktmbuf_mtod(seg, const uint8_t *), seg->data_len);
        len += seg->data_len;
    }
    return len;
}
