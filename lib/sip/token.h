// token: RFC 3261 25.1's tokens, quoted strings, comma lists and white space, for all parsers of the room.
//
// Constant data and cursors: any thread.
#ifndef SIP_TOKEN_H
#define SIP_TOKEN_H

#include "base/cursor.h"
#include "sip/error.h"
#include "sip/set.h"

// Classes for a look at one byte; for runs of bytes sip/set.h is faster.
enum sip_class {
    SIP_CLASS_TOKEN = 1 << 0, // alphanum and -.!%*_+`'~
    SIP_CLASS_HOST = 1 << 1,  // alphanum and -._ (an underscore is seen in the wild, and kept)
    SIP_CLASS_WORD = 1 << 2,  // word, of Call-ID: token and ()<>:\"/[]?{}
    SIP_CLASS_DIGIT = 1 << 3,
};

extern const struct cursor_class sip_class;

// The longest run of bytes of `set`; may be empty.
static inline struct slice sip_take_run(struct cursor *c, const struct sip_set *set)
{
    const char *from = c->at;

    c->at = sip_set_run(set, from, c->end);
    return slice_of(from, (size_t)(c->at - from));
}

// Where LWS and SWS with folds end: SP, HTAB, and CRLF (or a bare CR or LF as the wild has it) when white space
// follows it. Never NULL, at most `end`.
const char *sip_space_end(const char *at, const char *end);

static inline void sip_skip_space(struct cursor *c)
{
    if (c->at == c->end || (unsigned char)*c->at > ' ')
        return;
    // one space and no more, mostly
    if (*c->at == ' ' && c->end - c->at >= 2 && (unsigned char)c->at[1] > ' ')
        c->at++;
    else
        c->at = sip_space_end(c->at, c->end);
}

// A token; the error given when there is none.
static inline struct slice sip_take_token(struct cursor *c, enum sip_error error)
{
    struct slice token = sip_take_run(c, &sip_set_token);

    if (token.len == 0)
        cursor_fail(c, error);
    return token;
}

// A quoted string, from quote to quote, both included; escapes are stepped over, not undone (RFC 3261 25.1).
// The cursor stands on the opening quote. SIP_ERROR_QUOTED_STRING when it is not closed or a control character
// stands in it that is not escaped.
struct slice sip_take_quoted(struct cursor *c);

// The next element of a comma list, trimmed; commas inside quotes and angle brackets do not count. False at the end
// and on an error (a quote or an angle bracket that is not closed), which is in the cursor. Empty elements are
// skipped; the comma behind the element is taken. For lists of tokens and of addresses alike.
bool sip_take_element(struct cursor *c, struct slice *element);

// True when a comma list holds the token, in any case (Supported, Require, Allow …).
bool sip_list_has(struct slice list, struct slice token);

#endif
