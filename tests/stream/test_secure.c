// The room with TLS: who is who decides where messages go.
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "box.h"
#include "certificates.h"
#include "stream/secure.h"

enum { TLS = BOX_UDP + 1, WSS };

static struct box box;
static struct certificates made;
static struct conf_certificate shown[1];

#define ONE BOX_OPTIONS("1", "", "Content-Length: 0\r\n")
#define TWO BOX_OPTIONS("2", "abc", "Content-Length: 3\r\n")
#define ALIAS                                                                                           \
    "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TLS carrier.example.com;branch=z9hG4bK3;alias\r\n" \
    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: 3\r\nCSeq: 1 OPTIONS\r\n"   \
    "l: 0\r\n\r\n"

static void set_tls(struct conf *conf)
{
    static char ciphers[] = "ECDHE+AESGCM", suites[] = "TLS_AES_128_GCM_SHA256", name[] = "main";

    shown[0] = (struct conf_certificate){name, certificates_path(&made, "server.pem"),
                                         certificates_path(&made, "server.key")};
    conf->certificates = shown;
    conf->certificates_n = 1;
    conf->tls_ciphers = (struct conf_text){ciphers, sizeof(ciphers) - 1};
    conf->tls_ciphersuites = (struct conf_text){suites, sizeof(suites) - 1};
    conf->tls_authorities = certificates_path(&made, "ca.pem");
    conf->tls_verify_servers = true;
}

static struct stream_tls *load(void)
{
    struct stream_tls *tls = stream_tls_create(&box.conf, stderr);

    assert_non_null(tls);
    return tls;
}

static int setup(void **state)
{
    char address[64];

    (void)state;
    box_make(&box);
    box_add(&box, TLS, ENDPOINT_TLS);
    box_add(&box, WSS, ENDPOINT_WSS);
    box.listeners[TLS].client_certificate = CONF_CLIENT_CERTIFICATE_ASKED;
    certificates_begin(&made);
    certificates_make(&made, &(struct wanted){.name = "ca", .authority = true});
    certificates_make(&made, &(struct wanted){.name = "stranger", .authority = true});
    certificates_make(&made,
                      &(struct wanted){.name = "server", .san = "DNS:proxy.example.com", .signer = "ca"});
    certificates_make(&made,
                      &(struct wanted){.name = "carrier", .san = "DNS:carrier.example.com", .signer = "ca"});
    struct endpoint at = box_address(60);
    at.port = 0;
    snprintf(address, sizeof(address), "IP:%u.%u.%u.%u", at.address[0], at.address[1], at.address[2],
             at.address[3]);
    certificates_make(&made, &(struct wanted){.name = "address", .san = address, .signer = "ca"});
    certificates_make(
        &made, &(struct wanted){.name = "impostor", .san = "DNS:carrier.example.com", .signer = "stranger"});
    set_tls(&box.conf);
    box_start(&box, load());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    box_stop(&box);
    certificates_end(&made);
    return 0;
}

// --- peers

struct secure_peer {
    SSL_CTX *context;
    SSL *session;
    int fd;
};

static void begin(struct secure_peer *peer, int fd, bool server, const char *certificate)
{
    char file[64];

    peer->fd = fd;
    peer->context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (certificate != NULL) {
        snprintf(file, sizeof(file), "%s.pem", certificate);
        assert_int_equal(SSL_CTX_use_certificate_chain_file(peer->context, certificates_path(&made, file)),
                         1);
        snprintf(file, sizeof(file), "%s.key", certificate);
        assert_int_equal(
            SSL_CTX_use_PrivateKey_file(peer->context, certificates_path(&made, file), SSL_FILETYPE_PEM), 1);
    }
    peer->session = SSL_new(peer->context);
    SSL_set_fd(peer->session, fd);
    if (server)
        SSL_set_accept_state(peer->session);
    else
        SSL_set_connect_state(peer->session);
}

