// match: how the user or the host of a URI is compared: "text", "text*" or "/PCRE2/".
//
// Reading: control thread. No state.
#ifndef CONF_MATCH_H
#define CONF_MATCH_H

#include "conf/conf.h"

#define CONF_MATCH_FAULT_MAX 200 // bytes of what is wrong with a pattern

// The kind that the text asks for, and the slice of it that is compared.
enum conf_match_kind conf_match_kind(struct slice text, struct slice *body);

// What is wrong with a regular expression, with NUL: it does not compile, or not to machine code. Returns false when
// something is; `fault` is empty then where memory failed.
bool conf_match_compiles(struct slice pattern, char fault[CONF_MATCH_FAULT_MAX]);

// Whatever `narrow` takes, `wide` takes too. Two regular expressions: only where they are the same; a regular
// expression is never tried on a text.
bool conf_match_covers(const struct conf_match *wide, const struct conf_match *narrow);

#endif
