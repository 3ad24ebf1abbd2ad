// connection: one TCP connection, from the moment that it is accepted or begun until its record is free again.
//
// Private to the room. A record lies in the table that stream_create took; it is small, and all that grows (bytes that
// are no whole message yet, messages that the peer has not taken) hangs from it only while it is there.
//
// Bytes go in and out by stream_connection_read and stream_connection_write, which know whether TLS is between
// (secure.h): everything above them sees plain bytes.
//
// Its socket belongs to control's loop, but in CONNECTION_HANDSHAKE: then `fd` is -1 here, a handshake thread has it,
// and nothing of the record is read or written by that thread (secure.h says how it goes and comes).
#ifndef STREAM_CONNECTION_H
#define STREAM_CONNECTION_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/slice.h"
#include "stream/stream.h"

#define CONNECTION_NONE UINT32_MAX // no record

enum connection_state {
    CONNECTION_FREE = 0,
    CONNECTION_CONNECTING,   // outgoing: the kernel is at it
    CONNECTION_PROXY_HEADER, // who it is for is read
    CONNECTION_HANDSHAKE,    // TLS: a handshake thread has the socket
    CONNECTION_UPGRADE,      // its HTTP request is read
    CONNECTION_OPEN,         // messages
    CONNECTION_CLOSING,      // the last word is said, and whatever still comes is thrown away
};

struct outgoing;  // output.h
struct websocket; // websocket.h
struct ssl_st;    // OpenSSL's SSL
struct handshake; // secure.h

struct connection {
    struct event event; // readable, and writable while something waits
    struct stream *stream;
    struct endpoint peer; // with transport and flow; who a PROXY header says
    int fd;               // -1: none, or a handshake thread has it
    uint8_t state;        // enum connection_state
    uint8_t listener;     // index into conf->listeners
    bool outgoing;        // we made it
    uint8_t end;          // CLOSING: enum stream_end that it will be counted under

    struct ssl_st *tls;          // NULL: plain
    struct handshake *handshake; // HANDSHAKE
    char *expected;              // outgoing TLS: the name or the address that the peer must prove; owned
    uint16_t gateway;            // 1 + slot that its certificate proves it to be; 0: none
    uint16_t alias;              // port under which it may be found, too (RFC 5923); 0: none
    bool verified;               // its certificate was given and is good
    bool waits;                  // is read later, see input.h
    uint8_t watched;             // EV_READ, EV_WRITE: what its event is for now
    uint8_t crlf;                // how much of CRLF CRLF is here

    char *held;                     // what came and is no whole message, or has no room; NULL: nothing
    uint32_t held_n;                // bytes of it
    uint32_t scanned;               // up to there no head ends in it
    uint32_t wanted;                // bytes of the message that it begins; 0: not known
    struct websocket *websocket;    // a message of which not all frames are here; NULL: none
    struct rte_mbuf *stalled;       // a message that its worker had no room for; NULL: none
    struct outgoing *first, **last; // what the peer has not taken
    uint32_t outgoing_n;            // bytes of it

    uint64_t since_ms, heard_ms, said_ms; // when it began; bytes last came; bytes last left
    uint64_t begun_ms;                    // the message that is not whole; CLOSING: that; 0: none
    uint64_t received, sent;              // messages

    // Records by number: table.h.
    uint32_t source; // of the addresses that are counted; CONNECTION_NONE: it is not
    uint32_t next_peer, next_alias;
    uint16_t wheel_at; // place on the wheel
};

_Static_assert(sizeof(struct connection) <= STREAM_BYTES - 120, "a record and its share of the indices");

// Reads what is there. Bytes; 0: the peer closed; -EAGAIN: nothing now; else -errno, and the connection is broken.
int stream_connection_read(struct connection *connection, void *to, size_t room);

// Writes as much as the socket takes now. Bytes; -EAGAIN: none now; else -errno, and the connection is broken.
int stream_connection_write(struct connection *connection, const void *from, size_t len);

#endif
