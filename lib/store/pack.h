// pack: numbers, texts and endpoints as values in the store have them: the least significant byte first, whatever the
// machine, and nothing between them.
//
// Whoever puts has made room. Taking trusts nothing: what is not there, or is nothing that was put, is an error in the
// cursor and zero or empty. Pure: any thread.
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include "base/cursor.h"
#include "base/endpoint.h"

#define STORE_ENDPOINT_BYTES 21 // at most

// Returns what is behind it.
static inline char *store_put(char *at, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *at++ = (char)(number >> 8 * i);
    return at;
}

static inline uint64_t store_take(struct cursor *c, unsigned bytes)
{
    uint64_t number = 0;

    if (cursor_left(c) < bytes) {
        cursor_fail(c, 1);
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        number |= (uint64_t)(uint8_t)c->at[i] << 8 * i;
    c->at += bytes;
    return number;
}

static inline char *store_put_text(char *at, struct slice text)
{
    if (text.len > 0)
        memcpy(at, text.at, text.len);
    return at + text.len;
}

static inline struct slice store_take_text(struct cursor *c, uint32_t len)
{
    if (cursor_left(c) < len) {
        cursor_fail(c, 1);
        return (struct slice){"", 0};
    }
    c->at += len;
    return slice_of(c->at - len, len);
}

static inline unsigned store_address_bytes(uint8_t family)
{
    return family == ENDPOINT_IP6 ? 16 : family == ENDPOINT_IP4 ? 4 : 0;
}

// u8 family, u8 transport, u8 flow, u16 port, 0, 4 or 16 bytes of address.
static inline char *store_put_endpoint(char *at, const struct endpoint *endpoint)
{
    unsigned bytes = store_address_bytes(endpoint->family);

    at = store_put(at, endpoint->family, 1);
    at = store_put(at, endpoint->transport, 1);
    at = store_put(at, endpoint->flow, 1);
    at = store_put(at, endpoint->port, 2);
    memcpy(at, endpoint->address, bytes);
    return at + bytes;
}

// Behind family, transport and flow.
static inline struct endpoint store_take_address(struct cursor *c, uint8_t family, uint8_t transport,
                                                 uint8_t flow)
{
    struct endpoint endpoint = {.family = family & 0xf, .transport = transport & 0xf, .flow = flow};
    unsigned bytes = store_address_bytes(family);

    if (transport >= ENDPOINT_TRANSPORTS || (transport == ENDPOINT_UDP && flow != 0) ||
        (bytes == 0 && family != ENDPOINT_NONE))
        cursor_fail(c, 1);
    endpoint.port = (uint16_t)store_take(c, 2);
    struct slice address = store_take_text(c, bytes);
    memcpy(endpoint.address, address.at, address.len);
    return endpoint;
}

static inline struct endpoint store_take_endpoint(struct cursor *c)
{
    uint8_t family = (uint8_t)store_take(c, 1);
    uint8_t transport = (uint8_t)store_take(c, 1);

    return store_take_address(c, family, transport, (uint8_t)store_take(c, 1));
}

#endif
