#include "presence/list.h"

#define INTERVAL_MIN_MS 1000 // between two looks at all members, whatever [presence] notify_interval says

struct hash128 presence_list_key(struct hash128 aor, enum role_package package, uint64_t check)
{
    struct hash128 key = role_presentity_key(aor, package);

    key.low ^= check * UINT64_C(0xd6e8feb86659fd93);
    return key;
}

const struct roster_list *presence_list_of(const struct role *role, const struct presence_package *package,
                                           struct slice aor)
{
    return package->private ? NULL : roster_list(role->roster, aor);
}

unsigned presence_list_watcher(const struct role *role, const struct subscription *subscription,
                               char aor[SIP_AOR_MAX])
{
    return presence_aor_of_entity(role, presence_watcher(role->presence, subscription), aor);
}

static bool is_ours(const struct role *role, const struct roster_member *member)
{
    struct sip_uri uri;

    return sip_uri_parse(member->uri, &uri) == SIP_OK &&
           role_route_where(role->route, &uri).place == ROLE_DOMAIN;
}

void presence_list_look(struct role *role, const struct presence_package *package,
                        const struct roster_member *member, struct slice watcher, uint64_t now_ms,
                        struct presence_list_view *view)
{
    const struct presence *presence = role->presence;

    *view = (struct presence_list_view){.ours = is_ours(role, member), .tag = 1};
    if (!view->ours)
        return;
    view->aor = location_key(role->location, member->aor);
    view->admission = presence_admit(role, package, member->aor, watcher, false);
    if (view->admission != PRESENCE_ADMITTED) {
        view->tag = 2 + (uint64_t)view->admission;
        return;
    }
    const struct presence *owner = presence->all[location_owner(role->location, view->aor)];
    view->body = subscription_document_read(owner->table, role_presentity_key(view->aor, package->number));
    view->tag = view->body != NULL ? view->body->tag : package->absent_tag(role, view->aor, now_ms);
}

static uint64_t list_tag(const struct role *role, const struct roster_list *list, unsigned most)
{
    struct roster_member member;
    uint64_t position = 0, tag = most;

    while (most-- > 0 && roster_list_next(role->roster, list, &position, &member)) {
        const uint64_t parts[] = {tag, presence_tag_of(member.uri.at, member.uri.len),
                                  presence_tag_of(member.name.at, member.name.len)};
        tag = presence_tag_of(parts, sizeof(parts));
    }
    return tag;
}

// What there is now, compared with what was seen. Returns its tag, which is the same whenever that is (RFC 5839 6.5).
static uint64_t look_at_all(struct role *role, const struct presence_package *package,
                            const struct roster_list *list, struct slice watcher, uint64_t now_ms,
                            const struct presence_list_state *before, struct presence_list_state *state)
{
    unsigned members = roster_list_members(list);
    struct presence_list_view view;
    struct roster_member member;
    uint64_t position = 0;

    members = members < role->conf->list_max ? members : role->conf->list_max;
    uint64_t tag = list_tag(role, list, members);
    bool same = before != NULL && before->list == tag && before->members == members;
    *state = (struct presence_list_state){
        .list = tag,
        .version = before != NULL ? before->version + 1 : 1,
        .members = members,
    };
    state->full = same ? before->full : state->version;
    for (unsigned i = 0; i < members && roster_list_next(role->roster, list, &position, &member); i++) {
        presence_list_look(role, package, &member, watcher, now_ms, &view);
        bool kept = same && before->member[i].tag == view.tag;
        state->member[i] = (struct presence_list_member){
            .tag = view.tag, .changed = kept ? before->member[i].changed : state->version};
        const uint64_t parts[] = {tag, view.tag};
        tag = presence_tag_of(parts, sizeof(parts));
    }
    return tag;
}

// The list is no more.
static void end(struct presence_composing *composing, struct subscription *subscription)
{
    struct presence *presence = composing->role->presence;

    presence_document_put(composing, composing->presentity->tag != 0 ? composing->presentity->tag : 1,
                          PRESENCE_TYPE_LIST, SLICE(""));
    presence_act(composing->role, subscription,
                 subscription_state_set(presence->table, subscription, SUBSCRIPTION_TERMINATED,
                                        SUBSCRIPTION_NORESOURCE, composing->now->ms),
                 composing->now);
}

void presence_list_compose(struct presence_composing *composing, struct subscription *subscription)
{
    struct role *role = composing->role;
    struct presence *presence = role->presence;
    struct subscription_presentity *presentity = composing->presentity;
    const struct presence_package *package = presence_package_at(presentity->package);
    const struct roster_list *list = presence_list_of(role, package, composing->aor);
    const struct subscription_body *old =
        subscription_body(presence->table, presentity->forms[PRESENCE_FORM_WHOLE]);
    struct presence_list_state *state = (struct presence_list_state *)(void *)presence->block;
    uint64_t now_ms = composing->now->ms;
    uint32_t interval = role->conf->notify_ms > INTERVAL_MIN_MS ? role->conf->notify_ms : INTERVAL_MIN_MS;
    char watcher[SIP_AOR_MAX];

    if (list == NULL) {
        end(composing, subscription);
        return;
    }
    unsigned len = presence_list_watcher(role, subscription, watcher);
    subscription_presentity_recompose(presence->table, presentity, now_ms + interval, now_ms);
    uint64_t tag =
        look_at_all(role, package, list, slice_of(watcher, len), now_ms,
                    old != NULL ? (const struct presence_list_state *)(const void *)old->bytes : NULL, state);
    uint32_t bytes = (uint32_t)(sizeof(*state) + state->members * sizeof(state->member[0]));
    presence_document_put(composing, tag, PRESENCE_TYPE_LIST, slice_of((const char *)state, bytes));
}
