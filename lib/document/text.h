// document/text: bytes and escaped text behind one another (struct document_text).
#ifndef DOCUMENT_TEXT_H
#define DOCUMENT_TEXT_H

#include "document/document.h"

// The bytes as they are.
static inline void document_text_add(struct document_text *text, struct slice bytes)
{
    if (bytes.len > text->room - text->len) {
        text->full = true;
        return;
    }
    if (bytes.len != 0)
        memcpy(text->at + text->len, bytes.at, bytes.len);
    text->len += bytes.len;
}

#define document_text_literal(text, literal) document_text_add((text), SLICE(literal))

// As character data or inside an attribute's double quotes: & < > " and line ends and tabs become references
// (XML 1.0 2.4, 3.3.3). Bytes that XML cannot hold at all (control characters, what is no UTF-8) become "?".
void document_text_escape(struct document_text *text, struct slice bytes);

// ` name="value"`, the value escaped.
void document_text_attribute(struct document_text *text, struct slice name, struct slice value);

// ` name="N"`.
void document_text_count(struct document_text *text, struct slice name, uint64_t value);

void document_text_number(struct document_text *text, uint64_t value);

#endif
