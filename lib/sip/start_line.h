// start_line: Request-Line and Status-Line (RFC 3261 7.1, 7.2). The private first half of message.c.
#ifndef SIP_START_LINE_H
#define SIP_START_LINE_H

#include "sip/message.h"

// Reads the line at `from`, which is below message->len, into kind, method, uri, status and reason, and sets `next`
// to the offset behind its line feed.
// SIP_ERROR_START_LINE when it is neither form or does not end, with kind 0, or a broken Status-Line. A request with a
// broken rest (SIP_ERROR_VERSION, _REQUEST_LINE, _REQUEST_URI) has its kind, method and what can be made of its URI.
enum sip_error sip_start_line_parse(struct sip_message *message, uint32_t from, uint32_t *next);

#endif
