// presence (RFC 3856): PIDF, composed of what the user's devices publish and of what the registrar knows; for those who
// take them, differences (RFC 5262, 5263). A presentity that has `seen` one who does has these forms, too.
#include "presence/parts.h"

static enum document_error read_published(struct presence *presence, struct slice bytes,
                                          struct presence_body *body)
{
    return presence_read_block(presence, DOCUMENT_PIDF, PRESENCE_TYPE_PIDF, bytes, body);
}

// The first contact of who is registered. `*ends_ms`: when that may change by itself; 0: never.
static enum document_basic registered(const struct role *role, struct hash128 aor, uint64_t now_ms,
                                      struct slice *contact, uint64_t *ends_ms)
{
    const struct location_set *set = location_find(role->location, aor);
    struct location_binding binding;
    unsigned position = 0;

    *ends_ms = 0;
    *contact = (struct slice){"", 0};
    if (!role->conf->presence_registered || set == NULL || !location_next(set, now_ms, &position, &binding))
        return DOCUMENT_UNSAID;
    *contact = binding.contact;
    *ends_ms = binding.expires_ms;
    return DOCUMENT_OPEN;
}

// What does not fit a message is left out, the oldest first.
static bool write_whole(struct presence_composing *composing, struct document_sources *sources,
                        struct document_text *text)
{
    struct presence *presence = composing->role->presence;
    struct document_block *block = (struct document_block *)presence->block;

    for (unsigned most = sources->count;; most--) {
        sources->count = most;
        *text = document_text_over(presence->document, sizeof(presence->document));
        if (document_compose(sources, block, sizeof(presence->block)) == DOCUMENT_OK &&
            document_pidf_write(block, presence_entity(presence, composing->aor), text) == DOCUMENT_OK)
            return true;
        presence->counters.overlong++;
        if (most == 0)
            return false;
    }
}

// RFC 5263 4: all of it, and what makes it of the document before, for those who take that; and what the next
// difference is made of. Kept as soon as somebody asked for it, as long as the presentity is there.
static void put_partial(struct presence_composing *composing, const struct document_block *before,
                        uint64_t base)
{
    struct presence *presence = composing->role->presence;
    struct subscription_presentity *presentity = composing->presentity;
    const struct document_block *block = (const struct document_block *)presence->block;
    struct slice entity = presence_entity(presence, composing->aor);
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));

    if (document_pidf_full_write(block, entity, 0, &text) == DOCUMENT_OK)
        (void)subscription_form_put(presence->table, presentity, PRESENCE_FORM_FULL, PRESENCE_TYPE_PIDF_DIFF,
                                    0, document_slice(&text));
    text = document_text_over(presence->document, sizeof(presence->document));
    if (before != NULL && document_pidf_diff_write(before, block, entity, 0, &text) == DOCUMENT_OK)
        (void)subscription_form_put(presence->table, presentity, PRESENCE_FORM_DIFFERENCE,
                                    PRESENCE_TYPE_PIDF_DIFF, base, document_slice(&text));
    (void)subscription_form_put(presence->table, presentity, PRESENCE_FORM_BLOCK, PRESENCE_TYPE_NONE, 0,
                                slice_of((const char *)block, block->bytes));
}

static void compose(struct presence_composing *composing)
{
    struct presence *presence = composing->role->presence;
    struct subscription_presentity *presentity = composing->presentity;
    const struct document_block *blocks[SUBSCRIPTION_PUBLICATIONS_MAX];
    struct document_sources sources = {.kind = DOCUMENT_PIDF, .blocks = blocks};
    const struct subscription_body *before =
        subscription_body(presence->table, presentity->forms[PRESENCE_FORM_BLOCK]);
    struct document_text text;
    uint64_t ends_ms, base = presentity->tag;

    sources.count = presence_gather(composing, PRESENCE_TYPE_PIDF, blocks);
    sources.registered =
        registered(composing->role, role_presentity_aor(presentity->key, ROLE_PACKAGE_PRESENCE),
                   composing->now->ms, &sources.contact, &ends_ms);
    subscription_presentity_recompose(presence->table, presentity, ends_ms, composing->now->ms);
    bool fits = write_whole(composing, &sources, &text);
    if (!fits)
        text.len = 0;
    uint64_t tag = presence_tag_of(text.at, text.len);
    presence_document_put(composing, tag, PRESENCE_TYPE_PIDF, document_slice(&text));
    bool wanted = presentity->seen != 0 && presentity->forms[PRESENCE_FORM_FULL] == 0;
    if (fits && wanted && presentity->tag == tag)
        put_partial(composing, before != NULL ? (const struct document_block *)before->bytes : NULL, base);
}

static struct slice write_alone(struct presence *presence, const struct document_sources *sources,
                                struct slice aor)
{
    struct document_block *block = (struct document_block *)presence->block;
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));

    if (document_compose(sources, block, sizeof(presence->block)) != DOCUMENT_OK ||
        document_pidf_write(block, presence_entity(presence, aor), &text) != DOCUMENT_OK)
        return SLICE("");
    return document_slice(&text);
}

static struct slice blind(struct presence *presence, struct slice aor)
{
    const struct document_sources sources = {.kind = DOCUMENT_PIDF};

    return write_alone(presence, &sources, aor);
}

static struct slice blind_partial(struct presence *presence, struct slice aor)
{
    const struct document_block block = {.bytes = sizeof(block), .kind = DOCUMENT_PIDF};
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));

    (void)document_pidf_full_write(&block, presence_entity(presence, aor), 0, &text); // it is short
    return document_slice(&text);
}

static struct slice absent(struct role *role, struct hash128 key, struct slice aor, uint64_t now_ms)
{
    struct document_sources sources = {.kind = DOCUMENT_PIDF};
    uint64_t ends_ms;

    sources.registered = registered(role, key, now_ms, &sources.contact, &ends_ms);
    return write_alone(role->presence, &sources, aor);
}

static uint64_t absent_tag(const struct role *role, struct hash128 key, uint64_t now_ms)
{
    struct slice contact;
    uint64_t ends_ms;
    bool open = registered(role, key, now_ms, &contact, &ends_ms) == DOCUMENT_OPEN;

    return open ? presence_tag_of(contact.at, contact.len) : 1;
}

const struct presence_package presence_package_presence = {
    .name = {"presence", 8},
    .number = ROLE_PACKAGE_PRESENCE,
    .type = PRESENCE_TYPE_PIDF,
    .published = PRESENCE_TYPE_PIDF,
    .told = PRESENCE_TYPE_BIT(PRESENCE_TYPE_PIDF) | PRESENCE_TYPE_BIT(PRESENCE_TYPE_PIDF_DIFF),
    .read = read_published,
    .compose = compose,
    .blind = blind,
    .blind_partial = blind_partial,
    .absent = absent,
    .absent_tag = absent_tag,
};
