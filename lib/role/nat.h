// nat: whether who sent a message is behind a NAT, by what it says of itself and where it came from. Pure: any thread.
#ifndef ROLE_NAT_H
#define ROLE_NAT_H

#include "role/request.h"

// A REGISTER whose binding must lead to where it came from, as [registrar] nat says; over a stream always, if it is the
// phone's own, over WebSocket even where nat is never. A name cannot be looked up in time, so it counts as one that
// differs.
bool role_behind_nat(const struct role_request *request, const struct sip_uri *contact);

// The sender of a request in a dialog or to make one, who is our neighbour: there is no Via of a proxy. Names are
// servers' and lead to where they say; but a Via with a name and rport is a phone's. `via` is the top one.
bool role_seen_behind_nat(const struct sip_message *message, const struct sip_via *via,
                          const struct endpoint *source);

// The sender is the phone itself, over a connection that it made: there is no Via of a proxy, and no trusted gateway,
// which says where it listens. It is reached by that connection and no other (RFC 5626 5.3, RFC 7118 5).
bool role_keeps_connection(const struct role_request *request);

// An address in a Contact that is not the source and that nobody else can reach.
bool role_contact_behind_nat(const struct sip_uri *contact, const struct endpoint *source);

#endif
