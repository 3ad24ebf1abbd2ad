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
#define DNS_PORT      53   // RFC 1035 4.2

static const struct conf_suffix seconds[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {NULL, 0}};
static const struct conf_suffix milliseconds[] = {{"ms", 1}, {"s", 1000}, {"m", MS_PER_MINUTE}, {NULL, 0}};
static const struct conf_suffix bytes[] = {{"k", 1 << 10}, {"M", 1 << 20}, {NULL, 0}};
static const struct conf_suffix file_bytes[] = {{"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
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

static const struct conf_choice modes[] = {
    {"stateful", CONF_MODE_STATEFUL},
    {"stateless", CONF_MODE_STATELESS},
    {NULL, 0},
};

static const struct conf_choice forks[] = {
    {"by_q", CONF_FORK_BY_Q},
    {"parallel", CONF_FORK_PARALLEL},
    {"serial", CONF_FORK_SERIAL},
    {"first", CONF_FORK_FIRST},
    {NULL, 0},
};

static const struct conf_choice dialog_nats[] = {
    {"flow", CONF_NAT_DIALOG_FLOW},
    {"repair", CONF_NAT_DIALOG_REPAIR},
    {"keep", CONF_NAT_DIALOG_KEEP},
    {NULL, 0},
};

static const struct conf_choice algorithms[] = {
    {"weighted", CONF_ALGORITHM_WEIGHTED},
    {"call_id", CONF_ALGORITHM_CALL_ID},
    {"from", CONF_ALGORITHM_FROM},
    {"user", CONF_ALGORITHM_USER},
    {"least_calls", CONF_ALGORITHM_LEAST_CALLS},
    {"priority", CONF_ALGORITHM_PRIORITY},
    {NULL, 0},
};

static const struct conf_choice whos[] = {
    {"any", CONF_WHO_ANY},
    {"trusted", CONF_WHO_TRUSTED},
    {"untrusted", CONF_WHO_UNTRUSTED},
    {NULL, 0},
};

static const struct conf_choice actions[] = {
    {"location", CONF_ACTION_LOCATION}, {"gateways", CONF_ACTION_GATEWAYS}, {"hop", CONF_ACTION_HOP},
    {"numbers", CONF_ACTION_NUMBERS},   {"enum", CONF_ACTION_ENUM},         {"domain", CONF_ACTION_DOMAIN},
    {"redirect", CONF_ACTION_REDIRECT}, {"reject", CONF_ACTION_REJECT},     {NULL, 0},
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
    {.name = "retry_after", FIELD(conf, retry_after), .type = CONF_NUMBER, .min = 1, .max = 3600,
     .unit = "seconds", .suffixes = seconds, .fallback = "10",
     .help = "Retry-After of a 503 that is answered because a table is full."},
    {.name = "scanners", LIST(conf, scanners, scanners_n), .type = CONF_TEXT, .flags = CONF_LOWER, .max = 256,
     .fallback = "friendly-scanner, friendly-request, sipvicious, sipcli, sip-scan, sundayddr, iwar, smap, "
                 "gulp, pplsip, vaxsipuseragent",
     .help = "Requests whose User-Agent begins with one of these, whatever the case, are dropped without "
             "an answer and counted; empty: nobody is."},
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
    {.name = "bindings_max", FIELD(conf, bindings_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 1,
     .max = 1000000000, .unit = "bindings", .fallback = "1000000",
     .help = "Bindings on the whole box. The memory is reserved at start; a REGISTER that finds no room is "
             "answered 503."},
};

static const struct conf_key proxy_keys[] = {
    {.name = "mode", FIELD(conf, mode), .type = CONF_CHOICE, .choices = modes, .fallback = "stateful",
     .help = "How requests that no [route] takes are forwarded: with transactions, which resend, fork and "
             "fail over (stateful), or message by message (stateless)."},
    {.name = "fork", FIELD(conf, fork), .type = CONF_CHOICE, .choices = forks, .fallback = "by_q",
     .help = "Which contacts of a user are rung: those of the highest q together and then those of the "
             "next (by_q), all together (parallel), one after the other by q (serial), or the one of the "
             "highest q alone (first)."},
    {.name = "branches_max", FIELD(conf, branches_max), .type = CONF_NUMBER, .min = 1, .max = 16,
     .unit = "branches", .fallback = "8",
     .help = "Contacts at which one request rings at a time."},
    {.name = "breadth_max", FIELD(conf, breadth_max), .type = CONF_NUMBER, .min = 1, .max = 1000,
     .unit = "branches", .fallback = "60",
     .help = "Max-Breadth that a request without any is given (RFC 5393 5.3.3): over how many branches it "
             "may be spread by this and all following proxies together."},
    {.name = "ring_timeout", FIELD(conf, ring_ms), .type = CONF_NUMBER, .min = 1000,
     .max = 10 * MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = milliseconds, .fallback = "30s",
     .help = "How long contacts may ring before the next ones are tried, where there are any."},
    {.name = "recursion", FIELD(conf, recursion), .type = CONF_BOOL, .fallback = "no",
     .help = "Try the contacts of a 3xx (RFC 3261 16.7 step 4) instead of passing the answer on."},
    {.name = "nat", FIELD(conf, nat_dialog), .type = CONF_CHOICE, .choices = dialog_nats, .fallback = "flow",
     .help = "How a phone whose Contact is not where it sends from is reached again in its dialog: its "
             "Contact stays, and a signed token in the Record-Route leads to it (flow); its Contact gets "
             "the address it sends from (repair); or not at all (keep)."},
};

static const struct conf_key transaction_keys[] = {
    {.name = "transactions_max", FIELD(conf, transactions_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 64, .max = 100000000, .unit = "transactions", .fallback = "262144",
     .help = "Transactions at a time on the whole box. The memory is reserved at start, about half a "
             "kilobyte each; a new call that finds no room is answered 503."},
    {.name = "t1", FIELD(conf, t1_ms), .type = CONF_NUMBER, .min = 10, .max = 5000, .unit = "milliseconds",
     .suffixes = milliseconds, .fallback = "500ms",
     .help = "T1 of RFC 3261 17: the round trip that is expected. Requests are sent again after it, then "
             "after twice that; after 64 times it there was no answer."},
    {.name = "t2", FIELD(conf, t2_ms), .type = CONF_NUMBER, .min = 10, .max = MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = milliseconds, .fallback = "4s",
     .help = "T2 of RFC 3261 17: the longest time between two sendings of what is not an INVITE."},
    {.name = "t4", FIELD(conf, t4_ms), .type = CONF_NUMBER, .min = 10, .max = MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = milliseconds, .fallback = "5s",
     .help = "T4 of RFC 3261 17: how long a message may stay under way; a transaction absorbs repetitions "
             "for so long."},
    {.name = "timer_c", FIELD(conf, timer_c_ms), .type = CONF_NUMBER, .min = 180001,
     .max = 60 * MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = milliseconds, .fallback = "181s",
     .help = "How long an INVITE may ring before it is cancelled; each 101 to 199 begins it anew. More "
             "than 3 minutes (RFC 3261 16.6 step 11)."},
    {.name = "kept_max", FIELD(conf, kept_max), .type = CONF_NUMBER, .min = 64, .max = 16777215,
     .unit = "messages", .fallback = "24576",
     .help = "Messages that transactions keep to send them again, on the whole box. They are buffers of "
             "the pool, so this must be smaller than mbufs of [network]; what is left there receives."},
};

static const struct conf_key trust_keys[] = {
    {.name = "networks", LIST(conf, trusted, trusted_n), .type = CONF_SUBNET, .max = CONF_NETWORKS_MAX,
     .example = "192.0.2.0/24, 2001:db8::/32",
     .help = "Who may have requests forwarded from one foreign domain to another, and whose Route, "
             "Record-Route, Path and P-Asserted-Identity (RFC 3325) are believed. Empty: nobody but "
             "trusted gateways."},
    {.name = "registered", FIELD(conf, trust_registered), .type = CONF_BOOL, .fallback = "no",
     .help = "Whoever sends from the address of a binding of the user in his From may call foreign domains."},
};

static const struct conf_key dns_keys[] = {
    {.name = "servers", LIST(conf, dns_servers, dns_servers_n), .type = CONF_ENDPOINT, .max = 8,
     .assumed_port = DNS_PORT, .example = "192.0.2.53, [2001:db8::53]:53",
     .help = "Whom to ask, the preferred one first; empty: those of /etc/resolv.conf."},
    {.name = "timeout", FIELD(conf, dns_timeout_ms), .type = CONF_NUMBER, .min = 100, .max = MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = milliseconds, .fallback = "2s",
     .help = "How long one try waits for an answer."},
    {.name = "tries", FIELD(conf, dns_tries), .type = CONF_NUMBER, .min = 1, .max = 10, .unit = "tries",
     .fallback = "2",
     .help = "How often each server is asked before the name counts as one without an answer."},
    {.name = "ttl_min", FIELD(conf, dns_ttl_min), .type = CONF_NUMBER, .min = 1, .max = 86400,
     .unit = "seconds",
     .suffixes = seconds, .fallback = "1",
     .help = "What an answer with a shorter time to live is kept for."},
    {.name = "ttl_max", FIELD(conf, dns_ttl_max), .type = CONF_NUMBER, .min = 1, .max = 86400,
     .unit = "seconds",
     .suffixes = seconds, .fallback = "1h",
     .help = "What an answer with a longer time to live is kept for."},
    {.name = "negative_ttl", FIELD(conf, dns_negative), .type = CONF_NUMBER, .min = 1, .max = 3600,
     .unit = "seconds", .suffixes = seconds, .fallback = "30s",
     .help = "How long it is kept that a name does not exist, or that nobody answered for it."},
    {.name = "names_max", FIELD(conf, names_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 16,
     .max = 16777216, .unit = "names", .fallback = "65536",
     .help = "Names whose answers are kept at a time."},
    {.name = "parked_max", FIELD(conf, parked_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 1,
     .max = 1048576, .unit = "messages", .fallback = "1024",
     .help = "Messages that wait for the answer to a name, on the whole box; one more is answered 503."},
    {.name = "enum_suffix", FIELD(conf, enum_suffix), .type = CONF_HOST, .max = CONF_TEXT_MAX,
     .fallback = "e164.arpa",
     .help = "Domain in which a [route] with action = enum looks telephone numbers up (RFC 6116)."},
};

static const struct conf_key numbers_keys[] = {
    {.name = "file", FIELD(conf, numbers_file), .type = CONF_TEXT, .max = CONF_TEXT_MAX,
     .example = "/etc/strowger/numbers.csv",
     .help = "Table for a [route] with action = numbers. Each line is PREFIX,NAME: numbers that begin so "
             "go to [gateways NAME]; the longest prefix wins."},
};

static const struct conf_key cdr_keys[] = {
    {.name = "file", FIELD(conf, cdr_file), .type = CONF_TEXT, .max = CONF_TEXT_MAX,
     .example = "/var/log/strowger/cdr.json",
     .help = "Where a line of JSON is written for each attempt at a call; empty: none is."},
    {.name = "rotate_size", FIELD(conf, cdr_rotate), .type = CONF_NUMBER, .min = 65536, .max = 1ull << 40,
     .unit = "bytes", .suffixes = file_bytes, .fallback = "100M",
     .help = "Size at which the file is put aside, as FILE.1, and the next is begun."},
    {.name = "files", FIELD(conf, cdr_files), .type = CONF_NUMBER, .min = 1, .max = 999, .unit = "files",
     .fallback = "10",
     .help = "How many files that were put aside stay."},
    {.name = "calls_max", FIELD(conf, calls_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 16,
     .max = 100000000, .unit = "calls", .fallback = "100000",
     .help = "Calls that are followed at a time on the whole box. The memory is reserved at start; one "
             "more is served all the same, without a line."},
    {.name = "call_max", FIELD(conf, call_max_s), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 60, .max = 2592000,
     .unit = "seconds", .suffixes = seconds, .fallback = "12h",
     .help = "A call that did not end for so long is written as lost and followed no more."},
};

static const struct conf_key network_keys[] = {
    {.name = "route_max", FIELD(conf, route_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 16,
     .max = 131072, .unit = "routes", .fallback = "65536",
     .help = "Kernel routes that are mirrored, for each address family. Reading them at start takes time "
             "with the square of their number, 65,536 about 4 s: a box that takes the whole Internet's "
             "table wants a default route instead."},
    {.name = "neighbour_max", FIELD(conf, neighbour_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 16,
     .max = 1048576, .unit = "neighbours", .fallback = "8192",
     .help = "Kernel neighbours (ARP and ND entries) that are mirrored, both families together."},
    {.name = "resolve_queue_max", FIELD(conf, resolve_queue_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 1, .max = 1024, .unit = "packets", .fallback = "16",
     .help = "Packets that wait while the kernel resolves one next hop."},
    {.name = "reassembly_max", FIELD(conf, reassembly_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 1, .max = 65536, .unit = "datagrams", .fallback = "1024",
     .help = "Fragmented datagrams that a worker holds at a time."},
    {.name = "reassembly_timeout", FIELD(conf, reassembly_ms), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 10, .max = MS_PER_MINUTE, .unit = "milliseconds", .suffixes = milliseconds, .fallback = "2s",
     .help = "How long the fragments of a datagram wait for the rest."},
    {.name = "mbufs", FIELD(conf, mbufs), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 1024,
     .max = 16777216, .unit = "buffers", .fallback = "32768",
     .help = "Packet buffers in the pool of each NUMA node. Ports' descriptors and mailboxes hold their "
             "share."},
    {.name = "mailbox_size", FIELD(conf, mailbox_size), .type = CONF_NUMBER, .min = 64, .max = 1048576,
     .flags = CONF_FIXED | CONF_POWER_OF_TWO, .unit = "entries", .fallback = "4096",
     .help = "Messages that may be under way from one worker to another."},
};

static const struct conf_key port_keys[] = {
    {.name = "device", FIELD(conf_port, device), .type = CONF_WORD, .min = 1, .max = 63,
     .flags = CONF_FIXED | CONF_REQUIRED | CONF_UNIQUE, .example = "net_af_xdp0",
     .help = "DPDK's name of the device: a PCI address such as 0000:01:00.0, or the name given to --vdev."},
    {.name = "twin", FIELD(conf_port, twin), .type = CONF_INTERFACE, .max = 15,
     .flags = CONF_FIXED | CONF_UNIQUE | CONF_SHOWN, .example = "sip0",
     .help = "TAP interface through which the kernel uses the port: give it the addresses and routes. "
             "Without a twin everything that is not SIP is dropped."},
    {.name = "mtu", FIELD(conf_port, mtu), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 576, .max = 9216,
     .unit = "bytes", .fallback = "1500",
     .help = "Largest IP packet, of the port and of its twin. IPv6 needs 1280."},
    {.name = "rx_descriptors", FIELD(conf_port, rx_descriptors), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 64, .max = 32768, .unit = "descriptors", .fallback = "1024",
     .help = "Length of each receive queue, as far as the device takes it."},
    {.name = "tx_descriptors", FIELD(conf_port, tx_descriptors), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 64, .max = 32768, .unit = "descriptors", .fallback = "1024",
     .help = "Length of each transmit queue, as far as the device takes it."},
};

static const struct conf_key listener_keys[] = {
    {.name = "address", FIELD(conf_listener, address), .type = CONF_ENDPOINT, .assumed_port = SIP_PORT,
     .flags = CONF_FIXED | CONF_REQUIRED | CONF_UNIQUE, .example = "192.0.2.10:5060",
     .help = "Where SIP over UDP is served. One address, never a wildcard: the kernel must have it on the "
             "twin."},
    {.name = "advertised", FIELD(conf_listener, advertised), .type = CONF_ENDPOINT, .flags = CONF_FIXED,
     .example = "203.0.113.10:5060",
     .help = "What Via and Record-Route say instead of the address, for a box behind a one-to-one NAT; "
             "without a port: that of the address."},
    {.name = "port", FIELD(conf_listener, port), .type = CONF_REFERENCE, .refers = CONF_PORT,
     .flags = CONF_FIXED | CONF_REQUIRED, .example = "outside",
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

static const struct conf_key gateways_keys[] = {
    {.name = "algorithm", FIELD(conf_gateways, algorithm), .type = CONF_CHOICE, .choices = algorithms,
     .fallback = "weighted",
     .help = "Which member of the lowest priority number that is up gets a request: by turns as their "
             "weights say (weighted); the same one for the same Call-ID, From or user of the request-URI "
             "(call_id, from, user); the one with the fewest calls for its weight (least_calls); or the "
             "first (priority). What is forwarded without transactions goes by call_id instead of by turns, so "
             "that a CANCEL finds its call, and counts for no bound."},
    {.name = "probe_interval", FIELD(conf_gateways, probe_ms), .type = CONF_NUMBER, .min = 0,
     .max = 60 * MS_PER_MINUTE, .unit = "milliseconds", .suffixes = milliseconds, .fallback = "10s",
     .help = "Time between two OPTIONS to each member; 0: none are sent."},
    {.name = "probe_down", FIELD(conf_gateways, probe_down), .type = CONF_NUMBER, .min = 1, .max = 100,
     .unit = "failures", .fallback = "3",
     .help = "Failures in a row, of probes or calls, that take a member out."},
    {.name = "probe_up", FIELD(conf_gateways, probe_up), .type = CONF_NUMBER, .min = 1, .max = 100,
     .unit = "answers", .fallback = "2",
     .help = "Answers in a row that bring it back."},
    {.name = "ease_in", FIELD(conf_gateways, ease_in_ms), .type = CONF_NUMBER, .min = 0,
     .max = 60 * MS_PER_MINUTE, .unit = "milliseconds", .suffixes = milliseconds, .fallback = "30s",
     .help = "Time over which a member that came back grows to its full share; 0: it has it at once."},
    {.name = "tries_max", FIELD(conf_gateways, tries_max), .type = CONF_NUMBER, .min = 1, .max = 16,
     .unit = "members", .fallback = "3",
     .help = "Members at which one request is tried."},
    {.name = "answer_timeout", FIELD(conf_gateways, answer_ms), .type = CONF_NUMBER, .min = 100,
     .max = 5 * MS_PER_MINUTE, .unit = "milliseconds", .suffixes = milliseconds, .fallback = "2s",
     .help = "Silence after which the next member is tried; at most 64 times t1 of [transaction]."},
};

static const struct conf_key gateway_keys[] = {
    {.name = "group", FIELD(conf_gateway, group), .type = CONF_REFERENCE, .refers = CONF_GATEWAYS,
     .flags = CONF_REQUIRED, .example = "carrier",
     .help = "The [gateways] that it is a member of."},
    {.name = "address", FIELD(conf_gateway, address), .type = CONF_HOP, .min = 1, .max = CONF_TEXT_MAX,
     .flags = CONF_REQUIRED, .example = "192.0.2.20:5060",
     .help = "Where it is. A name without a port is looked up by NAPTR and SRV (RFC 3263); all that a name "
             "leads to is tried."},
    {.name = "weight", FIELD(conf_gateway, weight), .type = CONF_NUMBER, .min = 1, .max = 1000,
     .unit = "shares",
     .fallback = "1",
     .help = "Its share among the members of its priority."},
    {.name = "priority", FIELD(conf_gateway, priority), .type = CONF_NUMBER, .min = 0, .max = 1000,
     .unit = "(0 is first)", .fallback = "0",
     .help = "Members of a higher number are tried where all of the lower ones are down, full or were "
             "tried."},
    {.name = "calls_per_second", FIELD(conf_gateway, calls_per_second), .type = CONF_NUMBER, .min = 0,
     .max = 1000000, .unit = "calls", .fallback = "0",
     .help = "New calls a second that it takes from the whole box; more go to the next member. 0: no bound."},
    {.name = "trusted", FIELD(conf_gateway, trusted), .type = CONF_BOOL, .fallback = "no",
     .help = "What comes from its address counts as from a network of [trust]."},
};

static const struct conf_key route_keys[] = {
    {.name = "methods", LIST(conf_route, methods, methods_n), .type = CONF_METHOD, .max = CONF_METHODS_MAX,
     .example = "INVITE, MESSAGE",
     .help = "Methods of the requests; empty: any."},
    {.name = "domain", FIELD(conf_route, domain), .type = CONF_DOMAIN_MATCH, .max = CONF_TEXT_MAX,
     .example = "example.com",
     .help = "Host of the request-URI; empty: any."},
    {.name = "user", FIELD(conf_route, user), .type = CONF_USER_MATCH, .max = CONF_TEXT_MAX,
     .example = "+4930*",
     .help = "User of the request-URI; empty: any."},
    {.name = "to_domain", FIELD(conf_route, to_domain), .type = CONF_DOMAIN_MATCH, .max = CONF_TEXT_MAX,
     .example = "example.com",
     .help = "Host of the URI in To; empty: any."},
    {.name = "to_user", FIELD(conf_route, to_user), .type = CONF_USER_MATCH, .max = CONF_TEXT_MAX,
     .example = "+4930123456",
     .help = "User of the URI in To; empty: any."},
    {.name = "from_domain", FIELD(conf_route, from_domain), .type = CONF_DOMAIN_MATCH, .max = CONF_TEXT_MAX,
     .example = "/(^|\\.)example\\.net$/",
     .help = "Host of the URI in From; empty: any."},
    {.name = "from_user", FIELD(conf_route, from_user), .type = CONF_USER_MATCH, .max = CONF_TEXT_MAX,
     .example = "/^\\+?49[0-9]+$/",
     .help = "User of the URI in From; empty: any."},
    {.name = "source", LIST(conf_route, source, source_n), .type = CONF_SUBNET, .max = CONF_NETWORKS_MAX,
     .example = "198.51.100.0/24",
     .help = "Networks that the requests come from; empty: any."},
    {.name = "listener", FIELD(conf_route, listener), .type = CONF_REFERENCE, .refers = CONF_LISTENER,
     .fallback = "", .example = "main",
     .help = "The [listener] that the requests come to; empty: any."},
    {.name = "who", FIELD(conf_route, who), .type = CONF_CHOICE, .choices = whos, .fallback = "any",
     .help = "Whether the requests come from a network of [trust] or a trusted gateway (trusted), or from "
             "elsewhere (untrusted)."},
    {.name = "strip", FIELD(conf_route, strip), .type = CONF_NUMBER, .min = 0, .max = 64,
     .unit = "characters",
     .fallback = "0",
     .help = "How many are taken off the front of the request-URI's user."},
    {.name = "prepend", FIELD(conf_route, prepend), .type = CONF_WORD, .max = 64, .example = "00",
     .help = "What is then put in front of it."},
    {.name = "set_domain", FIELD(conf_route, set_domain), .type = CONF_HOP, .max = CONF_TEXT_MAX,
     .example = "example.net",
     .help = "Host, and perhaps port, that the request-URI then gets; empty: as it is."},
    {.name = "action", FIELD(conf_route, action), .type = CONF_CHOICE, .choices = actions,
     .fallback = "location",
     .example = "gateways",
     .help = "What is done with the requests. They go to where the user is registered (location), to one "
             "of gateways, to hop, to the gateways that the table of [numbers] says (numbers), to what DNS "
             "says of the number (enum) or of the request-URI's host (domain); or they are answered 302 "
             "with contact (redirect), or with code (reject)."},
    {.name = "gateways", FIELD(conf_route, gateways), .type = CONF_REFERENCE, .refers = CONF_GATEWAYS,
     .fallback = "", .example = "carrier",
     .help = "Action gateways: the [gateways] of which one is chosen."},
    {.name = "hop", FIELD(conf_route, hop), .type = CONF_HOP, .max = CONF_TEXT_MAX,
     .example = "192.0.2.30:5060",
     .help = "Action hop: where the requests are sent."},
    {.name = "contact", FIELD(conf_route, contact), .type = CONF_URI, .max = CONF_TEXT_MAX,
     .example = "sip:desk@example.com",
     .help = "Action redirect: the Contact of the 302; empty: the request-URI as strip, prepend and "
             "set_domain changed it."},
    {.name = "code", FIELD(conf_route, code), .type = CONF_NUMBER, .min = 400, .max = 699,
     .unit = "as a status code",
     .example = "403",
     .help = "Action reject: the answer."},
    {.name = "reason", FIELD(conf_route, reason), .type = CONF_TEXT, .max = 64, .example = "No such service",
     .help = "Action reject: its reason phrase; empty: the usual one."},
    {.name = "mode", FIELD(conf_route, mode), .type = CONF_CHOICE, .choices = modes, .fallback = "stateful",
     .help = "How the requests are forwarded, as mode of [proxy] says it for those that no [route] takes."},
};

const struct conf_section conf_sections[CONF_SECTIONS] = {
    [CONF_SERVER] = {.name = "server", KEYS(server_keys), .shown = true,
                     .help = "What holds for every message."},
    [CONF_REGISTRAR] = {.name = "registrar", KEYS(registrar_keys), .shown = true,
                        .help = "What REGISTER may ask for (RFC 3261 10.3)."},
    [CONF_LOCATION] = {.name = "location", KEYS(location_keys), .shown = true,
                       .help = "The table of who is where."},
    [CONF_PROXY] = {.name = "proxy", KEYS(proxy_keys), .shown = true,
                    .help = "How requests are forwarded (RFC 3261 16)."},
    [CONF_TRANSACTION] = {.name = "transaction", KEYS(transaction_keys), .shown = true,
                          .help = "What stateful forwarding keeps, and its timers (RFC 3261 17)."},
    [CONF_TRUST] = {.name = "trust", KEYS(trust_keys), .shown = true,
                    .help = "Who is believed. Nobody is, unless it says so here or in a [gateway]."},
    [CONF_DNS] = {.name = "dns", KEYS(dns_keys), .shown = true,
                  .help = "How names are looked up (RFC 3263)."},
    [CONF_NUMBERS] = {.name = "numbers", KEYS(numbers_keys), .shown = true,
                      .help = "The table of number prefixes."},
    [CONF_CDR] = {.name = "cdr", KEYS(cdr_keys), .shown = true,
                  .help = "Accounting: call detail records."},
    [CONF_NETWORK] = {.name = "network", KEYS(network_keys), .shown = true,
                      .help = "Bounds of what workers share with the kernel and with each other."},
    [CONF_PORT] = {.name = "port", KEYS(port_keys), REPEATABLE(conf_port, ports), .min = 1,
                   .max = CONF_PORTS_MAX, .example = "outside", .shown = true,
                   .help = "A DPDK port and its twin in the kernel. One section a port."},
    [CONF_LISTENER] = {.name = "listener", KEYS(listener_keys), REPEATABLE(conf_listener, listeners),
                       .min = 1,
                       .max = CONF_LISTENERS_MAX, .example = "main", .shown = true,
                       .help = "An address on which SIP is served. One section an address."},
    [CONF_DOMAIN] = {.name = "domain", KEYS(domain_keys), REPEATABLE(conf_domain, domains), .max = 1024,
                     .example = "example.com", .shown = true,
                     .help = "A domain that this server answers for. One section a domain."},
    [CONF_GATEWAYS] = {.name = "gateways", KEYS(gateways_keys), REPEATABLE(conf_gateways, groups),
                       .max = 1024,
                       .example = "carrier",
                       .help = "Gateways of which one is chosen for each request; when it fails, the next."},
    [CONF_GATEWAY] = {.name = "gateway", KEYS(gateway_keys), REPEATABLE(conf_gateway, gateways),
                      .max = CONF_GATEWAYS_MAX, .example = "carrier-1",
                      .help = "A member of a [gateways]. One section a member."},
    [CONF_ROUTE] = {.name = "route", KEYS(route_keys), REPEATABLE(conf_route, routes), .max = 1024,
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
