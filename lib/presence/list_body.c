// The body of a list's NOTIFY: multipart/related, its first part RLMI (RFC 4662 5).
#include "document/rlmi.h"

#include "presence/list.h"
#include "role/hex.h"

#define DIGITS    16
#define CID_MAX   (10 + 1 + DIGITS + 1 + SIP_AOR_MAX)
#define FRAME_MAX (1024 + 2 * SIP_AOR_MAX)            // bytes of Content-Type, list and boundaries around all
#define ROOM      (PRESENCE_DOCUMENT_MAX - FRAME_MAX) // for members and their parts, in an ordinary message
#define ROOM_MAX  (PRESENCE_LIST_MAX - FRAME_MAX)     // in the longest

_Static_assert(ROOM_MAX >= 2 * PRESENCE_DOCUMENT_MAX, "each member fits a message of its own");

struct writing {
    struct role *role;
    const struct presence_package *package;
    const struct presence_list_state *state;
    struct subscription *subscription;
    struct slice watcher, aor; // of the list
    uint64_t now_ms;
    struct document_text list, parts;
    uint32_t room;  // for both
    uint32_t names; // bytes of that for names which are still to come
    char boundary[DIGITS];
    bool whole; // every member was named
};

static void write_digits(uint64_t number, char digits[DIGITS])
{
    role_hex_write(role_hex_write(digits, (uint32_t)(number >> 32)), (uint32_t)number);
}

// "N.TAG@example.com": the same content has the same.
static struct slice cid_of(const struct writing *writing, uint64_t number, uint64_t tag, char room[CID_MAX])
{
    struct document_text text = document_text_over(room, CID_MAX);
    uint32_t at = slice_find(writing->aor, '@');
    char digits[DIGITS];

    write_digits(tag, digits);
    document_text_number(&text, number);
    document_text_add(&text, SLICE("."));
    document_text_add(&text, slice_of(digits, DIGITS));
    document_text_add(&text, SLICE("@"));
    document_text_add(&text, at < writing->aor.len
                                 ? slice_of(writing->aor.at + at + 1, writing->aor.len - at - 1)
                                 : SLICE("localhost"));
    return document_slice(&text);
}

static struct slice content_of(struct writing *writing, const struct roster_member *member,
                               const struct presence_list_view *view, enum presence_type *type)
{
    struct presence *presence = writing->role->presence;

    *type = (enum presence_type)writing->package->type;
    if (view->admission == PRESENCE_BLINDED)
        return writing->package->blind(presence, member->aor);
    if (view->body == NULL)
        return writing->package->absent(writing->role, view->aor, member->aor, writing->now_ms);
    *type = (enum presence_type)view->body->type;
    return slice_of(view->body->bytes, view->body->len);
}

// What has a version has that of the list's document, which rises like one of its own (RFC 4662 5.6).
static void put_content(struct writing *writing, enum presence_type type, struct slice content)
{
    struct slice before, after;
    bool numbered = presence_content_split(type, content, &before, &after);

    document_text_add(&writing->parts, before);
    if (numbered)
        document_text_number(&writing->parts, writing->subscription->version);
    document_text_add(&writing->parts, after);
}

static void put_instance(struct writing *writing, const struct roster_member *member, unsigned number,
                         const struct presence_list_view *view)
{
    char id[DIGITS], room[CID_MAX];
    struct document_instance instance = {.cid = SLICE("")};
    enum presence_type type = PRESENCE_TYPE_NONE;
    struct slice content = SLICE("");

    write_digits(presence_tag_of(member->aor.at, member->aor.len), id);
    instance.id = slice_of(id, DIGITS);
    switch (view->admission) {
    case PRESENCE_REFUSED:
        instance.state = DOCUMENT_INSTANCE_TERMINATED;
        instance.reason = SLICE("rejected");
        break;
    case PRESENCE_WAITING:
        instance.state = DOCUMENT_INSTANCE_PENDING;
        break;
    default:
        instance.state = DOCUMENT_INSTANCE_ACTIVE;
        content = content_of(writing, member, view, &type);
    }
    if (content.len > 0) {
        instance.cid = cid_of(writing, number, presence_tag_of(content.at, content.len), room);
        document_related_part(&writing->parts, slice_of(writing->boundary, DIGITS), instance.cid,
                              presence_type_name(type));
        put_content(writing, type, content);
    }
    document_rlmi_instance(&writing->list, &instance);
}

