// stream_client: one TLS connection of a load generator, driven by readiness. One thread.
#ifndef BENCH_STREAM_CLIENT_H
#define BENCH_STREAM_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"

#define STREAM_CLIENT_TEXT 1024 // bytes of an OPTIONS or of its answer

struct stream_client_setup {
    struct endpoint server;
    unsigned sources; // addresses 127.0.0.1 … to connect from; 0: the kernel chooses
    int version;      // TLS1_2_VERSION or TLS1_3_VERSION
    bool resume;
    SSL_CTX *tls;         // stream_client_prepare
    SSL_SESSION *session; // the first ticket, where `resume`
};

enum stream_client_state { STREAM_CLIENT_CONNECTING, STREAM_CLIENT_SHAKING, STREAM_CLIENT_OPEN };

enum stream_client_news {
    STREAM_CLIENT_NOTHING,
    STREAM_CLIENT_STANDS,
    STREAM_CLIENT_ANSWERED,
    STREAM_CLIENT_FAILED,
};

struct stream_client {
    struct stream_client_setup *setup;
    int fd; // -1: there is none
    SSL *ssl;
    uint32_t number, events, cseq;
    uint8_t state; // enum stream_client_state
    bool wants_write;
    uint64_t since_ns; // the caller's
    uint16_t held;     // bytes of an answer that is not whole
    char text[STREAM_CLIENT_TEXT];
};

// What all connections share. False: OpenSSL refuses.
bool stream_client_prepare(struct stream_client_setup *setup);
void stream_client_forget(struct stream_client_setup *setup);

// Connects; the `serial`-th of all connections. 0 or -errno.
int stream_client_begin(struct stream_client *client, unsigned serial);

// The EPOLL… bits that it waits for.
uint32_t stream_client_events(const struct stream_client *client);

// Goes on as far as it can.
enum stream_client_news stream_client_turn(struct stream_client *client);

// Sends an OPTIONS on a connection that stands.
void stream_client_ask(struct stream_client *client);

// Closes it with a reset, so that thousands a second leave no port in TIME_WAIT.
void stream_client_reset(struct stream_client *client);

#endif
