// params: ";name" and ";name=value" behind a Via, an address or a contact (RFC 3261 25.1 generic-param).
//
// An iterator over a slice, no table: a header field has few parameters and its reader knows which it wants. A
// value is a token, a host (with IPv6 reference) or a quoted string, given with its quotes; more bytes than a token
// may have are taken where nothing else can be meant (sip/set.h, sip_set_value). Any thread.
#ifndef SIP_PARAMS_H
#define SIP_PARAMS_H

#include "base/cursor.h"
#include "sip/error.h"
#include "sip/set.h"

struct sip_param {
    struct slice name;
    struct slice value; // at == NULL: no "=" at all
};

// "name" or "name=value", the cursor standing on the name. False on an error (SIP_ERROR_PARAMETER,
// SIP_ERROR_QUOTED_STRING), which is in the cursor.
bool sip_param_take(struct cursor *c, struct sip_param *param);

// The next parameter, the cursor standing on ";" or on white space before it. False where no ";" follows (the end, a
// comma, anything else) or on an error as above. The cursor is then behind the white space.
bool sip_param_next(struct cursor *c, struct sip_param *param);

// Looks for one by name, in any case. False when it is not there or the list is broken before it.
bool sip_param_find(struct slice params, struct slice name, struct sip_param *param);

#endif
