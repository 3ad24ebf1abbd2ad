#include "net/stun.h"

#define HEADER           20
#define ATTRIBUTE_HEADER 4
#define COOKIE           0x2112a442u
#define FINGERPRINT_XOR  0x5354554eu
#define FINGERPRINT_LEN  8 // with its header

// RFC 8489 5: the method's and the class's bits are interleaved.
enum {
    BINDING_REQUEST = 0x0001,
    BINDING_INDICATION = 0x0011,
    BINDING_SUCCESS = 0x0101,
    BINDING_ERROR = 0x0111,
};

// RFC 8489 18.3: below OPTIONAL an attribute must be understood.
enum {
    ERROR_CODE = 0x0009,
    UNKNOWN_ATTRIBUTES = 0x000a,
    MESSAGE_INTEGRITY = 0x0008,
    MESSAGE_INTEGRITY_SHA256 = 0x001c,
    XOR_MAPPED_ADDRESS = 0x0020,
    OPTIONAL = 0x8000,
    FINGERPRINT = 0x8028,
};

// What the attributes of a message say.
struct attributes {
    unsigned unknown_n;
    uint16_t unknown[NET_STUN_UNKNOWN_MAX];
    bool has_fingerprint;
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static uint8_t *put16(uint8_t *at, unsigned number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t number)
{
    return put16(put16(at, number >> 16), number & 0xffff);
}

// Those of RFC 8489 14. Known and of no use to a server that asks for no credentials, they are passed over (6.3).
static bool is_known(uint16_t type)
{
    switch (type) {
    case 0x0001: // MAPPED-ADDRESS
    case 0x0006: // USERNAME
    case MESSAGE_INTEGRITY:
    case ERROR_CODE:
    case UNKNOWN_ATTRIBUTES:
    case 0x0014: // REALM
    case 0x0015: // NONCE
    case MESSAGE_INTEGRITY_SHA256:
    case 0x001d: // PASSWORD-ALGORITHM
    case 0x001e: // USERHASH
    case XOR_MAPPED_ADDRESS:
        return true;
    default:
        return type >= OPTIONAL;
    }
}

// The CRC-32 of ITU V.42, four bits at a time: of the polynomial's sixteen multiples, bits reflected. DPDK's chooses
// its way at the first call and logs what it found, which is nothing for a worker.
static uint32_t crc32(const uint8_t *bytes, uint32_t len)
{
    static const uint32_t multiple[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = UINT32_MAX;

    for (uint32_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ multiple[crc & 15];
        crc = crc >> 4 ^ multiple[crc & 15];
    }
    return ~crc;
}

// RFC 8489 14.7: the CRC is of all that is before the attribute, the header's length counting it already.
static uint32_t fingerprint(const uint8_t *message, uint32_t before)
{
    return crc32(message, before) ^ FINGERPRINT_XOR;
}

// False when they do not end where the message does, or the fingerprint is wrong or not the last of them.
static bool read_attributes(const uint8_t *message, uint32_t len, struct attributes *attributes)
{
    bool protected = false; // what is behind MESSAGE-INTEGRITY does not count (RFC 8489 14.5, 14.6)

    for (uint32_t at = HEADER; at < len;) {
        uint16_t type = get16(message + at); // `len` and every step are multiples of 4
        uint32_t value_len = get16(message + at + 2);
        uint32_t next = at + ATTRIBUTE_HEADER + (value_len + 3) / 4 * 4;
        if (next > len)
            return false;
        if (type == FINGERPRINT) {
            attributes->has_fingerprint = true;
            return value_len == 4 && next == len && get32(message + at + 4) == fingerprint(message, at);
        }
        if (!is_known(type) && !protected && attributes->unknown_n < NET_STUN_UNKNOWN_MAX)
            attributes->unknown[attributes->unknown_n++] = type;
        protected |= type == MESSAGE_INTEGRITY || type == MESSAGE_INTEGRITY_SHA256;
        at = next;
    }
    return true;
}

// RFC 8489 14.2: port and address under the cookie, an IPv6 address under the transaction id as well. `header` is the
// answer's, which has both.
static uint8_t *put_mapped_address(uint8_t *at, const struct endpoint *source, const uint8_t *header)
{
    unsigned address_len = source->family == ENDPOINT_IP6 ? 16 : 4;

    at = put16(at, XOR_MAPPED_ADDRESS);
    at = put16(at, 4 + address_len);
    at = put16(at, source->family == ENDPOINT_IP6 ? 2 : 1);
    at = put16(at, source->port ^ (COOKIE >> 16));
    for (unsigned i = 0; i < address_len; i++)
        *at++ = source->address[i] ^ header[4 + i];
    return at;
}

// RFC 8489 14.8, 14.13.
static uint8_t *put_unknown(uint8_t *at, const struct attributes *attributes)
{
    at = put32(at, (uint32_t)ERROR_CODE << 16 | 4);
    at = put32(at, 4 << 8 | 20); // 420
    at = put32(at, (uint32_t)UNKNOWN_ATTRIBUTES << 16 | 2 * attributes->unknown_n);
    for (unsigned i = 0; i < attributes->unknown_n; i++)
        at = put16(at, attributes->unknown[i]);
    return attributes->unknown_n % 2 == 0 ? at : put16(at, 0);
}

static unsigned write_answer(const uint8_t *request, const struct endpoint *source,
                             const struct attributes *attributes, uint8_t answer[NET_STUN_ANSWER_MAX])
{
    bool understood = attributes->unknown_n == 0;
    uint8_t *end = answer + HEADER;

    memcpy(answer, request, HEADER); // for the cookie and the transaction id
    if (understood)
        end = put_mapped_address(end, source, answer);
    else
        end = put_unknown(end, attributes);
    uint32_t before = (uint32_t)(end - answer);
    uint32_t len = before + (attributes->has_fingerprint ? FINGERPRINT_LEN : 0);
    put16(answer, understood ? BINDING_SUCCESS : BINDING_ERROR);
    put16(answer + 2, len - HEADER);
    if (attributes->has_fingerprint) {
        put32(end, (uint32_t)FINGERPRINT << 16 | 4);
        put32(end + ATTRIBUTE_HEADER, fingerprint(answer, before));
    }
    return len;
}

enum net_stun net_stun_serve(const void *message, size_t len, const struct endpoint *source,
                             uint8_t answer[NET_STUN_ANSWER_MAX], unsigned *answer_len)
{
    const uint8_t *bytes = message;
    struct attributes attributes = {.unknown_n = 0};

    if (len < HEADER || len % 4 != 0 || get16(bytes + 2) != len - HEADER || get32(bytes + 4) != COOKIE)
        return NET_STUN_BROKEN;
    uint16_t type = get16(bytes);
    if (type != BINDING_REQUEST && type != BINDING_INDICATION)
        return NET_STUN_BROKEN; // an answer to nothing that was asked, or a method of another usage
    if (!read_attributes(bytes, (uint32_t)len, &attributes))
        return NET_STUN_BROKEN;
    if (type == BINDING_INDICATION)
        return NET_STUN_INDICATION;
    *answer_len = write_answer(bytes, source, &attributes, answer);
    return NET_STUN_REQUEST;
}