// 1: done, 0: not yet, -1: it failed.
static int shake(struct secure_peer *peer)
{
    int done = SSL_do_handshake(peer->session);
    int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(peer->session, done);

    return done == 1 ? 1 : error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void stand(struct secure_peer *peer)
{
    int done = 0;

    box_until(&box, (done = shake(peer)) != 0);
    assert_int_equal(done, 1);
}

static void connect_as(struct secure_peer *peer, unsigned listener, const char *certificate)
{
    begin(peer, box_connect_from(&box, listener, 60, 0), false, certificate);
    stand(peer);
}

static void say(struct secure_peer *peer, const char *bytes, size_t len)
{
    int n = 0;

    for (size_t said = 0; said<len; said += n> 0 ? (size_t)n : 0) {
        n = SSL_write(peer->session, bytes + said, (int)RTE_MIN(len - said, (size_t)16000));
        if (n <= 0)
            box_wait(&box);
    }
}

static void hears(struct secure_peer *peer, const char *text)
{
    char heard[2048];
    size_t len = 0, wanted = strlen(text);
    int n;

    while (len < wanted) {
        box_until(&box, (n = SSL_read(peer->session, heard + len, (int)(wanted - len))) > 0);
        len += (size_t)n;
    }
    assert_memory_equal(heard, text, wanted);
}

static void leave(struct secure_peer *peer)
{
    SSL_free(peer->session);
    SSL_CTX_free(peer->context);
    close(peer->fd);
}

static struct arrival arrival_of(struct secure_peer *peer, const char *text)
{
    say(peer, text, strlen(text));
    box_until(&box, box.taken_n == 1);
    struct arrival arrival = box_packet(box.taken[0])->arrival;
    box_forget(&box);
    return arrival;
}

// --- tests

static void test_messages_come_and_go_over_tls(void **state)
{
    struct secure_peer peer;
    struct stream_view view;

    (void)state;
    connect_as(&peer, TLS, NULL);
    struct arrival arrival = arrival_of(&peer, ONE);
    assert_int_equal(arrival.source.transport, ENDPOINT_TLS);
    assert_int_equal(arrival.listener, TLS);
    assert_int_equal(arrival.peer, 0);
    box_send(&box, TWO, &arrival.source, TLS);
    hears(&peer, TWO);
    say(&peer, "\r\n\r\n", 4);
    hears(&peer, "\r\n");
    assert_true(box_view(&box, &view));
    assert_int_equal(view.name.len, 0);
    assert_int_equal(stream_counters(box.stream)->handshakes, 1);
    leave(&peer);
    box_until(&box, box_connections(&box) == 0);
    assert_int_equal(box_ended(&box, STREAM_END_PEER), 1);
}

static void test_much_at_once_comes_in_order(void **state)
{
    enum { MANY = 900 };
    static char all[MANY * 320];
    struct secure_peer peer;
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        len += (size_t)snprintf(all + len, sizeof(all) - len, BOX_OPTIONS("%u", "", "l: 0\r\n"), i, i);
    connect_as(&peer, TLS, NULL);
    say(&peer, all, len);
    box_until(&box, box.taken_n == MANY);
    for (unsigned i = 0; i < MANY; i++) {
        char text[12];
        snprintf(text, sizeof(text), "%u", i);
        assert_true(slice_equal(sip_message_first(&box_packet(box.taken[i])->message, SIP_HEADER_CALL_ID),
                                slice_text(text)));
    }
    leave(&peer);
}

static void test_what_waits_in_the_session_waits_for_workers(void **state)
{
    struct secure_peer peer;

    (void)state;
    connect_as(&peer, TLS, NULL);
    arrival_of(&peer, ONE);
    box.full = true;
    say(&peer, ONE TWO ONE, strlen(ONE TWO ONE));
    box_until(&box, stream_counters(box.stream)->waited == 1);
    say(&peer, TWO, strlen(TWO));
    box_pass(&box, 60000);
    box.full = false;
    box_took(&box, 4, (const char *const[]){ONE, TWO, ONE, TWO});
    leave(&peer);
}

// What the socket takes only in part goes on where it stopped, record by record.
static void test_a_slow_reader_gets_all_in_the_end(void **state)
{
    static char large[6001], heard[6001];
    struct secure_peer peer;
    unsigned n = 0;

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    connect_as(&peer, TLS, NULL);
    struct endpoint to = arrival_of(&peer, ONE).source;
    for (unsigned more = 0; more<5; more += stream_counters(box.stream)->bytes_held> 0) {
        assert_in_range(n, 0, 2000);
        snprintf(large, 12, "%010u", n++);
        large[10] = 'x';
        box_send(&box, large, &to, TLS);
    }
    for (unsigned i = 0; i < n; i++) {
        int got;
        for (size_t len = 0; len < sizeof(heard) - 1; len += (size_t)got)
            box_until(&box, (got = SSL_read(peer.session, heard + len, (int)(sizeof(heard) - 1 - len))) > 0);
        assert_int_equal(strtoul(heard, NULL, 10), i);
        assert_memory_equal(heard + 10, large + 10, sizeof(heard) - 11);
    }
    assert_int_equal(stream_counters(box.stream)->sent[ENDPOINT_TLS], n);
    assert_int_equal(stream_counters(box.stream)->bytes_held, 0);
    leave(&peer);
}

static void test_a_websocket_goes_over_tls(void **state)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: sip\r\n\r\n";
    struct secure_peer peer;
    char frame[512] = {(char)0x81, (char)0xfe, (char)(strlen(ONE) >> 8), (char)strlen(ONE)};

    (void)state;
    connect_as(&peer, WSS, NULL);
    say(&peer, request, strlen(request));
    hears(&peer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n");
    memcpy(frame + 8, ONE, strlen(ONE)); // masked with zeros
    say(&peer, frame, 8 + strlen(ONE));
    box_until(&box, box.taken_n == 1);
    struct endpoint to = box_packet(box.taken[0])->arrival.source;
    assert_int_equal(to.transport, ENDPOINT_WSS);
    box_send(&box, "short", &to, WSS);
    hears(&peer, "\x81\x05short");
    leave(&peer);
}

static void test_a_certificate_says_which_gateway_it_is(void **state)
{
    struct secure_peer peer;
    struct stream_view view;

    (void)state;
    box.gateway = "carrier.example.com";
    connect_as(&peer, TLS, "carrier");
    assert_int_equal(arrival_of(&peer, ONE).peer, 5);
    assert_string_equal(box.identified, "carrier.example.com ");
    assert_true(box_view(&box, &view));
    assert_true(slice_equal(view.name, SLICE("carrier.example.com")));
    // Another configuration trusts it no more; the connection stays.
    box.gateway = NULL;
    stream_renew(box.stream, &box.conf, load());
    assert_int_equal(arrival_of(&peer, ONE).peer, 0);
    box.gateway = "carrier.example.com";
    stream_renew(box.stream, &box.conf, load());
    assert_int_equal(arrival_of(&peer, ONE).peer, 5);
    assert_int_equal(box_connections(&box), 1);
    leave(&peer);
}

static void test_who_is_not_signed_by_whom_we_trust_does_not_get_in(void **state)
{
    struct secure_peer peer;

    (void)state;
    begin(&peer, box_connect(&box, TLS), false, "impostor");
    shake(&peer);
    box_until(&box, shake(&peer) != 0 && box_ended(&box, STREAM_END_CERTIFICATE) == 1);
    leave(&peer);
    assert_int_equal(box_connections(&box), 0);
}

static void test_silence_and_noise_are_no_handshake(void **state)
{
    int silent = box_connect(&box, TLS), noisy = box_connect(&box, TLS), gone = box_connect(&box, TLS);

    (void)state;
    box_say_text(noisy, ONE);
    box_until(&box, box_ended(&box, STREAM_END_HANDSHAKE) == 1);
    close(gone);
    box_until(&box, box_ended(&box, STREAM_END_PEER) == 1);
    assert_int_equal(box_connections(&box), 1);
    box_pass(&box, box.conf.stream_handshake_ms + 200);
    assert_int_equal(box_ended(&box, STREAM_END_HANDSHAKE_SLOW), 1);
    box_hears_end(&box, silent);
    close(silent);
    close(noisy);
}

// An alias leads to whom proved to be meant, and only over a connection on which he proved it (RFC 5923 9).
static void test_an_alias_is_for_who_proved_his_name(void **state)
{
    static const struct {
        const char *name;
        const char *certificate;
        const char *request;
        const char *expected;
        uint16_t port;
        bool reused;
    } cases[] = {
        {"all is right", "carrier", ALIAS, "carrier.example.com", 5061, true},
        {"another name is meant", "carrier", ALIAS, "other.example.com", 5061, false},
        {"another port is meant", "carrier", ALIAS, "carrier.example.com", 5062, false},
        {"an address is meant", "carrier", ALIAS, NULL, 5061, false},
        {"an address is meant and proved", "address", ALIAS, NULL, 5061, true},
        {"nothing was offered", "carrier", ONE, "carrier.example.com", 5061, false},
        {"nothing was proved", NULL, ALIAS, "carrier.example.com", 5061, false},
    };

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        struct secure_peer peer;
        connect_as(&peer, TLS, cases[i].certificate);
        struct endpoint to = arrival_of(&peer, cases[i].request).source;
        box.expected = cases[i].expected;
        to.port = cases[i].port;
        to.flow = 0;
        uint64_t refused = box_ended(&box, STREAM_END_REFUSED);
        box_send(&box, TWO, &to, TLS);
        if (cases[i].reused)
            hears(&peer, TWO);
        else
            box_until(&box, box.unsent_n == 1);
        if (box_ended(&box, STREAM_END_REFUSED) - refused != !cases[i].reused)
            fail_msg("%s", cases[i].name);
        box_forget(&box);
        leave(&peer);
        box_until(&box, box_connections(&box) == 0);
    }
}

