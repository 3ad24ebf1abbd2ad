#include "role/route_table.h"

#include <stdlib.h>

#include "sip/transport.h"

#define LOWER \
    0x2020202020202020u // sets the bit of lower case in eight bytes; what it does to others does not matter

// Not keyed: only the configuration fills the table, so nobody else can make its chains longer.
static uint32_t host_hash(struct slice host)
{
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    uint64_t hash = host.len;

    for (; host.len > 8; host = slice_of(host.at + 8, host.len - 8)) {
        hash = (hash ^ (slice_word(host.at, 8) | LOWER)) * odd;
        hash ^= hash >> 32;
    }
    hash = (hash ^ (slice_word(host.at, host.len) | LOWER)) * odd;
    return (uint32_t)(hash ^ hash >> 32);
}

static int domain_of_name(const struct role_route *route, struct slice host)
{
    for (uint32_t slot = host_hash(host);; slot++) {
        const struct domain_name *name = &route->names[slot & route->names_mask];
        if (name->name.at == NULL)
            return CONF_NONE;
        if (slice_equal(name->name, host) || slice_equal_nocase(name->name, host))
            return name->domain;
    }
}

static void add_name(struct role_route *route, struct slice name, unsigned domain)
{
    uint32_t slot = host_hash(name);

    while (route->names[slot & route->names_mask].name.at != NULL)
        slot++;
    route->names[slot & route->names_mask] = (struct domain_name){name, (int16_t)domain};
}

static void add_address(struct role_route *route, const struct endpoint *endpoint, struct slice text,
                        int listener)
{
    route->addresses[route->addresses_n++] = (struct own_address){
        .endpoint = *endpoint,
        .text = text,
        .listener = (int16_t)listener,
        .domain = CONF_NONE,
    };
}

// A domain's name that is an address marks the listeners' entries with that address, and gets one of its own
// for the addresses that no listener has (a shared address in front of several boxes).
static void add_domain_address(struct role_route *route, const struct endpoint *address, struct slice text,
                               unsigned domain)
{
    for (unsigned i = 0; i < route->addresses_n; i++) {
        if (endpoint_same_address(&route->addresses[i].endpoint, address))
            route->addresses[i].domain = (int16_t)domain;
    }
    add_address(route, address, text, CONF_NONE);
    route->addresses[route->addresses_n - 1].domain = (int16_t)domain;
}

static void add_domains(struct role_route *route)
{
    const struct conf *conf = route->conf;

    for (unsigned i = 0; i < conf->domains_n; i++) {
        for (unsigned n = 0; n < conf->domains[i].names_n; n++) {
            struct slice name = text_of(&conf->domains[i].names[n]);
            struct endpoint address;
            if (endpoint_parse_host(name, &address))
                add_domain_address(route, &address, name, i);
            else
                add_name(route, name, i);
        }
    }
}

// The host of "HOST:PORT" or "[HOST]:PORT".
static struct slice host_of(const struct conf_text *text)
{
    struct slice host = text_of(text);

    while (host.len > 0 && host.at[host.len - 1] != ':' && host.at[host.len - 1] != ']')
        host.len--;
    if (host.len > 0 && host.at[host.len - 1] == ':' && memchr(host.at, ':', host.len - 1) == NULL)
        return slice_of(host.at, host.len - 1);
    if (host.len > 1 && host.at[host.len - 1] == ':' && host.at[host.len - 2] == ']')
        return slice_of(host.at, host.len - 1);
    return host.len > 0 ? host : text_of(text);
}

static void add_listeners(struct role_route *route)
{
    const struct conf *conf = route->conf;

    for (unsigned i = 0; i < conf->listeners_n; i++) {
        const struct conf_listener *listener = &conf->listeners[i];
        struct endpoint address = listener->address, advertised = listener->advertised;
        address.transport = advertised.transport = listener->transport & 0xf;
        route->transports |= 1u << listener->transport;
        add_address(route, &advertised, host_of(&listener->advertised_text), (int)i);
        if (!endpoint_equal(&advertised, &address))
            add_address(route, &address, (struct slice){NULL, 0}, (int)i);
    }
}

struct role_route *role_route_create(const struct conf *conf)
{
    struct role_route *route = calloc(1, sizeof(*route));
    unsigned names = 0;
    unsigned slots = 2;

    if (route == NULL)
        return NULL;
    for (unsigned i = 0; i < conf->domains_n; i++)
        names += conf->domains[i].names_n;
    while (slots < 2 * names + 1)
        slots *= 2;
    route->conf = conf;
    route->names_mask = slots - 1;
    route->names = calloc(slots, sizeof(*route->names));
    route->addresses = calloc(2 * conf->listeners_n + names + 1, sizeof(*route->addresses));
    route->listeners = calloc(conf->listeners_n + 1, sizeof(*route->listeners));
    if (route->names == NULL || route->addresses == NULL || route->listeners == NULL) {
        role_route_destroy(route);
        return NULL;
    }
    add_listeners(route);
    add_domains(route);
    role_route_write_texts(route);
    return route;
}

void role_route_destroy(struct role_route *route)
{
    if (route == NULL)
        return;
    free(route->names);
    free(route->addresses);
    free(route->listeners);
    free(route);
}

static bool host_is_address(struct slice host)
{
    return host.len > 0 && (host.at[0] == '[' || (host.at[0] >= '0' && host.at[0] <= '9'));
}

// 0: none was given.
static bool port_of_ours(const struct role_route *route, uint16_t port)
{
    bool ours = port == 0;

    for (unsigned i = 0; i < route->addresses_n && !ours; i++)
        ours = route->addresses[i].endpoint.port == port;
    return ours;
}

