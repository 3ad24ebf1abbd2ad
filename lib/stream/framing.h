// framing: where one message ends and the next begins in the bytes of TCP or TLS (RFC 3261 18.3, 7.5).
//
// Pure: bytes in, what they are out. The index that framing needs is the message's own, so nothing is parsed twice.
#ifndef STREAM_FRAMING_H
#define STREAM_FRAMING_H

#include "sip/message.h"
#include "stream/stream.h"

enum framing_kind {
    FRAMING_MORE,    // no whole message yet
    FRAMING_MESSAGE, // one of `len` bytes
    FRAMING_REFUSED, // nobody can tell where it ends, or it is too large: the connection ends
};

struct framing {
    enum framing_kind kind;
    uint32_t len;         // MESSAGE: its bytes. MORE: those of the message when it is whole; 0: not known yet
    uint32_t scanned;     // MORE: up to here no head ends; give it back the next time
    enum sip_error error; // MESSAGE: what is wrong with it. REFUSED: the same, for an answer
    enum stream_end end;  // REFUSED
};

// What the `len` bytes at `bytes` begin with; the first is no CR or LF. `message_max` is at most SIP_MESSAGE_MAX;
// `scanned` is 0, or what came of fewer of the same bytes. MESSAGE and REFUSED: `message` is the index (of REFUSED as
// far as it was understood; `kind` 0: not at all).
struct framing stream_framing(struct sip_message *message, const char *bytes, uint32_t len,
                              uint32_t message_max, uint32_t scanned);

// Where the empty line behind the header lines ends, or 0: not within `len`. `*scanned` as above. The first line is not
// empty. For HTTP's head, too.
uint32_t stream_head_end(const char *bytes, uint32_t len, uint32_t *scanned);

// Takes CRs and LFs off the front of `len` bytes. `*crlf`, 0 at first, is kept from call to call. Returns how many;
// `*pings` grows by the double CRLFs among them (RFC 5626 4.4.1); a single one is a pong, or an empty line before a
// message (RFC 3261 7.5).
uint32_t stream_framing_skip(const char *bytes, uint32_t len, uint8_t *crlf, unsigned *pings);

#endif
