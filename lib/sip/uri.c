#include "sip/uri.h"

#include "sip/host.h"
#include "sip/token.h"
#include "sip/transport.h"
#include "sip/uri_parts.h"
#include "sip/uri_usual.h"

// Over a run of the set and the escapes in it, "%" HEX HEX. A "%" that is no escape ends the run, and nothing that
// may follow a run begins with one.
static inline void skip_escaped(struct cursor *c, const struct sip_set *set)
{
    c->at = sip_set_run(set, c->at, c->end);
    while (__builtin_expect(c->at < c->end && *c->at == '%', 0)) {
        if (sip_escape_value(c->at, c->end) < 0)
            break;
        c->at = sip_set_run(set, c->at + SIP_ESCAPE_LEN, c->end);
    }
}

static inline struct slice take_escaped(struct cursor *c, const struct sip_set *set)
{
    const char *from = c->at;

    skip_escaped(c, set);
    return slice_of(from, (size_t)(c->at - from));
}

// userinfo = user [":" password] "@". What begins as a user may turn out to be the host: then nothing is taken.
static inline bool take_userinfo(struct cursor *c, bool bare, struct sip_uri *uri)
{
    const char *from = c->at;
    struct slice user = take_escaped(c, bare ? &sip_set_bare_user : &sip_set_user);
    struct slice password = {NULL, 0};

    if (cursor_peek(c) == ':') {
        c->at++;
        password = take_escaped(c, bare ? &sip_set_bare_user : &sip_set_password);
    }
    if (!cursor_skip(c, '@')) {
        c->at = from;
        return true;
    }
    // RFC 3261 19.1.1: with an "@" the user must not be empty
    if (user.len == 0)
        return cursor_fail(c, SIP_ERROR_URI);
    uri->user = user;
    uri->password = password;
    return true;
}

static inline bool take_sip(struct cursor *c, bool bare, struct sip_uri *uri)
{
    if (!take_userinfo(c, bare, uri))
        return false;
    uri->host = sip_take_host(c, SIP_ERROR_URI);
    if (cursor_skip(c, ':'))
        uri->port = sip_take_port(c, SIP_ERROR_URI);
    if (bare)
        return c->error == 0;
    if (cursor_peek(c) == ';')
        uri->params = take_escaped(c, &sip_set_uri_params);
    if (cursor_skip(c, '?')) {
        uri->headers = take_escaped(c, &sip_set_uri_headers);
        if (uri->headers.len == 0)
            return cursor_fail(c, SIP_ERROR_URI);
    }
    return c->error == 0;
}

// telephone-subscriber (RFC 3966 3). A local number without its phone-context is taken: telephones send "tel:911".
static bool take_tel(struct cursor *c, bool bare, struct sip_uri *uri)
{
    const char *from = c->at;
    bool global = cursor_skip(c, '+');
    struct slice number = sip_take_run(c, global ? &sip_set_phone : &sip_set_phone_local);
    uint32_t separators = 0;

    while (separators < number.len && sip_phone_separator(number.at[separators]))
        separators++;
    if (separators == number.len)
        return cursor_fail(c, SIP_ERROR_URI);
    uri->user = slice_of(from, (size_t)(c->at - from));
    if (!bare && cursor_peek(c) == ';')
        uri->params = take_escaped(c, &sip_set_uri_params);
    return true;
}

static bool take_absolute(struct cursor *c, bool bare, struct sip_uri *uri)
{
    const char *from = c->at;
    struct slice scheme = sip_take_run(c, &sip_set_scheme);

    if (scheme.len == 0 || !cursor_skip(c, ':'))
        return cursor_fail(c, SIP_ERROR_URI);
    if (slice_lower(*from) < 'a' || slice_lower(*from) > 'z')
        return cursor_fail(c, SIP_ERROR_URI);
    uri->scheme = SIP_SCHEME_OTHER;
    uri->scheme_text = scheme;
    if (sip_take_run(c, bare ? &sip_set_bare_absolute : &sip_set_absolute).len == 0)
        return cursor_fail(c, SIP_ERROR_URI);
    return true;
}

