#include "role/match.h"

struct slice role_user_plain(const struct sip_uri *uri, char room[ROLE_USER_MAX])
{
    struct slice user = uri->user;
    bool number = uri->scheme == SIP_SCHEME_TEL;
    const char *end = user.at + user.len;
    unsigned len = 0;

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
