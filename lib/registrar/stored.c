#include "registrar/stored.h"

#include "base/cursor.h"

#define VERSION       2
#define VERSION_UDP   1 // endpoints say nothing of transports: all that there was then is UDP
#define NEVER         (UINT64_MAX / 2)
#define HEAD_BYTES    16
#define BINDING_BYTES (24 + 2 * (5 + 16))

// The least significant byte first, whatever the machine.
static char *put(char *at, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *at++ = (char)(number >> 8 * i);
    return at;
}

static uint64_t take(struct cursor *c, unsigned bytes)
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

static bool is_known(unsigned version)
{
    return version == VERSION || version == VERSION_UDP;
}

static struct slice take_text(struct cursor *c, uint32_t len)
{
    if (cursor_left(c) < len) {
        cursor_fail(c, 1);
        return (struct slice){"", 0};
    }
    c->at += len;
    return slice_of(c->at - len, len);
}

static unsigned address_bytes(uint8_t family)
{
    return family == ENDPOINT_IP6 ? 16 : family == ENDPOINT_IP4 ? 4 : 0;
}

static char *put_endpoint(char *at, const struct endpoint *endpoint)
{
    unsigned bytes = address_bytes(endpoint->family);

    *at++ = (char)endpoint->family;
    *at++ = (char)endpoint->transport;
    *at++ = (char)endpoint->flow;
    at = put(at, endpoint->port, 2);
    memcpy(at, endpoint->address, bytes);
    return at + bytes;
}

static struct endpoint take_endpoint(struct cursor *c, unsigned version)
{
    uint8_t family = (uint8_t)take(c, 1);
    uint8_t transport = version == VERSION_UDP ? ENDPOINT_UDP : (uint8_t)take(c, 1);
    uint8_t flow = version == VERSION_UDP ? 0 : (uint8_t)take(c, 1);
    struct endpoint endpoint = {.family = family & 0xf, .transport = transport & 0xf, .flow = flow};
    unsigned bytes = address_bytes(family);

    if (transport >= ENDPOINT_TRANSPORTS || (transport == ENDPOINT_UDP && flow != 0))
        cursor_fail(c, 1);
    endpoint.port = (uint16_t)take(c, 2);
    struct slice address = take_text(c, bytes);
    if (bytes == 0 && family != ENDPOINT_NONE)
        cursor_fail(c, 1);
    memcpy(endpoint.address, address.at, address.len);
    return endpoint;
}

uint32_t registrar_stored_room(const struct location_binding *bindings, unsigned n)
{
    uint32_t bytes = HEAD_BYTES + n * BINDING_BYTES;

    for (unsigned i = 0; i < n; i++)
        bytes += bindings[i].contact.len + bindings[i].path.len + bindings[i].call_id.len;
    return bytes;
}

// Rounded up, as in the answer to the client.
static uint64_t unix_of(const struct clock *now, uint64_t expires_ms)
{
    return expires_ms <= now->ms ? now->unix_s : now->unix_s + (expires_ms - now->ms + 999) / 1000;
}

static char *put_text(char *at, struct slice text)
{
    if (text.len > 0)
        memcpy(at, text.at, text.len);
    return at + text.len;
}

uint32_t registrar_stored_write(const struct conf *conf, const struct clock *now,
                                const struct location_binding *bindings, unsigned n, char *to)
{
    uint64_t last = 0;
    char *at = to + HEAD_BYTES;

    for (unsigned i = 0; i < n; i++) {
        const struct location_binding *b = &bindings[i];
        uint64_t expires = unix_of(now, b->expires_ms);
        last = expires > last ? expires : last;
        at = put(at, expires, 8);
        at = put(at, b->cseq, 4);
        at = put(at, b->methods, 4);
        at = put(at, b->q, 2);
        at = put(at, b->contact.len, 2);
        at = put(at, b->path.len, 2);
        at = put(at, b->call_id.len, 2);
        at = put_endpoint(at, &conf->listeners[b->listener].address);
        at = put_endpoint(at, &b->received);
    }
    for (unsigned i = 0; i < n; i++)
        at = put_text(put_text(put_text(at, bindings[i].contact), bindings[i].path), bindings[i].call_id);
    char *head = put(put(put(to, VERSION, 1), n, 1), 0, 6);
    put(head, last, 8);
    return (uint32_t)(at - to);
}

// Where a listener is no more, its bindings are reached from another one of the transport and family that the phone has.
static uint8_t listener_of(const struct conf *conf, const struct endpoint *address)
{
    unsigned other = 0;

    for (unsigned i = conf->listeners_n; i-- > 0;) {
        const struct conf_listener *listener = &conf->listeners[i];
        if (endpoint_equal(&listener->address, address))
            return (uint8_t)i;
        if (listener->address.family == address->family && listener->transport == address->transport)
            other = i;
    }
    return (uint8_t)other;
}

static void take_binding(struct cursor *c, unsigned version, const struct conf *conf, const struct clock *now,
                         struct location_binding *binding)
{
    uint64_t expires = take(c, 8);

    *binding = (struct location_binding){
        // What died is told by an expiry that never lies ahead.
        .expires_ms = expires > now->unix_s ? now->ms + (expires - now->unix_s) * 1000 : 0,
        .cseq = (uint32_t)take(c, 4),
        .methods = (uint32_t)take(c, 4),
        .q = (uint16_t)take(c, 2),
    };
    binding->contact.len = (uint32_t)take(c, 2);
    binding->path.len = (uint32_t)take(c, 2);
    binding->call_id.len = (uint32_t)take(c, 2);
    struct endpoint listener = take_endpoint(c, version);
    binding->listener = listener_of(conf, &listener);
    binding->received = take_endpoint(c, version);
    if (binding->q > 1000 || binding->contact.len == 0 || expires >> 40 != 0)
        cursor_fail(c, 1);
}

bool registrar_stored_read(const struct conf *conf, const struct clock *now, struct slice value,
                           struct location_binding bindings[LOCATION_CONTACTS_MAX], unsigned *n)
{
    struct cursor c = cursor_over(value);
    unsigned version = (unsigned)take(&c, 1);
    unsigned all = (unsigned)take(&c, 1);

    take_text(&c, HEAD_BYTES - 2);
    if (c.error != 0 || !is_known(version) || all == 0 || all > LOCATION_CONTACTS_MAX)
        return false;
    for (unsigned i = 0; i < all; i++)
        take_binding(&c, version, conf, now, &bindings[i]);
    *n = 0;
    for (unsigned i = 0; i < all; i++) {
        struct location_binding *b = &bindings[i];
        b->contact = take_text(&c, b->contact.len);
        b->path = take_text(&c, b->path.len);
        b->call_id = take_text(&c, b->call_id.len);
        if (b->expires_ms > 0)
            bindings[(*n)++] = *b;
    }
    return c.error == 0 && cursor_done(&c);
}

uint64_t registrar_stored_expires(struct slice value)
{
    struct cursor c = cursor_over(value);

    if (!is_known((unsigned)take(&c, 1)))
        return NEVER;
    take(&c, 7);
    uint64_t expires = take(&c, 8);
    return c.error == 0 ? expires : NEVER;
}
