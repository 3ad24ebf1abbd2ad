// corpus: SIP messages as a busy server sees them, made up but never the same twice.
//
// A benchmark that repeats seven messages measures the branch predictor. This writes as many different ones as are
// asked for: mixed requests and responses, header fields in random order, names in every case and in compact form,
// IPv4 and IPv6 hosts, optional header fields, bodies, lengths around 660 bytes. The same options give the same
// messages on every machine. Users are "user0" to "user<users - 1>" of one domain. One thread per struct corpus.
#ifndef BENCH_CORPUS_H
#define BENCH_CORPUS_H

#include "base/endpoint.h"

#define CORPUS_MESSAGE_MAX 2048 // bytes; no message is longer

enum corpus_kind {
    CORPUS_INVITE = 1 << 0,
    CORPUS_ACK = 1 << 1, // within a dialog, as BYE: the request-URI is a contact, a Route may be there
    CORPUS_BYE = 1 << 2,
    CORPUS_REGISTER = 1 << 3,
    CORPUS_OPTIONS = 1 << 4,
    CORPUS_MESSAGE = 1 << 5,
    CORPUS_SUBSCRIBE = 1 << 6,
    CORPUS_RINGING = 1 << 7, // 180 to an INVITE, with the Via of `self` on top
    CORPUS_OK = 1 << 8,      // 200 to an INVITE, the same way
    CORPUS_ALL = (1 << 9) - 1,
};

struct corpus_options {
    unsigned kinds;         // enum corpus_kind, or-ed; their shares stay in proportion
    uint32_t users;         // size of the population, at least 1
    const char *domain;     // NULL: example.com
    struct endpoint source; // in the sender's Via and Contact; ENDPOINT_NONE: a different one in each message
    struct endpoint
        self; // the server's, in Route and in the top Via of responses; ENDPOINT_NONE: 192.0.2.1:5060
    uint64_t seed;
};

struct corpus {
    struct corpus_options options;
    uint64_t random;
};

void corpus_open(struct corpus *corpus, const struct corpus_options *options);

// What the last message was about.
struct corpus_note {
    unsigned kind;   // one bit of enum corpus_kind
    uint32_t caller; // user in From
    uint32_t callee; // user in To and, outside of dialogs, in the request-URI
};

// Writes the next message, without NUL. Returns its bytes. `note` may be NULL.
unsigned corpus_next(struct corpus *corpus, char text[CORPUS_MESSAGE_MAX], struct corpus_note *note);

// What stands behind the address in a user's Contact URI: a phone names the same contact each time, or it would be
// another one (RFC 3261 19.1.4).
const char *corpus_contact_params(uint32_t user);

#endif
