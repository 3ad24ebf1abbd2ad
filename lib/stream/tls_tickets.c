#include "stream/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream/tls.h"

struct tls_tickets {
    pthread_mutex_t lock;
    struct tls_ticket_key newest, previous;
    bool has_previous;
    uint64_t since_ms; // of the newest
};

static bool make_key(struct tls_ticket_key *key)
{
    return RAND_bytes(key->name, sizeof(key->name)) == 1 &&
           RAND_priv_bytes(key->aes, sizeof(key->aes)) == 1 &&
           RAND_priv_bytes(key->mac, sizeof(key->mac)) == 1;
}

struct tls_tickets *stream_tls_tickets_create(uint64_t now_ms)
{
    struct tls_tickets *tickets = calloc(1, sizeof(*tickets));

    if (tickets == NULL)
        return NULL;
    if (!make_key(&tickets->newest)) {
        free(tickets);
        return NULL;
    }
    tickets->since_ms = now_ms;
    pthread_mutex_init(&tickets->lock, NULL);
    return tickets;
}

void stream_tls_tickets_destroy(struct tls_tickets *tickets)
{
    if (tickets == NULL)
        return;
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets, sizeof(*tickets));
    free(tickets);
}

// Under the lock. False: a new one is due and cannot be made.
static bool rotate(struct tls_tickets *tickets, uint64_t now_ms)
{
    struct tls_ticket_key next;

    if (now_ms < tickets->since_ms + TLS_TICKETS_MS)
        return true;
    // Whether there is a next one or not, the one before has had its time.
    tickets->has_previous = false;
    OPENSSL_cleanse(&tickets->previous, sizeof(tickets->previous));
    if (!make_key(&next))
        return false;
    if (now_ms < tickets->since_ms + 2 * TLS_TICKETS_MS) {
        tickets->previous = tickets->newest;
        tickets->has_previous = true;
        tickets->since_ms += TLS_TICKETS_MS;
    } else {
        tickets->since_ms = now_ms;
    }
    tickets->newest = next;
    OPENSSL_cleanse(&next, sizeof(next));
    return true;
}

bool stream_tls_tickets_newest(struct tls_tickets *tickets, uint64_t now_ms, struct tls_ticket_key *key)
{
    pthread_mutex_lock(&tickets->lock);
    bool there = rotate(tickets, now_ms);
    if (there)
        *key = tickets->newest;
    pthread_mutex_unlock(&tickets->lock);
    return there;
}

bool stream_tls_tickets_named(struct tls_tickets *tickets, uint64_t now_ms,
                              const uint8_t name[TLS_TICKETS_NAME], struct tls_ticket_key *key, bool *old)
{
    const struct tls_ticket_key *found = NULL;

    pthread_mutex_lock(&tickets->lock);
    if (rotate(tickets, now_ms) && memcmp(tickets->newest.name, name, TLS_TICKETS_NAME) == 0)
        found = &tickets->newest;
    else if (tickets->has_previous && memcmp(tickets->previous.name, name, TLS_TICKETS_NAME) == 0)
        found = &tickets->previous;
    if (found != NULL) {
        *key = *found;
        *old = found == &tickets->previous;
    }
    pthread_mutex_unlock(&tickets->lock);
    return found != NULL;
}

static bool start_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int seal(struct tls_tickets *tickets, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher,
                EVP_MAC_CTX *mac)
{
    struct tls_ticket_key key;
    int done = 0; // no ticket is given

    if (!stream_tls_tickets_newest(tickets, clock_monotonic_ms(), &key))
        return 0;
    memcpy(name, key.name, sizeof(key.name));
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) == 1 && start_mac(mac, &key))
        done = 1;
    OPENSSL_cleanse(&key, sizeof(key));
    return done;
}

static int open_sealed(struct tls_tickets *tickets, const uint8_t *name, const uint8_t *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct tls_ticket_key key;
    bool old = false;
    int done = 0; // as if there had been no ticket

    if (!stream_tls_tickets_named(tickets, clock_monotonic_ms(), name, &key, &old))
        return 0;
    if (start_mac(mac, &key) && EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) == 1)
        done = old ? 2 : 1; // 2: it is exchanged
    OPENSSL_cleanse(&key, sizeof(key));
    return done;
}

static int on_key(SSL *session, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *mac, int sealing)
{
    const struct tls_terms *terms = SSL_get_app_data(session);

    return sealing ? seal(terms->tickets, name, iv, cipher, mac)
                   : open_sealed(terms->tickets, name, iv, cipher, mac);
}

static int on_sealing(SSL *session, void *unused)
{
    const struct tls_terms *terms = SSL_get_app_data(session);
    SSL_SESSION *kept = SSL_get_session(session);

    (void)unused;
    return SSL_SESSION_get0_peer(kept) == NULL ||
           SSL_SESSION_set1_ticket_appdata(kept, terms->tls->id, sizeof(terms->tls->id));
}

// Of a peer who showed a certificate.
static bool still_good(const struct tls_terms *terms, SSL_SESSION *kept, const X509 *certificate)
{
    void *id;
    size_t bytes;

    return SSL_SESSION_get0_ticket_appdata(kept, &id, &bytes) == 1 && bytes == sizeof(terms->tls->id) &&
           memcmp(id, terms->tls->id, bytes) == 0 &&
           X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

static SSL_TICKET_RETURN on_opened(SSL *session, SSL_SESSION *kept, const unsigned char *name,
                                   size_t name_len, SSL_TICKET_STATUS status, void *unused)
{
    (void)name, (void)name_len, (void)unused;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;

    X509 *certificate = SSL_SESSION_get0_peer(kept);
    if (certificate != NULL && !still_good(SSL_get_app_data(session), kept, certificate))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

void stream_tls_tickets_use(SSL_CTX *context)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, (long)TLS_TICKETS_LIFETIME);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_key);
    SSL_CTX_set_session_ticket_cb(context, on_sealing, on_opened, NULL);
}
