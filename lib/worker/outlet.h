// outlet: how a role holds messages beyond the call that served them, and sends more than the one in hand.
//
// A buffer is one SIP message that somebody keeps: on the data path an mbuf, in tests plain memory; roles see neither.
// The message in hand becomes a buffer by verdict.keep, as it looks after its edits; everything else is made by copy.
// Buffers are counted by reference: whoever was given one releases it once. One worker's thread.
#ifndef WORKER_OUTLET_H
#define WORKER_OUTLET_H

#include "base/endpoint.h"
#include "sip/edit.h"
#include "sip/message.h"
#include "worker/arrival.h"

struct buffer; // opaque

struct outlet {
    void *owner; // passed to all

    // A new message: the bytes of `source` with the edits applied, which are cleared afterwards. `source` and what the
    // edits point to may be the message in hand or another buffer; neither changes. `arrival` is kept beside it, NULL:
    // none. NULL when no buffer is left or the result is too long.
    struct buffer *(*copy)(void *owner, struct slice source, struct sip_edits *edits,
                           const struct arrival *arrival);

    // Sends it to `to` from a listener; it stays the caller's and is not changed until the caller releases it.
    // `status`: of a response, for the counters; 0 for a request. Sending the same buffer again is a retransmission.
    void (*send)(void *owner, struct buffer *buffer, const struct endpoint *to, uint8_t listener,
                 uint16_t status);

    // The message's index, made anew where the buffer was edited; NULL: it does not parse. Valid until the next index()
    // of any buffer, or its release.
    const struct sip_message *(*index)(void *owner, struct buffer *buffer);

    // Where the message had come in; NULL: none was given.
    const struct arrival *(*arrival)(void *owner, const struct buffer *buffer);

    void (*release)(void *owner, struct buffer *buffer); // NULL is allowed

    // Whether so many more buffers may be kept without starving the receive queues; a promise until the turn ends.
    bool (*room)(void *owner, unsigned buffers);
};

#endif
