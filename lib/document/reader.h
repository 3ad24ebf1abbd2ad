// document/reader: a published XML document in, a block of canonical pieces out.
//
// Expat does the parsing, on memory that the reader has from the start: a document that needs more is too large. Each
// document begins with an empty reader, so nothing of an earlier one is left. Document types, entities of one's own,
// processing instructions and any encoding but UTF-8 are refused, so nothing is fetched and nothing expands. Documents
// that are plain, as phones send them, are read without expat (document/scan.h) to the same result.
//
// One per worker. Cost: about 2.5 cycles a byte; 17 where expat is asked.
#ifndef DOCUMENT_READER_H
#define DOCUMENT_READER_H

#include "base/memory.h"
#include "document/document.h"

struct document_reader;

// Control, once per worker. `salt` is drawn from the kernel: it keys the hashing of names, so that nobody can choose
// names that collide. NULL when there is no memory (about 460 KB) or there are 64 readers.
struct document_reader *document_reader_create(const struct memory *memory, int node, uint64_t salt);
void document_reader_destroy(struct document_reader *reader);

struct document_reading {
    const struct document_block *block; // at most DOCUMENT_BLOCK_MAX bytes
    struct slice entity;                // the root's entity, unescaped: whose document it says it is
    uint32_t line;                      // where an error was found; 0: not in a line
};

// Reads `bytes` as a document of `kind`. On DOCUMENT_OK the reading is the reader's own memory, valid until its next
// use; the caller keeps a copy of block->bytes bytes, and compares `entity` with the resource published to (RFC 3903 6
// step 5 asks for a valid body; RFC 3863 4.1.1).
//
// Checked of PIDF: the root and its entity, an id of each tuple, person and device (an NCName, used once), one status
// in each tuple, `basic` open or closed. Children of a tuple, person or device are put into the order the schema has.
// Of dialog-info: the root, its entity, an id and one state in each dialog. All else is passed on as it came (RFC
// 3863 4.2), except comments, hints about schemas, white space between elements, and the ids that RFC 4480 allows
// inside a piece: two publications may use the same. What the root says of its language goes to the notes that say
// nothing. A prefix within text (a QName) keeps its letters, not its meaning. Errors: all of enum document_error.
enum document_error document_read(struct document_reader *reader, enum document_kind kind, struct slice bytes,
                                  struct document_reading *reading);

#endif
