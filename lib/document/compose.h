// document/compose: one document of all publications, and the text that watchers get of it.
//
// Pieces in, bytes out: composing is choosing and copying pieces, writing is a root around them. Pure: any thread.
// Cost: a few hundred cycles and a copy.
#ifndef DOCUMENT_COMPOSE_H
#define DOCUMENT_COMPOSE_H

#include "document/document.h"

struct document_sources {
    enum document_kind kind;
    const struct document_block *const *blocks; // the latest publication first; all of `kind`
    unsigned count;
    // DOCUMENT_PIDF: a tuple for what the registrar knows; DOCUMENT_UNSAID: none.
    enum document_basic registered;
    struct slice
        contact; // of that tuple when it is open, not escaped; empty, or over 1,900 bytes when escaped: none
};

// Composes `sources` into one block of at most `room` bytes at `block` (aligned to 4).
// - All tuples and dialogs, of the latest publication first. An id that a later publication uses too gets ".2", ".3"…
// - Persons and devices by their ids: the latest wins (RFC 4479 3.5 leaves this to the composer).
// - All notes and other elements; of equal ones, one.
// Nothing at all is an empty document, which says that nothing is known (RFC 3863 4.1.1, RFC 4479 3.6).
// DOCUMENT_TOO_LARGE: over `room` or DOCUMENT_COMPOSED_MAX; the block is undefined then.
enum document_error document_compose(const struct document_sources *sources, struct document_block *block,
                                     uint32_t room);

// Each writes a whole document around a block; `entity` is the resource's URI, not escaped. The text begins where
// `text` is (so an empty text gets just this). Errors: DOCUMENT_TOO_LARGE.

// application/pidf+xml (RFC 3863).
enum document_error document_pidf_write(const struct document_block *block, struct slice entity,
                                        struct document_text *text);

// application/pidf-diff+xml with root pidf-full: all there is (RFC 5262 3). The first of a subscription has version 1,
// each further document of the subscription one more (RFC 5263 4.4).
enum document_error document_pidf_full_write(const struct document_block *block, struct slice entity,
                                             uint32_t version, struct document_text *text);

// application/pidf-diff+xml: what makes `after` of `before`, both composed, as add, replace and remove of pieces
// (RFC 5262, RFC 5261) - or pidf-full, where that is no longer or where a piece without an id and a name of its own
// changed. Equal blocks give a pidf-diff without changes: the caller has no reason to send one.
enum document_error document_pidf_diff_write(const struct document_block *before,
                                             const struct document_block *after, struct slice entity,
                                             uint32_t version, struct document_text *text);

// application/dialog-info+xml, state full (RFC 4235 4.1). `version` starts at 0 and grows by 1 with each document of a
// subscription.
enum document_error document_dialog_write(const struct document_block *block, struct slice entity,
                                          uint32_t version, struct document_text *text);

#endif