static int listening_at(struct endpoint *to)
{
    int fd = box_listen(&box, 60, to);

    to->transport = ENDPOINT_TLS;
    return fd;
}

static void test_a_connection_is_made_to_who_proves_his_name(void **state)
{
    struct secure_peer peer;
    struct endpoint to;
    int listening = listening_at(&to);

    (void)state;
    box.expected = "carrier.example.com";
    box.gateway = "carrier.example.com";
    box_send(&box, ONE, &to, TLS);
    box_send(&box, TWO, &to, TLS);
    begin(&peer, box_accept(&box, listening), true, "carrier");
    stand(&peer);
    hears(&peer, ONE TWO);
    box_send(&box, ONE, &to, TLS);
    hears(&peer, ONE);
    assert_int_equal(box_connections(&box), 1);
    assert_int_equal(stream_counters(box.stream)->connected[ENDPOINT_TLS], 1);
    struct arrival arrival = arrival_of(&peer, TWO);
    assert_int_equal(arrival.peer, 5);
    assert_int_equal(arrival.source.port, to.port);
    // For another name at the same address there is another connection.
    box.expected = "other.example.com";
    box_send(&box, ONE, &to, TLS);
    assert_int_equal(box_connections(&box), 2);
    struct secure_peer second;
    begin(&second, box_accept(&box, listening), true, "carrier");
    box_until(&box, shake(&second) >= -1 && box_ended(&box, STREAM_END_CERTIFICATE) == 1);
    assert_int_equal(box.unsent_n, 1);
    leave(&second);
    leave(&peer);
    close(listening);
}

