#include "conf/host.h"
#include "conf/value_kinds.h"

#define SIP_PORT 5060 // RFC 3261 19.1.2

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

bool conf_value_read_hop(const struct conf_value *v, void *at)
{
    char text[CONF_HOST_MAX + sizeof(":65535")];
    struct conf_hop hop = {0};
    uint32_t len = conf_hop_read(v->text, text, &hop.port);

    if (len == 0)
        return conf_value_mismatch(v, NULL);
    if (endpoint_parse_host(slice_of(text, len), &hop.address)) {
        if (!conf_host_is_unicast(&hop.address))
            return conf_value_mismatch(v, NULL);
        hop.address.port = hop.port != 0 ? hop.port : SIP_PORT;
    }
    if (v->key->size == sizeof(struct conf_text)) {
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
