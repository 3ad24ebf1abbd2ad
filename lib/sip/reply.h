// reply: a response made out of its request, in the request's own bytes (RFC 3261 8.2.6).
//
// Only notes edits: the request line becomes a status line, Via, From, To, Call-ID, CSeq (and for 100 Timestamp,
// for a dialog's provisional and 2xx answers Record-Route) stay where they are, everything else and the body go,
// Content-Length: 0 comes. One thread.
#ifndef SIP_REPLY_H
#define SIP_REPLY_H

#include "sip/address.h"
#include "sip/edit.h"
#include "sip/message.h"

struct sip_reply {
    uint16_t status;
    const char *reason;           // NULL: the phrase of sip_status_reason
    struct slice to_tag;          // added to To when it has none and this is not empty (RFC 3261 8.2.6.2)
    const struct sip_address *to; // the To, where it has been parsed; NULL: it is parsed here
    struct slice lines; // whole header lines with their CRLFs, put before Content-Length; may be empty
    bool record_route;  // keep Record-Route (RFC 3261 12.1.1)
};

// Notes the edits that turn `message`, a request, into the response. What the list holds already for the top Via
// (received, rport) must stay valid, and does: kept header lines are not touched.
void sip_reply_note(const struct sip_message *message, const struct sip_reply *reply,
                    struct sip_edits *edits);

#endif
