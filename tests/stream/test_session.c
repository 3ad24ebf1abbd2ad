// Bytes through a session that stands, both ways; what a peer may do there, and how it ends.
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scene.h"

static struct scene scene;
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

#define VERSIONS 2
#define LARGE    (1024 * 1024)

static void stand(int version, struct connection *connection, struct scene_peer *peer)
{
    struct scene_client client = {.version = version};
    struct handshake_end end;

    assert_int_equal(scene_shake(&scene, SCENE_NO, &client, connection, peer, &end), SCENE_STANDS);
}

static void fall(struct connection *connection, struct scene_peer *peer)
{
    scene_peer_free(peer);
    scene_connection_free(connection);
}

// As control's loop does: reads until something comes.
static int read_some(struct connection *connection, void *to, size_t room)
{
    struct pollfd readable = {.fd = connection->fd, .events = POLLIN};
    int got;

    while ((got = stream_tls_read(connection, to, room)) == -EAGAIN)
        assert_int_equal(poll(&readable, 1, SCENE_PATIENCE_MS), 1);
    return got;
}

static void test_bytes_that_came_with_the_handshake_are_read(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VERSIONS; i++) {
        struct scene_client client = {.version = versions[i]};
        struct connection connection;
        struct scene_peer peer;
        char bytes[16];
        int fd;

        scene_pair(&connection, SCENE_NO, &fd);
        scene_client(&scene, &peer, fd, &client);
        assert_non_null(stream_handshake_begin(scene.handshakes, scene.tls, &connection));
        assert_int_equal(SSL_do_handshake(peer.session), 1);
        assert_int_equal(SSL_write(peer.session, "hello", 5), 5);
        connection.tls = scene_wait(&scene).session;
        assert_non_null(connection.tls);
        assert_int_equal(read_some(&connection, bytes, sizeof(bytes)), 5);
        assert_memory_equal(bytes, "hello", 5);
        fall(&connection, &peer);
    }
}

static void test_what_is_left_of_a_record_is_pending(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    char bytes[16];

    (void)state;
    for (unsigned i = 0; i < VERSIONS; i++) {
        stand(versions[i], &connection, &peer);
        assert_int_equal(stream_tls_read(&connection, bytes, sizeof(bytes)), -EAGAIN);
        assert_false(stream_tls_pending(&connection));
        assert_int_equal(SSL_write(peer.session, "0123456789", 10), 10);
        assert_int_equal(read_some(&connection, bytes, 4), 4);
        assert_true(stream_tls_pending(&connection));
        assert_int_equal(stream_tls_read(&connection, bytes + 4, 12), 6);
        assert_memory_equal(bytes, "0123456789", 10);
        assert_false(stream_tls_pending(&connection));
        fall(&connection, &peer);
    }
}

static char pattern(size_t at)
{
    return (char)(at * 31 + at / 251);
}

// Reads all that is there now.
static size_t drain(struct scene_peer *peer, size_t at)
{
    char bytes[8192];
    size_t got;

    while (SSL_read_ex(peer->session, bytes, sizeof(bytes), &got) == 1) {
        for (size_t i = 0; i < got; i++)
            assert_int_equal(bytes[i], pattern(at + i));
        at += got;
    }
    assert_int_equal(SSL_get_error(peer->session, 0), SSL_ERROR_WANT_READ);
    return at;
}

// The bytes of a try that failed come again from elsewhere, with more behind them.
static void test_what_the_socket_does_not_take_comes_again_from_elsewhere(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    char *bytes = malloc(LARGE);

    (void)state;
    assert_non_null(bytes);
    for (size_t at = 0; at < LARGE; at++)
        bytes[at] = pattern(at);
    for (unsigned i = 0; i < VERSIONS; i++) {
        size_t written = 0, got = 0;
        unsigned waits = 0;

        stand(versions[i], &connection, &peer);
        assert_int_equal(fcntl(peer.fd, F_SETFL, O_NONBLOCK), 0);
        while (written < LARGE) {
            size_t len = LARGE - written < 100000 + 5000 * waits ? LARGE - written : 100000 + 5000 * waits;
            char *elsewhere = malloc(len);

            memcpy(elsewhere, bytes + written, len);
            int taken = stream_tls_write(&connection, elsewhere, len);
            free(elsewhere);
            if (taken == -EAGAIN) {
                waits++;
                got = drain(&peer, got);
                continue;
            }
            assert_true(taken > 0);
            written += (size_t)taken;
        }
        while (got < LARGE)
            got = drain(&peer, got);
        assert_true(waits > 0);
        fall(&connection, &peer);
    }
    free(bytes);
}

static void test_a_farewell_ends_reading(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    char byte;

    (void)state;
    for (unsigned i = 0; i < VERSIONS; i++) {
        stand(versions[i], &connection, &peer);
        assert_int_equal(SSL_shutdown(peer.session), 0);
        assert_int_equal(read_some(&connection, &byte, 1), 0);
        fall(&connection, &peer);
        // Without one it is the same: SIP says itself where a message ends.
        stand(versions[i], &connection, &peer);
        close(peer.fd);
        peer.fd = -1;
        assert_int_equal(read_some(&connection, &byte, 1), 0);
        assert_true(stream_tls_write(&connection, "?", 1) < 0);
        assert_int_equal(ERR_peek_error(), 0);
        fall(&connection, &peer);
    }
}

