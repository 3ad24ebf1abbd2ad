// document/parse: expat over an arena, telling a cut what it meets. The room's own; one thread.
#ifndef DOCUMENT_PARSE_H
#define DOCUMENT_PARSE_H

#include "document/arena.h"
#include "document/cut.h"

// Parses `bytes` from a begun cut's first to its last element. The first error, the cut's or expat's; `*line` is where
// expat stood then, or 0. `salt` is not 0.
enum document_error document_parse(struct document_arena *arena, unsigned long salt, struct slice bytes,
                                   struct document_cut *cut, uint32_t *line);

#endif
