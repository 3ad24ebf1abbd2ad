// flow: the token in the user part of our Record-Route URIs (RFC 5626 5.2, 5.3).
//
// It proves that whoever sends it back in a Route was told it in a dialog of this Call-ID, so that he may send on in
// that dialog to where nobody else may; and where the peer on its side is behind a NAT it says where that was seen and
// by which listener it is reached. Written in letters that a user part takes as they are (base64url):
//
//   listener (1 byte) | address (4 or 16) and port (2), where there is a flow | keyed hash (8) of Call-ID and these
//
// Over a stream the flow is a connection, and its number (1) stands behind the port, with a longer hash (10): so there
// are 12, 20 or 36 letters, or 24 or 40, and the first is one of A to P: no telephone number is taken for one. A
// restart makes a new key, so what was told before it is refused afterwards. Pure: any thread. Cost: one hash over the
// Call-ID.
#ifndef ROLE_FLOW_H
#define ROLE_FLOW_H

#include "role/role.h"

#define ROLE_FLOW_LEN 40

enum role_token {
    ROLE_TOKEN_NONE, // the user part has not the form of one
    ROLE_TOKEN_FORGED,
    ROLE_TOKEN_OURS,
};

// `peer` of ENDPOINT_NONE: there is no flow; its transport is the listener's. Returns the bytes written.
unsigned role_flow_write(const struct role *role, struct slice call_id, const struct endpoint *peer,
                         unsigned listener, char text[ROLE_FLOW_LEN]);

// ROLE_TOKEN_OURS: `peer` and `listener` are as they were written.
enum role_token role_flow_read(const struct role *role, struct slice call_id, struct slice user,
                               struct endpoint *peer, unsigned *listener);

#endif
