#include "control/aor.h"

#include <stdio.h>

// A bare word has the scheme that it would have in a message.
static bool has_scheme(struct slice word)
{
    return slice_starts(word, SLICE("sip:")) || slice_starts(word, SLICE("sips:")) ||
           slice_starts(word, SLICE("tel:"));
}

bool control_aor_read(const struct role_route *route, struct slice word, struct control_aor *aor)
{
    int n =
        snprintf(aor->text, sizeof(aor->text), "%s%.*s", has_scheme(word) ? "" : "sip:", SLICE_PRINT(word));

    aor->domain = CONF_NONE;
    if (n < 0 || (size_t)n >= sizeof(aor->text) ||
        sip_uri_parse(slice_of(aor->text, (size_t)n), &aor->uri) != SIP_OK || aor->uri.user.len == 0 ||
        aor->uri.password.at != NULL) // "mailto:bob@example.com" would be a user with one
        return false;
    struct sip_uri canonical = aor->uri;
    struct role_where where = role_route_where(route, &canonical);
    if (where.place == ROLE_DOMAIN) {
        aor->domain = where.domain;
        canonical.scheme = SIP_SCHEME_SIP;
        canonical.host = role_route_domain_name(route, (unsigned)where.domain);
        canonical.port = 0;
    }
    aor->len = sip_uri_write_aor(&canonical, aor->aor);
    return aor->len > 0;
}

const char *control_aor_read_own(const struct role_route *route, struct slice word, struct control_aor *aor)
{
    if (!control_aor_read(route, word, aor))
        return "is no address of record, as in bob@example.com";
    return aor->domain == CONF_NONE ? "is in no [domain] of this server" : NULL;
}

const char *control_aor_read_watcher(const struct role_route *route, struct slice word,
                                     struct control_aor *aor)
{
    *aor = (struct control_aor){.domain = CONF_NONE};
    if (slice_equal(word, SLICE("*"))) {
        aor->aor[aor->len++] = '*';
        return NULL;
    }
    // "*" can be a user's name: what is read as his address is that of his whole domain.
    return control_aor_read(route, word, aor) ? NULL
                                              : "is no watcher, as in bob@example.com, *@example.com or *";
}
