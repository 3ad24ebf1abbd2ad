// secure: what the room asks of TLS. The private contract between what moves bytes and what encrypts them; tls*.c and
// handshake*.c keep it.
//
// A handshake needs a thread, for it costs a millisecond of arithmetic; what comes after does not. So a socket is given
// to the threads by stream_handshake_begin and comes back by stream_handshakes_next, with a session that from then on
// belongs to control's thread alone: the reads, writes and questions below are called there and nowhere else.
//
// Time limits are not the threads' business: control counts the milliseconds and calls stream_handshake_abandon. They
// never look at a struct connection; what a handshake needs is copied when it begins.
#ifndef STREAM_SECURE_H
#define STREAM_SECURE_H

#include "stream/connection.h"

struct handshakes; // the threads with their queues
struct handshake;  // one under way

// Starts conf->stream_handshake_threads threads. 0, or -errno and then nothing is left.
int stream_handshakes_create(struct handshakes **handshakes, unsigned threads);

// Ends the threads and closes the sockets they have; nothing comes back any more. NULL is allowed.
void stream_handshakes_destroy(struct handshakes *handshakes);

// Readable (level-triggered, as an eventfd is) while something came back.
int stream_handshakes_fd(const struct handshakes *handshakes);

// Gives connection->fd to a thread, as server of connection->listener, or (connection->outgoing) as client that asks
// for and checks connection->expected: a domain (SNI, RFC 5922 7.3) or an address as endpoint_write_host writes it
// without port; both only checked where [tls] verify_servers says so. `tls` is kept until the handshake has ended,
// whatever stream_tls_destroy does meanwhile. NULL: no memory, and the socket is still the caller's. The socket is
// non-blocking, nothing but a PROXY header was read from it.
struct handshake *stream_handshake_begin(struct handshakes *handshakes, struct stream_tls *tls,
                                         struct connection *connection);

// Nobody waits for it any more: its socket is closed and its memory freed sooner or later, by the thread that has it.
// It never comes back by stream_handshakes_next, also where it had ended already.
void stream_handshake_abandon(struct handshakes *handshakes, struct handshake *handshake);

// One that came back. The socket, open, and the session are control's again.
struct handshake_end {
    struct connection *connection; // as stream_handshake_begin was given it
    int fd;
    struct ssl_st
        *session;        // read it at once, for bytes may be in it; NULL: it failed, and `end` says as what
    enum stream_end end; // STREAM_END_HANDSHAKE, _CERTIFICATE, _PEER, _RESET, _CROWDED: no memory
    bool resumed;
    bool verified; // the peer gave a certificate (now, or in the session that was resumed) and it is good
};
// False: none, and the fd is not readable any more.
bool stream_handshakes_next(struct handshakes *handshakes, struct handshake_end *end);

// Under way now.
unsigned stream_handshakes_count(const struct handshakes *handshakes);

// As stream_connection_read and stream_connection_write, on connection->tls and connection->fd. A write that gave -EAGAIN
// is tried again later with the same bytes first, perhaps from another address and with more behind them
// (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, SSL_MODE_ENABLE_PARTIAL_WRITE).
int stream_tls_read(struct connection *connection, void *to, size_t room);
int stream_tls_write(struct connection *connection, const void *from, size_t len);

// Whether bytes wait in the session, which no event of the socket tells of.
bool stream_tls_pending(const struct connection *connection);

// Says goodbye, as far as the socket takes it at once, and frees connection->tls. The socket is closed by the caller.
void stream_tls_end(struct connection *connection);

// Whether the peer's good certificate names `name`: a domain by RFC 5922 7.1 and 7.2, or an address as
// endpoint_write_host writes it. False where connection->verified is not set.
bool stream_tls_proves(const struct connection *connection, struct slice name);

// The names in the peer's good certificate that RFC 5922 7.1 takes as its identities, number `i` from 0 on. False: no
// more. `name` has room for 256 bytes and is NUL-terminated.
bool stream_tls_name(const struct connection *connection, unsigned i, char *name);

#endif
