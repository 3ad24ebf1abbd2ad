#include "conf/check.h"
#include "conf/host.h"

#define IP6_MTU_MIN 1280 // RFC 8200 5; the kernel turns IPv6 off on a twin with less

// One [listener] that is checked.
struct hearing {
    const struct conf_reader *reader;
    const struct conf *conf;
    const struct conf_block *block;
    const struct conf_listener *listener;
};

static const struct conf_key *key_at(size_t offset)
{
    return conf_key_of(CONF_LISTENER, offset);
}

static unsigned line_of(const struct conf_block *block, const struct conf_key *key)
{
    unsigned line = conf_entry_of(block, key)->line;

    return line != 0 ? line : block->line;
}

// A section that is wrong otherwise might have been the one that is missed.
static bool any_listener_faulty(const struct conf_reader *reader)
{
    for (const struct conf_block *block = reader->tree->first; block != NULL; block = block->next) {
        if (block->section == &conf_sections[CONF_LISTENER] && conf_block_faulty(block))
            return true;
    }
    return false;
}

// The kernel has one table of ports for UDP, and one for all that is spoken over TCP.
static void check_address(const struct hearing *h)
{
    const struct conf_key *key = key_at(offsetof(struct conf_listener, address));
    const struct endpoint *address = &h->listener->address;
    char text[CONF_VALUE_MAX], title[CONF_TITLE_MAX];

    for (const struct conf_block *block = h->reader->tree->first; block != h->block; block = block->next) {
        if (block->section != h->block->section || conf_block_faulty(block))
            continue;
        const struct endpoint *other = &h->conf->listeners[block->index].address;
        if (!endpoint_same_address(address, other) || address->port != other->port ||
            endpoint_is_stream(address) != endpoint_is_stream(other))
            continue;
        conf_value_text(key, h->conf, h->listener, 0, text);
        conf_fault(h->reader->faults, line_of(h->block, key), NULL,
                   "%s = %s is taken by %s on line %u already", key->name, text,
                   conf_block_title(block->section, block->name, title), line_of(block, key));
        return;
    }
}

// Via and Record-Route name the address on which the peer's packets arrive.
static void check_advertised(const struct hearing *h)
{
    const struct conf_key *key = key_at(offsetof(struct conf_listener, advertised));

    if (h->listener->advertised.family != h->listener->address.family)
        conf_fault(h->reader->faults, line_of(h->block, key), NULL,
                   "%s is of another address family than %s; expected both IPv4 or both IPv6", key->name,
                   key_at(offsetof(struct conf_listener, address))->name);
}

static void check_port(const struct hearing *h)
{
    const struct conf_key *key = key_at(offsetof(struct conf_listener, port));
    const struct conf_key *address = key_at(offsetof(struct conf_listener, address));
    const struct conf_key *mtu = conf_key_of(CONF_PORT, offsetof(struct conf_port, mtu));
    char expected[CONF_EXPECT_MAX], title[CONF_TITLE_MAX];

    if (h->listener->port == CONF_NONE) {
        conf_key_expect(key, expected);
        if (!endpoint_is_stream(&h->listener->address))
            conf_fault(h->reader->faults, line_of(h->block, key), NULL, "%s has no %s; expected %s",
                       conf_block_title(h->block->section, h->block->name, title), key->name, expected);
        return;
    }
    const struct conf_port *port = &h->conf->ports[h->listener->port];
    // An mtu that could not be read was told already, and is 0.
    if (h->listener->address.family == ENDPOINT_IP6 && port->mtu != 0 && port->mtu < IP6_MTU_MIN)
        conf_fault(h->reader->faults, line_of(h->block, address), NULL,
                   "%s is IPv6, and %s of [%s %s] is %u; expected at least %u there", address->name,
                   mtu->name, conf_sections[CONF_PORT].name, port->name, port->mtu, IP6_MTU_MIN);
}

