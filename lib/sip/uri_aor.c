#include "sip/host.h"
#include "sip/uri.h"
#include "sip/uri_parts.h"

// A row of bytes being written, with a sticky overflow as the cursor has its error.
struct writer {
    char *at;
    char *end;
    bool full;
};

static inline void put(struct writer *w, char byte)
{
    if (w->at < w->end)
        *w->at++ = byte;
    else
        w->full = true;
}

static void put_unescaped(struct writer *w, struct slice text)
{
    const char *end = text.at + text.len;

    for (const char *at = text.at; at < end; at++) {
        if (*at != '%') {
            put(w, *at);
            continue;
        }
        put(w, (char)sip_escape_value(at, end));
        at += SIP_ESCAPE_LEN - 1;
    }
}

static void put_host(struct writer *w, struct slice host)
{
    struct endpoint endpoint;
    char text[ENDPOINT_TEXT_MAX];

    // RFC 5954 4.2: an IPv6 address is its value, however it is written
    if (host.len > 0 && host.at[0] == '[' && sip_host_endpoint(host, &endpoint))
        host = slice_of(text, endpoint_write_host(&endpoint, text));
    for (uint32_t i = 0; i < host.len; i++)
        put(w, slice_lower(host.at[i]));
}

static void put_port(struct writer *w, unsigned port)
{
    unsigned power = 1;

    while (power <= port / 10)
        power *= 10;
    put(w, ':');
    for (; power > 0; power /= 10)
        put(w, (char)('0' + port / power % 10));
}

static void put_number(struct writer *w, struct slice number)
{
    for (uint32_t i = 0; i < number.len; i++) {
        if (!sip_phone_separator(number.at[i]))
            put(w, slice_lower(number.at[i]));
    }
}

unsigned sip_uri_write_aor(const struct sip_uri *uri, char aor[SIP_AOR_MAX])
{
    struct writer w = {aor, aor + SIP_AOR_MAX, false};
    unsigned usual = uri->scheme == SIP_SCHEME_SIPS ? SIP_PORT_DEFAULT_TLS : SIP_PORT_DEFAULT;

    if (uri->scheme == SIP_SCHEME_TEL) {
        put_number(&w, uri->user);
    } else if (uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS) {
        if (uri->user.at != NULL) {
            put_unescaped(&w, uri->user);
            put(&w, '@');
        }
        put_host(&w, uri->host);
        if (uri->port != 0 && uri->port != usual)
            put_port(&w, uri->port);
    }
    return w.full ? 0 : (unsigned)(w.at - aor);
}
