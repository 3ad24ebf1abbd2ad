#include "conf/schema_rows.h"

#define KEYS(table) .keys = table, .keys_n = sizeof(table) / sizeof(*table)
#define REPEATABLE(of, member)                                                            \
    .repeatable = true, .array_offset = offsetof(struct conf, member),                    \
    .count_offset = offsetof(struct conf, member##_n), .element_size = sizeof(struct of), \
    .name_offset = offsetof(struct of, name)

const struct conf_suffix conf_seconds[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {NULL, 0}};
const struct conf_suffix conf_milliseconds[] = {{"ms", 1}, {"s", 1000}, {"m", CONF_MS_PER_MINUTE}, {NULL, 0}};
const struct conf_suffix conf_bytes[] = {{"k", 1 << 10}, {"M", 1 << 20}, {NULL, 0}};
const struct conf_suffix conf_file_bytes[] = {{"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
const struct conf_suffix conf_percent[] = {{"%", 1}, {NULL, 0}};

// clang-format off

const struct conf_section conf_sections[CONF_SECTIONS] = {
    [CONF_SERVER] = {.name = "server", KEYS(conf_server_keys), .shown = true,
                     .help = "What holds for every message."},
    [CONF_REGISTRAR] = {.name = "registrar", KEYS(conf_registrar_keys), .shown = true,
                        .help = "What REGISTER may ask for (RFC 3261 10.3)."},
    [CONF_LOCATION] = {.name = "location", KEYS(conf_location_keys), .shown = true,
                       .help = "The table of who is where."},
    [CONF_STORE] = {.name = "store", KEYS(conf_store_keys), .shown = true,
                    .help = "What outlives a restart."},
    [CONF_PROXY] = {.name = "proxy", KEYS(conf_proxy_keys), .shown = true,
                    .help = "How requests are forwarded (RFC 3261 16)."},
    [CONF_STREAM] = {.name = "stream", KEYS(conf_stream_keys), .shown = true,
                     .help = "TCP, TLS and WebSocket: how many connections, and how long they may keep us "
                             "waiting."},
    [CONF_TLS] = {.name = "tls", KEYS(conf_tls_keys), .shown = true,
                  .help = "How TLS is spoken, as a server and as a client."},
    [CONF_PRESENCE] = {.name = "presence", KEYS(conf_presence_keys), .shown = true,
                       .help = "Who is available, and who is told (RFC 6665, 3856, 3903)."},
    [CONF_TRANSACTION] = {.name = "transaction", KEYS(conf_transaction_keys), .shown = true,
                          .help = "What stateful forwarding keeps, and its timers (RFC 3261 17)."},
    [CONF_TRUST] = {.name = "trust", KEYS(conf_trust_keys), .shown = true,
                    .help = "Who is believed. Nobody is, unless it says so here or in a [gateway]."},
    [CONF_DNS] = {.name = "dns", KEYS(conf_dns_keys), .shown = true,
                  .help = "How names are looked up (RFC 3263)."},
    [CONF_NUMBERS] = {.name = "numbers", KEYS(conf_numbers_keys), .shown = true,
                      .help = "The table of number prefixes."},
    [CONF_CDR] = {.name = "cdr", KEYS(conf_cdr_keys), .shown = true,
                  .help = "Accounting: call detail records."},
    [CONF_CONTROL] = {.name = "control", KEYS(conf_control_keys), .shown = true,
                      .help = "Who may tell the running server what to do."},
    [CONF_NETWORK] = {.name = "network", KEYS(conf_network_keys), .shown = true,
                      .help = "Bounds of what workers share with the kernel and with each other."},
    [CONF_PORT] = {.name = "port", KEYS(conf_port_keys), REPEATABLE(conf_port, ports), .min = 1,
                   .max = CONF_PORTS_MAX, .example = "outside", .shown = true,
                   .help = "A DPDK port and its twin in the kernel. One section a port."},
    [CONF_LISTENER] = {.name = "listener", KEYS(conf_listener_keys), REPEATABLE(conf_listener, listeners),
                       .min = 1,
                       .max = CONF_LISTENERS_MAX, .example = "main", .shown = true,
                       .help = "An address on which SIP is served, over one transport."},
    [CONF_CERTIFICATE] = {.name = "certificate", KEYS(conf_certificate_keys),
                          REPEATABLE(conf_certificate, certificates), .max = CONF_CERTIFICATES_MAX,
                          .example = "example.com",
                          .help = "A certificate that TLS and WSS listeners show: the one with the name "
                                  "that the client asks for, else the first. SIGHUP reads the files "
                                  "again; what is connected stays so."},
    [CONF_DOMAIN] = {.name = "domain", KEYS(conf_domain_keys), REPEATABLE(conf_domain, domains), .max = 1024,
                     .example = "example.com", .shown = true,
                     .help = "A domain that this server answers for. One section a domain."},
    [CONF_AUTH] = {.name = "auth", KEYS(conf_auth_keys), REPEATABLE(conf_auth, auths), .max = 256,
                   .example = "phones",
                   .help = "Whose requests must carry credentials (RFC 3261 22). Of all [auth] sections "
                           "the first whose conditions hold decides; where none does, nobody is asked."},
    [CONF_GATEWAYS] = {.name = "gateways", KEYS(conf_gateways_keys), REPEATABLE(conf_gateways, groups),
                       .max = 1024,
                       .example = "carrier",
                       .help = "Gateways of which one is chosen for each request; when it fails, the next."},
    [CONF_GATEWAY] = {.name = "gateway", KEYS(conf_gateway_keys), REPEATABLE(conf_gateway, gateways),
                      .max = CONF_GATEWAYS_MAX, .example = "carrier-1",
                      .help = "A member of a [gateways]. One section a member."},
    [CONF_ROUTE] = {.name = "route", KEYS(conf_route_keys), REPEATABLE(conf_route, routes), .max = 1024,
                    .example = "berlin",
                    .help = "A rule. Of all [route] sections the first whose conditions hold wins; a "
                            "request that none takes goes to where its user is registered, or by DNS. A "
                            "user or domain is compared as a whole (TEXT), by what it begins with (TEXT*), "
                            "or by a regular expression (/PCRE2/), anchored where it says so."},
};

// clang-format on

const struct conf_renamed conf_renamed[] = {
    {"group", NULL, "[gateways NAME], and a [gateway NAME] for each of its members"},
    {"server", "open_relay", "networks of [trust]"},
    {"route", "prefix", "user, which takes TEXT* for a prefix"},
    {"route", "group", "gateways, with action = gateways"},
    {NULL, NULL, NULL},
};
