// document: the bodies of event packages, as bytes.
//
// What a body is made of stands here: what may be wrong with it, the block that a published document becomes, and the
// text that is written for watchers. The reader (document/reader.h) makes blocks of what came in, document/compose.h
// one block of several and text of it; what is written from tables alone has a header each (winfo.h, reginfo.h,
// rlmi.h, summary.h). Nothing here allocates, logs or knows a packet. Any thread with its own memory.
#ifndef DOCUMENT_DOCUMENT_H
#define DOCUMENT_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

// What a publication may be. Beyond these it is refused as DOCUMENT_TOO_LARGE.
#define DOCUMENT_READ_MAX       16384 // bytes
#define DOCUMENT_DEPTH_MAX      24    // elements within one another
#define DOCUMENT_ELEMENTS_MAX   512   // all told
#define DOCUMENT_ATTRIBUTES_MAX 24    // of one element
#define DOCUMENT_NAMESPACES_MAX 24    // declared, all told
#define DOCUMENT_PIECES_MAX     64    // tuples, persons, devices, notes and others
#define DOCUMENT_COMPOSED_MAX   128   // pieces of all publications together
#define DOCUMENT_ID_MAX         200   // bytes of an id
#define DOCUMENT_BLOCK_MAX      32768 // bytes of the block of one publication

// The Content-Types, as they are written and offered.
#define DOCUMENT_TYPE_PIDF      "application/pidf+xml"
#define DOCUMENT_TYPE_PIDF_DIFF "application/pidf-diff+xml"
#define DOCUMENT_TYPE_WINFO     "application/watcherinfo+xml"
#define DOCUMENT_TYPE_REGINFO   "application/reginfo+xml"
#define DOCUMENT_TYPE_DIALOG    "application/dialog-info+xml"
#define DOCUMENT_TYPE_SUMMARY   "application/simple-message-summary"
#define DOCUMENT_TYPE_RLMI      "application/rlmi+xml"

enum document_error {
    DOCUMENT_OK = 0,
    DOCUMENT_TOO_LARGE, // over one of the bounds above, or over the room given: 413
    DOCUMENT_MALFORMED, // no well-formed XML, or no lines as RFC 3842 has them
    DOCUMENT_ENCODING,  // not UTF-8
    DOCUMENT_FORBIDDEN, // a document type, an entity, a processing instruction: none has its place here
    DOCUMENT_ROOT,      // well-formed, but another kind of document
    DOCUMENT_INVALID,   // what its RFC asks for is missing or wrong: an id, a status, an id used twice
};

// In words, for a Warning or a log.
const char *document_error_text(enum document_error error);

enum document_kind {
    DOCUMENT_PIDF,   // RFC 3863
    DOCUMENT_DIALOG, // RFC 4235
    DOCUMENT_KINDS,
};

enum document_piece_kind { // in the order in which they stand in a block and are written
    DOCUMENT_TUPLE,
    DOCUMENT_CALL, // a <dialog> of RFC 4235
    DOCUMENT_NOTE,
    DOCUMENT_PERSON, // RFC 4479
    DOCUMENT_DEVICE,
    DOCUMENT_OTHER,
};

enum document_basic { // RFC 3863 4.1.4
    DOCUMENT_UNSAID = 0,
    DOCUMENT_OPEN,
    DOCUMENT_CLOSED,
};

// One child of the root, as text that holds under any root written here: it is in UTF-8, without comments and without
// white space between elements; the namespaces known here have fixed prefixes (which the root declares), all others
// are declared where they are used. Its id, where it has one, is its first attribute.
struct document_piece {
    uint32_t at, len; // the text, from the start of the block
    uint8_t kind;     // enum document_piece_kind
    uint8_t basic;    // enum document_basic, of a tuple
    uint8_t id_at;    // the id's value (escaped, as it stands in the text), from the start of the text
    uint8_t id_len;   // 0: it has none
};

// A document cut into its pieces: flat and without pointers, so it is copied, stored and loaded as `bytes` bytes.
// Aligned to 4 where it is used.
struct document_block {
    uint32_t bytes; // all of it, this head included
    uint16_t pieces;
    uint8_t kind;        // enum document_kind
    uint8_t spare;       // 0
    uint32_t namespaces; // which prefixes its pieces use: bits of the table in document/namespace.h
    struct document_piece piece[];
};

// Whether these bytes, which come from a disk, are a block as they are written here: all of it stays within itself.
// `at` is aligned to 4.
bool document_block_check(const void *at, uint32_t bytes, enum document_kind kind);

static inline struct slice document_piece_text(const struct document_block *block,
                                               const struct document_piece *piece)
{
    return slice_of((const char *)block + piece->at, piece->len);
}

static inline struct slice document_piece_id(const struct document_block *block,
                                             const struct document_piece *piece)
{
    return slice_of((const char *)block + piece->at + piece->id_at, piece->id_len);
}

// A document with a version has it in its first DOCUMENT_VERSION_SEEN bytes: written with version 0, the first
// ` version="0"` is it. So one text serves all who watch, each with his own number put in there.
#define DOCUMENT_VERSION_SEEN 160

// Text being written into somebody's room. What does not fit any more is left out, and `full` says so until the end:
// writers are called one after another and document_text_error is asked once.
struct document_text {
    char *at;
    uint32_t room; // bytes
    uint32_t len;  // written so far
    bool full;
};

static inline struct document_text document_text_over(void *at, uint32_t room)
{
    return (struct document_text){at, room, 0, false};
}

static inline enum document_error document_text_error(const struct document_text *text)
{
    return text->full ? DOCUMENT_TOO_LARGE : DOCUMENT_OK;
}

#endif
