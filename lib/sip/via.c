#include "sip/via.h"

#include "sip/host.h"
#include "sip/params.h"
#include "sip/token.h"
#include "sip/transport.h"

static inline enum sip_transport transport_of(struct slice name)
{
    if (SLICE_IS(name, "udp"))
        return SIP_TRANSPORT_UDP;
    if (SLICE_IS(name, "tcp"))
        return SIP_TRANSPORT_TCP;
    if (SLICE_IS(name, "tls"))
        return SIP_TRANSPORT_TLS;
    if (SLICE_IS(name, "sctp"))
        return SIP_TRANSPORT_SCTP;
    if (SLICE_IS(name, "ws"))
        return SIP_TRANSPORT_WS;
    return SLICE_IS(name, "wss") ? SIP_TRANSPORT_WSS : SIP_TRANSPORT_OTHER;
}

static void take_slash(struct cursor *c)
{
    sip_skip_space(c); // SWS on both sides (RFC 3261 25.1 SLASH)
    cursor_expect(c, '/', SIP_ERROR_VIA);
    sip_skip_space(c);
}

// sent-protocol and the white space behind it
static inline void take_protocol(struct cursor *c, struct sip_via *via)
{
    sip_take_token(c, SIP_ERROR_VIA);
    take_slash(c);
    sip_take_token(c, SIP_ERROR_VIA);
    take_slash(c);
    via->transport = (uint8_t)transport_of(sip_take_token(c, SIP_ERROR_VIA));
    const char *end = c->at;
    sip_skip_space(c);
    if (c->at == end)
        cursor_fail(c, SIP_ERROR_VIA);
}

// sent-by; returns its end, the cursor being behind the white space that follows.
static inline const char *take_sent_by(struct cursor *c, struct sip_via *via)
{
    via->host = sip_take_host(c, SIP_ERROR_VIA);
    const char *end = c->at;
    sip_skip_space(c); // SWS on both sides of the colon (RFC 3261 25.1 COLON)
    if (!cursor_skip(c, ':'))
        return end;
    sip_skip_space(c);
    via->port = sip_take_port(c, SIP_ERROR_VIA);
    end = c->at;
    sip_skip_space(c);
    return end;
}

// A parameter that has to have a value and may stand there once.
static bool keep_value(struct slice *field, struct slice value)
{
    if (field->at != NULL || value.at == NULL)
        return false;
    *field = value;
    return true;
}

static bool keep_rport(struct sip_via *via, const struct sip_param *param, const char *end)
{
    uint64_t port = 0;

    // RFC 3581 5: "rport" [EQUAL 1*DIGIT]
    if (via->has_rport)
        return false;
    if (param->value.at != NULL && (!slice_number(param->value, UINT16_MAX, &port) || port == 0))
        return false;
    via->has_rport = true;
    via->rport = (uint16_t)port;
    via->rport_at = slice_of(param->name.at, (size_t)(end - param->name.at));
    return true;
}

static bool keep_ttl(struct sip_via *via, struct slice value)
{
    uint64_t ttl = 0;

    if (via->ttl != 0 || !slice_number(value, UINT8_MAX, &ttl))
        return false;
    via->ttl = (uint8_t)ttl;
    return true;
}

// False when a parameter that is known is broken; others pass. `end`: behind the parameter.
static inline bool keep_param(struct sip_via *via, const struct sip_param *param, const char *end)
{
    if (SLICE_IS(param->name, "branch"))
        return keep_value(&via->branch, param->value);
    if (SLICE_IS(param->name, "rport"))
        return keep_rport(via, param, end);
    if (SLICE_IS(param->name, "received"))
        return keep_value(&via->received, param->value);
    if (SLICE_IS(param->name, "maddr"))
        return keep_value(&via->maddr, param->value);
    return !SLICE_IS(param->name, "ttl") || keep_ttl(via, param->value);
}

// What may stay unset. Field by field: the compiler makes a slow string instruction out of a memset of this size.
static inline void clear(struct sip_via *via)
{
    via->branch = via->received = via->maddr = via->rport_at = slice_of(NULL, 0);
    via->port = via->rport = 0;
    via->transport = SIP_TRANSPORT_OTHER;
    via->ttl = 0;
    via->has_rport = false;
}

