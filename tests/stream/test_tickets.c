// Coming back with a ticket: which are taken, which are not, and what outlives a reload.
#include <openssl/err.h>
#include <unistd.h>

#include "base/clock.h"
#include "scene.h"
#include "stream/tls_tickets.h"

#define CASES(table) (sizeof(table) / sizeof((table)[0]))

static struct scene scene;
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

// A handshake; the session with the ticket that it gave, the caller's.
static SSL_SESSION *visit(unsigned listener, const struct scene_client *client, struct handshake_end *end)
{
    struct connection connection;
    struct scene_peer peer;

    assert_int_equal(scene_shake(&scene, listener, client, &connection, &peer, end), SCENE_STANDS);
    assert_int_equal(end->resumed, SSL_session_reused(peer.session));
    SSL_SESSION *session = SSL_get1_session(peer.session);
    assert_true(SSL_SESSION_is_resumable(session));
    SSL_shutdown(peer.session); // or it would count as broken
    scene_peer_free(&peer);
    scene_connection_free(&connection);
    return session;
}

// Comes back with what it was given, perhaps to another listener. True: it was resumed.
static bool resumes(unsigned first, unsigned second, const struct scene_client *client, bool reload,
                    bool *verified)
{
    struct scene_client again = *client;
    struct handshake_end end;

    again.resume = visit(first, client, &end);
    assert_false(end.resumed);
    if (reload)
        scene_reload(&scene);
    SSL_SESSION *next = visit(second, &again, &end);
    SSL_SESSION_free(next);
    SSL_SESSION_free(again.resume);
    if (verified != NULL)
        *verified = end.verified;
    return end.resumed;
}

static void test_a_ticket_outlives_reloads(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CASES(versions); i++) {
        struct scene_client client = {.version = versions[i]};

        assert_true(resumes(SCENE_NO, SCENE_NO, &client, false, NULL));
        assert_true(resumes(SCENE_NO, SCENE_NO, &client, true, NULL));
        assert_true(resumes(SCENE_ASKED, SCENE_ASKED, &client, true, NULL));
    }
}

// A chain of visits, each with the ticket of the one before.
static void test_every_visit_gives_the_next_ticket(void **state)
{
    struct scene_client client = {.version = TLS1_3_VERSION};
    struct handshake_end end;

    (void)state;
    SSL_SESSION *session = visit(SCENE_NO, &client, &end);
    for (unsigned i = 0; i < 5; i++) {
        client.resume = session;
        session = visit(SCENE_NO, &client, &end);
        assert_true(end.resumed);
        SSL_SESSION_free(client.resume);
    }
    SSL_SESSION_free(session);
}

static void test_a_ticket_does_not_lead_past_what_is_asked(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CASES(versions); i++) {
        struct scene_client client = {.version = versions[i]}, known = {"carrier", .version = versions[i]};

        assert_false(resumes(SCENE_NO, SCENE_ASKED, &client, false, NULL));
        assert_false(resumes(SCENE_ASKED, SCENE_NO, &client, false, NULL));
        assert_false(resumes(SCENE_NO, SCENE_WEB, &client, false, NULL));
        assert_false(resumes(SCENE_ASKED, SCENE_REQUIRED, &known, false, NULL));
    }
}

static void test_a_ticket_keeps_what_a_certificate_proved_until_a_reload(void **state)
{
    bool verified;

    (void)state;
    for (unsigned i = 0; i < CASES(versions); i++) {
        struct scene_client client = {"carrier", .version = versions[i]};

        assert_true(resumes(SCENE_REQUIRED, SCENE_REQUIRED, &client, false, &verified));
        assert_true(verified);
        assert_false(resumes(SCENE_REQUIRED, SCENE_REQUIRED, &client, true, &verified));
        assert_true(verified);
    }
}

static void test_a_ticket_ends_with_the_certificate_it_was_given_for(void **state)
{
    struct scene_client client = {"brief", .version = TLS1_3_VERSION};
    struct handshake_end end;
    struct connection connection;
    struct scene_peer peer;

    (void)state;
    certificates_make(
        &scene.made,
        &(struct wanted){.name = "brief", .san = "DNS:b.example", .signer = "ca", .from = -DAY, .to = 3});
    SSL_SESSION *session = visit(SCENE_REQUIRED, &client, &end);
    X509 *certificate = certificates_read(&scene.made, "brief");
    while (X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0)
        usleep(50000);
    X509_free(certificate);
    client.resume = session;
    assert_int_equal(scene_shake(&scene, SCENE_REQUIRED, &client, &connection, &peer, &end),
                     STREAM_END_CERTIFICATE);
    scene_peer_free(&peer);
    scene_connection_free(&connection);
    SSL_SESSION_free(session);
}

