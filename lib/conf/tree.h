// tree: text to sections and entries that the schema knows, with the line of each.
//
// libinih splits the lines into keys and values; the reader function that feeds it counts them, and takes the section
// headers itself, since the library cuts long names in silence and tells neither empty nor repeated sections. What the
// library would swallow is a fault here: lines that are neither, lines longer than its buffer, control bytes.
// Grammar: [section] or [section NAME]; KEY = VALUE; `;` or `#` begin a comment line, ` ;` a comment behind a value; an
// indented line goes on with the value above it. One thread; everything lives in the arena.
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include "conf/fault.h"
#include "conf/schema.h"

#define CONF_FILE_MAX (1u << 20) // bytes of a configuration file

// A line's share of a value.
struct conf_piece {
    struct conf_piece *next;
    struct slice text; // trimmed
    unsigned line;
};

struct conf_entry {
    unsigned line; // 0: the file does not have this key
    bool faulty;   // was told already: no check builds on its value
    struct conf_piece *first, *last;
};

// One section as it stands in the file.
struct conf_block {
    struct conf_block *next;
    const struct conf_section *section;
    const char *name; // "" for a section that is not repeatable
    unsigned line;
    unsigned index;              // in the array of its kind, in file order
    bool faulty;                 // its header was told already: what is missing in it is not
    struct conf_entry entries[]; // by position in section->keys
};

struct conf_tree {
    struct conf_block *first, *last;
    unsigned count[CONF_SECTIONS]; // blocks of each kind
    unsigned lines;                // of the file, at least 1
};

// Reads the text; faults are noted and the reading goes on. Values still are text. False when it is no text at all,
// which is one fault.
bool conf_tree_read(struct slice text, struct conf_tree *tree, struct conf_arena *arena,
                    struct conf_faults *faults);

// The first block of a kind with this NAME, or NULL.
const struct conf_block *conf_tree_find(const struct conf_tree *tree, const struct conf_section *section,
                                        struct slice name);

// An empty block at the end of the tree, as if the file had `[section NAME]` on `line`; NULL when there is no memory.
struct conf_block *conf_tree_add(struct conf_tree *tree, const struct conf_section *section, const char *name,
                                 unsigned line, struct conf_arena *arena);

// "[section NAME]" for messages; `text` has room for CONF_TITLE_MAX bytes.
#define CONF_TITLE_MAX 96
const char *conf_block_title(const struct conf_section *section, const char *name, char text[CONF_TITLE_MAX]);

#endif
