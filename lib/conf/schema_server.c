#include "conf/schema_rows.h"

static const struct conf_choice roles[] = {
    {"proxy", CONF_ROLE_PROXY},
    {"redirect", CONF_ROLE_REDIRECT},
    {NULL, 0},
};

static const struct conf_choice transports[] = {
    {"udp", ENDPOINT_UDP}, {"tcp", ENDPOINT_TCP}, {"tls", ENDPOINT_TLS},
    {"ws", ENDPOINT_WS},   {"wss", ENDPOINT_WSS}, {NULL, 0},
};

static const struct conf_choice client_certificates[] = {
    {"no", CONF_CLIENT_CERTIFICATE_NO},
    {"asked", CONF_CLIENT_CERTIFICATE_ASKED},
    {"required", CONF_CLIENT_CERTIFICATE_REQUIRED},
    {NULL, 0},
};

static const struct conf_choice nats[] = {
    {"detect", CONF_NAT_DETECT},
    {"always", CONF_NAT_ALWAYS},
    {"never", CONF_NAT_NEVER},
    {NULL, 0},
};

// A key in a few lines: the tables are read as tables.
// clang-format off

const struct conf_key conf_server_keys[7] = {
    {.name = "server_header", CONF_FIELD(conf, server_name), .type = CONF_TEXT, .max = 128,
     .fallback = "strowger",
     .help = "What the Server header field of answers says; empty: no such header field."},
    {.name = "message_max", CONF_FIELD(conf, message_max), .type = CONF_NUMBER, .min = 1024, .max = 16384,
     .unit = "bytes", .suffixes = conf_bytes, .fallback = "16384",
     .help = "Longest message that is served; a longer request is answered 513."},
    {.name = "request_uri_max", CONF_FIELD(conf, uri_max), .type = CONF_NUMBER, .min = 64, .max = 8192,
     .unit = "bytes", .suffixes = conf_bytes, .fallback = "512",
     .help = "Longest request-URI that is served; a request with a longer one is answered 414."},
    {.name = "max_forwards", CONF_FIELD(conf, max_forwards), .type = CONF_NUMBER, .min = 1, .max = 255,
     .unit = "hops", .fallback = "70",
     .help = "Max-Forwards that a request without any is given before it is forwarded."},
    {.name = "record_route", CONF_FIELD(conf, record_route), .type = CONF_BOOL, .fallback = "yes",
     .help = "Stay in the path of dialogs: put a Record-Route on requests that may begin one."},
    {.name = "retry_after", CONF_FIELD(conf, retry_after), .type = CONF_NUMBER, .min = 1, .max = 3600,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "10",
     .help = "Retry-After of a 503 that is answered because a table is full."},
    {.name = "scanners", CONF_LIST(conf, scanners, scanners_n), .type = CONF_TEXT, .flags = CONF_LOWER,
     .max = 256,
     .fallback = "friendly-scanner, friendly-request, sipvicious, sipcli, sip-scan, sundayddr, iwar, smap, "
                 "gulp, pplsip, vaxsipuseragent",
     .help = "Requests whose User-Agent begins with one of these, whatever the case, are dropped without "
             "an answer and counted; empty: nobody is."},
};

const struct conf_key conf_registrar_keys[7] = {
    {.name = "expires_default", CONF_FIELD(conf, expires_default), .type = CONF_NUMBER, .min = 1, .max = 2592000,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "3600",
     .help = "Expiry of a binding whose REGISTER asks for none."},
    {.name = "expires_min", CONF_FIELD(conf, expires_min), .type = CONF_NUMBER, .min = 0, .max = 2592000,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "60",
     .help = "A REGISTER that asks for less is answered 423 with this as Min-Expires; 0 is always a "
             "removal."},
    {.name = "expires_max", CONF_FIELD(conf, expires_max), .type = CONF_NUMBER, .min = 1, .max = 2592000,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "7200",
     .help = "A REGISTER that asks for more is granted this."},
    {.name = "expires_jitter", CONF_FIELD(conf, expires_jitter), .type = CONF_NUMBER, .min = 0, .max = 50,
     .unit = "per cent", .suffixes = conf_percent, .fallback = "0",
     .help = "How much of a granted expiry may be taken off at random, so that phones which started "
             "together do not come back together."},
    {.name = "contacts_max", CONF_FIELD(conf, contacts_max), .type = CONF_NUMBER, .min = 1, .max = 32,
     .unit = "contacts", .fallback = "10",
     .help = "Contacts that one address of record may have at a time."},
    {.name = "nat", CONF_FIELD(conf, nat), .type = CONF_CHOICE, .choices = nats, .fallback = "detect",
     .help = "Send requests for a contact to the address its REGISTER came from: when that differs from "
             "what Via and Contact say (detect), always, or never."},
    {.name = "path", CONF_FIELD(conf, path), .type = CONF_BOOL, .fallback = "yes",
     .help = "Keep the Path of a REGISTER and route by it (RFC 3327); off: a REGISTER that requires it is "
             "answered 420."},
};

