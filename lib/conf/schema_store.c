#include "conf/schema_rows.h"

static const struct conf_choice durabilities[] = {
    {"commit", CONF_DURABILITY_COMMIT},
    {"relaxed", CONF_DURABILITY_RELAXED},
    {"none", CONF_DURABILITY_NONE},
    {NULL, 0},
};

static const struct conf_choice digests[] = {
    {"SHA-256", CONF_DIGEST_SHA256},
    {"SHA-512-256", CONF_DIGEST_SHA512_256},
    {"MD5", CONF_DIGEST_MD5},
    {NULL, 0},
};

// A key in a few lines: the tables are read as tables.
// clang-format off

const struct conf_key conf_store_keys[6] = {
    {.name = "path", CONF_FIELD(conf, store_path), .type = CONF_TEXT, .flags = CONF_FIXED, .max = CONF_TEXT_MAX,
     .example = "/var/lib/strowger",
     .help = "Directory of what outlives a restart: registrations and users. It is made where it is not "
             "there; empty: nothing is kept."},
    {.name = "durability", CONF_FIELD(conf, durability), .type = CONF_CHOICE, .flags = CONF_FIXED,
     .choices = durabilities, .fallback = "commit",
     .help = "A REGISTER is answered when what it changed is on the disk (commit); at once, and the change "
             "is on the disk soon after (relaxed); or at once, and nobody waits for the disk (none)."},
    {.name = "size_max", CONF_FIELD(conf, store_size_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 1 << 20, .max = 1ull << 44, .unit = "bytes", .suffixes = conf_file_bytes, .fallback = "16G",
     .help = "What the files may grow to; a REGISTER that finds no room is answered 503."},
    {.name = "queue_max", CONF_FIELD(conf, store_queue_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 64, .max = 16777216, .unit = "answers", .fallback = "65536",
     .help = "Answers that wait for the disk, on the whole box; one more is answered 503."},
    {.name = "users_max", CONF_FIELD(conf, users_max), .type = CONF_NUMBER, .flags = CONF_FIXED, .min = 16,
     .max = 100000000, .unit = "users", .fallback = "1000000",
     .help = "Users with credentials. The memory is reserved at start where there is an [auth]."},
    {.name = "secret_file", CONF_FIELD(conf, secret_file), .type = CONF_TEXT, .flags = CONF_FIXED,
     .max = CONF_TEXT_MAX, .example = "/var/lib/strowger/secret",
     .help = "Key of all that the server signs and sees again: branches, tags, flow tokens, nonces. It is "
             "made where it is not there; empty: a new one at each start, so dialogs do not outlive it."},
};

const struct conf_key conf_control_keys[2] = {
    {.name = "socket", CONF_FIELD(conf, control_socket), .type = CONF_TEXT, .flags = CONF_FIXED, .max = 107,
     .example = "/run/strowger.sock",
     .help = "Unix socket that strowgerctl talks to; empty: none."},
    {.name = "group", CONF_FIELD(conf, control_group), .type = CONF_WORD, .flags = CONF_FIXED, .max = 32,
     .example = "strowger",
     .help = "Group whose members may use it, beside root; empty: nobody else may."},
};

const struct conf_key conf_auth_keys[9] = {
    {.name = "domain", CONF_FIELD(conf_auth, domain), .type = CONF_REFERENCE, .refers = CONF_DOMAIN,
     .fallback = "", .example = "example.com",
     .help = "The [domain] of the user who must prove himself: of To in a REGISTER, else of From. Empty: any "
             "that is served; with a realm, any at all."},
    {.name = "methods", CONF_LIST(conf_auth, methods, methods_n), .type = CONF_METHOD, .max = CONF_METHODS_MAX,
     .example = "REGISTER, INVITE",
     .help = "Methods of the requests; empty: any. ACK and CANCEL are never challenged (RFC 3261 22.1), nor is "
             "what belongs to a dialog, unless its method stands here."},
    {.name = "source", CONF_ARRAY(conf_auth, source, source_n), .type = CONF_SUBNET, .max = CONF_NETWORKS_MAX,
     .example = "198.51.100.0/24",
     .help = "Networks that the requests come from; empty: any."},
    {.name = "trusted", CONF_FIELD(conf_auth, trusted), .type = CONF_BOOL, .fallback = "no",
     .help = "Ask those whom [trust] names and trusted gateways, too."},
    {.name = "realm", CONF_FIELD(conf_auth, realm), .type = CONF_WORD, .max = CONF_TEXT_MAX,
     .example = "example.com",
     .help = "What the challenge names, and under which users are kept; empty: the domain's first name."},
    {.name = "algorithms", CONF_ARRAY(conf_auth, algorithms, algorithms_n), .type = CONF_CHOICE, .min = 1,
     .max = CONF_DIGESTS, .choices = digests, .fallback = "SHA-256, MD5",
     .help = "What passwords may be proved with, the preferred one first (RFC 8760)."},
    {.name = "nonce_lifetime", CONF_FIELD(conf_auth, nonce_s), .type = CONF_NUMBER, .min = 5, .max = 86400,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "5m",
     .help = "How long a challenge may be answered; then a new one says that the old was stale."},
    {.name = "nonce_count", CONF_FIELD(conf_auth, nonce_count), .type = CONF_BOOL, .fallback = "no",
     .help = "Refuse credentials that were used already: each answer to a challenge has a higher nc than the "
             "last (RFC 7616 3.4)."},
    {.name = "failures", CONF_FIELD(conf_auth, failures), .type = CONF_NUMBER, .min = 0, .max = 65535,
     .unit = "failures", .fallback = "20",
     .help = "Wrong credentials from one address in a minute, after which it gets 403 for the rest of it; 0: "
             "no bound."},
};

// clang-format on
