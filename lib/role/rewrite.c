#include "role/rewrite.h"

#include "sip/uri_parts.h"

// A URI while it is put together, with a sticky overflow.
struct written {
    unsigned len;
    bool full;
    char bytes[ROLE_URI_MAX];
};

static void put(struct written *out, struct slice piece)
{
    if (piece.len > sizeof(out->bytes) - out->len) {
        out->full = true;
        return;
    }
    if (piece.len > 0)
        memcpy(out->bytes + out->len, piece.at, piece.len);
    out->len += piece.len;
}

static struct slice text_of(const struct conf_text *text)
{
    return slice_of(text->text, text->len);
}

// An escape is one character, and the visual separators of a number are none (RFC 3966 5.1.1).
static struct slice strip(struct slice user, unsigned characters, bool number)
{
    uint32_t at = 0;

    while (at < user.len && (characters > 0 || (number && sip_phone_separator(user.at[at])))) {
        if (!number || !sip_phone_separator(user.at[at]))
            characters--;
        at += user.at[at] == '%' && user.len - at >= SIP_ESCAPE_LEN ? SIP_ESCAPE_LEN : 1;
    }
    return slice_of(user.at + at, user.len - at);
}

// Parameters that would lead past the domain which the rule sets.
static bool leads_away(struct slice param)
{
    struct slice name = slice_of(param.at + 1, slice_find(slice_of(param.at + 1, param.len - 1), '='));

    return slice_equal_nocase(name, SLICE("maddr")) || slice_equal_nocase(name, SLICE("transport"));
}

static void put_params(struct written *out, struct slice params)
{
    while (params.len > 0) {
        struct slice rest = slice_of(params.at + 1, params.len - 1);
        struct slice param = slice_of(params.at, slice_find(rest, ';') + 1);
        if (!leads_away(param))
            put(out, param);
        params = slice_of(params.at + param.len, params.len - param.len);
    }
}

// A number that gets a domain becomes a user of it (RFC 3261 19.1.6).
static void put_as_user(struct written *out, const struct sip_uri *uri, struct slice user,
                        struct slice domain)
{
    put(out, SLICE("sip:"));
    put(out, user);
    put(out, uri->params);
    put(out, SLICE("@"));
    put(out, domain);
    put(out, SLICE(";user=phone"));
}

static void put_uri(struct written *out, const struct sip_uri *uri, const struct conf_route *rule)
{
    struct slice prepend = text_of(&rule->prepend);
    struct slice domain = text_of(&rule->set_domain);
    bool number = uri->scheme == SIP_SCHEME_TEL;
    struct slice stripped = strip(uri->user, rule->strip, number);
    const char *behind = uri->user.at + uri->user.len;
    const char *end = uri->text.at + uri->text.len;
    char user[ROLE_URI_MAX];

    if (prepend.len + stripped.len > sizeof(user)) {
        out->full = true;
        return;
    }
    if (prepend.len > 0)
        memcpy(user, prepend.at, prepend.len);
    if (stripped.len > 0)
        memcpy(user + prepend.len, stripped.at, stripped.len);
    struct slice changed = slice_of(user, prepend.len + stripped.len);
    if (number && domain.len > 0) {
        put_as_user(out, uri, changed, domain);
        return;
    }
    if (uri->user.at != NULL) {
        put(out, slice_of(uri->text.at, (size_t)(uri->user.at - uri->text.at)));
        put(out, changed);
    } else {
        behind = uri->text.at;
    }
    if (domain.len == 0) {
        put(out, slice_of(behind, (size_t)(end - behind)));
        return;
    }
    put(out, slice_of(behind, (size_t)(uri->host.at - behind)));
    put(out, domain);
    put_params(out, uri->params);
}

bool role_uri_rewrite(struct role_request *request, const struct conf_route *rule)
{
    struct written out;
    struct sip_uri *uri = &request->uri;
    bool changes_user = uri->user.at != NULL && (rule->strip > 0 || rule->prepend.len > 0);

    out.len = 0;
    out.full = false;
    if (!changes_user && rule->set_domain.len == 0)
        return true;
    if (changes_user && rule->prepend.len == 0 &&
        strip(uri->user, rule->strip, uri->scheme == SIP_SCHEME_TEL).len == 0) {
        role_answer(request, 484, NULL);
        return false;
    }
    put_uri(&out, uri, rule);
    if (out.full) {
        role_answer(request, 414, NULL);
        return false;
    }
    memcpy(request->rewritten, out.bytes, out.len);
    request->uri_rewritten = true;
    if (sip_uri_parse(slice_of(request->rewritten, out.len), uri) != SIP_OK) {
        role_answer(request, 500, "Rewritten Request-URI Is None");
        return false;
    }
    request->where = role_route_where(request->role->route, uri);
    return true;
}