const struct conf_key conf_location_keys[1] = {
    {.name = "bindings_max", CONF_FIELD(conf, bindings_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 1,
     .max = 1000000000, .unit = "bindings", .fallback = "1000000",
     .help = "Bindings on the whole box. The memory is reserved at start; a REGISTER that finds no room is "
             "answered 503."},
};

const struct conf_key conf_network_keys[7] = {
    {.name = "route_max", CONF_FIELD(conf, route_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 16,
     .max = 131072, .unit = "routes", .fallback = "65536",
     .help = "Kernel routes that are mirrored, for each address family. Reading them at start takes time "
             "with the square of their number, 65,536 about 4 s: a box that takes the whole Internet's "
             "table wants a default route instead."},
    {.name = "neighbour_max", CONF_FIELD(conf, neighbour_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 16,
     .max = 1048576, .unit = "neighbours", .fallback = "8192",
     .help = "Kernel neighbours (ARP and ND entries) that are mirrored, both families together."},
    {.name = "resolve_queue_max", CONF_FIELD(conf, resolve_queue_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 1, .max = 1024, .unit = "packets", .fallback = "16",
     .help = "Packets that wait while the kernel resolves one next hop."},
    {.name = "reassembly_max", CONF_FIELD(conf, reassembly_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 1, .max = 65536, .unit = "datagrams", .fallback = "1024",
     .help = "Fragmented datagrams that a worker holds at a time."},
    {.name = "reassembly_timeout", CONF_FIELD(conf, reassembly_ms), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 10, .max = CONF_MS_PER_MINUTE, .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "2s",
     .help = "How long the fragments of a datagram wait for the rest."},
    {.name = "mbufs", CONF_FIELD(conf, mbufs), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 1024,
     .max = 16777216, .unit = "buffers", .fallback = "32768",
     .help = "Packet buffers in the pool of each NUMA node. Ports' descriptors and mailboxes hold their "
             "share."},
    {.name = "mailbox_size", CONF_FIELD(conf, mailbox_size), .type = CONF_NUMBER, .min = 64, .max = 1048576,
     .flags = CONF_FIXED | CONF_POWER_OF_TWO, .unit = "entries", .fallback = "4096",
     .help = "Messages that may be under way from one worker to another."},
};

const struct conf_key conf_port_keys[5] = {
    {.name = "device", CONF_FIELD(conf_port, device), .type = CONF_WORD, .min = 1, .max = 63,
     .flags = CONF_FIXED | CONF_REQUIRED | CONF_UNIQUE, .example = "net_af_xdp0",
     .help = "DPDK's name of the device: a PCI address such as 0000:01:00.0, or the name given to --vdev."},
    {.name = "twin", CONF_FIELD(conf_port, twin), .type = CONF_INTERFACE, .max = 15,
     .flags = CONF_FIXED | CONF_UNIQUE | CONF_SHOWN, .example = "sip0",
     .help = "TAP interface through which the kernel uses the port: give it the addresses and routes. "
             "Without a twin everything that is not SIP is dropped."},
    {.name = "mtu", CONF_FIELD(conf_port, mtu), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 576, .max = 9216,
     .unit = "bytes", .fallback = "1500",
     .help = "Largest IP packet, of the port and of its twin. IPv6 needs 1280."},
    {.name = "rx_descriptors", CONF_FIELD(conf_port, rx_descriptors), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 64, .max = 32768, .unit = "descriptors", .fallback = "1024",
     .help = "Length of each receive queue, as far as the device takes it."},
    {.name = "tx_descriptors", CONF_FIELD(conf_port, tx_descriptors), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 64, .max = 32768, .unit = "descriptors", .fallback = "1024",
     .help = "Length of each transmit queue, as far as the device takes it."},
};

const struct conf_key conf_listener_keys[7] = {
    {.name = "transport", CONF_FIELD(conf_listener, transport), .type = CONF_CHOICE, .flags = CONF_FIXED,
     .choices = transports, .fallback = "udp",
     .help = "What is spoken there: UDP through the port, or through the kernel TCP, TLS, WebSocket (ws, RFC "
             "7118) or WebSocket over TLS (wss)."},
    {.name = "address", CONF_FIELD(conf_listener, address), .type = CONF_ENDPOINT,
     .flags = CONF_FIXED | CONF_REQUIRED, .example = "192.0.2.10:5060",
     .help = "Where SIP is served. One address, never a wildcard: the kernel must have it, for UDP on the "
             "twin. Without a port: 5060, for tls 5061, for ws 80, for wss 443."},
    {.name = "advertised", CONF_FIELD(conf_listener, advertised), .type = CONF_ENDPOINT, .flags = CONF_FIXED,
     .example = "203.0.113.10:5060",
     .help = "What Via and Record-Route say instead of the address, for a box behind a one-to-one NAT; "
             "without a port: that of the address."},
    {.name = "port", CONF_FIELD(conf_listener, port), .type = CONF_REFERENCE, .refers = CONF_PORT,
     .flags = CONF_FIXED | CONF_SHOWN, .fallback = "", .example = "outside",
     .help = "The [port] on which the packets of this address come in; udp needs it."},
    {.name = "proxy_protocol", CONF_FIELD(conf_listener, proxy_protocol), .type = CONF_BOOL, .flags = CONF_FIXED,
     .fallback = "no",
     .help = "Not for udp: every connection begins with a PROXY protocol header of version 2, which says from "
             "where it is; one without is closed. Whoever can connect can say that he is from anywhere."},
    {.name = "balancers", CONF_ARRAY(conf_listener, balancers, balancers_n), .type = CONF_SUBNET,
     .max = CONF_NETWORKS_MAX, .example = "192.0.2.0/28",
     .help = "With proxy_protocol: the load balancers; connections of others are closed. Empty: anybody, for a "
             "listener that only a load balancer reaches."},
    {.name = "client_certificate", CONF_FIELD(conf_listener, client_certificate), .type = CONF_CHOICE,
     .choices = client_certificates, .fallback = "no",
     .help = "For tls and wss: whether peers are asked for a certificate, which must then be good (asked), or "
             "must show one (required). One with the identity of a [gateway] speaks as that gateway."},
};

const struct conf_key conf_domain_keys[4] = {
    {.name = "names", CONF_LIST(conf_domain, names, names_n), .type = CONF_HOST, .min = 1, .max = 64,
     .flags = CONF_UNIQUE | CONF_FROM_NAME, .example = "example.com, sip.example.com",
     .help = "Names and IP addresses that mean this domain in a URI; the first is the canonical one, in "
             "which users are kept."},
    {.name = "role", CONF_FIELD(conf_domain, role), .type = CONF_CHOICE, .choices = roles, .fallback = "proxy",
     .help = "Requests for users of this domain are forwarded to them (proxy), or answered with where they "
             "are (redirect)."},
    {.name = "registrar", CONF_FIELD(conf_domain, registrar), .type = CONF_BOOL, .fallback = "yes",
     .help = "Serve REGISTER for this domain."},
    {.name = "redirect_multiple", CONF_FIELD(conf_domain, redirect_multiple), .type = CONF_BOOL, .fallback = "no",
     .help = "Role redirect: answer 300 instead of 302 where there are several contacts."},
};

// clang-format on
