// presence (RFC 3856): PIDF, composed of what the user's devices publish and of what the registrar knows.
#include "presence/parts.h"

static enum document_error read_published(struct presence *presence, struct slice bytes,
                                          struct presence_body *body)
{
    return presence_read_block(presence, DOCUMENT_PIDF, PRESENCE_TYPE_PIDF, bytes, body);
}

// The first contact of who is registered. `*ends_ms`: when that may change by itself; 0: never.
static enum document_basic registered(const struct presence_composing *composing, struct slice *contact,
                                      uint64_t *ends_ms)
{
    const struct role *role = composing->role;
    const struct location_set *set =
        location_find(role->location, role_presentity_aor(composing->presentity->key, ROLE_PACKAGE_PRESENCE));
    struct location_binding binding;
    unsigned position = 0;

    *ends_ms = 0;
    *contact = (struct slice){"", 0};
    if (!role->conf->presence_registered)
        return DOCUMENT_UNSAID;
    if (set == NULL || !location_next(set, composing->now->ms, &position, &binding))
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

static void compose(struct presence_composing *composing)
{
    struct presence *presence = composing->role->presence;
    const struct document_block *blocks[SUBSCRIPTION_PUBLICATIONS_MAX];
    struct document_sources sources = {.kind = DOCUMENT_PIDF, .blocks = blocks};
    struct document_text text;
    uint64_t ends_ms;

    sources.count = presence_gather(composing, PRESENCE_TYPE_PIDF, blocks);
    sources.registered = registered(composing, &sources.contact, &ends_ms);
    subscription_presentity_recompose(presence->table, composing->presentity, ends_ms, composing->now->ms);
    if (!write_whole(composing, &sources, &text))
        text.len = 0;
    presence_document_put(composing, presence_tag_of(text.at, text.len), PRESENCE_TYPE_PIDF,
                          document_slice(&text));
}

static struct slice blind(struct presence *presence, struct slice aor)
{
    const struct document_sources sources = {.kind = DOCUMENT_PIDF, .registered = DOCUMENT_CLOSED};
    struct document_block *block = (struct document_block *)presence->block;
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));

    if (document_compose(&sources, block, sizeof(presence->block)) != DOCUMENT_OK ||
        document_pidf_write(block, presence_entity(presence, aor), &text) != DOCUMENT_OK)
        return SLICE("");
    return document_slice(&text);
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
};
