// token: RFC 3261 25.1's classes of bytes, and white space, for all parsers of the room.
//
// Constant data and cursors: any thread.
#ifndef SIP_TOKEN_H
#define SIP_TOKEN_H

#include "base/cursor.h"
#include "sip/error.h"

enum sip_class {
    SIP_CLASS_TOKEN = 1 << 0,      // alphanum and -.!%*_+`'~
    SIP_CLASS_HOST = 1 << 1,       // alphanum and -._ (an underscore is seen in the wild, and kept)
    SIP_CLASS_USER = 1 << 2,       // user: unreserved, &=+$,;?/ and the % of an escape
    SIP_CLASS_PASSWORD = 1 << 3,   // password: unreserved, &=+$, and %
    SIP_CLASS_PARAMETER = 1 << 4,  // uri parameter: unreserved, []/:&+$ and %
    SIP_CLASS_URI_HEADER = 1 << 5, // hname, hvalue: unreserved, []/?:+$ and %
    SIP_CLASS_WORD = 1 << 6,       // word, of Call-ID: token and ()<>:\"/[]?{}
    SIP_CLASS_DIGIT = 1 << 7,
};

extern const struct cursor_class sip_class;

// LWS and SWS with folds: SP, HTAB, and CRLF (or a bare CR or LF as the wild has it) when white space follows it.
void sip_skip_space(struct cursor *c);

// A token; SIP_ERROR as given when there is none.
struct slice sip_take_token(struct cursor *c, enum sip_error error);

// A quoted string, from quote to quote, both included; escapes are stepped over, not undone (RFC 3261 25.1).
// The cursor stands on the opening quote. SIP_ERROR_QUOTED_STRING when it is not closed.
struct slice sip_take_quoted(struct cursor *c);

// The next element of a comma list, trimmed; commas inside quotes and angle brackets do not count. False at the end.
// Empty elements are skipped. For lists of tokens and of addresses alike.
bool sip_take_element(struct cursor *c, struct slice *element);

// True when a comma list holds the token, in any case (Supported, Require, Allow …).
bool sip_list_has(struct slice list, struct slice token);

#endif
