#include "conf/host.h"
#include "conf/value_kinds.h"

bool conf_value_read_endpoint(const struct conf_value *v, void *at)
{
    struct endpoint endpoint;

    if (!endpoint_parse(v->text, &endpoint) || !conf_host_is_unicast(&endpoint))
        return conf_value_mismatch(v, NULL);
    if (endpoint.port == 0)
        endpoint.port = v->key->assumed_port;
    *(struct endpoint *)at = endpoint;
    return true;
}

bool conf_value_read_host(const struct conf_value *v, void *at)
{
    char host[CONF_HOST_MAX];
    uint32_t len = conf_host_read(v->text, host);

    return len == 0 ? conf_value_mismatch(v, NULL) : conf_value_keep(v, slice_of(host, len), at);
}

// Numeric: UDP where nothing else is said (RFC 3263 4.1).
static void complete_address(struct conf_hop *hop)
{
    enum endpoint_transport transport =
        hop->transport == CONF_TRANSPORT_ANY ? ENDPOINT_UDP : (enum endpoint_transport)hop->transport;

    hop->address.transport = transport & 0xf;
    hop->address.port = hop->port != 0 ? hop->port : conf_transport_port(transport);
}

bool conf_value_read_hop(const struct conf_value *v, void *at)
{
    char text[CONF_HOST_MAX + sizeof(":65535")];
    struct conf_hop hop = {0};
    struct slice rest = v->text;
    bool whole = v->key->size == sizeof(struct conf_hop);

    if (v->text.len > v->key->max || (whole && !conf_hop_transport(&rest, &hop.transport)))
        return conf_value_mismatch(v, NULL);
    uint32_t len = conf_hop_read(rest, text, &hop.port);
    if (len == 0)
        return conf_value_mismatch(v, NULL);
    if (endpoint_parse_host(slice_of(text, len), &hop.address)) {
        if (!conf_host_is_unicast(&hop.address))
            return conf_value_mismatch(v, NULL);
        complete_address(&hop);
    }
    if (!whole) {
        if (hop.port != 0)
            len += (uint32_t)snprintf(text + len, sizeof(text) - len, ":%u", hop.port);
        return conf_value_keep(v, slice_of(text, len), at);
    }
    if (!conf_value_keep(v, slice_of(text, len), &hop.host))
        return false;
    *(struct conf_hop *)at = hop;
    return true;
}

bool conf_value_read_network(const struct conf_value *v, void *at)
{
    struct conf_nearest right = {0};
    struct conf_network network;
    char text[ENDPOINT_TEXT_MAX + 4];

    if (!conf_network_read(v->text, &network))
        return conf_value_mismatch(v, NULL);
    if (conf_network_clear(&network)) {
        right.best = conf_network_write(&network, text);
        conf_fault(v->reader->faults, v->line, &right, "%s = %.*s: the address has bits behind the first %u",
                   v->key->name, SLICE_PRINT(v->text), network.bits);
        return false;
    }
    *(struct conf_network *)at = network;
    return true;
}
