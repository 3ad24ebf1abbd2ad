// reg (RFC 3680): what is registered, all of it in each document. What a refresh changes (expiry, CSeq) is not told: it
// would be news to nobody, every few minutes.
#include "document/reginfo.h"

#include "presence/parts.h"
#include "role/hex.h"

#define ID_DIGITS 16

static struct slice id_of(struct slice text, char digits[ID_DIGITS])
{
    uint64_t id = presence_tag_of(text.at, text.len);

    role_hex_write(role_hex_write(digits, (uint32_t)(id >> 32)), (uint32_t)id);
    return slice_of(digits, ID_DIGITS);
}

static void put_contact(struct document_text *text, const struct location_binding *binding)
{
    char digits[ID_DIGITS];
    const struct document_contact contact = {
        .id = id_of(binding->contact, digits),
        .uri = binding->contact,
        .event = DOCUMENT_CONTACT_REGISTERED,
        .expires_s = -1,
        .registered_s = -1,
        .q = binding->q,
    };

    document_reginfo_contact(text, &contact);
}

// RFC 3680 3.7.1: who was registered and is no more is terminated, who never was is in its first state.
static void compose(struct presence_composing *composing)
{
    struct presence *presence = composing->role->presence;
    const struct role *role = composing->role;
    const struct location_set *set =
        location_find(role->location, role_presentity_aor(composing->presentity->key, ROLE_PACKAGE_REG));
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));
    uint64_t now_ms = composing->now->ms, ends_ms = 0;
    enum document_registration_state state =
        composing->presentity->seen ? DOCUMENT_REGISTRATION_TERMINATED : DOCUMENT_REGISTRATION_INIT;
    struct location_binding binding;
    char digits[ID_DIGITS];
    unsigned position = 0;

    if (set != NULL && location_next(set, now_ms, &position, &binding)) {
        state = DOCUMENT_REGISTRATION_ACTIVE;
        composing->presentity->seen = true;
    }
    document_reginfo_begin(&text, 0, true);
    document_reginfo_registration(&text, presence_entity(presence, composing->aor),
                                  id_of(composing->aor, digits), state);
    for (position = 0; set != NULL && location_next(set, now_ms, &position, &binding);) {
        put_contact(&text, &binding);
        ends_ms = ends_ms == 0 || binding.expires_ms < ends_ms ? binding.expires_ms : ends_ms;
    }
    document_reginfo_registration_end(&text);
    document_reginfo_end(&text);
    subscription_presentity_recompose(presence->table, composing->presentity, ends_ms, now_ms);
    if (text.full) {
        presence->counters.overlong++;
        text.len = 0;
    }
    presence_document_put(composing, presence_tag_of(text.at, text.len), PRESENCE_TYPE_REGINFO,
                          document_slice(&text));
}

const struct presence_package presence_package_reg = {
    .name = {"reg", 3},
    .number = ROLE_PACKAGE_REG,
    .type = PRESENCE_TYPE_REGINFO,
    .told = PRESENCE_TYPE_BIT(PRESENCE_TYPE_REGINFO),
    .private = true, // RFC 3680 4.5: the user himself, and who is trusted
    .compose = compose,
};
