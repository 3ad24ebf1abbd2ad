#include "registrar/stored.h"

#include "store/pack.h"

#define VERSION       2
#define VERSION_UDP   1 // endpoints say nothing of transports: all that there was then is UDP
#define NEVER         (UINT64_MAX / 2)
#define HEAD_BYTES    16
#define BINDING_BYTES (24 + 2 * (5 + 16))

static bool is_known(unsigned version)
{
    return version == VERSION || version == VERSION_UDP;
}

static struct endpoint take_endpoint(struct cursor *c, unsigned version)
{
    return version == VERSION_UDP ? store_take_address(c, (uint8_t)store_take(c, 1), ENDPOINT_UDP, 0)
                                  : store_take_endpoint(c);
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

uint32_t registrar_stored_write(const struct conf *conf, const struct clock *now,
                                const struct location_binding *bindings, unsigned n, char *to)
{
    uint64_t last = 0;
    char *at = to + HEAD_BYTES;

    for (unsigned i = 0; i < n; i++) {
        const struct location_binding *b = &bindings[i];
        uint64_t expires = unix_of(now, b->expires_ms);
        last = expires > last ? expires : last;
        at = store_put(at, expires, 8);
        at = store_put(at, b->cseq, 4);
        at = store_put(at, b->methods, 4);
        at = store_put(at, b->q, 2);
        at = store_put(at, b->contact.len, 2);
        at = store_put(at, b->path.len, 2);
        at = store_put(at, b->call_id.len, 2);
        at = store_put_endpoint(at, &conf->listeners[b->listener].address);
        at = store_put_endpoint(at, &b->received);
    }
    for (unsigned i = 0; i < n; i++)
        at = store_put_text(store_put_text(store_put_text(at, bindings[i].contact), bindings[i].path),
                            bindings[i].call_id);
    char *head = store_put(store_put(store_put(to, VERSION, 1), n, 1), 0, 6);
    store_put(head, last, 8);
    return (uint32_t)(at - to);
}

// Where a listener is no more, its bindings are reached from another one of the transport and family that the phone
// has.
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
    uint64_t expires = store_take(c, 8);

    *binding = (struct location_binding){
        // What died is told by an expiry that never lies ahead.
        .expires_ms = expires > now->unix_s ? now->ms + (expires - now->unix_s) * 1000 : 0,
        .cseq = (uint32_t)store_take(c, 4),
        .methods = (uint32_t)store_take(c, 4),
        .q = (uint16_t)store_take(c, 2),
    };
    binding->contact.len = (uint32_t)store_take(c, 2);
    binding->path.len = (uint32_t)store_take(c, 2);
    binding->call_id.len = (uint32_t)store_take(c, 2);
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
    unsigned version = (unsigned)store_take(&c, 1);
    unsigned all = (unsigned)store_take(&c, 1);

    store_take_text(&c, HEAD_BYTES - 2);
    if (c.error != 0 || !is_known(version) || all == 0 || all > LOCATION_CONTACTS_MAX)
        return false;
    for (unsigned i = 0; i < all; i++)
        take_binding(&c, version, conf, now, &bindings[i]);
    *n = 0;
    for (unsigned i = 0; i < all; i++) {
        struct location_binding *b = &bindings[i];
        b->contact = store_take_text(&c, b->contact.len);
        b->path = store_take_text(&c, b->path.len);
        b->call_id = store_take_text(&c, b->call_id.len);
        if (b->expires_ms > 0)
            bindings[(*n)++] = *b;
    }
    return c.error == 0 && cursor_done(&c);
}

uint64_t registrar_stored_expires(struct slice value)
{
    struct cursor c = cursor_over(value);

    if (!is_known((unsigned)store_take(&c, 1)))
        return NEVER;
    store_take(&c, 7);
    uint64_t expires = store_take(&c, 8);
    return c.error == 0 ? expires : NEVER;
}
