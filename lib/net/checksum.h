// checksum: the Internet checksum (RFC 1071) over bytes, mbufs and the UDP pseudo header.
//
// Sums are kept as the packet's bytes lie in memory: a one's complement sum does not care for byte order (RFC 1071 2
// (B)), so a folded sum, complemented, is stored as it is. Zero comes out only for bytes that are all zero, so two
// sums of the same bytes are equal bit for bit, whichever code made them. Pure: any thread.
//
// Cost: see bench; about 0.1 cycles per byte with AVX2, chosen by the CPU when the program is loaded.
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/endpoint.h"

#define NET_PROTOCOL_UDP 17

// Folds carries back until 16 bits are left (RFC 1071 1).
static inline uint16_t net_checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

// The folded sum of `len` bytes at any alignment, not complemented; an odd last byte is padded with zero.
uint16_t net_checksum(const void *at, size_t len);

// The two forms that net_checksum() chooses from; they differ in speed only. The second needs a CPU with AVX2.
uint16_t net_checksum_portable(const void *at, size_t len);
#if defined(__x86_64__)
uint16_t net_checksum_avx2(const void *at, size_t len);
#endif

// The same over `len` bytes from `offset` of a packet in one or more segments, which has them all.
uint16_t net_checksum_mbuf(const struct rte_mbuf *mbuf, uint32_t offset, uint32_t len);

// The sum of an IPv4 header of `bytes` (20 … 60): 0xffff when its checksum is right; with the checksum field zero,
// the complement of what belongs there. Inline, because it is 20 bytes nearly always.
static inline uint16_t net_checksum_ip4(const void *header, uint32_t bytes)
{
    const uint8_t *at = header;
    uint64_t sum = 0;
    uint32_t word;

    for (uint32_t i = 0; i < bytes; i += sizeof(word)) {
        memcpy(&word, at + i, sizeof(word));
        sum += word;
    }
    return net_checksum_fold(sum);
}

// The UDP pseudo header of either family (RFC 768, RFC 8200 8.1), folded. `len` is header and payload, in bytes.
// One formula for both, because the unused bytes of an IPv4 address are zero.
static inline uint16_t net_checksum_pseudo(const struct endpoint *source, const struct endpoint *destination,
                                           uint16_t len)
{
    uint64_t sum = (uint64_t)rte_cpu_to_be_16(len) + rte_cpu_to_be_16(NET_PROTOCOL_UDP);
    uint32_t a[4], b[4];

    memcpy(a, source->address, sizeof(a));
    memcpy(b, destination->address, sizeof(b));
    for (unsigned i = 0; i < 4; i++)
        sum += (uint64_t)a[i] + b[i];
    return net_checksum_fold(sum);
}

#endif