static void test_an_address_must_be_in_the_certificate(void **state)
{
    static const char *const certificates[] = {"carrier", "impostor", "address"};
    struct endpoint to;
    int listening = listening_at(&to);

    (void)state;
    box.expected = NULL;
    for (unsigned i = 0; i < RTE_DIM(certificates); i++) {
        struct secure_peer peer;
        box_send(&box, ONE, &to, TLS);
        begin(&peer, box_accept(&box, listening), true, certificates[i]);
        if (i < 2) {
            box_until(&box, shake(&peer) >= -1 && box_ended(&box, STREAM_END_CERTIFICATE) == i + 1);
            assert_int_equal(box.unsent_n, i + 1);
        } else {
            stand(&peer);
            hears(&peer, ONE);
        }
        leave(&peer);
    }
    close(listening);
}

static void test_nobody_need_prove_anything_where_nobody_asks(void **state)
{
    struct secure_peer peer;
    struct endpoint to;
    int listening = listening_at(&to);

    (void)state;
    box.conf.tls_verify_servers = false;
    stream_renew(box.stream, &box.conf, load());
    box_send(&box, ONE, &to, TLS);
    begin(&peer, box_accept(&box, listening), true, "impostor");
    stand(&peer);
    hears(&peer, ONE);
    leave(&peer);
    close(listening);
}

