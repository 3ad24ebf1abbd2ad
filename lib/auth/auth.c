#include "auth/auth.h"

#include "auth/asking.h"

#include "auth/guard.h"
#include "role/digest.h"
#include "role/hex.h"
#include "role/match.h"
#include "role/presentity.h"
#include "role/trust.h"

// RFC 3261 22.1.
static bool may_be_asked(const struct role_request *request)
{
    return request->message->method != SIP_METHOD_ACK && request->message->method != SIP_METHOD_CANCEL &&
           !arrival_is_operators(request->arrival);
}

// Whose the address of record is that the sender claims to be.
static struct role_where claim_where(const struct role_request *request, const struct auth_asking *asking)
{
    const struct steered *steered = request->steered;

    if (steered->by == STEERED_BY_TO && asking->claim == &request->to)
        return (struct role_where){steered->place, steered->listener, steered->domain};
    return role_route_where(request->role->route, &asking->claim->uri);
}

static bool method_is_asked(const struct role_request *request, const struct conf_auth *auth, bool in_dialog)
{
    struct slice method = sip_message_span(request->message, request->message->method_text);

    for (unsigned i = 0; i < auth->methods_n; i++) {
        if (slice_equal(method, slice_of(auth->methods[i].text, auth->methods[i].len)))
            return true;
    }
    return auth->methods_n == 0 && !in_dialog;
}

// A domain that is ours; with a realm of its own, any.
static bool domain_is_asked(const struct conf_auth *auth, const struct role_where *where)
{
    if (auth->domain == CONF_NONE)
        return where->place == ROLE_DOMAIN || auth->realm.len > 0;
    return where->place == ROLE_DOMAIN && where->domain == auth->domain;
}

static bool source_is_asked(const struct role_request *request, const struct conf_auth *auth)
{
    for (unsigned i = 0; i < auth->source_n; i++) {
        if (conf_network_has(&auth->source[i], &request->arrival->source))
            return true;
    }
    return auth->source_n == 0;
}

static const struct conf_auth *auth_find(struct role_request *request, const struct role_where *where)
{
    const struct conf *conf = request->role->conf;
    bool in_dialog = request->routes.proven && request->to_tag.at != NULL;

    for (unsigned i = 0; i < conf->auths_n; i++) {
        const struct conf_auth *auth = &conf->auths[i];
        if (domain_is_asked(auth, where) && method_is_asked(request, auth, in_dialog) &&
            source_is_asked(request, auth) && (auth->trusted || !role_trusts(request)))
            return auth;
    }
    return NULL;
}

// RFC 3261 22.2, 22.3: a registrar and a redirect server answer for themselves, a proxy for others.
static bool asked_as_server(const struct role_request *request)
{
    const struct role_where *where = &request->where;
    const struct conf_domain *domains = request->role->conf->domains;

    if (request->message->method == SIP_METHOD_REGISTER)
        return where->place == ROLE_HERE || (where->place == ROLE_DOMAIN && domains[where->domain].registrar);
    if (role_is_presences(request)) // RFC 6665 4.2.1.3
        return true;
    return where->place == ROLE_DOMAIN && domains[where->domain].role == CONF_ROLE_REDIRECT;
}

static bool is_asked(struct role_request *request, struct auth_asking *asking)
{
    bool registers = request->message->method == SIP_METHOD_REGISTER;

    asking->claim = registers ? &request->to : &request->from;
    struct role_where where = claim_where(request, asking);
    asking->known_domain = where.place == ROLE_DOMAIN;
    asking->auth = auth_find(request, &where);
    if (asking->auth == NULL)
        return false;
    asking->realm = slice_of(asking->auth->realm.text, asking->auth->realm.len);
    if (asking->realm.len == 0)
        asking->realm = role_route_domain_name(request->role->route, (unsigned)where.domain);
    asking->server = asked_as_server(request);
    return true;
}

// One header field for each algorithm, the preferred one on top (RFC 8760 2.3).
static bool challenge(struct role_request *request, const struct auth_asking *asking, bool stale)
{
    char nonce[AUTH_NONCE_LEN];
    struct role_text lines;

    auth_nonce_write(request, asking->realm, nonce);
    role_answer_lines_begin(request, &lines);
    for (unsigned i = 0; i < asking->auth->algorithms_n; i++) {
        role_text_put(&lines, asking->server ? SLICE("WWW-Authenticate: Digest realm=\"")
                                             : SLICE("Proxy-Authenticate: Digest realm=\""));
        role_text_put(&lines, asking->realm);
        role_text_put(&lines, SLICE("\", nonce=\""));
        role_text_put(&lines, slice_of(nonce, sizeof(nonce)));
        role_text_put(&lines, SLICE("\", algorithm="));
        role_text_put(&lines, role_hash_name((enum conf_digest)asking->auth->algorithms[i]));
        role_text_put(&lines, stale ? SLICE(", qop=\"auth\", stale=true\r\n") : SLICE(", qop=\"auth\"\r\n"));
    }
    role_answer_lines(request, asking->server ? 401 : 407, NULL, role_text_slice(&lines));
    return false;
}

// What a retransmission has in common with its first, and nobody's replay: without another Via it gets no answer.
static uint64_t request_mark(const struct role_request *request)
{
    uint64_t mark = role_digest_mix(request->cseq.number, request->call_id);

    mark = role_digest_mix(mark ^ request->role->secret.k1, request->via.branch);
    return role_digest_mix(mark, sip_message_span(request->message, request->message->method_text));
}

