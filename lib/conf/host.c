#include "conf/host.h"

#define LABEL_MAX 63 // bytes of a label of a host name (RFC 1035 2.3.4)

static bool is_label(struct slice label)
{
    if (label.len == 0 || label.len > LABEL_MAX || label.at[0] == '-' || label.at[label.len - 1] == '-')
        return false;
    for (uint32_t i = 0; i < label.len; i++) {
        char c = slice_lower(label.at[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return true;
}

bool conf_host_is_name(struct slice text)
{
    uint32_t dot = slice_find(text, '.');

    if (text.len > CONF_HOST_MAX)
        return false;
    while (dot < text.len) {
        if (!is_label(slice_of(text.at, dot)))
            return false;
        text = slice_of(text.at + dot + 1, text.len - dot - 1);
        dot = slice_find(text, '.');
    }
    // A top label of digits only is a mistyped IPv4 address.
    return is_label(text) && !(text.at[0] >= '0' && text.at[0] <= '9');
}

uint32_t conf_host_read(struct slice text, char host[CONF_HOST_MAX])
{
    struct endpoint endpoint;

    if (endpoint_parse_host(text, &endpoint))
        return endpoint_write_host(&endpoint, host);
    if (!conf_host_is_name(text))
        return 0;
    for (uint32_t i = 0; i < text.len; i++)
        host[i] = slice_lower(text.at[i]);
    return text.len;
}

uint32_t conf_hop_read(struct slice text, char host[CONF_HOST_MAX], uint16_t *port)
{
    uint32_t len = conf_host_read(text, host);
    struct endpoint endpoint;
    uint64_t number;

    *port = 0;
    if (len > 0)
        return len;
    if (endpoint_parse(text, &endpoint)) {
        *port = endpoint.port;
        return endpoint_write_host(&endpoint, host);
    }
    uint32_t colon = slice_find(text, ':');
    if (colon == text.len || !conf_host_is_name(slice_of(text.at, colon)) ||
        !slice_number(slice_of(text.at + colon + 1, text.len - colon - 1), UINT16_MAX, &number) ||
        number == 0)
        return 0;
    *port = (uint16_t)number;
    return conf_host_read(slice_of(text.at, colon), host);
}

const char *conf_transport_parameter(uint8_t transport)
{
    static const char *const parameters[] = {
        [ENDPOINT_UDP] = ";transport=udp",
        [ENDPOINT_TCP] = ";transport=tcp",
        [ENDPOINT_TLS] = ";transport=tls",
    };

    return transport <= ENDPOINT_TLS ? parameters[transport] : "";
}

bool conf_hop_transport(struct slice *text, uint8_t *transport)
{
    uint32_t end = slice_find(*text, ';');
    struct slice parameter = slice_of(text->at + end, text->len - end);

    *transport = CONF_TRANSPORT_ANY;
    if (parameter.len == 0)
        return true;
    text->len = end;
    for (*transport = ENDPOINT_UDP; *transport <= ENDPOINT_TLS; ++*transport) {
        if (slice_equal_nocase(parameter, slice_text(conf_transport_parameter(*transport))))
            return true;
    }
    return false;
}

uint16_t conf_transport_port(enum endpoint_transport transport)
{
    static const uint16_t ports[ENDPOINT_TRANSPORTS] = {
        [ENDPOINT_UDP] = 5060, [ENDPOINT_TCP] = 5060, [ENDPOINT_TLS] = 5061,
        [ENDPOINT_WS] = 80,    [ENDPOINT_WSS] = 443,
    };

    return ports[transport];
}

bool conf_host_is_unicast(const struct endpoint *endpoint)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; // RFC 4291 2.5.5.2: never on the wire
    static const uint8_t wildcard[16];
    const uint8_t *a = endpoint->address;

    if (endpoint->family == ENDPOINT_IP4)
        return a[0] != 0 && a[0] < 224;
    return memcmp(a, wildcard, sizeof(wildcard)) != 0 && memcmp(a, mapped, sizeof(mapped)) != 0 &&
           a[0] != 0xff;
}

static unsigned bits_of(const struct endpoint *endpoint)
{
    return endpoint->family == ENDPOINT_IP4 ? 32 : 128;
}

bool conf_network_read(struct slice text, struct conf_network *network)
{
    uint32_t slash = slice_find(text, '/');
    uint64_t bits;

    if (!endpoint_parse_host(slice_of(text.at, slash), &network->address))
        return false;
    bits = bits_of(&network->address);
    if (slash < text.len && !slice_number(slice_of(text.at + slash + 1, text.len - slash - 1), bits, &bits))
        return false;
    network->bits = (uint8_t)bits;
    return true;
}

bool conf_network_clear(struct conf_network *network)
{
    bool any = false;

    for (unsigned i = network->bits; i < bits_of(&network->address); i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8), *byte = &network->address.address[i / 8];
        any |= (*byte & bit) != 0;
        *byte &= (uint8_t)~bit;
    }
    return any;
}

bool conf_network_has(const struct conf_network *network, const struct endpoint *endpoint)
{
    unsigned bytes = network->bits / 8;
    unsigned rest = network->bits % 8;

    if (network->address.family != endpoint->family ||
        memcmp(network->address.address, endpoint->address, bytes) != 0)
        return false;
    return rest == 0 || (network->address.address[bytes] ^ endpoint->address[bytes]) >> (8 - rest) == 0;
}

const char *conf_network_write(const struct conf_network *network, char text[ENDPOINT_TEXT_MAX + 4])
{
    char address[ENDPOINT_TEXT_MAX];
    unsigned len = endpoint_write_host(&network->address, address);
    unsigned bracket = network->address.family == ENDPOINT_IP6;

    snprintf(text, ENDPOINT_TEXT_MAX + 4, "%.*s/%u", (int)(len - 2 * bracket), address + bracket,
             network->bits);
    return text;
}

bool conf_network_covers(const struct conf_network *wide, const struct conf_network *narrow)
{
    struct conf_network common = *narrow;

    if (wide->address.family != narrow->address.family || wide->bits > narrow->bits)
        return false;
    common.bits = wide->bits;
    conf_network_clear(&common);
    return endpoint_same_address(&common.address, &wide->address);
}