// By the port that its Via was given, where nobody remembers the request (RFC 3261 16.11, 18.2.2).
static void test_an_answer_goes_to_who_asked_though_he_proved_nothing(void **state)
{
    static const char answer[] = "SIP/2.0 200 OK\r\nl: 0\r\n\r\n";
    struct secure_peer peer;

    (void)state;
    box.expected = "carrier.example.com";
    connect_as(&peer, TLS, NULL);
    struct endpoint to = arrival_of(&peer, ONE).source;
    to.flow = 0;
    box_send(&box, answer, &to, TLS);
    hears(&peer, answer);
    box_send(&box, TWO, &to, TLS);
    box_until(&box, box.unsent_n == 1);
    assert_int_equal(box_ended(&box, STREAM_END_REFUSED), 1);
    leave(&peer);
}

// Whom a request is for is not known then: only who is there himself gets it (RFC 5923 8.2).
static void test_without_verification_no_alias_leads_anywhere(void **state)
{
    struct secure_peer peer;

    (void)state;
    box.conf.tls_verify_servers = false;
    stream_renew(box.stream, &box.conf, load());
    connect_as(&peer, TLS, "carrier");
    struct endpoint to = arrival_of(&peer, ALIAS).source;
    to.flow = 0;
    box_send(&box, TWO, &to, TLS);
    hears(&peer, TWO);
    to.port = 5061;
    box_send(&box, TWO, &to, TLS);
    box_until(&box, box.unsent_n == 1);
    assert_int_equal(box_ended(&box, STREAM_END_REFUSED), 1);
    leave(&peer);
}

static void test_a_server_that_shakes_no_hand_is_unreachable(void **state)
{
    struct endpoint to;
    int listening = listening_at(&to);

    (void)state;
    box_send(&box, ONE, &to, TLS);
    int peer = box_accept(&box, listening);
    box_pass(&box, box.conf.stream_connect_ms + 200);
    assert_int_equal(box_ended(&box, STREAM_END_UNREACHABLE), 1);
    assert_int_equal(box.unsent_n, 1);
    box_hear(&box, peer, (char[2048]){0}, 2047);
    close(peer);
    close(listening);
}

static void test_a_stop_amid_handshakes_leaves_nothing(void **state)
{
    struct secure_peer peers[40];
    struct endpoint to;
    int listening = listening_at(&to);

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(peers); i++) {
        begin(&peers[i], box_connect(&box, TLS), false, i % 2 ? "carrier" : NULL);
        shake(&peers[i]);
        if (i % 4 == 0)
            box_turn(&box);
    }
    box_send(&box, ONE, &to, TLS);
    box_turn(&box);
    stream_destroy(box.stream);
    box.stream = NULL;
    assert_int_equal(box.unsent_n, 1);
    for (unsigned i = 0; i < RTE_DIM(peers); i++)
        leave(&peers[i]);
    close(listening);
}

int main(void)
{
#define STARTED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        STARTED(test_messages_come_and_go_over_tls),
        STARTED(test_much_at_once_comes_in_order),
        STARTED(test_what_waits_in_the_session_waits_for_workers),
        STARTED(test_a_slow_reader_gets_all_in_the_end),
        STARTED(test_a_websocket_goes_over_tls),
        STARTED(test_a_certificate_says_which_gateway_it_is),
        STARTED(test_who_is_not_signed_by_whom_we_trust_does_not_get_in),
        STARTED(test_silence_and_noise_are_no_handshake),
        STARTED(test_an_alias_is_for_who_proved_his_name),
        STARTED(test_a_connection_is_made_to_who_proves_his_name),
        STARTED(test_an_address_must_be_in_the_certificate),
        STARTED(test_nobody_need_prove_anything_where_nobody_asks),
        STARTED(test_an_answer_goes_to_who_asked_though_he_proved_nothing),
        STARTED(test_without_verification_no_alias_leads_anywhere),
        STARTED(test_a_server_that_shakes_no_hand_is_unreachable),
        STARTED(test_a_stop_amid_handshakes_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, box_eal, box_eal_end);
}
