#include "document/cut.h"

enum role { // of an open element
    ANY,
    ROOT,
    PIECE,  // has its children in an order, and no text beside them
    STATUS, // of a tuple; no text either
    BASIC,
};

struct child { // of a piece, in the piece's own namespace
    struct slice local;
    uint8_t rank;
    bool once;
};

#define CHILDREN_MAX 8

static const struct form {
    struct slice local;
    enum document_namespace space;
    bool needed_id;  // as an XML name that is used once
    uint8_t needed;  // bits of the ranks that must be there
    uint8_t foreign; // the rank of children in other namespaces
    struct child child[CHILDREN_MAX];
} forms[] = {
    // RFC 3863 4.4
    [DOCUMENT_TUPLE] = {SLICE("tuple"),
                        DOCUMENT_NS_PIDF,
                        true,
                        1,
                        1,
                        {{SLICE("status"), 0, true},
                         {SLICE("contact"), 2, true},
                         {SLICE("note"), 3, false},
                         {SLICE("timestamp"), 4, true}}},
    // RFC 4235 4.4
    [DOCUMENT_CALL] = {SLICE("dialog"),
                       DOCUMENT_NS_DIALOG,
                       true,
                       1,
                       7,
                       {{SLICE("state"), 0, true},
                        {SLICE("duration"), 1, true},
                        {SLICE("replaces"), 2, true},
                        {SLICE("referred-by"), 3, true},
                        {SLICE("route-set"), 4, true},
                        {SLICE("local"), 5, true},
                        {SLICE("remote"), 6, true}}},
    [DOCUMENT_NOTE] = {SLICE("note"), DOCUMENT_NS_PIDF},
    // RFC 4479 5.1.2
    [DOCUMENT_PERSON] = {SLICE("person"),
                         DOCUMENT_NS_MODEL,
                         true,
                         0,
                         0,
                         {{SLICE("note"), 1, false}, {SLICE("timestamp"), 2, true}}},
    [DOCUMENT_DEVICE] = {SLICE("device"),
                         DOCUMENT_NS_MODEL,
                         true,
                         0,
                         0,
                         {{SLICE("deviceID"), 1, true},
                          {SLICE("note"), 2, false},
                          {SLICE("timestamp"), 3, true}}},
    [DOCUMENT_OTHER] = {SLICE(""), DOCUMENT_NS_OTHER},
};

void document_cut_begin(struct document_cut *cut, enum document_kind kind, char *text, uint32_t room)
{
    cut->kind = kind;
    cut->error = DOCUMENT_OK;
    cut->plain = false;
    cut->depth = cut->elements = cut->pieces = cut->foreigns = 0;
    cut->namespaces = 0;
    cut->entity_len = cut->language_len = 0;
    cut->text = document_text_over(text, room);
    cut->tag = cut->after_end = false;
    cut->blank = true;
    cut->run_at = 0;
}

static void open_root(struct document_cut *cut, const struct document_name *name,
                      const struct document_attribute *attributes, unsigned count)
{
    struct slice local = cut->kind == DOCUMENT_DIALOG ? SLICE("dialog-info") : SLICE("presence");

    cut->open[0].role = ROOT;
    if (name->space != document_namespace_default(cut->kind) || !slice_equal(name->local, local)) {
        document_cut_fail(cut, DOCUMENT_ROOT);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        const struct document_attribute *attribute = &attributes[i];
        if (document_is_language(&attribute->name) && attribute->value.len <= sizeof(cut->language)) {
            memcpy(cut->language, attribute->value.at, attribute->value.len);
            cut->language_len = attribute->value.len;
        }
        if (attribute->name.space != DOCUMENT_NS_NONE || !slice_equal(attribute->name.local, SLICE("entity")))
            continue;
        if (attribute->value.len > sizeof(cut->entity)) {
            document_cut_fail(cut, DOCUMENT_TOO_LARGE);
            return;
        }
        memcpy(cut->entity, attribute->value.at, attribute->value.len);
        cut->entity_len = attribute->value.len;
    }
    if (cut->entity_len == 0)
        document_cut_fail(cut, DOCUMENT_INVALID);
}

static enum document_piece_kind kind_of(const struct document_cut *cut, const struct document_name *name)
{
    for (unsigned kind = 0; kind < DOCUMENT_OTHER; kind++) {
        bool call = kind == DOCUMENT_CALL;
        if (call == (cut->kind == DOCUMENT_DIALOG) && name->space == forms[kind].space &&
            slice_equal(name->local, forms[kind].local))
            return (enum document_piece_kind)kind;
    }
    return DOCUMENT_OTHER;
}

