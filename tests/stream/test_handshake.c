// Handshakes as a server: who gets in, who does not and why, and what comes back.
#include <dirent.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scene.h"

#define CASES(table) (sizeof(table) / sizeof((table)[0]))

static struct scene scene;

// One handshake by itself.
static enum stream_end shake(unsigned listener, const struct scene_client *client, struct handshake_end *end)
{
    struct connection connection;
    struct scene_peer peer;
    enum stream_end why = scene_shake(&scene, listener, client, &connection, &peer, end);

    scene_peer_free(&peer);
    scene_connection_free(&connection);
    return why;
}

static void test_versions_ciphers_and_protocols_decide(void **state)
{
    static const struct {
        const char *what;
        unsigned listener;
        struct scene_client client;
        enum stream_end why;
    } cases[] = {
        {"anything", SCENE_NO, {0}, SCENE_STANDS},
        {"TLS 1.3", SCENE_NO, {.version = TLS1_3_VERSION}, SCENE_STANDS},
        {"TLS 1.2", SCENE_NO, {.version = TLS1_2_VERSION}, SCENE_STANDS},
        {"TLS 1.1", SCENE_NO, {.version = TLS1_1_VERSION}, STREAM_END_HANDSHAKE},
        {"TLS 1.0", SCENE_NO, {.version = TLS1_VERSION}, STREAM_END_HANDSHAKE},
        {"ChaCha", SCENE_NO, {.version = TLS1_2_VERSION, .ciphers = "ECDHE+CHACHA20"}, SCENE_STANDS},
        {"CBC",
         SCENE_NO,
         {.version = TLS1_2_VERSION, .ciphers = "ECDHE+AES128+SHA256:!AESGCM"},
         STREAM_END_HANDSHAKE},
        {"no forward secrecy",
         SCENE_NO,
         {.version = TLS1_2_VERSION, .ciphers = "kRSA"},
         STREAM_END_HANDSHAKE},
        {"sip/2", SCENE_NO, {.alpn = "\x05sip/2"}, SCENE_STANDS},
        {"h2, sip/2", SCENE_NO, {.alpn = "\x02h2\x05sip/2"}, SCENE_STANDS},
        {"a browser at the SIP port", SCENE_NO, {.alpn = "\x02h2\x08http/1.1"}, STREAM_END_HANDSHAKE},
        {"a browser", SCENE_WEB, {.alpn = "\x08http/1.1"}, SCENE_STANDS},
        {"a phone at the web port", SCENE_WEB, {.alpn = "\x05sip/2"}, STREAM_END_HANDSHAKE},
        {"nothing offered to the web port", SCENE_WEB, {0}, SCENE_STANDS},
    };

    (void)state;
    for (unsigned i = 0; i < CASES(cases); i++) {
        struct handshake_end end;

        if (shake(cases[i].listener, &cases[i].client, &end) != cases[i].why)
            fail_msg("%s: %u", cases[i].what, end.end);
        assert_false(end.verified);
        assert_false(end.resumed);
    }
}

