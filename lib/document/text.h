// document/text: bytes and escaped text behind one another (struct document_text).
//
// What XML cannot hold at all (control characters, what is no UTF-8) is written as "?": nothing that came in a SIP
// message can break a document. Cost: about a cycle a byte.
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

// As character data: & < > and carriage returns become references (XML 1.0 2.4, 2.11).
void document_text_escape(struct document_text *text, struct slice bytes);

// As the value of an attribute in double quotes: these, and line ends and tabs, as well (XML 1.0 3.3.3).
void document_text_quote(struct document_text *text, struct slice bytes);

// ` name="value"`, quoted.
void document_text_attribute(struct document_text *text, struct slice name, struct slice value);

// The length of the character of several bytes that `bytes` begin with, when it is one that XML has; else 0 (XML 1.0
// 2.2, RFC 3629 4). `bytes` are not empty.
unsigned document_text_character(struct slice bytes);

// In decimal digits; with the attribute's name as ` name="N"`.
void document_text_number(struct document_text *text, uint64_t value);
void document_text_count(struct document_text *text, struct slice name, uint64_t value);

// `<?xml …?>`, with which every document begins.
void document_text_declaration(struct document_text *text);

#endif