// Names of the names that the authorities no longer vouch for.
static void test_a_reload_takes_trust_away(void **state)
{
    struct scene_client client = {"carrier", .version = TLS1_3_VERSION};
    struct handshake_end end;
    struct connection connection;
    struct scene_peer peer;

    (void)state;
    client.resume = visit(SCENE_REQUIRED, &client, &end);
    scene.conf.tls_authorities = certificates_path(&scene.made, "stranger.pem");
    scene_reload(&scene);
    assert_int_equal(scene_shake(&scene, SCENE_REQUIRED, &client, &connection, &peer, &end),
                     STREAM_END_CERTIFICATE);
    scene_peer_free(&peer);
    scene_connection_free(&connection);
    SSL_SESSION_free(client.resume);
    scene.conf.tls_authorities = certificates_path(&scene.made, "ca.pem");
    scene_reload(&scene);
}

// Those whose key only another process had.
static void test_a_ticket_of_elsewhere_is_as_none(void **state)
{
    struct handshakes *ours = scene.handshakes;
    struct handshake_end end;

    (void)state;
    for (unsigned i = 0; i < CASES(versions); i++) {
        struct scene_client client = {.version = versions[i]};

        client.resume = visit(SCENE_NO, &client, &end);
        assert_int_equal(stream_handshakes_create(&scene.handshakes, 1), 0);
        SSL_SESSION_free(visit(SCENE_NO, &client, &end));
        assert_false(end.resumed);
        stream_handshakes_destroy(scene.handshakes);
        scene.handshakes = ours;
        SSL_SESSION_free(client.resume);
    }
}

static void test_keys_rotate(void **state)
{
    struct tls_tickets *tickets = stream_tls_tickets_create(1000);
    struct tls_ticket_key first, second, third, found;
    bool old;

    (void)state;
    assert_non_null(tickets);
    assert_true(stream_tls_tickets_newest(tickets, 1000, &first));
    assert_true(stream_tls_tickets_newest(tickets, 1000 + TLS_TICKETS_MS - 1, &second));
    assert_memory_equal(&first, &second, sizeof(first));
    assert_true(stream_tls_tickets_newest(tickets, 1000 + TLS_TICKETS_MS, &second));
    assert_memory_not_equal(first.name, second.name, sizeof(first.name));
    assert_memory_not_equal(first.aes, second.aes, sizeof(first.aes));
    assert_memory_not_equal(first.mac, second.mac, sizeof(first.mac));

    assert_true(stream_tls_tickets_named(tickets, 1000 + TLS_TICKETS_MS, first.name, &found, &old));
    assert_true(old);
    assert_memory_equal(&found, &first, sizeof(first));
    assert_true(stream_tls_tickets_named(tickets, 1000 + 2 * TLS_TICKETS_MS - 1, first.name, &found, &old));
    assert_true(stream_tls_tickets_named(tickets, 1000 + 2 * TLS_TICKETS_MS - 1, second.name, &found, &old));
    assert_false(old);
    assert_false(stream_tls_tickets_named(tickets, 1000 + 2 * TLS_TICKETS_MS, first.name, &found, &old));
    assert_true(stream_tls_tickets_named(tickets, 1000 + 2 * TLS_TICKETS_MS, second.name, &found, &old));
    assert_true(old);
    // Where nobody came for long, the last key is too old, too.
    assert_false(stream_tls_tickets_named(tickets, 1000 + 9 * TLS_TICKETS_MS, second.name, &found, &old));
    assert_true(stream_tls_tickets_newest(tickets, 1000 + 9 * TLS_TICKETS_MS, &third));
    assert_memory_not_equal(second.name, third.name, sizeof(second.name));
    stream_tls_tickets_destroy(tickets);
}

static int begin(void **state)
{
    (void)state;
    scene_begin(&scene, 1);
    certificates_make(&scene.made,
                      &(struct wanted){.name = "carrier", .san = "URI:sip:carrier.example", .signer = "ca"});
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
        cmocka_unit_test(test_a_ticket_outlives_reloads),
        cmocka_unit_test(test_every_visit_gives_the_next_ticket),
        cmocka_unit_test(test_a_ticket_does_not_lead_past_what_is_asked),
        cmocka_unit_test(test_a_ticket_keeps_what_a_certificate_proved_until_a_reload),
        cmocka_unit_test(test_a_ticket_ends_with_the_certificate_it_was_given_for),
        cmocka_unit_test(test_a_reload_takes_trust_away),
        cmocka_unit_test(test_a_ticket_of_elsewhere_is_as_none),
        cmocka_unit_test(test_keys_rotate),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
