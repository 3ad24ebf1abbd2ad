#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_conf(struct scene *scene)
{
    static char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20",
                suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
    static char name[] = "main";
    struct conf *conf = &scene->conf;

    for (unsigned i = 0; i < 4; i++) {
        scene->listeners[i] = (struct conf_listener){.name = name, .transport = ENDPOINT_TLS};
        scene->listeners[i].address.transport = ENDPOINT_TLS;
    }
    scene->listeners[SCENE_ASKED].client_certificate = CONF_CLIENT_CERTIFICATE_ASKED;
    scene->listeners[SCENE_REQUIRED].client_certificate = CONF_CLIENT_CERTIFICATE_REQUIRED;
    scene->listeners[SCENE_WEB].transport = ENDPOINT_WSS;
    scene->listeners[SCENE_WEB].address.transport = ENDPOINT_WSS;
    scene->certificates[0] = (struct conf_certificate){name, certificates_path(&scene->made, "server.pem"),
                                                       certificates_path(&scene->made, "server.key")};
    conf->tls_ciphers = (struct conf_text){ciphers, sizeof(ciphers) - 1};
    conf->tls_ciphersuites = (struct conf_text){suites, sizeof(suites) - 1};
    conf->tls_authorities = certificates_path(&scene->made, "ca.pem");
    conf->tls_verify_servers = true;
    conf->listeners = scene->listeners;
    conf->listeners_n = 4;
    conf->certificates = scene->certificates;
    conf->certificates_n = 1;
}

void scene_begin(struct scene *scene, unsigned threads)
{
    *scene = (struct scene){0};
    certificates_begin(&scene->made);
    certificates_make(&scene->made, &(struct wanted){.name = "ca", .authority = true});
    certificates_make(&scene->made, &(struct wanted){.name = "stranger", .authority = true});
    certificates_make(&scene->made,
                      &(struct wanted){.name = "server", .san = "DNS:proxy.example.com", .signer = "ca"});
    set_conf(scene);
    scene_reload(scene);
    assert_int_equal(stream_handshakes_create(&scene->handshakes, threads), 0);
}

void scene_end(struct scene *scene)
{
    stream_handshakes_destroy(scene->handshakes);
    stream_tls_destroy(scene->tls);
    certificates_end(&scene->made);
}

void scene_reload(struct scene *scene)
{
    struct stream_tls *next = stream_tls_create(&scene->conf, stderr);

    assert_non_null(next);
    stream_tls_destroy(scene->tls);
    scene->tls = next;
}

void scene_pair(struct connection *connection, unsigned listener, int *peer)
{
    struct timeval patience = {.tv_sec = SCENE_PATIENCE_MS / 1000};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    *connection = (struct connection){.fd = fds[0], .listener = (uint8_t)listener};
    connection->peer.transport = listener == SCENE_WEB ? ENDPOINT_WSS : ENDPOINT_TLS;
    *peer = fds[1];
}

void scene_client(struct scene *scene, struct scene_peer *peer, int fd, const struct scene_client *client)
{
    char file[64];

    *peer = (struct scene_peer){.fd = fd, .context = SSL_CTX_new(TLS_client_method())};
    assert_non_null(peer->context);
    if (client->version != 0) {
        assert_int_equal(SSL_CTX_set_min_proto_version(peer->context, client->version), 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(peer->context, client->version), 1);
    }
    // What the server refuses is its own decision, not this client's.
    SSL_CTX_set_security_level(peer->context, 0);
    if (client->ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(peer->context, client->ciphers), 1);
    if (client->certificate != NULL) {
        snprintf(file, sizeof(file), "%s.pem", client->certificate);
        assert_int_equal(
            SSL_CTX_use_certificate_chain_file(peer->context, certificates_path(&scene->made, file)), 1);
        snprintf(file, sizeof(file), "%s.key", client->certificate);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(peer->context, certificates_path(&scene->made, file),
                                                     SSL_FILETYPE_PEM),
                         1);
    }
    peer->session = SSL_new(peer->context);
    assert_non_null(peer->session);
    assert_int_equal(SSL_set_fd(peer->session, fd), 1);
    SSL_set_connect_state(peer->session);
    if (client->name != NULL)
        assert_int_equal(SSL_set_tlsext_host_name(peer->session, client->name), 1);
    if (client->alpn != NULL)
        assert_int_equal(SSL_set_alpn_protos(peer->session, (const unsigned char *)client->alpn,
                                             (unsigned)strlen(client->alpn)),
                         0);
    if (client->resume != NULL)
        assert_int_equal(SSL_set_session(peer->session, client->resume), 1);
}

void scene_peer_free(struct scene_peer *peer)
{
    SSL_free(peer->session);
    SSL_CTX_free(peer->context);
    if (peer->fd >= 0)
        close(peer->fd);
    *peer = (struct scene_peer){.fd = -1};
    ERR_clear_error();
}

struct handshake_end scene_wait(struct scene *scene)
{
    struct pollfd back = {.fd = stream_handshakes_fd(scene->handshakes), .events = POLLIN};
    struct handshake_end end;

    while (!stream_handshakes_next(scene->handshakes, &end))
        assert_int_equal(poll(&back, 1, SCENE_PATIENCE_MS), 1);
    return end;
}

enum stream_end scene_shake(struct scene *scene, unsigned listener, const struct scene_client *client,
                            struct connection *connection, struct scene_peer *peer, struct handshake_end *end)
{
    int fd;
    char byte = 0;

    scene_pair(connection, listener, &fd);
    scene_client(scene, peer, fd, client);
    assert_non_null(stream_handshake_begin(scene->handshakes, scene->tls, connection));
    bool connected = SSL_do_handshake(peer->session) == 1;
    *end = scene_wait(scene);
    assert_ptr_equal(end->connection, connection);
    assert_int_equal(end->fd, connection->fd);
    connection->tls = end->session;
    connection->verified = end->verified;
    if (end->session == NULL)
        return end->end;

    assert_true(connected);
    assert_int_equal(stream_tls_write(connection, "!", 1), 1);
    assert_int_equal(SSL_read(peer->session, &byte, 1), 1);
    assert_int_equal(byte, '!');
    return SCENE_STANDS;
}

void scene_connection_free(struct connection *connection)
{
    stream_tls_end(connection);
    close(connection->fd);
    connection->fd = -1;
}
