// document/namespace: the XML namespaces known by name, and the prefix that each has in what is written here.
//
// A block says by bits of this table which prefixes its pieces use, so a prefix never changes its place: blocks
// outlive a restart. Pure.
#ifndef DOCUMENT_NAMESPACE_H
#define DOCUMENT_NAMESPACE_H

#include "document/document.h"

enum document_namespace {
    DOCUMENT_NS_PIDF,                       // RFC 3863; without prefix, as the root declares it
    DOCUMENT_NS_DIALOG,                     // RFC 4235; the same in its own documents
    DOCUMENT_NS_MODEL,                      // RFC 4479
    DOCUMENT_NS_RPID,                       // RFC 4480
    DOCUMENT_NS_CIPID,                      // RFC 4482
    DOCUMENT_NS_CAPS,                       // RFC 5196
    DOCUMENT_NS_GEOPRIV,                    // RFC 4119
    DOCUMENT_NS_CIVIC,                      // RFC 5139
    DOCUMENT_NS_GML,                        // RFC 5491
    DOCUMENT_NS_DECLARED,                   // how many of them a root may have to declare
    DOCUMENT_NS_XML = DOCUMENT_NS_DECLARED, // bound from the start (Namespaces in XML 3)
    DOCUMENT_NS_XSI,                        // its attributes are hints for validators: not passed on
    DOCUMENT_NS_NONE,                       // no namespace at all
    DOCUMENT_NS_OTHER,                      // one that is not in this table
};

// Which one `uri` is; an empty one is DOCUMENT_NS_NONE.
enum document_namespace document_namespace_find(struct slice uri);

// With the colon behind it; empty for those that have none here.
struct slice document_namespace_prefix(enum document_namespace name);

// The namespace that elements without prefix are in.
enum document_namespace document_namespace_default(enum document_kind kind);

// Declares on the root that is being written the default of `kind` and all of the set `bits`.
void document_namespace_declare(struct document_text *text, enum document_kind kind, uint32_t bits);

#endif
