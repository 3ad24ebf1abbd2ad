#include "document/compose.h"

#include "document/text.h"

#define NAME_MAX  (DOCUMENT_ID_MAX + 8) // an id with its suffix
#define TRIES_MAX 8                     // names that are tried for one piece

struct pick { // a piece of the document being composed
    const struct document_block *from;
    const struct document_piece *piece;
    unsigned suffix; // which its id gets; 0: none
};

struct picks {
    struct pick pick[DOCUMENT_COMPOSED_MAX];
    unsigned count;
};

static struct slice name_of(const struct pick *pick, char name[NAME_MAX])
{
    struct slice id = document_piece_id(pick->from, pick->piece);
    struct document_text text = document_text_over(name, NAME_MAX);

    if (pick->suffix == 0)
        return id;
    document_text_add(&text, id);
    document_text_literal(&text, ".");
    document_text_number(&text, pick->suffix);
    return slice_of(name, text.len);
}

static uint32_t name_len(const struct pick *pick)
{
    uint32_t suffix = pick->suffix == 0 ? 0 : pick->suffix < 10 ? 2 : pick->suffix < 100 ? 3 : 4;

    return pick->piece->id_len + suffix;
}

// The one that has this pick's name, or NULL. Names are ids of one document, whatever they are ids of (XML 1.0 3.3.1).
static const struct pick *holder_of(const struct picks *picks, const struct pick *pick)
{
    char name[NAME_MAX], other[NAME_MAX];
    struct slice wanted = name_of(pick, name);

    for (unsigned i = 0; i < picks->count; i++) {
        const struct pick *holder = &picks->pick[i];
        if (name_len(holder) == wanted.len && slice_equal(name_of(holder, other), wanted))
            return holder;
    }
    return NULL;
}

// One more than there are of this id: the first name to try.
static unsigned suffix_of(const struct picks *picks, const struct pick *pick)
{
    struct slice id = document_piece_id(pick->from, pick->piece);
    unsigned suffix = 1;

    for (unsigned i = 0; i < picks->count; i++)
        suffix += slice_equal(document_piece_id(picks->pick[i].from, picks->pick[i].piece), id);
    return suffix < 2 ? 2 : suffix;
}

static bool is_there(const struct picks *picks, const struct pick *pick)
{
    struct slice text = document_piece_text(pick->from, pick->piece);

    for (unsigned i = 0; i < picks->count; i++) {
        if (slice_equal(document_piece_text(picks->pick[i].from, picks->pick[i].piece), text))
            return true;
    }
    return false;
}

// Whether the pick has its place in the document, perhaps under another name. Whoever took all names that it might have
// did so on purpose.
static bool admit(const struct picks *picks, struct pick *pick)
{
    const struct pick *holder;

    if (pick->piece->id_len == 0)
        return !is_there(picks, pick);
    for (unsigned tries = 0; (holder = holder_of(picks, pick)) != NULL; tries++) {
        bool same = pick->piece->kind == DOCUMENT_PERSON || pick->piece->kind == DOCUMENT_DEVICE;
        if (tries == TRIES_MAX || (same && holder->piece->kind == pick->piece->kind))
            return false;
        pick->suffix = pick->suffix == 0 ? suffix_of(picks, pick) : pick->suffix + 1;
    }
    return true;
}

static bool take_all(struct picks *picks, const struct document_block *block)
{
    for (unsigned i = 0; i < block->pieces; i++) {
        struct pick pick = {block, &block->piece[i], 0};
        if (!admit(picks, &pick))
            continue;
        if (picks->count == DOCUMENT_COMPOSED_MAX)
            return false;
        picks->pick[picks->count++] = pick;
    }
    return true;
}

static void copy(struct document_text *text, struct document_block *block, const struct pick *pick)
{
    struct document_piece *piece = &block->piece[block->pieces++];
    struct slice whole = document_piece_text(pick->from, pick->piece);
    uint32_t id_end = (uint32_t)pick->piece->id_at + pick->piece->id_len;
    char name[NAME_MAX];

    *piece = *pick->piece;
    piece->at = text->len;
    if (pick->suffix == 0) {
        document_text_add(text, whole);
        return;
    }
    struct slice id = name_of(pick, name);
    document_text_add(text, slice_of(whole.at, pick->piece->id_at));
    document_text_add(text, id);
    document_text_add(text, slice_of(whole.at + id_end, whole.len - id_end));
    piece->id_len = (uint8_t)id.len;
    piece->len = text->len - piece->at;
}

static enum document_error put(const struct picks *picks, struct document_block *block, uint32_t room)
{
    struct document_text text = document_text_over(block, room);
    uint32_t head = (uint32_t)(sizeof(*block) + picks->count * sizeof(*block->piece));

    if (head > room)
        return DOCUMENT_TOO_LARGE;
    text.len = head;
    for (unsigned kind = 0; kind <= DOCUMENT_OTHER; kind++) {
        for (unsigned i = 0; i < picks->count; i++) {
            if (picks->pick[i].piece->kind == kind)
                copy(&text, block, &picks->pick[i]);
        }
    }
    block->bytes = text.len;
    return document_text_error(&text);
}

#define REGISTERED_ROOM 2048

// A block of one tuple, as if the registrar had published it.
static void tell_registered(const struct document_sources *sources, struct document_block *block)
{
    struct document_text text = document_text_over(block, REGISTERED_ROOM);
    struct document_piece *piece = block->piece;
    bool open = sources->registered == DOCUMENT_OPEN;

    text.len = sizeof(*block) + sizeof(*piece);
    *piece = (struct document_piece){.at = text.len,
                                     .kind = DOCUMENT_TUPLE,
                                     .basic = (uint8_t)sources->registered,
                                     .id_at = sizeof("<tuple id=\"") - 1,
                                     .id_len = sizeof("registered") - 1};
    document_text_literal(&text, "<tuple id=\"registered\"><status><basic>");
    document_text_add(&text, open ? SLICE("open") : SLICE("closed"));
    document_text_literal(&text, "</basic></status>");
    uint32_t len = text.len;
    if (open && sources->contact.len > 0) {
        document_text_literal(&text, "<contact>");
        document_text_escape(&text, sources->contact);
        document_text_literal(&text, "</contact>");
    }
    if (text.full || text.room - text.len < sizeof("</tuple>"))
        text.len = len; // what is too long is not said
    text.full = false;
    document_text_literal(&text, "</tuple>");
    piece->len = text.len - piece->at;
    *block = (struct document_block){.bytes = text.len, .pieces = 1, .kind = DOCUMENT_PIDF};
}

enum document_error document_compose(const struct document_sources *sources, struct document_block *block,
                                     uint32_t room)
{
    _Alignas(4) char registered[REGISTERED_ROOM];
    struct document_block *last = (struct document_block *)registered;
    struct picks picks;

    picks.count = 0;
    if (room < sizeof(*block))
        return DOCUMENT_TOO_LARGE;
    *block = (struct document_block){.kind = (uint8_t)sources->kind};
    for (unsigned i = 0; i < sources->count; i++) {
        if (!take_all(&picks, sources->blocks[i]))
            return DOCUMENT_TOO_LARGE;
        block->namespaces |= sources->blocks[i]->namespaces;
    }
    if (sources->kind == DOCUMENT_PIDF && sources->registered != DOCUMENT_UNSAID) {
        tell_registered(sources, last);
        if (!take_all(&picks, last))
            return DOCUMENT_TOO_LARGE;
    }
    return put(&picks, block, room);
}
