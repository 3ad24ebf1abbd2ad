#include "document/document.h"

const char *document_error_text(enum document_error error)
{
    switch (error) {
    case DOCUMENT_OK:
        return "good";
    case DOCUMENT_TOO_LARGE:
        return "the document is too large";
    case DOCUMENT_MALFORMED:
        return "the document is not well-formed";
    case DOCUMENT_ENCODING:
        return "the document is not in UTF-8";
    case DOCUMENT_FORBIDDEN:
        return "the document has a document type, an entity or a processing instruction";
    case DOCUMENT_ROOT:
        return "the document is of another kind";
    case DOCUMENT_INVALID:
        return "the document lacks what its kind asks for";
    }
    return "";
}

static bool piece_holds(const struct document_block *block, const struct document_piece *piece, uint32_t head)
{
    bool inside = piece->at >= head && piece->at <= block->bytes && piece->len <= block->bytes - piece->at;
    bool call = piece->kind == DOCUMENT_CALL;

    return inside && piece->len != 0 && (uint32_t)piece->id_at + piece->id_len <= piece->len &&
           piece->kind <= DOCUMENT_OTHER && piece->basic <= DOCUMENT_CLOSED &&
           (piece->kind == DOCUMENT_OTHER || call == (block->kind == DOCUMENT_DIALOG));
}

bool document_block_check(const void *at, uint32_t bytes, enum document_kind kind)
{
    const struct document_block *block = at;

    if (bytes < sizeof(*block) || block->bytes != bytes || block->kind != kind)
        return false;
    if (block->pieces > (bytes - sizeof(*block)) / sizeof(*block->piece))
        return false;
    uint32_t head = (uint32_t)(sizeof(*block) + block->pieces * sizeof(*block->piece));
    for (unsigned i = 0; i < block->pieces; i++) {
        if (!piece_holds(block, &block->piece[i], head) ||
            (i > 0 && block->piece[i].kind < block->piece[i - 1].kind))
            return false;
    }
    return true;
}
