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

#define CONF_PORTS_MAX        32
#define CONF_LISTENERS_MAX    64
#define CONF_CERTIFICATES_MAX 256
#define CONF_GATEWAYS_MAX     1024 // [gateway] sections
#define CONF_NETWORKS_MAX     64   // of one list
#define CONF_METHODS_MAX      16   // of one route
#define CONF_NONE             (-1)
#define CONF_TRANSPORT_ANY    0xff

enum conf_role {
    CONF_ROLE_PROXY,
    CONF_ROLE_REDIRECT,
};

// When a REGISTER is answered.
enum conf_durability {
    CONF_DURABILITY_COMMIT,  // when what it changed is on the disk
    CONF_DURABILITY_RELAXED, // at once; it is on the disk soon after
    CONF_DURABILITY_NONE, // at once; it is written when there is time, and not waited for at the end of a batch
};

enum conf_nat {
    CONF_NAT_DETECT, // keep the source address of a REGISTER when its Via or Contact does not match it
    CONF_NAT_ALWAYS, // always
    CONF_NAT_NEVER,
};

// How requests of a route are forwarded: with transactions (RFC 3261 16, 17) or without (16.11).
enum conf_mode {
    CONF_MODE_STATEFUL,
    CONF_MODE_STATELESS,
};

// Which bindings of an address of record are rung (RFC 3261 16.6).
enum conf_fork {
    CONF_FORK_BY_Q,     // those of the highest q together, then those of the next
    CONF_FORK_PARALLEL, // all at once
    CONF_FORK_SERIAL,   // one after the other, highest q first
    CONF_FORK_FIRST,    // the first alone
};

// How a caller or callee behind a NAT is reached again in its dialog.
enum conf_nat_dialog {
    CONF_NAT_DIALOG_FLOW, // its Contact stays; a signed flow token in our Record-Route leads to where it sent from
    CONF_NAT_DIALOG_REPAIR, // its Contact gets the address it sent from
    CONF_NAT_DIALOG_KEEP,   // nothing is done
};

// How a value is compared. In the INI: "text" exact, "text*" prefix, "/pattern/" PCRE2.
enum conf_match_kind {
    CONF_MATCH_ANY = 0, // not given
    CONF_MATCH_EXACT,
    CONF_MATCH_PREFIX,
    CONF_MATCH_REGEX, // compiles (checked); anchored nowhere but where the pattern says so
};

enum conf_who {
    CONF_WHO_ANY,
    CONF_WHO_TRUSTED,   // from a [trust] network or a trusted gateway
    CONF_WHO_UNTRUSTED, // from anywhere else
};

enum conf_action {
    CONF_ACTION_LOCATION, // the location service
    CONF_ACTION_GATEWAYS, // a member of `gateways`
    CONF_ACTION_HOP,      // the static next hop `hop`
    CONF_ACTION_NUMBERS,  // the gateways that the number table says; 404 where it says none
    CONF_ACTION_ENUM, // the URI that ENUM says (RFC 6116), then as if that had been the request-URI; 404: none
    CONF_ACTION_DOMAIN,   // the request-URI's own domain, by DNS (RFC 3263)
    CONF_ACTION_REDIRECT, // 302 to `contact`, or to the request-URI as the route changed it
    CONF_ACTION_REJECT,   // `code` and `reason`
};

enum conf_algorithm {
    CONF_ALGORITHM_WEIGHTED, // weighted round robin among the members of the lowest priority number that are up
    CONF_ALGORITHM_CALL_ID, // by hash of the Call-ID: weighted rendezvous, so a member that fails moves only its own
    CONF_ALGORITHM_FROM,        // the same by the From URI's user and host
    CONF_ALGORITHM_USER,        // the same by the request-URI's user
    CONF_ALGORITHM_LEAST_CALLS, // the one with the fewest calls for its weight
    CONF_ALGORITHM_PRIORITY,    // always the first that is up, by priority, then file order
};

// Whether a listener asks its peers for a certificate.
enum conf_client_certificate {
    CONF_CLIENT_CERTIFICATE_NO,
    CONF_CLIENT_CERTIFICATE_ASKED,    // one that is given must be good
    CONF_CLIENT_CERTIFICATE_REQUIRED, // no handshake without a good one
};

enum conf_tls_version { CONF_TLS_1_2, CONF_TLS_1_3 };

