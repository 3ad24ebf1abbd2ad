// schema_rows: the rows of the schema, a file a topic, and what they are written with. For schema*.c alone.
//
// A table is declared with its length, so that the compiler counts its rows.
#ifndef CONF_SCHEMA_ROWS_H
#define CONF_SCHEMA_ROWS_H

#include "conf/conf.h"
#include "conf/schema.h"

#define CONF_FIELD(of, member) .offset = offsetof(struct of, member), .size = sizeof(((struct of *)0)->member)

// A list whose array is pointed to, and one that has its array in place.
#define CONF_LIST(of, member, n) CONF_FIELD(of, member), .list = true, .count_offset = offsetof(struct of, n)
#define CONF_ARRAY(of, member, n)                                                                     \
    .offset = offsetof(struct of, member), .size = sizeof(((struct of *)0)->member[0]), .list = true, \
    .count_offset = offsetof(struct of, n)

#define CONF_MS_PER_MINUTE 60000

extern const struct conf_suffix conf_seconds[], conf_milliseconds[], conf_bytes[], conf_file_bytes[],
    conf_percent[];

// schema_server.c
extern const struct conf_key conf_server_keys[7], conf_registrar_keys[7], conf_location_keys[1],
    conf_network_keys[7], conf_port_keys[5], conf_listener_keys[7], conf_domain_keys[4];
// schema_proxy.c
extern const struct conf_key conf_proxy_keys[8], conf_transaction_keys[6], conf_trust_keys[2],
    conf_dns_keys[9], conf_cdr_keys[5];
// schema_route.c
extern const struct conf_key conf_numbers_keys[1], conf_gateways_keys[7], conf_gateway_keys[7],
    conf_route_keys[20];
// schema_store.c
extern const struct conf_key conf_store_keys[6], conf_control_keys[2], conf_auth_keys[9];
// schema_stream.c
extern const struct conf_key conf_stream_keys[8], conf_tls_keys[5], conf_certificate_keys[2];
// schema_presence.c
extern const struct conf_key conf_presence_keys[20];

#endif
