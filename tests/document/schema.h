// schema: asks xmllint whether a document holds by the schema of its RFC.
#ifndef TESTS_SCHEMA_H
#define TESTS_SCHEMA_H

#include "base/slice.h"

// True when `document` is valid by schemas/NAME.xsd; else what xmllint says is on stderr.
bool schema_holds(struct slice document, const char *name);

#endif
