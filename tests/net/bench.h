// bench: the EAL, a pool of mbufs and frames made byte by byte, for the tests of room net.
//
// The frames are built and their checksums made by the plainest code there is, on purpose none of the room's own.
#ifndef TESTS_NET_BENCH_H
#define TESTS_NET_BENCH_H

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/endpoint.h"

#define BENCH_MBUFS 511

// Starts the EAL without huge pages, devices and files. Exits when that fails.
void bench_start(void);

// A pool of BENCH_MBUFS buffers without caches, so that a missing one shows.
struct rte_mempool *bench_pool(const char *name, unsigned n, unsigned room);
bool bench_pool_whole(const struct rte_mempool *pool);

// The EAL's memory in someone else's hands, in pieces that get smaller towards the end.
#define BENCH_HOARD_MAX 600
struct bench_hoard {
    void *piece[BENCH_HOARD_MAX];
    unsigned n;
    struct rte_malloc_socket_stats before;
};
void bench_hoard_fill(struct bench_hoard *hoard);
bool bench_hoard_give(struct bench_hoard *hoard);  // gives one piece back; false when none is left
bool bench_hoard_empty(struct bench_hoard *hoard); // gives all back; true when as much is in use as before

struct bench_frame {
    uint8_t at[9000];
    uint32_t len;
    uint32_t ip, udp, payload; // offsets
};

struct bench_recipe {
    uint8_t family; // 4 or 6
    uint8_t tags_n;
    uint16_t tags[3];
    uint16_t types[3];       // of the tags; 0: 802.1Q
    uint8_t options;         // IPv4: bytes of options, a multiple of 4
    uint8_t extensions[64];  // IPv6: the extension headers as they lie, each with its next header
    uint8_t extensions_len;  // bytes
    uint8_t first_extension; // next header field of the IPv6 header, when there are any
    uint16_t payload_len;
    uint16_t padding; // bytes behind the IP packet
    uint16_t surplus; // bytes behind the UDP datagram, inside the IP packet
    bool no_udp_checksum;
};

// From 198.18.0.1:5060 to 198.18.0.2:5062, or from [2001:db8::1] to [2001:db8::2]; payload bytes are 0, 1, 2 ….
void bench_frame_make(struct bench_frame *frame, const struct bench_recipe *recipe);
struct endpoint bench_source(uint8_t family);
struct endpoint bench_destination(uint8_t family);

void bench_put16(struct bench_frame *frame, uint32_t at, uint16_t value);
void bench_fix_ip(struct bench_frame *frame); // the header checksum again, after a change
uint16_t bench_checksum(const uint8_t *at, size_t len, uint32_t sum); // complemented, host order

// The frame in mbufs: `first` bytes in the first segment, then `rest` in each further one (0: all that is left).
struct rte_mbuf *bench_mbuf(struct rte_mempool *pool, const uint8_t *bytes, uint32_t len, uint32_t first,
                            uint32_t rest);
// The same in one buffer of exactly `len` bytes, so that the address sanitizer sees any byte read behind it.
struct rte_mbuf *bench_mbuf_exact(struct rte_mempool *pool, const uint8_t *bytes, uint32_t len);

// The packet's bytes, all segments; returns their number.
uint32_t bench_bytes(const struct rte_mbuf *mbuf, uint8_t *bytes, uint32_t room);

#endif
