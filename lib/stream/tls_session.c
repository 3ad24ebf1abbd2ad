// A session from its making to its end: bytes, names, farewell.
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>

#include "stream/identity.h"
#include "stream/tls.h"

#define NAMES_MAX 32 // of one certificate that are looked at

// Handshake messages of a peer in a row, with no bytes between: a few tickets, or new keys. More cost us arithmetic and
// the peer nothing.
#define CHATTER_MAX 32

// Sessions are not taken over from a listener that asks for less (RFC 8446 4.2.11 leaves it to us).
static bool set_terms(SSL *session, const struct tls_terms *terms)
{
    const uint8_t context[] = {'s', 'i', 'p', terms->web, terms->client_certificate};
    int verify = SSL_VERIFY_NONE;

    if (terms->client_certificate != CONF_CLIENT_CERTIFICATE_NO)
        verify = SSL_VERIFY_PEER;
    if (terms->client_certificate == CONF_CLIENT_CERTIFICATE_REQUIRED)
        verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_set_verify(session, verify, NULL);
    SSL_set_accept_state(session);
    return SSL_set_session_id_context(session, context, sizeof(context)) == 1;
}

// RFC 6066 3: a name, never an address.
static bool set_name(SSL *session, const char *expected)
{
    struct endpoint address;

    SSL_set_connect_state(session);
    return expected[0] == '\0' || endpoint_parse_host(slice_text(expected), &address) ||
           SSL_set_tlsext_host_name(session, expected) == 1;
}

SSL *stream_tls_session_create(struct tls_terms *terms, int fd)
{
    struct stream_tls *tls = terms->tls;
    SSL_CTX *context = terms->outgoing ? tls->client : tls->servers_n > 0 ? tls->servers[0] : NULL;
    SSL *session = context == NULL ? NULL : SSL_new(context);

    if (session == NULL)
        return NULL;
    if (SSL_set_app_data(session, terms) != 1 || SSL_set_fd(session, fd) != 1 ||
        !(terms->outgoing ? set_name(session, terms->expected) : set_terms(session, terms))) {
        SSL_free(session);
        return NULL;
    }
    return session;
}

// The session's own pointer counts what the peer said since the last bytes.
static void on_message(int ours, int version, int type, const void *message, size_t len, SSL *session,
                       void *unused)
{
    uintptr_t said = (uintptr_t)SSL_get_app_data(session);

    (void)version, (void)message, (void)len, (void)unused;
    if (!ours && type == SSL3_RT_HANDSHAKE)
        SSL_set_app_data(session, (void *)(said + 1));
}

bool stream_tls_session_stands(SSL *session)
{
    SSL_set_app_data(session, NULL);
    SSL_set_msg_callback(session, on_message);
    return (SSL_get_verify_mode(session) & SSL_VERIFY_PEER) != 0 &&
           SSL_get_verify_result(session) == X509_V_OK && SSL_get0_peer_certificate(session) != NULL;
}

// What a call that gave no bytes says: 0, -EAGAIN or -errno.
static int outcome(const SSL *session, int wanted)
{
    int reset = errno == 0 || errno == EAGAIN ? -ECONNRESET : -errno;

    switch (SSL_get_error(session, 0)) {
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        // Without renegotiation nobody who reads must write first, nor the other way round.
        return SSL_want(session) == wanted ? -EAGAIN : -EPROTO;
    case SSL_ERROR_SYSCALL:
        return reset;
    default:
        return -EPROTO;
    }
}

int stream_tls_read(struct connection *connection, void *to, size_t room)
{
    SSL *session = connection->tls;
    size_t got = 0;

    ERR_clear_error();
    errno = 0;
    if (SSL_read_ex(session, to, room < INT_MAX ? room : INT_MAX, &got) == 1) {
        SSL_set_app_data(session, NULL);
        return (int)got;
    }
    int result = outcome(session, SSL_READING);
    ERR_clear_error();
    return result == -EAGAIN && (uintptr_t)SSL_get_app_data(session) > CHATTER_MAX ? -EPROTO : result;
}

int stream_tls_write(struct connection *connection, const void *from, size_t len)
{
    size_t taken = 0;

    ERR_clear_error();
    errno = 0;
    if (SSL_write_ex(connection->tls, from, len < INT_MAX ? len : INT_MAX, &taken) == 1)
        return (int)taken;
    int result = outcome(connection->tls, SSL_WRITING);
    ERR_clear_error();
    return result == 0 ? -EPIPE : result;
}

bool stream_tls_pending(const struct connection *connection)
{
    return SSL_pending(connection->tls) > 0;
}

void stream_tls_end(struct connection *connection)
{
    if (connection->tls == NULL)
        return;
    // Where the session is broken, or something did not leave, there is no farewell.
    ERR_clear_error();
    (void)SSL_shutdown(connection->tls);
    ERR_clear_error();
    SSL_free(connection->tls);
    connection->tls = NULL;
}

bool stream_tls_proves(const struct connection *connection, struct slice name)
{
    return connection->verified && connection->tls != NULL &&
           stream_identity_is(SSL_get0_peer_certificate(connection->tls), name);
}

struct numbered {
    unsigned left;
    char *name;
};

static bool take_numbered(void *owner, struct slice name)
{
    struct numbered *numbered = owner;

    if (numbered->left-- > 0)
        return false;
    memcpy(numbered->name, name.at, name.len); // a name has at most 255 bytes
    numbered->name[name.len] = '\0';
    return true;
}

bool stream_tls_name(const struct connection *connection, unsigned i, char *name)
{
    struct numbered numbered = {i, name};

    return connection->verified && connection->tls != NULL && i < NAMES_MAX &&
           stream_identity_each(SSL_get0_peer_certificate(connection->tls), take_numbered, &numbered);
}
