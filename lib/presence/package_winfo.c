// presence.winfo (RFC 3857, 3858): who watches a user, told to himself alone: so he learns of those who wait for his
// consent. All watchers are in each document; those who ended are in it until they were told so.
#include "document/winfo.h"

#include "presence/parts.h"
#include "role/hex.h"

#define ID_MAX   32
#define TAIL_MAX 64 // bytes that end the document

static enum document_watcher_event event_of(const struct subscription *subscription)
{
    static const enum document_watcher_event ends[] = {
        [SUBSCRIPTION_NO_REASON] = DOCUMENT_WATCHER_TIMEOUT,
        [SUBSCRIPTION_DEACTIVATED] = DOCUMENT_WATCHER_DEACTIVATED,
        [SUBSCRIPTION_PROBATION] = DOCUMENT_WATCHER_PROBATION,
        [SUBSCRIPTION_REJECTED] = DOCUMENT_WATCHER_REJECTED,
        [SUBSCRIPTION_TIMEOUT] = DOCUMENT_WATCHER_TIMEOUT,
        [SUBSCRIPTION_GIVEUP] = DOCUMENT_WATCHER_GIVEUP,
        [SUBSCRIPTION_NORESOURCE] = DOCUMENT_WATCHER_NORESOURCE,
        [SUBSCRIPTION_INVARIANT] = DOCUMENT_WATCHER_NORESOURCE,
    };

    if (subscription->state == SUBSCRIPTION_TERMINATED)
        return ends[subscription->reason % (sizeof(ends) / sizeof(*ends))];
    return (enum document_watcher_event)subscription->mark[PRESENCE_MARK_EVENT];
}

static enum document_watcher_status status_of(const struct subscription *subscription)
{
    if (subscription->state == SUBSCRIPTION_TERMINATED && presence_waiting_becomes(subscription))
        return DOCUMENT_WATCHER_WAITING;
    switch (subscription->state) {
    case SUBSCRIPTION_PENDING:
        return DOCUMENT_WATCHER_PENDING;
    case SUBSCRIPTION_ACTIVE:
        return DOCUMENT_WATCHER_ACTIVE;
    default:
        return DOCUMENT_WATCHER_TERMINATED;
    }
}

// RFC 3857 4.7.2: who was there for a moment, to be told once, was not there. Who waits is told of by himself.
static bool is_not_told_of(const struct subscription *subscription)
{
    bool passed = subscription->told == 0 && subscription->reason == SUBSCRIPTION_TIMEOUT;

    return subscription->state == SUBSCRIPTION_TERMINATED &&
           (passed || presence_waiting_becomes(subscription));
}

// Without the quotes, if it has any; what is escaped between them stays so.
static struct slice plain(struct slice display)
{
    if (display.len >= 2 && display.at[0] == '"')
        return slice_of(display.at + 1, display.len - 2);
    return display;
}

static void put(struct presence *presence, const struct document_watcher *watcher, struct document_text *text)
{
    uint32_t before = text->len;

    document_winfo_watcher(text, watcher);
    if (text->full || text->room - text->len < TAIL_MAX) { // left out
        text->len = before;
        text->full = false;
        presence->counters.overlong++;
    }
}

static void put_watcher(struct presence *presence, const struct subscription *subscription,
                        struct document_text *text)
{
    char room[ID_MAX];
    struct document_text id = document_text_over(room, sizeof(room));
    struct sip_address address;

    if (is_not_told_of(subscription) ||
        sip_address_parse(presence_text_of(presence, subscription, SUBSCRIPTION_REMOTE_URI), &address) !=
            SIP_OK)
        return;
    // one slot has one subscription at a time
    document_text_number(&id, subscription_slot(presence->table, subscription));
    document_text_add(&id, SLICE("-"));
    document_text_number(&id, subscription->own[PRESENCE_OWN_BEGAN]);
    const struct document_watcher watcher = {
        .id = document_slice(&id),
        .uri = presence_watcher(presence, subscription),
        .display_name = plain(address.display),
        .status = status_of(subscription),
        .event = event_of(subscription),
        .expiration_s = -1, // these change all the time
        .subscribed_s = -1,
    };
    put(presence, &watcher, text);
}

// Those who are not there any more, and whom nobody has allowed or forbidden.
static void put_waiting(const struct presence_composing *composing, struct hash128 aor,
                        struct document_text *text)
{
    const struct presence_waiting *waiting;
    unsigned position = 0;

    while ((waiting = presence_waiting_next(composing, aor, &position)) != NULL) {
        char id[1 + 16] = "w";
        role_hex_write(role_hex_write(id + 1, (uint32_t)(waiting->watcher >> 32)),
                       (uint32_t)waiting->watcher);
        const struct document_watcher watcher = {
            .id = slice_of(id, sizeof(id)),
            .uri = slice_of(waiting->uri, waiting->uri_len),
            .status = DOCUMENT_WATCHER_WAITING,
            .event = DOCUMENT_WATCHER_TIMEOUT,
            .expiration_s = -1,
            .subscribed_s = -1,
        };
        put(composing->role->presence, &watcher, text);
    }
}

static void compose(struct presence_composing *composing)
{
    struct presence *presence = composing->role->presence;
    struct hash128 aor = role_presentity_aor(composing->presentity->key, ROLE_PACKAGE_WINFO);
    const struct subscription_presentity *watched =
        subscription_presentity_find(presence->table, role_presentity_key(aor, ROLE_PACKAGE_PRESENCE));
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));
    const struct subscription *subscription = NULL;

    while (watched != NULL &&
           (subscription = subscription_next(presence->table, watched, subscription)) != NULL) {
        if (subscription->state == SUBSCRIPTION_TERMINATED)
            presence_waiting_put(composing->role, subscription, composing->now);
    }
    document_winfo_begin(&text, 0, true, presence_entity(presence, composing->aor), SLICE("presence"));
    // what does not fit a message is left out, but for those who wait
    for (unsigned waiting = 1; waiting <= 1; waiting--) {
        while (watched != NULL &&
               (subscription = subscription_next(presence->table, watched, subscription)) != NULL) {
            if ((subscription->state == SUBSCRIPTION_PENDING) == (waiting == 1))
                put_watcher(presence, subscription, &text);
        }
        if (waiting == 1)
            put_waiting(composing, aor, &text);
    }
    document_winfo_end(&text);
    presence_document_put(composing, presence_tag_of(text.at, text.len), PRESENCE_TYPE_WINFO,
                          document_slice(&text));
}

const struct presence_package presence_package_winfo = {
    .name = {"presence.winfo", 14},
    .number = ROLE_PACKAGE_WINFO,
    .type = PRESENCE_TYPE_WINFO,
    .told = PRESENCE_TYPE_BIT(PRESENCE_TYPE_WINFO),
    .private = true, // RFC 3857 4.5
    .compose = compose,
};
