// What a turn of the loop does: what was asked for while messages were served, then what is due.
#include "presence/list.h"

#define BUDGET 256 // looks at records in a turn
#define SENT   64  // NOTIFYs that a turn sends: the others find room in the next, packets in between

void presence_ask_soon(struct role *role, struct subscription *subscription, const struct clock *now)
{
    struct presence *presence = role->presence;

    if (presence->asked_n < PRESENCE_ASKED_MAX)
        presence->asked[presence->asked_n++] =
            (struct presence_asked){subscription->check, subscription_slot(presence->table, subscription)};
    else // then it may overtake its answer, which RFC 6665 4.1.2.4 allows
        presence_act(role, subscription, subscription_ask(presence->table, subscription, now->ms), now);
}

static void ask_all(struct role *role, const struct clock *now)
{
    struct presence *presence = role->presence;

    for (unsigned i = 0; i < presence->asked_n; i++) {
        struct subscription *subscription =
            subscription_at(presence->table, presence->asked[i].slot, presence->asked[i].check);
        if (subscription != NULL)
            presence_act(role, subscription, subscription_ask(presence->table, subscription, now->ms), now);
    }
    presence->asked_n = 0;
}

void presence_touched(struct role *role, struct hash128 aor)
{
    struct presence *presence = role->presence;

    if (presence->touched_n < PRESENCE_TOUCHED_MAX)
        presence->touched[presence->touched_n++] = aor;
    else
        presence_reconsider(role, aor, &presence->now);
}

static void compose(struct role *role, struct subscription_presentity *presentity, const struct clock *now)
{
    const struct presence_package *package = presence_package_at(presentity->package);
    struct presence_composing composing = {
        .role = role,
        .presentity = presentity,
        .now = now,
        .aor = subscription_presentity_owner(role->presence->table, presentity),
    };

    struct subscription *first_one = subscription_next(role->presence->table, presentity, NULL);
    if (first_one != NULL && (first_one->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST)) {
        presence_list_compose(&composing, first_one);
        return;
    }
    if (package == NULL)
        return;
    // those that came out of the store are judged by what holds now
    bool first = presentity->version == 0;
    package->compose(&composing);
    if (first && !package->private)
        presence_reconsider_one(role, presentity, now);
}

void presence_turn(struct role *role, const struct clock *now)
{
    struct presence *presence = role->presence;
    struct subscription_due due;
    unsigned sent = 0;

    presence->now = *now;
    for (unsigned i = 0; i < presence->touched_n; i++)
        presence_reconsider(role, presence->touched[i], now);
    presence->touched_n = 0;
    presence_reconsider_next(role, now);
    ask_all(role, now);
    subscription_turn(presence->table, BUDGET);
    while (sent < SENT && subscription_due(presence->table, now->ms, &due)) {
        switch (due.kind) {
        case SUBSCRIPTION_DUE_COMPOSE:
            compose(role, due.presentity, now);
            break;
        case SUBSCRIPTION_DUE_WATCHER:
            presence_act(role, due.subscription, due.actions, now);
            sent++;
            break;
        case SUBSCRIPTION_DUE_PUBLICATION:
            presence_forget_publication(role, due.publication, now);
            break;
        default:
            break;
        }
    }
}
