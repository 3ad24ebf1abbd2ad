#include "role/match.h"

#include "sip/uri_parts.h"

struct slice role_user_plain(const struct sip_uri *uri, char room[ROLE_USER_MAX])
{
    bool number = uri->scheme == SIP_SCHEME_TEL;
    unsigned len = 0;

    if (uri->scheme == SIP_SCHEME_OTHER || uri->user.at == NULL)
        return slice_of(room, 0);
    struct slice user = uri->user;
    const char *end = user.at + user.len;
    if (!number && slice_find(user, '%') == user.len)
        return slice_of(user.at, user.len < ROLE_USER_MAX ? user.len : ROLE_USER_MAX);
    for (const char *at = user.at; at < end && len < ROLE_USER_MAX; at++) {
        int escaped = *at == '%' ? sip_escape_value(at, end) : -1;
        if (number && sip_phone_separator(*at))
            continue;
        room[len++] = escaped >= 0 ? (char)escaped : *at;
        at += escaped >= 0 ? SIP_ESCAPE_LEN - 1 : 0;
    }
    return slice_of(room, len);
}

static bool same_host(struct slice a, struct slice b)
{
    struct endpoint x, y;

    if (slice_equal_nocase(a, b))
        return true;
    return endpoint_parse_host(a, &x) && endpoint_parse_host(b, &y) && endpoint_same_address(&x, &y);
}

static bool begins(const struct role_condition *condition, struct slice value)
{
    if (!condition->host)
        return slice_starts(value, condition->text);
    return value.len >= condition->text.len &&
           slice_equal_nocase(slice_of(value.at, condition->text.len), condition->text);
}

bool role_condition_holds(const struct role_matcher *matcher, const struct role_condition *condition,
                          struct slice value, unsigned worker)
{
    switch (condition->kind) {
    case CONF_MATCH_EXACT:
        return condition->host ? same_host(condition->text, value) : slice_equal(condition->text, value);
    case CONF_MATCH_PREFIX:
        return begins(condition, value);
    case CONF_MATCH_REGEX:
        return pcre2_jit_match(condition->code, (PCRE2_SPTR)(value.len > 0 ? value.at : ""), value.len, 0, 0,
                               matcher->found[worker], matcher->limits) >= 0;
    default:
        return true;
    }
}
