// host: names and addresses as the values of a configuration say them.
//
// Text in, plain values out, each with one spelling: names in lower case, addresses as endpoint_write_host has them.
// No allocation; any thread.
#ifndef CONF_HOST_H
#define CONF_HOST_H

#include "conf/conf.h"

#define CONF_HOST_MAX 160 // bytes that the text of a host has room for, at least CONF_TEXT_MAX

// RFC 3261 25.1 hostname, without the dot at its end; "_" is met in practice. At most CONF_HOST_MAX bytes.
bool conf_host_is_name(struct slice text);

// A host name or an IP address as it is kept. Writes it to `host`, without NUL. Returns its bytes, or 0 when it is
// neither.
uint32_t conf_host_read(struct slice text, char host[CONF_HOST_MAX]);

// "HOST", "HOST:PORT", an IPv6 address with or without brackets. Writes the host as conf_host_read does, and the port
// or 0. Returns the bytes of the host, or 0 when it is no such thing.
uint32_t conf_hop_read(struct slice text, char host[CONF_HOST_MAX], uint16_t *port);

// What is spoken to "HOST[:PORT];transport=udp", tcp or tls, of which only "HOST[:PORT]" then stays in `text`. Without
// that CONF_TRANSPORT_ANY. False where anything else stands behind the ";".
bool conf_hop_transport(struct slice *text, uint8_t *transport);

// The same as it is written; "" for CONF_TRANSPORT_ANY.
const char *conf_transport_parameter(uint8_t transport);

// Where SIP is expected when no port says it: RFC 3261 19.1.2, RFC 7118 5.5.
uint16_t conf_transport_port(enum endpoint_transport transport);

// Neither a wildcard, nor a multicast, broadcast, reserved or mapped address.
bool conf_host_is_unicast(const struct endpoint *endpoint);

// "ADDRESS/BITS" or "ADDRESS"; host bits are as the text has them.
bool conf_network_read(struct slice text, struct conf_network *network);

// Takes the host bits away; true when there were any.
bool conf_network_clear(struct conf_network *network);

// "192.0.2.0/24", "2001:db8::/32", with NUL. Returns `text`.
const char *conf_network_write(const struct conf_network *network, char text[ENDPOINT_TEXT_MAX + 4]);

// Every address of `narrow` is one of `wide`.
bool conf_network_covers(const struct conf_network *wide, const struct conf_network *narrow);

#endif
