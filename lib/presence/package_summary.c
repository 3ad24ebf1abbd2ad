// message-summary (RFC 3842): messages that wait, as a voicemail publishes them.
#include "document/summary.h"

#include "presence/parts.h"

// The newest word of a mailbox is all there is to say.
static enum document_error read_published(struct presence *presence, struct slice bytes,
                                          struct presence_body *body)
{
    struct document_text text = document_text_over(presence->block, DOCUMENT_SUMMARY_ROOM);
    struct document_summary summary;
    enum document_error error = document_summary_read(bytes, &summary, &text);

    *body = (struct presence_body){.type = PRESENCE_TYPE_SUMMARY, .bytes = document_slice(&text)};
    return error;
}

static void compose(struct presence_composing *composing)
{
    struct presence *presence = composing->role->presence;
    const struct subscription_publication *newest =
        subscription_publication_next(presence->table, composing->presentity, NULL);
    const struct subscription_body *body =
        newest != NULL ? subscription_body(presence->table, newest->body) : NULL;
    struct document_text text = document_text_over(presence->document, sizeof(presence->document));
    struct slice whole;

    if (body != NULL) {
        document_text_add(&text, slice_of(body->bytes, body->len));
    } else if (document_summary_none(presence_entity(presence, composing->aor), &text) != DOCUMENT_OK) {
        text.len = 0;
    }
    whole = document_slice(&text);
    presence_document_put(composing, presence_tag_of(whole.at, whole.len), PRESENCE_TYPE_SUMMARY, whole);
}

const struct presence_package presence_package_summary = {
    .name = {"message-summary", 15},
    .number = ROLE_PACKAGE_SUMMARY,
    .type = PRESENCE_TYPE_SUMMARY,
    .published = PRESENCE_TYPE_SUMMARY,
    .told = PRESENCE_TYPE_BIT(PRESENCE_TYPE_SUMMARY),
    .private = true, // RFC 3842 3.7
    .read = read_published,
    .compose = compose,
};
