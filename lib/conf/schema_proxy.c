#include "conf/schema_rows.h"

#define DNS_PORT 53 // RFC 1035 4.2

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

// A key in a few lines: the tables are read as tables.
// clang-format off

const struct conf_key conf_proxy_keys[8] = {
    {.name = "mode", CONF_FIELD(conf, mode), .type = CONF_CHOICE, .choices = modes, .fallback = "stateful",
     .help = "How requests that no [route] takes are forwarded: with transactions, which resend, fork and "
             "fail over (stateful), or message by message (stateless)."},
    {.name = "fork", CONF_FIELD(conf, fork), .type = CONF_CHOICE, .choices = forks, .fallback = "by_q",
     .help = "Which contacts of a user are rung: those of the highest q together and then those of the "
             "next (by_q), all together (parallel), one after the other by q (serial), or the one of the "
             "highest q alone (first)."},
    {.name = "branches_max", CONF_FIELD(conf, branches_max), .type = CONF_NUMBER, .min = 1, .max = 16,
     .unit = "branches", .fallback = "8",
     .help = "Contacts at which one request rings at a time."},
    {.name = "breadth_max", CONF_FIELD(conf, breadth_max), .type = CONF_NUMBER, .min = 1, .max = 1000,
     .unit = "branches", .fallback = "60",
     .help = "Max-Breadth that a request without any is given (RFC 5393 5.3.3): over how many branches it "
             "may be spread by this and all following proxies together."},
    {.name = "ring_timeout", CONF_FIELD(conf, ring_ms), .type = CONF_NUMBER, .min = 1000,
     .max = 10 * CONF_MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "30s",
     .help = "How long contacts may ring before the next ones are tried, where there are any."},
    {.name = "recursion", CONF_FIELD(conf, recursion), .type = CONF_BOOL, .fallback = "no",
     .help = "Try the contacts of a 3xx (RFC 3261 16.7 step 4) instead of passing the answer on."},
    {.name = "nat", CONF_FIELD(conf, nat_dialog), .type = CONF_CHOICE, .choices = dialog_nats, .fallback = "flow",
     .help = "How a phone whose Contact is not where it sends from is reached again in its dialog: its "
             "Contact stays, and a signed token in the Record-Route leads to it (flow); its Contact gets "
             "the address it sends from (repair); or not at all (keep)."},
    {.name = "udp_max", CONF_FIELD(conf, udp_max), .type = CONF_NUMBER, .flags = CONF_OR_ZERO, .min = 500,
     .max = 65535, .unit = "bytes", .suffixes = conf_bytes, .fallback = "1300",
     .help = "A request that would be longer, a NOTIFY of our own as well, goes by TCP where there is a "
             "[listener] for that, and by UDP after all where TCP fails (RFC 3261 18.1.1); 0: UDP takes any."},
};