// Who may watch whom (RFC 5025), where no rule of the presentity's own says it.
enum conf_presence_policy {
    CONF_PRESENCE_OPEN,   // everybody
    CONF_PRESENCE_DOMAIN, // users of the same domain; others wait until they are allowed
    CONF_PRESENCE_LIST,   // all wait until they are allowed
};

// RFC 7616 3.2, RFC 8760 2.
enum conf_digest { CONF_DIGEST_SHA256, CONF_DIGEST_SHA512_256, CONF_DIGEST_MD5, CONF_DIGESTS };

struct conf_text {
    char *text; // NUL-terminated, owned
    uint32_t len;
};

// "192.0.2.0/24", "2001:db8::/32"; an address alone is a network of one.
struct conf_network {
    struct endpoint address; // host bits zero, port 0
    uint8_t bits;
};

struct conf_match {
    struct conf_text text; // without "*" or "/"; domains in lower case
    uint8_t kind;          // enum conf_match_kind
};

// "HOST", "HOST:PORT", an address or a name, and perhaps ";transport=tls". A name without a port is looked up by SRV
// (RFC 3263 4.2), one without a transport by NAPTR (4.1).
struct conf_hop {
    struct conf_text host; // lower case; an IPv6 address in brackets
    // Where the host is a literal address, with its transport, else UDP, and its port, else 5060, TLS 5061;
    // where it is a name ENDPOINT_NONE.
    struct endpoint address;
    uint16_t port;     // 0: none was given
    uint8_t transport; // enum endpoint_transport, or CONF_TRANSPORT_ANY
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
    struct endpoint address;          // never a wildcard; with its transport
    struct endpoint advertised;       // what goes into Via and Record-Route; equal to address when not set
    struct conf_text advertised_text; // "198.18.0.1:5060", "[2001:db8::1]:5060"
    enum endpoint_transport transport;
    int port; // index into ports: where its packets are expected and leave by default; a stream's may be CONF_NONE
    bool proxy_protocol; // stream: every connection begins with a PROXY protocol header, version 2
    struct conf_network balancers[CONF_NETWORKS_MAX]; // who may say so; empty: anybody
    unsigned balancers_n;
    enum conf_client_certificate client_certificate; // TLS, WSS
};

