// route: what this server answers for.
//
// The configuration's domains and listeners, compiled for looking up: domain names in a hash table, addresses in
// a short array, the texts that every forward or answer needs written once. Built and freed by control, read by
// all workers, never changed. It points into the configuration, which outlives it.
// Cost: a domain is one hash over the host, 8 bytes at a time, and one compare; an address one compare per
// listener.
#ifndef ROLE_ROUTE_H
#define ROLE_ROUTE_H

#include "base/endpoint.h"
#include "conf/conf.h"
#include "sip/uri.h"
#include "sip/via.h"

struct role_route;

// NULL: no memory.
struct role_route *role_route_create(const struct conf *conf);
void role_route_destroy(struct role_route *route); // NULL is allowed

enum role_place {
    ROLE_ELSEWHERE = 0, // a host that is not ours
    ROLE_HERE,          // an address of a listener, which no domain has as a name
    ROLE_DOMAIN,        // a name of a domain of ours
};

struct role_where {
    uint8_t place;    // enum role_place
    int16_t listener; // index of the listener with this very address and port, or CONF_NONE
    int16_t domain;   // ROLE_DOMAIN: index into conf->domains
};

// Whose a URI is by host and port. A port that none of the listeners has is not ours. maddr is not looked at. Of two
// listeners with one address and port it is the one of the transport that the URI says; one that no listener there has
// does not make the URI another's.
struct role_where role_route_where(const struct role_route *route, const struct sip_uri *uri);

// A number that is the same for hosts that mean the same: at most INT16_MAX for a domain of ours, by any of its names
// and whatever the port; else one that others may have by chance.
uint64_t role_route_host_key(const struct role_route *route, struct slice host);

// The listener with this address, port and transport (its own or its advertised ones), or CONF_NONE.
int role_route_listener(const struct role_route *route, const struct endpoint *endpoint);

// The same for a Via's sent-by and sent-protocol.
int role_route_sent_by(const struct role_route *route, const struct sip_via *via);

// The listener to send from over a transport to an address of `family`: `wanted` when it fits, else the first that
// does, one with the address of `wanted` before others; CONF_NONE when there is none.
int role_route_listener_for(const struct role_route *route, uint8_t transport, uint8_t family, int wanted);

// Whether some listener has that transport.
bool role_route_speaks(const struct role_route *route, uint8_t transport);
// Whether some listener has TLS below.
bool role_route_is_secure(const struct role_route *route);

// Whether a User-Agent begins with one of the scanners' names, in any case.
bool role_route_scanner(const struct role_route *route, struct slice user_agent);

// Ready texts. The Via lacks its branch's value and the line end; the others are whole lines.
struct slice role_route_via(const struct role_route *route, unsigned listener);
// `sips`: a sips URI, which has no meaning but of a listener with TLS.
struct slice role_route_record_route(const struct role_route *route, unsigned listener, bool sips);
// Whether `text` is role_route_via of some listener without its header name.
bool role_route_wrote_via(const struct role_route *route, struct slice text);
struct slice role_route_server_line(const struct role_route *route); // empty when none is configured

// The canonical name of a domain.
struct slice role_route_domain_name(const struct role_route *route, unsigned domain);

#endif
