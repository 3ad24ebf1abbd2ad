#include "conf/schema_rows.h"

static const struct conf_choice versions[] = {
    {"1.2", CONF_TLS_1_2},
    {"1.3", CONF_TLS_1_3},
    {NULL, 0},
};

// A key in a few lines: the tables are read as tables.
// clang-format off

const struct conf_key conf_stream_keys[8] = {
    {.name = "connections_max", CONF_FIELD(conf, connections_max), .type = CONF_NUMBER, .flags = CONF_FIXED,
     .min = 16, .max = 1000000, .unit = "connections", .fallback = "32768",
     .help = "Connections at a time on the whole box; one more is closed at once. Half a kilobyte is "
             "reserved for each where a [listener] takes them; the limit of open files (ulimit -n) must "
             "allow them."},
    {.name = "connections_source_max", CONF_FIELD(conf, connections_source_max), .type = CONF_NUMBER,
     .min = 1,
     .max = 1000000, .unit = "connections", .fallback = "1024",
     .help = "Of these from one address: as many as there may be phones behind one NAT."},
    {.name = "buffer_max", CONF_FIELD(conf, stream_buffer_max), .type = CONF_NUMBER, .min = 32768,
     .max = 16777216,
     .unit = "bytes", .suffixes = conf_bytes, .fallback = "64k",
     .help = "What may be held back for one connection each way: of a message that is not whole yet, and "
             "of what a peer does not take. It is closed when there is more. The NOTIFY of a long list alone may "
             "take all of the default."},
    {.name = "idle", CONF_FIELD(conf, stream_idle_s), .type = CONF_NUMBER, .min = 1, .max = 2592000,
     .unit = "seconds", .suffixes = conf_seconds, .fallback = "2h",
     .help = "Silence after which a connection is closed; a ping breaks it (RFC 5626 3.5.1, RFC 6455 "
             "5.5.2). A phone that registers for longer and says nothing in between cannot be called any "
             "more."},
    {.name = "message_timeout", CONF_FIELD(conf, stream_message_ms), .type = CONF_NUMBER, .min = 100,
     .max = 5 * CONF_MS_PER_MINUTE, .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "10s",
     .help = "Time in which a message that has begun must be whole, and a peer must take what it is sent."},
    {.name = "connect_timeout", CONF_FIELD(conf, stream_connect_ms), .type = CONF_NUMBER, .min = 100,
     .max = CONF_MS_PER_MINUTE, .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "5s",
     .help = "Time in which a connection that is made to somebody must stand, its handshake included."},
    {.name = "handshake_timeout", CONF_FIELD(conf, stream_handshake_ms), .type = CONF_NUMBER, .min = 100,
     .max = CONF_MS_PER_MINUTE, .unit = "milliseconds", .suffixes = conf_milliseconds, .fallback = "10s",
     .help = "Time that a peer has for its PROXY header, its TLS handshake and its WebSocket upgrade "
             "together."},
    {.name = "handshake_threads", CONF_FIELD(conf, stream_handshake_threads), .type = CONF_NUMBER,
     .flags = CONF_FIXED, .min = 1, .max = 64, .unit = "threads", .fallback = "2",
     .help = "Threads that do TLS handshakes, on the cores of the main lcore: --lcores 0@(0,2,3) gives it "
             "several."},
};

const struct conf_key conf_tls_keys[5] = {
    {.name = "minimum", CONF_FIELD(conf, tls_minimum), .type = CONF_CHOICE, .choices = versions,
     .fallback = "1.2",
     .help = "Oldest version of TLS that is spoken."},
    {.name = "ciphers", CONF_FIELD(conf, tls_ciphers), .type = CONF_WORD, .min = 1, .max = CONF_TEXT_MAX,
     .fallback = "ECDHE+AESGCM:ECDHE+CHACHA20",
     .help = "Ciphers of TLS 1.2, in OpenSSL's notation, the preferred one first."},
    {.name = "ciphersuites", CONF_FIELD(conf, tls_ciphersuites), .type = CONF_WORD, .min = 1,
     .max = CONF_TEXT_MAX,
     .fallback = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
     .help = "Those of TLS 1.3."},
    {.name = "authorities", CONF_FIELD(conf, tls_authorities), .type = CONF_TEXT, .max = CONF_TEXT_MAX,
     .example = "/etc/strowger/authorities.pem",
     .help = "PEM file of those who may sign the certificates of peers; empty: those that the machine "
             "trusts."},
    {.name = "verify_servers", CONF_FIELD(conf, tls_verify_servers), .type = CONF_BOOL, .fallback = "yes",
     .help = "Whoever TLS connects to must prove the name by which it was found (RFC 5922 7.3). Without "
             "that, nobody knows who listens."},
};

const struct conf_key conf_certificate_keys[2] = {
    {.name = "chain", CONF_FIELD(conf_certificate, chain), .type = CONF_TEXT, .min = 1, .max = CONF_TEXT_MAX,
     .flags = CONF_REQUIRED, .example = "/etc/strowger/example.com.pem",
     .help = "PEM file of the certificate and of what leads to its root."},
    {.name = "key", CONF_FIELD(conf_certificate, key), .type = CONF_TEXT, .min = 1, .max = CONF_TEXT_MAX,
     .flags = CONF_REQUIRED, .example = "/etc/strowger/example.com.key",
     .help = "PEM file of its private key, without a passphrase."},
};

// clang-format on
