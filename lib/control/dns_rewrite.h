// dns_rewrite: the regexp of a NAPTR record applied to a string (RFC 3402 3.2).
//
// The expression comes from strangers: its length is bounded by the record's, what it may repeat and refer to by
// control_rewrite. Pure; POSIX extended regular expressions of the C library. Control thread (it allocates).
#ifndef CONTROL_DNS_REWRITE_H
#define CONTROL_DNS_REWRITE_H

#include "base/slice.h"

#define CONTROL_REWRITE_INPUT_MAX 64 // bytes of the string

// `regexp` is "!ERE!replacement!flags" with any delimiter. The replacement, its \1 … \9 filled in, written to `result`.
// Returns its length; -EINVAL: not of that form, or beyond what is allowed; -ENOENT: the string does not match;
// -ENOSPC: the result is longer than `room`.
int control_rewrite(const char *regexp, const char *input, char *result, uint32_t room);

#endif
