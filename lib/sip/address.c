#include "sip/address.h"

#include "sip/params.h"
#include "sip/token.h"
#include "sip/uri_usual.h"

// A display name that is no quoted string: tokens by the book, but UTF-8, brackets and "@" are sent, and up to the
// "<" nothing else can be meant. A comma ends an element, so none can be in it (RFC 4475 3.1.2.17).
static void skip_display(struct cursor *c)
{
    while (c->at < c->end && *c->at != '<') {
        const char *from = c->at;

        sip_skip_space(c);
        if (c->at > from)
            continue;
        if ((unsigned char)*c->at <= ' ' || *c->at == 0x7f || memchr("\",;>", *c->at, 4) != NULL) {
            cursor_fail(c, SIP_ERROR_ADDRESS);
            return;
        }
        c->at++;
    }
}

// Takes what stands before the "<", the cursor being on its first byte. False when it is no display name but the
// scheme of a bare URI, which is not taken then.
static inline bool take_display(struct cursor *c, struct sip_address *address)
{
    const char *from = c->at;

    if (cursor_peek(c) == '"') {
        address->display = sip_take_quoted(c);
        sip_skip_space(c);
        return true;
    }
    if (cursor_peek(c) != '<') {
        sip_take_run(c, &sip_set_token);
        if (c->at > from && cursor_peek(c) == ':') {
            c->at = from;
            return false;
        }
        skip_display(c);
    }
    address->display = slice_trim(slice_of(from, (size_t)(c->at - from)));
    return true;
}

static inline bool take_params(struct cursor *c, struct sip_address *address)
{
    const char *end = c->at;
    struct sip_param param;

    sip_skip_space(c);
    const char *from = c->at;
    while (sip_param_next(c, &param)) {
        if (address->tag.at == NULL && SLICE_IS(param.name, "tag"))
            address->tag = param.value;
        end = c->at;
    }
    if (end > from)
        address->params = slice_of(from, (size_t)(end - from));
    address->text.len = (uint32_t)(end - address->text.at);
    return c->error == 0 && (cursor_done(c) || *c->at == ',' || cursor_fail(c, SIP_ERROR_ADDRESS));
}

// The "<" behind a display name that is a token or a quoted string without escapes, one space between; NULL when it
// is anything else.
static inline const char *usual_display(struct sip_window *window, const char *from,
                                        struct sip_address *address)
{
    const char *end = window->end, *at;

    if (*from == '"') {
        at = sip_set_run(&sip_set_quoted, from + 1, end);
        if (at == end || *at != '"')
            return NULL;
        at++;
    } else {
        at = sip_window_stop(window, from);
    }
    if (at == from || end - at < 2 || at[0] != ' ' || at[1] != '<')
        return NULL;
    address->display = slice_of(from, (size_t)(at - from));
    return at + 1;
}

// Reads what nearly all addresses are, and nothing that could be read in two ways: [display] <URI>[;tag=value], by
// the stops of one window. Returns where it ends, as take_any() would find it, or NULL when it is anything else.
static inline __attribute__((always_inline)) const char *usual_end(const char *from, const char *end,
                                                                   struct sip_address *address)
{
    const char *at = from;
    struct sip_window window = sip_window_over(&sip_set_host, from, end);

    address->display = address->params = address->tag = slice_of(NULL, 0);
    if (from == end)
        return NULL;
    if (*from != '<' && (at = usual_display(&window, from, address)) == NULL)
        return NULL;
    at = sip_uri_usual(&window, at + 1, &address->uri);
    if (at == NULL || at == end) // not closed
        return NULL;
    at++;
    if (at < end && *at != ',') {
        const char *params = at, *tag = at + 5;
        if (end - at < 6 || memcmp(at, ";tag=", 5) != 0)
            return NULL;
        at = sip_window_stop(&window, tag);
        if (at == tag || (at < end && *at != ','))
            return NULL;
        address->tag = slice_of(tag, (size_t)(at - tag));
        address->params = slice_of(params, (size_t)(at - params));
    }
    address->text = slice_of(from, (size_t)(at - from));
    return at;
}

// Step by step.
static __attribute__((noinline)) bool take_any(struct cursor *c, struct sip_address *address)
{
    address->text = slice_of(c->at, 0);
    address->display = slice_of(NULL, 0);
    address->params = slice_of(NULL, 0);
    address->tag = slice_of(NULL, 0);
    if (!take_display(c, address))
        return sip_uri_take(c, true, &address->uri) && take_params(c, address);
    return cursor_expect(c, '<', SIP_ERROR_ADDRESS) && sip_uri_take(c, false, &address->uri) &&
           cursor_expect(c, '>', SIP_ERROR_ADDRESS) && take_params(c, address);
}

bool sip_address_take(struct cursor *c, struct sip_address *address)
{
    sip_skip_space(c);
    const char *end = usual_end(c->at, c->end, address);
    if (end == NULL)
        return take_any(c, address);
    c->at = end;
    return true;
}

static __attribute__((noinline)) enum sip_error parse_any(struct slice value, struct sip_address *address)
{
    struct cursor c = cursor_over(value);

    sip_skip_space(&c);
    if (take_any(&c, address) && !cursor_done(&c))
        cursor_fail(&c, SIP_ERROR_ADDRESS);
    return (enum sip_error)c.error;
}

enum sip_error sip_address_parse(struct slice value, struct sip_address *address)
{
    if (value.len > 0 && usual_end(value.at, value.at + value.len, address) == value.at + value.len)
        return SIP_OK;
    return parse_any(value, address);
}