static void test_a_client_certificate_is_asked_for_and_judged(void **state)
{
    static const struct wanted peers[] = {
        {.name = "good", .san = "URI:sip:carrier.example", .signer = "ca"},
        {.name = "sip", .san = "DNS:carrier.example", .signer = "ca", .usage = "1.3.6.1.5.5.7.3.20"},
        {.name = "code", .san = "DNS:carrier.example", .signer = "ca", .usage = "codeSigning"},
        {.name = "expired", .san = "DNS:carrier.example", .signer = "ca", .from = -2 * DAY, .to = -DAY},
        {.name = "future", .san = "DNS:carrier.example", .signer = "ca", .from = DAY, .to = 2 * DAY},
        {.name = "self", .san = "DNS:carrier.example"},
        {.name = "foreign", .san = "DNS:carrier.example", .signer = "stranger"},
        {.name = "below", .san = "DNS:carrier.example", .signer = "good"},
    };
    static const struct {
        unsigned listener;
        const char *certificate;
        enum stream_end why;
        bool verified;
    } cases[] = {
        {SCENE_NO, NULL, SCENE_STANDS, false},
        {SCENE_NO, "good", SCENE_STANDS, false}, // it is not asked for, and so not shown
        {SCENE_NO, "expired", SCENE_STANDS, false},
        {SCENE_ASKED, NULL, SCENE_STANDS, false},
        {SCENE_ASKED, "good", SCENE_STANDS, true},
        {SCENE_ASKED, "expired", STREAM_END_CERTIFICATE, false},
        {SCENE_REQUIRED, NULL, STREAM_END_CERTIFICATE, false},
        {SCENE_REQUIRED, "good", SCENE_STANDS, true},
        {SCENE_REQUIRED, "sip", SCENE_STANDS, true},
        {SCENE_REQUIRED, "code", STREAM_END_CERTIFICATE, false},
        {SCENE_REQUIRED, "expired", STREAM_END_CERTIFICATE, false},
        {SCENE_REQUIRED, "future", STREAM_END_CERTIFICATE, false},
        {SCENE_REQUIRED, "self", STREAM_END_CERTIFICATE, false},
        {SCENE_REQUIRED, "foreign", STREAM_END_CERTIFICATE, false},
        {SCENE_REQUIRED, "below", STREAM_END_CERTIFICATE, false}, // signed by one that may not
    };
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (unsigned i = 0; i < CASES(peers); i++)
        certificates_make(&scene.made, &peers[i]);
    for (unsigned i = 0; i < CASES(cases) * 2; i++) {
        struct scene_client client = {.certificate = cases[i / 2].certificate, .version = versions[i % 2]};
        struct handshake_end end;

        if (shake(cases[i / 2].listener, &client, &end) != cases[i / 2].why ||
            end.verified != cases[i / 2].verified)
            fail_msg("listener %u, %s: %u, %s", cases[i / 2].listener, client.certificate, end.end,
                     end.verified ? "verified" : "not verified");
    }
}

// A good certificate with a hundred useless ones behind it.
static void test_a_chain_without_end_is_not_read(void **state)
{
    struct scene_client client = {.certificate = "long"};
    struct handshake_end end;

    (void)state;
    certificates_make(&scene.made,
                      &(struct wanted){.name = "long", .san = "DNS:long.example", .signer = "ca"});
    assert_int_equal(shake(SCENE_REQUIRED, &client, &end), SCENE_STANDS);
    FILE *out = fopen(certificates_path(&scene.made, "long.pem"), "a");
    X509 *more = certificates_read(&scene.made, "stranger");
    assert_non_null(out);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(PEM_write_X509(out, more), 1);
    X509_free(more);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(shake(SCENE_REQUIRED, &client, &end), STREAM_END_HANDSHAKE);
}

static void test_the_names_of_a_good_certificate_are_told(void **state)
{
    static const struct wanted carrier = {
        .name = "carrier", .san = "URI:sip:carrier.example,URI:sip:b.example,DNS:c.example", .signer = "ca"};
    struct scene_client client = {.certificate = "carrier"};
    struct connection connection;
    struct scene_peer peer;
    struct handshake_end end;
    char name[256];

    (void)state;
    certificates_make(&scene.made, &carrier);
    assert_int_equal(scene_shake(&scene, SCENE_ASKED, &client, &connection, &peer, &end), SCENE_STANDS);
    assert_true(stream_tls_name(&connection, 0, name));
    assert_string_equal(name, "carrier.example");
    assert_true(stream_tls_name(&connection, 1, name));
    assert_string_equal(name, "b.example");
    assert_false(stream_tls_name(&connection, 2, name));
    assert_true(stream_tls_proves(&connection, SLICE("B.example")));
    assert_false(stream_tls_proves(&connection, SLICE("c.example")));
    connection.verified = false;
    assert_false(stream_tls_name(&connection, 0, name));
    assert_false(stream_tls_proves(&connection, SLICE("carrier.example")));
    scene_peer_free(&peer);
    scene_connection_free(&connection);

    client.certificate = NULL;
    assert_int_equal(scene_shake(&scene, SCENE_ASKED, &client, &connection, &peer, &end), SCENE_STANDS);
    assert_false(stream_tls_name(&connection, 0, name));
    assert_false(stream_tls_proves(&connection, SLICE("carrier.example")));
    scene_peer_free(&peer);
    scene_connection_free(&connection);
}

