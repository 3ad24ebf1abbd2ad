#include "sip/host.h"

struct slice sip_take_host(struct cursor *c, enum sip_error error)
{
    const char *from = c->at;
    struct slice host;

    if (!cursor_skip(c, '[')) {
        host = sip_take_run(c, &sip_set_host);
        if (host.len == 0)
            cursor_fail(c, error);
        return host;
    }
    host = sip_take_run(c, &sip_set_ip6);
    if (host.len == 0 || !cursor_expect(c, ']', error)) {
        cursor_fail(c, error);
        return slice_of(c->at, 0);
    }
    return slice_of(from, (size_t)(c->at - from));
}

uint16_t sip_take_port(struct cursor *c, enum sip_error error)
{
    const char *at = c->at;
    const char *end = c->end;
    unsigned port = 0;

    for (; at < end && port <= UINT16_MAX; at++) {
        unsigned digit = (unsigned char)*at - '0';
        if (digit > 9)
            break;
        port = port * 10 + digit;
    }
    c->at = at;
    if (port == 0 || port > UINT16_MAX) {
        cursor_fail(c, error);
        return 0;
    }
    return (uint16_t)port;
}

bool sip_host_endpoint(struct slice host, struct endpoint *endpoint)
{
    char fixed[ENDPOINT_TEXT_MAX];

    if (endpoint_parse_host(host, endpoint))
        return true;
    const char *colons = host.len == 0 ? NULL : memmem(host.at, host.len, ":::", 3);
    if (colons == NULL || host.len > sizeof(fixed))
        return false;
    size_t before = (size_t)(colons - host.at);
    memcpy(fixed, host.at, before);
    memcpy(fixed + before, colons + 1, host.len - before - 1);
    return endpoint_parse_host(slice_of(fixed, host.len - 1), endpoint);
}
