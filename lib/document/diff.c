// What changed between two composed documents, as a patch of whole pieces (RFC 5262, RFC 5261).
#include "document/compose.h"
#include "document/namespace.h"
#include "document/text.h"

static const struct document_piece *find(const struct document_block *block, unsigned kind, struct slice id)
{
    for (unsigned i = 0; i < block->pieces; i++) {
        const struct document_piece *piece = &block->piece[i];
        if (piece->kind == kind && slice_equal(document_piece_id(block, piece), id))
            return piece;
    }
    return NULL;
}

// `sel="*/tuple[@id='…']"`: whatever the root is called. The id is an XML name: it has no quotes in it.
static void add_select(struct document_text *text, const struct document_block *block,
                       const struct document_piece *piece)
{
    static const struct slice names[] = {
        [DOCUMENT_TUPLE] = SLICE("tuple"),
        [DOCUMENT_PERSON] = SLICE("dm:person"),
        [DOCUMENT_DEVICE] = SLICE("dm:device"),
    };

    document_text_literal(text, " sel=\"*/");
    document_text_add(text, names[piece->kind]);
    document_text_literal(text, "[@id='");
    document_text_add(text, document_piece_id(block, piece));
    document_text_literal(text, "']\"");
}

static bool has_id(const struct document_piece *piece)
{
    return piece->kind == DOCUMENT_TUPLE || piece->kind == DOCUMENT_PERSON || piece->kind == DOCUMENT_DEVICE;
}

// Takes out what is gone, puts in anew what changed. The last tuple that stays, or NULL.
static const struct document_piece *patch_old(struct document_text *text, const struct document_block *before,
                                              const struct document_block *after)
{
    const struct document_piece *last = NULL;

    for (unsigned i = 0; i < before->pieces; i++) {
        const struct document_piece *old = &before->piece[i];
        if (!has_id(old))
            continue;
        const struct document_piece *new = find(after, old->kind, document_piece_id(before, old));
        if (new == NULL) {
            document_text_literal(text, "<p:remove");
            add_select(text, before, old);
            document_text_literal(text, "/>");
            continue;
        }
        if (old->kind == DOCUMENT_TUPLE)
            last = old;
        if (slice_equal(document_piece_text(before, old), document_piece_text(after, new)))
            continue;
        document_text_literal(text, "<p:replace");
        add_select(text, before, old);
        document_text_literal(text, ">");
        document_text_add(text, document_piece_text(after, new));
        document_text_literal(text, "</p:replace>");
    }
    return last;
}

// Whether the pieces of a kind without ids are the same, one by one.
static bool same(const struct document_block *before, const struct document_block *after, unsigned kind)
{
    unsigned i = 0, k = 0;

    for (;;) {
        while (i < before->pieces && before->piece[i].kind != kind)
            i++;
        while (k < after->pieces && after->piece[k].kind != kind)
            k++;
        if (i == before->pieces || k == after->pieces)
            return i == before->pieces && k == after->pieces;
        if (!slice_equal(document_piece_text(before, &before->piece[i++]),
                         document_piece_text(after, &after->piece[k++])))
            return false;
    }
}

// Notes have no ids: when one changes all are new. They stand behind the tuples.
static void patch_notes(struct document_text *text, const struct document_block *before,
                        const struct document_block *after, const struct document_piece *last)
{
    bool any = false;

    if (same(before, after, DOCUMENT_NOTE))
        return;
    for (unsigned i = 0; i < before->pieces; i++) {
        if (before->piece[i].kind == DOCUMENT_NOTE)
            document_text_literal(text, "<p:remove sel=\"*/note[1]\"/>");
    }
    for (unsigned i = 0; i < after->pieces; i++) {
        if (after->piece[i].kind != DOCUMENT_NOTE)
            continue;
        if (!any) {
            document_text_literal(text, "<p:add");
            if (last != NULL)
                add_select(text, before, last);
            else
                document_text_literal(text, " sel=\"*\"");
            document_text_add(text, last != NULL ? SLICE(" pos=\"after\">") : SLICE(" pos=\"prepend\">"));
        }
        any = true;
        document_text_add(text, document_piece_text(after, &after->piece[i]));
    }
    if (any)
        document_text_literal(text, "</p:add>");
}

// New tuples before all else, where the schema has them; new persons and devices behind.
static void patch_new(struct document_text *text, const struct document_block *before,
                      const struct document_block *after, bool tuples)
{
    bool any = false;

    for (unsigned i = 0; i < after->pieces; i++) {
        const struct document_piece *piece = &after->piece[i];
        if (!has_id(piece) || (piece->kind == DOCUMENT_TUPLE) != tuples ||
            find(before, piece->kind, document_piece_id(after, piece)) != NULL)
            continue;
        if (!any)
            document_text_add(text, tuples ? SLICE("<p:add sel=\"*\" pos=\"prepend\">")
                                           : SLICE("<p:add sel=\"*\">"));
        any = true;
        document_text_add(text, document_piece_text(after, piece));
    }
    if (any)
        document_text_literal(text, "</p:add>");
}

static uint32_t pieces_len(const struct document_block *block)
{
    return block->bytes - (uint32_t)(sizeof(*block) + block->pieces * sizeof(*block->piece));
}

enum document_error document_pidf_diff_write(const struct document_block *before,
                                             const struct document_block *after, struct slice entity,
                                             uint32_t version, struct document_text *text)
{
    struct document_text patch = *text;

    document_text_declaration(&patch);
    document_text_literal(&patch, "<p:pidf-diff xmlns:p=\"urn:ietf:params:xml:ns:pidf-diff\"");
    document_text_count(&patch, SLICE("version"), version);
    document_namespace_declare(&patch, DOCUMENT_PIDF, before->namespaces | after->namespaces);
    document_text_attribute(&patch, SLICE("entity"), entity);
    document_text_literal(&patch, ">");
    uint32_t head = patch.len;
    patch_notes(&patch, before, after, patch_old(&patch, before, after));
    patch_new(&patch, before, after, true);
    patch_new(&patch, before, after, false);
    bool longer = patch.len > head && patch.len - head >= pieces_len(after);
    document_text_literal(&patch, "</p:pidf-diff>\n");
    if (patch.full || longer || !same(before, after, DOCUMENT_OTHER))
        return document_pidf_full_write(after, entity, version, text);
    *text = patch;
    return DOCUMENT_OK;
}
