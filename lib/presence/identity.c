// Addresses of record: of who is watched, of who watches, and of whom a document speaks.
#include "presence/parts.h"

unsigned presence_aor_of(const struct role *role, const struct sip_uri *uri, char aor[SIP_AOR_MAX])
{
    struct role_where where;

    if (uri->scheme == SIP_SCHEME_OTHER || (uri->scheme != SIP_SCHEME_TEL && uri->user.len == 0))
        return 0;
    where = role_route_where(role->route, uri);
    return where.place == ROLE_DOMAIN ? role_aor_write(role, uri, where.domain, aor)
                                      : sip_uri_write_aor(uri, aor);
}

unsigned presence_aor_asked(const struct role_request *request, char aor[SIP_AOR_MAX])
{
    if (request->where.place != ROLE_DOMAIN || request->uri.user.len == 0)
        return 0;
    return role_aor_write(request->role, &request->uri, request->where.domain, aor);
}

// RFC 3859 3.1: a pres URI has the form of a mailbox, as a sip URI without parameters has.
unsigned presence_aor_of_entity(const struct role *role, struct slice entity, char aor[SIP_AOR_MAX])
{
    char text[SIP_AOR_MAX];
    struct sip_uri uri;

    if (entity.len > 5 && entity.len < sizeof(text) &&
        slice_equal_nocase(slice_of(entity.at, 5), SLICE("pres:"))) {
        memcpy(text, "sip:", 4);
        memcpy(text + 4, entity.at + 5, entity.len - 5);
        entity = slice_of(text, entity.len - 1);
    }
    return sip_uri_parse(entity, &uri) == SIP_OK ? presence_aor_of(role, &uri, aor) : 0;
}
