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

// As sip_param_next, for a caller with a window over sip_set_host: a parameter of those bytes alone and without white
// space, which is the usual one, costs a third.
static inline bool sip_param_next_in(struct cursor *c, struct sip_window *window, struct sip_param *param)
{
    if (c->at == c->end || *c->at == ',')
        return false;
    if (*c->at != ';')
        return sip_param_next(c, param);
    const char *from = c->at + 1;
    const char *name_end = sip_window_stop(window, from);
    const char *end = name_end;
    param->name = slice_of(from, (size_t)(name_end - from));
    param->value = slice_of(NULL, 0);
    if (name_end < c->end && *name_end == '=') {
        end = sip_window_stop(window, name_end + 1);
        param->value = slice_of(name_end + 1, (size_t)(end - name_end - 1));
        if (param->value.len == 0)
            return sip_param_next(c, param);
    }
    if (param->name.len == 0 || (end < c->end && *end != ';' && *end != ','))
        return sip_param_next(c, param);
    c->at = end;
    return true;
}

// Looks for one by name, in any case. False when it is not there or the list is broken before it.
bool sip_param_find(struct slice params, struct slice name, struct sip_param *param);

#endif
