// generator_message: the load generator's SIP, written from templates and read back by position.
//
// A template is compiled once into literals and fields; writing a message is then a dozen copies. Everything that
// tells one exchange from another stands in the branch and the Call-ID as fixed-width hexadecimal, so an answer
// finds its slot without a search. Templates are read-only after message_templates_compile().
#ifndef BENCH_GENERATOR_MESSAGE_H
#define BENCH_GENERATOR_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define MESSAGE_MAX        2048        // bytes of any message written or read here
#define MESSAGE_COOKIE     "z9hG4bK"   // RFC 3261 8.1.1.7
#define MESSAGE_NOTE       "exchange " // before the serial and the slot in a document
#define MESSAGE_PIECES_MAX 64
#define MESSAGE_USERS_MAX  99999999u  // eight digits
#define MESSAGE_CSEQ_FIRST 100000000u // nine digits whatever the run's length

enum message_kind {
    MESSAGE_REGISTER,
    MESSAGE_OPTIONS,
    MESSAGE_INVITE,
    MESSAGE_ACK,       // of a 2xx: a branch of its own (RFC 3261 13.2.2.4)
    MESSAGE_ACK_FINAL, // of a 300-699: the INVITE's branch (RFC 3261 17.1.1.3)
    MESSAGE_BYE,
    MESSAGE_PUBLISH,   // a document that says which exchange it is of, so that it is never the same twice
    MESSAGE_SUBSCRIBE, // of one of the user's watchers
    MESSAGE_KINDS,
};

// What one message says about itself.
struct identity {
    uint32_t run;    // random for each process: answers to an earlier one are not ours
    uint32_t slot;   // which exchange
    uint32_t serial; // which use of that slot
    uint32_t user;
    uint32_t cseq;
    uint32_t watcher;    // which of those that the user has
    struct slice match;  // SIP-If-Match header field with its CRLF, or empty
    struct slice to_tag; // with its leading ";tag=", or empty
    struct slice target; // request-URI of ACK and BYE; empty: the user's address of record
    struct slice route;  // their Route header field with its CRLF, or empty
};

// What is the same in every message of a run.
struct message_names {
    const char *domain;
    const char *local;   // HOST:PORT of the client socket
    const char *contact; // HOST:PORT where the users are reached
};

struct message_piece {
    uint16_t at;   // in the template's text, of a literal
    uint16_t len;  // of a literal
    uint8_t field; // enum message_field, or 0 for a literal
};

struct message_template {
    char text[MESSAGE_MAX];
    struct message_piece pieces[MESSAGE_PIECES_MAX];
    unsigned pieces_n;
};

struct message_templates {
    struct message_template of[MESSAGE_KINDS];
    char sdp[256]; // the body of INVITE and of its answer
    char sdp_length[12];
    char pidf_length[12]; // of the body of PUBLISH, whoever's
    struct slice domain;
};

// False when the names are too long for MESSAGE_MAX.
bool message_templates_compile(struct message_templates *templates, const struct message_names *names);

// Writes into `to` (MESSAGE_MAX bytes) and returns the length.
size_t message_write(const struct message_templates *templates, enum message_kind kind,
                     const struct identity *who, char *to);

// The first branch in the text, which in an answer is that of our own Via and in an echo our own too: slot, serial
// and kind. False when it is not of this run.
bool message_read_branch(struct slice text, uint32_t run, struct identity *who, enum message_kind *kind);

// The same from the Call-ID, for requests that arrive with the server's Via on top.
bool message_read_call_id(struct slice text, uint32_t run, struct identity *who);

// The Call-ID of a subscription: user and watcher.
bool message_read_subscription(struct slice text, uint32_t run, struct identity *who);

// Which exchange published the document that a NOTIFY has: slot and serial. False when it has none of these.
bool message_read_document(struct slice text, struct identity *who);

// The tag of a publication (RFC 3903 11.3.1), or empty.
struct slice message_etag(struct slice text);

// 100 to 699, or 0 when this is no response.
unsigned message_status(struct slice text);

// ";tag=..." of the To header field, or empty.
struct slice message_to_tag(struct slice text);

// The route set of a dialog as its client learns it from the answer (RFC 3261 12.1.2): "Route: ..." with CRLF, the
// Record-Route elements in reverse. Returns the length, 0 when there is none or when it is longer than `room`.
size_t message_route(struct slice text, char *to, size_t room);

// The URI of the Contact, or empty.
struct slice message_contact(struct slice text);

// Writes an answer to the request into `to` (MESSAGE_MAX bytes): Via, From, To, Call-ID, CSeq and Record-Route are
// those of the request (RFC 3261 8.2.6.2, 12.1.1); a To tag is added where none is. `contact` may be NULL. Returns
// the length, or 0 when it does not fit.
size_t message_answer(struct slice request, const char *status_line, const char *contact, const char *sdp,
                      char *to);

#endif
