#include "presence/package.h"

#include "presence/parts.h"

// Bytes of a publication as it is kept, such that a document of it alone has room for its root and what is registered.
#define TOLD_MAX (PRESENCE_DOCUMENT_MAX - 3072)

static const struct presence_package *const packages[ROLE_PACKAGES] = {
    [ROLE_PACKAGE_PRESENCE] = &presence_package_presence, [ROLE_PACKAGE_WINFO] = &presence_package_winfo,
    [ROLE_PACKAGE_REG] = &presence_package_reg,           [ROLE_PACKAGE_DIALOG] = &presence_package_dialog,
    [ROLE_PACKAGE_SUMMARY] = &presence_package_summary,
};

struct slice presence_type_name(enum presence_type type)
{
    static const struct slice names[PRESENCE_TYPES] = {
        [PRESENCE_TYPE_NONE] = {"", 0},
        [PRESENCE_TYPE_PIDF] = {DOCUMENT_TYPE_PIDF, sizeof(DOCUMENT_TYPE_PIDF) - 1},
        [PRESENCE_TYPE_PIDF_DIFF] = {DOCUMENT_TYPE_PIDF_DIFF, sizeof(DOCUMENT_TYPE_PIDF_DIFF) - 1},
        [PRESENCE_TYPE_WINFO] = {DOCUMENT_TYPE_WINFO, sizeof(DOCUMENT_TYPE_WINFO) - 1},
        [PRESENCE_TYPE_REGINFO] = {DOCUMENT_TYPE_REGINFO, sizeof(DOCUMENT_TYPE_REGINFO) - 1},
        [PRESENCE_TYPE_DIALOG] = {DOCUMENT_TYPE_DIALOG, sizeof(DOCUMENT_TYPE_DIALOG) - 1},
        [PRESENCE_TYPE_SUMMARY] = {DOCUMENT_TYPE_SUMMARY, sizeof(DOCUMENT_TYPE_SUMMARY) - 1},
        [PRESENCE_TYPE_LIST] = {DOCUMENT_TYPE_RLMI, sizeof(DOCUMENT_TYPE_RLMI) - 1},
    };

    return names[type];
}

const struct presence_package *presence_package_named(struct slice name)
{
    for (unsigned i = 0; i < ROLE_PACKAGES; i++) {
        if (packages[i] != NULL && slice_equal(packages[i]->name, name))
            return packages[i];
    }
    return NULL;
}

const struct presence_package *presence_package_at(uint8_t number)
{
    return number < ROLE_PACKAGES ? packages[number] : NULL;
}

void presence_put_events(struct role_text *lines)
{
    bool first = true;

    for (unsigned i = 0; i < ROLE_PACKAGES; i++) {
        if (packages[i] == NULL)
            continue;
        if (!first)
            role_text_put(lines, SLICE(", "));
        role_text_put(lines, packages[i]->name);
        first = false;
    }
}

uint64_t presence_tag_of(const void *bytes, size_t len)
{
    static const struct hash_key key = {0x7072657365,
                                        0x6e6365}; // equal documents, equal tags: it hides nothing
    uint64_t tag = hash_sip13(&key, bytes, len).low;

    return tag != 0 ? tag : 1;
}

void presence_document_put(struct presence_composing *composing, uint64_t tag, enum presence_type type,
                           struct slice document)
{
    struct presence *presence = composing->role->presence;

    presence->counters.composed++;
    // without room the old one stays and it is asked for again
    (void)subscription_document_put(presence->table, composing->presentity, tag, (uint16_t)type, document,
                                    composing->now->ms);
}

struct slice presence_entity(struct presence *presence, struct slice aor)
{
    bool number = slice_find(aor, '@') == aor.len;
    struct document_text text = document_text_over(presence->entity, sizeof(presence->entity));

    document_text_add(&text, number ? SLICE("tel:") : SLICE("sip:"));
    document_text_add(&text, aor);
    return document_slice(&text);
}

unsigned presence_gather(const struct presence_composing *composing, enum presence_type type,
                         const struct document_block *blocks[SUBSCRIPTION_PUBLICATIONS_MAX])
{
    struct subscription_table *table = composing->role->presence->table;
    const struct subscription_publication *publication = NULL;
    unsigned n = 0;

    while (n < SUBSCRIPTION_PUBLICATIONS_MAX &&
           (publication = subscription_publication_next(table, composing->presentity, publication)) != NULL) {
        const struct subscription_body *body = subscription_body(table, publication->body);
        if (body != NULL && body->type == type)
            blocks[n++] = (const struct document_block *)body->bytes;
    }
    return n;
}

enum document_error presence_read_block(struct presence *presence, enum document_kind kind,
                                        enum presence_type type, struct slice bytes,
                                        struct presence_body *body)
{
    struct document_reading reading;
    enum document_error error = document_read(presence->reader, kind, bytes, &reading);

    if (error == DOCUMENT_OK && reading.block->bytes > TOLD_MAX)
        return DOCUMENT_TOO_LARGE;
    if (error == DOCUMENT_OK)
        *body = (struct presence_body){
            .type = type,
            .bytes = slice_of((const char *)reading.block, reading.block->bytes),
            .entity = reading.entity,
        };
    return error;
}
