// document/cut: what the parser meets, cut into canonical pieces.
//
// The parser tells of tags and text in their order; here they are checked, written anew, and taken apart. Knows no
// parser: what it is told is names with their namespaces, values without references. The first error stays; after it
// everything is ignored. The room's own; one thread.
#ifndef DOCUMENT_CUT_H
#define DOCUMENT_CUT_H

#include "document/namespace.h"
#include "document/text.h"

#define DOCUMENT_ENTITY_MAX   512  // bytes of the root's entity
#define DOCUMENT_LANGUAGE_MAX 35   // bytes of the root's xml:lang (RFC 5646 4.4.1)
#define DOCUMENT_FOREIGN_MAX  2048 // bytes of the unknown namespaces' names in scope at one place
#define DOCUMENT_RANKS        8    // places for children within a piece

struct document_name {
    enum document_namespace space;
    struct slice uri;
    struct slice local;
};

struct document_attribute {
    struct document_name name;
    struct slice value;
};

struct document_element { // that is open
    uint32_t name_at;     // its name as it is written, in the text
    uint16_t name_len;
    uint8_t role;  // see cut.c
    bool language; // it says its own, or is within what does
};

struct document_foreign { // an unknown namespace that is declared: its place here is its prefix
    uint16_t at, len;     // in uris
    uint16_t depth;       // of the element that declares it
};

struct document_cut {
    enum document_kind kind;
    enum document_error error;
    bool plain; // nothing that is told needs references when it is written
    unsigned depth, elements;
    uint32_t namespaces;
    struct document_element open[DOCUMENT_DEPTH_MAX];

    // The text of the pieces so far, and where in it we are.
    struct document_text text;
    bool tag;        // the last tag still lacks its ">"
    bool after_end;  // the last tag was an end
    bool blank;      // nothing but white space since
    uint32_t run_at; // where the text behind it begins

    // The piece being cut.
    struct document_piece piece[DOCUMENT_PIECES_MAX];
    unsigned pieces; // with it
    uint32_t child_at;
    uint8_t child_rank;
    uint32_t seen;                     // bit per rank: it has such a child
    uint32_t rank_end[DOCUMENT_RANKS]; // where the children of this rank and those before end

    struct document_foreign foreign[DOCUMENT_NAMESPACES_MAX];
    unsigned foreigns;
    char uris[DOCUMENT_FOREIGN_MAX];

    char entity[DOCUMENT_ENTITY_MAX];
    uint32_t entity_len;
    char language[DOCUMENT_LANGUAGE_MAX]; // that the root says for all
    uint32_t language_len;
};

// `room` bytes at `text` are for the pieces.
void document_cut_begin(struct document_cut *cut, enum document_kind kind, char *text, uint32_t room);

void document_cut_open(struct document_cut *cut, const struct document_name *name,
                       const struct document_attribute *attributes, unsigned count);
void document_cut_text(struct document_cut *cut, struct slice text);
void document_cut_close(struct document_cut *cut);

// Puts the block of all pieces into `room` bytes at `block`. The first error, if any.
enum document_error document_cut_finish(struct document_cut *cut, struct document_block *block,
                                        uint32_t room);

// Writes tags; see tag.c.
void document_tag_open(struct document_cut *cut, const struct document_name *name,
                       const struct document_attribute *attributes, unsigned count);
void document_tag_close(struct document_cut *cut);

// xml:lang
static inline bool document_is_language(const struct document_name *name)
{
    return name->space == DOCUMENT_NS_XML && slice_equal(name->local, SLICE("lang"));
}

static inline void document_cut_fail(struct document_cut *cut, enum document_error error)
{
    if (cut->error == DOCUMENT_OK)
        cut->error = error;
}

#endif
