// Handshakes as a client: whom a message may be sent to (RFC 5922 7.3), and what the server sees of us.
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

#include "scene.h"

#define CASES(table) (sizeof(table) / sizeof((table)[0]))

static struct scene scene;

// A server that has a certificate.
struct server {
    const char *certificate;
    int version;     // 0: any
    bool asks;       // for ours
    bool demands;    // and does without it not
    char asked[256]; // the name that it was asked for; empty: none
    char shown[64];  // the common name of ours; empty: none
    bool stands;     // as it thinks
};

static int any(int good, X509_STORE_CTX *chain)
{
    (void)good, (void)chain;
    return 1;
}

static void note(struct server *server, SSL *session)
{
    const char *asked = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    X509 *shown = SSL_get1_peer_certificate(session);

    if (asked != NULL)
        snprintf(server->asked, sizeof(server->asked), "%s", asked);
    if (shown != NULL)
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, server->shown,
                                  sizeof(server->shown));
    X509_free(shown);
}

static void serve(struct server *server, struct scene_peer *peer, int fd)
{
    char file[64];

    *peer = (struct scene_peer){.fd = fd, .context = SSL_CTX_new(TLS_server_method())};
    SSL_CTX_set_security_level(peer->context, 0);
    snprintf(file, sizeof(file), "%s.pem", server->certificate);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(peer->context, certificates_path(&scene.made, file)),
                     1);
    snprintf(file, sizeof(file), "%s.key", server->certificate);
    assert_int_equal(
        SSL_CTX_use_PrivateKey_file(peer->context, certificates_path(&scene.made, file), SSL_FILETYPE_PEM),
        1);
    if (server->version != 0) {
        SSL_CTX_set_min_proto_version(peer->context, server->version);
        SSL_CTX_set_max_proto_version(peer->context, server->version);
    }
    if (server->asks)
        SSL_CTX_set_verify(peer->context,
                           SSL_VERIFY_PEER | (server->demands ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), any);
    peer->session = SSL_new(peer->context);
    assert_int_equal(SSL_set_fd(peer->session, fd), 1);
    server->stands = SSL_accept(peer->session) == 1;
    note(server, peer->session);
}

static enum stream_end reach(struct server *server, const char *expected, struct connection *connection,
                             struct scene_peer *peer, struct handshake_end *end)
{
    int fd;

    scene_pair(connection, SCENE_NO, &fd);
    connection->outgoing = true;
    connection->expected = (char *)(uintptr_t)expected;
    assert_non_null(stream_handshake_begin(scene.handshakes, scene.tls, connection));
    serve(server, peer, fd);
    *end = scene_wait(&scene);
    connection->tls = end->session;
    connection->verified = end->verified;
    return end->session == NULL ? end->end : SCENE_STANDS;
}

static void leave(struct connection *connection, struct scene_peer *peer)
{
    scene_peer_free(peer);
    scene_connection_free(connection);
}

static void test_only_who_proves_the_name_is_spoken_to(void **state)
{
    static const struct wanted servers[] = {
        {.name = "uri", .san = "URI:sip:example.com,DNS:sbc.example.com", .signer = "ca"},
        {.name = "dns", .san = "DNS:sbc.example.com", .signer = "ca"},
        {.name = "star", .san = "DNS:*.example.com", .signer = "ca"},
        {.name = "cn.example", .signer = "ca"},
        {.name = "address", .san = "IP:192.0.2.1,IP:2001:db8::1", .signer = "ca"},
        {.name = "expired", .san = "DNS:sbc.example.com", .signer = "ca", .from = -2 * DAY, .to = -DAY},
        {.name = "self", .san = "DNS:sbc.example.com"},
        {.name = "foreign", .san = "DNS:sbc.example.com", .signer = "stranger"},
        {.name = "mail", .san = "DNS:sbc.example.com", .signer = "ca", .usage = "emailProtection"},
        {.name = "sip", .san = "DNS:sbc.example.com", .signer = "ca", .usage = "1.3.6.1.5.5.7.3.20"},
        {.name = "web", .san = "DNS:sbc.example.com", .signer = "ca", .usage = "serverAuth"},
    };
    static const struct {
        const char *certificate, *expected;
        bool proved;
    } cases[] = {
        {"uri", "example.com", true},       {"uri", "EXAMPLE.com", true},
        {"uri", "sbc.example.com", false}, // RFC 5922 7.1: the URI alone counts
        {"dns", "sbc.example.com", true},   {"dns", "example.com", false},
        {"dns", "192.0.2.1", false},        {"dns", NULL, false},
        {"star", "sbc.example.com", false}, // 7.2
        {"cn.example", "cn.example", true}, {"address", "192.0.2.1", true},
        {"address", "[2001:db8::1]", true}, {"address", "192.0.2.2", false},
        {"address", "address", false},      {"expired", "sbc.example.com", false},
        {"self", "sbc.example.com", false}, {"foreign", "sbc.example.com", false},
        {"mail", "sbc.example.com", false}, {"sip", "sbc.example.com", true},
        {"web", "sbc.example.com", true},
    };
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (unsigned i = 0; i < CASES(servers); i++)
        certificates_make(&scene.made, &servers[i]);
    for (unsigned i = 0; i < CASES(cases) * 2; i++) {
        struct server server = {.certificate = cases[i / 2].certificate, .version = versions[i % 2]};
        struct connection connection;
        struct scene_peer peer;
        struct handshake_end end;
        enum stream_end why = reach(&server, cases[i / 2].expected, &connection, &peer, &end);

        if (why != (cases[i / 2].proved ? SCENE_STANDS : STREAM_END_CERTIFICATE))
            fail_msg("%s as %s: %u", server.certificate, cases[i / 2].expected, why);
        assert_int_equal(end.verified, cases[i / 2].proved);
        assert_int_equal(server.stands, cases[i / 2].proved);
        if (cases[i / 2].proved) {
            assert_true(stream_tls_proves(&connection, slice_text(cases[i / 2].expected)));
            assert_false(stream_tls_proves(&connection, SLICE("elsewhere.example")));
        }
        leave(&connection, &peer);
    }
}

