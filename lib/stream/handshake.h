// handshake: TLS handshakes on threads of their own, so that a storm of them delays nobody.
//
// Control hands over a connected socket, and gets back a session or the reason why there is none. In between it does
// not touch the socket; it stays control's to close. Each handshake has a deadline and always comes back.
//
// A socket that says nothing costs a record here and no session: that is made when the first byte comes.
//
// Threads: all functions belong to control's. Its own threads are called strowger-tlsN; they are a little nicer than
// control, so that who is connected is served before who wants to be, and a quarter of a core is theirs even then. They
// inherit the cores of the thread that creates them.
#ifndef STREAM_HANDSHAKE_H
#define STREAM_HANDSHAKE_H

#include "base/memory.h"
#include "stream/tls.h"

#define STREAM_HANDSHAKES_MAX 16384 // under way at a time

struct stream_handshakes;

// `threads` from 1 to 64. `handshakes_max` at a time. Takes its memory from `memory`, but for what OpenSSL takes. 0 or
// -errno. Tickets are good for as long as this lives, whatever is reloaded meanwhile.
int stream_handshakes_create(struct stream_handshakes **handshakes, unsigned threads, unsigned handshakes_max,
                             const struct memory *memory);

// Ends the threads at once. What is under way ends without coming back; its sockets are the caller's as ever. NULL is
// allowed.
void stream_handshakes_destroy(struct stream_handshakes *handshakes);

struct stream_handshake {
    void *connection; // comes back with the result
    struct stream_tls *tls;
    int fd;                                          // connected, non-blocking
    bool outgoing;                                   // we are the client
    bool web;                                        // WebSocket follows: what may be agreed on by ALPN
    enum conf_client_certificate client_certificate; // incoming
    struct slice
        expect; // outgoing: the domain or address that the server must prove; copied, up to 255 bytes
    uint64_t deadline_ms; // clock_monotonic_ms
};

// False: there is no room (STREAM_END_CROWDED).
bool stream_handshake_begin(struct stream_handshakes *handshakes, const struct stream_handshake *ask);

struct stream_handshake_result {
    void *connection;
    SSL *session;        // NULL: failed. Read it at once: the peer's first bytes may be in it
    enum stream_end end; // why it failed
    bool resumed;        // by a ticket
};

// Takes up to `max` that came to their end; returns how many. One load where there are none.
unsigned stream_handshakes_collect(struct stream_handshakes *handshakes,
                                   struct stream_handshake_result *results, unsigned max);

#endif
