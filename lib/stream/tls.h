// tls: certificates, authorities and ciphers as OpenSSL holds them, and bytes through a session once it stands.
//
// A struct stream_tls (stream/stream.h) is made of one configuration and never changes; who uses it counts: one for
// whom it was created for, one for each handshake under way. Sessions that stand need it no more. Handshakes are in
// stream/handshake.h.
//
// A session, an SSL, belongs to the thread that has its connection: first to a handshake's, then to control's. For an
// idle one nothing is kept but OpenSSL's own record: buffers go when they are empty.
#ifndef STREAM_TLS_H
#define STREAM_TLS_H

#include <openssl/ssl.h>

#include "stream/stream.h"

// One more that uses it; stream_tls_destroy is one less. Any thread.
struct stream_tls *stream_tls_keep(struct stream_tls *tls);

// What a call on a session came to.
enum stream_tls_turn {
    STREAM_TLS_DONE,        // some bytes
    STREAM_TLS_WANTS_READ,  // none: when the socket can be read, call again
    STREAM_TLS_WANTS_WRITE, // none: when the socket can be written, call again. Reading may want that, too
    STREAM_TLS_ENDED,       // the connection has ended, *end says why
};

// Up to `room` bytes, and how many in *got. Call it until it wants something: bytes may wait in the session of which
// the socket shows nothing, also right after the handshake; who stops before asks stream_tls_pending.
enum stream_tls_turn stream_tls_read(SSL *session, void *to, size_t room, size_t *got, enum stream_end *end);

// Takes up to `len` bytes, and how many in *taken: they have left or will. After STREAM_TLS_WANTS_* the same bytes come
// again, perhaps from another place and with more behind them.
enum stream_tls_turn stream_tls_write(SSL *session, const void *from, size_t len, size_t *taken,
                                      enum stream_end *end);

// Whether bytes wait in the session that came from the socket already.
bool stream_tls_pending(const SSL *session);

// Says farewell where that does not block (RFC 8446 6.1), and frees the session. The socket is the caller's to close.
// NULL is allowed. After STREAM_TLS_ENDED too.
void stream_tls_close(SSL *session);

// The names that the peer has proved, one after the other to `identify` until one is somebody's: what it said then, or
// 0: nobody's, or nothing was proved.
uint16_t stream_tls_identify(const SSL *session, uint16_t (*identify)(void *owner, struct slice name),
                             void *owner);

// Whether the peer has proved `name`, a domain or an address (RFC 5922 7.3), so that what is meant for that name may go
// over this session (RFC 5923 8.1, 8.2). Always where we connected and [tls] verify_servers was off.
bool stream_tls_proves(const SSL *session, struct slice name);

// The first name that the peer has proved, for an operator. Returns its length, cut to `room`; 0: none.
unsigned stream_tls_name(const SSL *session, char *name, unsigned room);

#endif
