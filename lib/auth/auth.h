// auth: whose requests must carry credentials, and whether they do (RFC 3261 22, RFC 7616, RFC 8760).
//
// An [auth] says who is asked; a challenge is an answer in the request's own bytes and keeps nothing: its nonce says by
// itself when, by which worker and for whom it was made. ACK and CANCEL are never asked (22.1), nor is what our signed
// Record-Route proves to belong to a dialog, unless the [auth] names its method. Wrong credentials of somebody and of
// nobody take the same way through this code and get the same answer.
//
// Not taken: qop=auth-int and the -sess algorithms, which are not offered; userhash and username* (RFC 7616 3.4.4), for
// users here are those of addresses of record. What has no qop is taken as RFC 2069 had it (RFC 8760 2.6 item 8), but
// not where nc is counted.
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "role/request.h"

// True: go on. False: answered.
bool auth_check(struct role_request *request);

// Notes the edits that take Proxy-Authorization for realms of ours away (22.3); those for others stay.
void auth_note(struct role_request *request);

// Authentication-Info of a 200, where the client asked for our proof by its qop (RFC 7616 3.5).
void auth_put_info(const struct role_request *request, struct role_text *lines);

#endif
