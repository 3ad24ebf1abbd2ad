// trust: who is believed (the [trust] section, trusted gateways), and what is done with the words of the others.
//
// Whether the sender is believed is asked once for a request and kept in request->trust. Default: nobody is.
#ifndef ROLE_TRUST_H
#define ROLE_TRUST_H

#include "role/target.h"

// The source address is in a trusted network or a trusted gateway's.
bool role_trusts(struct role_request *request);
bool role_trusts_endpoint(const struct role *role, const struct endpoint *endpoint);

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

// identity.c. Notes the edits that keep asserted identities within the trust domain (RFC 3325 5, 7, RFC 3323 for
// Privacy: id) and take away what the untrusted may not say (P-Asserted-Identity, Record-Route, Path of others).
void role_identity_note(struct role_request *request, const struct role_target *target);
// The same for a response on its way back, towards `to`.
void role_identity_note_response(struct role *role, const struct sip_message *message,
                                 const struct endpoint *from, const struct endpoint *to,
                                 struct sip_edits *edits);

// record_route.c. The Record-Route lines for a target that is sent to from listener `out`, into the edit that is open.
//
// Each has a token (role/flow.h). There are two where the sides differ (RFC 5658 3.1) or one of them is behind a NAT:
// the upper one for the side that the request leaves by, the lower one for the side it came from. The callee has them
// in this order in its route set and the caller in the other (RFC 3261 12.1), so whoever sends a request in the dialog
// puts his own side's on top and the other's behind it: the last of our values says by which listener to leave and,
// with a flow in it, where to.
void role_record_route_put(struct role_request *request, const struct role_target *target, unsigned out);

// contact.c. [proxy] nat = repair: the Contact of a request or response whose sender is behind a NAT.
void role_contact_note(const struct role *role, const struct sip_message *message,
                       const struct endpoint *source, struct sip_edits *edits);

#endif
