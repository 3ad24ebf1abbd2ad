// document/scan: the plain documents that phones send, read without expat at a fifth of its cost.
//
// Knows what such documents are made of - tags, attributes, text in UTF-8, namespaces - and nothing else: no
// references, comments, CDATA, instructions or document types, and no name that is not ASCII. At the first thing that
// is not known or not right it gives up, and expat is asked. So it decides nothing but what is quick; whatever it
// takes, expat takes too and tells the same of it, which the fuzz target checks. The room's own; one thread.
#ifndef DOCUMENT_SCAN_H
#define DOCUMENT_SCAN_H

#include "document/cut.h"

// Tells a begun cut of all of `bytes`; false when it gave up, whatever the cut was told until then.
bool document_scan(struct slice bytes, struct document_cut *cut);

#endif
