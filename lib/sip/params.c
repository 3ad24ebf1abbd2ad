#include "sip/params.h"

#include "sip/token.h"

bool sip_param_take(struct cursor *c, struct sip_param *param)
{
    param->name = sip_take_token(c, SIP_ERROR_PARAMETER);
    param->value = slice_of(NULL, 0);
    const char *name_end = c->at;
    sip_skip_space(c); // SWS on both sides of the "=" (RFC 3261 25.1 EQUAL)
    if (!cursor_skip(c, '=')) {
        c->at = c->error == 0 ? name_end : c->at;
        return c->error == 0;
    }
    sip_skip_space(c);
    if (cursor_peek(c) == '"')
        param->value = sip_take_quoted(c);
    else
        param->value = sip_take_run(c, &sip_set_value);
    return param->value.len > 0 || cursor_fail(c, SIP_ERROR_PARAMETER);
}

bool sip_param_next(struct cursor *c, struct sip_param *param)
{
    sip_skip_space(c);
    if (!cursor_skip(c, ';'))
        return false;
    sip_skip_space(c);
    return sip_param_take(c, param);
}

bool sip_param_find(struct slice params, struct slice name, struct sip_param *param)
{
    struct cursor c = cursor_over(params);

    while (sip_param_next(&c, param)) {
        if (slice_equal_nocase(param->name, name))
            return true;
    }
    return false;
}
