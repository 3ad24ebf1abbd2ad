// Whole documents around the pieces of a block.
#include "document/compose.h"
#include "document/namespace.h"
#include "document/text.h"

static void add_pieces(struct document_text *text, const struct document_block *block)
{
    for (unsigned i = 0; i < block->pieces; i++)
        document_text_add(text, document_piece_text(block, &block->piece[i]));
}

enum document_error document_pidf_write(const struct document_block *block, struct slice entity,
                                        struct document_text *text)
{
    document_text_declaration(text);
    document_text_literal(text, "<presence");
    document_namespace_declare(text, DOCUMENT_PIDF, block->namespaces);
    document_text_attribute(text, SLICE("entity"), entity);
    document_text_literal(text, ">");
    add_pieces(text, block);
    document_text_literal(text, "</presence>\n");
    return document_text_error(text);
}

enum document_error document_pidf_full_write(const struct document_block *block, struct slice entity,
                                             uint32_t version, struct document_text *text)
{
    document_text_declaration(text);
    document_text_literal(text, "<p:pidf-full xmlns:p=\"urn:ietf:params:xml:ns:pidf-diff\"");
    document_text_count(text, SLICE("version"), version);
    document_namespace_declare(text, DOCUMENT_PIDF, block->namespaces);
    document_text_attribute(text, SLICE("entity"), entity);
    document_text_literal(text, ">");
    add_pieces(text, block);
    document_text_literal(text, "</p:pidf-full>\n");
    return document_text_error(text);
}

enum document_error document_dialog_write(const struct document_block *block, struct slice entity,
                                          uint32_t version, struct document_text *text)
{
    document_text_declaration(text);
    document_text_literal(text, "<dialog-info");
    document_text_count(text, SLICE("version"), version);
    document_namespace_declare(text, DOCUMENT_DIALOG, block->namespaces);
    document_text_literal(text, " state=\"full\"");
    document_text_attribute(text, SLICE("entity"), entity);
    document_text_literal(text, ">");
    add_pieces(text, block);
    document_text_literal(text, "</dialog-info>\n");
    return document_text_error(text);
}