static void check_transport(const struct hearing *h)
{
    const struct conf_key *transport = key_at(offsetof(struct conf_listener, transport));
    const struct conf_key *proxied = key_at(offsetof(struct conf_listener, proxy_protocol));
    const struct conf_key *balancers = key_at(offsetof(struct conf_listener, balancers));
    const struct conf_key *client = key_at(offsetof(struct conf_listener, client_certificate));
    const struct conf_key *chain = conf_key_of(CONF_CERTIFICATE, offsetof(struct conf_certificate, chain));
    const struct conf_key *private_key =
        conf_key_of(CONF_CERTIFICATE, offsetof(struct conf_certificate, key));
    bool secure = endpoint_is_secure(&h->listener->address);
    char text[CONF_VALUE_MAX];

    conf_value_text(transport, h->conf, h->listener, 0, text);
    if (secure && h->conf->certificates_n == 0)
        conf_fault(h->reader->faults, line_of(h->block, transport), NULL,
                   "%s = %s needs a certificate to show; expected a [%s NAME] with %s and %s",
                   transport->name, text, conf_sections[CONF_CERTIFICATE].name, chain->name,
                   private_key->name);
    if (!secure && h->listener->client_certificate != CONF_CLIENT_CERTIFICATE_NO)
        conf_fault(h->reader->faults, line_of(h->block, client), NULL,
                   "%s is not used with %s = %s; expected it away, or %s = tls or wss", client->name,
                   transport->name, text, transport->name);
    if (!endpoint_is_stream(&h->listener->address) && h->listener->proxy_protocol)
        conf_fault(h->reader->faults, line_of(h->block, proxied), NULL,
                   "%s is not used with %s = %s; expected it away", proxied->name, transport->name, text);
    if (!h->listener->proxy_protocol && h->listener->balancers_n > 0)
        conf_fault(h->reader->faults, line_of(h->block, balancers), NULL,
                   "%s is not used without %s; expected it away, or %s = yes", balancers->name, proxied->name,
                   proxied->name);
}

void conf_check_listener(const struct conf_reader *reader, const struct conf *conf,
                         const struct conf_block *block)
{
    struct hearing hearing = {reader, conf, block, &conf->listeners[block->index]};

    check_address(&hearing);
    check_advertised(&hearing);
    check_port(&hearing);
    check_transport(&hearing);
}

// What is sent over a transport leaves by a listener of it, of the same family where that is known.
static bool hop_has_listener(const struct conf *conf, const struct conf_hop *hop)
{
    for (unsigned i = 0; i < conf->listeners_n; i++) {
        const struct conf_listener *listener = &conf->listeners[i];
        if (listener->transport == hop->transport &&
            (hop->address.family == ENDPOINT_NONE || hop->address.family == listener->address.family))
            return true;
    }
    return false;
}

void conf_check_hop(const struct conf_reader *reader, const struct conf *conf, const struct conf_block *block,
                    size_t offset)
{
    const struct conf_section *section = block->section;
    const struct conf_key *key = conf_key_of((enum conf_section_kind)(section - conf_sections), offset);
    const void *base = conf_section_at(section, conf, block->index);
    const struct conf_hop *hop = (const void *)((const char *)base + offset);
    char text[CONF_VALUE_MAX];

    if (hop->host.len == 0 || hop->transport == CONF_TRANSPORT_ANY || hop_has_listener(conf, hop) ||
        any_listener_faulty(reader))
        return;
    conf_value_text(key, conf, base, 0, text);
    conf_fault(reader->faults, line_of(block, key), NULL,
               "%s = %s leaves by no listener; expected%s [%s] with transport = %s", key->name, text,
               hop->address.family == ENDPOINT_IP4   ? " an IPv4"
               : hop->address.family == ENDPOINT_IP6 ? " an IPv6"
                                                     : " a",
               conf_sections[CONF_LISTENER].name, strchr(conf_transport_parameter(hop->transport), '=') + 1);
}
