// cdr_line: a call as a line of JSON (RFC 8259). Pure: any thread.
#ifndef CONTROL_CDR_LINE_H
#define CONTROL_CDR_LINE_H

#include "call/call.h"

#define CONTROL_CDR_LINE_MAX 4096
#define CONTROL_CDR_NAME_MAX 64 // bytes of a gateway's or a rule's name that are written

// Writes the line with its line feed and without NUL; `gateway` and `route` NULL: none. Returns its bytes.
unsigned control_cdr_line(const struct call *call, const char *gateway, const char *route,
                          char line[CONTROL_CDR_LINE_MAX]);

#endif
