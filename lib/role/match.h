// match: one condition of a rule against one value of a request.
//
// Internal to the room. Users are compared with their escapes undone and, of tel numbers, without visual separators
// (RFC 3966 5.1.1); hosts in any case, addresses by value. Workers.
#ifndef ROLE_MATCH_H
#define ROLE_MATCH_H

#include "sip/uri.h"
#include "sip/uri_parts.h"

#define ROLE_USER_MAX 256 // bytes of a user that count; what is behind them is not compared

// The user as rules and numbers see it. Points into the URI where nothing had to be changed, else into `room`.
struct slice role_user_plain(const struct sip_uri *uri, char room[ROLE_USER_MAX]);

#endif
