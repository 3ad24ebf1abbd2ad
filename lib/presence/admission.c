// Who may watch whom: what the user said (roster/roster.h), else [presence] policy.
#include "document/winfo.h"
#include "presence/parts.h"

static struct slice domain_of(struct slice aor)
{
    uint32_t at = slice_find(aor, '@');

    return at < aor.len ? slice_of(aor.at + at + 1, aor.len - at - 1) : slice_of("", 0);
}

static enum presence_admission admit_undecided(const struct conf *conf, struct slice presentity,
                                               struct slice watcher)
{
    struct slice domain = domain_of(presentity);

    if (conf->presence_policy == CONF_PRESENCE_OPEN)
        return PRESENCE_ADMITTED;
    if (conf->presence_policy == CONF_PRESENCE_DOMAIN && domain.len > 0 &&
        slice_equal(domain, domain_of(watcher)))
        return PRESENCE_ADMITTED;
    return PRESENCE_WAITING;
}

enum presence_admission presence_admit(const struct role *role, const struct presence_package *package,
                                       struct slice presentity, struct slice watcher, bool trusted)
{
    if (slice_equal(presentity, watcher))
        return PRESENCE_ADMITTED;
    if (package->private)
        return trusted ? PRESENCE_ADMITTED : PRESENCE_REFUSED;
    switch (roster_rule(role->roster, presentity, watcher)) {
    case ROSTER_ALLOW:
        return PRESENCE_ADMITTED;
    case ROSTER_POLITE:
        return PRESENCE_BLINDED;
    case ROSTER_BLOCK:
        return role->conf->presence_polite ? PRESENCE_BLINDED : PRESENCE_REFUSED;
    case ROSTER_CONFIRM:
        return PRESENCE_WAITING;
    default:
        return admit_undecided(role->conf, presentity, watcher);
    }
}

unsigned presence_admission_set(struct presence *presence, struct subscription *subscription,
                                enum presence_admission admission, const struct clock *now)
{
    uint8_t *flags = &subscription->mark[PRESENCE_MARK_FLAGS];
    bool was_blind = subscription->blind;
    unsigned actions;

    if (admission == PRESENCE_REFUSED)
        return subscription_state_set(presence->table, subscription, SUBSCRIPTION_TERMINATED,
                                      SUBSCRIPTION_REJECTED, now->ms);
    subscription->blind = admission == PRESENCE_BLINDED;
    if (admission == PRESENCE_WAITING) {
        *flags &= (uint8_t)~PRESENCE_SHOWN;
        return subscription_state_set(presence->table, subscription, SUBSCRIPTION_PENDING,
                                      SUBSCRIPTION_NO_REASON, now->ms);
    }
    if (subscription->state == SUBSCRIPTION_PENDING)
        subscription->mark[PRESENCE_MARK_EVENT] = DOCUMENT_WATCHER_APPROVED;
    *flags |= PRESENCE_SHOWN;
    actions = subscription_state_set(presence->table, subscription, SUBSCRIPTION_ACTIVE,
                                     SUBSCRIPTION_NO_REASON, now->ms);
    if (was_blind != subscription->blind && !subscription->held) // what he sees is another document now
        actions |= subscription_ask(presence->table, subscription, now->ms);
    return actions;
}

// RFC 3857 4: who watches is itself something to be watched, by the presentity.
void presence_tell_winfo(struct presence *presence, const struct subscription *subscription)
{
    const struct subscription_presentity *presentity =
        subscription_presentity_at(presence->table, subscription->presentity);
    struct hash128 key;

    if (presentity == NULL || presentity->package != ROLE_PACKAGE_PRESENCE ||
        (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST))
        return;
    key =
        role_presentity_key(role_presentity_aor(presentity->key, ROLE_PACKAGE_PRESENCE), ROLE_PACKAGE_WINFO);
    subscription_touch(presence->table, key);
}

// One who is rejected stays so; all others may be judged otherwise than before.
void presence_reconsider_one(struct role *role, struct subscription_presentity *presentity,
                             const struct clock *now)
{
    struct presence *presence = role->presence;
    const struct presence_package *package = presence_package_at(presentity->package);
    struct slice aor = subscription_presentity_owner(presence->table, presentity);
    struct subscription *subscription = NULL, *next;

    for (subscription = subscription_next(presence->table, presentity, NULL); subscription != NULL;
         subscription = next) {
        char watcher[SIP_AOR_MAX];
        unsigned len;
        next = subscription_next(presence->table, presentity, subscription); // this one may be gone then
        if (subscription->state == SUBSCRIPTION_TERMINATED)
            continue;
        len = presence_aor_of_entity(role, presence_watcher(presence, subscription), watcher);
        presence_act(role, subscription,
                     presence_admission_set(
                         presence, subscription,
                         presence_admit(role, package, aor, slice_of(watcher, len),
                                        (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_TRUSTED) != 0),
                         now),
                     now);
    }
    subscription_touch(
        presence->table,
        role_presentity_key(role_presentity_aor(presentity->key, presentity->package), ROLE_PACKAGE_WINFO));
}

#define PLACES 64 // that a call looks at for one

void presence_reconsider_next(struct role *role, const struct clock *now)
{
    struct presence *presence = role->presence;
    const struct subscription_presentity *found;

    if (presence->anew == SUBSCRIPTION_WALK_END)
        return;
    found = subscription_presentity_walk(presence->table, &presence->anew, PLACES);
    if (found == NULL)
        return;
    struct subscription_presentity *presentity = subscription_presentity_find(presence->table, found->key);
    if (!presence_package_at(presentity->package)->private)
        presence_reconsider_one(role, presentity, now);
    subscription_presentity_touch(presence->table, presentity);
}

void presence_reconsider(struct role *role, struct hash128 aor, const struct clock *now)
{
    for (uint8_t number = 1; number < ROLE_PACKAGES; number++) {
        const struct presence_package *package = presence_package_at(number);
        struct subscription_presentity *presentity =
            package == NULL
                ? NULL
                : subscription_presentity_find(role->presence->table, role_presentity_key(aor, number));
        if (presentity != NULL && !package->private)
            presence_reconsider_one(role, presentity, now);
    }
    subscription_touch(role->presence->table, role_presentity_key(aor, ROLE_PACKAGE_WINFO));
}