// What is no TLS ends at once, and by what it is.
static void test_what_is_no_tls_ends(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"OPTIONS sip:proxy.example.com SIP/2.0\r\n\r\n", 41},
        {"GET / HTTP/1.1\r\n\r\n", 18},
        {"\x16\x03\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 13},
        {"\x16\x03\x01\x00\x06\x02\x00\x00\x02\x03\x03", 11}, // a ServerHello
        {"\x17\x03\x03\x00\x02hi", 7},                        // bytes before all else
        {"\x15\x03\x03\x00\x02\x02\x28", 7},                  // an alert
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16},
    };

    (void)state;
    for (unsigned i = 0; i < CASES(cases); i++) {
        struct connection connection;
        int fd;

        scene_pair(&connection, SCENE_NO, &fd);
        assert_non_null(stream_handshake_begin(scene.handshakes, scene.tls, &connection));
        assert_int_equal(write(fd, cases[i].bytes, cases[i].len), cases[i].len);
        struct handshake_end end = scene_wait(&scene);
        assert_null(end.session);
        if (end.end != STREAM_END_HANDSHAKE)
            fail_msg("case %u: %u", i, end.end);
        close(fd);
        close(end.fd);
    }
}

static void test_a_peer_that_goes_is_no_fault(void **state)
{
    static const size_t said[] = {0, 3, 5, 50};
    unsigned char hello[512];
    struct connection connection;
    int fd;

    (void)state;
    // A ClientHello of which some bytes are sent.
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *session = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(session, BIO_new(BIO_s_mem()), out);
    assert_true(SSL_connect(session) <= 0);
    int len = BIO_read(out, hello, sizeof(hello));
    assert_true(len > 50);
    SSL_free(session);
    SSL_CTX_free(context);
    ERR_clear_error();

    for (unsigned i = 0; i < CASES(said); i++) {
        scene_pair(&connection, SCENE_NO, &fd);
        assert_non_null(stream_handshake_begin(scene.handshakes, scene.tls, &connection));
        assert_int_equal(write(fd, hello, said[i]), said[i]);
        close(fd);
        struct handshake_end end = scene_wait(&scene);
        assert_null(end.session);
        if (end.end != STREAM_END_PEER)
            fail_msg("after %zu bytes: %u", said[i], end.end);
        close(end.fd);
    }
}

// The socket is closed, so its peer sees the end.
static void expect_closed(int fd)
{
    char rest[4096];

    while (read(fd, rest, sizeof(rest)) > 0)
        continue;
    close(fd);
}

static void test_nothing_comes_back_of_what_is_abandoned(void **state)
{
    struct connection connections[4];
    struct handshake *begun[4];
    int fds[4];
    struct handshake_end end;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        scene_pair(&connections[i], SCENE_NO, &fds[i]);
        begun[i] = stream_handshake_begin(scene.handshakes, scene.tls, &connections[i]);
        assert_non_null(begun[i]);
    }
    assert_int_equal(stream_handshakes_count(scene.handshakes), 4);
    // One has failed and waits, one has begun, one says nothing, one comes back.
    assert_int_equal(write(fds[0], "garbage, garbage", 16), 16);
    struct pollfd back = {.fd = stream_handshakes_fd(scene.handshakes), .events = POLLIN};
    assert_int_equal(poll(&back, 1, SCENE_PATIENCE_MS), 1);
    assert_int_equal(write(fds[1], "\x16\x03\x01", 3), 3);
    for (unsigned i = 0; i < 3; i++)
        stream_handshake_abandon(scene.handshakes, begun[i]);
    for (unsigned i = 0; i < 3; i++)
        expect_closed(fds[i]);
    assert_int_equal(stream_handshakes_count(scene.handshakes), 1);
    assert_int_equal(write(fds[3], "garbage, garbage", 16), 16);
    end = scene_wait(&scene);
    assert_ptr_equal(end.connection, &connections[3]);
    assert_false(stream_handshakes_next(scene.handshakes, &end));
    assert_int_equal(poll(&back, 1, 0), 0);
    assert_int_equal(stream_handshakes_count(scene.handshakes), 0);
    close(fds[3]);
    close(connections[3].fd);
}

#define STORM 500

// True: it stands. Waits for what the server says next, unless this is the first word.
static bool go_on(struct scene_peer *peer, bool first)
{
    struct pollfd readable = {.fd = peer->fd, .events = POLLIN};

    if (!first)
        assert_int_equal(poll(&readable, 1, SCENE_PATIENCE_MS), 1);
    int done = SSL_do_handshake(peer->session);
    if (done != 1)
        assert_int_equal(SSL_get_error(peer->session, done), SSL_ERROR_WANT_READ);
    return done == 1;
}

