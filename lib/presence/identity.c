// Addresses of record: of who is watched, of who watches, and of whom a document speaks.
#include "presence/parts.h"
#include "role/trust.h"
#include "sip/token.h"

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

// RFC 3325 9.1: a sip URI, or a telephone number, or both.
static struct slice asserted(const struct sip_message *message)
{
    struct slice found = {NULL, 0};

    SIP_FOREACH_LINE(line, message, SIP_HEADER_P_ASSERTED_IDENTITY) {
        struct cursor c = cursor_over(sip_message_value(message, line));
        struct sip_address address;
        do {
            if (!sip_address_take(&c, &address))
                break;
            if (address.uri.scheme == SIP_SCHEME_SIP || address.uri.scheme == SIP_SCHEME_SIPS)
                return address.uri.text;
            if (address.uri.scheme == SIP_SCHEME_TEL)
                found = address.uri.text;
            sip_skip_space(&c);
        } while (cursor_skip(&c, ','));
    }
    return found;
}

// Whose identity is to be kept from others (RFC 3323 4.2) is nobody here, either: the user would be told who watches.
static bool is_private(const struct sip_message *message)
{
    struct slice privacy = sip_message_first(message, SIP_HEADER_PRIVACY);

    return privacy.at != NULL && !slice_equal_nocase(slice_trim(privacy), SLICE("none"));
}

struct slice presence_identity(struct role_request *request)
{
    struct slice identity = {NULL, 0};

    if (sip_message_has(request->message, SIP_HEADER_P_ASSERTED_IDENTITY) && role_trusts(request) &&
        !is_private(request->message))
        identity = asserted(request->message);
    return identity.at != NULL ? identity : request->from.uri.text;
}

bool presence_is_element(struct role_request *request)
{
    char aor[SIP_AOR_MAX];
    struct slice identity;

    if (!role_trusts(request))
        return false;
    identity = asserted(request->message);
    return identity.at == NULL || presence_aor_of_entity(request->role, identity, aor) == 0;
}

struct slice presence_watcher(const struct presence *presence, const struct subscription *subscription)
{
    struct slice watcher = presence_text_of(presence, subscription, SUBSCRIPTION_WATCHER);
    struct sip_address address;

    if (watcher.len > 0)
        return watcher;
    watcher = presence_text_of(presence, subscription, SUBSCRIPTION_REMOTE_URI);
    return sip_address_parse(watcher, &address) == SIP_OK ? address.uri.text : SLICE("");
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
