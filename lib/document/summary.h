// document/summary: messages waiting (RFC 3842): application/simple-message-summary, lines of text.
//
// Pure: any thread. Cost: one pass.
#ifndef DOCUMENT_SUMMARY_H
#define DOCUMENT_SUMMARY_H

#include "document/document.h"

#define DOCUMENT_SUMMARY_MAX 4096 // bytes of a published one
#define DOCUMENT_SUMMARY_ROOM \
    (2 * DOCUMENT_SUMMARY_MAX + 2) // for it in canonical form: a line of LF may become two

struct document_summary {
    bool waiting;         // Messages-Waiting
    struct slice account; // Message-Account, or empty
};

// Reads `bytes` by RFC 3842 5.2 and writes them to `text` as they are passed on: each line of the summary as it came,
// ended by CRLF. The headers of messages that may follow are left out: they must not be in a subscription's first
// NOTIFY, nor be said twice (RFC 3842 3.5), and one text serves all who watch. `summary` points into `bytes`.
// DOCUMENT_MALFORMED, DOCUMENT_TOO_LARGE.
enum document_error document_summary_read(struct slice bytes, struct document_summary *summary,
                                          struct document_text *text);

// What is said when nothing was published: "Messages-Waiting: no". `account`, a URI, may be empty.
enum document_error document_summary_none(struct slice account, struct document_text *text);

#endif
