// reg (RFC 3680): what is registered, all of it in each document, and what has just ended. What a refresh changes
// (expiry, CSeq) is not told: it would be news to nobody, every few minutes.
#include "document/reginfo.h"

#include "presence/parts.h"
#include "role/hex.h"

#define ID_DIGITS 16
#define TAIL_MAX  64 // bytes that end the document

// One contact of the document before, which is kept beside it: so the next can say what became of it.
struct known {
    uint64_t ends_ms; // or ended
    uint32_t len;     // of the URI, which follows
    uint8_t event;    // enum document_contact_event
};

// Those of a document, behind one another.
static bool next_known(struct slice *rest, struct known *known, struct slice *uri)
{
    if (rest->len < sizeof(*known))
        return false;
    memcpy(known, rest->at, sizeof(*known));
    *uri = slice_of(rest->at + sizeof(*known), known->len);
    *rest = slice_of(uri->at + uri->len, rest->len - (uint32_t)sizeof(*known) - known->len);
    return true;
}

static bool is_active(const struct known *known)
{
    return known->event == DOCUMENT_CONTACT_REGISTERED;
}

static bool has(struct slice contacts, struct slice uri)
{
    struct known known;
    struct slice other;

    while (next_known(&contacts, &known, &other)) {
        if (is_active(&known) && slice_equal(uri, other))
            return true;
    }
    return false;
}

static bool all_active_are_in(struct slice contacts, struct slice others)
{
    struct known known;
    struct slice uri;

    while (next_known(&contacts, &known, &uri)) {
        if (is_active(&known) && !has(others, uri))
            return false;
    }
    return true;
}

static void add_known(struct document_text *contacts, struct known known, struct slice uri)
{
    uint32_t len = contacts->len;

    known.len = uri.len;
    document_text_add(contacts, slice_of((const char *)&known, sizeof(known)));
    document_text_add(contacts, uri);
    if (contacts->full)
        contacts->len = len;
    contacts->full = false;
}

// RFC 3680 3.7.1. What ended stays for as long as somebody may still have to be told, and then until another contact
// comes or goes, so that nobody is told without news.
static void add_ended(struct document_text *contacts, struct slice before, uint64_t now_ms, uint64_t keep_ms)
{
    struct slice now = document_slice(contacts), uri;
    bool same = all_active_are_in(before, now) && all_active_are_in(now, before);
    struct known known;

    while (next_known(&before, &known, &uri)) {
        if (has(now, uri))
            continue;
        if (is_active(&known)) {
            known.event = known.ends_ms <= now_ms ? DOCUMENT_CONTACT_EXPIRED : DOCUMENT_CONTACT_UNREGISTERED;
            known.ends_ms = now_ms;
        } else if (!same && now_ms >= known.ends_ms + keep_ms) {
            continue;
        }
        add_known(contacts, known, uri);
    }
}

static struct slice id_of(struct slice text, char digits[ID_DIGITS])
{
    uint64_t id = presence_tag_of(text.at, text.len);

    role_hex_write(role_hex_write(digits, (uint32_t)(id >> 32)), (uint32_t)id);
    return slice_of(digits, ID_DIGITS);
}

// One for which there is no room is left out.
static void put_contact(struct presence *presence, struct document_text *text,
                        struct document_contact contact)
{
    uint32_t len = text->len;
    char digits[ID_DIGITS];

    contact.id = id_of(contact.uri, digits);
    contact.expires_s = contact.registered_s = -1;
    document_reginfo_contact(text, &contact);
    if (!text->full && text->room - text->len >= TAIL_MAX)
        return;
    text->len = len;
    text->full = false;
    presence->counters.overlong++;
}

// What is registered goes into the document and among the contacts. Returns when the first of it ends; 0: nothing is.
static uint64_t put_active(struct presence *presence, const struct location_set *set, uint64_t now_ms,
                           struct document_text *text, struct document_text *contacts)
{
    struct location_binding binding;
    unsigned position = 0;
    uint64_t ends_ms = 0;

    while (set != NULL && location_next(set, now_ms, &position, &binding)) {
        put_contact(presence, text,
                    (struct document_contact){
                        .uri = binding.contact, .event = DOCUMENT_CONTACT_REGISTERED, .q = binding.q});
        add_known(contacts,
                  (struct known){.ends_ms = binding.expires_ms, .event = DOCUMENT_CONTACT_REGISTERED},
                  binding.contact);
        ends_ms = ends_ms == 0 || binding.expires_ms < ends_ms ? binding.expires_ms : ends_ms;
    }
    return ends_ms;
}

static void put_ended(struct presence *presence, struct slice ended, struct document_text *text)
{
    struct known known;
    struct slice uri;

    while (next_known(&ended, &known, &uri))
        put_contact(presence, text,
                    (struct document_contact){
                        .uri = uri, .event = (enum document_contact_event)known.event, .q = UINT16_MAX});
}

// RFC 3680 3.7.1: who was registered and is no more is terminated, who never was is in its first state.
static void compose(struct presence_composing *composing)
{
    struct presence *presence = composing->role->presence;
    const struct conf *conf = composing->role->conf;
    struct subscription_presentity *presentity = composing->presentity;
    const struct location_set *set =
        location_find(composing->role->location, role_presentity_aor(presentity->key, ROLE_PACKAGE_REG));
    const struct subscription_body *before =
        subscription_body(presence->table, presentity->forms[PRESENCE_FORM_BLOCK]);
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));
    struct document_text contacts = document_text_over(presence->block, sizeof(presence->block));
    uint64_t now_ms = composing->now->ms;
    char digits[ID_DIGITS];
    struct location_binding first;
    unsigned position = 0;

    bool active = set != NULL && location_next(set, now_ms, &position, &first);
    enum document_registration_state state = active             ? DOCUMENT_REGISTRATION_ACTIVE
                                             : presentity->seen ? DOCUMENT_REGISTRATION_TERMINATED
                                                                : DOCUMENT_REGISTRATION_INIT;
    presentity->seen |= active;
    document_reginfo_begin(&text, 0, true);
    document_reginfo_registration(&text, presence_entity(presence, composing->aor),
                                  id_of(composing->aor, digits), state);
    uint64_t ends_ms = put_active(presence, set, now_ms, &text, &contacts);
    uint32_t ended = contacts.len;
    if (before != NULL)
        add_ended(&contacts, slice_of(before->bytes, before->len), now_ms,
                  conf->notify_ms + 64 * (uint64_t)conf->t1_ms);
    put_ended(presence, slice_of(contacts.at + ended, contacts.len - ended), &text);
    document_reginfo_registration_end(&text);
    document_reginfo_end(&text);
    subscription_presentity_recompose(presence->table, presentity, ends_ms, now_ms);
    presence_document_put(composing, presence_tag_of(text.at, text.len), PRESENCE_TYPE_REGINFO,
                          document_slice(&text));
    (void)subscription_form_put(presence->table, presentity, PRESENCE_FORM_BLOCK, PRESENCE_TYPE_NONE, 0,
                                document_slice(&contacts));
}

const struct presence_package presence_package_reg = {
    .name = {"reg", 3},
    .number = ROLE_PACKAGE_REG,
    .type = PRESENCE_TYPE_REGINFO,
    .told = PRESENCE_TYPE_BIT(PRESENCE_TYPE_REGINFO),
    .private = true, // RFC 3680 4.5: the user himself, and who is trusted
    .compose = compose,
};
