#include "stream/proxy_header.h"

#include <string.h>

static const uint8_t signature[12] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

enum {
    AT_COMMAND = 12, // version, command
    AT_FAMILY = 13,  // family, transport
    AT_LENGTH = 14,  // of what follows

    LOCAL = 0x20,
    PROXY = 0x21,
    FAMILY_NONE = 0x00,
    FAMILY_TCP4 = 0x11,
    FAMILY_TCP6 = 0x21,
};

static uint32_t read_16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

uint32_t stream_proxy_header_needs(const uint8_t *bytes, uint32_t len)
{
    if (memcmp(bytes, signature, len < sizeof(signature) ? len : sizeof(signature)) != 0)
        return 0;
    if (len < PROXY_HEADER_FIXED)
        return PROXY_HEADER_FIXED;
    uint32_t whole = PROXY_HEADER_FIXED + read_16(bytes + AT_LENGTH);
    return whole <= PROXY_HEADER_MAX ? whole : 0;
}

// Source address, destination address, source port, destination port.
static bool read_addresses(const uint8_t *at, uint32_t len, unsigned bytes, struct endpoint *source)
{
    if (len < 2 * bytes + 4)
        return false;
    memset(source->address, 0, sizeof(source->address));
    memcpy(source->address, at, bytes);
    source->port = (uint16_t)read_16(at + 2 * (size_t)bytes);
    source->family = bytes == 4 ? ENDPOINT_IP4 : ENDPOINT_IP6;
    return true;
}

bool stream_proxy_header_read(const uint8_t *bytes, uint32_t len, struct endpoint *source)
{
    const uint8_t *addresses = bytes + PROXY_HEADER_FIXED;
    uint32_t left = len - PROXY_HEADER_FIXED;

    if (bytes[AT_COMMAND] == LOCAL)
        return true;
    if (bytes[AT_COMMAND] != PROXY)
        return false;
    switch (bytes[AT_FAMILY]) {
    case FAMILY_NONE:
        return true;
    case FAMILY_TCP4:
        return read_addresses(addresses, left, 4, source);
    case FAMILY_TCP6:
        return read_addresses(addresses, left, 16, source);
    default:
        return false;
    }
}
