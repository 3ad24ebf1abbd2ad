// composing: a document of the publications of a case.
#ifndef TESTS_COMPOSING_H
#define TESTS_COMPOSING_H

#include "document/compose.h"
#include "document/reader.h"
#include "sections.h"

#define COMPOSING_ROOM 65536

// Composes what the sections from `from` to before `to` tell, into COMPOSING_ROOM bytes:
//   == publication [dialog]      a document, the latest first
//   == registered open|closed [CONTACT]
// Others are nothing. Aborts when a publication cannot be read.
enum document_error composing_of(const struct sections *sections, unsigned from, unsigned to,
                                 struct document_block *block);

#endif
