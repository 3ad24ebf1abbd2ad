// params: ";name" and ";name=value" behind a Via, an address or a contact (RFC 3261 25.1 generic-param).
//
// An iterator over a slice, no table: a header field has few parameters and its reader knows which it wants. A
// value is a token, a host (with IPv6 reference) or a quoted string, given with its quotes. Any thread.
#ifndef SIP_PARAMS_H
#define SIP_PARAMS_H

#include "base/cursor.h"
#include "sip/error.h"

struct sip_param {
    struct slice name;
    struct slice value; // at == NULL: no "=" at all
};

// The next parameter, the cursor standing on ";" or on white space before it. False at the end or on an error
// (SIP_ERROR_PARAMETER, SIP_ERROR_QUOTED_STRING), which is in the cursor.
bool sip_param_next(struct cursor *c, struct sip_param *param);

// Looks for one by name, in any case. False when it is not there or the list is broken before it.
bool sip_param_find(struct slice params, struct slice name, struct sip_param *param);

#endif