// False: there was no room for it any more, and nothing of it is written.
static bool put_member(struct writing *writing, const struct roster_member *member, unsigned number)
{
    struct document_text list = writing->list, parts = writing->parts;
    struct presence_list_view view;

    presence_list_look(writing->role, writing->package, member, writing->watcher, writing->now_ms, &view);
    document_rlmi_resource(&writing->list, member->uri, member->name);
    if (view.ours)
        put_instance(writing, member, number, &view);
    document_rlmi_resource_end(&writing->list);
    bool alone = list.len == 0 && writing->names == 0;
    if (!writing->list.full && !writing->parts.full &&
        writing->list.len + writing->parts.len + writing->names <= (alone ? ROOM_MAX : writing->room))
        return true;
    writing->list = list;
    writing->parts = parts;
    return false;
}

static void write_name(struct document_text *text, const struct roster_member *member)
{
    document_rlmi_resource(text, member->uri, SLICE(""));
    document_rlmi_resource_end(text);
}

// One of which there is more to say than this: only that it is there.
static bool put_name(struct writing *writing, const struct roster_member *member)
{
    struct document_text list = writing->list;

    write_name(&writing->list, member);
    if (!writing->list.full && writing->list.len + writing->parts.len <= writing->room)
        return true;
    writing->list = list;
    return false;
}

// Bytes that put_name writes of it.
static uint32_t name_len(const struct writing *writing, const struct roster_member *member)
{
    struct presence *presence = writing->role->presence;
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));

    write_name(&text, member);
    return text.len;
}

static uint32_t names_len(const struct writing *writing, const struct roster_list *list)
{
    struct roster_member member;
    uint64_t position = 0;
    uint32_t bytes = 0;

    for (unsigned i = 0;
         i < writing->state->members && roster_list_next(writing->role->roster, list, &position, &member);
         i++)
        bytes += name_len(writing, &member);
    return bytes;
}

// From the member on that is next. Returns the one that follows in the next NOTIFY, counted from 1; 0: none.
static unsigned put_members(struct writing *writing, const struct roster_list *list)
{
    const uint64_t *own = writing->subscription->own;
    const struct presence_list_state *state = writing->state;
    bool full = own[PRESENCE_OWN_FULL] != 0, names = full && own[PRESENCE_OWN_CURSOR] == 0;
    struct roster_member member;
    uint64_t position = 0;
    unsigned next = 0;

    writing->whole = names;
    writing->names = names ? names_len(writing, list) : 0;
    for (unsigned i = 0;
         i < state->members && roster_list_next(writing->role->roster, list, &position, &member); i++) {
        if (names)
            writing->names -= name_len(writing, &member);
        if (i + 1 < own[PRESENCE_OWN_CURSOR] || (!full && state->member[i].changed <= own[PRESENCE_OWN_TOLD]))
            continue;
        if (next == 0 && put_member(writing, &member, i))
            continue;
        next = next == 0 ? i + 1 : next;
        if (!names)
            break;
        writing->whole = put_name(writing, &member) && writing->whole;
    }
    return next;
}

// Everything behind one another, with the Content-Type in front as presence_content_read takes it off again.
static struct slice assemble(struct writing *writing)
{
    struct presence *presence = writing->role->presence;
    struct document_text text = document_text_over(presence->message, sizeof(presence->message));
    struct slice boundary = slice_of(writing->boundary, DIGITS);
    char room[CID_MAX];
    struct slice cid = cid_of(writing, writing->state->members, writing->state->version, room);

    document_related_type(&text, boundary, cid);
    document_text_add(&text, SLICE("\r\n"));
    document_related_begin(&text, boundary, cid);
    document_rlmi_begin(&text, presence_entity(presence, writing->aor), 0, writing->whole, SLICE(""));
    document_text_add(&text, document_slice(&writing->list));
    document_rlmi_end(&text);
    document_text_add(&text, document_slice(&writing->parts));
    document_related_end(&text, boundary);
    return text.full ? SLICE("") : document_slice(&text);
}

void presence_list_begin(struct subscription *subscription)
{
    uint64_t *own = subscription->own;

    own[PRESENCE_OWN_TOLD] = own[PRESENCE_OWN_SENDING] = own[PRESENCE_OWN_CURSOR] = own[PRESENCE_OWN_NEXT] =
        0;
}

// Of a fetch: nothing can follow.
static bool is_only(const struct subscription *subscription)
{
    return subscription->state == SUBSCRIPTION_TERMINATED && subscription->told == 0;
}

