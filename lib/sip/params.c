#include "sip/params.h"

#include "sip/token.h"

// SWS, which mostly is not there.
static inline const char *skip(const char *at, const char *end)
{
    return at < end && (unsigned char)*at <= ' ' ? sip_space_end(at, end) : at;
}

bool sip_param_take(struct cursor *c, struct sip_param *param)
{
    const char *from = c->at;
    const char *end = c->end;
    const char *name_end = sip_set_run(&sip_set_token, from, end);
    const char *at = skip(name_end, end); // SWS on both sides of the "=" (RFC 3261 25.1 EQUAL)

    param->name = slice_of(from, (size_t)(name_end - from));
    param->value = slice_of(NULL, 0);
    if (name_end == from)
        return cursor_fail(c, SIP_ERROR_PARAMETER);
    if (at == end || *at != '=') {
        c->at = name_end;
        return true;
    }
    at = skip(at + 1, end);
    c->at = at;
    if (at < end && *at == '"') {
        param->value = sip_take_quoted(c);
        return c->error == 0;
    }
    c->at = sip_set_run(&sip_set_value, at, end);
    param->value = slice_of(at, (size_t)(c->at - at));
    return c->at > at || cursor_fail(c, SIP_ERROR_PARAMETER);
}

bool sip_param_next(struct cursor *c, struct sip_param *param)
{
    c->at = skip(c->at, c->end);
    if (!cursor_skip(c, ';'))
        return false;
    c->at = skip(c->at, c->end);
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
