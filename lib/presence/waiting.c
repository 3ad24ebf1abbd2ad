// Who waited for consent until his time was up, or asked but once (RFC 3857 4.7.1): the user is told of him until he
// decides, until that one asks again, or until a week is over. A few for each user, in memory alone; the latest stay.
#include "presence/parts.h"

#define LIFE_MS UINT64_C(604800000)

static struct presence_waiting *places_of(struct presence *presence, struct hash128 aor)
{
    return &presence->waiting[aor.low % PRESENCE_WAITING_USERS * PRESENCE_WAITING_EACH];
}

static bool is_of(const struct presence_waiting *waiting, struct hash128 aor, uint64_t now_ms)
{
    return waiting->until_ms > now_ms && hash128_equal(waiting->aor, aor);
}

// Whom he watches, and his own address of record as a number. False: what nobody is asked about.
static bool identify(const struct role *role, const struct subscription *subscription, struct hash128 *aor,
                     uint64_t *watcher)
{
    const struct presence *presence = role->presence;
    const struct subscription_presentity *presentity =
        subscription_presentity_at(presence->table, subscription->presentity);
    char text[SIP_AOR_MAX];
    unsigned len;

    if (presentity->package != ROLE_PACKAGE_PRESENCE ||
        (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST))
        return false;
    len = presence_aor_of_entity(role, presence_watcher(presence, subscription), text);
    *aor = role_presentity_aor(presentity->key, ROLE_PACKAGE_PRESENCE);
    *watcher = presence_tag_of(text, len);
    return len > 0;
}

bool presence_waiting_becomes(const struct subscription *subscription)
{
    return !(subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_SHOWN) &&
           (subscription->reason == SUBSCRIPTION_NO_REASON || subscription->reason == SUBSCRIPTION_TIMEOUT);
}

void presence_waiting_put(const struct role *role, const struct subscription *subscription,
                          const struct clock *now)
{
    struct presence *presence = role->presence;
    struct slice uri = presence_watcher(presence, subscription);
    struct presence_waiting *places, *place;
    uint64_t watcher;
    struct hash128 aor;

    if (!presence_waiting_becomes(subscription) || uri.len > sizeof(place->uri) ||
        !identify(role, subscription, &aor, &watcher))
        return;
    place = places = places_of(presence, aor);
    for (unsigned i = 0; i < PRESENCE_WAITING_EACH; i++) {
        if (is_of(&places[i], aor, now->ms) && places[i].watcher == watcher) {
            place = &places[i];
            break;
        }
        if (places[i].until_ms < place->until_ms)
            place = &places[i];
    }
    *place = (struct presence_waiting){
        .aor = aor, .watcher = watcher, .until_ms = now->ms + LIFE_MS, .uri_len = (uint16_t)uri.len};
    memcpy(place->uri, uri.at, uri.len);
}

void presence_waiting_drop(const struct role *role, const struct subscription *subscription,
                           const struct clock *now)
{
    struct presence_waiting *places;
    uint64_t watcher;
    struct hash128 aor;

    if (!identify(role, subscription, &aor, &watcher))
        return;
    places = places_of(role->presence, aor);
    for (unsigned i = 0; i < PRESENCE_WAITING_EACH; i++) {
        if (is_of(&places[i], aor, now->ms) && places[i].watcher == watcher)
            places[i].until_ms = 0;
    }
}

const struct presence_waiting *presence_waiting_next(const struct presence_composing *composing,
                                                     struct hash128 aor, unsigned *position)
{
    const struct role *role = composing->role;
    struct presence_waiting *places = places_of(role->presence, aor);
    char text[SIP_AOR_MAX];

    while (*position < PRESENCE_WAITING_EACH) {
        struct presence_waiting *place = &places[(*position)++];
        if (!is_of(place, aor, composing->now->ms))
            continue;
        unsigned len = presence_aor_of_entity(role, slice_of(place->uri, place->uri_len), text);
        if (presence_admit(role, &presence_package_presence, composing->aor, slice_of(text, len), false) ==
            PRESENCE_WAITING)
            return place;
        place->until_ms = 0; // it is decided
    }
    return NULL;
}