static bool address_matches(const struct own_address *own, struct slice host, const struct endpoint *parsed)
{
    return parsed->family != ENDPOINT_NONE ? endpoint_same_address(&own->endpoint, parsed)
                                           : slice_equal(own->text, host);
}

// The first that matches, but for one of the transport that is meant. `port` 0: none was given. `parsed`: the host by
// its value; ENDPOINT_NONE: by its text.
static const struct own_address *match_address(const struct role_route *route, struct slice host,
                                               const struct endpoint *parsed, uint16_t port,
                                               uint8_t transport)
{
    uint16_t meant = port != 0 ? port : sip_transport_port(transport);
    const struct own_address *found = NULL;

    for (unsigned i = 0; i < route->addresses_n; i++) {
        const struct own_address *own = &route->addresses[i];
        if (!address_matches(own, host, parsed))
            continue;
        if (own->endpoint.port != meant && (own->endpoint.port != 0 || !port_of_ours(route, port)))
            continue;
        if (own->endpoint.transport == transport)
            return own;
        if (found == NULL)
            found = own;
    }
    return found;
}

// Twice over few addresses: by text, which finds what we wrote ourselves, then by value for other spellings.
static const struct own_address *find_address(const struct role_route *route, struct slice host,
                                              uint16_t port, uint8_t transport)
{
    struct endpoint parsed = {.family = ENDPOINT_NONE};
    const struct own_address *own = match_address(route, host, &parsed, port, transport);

    if (own == NULL && endpoint_parse_host(host, &parsed))
        own = match_address(route, host, &parsed, port, transport);
    return own;
}

// What a URI of ours is meant to be spoken over: what it says, else UDP, TLS of sips.
static uint8_t transport_of(const struct sip_uri *uri)
{
    uint8_t transport;

    if (sip_uri_transport(uri, &transport) && transport != SIP_TRANSPORT_ANY)
        return transport;
    return uri->scheme == SIP_SCHEME_SIPS ? ENDPOINT_TLS : ENDPOINT_UDP;
}

struct role_where role_route_where(const struct role_route *route, const struct sip_uri *uri)
{
    struct role_where where = {ROLE_ELSEWHERE, CONF_NONE, CONF_NONE};
    struct slice host = uri->host;

    if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
        return where;
    if (host_is_address(host)) {
        const struct own_address *own = find_address(route, host, uri->port, transport_of(uri));
        if (own == NULL)
            return where;
        where.listener = own->listener;
        where.domain = own->domain;
        where.place = own->domain != CONF_NONE ? ROLE_DOMAIN : ROLE_HERE;
        return where;
    }
    if (host.len > 0 && host.at[host.len - 1] == '.') // a fully qualified name
        host.len--;
    where.domain = (int16_t)domain_of_name(route, host);
    if (where.domain != CONF_NONE && port_of_ours(route, uri->port))
        where.place = ROLE_DOMAIN;
    return where;
}

// Above every index into conf->domains.
#define FOREIGN ((uint64_t)1 << 32)

static uint64_t address_key(const struct role_route *route, const struct endpoint *address)
{
    for (unsigned i = 0; i < route->addresses_n; i++) {
        const struct own_address *own = &route->addresses[i];
        if (own->domain != CONF_NONE && endpoint_same_address(&own->endpoint, address))
            return (uint64_t)own->domain;
    }
    return FOREIGN | host_hash(slice_of((const char *)address->address, sizeof(address->address)));
}

uint64_t role_route_host_key(const struct role_route *route, struct slice host)
{
    struct endpoint address;

    if (host.len > 0 && host.at[host.len - 1] == '.')
        host.len--;
    if (host_is_address(host) && endpoint_parse_host(host, &address))
        return address_key(route, &address);
    int domain = domain_of_name(route, host);
    return domain != CONF_NONE ? (uint64_t)domain : FOREIGN | host_hash(host);
}

int role_route_listener(const struct role_route *route, const struct endpoint *endpoint)
{
    for (unsigned i = 0; i < route->addresses_n; i++) {
        if (route->addresses[i].listener != CONF_NONE &&
            endpoint_equal(&route->addresses[i].endpoint, endpoint))
            return route->addresses[i].listener;
    }
    return CONF_NONE;
}

int role_route_sent_by(const struct role_route *route, const struct sip_via *via)
{
    const struct own_address *own = find_address(route, via->host, via->port, sip_via_transport(via));

    return own != NULL ? own->listener : CONF_NONE;
}

int role_route_listener_for(const struct role_route *route, uint8_t transport, uint8_t family, int wanted)
{
    const struct conf *conf = route->conf;
    const struct conf_listener *like =
        wanted >= 0 && (unsigned)wanted < conf->listeners_n ? &conf->listeners[wanted] : NULL;
    int found = CONF_NONE;

    if (like != NULL && like->transport == transport && like->address.family == family)
        return wanted;
    for (unsigned i = 0; i < conf->listeners_n; i++) {
        const struct conf_listener *listener = &conf->listeners[i];
        if (listener->transport != transport || listener->address.family != family)
            continue;
        if (like == NULL || endpoint_same_address(&listener->address, &like->address))
            return (int)i;
        if (found == CONF_NONE)
            found = (int)i;
    }
    return found;
}

bool role_route_speaks(const struct role_route *route, uint8_t transport)
{
    return route->transports >> transport & 1;
}

bool role_route_is_secure(const struct role_route *route)
{
    return role_route_speaks(route, ENDPOINT_TLS) || role_route_speaks(route, ENDPOINT_WSS);
}

struct slice role_route_domain_name(const struct role_route *route, unsigned domain)
{
    return text_of(&route->conf->domains[domain].names[0]);
}