// Takes the scheme and its colon when it is one of those known; 0 and nothing taken when not.
static inline enum sip_scheme take_scheme(struct cursor *c, struct sip_uri *uri)
{
    // The bit that makes letters lower case, over the letters only: a colon has to be one.
    static const char lower3[4] = {0x20, 0x20, 0x20, 0}, lower4[4] = {0x20, 0x20, 0x20, 0x20};
    uint32_t word, mask3, mask4, sip, sips, tel;
    enum sip_scheme scheme = 0;

    if (cursor_left(c) < 5)
        return 0;
    memcpy(&word, c->at, 4);
    memcpy(&mask3, lower3, 4);
    memcpy(&mask4, lower4, 4);
    memcpy(&sip, "sip:", 4);
    memcpy(&sips, "sips", 4);
    memcpy(&tel, "tel:", 4);
    if ((word | mask3) == sip)
        scheme = SIP_SCHEME_SIP;
    else if ((word | mask4) == sips && c->at[4] == ':')
        scheme = SIP_SCHEME_SIPS;
    else if ((word | mask3) == tel)
        scheme = SIP_SCHEME_TEL;
    else
        return 0;
    uri->scheme = (uint8_t)scheme;
    uri->scheme_text = slice_of(c->at, scheme == SIP_SCHEME_SIPS ? 4 : 3);
    c->at += uri->scheme_text.len + 1;
    return scheme;
}

// Field by field: the compiler makes a slow string instruction out of a memset of this size.
static inline void clear(struct sip_uri *uri)
{
    uri->scheme_text = uri->user = uri->password = slice_of(NULL, 0);
    uri->host = uri->params = uri->headers = slice_of(NULL, 0);
    uri->port = 0;
    uri->scheme = SIP_SCHEME_OTHER;
}

bool sip_uri_take(struct cursor *c, bool bare, struct sip_uri *uri)
{
    const char *from = c->at;
    bool taken;

    clear(uri);
    switch (take_scheme(c, uri)) {
    case SIP_SCHEME_SIP:
    case SIP_SCHEME_SIPS:
        taken = take_sip(c, bare, uri);
        break;
    case SIP_SCHEME_TEL:
        taken = take_tel(c, bare, uri);
        break;
    default:
        taken = take_absolute(c, bare, uri);
    }
    uri->text = slice_of(from, (size_t)(c->at - from));
    return taken;
}

static __attribute__((noinline)) enum sip_error parse_any(struct slice text, struct sip_uri *uri)
{
    struct cursor c = cursor_over(text);

    if (sip_uri_take(&c, false, uri) && !cursor_done(&c))
        cursor_fail(&c, SIP_ERROR_URI);
    return (enum sip_error)c.error;
}

enum sip_error sip_uri_parse(struct slice text, struct sip_uri *uri)
{
    if (text.len > 0) {
        struct sip_window window = sip_window_over(&sip_set_host, text.at, text.at + text.len);
        if (sip_uri_usual(&window, text.at, uri) == text.at + text.len)
            return SIP_OK;
    }
    return parse_any(text, uri);
}

bool sip_uri_param(const struct sip_uri *uri, struct slice name, struct slice *value)
{
    struct cursor c = cursor_over(uri->params);
    struct sip_uri_part part;

    while (sip_uri_part_next(&c, ';', &part)) {
        if (slice_equal_nocase(part.name, name)) {
            *value = part.value;
            return true;
        }
    }
    return false;
}

bool sip_uri_endpoint(const struct sip_uri *uri, struct endpoint *endpoint)
{
    struct slice host = uri->host;
    uint8_t transport;

    if (uri->params.len > 0)
        sip_uri_param(uri, SLICE("maddr"), &host);
    if (!sip_host_endpoint(host, endpoint))
        return false;
    if (!sip_uri_transport(uri, &transport) || transport == SIP_TRANSPORT_ANY)
        transport = uri->scheme == SIP_SCHEME_SIPS ? ENDPOINT_TLS : ENDPOINT_UDP;
    endpoint->transport = transport & 0xf;
    endpoint->port = uri->port != 0 ? uri->port : sip_transport_port(transport);
    return true;
}