static void test_without_verification_anybody_is_spoken_to_and_nothing_proved(void **state)
{
    struct server server = {.certificate = "server"};
    struct connection connection;
    struct scene_peer peer;
    struct handshake_end end;

    (void)state;
    scene.conf.tls_verify_servers = false;
    scene_reload(&scene);
    assert_int_equal(reach(&server, "elsewhere.example", &connection, &peer, &end), SCENE_STANDS);
    assert_false(end.verified);
    assert_false(stream_tls_proves(&connection, SLICE("proxy.example.com")));
    leave(&connection, &peer);
    scene.conf.tls_verify_servers = true;
    scene_reload(&scene);
}

static void test_the_name_is_asked_for_and_an_address_is_not(void **state)
{
    static const struct {
        const char *expected, *asked;
    } cases[] = {
        {"proxy.example.com", "proxy.example.com"},
        {"192.0.2.1", ""},
        {"[2001:db8::1]", ""},
    };

    (void)state;
    for (unsigned i = 0; i < CASES(cases); i++) {
        // An old version, in which the server knows what it was asked for although the client hangs up.
        struct server server = {.certificate = "server", .version = TLS1_2_VERSION};
        struct connection connection;
        struct scene_peer peer;
        struct handshake_end end;

        reach(&server, cases[i].expected, &connection, &peer, &end);
        assert_string_equal(server.asked, cases[i].asked);
        leave(&connection, &peer);
    }
}

static void test_who_asks_is_shown_the_first_certificate(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    struct handshake_end end;

    (void)state;
    for (unsigned demands = 0; demands < 2; demands++) {
        struct server server = {.certificate = "server", .asks = true, .demands = demands};

        assert_int_equal(reach(&server, "proxy.example.com", &connection, &peer, &end), SCENE_STANDS);
        assert_true(server.stands);
        assert_string_equal(server.shown, "server");
        leave(&connection, &peer);
    }
    struct server incurious = {.certificate = "server"};
    assert_int_equal(reach(&incurious, "proxy.example.com", &connection, &peer, &end), SCENE_STANDS);
    assert_string_equal(incurious.shown, "");
    leave(&connection, &peer);
}

// Both ends are ours: one message each way, then the end.
static void test_what_a_server_says_first_is_read(void **state)
{
    struct server server = {.certificate = "server"};
    struct connection connection;
    struct scene_peer peer;
    struct handshake_end end;
    char bytes[8];
    int got;

    (void)state;
    assert_int_equal(reach(&server, "proxy.example.com", &connection, &peer, &end), SCENE_STANDS);
    assert_int_equal(SSL_write(peer.session, "OPTIONS", 7), 7);
    // Its tickets come before.
    for (unsigned tries = 0; (got = stream_tls_read(&connection, bytes, sizeof(bytes))) < 0; tries++)
        assert_in_range(tries, 0, 4);
    assert_int_equal(got, 7);
    assert_int_equal(stream_tls_write(&connection, "200", 3), 3);
    assert_int_equal(SSL_read(peer.session, bytes, sizeof(bytes)), 3);
    leave(&connection, &peer);
}

static int begin(void **state)
{
    (void)state;
    scene_begin(&scene, 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_end(&scene);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_who_proves_the_name_is_spoken_to),
        cmocka_unit_test(test_without_verification_anybody_is_spoken_to_and_nothing_proved),
        cmocka_unit_test(test_the_name_is_asked_for_and_an_address_is_not),
        cmocka_unit_test(test_who_asks_is_shown_the_first_certificate),
        cmocka_unit_test(test_what_a_server_says_first_is_read),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
