#include "stream_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

bool stream_client_prepare(struct stream_client_setup *setup)
{
    setup->tls = SSL_CTX_new(TLS_client_method());
    if (setup->tls == NULL)
        return false;
    SSL_CTX_set_mode(setup->tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(setup->tls, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(setup->tls, setup->version) == 1 &&
           SSL_CTX_set_max_proto_version(setup->tls, setup->version) == 1;
}

void stream_client_forget(struct stream_client_setup *setup)
{
    SSL_SESSION_free(setup->session);
    SSL_CTX_free(setup->tls);
}

static socklen_t write_address(const struct endpoint *endpoint, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    if (endpoint->family == ENDPOINT_IP6) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(endpoint->port);
        memcpy(&six->sin6_addr, endpoint->address, 16);
        return sizeof(*six);
    }
    four->sin_family = AF_INET;
    four->sin_port = htons(endpoint->port);
    memcpy(&four->sin_addr, endpoint->address, 4);
    return sizeof(*four);
}

// A port of an address leads to one server only once: many connections want several addresses.
static void bind_source(const struct stream_client *client, unsigned serial)
{
    unsigned last = 1 + serial % client->setup->sources;
    struct endpoint source = endpoint_ip4(127, 0, (uint8_t)(last / 250), (uint8_t)(1 + last % 250), 0);
    struct sockaddr_storage address;
    socklen_t len = write_address(&source, &address);
    int one = 1;

    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    if (bind(client->fd, (struct sockaddr *)&address, len) != 0)
        perror("bench-stream: bind");
}

int stream_client_begin(struct stream_client *client, unsigned serial)
{
    struct sockaddr_storage address;
    socklen_t len = write_address(&client->setup->server, &address);
    int one = 1;

    client->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return -errno;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (client->setup->sources > 0)
        bind_source(client, serial);
    if (connect(client->fd, (struct sockaddr *)&address, len) != 0 && errno != EINPROGRESS) {
        int error = -errno;
        stream_client_reset(client);
        return error;
    }
    client->ssl = SSL_new(client->setup->tls);
    SSL_set_fd(client->ssl, client->fd);
    SSL_set_connect_state(client->ssl);
    if (client->setup->session != NULL)
        SSL_set_session(client->ssl, client->setup->session);
    client->state = STREAM_CLIENT_CONNECTING;
    client->wants_write = true;
    client->held = 0;
    client->events = stream_client_events(client);
    return 0;
}

uint32_t stream_client_events(const struct stream_client *client)
{
    return client->wants_write ? EPOLLOUT | EPOLLIN : EPOLLIN;
}

// Whether OpenSSL only waits for the socket.
static bool only_waits(struct stream_client *client, int result)
{
    int why = SSL_get_error(client->ssl, result);

    client->wants_write = why == SSL_ERROR_WANT_WRITE;
    ERR_clear_error();
    return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ;
}

// TLS 1.3 sends its ticket behind the handshake, so it is there with the first byte that is read.
static void keep_ticket(const struct stream_client *client)
{
    SSL_SESSION *session = SSL_get1_session(client->ssl);

    if (client->setup->resume && client->setup->session == NULL && SSL_SESSION_is_resumable(session))
        client->setup->session = session;
    else
        SSL_SESSION_free(session);
}

static enum stream_client_news shake(struct stream_client *client)
{
    int result = SSL_connect(client->ssl);

    if (result != 1)
        return only_waits(client, result) ? STREAM_CLIENT_NOTHING : STREAM_CLIENT_FAILED;
    client->state = STREAM_CLIENT_OPEN;
    client->wants_write = false;
    if (client->setup->resume) {
        char byte;
        SSL_peek(client->ssl, &byte, 1);
        ERR_clear_error();
        keep_ticket(client);
    }
    return STREAM_CLIENT_STANDS;
}

// The answers are small and have no body.
static enum stream_client_news hear(struct stream_client *client)
{
    for (;;) {
        int n =
            SSL_read(client->ssl, client->text + client->held, (int)(sizeof(client->text) - client->held));
        if (n <= 0)
            return only_waits(client, n) ? STREAM_CLIENT_NOTHING : STREAM_CLIENT_FAILED;
        client->held += (uint16_t)n;
        if (client->held >= 4 && memcmp(client->text + client->held - 4, "\r\n\r\n", 4) == 0) {
            bool good = memcmp(client->text, "SIP/2.0 200 ", 12) == 0;
            client->held = 0;
            return good ? STREAM_CLIENT_ANSWERED : STREAM_CLIENT_FAILED;
        }
        if (client->held == sizeof(client->text))
            return STREAM_CLIENT_FAILED;
    }
}

enum stream_client_news stream_client_turn(struct stream_client *client)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (client->state == STREAM_CLIENT_CONNECTING) {
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error != 0)
            return STREAM_CLIENT_FAILED;
        client->state = STREAM_CLIENT_SHAKING;
    }
    return client->state == STREAM_CLIENT_SHAKING ? shake(client) : hear(client);
}

void stream_client_ask(struct stream_client *client)
{
    char server[ENDPOINT_TEXT_MAX], text[STREAM_CLIENT_TEXT];
    unsigned len = endpoint_write(&client->setup->server, server);

    client->cseq++;
    int n = snprintf(text, sizeof(text),
                     "OPTIONS sip:%.*s;transport=tls SIP/2.0\r\n"
                     "Via: SIP/2.0/TLS client.invalid:5061;branch=z9hG4bK%x.%x\r\n"
                     "Max-Forwards: 70\r\n"
                     "From: <sip:%u@client.invalid>;tag=%x\r\n"
                     "To: <sip:%.*s;transport=tls>\r\n"
                     "Call-ID: %x@client.invalid\r\n"
                     "CSeq: %u OPTIONS\r\n"
                     "Content-Length: 0\r\n\r\n",
                     (int)len, server, client->number, client->cseq, client->number, client->number, (int)len,
                     server, client->number, client->cseq);
    // A few hundred bytes into the empty buffer of a socket: all of it goes.
    if (SSL_write(client->ssl, text, n) != n)
        ERR_clear_error();
}

void stream_client_reset(struct stream_client *client)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (client->fd < 0)
        return;
    SSL_free(client->ssl);
    client->ssl = NULL;
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(client->fd);
    client->fd = -1;
}
