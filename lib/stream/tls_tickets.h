// tls_tickets: the keys of session tickets (RFC 5077, RFC 8446 4.6.1), so that a peer that comes back needs no
// certificate and no signature, and nothing is kept for it here.
//
// The keys are the process's own and never leave it: they outlive every reload, and no restart. A new one is made every
// TLS_TICKETS_MS; tickets of the one before are taken for as long again, and exchanged. So a stolen key opens what was
// said within a day, and with TLS 1.3 not even that.
//
// A ticket counts only where the same is asked of a client's certificate as when it was given (the session's context).
// One of a peer who showed a certificate counts only until that expires, or the next reload: whoever signed it may have
// lost our trust.
//
// Any thread; one lock, for as long as a key is copied.
#ifndef STREAM_TLS_TICKETS_H
#define STREAM_TLS_TICKETS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#define TLS_TICKETS_MS       (12 * 3600 * 1000ULL)
#define TLS_TICKETS_NAME     16
#define TLS_TICKETS_LIFETIME (TLS_TICKETS_MS / 1000) // seconds, of a ticket

struct tls_tickets;

// What a ticket is encrypted and signed with.
struct tls_ticket_key {
    uint8_t name[TLS_TICKETS_NAME];
    uint8_t aes[32], mac[32];
};

// NULL: no memory, or no randomness.
struct tls_tickets *stream_tls_tickets_create(uint64_t now_ms);
void stream_tls_tickets_destroy(struct tls_tickets *tickets); // NULL is allowed

// The key for new tickets. False: it is time for another and there is no randomness.
bool stream_tls_tickets_newest(struct tls_tickets *tickets, uint64_t now_ms, struct tls_ticket_key *key);

// The key of that name. False: there is none, or not any more. *old: tickets of it are to be exchanged.
bool stream_tls_tickets_named(struct tls_tickets *tickets, uint64_t now_ms,
                              const uint8_t name[TLS_TICKETS_NAME], struct tls_ticket_key *key, bool *old);

// Has a server's context use the tickets that its handshakes' terms (stream/tls.h) name.
void stream_tls_tickets_use(SSL_CTX *context);

#endif
