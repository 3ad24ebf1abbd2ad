// uri_usual: the URI that nearly all are, read in one go.
//
// The private half of uri.c and address.c, inline for both: sip:user@host or sip:host, with a port or parameters
// perhaps, all names of letters, digits, "-", "." and "_". What this takes, sip_uri_take() would take in the same way;
// where any doubt is left, this takes nothing and leaves it to that one. Pure: any thread.
// Cost: about 60 instructions for sip:user@host, the window not counted, where sip_uri_take() takes 140.
#ifndef SIP_URI_USUAL_H
#define SIP_URI_USUAL_H

#include "sip/host.h"
#include "sip/set.h"
#include "sip/uri.h"

// Whether "sip:" is at `at`, in any case, four bytes being there.
static inline bool sip_uri_usual_scheme(const char *at)
{
    // The bit that makes letters lower case, over the letters only: the colon has to be one.
    static const char lower[4] = {0x20, 0x20, 0x20, 0};
    uint32_t word, mask, sip;

    memcpy(&word, at, 4);
    memcpy(&mask, lower, 4);
    memcpy(&sip, "sip:", 4);
    return (word | mask) == sip;
}

// The URI at `at` up to ">" or up to the end of the window's text. Returns where it ends, or NULL when it is not
// one of these; `uri` may be half written then. `window` is over sip_set_host.
static inline __attribute__((always_inline)) const char *sip_uri_usual(struct sip_window *window,
                                                                       const char *at, struct sip_uri *uri)
{
    const char *from = at, *end = window->end;

    if (end - at < 5 || !sip_uri_usual_scheme(at))
        return NULL;
    uri->scheme = SIP_SCHEME_SIP;
    uri->scheme_text = slice_of(at, 3);
    uri->user = uri->password = uri->params = uri->headers = slice_of(NULL, 0);
    uri->port = 0;
    at += 4;
    const char *stop = sip_window_stop(window, at);
    if (stop < end && *stop == '@') {
        if (stop == at)
            return NULL;
        uri->user = slice_of(at, (size_t)(stop - at));
        at = stop + 1;
        stop = sip_window_stop(window, at);
    }
    if (stop == at)
        return NULL;
    uri->host = slice_of(at, (size_t)(stop - at));
    if (__builtin_expect(stop < end && *stop != '>', 0)) {
        struct cursor c = {stop, end, 0};
        if (cursor_skip(&c, ':'))
            uri->port = sip_take_port(&c, SIP_ERROR_URI);
        // None of these bytes is "@", so no user can reach over them.
        if (cursor_peek(&c) == ';')
            uri->params = sip_take_run(&c, &sip_set_uri_params);
        if (c.error != 0 || (c.at < end && *c.at != '>'))
            return NULL;
        stop = c.at;
    }
    uri->text = slice_of(from, (size_t)(stop - from));
    return stop;
}

#endif
