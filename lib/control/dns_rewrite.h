// dns_rewrite: the regexp of a NAPTR record applied to a string (RFC 3402 3.2).
//
// The expression comes from strangers. The C library's POSIX expressions take hours and gigabytes for the wrong thirty
// bytes (".?+{2}{1,20}"), so PCRE2 takes them, whose code and whose steps are bounded. It knows all that POSIX extended
// expressions have; of alternatives it takes the first that fits, not the longest: for numbers mostly the same.
// Pure. Control thread (it allocates).
#ifndef CONTROL_DNS_REWRITE_H
#define CONTROL_DNS_REWRITE_H

#include "base/slice.h"

#define CONTROL_REWRITE_INPUT_MAX 64 // bytes of the string

// `regexp` is "!ERE!replacement!flags" with any delimiter. The replacement, its \1 … \9 filled in, written to `result`.
// Returns its length; -EINVAL: not of that form; -ENOENT: the string does not match, or not within the bounds; -ENOSPC:
// the result is longer than `room`.
int control_rewrite(const char *regexp, const char *input, char *result, uint32_t room);

#endif
