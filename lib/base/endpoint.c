#include "base/endpoint.h"

#include <arpa/inet.h>

#define DECIMAL_MAX 10 // digits of a uint32_t

// "192.0.2.1" as inet_pton takes it: four numbers up to 255 without leading zeros.
static bool parse_ip4(struct slice host, uint8_t address[4])
{
    const char *at = host.at;
    const char *end = host.at + host.len;

    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0;
        if (i > 0 && (at == end || *at++ != '.'))
            return false;
        const char *from = at;
        for (; at < end && *at >= '0' && *at <= '9' && value <= UINT8_MAX; at++)
            value = value * 10 + (unsigned)(*at - '0');
        if (at == from || value > UINT8_MAX || (*from == '0' && at - from > 1))
            return false;
        address[i] = (uint8_t)value;
    }
    return at == end;
}

static bool parse_ip6(struct slice host, uint8_t address[16])
{
    char text[INET6_ADDRSTRLEN];

    if (host.len >= sizeof(text) || slice_find(host, ':') == host.len || slice_find(host, 0) != host.len)
        return false;
    memcpy(text, host.at, host.len);
    text[host.len] = 0;
    return inet_pton(AF_INET6, text, address) == 1;
}

bool endpoint_parse_host(struct slice host, struct endpoint *endpoint)
{
    bool brackets = host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';

    memset(endpoint, 0, sizeof(*endpoint));
    if (brackets)
        host = slice_of(host.at + 1, host.len - 2);
    if (host.len == 0)
        return false;
    if (!brackets && parse_ip4(host, endpoint->address))
        endpoint->family = ENDPOINT_IP4;
    else if (parse_ip6(host, endpoint->address))
        endpoint->family = ENDPOINT_IP6;
    else
        memset(endpoint, 0, sizeof(*endpoint));
    return endpoint->family != ENDPOINT_NONE;
}

bool endpoint_parse(struct slice text, struct endpoint *endpoint)
{
    uint64_t port = 0;

    if (endpoint_parse_host(text, endpoint))
        return true;
    uint32_t colon = text.len;
    while (colon > 0 && text.at[colon - 1] != ':')
        colon--;
    if (colon == 0 || !slice_number(slice_of(text.at + colon, text.len - colon), UINT16_MAX, &port) ||
        port == 0)
        return false;
    struct slice host = slice_of(text.at, colon - 1);
    if (host.len > 0 && host.at[0] != '[' && slice_find(host, ':') != host.len)
        return false; // an IPv6 address with a port needs its brackets
    if (!endpoint_parse_host(host, endpoint))
        return false;
    endpoint->port = (uint16_t)port;
    return true;
}

static unsigned write_decimal(unsigned value, char *text)
{
    char digits[DECIMAL_MAX];
    unsigned n = 0;

    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (unsigned i = 0; i < n; i++)
        text[i] = digits[n - 1 - i];
    return n;
}

unsigned endpoint_write_host(const struct endpoint *endpoint, char *text)
{
    unsigned n = 0;

    if (endpoint->family == ENDPOINT_IP4) {
        for (unsigned i = 0; i < 4; i++) {
            if (i > 0)
                text[n++] = '.';
            n += write_decimal(endpoint->address[i], text + n);
        }
        return n;
    }
    if (endpoint->family != ENDPOINT_IP6)
        return 0;
    text[n++] = '[';
    inet_ntop(AF_INET6, endpoint->address, text + n, INET6_ADDRSTRLEN);
    n += (unsigned)strlen(text + n);
    text[n++] = ']';
    return n;
}

unsigned endpoint_write(const struct endpoint *endpoint, char *text)
{
    unsigned n = endpoint_write_host(endpoint, text);

    if (endpoint->port != 0) {
        text[n++] = ':';
        n += write_decimal(endpoint->port, text + n);
    }
    return n;
}

bool endpoint_is_private(const struct endpoint *endpoint)
{
    const uint8_t *a = endpoint->address;

    if (endpoint->family == ENDPOINT_IP6) {
        static const uint8_t loopback[16] = {[15] = 1};
        return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
               memcmp(a, loopback, 16) == 0;
    }
    return a[0] == 10 || a[0] == 127 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
           (a[0] == 192 && a[1] == 168) || (a[0] == 100 && (a[1] & 0xc0) == 64) ||
           (a[0] == 169 && a[1] == 254);
}
