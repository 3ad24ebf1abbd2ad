// What a NOTIFY carries: which of the document's forms, and its bytes with the number that they have for this watcher.
#include "presence/list.h"

#define VERSION      " version=\"0\""
#define VERSION_SEEN 2048 // bytes in which it stands, where a document has one

// RFC 5263 4.4: the difference to what the watcher has for certain, else all of it; also where he asked by SUBSCRIBE.
static uint32_t choose_partial(const struct presence *presence,
                               const struct subscription_presentity *presentity,
                               const struct subscription *subscription)
{
    const struct subscription_body *difference =
        subscription_body(presence->table, presentity->forms[PRESENCE_FORM_DIFFERENCE]);

    if (!subscription->wanted && difference != NULL && difference->base != 0 &&
        difference->base == subscription->has)
        return presentity->forms[PRESENCE_FORM_DIFFERENCE];
    if (presentity->forms[PRESENCE_FORM_FULL] != 0)
        return presentity->forms[PRESENCE_FORM_FULL];
    return presentity->forms[PRESENCE_FORM_WHOLE];
}

uint64_t presence_content_tag(const struct role *role, const struct subscription_presentity *presentity,
                              const struct subscription *subscription)
{
    const struct presence_package *package = presence_package_at(presentity->package);

    if (!(subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_SHOWN))
        return 0;
    if (!subscription->blind)
        return presentity->tag;
    struct slice blind =
        package->blind(role->presence, subscription_presentity_owner(role->presence->table, presentity));
    return presence_tag_of(blind.at, blind.len);
}

// What one would see of a user who is away, in the form that he takes.
static uint32_t choose_blind(struct presence *presence, const struct subscription_presentity *presentity,
                             const struct subscription *subscription)
{
    const struct presence_package *package = presence_package_at(presentity->package);
    struct slice aor = subscription_presentity_owner(presence->table, presentity);
    bool partial = package->blind_partial != NULL &&
                   (subscription->accept & PRESENCE_TYPE_BIT(PRESENCE_TYPE_PIDF_DIFF)) != 0;
    struct slice blind = partial ? package->blind_partial(presence, aor) : package->blind(presence, aor);

    return blind.len == 0 ? 0
                          : subscription_body_make(presence->table,
                                                   partial ? PRESENCE_TYPE_PIDF_DIFF : package->type, blind);
}

uint32_t presence_content_choose(struct role *role, const struct subscription_presentity *presentity,
                                 struct subscription *subscription, const struct clock *now)
{
    struct presence *presence = role->presence;
    bool says =
        (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_SHOWN) &&
        !subscription_is_bodyless(subscription, presence_content_tag(role, presentity, subscription)) &&
        subscription->reason != SUBSCRIPTION_REJECTED;
    bool list = subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST;

    if (list && (!says || subscription->blind)) // nothing of it, so the next that does says all
        presence_list_begin(subscription);
    if (!says)
        return 0;
    if (subscription->blind)
        return choose_blind(presence, presentity, subscription);
    if (list)
        return presence_list_choose(role, presentity, subscription, now);
    if (subscription->accept & PRESENCE_TYPE_BIT(PRESENCE_TYPE_PIDF_DIFF))
        return choose_partial(presence, presentity, subscription);
    return presentity->forms[PRESENCE_FORM_WHOLE];
}

static bool is_numbered(enum presence_type type)
{
    return type != PRESENCE_TYPE_PIDF && type != PRESENCE_TYPE_SUMMARY;
}

bool presence_content_is_numbered(const struct subscription_body *body)
{
    return body != NULL && is_numbered((enum presence_type)body->type);
}

// They are written with number 0, in their roots.
bool presence_content_split(enum presence_type type, struct slice bytes, struct slice *before,
                            struct slice *after)
{
    uint32_t seen = bytes.len < VERSION_SEEN ? bytes.len : VERSION_SEEN;
    const char *at = is_numbered(type) ? memmem(bytes.at, seen, VERSION, sizeof(VERSION) - 1) : NULL;
    uint32_t len = at != NULL ? (uint32_t)(at - bytes.at) + sizeof(VERSION) - 3 : bytes.len;

    *before = slice_of(bytes.at, len);
    *after = at != NULL ? slice_of(bytes.at + len + 1, bytes.len - len - 1) : SLICE("");
    return at != NULL;
}

// Documents are shared by all who watch, and numbered for each of them from 0, or from 1 (RFC 5263 4.4).
void presence_content_read(const struct subscription_body *body, const struct subscription *subscription,
                           struct presence_content *content)
{
    *content = (struct presence_content){.type = SLICE("")};
    if (body == NULL || body->len == 0)
        return;
    content->type = presence_type_name((enum presence_type)body->type);
    content->before = slice_of(body->bytes, body->len);
    if (body->type == PRESENCE_TYPE_LIST) {
        uint32_t end = slice_find(content->before, '\r');
        content->type = slice_of(body->bytes, end);
        content->before = slice_of(body->bytes + end + 2, body->len - end - 2);
    }
    content->numbered = presence_content_split((enum presence_type)body->type, content->before,
                                               &content->before, &content->after);
    content->version = subscription->version - (body->type != PRESENCE_TYPE_PIDF_DIFF);
}