static void open_piece(struct document_cut *cut, const struct document_name *name)
{
    if (cut->pieces == DOCUMENT_PIECES_MAX) {
        document_cut_fail(cut, DOCUMENT_TOO_LARGE);
        return;
    }
    enum document_piece_kind kind = kind_of(cut, name);
    cut->text.len = cut->run_at; // white space between pieces is nobody's
    cut->piece[cut->pieces++] = (struct document_piece){.at = cut->text.len, .kind = (uint8_t)kind};
    cut->open[1].role = forms[kind].needed_id ? PIECE : ANY;
    cut->seen = 0;
}

// Which place a child has in its piece.
static void open_child(struct document_cut *cut, const struct document_name *name)
{
    const struct form *form = &forms[cut->piece[cut->pieces - 1].kind];
    uint8_t rank = form->foreign;

    if (cut->seen == 0) {
        for (unsigned i = 0; i < DOCUMENT_RANKS; i++)
            cut->rank_end[i] = cut->text.len;
    }
    for (unsigned i = 0; name->space == form->space && i < CHILDREN_MAX; i++) {
        const struct child *child = &form->child[i];
        if (child->local.len == 0 || !slice_equal(child->local, name->local))
            continue;
        rank = child->rank;
        if (child->once && cut->seen & 1u << rank)
            document_cut_fail(cut, DOCUMENT_INVALID);
        if (form == &forms[DOCUMENT_TUPLE] && rank == 0)
            cut->open[2].role = STATUS;
    }
    cut->seen |= 1u << rank;
    cut->child_rank = rank;
    cut->child_at = cut->text.len;
}

// What stands behind the last tag, before a next one begins.
static void settle(struct document_cut *cut)
{
    if (cut->tag)
        document_text_literal(&cut->text, ">");
    else if (cut->blank)
        cut->text.len = cut->run_at;
    else if (cut->open[cut->depth - 1].role == PIECE || cut->open[cut->depth - 1].role == STATUS)
        document_cut_fail(cut, DOCUMENT_INVALID);
    cut->tag = false;
}

void document_cut_open(struct document_cut *cut, const struct document_name *name,
                       const struct document_attribute *attributes, unsigned count)
{
    unsigned depth = cut->depth;

    if (cut->error != DOCUMENT_OK)
        return;
    if (depth == DOCUMENT_DEPTH_MAX || cut->elements++ == DOCUMENT_ELEMENTS_MAX || cut->text.full) {
        document_cut_fail(cut, DOCUMENT_TOO_LARGE);
        return;
    }
    // Without a namespace it would come to be in ours.
    if (name->space == DOCUMENT_NS_NONE && depth > 0) {
        document_cut_fail(cut, DOCUMENT_INVALID);
        return;
    }
    cut->open[depth].role = ANY;
    if (depth == 0) {
        open_root(cut, name, attributes, count);
    } else if (depth == 1) {
        open_piece(cut, name);
    } else {
        settle(cut);
        if (depth == 2 && cut->open[1].role == PIECE)
            open_child(cut, name);
        if (depth == 3 && cut->open[2].role == STATUS && name->space == DOCUMENT_NS_PIDF &&
            slice_equal(name->local, SLICE("basic")))
            cut->open[3].role = BASIC;
    }
    if (depth > 0 && cut->error == DOCUMENT_OK)
        document_tag_open(cut, name, attributes, count);
    cut->depth++;
    cut->blank = true;
    cut->after_end = false;
}

static bool is_blank(struct slice text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.at[i] != ' ' && text.at[i] != '\n' && text.at[i] != '\t' && text.at[i] != '\r')
            return false;
    }
    return true;
}

void document_cut_text(struct document_cut *cut, struct slice text)
{
    if (cut->error != DOCUMENT_OK)
        return;
    if (cut->depth <= 1) {
        if (!is_blank(text))
            document_cut_fail(cut, DOCUMENT_INVALID);
        return;
    }
    if (cut->tag) {
        document_text_literal(&cut->text, ">");
        cut->run_at = cut->text.len;
        cut->tag = false;
    }
    cut->blank = cut->blank && is_blank(text);
    if (cut->plain)
        document_text_add(&cut->text, text);
    else
        document_text_escape(&cut->text, text);
}

// The child that just ended goes to its place, before all of a higher rank; what room is left behind it helps.
static void place_child(struct document_cut *cut)
{
    uint32_t from = cut->rank_end[cut->child_rank], len = cut->text.len - cut->child_at;
    char *at = cut->text.at + from, *spare = cut->text.at + cut->text.len;

    if (from < cut->child_at && len > cut->text.room - cut->text.len) {
        document_cut_fail(cut, DOCUMENT_TOO_LARGE);
        return;
    }
    if (from < cut->child_at) {
        memcpy(spare, cut->text.at + cut->child_at, len);
        memmove(at + len, at, cut->child_at - from);
        memcpy(at, spare, len);
    }
    for (unsigned rank = cut->child_rank; rank < DOCUMENT_RANKS; rank++)
        cut->rank_end[rank] += len;
}

