#include "role/flow.h"

#include "role/digest.h"
#include "role/letters.h"

#define CHECK        8  // bytes of the hash
#define CHECK_STREAM 10 // so that the number of bytes is a multiple of 3

// Bytes of a token of each kind, by which it is known.
#define FLOW_NONE       (1 + CHECK)
#define FLOW_IP4        (1 + 4 + 2 + CHECK)
#define FLOW_IP6        (1 + 16 + 2 + CHECK)
#define FLOW_IP4_STREAM (1 + 4 + 2 + 1 + CHECK_STREAM)
#define FLOW_IP6_STREAM (1 + 16 + 2 + 1 + CHECK_STREAM)
#define BYTES_MAX       FLOW_IP6_STREAM

_Static_assert(BYTES_MAX / 3 * 4 == ROLE_FLOW_LEN, "the longest token");

static struct hash128 check_of(const struct role *role, struct slice call_id, const uint8_t *bytes,
                               unsigned len)
{
    struct role_digest digest;

    role_digest_begin(&digest, &role->secret, ROLE_DIGEST_FLOW);
    role_digest_put(&digest, call_id);
    role_digest_put(&digest, slice_of((const char *)bytes, len));
    return role_digest_end(&digest);
}

static unsigned write_peer(const struct endpoint *peer, uint8_t *bytes)
{
    unsigned len = peer->family == ENDPOINT_IP6 ? 16 : 4;

    memcpy(bytes, peer->address, len);
    bytes[len++] = (uint8_t)(peer->port >> 8);
    bytes[len++] = (uint8_t)peer->port;
    if (endpoint_is_stream(peer))
        bytes[len++] = peer->flow;
    return len;
}

unsigned role_flow_write(const struct role *role, struct slice call_id, const struct endpoint *peer,
                         unsigned listener, char text[ROLE_FLOW_LEN])
{
    uint8_t bytes[BYTES_MAX];
    bool flows = peer->family != ENDPOINT_NONE;
    unsigned check_len = flows && endpoint_is_stream(peer) ? CHECK_STREAM : CHECK;
    unsigned len = 1;

    bytes[0] = (uint8_t)listener;
    if (flows)
        len += write_peer(peer, bytes + 1);
    struct hash128 check = check_of(role, call_id, bytes, len);
    memcpy(bytes + len, &check, check_len);
    len += check_len;
    role_letters_write(bytes, len, text);
    return len / 3 * 4;
}

static void read_peer(const struct role *role, const uint8_t *bytes, unsigned len, struct endpoint *peer)
{
    bool stream = len == FLOW_IP4_STREAM || len == FLOW_IP6_STREAM;
    unsigned address_len = len == FLOW_IP6 || len == FLOW_IP6_STREAM ? 16 : 4;

    *peer = (struct endpoint){.family = ENDPOINT_NONE};
    if (len == FLOW_NONE)
        return;
    memcpy(peer->address, bytes + 1, address_len);
    peer->port = (uint16_t)(bytes[1 + address_len] << 8 | bytes[2 + address_len]);
    peer->family = address_len == 16 ? ENDPOINT_IP6 : ENDPOINT_IP4;
    if (!stream)
        return;
    peer->flow = bytes[3 + address_len];
    peer->transport = role->conf->listeners[bytes[0]].transport & 0xf;
}

static bool is_length(unsigned len)
{
    return len == FLOW_NONE || len == FLOW_IP4 || len == FLOW_IP6 || len == FLOW_IP4_STREAM ||
           len == FLOW_IP6_STREAM;
}

enum role_token role_flow_read(const struct role *role, struct slice call_id, struct slice user,
                               struct endpoint *peer, unsigned *listener)
{
    uint8_t bytes[BYTES_MAX];
    unsigned len = user.len / 4 * 3;

    if (user.len % 4 != 0 || !is_length(len))
        return ROLE_TOKEN_NONE;
    if (!role_letters_read(user, bytes) || bytes[0] >= role->conf->listeners_n)
        return ROLE_TOKEN_NONE;
    unsigned check_len = len == FLOW_IP4_STREAM || len == FLOW_IP6_STREAM ? CHECK_STREAM : CHECK;
    struct hash128 check = check_of(role, call_id, bytes, len - check_len);
    if (memcmp(bytes + len - check_len, &check, check_len) != 0)
        return ROLE_TOKEN_FORGED;
    read_peer(role, bytes, len, peer);
    *listener = bytes[0];
    return ROLE_TOKEN_OURS;
}
