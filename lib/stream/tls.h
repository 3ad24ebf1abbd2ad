// tls: what OpenSSL holds of one configuration, and the terms of one handshake. Private to tls*.c and handshake*.c.
//
// A struct stream_tls never changes once it is made. Whoever uses it counts: the one it was created for, and every
// handshake under way; sessions that stand need it no more, for each keeps what it needs of the contexts.
#ifndef STREAM_TLS_H
#define STREAM_TLS_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "stream/secure.h"

#define TLS_ID_BYTES 16

struct tls_name;
struct tls_tickets;

struct stream_tls {
    atomic_uint users;
    uint8_t id[TLS_ID_BYTES]; // random: tickets of peers with certificates are bound to it
    bool verify_servers;
    uint8_t client_certificate[CONF_LISTENERS_MAX]; // enum conf_client_certificate
    X509_STORE *authorities;
    STACK_OF(X509_NAME) * authority_names; // that a client is told whose certificates are taken
    SSL_CTX *client;
    SSL_CTX **servers; // one for each [certificate], in file order
    unsigned servers_n;
    struct tls_name *names; // by which a server's context is chosen
    unsigned names_n;
};

// The terms of one handshake: what the callbacks below look at, and nobody once it has ended.
struct tls_terms {
    struct stream_tls *tls; // counted
    struct tls_tickets *tickets;
    bool outgoing;
    bool web; // WebSocket follows
    uint8_t client_certificate;
    char expected[256]; // outgoing: the domain or address that the server must prove
};

// One more user; stream_tls_destroy is one less. Any thread.
struct stream_tls *stream_tls_keep(struct stream_tls *tls);

// A session on a connected socket, its handshake not begun. `terms` stay until stream_tls_session_stands or SSL_free. NULL:
// no memory.
SSL *stream_tls_session_create(struct tls_terms *terms, int fd);

// The handshake has ended well: from now on it is read and written. Whether the peer's certificate is good.
bool stream_tls_session_stands(SSL *session);

// A file as it was read.
struct tls_certificate {
    X509 *leaf;
    STACK_OF(X509) * chain; // without the leaf
    EVP_PKEY *key;
};

// Reads and checks both files. False after a line for each fault; a line that begins with "warning: " is none.
bool stream_tls_certificate_load(struct tls_certificate *certificate, const struct conf_certificate *from,
                                 FILE *errors);
void stream_tls_certificate_drop(struct tls_certificate *certificate);

// Adds the names of a certificate to those that lead to `context`. False: no memory.
bool stream_tls_names_add(struct stream_tls *tls, const X509 *certificate, SSL_CTX *context);
// The context for the name that a client asks for: one that has it, else one with a wildcard for it, each in file
// order. NULL: none.
SSL_CTX *stream_tls_names_find(const struct stream_tls *tls, struct slice asked);
void stream_tls_names_free(struct stream_tls *tls);

// OpenSSL's: is the chain good, may it be used for this, and outgoing: is it who is expected.
int stream_tls_verify(X509_STORE_CTX *chain, void *unused);

// Why OpenSSL refused something, as far as it says.
const char *stream_tls_reason(void);

#endif
