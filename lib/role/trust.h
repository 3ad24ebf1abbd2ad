// trust: who is believed (the [trust] section, trusted gateways), and what is done with the words of the others.
//
// Whether the sender is believed is asked once for a request and kept in request->trust. Default: nobody is.
#ifndef ROLE_TRUST_H
#define ROLE_TRUST_H

#include "role/target.h"

// The source address is in a trusted network or a trusted gateway's.
bool role_trusts(struct role_request *request);
bool role_trusts_endpoint(const struct role *role, const struct endpoint *endpoint);

// A request may go to a domain that is not ours: it is in a dialog that our signed Record-Route leads, its sender is
// trusted, or a registered user sends it from where he registered and [trust] says that will do. False: answered 403.
bool role_may_relay(struct role_request *request, bool in_dialog);

// Route values that the sender put there himself (no dialog of ours) are believed of the trusted only. False: 403.
bool role_may_preload(struct role_request *request);

// identity.c. Notes the edits that keep asserted identities within the trust domain (RFC 3325 5, 7, RFC 3323 for
// Privacy: id) and take away what the untrusted may not say (P-Asserted-Identity, Record-Route, Path of others).
void role_identity_note(struct role_request *request, const struct role_target *target);
// The same for a response on its way back, towards `to`.
void role_identity_note_response(struct role *role, const struct sip_message *message,
                                 const struct endpoint *from, const struct endpoint *to, struct sip_edits *edits);

// record_route.c. The Record-Route lines for a target that is sent to from listener `out`, into the edit that is open:
// one, or two where the sides differ (RFC 5658), each with a signed flow token where its side needs one.
void role_record_route_put(struct role_request *request, const struct role_target *target, unsigned out);

// contact.c. [proxy] nat_dialog = repair: the Contact of a request or response whose sender is behind a NAT.
void role_contact_note(const struct role *role, const struct sip_message *message, const struct endpoint *source,
                       struct sip_edits *edits);

// flow.c. A flow token: where a peer was seen and on which listener, as the user part of our Record-Route URI, signed so
// that nobody makes one (RFC 5626 5.2). ROLE_FLOW_LEN bytes at most. Reading: false when it was not made here.
#define ROLE_FLOW_LEN 64
unsigned role_flow_write(const struct role *role, const struct endpoint *peer, unsigned listener,
                         char text[ROLE_FLOW_LEN]);
bool role_flow_read(const struct role *role, struct slice user, struct endpoint *peer, unsigned *listener);

#endif