const struct conf_key conf_transaction_keys[6] = {
    {.name = "transactions_max", CONF_FIELD(conf, transactions_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 64, .max = 100000000, .unit = "transactions", .fallback = "262144",
     .help = "Transactions at a time on the whole box. The memory is reserved at start, about half a "
             "kilobyte each; a new call that finds no room is answered 503."},
    {.name = "t1", CONF_FIELD(conf, t1_ms), .type = CONF_NUMBER, .min = 10, .max = 5000, .unit = "milliseconds",
     .suffixes = conf_milliseconds, .fallback = "500ms",
     .help = "T1 of RFC 3261 17: the round trip that is expected. Requests are sent again after it, then "
             "after twice that; after 64 times it there was no answer."},
    {.name = "t2", CONF_FIELD(conf, t2_ms), .type = CONF_NUMBER, .min = 10, .max = CONF_MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "4s",
     .help = "T2 of RFC 3261 17: the longest time between two sendings of what is not an INVITE."},
    {.name = "t4", CONF_FIELD(conf, t4_ms), .type = CONF_NUMBER, .min = 10, .max = CONF_MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "5s",
     .help = "T4 of RFC 3261 17: how long a message may stay under way; a transaction absorbs repetitions "
             "for so long."},
    {.name = "timer_c", CONF_FIELD(conf, timer_c_ms), .type = CONF_NUMBER, .min = 180001,
     .max = 60 * CONF_MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "181s",
     .help = "How long an INVITE may ring before it is cancelled; each 101 to 199 begins it anew. More "
             "than 3 minutes (RFC 3261 16.6 step 11)."},
    {.name = "kept_max", CONF_FIELD(conf, kept_max), .type = CONF_NUMBER, .min = 64, .max = 16777215,
     .unit = "messages", .fallback = "24576",
     .help = "Messages that transactions keep to send them again, on the whole box. They are buffers of "
             "the pool, so this must be smaller than mbufs of [network]; what is left there receives."},
};

const struct conf_key conf_trust_keys[2] = {
    {.name = "networks", CONF_ARRAY(conf, trusted, trusted_n), .type = CONF_SUBNET, .max = CONF_NETWORKS_MAX,
     .example = "192.0.2.0/24, 2001:db8::/32",
     .help = "Who may have requests forwarded from one foreign domain to another, and whose Route, "
             "Record-Route, Path and P-Asserted-Identity (RFC 3325) are believed. Empty: nobody but "
             "trusted gateways."},
    {.name = "registered", CONF_FIELD(conf, trust_registered), .type = CONF_BOOL, .fallback = "no",
     .help = "Whoever sends from the address of a binding of the user in his From may call foreign domains."},
};

const struct conf_key conf_dns_keys[9] = {
    {.name = "servers", CONF_LIST(conf, dns_servers, dns_servers_n), .type = CONF_ENDPOINT, .max = 8,
     .assumed_port = DNS_PORT, .example = "192.0.2.53, [2001:db8::53]:53",
     .help = "Whom to ask, the preferred one first; empty: those of /etc/resolv.conf."},
    {.name = "timeout", CONF_FIELD(conf, dns_timeout_ms), .type = CONF_NUMBER, .min = 100,
     .max = CONF_MS_PER_MINUTE,
     .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "2s",
     .help = "How long one try waits for an answer."},
    {.name = "tries", CONF_FIELD(conf, dns_tries), .type = CONF_NUMBER, .min = 1, .max = 10, .unit = "tries",
     .fallback = "2",
     .help = "How often each server is asked before the name counts as one without an answer."},
    {.name = "ttl_min", CONF_FIELD(conf, dns_ttl_min), .type = CONF_NUMBER, .min = 1, .max = 86400,
     .unit = "seconds",
     .suffixes = conf_seconds, .fallback = "1",
     .help = "What an answer with a shorter time to live is kept for."},
    {.name = "ttl_max", CONF_FIELD(conf, dns_ttl_max), .type = CONF_NUMBER, .min = 1, .max = 86400,
     .unit = "seconds",
     .suffixes = conf_seconds, .fallback = "1h",
     .help = "What an answer with a longer time to live is kept for."},
    {.name = "negative_ttl", CONF_FIELD(conf, dns_negative), .type = CONF_NUMBER, .min = 1, .max = 3600,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "30s",
     .help = "How long it is kept that a name does not exist, or that nobody answered for it."},
    {.name = "names_max", CONF_FIELD(conf, names_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 16,
     .max = 16777216, .unit = "names", .fallback = "65536",
     .help = "Names whose answers are kept at a time."},
    {.name = "parked_max", CONF_FIELD(conf, parked_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 1,
     .max = 1048576, .unit = "messages", .fallback = "1024",
     .help = "Messages that wait for the answer to a name, on the whole box; one more is answered 503."},
    {.name = "enum_suffix", CONF_FIELD(conf, enum_suffix), .type = CONF_HOST, .max = CONF_TEXT_MAX,
     .fallback = "e164.arpa",
     .help = "Domain in which a [route] with action = enum looks telephone numbers up (RFC 6116)."},
};

const struct conf_key conf_cdr_keys[5] = {
    {.name = "file", CONF_FIELD(conf, cdr_file), .type = CONF_TEXT, .max = CONF_TEXT_MAX,
     .example = "/var/log/strowger/cdr.json",
     .help = "Where a line of JSON is written for each attempt at a call; empty: none is."},
    {.name = "rotate_size", CONF_FIELD(conf, cdr_rotate), .type = CONF_NUMBER, .min = 65536, .max = 1ull << 40,
     .unit = "bytes", .suffixes = conf_file_bytes, .fallback = "100M",
     .help = "Size at which the file is put aside, as FILE.1, and the next is begun."},
    {.name = "files", CONF_FIELD(conf, cdr_files), .type = CONF_NUMBER, .min = 1, .max = 999, .unit = "files",
     .fallback = "10",
     .help = "How many files that were put aside stay."},
    {.name = "calls_max", CONF_FIELD(conf, calls_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 16,
     .max = 100000000, .unit = "calls", .fallback = "100000",
     .help = "Calls that are followed at a time on the whole box. The memory is reserved at start; one "
             "more is served all the same, without a line."},
    {.name = "call_max", CONF_FIELD(conf, call_max_s), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 60,
     .max = 2592000,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "12h",
     .help = "A call that did not end for so long is written as lost and followed no more."},
};

// clang-format on
