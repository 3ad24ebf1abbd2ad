#include "presence/stored.h"

#include "presence/parts.h"
#include "store/pack.h"

#define VERSION    1
#define NEWEST     2 // of a subscription: in VERSION it had no CSeq of ours, and not the last text
#define NEVER      (UINT64_MAX / 2)
#define EXPIRES_AT 8 // in both values

// Rounded up, as in answers.
static uint64_t unix_of(const struct clock *now, uint64_t expires_ms)
{
    return expires_ms <= now->ms ? now->unix_s : now->unix_s + (expires_ms - now->ms + 999) / 1000;
}

static uint64_t clock_of(const struct clock *now, uint64_t unix_s)
{
    return unix_s > now->unix_s ? now->ms + (unix_s - now->unix_s) * 1000 : 0;
}

unsigned presence_stored_publication_key(uint8_t package, uint32_t number, struct slice aor,
                                         char key[PRESENCE_KEY_MAX])
{
    return (unsigned)(store_put_text(store_put(store_put(key, package, 1), number, 4), aor) - key);
}

bool presence_stored_publication_key_read(struct slice key, uint8_t *package, uint32_t *number,
                                          struct slice *aor)
{
    struct cursor c = cursor_over(key);

    *package = (uint8_t)store_take(&c, 1);
    *number = (uint32_t)store_take(&c, 4);
    *aor = store_take_text(&c, cursor_left(&c));
    return c.error == 0 && aor->len > 0 && aor->len <= SIP_AOR_MAX && presence_package_at(*package) != NULL;
}

uint32_t presence_stored_publication_write(const struct clock *now,
                                           const struct presence_stored_publication *publication, char *to)
{
    char *at = store_put(to, VERSION, 1);

    at = store_put(at, publication->type, 1);
    at = store_put(at, 0, 2);
    at = store_put(at, publication->order, 4);
    at = store_put(at, unix_of(now, publication->expires_ms), 8);
    at = store_put(at, publication->tag, 8);
    return (uint32_t)(store_put_text(at, publication->body) - to);
}

bool presence_stored_publication_read(const struct clock *now, struct slice value,
                                      struct presence_stored_publication *publication)
{
    struct cursor c = cursor_over(value);
    uint64_t version = store_take(&c, 1);

    publication->type = (uint8_t)store_take(&c, 1);
    store_take(&c, 2);
    publication->order = (uint32_t)store_take(&c, 4);
    publication->expires_ms = clock_of(now, store_take(&c, 8));
    publication->tag = store_take(&c, 8);
    publication->body = store_take_text(&c, cursor_left(&c));
    return c.error == 0 && version == VERSION && publication->type < PRESENCE_TYPES && publication->tag != 0;
}

void presence_stored_subscription_key(uint64_t check, char key[PRESENCE_SUBSCRIPTION_KEY])
{
    store_put(key, check, PRESENCE_SUBSCRIPTION_KEY);
}

uint64_t presence_stored_subscription_check(struct slice key)
{
    struct cursor c = cursor_over(key);
    uint64_t check = store_take(&c, PRESENCE_SUBSCRIPTION_KEY);

    return cursor_done(&c) && c.error == 0 ? check : 0;
}

uint32_t presence_stored_subscription_write(const struct conf *conf, const struct clock *now,
                                            const struct subscription_table *table,
                                            const struct subscription *subscription,
                                            const struct endpoint *source, char *to)
{
    const struct subscription_presentity *presentity = subscription_presentity_of(table, subscription);
    struct slice aor = presentity != NULL ? subscription_presentity_owner(table, presentity) : SLICE("");
    char *at = store_put(to, NEWEST, 1);

    at = store_put(at, presentity != NULL ? presentity->package : 0, 1);
    at = store_put(at, subscription->state, 1);
    at = store_put(at,
                   (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_FLAGS_STORED) |
                       (subscription->blind ? PRESENCE_BLIND : 0) |
                       (subscription->mark[PRESENCE_MARK_HOP] & PRESENCE_HOP_NAMED ? PRESENCE_NAMED : 0),
                   1);
    at = store_put(at, subscription->remote_cseq, 4);
    at = store_put(at, unix_of(now, subscription->expires_ms), 8);
    at = store_put(at, subscription->own[PRESENCE_OWN_BEGAN], 8);
    at = store_put(at, subscription->min_ms, 4);
    at = store_put(at, subscription->quiet_ms, 4);
    at = store_put(at, subscription->accept, 2);
    at = store_put(at, subscription->local_cseq, 4);
    at = store_put_endpoint(at, &subscription->to);
    at = store_put_endpoint(at, &conf->listeners[subscription->listener].address);
    at = store_put_endpoint(at, source);
    for (unsigned i = 0; i < SUBSCRIPTION_TEXTS; i++)
        at = store_put(at, subscription_text(table, subscription, (enum subscription_text)i).len, 2);
    at = store_put(at, aor.len, 2);
    for (unsigned i = 0; i < SUBSCRIPTION_TEXTS; i++)
        at = store_put_text(at, subscription_text(table, subscription, (enum subscription_text)i));
    return (uint32_t)(store_put_text(at, aor) - to);
}

