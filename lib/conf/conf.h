// conf: the configuration, validated and immutable.
//
// conf_load() reads an INI file against the schema (conf/schema.h) and gives one struct that nobody changes: control
// builds it and publishes the pointer, workers read it, conf_free() after quiescence. Everything in it is owned by it.
// All indices point into arrays of the same struct; a name that is in the struct was checked to exist. Bounds of
// what is read (bytes of a file, sections, elements of a list) stand in the schema and in conf/tree.h.
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stdio.h>

#include "base/endpoint.h"
#include "base/slice.h"

#define CONF_PORTS_MAX     32
#define CONF_LISTENERS_MAX 64
#define CONF_MEMBERS_MAX   16
#define CONF_NONE          (-1)

enum conf_role {
    CONF_ROLE_PROXY,
    CONF_ROLE_REDIRECT,
};

enum conf_nat {
    CONF_NAT_DETECT, // keep the source address of a REGISTER when its Via or Contact does not match it
    CONF_NAT_ALWAYS, // always
    CONF_NAT_NEVER,
};

struct conf_text {
    char *text; // NUL-terminated, owned
    uint32_t len;
};

// [port NAME]: a DPDK ethdev and its TAP twin.
struct conf_port {
    char *name;
    char *device; // ethdev name as DPDK prints it: "0000:01:00.0", "net_af_xdp0"
    char *twin;   // name of the TAP interface; NULL: no twin, everything that is not SIP is dropped
    uint16_t mtu; // bytes of IP; 576 to 9216
    uint16_t rx_descriptors;
    uint16_t tx_descriptors;
};

// [listener NAME]: an address on which SIP is served.
struct conf_listener {
    char *name;
    struct endpoint address;          // never a wildcard
    struct endpoint advertised;       // what goes into Via and Record-Route; equal to address when not set
    struct conf_text advertised_text; // "198.18.0.1:5060", "[2001:db8::1]:5060"
    int port; // index into ports: the port its packets are expected on and leave by default
};

// [domain NAME]: a domain this server answers for.
struct conf_domain {
    char *name;              // of the section; names[0] where the section lists no names
    struct conf_text *names; // in lower case; the first is the canonical one
    unsigned names_n;
    enum conf_role role;
    bool registrar;         // REGISTER is served here
    bool redirect_multiple; // role redirect: 300 instead of 302 when there are several contacts
};

// [group NAME]: static next hops; the first member is used until gateways are probed.
struct conf_group {
    char *name;
    struct endpoint members[CONF_MEMBERS_MAX]; // with a port always
    unsigned members_n;
};

// [route NAME]: static routing; the first match in file order wins.
struct conf_route {
    char *name;
    struct conf_text domain; // of the request-URI, lower case; empty: any
    struct conf_text prefix; // of the request-URI's user; empty: any
    int group;               // index into groups
};

struct conf {
    // [server]
    struct conf_text server_name; // for the Server header field; empty: none is sent
    uint32_t message_max;         // bytes; larger is 513
    uint16_t uri_max;             // bytes of request-URI; longer is 414
    uint16_t max_forwards;        // given to a request without Max-Forwards
    bool record_route;            // Record-Route on dialog-forming requests
    bool open_relay;              // requests between two foreign domains are let through
    struct conf_text *scanners;   // User-Agent prefixes, lower case, that are dropped without an answer
    unsigned scanners_n;

    // [registrar]
    uint32_t expires_default; // seconds
    uint32_t expires_min;     // seconds; shorter is 423
    uint32_t expires_max;     // seconds; longer is cut
    uint32_t expires_jitter;  // per cent by which a granted expiry may be shortened at random, 0 to 50
    uint16_t contacts_max;    // per address of record
    enum conf_nat nat;
    bool path; // RFC 3327; off: a REGISTER with Path gets 420 when it requires it, else Path is ignored

    // [location]
    uint64_t bindings_max; // on the whole box

    // [network]
    uint32_t route_max; // routes per family
    uint32_t neighbour_max;
    uint32_t resolve_queue_max; // packets that wait for one unresolved next hop
    uint32_t reassembly_max;    // datagrams in reassembly per worker
    uint32_t reassembly_ms;
    uint32_t mbufs;        // in each NUMA node's pool
    uint32_t mailbox_size; // entries of each ring between workers; a power of two

    struct conf_port *ports;
    unsigned ports_n;
    struct conf_listener *listeners;
    unsigned listeners_n;
    struct conf_domain *domains;
    unsigned domains_n;
    struct conf_group *groups;
    unsigned groups_n;
    struct conf_route *routes;
    unsigned routes_n;
};

// Reads and validates `path`. Every fault is one line on `errors` ("FILE:LINE: what was wrong, what was expected,
// did you mean NEAREST"), all of them in one go. Returns the configuration, or NULL when there was any fault.
// Control thread.
struct conf *conf_load(const char *path, FILE *errors);

// The same from memory, for tests; `name` stands for the file in messages.
struct conf *conf_parse(const char *text, size_t len, const char *name, FILE *errors);

// NULL is allowed.
void conf_free(struct conf *conf);

// Prints the effective configuration, every key with its value, as an INI that conf_load takes and that gives the
// same configuration.
void conf_print(const struct conf *conf, FILE *out);

// Prints the commented default INI (config/strowger.ini is exactly this; a test compares).
void conf_print_template(FILE *out);

// Prints every key with what it takes, its default and what it is for, to be read on a terminal.
void conf_print_reference(FILE *out);

#endif
