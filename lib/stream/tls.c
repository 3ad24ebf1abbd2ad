// The contexts of a configuration.
#include "stream/tls.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "stream/identity.h"
#include "stream/tls_tickets.h"

// No compression (CRIME), nothing renegotiated: a peer that wants other keys connects again. The strongest that we list
// wins, but for phones whose processor knows no AES. SIP frames its messages itself, so an end without farewell cuts
// nothing off that would be taken for whole.
#define OPTIONS                                                                          \
    (SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | \
     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF)

#define CHAIN_BYTES (32 * 1024) // of certificates that a peer may show: ten large ones

// Buffers are there only while bytes are in them; what a write did not take comes again, from wherever it is then.
#define MODES (SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)

static bool is_secure(const struct conf_listener *listener)
{
    return endpoint_is_secure(&listener->address);
}

static bool refuse_unsafe(const SSL_CTX *context, const char *ciphers, FILE *errors)
{
    STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(context);

    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(list, i);

        if (SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null ||
            SSL_CIPHER_get_cipher_nid(cipher) == NID_undef) {
            fprintf(errors,
                    "[tls] ciphers: %s: %s proves nobody's name or hides nothing; add :!aNULL:!eNULL\n",
                    ciphers, SSL_CIPHER_get_name(cipher));
            return false;
        }
    }
    return true;
}

// What they refuse is the same for all contexts, and said of the client's.
static void set_ciphers(SSL_CTX *context, const struct conf *conf)
{
    (void)SSL_CTX_set_cipher_list(context, conf->tls_ciphers.text);
    (void)SSL_CTX_set_ciphersuites(context, conf->tls_ciphersuites.text);
    ERR_clear_error();
}

// OpenSSL passes over a suite that it does not know, if it knows another.
static bool check_suites(const SSL_CTX *context, const char *suites, FILE *errors)
{
    STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(context);
    bool good = true;

    for (const char *at = suites; *at != '\0'; at += *at == ':') {
        int len = (int)strcspn(at, ":");
        bool known = false;

        for (int i = 0; i < sk_SSL_CIPHER_num(list) && !known; i++) {
            const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i));
            known = (int)strlen(name) == len && strncmp(name, at, (size_t)len) == 0;
        }
        if (!known)
            fprintf(errors,
                    "[tls] ciphersuites: %.*s: there is none of that name; \"openssl ciphers -s -tls1_3\" "
                    "lists them\n",
                    len, at);
        good = good && known;
        at += len;
    }
    return good;
}

static bool check_ciphers(SSL_CTX *context, const struct conf *conf, FILE *errors)
{
    const char *ciphers = conf->tls_ciphers.text, *suites = conf->tls_ciphersuites.text;
    bool good = true;

    ERR_clear_error();
    if (SSL_CTX_set_cipher_list(context, ciphers) != 1) {
        fprintf(errors, "[tls] ciphers: %s: %s; \"openssl ciphers -v\" lists what there is\n", ciphers,
                stream_tls_reason());
        good = false;
    } else {
        good = refuse_unsafe(context, ciphers, errors);
    }
    return check_suites(context, suites, errors) && good;
}

