// trust: who is believed (the [trust] section, trusted gateways), and what is done with the words of the others.
//
// Whether the sender is believed is asked once for a request and kept in request->trust. Default: nobody is.
#ifndef ROLE_TRUST_H
#define ROLE_TRUST_H

#include "role/target.h"

// The source address is in a trusted network or a trusted gateway's, or its certificate is one's (RFC 5922 7.1).
bool role_trusts(struct role_request *request);
bool role_trusts_endpoint(const struct role *role, const struct endpoint *endpoint);
bool role_trusts_arrival(const struct role *role, const struct arrival *arrival);

// In a dialog that this server record-routed: its Route proves it (role/flow.h). The trusted are believed without, for
// some of them lose what is in front of an "@".
bool role_in_dialog(struct role_request *request);

// A request may go to a domain that is not ours: it is in a dialog that our signed Record-Route leads, its sender is
// trusted or proved to be a user of ours, or a registered user sends it from where he registered and [trust] says that
// will do. False: answered 403.
bool role_may_relay(struct role_request *request, bool in_dialog);

// Route values that the sender put there himself (no dialog of ours) are believed of the trusted only. False: 403.
bool role_may_preload(struct role_request *request);

// The Path of a REGISTER is believed: of the trusted, and where [registrar] path is on. Else it counts as if that were
// off: anybody could lead a user's calls along himself (RFC 3327 6).
bool role_takes_path(struct role_request *request);

#endif