// RFC 3863 4.1.4
static void take_basic(struct document_cut *cut)
{
    struct document_piece *piece = &cut->piece[cut->pieces - 1];
    struct slice value = slice_of(cut->text.at + cut->run_at, cut->text.len - cut->run_at);

    if (cut->tag || cut->after_end || piece->basic != DOCUMENT_UNSAID)
        document_cut_fail(cut, DOCUMENT_INVALID);
    else if (slice_equal(value, SLICE("open")))
        piece->basic = DOCUMENT_OPEN;
    else if (slice_equal(value, SLICE("closed")))
        piece->basic = DOCUMENT_CLOSED;
    else
        document_cut_fail(cut, DOCUMENT_INVALID);
}

// An NCName of those letters that ids are made of in practice, and any that are not ASCII (XML 1.0 2.3). Escaped ones
// have an & in them.
static bool is_name(struct slice id)
{
    for (uint32_t i = 0; i < id.len; i++) {
        uint8_t byte = (uint8_t)id.at[i], letter = byte | 0x20;
        bool start = (letter >= 'a' && letter <= 'z') || byte == '_' || byte >= 0x80;
        bool further = (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
        if (!start && (i == 0 || !further))
            return false;
    }
    return id.len > 0;
}

static struct slice id_of(const struct document_cut *cut, unsigned piece)
{
    return slice_of(cut->text.at + cut->piece[piece].at + cut->piece[piece].id_at, cut->piece[piece].id_len);
}

static void check_piece(struct document_cut *cut)
{
    unsigned last = cut->pieces - 1;
    const struct form *form = &forms[cut->piece[last].kind];
    struct slice id = id_of(cut, last);

    if (!form->needed_id)
        return;
    // The ids of dialogs are any text, and the RFC's own examples have one twice (RFC 4235 4.1.1, 6.1); all others are
    // names.
    bool call = cut->piece[last].kind == DOCUMENT_CALL, good = call ? id.len > 0 : is_name(id);
    for (unsigned i = 0; i < last && good && !call; i++)
        good = !slice_equal(id, id_of(cut, i));
    if (!good || (cut->seen & form->needed) != form->needed)
        document_cut_fail(cut, DOCUMENT_INVALID);
}

static void close_piece(struct document_cut *cut)
{
    struct document_piece *piece = &cut->piece[cut->pieces - 1];

    piece->len = cut->text.len - piece->at;
    if (cut->error == DOCUMENT_OK && !cut->text.full)
        check_piece(cut);
}

void document_cut_close(struct document_cut *cut)
{
    if (cut->error != DOCUMENT_OK || --cut->depth == 0)
        return;
    const struct document_element *element = &cut->open[cut->depth];
    if (cut->text.full) {
        document_cut_fail(cut, DOCUMENT_TOO_LARGE);
        return;
    }
    if (element->role == BASIC)
        take_basic(cut);
    if ((element->role == PIECE || element->role == STATUS) && !cut->tag && !cut->blank)
        document_cut_fail(cut, DOCUMENT_INVALID);
    if (cut->after_end && cut->blank)
        cut->text.len = cut->run_at;
    document_tag_close(cut);
    if (cut->depth == 1)
        close_piece(cut);
    else if (cut->depth == 2 && cut->open[1].role == PIECE)
        place_child(cut);
    cut->run_at = cut->text.len;
    cut->blank = cut->after_end = true;
}

enum document_error document_cut_finish(struct document_cut *cut, struct document_block *block, uint32_t room)
{
    uint32_t at = (uint32_t)(sizeof(*block) + cut->pieces * sizeof(*block->piece));
    unsigned written = 0;

    if (cut->text.full)
        document_cut_fail(cut, DOCUMENT_TOO_LARGE);
    if (cut->error != DOCUMENT_OK)
        return cut->error;
    if (at > room || cut->run_at > room - at)
        return DOCUMENT_TOO_LARGE;
    *block = (struct document_block){
        .pieces = (uint16_t)cut->pieces, .kind = (uint8_t)cut->kind, .namespaces = cut->namespaces};
    for (unsigned kind = 0; kind <= DOCUMENT_OTHER; kind++) {
        for (unsigned i = 0; i < cut->pieces; i++) {
            if (cut->piece[i].kind != kind)
                continue;
            struct document_piece *piece = &block->piece[written++];
            *piece = cut->piece[i];
            memcpy((char *)block + at, cut->text.at + piece->at, piece->len);
            piece->at = at;
            at += piece->len;
        }
    }
    block->bytes = at;
    return DOCUMENT_OK;
}