// ";" and a parameter by the stops of a window. Returns its end, NULL when it is broken or not of plain bytes.
static inline const char *take_usual_param(struct sip_window *window, const char *from, struct sip_via *via)
{
    static const char branch[8] = ";branch=";

    if (window->end - from > (ptrdiff_t)sizeof(branch) && memcmp(from, branch, sizeof(branch)) == 0 &&
        via->branch.at == NULL) {
        const char *value = from + sizeof(branch), *stop = sip_window_stop(window, value);
        via->branch = slice_of(value, (size_t)(stop - value));
        return stop > value ? stop : NULL;
    }
    const char *name_end = sip_window_stop(window, from + 1), *end = name_end;
    struct sip_param param = {slice_of(from + 1, (size_t)(name_end - from - 1)), {NULL, 0}};

    if (name_end < window->end && *name_end == '=') {
        end = sip_window_stop(window, name_end + 1);
        param.value = slice_of(name_end + 1, (size_t)(end - name_end - 1));
        if (param.value.len == 0)
            return NULL;
    }
    return param.name.len > 0 && keep_param(via, &param, end) ? end : NULL;
}

// What nearly every Via is, and nothing that could be read in two ways: "SIP/2.0/UDP ", the sent-by and plain
// parameters without white space, by the stops of one window. Takes the same as take_any() does, or nothing.
static inline bool take_usual(struct cursor *c, struct sip_via *via)
{
    static const char usual[12] = "SIP/2.0/UDP ";
    const char *from = c->at, *end = c->end, *host = from + sizeof(usual);

    if (end - from <= (ptrdiff_t)sizeof(usual) || memcmp(from, usual, sizeof(usual)) != 0)
        return false;
    via->transport = SIP_TRANSPORT_UDP;
    struct sip_window window = sip_window_over(&sip_set_host, host, end);
    const char *at = sip_window_stop(&window, host);
    if (at == host) {
        at = *host == '[' ? sip_set_run(&sip_set_ip6, host + 1, end) : end;
        if (at == end || *at != ']' || at == host + 1)
            return false;
        at++;
    }
    via->host = slice_of(host, (size_t)(at - host));
    if (at < end && *at == ':') {
        struct cursor port = {at + 1, end, 0};
        via->port = sip_take_port(&port, SIP_ERROR_VIA);
        if (via->port == 0)
            return false;
        at = port.at;
    }
    const char *params = at;
    while (at < end && *at == ';') {
        at = take_usual_param(&window, at, via);
        if (at == NULL)
            return false;
    }
    if (at < end && *at != ',')
        return false;
    via->text = slice_of(from, (size_t)(at - from));
    via->params = params < at ? slice_of(params, (size_t)(at - params)) : slice_of(NULL, 0);
    c->at = at;
    return true;
}

// Step by step.
static __attribute__((noinline)) bool take_any(struct cursor *c, struct sip_via *via)
{
    const char *from = c->at;
    struct sip_param param;

    clear(via);
    take_protocol(c, via);
    const char *end = take_sent_by(c, via);
    const char *params = c->at;
    while (sip_param_next(c, &param)) {
        end = c->at;
        if (!keep_param(via, &param, end))
            cursor_fail(c, SIP_ERROR_VIA);
    }
    if (c->error == 0 && !cursor_done(c) && *c->at != ',')
        cursor_fail(c, SIP_ERROR_VIA);
    if (c->error != 0) {
        c->error = SIP_ERROR_VIA; // whatever a parameter or a quoted string has called it
        via->text = slice_of(NULL, 0);
        return false;
    }
    via->text = slice_of(from, (size_t)(end - from));
    via->params = params < end ? slice_of(params, (size_t)(end - params)) : slice_of(NULL, 0);
    return true;
}

bool sip_via_take(struct cursor *c, struct sip_via *via)
{
    clear(via);
    sip_skip_space(c);
    return take_usual(c, via) || take_any(c, via);
}

bool sip_via_response_endpoint(const struct sip_via *via, struct endpoint *endpoint)
{
    enum endpoint_transport transport = sip_via_transport(via);
    bool reliable = via->transport >= SIP_TRANSPORT_TCP;
    struct slice host = via->received.at != NULL ? via->received : via->host;
    uint16_t port = via->port;

    if (via->maddr.at != NULL && !reliable)
        host = via->maddr;
    else if (via->received.at != NULL && via->rport != 0 && !reliable)
        port = via->rport;
    if (!sip_host_endpoint(host, endpoint))
        return false;
    endpoint->transport = transport & 0xf;
    endpoint->port = port != 0 ? port : sip_transport_port(transport);
    return true;
}