// All of it where the watcher has not got that since it is as it is, or where that fits an ordinary message; else what
// changed since he was told.
static void put_list(struct writing *writing, const struct roster_list *list)
{
    const struct presence_list_state *state = writing->state;
    uint64_t *own = writing->subscription->own;
    bool needed = own[PRESENCE_OWN_TOLD] == 0 || state->full > own[PRESENCE_OWN_TOLD];
    bool first = own[PRESENCE_OWN_CURSOR] == 0;
    uint32_t names = first && needed ? names_len(writing, list) : 0;

    writing->room = names <= ROOM ? ROOM : names < ROOM_MAX ? names : ROOM_MAX;
    if (is_only(writing->subscription))
        writing->room = ROOM_MAX;
    if (first) {
        own[PRESENCE_OWN_SENDING] = state->version;
        own[PRESENCE_OWN_FULL] = needed || !own[PRESENCE_OWN_LONG];
    }
    own[PRESENCE_OWN_NEXT] = put_members(writing, list);
    if (!first || !own[PRESENCE_OWN_FULL] || own[PRESENCE_OWN_NEXT] == 0)
        return;
    own[PRESENCE_OWN_LONG] = true;
    if (!needed) { // from now on it is what changed
        own[PRESENCE_OWN_FULL] = false;
        writing->list.len = writing->parts.len = 0;
        own[PRESENCE_OWN_NEXT] = put_members(writing, list);
    }
}

// Whether the watcher has all that was seen once this NOTIFY is answered.
static bool is_last(const struct writing *writing)
{
    const uint64_t *own = writing->subscription->own;

    return own[PRESENCE_OWN_NEXT] == 0 && own[PRESENCE_OWN_SENDING] == writing->state->version;
}

static uint32_t nothing(struct subscription *subscription)
{
    presence_list_begin(subscription);
    return 0;
}

uint32_t presence_list_choose(struct role *role, const struct subscription_presentity *presentity,
                              struct subscription *subscription, const struct clock *now)
{
    struct presence *presence = role->presence;
    const struct presence_package *package = presence_package_at(presentity->package);
    const struct subscription_body *seen =
        subscription_body(presence->table, presentity->forms[PRESENCE_FORM_WHOLE]);
    struct slice aor = subscription_presentity_owner(presence->table, presentity);
    const struct roster_list *list = presence_list_of(role, package, aor);
    const uint64_t drawn[] = {subscription->check, subscription->local_cseq + 1};
    char watcher[SIP_AOR_MAX];

    if (seen == NULL || seen->len < sizeof(struct presence_list_state) || list == NULL)
        return nothing(subscription);
    struct writing writing = {
        .role = role,
        .package = package,
        .state = (const struct presence_list_state *)(const void *)seen->bytes,
        .subscription = subscription,
        .watcher = slice_of(watcher, presence_list_watcher(role, subscription, watcher)),
        .aor = aor,
        .now_ms = now->ms,
        .list = document_text_over(presence->list, sizeof(presence->list)),
        .parts = document_text_over(presence->parts, sizeof(presence->parts)),
    };
    write_digits(hash_sip13(&role->secret, drawn, sizeof(drawn)).low, writing.boundary);
    put_list(&writing, list);
    struct slice bytes = assemble(&writing);
    uint32_t body = bytes.len == 0 ? 0 : subscription_body_make(presence->table, PRESENCE_TYPE_LIST, bytes);
    const uint64_t piece[] = {presentity->tag, subscription->local_cseq};
    // A part is not the document yet (RFC 5839 6.4), and what it lacks is news.
    if (body == 0 || !is_last(&writing))
        subscription->own[PRESENCE_OWN_TAG] = presence_tag_of(piece, sizeof(piece));
    return body != 0 ? body : nothing(subscription);
}

bool presence_list_answered(struct subscription *subscription, uint16_t status)
{
    uint64_t *own = subscription->own;

    if (status < 200)
        return false;
    if (status >= 300) { // from the beginning, when it is tried again
        presence_list_begin(subscription);
        return false;
    }
    own[PRESENCE_OWN_CURSOR] = own[PRESENCE_OWN_NEXT];
    if (own[PRESENCE_OWN_CURSOR] == 0)
        own[PRESENCE_OWN_TOLD] = own[PRESENCE_OWN_SENDING];
    return own[PRESENCE_OWN_CURSOR] != 0;
}