static SSL_CTX *make_context(struct stream_tls *tls, const struct conf *conf, const SSL_METHOD *method,
                             FILE *errors)
{
    SSL_CTX *context = SSL_CTX_new(method);

    if (context == NULL) {
        fprintf(errors, "[tls]: OpenSSL makes no context: %s\n", stream_tls_reason());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context,
                                  conf->tls_minimum == CONF_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    set_ciphers(context, conf);
    SSL_CTX_set_options(context, OPTIONS);
    SSL_CTX_set_mode(context, MODES);
    // One call reads one record, so that nobody keeps a call busy with records that carry nothing (tls_session.c).
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_max_cert_list(context, CHAIN_BYTES);
    SSL_CTX_set_cert_verify_callback(context, stream_tls_verify, NULL);
    SSL_CTX_set1_cert_store(context, tls->authorities);
    return context;
}

static bool show(SSL_CTX *context, const struct tls_certificate *certificate,
                 const struct conf_certificate *from, FILE *errors)
{
    if (SSL_CTX_use_cert_and_key(context, certificate->leaf, certificate->key, certificate->chain, 1) == 1)
        return true;
    fprintf(errors, "[certificate %s] chain: %s: cannot be used: %s; get another one\n", from->name,
            from->chain, stream_tls_reason());
    ERR_clear_error();
    return false;
}

// RFC 6066 3: a name that no certificate has is no reason to hang up; the client decides if it likes what it is shown.
static int on_name(SSL *session, int *alert, void *unused)
{
    const struct tls_terms *terms = SSL_get_app_data(session);
    const char *asked = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);

    (void)alert, (void)unused;
    if (asked == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_CTX *context = stream_tls_names_find(terms->tls, slice_text(asked));
    if (context == NULL || SSL_set_SSL_CTX(session, context) == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_OK;
}

// RFC 7301. Who offers something offers SIP here, or the HTTP that a WebSocket begins with: else it is a client of
// another kind, perhaps one that somebody has led astray, and is refused (3.2).
static int on_alpn(SSL *session, const unsigned char **chosen, unsigned char *chosen_len,
                   const unsigned char *offered, unsigned offered_len, void *unused)
{
    static const unsigned char sip[] = "\x05sip/2\x03sip", web[] = "\x08http/1.1";
    const struct tls_terms *terms = SSL_get_app_data(session);
    unsigned char *found = NULL;
    int agreed;

    (void)unused;
    if (terms->web)
        agreed = SSL_select_next_proto(&found, chosen_len, web, sizeof(web) - 1, offered, offered_len);
    else
        agreed = SSL_select_next_proto(&found, chosen_len, sip, sizeof(sip) - 1, offered, offered_len);
    *chosen = found;
    return agreed == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool make_server(struct stream_tls *tls, const struct conf *conf, const struct conf_certificate *from,
                        FILE *errors)
{
    struct tls_certificate certificate;
    SSL_CTX *context = make_context(tls, conf, TLS_server_method(), errors);
    bool good = false;

    if (context == NULL)
        return false;
    tls->servers[tls->servers_n++] = context;
    SSL_CTX_set_tlsext_servername_callback(context, on_name);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    if (tls->authority_names != NULL)
        SSL_CTX_set_client_CA_list(context, SSL_dup_CA_list(tls->authority_names));
    stream_tls_tickets_use(context);
    if (stream_tls_certificate_load(&certificate, from, errors) &&
        show(context, &certificate, from, errors)) {
        good = stream_tls_names_add(tls, certificate.leaf, context);
        // Servers that ask who connects to them are shown the first.
        if (tls->servers_n == 1)
            good = show(tls->client, &certificate, from, errors) && good;
    }
    stream_tls_certificate_drop(&certificate);
    return good;
}

static bool make_servers(struct stream_tls *tls, const struct conf *conf, FILE *errors)
{
    bool good = true;

    tls->servers = calloc(conf->certificates_n + 1, sizeof(SSL_CTX *));
    if (tls->servers == NULL)
        return false;
    for (unsigned i = 0; i < conf->certificates_n; i++)
        good = make_server(tls, conf, &conf->certificates[i], errors) && good;
    for (unsigned i = 0; i < conf->listeners_n; i++) {
        tls->client_certificate[i] = (uint8_t)conf->listeners[i].client_certificate;
        if (is_secure(&conf->listeners[i]) && conf->certificates_n == 0) {
            fprintf(errors,
                    "[listener %s] address: speaks TLS and there is no certificate to show; add a "
                    "[certificate NAME]\n",
                    conf->listeners[i].name);
            good = false;
        }
    }
    return good;
}

static bool make_client(struct stream_tls *tls, const struct conf *conf, FILE *errors)
{
    tls->client = make_context(tls, conf, TLS_client_method(), errors);
    if (tls->client == NULL)
        return false;
    SSL_CTX_set_session_cache_mode(tls->client, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(tls->client, tls->verify_servers ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    return check_ciphers(tls->client, conf, errors);
}

static bool load_authorities(struct stream_tls *tls, const struct conf *conf, FILE *errors)
{
    tls->authorities = X509_STORE_new();
    if (tls->authorities == NULL)
        return false;
    if (conf->tls_authorities == NULL)
        return X509_STORE_set_default_paths(tls->authorities) == 1;

    ERR_clear_error();
    tls->authority_names = SSL_load_client_CA_file(conf->tls_authorities);
    if (tls->authority_names == NULL || X509_STORE_load_file(tls->authorities, conf->tls_authorities) != 1) {
        fprintf(errors,
                "[tls] authorities: %s: no certificates can be read: %s; give a PEM file of those who sign "
                "peers'\n",
                conf->tls_authorities, stream_tls_reason());
        return false;
    }
    // Who is in the file is trusted, also where he is no root.
    X509_STORE_set_flags(tls->authorities, X509_V_FLAG_PARTIAL_CHAIN);
    return true;
}

struct stream_tls *stream_tls_create(const struct conf *conf, FILE *errors)
{
    struct stream_tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL || RAND_bytes(tls->id, sizeof(tls->id)) != 1) {
        fprintf(errors, "[tls]: no memory, or no randomness\n");
        free(tls);
        return NULL;
    }
    atomic_init(&tls->users, 1);
    tls->verify_servers = conf->tls_verify_servers;
    // All faults in one go.
    bool good = load_authorities(tls, conf, errors);
    good = tls->authorities != NULL && make_client(tls, conf, errors) && good;
    good = tls->client != NULL && make_servers(tls, conf, errors) && good;
    ERR_clear_error();
    if (!good) {
        stream_tls_destroy(tls);
        return NULL;
    }
    return tls;
}

struct stream_tls *stream_tls_keep(struct stream_tls *tls)
{
    atomic_fetch_add_explicit(&tls->users, 1, memory_order_relaxed);
    return tls;
}

void stream_tls_destroy(struct stream_tls *tls)
{
    if (tls == NULL || atomic_fetch_sub_explicit(&tls->users, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < tls->servers_n; i++)
        SSL_CTX_free(tls->servers[i]);
    free(tls->servers);
    stream_tls_names_free(tls);
    SSL_CTX_free(tls->client);
    X509_STORE_free(tls->authorities);
    sk_X509_NAME_pop_free(tls->authority_names, X509_NAME_free);
    free(tls);
}
