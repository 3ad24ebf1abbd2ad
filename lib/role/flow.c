#include "role/flow.h"

#include "role/digest.h"
#include "role/letters.h"

#define CHECK     8                // bytes of the hash
#define BYTES_MAX (1 + 18 + CHECK) // with an IPv6 address
#define FLOW_IP4  (1 + 4 + 2 + CHECK)
#define FLOW_IP6  BYTES_MAX
#define FLOW_NONE (1 + CHECK)

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
    role_letters_write(bytes, len, text);
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
    if (!role_letters_read(user, bytes) || bytes[0] >= role->conf->listeners_n)
        return ROLE_TOKEN_NONE;
    memcpy(&check, bytes + len - CHECK, CHECK);
    if (check != check_of(role, call_id, bytes, len - CHECK))
        return ROLE_TOKEN_FORGED;
    read_peer(bytes, len, peer);
    *listener = bytes[0];
    return ROLE_TOKEN_OURS;
}