// [certificate NAME]: one that TLS and WSS listeners show. Which one: by the server name that the client asks for,
// among the names in the certificates; where it asks for none of them the first.
struct conf_certificate {
    char *name;
    char *chain; // PEM: the certificate, then what leads to its root
    char *key;   // PEM
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

// [auth NAME]: whose requests must carry credentials (RFC 3261 22, RFC 7616, RFC 8760). The first in file order whose
// conditions hold decides; where none holds nobody is asked.
struct conf_auth {
    char *name;
    int domain;                // index into domains, or CONF_NONE: any. REGISTER: of To; else: of From
    struct conf_text *methods; // empty: any but ACK and CANCEL, which are never challenged (22.1)
    unsigned methods_n;
    struct conf_network source[CONF_NETWORKS_MAX]; // empty: from anywhere
    unsigned source_n;
    bool trusted;                     // ask the trusted, too
    struct conf_text realm;           // empty: the domain's first name
    uint8_t algorithms[CONF_DIGESTS]; // enum conf_digest, in the order in which they are offered
    unsigned algorithms_n;
    uint32_t nonce_s; // seconds that a nonce is good for; then stale=true
    bool nonce_count; // an nc that was seen is refused: a little memory for each nonce
    // wrong credentials from one source address in a minute: then it gets 403 unread; 0: any
    uint16_t failures;
};

// [gateways NAME]: gateways of which one is chosen for each request.
struct conf_gateways {
    char *name;
    enum conf_algorithm algorithm;
    uint32_t probe_ms;   // between two OPTIONS to each member; 0: none are sent
    uint16_t probe_down; // failures in a row, of probes or of calls, that take a member out
    uint16_t probe_up;   // answers in a row that bring it back
    uint32_t ease_in_ms; // over which a member that came back grows to its full share
    uint16_t tries_max;  // members that one request is tried at
    uint32_t answer_ms;  // silence after which the next one is tried; at most 64 * T1
    unsigned members_n;  // filled by reading: [gateway] sections with this group
    uint16_t *members;   // their indices in conf->gateways, in file order
};

// [gateway NAME]: one member.
struct conf_gateway {
    char *name;
    int group;                 // index into groups
    struct conf_hop address;   // a name is resolved and all that it leads to are tried
    uint32_t weight;           // 1 to 1000
    uint32_t priority;         // 0 first
    uint32_t calls_per_second; // of the whole box; 0: no bound
    bool trusted;              // what comes from its address counts as from a [trust] network
    // What its certificate must name (RFC 5922 7.1), and who shows that name is this gateway; empty: the host of
    // `address`.
    struct conf_text identity;
};

// [route NAME]: a rule. The first in file order all of whose conditions hold wins.
struct conf_route {
    char *name;
    struct conf_text *methods; // empty: any
    unsigned methods_n;
    struct conf_match domain, user;           // of the request-URI
    struct conf_match to_domain, to_user;     // of To
    struct conf_match from_domain, from_user; // of From
    struct conf_network source[CONF_NETWORKS_MAX];
    unsigned source_n; // 0: from anywhere
    int listener;      // index into listeners or CONF_NONE: any
    enum conf_who who;
    uint16_t strip;              // characters taken off the front of the request-URI's user
    struct conf_text prepend;    // then put in front of it
    struct conf_text set_domain; // then the request-URI's host and port; empty: as it is
    enum conf_action action;
    int gateways;             // CONF_ACTION_GATEWAYS: index into groups
    struct conf_hop hop;      // CONF_ACTION_HOP
    struct conf_text contact; // CONF_ACTION_REDIRECT: a URI, or empty
    uint16_t code;            // CONF_ACTION_REJECT: 400 to 699
    struct conf_text reason;  // CONF_ACTION_REJECT: empty: the usual phrase
    enum conf_mode mode;
};

struct conf {
    // [server]
    struct conf_text server_name; // for the Server header field; empty: none is sent
    uint32_t message_max;         // bytes; larger is 513
    uint16_t uri_max;             // bytes of request-URI; longer is 414
    uint16_t max_forwards;        // given to a request without Max-Forwards
    bool record_route;            // Record-Route on dialog-forming requests
    uint32_t retry_after;         // seconds: Retry-After of a 503 for want of room
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

    // [store]
    char *store_path; // directory; NULL: nothing outlives a restart
    enum conf_durability durability;
    uint64_t store_size_max;  // bytes that the files may grow to
    uint32_t store_queue_max; // answers that wait for the disk, on the whole box; one more is answered 503
    char *secret_file;        // key of branches, tags, flow tokens and nonces; NULL: a new one at each start

    // [control]
    char *control_socket; // of strowgerctl; NULL: none
    char *control_group;  // whose members may use it beside root; NULL: nobody

    // [proxy]
    enum conf_mode mode; // of what no [route] takes
    enum conf_fork fork;
    uint16_t branches_max; // of one request at a time, 1 to 16
    uint16_t breadth_max;  // Max-Breadth given to a request without any (RFC 5393 5.3.3)
    uint32_t ring_ms;      // how long a serial branch may ring before the next is tried
    bool recursion;        // the contacts of a 3xx are tried instead of being passed on (16.7 step 4)
    enum conf_nat_dialog nat_dialog;
    uint32_t udp_max; // bytes of a request that UDP is right for (RFC 3261 18.1.1); 0: any

    // [stream]: TCP, TLS, WebSocket
    uint32_t connections_max;        // on the whole box, where conf_has_streams
    uint32_t connections_source_max; // from one address
    uint32_t stream_buffer_max;      // bytes that one connection may hold back, each way
    uint32_t stream_idle_s;          // silence after which a connection is closed
    uint32_t stream_message_ms;   // for a message that has begun to be whole, and a peer to take what it gets
    uint32_t stream_connect_ms;   // for an outgoing connection to stand, its handshake included
    uint32_t stream_handshake_ms; // for a peer to end its handshake, TLS and WebSocket
    uint16_t stream_handshake_threads;

    // [tls]
    enum conf_tls_version tls_minimum;
    struct conf_text tls_ciphers;      // OpenSSL's list, up to TLS 1.2
    struct conf_text tls_ciphersuites; // TLS 1.3
    char *tls_authorities;   // PEM: who may sign peers' certificates; NULL: those that the machine trusts
    bool tls_verify_servers; // what we connect to must prove its name