static void test_the_end_says_farewell(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    char byte;

    (void)state;
    for (unsigned i = 0; i < VERSIONS; i++) {
        stand(versions[i], &connection, &peer);
        stream_tls_end(&connection);
        assert_null(connection.tls);
        assert_true(SSL_read(peer.session, &byte, 1) <= 0);
        assert_int_equal(SSL_get_error(peer.session, 0), SSL_ERROR_ZERO_RETURN);
        stream_tls_end(&connection); // once is enough
        fall(&connection, &peer);
    }
}

static void test_what_is_no_record_breaks_a_session(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    char byte;

    (void)state;
    for (unsigned i = 0; i < VERSIONS; i++) {
        stand(versions[i], &connection, &peer);
        assert_int_equal(write(peer.fd, "OPTIONS sip:a SIP/2.0\r\n\r\n", 25), 25);
        assert_int_equal(read_some(&connection, &byte, 1), -EPROTO);
        assert_true(read_some(&connection, &byte, 1) < 0); // and stays so
        assert_int_equal(ERR_peek_error(), 0);
        fall(&connection, &peer);
        // A record that was not made with the key.
        stand(versions[i], &connection, &peer);
        assert_int_equal(write(peer.fd, "\x17\x03\x03\x00\x20 0123456789abcdef0123456789abcdef", 38), 38);
        assert_int_equal(read_some(&connection, &byte, 1), -EPROTO);
        fall(&connection, &peer);
    }
}

// RFC 8446 4.6.3: new keys are taken, and answered where that is asked.
static void test_new_keys_are_taken(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    char bytes[8];

    (void)state;
    stand(TLS1_3_VERSION, &connection, &peer);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(SSL_key_update(peer.session, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_write(peer.session, "ping", 4), 4);
        assert_int_equal(read_some(&connection, bytes, sizeof(bytes)), 4);
        assert_int_equal(stream_tls_write(&connection, "pong", 4), 4);
        assert_int_equal(SSL_read(peer.session, bytes, sizeof(bytes)), 4);
    }
    fall(&connection, &peer);
}

static void test_new_keys_without_end_break_a_session(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    char byte;
    int got = -EAGAIN;

    (void)state;
    stand(TLS1_3_VERSION, &connection, &peer);
    for (unsigned i = 0; i < 100 && got == -EAGAIN; i++) {
        assert_int_equal(SSL_key_update(peer.session, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(peer.session), 1);
        got = stream_tls_read(&connection, &byte, 1);
    }
    assert_int_equal(got, -EPROTO);
    fall(&connection, &peer);
}

static void test_nothing_is_negotiated_again(void **state)
{
    struct connection connection;
    struct scene_peer peer;
    char bytes[8];

    (void)state;
    stand(TLS1_2_VERSION, &connection, &peer);
    assert_int_equal(fcntl(peer.fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(SSL_renegotiate(peer.session), 1);
    assert_true(SSL_do_handshake(peer.session) <= 0);
    // It is told no, and that is all.
    assert_int_equal(stream_tls_read(&connection, bytes, sizeof(bytes)), -EAGAIN);
    assert_true(SSL_do_handshake(peer.session) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    fall(&connection, &peer);
}

// Nobody's configuration is needed by a session that stands.
static void test_open_connections_outlive_reloads(void **state)
{
    struct connection connections[VERSIONS];
    struct scene_peer peers[VERSIONS];
    char bytes[8];

    (void)state;
    for (unsigned i = 0; i < VERSIONS; i++)
        stand(versions[i], &connections[i], &peers[i]);
    for (unsigned n = 0; n < 3; n++) {
        scene_reload(&scene);
        for (unsigned i = 0; i < VERSIONS; i++) {
            assert_int_equal(SSL_write(peers[i].session, "ping", 4), 4);
            assert_int_equal(read_some(&connections[i], bytes, sizeof(bytes)), 4);
            assert_int_equal(stream_tls_write(&connections[i], "pong", 4), 4);
            assert_int_equal(SSL_read(peers[i].session, bytes, sizeof(bytes)), 4);
        }
    }
    for (unsigned i = 0; i < VERSIONS; i++)
        fall(&connections[i], &peers[i]);
}

// Nor does one that is under way lose it.
static void test_a_handshake_outlives_a_reload(void **state)
{
    struct scene_client client = {0};
    struct connection connection;
    struct scene_peer peer;
    int fd;

    (void)state;
    scene_pair(&connection, SCENE_NO, &fd);
    scene_client(&scene, &peer, fd, &client);
    assert_non_null(stream_handshake_begin(scene.handshakes, scene.tls, &connection));
    scene_reload(&scene);
    assert_int_equal(SSL_do_handshake(peer.session), 1);
    connection.tls = scene_wait(&scene).session;
    assert_non_null(connection.tls);
    fall(&connection, &peer);
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
        cmocka_unit_test(test_bytes_that_came_with_the_handshake_are_read),
        cmocka_unit_test(test_what_is_left_of_a_record_is_pending),
        cmocka_unit_test(test_what_the_socket_does_not_take_comes_again_from_elsewhere),
        cmocka_unit_test(test_a_farewell_ends_reading),
        cmocka_unit_test(test_the_end_says_farewell),
        cmocka_unit_test(test_what_is_no_record_breaks_a_session),
        cmocka_unit_test(test_new_keys_are_taken),
        cmocka_unit_test(test_new_keys_without_end_break_a_session),
        cmocka_unit_test(test_nothing_is_negotiated_again),
        cmocka_unit_test(test_open_connections_outlive_reloads),
        cmocka_unit_test(test_a_handshake_outlives_a_reload),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
