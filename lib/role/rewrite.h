// rewrite: what a rule does to the request-URI before it is routed by: strip, prepend, set_domain.
//
// Internal to the room. The result is put together in request->rewritten and parsed again, so whatever comes of it is a
// URI by the grammar. Workers.
#ifndef ROLE_REWRITE_H
#define ROLE_REWRITE_H

#include "role/target.h"

// True when request->uri and request->where are as the rule wants them. False: answered (414: too long; 484: nothing is
// left of the user; 500: what the rule puts in is no URI).
bool role_uri_rewrite(struct role_request *request, const struct conf_route *rule);

#endif
