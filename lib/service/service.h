// service: message in, verdict and edits out; which of the roles it is for, and the small ones themselves.
//
// The one entry for the data path: everything that happens to a struct role (role/role.h) happens through these. Each
// by the role's own worker.
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "role/role.h"

// From now on this policy holds. At the start of a turn, by its worker.
void service_renew(struct role *role, const struct role_policy *policy);

// What is due at this time: timers of transactions, calls that last too long, probes of gateways. Once a turn; bounded.
void service_turn(struct role *role, const struct clock *now);

// The network says that what we sent did not arrive: `quoted` is what an ICMP error quotes of the datagram's payload,
// perhaps cut off. False: it is of no request of ours (RFC 3261 16.9).
bool service_unreachable(struct role *role, struct slice quoted, const struct clock *now);

// Who may watch this user, or the list that this address stands for, is not what it was (roster/roster.h): watchers are
// looked at anew, and told. `aor` is a key of the location table whose owner this worker is.
void service_touch(struct role *role, struct hash128 aor);

// A message of ours for `to` from `listener` did not leave: no next hop takes it, the connection that it was for is
// gone or cannot be made. `bytes` is all of it. False: that is of no request of ours, or there is nothing to be done.
bool service_unsent(struct role *role, struct slice bytes, const struct endpoint *to, unsigned listener,
                    const struct clock *now);

// Serves one request or response. `parsed` is what sip_message_parse (and then sip_message_check) said,
// `steered` what role_steer did. `edits` is empty on entry. Always sets the whole verdict. Never fails: what is
// wrong becomes an answer or a counted drop.
void service_serve(struct role *role, const struct sip_message *message, enum sip_error parsed,
                   const struct steered *steered, const struct arrival *arrival, struct verdict *verdict,
                   struct sip_edits *edits);

#endif
