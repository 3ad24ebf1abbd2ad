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

bool sip_host_endpoint(struct slice host, struct endpoint *endpoint)
{
    char fixed[ENDPOINT_TEXT_MAX];

    if (endpoint_parse_host(host, endpoint))
        return true;
    if (slice_find(host, ':') == host.len || host.len > sizeof(fixed))
        return false;
    const char *colons = memmem(host.at, host.len, ":::", 3);
    if (colons == NULL)
        return false;
    size_t before = (size_t)(colons - host.at);
    memcpy(fixed, host.at, before);
    memcpy(fixed + before, colons + 1, host.len - before - 1);
    return endpoint_parse_host(slice_of(fixed, host.len - 1), endpoint);
}