static uint8_t listener_of(const struct conf *conf, const struct endpoint *address)
{
    unsigned other = 0;

    for (unsigned i = conf->listeners_n; i-- > 0;) {
        const struct endpoint *own = &conf->listeners[i].address;
        if (endpoint_equal(own, address))
            return (uint8_t)i;
        if (own->family == address->family && own->transport == address->transport)
            other = i;
    }
    return (uint8_t)other;
}

static void take_texts(struct cursor *c, unsigned texts, struct presence_stored_subscription *subscription)
{
    for (unsigned i = 0; i < texts; i++)
        subscription->opening.text[i].len = (uint32_t)store_take(c, 2);
    subscription->aor.len = (uint32_t)store_take(c, 2);
    for (unsigned i = 0; i < texts; i++)
        subscription->opening.text[i] = store_take_text(c, subscription->opening.text[i].len);
    subscription->aor = store_take_text(c, subscription->aor.len);
}

bool presence_stored_subscription_read(const struct conf *conf, const struct clock *now, struct slice key,
                                       struct slice value, struct presence_stored_subscription *subscription)
{
    struct subscription_opening *opening = &subscription->opening;
    struct cursor c = cursor_over(value);
    uint64_t version = store_take(&c, 1);
    struct endpoint listener;

    *subscription = (struct presence_stored_subscription){.package = (uint8_t)store_take(&c, 1)};
    opening->restored = true;
    opening->check = presence_stored_subscription_check(key);
    opening->state = (uint8_t)store_take(&c, 1);
    subscription->flags = (uint8_t)store_take(&c, 1);
    opening->remote_cseq = (uint32_t)store_take(&c, 4);
    opening->expires_ms = clock_of(now, store_take(&c, 8));
    subscription->began_s = store_take(&c, 8);
    opening->min_ms = (uint32_t)store_take(&c, 4);
    opening->quiet_ms = (uint32_t)store_take(&c, 4);
    opening->accept = (uint16_t)store_take(&c, 2);
    opening->local_cseq = version == VERSION ? 0 : (uint32_t)store_take(&c, 4);
    opening->to = store_take_endpoint(&c);
    listener = store_take_endpoint(&c);
    opening->listener = listener_of(conf, &listener);
    opening->source = store_take_endpoint(&c);
    take_texts(&c, version == VERSION ? SUBSCRIPTION_TEXTS - 1 : SUBSCRIPTION_TEXTS, subscription);
    return c.error == 0 && cursor_done(&c) && version >= VERSION && version <= NEWEST &&
           opening->check != 0 && presence_package_at(subscription->package) != NULL &&
           (opening->state == SUBSCRIPTION_PENDING || opening->state == SUBSCRIPTION_ACTIVE) &&
           opening->min_ms < UINT32_C(1) << 31 && opening->quiet_ms < UINT32_C(1) << 31 &&
           opening->to.family != ENDPOINT_NONE && subscription->aor.len > 0 &&
           subscription->aor.len <= SIP_AOR_MAX;
}

uint64_t presence_stored_expires(struct slice value)
{
    struct cursor c = cursor_over(value);
    uint64_t version = store_take(&c, 1);

    store_take_text(&c, EXPIRES_AT - 1);
    uint64_t expires = store_take(&c, 8);
    return c.error == 0 && version >= VERSION && version <= NEWEST ? expires : NEVER;
}
