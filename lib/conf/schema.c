#include "conf/schema.h"

#include "conf/conf.h"

#define FIELD(of, member)   .offset = offsetof(struct of, member), .size = sizeof(((struct of *)0)->member)
#define LIST(of, member, n) FIELD(of, member), .list = true, .count_offset = offsetof(struct of, n)
#define KEYS(table)         .keys = table, .keys_n = sizeof(table) / sizeof(*table)
#define REPEATABLE(of, member)                                                            \
    .repeatable = true, .array_offset = offsetof(struct conf, member),                    \
    .count_offset = offsetof(struct conf, member##_n), .element_size = sizeof(struct of), \
    .name_offset = offsetof(struct of, name)

#define MS_PER_MINUTE 60000
#define SIP_PORT      5060 // RFC 3261 19.1.2

static const struct conf_suffix seconds[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {NULL, 0}};
static const struct conf_suffix milliseconds[] = {{"ms", 1}, {"s", 1000}, {"m", MS_PER_MINUTE}, {NULL, 0}};
static const struct conf_suffix bytes[] = {{"k", 1 << 10}, {"M", 1 << 20}, {NULL, 0}};
static const struct conf_suffix percent[] = {{"%", 1}, {NULL, 0}};

static const struct conf_choice roles[] = {
    {"proxy", CONF_ROLE_PROXY},
    {"redirect", CONF_ROLE_REDIRECT},
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

static const struct conf_key server_keys[] = {
    {.name = "server_header", FIELD(conf, server_name), .type = CONF_TEXT, .max = 128,
     .fallback = "strowger",
     .help = "What the Server header field of answers says; empty: no such header field."},
    {.name = "message_max", FIELD(conf, message_max), .type = CONF_NUMBER, .min = 1024, .max = 16384,
     .unit = "bytes", .suffixes = bytes, .fallback = "16384",
     .help = "Longest message that is served; a longer request is answered 513."},
    {.name = "request_uri_max", FIELD(conf, uri_max), .type = CONF_NUMBER, .min = 64, .max = 8192,
     .unit = "bytes", .suffixes = bytes, .fallback = "512",
     .help = "Longest request-URI that is served; a request with a longer one is answered 414."},
    {.name = "max_forwards", FIELD(conf, max_forwards), .type = CONF_NUMBER, .min = 1, .max = 255,
     .unit = "hops", .fallback = "70",
     .help = "Max-Forwards that a request without any is given before it is forwarded."},
    {.name = "record_route", FIELD(conf, record_route), .type = CONF_BOOL, .fallback = "yes",
     .help = "Stay in the path of dialogs: put a Record-Route on requests that may begin one."},
    {.name = "open_relay", FIELD(conf, open_relay), .type = CONF_BOOL, .fallback = "no",
     .help = "Forward requests from one foreign domain to another; off: they are answered 403."},
    {.name = "scanners", LIST(conf, scanners, scanners_n), .type = CONF_TEXT, .flags = CONF_LOWER, .max = 256,
     .fallback = "friendly-scanner, friendly-request, sipvicious, sipcli, sip-scan, sundayddr, iwar, smap, "
                 "gulp, pplsip, vaxsipuseragent",
     .help = "Requests whose User-Agent begins with one of these, whatever the case, are dropped without an "
             "answer and counted; empty: nobody is."},
};

static const struct conf_key registrar_keys[] = {
    {.name = "expires_default", FIELD(conf, expires_default), .type = CONF_NUMBER, .min = 1, .max = 2592000,
     .unit = "seconds", .suffixes = seconds, .fallback = "3600",
     .help = "Expiry of a binding whose REGISTER asks for none."},
    {.name = "expires_min", FIELD(conf, expires_min), .type = CONF_NUMBER, .min = 0, .max = 2592000,
     .unit = "seconds", .suffixes = seconds, .fallback = "60",
     .help = "A REGISTER that asks for less is answered 423 with this as Min-Expires; 0 is always a "
             "removal."},
    {.name = "expires_max", FIELD(conf, expires_max), .type = CONF_NUMBER, .min = 1, .max = 2592000,
     .unit = "seconds", .suffixes = seconds, .fallback = "7200",
     .help = "A REGISTER that asks for more is granted this."},
    {.name = "expires_jitter", FIELD(conf, expires_jitter), .type = CONF_NUMBER, .min = 0, .max = 50,
     .unit = "per cent", .suffixes = percent, .fallback = "0",
     .help = "How much of a granted expiry may be taken off at random, so that phones which started "
             "together do not come back together."},
    {.name = "contacts_max", FIELD(conf, contacts_max), .type = CONF_NUMBER, .min = 1, .max = 32,
     .unit = "contacts", .fallback = "10",
     .help = "Contacts that one address of record may have at a time."},
    {.name = "nat", FIELD(conf, nat), .type = CONF_CHOICE, .choices = nats, .fallback = "detect",
     .help = "Send requests for a contact to the address its REGISTER came from: when that differs from "
             "what Via and Contact say (detect), always, or never."},
    {.name = "path", FIELD(conf, path), .type = CONF_BOOL, .fallback = "yes",
     .help = "Keep the Path of a REGISTER and route by it (RFC 3327); off: a REGISTER that requires it is "
             "answered 420."},
};

static const struct conf_key location_keys[] = {
    {.name = "bindings_max", FIELD(conf, bindings_max), .type = CONF_NUMBER, .min = 1, .max = 1000000000,
     .unit = "bindings", .fallback = "1000000",
     .help = "Bindings on the whole box. The memory is reserved at start; a REGISTER that finds no room is "
             "answered 503."},
};

static const struct conf_key network_keys[] = {
    {.name = "route_max", FIELD(conf, route_max), .type = CONF_NUMBER, .min = 16, .max = 131072,
     .unit = "routes", .fallback = "65536",
     .help = "Kernel routes that are mirrored, for each address family. Reading them at start takes time with the "
             "square of their number, 65,536 about 4 s: a box that takes the whole Internet's table wants a default "
             "route instead."},
    {.name = "neighbour_max", FIELD(conf, neighbour_max), .type = CONF_NUMBER, .min = 16, .max = 1048576,
     .unit = "neighbours", .fallback = "8192",
     .help = "Kernel neighbours (ARP and ND entries) that are mirrored, both families together."},
    {.name = "resolve_queue_max", FIELD(conf, resolve_queue_max), .type = CONF_NUMBER, .min = 1, .max = 1024,
     .unit = "packets", .fallback = "16",
     .help = "Packets that wait while the kernel resolves one next hop."},
    {.name = "reassembly_max", FIELD(conf, reassembly_max), .type = CONF_NUMBER, .min = 1, .max = 65536,
     .unit = "datagrams", .fallback = "1024",
     .help = "Fragmented datagrams that a worker holds at a time."},
    {.name = "reassembly_timeout", FIELD(conf, reassembly_ms), .type = CONF_NUMBER, .min = 10,
     .max = MS_PER_MINUTE, .unit = "milliseconds", .suffixes = milliseconds, .fallback = "2s",
     .help = "How long the fragments of a datagram wait for the rest."},
    {.name = "mbufs", FIELD(conf, mbufs), .type = CONF_NUMBER, .min = 1024, .max = 16777216,
     .unit = "buffers", .fallback = "32768",
     .help = "Packet buffers in the pool of each NUMA node. Ports' descriptors and mailboxes hold their "
             "share."},
    {.name = "mailbox_size", FIELD(conf, mailbox_size), .type = CONF_NUMBER, .min = 64, .max = 1048576,
     .flags = CONF_POWER_OF_TWO, .unit = "entries", .fallback = "4096",
     .help = "Messages that may be under way from one worker to another."},
};

static const struct conf_key port_keys[] = {
    {.name = "device", FIELD(conf_port, device), .type = CONF_WORD, .min = 1, .max = 63,
     .flags = CONF_REQUIRED | CONF_UNIQUE, .example = "net_af_xdp0",
     .help = "DPDK's name of the device: a PCI address such as 0000:01:00.0, or the name given to --vdev."},
    {.name = "twin", FIELD(conf_port, twin), .type = CONF_INTERFACE, .max = 15,
     .flags = CONF_UNIQUE | CONF_SHOWN, .example = "sip0",
     .help = "TAP interface through which the kernel uses the port: give it the addresses and routes. "
             "Without a twin everything that is not SIP is dropped."},
    {.name = "mtu", FIELD(conf_port, mtu), .type = CONF_NUMBER, .min = 576, .max = 9216, .unit = "bytes",
     .fallback = "1500",
     .help = "Largest IP packet, of the port and of its twin. IPv6 needs 1280."},
    {.name = "rx_descriptors", FIELD(conf_port, rx_descriptors), .type = CONF_NUMBER, .min = 64, .max = 32768,
     .unit = "descriptors", .fallback = "1024",
     .help = "Length of each receive queue, as far as the device takes it."},
    {.name = "tx_descriptors", FIELD(conf_port, tx_descriptors), .type = CONF_NUMBER, .min = 64, .max = 32768,
     .unit = "descriptors", .fallback = "1024",
     .help = "Length of each transmit queue, as far as the device takes it."},
};

static const struct conf_key listener_keys[] = {
    {.name = "address", FIELD(conf_listener, address), .type = CONF_ENDPOINT, .assumed_port = SIP_PORT,
     .flags = CONF_REQUIRED | CONF_UNIQUE, .example = "192.0.2.10:5060",
     .help = "Where SIP over UDP is served. One address, never a wildcard: the kernel must have it on the "
             "twin."},
    {.name = "advertised", FIELD(conf_listener, advertised), .type = CONF_ENDPOINT,
     .example = "203.0.113.10:5060",
     .help = "What Via and Record-Route say instead of the address, for a box behind a one-to-one NAT; "
             "without a port: that of the address."},
    {.name = "port", FIELD(conf_listener, port), .type = CONF_REFERENCE, .refers = CONF_PORT,
     .flags = CONF_REQUIRED, .example = "outside",
     .help = "The [port] on which the packets of this address come in."},
};

static const struct conf_key domain_keys[] = {
    {.name = "names", LIST(conf_domain, names, names_n), .type = CONF_HOST, .min = 1, .max = 64,
     .flags = CONF_UNIQUE | CONF_FROM_NAME, .example = "example.com, sip.example.com",
     .help = "Names and IP addresses that mean this domain in a URI; the first is the canonical one, in "
             "which users are kept."},
    {.name = "role", FIELD(conf_domain, role), .type = CONF_CHOICE, .choices = roles, .fallback = "proxy",
     .help = "Requests for users of this domain are forwarded to them (proxy), or answered with where they "
             "are (redirect)."},
    {.name = "registrar", FIELD(conf_domain, registrar), .type = CONF_BOOL, .fallback = "yes",
     .help = "Serve REGISTER for this domain."},
    {.name = "redirect_multiple", FIELD(conf_domain, redirect_multiple), .type = CONF_BOOL, .fallback = "no",
     .help = "Role redirect: answer 300 instead of 302 where there are several contacts."},
};

static const struct conf_key group_keys[] = {
    {.name = "members", LIST(conf_group, members, members_n), .type = CONF_ENDPOINT, .min = 1,
     .max = CONF_MEMBERS_MAX, .assumed_port = SIP_PORT, .flags = CONF_REQUIRED,
     .example = "192.0.2.20:5060, 192.0.2.21:5060",
     .help = "Next hops, the preferred one first."},
};

static const struct conf_key route_keys[] = {
    {.name = "domain", FIELD(conf_route, domain), .type = CONF_HOST, .max = CONF_TEXT_MAX,
     .example = "example.com",
     .help = "Domain of the request-URI; empty: any."},
    {.name = "prefix", FIELD(conf_route, prefix), .type = CONF_WORD, .max = 64, .example = "+4930",
     .help = "What the user part of the request-URI begins with; empty: anything."},
    {.name = "group", FIELD(conf_route, group), .type = CONF_REFERENCE, .refers = CONF_GROUP,
     .flags = CONF_REQUIRED, .example = "gateways",
     .help = "The [group] that such requests are sent to."},
};

const struct conf_section conf_sections[CONF_SECTIONS] = {
    [CONF_SERVER] = {.name = "server", KEYS(server_keys), .shown = true,
                     .help = "What holds for every message."},
    [CONF_REGISTRAR] = {.name = "registrar", KEYS(registrar_keys), .shown = true,
                        .help = "What REGISTER may ask for (RFC 3261 10.3)."},
    [CONF_LOCATION] = {.name = "location", KEYS(location_keys), .shown = true,
                       .help = "The table of who is where."},
    [CONF_NETWORK] = {.name = "network", KEYS(network_keys), .shown = true,
                      .help = "Bounds of what workers share with the kernel and with each other."},
    [CONF_PORT] = {.name = "port", KEYS(port_keys), REPEATABLE(conf_port, ports), .min = 1,
                   .max = CONF_PORTS_MAX, .example = "outside", .shown = true,
                   .help = "A DPDK port and its twin in the kernel. One section a port."},
    [CONF_LISTENER] = {.name = "listener", KEYS(listener_keys), REPEATABLE(conf_listener, listeners), .min = 1,
                       .max = CONF_LISTENERS_MAX, .example = "main", .shown = true,
                       .help = "An address on which SIP is served. One section an address."},
    [CONF_DOMAIN] = {.name = "domain", KEYS(domain_keys), REPEATABLE(conf_domain, domains), .max = 1024,
                     .example = "example.com", .shown = true,
                     .help = "A domain that this server answers for. One section a domain."},
    [CONF_GROUP] = {.name = "group", KEYS(group_keys), REPEATABLE(conf_group, groups), .max = 1024,
                    .example = "gateways",
                    .help = "Static next hops under one name."},
    [CONF_ROUTE] = {.name = "route", KEYS(route_keys), REPEATABLE(conf_route, routes), .max = 1024,
                    .example = "berlin",
                    .help = "Requests that go to a group instead of to a registered contact. The first "
                            "section that matches wins."},
};

// clang-format on