// Every first word is said before any answer is read.
static void test_five_hundred_at_once_all_stand(void **state)
{
    static struct connection connections[STORM];
    struct scene_peer *peers = calloc(STORM, sizeof(*peers));
    struct scene_client client = {0};
    int fd;

    (void)state;
    assert_non_null(peers);
    for (unsigned i = 0; i < STORM; i++) {
        scene_pair(&connections[i], SCENE_NO, &fd);
        scene_client(&scene, &peers[i], fd, &client);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        assert_false(go_on(&peers[i], true));
        assert_non_null(stream_handshake_begin(scene.handshakes, scene.tls, &connections[i]));
    }
    for (unsigned i = 0; i < STORM; i++) {
        while (!go_on(&peers[i], false))
            continue;
    }
    for (unsigned i = 0; i < STORM; i++) {
        struct handshake_end end = scene_wait(&scene);

        assert_non_null(end.session);
        end.connection->tls = end.session;
    }
    assert_int_equal(stream_handshakes_count(scene.handshakes), 0);
    for (unsigned i = 0; i < STORM; i++) {
        assert_non_null(connections[i].tls);
        scene_connection_free(&connections[i]);
        scene_peer_free(&peers[i]);
    }
    free(peers);
}

// Some are shaking hands, some wait, some have ended: all goes, and every peer sees its end.
static void test_threads_stop_under_load(void **state)
{
    static struct connection connections[STORM];
    static int fds[STORM];

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        struct scene other = {.conf = scene.conf, .tls = scene.tls};

        assert_int_equal(stream_handshakes_create(&other.handshakes, 3), 0);
        for (unsigned i = 0; i < STORM; i++) {
            struct scene_peer peer;
            struct scene_client client = {0};

            scene_pair(&connections[i], SCENE_NO, &fds[i]);
            scene_client(&scene, &peer, fds[i], &client);
            assert_int_equal(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
            assert_non_null(stream_handshake_begin(other.handshakes, other.tls, &connections[i]));
            if (i % 2 == 0)
                (void)go_on(&peer, true);
            peer.fd = -1;
            scene_peer_free(&peer);
        }
        stream_handshakes_destroy(other.handshakes);
        for (unsigned i = 0; i < STORM; i++) {
            assert_int_equal(fcntl(fds[i], F_SETFL, 0), 0);
            expect_closed(fds[i]);
        }
    }
}

// How many of this process's threads are called that; the niceness of the last.
static unsigned threads_called(const char *name, int *nice)
{
    char path[64], comm[32];
    unsigned n = 0;
    DIR *tasks = opendir("/proc/self/task");

    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", task->d_name);
        FILE *in = fopen(path, "r");
        if (in == NULL)
            continue;
        if (fgets(comm, sizeof(comm), in) != NULL && strncmp(comm, name, strlen(name)) == 0) {
            *nice = getpriority(PRIO_PROCESS, (id_t)strtol(task->d_name, NULL, 10));
            n++;
        }
        fclose(in);
    }
    closedir(tasks);
    return n;
}

static void test_threads_have_names_and_give_way(void **state)
{
    struct handshakes *handshakes;
    int ours = getpriority(PRIO_PROCESS, 0), nice = ours;

    (void)state;
    assert_int_equal(threads_called("strowger-tls2", &nice), 0);
    assert_int_equal(stream_handshakes_create(&handshakes, 3), 0);
    for (unsigned i = 0; threads_called("strowger-tls2", &nice) < 1 || nice <= ours; i++) {
        assert_in_range(i, 0, SCENE_PATIENCE_MS);
        usleep(1000);
    }
    assert_int_equal(getpriority(PRIO_PROCESS, 0), ours);
    stream_handshakes_destroy(handshakes);
    // Joined it may be seen for a moment still.
    for (unsigned i = 0; threads_called("strowger-tls2", &nice) > 0; i++) {
        assert_in_range(i, 0, SCENE_PATIENCE_MS);
        usleep(1000);
    }
}

static int begin(void **state)
{
    (void)state;
    scene_begin(&scene, 2);
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
        cmocka_unit_test(test_versions_ciphers_and_protocols_decide),
        cmocka_unit_test(test_a_client_certificate_is_asked_for_and_judged),
        cmocka_unit_test(test_a_chain_without_end_is_not_read),
        cmocka_unit_test(test_the_names_of_a_good_certificate_are_told),
        cmocka_unit_test(test_what_is_no_tls_ends),
        cmocka_unit_test(test_a_peer_that_goes_is_no_fault),
        cmocka_unit_test(test_nothing_comes_back_of_what_is_abandoned),
        cmocka_unit_test(test_five_hundred_at_once_all_stand),
        cmocka_unit_test(test_threads_stop_under_load),
        cmocka_unit_test(test_threads_have_names_and_give_way),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