    // [presence]
    bool presence; // served at all
    enum conf_presence_policy presence_policy;
    bool presence_polite;     // who is blocked sees a user who is not there, instead of being refused
    bool presence_registered; // a user who is registered and published nothing is open
    uint32_t presence_expires_default, presence_expires_min, presence_expires_max; // seconds, of SUBSCRIBE
    uint32_t publish_expires_default, publish_expires_min, publish_expires_max;    // seconds
    uint32_t notify_ms;        // at least between two NOTIFYs of a subscription (RFC 6446)
    uint32_t document_max;     // bytes of a published body
    uint32_t presentities_max; // on the whole box, as those below
    uint32_t publications_max;
    uint32_t subscriptions_max;
    uint32_t watchers_max;       // subscriptions to one presentity
    uint32_t watches_source_max; // subscriptions from one source address
    uint32_t list_max;           // members of a resource list (RFC 4662)
    uint32_t list_members_max;   // of all lists together
    uint32_t rules_max;          // who may watch whom

    // [transaction]
    uint64_t transactions_max; // on the whole box; memory is reserved at start
    uint32_t t1_ms, t2_ms, t4_ms;
    uint32_t timer_c_ms; // over 3 minutes (RFC 3261 16.6 step 11)
    uint32_t kept_max;   // messages kept for retransmission, on the whole box: a share of [network] mbufs

    // [trust]
    struct conf_network trusted[CONF_NETWORKS_MAX]; // empty: nobody
    unsigned trusted_n;
    // whoever sends from where a binding of his From was registered may call foreign domains
    bool trust_registered;

    // [dns]
    struct endpoint *dns_servers; // empty: /etc/resolv.conf
    unsigned dns_servers_n;
    uint32_t dns_timeout_ms; // of one try
    uint16_t dns_tries;
    uint32_t dns_ttl_min, dns_ttl_max; // seconds
    uint32_t dns_negative;        // seconds: of a name that does not exist, or whose servers do not answer
    uint32_t names_max;           // names in the cache
    uint32_t parked_max;          // messages that wait for a name, on the whole box
    struct conf_text enum_suffix; // RFC 6116: "e164.arpa"

    // [numbers]
    char *numbers_file; // CSV "PREFIX,GATEWAYS"; NULL: no table

    // [cdr]
    char *cdr_file;      // NULL: no lines are written
    uint64_t cdr_rotate; // bytes of a file before the next is begun
    uint16_t cdr_files;  // old ones that stay
    uint32_t calls_max;  // calls followed at a time, on the whole box
    uint32_t call_max_s; // a call without BYE for so long is written as lost

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
    struct conf_certificate *certificates;
    unsigned certificates_n;
    struct conf_domain *domains;
    unsigned domains_n;
    struct conf_auth *auths;
    unsigned auths_n;
    uint32_t users_max; // [store] users_max: subscribers with credentials
    struct conf_gateways *groups;
    unsigned groups_n;
    struct conf_gateway *gateways;
    unsigned gateways_n;
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

// How many keys have other values in `wanted` that cannot change while the server runs; each is one line on `out` that
// names section and key. 0: `wanted` may take the place of `running`.
unsigned conf_fixed_differences(const struct conf *running, const struct conf *wanted, FILE *out);

// Whether calls are followed from INVITE to BYE: for accounting lines, or to know who has the fewest.
bool conf_follows_calls(const struct conf *conf);

// Whether any listener is one of TCP, TLS or WebSocket.
bool conf_has_streams(const struct conf *conf);

// Whether the address is in the network, whatever its port.
bool conf_network_has(const struct conf_network *network, const struct endpoint *endpoint);

// Prints the effective configuration, every key with its value, as an INI that conf_load takes and that gives the
// same configuration.
void conf_print(const struct conf *conf, FILE *out);

// Prints the [route] rules in the order they are tried, one line each: number, name, conditions, action. Every line
// begins with "#", so that it may follow what conf_print prints.
void conf_print_routes(const struct conf *conf, FILE *out);

// Prints the commented default INI (config/strowger.ini is exactly this; a test compares).
void conf_print_template(FILE *out);

// Prints every key with what it takes, its default and what it is for, to be read on a terminal.
void conf_print_reference(FILE *out);

#endif