static bool nonce_is_fresh(const struct role_request *request, const struct auth_asking *asking,
                           struct auth_nonce *nonce)
{
    return auth_nonce_read(request, asking->realm, asking->given.nonce, nonce) &&
           (uint32_t)request->arrival->now.unix_s - nonce->issued_s <= asking->auth->nonce_s;
}

// Not used before, where that is counted: by the worker that made it, for others do not know.
static bool nonce_is_unused(struct role_request *request, const struct auth_asking *asking,
                            const struct auth_nonce *nonce)
{
    struct role *role = request->role;
    struct role_use use = {
        .nonce = nonce->check, .request = request_mark(request), .issued_s = nonce->issued_s};

    if (!asking->auth->nonce_count)
        return true;
    for (unsigned i = 0; i < asking->given.nc.len; i++) { // hexadecimal, as was checked
        char c = slice_lower(asking->given.nc.at[i]);
        use.count = use.count << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    // RFC 3261 17.1.2.2: 64 * T1 is how long a request is repeated.
    return nonce->worker == role->worker &&
           auth_guard_counts(role->guard, &use, request->arrival->now.ms, 64u * role->conf->t1_ms);
}

// The user's name is that of the address of record, or all of "user@host" for realms of several domains.
static bool claims_himself(const struct auth_asking *asking)
{
    struct slice name = asking->given.username;
    char room[ROLE_USER_MAX];
    struct slice user = role_user_plain(&asking->claim->uri, room);

    if (!asking->known_domain || user.len == 0 || !slice_starts(name, user))
        return false;
    if (name.len == user.len)
        return true;
    return name.at[user.len] == '@' &&
           slice_equal_nocase(slice_of(name.at + user.len + 1, name.len - user.len - 1),
                              asking->claim->uri.host);
}

// RFC 7616 3.3: with a new nonce the client tries again, and asks nobody for a password.
static bool challenge_anew(struct role_request *request, const struct auth_asking *asking)
{
    request->role->auths.stale++;
    return challenge(request, asking, true);
}

// The nonce comes first: whoever has one of ours was reached at his address, so that nobody is shut out for what others
// send in his name; and for a nonce of his own making nobody is told whether a password was right.
static bool check(struct role_request *request, struct auth_asking *asking)
{
    struct role *role = request->role;
    struct auth_nonce nonce;
    struct user user;

    if (!nonce_is_fresh(request, asking, &nonce))
        return challenge_anew(request, asking);
    bool known = user_find(role->users, asking->given.username, asking->realm, &user);
    bool has = user.has >> asking->algorithm & 1;
    bool right = auth_proof_check(request, asking, &user);
    if (!right || !known || !has) {
        role->auths.failed++;
        auth_guard_failed(role->guard, &request->arrival->source, request->arrival->now.ms);
        return challenge(request, asking, false);
    }
    if (!nonce_is_unused(request, asking, &nonce))
        return challenge_anew(request, asking);
    if (!claims_himself(asking)) { // RFC 3261 10.3 step 4
        role->auths.foreign++;
        role_answer(request, 403, "Credentials Of Another User");
        return false;
    }
    role->auths.passed++;
    request->proof.given = true;
    return true;
}

bool auth_check(struct role_request *request)
{
    struct role *role = request->role;
    struct auth_asking asking;

    if (!may_be_asked(request) || !is_asked(request, &asking))
        return true;
    if (auth_guard_blocks(role->guard, &request->arrival->source, asking.auth->failures,
                          request->arrival->now.ms)) {
        role->auths.blocked++;
        role_answer(request, 403, "Too Many Wrong Credentials");
        return false;
    }
    switch (auth_credentials_find(request, &asking)) {
    case AUTH_FOUND:
        return check(request, &asking);
    case AUTH_FOUND_NONE:
        role->auths.challenged++;
        return challenge(request, &asking, false);
    default:
        return false;
    }
}

static bool realm_is_ours(const struct role *role, struct slice realm)
{
    const struct conf *conf = role->conf;
    bool any_domain = false;

    for (unsigned i = 0; i < conf->auths_n; i++) {
        if (slice_equal(realm, slice_of(conf->auths[i].realm.text, conf->auths[i].realm.len)))
            return true;
        any_domain |= conf->auths[i].realm.len == 0;
    }
    for (unsigned i = 0; i < conf->domains_n && any_domain; i++) {
        if (slice_equal(realm, role_route_domain_name(role->route, i)))
            return true;
    }
    return false;
}

// By the realm alone, not by whether it was checked: an ACK has what its INVITE had (RFC 3261 22.1), and a request may
// be forwarded again from what was kept of it.
void auth_note(struct role_request *request)
{
    const struct sip_message *message = request->message;
    struct sip_credentials given;

    if (request->role->conf->auths_n == 0)
        return;
    SIP_FOREACH_LINE(line, message, SIP_HEADER_PROXY_AUTHORIZATION) {
        if (sip_credentials_parse(sip_message_value(message, line), &given) != SIP_OK ||
            given.realm.at == NULL || !realm_is_ours(request->role, given.realm))
            continue;
        uint16_t at = message->lines[line].name;
        sip_edits_remove(request->edits, at, (uint16_t)(sip_message_line_end(message, line) - at));
    }
}
