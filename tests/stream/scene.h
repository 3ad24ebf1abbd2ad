// scene: handshake threads, both ends of connections to them, and peers that speak OpenSSL.
#ifndef TESTS_STREAM_SCENE_H
#define TESTS_STREAM_SCENE_H

#include "certificates.h"
#include "stream/tls.h"

#define SCENE_PATIENCE_MS 20000 // until a test gives up

// Certificates that every scene has: "ca" signs "server" (DNS:proxy.example.com) and whom a test has made; "stranger"
// signs nobody whom the server knows.
struct scene {
    struct certificates made;
    struct conf_listener listeners[4]; // client certificate no, asked, required; and WSS
    struct conf_certificate certificates[4];
    struct conf conf;
    struct handshakes *handshakes;
    struct stream_tls *tls;
};

enum { SCENE_NO, SCENE_ASKED, SCENE_REQUIRED, SCENE_WEB };

void scene_begin(struct scene *scene, unsigned threads);
void scene_end(struct scene *scene);
// Loads the configuration as it is now, in the place of the one before.
void scene_reload(struct scene *scene);

// What the peer, as client, does.
struct scene_peer {
    SSL_CTX *context;
    SSL *session;
    int fd; // blocking, with SCENE_PATIENCE_MS
};

struct scene_client {
    const char *certificate; // shown; NULL: none
    const char *name;        // asked for; NULL: none
    int version;             // the only one; 0: any
    const char *alpn;        // as on the wire; NULL: none
    const char *ciphers;     // of TLS 1.2; NULL: any
    SSL_SESSION *resume;     // NULL: a new session
};

// A pair of connected sockets: `connection` has the one that was accepted on that listener.
void scene_pair(struct connection *connection, unsigned listener, int *peer);

// The peer's side of a connection. It speaks when scene_shake has it speak.
void scene_client(struct scene *scene, struct scene_peer *peer, int fd, const struct scene_client *client);
void scene_peer_free(struct scene_peer *peer);

// What came back of a handshake; asserts that something does in time.
struct handshake_end scene_wait(struct scene *scene);

// A handshake from its begin to its end: the connection, which stands or not, and why not. The peer is connected where
// it thinks so, and has read a byte where both think so, so that it has its tickets.
enum stream_end scene_shake(struct scene *scene, unsigned listener, const struct scene_client *client,
                            struct connection *connection, struct scene_peer *peer,
                            struct handshake_end *end);
#define SCENE_STANDS STREAM_ENDS // what scene_shake returns where it does

void scene_connection_free(struct connection *connection);

#endif
