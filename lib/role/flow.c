#include "role/flow.h"

#include "role/digest.h"

#define CHECK     8                // bytes of the hash
#define BYTES_MAX (1 + 18 + CHECK) // with an IPv6 address
#define FLOW_IP4  (1 + 4 + 2 + CHECK)
#define FLOW_IP6  BYTES_MAX
#define FLOW_NONE (1 + CHECK)

// RFC 4648 5. Three bytes are four letters, and every form is a multiple of three long.
static void write_letters(const uint8_t *bytes, unsigned len, char *text)
{
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (unsigned i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *text++ = letter[three >> shift & 63];
    }
}

static int value_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '-' ? 62 : letter == '_' ? 63 : -1;
}

// False when there is any other byte among them.
static bool read_letters(struct slice text, uint8_t *bytes)
{
    for (uint32_t i = 0; i < text.len; i += 4) {
        int four = 0;
        for (uint32_t n = 0; n < 4; n++) {
            int value = value_of(text.at[i + n]);
            if (value < 0)
                return false;
            four = four << 6 | value;
        }
        *bytes++ = (uint8_t)(four >> 16);
        *bytes++ = (uint8_t)(four >> 8);
        *bytes++ = (uint8_t)four;
    }
    return true;
}

static uint64_t check_of(const struct role *role, struct slice call_id, const uint8_t *bytes, unsigned len)
{
    struct role_digest digest;

    role_digest_begin(&digest, &role->secret, ROLE_DIGEST_FLOW);
    role_digest_put(&digest, call_id);
    role_digest_put(&digest, slice_of((const char *)bytes, len));
    return role_digest_end(&digest).low;
}

unsigned role_flow_write(const struct role *role, struct slice call_id, const struct endpoint *peer,
                         unsigned listener, char text[ROLE_FLOW_LEN])
{
    uint8_t bytes[BYTES_MAX];
    unsigned len = 1;

    bytes[0] = (uint8_t)listener;
    if (peer->family != ENDPOINT_NONE) {
        unsigned address_len = peer->family == ENDPOINT_IP6 ? 16 : 4;
        memcpy(bytes + 1, peer->address, address_len);
        bytes[1 + address_len] = (uint8_t)(peer->port >> 8);
        bytes[2 + address_len] = (uint8_t)peer->port;
        len = 3 + address_len;
    }
    uint64_t check = check_of(role, call_id, bytes, len);
    memcpy(bytes + len, &check, CHECK);
    len += CHECK;
    write_letters(bytes, len, text);
    return len / 3 * 4;
}

static void read_peer(const uint8_t *bytes, unsigned len, struct endpoint *peer)
{
    *peer = (struct endpoint){.family = ENDPOINT_NONE};
    if (len == FLOW_NONE)
        return;
    unsigned address_len = len == FLOW_IP6 ? 16 : 4;
    memcpy(peer->address, bytes + 1, address_len);
    peer->port = (uint16_t)(bytes[1 + address_len] << 8 | bytes[2 + address_len]);
    peer->family = len == FLOW_IP6 ? ENDPOINT_IP6 : ENDPOINT_IP4;
}

enum role_token role_flow_read(const struct role *role, struct slice call_id, struct slice user,
                               struct endpoint *peer, unsigned *listener)
{
    uint8_t bytes[BYTES_MAX];
    unsigned len = user.len / 4 * 3;
    uint64_t check;

    if (user.len % 4 != 0 || (len != FLOW_NONE && len != FLOW_IP4 && len != FLOW_IP6))
        return ROLE_TOKEN_NONE;
    if (!read_letters(user, bytes) || bytes[0] >= role->conf->listeners_n)
        return ROLE_TOKEN_NONE;
    memcpy(&check, bytes + len - CHECK, CHECK);
    if (check != check_of(role, call_id, bytes, len - CHECK))
        return ROLE_TOKEN_FORGED;
    read_peer(bytes, len, peer);
    *listener = bytes[0];
    return ROLE_TOKEN_OURS;
}
