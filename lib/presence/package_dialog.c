// dialog (RFC 4235): the calls of a user, as his phones publish them.
#include "presence/parts.h"

static enum document_error read_published(struct presence *presence, struct slice bytes,
                                          struct presence_body *body)
{
    return presence_read_block(presence, DOCUMENT_DIALOG, PRESENCE_TYPE_DIALOG, bytes, body);
}

static bool write_whole(struct presence *presence, const struct document_sources *sources, struct slice aor,
                        struct document_text *text)
{
    struct document_block *block = (struct document_block *)presence->block;

    *text = document_text_over(presence->document, sizeof(presence->document));
    return document_compose(sources, block, sizeof(presence->block)) == DOCUMENT_OK &&
           document_dialog_write(block, presence_entity(presence, aor), 0, text) == DOCUMENT_OK;
}

// What does not fit a message is left out, the oldest first.
static void compose(struct presence_composing *composing)
{
    struct presence *presence = composing->role->presence;
    const struct document_block *blocks[SUBSCRIPTION_PUBLICATIONS_MAX];
    struct document_sources sources = {.kind = DOCUMENT_DIALOG, .blocks = blocks};
    struct document_text text;

    sources.count = presence_gather(composing, PRESENCE_TYPE_DIALOG, blocks);
    while (!write_whole(presence, &sources, composing->aor, &text) && sources.count > 0) {
        presence->counters.overlong++;
        sources.count--;
    }
    presence_document_put(composing, presence_tag_of(text.at, text.len), PRESENCE_TYPE_DIALOG,
                          document_slice(&text));
}

static struct slice blind(struct presence *presence, struct slice aor)
{
    const struct document_sources sources = {.kind = DOCUMENT_DIALOG};
    struct document_text text;

    return write_whole(presence, &sources, aor, &text) ? document_slice(&text) : SLICE("");
}

static struct slice absent(struct role *role, struct hash128 key, struct slice aor, uint64_t now_ms)
{
    (void)key, (void)now_ms;
    return blind(role->presence, aor);
}

static uint64_t absent_tag(const struct role *role, struct hash128 key, uint64_t now_ms)
{
    (void)role, (void)key, (void)now_ms;
    return 1;
}

const struct presence_package presence_package_dialog = {
    .name = {"dialog", 6},
    .number = ROLE_PACKAGE_DIALOG,
    .type = PRESENCE_TYPE_DIALOG,
    .published = PRESENCE_TYPE_DIALOG,
    .told = PRESENCE_TYPE_BIT(PRESENCE_TYPE_DIALOG),
    .read = read_published,
    .compose = compose,
    .blind = blind,
    .absent = absent,
    .absent_tag = absent_tag,
};
