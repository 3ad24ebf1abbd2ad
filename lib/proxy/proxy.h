// proxy: requests that go on to somebody else, and what comes back (RFC 3261 16).
//
// The entries of the room; proxy/core.h is what its files share. By the role's own worker.
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include "role/request.h"

// transact.c. A request of a record that is there: repeated, an ACK, a CANCEL. True: it is done with, the verdict
// stands. Sets request->key.
bool proxy_transact(struct role_request *request);

// Sends it on, once or to several. Sets the verdict.
void proxy_serve(struct role_request *request);

// Sends a response back to where its request came from. Sets the whole verdict.
void proxy_response(struct role *role, const struct sip_message *message, enum sip_error parsed,
                    const struct arrival *arrival, struct verdict *verdict, struct sip_edits *edits);

// timers.c. What is due of records, calls and probes of gateways. Once a turn; bounded.
void proxy_turn(struct role *role, const struct clock *now);

// An ICMP error quotes the beginning of a datagram's payload. False: it is of no request of ours (RFC 3261 16.9).
bool proxy_unreachable(struct role *role, struct slice quoted, const struct clock *now);

// unsent.c. A message of ours for `to` from `listener` did not leave, all of it as it would have left: a request as
// above, a response goes once more to where its Via says that its element listens. False: there was nothing to be done.
bool proxy_unsent(struct role *role, struct slice bytes, const struct endpoint *to, unsigned listener,
                  const struct clock *now);

// timers.c. A record makes room for others: its buffers are released. `owner`: struct role.
void proxy_record_evict(void *owner, struct transaction *transaction);

#endif
