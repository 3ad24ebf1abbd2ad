// message: the index of one SIP message, made in one pass over the packet.
//
// sip_message_parse() finds the start line, the line ends and the header names (RFC 3261 7) and writes offsets; it
// copies nothing, allocates nothing and understands no header's value but Content-Length. Typed parsers (sip/via.h,
// sip/uri.h …) run over the slices on demand. The index is of fixed size, lives in the mbuf's private area and goes
// with the mbuf from worker to worker; it is valid until the bytes are edited. One thread at a time owns it.
// Cost: about 270 instructions per message and 56 per header line that is plain (a known name, a colon, one space, a
// value, CRLF), with AVX2; 90 where only the name is not known, 150 per other line.
#ifndef SIP_MESSAGE_H
#define SIP_MESSAGE_H

#include <stdbool.h>

#include "base/slice.h"
#include "sip/error.h"
#include "sip/header.h"
#include "sip/method.h"

#define SIP_MESSAGE_MAX 16384 // bytes; offsets are 16 bits wide
#define SIP_LINES_MAX   128   // header lines; more is SIP_ERROR_TOO_MANY_LINES
#define SIP_NO_LINE     0xff

enum sip_kind {
    SIP_REQUEST = 1,
    SIP_RESPONSE = 2,
};

struct sip_line {
    uint16_t name;    // offset of the first byte of the name, so of the line
    uint16_t value;   // offset of the value, white space behind the colon skipped
    uint16_t len;     // bytes of the value, without white space and line end behind it; folds are inside
    uint8_t name_len; // bytes of the name; 255 for a name that long or longer (then it is SIP_HEADER_OTHER)
    uint8_t id;       // enum sip_header
};

// A piece of the message by offset.
struct sip_span {
    uint16_t at;
    uint16_t len;
};

struct sip_message {
    const char *bytes;               // the message; not owned
    uint16_t len;                    // bytes of the message; what trails behind Content-Length is not counted
    uint16_t body;                   // offset of the first byte behind the empty line
    uint16_t body_len;               // bytes of the body
    uint8_t kind;                    // enum sip_kind
    uint8_t method;                  // request: enum sip_method
    uint16_t status;                 // response: 100 to 699
    struct sip_span method_text;     // request
    struct sip_span uri;             // request: the request-URI, unparsed
    struct sip_span reason;          // response: may be empty
    uint8_t folded;                  // some header value contains a folded line (RFC 3261 7.3.1)
    uint8_t lines_n;                 // header lines; lines[lines_n].name is the offset of the empty line
    uint64_t repeated;               // bit per enum sip_header: it has more than one line
    uint8_t first[SIP_HEADER_COUNT]; // by enum sip_header: its first line, or SIP_NO_LINE
    struct sip_line lines[SIP_LINES_MAX + 1];
};

// Indexes `len` bytes at `bytes`. Never reads at or past bytes + len.
// Returns SIP_OK, or the error; then as much of the index is set as had been understood, so that a request whose
// header fields could be read can be answered (`kind` is 0 when not even the start line could).
// Leading CRLFs are skipped (RFC 3261 7.5). UDP rules for Content-Length (RFC 3261 18.3): larger than what is there
// is SIP_ERROR_BODY_SHORT, smaller cuts `len`, missing means up to the end.
enum sip_error sip_message_parse(struct sip_message *message, const char *bytes, size_t len);

static inline struct slice sip_message_span(const struct sip_message *message, struct sip_span span)
{
    return slice_of(message->bytes + span.at, span.len);
}

static inline bool sip_message_has(const struct sip_message *message, enum sip_header id)
{
    return message->first[id] != SIP_NO_LINE;
}

// The value of a line; may contain folds (CRLF and white space), which every typed parser takes as white space.
static inline struct slice sip_message_value(const struct sip_message *message, unsigned line)
{
    return slice_of(message->bytes + message->lines[line].value, message->lines[line].len);
}

// The value of the first line of `id`; empty (at == NULL) when there is none.
static inline struct slice sip_message_first(const struct sip_message *message, enum sip_header id)
{
    unsigned line = message->first[id];
    return line == SIP_NO_LINE ? (struct slice){NULL, 0} : sip_message_value(message, line);
}

// The next line of the same header field behind `line`, or SIP_NO_LINE.
unsigned sip_message_next(const struct sip_message *message, unsigned line);

// Every line of a header field, in order.
#define SIP_FOREACH_LINE(line, message, id) \
    for (unsigned line = (message)->first[id]; line != SIP_NO_LINE; line = sip_message_next(message, line))

// The offset behind a line's end, where the next line (or the empty line) begins.
static inline uint16_t sip_message_line_end(const struct sip_message *message, unsigned line)
{
    return message->lines[line + 1].name;
}

// The header fields that every request must carry (RFC 3261 8.1.1: To, From, CSeq, Call-ID, Via; Max-Forwards may
// be missing, 16.3 step 3), and the ones that may stand only once do so. SIP_OK or the error.
enum sip_error sip_message_check(const struct sip_message *message);

#endif
