// Credentials in a request: which are for us, and whether they can be checked at all.
#include "auth/asking.h"

static enum auth_found refuse(struct role_request *request, const char *reason)
{
    role_answer(request, 400, reason);
    return AUTH_FOUND_ANSWERED;
}

static bool is_offered(const struct conf_auth *auth, enum conf_digest algorithm)
{
    for (unsigned i = 0; i < auth->algorithms_n; i++) {
        if (auth->algorithms[i] == algorithm)
            return true;
    }
    return false;
}

// Without a name it is MD5 (RFC 7616 3.3).
static enum conf_digest algorithm_of(const struct sip_credentials *given)
{
    return given->algorithm.at == NULL ? CONF_DIGEST_MD5 : role_hash_named(given->algorithm);
}

static bool is_count(struct slice nc)
{
    for (uint32_t i = 0; i < nc.len; i++) {
        char c = slice_lower(nc.at[i]);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return nc.len == 8; // RFC 7616 3.4: 8LHEX
}

// What each qop needs (RFC 7616 3.4); NULL: it is all there.
static const char *lacks(const struct auth_asking *asking)
{
    const struct sip_credentials *given = &asking->given;

    if (given->userhash.at != NULL && !slice_equal_nocase(given->userhash, SLICE("false")))
        return "Userhash Was Not Offered";
    if (given->username.at == NULL || given->nonce.at == NULL || given->uri.at == NULL ||
        given->response.at == NULL)
        return "Incomplete Credentials";
    if (given->uri.len > AUTH_CREDENTIAL_MAX || given->cnonce.len > AUTH_CREDENTIAL_MAX ||
        given->nonce.len > AUTH_CREDENTIAL_MAX)
        return "Credentials Too Long";
    if (given->qop.at == NULL)
        return asking->auth->nonce_count ? "Credentials Without qop" : NULL;
    if (!slice_equal_nocase(given->qop, SLICE("auth")))
        return "That qop Was Not Offered";
    return given->cnonce.len == 0 || !is_count(given->nc) ? "Credentials Without cnonce Or nc" : NULL;
}

// RFC 3261 22.4, RFC 8760 2.6 item 6: not always the request-URI, which proxies change, but one that this server is
// asked for.
static bool uri_is_served(const struct role_request *request, struct slice text)
{
    const struct sip_message *message = request->message;
    struct sip_uri uri;

    if (slice_equal(text, sip_message_span(message, message->uri)))
        return true;
    if (sip_uri_parse(text, &uri) != SIP_OK)
        return false;
    return role_route_where(request->role->route, &uri).place != ROLE_ELSEWHERE ||
           (uri.host.len > 0 && slice_equal_nocase(uri.host, request->uri.host));
}

enum auth_found auth_credentials_find(struct role_request *request, struct auth_asking *asking)
{
    enum sip_header id = asking->server ? SIP_HEADER_AUTHORIZATION : SIP_HEADER_PROXY_AUTHORIZATION;

    SIP_FOREACH_LINE(line, request->message, id) {
        struct sip_credentials *given = &asking->given;
        if (sip_credentials_parse(sip_message_value(request->message, line), given) != SIP_OK)
            return refuse(request, sip_error_text(SIP_ERROR_CREDENTIALS));
        asking->algorithm = algorithm_of(given);
        if (given->realm.at == NULL || !slice_equal(given->realm, asking->realm) ||
            asking->algorithm == CONF_DIGESTS || !is_offered(asking->auth, asking->algorithm))
            continue; // another's, or none that was asked for
        const char *reason = lacks(asking);
        if (reason != NULL)
            return refuse(request, reason);
        return uri_is_served(request, given->uri) ? AUTH_FOUND
                                                  : refuse(request, "Credentials For Another Request-URI");
    }
    return AUTH_FOUND_NONE;
}
